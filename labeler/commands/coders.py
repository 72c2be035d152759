"""`labeler coders add|set|list`."""

from __future__ import annotations

import click

from labeler.coding.vocabulary import KINDS, name_of
from labeler.commands.options import json_option, study_of
from labeler.commands.output import as_json, table, told
from labeler.studio.accounts import add_human
from labeler.study.study import coders, groups, set_group


@click.group("coders")
def command() -> None:
    """The people who code, and their accounts."""


@command.command("add")
@click.argument("name")
@click.option("--email", default="", help="The account's e-mail; on a server of your own, needed.")
@click.option("--new-password", is_flag=True, help="Set a new password; the old one ends.")
@click.option("--group", default="", help="The group that NAME belongs to, as of `coders set`.")
@click.pass_context
def add(context: click.Context, name: str, email: str, new_password: bool, group: str) -> None:
    """Note NAME as a coder; on the local Label Studio, make an account and print its password.

    The password is made at random, printed this once and stored nowhere by labeler. Where it is
    lost, --new-password sets another one.

    On a server of your own, print the address at which NAME makes an account, where it has none.
    """
    study = study_of(context)
    login = add_human(study, name, email=email, new_password=new_password)
    click.echo(f"{login.coder}  {login.email}")
    if login.password:
        click.echo(f"password: {login.password}")
        told("shown this once: labeler stores it nowhere; --new-password sets another one")
    elif not study.project.studio_url:
        told("there already, with the password it has; --new-password sets another one")
    for address in login.invitations:
        click.echo(f"invitation: {address}")
        told(f"{name} opens it and signs up as {login.email}; whoever has it can join")
    for note in login.notes:
        told(f"{note}; the same command again makes one")
    if group:
        click.echo(f"group: {set_group(study, name, group)}")


@command.command("set")
@click.argument("name")
@click.option("--group", required=True, help="Such as clinicians; '' takes NAME out of its group.")
@click.pass_context
def set_(context: click.Context, name: str, group: str) -> None:
    """Note to which group the coder NAME belongs, such as clinicians or patients.

    `labeler reliability` then tells agreement within each group of two coders or more ("within
    clinicians") and between the groups, beside that of all: a pooled figure can hide that each
    group agrees with itself and not with the other. What was computed before is outdated.
    """
    study = study_of(context)
    set_group(study, name, group)
    of_group: dict[str, list[str]] = {}
    for coder, own in groups(study).items():
        of_group.setdefault(own, []).append(name_of(coder))
    table(["group", "coders"], [(own, ", ".join(of_group[own])) for own in sorted(of_group)])


@command.command("list")
@json_option
@click.pass_context
def show(context: click.Context, machine: bool) -> None:
    """Who is known as a coder: people, models, cues, embedded coders."""
    study = study_of(context)
    people = coders(study, "human")
    programs = [kind for kind in KINDS if kind != "human"]
    others = {str(kind): list(coders(study, kind)) for kind in programs}
    own = groups(study)
    if machine:
        listed = {coder: {**spec, "group": own.get(coder, "")} for coder, spec in people.items()}
        as_json({"human": listed, **others})
        return
    rows = [(coder, own.get(coder, ""), spec.get("email", "")) for coder, spec in people.items()]
    rows += [(coder, "", "") for known in others.values() for coder in known]
    table(["coder", "group", "account"], rows)
