"""The strict JSON schema of an answer, from the codebook.

The limits are those of the strictest server known (OpenAI's structured outputs): a root object,
every property required and none beside them, at most ten levels (here five, at which older models
end), 5,000 properties, 1,000 codes in all enums together, 15,000 signs in an enum of more than
250 codes, 120,000 signs in all names and codes together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labeler.codebook.codebook import Codebook, Variable
from labeler.coders.answers import may_be_null

LEVELS = 5
PROPERTIES = 5_000
CODES = 1_000
LONG_ENUM, LONG_ENUM_SIGNS = 250, 15_000
SIGNS = 120_000
OWN_SIGNS = 200


def schema(codebook: Codebook, *, several: bool = False) -> dict[str, Any]:
    """The schema of an answer to one post, or to `several` in one request.

    One post: object, list of segments, segment, its codes, list of codes: five levels. Several:
    a list of posts and, beside it and not inside, a list of segments, each with the id of its
    post: five levels again. Codes are enums, but those of the variables with the most codes are
    any text where all together would pass the limits: the prompt names them, and every answer is
    checked when it is read. A question that may not apply or may be left open takes null; a
    multiple one an empty list.
    """
    free = _without_enum(codebook)
    of_unit = _object({v.variable: _answer_type(v, free) for v in codebook.of_unit})
    post: dict[str, Any] = {"rationale": {"type": "string"}, "variables": of_unit}
    named: dict[str, Any] = {"post": {"type": "string"}} if several else {}
    properties = {"posts": _list(_object(named | post))} if several else post
    if codebook.segments is not None:
        codes = _object({v.variable: _answer_type(v, free) for v in codebook.of_segment})
        segment = _object(named | {"quote": {"type": "string"}, "codes": codes})
        properties["segments"] = _list(segment)
    return _object(properties)


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(part: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(part)}


def _answer_type(variable: Variable, free: set[str]) -> dict[str, Any]:
    null = may_be_null(variable)
    if not variable.values:
        bounds = {"minimum": variable.minimum, "maximum": variable.maximum}
        return {"type": ["number", "null"] if null else "number", **bounds}
    if variable.variable in free:
        text = {"type": ["string", "null"] if null else "string"}
        return _list(text) if variable.multiple else text
    if variable.multiple:
        return _list({"type": "string", "enum": list(variable.codes)})
    if null:
        return {"type": ["string", "null"], "enum": [*variable.codes, None]}
    return {"type": "string", "enum": list(variable.codes)}


def _without_enum(codebook: Codebook) -> set[str]:
    """The variables whose codes the schema does not list, so that it keeps the limits."""
    signs = {v.variable: sum(map(len, v.codes)) for v in codebook.variables if v.values}
    count = {v.variable: len(v.codes) + may_be_null(v) for v in codebook.variables if v.values}
    names = OWN_SIGNS + sum(len(variable.variable) for variable in codebook.variables)
    listed = {name for name in count if count[name] <= LONG_ENUM or signs[name] <= LONG_ENUM_SIGNS}
    for name in sorted(listed, key=lambda name: (-count[name], -signs[name], name)):
        told = names + sum(signs[other] for other in listed)
        if sum(count[other] for other in listed) <= CODES and told <= SIGNS:
            break
        listed.remove(name)
    return set(count) - listed
