"""How a table is declared, and the columns that several tables share.

A column is its type and what it means, in a phrase that `docs/tables.md` prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Float, Integer, MetaData, Table, Text
from sqlalchemy.types import TypeEngine

Meaning = tuple[type[TypeEngine[Any]], str]
"""The type of a column, and what it means."""

METADATA = MetaData()

# PostgreSQL sorts by the language of its cluster; here by code point, as SQLite and Python do
_SORTED = Text().with_variant(Text(collation="C"), "postgresql")

BATCH = (Text, "the batch; key of `batches`")
SAMPLE = (Text, "the batch, or the batches of a study sample judged together, joined by `+`")
CODEBOOK = (Text, "the fingerprint of the codebook's version; key of `codebooks`")
UNIT = (Text, "the post as object of coding; key of `posts`")
SEGMENT = (Text, "the number of the quoted stretch within the unit, from 1; '' for the whole unit")
CODER = (Text, "the coder; key of `coders`")
ARM = (Text, "`blind`, `assisted`, `adjudication` or `repeat`; '' for a coder that is no person")
REPLICATE = (Integer, "which of a coder's codings of the same unit, from 1")
VARIABLE = (Text, "the variable's name in the codebook")
CODE = (Text, "one code of the variable; '' for the variable as a whole")
RUN = (Text, "the run that wrote the row; key of `runs`")
CREATED = (Text, "when the row was made (ISO-8601, UTC)")
NOTE = (Text, "what a reader must know of the figure, in words")
LOW = (Float, "lower bound of the two-sided 95% interval")
HIGH = (Float, "upper bound of the two-sided 95% interval")
COMPUTED_FROM = (
    Text,
    "the ground of each batch (`grounds`; behind a `.` what else was read), a blank, the key of "
    "settings",
)
VERDICT = (Text, "`pass`, `fail`, `inconclusive` or `undefined`; '' where the gate does not judge")


def fact(name: str, keys: str, what: str, /, **columns: Meaning) -> Table:
    """A table whose rows are added once and never changed.

    `keys` are its key columns, apart by blanks; `what` says what a row of it is. A text is never
    missing but ''; a number that is no part of the key may be missing.
    """
    return _table("fact", name, keys, what, columns)


def mirrored(name: str, keys: str, what: str, /, **columns: Meaning) -> Table:
    """A table whose rows are updated to what a server or a person says; as `fact` otherwise."""
    return _table("mirror", name, keys, what, columns)


def derived(name: str, keys: str, what: str, /, **columns: Meaning) -> Table:
    """A table that is computed from others and replaced slice by slice; as `fact` otherwise."""
    return _table("derived", name, keys, what, columns)


def logged(name: str, keys: str, what: str, /, **columns: Meaning) -> Table:
    """A table that says what was run, sent or overruled; as `fact` otherwise."""
    return _table("log", name, keys, what, columns)


def _table(kind: str, name: str, keys: str, what: str, columns: Mapping[str, Meaning]) -> Table:
    primary = keys.split()
    return Table(
        name,
        METADATA,
        *(
            Column(
                column,
                _SORTED if form is Text else form,
                primary_key=column in primary,
                nullable=column not in primary and form is not Text,
                autoincrement=False,
                comment=meaning,
            )
            for column, (form, meaning) in columns.items()
        ),
        comment=what,
        info={"kind": kind},
    )
