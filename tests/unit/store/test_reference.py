"""What `docs/tables.md` says of the tables is what they are."""

from __future__ import annotations

import pytest
from places import ROOT
from sqlalchemy import Column

from labeler.store import reference
from labeler.store.tables import METADATA

COLUMNS = [column for table in METADATA.tables.values() for column in table.columns]


def test_the_page_is_made_from_the_tables() -> None:
    """`docs/tables.md` holds what the command in its head prints."""
    page = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    assert page == reference.page(), (
        "docs/tables.md is out of date: python -m labeler.store.reference > docs/tables.md"
    )


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_every_column_says_what_it_means(column: Column[object]) -> None:
    """A comment is a phrase, on one line, that fits a cell of a table."""
    assert column.comment
    assert not set(column.comment) & {"\n", "|"}


def test_every_table_says_what_a_row_is_and_how_it_is_written() -> None:
    """A table has a sentence and one of the kinds that the page explains."""
    for table in METADATA.tables.values():
        assert (table.comment or "").endswith("."), table.name
        assert table.info["kind"] in reference.KINDS, table.name
