"""Where telephone numbers, account numbers and IP addresses stand in a text.

A stretch of digits counts only if its form or its check digits say what it is, so that dates,
years, scores, doses and prices stay: telephone numbers by form and numbering plan (`phonenumbers`,
Google's metadata), IBANs by country, length and ISO 7064 check, cards by issuer and Luhn check,
Bitcoin addresses by checksum (`stdnum`). Account numbers without a check (domestic bank accounts,
customer numbers) cannot be told from other numbers and are not found.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import phonenumbers
from stdnum import bitcoin, iban, luhn

REGIONS = (
    *("US", "GB", "DE", "FR", "IT", "ES", "IN", "AU", "CN", "JP", "KR", "BR", "MX", "RU", "NL"),
    *("BE", "CH", "AT", "SE", "PL", "TR", "ZA", "NG", "PK", "ID", "PH", "IE", "NZ", "IL", "EG"),
)
"""Numbering plans that a national number is tried against."""

BARE_REGIONS = ("US", "IN", "CN", "RU")
"""The same for ten or eleven digits without a blank, a sign or a leading 0."""

FEWEST, MOST, TOKENS = 7, 16, 9
_NATIONAL_DIGITS = range(9, 13)
_CARD_DIGITS = range(13, 20)

_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)", re.A)
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.A | re.I)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d\d(?:[ -]?[A-Z0-9]){11,30}", re.A | re.I)
_COIN = re.compile(
    r"(?<!\w)(?:0x[0-9a-f]{40}|bc1[ac-hj-np-z02-9]{11,71}|[13][1-9a-z]{25,34})(?!\w)",
    re.A | re.I,
)
_RUN = re.compile(r"(?<!\w)[+(]{0,2}\d(?:[ \u00a0.\-‐‑‒–/()]{0,3}\d)++", re.A)
_TOKEN = re.compile(r"[+(]{0,2}\d+\)?", re.A)
_BEFORE = re.compile(r"(?:[$€£¥₹#]\s?|\d[.,:\-‐‑‒–])\Z")
_AFTER = re.compile(r"(?!x\d|ext)\w|%|[.,:\-‐‑‒–]\d")
_NO_TELEPHONE = re.compile(
    r"\d{4}([./-])\d\d?\1\d\d?(?!\d)|\d\d?([./-])\d\d?\2(?:\d{4}|\d\d)(?!\d|\2\d)"
    r"|\d\d?[./](?:19|20)\d\d(?!\d)|\((?:19|20)\d\d\)"
    r"|(?:\d\d ){3}\d\d\Z|\d{5}-\d{4}\Z|(?:(?:19|20)\d\d[ /–-]?)+\Z|(?:\d00[ –-])+\d00\Z",
    re.A,
)
_SSN = re.compile(r"(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}", re.A)
_CARD = re.compile(r"\d+|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|3\d{3}([ -])\d{6}\2\d{5}", re.A)
_ISSUER = re.compile(
    r"(?:4(?:.{12}|.{15}|.{18})|5[1-5].{14}|2(?:2[2-9]|[3-6]|7[01]|720).*(?<=^.{16})"
    r"|3[47].{13}|3(?:[0689].{12,17}|5.{14})|6.{15,18})",
    re.A,
)

_AMERICAN = re.compile(
    r"(?:\+?1[ .\-‐‑–]?)?(?:\([2-9]\d\d\)[ .\-‐‑–]?|[1-9]\d\d[.\-‐‑–/])\d{3}[ .\-‐‑–]\d{4}", re.A
)
_NATIONAL = re.compile(
    r"(?:1 )?[2-9]\d\d \d{3} \d{4}"
    r"|\(?0\d+\)?(?:[ .\-‐‑–/]{0,3}\d+)*"
    r"|(?:8 ?)?\(\d{2,5}\)[ -]?\d{2,5}(?:[ -]\d{2,5}){0,3}"
    r"|[6-9]\d{4} \d{5}"
    r"|[6-9]\d\d \d\d \d\d \d\d",
    re.A,
)
_BARE = re.compile(r"[2-9]\d{9}|1[2-9]\d{9}|[78]\d{10}", re.A)
_SAID = re.compile(
    r"(?<!\w)(?:call|text|txt|ring|dial|(?:tele)?phone|ph|tel|cell|mobile|mob|fax|whats ?app|sms"
    r"|viber|signal|handy|telefone?|teléfono|tél|móvil|celular|тел|телефон|电话|電話)"
    r"(?:\s+(?:me|us|him|her|them|at|on|is|no|nr|number|unter|au|al))*[\s:.#=]*\Z",
    re.I,
)


class AccountNumber(NamedTuple):
    """A stretch `text[start:end]`, its kind, and the value by which it is the same elsewhere."""

    start: int
    end: int
    kind: str
    value: str


def find(text: str) -> Iterator[AccountNumber]:
    """Telephone numbers, account numbers and IP addresses of a text, without overlaps.

    Kinds: `phone`, `account` (IBAN, card, US social security number, Bitcoin or Ethereum
    address), `ip`. They come in no particular order.
    """
    for gate, finder in _FINDERS:
        if gate.search(text) is None:
            continue
        found = sorted(finder(text))
        yield from found
        text = masked(text, found)


def masked(text: str, found: list[AccountNumber]) -> str:
    """The text with NUL in the place of what was found (from left to right): no rule sees it."""
    if not found:
        return text
    parts: list[str] = []
    done = 0
    for start, end, _, _ in found:
        parts += (text[done:start], "\0" * (end - start))
        done = end
    return "".join((*parts, text[done:]))


def _addresses(text: str) -> Iterator[AccountNumber]:
    for match in _IPV4.finditer(text):
        if _is_ip(match[0]):
            yield AccountNumber(match.start(), match.end(), "ip", match[0])


def _long_addresses(text: str) -> Iterator[AccountNumber]:
    for match in _IPV6.finditer(text):
        groups = [group for group in match[0].split(":") if group]
        if len(groups) > 2 and any(map(str.isdigit, match[0])) and _is_ip(match[0]):
            yield AccountNumber(
                match.start(), match.end(), "ip", ipaddress.ip_address(match[0]).exploded
            )


def _is_ip(word: str) -> bool:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True


def _ibans(text: str) -> Iterator[AccountNumber]:
    for match in _IBAN.finditer(text):
        ends = [m.start() for m in re.finditer(r"[ -]|\Z", match[0])]
        for end in reversed(ends):
            number = re.sub(r"[ -]", "", match[0][:end]).upper()
            if (
                len(number) > 14
                and iban.is_valid(number)
                and not text[match.start() + end :][:1].isalnum()
            ):
                yield AccountNumber(match.start(), match.start() + end, "account", number)
                break


def _coins(text: str) -> Iterator[AccountNumber]:
    for match in _COIN.finditer(text):
        if match[0][:2].lower() == "0x" or bitcoin.is_valid(match[0]):
            yield AccountNumber(match.start(), match.end(), "account", match[0])


def _runs(text: str) -> Iterator[AccountNumber]:
    for run in _RUN.finditer(text):
        tokens = [(run.start() + m.start(), run.start() + m.end()) for m in _TOKEN.finditer(run[0])]
        first = 0
        while first < len(tokens):
            last = min(len(tokens), first + TOKENS)
            found = None
            while found is None and last > first:
                found = _number(text, tokens[first][0], tokens[last - 1][1])
                last -= 1
            first = last + 1 if found else first + 1
            if found:
                yield found


def _number(text: str, start: int, end: int) -> AccountNumber | None:
    stretch = text[start:end]
    if stretch.count("(") != stretch.count(")"):
        stretch = stretch.strip("()")
        start, end = text.index(stretch, start), text.index(stretch, start) + len(stretch)
    digits = "".join(character for character in stretch if character.isdigit())
    if not FEWEST <= len(digits) <= _CARD_DIGITS[-1] or _AFTER.match(text, end):
        return None
    if stretch[0] != "+" and _BEFORE.search(text, max(0, start - 3), start):
        return None
    if _SSN.fullmatch(stretch) or _is_card(stretch, digits):
        return AccountNumber(start, end, "account", digits)
    said = _SAID.search(text, max(0, start - 40), start) is not None
    if len(digits) <= MOST and _is_telephone(stretch, digits, said=said):
        return AccountNumber(start, end, "phone", _dialled(stretch))
    return None


def _dialled(stretch: str) -> str:
    """The digits of a telephone number as they are dialled from abroad, where it says them."""
    return re.sub(r"\D", "", stretch.replace("(0)", "")).removeprefix("00")


def _is_card(stretch: str, digits: str) -> bool:
    return (
        len(digits) in _CARD_DIGITS
        and _CARD.fullmatch(stretch) is not None
        and _ISSUER.fullmatch(digits) is not None
        and luhn.is_valid(digits)
    )


def _is_telephone(stretch: str, digits: str, *, said: bool) -> bool:
    if stretch[0] == "+":
        return _in_plan(stretch, None, phonenumbers.is_possible_number)
    if stretch.startswith("00"):
        return _in_plan(f"+{digits[2:]}", None, phonenumbers.is_valid_number)
    if _NO_TELEPHONE.match(stretch):
        return False
    if said or _AMERICAN.fullmatch(stretch):
        return True
    regions: tuple[str, ...] = ()
    if _BARE.fullmatch(stretch):
        regions = BARE_REGIONS
    elif _NATIONAL.fullmatch(stretch) and len(digits) in _NATIONAL_DIGITS:
        regions = REGIONS
    return any(_in_plan(stretch, region, phonenumbers.is_valid_number) for region in regions)


def _in_plan(
    number: str, region: str | None, agrees: Callable[[phonenumbers.PhoneNumber], bool]
) -> bool:
    try:
        return agrees(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


# A cheap pattern that begins with a digit or a colon says whether a finder is worth its time.
_FINDERS: tuple[tuple[re.Pattern[str], Callable[[str], Iterator[AccountNumber]]], ...] = (
    (re.compile(r"\d[.]\d{1,3}[.]\d"), _addresses),
    (re.compile(r":[0-9A-Fa-f]{0,4}:"), _long_addresses),
    (re.compile(r"\d\d(?:[ -]?[A-Za-z0-9]){11}"), _ibans),
    (re.compile(r"[013][A-Za-z0-9]{13}"), _coins),
    (re.compile(r"\d(?:[^A-Za-z0-9]{0,3}\d){6}"), _runs),
)
