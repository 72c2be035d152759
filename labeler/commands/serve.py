"""`labeler serve`."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click
import waitress

from labeler.commands.options import study_of
from labeler.commands.output import told
from labeler.errors import ProjectError
from labeler.project import Project
from labeler.web import create_app

HOST = "127.0.0.1"
PORT = 8321
BODY = 2**20  # bytes: a hint of Label Studio is small


@click.command("serve")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(1, 65535))
@click.pass_context
def command(context: click.Context, port: int) -> None:
    """Show the report on a page of this machine, until Ctrl-C. It reads and changes nothing.

    At /hook it takes Label Studio's hints for `labeler pull --watch --hook`.
    """
    with serving(study_of(context).project, port=port) as address:
        click.echo(f"report: {address}")
        told("Ctrl-C ends it")
        until_interrupted()
    told("ended")


@contextmanager
def serving(project: Project, *, port: int) -> Iterator[str]:
    """The report's address, answered by a thread of this process for as long as the block runs.

    `port` 0 takes any free one. Raises ProjectError where the port is taken.
    """
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a page that waits is no news
    try:
        server = waitress.create_server(
            create_app(project), host=HOST, port=port, max_request_body_size=BODY
        )
    except OSError as error:
        raise ProjectError(
            f"--port: {port} cannot be had: {error.strerror}; name another"
        ) from error
    thread = threading.Thread(target=server.run, name="report", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.effective_port}/"
    finally:
        server.close()


def until_interrupted() -> None:
    """Wait for Ctrl-C or a polite request to end (SIGTERM)."""
    asked = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: asked.set())
    try:
        with contextlib.suppress(KeyboardInterrupt):
            while not asked.wait(0.5):
                pass
    finally:
        signal.signal(signal.SIGTERM, before)
