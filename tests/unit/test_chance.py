"""Chance by hash: equal chances out of unequal ones, one coder of several, the audit."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from labeler import chance

UNITS = [f"u{number:04}" for number in range(4000)]
SECRET = b"made up for this test"


def test_equal_chances_lose_nobody() -> None:
    """Probabilities that differ by rounding alone are one."""
    chances = {unit: 0.3 * (1 + 1e-12 * (place % 2)) for place, unit in enumerate(UNITS)}
    assert chance.kept(chances, seed=1) == set(UNITS)
    assert chance.kept({}, seed=1) == set()


def test_unequal_chances_become_equal() -> None:
    """Drawn with .2 and .8: all of the first stay, and about a quarter of the others."""
    chances = {unit: 0.2 if place % 2 else 0.8 for place, unit in enumerate(UNITS)}
    found = chance.kept(chances, seed=1)
    rare = {unit for unit in UNITS if chances[unit] == 0.2}
    assert rare <= found
    assert 400 < len(found - rare) < 600
    assert chance.kept(chances, seed=2) != found


@given(st.sets(st.sampled_from(UNITS[:50])))
def test_a_unit_does_not_hang_on_others(units) -> None:
    """With the rarest unit always there, each other unit stays or goes on its own."""
    chances = dict.fromkeys(units, 0.5) | {"rare": 0.1}
    whole = dict.fromkeys(UNITS[:50], 0.5) | {"rare": 0.1}
    assert chance.kept(chances, seed=1) == chance.kept(whole, seed=1) & chances.keys()


def test_each_coder_is_as_likely() -> None:
    """Over many units; and the order of the coders says nothing."""
    coders = ["human:a", "human:b", "human:c"]
    turns = Counter(chance.one_coder(unit, coders, seed=1) for unit in UNITS)
    assert all(1200 < turns[coder] < 1470 for coder in coders)
    assert chance.one_coder("u", coders, seed=1) == chance.one_coder("u", coders[::-1], seed=1)


def test_the_audit_has_its_share() -> None:
    """About a tenth of 4,000; a larger share adds units; another secret takes others."""
    tenth = chance.audited(UNITS, share=0.1, secret=SECRET)
    assert 330 < len(tenth) < 470
    assert tenth < chance.audited(UNITS, share=0.3, secret=SECRET)
    assert tenth != chance.audited(UNITS, share=0.1, secret=SECRET + b".")
    assert chance.audited(UNITS, share=1.0, secret=SECRET) == set(UNITS)
