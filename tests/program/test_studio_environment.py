"""The environment that holds Label Studio."""

from __future__ import annotations

import pytest

from labeler import hints
from labeler.errors import ProjectError, ServiceError
from labeler.studio.server.environment import environment


def test_an_environment_that_is_there_is_used(studio_environment):
    """A whole environment is found again, without a word and without installing."""
    said: list[str] = []
    assert environment(folder=studio_environment, report=said.append) == studio_environment
    assert said == []


def test_a_folder_with_other_things_is_kept(tmp_path):
    """A folder that holds something else is refused, and nothing in it is touched."""
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(ProjectError, match="and not empty") as caught:
        environment(folder=tmp_path)
    assert caught.value.hint == hints.STUDIO_FOLDER
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]


def test_a_failed_installation_is_told_and_made_again(tmp_path, monkeypatch):
    """When pip fails, the error ends with its last lines; the next run starts from nothing."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    folder = tmp_path / "environment"
    for _run in range(2):
        with pytest.raises(ServiceError, match=r"(?s)environment\.log.*No matching distribution"):
            environment(folder=folder)
        assert folder.exists()
        (folder / "left over").touch()
    with pytest.raises(ServiceError):
        environment(folder=folder)
    assert not (folder / "left over").exists()
