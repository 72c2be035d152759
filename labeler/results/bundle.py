"""Tables → the files of a bundle, and the manifest that names each by its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from labeler.reliability.assessments.findings import findings
from labeler.reliability.sentences import sentences
from labeler.results.figures import draw
from labeler.results.figures.declaration import figures_of
from labeler.results.formats import declaration
from labeler.results.formats.declaration import BundleFacts

MANIFEST = "manifest.json"
OUTDATED = "Outdated, since computed from other codings than those here"


class _File(NamedTuple):
    content: bytes
    description: str


def bundle(frames: Mapping[str, pd.DataFrame], facts: BundleFacts) -> dict[str, bytes]:
    """File name → content: what every format writes, every figure, the codebook, the manifest.

    `frames`: table name → rows, at least `codings`. Author hashes, addresses and the text of posts
    are in no frame that is passed here.
    """
    files = dict(_files(frames, facts))
    files["README.txt"] = _File(_readme(frames, facts, files).encode(), "")
    listed = {
        name: {"sha256": hashlib.sha256(file.content).hexdigest(), "bytes": len(file.content)}
        for name, file in sorted(files.items())
    }
    about = facts._asdict() | {"codebook": facts.codebook.fingerprint}
    del about["codebook_text"]
    manifest = json.dumps({**about, "files": listed}, indent=2, ensure_ascii=False, sort_keys=True)
    made = {name: file.content for name, file in files.items()}
    return {**made, MANIFEST: f"{manifest}\n".encode()}


def _files(frames: Mapping[str, pd.DataFrame], facts: BundleFacts) -> Iterator[tuple[str, _File]]:
    for form in declaration.declared():
        for name, content in form.files(frames, facts).items():
            yield name, _File(content, form.descriptions.get(name, ""))
    for drawn in figures_of(frames, facts.codebook):
        about = f"{drawn.figure.title}. {drawn.alt}."
        old = f"{OUTDATED}." if drawn.figure.table in facts.outdated else ""
        yield f"{drawn.name}.svg", _File(draw.draw(draw.marked(drawn.spec(), old), "svg"), about)
    yield "codebook.yaml", _File(facts.codebook_text.encode(), "What every coder was told.")


def _readme(
    frames: Mapping[str, pd.DataFrame], facts: BundleFacts, files: Mapping[str, _File]
) -> str:
    lines = [f"Batch {facts.batch}, exported by labeler {facts.labeler}.", ""]
    told = {name: file.description for name, file in sorted(files.items())}
    told[MANIFEST] = "Hashes of these files, settings and versions."
    width = max(len(name) for name in told) + 2
    lines += [f"{name:<{width}}{what}".rstrip() for name, what in told.items()]
    stands = sentences(frames["reliability"]) if "reliability" in frames else []
    if stands:
        lines += [
            "",
            "Reliability, and what each figure stands on:",
            *(f"  {own}" for own in stands),
        ]
    lines += _assessments(frames, facts)
    if facts.made_up:
        lines += ["", "Everything in this folder is made up: sample posts, sample coders."]
    if facts.override:
        lines += ["", f"The gate was overridden: {facts.override}"]
    if facts.outdated:
        lines += ["", f"{OUTDATED}: {', '.join(facts.outdated)}."]
    return "\n".join(lines) + "\n"


def _assessments(frames: Mapping[str, pd.DataFrame], facts: BundleFacts) -> Iterator[str]:
    """What each assessment is about and what it found."""
    if "assessments" not in frames:
        return
    for finding in findings(frames["assessments"], facts.codebook):
        yield ""
        yield f"{finding.assessment.title}. {finding.assessment.meaning}".rstrip()
        yield from (f"  {sentence}" for sentence in finding.sentences)
