"""What changed between two versions of a codebook, and whose codings that touches."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from labeler.codebook.codebook import Codebook

ORDERS = ("variables.order", "values.order")


class Change(NamedTuple):
    """One difference between two versions of a codebook.

    `variable` is the one whose codings it touches: '' for none, '*' for every variable.
    """

    path: str
    kind: Literal["added", "removed", "changed"]
    before: str
    after: str
    variable: str


def diff(before: Codebook, after: Codebook) -> list[Change]:
    """What changed from one version to the other, entry by entry, in the order of the paths."""
    old, new = _flat(before), _flat(after)
    changes = []
    for path in dict.fromkeys([*old, *new]):
        was, now = old.get(path), new.get(path)
        if was == now or (path.endswith(ORDERS) and _same_order(was, now)):
            continue
        kind: Literal["added", "removed", "changed"] = (
            "added" if was is None else "removed" if now is None else "changed"
        )
        changes.append(Change(path, kind, was or "", now or "", _touched(path)))
    return changes


def _flat(codebook: Codebook) -> dict[str, str]:
    """Every entry of a codebook as path -> text; variables and values go by name, not place."""
    rows: dict[str, str] = {}

    def walk(path: str, content: object) -> None:
        if isinstance(content, dict):
            for name, part in content.items():
                walk(f"{path}.{name}" if path else str(name), part)
        elif isinstance(content, list) and content and isinstance(content[0], dict):
            for part in content:
                walk(f"{path}[{part.get('variable', part.get('code'))}]", part)
            rows[f"{path}.order"] = " ".join(
                str(part.get("variable", part.get("code"))) for part in content
            )
        elif isinstance(content, list):
            rows[path] = " · ".join(str(part) for part in content)
        elif content is not None:
            rows[path] = str(content)

    walk("", codebook.model_dump(mode="json"))
    return rows


def _same_order(was: str | None, now: str | None) -> bool:
    """Whether the names in both stand in the same order; what came or went has its own rows."""
    old, new = (was or "").split(), (now or "").split()
    return [name for name in old if name in new] == [name for name in new if name in old]


def _touched(path: str) -> str:
    """The variable whose codings a change of `path` touches; '' for cues, gates, defaults."""
    leaf = path.rsplit(".", 1)[-1]
    unseen = ("cues", "negated", "number", "default", "tentative", "reliable")
    if path.startswith("cues.") or (leaf in unseen and ".applies_when." not in path):
        return ""
    match = re.match(r"variables\[([a-z0-9_]+)\]", path)
    if match:
        return match.group(1)
    return "" if leaf in ("version", "relates", "within") else "*"
