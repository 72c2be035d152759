"""When two texts are one code, spelled in two ways. Pure.

What cannot differ in meaning is one code: composed and decomposed letters, characters that have no
width, blanks, the capitals of a word, TRUE and True, 10 and 10.0. A single letter's capital, and
numbers written in two ways (01 and 1, 1.5 and 1.50), may be codes of their own: they are one code
only where no coder uses both, as where a spreadsheet rewrote one column.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from labeler.text.coded_values import is_number, number_text, plain_code

_NO_WIDTH = dict.fromkeys([0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF])
_BLANKS = re.compile(r"\s+")


class Spellings(NamedTuple):
    """`code` maps each text to the spelling its code has; `folded` are the groups of texts that
    became one code, `apart` those that look alike and stay apart."""

    code: dict[str, str]
    folded: list[tuple[str, ...]]
    apart: list[tuple[str, ...]]


def spellings(
    times: Mapping[tuple[str, str], int], *, declared: Iterable[str] = (), numbers: bool = False
) -> Spellings:
    """The spelling of each code; `times` says how often a coder gave a text: (coder, text) → n.

    Of the texts of a code the declared one wins, else the one that is given most often. Codes that
    are declared both stay two. `numbers`: the codes are measured as numbers, so that equal numbers
    are one code whatever their spelling.
    """
    known = list(declared)
    groups: dict[str, dict[str, int]] = {}
    who: dict[str, set[str]] = {}
    for (coder, text), n in times.items():
        group = groups.setdefault(loosely(text), {})
        group[text] = group.get(text, 0) + n
        who.setdefault(text, set()).add(coder)
    for text in known:
        groups.get(loosely(text), {}).setdefault(text, 0)
    code: dict[str, str] = {}
    folded, apart = [], []
    for group in groups.values():
        parts = _parts(group, who, known, numbers=numbers)
        for part in parts:
            chosen = next((t for t in part if t in known), max(part, key=group.__getitem__))
            code |= dict.fromkeys(part, chosen)
            given = tuple(t for t in part if group[t] and t != chosen)
            folded += [(chosen, *given)] if given else []
        several = tuple(code[part[0]] for part in parts)
        if len(several) > 1 and not set(several) <= set(known):
            apart.append(several)
    return Spellings(code, folded, apart)


def loosely(text: str) -> str:
    """What is equal for texts that may be one code."""
    plain = _plain(text)
    return number_text(plain) if is_number(plain) else plain.casefold()


def _parts(
    group: Mapping[str, int], who: Mapping[str, set[str]], known: list[str], *, numbers: bool
) -> list[list[str]]:
    """The texts of a group that are one code each; never two that are declared."""
    if sum(text in known for text in group) > 1:
        return [[text] for text in group]
    surely: dict[str, list[str]] = {}
    for text in group:
        surely.setdefault(_surely(text), []).append(text)
    parts = list(surely.values())
    if len(parts) == 1 or (numbers and is_number(_surely(parts[0][0]))):
        return [list(group)]
    givers = [{coder for text in part for coder in who.get(text, ())} for part in parts]
    twice = sum(map(len, givers)) > len(set().union(*givers))
    return parts if twice else [list(group)]


def _surely(text: str) -> str:
    """What is equal for texts that cannot differ in meaning."""
    plain = _plain(text)
    letters = sum(character.isalpha() for character in plain)
    return plain.casefold() if letters > 1 else plain


def _plain(text: str) -> str:
    bare = unicodedata.normalize("NFC", text.translate(_NO_WIDTH))
    plain = plain_code(_BLANKS.sub(" ", bare).strip())
    return "0" if plain == "-0" else plain
