"""A new password for an account of the managed Label Studio, set by Label Studio's own code.

Its API sets none. A process of its environment does, on the data of the server, which runs on;
the password goes there by a pipe: it stands in no file, no log and no list of processes.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from labeler.errors import ServiceRejected, ServiceUnavailable
from labeler.studio.client.http import SERVICE, Server
from labeler.studio.server.environment import tail
from labeler.studio.server.program import surroundings
from labeler.studio.server.server import log

_SECONDS = 120
_UNKNOWN = 3
_PROGRAM = f"""
import json, os, sys
import label_studio
sys.path.insert(0, os.path.dirname(label_studio.__file__))
os.environ["DJANGO_SETTINGS_MODULE"] = "core.settings.label_studio"
import django
django.setup()
from users.models import User
email, password = json.load(sys.stdin)
person = User.objects.filter(email=email).first()
if person is None:
    sys.exit({_UNKNOWN})
person.set_password(password)
person.save(update_fields=["password"])
"""


def set_password(
    server: Server, *, environment: Path, email: str, password: str, database: str = ""
) -> None:
    """Give the account `email` of a managed server another password; its token stays.

    Whoever is logged in with the old one has to log in again.

    Raises:
        ServiceRejected: there is no such account.
        ServiceUnavailable: Label Studio's code could not be run on its data.
    """
    try:
        done = subprocess.run(  # noqa: S603
            [str(environment.expanduser().absolute() / "bin" / "python"), "-c", _PROGRAM],
            input=json.dumps([email.strip().lower(), password]),
            cwd=server.data,
            env=surroundings(server.data, database=database),
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServiceUnavailable(
            f"{environment}: could not set a password ({type(error).__name__}): is Label Studio "
            "whole there? Give the same command again",
            service=SERVICE,
        ) from None
    if done.returncode == _UNKNOWN:
        raise ServiceRejected(f"{server.url}: there is no account {email}", service=SERVICE)
    if done.returncode:
        raise ServiceUnavailable(
            f"{environment}: could not set a password; give the same command again. "
            f"{tail(log(server.data))}",
            service=SERVICE,
        )
