"""What an estimate is made from: a frame that a model coded, and the units that people coded blind.

A *cell* is whatever is counted: posts with a code, segments with two codes, the sum of a score. A
unit has one number for each cell: 1 or 0, a number of segments, a score. A column that is not a
code but a count of the frame itself (posts of a month) is *known*: it has no error.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from labeler.errors import TableError
from labeler.statistics.agreement.distances import Floats

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class AssistedPhase(NamedTuple):
    """Units coded with a suggestion in view, of which the blind ones are a random part.

    `rows`, shape (n1,): places in the frame, among them all blind rows; `codes`, shape
    (n1, cells): a unit's mean over its assisted coders; `probability`, shape (n1,): of being in
    this phase; `within`, shape (n1,): the group within which the blind ones were drawn from this
    phase, where that is another one than the stratum.
    """

    rows: Ints
    codes: Floats
    probability: Floats
    within: Ints | None = None


class PhaseSample(NamedTuple):
    """A frame of N units and J cells, and n of its units coded blind; made by `phase_sample`.

    `model`, sparse (N, J): the model's number for each unit and cell; `stratum`, shape (N,):
    where a unit lay when it was drawn, from 0; `author`, shape (N,): numbers from 0; `blind_rows`,
    shape (n,): places of the blind units in the frame; `blind`, shape (n, J): a unit's mean over
    its blind coders; `probability`, shape (n,): of being drawn to be coded blind; `drawn`, shape
    (strata,): units drawn, coded or not; `known`, shape (J,): the model's number is the truth.
    """

    model: Any
    stratum: Ints
    author: Ints
    blind_rows: Ints
    blind: Floats
    probability: Floats
    drawn: Ints
    known: Bools
    assisted: AssistedPhase | None

    @property
    def size(self) -> int:
        """Units of the frame."""
        return int(self.model.shape[0])

    @property
    def cells(self) -> int:
        """Number of cells."""
        return int(self.model.shape[1])

    @property
    def coded(self) -> int:
        """Units coded blind."""
        return int(self.blind_rows.size)


class ResponseRates(NamedTuple):
    """Units drawn and coded in each stratum, arrays of shape (strata,); nan where none was drawn.

    `rate` is coded / drawn. Estimates weigh the coded units of a stratum so that they stand for
    all of it: right if those not coded would have been coded alike, within their stratum.
    """

    drawn: Ints
    coded: Ints
    rate: Floats


class SampleWeights(NamedTuple):
    """What each blind unit stands for.

    `weight`, shape (n,): units of the frame; within a stratum they add up to its size. `stratum`,
    shape (n,), and `frame`, shape (N,): strata after those with fewer than two coded units were
    joined with the next; `size`, shape (strata,): units of the frame; `coded`: those coded blind.
    """

    weight: Floats
    stratum: Ints
    frame: Ints
    size: Floats
    coded: Ints


def phase_sample(
    *,
    model: Any,
    blind_rows: ArrayLike,
    blind: ArrayLike,
    probability: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
    author: ArrayLike | None = None,
    drawn: ArrayLike | None = None,
    assisted: AssistedPhase | None = None,
    known: ArrayLike | None = None,
) -> PhaseSample:
    """Check and complete what `PhaseSample` holds.

    `model` may be dense or sparse; a unit that the model left out may hold 0, since any number is
    a valid guess. Without `probability` all units of a stratum were drawn alike; without
    `stratum` there is one; without `author` each unit has its own; without `drawn` all units
    drawn were coded. A column of posts (month, platform) may be crossed into `stratum`, which
    post-stratifies by it: give neighbours near numbers, as small strata are joined with the next.

    Raises TableError for shapes that do not fit, rows twice or outside of the frame, numbers
    that are not finite, probabilities outside of (0, 1], blind units outside the assisted phase.
    """
    frame = sparse.csr_array(model, dtype=np.float64)
    size, cells = frame.shape
    rows, codes = _ints(blind_rows), np.asarray(blind, np.float64).reshape(-1, cells)
    strata = np.zeros(size, np.int64) if stratum is None else _ints(stratum)
    authors = np.arange(size, dtype=np.int64) if author is None else _ints(author)
    _check_rows("blind", rows, codes, size)
    if strata.shape != (size,) or authors.shape != (size,):
        raise TableError(f"strata and authors: one number is needed for each of {size} units")
    if size and min(strata.min(), authors.min()) < 0:
        raise TableError("strata and authors: numbers count from 0")
    coded = np.bincount(strata[rows], minlength=int(strata.max(initial=0)) + 1)
    taken = coded if drawn is None else _ints(drawn)
    if taken.shape != coded.shape or (taken < coded).any():
        raise TableError("drawn units: a number for each stratum, no fewer than were coded")
    chance = _chances(probability, taken, strata, rows)
    marks = np.zeros(cells, bool) if known is None else np.asarray(known, bool)
    if marks.shape != (cells,):
        raise TableError(f"known: one mark is needed for each of {cells} cells")
    if assisted is not None:
        _check_rows("assisted", assisted.rows, assisted.codes, size)
        if not np.isin(rows, assisted.rows).all():
            raise TableError("two phases: a unit coded blind is not among the assisted ones")
    return PhaseSample(frame, strata, authors, rows, codes, chance, taken, marks, assisted)


def response_rates(sample: PhaseSample) -> ResponseRates:
    """How many of the units drawn were coded, by stratum."""
    coded = np.bincount(sample.stratum[sample.blind_rows], minlength=sample.drawn.size)
    with np.errstate(invalid="ignore"):
        return ResponseRates(sample.drawn, coded, coded / sample.drawn)


def sample_weights(sample: PhaseSample) -> SampleWeights:
    """Weights N_h (1/pi_i) / sum over the coded units of stratum h of 1/pi.

    Where units of a stratum were drawn alike that is N_h / n_h, n_h those that were coded. A
    stratum with fewer than two coded units (unless all of it is coded) is joined with the next.
    """
    return weights_of(sample.stratum, sample.blind_rows, 1 / sample.probability)


def weights_of(
    stratum: Ints, rows: Ints, base: Floats, mass: Floats | None = None
) -> SampleWeights:
    """`sample_weights` of the units `rows` of a frame with these strata, shape (N,).

    `base`, shape (n,): the weights before they are made to add up to the size of their stratum;
    `mass`, shape (N,): what each unit of the frame counts, where that is not 1.
    """
    many = int(stratum.max(initial=0)) + 1
    units = np.bincount(stratum, minlength=many)
    joined = _joined_strata(units, np.bincount(stratum[rows], minlength=many))
    frame = joined[stratum]
    own = frame[rows]
    size = np.bincount(frame, mass, minlength=int(joined.max(initial=0)) + 1).astype(np.float64)
    coded = np.bincount(own, minlength=size.size)
    total = np.bincount(own, base, minlength=size.size)
    return SampleWeights(base * size[own] / total[own], own, frame, size, coded)


def _joined_strata(size: Ints, coded: Ints) -> Ints:
    """The new number of each stratum, those too thinly coded joined with the next."""
    label = np.empty(size.size, np.int64)
    current = have = room = 0
    for place in range(size.size):
        label[place] = current
        have += int(coded[place])
        room += int(size[place])
        if room and (have >= 2 or have == room):
            current, have, room = current + 1, 0, 0
    label[label == current] = max(current - 1, 0)
    return label


def _chances(probability: ArrayLike | None, drawn: Ints, stratum: Ints, rows: Ints) -> Floats:
    if probability is None:
        share = drawn / np.maximum(1, np.bincount(stratum, minlength=drawn.size))
        return np.asarray(share[stratum[rows]], np.float64)
    chance = np.asarray(probability, np.float64)
    if chance.shape != rows.shape or not ((chance > 0) & (chance <= 1)).all():
        raise TableError("probability of drawing: one in (0, 1] is needed for each blind unit")
    return chance


def _check_rows(which: str, rows: Ints, codes: Floats, size: int) -> None:
    if rows.ndim != 1 or codes.shape[0] != rows.size:
        raise TableError(f"{which} units: {rows.size} rows of the frame, but {len(codes)} codings")
    if rows.size and (rows.min() < 0 or rows.max() >= size):
        raise TableError(f"{which} units: a row lies outside of the frame of {size} units")
    if np.unique(rows).size != rows.size:
        raise TableError(f"{which} units: a unit of the frame comes twice")
    if not np.isfinite(codes).all():
        raise TableError(f"{which} units: a number is missing")


def _ints(values: ArrayLike) -> Ints:
    return np.asarray(values, np.int64)
