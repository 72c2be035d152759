"""A Dask cluster: whom there is to ask, one portion at a time to each, and what came back.

Nothing here decides. `distributed` is loaded when a cluster is used (extra `labeler[cluster]`).
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, NamedTuple

from labeler import hints
from labeler.errors import ProjectError, ServiceUnavailable

SERVICE = "the Dask cluster"
SCHEDULER = "the scheduler"
RESULT_SECONDS = 10.0


class WorkerFuture(NamedTuple):
    """A portion that a worker is asking: at which worker, and Dask's hold on it."""

    worker: str
    future: Any


class PortionEnd(NamedTuple):
    """A portion that ended: its name, whose it was, and what its function returned."""

    name: str
    worker: str
    result: Any


class DaskCluster:
    """An open connection to a scheduler; see `connected`."""

    def __init__(self, address: str, client: Any) -> None:
        self.address = address
        self._client = client
        self._out: dict[str, WorkerFuture] = {}

    def workers(self) -> list[str]:
        """The addresses of the workers there are, in order."""
        with self._named():
            return sorted(self._client.nthreads())

    def versions(self, package: str) -> dict[str, str | None]:
        """Worker's address (and `SCHEDULER`) → the version of a package there; None: none."""
        with self._named():
            found = self._client.get_versions(packages=[package])
        there = {**found["workers"], SCHEDULER: found["scheduler"]}
        return {who: (about or {}).get("packages", {}).get(package) for who, about in there.items()}

    def send(self, worker: str, name: str, function: Callable[[Any], Any], portion: Any) -> None:
        """Have one worker, and no other, call a function; `name` is its key and used once."""
        with self._named():
            future = self._client.submit(
                function, portion, workers=[worker], key=name, allow_other_workers=False, retries=0
            )
        self._out[name] = WorkerFuture(worker, future)

    def ended(self) -> list[PortionEnd]:
        """The portions that ended since; what a portion's function raised is raised here."""
        found = []
        for name, (worker, future) in list(self._out.items()):
            if future.status not in ("finished", "error"):
                continue
            with suppress(TimeoutError, CancelledError):  # its worker went away with the result
                found.append(PortionEnd(name, worker, future.result(timeout=RESULT_SECONDS)))
                del self._out[name]
                future.release()
        return found

    def lost(self) -> list[tuple[str, str]]:
        """Name and worker of the portions whose worker is gone; they are called back."""
        there = set(self.workers())
        gone = [
            (name, out.worker)
            for name, out in self._out.items()
            if out.future.status in ("cancelled", "lost")
            or (out.worker not in there and out.future.status == "pending")
        ]
        self.call_back([name for name, _ in gone])
        return gone

    def call_back(self, names: list[str] | None = None) -> None:
        """Cancel portions, or all that are out; a function that asks `still_wanted` hears of it."""
        for name in list(self._out) if names is None else names:
            with suppress(OSError, TimeoutError):
                self._out.pop(name).future.cancel()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (OSError, TimeoutError) as error:
            raise _gone(self.address, error) from error


@contextmanager
def connected(address: str, *, seconds: float = 20.0) -> Iterator[DaskCluster]:
    """The cluster whose scheduler is at `tcp://…` or `tls://…`.

    Raises ProjectError where Dask is missing or the address is none, ServiceUnavailable where
    nobody answers. What is still out at the end is called back.
    """
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise ProjectError("a cluster needs Dask", hint=hints.INSTALL_CLUSTER) from None
    if not address.startswith(("tcp://", "tls://")):
        raise ProjectError(f"{address} is no scheduler's address", hint=hints.SCHEDULER_ADDRESS)
    try:
        client = distributed.Client(address, timeout=seconds, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise _gone(address, error) from error
    except (ValueError, TypeError) as error:
        raise ProjectError(f"cluster {address}: {' '.join(str(error).split())}") from error
    cluster = DaskCluster(address, client)
    try:
        yield cluster
    finally:
        cluster.call_back()
        client.close(timeout=5)


def still_wanted() -> bool:
    """On a worker, in a portion: whether it is still to go on.

    No more when it was called back, when whoever sent it is gone, or when the worker is closing or
    has lost its scheduler.
    """
    distributed = import_module("distributed")
    worker = distributed.get_worker()
    task = worker.state.tasks.get(worker.get_current_task())
    return str(worker.status.name) == "running" and task is not None and task.state == "executing"


def _gone(address: str, error: Exception) -> ServiceUnavailable:
    words = " ".join(str(error).split()) or type(error).__name__
    return ServiceUnavailable(
        f"{SERVICE} at {address}: {words}; start `dask scheduler` and `dask worker {address}`, "
        "then run the same command again",
        service=SERVICE,
    )
