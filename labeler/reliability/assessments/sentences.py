"""Rows of an assessment → sentences for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from labeler.coding.vocabulary import is_human, name_of
from labeler.reliability.confidence import ALL
from labeler.store import tables

UNDEFINED = "undefined"


def by_verdict(
    rows: pd.DataFrame,
    *,
    words: Mapping[str, str] | None = None,
    subject: Callable[[Any], str] | None = None,
) -> Iterator[str]:
    """A sentence for each measure: 'anchored (tone); undefined (mood: no blind coding)'.

    `rows`: ASSESSMENTS rows of whole variables or coders. What is undefined is told with its
    reason. `words` says a verdict in other words, `subject` what a row is about. A row without a
    verdict is not told.
    """
    told = words or {}
    about = subject or subject_of
    for _, own in rows[rows["verdict"] != ""].groupby("measure", sort=False):
        parts = []
        for verdict, alike in own.groupby("verdict", sort=True):
            word = told.get(str(verdict), str(verdict))
            names = _with_reasons(alike, about) if verdict == UNDEFINED else _listed(alike, about)
            parts.append(f"{word} ({names})")
        yield "; ".join(parts)


def subject_of(row: Any) -> str:
    """What a row is about: its variable; where it is about all of them, the person if it is one."""
    if row.variable != ALL:
        return str(row.variable)
    if is_human(row.coder):
        return name_of(row.coder)
    return "all variables"


def _listed(rows: pd.DataFrame, subject: Callable[[Any], str]) -> str:
    return ", ".join(subject(row) for row in tables.rows(rows))


def _with_reasons(rows: pd.DataFrame, subject: Callable[[Any], str]) -> str:
    """Subjects with the same reason together: 'tone, mood: no blind coding; hours: one unit'."""
    parts = []
    for reason, own in rows.groupby("note", sort=False):
        names = _listed(own, subject)
        parts.append(": ".join(part for part in (names, str(reason)) if part))
    return "; ".join(parts)
