"""The shape of a table of codings: a row a unit, or a row a coding → one coding a row. Pure.

    wide    a row is a unit, a column a coder; one column may name the units
    long    a row is a coding: columns for unit, coder and value

An empty cell is "not coded" and leaves no row. What is refused is refused whole, with the lines
of the first 20 faults.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from labeler import hints
from labeler.errors import InputError
from labeler.files.coder_columns import coder_columns
from labeler.hints import Hint
from labeler.text.coded_values import (
    by_size,
    is_number,
    joined,
    number_text,
    plain_code,
    typed_codes,
)
from labeler.text.names import unknown

COLUMNS = ["unit", "coder", "value", "line", "column"]
SETS = ("masi", "jaccard")
NUMBERS = ("interval", "ratio")
SHOWN = 20


def wide(
    table: pd.DataFrame, *, unit: str = "", coders: Sequence[str] = (), source: str
) -> pd.DataFrame:
    """The codings of a table with a row a unit: columns COLUMNS, coder by coder; `coder` and
    `column` are categories, in the order of the columns.

    `unit` is the column that names the units, `coders` those that are coders (else those that
    `coder_columns` finds). Without `unit`, a column that is called like an id (`id`, `unit`,
    `post_id`, `index`) names the units and is no coder, unless `coders` has it; without such a
    column a unit is called by its line.

    Raises InputError also for unknown columns and for units that are named twice or not at all.
    """
    known_columns(table, [name for name in (unit, *coders) if name], source)
    found = coder_columns(table, unit=unit, coders=coders, source=source)
    names, columns = found.unit, found.coders
    if names in columns:
        raise InputError(f"{source}: column {names!r} cannot name the units and be a coder")
    if not columns:
        raise InputError(f"{source}: no column is left to be a coder")
    if names:
        refuse_repeats(source, table[[names]].set_axis(["unit"], axis=1))
    units = table[names] if names else table.index.to_series().astype("str")
    parts = [(name, table[name] != "") for name in columns]
    places = np.arange(len(parts), dtype=np.int32)
    # One coder after the other and coders as categories: a table of millions of cells need not
    # stand in memory as many times as it has columns.
    who = pd.Index([name for name, _ in parts], dtype="str")
    times = [int(coded.sum()) for _, coded in parts]
    coder = pd.Categorical.from_codes(np.repeat(places, times), who)
    return pd.DataFrame(
        {
            "unit": pd.concat([units[coded] for _, coded in parts], ignore_index=True),
            "coder": coder,
            "value": pd.concat(
                [table.loc[coded, name] for name, coded in parts], ignore_index=True
            ),
            "line": np.concatenate([table.index[coded].to_numpy() for _, coded in parts]),
            "column": coder,
        }
    )


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
    keys = table[[unit, coder]].set_axis(["unit", "coder"], axis=1)
    refuse_repeats(source, keys)
    whole = keys.reset_index(drop=True).assign(
        value=table[value].array,
        line=table.index.to_numpy(),
        column=_repeated([value], len(table)),
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
    if all(text == fresh for text, fresh in spelled.items()):
        return codings, order
    return codings.assign(value=codings["value"].map(spelled)), order


def refuse_repeats(source: str, keys: pd.DataFrame) -> None:
    """InputError where a row has the keys of an earlier one, naming both lines, or lacks a key.

    `keys` holds the column `unit`, and `coder` where a row is a coding; its index is the line.
    """
    lacking = (keys == "").any(axis=1)
    again = keys.duplicated() & ~lacking
    if not (lacking | again).any():
        return
    first = keys[~lacking].drop_duplicates().reset_index().set_index(list(keys.columns))["line"]
    faults = []
    for row in keys[lacking | again].itertuples():
        line, *key = row
        if not all(key):
            faults.append(f"line {line}: no unit or no coder is named")
            continue
        unit, coder = key[0], key[1] if len(key) > 1 else ""
        words = f"coder {coder!r}, unit {unit!r}" if coder else f"unit {unit!r}"
        there = first.loc[tuple(key) if len(key) > 1 else unit]
        faults.append(f"line {line}: {words} stands already on line {there}")
    raise refused(source, faults)


def refused(source: str, faults: Sequence[str], *, hint: Hint | None = None) -> InputError:
    """The error that lists the first faults of a file, one a line, and counts the others."""
    more = len(faults) - SHOWN
    lines = [f"{source}: {fault}" for fault in faults[:SHOWN]]
    if more > 0:
        lines.append(f"… and {more} more")
    return InputError("\n".join(lines), hint=hint)


def known_columns(table: pd.DataFrame, names: Sequence[str], source: str) -> None:
    """InputError, naming the columns there are, where one is unknown."""
    for name in names:
        if name not in table.columns:
            raise InputError(f"{source}: {unknown('column', name, map(str, table.columns))}")


def _repeated(names: Sequence[str], times: int) -> pd.Series[str]:
    """Each name so many times, one after the other, as one column of texts."""
    places = np.repeat(np.arange(len(names)), times)
    return pd.Series(pd.array(list(names), dtype="str").take(places))


def _coded(whole: pd.DataFrame) -> pd.DataFrame:
    gaps = whole["value"] == ""
    coded = (whole[~gaps].reset_index(drop=True) if gaps.any() else whole)[COLUMNS]
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
