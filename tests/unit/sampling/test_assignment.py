"""Who gets which unit: balance and bars, by hand and over many drawn cases."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from thorough import examples

from labeler.sampling import assignment


@examples(60)
@given(st.integers(1, 5), st.integers(0, 30), st.integers(0, 2**20), st.data())
def test_loads_of_several_differ_by_one(coders, units, seed, data):
    """Each unit has so many different coders, and no coder two more than another."""
    each = data.draw(st.integers(1, coders))
    names = [f"c{place}" for place in range(coders)]
    given_ = assignment.several([f"u{n}" for n in range(units)], names, each=each, seed=seed)
    assert all(len(set(own)) == each for own in given_.values())
    load = Counter(coder for own in given_.values() for coder in own)
    assert max(load[name] for name in names) - min(load[name] for name in names) <= 1


def test_a_chain_evens_out_what_a_bar_made_uneven():
    """a is kept from w, b from x, y and z, c from nothing: b ends with w, the rest is shared.

    Else b would have none while another has two.
    """
    kept = {"w": ["a"], "x": ["b"], "y": ["b"], "z": ["b"]}
    for seed in range(20):
        found = assignment.one(["w", "x", "y", "z"], ["a", "b", "c"], seed=seed, kept_from=kept)
        assert sorted(Counter(found.values()).items()) in (
            [("a", 1), ("b", 1), ("c", 2)],
            [("a", 2), ("b", 1), ("c", 1)],
        )
        assert all(coder not in kept[unit] for unit, coder in found.items())


def test_a_unit_kept_from_everybody_is_named():
    """There is nobody to give it to."""
    with pytest.raises(KeyError, match="w"):
        assignment.one(["w"], ["a"], seed=1, kept_from={"w": ["a"]})
