"""What cells of a table of codings mean: sets in any notation, one spelling a code. Pure.

The codings are those of `coding_tables`; texts become codes here, and what was understood is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from labeler import hints
from labeler.errors import InputError
from labeler.files.coding_tables import NUMBERS, SETS, SHOWN, checked, refused
from labeler.files.json_cells import json_codes
from labeler.text.coded_values import EMPTY_SET, joined, typed_codes
from labeler.text.spellings import spellings

SIGNS = ";|,"
TOLD = 6  # codes in several spellings that a remark names

_ERRORS = re.compile(
    r"#(N/A|DIV/0!|NAME\?|NULL!|NUM!|REF!|VALUE!|SPILL!|CALC!|NV|BEZUG!|WERT!|ZAHL!|ÜBERLAUF!)"
    r"|Err:\d{3}"
)
_MONTH = r"(Jan|Feb|Ma[ry]|Mär|Apr|Mai|Jun|Jul|Aug|Sept?|Oct|Okt|Nov|De[cz])[a-z]*\.?"
_DATE = re.compile(
    rf"\d{{4}}-\d\d-\d\d([ T].*)?|\d{{1,2}}[-. ]{{1,2}}{_MONTH}([- ]\d+)?|{_MONTH}[- ]\d{{1,4}}",
    re.IGNORECASE,
)


class CellSettings(NamedTuple):
    """How cells are to be read: `separator` stands between the codes of a set ('' is found out),
    `recode` holds pairs of a text and the code it stands for ('' not coded)."""

    separator: str = ""
    recode: tuple[tuple[str, str], ...] = ()


class CellReading(NamedTuple):
    """The codings with each value in one spelling, the codes in their order, what was understood
    (`remarks`), and groups of codes that look alike and count apart."""

    codings: pd.DataFrame
    codes: list[str]
    remarks: list[str]
    apart: list[tuple[str, ...]]


def read_cells(
    codings: pd.DataFrame,
    *,
    level: str,
    domain: Sequence[str] = (),
    wish: CellSettings | None = None,
    source: str,
) -> CellReading:
    """The codings (columns unit, coder, value, line, column …) with values as codes.

    Lists as JSON (`["a", "b"]`, `{"choices": ["a", "b"]}`) are sets; at the levels masi and jaccard
    so are codes between `;`, `|` or `,`, where only one of them stands in the cells and `+` in
    none. Spellings that cannot differ in meaning are one code (see `spellings`).

    Raises InputError for error cells and dates of spreadsheets among codes, for sets with two
    separators, and as `checked` does.
    """
    codings, remarks = plain_cells(
        codings, sets=level in SETS, known=domain, wish=wish or CellSettings(), source=source
    )
    if level not in SETS:
        remarks = [*remarks, *_look_like_sets(codings["value"].unique().tolist())]
    codings, folded, apart = _spelled(codings, level, domain)
    found, codes = checked(codings, level=level, domain=domain, source=source)
    return CellReading(found, codes, [*remarks, *folded], apart)


def plain_cells(
    codings: pd.DataFrame,
    *,
    sets: bool,
    known: Iterable[str] = (),
    wish: CellSettings,
    source: str,
) -> tuple[pd.DataFrame, list[str]]:
    """The codings (columns value, line, column …) of one variable with values as plain text, sets
    joined by `+`; and what was understood. Codes are spelled as they were; gaps are left out.

    `known` are codes whatever they look like. Raises InputError for error cells and dates of
    spreadsheets, and for sets with two separators.
    """
    recode = dict(wish.recode)
    texts = [text for text in codings["value"].unique().tolist() if text and text not in recode]
    _refuse_broken(codings, {*known, *recode, ""}, source)
    fresh = {text: _from_json(text, sets=sets) for text in texts}
    remarks: list[str] = []
    if sets:
        separator, remarks = _separator(list(fresh.values()), wish.separator, source)
        fresh = {text: _recoded(_split(codes, separator), recode) for text, codes in fresh.items()}
    else:
        fresh = {text: recode.get(code, code) for text, code in fresh.items()}
    codings = _exchanged(codings, lambda text: recode.get(text, fresh.get(text, "")))
    gaps = codings["value"] == ""
    return codings[~gaps] if gaps.any() else codings, remarks


def together(codings: pd.DataFrame, apart: Iterable[tuple[str, ...]], level: str) -> pd.DataFrame:
    """The codings as if the codes of each group were the first of it."""
    first = {code: group[0] for group in apart for code in group}

    def exchange(text: str) -> str:
        if level not in SETS:
            return first.get(text, text)
        return joined(dict.fromkeys(first.get(code, code) for code in typed_codes(text)))

    return _exchanged(codings, exchange)


def _exchanged(codings: pd.DataFrame, of: Callable[[str], str]) -> pd.DataFrame:
    """The codings with each distinct value exchanged."""
    texts = codings["value"].unique().tolist()
    fresh = {text: of(text) for text in texts}
    if all(text == other for text, other in fresh.items()):
        return codings
    places, seen = pd.factorize(codings["value"])
    values = pd.array([fresh[text] for text in seen], dtype="str")
    return codings.assign(value=values.take(places))


def _refuse_broken(codings: pd.DataFrame, clear: set[str], source: str) -> None:
    """InputError for cells that a spreadsheet could not compute, or made dates of.

    Texts that are `clear` are neither. Where most others look like dates, dates are the codes.
    """
    seen = codings["value"].value_counts()
    doubtful = [text for text in seen.index if text not in clear]
    errors = {text for text in doubtful if _ERRORS.fullmatch(text)}
    dates = {text for text in doubtful if _DATE.fullmatch(text)}
    if 2 * seen[list(dates)].sum() >= seen.drop("", errors="ignore").sum():
        dates = set()
    if not errors and not dates:
        return
    bad = codings[codings["value"].isin(errors | dates)].sort_values("line")
    told = []
    for line, column, text in zip(bad["line"], bad["column"], bad["value"], strict=True):
        what = "an error of the spreadsheet" if text in errors else "a date, as made of 3-4"
        told.append(f"line {line}, column {column!r}: {text} is {what}, no code")
    first = f"'{bad['value'].iloc[0]}'"
    raise refused(source, told, hint=hints.BROKEN_CELLS.about(text=first))


def _from_json(text: str, *, sets: bool) -> str:
    """Codes that a cell holds as JSON, joined by `+`; else the text."""
    codes = json_codes(text)
    if codes is None:
        return text
    return joined(codes if sets else sorted(codes)) or EMPTY_SET


def _separator(texts: Sequence[str], wanted: str, source: str) -> tuple[str, list[str]]:
    """What stands between the codes of sets ('' nothing but `+`), and the remark that says so."""
    found = wanted
    if not wanted:
        if any("+" in text and text != EMPTY_SET for text in texts):
            return "", []
        signs = [sign for sign in SIGNS if any(sign in text for text in texts)]
        if len(signs) > 1:
            shown = next(text for text in texts if signs[0] in text)
            raise InputError(
                f"{source}: which of {' and '.join(signs)} separates the codes of a set? "
                f"Both stand in cells, as in {shown!r}",
                hint=hints.SEPARATOR_OF_SETS,
            )
        found = signs[0] if signs else ""
    if found in ("", "+"):
        return "", []
    several = next((text for text in texts if found in text), "")
    told = f"cells are read as sets whose codes stand between {found!r}, as {several!r}"
    return found, [told] if several else []


def _split(text: str, separator: str) -> str:
    if text == EMPTY_SET or not separator:
        return text
    return joined(part.strip() for part in text.split(separator) if part.strip()) or EMPTY_SET


def _recoded(text: str, recode: Mapping[str, str]) -> str:
    codes = [recode.get(code, code) for code in typed_codes(text) if code]
    return joined(code for code in codes if code) or EMPTY_SET


def _look_like_sets(texts: Sequence[str]) -> list[str]:
    """The remark that two cells hold the same codes in another order."""
    first: dict[tuple[str, ...], str] = {}
    for text in texts:
        for sign in f"+{SIGNS}":
            parts = sorted(part.strip() for part in text.split(sign))
            if len(parts) > 1 and first.setdefault((sign, *parts), text) != text:
                other = first[sign, *parts]
                return [
                    f"{other!r} and {text!r} count as two codes: as sets, cells are compared at "
                    "the levels masi and jaccard"
                ]
    return []


def _spelled(
    codings: pd.DataFrame, level: str, domain: Sequence[str]
) -> tuple[pd.DataFrame, list[str], list[tuple[str, ...]]]:
    """The codings in one spelling a code, the remark that says so, and codes that stay apart."""
    if level in NUMBERS:
        return codings, [], []
    times: dict[tuple[str, str], int] = {}
    for coder, text, n in _counted(codings):
        for code in _codes(text, level):
            times[coder, code] = times.get((coder, code), 0) + n
    found = spellings(times, declared=[c.strip() for c in domain], numbers=level == "ordinal")
    fresh = _exchanged(
        codings, lambda text: _spelled_value(text, level, found.code) if text else text
    )
    told = "/".join
    shown = ", ".join(map(told, found.folded[:TOLD]))
    more = f", … ({len(found.folded)} codes)" if len(found.folded) > TOLD else ""
    said = [f"spelled in several ways, counted as one code each: {shown}{more}"]
    return fresh, said if found.folded else [], found.apart[:SHOWN]


def _counted(codings: pd.DataFrame) -> Iterator[tuple[str, str, int]]:
    """Coder, text, and how often the coder gave it; texts as they come first."""
    cells, texts = pd.factorize(codings["value"])
    rows, coders = pd.factorize(codings["coder"])
    cells *= len(coders)
    cells += rows
    times = np.bincount(cells, minlength=len(texts) * len(coders))
    for cell in np.flatnonzero(times).tolist():
        text, coder = divmod(cell, len(coders))
        yield str(coders[coder]), str(texts[text]), int(times[cell])


def _codes(text: str, level: str) -> list[str]:
    return [code for code in typed_codes(text) if code] if level in SETS else [text]


def _spelled_value(text: str, level: str, code: Mapping[str, str]) -> str:
    spelled = joined(code[one] for one in _codes(text, level))
    return spelled or EMPTY_SET
