"""The tables, and frames that fit them.

Times are ISO-8601 UTC text. A coded value is text: the code, a number in decimal, or several
codes in codebook order joined by `+`; so equality of text is equality of values in SQL, pandas
and CSV. Columns that are compared or grouped are never JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd
from sqlalchemy import Column, Float, Index, Integer, MetaData, Table, Text
from sqlalchemy.types import TypeEngine

from labeler.errors import TableError

METADATA = MetaData()
EMBEDDED = "embed@"  # a coder that reads whole units: it says nothing of segments
TAUGHT = "taught"  # the error of a completion: the coder learned from this unit
HUMANS = "humans"  # the panel of the blind human coders, in RELIABILITY
MAY_BE_EMPTY = (
    "arm",
    "segment",
    "suggested_segment",
    "code",
    "weighting",
)  # the only parts of a key that may be the empty text

# PostgreSQL sorts by the language of its cluster; here by code point, as SQLite and Python do
_SORTED = Text().with_variant(Text(collation="C"), "postgresql")


def _table(name: str, keys: str, /, **columns: type[TypeEngine[Any]]) -> Table:
    primary = keys.split()
    return Table(
        name,
        METADATA,
        *(
            Column(
                column,
                _SORTED if kind is Text else kind,
                primary_key=column in primary,
                nullable=column not in primary and kind is not Text,
                autoincrement=False,
            )
            for column, kind in columns.items()
        ),
    )


# facts: added once, never changed
CODEBOOKS = _table(
    "codebooks", "codebook", codebook=Text, name=Text, version=Text, content=Text, created=Text
)
CODERS = _table("coders", "coder", coder=Text, kind=Text, spec=Text, created=Text)
POSTS = _table(
    "posts",
    "unit",
    unit=Text,
    platform=Text,
    platform_id=Text,
    author=Text,
    created=Text,
    url=Text,
    text=Text,
    original=Text,
    source=Text,
    ingested=Text,
)
COMPLETIONS = _table(
    "completions",
    "completion",
    completion=Text,
    codebook=Text,
    coder=Text,
    unit=Text,
    replicate=Integer,
    request=Text,
    answer=Text,
    error=Text,
    detail=Text,
    served=Text,
    prompt_tokens=Integer,
    answer_tokens=Integer,
    seconds=Float,
    created=Text,
    cached_tokens=Integer,
    cost=Float,
    currency=Text,
    cost_note=Text,
)
PROMPTS = _table("prompts", "prompt", prompt=Text, content=Text, created=Text)
ENDPOINTS = _table(
    "endpoints",
    "address model",
    address=Text,
    model=Text,
    enforces=Integer,
    logprobs=Integer,
    counts=Integer,
    listed=Integer,
    detail=Text,
    probed=Text,
)

# mirrors: updated to what a server says
BATCHES = _table(
    "batches", "batch", batch=Text, codebook=Text, suggester=Text, design=Text, created=Text
)
SEATS = _table(
    "seats",
    "batch arm coder",
    batch=Text,
    arm=Text,
    coder=Text,
    server=Text,
    project=Integer,
    pulled=Text,
)
TASKS = _table(
    "tasks",
    "batch arm coder unit",
    batch=Text,
    arm=Text,
    coder=Text,
    unit=Text,
    position=Integer,
    unit_probability=Float,
    task_probability=Float,
    studio_task=Integer,
    stratum=Text,
)
ANNOTATIONS = _table(
    "annotations",
    "annotation",
    annotation=Text,
    batch=Text,
    arm=Text,
    coder=Text,
    unit=Text,
    studio_task=Integer,
    completed_by=Text,
    result=Text,
    cancelled=Integer,
    withdrawn=Integer,
    lead_time=Float,
    created=Text,
    updated=Text,
)

# derived: replaced slice by slice
SEGMENTS = _table(
    "segments",
    "codebook unit coder arm replicate segment",
    codebook=Text,
    unit=Text,
    coder=Text,
    arm=Text,
    replicate=Integer,
    segment=Text,
    start=Integer,
    end=Integer,
    quote=Text,
    found=Text,
)
CODINGS = _table(
    "codings",
    "codebook unit segment coder arm replicate variable",
    codebook=Text,
    unit=Text,
    segment=Text,
    coder=Text,
    arm=Text,
    replicate=Integer,
    variable=Text,
    value=Text,
    source=Text,
)
CHANGES = _table(
    "changes",
    "codebook unit coder arm replicate segment suggested_segment variable",
    codebook=Text,
    unit=Text,
    coder=Text,
    arm=Text,
    replicate=Integer,
    segment=Text,
    suggested_segment=Text,
    variable=Text,
    suggester=Text,
    suggested=Text,
    value=Text,
    change=Text,
)
CONFIDENCE = _table(
    "confidence",
    "codebook unit coder segment variable code kind",
    codebook=Text,
    unit=Text,
    coder=Text,
    segment=Text,
    variable=Text,
    code=Text,
    kind=Text,
    confidence=Float,
    replicates=Integer,
)
RELIABILITY = _table(
    "reliability",
    "batch panel variable code coefficient weighting",
    batch=Text,
    codebook=Text,
    kind=Text,
    panel=Text,
    variable=Text,
    code=Text,
    coefficient=Text,
    weighting=Text,
    coders=Text,
    evidence=Integer,
    value=Float,
    low=Float,
    high=Float,
    bound=Float,
    upper=Float,
    se=Float,
    method=Text,
    percent=Float,
    n_units=Integer,
    n_pairable=Integer,
    n_positive=Float,
    tentative=Float,
    reliable=Float,
    verdict=Text,
    note=Text,
    computed_from=Text,
)
ASSESSMENTS = _table(
    "assessments",
    "batch assessment coder variable code measure",
    batch=Text,
    codebook=Text,
    assessment=Text,
    coder=Text,
    variable=Text,
    code=Text,
    measure=Text,
    value=Float,
    low=Float,
    high=Float,
    p=Float,
    n=Integer,
    method=Text,
    verdict=Text,
    note=Text,
    computed_from=Text,
)
VERDICTS = _table(
    "verdicts",
    "batch variable code comparison",
    batch=Text,
    codebook=Text,
    variable=Text,
    code=Text,
    comparison=Text,
    coefficient=Text,
    value=Float,
    bound=Float,
    upper=Float,
    tentative=Float,
    reliable=Float,
    verdict=Text,
    further=Integer,
    p=Float,
    p_adjusted=Float,
    family=Text,
    n_units=Integer,
    computed_from=Text,
    run=Text,
    note=Text,
)
CONSENSUS = _table(
    "consensus",
    "batch unit variable",
    batch=Text,
    codebook=Text,
    unit=Text,
    variable=Text,
    value=Text,
    rule=Text,
    agreeing=Integer,
    coders=Integer,
    computed_from=Text,
)
ESTIMATES = _table(
    "estimates",
    "batch variable code",
    batch=Text,
    codebook=Text,
    variable=Text,
    code=Text,
    count=Integer,
    units=Integer,
    share=Float,
    low=Float,
    high=Float,
    method=Text,
    verdict=Text,
    override=Text,
    note=Text,
    computed_from=Text,
)

# what results stand on: counts every change of what the results of a batch are computed from
GROUNDS = _table("grounds", "batch", batch=Text, ground=Integer)

# logs
RUNS = _table(
    "runs",
    "run",
    run=Text,
    command=Text,
    settings=Text,
    version=Text,
    started=Text,
    ended=Text,
    outcome=Text,
    host=Text,
    pid=Integer,
    process=Text,
)
LEDGER = _table(
    "ledger",
    "run host",
    run=Text,
    host=Text,
    purpose=Text,
    posts=Integer,
    fields=Text,
    rules=Text,
    started=Text,
)
CLAIMS = _table("claims", "claim", claim=Text, holder=Text, taken=Text)
UPLOADS = _table(
    "uploads",
    "upload",
    upload=Text,
    coder=Text,
    codebook=Text,
    host=Text,
    server_file=Text,
    server_batch=Text,
    state=Text,
    requests=Integer,
    created=Text,
    fetched=Text,
    tokens=Integer,
    done=Integer,
    failed=Integer,
    detail=Text,
    run=Text,
)
UPLOADED = _table(
    "uploaded",
    "upload completion",
    upload=Text,
    completion=Text,
    claim=Text,
    unit=Text,
    replicate=Integer,
    asked=Text,
    request=Text,
    most=Float,
)
OVERRIDES = _table(
    "overrides",
    "run variable",
    run=Text,
    variable=Text,
    batch=Text,
    verdict=Text,
    reason=Text,
    created=Text,
)
MIGRATIONS = _table("migrations", "name", name=Text, applied=Text)

Index("completions_of", COMPLETIONS.c.codebook, COMPLETIONS.c.coder, COMPLETIONS.c.unit)
Index("annotations_of", ANNOTATIONS.c.batch, ANNOTATIONS.c.coder, ANNOTATIONS.c.unit)

_PANDAS = {Text: "str", Integer: "Int64", Float: "float64"}


def columns(table: Table) -> list[str]:
    """The column names of a table, in order."""
    return [column.name for column in table.columns]


def keys(table: Table) -> list[str]:
    """The names of the key columns of a table, in order."""
    return [column.name for column in table.primary_key.columns]


def rows(given: pd.DataFrame) -> Iterator[Any]:
    """The rows of a frame as named tuples, the index left out."""
    yield from given.itertuples(index=False)


def records(given: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame by column, as its `to_dict` has them, in a seventh of the time."""
    names = list(given.columns)
    lists = (given[name].tolist() for name in names)
    return [dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True)]


def frame(table: Table, content: Iterable[Mapping[str, Any]] | pd.DataFrame = ()) -> pd.DataFrame:
    """A frame with exactly the table's columns and types; missing texts become ''.

    Raises TableError where a column is unknown, a key is empty or repeated, or a type is wrong.
    """
    given = content if isinstance(content, pd.DataFrame) else pd.DataFrame(list(content))
    unknown = [name for name in given.columns if name not in columns(table)]
    if unknown:
        raise TableError(f"table {table.name}: no column is called {unknown[0]!r}")
    result = {}
    for column in table.columns:
        kind = _PANDAS[type(column.type)]
        if column.name not in given.columns:
            series = pd.Series([None] * len(given), index=given.index, dtype="object")
        else:
            series = given[column.name]
        if kind == "str" and not isinstance(series.dtype, pd.StringDtype):
            series = series.astype("object")  # '' would not fit in numbers that are all missing
        try:
            result[column.name] = (
                series.fillna("").astype("str")
                if kind == "str"
                else (
                    series.astype(kind)  # type: ignore[call-overload]
                )
            )
        except (TypeError, ValueError) as error:
            raise TableError(f"table {table.name}: column {column.name}: {error}") from error
    return check(table, pd.DataFrame(result, columns=columns(table)))


def check(table: Table, given: pd.DataFrame) -> pd.DataFrame:
    """The same frame, when its columns are the table's and its key names each row once.

    No part of a key may be missing; of the texts only those of `MAY_BE_EMPTY` may be ''.
    """
    if list(given.columns) != columns(table):
        raise TableError(
            f"table {table.name}: columns are {list(given.columns)}, not {columns(table)}"
        )
    for name in keys(table):
        lacking = given[name].isna() | ((given[name] == "") & (name not in MAY_BE_EMPTY))
        if lacking.any():
            raise TableError(
                f"table {table.name}: {int(lacking.sum())} rows have no {name}, which is part of "
                f"the key; first: row {int(lacking.to_numpy().argmax())}"
            )
    repeated = given[given.duplicated(keys(table))]
    if len(repeated):
        row = repeated.iloc[0]
        which = ", ".join(f"{name}={row[name]!r}" for name in keys(table))
        raise TableError(f"table {table.name}: {len(repeated)} rows repeat a key, first: {which}")
    return given
