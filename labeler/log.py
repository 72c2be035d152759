"""The log of calls to services: method, address, status, seconds, attempt; no text and no key.

Nothing is written until `to_file` names a file. The address is logged without user, password and
query, any of which may be a secret.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from labeler import hints
from labeler.errors import ProjectError

CALLS = logging.getLogger("labeler.calls")
CALLS.propagate = False
CALLS.addHandler(logging.NullHandler())


@dataclass
class ServiceCall:
    """One attempt at a call; whoever makes it sets the status of the reply."""

    status: int | None = None


@contextmanager
def service_call(method: str, url: str, *, attempt: int = 1) -> Iterator[ServiceCall]:
    """Log the call that is made within; without a reply, the kind of the error that ended it."""
    call = ServiceCall()
    if not CALLS.isEnabledFor(logging.INFO):
        yield call
        return
    began = time.monotonic()
    try:
        yield call
    finally:
        error = sys.exc_info()[0]
        kind = "no reply" if error is None else error.__name__
        outcome = kind if call.status is None else call.status
        seconds = time.monotonic() - began
        CALLS.info("%s %s %s %.3f s attempt %d", method, _bare(url), outcome, seconds, attempt)


def to_file(path: Path) -> logging.Handler:
    """Write calls to the end of a file from now on; `end` ends that.

    ProjectError where the file cannot be written.
    """
    try:
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise ProjectError(
            f"{path} cannot be written: {error.strerror}", hint=hints.OTHER_LOG
        ) from error
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    CALLS.addHandler(handler)
    CALLS.setLevel(logging.INFO)
    return handler


def end(handler: logging.Handler) -> None:
    """Write no more to this handler's file."""
    CALLS.removeHandler(handler)
    handler.close()


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
