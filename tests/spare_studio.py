"""A Label Studio that a test may kill, start again and change."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any, NamedTuple

from waiting import until

from labeler.studio.server import server as studio_server
from labeler.studio.server.server import Server


class Spare(NamedTuple):
    """A Label Studio that a test may kill, start again and change; it ends with the session."""

    data: Path
    environment: Path

    def start(self, **options: Any) -> Server:
        return studio_server.start(self.data, environment=self.environment, **options)

    def kill(self) -> None:
        """SIGKILL, as a machine that loses its power."""
        server = studio_server.status(self.data)
        assert server is not None
        os.kill(server.pid, signal.SIGKILL)
        until(lambda: studio_server.status(self.data) is None, what="its end")

    @property
    def server(self) -> Server:
        """The server as it runs; started where it does not."""
        return studio_server.status(self.data) or self.start()
