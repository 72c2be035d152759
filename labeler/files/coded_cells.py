"""What cells of a table of codings mean: sets in any notation, one spelling a code. Pure.

The codings are those of `coding_tables`; texts become codes here, and what was understood is said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from labeler import hints
from labeler.errors import InputError
from labeler.files.coding_tables import NUMBERS, SETS, SHOWN, checked, refused
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
    wish = wish or CellSettings()
    recode = dict(wish.recode)
    codings = _exchanged(codings, lambda text: recode.get(text, text))
    codings = codings[codings["value"] != ""]
    _refuse_broken(codings, set(domain), source)
    codings = _exchanged(codings, lambda text: _from_json(text, level))
    remarks = []
    if level in SETS:
        codings, remark = _with_plus(codings, wish.separator, source)
        remarks += remark
        codings = _exchanged(codings, lambda text: _recoded(text, recode))
    else:
        remarks += _look_like_sets(codings["value"].unique().tolist())
    codings, folded, apart = _spelled(codings, level, domain)
    remarks += folded
    found, codes = checked(codings, level=level, domain=domain, source=source)
    return CellReading(found, codes, remarks, apart)


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
    places, texts = pd.factorize(codings["value"])
    fresh = [of(str(text)) for text in texts]
    if fresh == list(texts):
        return codings
    values = pd.array(np.array(fresh, dtype=object)[places], dtype="str")
    return codings.assign(value=values)


def _refuse_broken(codings: pd.DataFrame, declared: set[str], source: str) -> None:
    """InputError for cells that a spreadsheet could not compute, or made dates of."""
    seen = codings["value"].value_counts()
    errors = {text for text in seen.index if _ERRORS.fullmatch(text)} - declared
    dates = {text for text in seen.index if _DATE.fullmatch(text)} - declared
    if 2 * seen[list(dates)].sum() >= seen.sum():
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


def _from_json(text: str, level: str) -> str:
    """A list of codes, or choices as Label Studio has them, joined by `+`; else the text."""
    if text[0] not in "[{":
        return text
    try:
        found = json.loads(text)
    except ValueError:
        return text
    if isinstance(found, dict) and set(found) == {"choices"}:
        found = found["choices"]
    if not isinstance(found, list) or not all(isinstance(one, str | int) for one in found):
        return text
    codes = [str(one).strip() for one in found]
    return joined(codes if level in SETS else sorted(codes)) or EMPTY_SET


def _with_plus(
    codings: pd.DataFrame, separator: str, source: str
) -> tuple[pd.DataFrame, list[str]]:
    """Sets whose codes are joined by `+`, and how they were joined before."""
    texts = codings["value"].unique().tolist()
    found = separator
    if not separator:
        if any("+" in text and text != EMPTY_SET for text in texts):
            return codings, []
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
        return codings, []
    fresh = _exchanged(codings, lambda text: _split(text, found))
    several = next((text for text in texts if found in text), "")
    if not several:
        return fresh, []
    return fresh, [f"cells are read as sets whose codes stand between {found!r}, as {several!r}"]


def _split(text: str, separator: str) -> str:
    if text == EMPTY_SET:
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
    given = codings.groupby(["coder", "value"], sort=False).size()
    times: dict[tuple[str, str], int] = {}
    coders, texts = (given.index.get_level_values(place).tolist() for place in (0, 1))
    for coder, text, n in zip(coders, texts, given.tolist(), strict=True):
        for code in _codes(text, level):
            times[coder, code] = times.get((coder, code), 0) + int(n)
    found = spellings(times, declared=[c.strip() for c in domain], numbers=level == "ordinal")
    fresh = _exchanged(
        codings, lambda text: _spelled_value(text, level, found.code) if text else text
    )
    told = "/".join
    shown = ", ".join(map(told, found.folded[:TOLD]))
    more = f", … ({len(found.folded)} codes)" if len(found.folded) > TOLD else ""
    said = [f"spelled in several ways, counted as one code each: {shown}{more}"]
    return fresh, said if found.folded else [], found.apart[:SHOWN]


def _codes(text: str, level: str) -> list[str]:
    return [code for code in typed_codes(text) if code] if level in SETS else [text]


def _spelled_value(text: str, level: str, code: Mapping[str, str]) -> str:
    spelled = joined(code[one] for one in _codes(text, level))
    return spelled or EMPTY_SET
