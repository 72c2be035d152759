"""The interval of a watch: from start to start."""

from __future__ import annotations

import pytest

from labeler.studio.watch import wait


class Clock:
    """A clock that only moves when somebody sleeps."""

    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


@pytest.mark.parametrize(("took", "begins"), [(12, 130), (0, 130), (30, 130), (45, 145)])
def test_the_time_a_pull_takes_is_part_of_the_interval(took, begins):
    """Begun at 100, every 30 s: the next at 130, or at once where the pull took longer."""
    clock = Clock(100 + took)
    wait(100 + 30, lambda: False, clock=clock.now, sleep=clock.sleep)
    assert clock.at == pytest.approx(begins)


def test_a_hint_ends_the_waiting():
    """What is over is not waited for."""
    clock = Clock(100)
    wait(130, lambda: clock.at >= 110, clock=clock.now, sleep=clock.sleep)
    assert clock.at == pytest.approx(110, abs=0.25)
