"""Which Label Studio a study uses, and the accounts of its coders there."""

from __future__ import annotations

import secrets
from typing import NamedTuple

import pandas as pd

from labeler import hints
from labeler.coding.vocabulary import BLIND, human
from labeler.errors import LabelerError, ProjectError, ServiceRejected, ServiceUnavailable
from labeler.keys import keyed
from labeler.project import Project
from labeler.store import tables
from labeler.studio.client.password import set_password
from labeler.studio.client.studio import Studio
from labeler.studio.server import server as studio_server
from labeler.study.study import Report, Study, add_coder, coders, silent

SERVICE = "Label Studio"


class Login(NamedTuple):
    """A coder's account; `password` is '' where this call set none.

    `invitations` are addresses at which the coder makes an account on a server of your own, and
    `notes` say why one is missing.
    """

    coder: str
    email: str
    password: str
    invitations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Login(coder={self.coder!r}, email={self.email!r})"


class Servers:
    """The Label Studios of a project, each signed in once: `of` says at which an arm is coded."""

    def __init__(self, project: Project, report: Report = silent) -> None:
        self._project = project
        self._report = report
        self._known: dict[str, Studio] = {}

    def of(self, arm: str) -> Studio:
        """The Label Studio of an arm."""
        name = self._project.server_of(arm)
        if name not in self._known:
            self._known[name] = connected(self._project, arm, self._report)
        return self._known[name]


def connected(
    project: Project, arm: str = "", report: Report = silent, *, attempts: int = 4
) -> Studio:
    """An arm's Label Studio: the one that the project names, else the local one, which must run."""
    url, token, variable = project.studio_url, project.studio_token, "LABEL_STUDIO_API_KEY"
    server = project.server_of(arm)
    if server != project.server:
        url, token = project.blind_studio_url, project.blind_studio_token
        variable = "LABEL_STUDIO_BLIND_API_KEY"
    if not url:
        own = local(project)
        return Studio(own.url, own.token, server=server, attempts=attempts, report=report)
    if not token:
        raise ProjectError(f"{url} needs a token", hint=hints.STUDIO_TOKEN.about(variable=variable))
    return Studio(url, token, server=server, attempts=attempts, report=report)


def address_of(project: Project, arm: str) -> str:
    """The address of an arm's Label Studio, which is not asked; '' of one that never started."""
    if project.server_of(arm) != project.server:
        return project.blind_studio_url.rstrip("/")
    return project.studio_url.rstrip("/") or studio_server.address(project.studio_data)


def same_server(project: Project, seats: pd.DataFrame) -> None:
    """Refuse SEATS of a batch whose projects lie at another Label Studio."""
    for seat in tables.rows(seats):
        used = project.server_of(seat.arm)
        if seat.server not in ("", used):
            setting = "LABELER_STUDIO_URL"
            if seat.arm == BLIND and (project.blind_studio_url or seat.server != "local"):
                setting += " / LABELER_BLIND_STUDIO_URL"
            raise ProjectError(
                f"the {seat.arm} arm of batch {seat.batch!r} lies at {seat.server!r}, and this "
                f"project now uses {used!r}",
                hint=hints.STUDIO_ADDRESS.about(setting=setting),
            )


def local(project: Project) -> studio_server.Server:
    """The local Label Studio, when it runs."""
    server = studio_server.status(project.studio_data)
    if server is None:
        raise ServiceUnavailable(
            "Label Studio does not run", service=SERVICE, hint=hints.START_STUDIO
        )
    return server


def start(
    project: Project, report: Report = silent, *, hooks: bool = False
) -> studio_server.Server:
    """Start the local Label Studio, installed first where it is not; the one that runs, if any.

    `hooks` lets it call addresses of this machine and its network.
    """
    if project.studio_url:
        raise ProjectError(
            f"this project uses {project.studio_url}, which labeler does not start",
            hint=hints.UNSET_STUDIO,
        )
    project.prepare()
    place = studio_server.environment(folder=project.studio_env, report=report)
    return studio_server.start(
        project.studio_data,
        environment=place,
        hooks=hooks,
        database=project.studio_database,
        report=report,
    )


def add_human(
    study: Study, name: str, *, email: str = "", made_up: bool = False, new_password: bool = False
) -> Login:
    """Note a human coder and, on the local server, make the account with a random password.

    The password is in the Login of the call that made the account, or asked for a new one, and
    nowhere else: one that a cut has swallowed is set again by `new_password`. A made-up coder's is
    the same each time. On a server of your own the coder is invited, unless the account is there.
    """
    if not name.replace("-", "_").replace("_", "a").isalnum() or not name.isascii():
        raise ProjectError(f"coder {name!r} may only use a-z, 0-9, - and _")
    project = study.project
    coder = human(name)
    known = coders(study, "human").get(coder)
    if known and not known["email"]:  # came with imported codings, without an account
        known = None
    email = email.strip().lower()  # as Label Studio keeps it
    address = str(known["email"]) if known else email or f"{name}@local.example".lower()
    if email and address != email:
        raise ProjectError(f"coder {name!r} is there already, with the e-mail {address}")
    if new_password and project.studio_url:
        raise ProjectError(
            f"{project.studio_url} is a server of your own: a password is set there, by whoever "
            "runs it"
        )
    foreign = [arm for arm, url in _foreign(project).items() if url]
    if foreign and not email and not known:
        where = ", ".join(url for url in _foreign(project).values() if url)
        raise ProjectError(f"which account does {name!r} use at {where}?", hint=hints.GIVE_EMAIL)
    password = ""
    if made_up:
        password = keyed({"coder": coder, "purpose": "password"}, secret=project.secret())[:16]
    elif not project.studio_url and (new_password or not known):
        password = secrets.token_urlsafe(12)
    if password and (new_password or not known):
        _account(study, name, address, password, renew=new_password)
    add_coder(
        study, coder, kind="human", spec={"email": address, "made_up": made_up}, renew=not known
    )
    invitations, notes = _invited(project, foreign, address)
    return Login(coder, address, password, invitations, notes)


def _account(study: Study, name: str, email: str, password: str, *, renew: bool) -> None:
    """The account of a coder on the local server, with this password; `renew`: though it is there.

    The administrator's password stays: it is what starts the server.
    """
    server, studio = local(study.project), connected(study.project)
    if email == studio.me().lower():
        raise ProjectError(f"the address {email} is the administrator's", hint=hints.OTHER_EMAIL)
    if renew and email in (address.lower() for address in studio.users().values()):
        place = studio_server.environment(folder=study.project.studio_env)
        set_password(
            server,
            environment=place,
            email=email,
            password=password,
            database=study.project.studio_database,
        )
    try:
        studio_server.account(server, email=email, password=password, name=name)
    except ServiceRejected as error:
        raise ProjectError(str(error), hint=hints.NEW_PASSWORD) from error


def _foreign(project: Project) -> dict[str, str]:
    """Arm → address of the servers that labeler did not start; '' where there is none."""
    return {"": project.studio_url, BLIND: project.blind_studio_url}


def _invited(
    project: Project, arms: list[str], email: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Invitations to the servers of some arms that lack the account; why one could not be had."""
    invitations, notes = [], []
    for arm in arms:
        try:
            studio = connected(project, arm, attempts=2)
            if email not in (address.lower() for address in studio.users().values()):
                invitations.append(studio.invitation())
        except LabelerError as error:
            notes.append(f"no invitation: {error}")
    return tuple(invitations), tuple(notes)
