"""Label Studio over HTTP, where its SDK has no word for it: logins, and who answers.

Sessions take no proxy, no `.netrc` and no cookie from the surroundings.
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import requests

from labeler import hints
from labeler.errors import ServiceRejected, ServiceUnavailable
from labeler.log import service_call

SERVICE = "Label Studio"

_SECONDS = 20


class Server(NamedTuple):
    """A running Label Studio; `token` is the administrator's and is never shown."""

    url: str
    token: str
    pid: int
    data: Path

    def __repr__(self) -> str:
        return f"Server(url={self.url!r}, pid={self.pid}, data={str(self.data)!r})"


class Account(NamedTuple):
    """A person's login of a Label Studio; password and token are never shown."""

    email: str
    password: str
    token: str
    id: int

    def __repr__(self) -> str:
        return f"Account(email={self.email!r}, id={self.id})"


def account(server: Server, *, email: str, password: str, name: str = "") -> Account:
    """The account `email` of `server`, made when it is missing.

    `email` is compared without case; `name` becomes the first and the last name.

    Raises:
        ServiceRejected: the e-mail is taken with another password, or not to Label Studio's taste.
        ServiceUnavailable: the server does not answer.
    """
    email = email.strip().lower()
    with _session() as http:
        if not _logged_in(http, server, email, password):
            _sign_up(http, server, email, password)
        token = str(_call(http, "GET", f"{server.url}/api/current-user/token")["token"])
        person = _call(http, "GET", f"{server.url}/api/current-user/whoami")
    first, _, last = name.strip().partition(" ")
    if name.strip() and (person["first_name"], person["last_name"]) != (first, last):
        names = {"first_name": first, "last_name": last}
        with _session(token) as http:
            _call(http, "PATCH", f"{server.url}/api/users/{person['id']}/", json=names)
    return Account(email, password, token, int(str(person["id"])))


def answer(server: Server, *, email: str) -> Literal["ours", "other", "none"]:
    """Who answers at the address: whoever does not know our token is another program."""
    try:
        with _session(server.token) as http:
            reply = http.get(f"{server.url}/health", timeout=_SECONDS)
            if reply.ok and reply.json()["status"] == "UP":
                reply = http.get(f"{server.url}/api/current-user/whoami", timeout=_SECONDS)
                if reply.ok and reply.json()["email"] == email:
                    return "ours"
            return "none" if reply.status_code >= 500 else "other"
    except (requests.JSONDecodeError, LookupError, TypeError):
        return "other"
    except requests.RequestException:
        return "none"


class LoggedSession(requests.Session):
    """A session that notes each request in the log."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send a request."""
        with service_call(str(request.method), str(request.url)) as call:
            reply = super().send(request, **options)
            call.status = reply.status_code
        return reply


def _session(token: str | None = None) -> requests.Session:
    """A session that takes no proxy and no login from the surroundings."""
    http = LoggedSession()
    http.trust_env = False
    if token:
        http.headers["Authorization"] = f"Token {token}"
    return http


def _logged_in(http: requests.Session, server: Server, email: str, password: str) -> bool:
    page = f"{server.url}/user/login/"
    _sent(http, "GET", page)
    return _sent(http, "POST", page, data=_form(http, email, password)).is_redirect


def _sign_up(http: requests.Session, server: Server, email: str, password: str) -> None:
    """Join by the administrator's invitation; `http` has the login page's cookie already."""
    with _session(server.token) as admin:
        invitation = str(_call(admin, "GET", f"{server.url}/api/invite")["invite_url"])
    page = f"{server.url}/user/signup/?{urlsplit(invitation).query}"
    reply = _sent(http, "POST", page, data=_form(http, email, password))
    if reply.is_redirect:
        return
    reasons = [unescape(reason) for reason in re.findall(r"<li>\s*([^<]+?)\s*</li>", reply.text)]
    if any("already exists" in reason for reason in reasons):
        reasons = ["it exists with another password: give that one, or take another e-mail"]
    raise ServiceRejected(
        f"{server.url}: account {email}: {'; '.join(reasons) or 'refused without a reason'}",
        service=SERVICE,
        status=reply.status_code,
    )


def _form(http: requests.Session, email: str, password: str) -> dict[str, str]:
    token = http.cookies.get("csrftoken") or ""
    return {"csrfmiddlewaretoken": token, "email": email, "password": password}


def _call(http: requests.Session, method: str, url: str, **options: Any) -> dict[str, object]:
    reply: dict[str, object] = _sent(http, method, url, **options).json()
    return reply


def _sent(http: requests.Session, method: str, url: str, **options: Any) -> requests.Response:
    where = url.partition("?")[0]
    options |= {"timeout": _SECONDS, "allow_redirects": False}
    try:
        reply = http.request(method, url, **options)
    except requests.RequestException as error:
        raise ServiceUnavailable(
            f"{where}: no answer ({type(error).__name__})",
            service=SERVICE,
            hint=hints.STUDIO_STATUS,
        ) from error
    if reply.status_code >= 400:
        kind = ServiceUnavailable if reply.status_code >= 500 else ServiceRejected
        raise kind(
            f"{where}: answered {reply.status_code} {reply.reason}",
            service=SERVICE,
            status=reply.status_code,
        )
    return reply
