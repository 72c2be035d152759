"""Where the folders lie that travel with the package: templates, codebook, sample."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import labeler

Resource = Literal["templates", "codebook", "sample"]


def folder(name: Resource) -> Path:
    """The folder `name`: inside the package once installed, beside it in a checkout."""
    package = Path(labeler.__file__).parent
    installed = package / "resources"
    return installed / name if installed.is_dir() else package.parent / name
