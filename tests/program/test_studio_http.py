"""Accounts of a real Label Studio."""

from __future__ import annotations

import pytest
import requests
from waiting import SECONDS

from labeler.errors import ServiceRejected, ServiceUnavailable
from labeler.studio.server import server


def test_an_account_is_made_once(studio):
    """The same e-mail and password give the same account, however the e-mail is written."""
    made = server.account(
        studio, email="Ada@coders.example", password="made up 1815", name="Ada Made Up"
    )
    again = server.account(studio, email="ada@coders.example ", password="made up 1815")
    assert again == made
    assert made.token not in repr(made)
    login = {"Authorization": f"Token {made.token}"}
    person = requests.get(
        f"{studio.url}/api/current-user/whoami", headers=login, timeout=SECONDS
    ).json()
    assert (person["id"], person["email"]) == (made.id, "ada@coders.example")
    assert (person["first_name"], person["last_name"]) == ("Ada", "Made Up")


def test_another_password_is_refused(studio):
    """An e-mail that exists with another password is a clear error, and stays as it is."""
    made = server.account(studio, email="bo@coders.example", password="made up 1816")
    with pytest.raises(ServiceRejected, match=r"bo@coders\.example: it exists with another"):
        server.account(studio, email="bo@coders.example", password="made up 1817")
    assert server.account(studio, email=made.email, password=made.password) == made


@pytest.mark.parametrize(
    ("email", "password", "reason"),
    [("cy@coders.example", "short", "(?i)password"), ("no-address", "made up 1818", "valid email")],
)
def test_label_studio_says_what_it_refuses(studio, email, password, reason):
    """What Label Studio does not like about an account is told in its own words."""
    with pytest.raises(ServiceRejected, match=reason):
        server.account(studio, email=email, password=password)


def test_a_server_that_is_not_there_is_told(studio):
    """Without a server the error says where none answered, and is worth another try."""
    away = studio._replace(url="http://127.0.0.1:9")
    with pytest.raises(ServiceUnavailable, match=r"127\.0\.0\.1:9/user/login/: no answer"):
        server.account(away, email="di@coders.example", password="made up 1819")
