"""Chance that a hash decides: one coder of a unit, an equal chance for units drawn unequally.

Whoever asks again with the same seed gets the same answer, and a unit's fate does not hang on
which other units there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labeler.keys import key, keyed

DIGITS = 13  # hexadecimal digits that a float holds exactly
EQUAL = 1e-9  # relative difference of two probabilities that are one


def one_coder(unit: str, coders: Iterable[str], *, seed: int) -> str:
    """One of the coders of a unit, each as likely as another over the seeds."""
    return min(coders, key=lambda coder: key({"seed": seed, "unit": unit, "coder": coder}))


def kept(probabilities: Mapping[str, float], *, seed: int) -> set[str]:
    """Units that were drawn with these probabilities → those left when all had the smallest.

    A unit stays with the chance min(p) / p, independently of the others (thinning); where all
    probabilities are equal, all stay.
    """
    least = min(probabilities.values(), default=1.0)
    return {
        unit
        for unit, chance in probabilities.items()
        if chance <= least * (1 + EQUAL) or _uniform(seed, unit) < least / chance
    }


def audited(units: Iterable[str], *, share: float, secret: bytes) -> set[str]:
    """The units that people see nevertheless: each with the chance `share`, by a keyed hash.

    Without the secret nobody, model or coder, can tell which.
    """
    found = set()
    for unit in units:
        if _share(keyed({"unit": unit, "purpose": "audit"}, secret=secret)) < share:
            found.add(unit)
    return found


def _uniform(seed: int, unit: str) -> float:
    """A number from 0 up to 1 that belongs to the unit."""
    return _share(key({"seed": seed, "unit": unit, "for": "thinning"}))


def _share(drawn: str) -> float:
    """A key as a number from 0 up to 1."""
    return int(drawn[:DIGITS], 16) * 16.0**-DIGITS
