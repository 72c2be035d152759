"""What an endpoint can do: asked once, because servers take a parameter and ignore it."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

from labeler.coders.answers import content
from labeler.coders.llm.client import completions, failures, http
from labeler.coders.llm.client.failures import Failure
from labeler.coders.llm.client.http import ModelConnection, Reply
from labeler.coders.llm.client.rate_limits import RateLimits, limits_in
from labeler.errors import AnswerError

UNLIKELY = "qx7-vureth-41"  # made up: no model writes it unless the schema leaves it nothing else
SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string", "enum": [UNLIKELY]}},
    "required": ["answer"],
    "additionalProperties": False,
}
FORM = {
    "type": "json_schema",
    "json_schema": {"name": "probe", "strict": True, "schema": SCHEMA},
}
ASKED = 'Reply with the JSON object {"answer": "yes"} and with nothing else.'


class Endpoint(NamedTuple):
    """What an endpoint does with a schema, log-probabilities and usage; its models and limits.

    `models` is empty where the server lists none; `limits` are those of its headers. `detail` says
    what it answered where the schema is not enforced.
    """

    enforces_schema: bool
    logprobs: bool
    usage: bool
    models: tuple[str, ...]
    limits: RateLimits
    detail: str = ""


def probe(
    base_url: str,
    api_key: str,
    model: str,
    *,
    deadline: float = 120.0,
    attempts: int = 4,
    pause: float = 0.5,
) -> Endpoint:
    """Ask the endpoint one small question, with a schema that only an enforcing server can meet.

    The prompt asks for another answer than the schema allows. A server that rejects the schema or
    the log-probabilities is asked again without. Raises ServiceRejected where the key, the address
    or the model is wrong, ServiceUnavailable where nobody answers `attempts` times.
    """
    http.checked(base_url)
    return asyncio.run(_Probe(base_url, api_key.strip(), deadline, attempts, pause).run(model))


class _Probe(NamedTuple):
    base_url: str
    api_key: str
    deadline: float
    attempts: int
    pause: float

    async def run(self, model: str) -> Endpoint:
        messages = [{"role": "user", "content": ASKED}]
        plain: dict[str, Any] = {"model": model, "messages": messages}
        async with http.opened(self.base_url, self.api_key) as connection:
            models = _models(await connection.get_models(deadline=self.deadline))
            asked: tuple[dict[str, Any], ...] = (
                {"response_format": FORM, "logprobs": True},
                {"response_format": FORM},
                {"logprobs": True},
            )
            for extra in asked:
                reply = await self._asked(connection, {**plain, **extra})
                if isinstance(reply, Reply):
                    return _read(reply, models, schema="response_format" in extra)
            reply = await self._asked(connection, plain)
        if isinstance(reply, Failure):
            raise http.refused(self.base_url, reply)
        return _read(reply, models, schema=False)

    async def _asked(self, connection: ModelConnection, body: dict[str, Any]) -> Reply | Failure:
        """The answer; or why the server will not have such a request."""
        raw, failure = json.dumps(body).encode(), Failure("", "again", "")
        for attempt in range(self.attempts):
            reply = await connection.post(raw, deadline=self.deadline, attempt=attempt + 1)
            found = self._failure(reply)
            if found is None or found.fate == "row":
                return found or reply
            failure = found
            if failure.fate == "stop":
                raise http.refused(self.base_url, failure)
            if attempt + 1 < self.attempts:
                usual = self.pause * 2**attempt
                await asyncio.sleep(min(60.0, usual if failure.wait is None else failure.wait))
        raise http.unavailable(
            self.base_url,
            f"no answer to {self.attempts} attempts ({failure.kind}: {failure.detail})",
            status=failure.status,
        )

    def _failure(self, reply: Reply | Failure) -> Failure | None:
        if isinstance(reply, Failure):
            return reply
        if reply.status != 200:
            status, headers, raw, _ = reply
            return failures.of_status(status, headers, raw, api_key=self.api_key)
        answer = completions.read("", reply.raw, 0.0)
        return Failure("broken body", "again", answer) if isinstance(answer, str) else None


def _read(reply: Reply, models: tuple[str, ...], *, schema: bool) -> Endpoint:
    answer = completions.read("", reply.raw, 0.0)
    assert not isinstance(answer, str)
    choices = json.loads(answer.body)["choices"]
    first = choices[0] if choices and isinstance(choices[0], dict) else {}
    probabilities = first.get("logprobs")
    try:
        said = content(answer.body)
    except AnswerError as error:
        said = str(error)
    try:
        met = json.loads(said) == {"answer": UNLIKELY}
    except (ValueError, RecursionError):
        met = False
    why = (
        "" if met else "the server rejects a schema" if not schema else f"it answered {said!a:.200}"
    )
    return Endpoint(
        enforces_schema=schema and met,
        logprobs=isinstance(probabilities, dict) and bool(probabilities.get("content")),
        usage=answer.used is not None,
        models=models,
        limits=limits_in(reply.headers),
        detail=why,
    )


def _models(reply: Reply | Failure) -> tuple[str, ...]:
    if isinstance(reply, Failure) or reply.status != 200:
        return ()
    try:
        listed = json.loads(reply.raw).get("data")
    except (ValueError, RecursionError, AttributeError):
        return ()
    names = [each.get("id") for each in listed or () if isinstance(each, dict)]
    return tuple(sorted(name for name in names if isinstance(name, str)))
