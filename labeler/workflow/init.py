"""A new project's folder."""

from __future__ import annotations

from pathlib import Path

from labeler import resources
from labeler.errors import ProjectError
from labeler.files import records
from labeler.project import RECIPE
from labeler.text.names import unknown

CONFIG = """\
# Settings of this study. An option or a LABELER_… variable goes before what stands here.
# Keys are never written here: OPENAI_API_KEY and LABEL_STUDIO_API_KEY come from the environment.
[labeler]
codebook = codebook/{codebook}.yaml
# database = postgresql+psycopg://USER@HOST/NAME
# studio_url = https://label-studio.example.org
# llm_url = https://api.openai.com/v1
# llm_model =
"""
IGNORED = ".labeler/\nexports/\n"


def init(root: Path, *, codebook: str) -> list[Path]:
    """Make the folder, settings, exports/, .gitignore, copies of a bundled codebook and its recipe.

    Returns what was made; a file that is there stays as it is. Raises ProjectError where no
    codebook has that name, or the folder cannot be made.
    """
    bundled = resources.folder("codebook") / f"{codebook}.yaml"
    if not bundled.is_file():
        names = sorted(path.stem for path in bundled.parent.glob("*.yaml"))
        names = [name for name in names if "." not in name]
        raise ProjectError(unknown("bundled codebook", codebook, names))
    wanted = {
        root / "labeler.cfg": CONFIG.format(codebook=codebook),
        root / "codebook" / f"{codebook}.yaml": records.read_text(bundled),
        root / ".gitignore": IGNORED,
    }
    recipe = bundled.with_name(f"{codebook}{RECIPE}")
    if recipe.is_file():
        wanted[root / "codebook" / recipe.name] = records.read_text(recipe)
    try:
        (root / "exports").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(f"{root} cannot be made: {error.strerror}") from error
    made = [path for path in wanted if not path.exists()]
    for path in made:
        records.write(path, wanted[path])
    return made
