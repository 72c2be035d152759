"""What an address selects: batches, a codebook, a variable; 404 where the store lacks it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

from flask import abort, current_app, g, request
from sqlalchemy import Engine

from labeler.codebook import codebook as codebooks
from labeler.codebook.codebook import Codebook
from labeler.store import results
from labeler.study.study import made_up
from labeler.workflow import queries

STORE = "labeler.store"


def engine() -> Engine:
    """The store of the application that answers."""
    return cast(Engine, current_app.extensions[STORE])


def banners() -> dict[str, Any]:
    """For every page: the study's title, whether its posts are made up, reasons of overrides."""
    newest = stored_codebook()
    return {
        "study": read(newest).title if newest.key else "A study without a codebook yet",
        "made_up": made_up(engine()),
        "overrides": queries.overrides(engine()),
        "outdated": outdated,
    }


def outdated(batch: str, only: str = "") -> str:
    """What pages say of a batch's outdated results (`only` of one table), and what helps; or ''."""
    found = [name for name in results.outdated(engine(), batch) if only in ("", name)]
    if not found:
        return ""
    return f"{results.warning(batch, found)}; {results.advice(batch, found).page}"


def chosen_batch() -> dict[str, Any] | None:
    """The batch, or study sample of several, that `?batch=` names; 404 for an unknown one.

    Without a name the newest batch, or the newest sample of it and others where one was judged;
    None without any.
    """
    found = _selectable()
    name = request.args.get("batch")
    if name is not None:
        found = [row for row in found if row["batch"] == name]
        if not found:
            abort(404, f"There is no batch {name!r} in this store.")
    return found[0] if found else None


def batch_names() -> list[str]:
    """All batches and study samples of several that were judged, the newest first."""
    return [row["batch"] for row in _selectable()]


def _selectable() -> list[dict[str, Any]]:
    """BATCHES rows, the newest first; a study sample of several before the newest of them."""
    if "selectable" not in g:  # asked once for a page
        rows = queries.samples(engine()) + queries.batches(engine())
        g.selectable = sorted(rows, key=lambda row: str(row["created"]), reverse=True)
    return cast(list[dict[str, Any]], g.selectable)


def stored_codebook(key: str | None = None) -> queries.StoredCodebook:
    """The codebook with a key, else the newest ('' without any); 404 for an unknown key."""
    found = queries.codebook(engine(), key)
    if key is not None and not found.key:
        abort(404, f"There is no codebook with the key {key!r} in this store.")
    return found


def codebook(key: str) -> Codebook:
    """A stored codebook by its key; answers 404 where it is unknown."""
    return read(stored_codebook(key))


@lru_cache(maxsize=8)
def read(stored: queries.StoredCodebook) -> Codebook:
    """A stored codebook, read: a text that was read before is not read again."""
    return codebooks.read(stored.content, source=f"codebook {stored.key}")


def codebook_of(batch: dict[str, Any] | None) -> Codebook | None:
    """The codebook by which a batch was drawn."""
    return codebook(batch["codebook"]) if batch else None


def variable(book: Codebook | None) -> str:
    """The variable that `?variable=` names; '' for none; 404 for one the codebook lacks."""
    name = request.args.get("variable", "")
    if name and (book is None or name not in {v.variable for v in book.variables}):
        abort(404, f"The codebook has no variable {name!r}.")
    return name
