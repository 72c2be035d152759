"""Long lists of options told by sections, a line each, so that `--help` fits on a screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click


class SectionedCommand(click.Command):
    """A command whose `--help` lists its options under headings.

    `sections` maps each heading to the options below it, by their parameters' names; an option
    that no section names stands at the end.
    """

    def __init__(self, *args: Any, sections: Mapping[str, tuple[str, ...]], **attrs: Any) -> None:
        super().__init__(*args, **attrs)
        self.sections = sections

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options by section; a default stands in parentheses, a range in the error alone."""
        left = {option.name: option for option in self.get_params(ctx)}
        for heading, names in self.sections.items():
            own = [left.pop(name) for name in names if name in left]
            _write(ctx, formatter, heading, own)
        _write(ctx, formatter, "Else", list(left.values()))


def _write(
    ctx: click.Context,
    formatter: click.HelpFormatter,
    heading: str,
    options: list[click.Parameter],
) -> None:
    records = [_record(ctx, option) for option in options]
    if records:
        with formatter.section(heading):
            formatter.write_dl(records)


def _record(ctx: click.Context, option: click.Parameter) -> tuple[str, str]:
    """The option as it is written, and what it does."""
    assert isinstance(option, click.Option)
    names = ", ".join(option.opts)
    if option.secondary_opts:
        names += f" / {', '.join(option.secondary_opts)}"
    if not option.is_flag:
        names += f" {option.make_metavar(ctx)}"
    default = f" ({option.default})" if option.show_default else ""
    return names, f"{option.help}{default}"
