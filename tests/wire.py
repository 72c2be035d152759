"""A stretch of network that a test can cut or make long: a TCP relay on loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

STEP = 0.05


class Wire:
    """Carries bytes between `address` and a server, but for while it is `cut`.

    A cut wire carries nothing and says nothing: connections stay open, as when a cable is pulled.
    What goes to the server is `late` by so many seconds, so that a kill can come between two
    requests on a fast machine as on a slow one.
    """

    def __init__(self, port: int, late: float) -> None:
        self._port = port
        self._late = late
        self._whole = threading.Event()
        self._whole.set()
        self._ended = threading.Event()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._door.getsockname()[1]}"

    def cut(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        self._whole.set()

    def serve(self) -> None:
        while not self._ended.is_set():
            with suppress(OSError):
                near, _ = self._door.accept()
                threading.Thread(target=self._joined, args=[near], daemon=True).start()

    def close(self) -> None:
        self._ended.set()
        self._whole.set()
        self._door.close()

    def _joined(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self._port)) as far:
            back = threading.Thread(target=self._carry, args=[far, near, 0.0], daemon=True)
            back.start()
            self._carry(near, far, self._late)
            back.join()

    def _carry(self, source: socket.socket, target: socket.socket, late: float) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 20):
                time.sleep(late)
                while not self._whole.wait(STEP):
                    pass
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@contextmanager
def wire(address: str, *, late: float = 0.0) -> Iterator[Wire]:
    """A wire to the server at this address of this machine, whole at first."""
    made = Wire(int(address.rsplit(":", 1)[1]), late)
    thread = threading.Thread(target=made.serve, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.close()
