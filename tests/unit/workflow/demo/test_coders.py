"""Made-up coders depart from the reference here and there, and always within the codebook."""

from __future__ import annotations

import pytest
from places import ROOT

from labeler.codebook.codebook import Codebook, read
from labeler.coders import answers
from labeler.keys import canonical
from labeler.workflow.demo.answers import chances
from labeler.workflow.demo.coders import DEPARTS, departed
from labeler.workflow.demo.sample import sample_posts


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    path = ROOT / "codebook" / "llm-mental-health.yaml"
    return read(path.read_text(encoding="utf-8"), source=path.name)


def test_each_departs_a_little_and_not_alike(codebook: Codebook) -> None:
    """What two coders give to the whole sample can be read, and differs in the codes told of."""
    changed = {"human:ada": 0, "human:ben": 0}
    alike = segments = 0
    for name, post in sample_posts().items():
        given = {}
        for coder in changed:
            given[coder] = departed(post.coding, codebook, chances(coder, name))
            answers.read(canonical(given[coder]), post.text, codebook)
        first, second = (given[coder]["segments"] for coder in changed)
        for coder, own in zip(changed, (first, second), strict=True):
            told = post.coding["segments"]
            if len(own) == len(told):
                changed[coder] += sum(
                    a["codes"]["impact"] != b["codes"]["impact"]
                    for a, b in zip(own, told, strict=True)
                )
        segments += len(post.coding["segments"])
        alike += first == second
    # a departure draws one of four codes, which may be the same one
    for times in changed.values():
        assert 0.6 < times / (0.75 * DEPARTS["impact"] * segments) < 1.3
    assert 0.5 < alike / len(sample_posts()) < 0.9


def test_what_is_not_relevant_has_no_segments(codebook: Codebook) -> None:
    """A coder who finds a post not relevant marks nothing in it."""
    for name, post in sample_posts().items():
        given = departed(post.coding, codebook, chances("human:cy", name))
        assert given["variables"]["relevance"] == "relevant" or not given["segments"]
