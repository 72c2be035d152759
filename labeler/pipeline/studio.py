"""Which Label Studio a study uses, and the accounts of its coders there."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from labeler.edges import studio_server
from labeler.edges.studio import Studio
from labeler.errors import ProjectError, ServiceUnavailable
from labeler.keys import keyed
from labeler.pipeline.study import Report, Study, add_coder, coders, silent
from labeler.project import Project

SERVICE = "Label Studio"


class Login(NamedTuple):
    """A coder's account; `password` is '' where labeler did not make it."""

    coder: str
    email: str
    password: str


def connected(project: Project) -> Studio:
    """The project's Label Studio: the one it names, else the local one, which must run."""
    if project.studio_url:
        if not project.studio_token:
            raise ProjectError(
                f"LABEL_STUDIO_API_KEY: {project.studio_url} needs a token; copy it from "
                "Account & Settings there into this variable"
            )
        return Studio(project.studio_url, project.studio_token, server=project.server)
    server = local(project)
    return Studio(server.url, server.token, server=project.server)


def same_server(project: Project, seats: pd.DataFrame) -> None:
    """Refuse SEATS of a batch whose projects lie at another Label Studio."""
    elsewhere = sorted(set(seats["server"]) - {"", project.server})
    if elsewhere:
        raise ProjectError(
            f"LABELER_STUDIO_URL: batch {seats['batch'].iloc[0]!r} lies at {elsewhere[0]!r}, this "
            f"project now uses {project.server!r}; set it back, or draw a new batch"
        )


def local(project: Project) -> studio_server.Server:
    """The local Label Studio, when it runs."""
    server = studio_server.status(project.studio_data)
    if server is None:
        raise ServiceUnavailable(
            "Label Studio does not run; `labeler studio start` starts it here, or name one of "
            "your own by LABELER_STUDIO_URL",
            service=SERVICE,
        )
    return server


def start(project: Project, report: Report = silent) -> studio_server.Server:
    """Start the local Label Studio, installed first where it is not; the one that runs, if any."""
    if project.studio_url:
        raise ProjectError(
            f"studio start: this project uses {project.studio_url} (LABELER_STUDIO_URL); "
            "take that setting away to use a local one"
        )
    project.prepare()
    place = studio_server.environment(folder=project.studio_env, report=report)
    return studio_server.start(project.studio_data, environment=place, report=report)


def add_human(study: Study, name: str, *, email: str = "", made_up: bool = False) -> Login:
    """Note a human coder and, on the local server, make the account; the same call, the same login.

    The first password is made from the project's secret, so that it is stored nowhere and an
    interrupted call can be given again.
    """
    if not name.replace("-", "_").replace("_", "a").isalnum() or not name.isascii():
        raise ProjectError(f"coders: {name!r} may only use a-z, 0-9, - and _")
    coder = f"human:{name}"
    known = coders(study, "human").get(coder)
    email = email.strip().lower()  # as Label Studio keeps it
    address = str(known["email"]) if known else email or f"{name}@local.example".lower()
    if email and address != email:
        raise ProjectError(f"coders: {name!r} is there already, with the e-mail {address}")
    if study.project.studio_url:
        if not email and not known:
            raise ProjectError(
                f"coders: --email: which account does {name!r} use at {study.project.studio_url}?"
            )
        password = ""
    else:
        secret = study.project.secret()
        password = keyed({"coder": coder, "purpose": "password"}, secret=secret)[:16]
        if not known:
            server = local(study.project)
            studio_server.account(server, email=address, password=password, name=name)
    add_coder(study, coder, kind="human", spec={"email": address, "made_up": made_up})
    return Login(coder, address, password)
