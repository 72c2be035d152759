"""What a reply, or none, of a model server means for its request: is it asked again, or not?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple

from labeler.text.storable import storable

AGAIN = {408, 409, 425}
FATAL = {401, 402, 403, 404, 405}
ADVICE = {
    401: "the key is wrong or missing; set OPENAI_API_KEY",
    402: "the account must be paid up",
    403: "the key may not use this model; check OPENAI_API_KEY and the account",
    404: "no such model or address; check the model's name, and that the base URL ends in /v1",
    405: "this is no address of chat completions; check that the base URL ends in /v1",
    429: "the account's quota is used up; pay it up or raise its limit",
}
QUOTA = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
FILTERS = {"content_filter", "content_policy_violation"}


class Failure(NamedTuple):
    """Why there is no answer, and what follows.

    `kind` is counted: a status, `timeout`, `connection`, `refused connection`, `broken body`,
    `rejected` or `refusal`. `fate`: `again` (another attempt may succeed), `slower` (so it may,
    later), `row` (this request never will: an error of its row), `stop` (none will). `gone` says
    that the server may be gone altogether; `wait` is what it asks for, in seconds.
    """

    kind: str
    fate: Literal["again", "slower", "row", "stop"]
    detail: str
    wait: float | None = None
    gone: bool = False
    status: int | None = None


def of_status(status: int, headers: Mapping[str, str], raw: bytes, *, api_key: str) -> Failure:
    """The meaning of a reply that is no answer."""
    code, words = _said(raw, api_key)
    if code & QUOTA:
        return Failure(str(status), "stop", ADVICE[429], status=status)
    wait = retry_after(headers)
    if status == 429:
        return Failure("429", "slower", words, wait, status=status)
    if status in AGAIN or status >= 500:
        return Failure(str(status), "again", words, wait, gone=status >= 500, status=status)
    if status in FATAL:
        return Failure(str(status), "stop", ADVICE[status], status=status)
    if 200 <= status < 400:
        return Failure("broken body", "again", f"{status}: no chat completion", status=status)
    kind = "refusal" if code & FILTERS else "rejected"
    return Failure(kind, "row", f"{status}: {words}", status=status)


def of_silence(seconds: float) -> Failure:
    """No whole answer came in time."""
    return Failure("timeout", "again", f"no answer in {seconds:.3g} s", gone=True)


def of_connection(error: BaseException, *, connected: bool) -> Failure:
    """The connection broke, or was never made."""
    kind = "connection" if connected else "refused connection"
    return Failure(kind, "again", cause(error), gone=True)


def cause(error: BaseException) -> str:
    """The innermost reason of a failed connection, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(f"{type(error).__name__} {error}".split())[:200]


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait: Retry-After-Ms, or Retry-After (RFC 9110, 10.2.3)."""
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / scale
        except ValueError:
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _said(raw: bytes, api_key: str) -> tuple[set[object], str]:
    """The codes of an error's body, and its words in one line, without the key."""
    text = raw[:100_000].decode("utf-8", "replace")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    inner = body.get("error", body) if isinstance(body, dict) else None
    about = inner if isinstance(inner, dict) else {"message": inner}
    codes: set[object] = {v for v in (about.get("code"), about.get("type")) if isinstance(v, str)}
    words = next((about[k] for k in ("message", "detail") if isinstance(about.get(k), str)), text)
    line = " ".join(str(words).split())
    if api_key:
        line = line.replace(api_key, "[key]")
    return codes, storable(line)[:500]
