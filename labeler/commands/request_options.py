"""Options of the commands that ask a model: which posts, with what prompt, at what cost, how fast.

`prelabel`, `pilot` and `jobs submit` share them; together they make RequestSettings.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from labeler.coders.llm.model import RequestSettings
from labeler.commands.options import Command

POSTS = "Which posts"
PROMPT = "What is asked"
COST = "What it costs"
SPEED = "How fast"

SECTIONS = {
    POSTS: ("coder", "posts", "limit", "replicates", "retry_errors", "reparse"),
    PROMPT: (
        "several",
        "examples",
        "examples_from",
        "logprobs",
        "answer_limit",
        "subreddits",
        "canary",
    ),
    COST: ("dry_run", "budget", "prices"),
    SPEED: ("concurrency", "requests_per_minute", "tokens_per_minute", "patience", "cluster"),
}


def _amount() -> click.FloatRange:
    return click.FloatRange(0, min_open=True)


prices_option = click.option(
    "--prices",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A price file of your own.",
)
OPTIONS = {
    POSTS: [
        click.option("--limit", metavar="N", type=click.IntRange(1), help="About N posts at most."),
        click.option(
            "--replicates",
            metavar="N",
            default=1,
            show_default=True,
            type=click.IntRange(1, 50),
            help="Each post N times: how stable is the model?",
        ),
        click.option("--retry-errors", is_flag=True, help="Those whose answer was an error again."),
    ],
    PROMPT: [
        click.option(
            "--several",
            metavar="N",
            default=1,
            show_default=True,
            type=click.IntRange(1, 25),
            help="N posts a request; needs `labeler pilot`.",
        ),
        click.option(
            "--examples",
            metavar="N",
            default=0,
            show_default=True,
            type=click.IntRange(0, 50),
            help="Show N adjudicated units in the prompt.",
        ),
        click.option(
            "--examples-from",
            metavar="BATCH",
            multiple=True,
            help="Whose units may be shown; can be repeated.",
        ),
        click.option("--logprobs", is_flag=True, help="Ask how probable each code is."),
        click.option(
            "--answer-limit",
            metavar="TOKENS",
            default=2000,
            show_default=True,
            type=click.IntRange(16),
            help="An answer's longest; cut ones get 4×.",
        ),
        click.option("--subreddits", is_flag=True, help="Hide names of subreddits as well."),
        click.option(
            "--canary/--no-canary",
            default=True,
            help="First see whether the model obeys posts.",
        ),
    ],
    COST: [
        click.option("--budget", metavar="SUM", type=_amount(), help="Never spend more in all."),
        prices_option,
    ],
    SPEED: [
        click.option(
            "--concurrency",
            metavar="N",
            default=64,
            show_default=True,
            type=click.IntRange(1, 2000),
            help="Requests in flight at most.",
        ),
        click.option(
            "--requests-per-minute", metavar="N", type=_amount(), help="The account's limit."
        ),
        click.option(
            "--tokens-per-minute", metavar="N", type=_amount(), help="The account's limit."
        ),
        click.option(
            "--patience",
            metavar="SECONDS",
            default=120.0,
            show_default=True,
            type=click.FloatRange(0),
            help="Wait so long for a lost server.",
        ),
    ],
}


def request_options(*sections: str) -> Callable[[Command], Command]:
    """The options of some sections, in their order."""

    def decorated(command: Command) -> Command:
        options = [option for section in sections for option in OPTIONS[section]]
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


def request_settings(given: dict[str, Any]) -> RequestSettings:
    """The settings among a command's options; UsageError where two exclude each other."""
    own = {name: value for name, value in given.items() if name in RequestSettings._fields}
    settings = RequestSettings(**own)
    if settings.logprobs and settings.several > 1:
        raise click.UsageError("--logprobs goes with one post a request: leave --several out")
    return settings
