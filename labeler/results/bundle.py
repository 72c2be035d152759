"""Tables → the files of a bundle, and the manifest that names each by its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\n")
NUMBER = r"[+-]?\d+(\.\d+)?"
ABOUT_FILES = {
    "codings.csv": "a row a coder, unit, segment and variable; source names the raw answer",
    "codings_wide.csv": "the same, a column for each variable; empty: no code, or not asked",
    "segments.csv": "where each coder's segments stand (code-point offsets)",
    "changes.csv": "suggestions in view: accepted, edited, added or deleted, by comparing values",
    "confidence.csv": "how sure a model is of its codes, where asked; no probability of truth",
    "reliability.csv": "coefficients by panel, variable and code; evidence=0 is none",
    "verdicts.csv": "what the gate ruled, on which bound, and the key of what it was computed from",
    "assessments.csv": "anchoring, stand-in test, calibration and drift: measures with intervals",
    "consensus.csv": "the value kept for each unit, from blind human codings",
    "estimates.csv": "shares per code among blind human codes; small cells hidden",
    "tasks.csv": "who was to code what, with the probability of the draw",
    "reliability.svg": "the coefficients and their intervals, drawn",
    "codebook.yaml": "what every coder was told",
    "manifest.json": "hashes of these files, settings and versions",
}


def bundle(
    frames: Mapping[str, pd.DataFrame],
    *,
    texts: Mapping[str, str],
    about: Mapping[str, object],
) -> dict[str, str]:
    """File name → text: a CSV for each frame, the wide codings, `texts` and the manifest.

    `frames` holds at least `codings`; `texts` are files as they are (codebook, figures); `about`
    is what the manifest says beside the hashes. Author hashes, addresses and the text of posts
    are in no frame that is passed here.
    """
    files = {f"{name}.csv": csv(frame) for name, frame in frames.items()}
    files["codings_wide.csv"] = csv(wide(frames["codings"]))
    files.update(texts)
    files["README.txt"] = _readme(about, {*files, "manifest.json"})
    listed = {
        name: {
            "sha256": hashlib.sha256(text.encode("utf-8")).hexdigest(),
            "bytes": len(text.encode("utf-8")),
        }
        for name, text in sorted(files.items())
    }
    manifest = json.dumps({**about, "files": listed}, indent=2, ensure_ascii=False, sort_keys=True)
    files["manifest.json"] = manifest + "\n"
    return files


def wide(codings: pd.DataFrame) -> pd.DataFrame:
    """A row for each unit, segment, coder, arm and replicate; a column for each variable."""
    rows = ["unit", "segment", "coder", "arm", "replicate"]
    table = codings.pivot(index=rows, columns="variable", values="value")
    return table.reset_index().rename_axis(columns=None)


def csv(frame: pd.DataFrame) -> str:
    """CSV with LF line ends, also in texts; one that a spreadsheet would run gets a leading '."""
    safe = frame.copy()
    for name in safe.columns:
        if isinstance(safe[name].dtype, pd.StringDtype):
            texts = safe[name].str.replace(r"\r\n?", "\n", regex=True)
            risky = texts.str.startswith(FORMULA, na=False) & ~texts.str.fullmatch(NUMBER)
            safe[name] = texts.mask(risky, "'" + texts.fillna(""))
    return safe.to_csv(index=False, lineterminator="\n")


def _readme(about: Mapping[str, object], files: set[str]) -> str:
    lines = [f"Batch {about['batch']}, exported by labeler {about['labeler']}.", ""]
    lines += [f"{name:<18}{what}" for name, what in ABOUT_FILES.items() if name in files]
    if about.get("made_up"):
        lines += ["", "Everything in this folder is made up: sample posts, sample coders."]
    if about.get("override"):
        lines += ["", f"The gate was overridden: {about['override']}"]
    outdated = about.get("outdated")
    if isinstance(outdated, list) and outdated:
        told = f"Outdated: {', '.join(outdated)}: computed from other codings than those here."
        lines += ["", told]
    return "\n".join(lines) + "\n"
