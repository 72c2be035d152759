"""How tests wait: for a condition, as long as it takes on any machine."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

SECONDS = 900  # after which a test gives up: no machine is so slow, so something hangs


def until(
    reached: Callable[[], object],
    process: subprocess.Popen[Any] | None = None,
    what: str = "the moment",
) -> None:
    """Wait until something is so; `process`, where one is named, must not end before."""
    deadline = time.monotonic() + SECONDS
    while not reached():
        assert process is None or process.poll() is None, f"it ended before {what} came"
        assert time.monotonic() < deadline, f"{what} never came"
        time.sleep(0.01)
