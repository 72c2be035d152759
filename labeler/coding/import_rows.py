"""The rows of a long table of codings, each understood or refused with its line. Pure.

A row names a post, a coder, a variable and a value; it may name a segment, an arm and a replicate.
Rows are judged alone, then against the others of the same coder.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from labeler.codebook.codebook import Codebook, Variable
from labeler.coding.vocabulary import ASSISTED, BLIND, PREFIXES, REPEAT, human, name_of
from labeler.text.coded_values import (
    EMPTY_SET,
    codes_of,
    is_number,
    number_text,
    plain_code,
    typed_codes,
)
from labeler.text.names import unknown
from labeler.text.spellings import loosely

FIELDS = (
    "unit",
    "platform",
    "platform_id",
    "coder",
    "variable",
    "value",
    "segment",
    "start",
    "end",
    "quote",
    "arm",
    "replicate",
    "probability",
)
ARMS = (BLIND, ASSISTED)
AGAIN = REPEAT  # the arm of a coder's second replicate
MOST_REPLICATES = 1000
HELD = (*ARMS, AGAIN)  # the arms that a file may fill

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_MODELS_NAME = re.compile(r"[\w.:/@+-]{1,100}", re.ASCII)

Seat = tuple[str, str, str]  # arm, coder, unit
Faults = list[tuple[int, str]]


class Row(NamedTuple):
    """A row that can be understood: who gave which value, where."""

    line: int
    unit: str
    coder: str
    arm: str
    segment: str
    variable: Variable
    value: str
    cells: Mapping[str, str]
    replicate: int = 1

    @property
    def seat(self) -> Seat:
        return (self.arm, self.coder, self.unit)


class _UnitIndex:
    """Finds the unit that a row names."""

    def __init__(self, posts: pd.DataFrame) -> None:
        self.units = frozenset(posts["unit"])
        self.platforms = ", ".join(sorted(set(posts["platform"]))) or "none that it names"
        ids = zip(posts["platform"], posts["platform_id"], strict=True)
        self.by_id = dict(zip(ids, posts["unit"], strict=True))

    def unit(self, cells: Mapping[str, str]) -> tuple[str, str]:
        """The unit, or '' and what is wrong."""
        if unit := cells.get("unit", ""):
            fault = f"no post of this project has the key {unit!r}"
            return (unit, "") if unit in self.units else ("", fault)
        platform, number = cells.get("platform", ""), cells.get("platform_id", "")
        if not (platform and number):
            return "", "no unit is named: neither a key nor a platform and its id"
        unit = self.by_id.get((platform, number), "")
        fault = f"no post of this project is {number!r} of {platform!r}; the platforms of posts "
        return unit, "" if unit else f"{fault}with an id of the file are: {self.platforms}"


def read(
    table: pd.DataFrame, posts: pd.DataFrame, codebook: Codebook, *, arm: str
) -> tuple[list[Row], Faults]:
    """The rows that can be understood, and every fault, of a table with columns of FIELDS.

    `posts` holds the POSTS that the table may name; `arm` is that of every row, or '' where the
    column `arm` says it.
    """
    faults: Faults = []
    found = list(_rows(table, _UnitIndex(posts), codebook, arm, faults))
    return found, [*faults, *_repeated(found), *_crossed(found), *_unmet(found, codebook)]


def read_models(
    table: pd.DataFrame, posts: pd.DataFrame, codebook: Codebook
) -> tuple[list[Row], Faults]:
    """The same of a table of models: they have no arm, and as many replicates as there are.

    Codes of a question that does not apply are no fault: they are dropped when the answer that is
    made of the rows is read, as of any model.
    """
    faults: Faults = []
    found = list(_rows(table, _UnitIndex(posts), codebook, None, faults))
    return found, [*faults, *_repeated(found)]


def _rows(
    table: pd.DataFrame, known: _UnitIndex, codebook: Codebook, arm: str | None, faults: Faults
) -> Iterator[Row]:
    """The rows that can be understood; faults for the others. `arm` None: of models."""
    variables = {variable.variable: variable for variable in codebook.variables}
    names: dict[str, str] = {}
    for line, given in zip(table.index.tolist(), table.to_dict("records"), strict=True):
        cells = {str(name): str(text) for name, text in given.items()}
        wrong = []
        unit, fault = known.unit(cells)
        wrong.append(fault)
        coder, faulty = _coder(cells.get("coder", ""), names, model=arm is None)
        wrong += faulty
        where, fault = ("", "") if arm is None else _arm(cells, arm)
        wrong.append(fault)
        replicate, fault = _replicate(cells) if arm is None else (1, "")
        wrong.append(fault)
        variable = variables.get(cells["variable"])
        value = ""
        if variable is None:
            wrong.append(unknown("variable", cells["variable"], variables))
        else:
            value, fault = _value(variable, cells["value"])
            wrong += [fault, _of_segment(variable, cells.get("segment", ""))]
        told = [(int(line), fault) for fault in wrong if fault]
        faults += told
        if variable is not None and not told:
            segment = cells.get("segment", "")
            yield Row(int(line), unit, coder, where, segment, variable, value, cells, replicate)


def _coder(given: str, names: dict[str, str], *, model: bool) -> tuple[str, list[str]]:
    """The coder of a row, and what is wrong; `names` holds how each name stood, and grows by it."""
    if model:
        prefix = PREFIXES["model"]
        stood = given.strip().removeprefix(prefix)
        name, allowed = "-".join(stood.split()), "a-z, 0-9, and -_.:/@+"
        coder, form = prefix + name, _MODELS_NAME
    else:
        stood = name_of(given)
        name, allowed = account_name(stood), "a-z, 0-9, - and _"
        coder, form = human(name), _NAME
    wrong = []
    if names.setdefault(name, stood) != stood:
        wrong.append(f"coders {names[name]!r} and {stood!r} would both be called {name!r}")
    if not form.fullmatch(name):
        wrong.append(f"coder {stood!r} may only use {allowed}")
    return coder, wrong


def _replicate(cells: Mapping[str, str]) -> tuple[int, str]:
    """Which of a model's codings of a unit a row is of, from 1, and what is wrong."""
    given = cells.get("replicate", "") or "1"
    if given.isdecimal() and given.isascii() and 1 <= int(given) <= MOST_REPLICATES:
        return int(given), ""
    return 1, f"replicate {given!r} is no whole number from 1 to {MOST_REPLICATES}"


def account_name(name: str) -> str:
    """A person's name with the characters that names here have: Ada Müller is Ada-Muller, and of an
    address it is what stands before the @."""
    name = name.partition("@")[0] or name
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "-".join(re.split(r"[\s.,']+", plain.strip(" .,'")))


def _arm(cells: Mapping[str, str], arm: str) -> tuple[str, str]:
    """The arm of a row, and what is wrong with it or with its replicate."""
    given = arm or cells.get("arm", "")
    if given not in ARMS:
        return "", f"arm {given!r} is none of {', '.join(ARMS)}"
    replicate = cells.get("replicate", "") or "1"
    if replicate not in ("1", "2"):
        return given, f"replicate {replicate!r}: a coder codes a unit once (1) or twice (2)"
    if replicate == "2" and given != BLIND:
        return given, "replicate 2: only blind codings are evidence of a coder's stability"
    return (AGAIN if replicate == "2" else given), ""


def _value(variable: Variable, text: str) -> tuple[str, str]:
    """A value as the tables write it ('' not coded, EMPTY_SET the empty set); what is wrong."""
    if text == "":
        return "", ""
    name = variable.variable
    if not variable.values:
        if not is_number(text):
            return "", f"{name}: {text!r} is no number (write 1.5, with a point)"
        written = number_text(text)
        return written, variable.fault(written)
    if text == EMPTY_SET and variable.multiple:
        return EMPTY_SET, ""
    codes = [_code(variable, part) for part in typed_codes(text)]
    if len(set(codes)) < len(codes):
        return "", f"{name}: {text!r} repeats a code"
    written = variable.written(codes)
    return written, variable.fault(written)


def _code(variable: Variable, text: str) -> str:
    """A code as the codebook writes it, also where a spreadsheet made 1.0 of a 1, or where the text
    differs in capitals, blanks or leading zeros from one code alone."""
    if text in variable.codes:
        return text
    alike = [code for code in variable.codes if loosely(code) == loosely(text)]
    return alike[0] if len(alike) == 1 else plain_code(text)


def _of_segment(variable: Variable, segment: str) -> str:
    if variable.of == "segment" and not segment:
        return f"{variable.variable} is of segments: the row names none"
    if variable.of == "unit" and segment:
        return f"{variable.variable} is of the whole unit: the row names segment {segment!r}"
    return ""


def _repeated(rows: Iterable[Row]) -> Iterator[tuple[int, str]]:
    """Rows about what another row says already."""
    first: dict[object, int] = {}
    for row in rows:
        key = (row.seat, row.replicate, row.segment, row.variable.variable)
        if first.setdefault(key, row.line) != row.line:
            of = f", segment {row.segment!r}" if row.segment else ""
            what = f"{row.variable.variable} of unit {row.unit!r}{of} by {row.coder}"
            yield row.line, f"{what} stands already on line {first[key]}"


def _crossed(rows: Iterable[Row]) -> Iterator[tuple[int, str]]:
    """A coder's unit in both arms, and a second replicate without a first."""
    arms: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows:
        arms.setdefault((row.coder, row.unit), {}).setdefault(row.arm, row.line)
    for (coder, unit), lines in arms.items():
        if set(ARMS) <= set(lines):
            yield max(lines.values()), f"{coder} has unit {unit!r} in both arms: {', '.join(ARMS)}"
        if AGAIN in lines and BLIND not in lines:
            yield lines[AGAIN], f"{coder} has a replicate 2 of unit {unit!r}, and no replicate 1"


def _unmet(rows: list[Row], codebook: Codebook) -> Iterator[tuple[int, str]]:
    """Answers to questions that do not apply, after what the same coder said."""
    said: dict[tuple[Seat, str], dict[str, list[str]]] = {}
    for row in rows:
        if row.value:
            given = said.setdefault((row.seat, row.segment), {})
            given[row.variable.variable] = codes_of(row.value)
    conditional = {v.variable for v in codebook.variables if v.applies_when}
    for row in rows:
        if row.value and row.variable.variable in conditional:
            known = said.get((row.seat, ""), {}) | said[row.seat, row.segment]
            asked = set(row.variable.applies_when) <= set(known)
            if asked and not row.variable.applies(known):
                yield row.line, f"{row.variable.variable} does not apply, after the coder's codes"
