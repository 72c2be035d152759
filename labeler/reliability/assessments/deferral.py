"""A model's confidence → from which on review may be left out, and the units that then are.

Units that are skipped still stand in every estimate: those audited are their sample, and each has
the known probability that is written here. The rule's certainty is that of units drawn alike:
where they were drawn unequally, some are left out at random until all have the same probability,
and the note tells how many; no weight could keep an exact binomial test.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from labeler import chance
from labeler.codebook.codebook import Codebook
from labeler.errors import TableError
from labeler.reliability.assessments.confidence_targets import NO_CONFIDENCE, ConfidenceTarget
from labeler.reliability.assessments.declaration import Assessment, AssessmentInput
from labeler.reliability.assessments.sentences import UNDEFINED, by_verdict, subject_of
from labeler.reliability.confidence import ALL, KINDS, MEANING, Kind, value_confidence
from labeler.statistics.prediction import deferral
from labeler.store import tables

NAME = "skip"
SKIPPED = ["unit", "confidence", "skip", "audited", "audit_probability"]

Row = dict[str, Any]


class SkipSettings(NamedTuple):
    """What a skip rule promises: at most `epsilon` wrong with confidence 1 - `delta`.

    `audit` is the share of the accepted units that people see nevertheless.
    """

    epsilon: float = 0.05
    delta: float = 0.05
    audit: float = 0.1


class _Family(NamedTuple):
    """The delta of one rule among those that hold together, and which those are, in words."""

    delta: float
    words: str


def skip_rules(
    targets: Mapping[Kind, Sequence[ConfidenceTarget]],
    *,
    model: str,
    variables: Sequence[str],
    settings: SkipSettings | None = None,
    seed: int,
) -> pd.DataFrame:
    """ASSESSMENTS rows (`skip`) of one model; batch and codebook are left empty.

    `targets`: see `confidence_targets`; the first kind makes the rules, one fixed before the data,
    as two would double the chance to be wrong. `variables` are told to be undefined where there
    are none. Measures end in the kind: threshold (p: the exact tail; n: coded units that reach
    it), error among those (`high`: its exact bound), accepted (share of the frame; n: the frame),
    and as settings epsilon, delta, audit.

    Raises TableError unless all settings lie between 0 and 1: without an audit, drift goes unseen.
    """
    asked = settings or SkipSettings()
    for name, share in asked._asdict().items():
        if not 0 < share < 1:
            raise TableError(
                f"{name} {share} must lie between 0 and 1: no review is left out whole"
            )
    rows: list[Row] = []
    for kind, own in list(targets.items())[:1]:
        for target in own:
            about = {"variable": target.variable, "code": target.code}
            rows += [{**about, **row} for row in _rule(target, kind, asked, seed)]
    if not targets:
        undefined = {"measure": "threshold", "code": "", "verdict": UNDEFINED}
        rows = [{**undefined, "variable": name, "note": NO_CONFIDENCE} for name in variables]
    same = {"assessment": NAME, "coder": model}
    content = [{**row, **same} for row in rows]
    return pd.DataFrame(content, columns=tables.columns(tables.ASSESSMENTS))


def _rows(given: AssessmentInput) -> pd.DataFrame:
    return skip_rules(
        given.confidence_targets,
        model=given.suggester,
        variables=list(given.model_values),
        seed=given.seed,
    )


def _sentences(rows: pd.DataFrame) -> Iterator[str]:
    """From which confidence on review may be left out, by the kind that makes the rules."""
    words = {"skip": "review may be left out", "none": "no threshold keeps the error"}
    for kind in KINDS:
        own = rows[rows["measure"] == f"threshold.{kind}"]
        for sentence in by_verdict(own, words=words, subject=_subject):
            yield f"by the {MEANING[kind]}: {sentence}"
    yield from by_verdict(rows[rows["measure"] == "threshold"])


def _subject(row: Any) -> str:
    kept = f" from {row.value:.3g} on" if row.verdict == "skip" else ""
    return f"{subject_of(row)}{kept}"


def skipped(
    rules: pd.DataFrame,
    model_values: pd.DataFrame,
    confidence: pd.DataFrame,
    codebook: Codebook,
    *,
    model: str,
    variable: str = ALL,
    code: str = "",
    secret: bytes,
) -> pd.DataFrame:
    """Columns SKIPPED: a row for each unit that the rule is about, in the order of units.

    `rules`: ASSESSMENTS rows of one batch, and those of `drift` where it was watched;
    `model_values` and `confidence` as for `confidence_targets`. The rule for `variable`
    (`all`: the unit as a whole) and `code` is applied: `skip` (0 or 1) where the confidence
    reaches its threshold and the unit is not audited; `audited` (0 or 1) where it reaches it and
    a keyed hash sends it to people all the same, with `audit_probability`. A unit that does not
    reach it goes to people, probability 1. The rules of single variables promise nothing of units
    that pass several of them at once: to skip whole units, take the one for `all`.

    Where no threshold was kept, and where drift raised an alarm for the model and one of the
    variables concerned, nothing is skipped: the rule speaks of the model as it was. Raises
    TableError where there is no such rule, or where it was made for another codebook.
    """
    which = (rules["assessment"] == NAME) & (rules["coder"] == model)
    own = rules[which & (rules["variable"] == variable) & (rules["code"] == code)]
    held = dict(zip(own["measure"], own["value"], strict=True))
    if not any(name.startswith("threshold") for name in held):
        raise TableError(
            f"skip: no rule of {model} for variable {variable!r}, code {code!r}: calibrate first"
        )
    if set(own["codebook"]) != {codebook.fingerprint}:
        raise TableError(
            f"skip: the rule of {model} was made for another codebook: calibrate again"
        )
    kind = next((kind for kind in KINDS if f"threshold.{kind}" in held), KINDS[0])
    threshold, share = held.get(f"threshold.{kind}", math.nan), held.get(f"audit.{kind}", 1.0)
    if _alarmed(rules, codebook, model, variable):
        threshold = math.nan
    sure = value_confidence(model_values, confidence, codebook, kind=kind)
    units = sure[(sure["variable"] == variable) & (sure["code"] == code)].sort_values("unit")
    reached = units["confidence"] >= threshold  # nan, of unit or rule, never reaches
    chosen = chance.audited(units["unit"], share=share, secret=secret)
    audited = reached & units["unit"].isin(chosen)
    return pd.DataFrame(
        {
            "unit": units["unit"],
            "confidence": units["confidence"],
            "skip": (reached & ~audited).astype("int64"),
            "audited": audited.astype("int64"),
            "audit_probability": reached.map({True: share, False: 1.0}).astype("float64"),
        },
        columns=SKIPPED,
    ).reset_index(drop=True)


def _rule(target: ConfidenceTarget, kind: Kind, asked: SkipSettings, seed: int) -> list[Row]:
    """The rows of a target, from units that were all as likely to be drawn."""
    own, frame, family = target.compared, target.frame, _family(target, asked)
    probabilities = dict(zip(own["unit"], own["probability"], strict=True))
    even = own[own["unit"].isin(chance.kept(probabilities, seed=seed))]
    epsilon, delta = asked.epsilon, family.delta
    candidates = frame["confidence"].dropna()
    tested = deferral.thresholds(candidates, len(even), epsilon=epsilon, delta=delta)
    sure, wrong = even["confidence"].to_numpy(float), 1 - even["agree"].to_numpy(float)
    rule = deferral.rule(sure, wrong, tested, epsilon=epsilon, delta=delta)
    thinned = ""
    if len(even) < len(own):
        thinned = (
            f"units were drawn with unequal probability: {len(even)} of {len(own)} were kept at "
            "random, so that all had the same"
        )
    made = f"Learn then Test, exact binomial, threshold {len(rule.tests)} of {len(tested)}"
    about = {"method": f"{made}, seed {seed}"}
    settings = {"epsilon": epsilon, "delta": delta, "audit": asked.audit}
    rows: list[Row] = [
        {"measure": f"{name}.{kind}", "value": value} for name, value in settings.items()
    ]
    if rule.note:
        verdict = "none" if rule.tests else UNDEFINED
        words = "; ".join(part for part in (rule.note, thinned) if part)
        return [
            {**about, "measure": f"threshold.{kind}", "n": len(even), "verdict": verdict}
            | {"note": words},
            *rows,
        ]
    accepted = float((frame["confidence"] >= rule.threshold).mean())
    words = "; ".join(
        part for part in (_promise(target, rule, asked, family.words), thinned) if part
    )
    return [
        {**about, "measure": f"threshold.{kind}", "value": rule.threshold, "p": rule.p}
        | {"n": rule.accepted, "verdict": "skip", "note": words},
        {**about, "measure": f"error.{kind}", "value": rule.errors / rule.accepted}
        | {"high": rule.upper, "n": rule.accepted},
        {**about, "measure": f"accepted.{kind}", "value": accepted, "n": len(frame)},
        *rows,
    ]


def _family(target: ConfidenceTarget, asked: SkipSettings) -> _Family:
    """The codes of a variable hold at once, and share its delta."""
    if not target.code:
        return _Family(asked.delta, "this rule alone")
    words = f"all {target.codes} codes of {target.variable} at once (delta/{target.codes} each)"
    return _Family(asked.delta / target.codes, words)


def _promise(
    target: ConfidenceTarget, rule: deferral.DeferralRule, asked: SkipSettings, family: str
) -> str:
    """The guarantee in words."""
    if target.code:
        units, differ = f"units that the model gave {target.code}", "were not given it by"
    else:
        value = "some value" if target.variable == ALL else target.variable
        units, differ = "units", f"differ in {value} from"
    return (
        f"with certainty {1 - asked.delta:.4g}, at most {asked.epsilon:.3g} of the {units} with a "
        f"confidence of {rule.threshold:.4g} or more {differ} a blind coder; it holds for "
        f"{family}, for units drawn as these were and coded by the same model and codebook; "
        f"a random {asked.audit:.3g} of them goes to people all the same"
    )


def _alarmed(rules: pd.DataFrame, codebook: Codebook, model: str, variable: str) -> bool:
    """Whether agreement was found to have fallen for what a rule is about."""
    watched = rules[(rules["assessment"] == "drift") & (rules["verdict"] == "alarm")]
    same = (watched["coder"] == model) & (watched["codebook"] == codebook.fingerprint)
    concerned = (watched["variable"] == variable) | (variable == ALL)
    return bool((same & concerned).any())


ASSESSMENT = Assessment(
    name=NAME,
    title="Skipping review",
    meaning="From which confidence on review may be left out, with a bound on the error.",
    headlines=("threshold.vote", "threshold.logprob", "threshold"),
    rows=_rows,
    sentences=_sentences,
)
