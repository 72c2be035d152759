"""Where the Label Studio of the tests is installed; as a program: installs it, ahead of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from labeler.errors import LabelerError
from labeler.studio.server.blank import prepare
from labeler.studio.server.environment import environment, silent


def place(report: Callable[[str], None] = silent) -> Path:
    """The environment that LABELER_STUDIO_ENV names, or that in the user's cache; made if missing.

    Programs that ask at once wait for the one that makes it.
    """
    named = os.environ.get("LABELER_STUDIO_ENV")
    return environment(folder=Path(named) if named else None, report=report)


if __name__ == "__main__":
    try:
        prepare(place(print), print)
    except (LabelerError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"error: {error}")
