"""Tables as CSV, a file each, and the codings once more with a column for each variable."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pandas as pd

from labeler.errors import TableError
from labeler.results.formats.declaration import BundleFacts, Format
from labeler.store.tables import METADATA, of_texts
from labeler.text.coded_values import EMPTY_SET

FORMULA = ("=", "+", "-", "@", "\t", "\n")
HARMLESS = r"\+|[+-]?\d+(\.\d+)?"  # the set without a code, and numbers


def csv_text(frame: pd.DataFrame) -> str:
    """CSV with LF line ends, also in texts; one that a spreadsheet would run gets a leading '."""
    safe = frame.copy()
    for name in safe.columns:
        if isinstance(safe[name].dtype, pd.StringDtype):
            texts = safe[name].str.replace(r"\r\n?", "\n", regex=True)
            risky = texts.str.startswith(FORMULA, na=False) & ~texts.str.fullmatch(HARMLESS)
            safe[name] = texts.mask(risky, "'" + texts.fillna(""))
    return safe.to_csv(index=False, lineterminator="\n")


def read_back(name: str, content: bytes) -> pd.DataFrame:
    """The frame that `csv_text` wrote to the file `name`.csv, of any table of a bundle.

    Raises TableError where it is no such CSV: columns missing, or a number that is none.
    """
    try:
        given = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    except (ValueError, UnicodeDecodeError) as error:
        raise TableError(f"{name}.csv: {error}") from error
    for column in given.columns:
        texts = given[column].astype("str")
        escaped = texts.str.startswith(tuple(f"'{sign}" for sign in FORMULA))
        given[column] = texts.mask(escaped, texts.str.slice(1))
    if name == "codings" and "value" in given:
        given["value"] = given["value"].mask(given["value"] == EMPTY_SET, "")
    if name == "coded":
        return _numbered(given)
    table = METADATA.tables.get(name)
    return given if table is None else of_texts(table, given)


def _numbered(coded: pd.DataFrame) -> pd.DataFrame:
    try:
        return coded.astype({"replicate": "int64"})
    except (KeyError, ValueError) as error:
        raise TableError(f"coded.csv: column replicate: {error}") from error


def wide(codings: pd.DataFrame) -> pd.DataFrame:
    """A row for each unit, segment, coder, arm and replicate; a column for each variable."""
    rows = ["unit", "segment", "coder", "arm", "replicate"]
    table = codings.pivot(index=rows, columns="variable", values="value")
    return table.reset_index().rename_axis(columns=None)


def _files(
    frames: Mapping[str, pd.DataFrame],
    facts: BundleFacts,  # noqa: ARG001
) -> dict[str, bytes]:
    codings = frames["codings"]
    told = codings.assign(value=codings["value"].replace("", EMPTY_SET))
    written = {
        f"{name}.csv": csv_text(told if name == "codings" else frame).encode()
        for name, frame in frames.items()
    }
    return {**written, "codings_wide.csv": csv_text(wide(told)).encode()}


FORMAT = Format(
    name="csv",
    files=_files,
    descriptions={
        **{f"{table.name}.csv": str(table.comment) for table in METADATA.tables.values()},
        "codings_wide.csv": "The same, a column for each variable; +: no code, empty: no answer.",
        "left_out.csv": "Tasks that were answered without a coding that counts, and why.",
        "coders.csv": "The people who coded, and the group that each belongs to; empty: none.",
        "authors.csv": "Which units have an author in common, by numbers of this bundle alone.",
        "coded.csv": "Who coded which unit, with or without a code; `unasked`: of what not asked.",
    },
)
