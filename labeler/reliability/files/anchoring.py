"""A long table of blind and assisted codings, without a project → what suggestions do to codes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from labeler import hints
from labeler.codebook.values import Scale
from labeler.coding.vocabulary import ASSISTED, BLIND, human
from labeler.errors import InputError
from labeler.files import label_studio, spreadsheets
from labeler.files.coded_cells import CellSettings, read_cells
from labeler.files.coding_tables import SETS, kept, known_columns, long, refused
from labeler.reliability.assessments import acceptance
from labeler.reliability.assessments import anchoring as stage
from labeler.statistics.agreement.distances import Level

NAMED_MODEL = ("model", "model:", "suggestion", "suggester")


class AnchoringSettings(NamedTuple):
    """Which table, and its columns: a row a coding.

    `model` is the coder whose codes were suggested, or a column that holds its value beside each
    coding; '' looks for the one coder without a row in either arm. `blind` and `assisted` are the
    texts of the two arms; rows of other arms are left out, but for the model's. `lead_time` is
    the column of seconds, '' for none.
    """

    path: Path
    model: str = ""
    unit: str = "unit"
    coder: str = "coder"
    arm: str = "arm"
    value: str = "value"
    lead_time: str = ""
    blind: str = BLIND
    assisted: str = ASSISTED
    where: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    sheet: str = ""


class AnchoringReport(NamedTuple):
    """What a table says: rows of the stage, about everything and about lead times and coders.

    `remarks` say how cells were understood.
    """

    model: str
    n_units: int
    n_both: int
    n_coders: int
    n_codings: int
    left_out: int
    rows: list[dict[str, Any]]
    remarks: list[str]


def anchoring(
    given: AnchoringSettings,
    *,
    level: Level,
    domain: Sequence[str] = (),
    bound: float,
    seed: int,
    cells: CellSettings | None = None,
) -> AnchoringReport:
    """Everything that an assessment of anchoring tells of one variable, for a table of codings."""
    source = str(given.path)
    table = kept(spreadsheets.read(given.path, sheet=given.sheet), given.where, source=source)
    table, given, remarks = _columns(table, given, sets=level in SETS)
    table = table.replace(dict.fromkeys(given.missing, "")) if given.missing else table
    known_columns(table, [given.unit, given.coder, given.arm, given.value], source)
    read = long(table, unit=given.unit, coder=given.coder, value=given.value, source=source)
    read["arm"] = read["line"].map(table[given.arm])
    model = given.model or _found_model(read, given)
    suggested = _suggested(table, read, model, given)
    humans = read[read["coder"] != model]
    in_arm = humans["arm"].isin((given.blind, given.assisted))
    both = pd.concat([humans[in_arm].assign(own=True), suggested.assign(own=False)])
    found = read_cells(both, level=level, domain=domain, wish=cells, source=source)
    clean, codes = found.codings, found.codes
    scale = Scale(level, () if level in ("interval", "ratio") else tuple(codes))
    own = clean[clean["own"]]
    arms = {given.blind: BLIND, given.assisted: ASSISTED}
    codings = own.assign(coder=own["coder"].map(human), arm=own["arm"].map(arms))
    theirs = clean.loc[~clean["own"], ["unit", "value"]]
    rows = stage.effects_of_variable(codings, theirs, scale, bound=bound, seed=seed)
    shown = acceptance.accepted_of("value", codings, theirs, scale)
    rows += acceptance.pace(shown, _lead_times(table, codings, given), seed=seed)
    arms_of = codings.groupby("unit")["arm"].nunique()
    return AnchoringReport(
        model=model,
        n_units=len(arms_of),
        n_both=int((arms_of == 2).sum()),
        n_coders=codings["coder"].nunique(),
        n_codings=len(codings),
        left_out=int((~in_arm).sum()),
        rows=[{"coder": "humans", "code": "", **row} for row in rows],
        remarks=[*remarks, *found.remarks],
    )


def _columns(
    table: pd.DataFrame, given: AnchoringSettings, *, sets: bool
) -> tuple[pd.DataFrame, AnchoringSettings, list[str]]:
    """The rows and the columns that hold what: those given, of an export of Label Studio its own.

    Where an export as JSON holds suggestions of one model, that is the model.
    """
    if not label_studio.is_export(table):
        return table, given, []
    source = str(given.path)
    suggested = label_studio.suggesting(table)
    model = given.model or (suggested[0] if len(suggested) == 1 else "")
    table, left_out = label_studio.annotated_rows(
        table, models={model}.intersection(suggested), source=source
    )
    named = {field: getattr(given, field) for field in ("unit", "coder", "value")}
    usual = AnchoringSettings(given.path)
    known_columns(
        table, [name for field, name in named.items() if name != getattr(usual, field)], source
    )
    unit, coder, value = (name if name in table.columns else "" for name in named.values())
    roles = label_studio.roles(table, unit=unit, coder=coder, value=value, source=source)
    told = [*roles.remarks, *left_out]
    if sets:
        table, empty = label_studio.with_empty_sets(table, roles.value)
        told += empty
    fresh = given._replace(
        unit=roles.unit,
        coder=roles.coder,
        value=roles.value,
        model=model,
        lead_time=given.lead_time or label_studio.LEAD_TIME,
    )
    return table, fresh, told


def _found_model(read: pd.DataFrame, given: AnchoringSettings) -> str:
    """The coder that is in neither arm, or else is called a model."""
    coders = sorted(set(read["coder"]))
    people = set(read.loc[read["arm"].isin((given.blind, given.assisted)), "coder"])
    others = [coder for coder in coders if coder not in people]
    named = [coder for coder in coders if coder.casefold().startswith(NAMED_MODEL)]
    for found in (others, named):
        if len(found) == 1:
            return str(found[0])
    raise InputError(
        f"{given.path}: which coder made the suggestions? Coders are: "
        f"{', '.join(coders[:20])}; arms are: {', '.join(sorted(set(read['arm']))[:10])}",
        hint=hints.SUGGESTING_CODER,
    )


def _suggested(
    table: pd.DataFrame, read: pd.DataFrame, model: str, given: AnchoringSettings
) -> pd.DataFrame:
    """The model's codings, as `long` reads them; of a column, one a unit."""
    own = read[read["coder"] == model]
    if len(own):
        return own
    if model not in table.columns:
        raise InputError(
            f"{given.path}: neither a coder nor a column is called {model!r}; coders "
            f"are: {', '.join(sorted(set(read['coder']))[:20])}"
        )
    beside = pd.DataFrame(
        {
            "unit": table[given.unit].tolist(),
            "coder": model,
            "value": table[model].tolist(),
            "line": table.index.tolist(),
            "column": model,
        }
    )
    beside = beside[beside["value"] != ""]
    differing = beside.groupby("unit")["value"].transform("nunique") > 1
    if differing.any():
        row = beside[differing].iloc[0]
        fault = f"line {row['line']}: unit {row['unit']!r} has several values in column {model!r}"
        raise refused(str(given.path), [fault])
    return beside.drop_duplicates("unit").astype({"coder": "str", "column": "str"})


def _lead_times(
    table: pd.DataFrame, codings: pd.DataFrame, given: AnchoringSettings
) -> pd.DataFrame:
    """ANNOTATIONS rows, as far as lead times need them; InputError for what is no number."""
    if not given.lead_time:
        return pd.DataFrame()
    known_columns(table, [given.lead_time], str(given.path))
    texts = codings["line"].map(table[given.lead_time]).replace("", None)
    seconds = pd.to_numeric(texts, errors="coerce")
    broken = texts.notna() & seconds.isna()
    if broken.any():
        lines = [
            f"line {line}, column {given.lead_time!r}: {text!r} is no number of seconds"
            for line, text in zip(codings.loc[broken, "line"], texts[broken], strict=True)
        ]
        raise refused(str(given.path), lines)
    return codings[["unit", "coder", "arm"]].assign(
        lead_time=seconds.astype("float64"), cancelled=0, withdrawn=0
    )
