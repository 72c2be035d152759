"""Chance-corrected agreement beside alpha, and percent agreement, with linearised variance.

Each coefficient is made from `ColumnPatterns`, and comes with the influence of every unit on it:
what its variance is made of. `agree`, shape (values, values), says how far two values agree, from
0 to 1 (see `agreement_weights`); the identity makes the plain coefficient.

Formulas: Gwet, Handbook of Inter-Rater Reliability, 4th ed. (2014), chapters 3 to 6, for Fleiss,
Conger, AC1/AC2, Brennan-Prediger and alpha with incomplete codings; Cohen (1968) and Fleiss,
Cohen & Everitt (1969) for weighted kappa and its standard error; Scott (1955); Conger (1980);
Brennan & Prediger (1981); Cicchetti & Feinstein (1990) for positive and negative agreement.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeler.statistics.agreement.column_patterns import ColumnPatterns
from labeler.statistics.agreement.distances import Floats

Weighting = Literal["identity", "linear", "quadratic", "ordinal", "radical"]
Bools = NDArray[np.bool_]


class Linearisation(NamedTuple):
    """A coefficient and how each unit moves it.

    `observed` and `expected` are the agreements pa and pe (nan where there is none);
    `influence`, shape (rows of the panel,): sum_u w_u influence_u / sum_u w_u is 0, and the
    squares of its terms make the variance. `used`, shape (rows,): the units that it is made from.
    """

    value: float
    observed: float
    expected: float
    influence: Floats
    used: Bools


def agreement_weights(weighting: Weighting, places: Floats) -> Floats:
    """How far values agree, shape (values, values), from their places on the scale.

    With h the distance of two places over the largest: identity 1[h = 0], linear 1 - h, quadratic
    1 - h^2, radical 1 - sqrt h. `ordinal` (Gwet 2014, not Krippendorff's metric) takes ranks k, l:
    1 - C(|k - l| + 1, 2)/C(q, 2). The places are those of the *declared* domain.
    """
    apart = np.abs(places[:, None] - places)
    if weighting == "identity" or places.size < 2:
        same: Floats = np.eye(places.size)
        return same
    if weighting == "ordinal":
        steps = np.abs(np.subtract.outer(np.arange(places.size), np.arange(places.size)))
        return np.asarray(1 - steps * (steps + 1) / (places.size * (places.size - 1)), float)
    power = {"linear": 1.0, "quadratic": 2.0, "radical": 0.5}[weighting]
    return np.asarray(1 - (apart / apart.max()) ** power, float)


def row_weights(panel: ColumnPatterns) -> Floats:
    """The design weight of all units that a row stands for, shape (rows,)."""
    alike = panel.times.astype(float)
    return alike if panel.weights is None else panel.weights * alike


def pairable(panel: ColumnPatterns) -> ColumnPatterns:
    """The units that two or more coders coded."""
    kept = panel.counts.sum(axis=1) >= 2
    return ColumnPatterns(
        given=panel.given[:, kept],
        counts=panel.counts[kept],
        times=panel.times[kept],
        weights=None if panel.weights is None else panel.weights[kept],
        group=None if panel.group is None else panel.group[kept],
    )


class _Units(NamedTuple):
    """Counts, codings m_u, weights, 1[m_u >= 2], and sum_c n_uc (n*_uc - 1) of each row."""

    n: Floats
    m: Floats
    w: Floats
    paired: Bools
    agreed: Floats


def _units(panel: ColumnPatterns, agree: Floats | None = None) -> _Units:
    """`agree` None: values agree with themselves alone."""
    n = panel.counts.astype(float)
    m = n.sum(axis=1)
    same = n if agree is None else n @ agree
    agreed = (n * same).sum(axis=1) - m
    return _Units(n, m, row_weights(panel), m >= 2, agreed)


def fleiss(panel: ColumnPatterns, agree: Floats) -> Linearisation:
    """Fleiss' kappa: chance gives each value as often as all coders together gave it.

    pe = sum_kl a_kl pi_k pi_l with pi_c the mean over units of n_uc/m_u. Of two coders who coded
    all units it is Scott's pi.
    """
    units = _units(panel, agree)
    share = units.n / units.m[:, None]
    pi = units.w @ share / units.w.sum()
    return _corrected(units, float(pi @ agree @ pi), share @ (agree @ pi))


def gwet(panel: ColumnPatterns, agree: Floats) -> Linearisation:
    """Gwet's AC1 (identity) and AC2: pe = T sum_c pi_c (1 - pi_c) / (q (q - 1)), T = sum a_kl."""
    units = _units(panel, agree)
    q = agree.shape[0]
    factor = agree.sum() / (q * (q - 1)) if q > 1 else math.nan
    share = units.n / units.m[:, None]
    pi = units.w @ share / units.w.sum()
    return _corrected(units, float(factor * (pi @ (1 - pi))), factor * (share @ (1 - pi)))


def brennan_prediger(panel: ColumnPatterns, agree: Floats) -> Linearisation:
    """Brennan-Prediger: pe = sum a_kl / q^2, every declared value equally likely (PABAK of 2)."""
    units = _units(panel, agree)
    expected = float(agree.mean())
    return _corrected(units, expected, np.full(units.m.size, expected))


def conger(panel: ColumnPatterns, agree: Floats) -> Linearisation:
    """Conger's kappa: chance gives each coder the values as often as that coder gave them.

    pe = sum over ordered pairs of coders g, h of sum_kl a_kl p_gk p_hl / (r (r - 1)), p_g being
    the shares of coder g among the units that g coded.
    """
    units = _units(panel, agree)
    r = len(panel.given)
    chose = panel.given[:, :, None] == np.arange(agree.shape[0])  # coders x rows x values
    coded = panel.given >= 0
    made = coded @ units.w
    p = np.einsum("grk,r->gk", chose, units.w) / made[:, None]
    others = (p.sum(axis=0) - p) @ agree  # coders x values: what the others make of a value
    expected = float((p * others).sum() / (r * (r - 1)))
    moved = (units.w.sum() / made)[:, None, None] * (chose - coded[:, :, None] * p[:, None, :])
    own = np.einsum("grk,gk->r", moved, others) / (r * (r - 1))
    return _corrected(units, expected, own + expected)


def _corrected(units: _Units, expected: float, expected_of: Floats) -> Linearisation:
    """(pa - pe)/(1 - pe), pa the mean over pairable units of the agreement among their coders.

    `expected_of` is pe_u. Influence: x_u - kappa with Gwet's
    x_u = (n/n') 1[m_u >= 2] (pa_u - pe)/(1 - pe) - 2 (1 - kappa) (pe_u - pe)/(1 - pe).
    """
    paired, total = units.paired, float(units.w.sum())
    pairs = np.where(paired, units.m * (units.m - 1), 1)
    observed_of = np.where(paired, units.agreed / pairs, 0)
    weight = float(units.w @ paired)
    observed = float(units.w @ observed_of) / weight
    value = (observed - expected) / (1 - expected)
    first = total / weight * np.where(paired, observed_of - expected, 0)
    second = 2 * (1 - value) * (expected_of - expected)
    influence = (first - second) / (1 - expected) - value
    return Linearisation(value, observed, expected, influence, units.m >= 1)


def krippendorff_gwet(panel: ColumnPatterns, agree: Floats) -> Linearisation:
    """Alpha as Gwet writes it, for distances 1 - a_kl, with his linearised variance.

    Only pairable units count. With identity and quadratic weights it is the nominal and the
    interval alpha; with `ordinal` it is not Krippendorff's ordinal alpha.
    """
    units = _units(panel, agree)
    total = float(units.w @ units.m)
    mean = total / units.w.sum()
    same = units.agreed / (units.m - 1)
    raw = float(units.w @ same) / total
    pi = units.w @ units.n / total
    expected = float(pi @ agree @ pi)
    observed = raw + (1 - raw) / total
    share = (raw - expected) / (1 - expected)
    first = (same - raw * units.m) / mean
    second = 2 * (1 - share) * ((units.n @ (agree @ pi)) - expected * units.m) / mean
    value = (observed - expected) / (1 - expected)
    influence = (first - second) / (1 - expected)
    return Linearisation(value, observed, expected, influence, units.paired)


def cohen(panel: ColumnPatterns, agree: Floats) -> Linearisation:
    """Cohen's kappa of two coders, of the units that both coded.

    With p_kl the share of units with k by the first and l by the second coder:
    pa = sum a_kl p_kl, pe = sum a_kl p_k. p_.l. Influence of a unit with k, l (Fleiss, Cohen &
    Everitt 1969): [a_kl - (a_k. + a_.l)(1 - kappa) - kappa + pe (1 - kappa)] / (1 - pe), a_k. and
    a_.l being the mean agreement of k and of l with what the other coder gave.
    """
    first, second = panel.given
    w = row_weights(panel)
    q = agree.shape[0]
    p = np.bincount(first, w, q) / w.sum()
    r = np.bincount(second, w, q) / w.sum()
    observed = float(w @ agree[first, second] / w.sum())
    expected = float(p @ agree @ r)
    value = (observed - expected) / (1 - expected)
    mean = (agree @ r)[first] + (p @ agree)[second]
    influence = agree[first, second] - mean * (1 - value) - value + expected * (1 - value)
    return Linearisation(
        value, observed, expected, influence / (1 - expected), np.ones(first.size, dtype=bool)
    )


def agreeing(panel: ColumnPatterns, agree: Floats | None) -> Linearisation:
    """Percent agreement: the mean over pairable units of the share of agreeing pairs (Gwet)."""
    units = _units(panel, agree)
    return _ratio(units.agreed / (units.m * (units.m - 1)), np.ones(units.m.size), units.w)


def agreeing_pairable(panel: ColumnPatterns) -> Linearisation:
    """Percent agreement by pairable codings: 1 - the nominal observed disagreement (alpha's)."""
    units = _units(panel)
    return _ratio(units.agreed / (units.m - 1), units.m, units.w)


def specific(panel: ColumnPatterns, value: int) -> Linearisation:
    """Agreement on one value: o_cc/n_c, of two coders 2a/(2a + b + c); nan if nobody gave it."""
    units = _units(panel)
    n = units.n[:, value]
    return _ratio(n * (n - 1) / (units.m - 1), n, units.w)


def _ratio(part: Floats, whole: Floats, w: Floats) -> Linearisation:
    """sum_u w_u part_u / sum_u w_u whole_u."""
    total = float(w @ whole)
    if not total:
        return Linearisation(math.nan, math.nan, math.nan, np.zeros(w.size), whole > 0)
    value = float(w @ part) / total
    influence = (part - value * whole) * (w.sum() / total)
    return Linearisation(value, value, 0.0, influence, whole > 0)
