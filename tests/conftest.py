"""What every test has: settings of hypothesis, and an order. Servers are in `program/`."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings
from thorough import USUAL, repetitions

# A busy machine is no defect: no example is failed, and no test given up, for the time it took.
settings.register_profile(
    "labeler",
    max_examples=repetitions(USUAL),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("labeler")

# Who runs the tests in the background has Ctrl-C ignored, and all that they start would inherit it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that run programs: what is left to the end should be short."""
    items.sort(key=lambda item: "program" not in item.path.parts)
