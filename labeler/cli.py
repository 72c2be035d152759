"""The command line: which commands there are, and how an error is told.

Each command lies in a module of its own under `labeler.commands` and is loaded when it is used,
so that `labeler --help` does not wait for libraries it does not need.
"""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import click

from labeler import __version__, log
from labeler.errors import LabelerError
from labeler.project import SETTINGS, Project, load

COMMANDS = {
    "init": "start a project in a folder",
    "status": "what is pending at each stage, and the next command",
    "doctor": "check Python, the store, Label Studio, the model server and the disk",
    "codebook": "check, show and compare codebooks",
    "ingest": "read posts from files",
    "prelabel": "let a model (or the cues coder) code each post",
    "jobs": "let a model code posts by jobs: half the price, within a day",
    "pilot": "what several posts a request cost in agreement",
    "learning-curve": "how well a classifier codes with more and more adjudicated units",
    "sample": "draw a batch: who codes what, blind or assisted",
    "codings": "bring in codings that were made elsewhere",
    "coders": "the people who code, and their accounts",
    "push": "bring a batch to Label Studio",
    "pull": "fetch what people coded",
    "findings": "what came back and does not fit: for whom to mend, with links",
    "reassign": "move what a coder has not coded yet to another one",
    "reliability": "agreement between coders, and the gate's verdicts",
    "aggregate": "shares per code, as far as the gate is open",
    "agreement": "every coefficient for any table of codings, without a project",
    "alt-test": "may a model stand in for a coder? For any table of codings",
    "anchoring": "what seeing a suggestion does to codes. For any table of codings",
    "export": "write a batch's tables to exports/",
    "verify": "compute every number of an exported bundle again, and compare",
    "serve": "show the report on a page",
    "studio": "the Label Studio that labeler starts",
    "demo": "the whole way once, on made-up posts",
}


SECRETS = ("OPENAI_API_KEY", "LABEL_STUDIO_API_KEY", "LABEL_STUDIO_BLIND_API_KEY")


class Context(NamedTuple):
    """What every command gets: the folder and settings as given, read when asked for."""

    root: Path
    options: dict[str, str | None]
    verbose: bool

    def project(self) -> Project:
        """The project that the options, the environment and the files describe."""
        return load(self.root, self.options, os.environ)


class Commands(click.Group):
    """The commands, each loaded when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names, in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load one command from its module."""
        if cmd_name not in COMMANDS:
            return None
        found = import_module(f"labeler.commands.{cmd_name.replace('-', '_')}").command
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in `--help`, without loading anything."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="labeler")
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    envvar="LABELER_ROOT",
    help="The project's folder.  [default: here]",
)
@click.option("--database", metavar="URL", help=f"{SETTINGS['database'].capitalize()}.")
@click.option("--codebook", metavar="FILE", help="The codebook, seen from the project's folder.")
@click.option(
    "--blind-studio", metavar="URL", help="A second Label Studio, for the blind arm alone."
)
@click.option(
    "--log",
    "log_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="LABELER_LOG",
    help="Note each call to a server there: method, address, status, seconds, attempt.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def labeler(
    context: click.Context,
    root: Path,
    database: str | None,
    codebook: str | None,
    blind_studio: str | None,
    log_file: Path | None,
    verbose: bool,
) -> None:
    """A model pre-labels posts, people verify, reliability decides.

    Settings come from options, else from LABELER_… variables, else from labeler.cfg. Keys come
    from the environment alone: OPENAI_API_KEY, LABEL_STUDIO_API_KEY, LABEL_STUDIO_BLIND_API_KEY.

    Exit codes: 0 done, 1 error, 2 usage, 3 the gate is shut, 75 a service was unavailable (run
    the same command again).
    """
    given = {"database": database, "codebook": codebook, "blind_studio_url": blind_studio}
    context.obj = Context(root, given, verbose)
    if log_file is not None:
        handler = log.to_file(log_file)
        context.call_on_close(lambda: log.end(handler))


def run() -> int:
    """Run a command; its exit code. The one place where errors are printed."""
    try:
        ended = labeler.main(standalone_mode=False)
    except click.Abort:
        click.echo("interrupted: what was finished is kept", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except LabelerError as error:
        if {"-v", "--verbose"} & set(sys.argv[1:]):
            click.echo(_hidden(traceback.format_exc()), err=True)
        else:
            click.echo(f"error: {_hidden(str(error))}", err=True)
        if error.hint is not None:
            click.echo(f"hint: {_hidden(error.hint.terminal)}", err=True)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return ended if isinstance(ended, int) else 0


def _hidden(text: str) -> str:
    """The text without the keys, should a server's words or a traceback repeat one."""
    for name in SECRETS:
        secret = os.environ.get(name, "").strip()
        if secret:
            text = text.replace(secret, f"[{name}]")
    return text
