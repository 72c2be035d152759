"""The tables as a page for readers: `python -m labeler.store.reference > docs/tables.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from sqlalchemy import Column, Float, Integer, Table, Text

from labeler.store.tables import METADATA

KINDS = {
    "fact": ("Facts", "Added once, never changed (`database.add`)."),
    "mirror": ("Mirrors", "Updated to what a server or a person says (`database.mirror`)."),
    "derived": (
        "Derived",
        "Computed from other tables and replaced slice by slice (`database.replace`): each can be "
        "made again, offline and for free.",
    ),
    "log": ("Logs", "What was run, sent, claimed or overruled."),
}
HEAD = """\
# Tables

Made from the comments in `labeler/store/` (facts, mirrors, derived, logs); do not edit:
`python -m labeler.store.reference > docs/tables.md` makes it again.

Times are ISO-8601 UTC text. A coded value is text: the code, a number in decimal, or several codes
in codebook order joined by `+`; the empty text is the empty set. A text is never missing but `''`;
a number may be missing where this page says so, or where nobody told it. A key column is marked
with •."""
_TYPES = {Text: "text", Integer: "integer", Float: "real"}


def page() -> str:
    """The whole of `docs/tables.md`: every table by kind, every column with what it means."""
    parts = [HEAD]
    for kind, (title, how) in KINDS.items():
        parts.append(f"## {title}\n\n{how}")
        parts += [
            "\n".join(_table(table))
            for table in METADATA.tables.values()
            if table.info["kind"] == kind
        ]
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> Iterator[str]:
    yield f"### {table.name}\n"
    yield f"{table.comment}\n"
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column in table.columns:
        yield f"| {_named(column)} | {_TYPES[type(column.type)]} | {column.comment} |"


def _named(column: Column[object]) -> str:
    return f"`{column.name}`" + (" •" if column.primary_key else "")


if __name__ == "__main__":
    sys.stdout.write(page())
