"""Posts to requests for a model, and what any coder that is no person answered to codings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit, urlunsplit

import jinja2
import pandas as pd

from labeler.codebook.codebook import Codebook
from labeler.coders import answers
from labeler.coders.answers import Example, ParsedAnswer, PostInRequest
from labeler.coders.llm.request_body import LIMITS, envelope, escaped, limit_name, one_line
from labeler.coders.schema import schema
from labeler.coding.vocabulary import CANARY, computed, is_imported, kind_of
from labeler.errors import AnswerError, InputError
from labeler.keys import canonical, key, keyed
from labeler.store.tables import CODINGS, SEGMENTS, frame
from labeler.text.coded_values import joined

FORM = "2"
PARAMETERS: Mapping[str, object] = {"temperature": 0}
FAULTS = ["completion", "unit", "coder", "kind", "detail"]
REQUESTS = ["completion", "unit", "replicate", "asked", "request", "body"]

Locate = Callable[[str, int, int], tuple[int, int, str]]


class PromptTemplates(NamedTuple):
    """The texts of the two prompt templates (Jinja)."""

    system: str
    user: str


class Prompt(NamedTuple):
    """The part of a request's body that is the same for every post, as canonical JSON.

    Model, parameters, schema, system message, and the name of the limit of tokens (null: none).
    `examples` are the units that it shows with their codes, about which it must not be asked;
    `several` is how many posts a request holds.
    """

    key: str
    content: str
    examples: tuple[str, ...] = ()
    several: int = 1


class ParsedCompletions(NamedTuple):
    """Frames of CODINGS and of SEGMENTS, and the faults (columns FAULTS) of rows without."""

    codings: pd.DataFrame
    segments: pd.DataFrame
    faults: pd.DataFrame


def spec(
    *,
    base_url: str,
    model: str,
    templates: PromptTemplates,
    parameters: Mapping[str, object] = PARAMETERS,
    examples: Sequence[Example] = (),
    several: int = 1,
) -> dict[str, object]:
    """What makes a model this coder: endpoint, model, parameters, and how it is asked.

    A user name, password or query in `base_url` is left out: it may be a secret.
    """
    parts = urlsplit(base_url)
    host = parts.netloc.rpartition("@")[2]
    about: dict[str, object] = {
        "kind": "model",
        "base_url": urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", "")),
        "model": model,
        "parameters": dict(parameters),
        "prompt": key(list(templates)),
        "form": FORM,
    }
    if examples:
        about["examples"] = key([list(example) for example in examples])
    if several > 1:
        about["several"] = several
    return about


def coder(spec: Mapping[str, object]) -> str:
    """The name of a model as coder: `model:`, its name, and 6 digits of its spec's key."""
    return computed("model", key(dict(spec))[:6], model=str(spec["model"]))


def prompt(
    codebook: Codebook,
    spec: Mapping[str, object],
    templates: PromptTemplates,
    examples: Sequence[Example] = (),
    *,
    several: int = 1,
) -> Prompt:
    """What is the same in every request of a coder; `several` posts are to go into each.

    The limit of answer tokens is called `max_completion_tokens` at OpenAI and Azure, else
    `max_tokens`, unless the coder's parameters name one of them.
    """
    system = _template(templates.system).render(
        codebook=codebook,
        several=several > 1,
        examples=[{"post": one_line(one.text), "answer": escaped(one.answer)} for one in examples],
    )
    parameters = cast(Mapping[str, object], spec["parameters"])
    content = {
        **(
            {}
            if any(name in parameters for name in LIMITS)
            else {limit_name(str(spec["base_url"])): None}
        ),
        **parameters,
        "model": spec["model"],
        "response_format": {
            "type": "json_schema",
            "json_schema": {
                "name": re.sub(r"\W", "_", codebook.codebook)[:64],
                "strict": True,
                "schema": schema(codebook, several=several > 1),
            },
        },
        "messages": [{"role": "system", "content": system}],
    }
    return Prompt(key(content), canonical(content), tuple(one.unit for one in examples), several)


def requests(
    posts: pd.DataFrame,
    codebook: Codebook,
    *,
    spec: Mapping[str, object],
    prompt: Prompt,
    templates: PromptTemplates,
    secret: bytes,
    replicate: int = 1,
    limit: int | None = None,
    attempt: int = 1,
) -> pd.DataFrame:
    """What to ask about each post (columns unit and text): a frame of REQUESTS, a row a unit.

    `request` is what is stored, canonical JSON of the prompt's key, the user message, and `limit`,
    the most tokens an answer may have; `body` is what is sent. `completion` is the key of coder,
    codebook, prompt, message, replicate, limit and `attempt` (from 2 on: an answer that failed
    before stays, with what it cost). The post comes last, as one line of JSON behind
    a delimiter that only the owner of `secret` can foresee and that stays the same for this unit.

    Where the prompt takes several posts, as many rows in turn share one body, which is to be sent
    once: `asked` is its key (with one post, the completion's), and `request` names the ids that
    stand for the posts in it. Give the posts in portions where memory matters: each row holds a
    whole body. InputError where a post is one of the prompt's examples.
    """
    user, whole = _template(templates.user), envelope(prompt.content)
    shared = {"coder": key(dict(spec)), "codebook": codebook.fingerprint, "prompt": prompt.key}
    rows = []
    for units, texts in _groups(posts, prompt):
        ids = [keyed({"unit": unit, "purpose": "id"}, secret=secret)[:8] for unit in units]
        delimiter = keyed({"unit": joined(units), "purpose": "delimiter"}, secret=secret)
        lines = [one_line(text) for text in texts]
        pairs = [
            f'{{"post":"{name}","text":{line}}}' for name, line in zip(ids, lines, strict=True)
        ]
        several = prompt.several > 1
        message = user.render(
            delimiter=delimiter,
            post="" if several else lines[0],
            posts=pairs if several else [],
        ).rstrip("\n")
        body = whole(message, limit)
        asked: dict[str, object] = {"prompt": prompt.key, "user": message, "limit": limit}
        about: dict[str, object] = {**shared, **asked, "replicate": replicate}
        if attempt > 1:
            about["attempt"] = attempt
        sent = key(about)
        for unit, name in zip(units, ids, strict=True):
            own: dict[str, object] = {"post": name, "posts": ids} if several else {}
            completion = key(about | own) if several else sent
            rows.append((completion, unit, replicate, sent, canonical(asked | own), body))
    kinds = dict.fromkeys(REQUESTS, "str") | {"replicate": "Int64", "body": "object"}
    columns = zip(*rows, strict=True) if rows else [()] * len(REQUESTS)
    return pd.DataFrame(
        {
            name: pd.Series(list(column), dtype=kinds[name])
            for name, column in zip(REQUESTS, columns, strict=True)
        }
    )


def parse(
    completions: pd.DataFrame,
    posts: pd.DataFrame,
    codebook: Codebook,
    *,
    locate: Locate | None = None,
) -> ParsedCompletions:
    """Codings, segments and faults of `completions`; no content of an answer raises.

    `posts` holds the texts as they were sent (columns unit and text). Where something was hidden
    in them, `locate` takes a unit and a stretch of its sent text and gives the stretch of the
    original and its words, which are what a segment then holds.

    An answer that is no coding of the codebook leaves one fault and nothing else: `refusal`,
    `truncated`, `off-schema`, `left-out` (of several posts in a request), the completion's own
    error where it holds no answer (as `taught`: the coder learned from it), or `no-post`.
    Canaries leave nothing.
    A quote that does not stand in the post leaves `unsupported-quote`, a null where a model had
    to answer leaves `abstained`, and the other codings stay. Codes of a question that does not
    apply are dropped. Where a coder answered a unit twice (another prompt, another secret), the
    later answer that can be read counts.
    """
    texts = dict(zip(posts["unit"], posts["text"], strict=True))
    kept: dict[tuple[str, str, int], tuple[Any, ParsedAnswer]] = {}
    broken: dict[tuple[str, str, int], tuple[Any, AnswerError]] = {}
    in_time = completions.sort_values(["created", "completion"])
    for row in cast(Iterable[Any], in_time.itertuples(index=False)):
        if row.unit.startswith(CANARY):
            continue
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
            place = _place(row.unit, segment, locate)
            segments.append({**_whose(row), "segment": str(number), **place})
            codings += _coding_rows(row, str(number), segment.codings)
    return ParsedCompletions(
        frame(CODINGS, codings),
        frame(SEGMENTS, segments),
        pd.DataFrame(faults, columns=FAULTS).astype("str"),
    )


def _template(text: str) -> jinja2.Template:
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701  (a prompt is text, not HTML)
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.from_string(text)


def _groups(posts: pd.DataFrame, prompt: Prompt) -> Iterator[tuple[list[str], list[str]]]:
    """Units and texts of each request."""
    units, texts = posts["unit"].tolist(), posts["text"].tolist()
    shown = next((unit for unit in units if unit in prompt.examples), None)
    if shown is not None:
        raise InputError(
            f"unit {shown}: the prompt shows it as an example with its codes; leave it out of the "
            "posts to code, or out of the examples"
        )
    for start in range(0, len(units), prompt.several):
        yield units[start : start + prompt.several], texts[start : start + prompt.several]


def _read(row: Any, texts: Mapping[str, str], codebook: Codebook) -> ParsedAnswer:
    if row.error and not row.answer:
        raise AnswerError(row.detail, kind=row.error)
    if row.unit not in texts:
        raise AnswerError(f"no post has the unit {row.unit}; give all posts", kind="no-post")
    text = texts[row.unit]
    if kind_of(row.coder) in ("cues", "embedded") or is_imported(row.coder):
        return answers.read(row.answer, text, codebook, abstains=True)
    return answers.read(answers.content(row.answer), text, codebook, among=_among(row.request))


def _among(request: str) -> PostInRequest | None:
    """Which of several posts a stored request asks about for its unit; None where it has one."""
    asked = json.loads(request) if request.startswith("{") else {}
    return PostInRequest(asked["post"], tuple(asked["posts"])) if "posts" in asked else None


def _place(unit: str, segment: answers.AnsweredSegment, locate: Locate | None) -> dict[str, Any]:
    start, end, quote = segment.start, segment.end, segment.quote
    if locate is not None and segment.found != "missing":
        start, end, quote = locate(unit, start, end)
    return {"start": start, "end": end, "quote": quote, "found": segment.found}


def _whose(row: Any) -> dict[str, Any]:
    names = ("codebook", "unit", "coder")
    return {name: getattr(row, name) for name in names} | {"replicate": int(row.replicate)}


def _coding_rows(row: Any, segment: str, codes: Mapping[str, str]) -> list[dict[str, Any]]:
    shared = {**_whose(row), "segment": segment, "source": row.completion}
    return [{**shared, "variable": name, "value": value} for name, value in codes.items()]


def _fault(row: Any, kind: str, detail: str) -> dict[str, str]:
    return dict(zip(FAULTS, (row.completion, row.unit, row.coder, kind, detail), strict=True))
