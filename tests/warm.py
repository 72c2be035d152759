"""`labeler` in a process of its own that has its libraries loaded already.

Most of a command's time in a test is the loading of libraries. `Warm` starts one program that
has loaded them and does nothing else; for each command it forks, and the fork runs `labeler`
with its own environment, folder and files, as a freshly started one would. Commands that a test
kills are begun without it.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

FILES = 3  # standard input, output, error


class Warm:
    """The program that forks, and the way to it; ended with this process."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="warm-")
        self._address = str(Path(self._folder.name) / "door")
        given = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "LANG": "C.UTF-8"}
        command = [sys.executable, "-W", "error", __file__, self._address]
        self._program = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=given
        )
        assert self._program.stdout is not None
        assert self._program.stdout.readline() == b"ready\n"

    def run(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        folder: str,
        files: tuple[int, BinaryIO, BinaryIO],
        seconds: float,
    ) -> int:
        """Run `labeler` with these words; its exit code. Killed, with TimeoutError, if too slow."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(seconds)
            line.connect(self._address)
            asked = json.dumps([list(words), dict(environment), folder]).encode()
            fds = [files[0], files[1].fileno(), files[2].fileno()]
            socket.send_fds(line, [len(asked).to_bytes(8, "big")], fds)
            line.sendall(asked)
            with line.makefile("rb") as answers:
                pid = int(answers.readline())
                try:
                    return int(answers.readline())
                except TimeoutError:
                    os.kill(pid, signal.SIGKILL)
                    raise

    def close(self) -> None:
        """End the program; what it forked has ended, or ends by itself."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.close()
        self._program.stdout.close()
        self._program.wait(20)
        self._folder.cleanup()


@functools.cache
def warm() -> Warm:
    """The one of this process."""
    return Warm()


def _serve(address: str) -> None:
    """Fork for each command that comes, until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen(16)
        _tell("ready")
        while True:
            ready, _, _ = select.select([door, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            line, _ = door.accept()
            if not os.fork():
                door.close()
                _keep(line)
            line.close()


def _keep(line: socket.socket) -> None:
    """Fork once more: the child becomes the command, the parent tells how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, fds, _, _ = socket.recv_fds(line, 8, FILES)
    size = int.from_bytes(head, "big")
    asked = b""
    while len(asked) < size:
        asked += line.recv(size - len(asked))
    words, environment, folder = json.loads(asked)
    child = os.fork()
    if not child:
        line.close()
        _become(words, environment, folder, fds)
    with contextlib.suppress(BrokenPipeError):  # whoever asked has given up
        line.sendall(f"{child}\n".encode())
        _, status = os.waitpid(child, 0)
        line.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(words: list[str], environment: dict[str, str], folder: str, fds: list[int]) -> None:
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["labeler", *words]
    ended = importlib.import_module("labeler.cli").run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ended)


def _load() -> None:
    """All of labeler, and the libraries that it loads when they are needed."""
    package = importlib.import_module("labeler")
    elsewhere = (  # not loaded by a command, or not by every one
        "labeler.resources.",
        "labeler.coders.embedding.model",
        "labeler.studio.server.launcher",
    )
    for found in pkgutil.walk_packages(package.__path__, "labeler."):
        if not found.name.startswith(elsewhere):
            importlib.import_module(found.name)


def _tell(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


if __name__ == "__main__":
    _load()
    gc.freeze()
    _serve(sys.argv[1])
