"""Words that several rooms share: arms, kinds of coder and their names, panels' names. Pure.

A coder's name says of what kind they are: `human:ada`, `model:gpt-x@1a2b3c`, `cues@1a2b3c`,
`embed@1a2b3c`; of a model whose codes came from a file `model:gpt-x@import`, or where the file
says nothing of segments `model:gpt-x@import-units`. Whoever asks for the kind, or for the name
without it, asks here.
"""

from __future__ import annotations

import re
from typing import Literal, get_args, overload

import pandas as pd

Arm = Literal["blind", "assisted", "adjudication", "repeat"]
ARMS: tuple[Arm, ...] = get_args(Arm)
BLIND: Arm = "blind"
ASSISTED: Arm = "assisted"
ADJUDICATION: Arm = "adjudication"
REPEAT: Arm = "repeat"  # units that come back to their coder: the second replicate

CoderKind = Literal["human", "model", "cues", "embedded"]
KINDS: tuple[CoderKind, ...] = get_args(CoderKind)
PREFIXES: dict[CoderKind, str] = {
    "human": "human:",
    "model": "model:",
    "cues": "cues@",
    "embedded": "embed@",
}

HUMANS = "humans"  # the panel of the blind human coders
PanelKind = Literal[
    "human-human",
    "human-pair",
    "within-group",
    "between-groups",
    "model-human",
    "model-panel",
    "self",
    "replicates",
    "assisted",
]
GROUPED: tuple[PanelKind, ...] = ("within-group", "between-groups")

# What stands over the agreement of programs alone, so that nobody copies it as reliability.
BETWEEN_MODELS = "Consistency between models (says nothing about whether either is right)"
WITH_ITSELF = "Consistency of {} with itself (says nothing about whether it is right)"

Comparison = Literal["human-human", "human-model"]  # what the gate judges
HUMAN_HUMAN: Comparison = "human-human"
HUMAN_MODEL: Comparison = "human-model"

Verdict = Literal["pass", "fail", "inconclusive", "undefined"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
PASS, FAIL, INCONCLUSIVE, UNDEFINED = VERDICTS

_MODEL = re.compile(
    r"gpt|claude|llama|mi[sx]tral|gemini|gemma|qwen|deepseek|command-r|\bphi-?\d|\bo[1-9](-|$)|"
    r"\b(roberta|deberta|(distil|m)?bert)(\b|[_-])|llm|openai|anthropic|"
    r"(^|[ _-])(model|bot|machine)([ _-]?\d*$|[ _-])|"
    r"-\d+(\.\d+)?b\b|-20\d\d-\d\d-\d\d",
    re.IGNORECASE,
)

_ELSEWHERE = "@import"  # ends the name of a model whose codes came from a file
_UNITS_ALONE = "@import-units"  # the same, of a file that says nothing of segments

CANARY = "canary:"  # what the unit of an answer begins with that tests the model, not a post


def human(name: str) -> str:
    """The coder that a person of this name is; a coder's own name stays as it is."""
    return PREFIXES["human"] + name.removeprefix(PREFIXES["human"])


def computed(kind: CoderKind, digits: str, *, model: str = "") -> str:
    """The coder that a program is: its kind, a model's name, and digits of its spec's key."""
    return f"{PREFIXES[kind]}{model}@{digits}" if model else f"{PREFIXES[kind]}{digits}"


def imported_model(name: str, *, segments: bool) -> str:
    """The coder that a model is whose codes came from a file; `segments`: it says where they are.

    A coder's name of another project stays whole behind the word that it is a model.
    """
    return f"{PREFIXES['model']}{name}{_ELSEWHERE if segments else _UNITS_ALONE}"


def is_imported(coder: str) -> bool:
    """Whether a coder is a model whose codes came from a file: nobody here can ask it."""
    return coder.startswith(PREFIXES["model"]) and coder.endswith((_ELSEWHERE, _UNITS_ALONE))


def says_of_segments(coder: str) -> bool:
    """Whether a coder is asked of segments: not an embedded one, which reads whole units, and not
    a model whose file says nothing of them."""
    return not is_embedded(coder) and not (is_imported(coder) and coder.endswith(_UNITS_ALONE))


def name_of(coder: str) -> str:
    """A person's name, without the word that they are human; any other coder's name whole."""
    return coder.removeprefix(PREFIXES["human"])


def kind_of(coder: str) -> CoderKind | None:
    """What a coder is; None for a name of no kind, as of a table that is of no project."""
    return next((kind for kind, prefix in PREFIXES.items() if coder.startswith(prefix)), None)


def looks_like_model(name: str) -> bool:
    """Whether a coder of a table made elsewhere is called like a model, or like one of ours."""
    return kind_of(name) not in (None, "human") or bool(_MODEL.search(name_of(name)))


def program_among(coders: str) -> str:
    """The first of comma-joined coders that is no person; '' where all are."""
    return next((coder for coder in coders.split(",") if kind_of(coder) != "human"), "")


@overload
def is_human(coder: str) -> bool: ...
@overload
def is_human(coder: pd.Series[str]) -> pd.Series[bool]: ...
def is_human(coder: str | pd.Series[str]) -> bool | pd.Series[bool]:
    """Whether a coder, or each of a column of coders, is a person."""
    return _is("human", coder)


@overload
def is_embedded(coder: str) -> bool: ...
@overload
def is_embedded(coder: pd.Series[str]) -> pd.Series[bool]: ...
def is_embedded(coder: str | pd.Series[str]) -> bool | pd.Series[bool]:
    """Whether a coder, or each of a column, reads whole units and says nothing of segments."""
    return _is("embedded", coder)


def versus(one: str, other: str) -> str:
    """The name of the panel that compares two coders, or a coder with a panel."""
    return f"{one} vs {other}"


def within(group: str) -> str:
    """The name of the panel of the blind humans of one group of coders."""
    return f"within {group}"


def between(one: str, other: str) -> str:
    """The name of the panel that compares the coders of one group with those of another."""
    return f"between {one} and {other}"


def assisted(panel: str) -> str:
    """The name of a panel whose humans saw a suggestion."""
    return f"{panel}, {ASSISTED}"


def _is(kind: CoderKind, coder: str | pd.Series[str]) -> bool | pd.Series[bool]:
    prefix = PREFIXES[kind]
    return coder.startswith(prefix) if isinstance(coder, str) else coder.str.startswith(prefix)
