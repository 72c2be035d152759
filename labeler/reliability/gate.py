"""RELIABILITY rows → VERDICTS: whether agreement is good enough to go on, and how that was decided.

Blind humans among themselves come first, then the model against them; each variable and each
code is judged by alpha's one-sided 95% bounds against the codebook's tentative threshold:

    pass          the lower bound reaches it
    fail          the upper bound stays below it
    inconclusive  it lies between them; `further` units would decide, with power .8, unless they
                  are more than COUNTABLE: then agreement is at the threshold, and the codebook is
                  what to work on
    undefined     there is no figure, or fewer than ten units carry the rarer code

Where the units of a panel were drawn unequally it is the design-weighted alpha that is judged:
what was coded holds more of some kinds of units than there are, and alpha differs between kinds.

Whoever asks the gate after every batch has several tries, so that each look at other codings has a
level of its own (`statistics.agreement.looks`): the lower bound is made at 1 - that level, and all
looks together pass wrongly with a chance of 5% at most. A failure opens nothing and spends nothing;
it is decided at 5% each time.

A family says what many verdicts mean together. `all`: everything must pass, each at .05 without
correction (intersection-union). `holm`: which of them passed, at .05 for the whole family, by
Holm's step-down on the one-sided p of H0: alpha <= threshold. The variables are one family, the
codes of all variables another.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import pandas as pd

from labeler.coding.vocabulary import FAIL, HUMAN_HUMAN, HUMAN_MODEL, INCONCLUSIVE, UNDEFINED
from labeler.coding.vocabulary import PASS as PASS
from labeler.keys import key
from labeler.reliability.looks import ONCE, Look
from labeler.reliability.weighting import leads
from labeler.statistics.agreement.looks import level_of_look
from labeler.statistics.agreement.threshold import bound_at, bound_p, further_units, threshold_p
from labeler.statistics.interval import RARE
from labeler.statistics.multiplicity import holm
from labeler.store import tables

Family = Literal["all", "holm"]

HUMAN, MODEL = HUMAN_HUMAN, HUMAN_MODEL
COMPARISONS = {"human-human": HUMAN, "model-panel": MODEL}  # kind of a panel → comparison
ALPHA = "krippendorff_alpha"
ERROR, POWER = 0.05, 0.8
COUNTABLE = 3000  # units: two coders, a minute each, take a hundred hours
AT_THRESHOLD = (
    f"agreement is at the threshold: over {COUNTABLE:,} further units would have to be coded to "
    "tell on which side; mending the codebook is cheaper than counting"
)
MEANING = {
    "all": "all must pass: each is tested at the look's level, without correction "
    "(intersection-union)",
    "holm": "which passed: the look's level for all together, by Holm's step-down",
}


class _Decision(NamedTuple):
    verdict: str
    further: int | None
    note: str


def verdicts(
    rows: pd.DataFrame,
    basis: pd.DataFrame,
    *,
    family: Family = "all",
    run: str,
    looks: Mapping[tuple[str, str], Look] | None = None,
) -> pd.DataFrame:
    """VERDICTS rows of a batch from its RELIABILITY rows and what they stand on (`basis`).

    `looks`: comparison and variable → which look this is; without, the gate is asked once and for
    all, at 5%. `computed_from` is the key of the codings that entered, the thresholds, the method,
    the family and the level: it changes when one of them does, and not otherwise. Undefined ones
    have no p and belong to no family.
    """
    judged = rows[
        rows["kind"].isin(COMPARISONS)
        & rows["coefficient"].str.startswith(ALPHA)
        & leads(rows)
        & (rows["evidence"] == 1)
    ]
    if judged.empty:
        return tables.frame(tables.VERDICTS)
    met = _looked_at(judged, basis, looks or {})
    of_codes = (met["code"] != "").rename("of_codes")
    adjusted = met.groupby(["comparison", of_codes])["p"].transform(holm)
    met["p_adjusted"] = adjusted if family == "holm" else met["p"]
    sizes = met.groupby(["comparison", of_codes])["p"].transform("count")
    decisions = [
        _decision(row, family, int(n)) for row, n in zip(tables.rows(met), sizes, strict=True)
    ]
    met = met.assign(
        verdict=[decision.verdict for decision in decisions],
        further=pd.array([decision.further for decision in decisions], dtype="Int64"),
        note=[decision.note for decision in decisions],
        computed_from=[_computed_from(row, family) for row in tables.rows(met)],
        family=family,
        run=run,
    )
    return tables.frame(tables.VERDICTS, met[tables.columns(tables.VERDICTS)])


def tested(rows: pd.DataFrame, basis: pd.DataFrame) -> pd.DataFrame:
    """What the gate looks at: columns comparison, variable, codings, once for each variable.

    `rows` and `basis` as in `verdicts`. Variables of which neither alpha nor that of a code can
    pass, since they are undefined, are not looked at.
    """
    judged = rows[rows["kind"].isin(COMPARISONS) & rows["coefficient"].str.startswith(ALPHA)]
    met = _looked_at(judged[leads(judged) & (judged["evidence"] == 1)], basis, {})
    own: pd.DataFrame = met[met["p"].notna()][["comparison", "variable", "codings"]]
    return own.drop_duplicates(["comparison", "variable"], ignore_index=True)


def _looked_at(
    judged: pd.DataFrame, basis: pd.DataFrame, looks: Mapping[tuple[str, str], Look]
) -> Any:
    """The rows to judge with their basis, look and level, `p`, and the bound at that level."""
    met: Any = judged.merge(basis, on=["panel", "variable", "code"], how="left")
    met["comparison"] = met["kind"].map(COMPARISONS)
    met["p"] = pd.Series([_p(row) for row in tables.rows(met)], dtype="float64")
    pairs = zip(met["comparison"], met["variable"], strict=True)
    own = [looks.get(pair, ONCE) for pair in pairs]
    met["look"] = pd.array([look.number for look in own], dtype="Int64")
    met["level"] = pd.Series([look.level for look in own], dtype="float64")
    met["bound"] = pd.Series([_bound(row) for row in tables.rows(met)], dtype="float64")
    return met


def with_verdicts(rows: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """The RELIABILITY rows, those that were judged with their verdict and its reason."""
    on = ["variable", "code", "comparison", "coefficient"]
    named = rows.assign(comparison=rows["kind"].map(COMPARISONS).fillna(""))
    found = named.drop(columns="verdict").merge(
        judged[[*on, "verdict", "note"]], on=on, how="left", suffixes=("", "_of_gate")
    )
    here = leads(found) & found["verdict"].notna() & (found["evidence"] == 1)
    found["note"] = found["note"].mask(here, found["note_of_gate"])
    found["verdict"] = found["verdict"].where(here, "")
    return tables.frame(tables.RELIABILITY, found[tables.columns(tables.RELIABILITY)])


def _decision(row: Any, family: Family, size: int) -> _Decision:
    reason = _undefined(row)
    if reason:
        return _Decision(UNDEFINED, None, _joined(reason, _of_coded(row)))
    tau, grade = row.tentative, _joined(row.note, _of_coded(row), _of_look(row))
    reaches = row.p_adjusted <= row.level if family == "holm" else row.bound >= tau
    if reaches:
        reliable = row.bound >= row.reliable
        word, threshold = ("reliable", row.reliable) if reliable else ("tentative", tau)
        text = f"{word}: lower bound {row.bound:.3f} reaches {threshold:.3f}"
        return _Decision(PASS, None, _joined(text, grade))
    if row.upper < tau:
        text = f"upper bound {row.upper:.3f} stays below {tau:.3f}"
        return _Decision(FAIL, None, _joined(text, grade))
    further = _further(row, 1 - _next_level(row) / (size if family == "holm" else 1))
    if row.bound >= tau:
        text = f"lower bound {row.bound:.3f} reaches {tau:.3f}, but not among {size} by Holm"
    else:
        text = f"{tau:.3f} lies between the bounds {row.bound:.3f} and {row.upper:.3f}"
    if further is None and not math.isnan(row.se) and row.value < 1:
        return _Decision(INCONCLUSIVE, None, _joined(f"{text}; {AT_THRESHOLD}", grade))
    told = f"about {further:,} further units would decide" if further else "more units would decide"
    return _Decision(INCONCLUSIVE, further, _joined(f"{text}: {told}", grade))


def _undefined(row: Any) -> str:
    if math.isnan(row.value) or math.isnan(row.bound) or math.isnan(row.upper):
        return str(row.note) or "no interval can be made"
    if row.carrying < RARE:
        return (
            f"fewer than {RARE} units carry the rarer code: {row.carrying} of {row.pairable}; "
            "draw more units that may carry it"
        )
    return ""


def _of_coded(row: Any) -> str:
    """The unweighted figure beside a weighted one; '' where units were drawn alike."""
    if not row.weighting or math.isnan(row.coded_value):
        return ""
    bound = "none" if math.isnan(row.coded_bound) else f"{row.coded_bound:.3f}"
    return f"weighted by design; of the units coded alpha is {row.coded_value:.3f}, bound {bound}"


def _of_look(row: Any) -> str:
    """Which look this is and what it may spend; '' where the gate is asked once and for all."""
    if pd.isna(row.look):
        return ""
    return f"look {row.look} of this study sample, level {row.level:.2%}"


def _next_level(row: Any) -> float:
    """The level of the look at which further units would decide."""
    return ERROR if pd.isna(row.look) else level_of_look(int(row.look) + 1, total=ERROR)


def _bound(row: Any) -> float:
    """The lower bound at the level of the look, from that at 95%."""
    if math.isnan(row.bound) or math.isnan(row.value) or row.things < 2:
        return float(row.bound)
    return bound_at(
        row.value,
        row.bound,
        se=row.se,
        degrees=row.things - 1,
        given=1 - ERROR,
        wanted=1 - row.level,
    )


def _further(row: Any, confidence: float) -> int | None:
    """Units beyond those there are, from the standard error seen; None: more than COUNTABLE."""
    found = further_units(
        row.value,
        row.tentative,
        se=row.se,
        n=int(row.pairable),
        power=POWER,
        confidence=confidence,
    )
    return found if found is not None and found <= COUNTABLE else None


def _p(row: Any) -> float:
    """One-sided p of H0: alpha <= threshold; nan where the verdict is undefined."""
    if _undefined(row):
        return math.nan
    if row.weighting:
        more = {"se": row.se, "degrees": row.things - 1, "confidence": 1 - ERROR}
        return bound_p(row.value, row.bound, row.tentative, **more)
    return threshold_p(
        row.value,
        row.tentative,
        se=row.se,
        degrees=row.things - 1,
        bound=row.bound,
        confidence=1 - ERROR,
    )


def _computed_from(row: Any, family: str) -> str:
    return key(
        {
            "codings": row.codings,
            "panel": row.panel,
            "variable": row.variable,
            "code": row.code,
            "coefficient": row.coefficient,
            "method": row.method,
            "weighting": row.weighting,
            "thresholds": [row.tentative, row.reliable],
            "family": family,
            "level": row.level,
        }
    )


def _joined(*texts: str) -> str:
    return "; ".join(text for text in texts if text)


def shut(judged: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Those of the variables that the blind humans' verdict keeps from being aggregated."""
    passed = judged[
        (judged["comparison"] == HUMAN) & (judged["code"] == "") & (judged["verdict"] == PASS)
    ]
    return [name for name in names if name not in set(passed["variable"])]
