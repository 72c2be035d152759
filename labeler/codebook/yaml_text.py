"""YAML that people write: read strictly, and its faults in plain words. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

import yaml

# libyaml reads a codebook several times as fast; PyYAML's own is there where it was built without
if TYPE_CHECKING:
    _Safe = yaml.SafeLoader
else:
    _Safe = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unreadable(ValueError):
    """Why a text is no YAML, in one line."""


def parsed(text: str) -> Any:
    """What the YAML in a text says; Unreadable where it is none, or has a key twice."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  (a SafeLoader, see below)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2024-02-31
        raise Unreadable(" ".join(str(error).split())) from error


class _Loader(_Safe):
    """Safe YAML that refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            name = self.construct_object(key_node, deep=True)
            if not isinstance(name, Hashable):
                continue  # the parent class says so, with its place
            if name in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {name!r} stands twice", key_node.start_mark
                )
            seen.add(name)
        return super().construct_mapping(node, deep)


def finding(source: str, fault: Mapping[str, Any]) -> str:
    """One of pydantic's faults: where it stands and what to do about it."""
    kind, given = fault["type"], fault["input"]
    if kind == "extra_forbidden":
        reason = "unknown key; remove it or check its spelling"
    elif kind == "missing":
        reason = "missing; add it"
    elif kind == "string_type" and isinstance(given, bool):
        reason = f"YAML reads this as {str(given).lower()}; put it in quotes"
    elif kind == "string_type" and isinstance(given, int | float):
        reason = f"YAML reads this as the number {given}; put it in quotes"
    else:
        reason = f"{cast(str, fault['msg']).removeprefix('Value error, ')}, got {given!r:.60}"
    return f"{source}: {_path(fault['loc'])}: {reason}"


def _path(location: Iterable[int | str]) -> str:
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
