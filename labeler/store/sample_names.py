"""The name of a study sample: that of its one batch, or those of several joined by `+`.

No batch can have a `+` in its name, so the name of a sample says of which batches it is, and every
table of results that is kept by batch holds those of several batches as well.
"""

from __future__ import annotations

from collections.abc import Iterable

from labeler.keys import key

BETWEEN = "+"
LONGEST = 150  # characters that the name of a folder may have


def sample_name(batches: Iterable[str]) -> str:
    """The name of the study sample of these batches, in their order."""
    return BETWEEN.join(batches)


def members(sample: str) -> list[str]:
    """The batches of a study sample, in its order."""
    return sample.split(BETWEEN)


def folder_name(sample: str) -> str:
    """What a folder of the sample is called: its name, or one that stands for a long name."""
    own = members(sample)
    if len(sample) <= LONGEST or len(own) == 1:
        return sample
    return sample_name([own[0], f"{len(own) - 1}-further-{key(own)[:8]}"])
