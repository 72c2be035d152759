"""Passwords of coders on a managed Label Studio: shown once, kept nowhere, set again."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import Labeler

from labeler.errors import ServiceRejected
from labeler.studio.client.password import set_password
from labeler.studio.server import server
from labeler.studio.server.server import Server

EMAIL = "nora@coders.example"


def test_a_password_is_shown_once_and_set_again(studio: Server, tmp_path: Path) -> None:
    """Each new password opens the account and ends the one before; none is kept, the token stays.

    Given again, the command shows none. The administrator's account is nobody's.
    """
    labeler = Labeler(tmp_path)
    labeler("init")
    (tmp_path / ".labeler").mkdir(exist_ok=True)
    (tmp_path / ".labeler" / "studio").symlink_to(studio.data)
    add = ["coders", "add", "nora", "--email", EMAIL]
    made = labeler(*add).out
    first = made.split("password: ")[1].strip()
    before = server.account(studio, email=EMAIL, password=first)
    again = labeler(*add)
    assert "password:" not in again.out
    assert first not in again.out + again.err
    second = labeler(*add, "--new-password").out.split("password: ")[1].strip()
    assert len({first, second}) == 2
    with pytest.raises(ServiceRejected, match="another password"):
        server.account(studio, email=EMAIL, password=first)
    assert server.account(studio, email=EMAIL, password=second).token == before.token
    kept = [path.read_bytes() for path in (tmp_path / ".labeler").glob("*") if path.is_file()]
    kept.append(server.log(studio.data).read_bytes())
    assert not any(word.encode() in file for word in (first, second) for file in kept)
    other = labeler("coders", "add", "olga", "--email", "admin@localhost.example", code=1)
    assert "the administrator's" in other.err


def test_an_account_that_is_there_is_not_taken(studio: Server, tmp_path: Path) -> None:
    """An account that somebody else made keeps its password until a new one is asked for."""
    theirs = server.account(studio, email="pia@coders.example", password="made up 1820")
    labeler = Labeler(tmp_path)
    labeler("init")
    (tmp_path / ".labeler").mkdir(exist_ok=True)
    (tmp_path / ".labeler" / "studio").symlink_to(studio.data)
    add = ["coders", "add", "pia", "--email", theirs.email]
    assert "--new-password" in labeler(*add, code=1).err
    assert server.account(studio, email=theirs.email, password=theirs.password) == theirs
    assert "password: " in labeler(*add, "--new-password").out


def test_a_server_of_your_own_sets_its_own_passwords(tmp_path: Path) -> None:
    """On a server that labeler did not start, --new-password says who sets one."""
    labeler = Labeler(tmp_path, {"LABELER_STUDIO_URL": "http://127.0.0.1:9"})
    labeler("init")
    refused = labeler("coders", "add", "rosa", "--email", "r@b.org", "--new-password", code=1)
    assert "server of your own" in refused.err


def test_a_missing_account_gets_no_password(studio: Server, studio_environment: Path) -> None:
    """Nobody is made by setting a password."""
    with pytest.raises(ServiceRejected, match="no account"):
        set_password(studio, environment=studio_environment, email="no@b.org", password="made up")
