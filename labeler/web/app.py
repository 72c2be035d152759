"""The application factory: pages, headers, errors, and who may ask."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

import pandas as pd
from flask import Flask, Response, abort, request, send_from_directory
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException, NotFound

from labeler import resources
from labeler.errors import LabelerError
from labeler.project import Project
from labeler.store import database
from labeler.web.report import figures, findings, hook, overview, results, selection, units, words

LOOPBACK = ("localhost", "127.0.0.1", "::1")
NO_PAGE = "There is no page at this address."
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def create_app(project: Project, *, hosts: Iterable[str] = ()) -> Flask:
    """The pages of a project's store. `hosts` are names it may be asked by besides loopback.

    Raises StoreError where the store cannot be reached.
    """
    folder = resources.folder("templates") / "report"
    app = Flask(__name__, template_folder=str(folder), static_folder=None)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(words.FILTERS)
    app.jinja_env.tests["missing"] = pd.isna
    app.extensions[selection.STORE] = database.connect(project.database_url)
    app.extensions[hook.PROJECT] = project
    app.context_processor(selection.banners)
    for part in (overview, results, findings, figures, units, hook):
        app.register_blueprint(part.pages)
    _guard(app, frozenset(host.lower() for host in (*LOOPBACK, *hosts)))
    _errors(app)

    @app.get("/style.css")
    def style() -> Response:
        return send_from_directory(folder, "style.css")

    return app


def _guard(app: Flask, hosts: frozenset[str]) -> None:
    """Refuse a strange Host header: a page elsewhere could else read these (DNS rebinding)."""

    @app.before_request
    def known_host() -> None:
        asked = request.environ.get("HTTP_HOST", "")
        if _name(asked) not in hosts:
            abort(400, f"These pages are not served under the name {asked!r}.")

    @app.after_request
    def with_headers(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response


def _name(host: str) -> str:
    """The name in a Host header, without its port; '' where it is none."""
    try:
        parts = urlsplit(f"//{host}")
        return (parts.hostname or "") if parts.netloc == host and "@" not in host else ""
    except ValueError:
        return ""


def _errors(app: Flask) -> None:
    """Say in words what is wrong; without a query, since the store may be what is."""

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[str, int]:
        text = NO_PAGE if error.description == NotFound.description else error.description
        return _error_page(app, error.name, str(text)), error.code or 500

    @app.errorhandler(LabelerError)
    def failed(error: LabelerError) -> tuple[str, int]:
        hint = error.hint.page if error.hint is not None else ""
        return _error_page(app, "This did not work", str(error), hint), 503


def _error_page(app: Flask, title: str, text: str, hint: str = "") -> str:
    return app.jinja_env.get_template("error.html").render(title=title, text=text, hint=hint)
