"""How often a test draws: as often as it says, or a share of that.

`make test` draws all; `make check`, which people run between two edits, a share
(`LABELER_TEST_SHARE`, 0 to 1). What is asserted is true of any number of draws.
"""

from __future__ import annotations

import os

from hypothesis import settings

SHARE = float(os.environ.get("LABELER_TEST_SHARE") or 1)
USUAL = 100  # examples of a test that names no number, as hypothesis has it


def repetitions(number: int) -> int:
    """The share of a number of draws, at least five."""
    return max(min(number, 5), round(number * SHARE))


def examples(number: int) -> settings:
    """Hypothesis's settings for a number of examples."""
    return settings(max_examples=repetitions(number))
