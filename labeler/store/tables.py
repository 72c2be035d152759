"""The tables: what each holds, its key, its columns and what they mean.

They are declared by kind, in `facts`, `mirrors`, `derived` and `logs`; whoever uses one asks here.

Times are ISO-8601 UTC text. A coded value is text: the code, a number in decimal, or several
codes in codebook order joined by `+`; so equality of text is equality of values in SQL, pandas
and CSV. Columns that are compared or grouped are never JSON. `docs/tables.md` is made from the
comments by `python -m labeler.store.reference`.
"""

from __future__ import annotations

from sqlalchemy import Index

from labeler.store.columns import METADATA
from labeler.store.derived import (
    ASSESSMENTS,
    CHANGES,
    CODINGS,
    COMPARISONS,
    CONFIDENCE,
    CONSENSUS,
    DISAGREEMENTS,
    ESTIMATES,
    FINDINGS,
    GROUNDS,
    RELIABILITY,
    SEGMENTS,
    VERDICTS,
)
from labeler.store.facts import CODEBOOKS, CODERS, COMPLETIONS, ENDPOINTS, POSTS, PROMPTS, TAUGHT
from labeler.store.frames import check, columns, frame, keys, of_texts, records, rows, typed
from labeler.store.logs import (
    CLAIMS,
    JOB_REQUESTS,
    JOBS,
    LEDGER,
    LOOKS,
    MIGRATIONS,
    OVERRIDES,
    RUNS,
)
from labeler.store.mirrors import ANNOTATIONS, BATCHES, EXPOSURES, FRAMES, SEATS, SHOWN_CODES, TASKS

__all__ = [
    "ANNOTATIONS",
    "ASSESSMENTS",
    "BATCHES",
    "CHANGES",
    "CLAIMS",
    "CODEBOOKS",
    "CODERS",
    "CODINGS",
    "COMPARISONS",
    "COMPLETIONS",
    "CONFIDENCE",
    "CONSENSUS",
    "DISAGREEMENTS",
    "ENDPOINTS",
    "ESTIMATES",
    "EXPOSURES",
    "FINDINGS",
    "FRAMES",
    "GROUNDS",
    "JOBS",
    "JOB_REQUESTS",
    "LEDGER",
    "LOOKS",
    "METADATA",
    "MIGRATIONS",
    "OVERRIDES",
    "POSTS",
    "PROMPTS",
    "RELIABILITY",
    "RUNS",
    "SEATS",
    "SEGMENTS",
    "SHOWN_CODES",
    "TASKS",
    "TAUGHT",
    "VERDICTS",
    "check",
    "columns",
    "frame",
    "keys",
    "of_texts",
    "records",
    "rows",
    "typed",
]

# Answers and annotations are long: what is counted of them stands whole in an index.
Index(
    "completions_counted",
    *(COMPLETIONS.c[name] for name in ("codebook", "coder", "unit", "replicate", "error")),
)
Index("completions_of_unit", COMPLETIONS.c.unit)
Index(
    "annotations_counted",
    *(ANNOTATIONS.c[name] for name in ("batch", "arm", "coder", "unit")),
    *(ANNOTATIONS.c[name] for name in ("updated", "created", "annotation")),
    *(ANNOTATIONS.c[name] for name in ("withdrawn", "cancelled", "completed_by")),
)
Index("annotations_of_unit", ANNOTATIONS.c.unit)
Index("tasks_of_unit", TASKS.c.unit)
Index("shown_codes_of_unit", SHOWN_CODES.c.unit)
Index("posts_by_platform", POSTS.c.platform, POSTS.c.created)
Index("posts_by_source", POSTS.c.source)
Index("posts_by_words", POSTS.c.words)
Index("exposures_of_coder", EXPOSURES.c.coder, EXPOSURES.c.words, EXPOSURES.c.since)
