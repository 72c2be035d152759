"""Posts to requests for a model, and what a model or the cues coder answered to codings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit, urlunsplit

import jinja2
import pandas as pd

from labeler import answers
from labeler.answers import Answer
from labeler.codebook import Codebook, Variable
from labeler.errors import AnswerError
from labeler.keys import canonical, key, keyed
from labeler.tables import CODINGS, SEGMENTS, frame

FORM = "1"
CUES = "cues@"
PARAMETERS: Mapping[str, object] = {"temperature": 0}
FAULTS = ["completion", "unit", "coder", "kind", "detail"]
REQUESTS = ["completion", "unit", "replicate", "request"]

_BREAKS = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "\x7f\x85\u2028\u2029"})


class Templates(NamedTuple):
    """The texts of the two prompt templates (Jinja)."""

    system: str
    user: str


class Parsed(NamedTuple):
    """Frames of CODINGS and of SEGMENTS, and the faults (columns FAULTS) of rows without."""

    codings: pd.DataFrame
    segments: pd.DataFrame
    faults: pd.DataFrame


def spec(
    *,
    base_url: str,
    model: str,
    templates: Templates,
    parameters: Mapping[str, object] = PARAMETERS,
) -> dict[str, object]:
    """What makes a model this coder: endpoint, model, parameters, and how it is asked.

    A user name, password or query in `base_url` is left out: it may be a secret.
    """
    parts = urlsplit(base_url)
    host = parts.netloc.rpartition("@")[2]
    return {
        "kind": "model",
        "base_url": urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", "")),
        "model": model,
        "parameters": dict(parameters),
        "prompt": key(list(templates)),
        "form": FORM,
    }


def coder(spec: Mapping[str, object]) -> str:
    """The name of a model as coder: `model:`, its name, and 6 digits of its spec's key."""
    return f"model:{spec['model']}@{key(dict(spec))[:6]}"


def schema(codebook: Codebook) -> dict[str, Any]:
    """The strict JSON schema of an answer.

    A root object, every property required, none beside them, codes as enums, at most five levels
    (object, list of segments, segment, its codes, list of codes). A question that may not apply or
    may be left open takes null; a multiple one an empty list.
    """
    properties: dict[str, Any] = {
        "rationale": {"type": "string"},
        "variables": _object({v.variable: _answer_type(v) for v in codebook.of_unit}),
    }
    if codebook.segments is not None:
        codes = _object({v.variable: _answer_type(v) for v in codebook.of_segment})
        segment = _object({"quote": {"type": "string"}, "codes": codes})
        properties["segments"] = {"type": "array", "items": segment}
    return _object(properties)


def requests(
    posts: pd.DataFrame,
    codebook: Codebook,
    *,
    spec: Mapping[str, object],
    templates: Templates,
    secret: bytes,
    replicate: int = 1,
) -> pd.DataFrame:
    """One request a post (columns unit and text): completion, unit, replicate, request.

    `request` is the whole body that is to be sent, as canonical JSON; `completion` is its key.
    The codebook comes first and is the same text for every post; the post comes last, as one line
    of JSON behind a delimiter that only the owner of `secret` can foresee. Give the posts in
    portions where memory matters: each row holds the whole prompt.
    """
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701  (a prompt is text, not HTML)
        trim_blocks=True,
        lstrip_blocks=True,
    )
    system = environment.from_string(templates.system).render(codebook=codebook)
    user = environment.from_string(templates.user)
    fixed = {
        **cast(Mapping[str, object], spec["parameters"]),
        "model": spec["model"],
        "response_format": {
            "type": "json_schema",
            "json_schema": {
                "name": re.sub(r"\W", "_", codebook.codebook)[:64],
                "strict": True,
                "schema": schema(codebook),
            },
        },
    }
    about, fingerprint = dict(spec), codebook.fingerprint
    rows = []
    for unit, text in zip(posts["unit"], posts["text"], strict=True):
        delimiter = keyed({"unit": unit, "purpose": "delimiter"}, secret=secret)
        asked = user.render(delimiter=delimiter, post=_one_line(text))
        messages = [{"role": "system", "content": system}, {"role": "user", "content": asked}]
        content = {
            "coder": about,
            "codebook": fingerprint,
            "messages": messages,
            "replicate": replicate,
        }
        rows.append((key(content), unit, replicate, canonical({**fixed, "messages": messages})))
    return pd.DataFrame(rows, columns=REQUESTS).astype(
        {"completion": "str", "unit": "str", "replicate": "Int64", "request": "str"}
    )


def parse(completions: pd.DataFrame, posts: pd.DataFrame, codebook: Codebook) -> Parsed:
    """Codings, segments and faults of `completions`; no content of an answer raises.

    An answer that is no coding of the codebook leaves one fault and nothing else: `refusal`,
    `truncated`, `off-schema`, the completion's own error where it holds no answer, or `no-post`.
    A quote that does not stand in the post leaves `unsupported-quote`, a null where a model had
    to answer leaves `abstained`, and the other codings stay. Codes of a question that does not
    apply are dropped. Where a coder answered a unit twice (another prompt, another secret), the
    later answer that can be read counts.
    """
    texts = dict(zip(posts["unit"], posts["text"], strict=True))
    kept: dict[tuple[str, str, int], tuple[Any, Answer]] = {}
    broken: dict[tuple[str, str, int], tuple[Any, AnswerError]] = {}
    in_time = completions.sort_values(["created", "completion"])
    for row in cast(Iterable[Any], in_time.itertuples(index=False)):
        whose = (row.unit, row.coder, int(row.replicate))
        try:
            kept[whose] = (row, _read(row, texts, codebook))
            broken.pop(whose, None)
        except AnswerError as error:
            if whose not in kept:
                broken[whose] = (row, error)
    codings: list[dict[str, Any]] = []
    segments: list[dict[str, Any]] = []
    faults = [_fault(row, error.kind, str(error)) for row, error in broken.values()]
    for row, answer in kept.values():
        faults += [_fault(row, kind, detail) for kind, detail in answer.faults]
        codings += _coding_rows(row, "", answer.codings)
        for number, segment in enumerate(answer.segments, start=1):
            place = segment._asdict()
            place.pop("codings")
            segments.append({**_whose(row), "segment": str(number), **place})
            codings += _coding_rows(row, str(number), segment.codings)
    return Parsed(
        frame(CODINGS, codings),
        frame(SEGMENTS, segments),
        pd.DataFrame(faults, columns=FAULTS).astype("str"),
    )


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _answer_type(variable: Variable) -> dict[str, Any]:
    if not variable.values:
        bounds = {"minimum": variable.minimum, "maximum": variable.maximum}
        return {"type": ["number", "null"] if answers.may_be_null(variable) else "number", **bounds}
    if variable.multiple:
        return {"type": "array", "items": {"type": "string", "enum": list(variable.codes)}}
    if answers.may_be_null(variable):
        return {"type": ["string", "null"], "enum": [*variable.codes, None]}
    return {"type": "string", "enum": list(variable.codes)}


def _one_line(text: str) -> str:
    """A text as a JSON string without any sign that a reader could take for a line's end."""
    return json.dumps(text, ensure_ascii=False).translate(_BREAKS)


def _read(row: Any, texts: Mapping[str, str], codebook: Codebook) -> Answer:
    if row.error and not row.answer:
        raise AnswerError(row.detail, kind=row.error)
    if row.unit not in texts:
        raise AnswerError(f"no post has the unit {row.unit}; give all posts", kind="no-post")
    text = texts[row.unit]
    if row.coder.startswith(CUES):
        return answers.read(row.answer, text, codebook, abstains=True)
    return answers.read(answers.content(row.answer), text, codebook)


def _whose(row: Any) -> dict[str, Any]:
    names = ("codebook", "unit", "coder")
    return {name: getattr(row, name) for name in names} | {"replicate": int(row.replicate)}


def _coding_rows(row: Any, segment: str, codes: Mapping[str, str]) -> list[dict[str, Any]]:
    shared = {**_whose(row), "segment": segment, "source": row.completion}
    return [{**shared, "variable": name, "value": value} for name, value in codes.items()]


def _fault(row: Any, kind: str, detail: str) -> dict[str, str]:
    return dict(zip(FAULTS, (row.completion, row.unit, row.coder, kind, detail), strict=True))
