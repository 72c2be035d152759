"""What a codebook means for the study: the page it makes, and the codings a change touches."""

from __future__ import annotations

from collections.abc import Sequence

from labeler import resources
from labeler.codebook.codebook import Change, Codebook
from labeler.files import records
from labeler.store import database, tables
from labeler.studio import config as studio_config
from labeler.study.study import Study

EVERY = "*"


def config(codebook: Codebook) -> str:
    """The annotation page of a codebook as Label Studio reads it."""
    template = records.read_text(resources.folder("templates") / "studio" / "config.jinja")
    return studio_config.config(codebook, template=template)


def touched(study: Study, before: Codebook, changes: Sequence[Change]) -> dict[str, int]:
    """Variable → how many codings made under `before` a change touches."""
    names = {change.variable for change in changes} - {""}
    codings = database.counts(study.engine, tables.CODINGS.c.variable, codebook=before.fingerprint)
    return {name: n for name, n in codings.items() if EVERY in names or name in names}
