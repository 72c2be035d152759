"""`labeler coders add|list`."""

from __future__ import annotations

import click

from labeler.commands.options import json_option, study_of
from labeler.commands.output import as_json, table, told
from labeler.pipeline import study as study_of_record
from labeler.pipeline.studio import add_human


@click.group("coders")
def command() -> None:
    """The people who code, and their accounts."""


@command.command("add")
@click.argument("name")
@click.option("--email", default="", help="The account's e-mail; on a server of your own, needed.")
@click.pass_context
def add(context: click.Context, name: str, email: str) -> None:
    """Note NAME as a coder; on the local Label Studio, make an account with a first password.

    On a server of your own, print the address at which NAME makes an account, where it has none.
    """
    login = add_human(study_of(context), name, email=email)
    click.echo(f"{login.coder}  {login.email}")
    if login.password:
        click.echo(f"first password: {login.password}")
        told("the coder may change it after logging in; labeler stores it nowhere")
    for address in login.invitations:
        click.echo(f"invitation: {address}")
        told(f"{name} opens it and signs up as {login.email}; whoever has it can join")
    for note in login.notes:
        told(f"{note}; the same command again makes one")


@command.command("list")
@json_option
@click.pass_context
def show(context: click.Context, machine: bool) -> None:
    """Who is known as a coder: people, models, cues."""
    study = study_of(context)
    people = study_of_record.coders(study, "human")
    others = {kind: list(study_of_record.coders(study, kind)) for kind in ("model", "cues")}
    if machine:
        as_json({"human": people, **others})
        return
    rows = [(coder, spec.get("email", "")) for coder, spec in people.items()]
    rows += [(coder, "") for known in others.values() for coder in known]
    table(["coder", "account"], rows)
