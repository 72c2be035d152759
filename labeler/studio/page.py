"""What the annotation page has beside a codebook's own questions, and by which keys it is worked.

Names with a dash cannot be those of a variable, a code or a segment, which have none.

    to-check      the label of a suggested quote that nobody has looked at yet, and the question
                  that keeps such a post from being submitted
    ask-the-pi    a box of the post: `unclear`, a code of its own in CODINGS
    coder-comment a free line to the principal investigator: it stays in the annotation
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from labeler.codebook.codebook import Codebook, Variable

TO_CHECK = "to-check"
ASK = "ask-the-pi"
UNCLEAR = "unclear"
COMMENT = "coder-comment"
OWN = (TO_CHECK, ASK, COMMENT)

CROWDED = 15
MARK_KEY = "1"
ASK_KEY = "0"
# In the order of the keyboard. Not u: Label Studio unselects with it; nor shift+r, a tool of its
# own; nor digits with shift, which zoom there and are other characters on other keyboards.
_ROW = "qwertyiopasdfghjklzxcvbnm"
KEYS = (*"23456789", *_ROW, *(f"shift+{letter}" for letter in _ROW if letter != "r"))


class Remark(NamedTuple):
    """What a coder told the principal investigator about a post, in one line."""

    unclear: bool
    comment: str


def hotkeys(codebook: Codebook) -> dict[tuple[str, str], str]:
    """(variable, code) → the key that gives it, each key once, in the order of the page.

    Codes beyond the last key have none, nor have those of a taxonomy.
    """
    shown = [*codebook.of_unit, *codebook.of_segment]
    codes = [
        (variable.variable, code)
        for variable in shown
        if not taxonomy(variable)
        for code in variable.codes
    ]
    return dict(zip(codes, KEYS, strict=False))


def taxonomy(variable: Variable) -> bool:
    """Whether the page shows the codes as a tree to search: more than 15 of them, or in groups."""
    return len(variable.values) > CROWDED or any(value.group for value in variable.values)


def tree(variable: Variable) -> dict[str, list[str]]:
    """Group → its codes, in codebook order of both; '' is no group."""
    groups: dict[str, list[str]] = {}
    for value in variable.values:
        groups.setdefault(value.group or "", []).append(value.code)
    return groups


def path(variable: Variable, code: str) -> list[str]:
    """Where a code stands in the taxonomy: its group, if it has one, and itself."""
    group = variable.value(code).group
    return [group_alias(variable, group), code] if group else [code]


def group_alias(variable: Variable, group: str) -> str:
    """What stands for a group in Label Studio: no code has a dash."""
    return f"group-{list(tree(variable)).index(group)}"


def remark(results: Iterable[object]) -> Remark:
    """What is said to the principal investigator in an annotation's results, whatever they hold."""
    unclear, lines = False, []
    for element in results:
        value = element.get("value") if isinstance(element, dict) else None
        if not isinstance(element, dict) or not isinstance(value, Mapping):
            continue
        if element.get("from_name") == ASK:
            unclear = unclear or UNCLEAR in _texts(value.get("choices"))
        elif element.get("from_name") == COMMENT:
            lines += _texts(value.get("text"))
    shown = "".join(one if one.isprintable() else " " for one in " ".join(lines))
    return Remark(unclear, " ".join(shown.split()))


def _texts(given: Any) -> list[str]:
    listed = given if isinstance(given, list) else [given]
    return [text for text in listed if isinstance(text, str)]
