"""Keys: the same content gives the same key, anything else another one."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.keys import canonical, key, keyed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=8,
)


def test_a_key_is_the_start_of_a_known_digest():
    """SHA-256 of {"a":1,"b":"ä"} in UTF-8, made with hashlib from the text as written here."""
    text = '{"a":1,"b":"ä"}'
    assert canonical({"b": "ä", "a": 1}) == text
    assert key({"b": "ä", "a": 1}) == hashlib.sha256(text.encode()).hexdigest()[:32]


def test_the_key_of_the_empty_object_is_published():
    """The SHA-256 of the two bytes {} begins with 44136fa355b3678a, as any tool says."""
    assert key({}).startswith("44136fa355b3678a")


@given(JSON)
def test_order_of_names_makes_no_difference(content):
    """The same content with its names turned round has the same key."""

    def turned(part):
        if isinstance(part, dict):
            return {name: turned(part[name]) for name in reversed(part)}
        return [turned(one) for one in part] if isinstance(part, list) else part

    assert key(turned(content)) == key(content)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, "1"), (None, ""), (["a", "b"], ["b", "a"]), (["ab"], ["a", "b"]), (True, 1), ({}, [])],
)
def test_different_contents_have_different_keys(one, other):
    """Type, order and borders of the parts all count."""
    assert key(one) != key(other)


def test_a_keyed_hash_needs_the_secret():
    """The hash of an author is HMAC-SHA-256 under the project's secret, and no plain key."""
    made = keyed("ada", secret=b"s" * 32)
    assert made == hmac.new(b"s" * 32, b'"ada"', hashlib.sha256).hexdigest()[:32]
    assert made not in (keyed("ada", secret=b"t" * 32), key("ada"))
