"""A project: where settings come from, and what it never shows."""

from __future__ import annotations

import stat

import pytest

from labeler import hints
from labeler.errors import ProjectError
from labeler.project import DEFAULT_LLM_URL, Project, load


def test_an_option_beats_a_variable_beats_a_file_beats_the_default(tmp_path):
    """Each setting comes from the first place that has it; '' in one place is not having it."""
    (tmp_path / "labeler.cfg").write_text("[labeler]\nllm_model = filed\nllm_url = http://filed\n")
    environment = {"LABELER_LLM_MODEL": "variable", "LABELER_STUDIO_URL": ""}
    options = {"llm_model": "option", "llm_url": None, "studio_url": ""}
    assert load(tmp_path, options, environment).llm_model == "option"
    assert load(tmp_path, {}, environment).llm_model == "variable"
    assert load(tmp_path, {}, {}).llm_model == "filed"
    assert load(tmp_path, options, environment).llm_url == "http://filed"
    assert load(tmp_path, options, environment).studio_url == ""
    (tmp_path / "labeler.cfg").unlink()
    assert load(tmp_path, {}, {}).llm_url == DEFAULT_LLM_URL


def test_labeler_cfg_beats_setup_cfg(tmp_path):
    """setup.cfg is read where there is no labeler.cfg, and other sections are nobody's business."""
    (tmp_path / "setup.cfg").write_text("[mypy]\nstrict = 1\n[labeler]\nllm_model = 100%%\n")
    assert load(tmp_path, {}, {}).llm_model == "100%%"
    (tmp_path / "labeler.cfg").write_text("[labeler]\nllm_model = mine\n")
    assert load(tmp_path, {}, {}).llm_model == "mine"


def test_a_file_without_the_section_sets_nothing(tmp_path):
    """Another project's setup.cfg does no harm."""
    (tmp_path / "setup.cfg").write_text("[tool:pytest]\naddopts = -ra\n")
    assert load(tmp_path, {}, {}).llm_model == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[labeler]\nmodel = x\n", "model: no such setting; there are database"),
        ("[labeler]\nllm_key = sk-123\n", "keys and tokens come from the environment alone"),
        ("[labeler\n", "labeler.cfg"),
        ("[labeler]\nllm_model = a\nllm_model = b\n", "labeler.cfg"),
    ],
)
def test_a_bad_file_says_what_is_wrong(tmp_path, text, said):
    """A setting that does not exist and a file that cannot be read are named; no key is shown."""
    (tmp_path / "labeler.cfg").write_text(text)
    with pytest.raises(ProjectError) as caught:
        load(tmp_path, {}, {})
    assert said in str(caught.value)
    assert "sk-123" not in str(caught.value)


def test_a_missing_root_is_named(tmp_path):
    """A root that does not exist is refused with the option that sets it."""
    with pytest.raises(ProjectError, match="there is no folder") as caught:
        load(tmp_path / "nowhere", {}, {})
    assert caught.value.hint == hints.NAME_FOLDER


def test_keys_and_passwords_are_not_in_the_repr(tmp_path):
    """What a traceback may show holds no key, no token, no password of the database."""
    environment = {
        "OPENAI_API_KEY": "hidden-one",
        "LABEL_STUDIO_API_KEY": "hidden-two",
        "LABELER_DATABASE": "postgresql+psycopg://ada:hidden-three@host/study",
    }
    project = load(tmp_path, {}, environment)
    assert (project.llm_key, project.studio_token) == ("hidden-one", "hidden-two")
    assert "hidden" not in repr(project)


def test_places_follow_from_the_root(tmp_path):
    """Everything lies under the root; a named project keeps apart from the unnamed one."""
    project = Project(root=tmp_path, name="demo")
    assert project.state == tmp_path / ".labeler" / "demo"
    assert project.database_url == f"sqlite:///{tmp_path}/.labeler/demo/labeler.db"
    assert Project(root=tmp_path).state == tmp_path / ".labeler"
    assert Project(root=tmp_path, database="sqlite:///x").database_url == "sqlite:///x"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("", "local"),
        ("https://studio.example.org/", "studio.example.org"),
        ("http://localhost:8080", "localhost:8080"),
        ("http://ada:hidden@localhost:8080", "localhost:8080"),
    ],
)
def test_a_server_is_named_by_its_host(tmp_path, url, name):
    """Rows tell servers apart by host and port, never by somebody's password."""
    assert Project(root=tmp_path, studio_url=url).server == name


def test_the_codebook_is_the_only_one_or_the_one_that_is_set(tmp_path):
    """One file in codebook/ is taken; none, two, and a wrong path are told."""
    folder = tmp_path / "codebook"
    folder.mkdir()
    with pytest.raises(ProjectError, match="there is no codebook in") as caught:
        _ = Project(root=tmp_path).codebook_path
    assert caught.value.hint == hints.START_PROJECT
    (folder / "a.yaml").touch()
    assert Project(root=tmp_path).codebook_path == folder / "a.yaml"
    (folder / "b.yaml").touch()
    with pytest.raises(ProjectError, match=r"holds several codebooks: a\.yaml, b\.yaml"):
        _ = Project(root=tmp_path).codebook_path
    assert Project(root=tmp_path, codebook="codebook/b.yaml").codebook_path == folder / "b.yaml"
    with pytest.raises(ProjectError, match=r"there is no codebook .*c\.yaml"):
        _ = Project(root=tmp_path, codebook="c.yaml").codebook_path


def test_the_secret_is_made_once_for_its_owner_alone(tmp_path):
    """The same 32 bytes each time, in a file and a folder that only the owner may read."""
    project = Project(root=tmp_path)
    first = project.secret()
    assert len(first) == 32
    assert project.secret() == first
    path = project.state / "secret.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / ".labeler").stat().st_mode) == 0o700
    assert [entry.name for entry in project.state.iterdir()] == ["secret.key"]


@pytest.mark.parametrize("content", ["", "00ff", "not hexadecimal", "ä"])
def test_a_damaged_secret_is_refused(tmp_path, content):
    """An empty or broken key would give hashes that anybody can look up: nothing goes on."""
    project = Project(root=tmp_path)
    project.prepare()
    (project.state / "secret.key").write_text(content, encoding="utf-8")
    with pytest.raises(ProjectError, match=r"secret\.key is damaged"):
        project.secret()


def test_a_state_folder_that_cannot_be_made_is_told(tmp_path):
    """A file where the folder should be is named, with the reason."""
    (tmp_path / ".labeler").touch()
    with pytest.raises(ProjectError, match=r"^/.*labeler cannot be made: "):
        Project(root=tmp_path).prepare()


def test_a_secret_that_cannot_be_read_is_told(tmp_path):
    """What the system says of the file becomes a sentence: here a folder stands in its place."""
    project = Project(root=tmp_path)
    (project.state / "secret.key").mkdir(parents=True)
    with pytest.raises(ProjectError, match=r"secret\.key cannot be read: "):
        project.secret()
