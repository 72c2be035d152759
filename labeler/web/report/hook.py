"""The one address that is not read-only: Label Studio's hint that something came.

A hint says nothing and is not read: it only makes a `labeler pull --watch` pull sooner.
"""

from __future__ import annotations

import hmac

from flask import Blueprint, abort, current_app, request

from labeler.files import records
from labeler.project import HOOK_HEADER, Project

PROJECT = "labeler.project"

pages = Blueprint("hook", __name__)


@pages.post("/hook")
def hook() -> tuple[str, int]:
    """Note the time of a hint that carries the shared secret; 403 for any other."""
    project: Project = current_app.extensions[PROJECT]
    given = request.headers.get(HOOK_HEADER, "").encode("utf-8", "replace")
    if not hmac.compare_digest(given, project.hook_secret().encode("ascii")):
        abort(403, "A hint needs the secret that `labeler pull --watch --hook` gave Label Studio.")
    records.write(project.hook, "")
    return "", 204
