"""How a long run tells where it stands: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as ProgressBar

from labeler.coders.llm.run import RunProgress
from labeler.commands.output import told

EVERY = 10.0  # seconds between two plain lines


class ProgressDisplay:
    """A context whose methods `progress` and `report` write to stderr."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False)
        self._bar: ProgressBar | None = None
        if console.is_terminal and sys.stderr.isatty():
            self._bar = ProgressBar(
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TextColumn("{task.description}", markup=False),
                console=console,
                transient=True,
            )
        self._task: TaskID | None = None
        self._last: RunProgress | None = None
        self._due = time.monotonic() + EVERY

    def __enter__(self) -> ProgressDisplay:
        """Begin to show."""
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("", total=None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the last state as a plain line."""
        if self._bar is not None:
            self._bar.stop()
        if self._last is not None:
            told(line(self._last))

    def report(self, text: str) -> None:
        """A line that stays."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False)
        else:
            told(text)

    def progress(self, state: RunProgress) -> None:
        """Where the run stands now."""
        self._last = state
        if self._bar is not None and self._task is not None:
            self._bar.update(
                self._task, completed=state.done, total=state.total, description=_words(state)
            )
        elif time.monotonic() >= self._due:
            self._due = time.monotonic() + EVERY
            told(line(state))


def line(state: RunProgress) -> str:
    """The state in one plain line."""
    return f"{state.done:,} of {state.total:,} answers, {_words(state)}"


def _words(state: RunProgress) -> str:
    parts = [f"{state.rate:,.1f} a second", f"{state.flying} in flight", state.spent]
    if state.again:
        parts.append(f"given again after {_counted(state.again)}")
    if state.errors:
        parts.append(f"without codes: {_counted(state.errors)}")
    if state.left is not None and state.done < state.total:
        parts.append(f"{_span(state.left)} left")
    return ", ".join(parts)


def _counted(times: dict[str, int]) -> str:
    return " ".join(f"{number}×{kind}" for kind, number in sorted(times.items()))


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{seconds / 3600:.1f} h"
