"""The shape of a table of codings: a row a unit, or a row a coding → one coding a row. Pure.

    wide    a row is a unit, a column a coder; one column may name the units
    long    a row is a coding: columns for unit, coder and value

An empty cell is "not coded" and leaves no row. What is refused is refused whole, with the lines
of the first 20 faults.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from labeler import hints
from labeler.errors import InputError
from labeler.text.coded_values import (
    by_size,
    is_number,
    joined,
    number_text,
    plain_code,
    typed_codes,
)

COLUMNS = ["unit", "coder", "value", "line", "column"]
SETS = ("masi", "jaccard")
NUMBERS = ("interval", "ratio")
SHOWN = 20
FEW = 10  # rows below which no column is suspected for holding a different text in each

_NAMES_UNITS = re.compile(
    r"(unnamed: 0|id|ids|uid|uuid|key|index|units?|items?|(unit|item|post|text|doc|document|case|"
    r"subject|example|record|row|tweet|comment|message|response|sample|article|segment)"
    r"([ _.-]?(id|key|no|nr|number|name))?|.*[ _.-]id)",
    re.IGNORECASE,
)


def wide(
    table: pd.DataFrame, *, unit: str = "", coders: Sequence[str] = (), source: str
) -> pd.DataFrame:
    """The codings of a table with a row a unit: columns COLUMNS, coder by coder.

    `unit` is the column that names the units, `coders` those that are coders (else all others).
    Without `unit`, a column that is called like an id (`id`, `unit`, `post_id`, `index`) names
    the units and is no coder, unless `coders` has it; without such a column a unit is called by
    its line. A column in which each row has another text that no other column has is refused: it
    is an id or a text, and `unit` or `coders` says so.

    Raises InputError also for unknown columns and for units that are named twice or not at all.
    """
    known_columns(table, [name for name in (unit, *coders) if name], source)
    names = unit or _unit_column(table, coders, source)
    columns = list(coders) or [name for name in table.columns if name != names]
    if names in columns:
        raise InputError(f"{source}: column {names!r} cannot name the units and be a coder")
    if not columns:
        raise InputError(f"{source}: no column is left to be a coder")
    if not coders:
        _looks_long(table, source)
        _no_coders(table[columns], source)
    units = list(table[names]) if names else [str(line) for line in table.index]
    lines = table.index.tolist()
    refuse_repeats(source, lines, units, [f"unit {name!r}" if name else "" for name in units])
    parts = [
        pd.DataFrame({"unit": units, "coder": name, "value": table[name].tolist(), "line": lines})
        for name in columns
    ]
    whole = pd.concat(parts, ignore_index=True)
    whole["column"] = whole["coder"]
    return _coded(whole)


def long(table: pd.DataFrame, *, unit: str, coder: str, value: str, source: str) -> pd.DataFrame:
    """The codings of a table with a row a coding: columns COLUMNS, in the order of the file.

    Raises InputError for unknown columns, a row without a unit or coder, and a coder who has two
    rows for a unit (whatever they say).
    """
    if not (unit and coder and value):
        raise InputError(
            f"{source}: of a long table the columns of units, coders and values must all be named",
            hint=hints.LONG_OR_WIDE,
        )
    known_columns(table, [unit, coder, value], source)
    if len({unit, coder, value}) < 3:
        raise InputError(f"{source}: units, coders and values need a column each")
    lines, units, who = table.index.tolist(), list(table[unit]), list(table[coder])
    told = [f"coder {c!r}, unit {u!r}" if c and u else "" for u, c in zip(units, who, strict=True)]
    refuse_repeats(source, lines, list(zip(units, who, strict=True)), told)
    whole = pd.DataFrame(
        {"unit": units, "coder": who, "value": list(table[value]), "line": lines, "column": value}
    )
    return _coded(whole)


def kept(table: pd.DataFrame, where: Sequence[tuple[str, str]], *, source: str) -> pd.DataFrame:
    """The rows whose columns hold these texts; InputError where there is none."""
    if table.empty:
        raise InputError(f"{source}: holds no row under its header")
    known_columns(table, [name for name, _ in where], source)
    for name, text in where:
        there = sorted(set(table[name]))
        table = table[table[name] == text]
        if table.empty:
            shown = ", ".join(there[:SHOWN])
            raise InputError(f"{source}: no row has {name}={text}; there are: {shown}")
    return table


def checked(
    codings: pd.DataFrame, *, level: str, domain: Sequence[str] = (), source: str
) -> tuple[pd.DataFrame, list[str]]:
    """The codings with each value in one spelling, and the domain: the codes in their order.

    `10` and `10.0` are one code; at interval and ratio level equal numbers are one value. Of sets
    (levels masi and jaccard) the codes are joined by `+` in the order of the domain, and `+` alone
    is the set without a code. Without `domain` the codes are those seen, by size where all are
    numbers, else by text; an ordinal level whose codes are texts needs it.

    Raises InputError for values outside of the domain, no numbers where numbers are due, and
    texts without an order where one is due, each with line and column.
    """
    declared = [_spelled(code.strip(), level) for code in domain]
    twice = [code for code in declared if declared.count(code) > 1]
    if twice:
        raise InputError(f"the domain names {twice[0]!r} twice")
    texts = codings["value"].unique()
    parts = {text: _codes(text, level) for text in texts}
    faults = {text: _fault(codes, level, declared) for text, codes in parts.items()}
    if any(faults.values()):
        raise refused(source, _told(codings, faults))
    order = declared or _ordered({code for codes in parts.values() for code in codes})
    if level == "ordinal" and not declared and not all(map(is_number, order)):
        raise InputError(
            f"{source}: an ordinal level needs the order of its codes, from low to high, which "
            "cannot be seen from the texts",
            hint=hints.ORDER_OF_CODES.about(codes=",".join(order[:SHOWN])),
        )
    place = {code: number for number, code in enumerate(order)}
    spelled = {
        text: joined(sorted(set(codes), key=place.__getitem__)) for text, codes in parts.items()
    }
    return codings.assign(value=codings["value"].map(spelled)), order


def refuse_repeats(
    source: str, lines: Sequence[int], keys: Sequence[object], told: Sequence[str]
) -> None:
    """InputError where a key stands twice, naming both lines, or where `told` of a row is ''."""
    first: dict[object, int] = {}
    faults = []
    for line, key, words in zip(lines, keys, told, strict=True):
        if not words:
            faults.append(f"line {line}: no unit or no coder is named")
        elif first.setdefault(key, line) != line:
            faults.append(f"line {line}: {words} stands already on line {first[key]}")
    if faults:
        raise refused(source, faults)


def refused(source: str, faults: Sequence[str]) -> InputError:
    """The error that lists the first faults of a file, one a line, and counts the others."""
    more = len(faults) - SHOWN
    lines = [f"{source}: {fault}" for fault in faults[:SHOWN]]
    if more > 0:
        lines.append(f"… and {more} more")
    return InputError("\n".join(lines))


def known_columns(table: pd.DataFrame, names: Sequence[str], source: str) -> None:
    """InputError, naming the columns there are, where one is unknown."""
    for name in names:
        if name not in table.columns:
            there = ", ".join(map(str, table.columns))
            raise InputError(f"{source}: no column is called {name!r}; there are: {there}")


def _unit_column(table: pd.DataFrame, coders: Sequence[str], source: str) -> str:
    """The one column that is called like an id; '' where none is."""
    called = [name for name in table.columns if name not in coders and _NAMES_UNITS.fullmatch(name)]
    if len(called) > 1:
        raise InputError(
            f"{source}: columns {', '.join(map(repr, called))} might each name the units",
            hint=hints.UNITS_COLUMN,
        )
    return called[0] if called else ""


def _looks_long(table: pd.DataFrame, source: str) -> None:
    """Refuse a table with a column for coders and one for values as a wide one."""
    by_name = {name.casefold(): name for name in table.columns}
    who = next((by_name[n] for n in ("coder", "rater", "annotator", "user") if n in by_name), "")
    what = next((by_name[n] for n in ("value", "code", "label", "rating") if n in by_name), "")
    if who and what:
        raise InputError(
            f"{source}: columns {who!r} and {what!r} look like a long table, a row a coding",
            hint=hints.LOOKS_LONG.about(coder=who, value=what),
        )


def _no_coders(table: pd.DataFrame, source: str) -> None:
    """Refuse a column of ids or texts among columns of codes."""
    given = {name: [text for text in table[name] if text] for name in table.columns}
    different = [
        name for name, texts in given.items() if len(texts) >= FEW and len(set(texts)) == len(texts)
    ]
    if len(different) == len(given):
        return
    for name in different:
        others = {text for other, texts in given.items() if other != name for text in texts}
        if 2 * len(others & set(given[name])) < len(given[name]):
            raise InputError(
                f"{source}: column {name!r} holds another text in each row, unlike the others",
                hint=hints.NO_CODER.about(column=repr(name)),
            )


def _coded(whole: pd.DataFrame) -> pd.DataFrame:
    coded = whole[whole["value"] != ""].reset_index(drop=True)[COLUMNS]
    return coded.astype({name: "str" for name in COLUMNS if name != "line"})


def _spelled(text: str, level: str) -> str:
    """One spelling of a code: `10` for 10.0; where numbers are due, 1.5 for 1.50."""
    if level in NUMBERS and is_number(text):
        return number_text(text)
    return plain_code(text)


def _codes(text: str, level: str) -> list[str]:
    """The codes of a value: one, or those of a set."""
    if level not in SETS:
        return [_spelled(text, level)]
    return [_spelled(part, level) for part in typed_codes(text) if part]


def _fault(codes: list[str], level: str, declared: list[str]) -> str:
    for code in codes:
        if level in NUMBERS and not is_number(code):
            return f"{code!r} is no number, as the level {level} needs them (1.5, with a point)"
        if level == "ratio" and float(code) < 0:
            return f"{code} lies below 0, where the level ratio has its zero"
        if declared and code not in declared:
            return f"{code!r} is not in the domain {','.join(declared)}"
    return ""


def _told(codings: pd.DataFrame, faults: dict[str, str]) -> list[str]:
    bad = codings[codings["value"].map(lambda text: bool(faults[text]))].sort_values("line")
    return [
        f"line {line}, column {column!r}: {faults[value]}"
        for line, column, value in zip(bad["line"], bad["column"], bad["value"], strict=True)
    ]


def _ordered(codes: set[str]) -> list[str]:
    """By size where all are numbers, else by text."""
    return by_size(codes) if all(map(is_number, codes)) else sorted(codes)
