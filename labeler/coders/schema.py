"""The form of an answer, once: what a server is asked to keep to, and what an answer is checked by.

It is a JSON schema made from the codebook. `schema` is the part of it that strict servers take;
their limits are those of the strictest one known (OpenAI's structured outputs): a root object,
every property required and none beside them, at most ten levels (here five, at which older models
end), 5,000 properties, 1,000 codes in all enums together, 15,000 characters in an enum of more
than 250 codes, 120,000 characters in all names and codes together.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from labeler.codebook.codebook import Codebook, Variable
from labeler.text import strict_json

LEVELS = 5
PROPERTIES = 5_000
CODES = 1_000
LONG_ENUM, LONG_ENUM_CHARACTERS = 250, 15_000
CHARACTERS = 120_000
OWN_CHARACTERS = 200

Schema = dict[str, Any]


def form(
    codebook: Codebook,
    *,
    several: bool = False,
    abstains: bool = False,
    unlisted: Collection[str] = (),
) -> Schema:
    """The form of an answer to one post, or to `several` in one request.

    One post: object, list of segments, segment, its codes, list of codes: five levels. Several:
    a list of posts and, beside it and not inside, a list of segments, each with the id of its
    post: five levels again. Codes are enums, but any text for the variables that `unlisted` names.
    A question that may not apply or may be left open takes null; a multiple one an empty list.
    `abstains`: every question takes null, and a segment may say where it starts.
    """

    def answers(variables: tuple[Variable, ...]) -> Schema:
        listed = {v.variable: _value(v, v.variable not in unlisted, abstains) for v in variables}
        return _object(listed)

    post: Schema = {"rationale": {"type": "string"}, "variables": answers(codebook.of_unit)}
    named: Schema = {"post": {"type": "string"}} if several else {}
    properties = {"posts": _list(_object(named | post))} if several else post
    if codebook.segments is not None:
        segment = named | {"quote": {"type": "string"}, "codes": answers(codebook.of_segment)}
        start = {"start": {"type": ["integer", "null"]}} if abstains else {}
        properties["segments"] = _list(_object(segment, optional=start))
    return _object(properties)


def schema(codebook: Codebook, *, several: bool = False) -> Schema:
    """The form as a strict server takes it.

    The variables with the most codes are any text where all together would pass the limits: the
    prompt names their codes, and every answer is checked by the whole form when it is read.
    """
    return form(codebook, several=several, unlisted=_without_enum(codebook))


def check(given: object, form: Schema, path: str = "") -> None:
    """AnswerError (`off-schema`), naming the path, where JSON is not of this form."""
    kinds = form.get("type", ())
    kinds = (kinds,) if isinstance(kinds, str) else kinds
    if not kinds or (given is None and "null" in kinds):
        return
    whole = path or "answer"
    match kinds[0]:
        case "object":
            _check_object(given, form, path)
        case "array":
            if not isinstance(given, list):
                raise strict_json.misfit(whole, "a list", given)
            for place, part in enumerate(given):
                check(part, form["items"], f"{path}[{place}]")
        case "string":
            codes = form.get("enum")
            if not isinstance(given, str) or (codes is not None and given not in codes):
                raise strict_json.misfit(whole, _expected(codes), given)
        case "integer":
            if isinstance(given, bool) or not isinstance(given, int):
                raise strict_json.misfit(whole, "a whole number", given)
        case _:
            _check_number(given, form, whole)


def may_be_null(variable: Variable) -> bool:
    """Whether the schema admits null: a question that may not apply, or may be left open.

    A multiple variable says the same by an empty list.
    """
    return not variable.multiple and (bool(variable.applies_when) or not variable.required)


def shallow(codebook: Codebook) -> Schema:
    """The form of an answer to several posts, down to its lists and not into their parts."""
    names = form(codebook, several=True)["properties"]
    return _object({name: _list({}) for name in names})


def _check_object(given: object, form: Schema, path: str) -> None:
    names = list(form["required"])
    if isinstance(given, dict):
        names += [name for name in form["properties"] if name not in names and name in given]
    parts = strict_json.members(given, names, path or "answer")
    for name, part in parts.items():
        check(part, form["properties"][name], f"{path}.{name}" if path else name)


def _check_number(given: object, form: Schema, path: str) -> None:
    low, high = form.get("minimum"), form.get("maximum")
    least = -math.inf if low is None else low
    most = math.inf if high is None else high
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if not number or not math.isfinite(given) or not least <= given <= most:  # type: ignore[arg-type,operator]
        raise strict_json.misfit(path, f"a number from {least:g} to {most:g}", given)


def _expected(codes: list[str | None] | None) -> str:
    if codes is None:
        return "a text"
    return f"one of {', '.join(code for code in codes if code is not None)}"


def _object(properties: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": {**properties, **(optional or {})},
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(part: Mapping[str, Any]) -> Schema:
    return {"type": "array", "items": dict(part)}


def _value(variable: Variable, listed: bool, abstains: bool) -> Schema:
    """The form of the answer to one variable."""
    null = abstains or may_be_null(variable)
    if not variable.values:
        bounds = {"minimum": variable.minimum, "maximum": variable.maximum}
        return {"type": _kind("number", null), **bounds}
    code: Schema = {"type": "string"}
    if variable.multiple:
        listing = code | ({"enum": list(variable.codes)} if listed else {})
        return {"type": _kind("array", abstains), "items": listing}
    code["type"] = _kind("string", null)
    return code | ({"enum": [*variable.codes, *([None] if null else [])]} if listed else {})


def _kind(name: str, null: bool) -> str | list[str]:
    return [name, "null"] if null else name


def _without_enum(codebook: Codebook) -> set[str]:
    """The variables whose codes the schema does not list, so that it keeps the limits."""
    sizes = {v.variable: sum(map(len, v.codes)) for v in codebook.variables if v.values}
    count = {v.variable: len(v.codes) + may_be_null(v) for v in codebook.variables if v.values}
    names = OWN_CHARACTERS + sum(len(variable.variable) for variable in codebook.variables)
    listed = {
        name for name in count if count[name] <= LONG_ENUM or sizes[name] <= LONG_ENUM_CHARACTERS
    }
    for name in sorted(listed, key=lambda name: (-count[name], -sizes[name], name)):
        whole = names + sum(sizes[other] for other in listed)
        if sum(count[other] for other in listed) <= CODES and whole <= CHARACTERS:
            break
        listed.remove(name)
    return set(count) - listed
