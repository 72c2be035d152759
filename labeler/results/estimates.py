"""A recipe, the posts and their codings → ESTIMATES, by each estimator, for each target. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from labeler.codebook.codebook import Codebook
from labeler.coding.vocabulary import FAIL, INCONCLUSIVE, PASS, UNDEFINED
from labeler.errors import TableError
from labeler.results.disclosure import withheld
from labeler.results.phase_samples import AnalysisFrame, TableSample, table_sample
from labeler.results.recipe import Estimator, Recipe, RecipeTable, Target, coded
from labeler.results.table_figures import Row, contrast_row, figure_rows, trend_row
from labeler.statistics.estimation.estimates import Estimates
from labeler.statistics.estimation.estimators import blind_alone, corrected, model_alone
from labeler.statistics.estimation.sample import PhaseSample
from labeler.statistics.estimation.two_phase import two_phase
from labeler.statistics.multiplicity import holm
from labeler.store import tables
from labeler.text.coded_values import named_parts

NOBODY = "nobody coded it blind: what a model or people with its suggestions say is no measure"
WORST = (FAIL, UNDEFINED, INCONCLUSIVE, PASS)
CONTRASTS = ("difference", "ratio", "trend")
Verdicts = Mapping[tuple[str, str], str]
"""Variable and code ('' for the whole) → the gate's verdict on the blind humans."""


class LeftOut(NamedTuple):
    """A part of the recipe that was not computed, and why."""

    what: str
    why: str


class RecipeEstimates(NamedTuple):
    """ESTIMATES rows, and what of the recipe was left out."""

    rows: pd.DataFrame
    left_out: list[LeftOut]


def recipe_estimates(
    recipe: Recipe,
    frame: AnalysisFrame,
    codebook: Codebook,
    *,
    batch: str,
    verdicts: Verdicts,
    override: str,
    variables: Collection[str],
) -> RecipeEstimates:
    """Everything that a recipe asks of the variables given, whose gate is open.

    A table of another variable as well is left out silently, since the gate says why; one that
    nobody coded blind is left out and told. Figures of fewer than eleven distinct authors, and
    those that would give them away, are marked in `hidden`.
    """
    made: list[Row] = []
    left: list[LeftOut] = []
    for table in recipe.tables:
        if not {variable.variable for variable in coded(table, codebook)} <= set(variables):
            continue
        sample = table_sample(table, frame, codebook)
        if not sample.sample.coded:
            left.append(LeftOut(table.table, NOBODY))
            continue
        for estimator, target, estimates in _estimates(recipe, table, sample, frame, codebook):
            same = {"analysis": table.table, "estimator": estimator, "target": target}
            units = frame.size if estimator == "model" else estimates.coded
            for row in _of_table(recipe, table, sample, estimates, codebook, left):
                method = f"of {sample.cells.counted}: {row['method'] or estimates.method}"
                made.append({**row, **same, "units": units, "method": method})
    rows = pd.DataFrame(made)
    fixed = {"batch": batch, "codebook": codebook.fingerprint, "override": override}
    whole = tables.frame(tables.ESTIMATES, _finished(rows.assign(**fixed), verdicts, codebook))
    return RecipeEstimates(whole, list(dict.fromkeys(left)))


def _of_table(
    recipe: Recipe,
    table: RecipeTable,
    sample: TableSample,
    estimates: Estimates,
    codebook: Codebook,
    left: list[LeftOut],
) -> Iterator[Row]:
    """The rows of one table, its contrasts and trends, by one estimator for one target."""
    cells = sample.cells
    carried = np.count_nonzero(sample.sample.blind, axis=0).astype(np.int64)
    yield from figure_rows(table, cells, estimates, codebook, carriers=carried)
    for contrast in recipe.contrasts:
        if contrast.table == table.table:
            try:
                yield contrast_row(contrast, table, cells, estimates, codebook)
            except TableError as error:
                left.append(LeftOut(f"{contrast.a} against {contrast.b}", str(error)))
    for line in recipe.trends:
        if line.table == table.table:
            yield trend_row(line, table, cells, estimates, codebook)


def _estimates(
    recipe: Recipe,
    table: RecipeTable,
    sample: TableSample,
    frame: AnalysisFrame,
    codebook: Codebook,
) -> Iterator[tuple[Estimator, Target, Estimates]]:
    """What each estimator that can be had says of the cells, for each target."""
    names = [variable.variable for variable in coded(table, codebook)]
    model = frame.has_model and all(frame.model.asked[name].all() for name in names)
    crossed = len(names) > 1
    tuning = table.tuning or ("common" if crossed else "cell")
    for estimator in recipe.estimators:
        for target in recipe.targets:
            if estimator == "blind":
                yield estimator, target, blind_alone(sample.sample, target=target)
            elif estimator == "model" and model:
                yield estimator, target, _counted(sample.sample, target)
            elif estimator == "corrected" and model:
                made = corrected(sample.sample, target=target, tuning=tuning)
                yield estimator, target, made
            elif estimator == "two-phase" and model and sample.phases is not None:
                yield estimator, target, two_phase(sample.phases, target=target, tuning=tuning)


def _counted(sample: PhaseSample, target: Target) -> Estimates:
    """The model alone; carriers are the posts to which it gave the code, and their authors."""
    there = sparse.csr_array(sample.model != 0)
    who = (np.ones(sample.size), (sample.author, np.arange(sample.size)))
    many = int(sample.author.max(initial=-1)) + 1
    by_author = sparse.csr_array(sparse.csr_array(who, shape=(many, sample.size)) @ there)
    carriers, authors = (
        np.bincount(own.indices, minlength=sample.cells).astype(np.int64)
        for own in (there, by_author)
    )
    return model_alone(sample, target=target)._replace(carriers=carriers, authors=authors)


def _finished(rows: pd.DataFrame, verdicts: Verdicts, codebook: Codebook) -> pd.DataFrame:
    """The rows with verdicts, what may not leave, and p adjusted; none where there are none."""
    if rows.empty:
        return tables.frame(tables.ESTIMATES)
    whole = rows.reindex(columns=tables.columns(tables.ESTIMATES))
    for name in ("value", "low", "high", "se", "p", "df", "tuning", "correlation"):
        whole[name] = pd.to_numeric(whole[name]).replace([math.inf, -math.inf], math.nan)
    whole["effective_size"] = pd.to_numeric(whole["effective_size"]).replace(math.inf, math.nan)
    whole["reason"] = whole["reason"].fillna("")
    told = (whole["reason"] == "") | (whole["estimator"] == "model")
    whole["p"] = whole["p"].where(told)
    whole["p_adjusted"] = _adjusted(whole)
    whole["hidden"] = withheld(whole, codebook)
    texts = zip(whole["code"], whole["by"], whole["within"], strict=True)
    whole["verdict"] = [_worst(own, verdicts) for own in texts]
    return whole


def _worst(texts: tuple[str, ...], verdicts: Verdicts) -> str:
    """The least of the verdicts on the variables and codes that a row is of."""
    found = set()
    for text in texts:
        name, code = named_parts(text)
        found |= {verdicts.get((name, code), ""), verdicts.get((name, ""), "")}
    return next((verdict for verdict in WORST if verdict in found), "")


def _adjusted(rows: pd.DataFrame) -> pd.Series[float]:
    """Holm's p: of contrasts and trends over the recipe, of chi-squares too, of cells by table."""
    family = [
        measure
        if measure == "chi-square"
        else "contrasts"
        if measure in CONTRASTS
        else f"{measure} {analysis}"
        for measure, analysis in zip(rows["measure"], rows["analysis"], strict=True)
    ]
    groups = [rows["estimator"], rows["target"], pd.Series(family, index=rows.index)]
    return rows["p"].groupby(groups, sort=False).transform(lambda p: holm(p.to_numpy(float)))
