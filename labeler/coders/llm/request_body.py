"""The body of a request: what stands still in it, and a post as text that stays text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from labeler.keys import canonical

ENDPOINT: Final = "/v1/chat/completions"
# OpenAI's reasoning models refuse `max_tokens`; Ollama and older servers know nothing else, and
# would leave out a limit of the other name without a word.
LIMITS = ("max_tokens", "max_completion_tokens")
_OPENAI = re.compile(r"(?:^|\.)(?:openai\.com|azure\.com|azure\.us|azure\.cn)$")

# Escaped though JSON does not ask for it: what ends a line for some reader, what changes the order
# of writing, what carries text that nobody sees (tags, variation selectors), and the beginning of
# what a chat template may take for a token of its own (`<|im_end|>`, `[/INST]`).
_UNPLAIN = re.compile(
    "[\x7f\x85\u2028\u2029\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
    r"|<(?=[|\uff5c/<!?A-Za-z_])|\[(?=/?(?:INST|[A-Z]+_[A-Z_]+)\])"
)


def limit_name(base_url: str) -> str:
    """What the most tokens of an answer are called at this address."""
    host = urlsplit(base_url).hostname or ""
    return LIMITS[1] if _OPENAI.search(host) else LIMITS[0]


def body(content: str, request: str) -> str:
    """The body that was sent, from what is stored: the prompt's `content` and the `request`."""
    asked = json.loads(request)
    return envelope(content)(asked["user"], asked["limit"])


def one_line(text: str) -> str:
    """A text as a JSON string without any character that a reader could take for more than text.

    No line ends, nothing invisible that carries text, no beginning of a chat template's tokens.
    """
    whole = text.encode("utf-8", "replace").decode("utf-8")  # half of a surrogate pair is no text
    return escaped(json.dumps(whole, ensure_ascii=False))


def escaped(line: str) -> str:
    """The same JSON, with escapes for all in its texts that is not plainly text."""
    return _UNPLAIN.sub(_escape, line)


def envelope(content: str) -> Callable[[str, int | None], str]:
    """What makes a body of a user message and a limit, without writing the rest again.

    `content` is a prompt's: all but the user message, with the limit's name (null: none).
    """
    fixed = json.loads(content)
    name = next(limit for limit in LIMITS if limit in fixed)
    standing, messages = fixed.pop(name), fixed.pop("messages")
    told = "".join(f"{canonical(message)}," for message in messages)
    head = f'{canonical(fixed)[:-1]},"messages":[{told}{{"content":'

    def whole(user: str, limit: int | None) -> str:
        most = standing if limit is None else limit
        tail = "" if most is None else f',"{name}":{canonical(most)}'
        # the post in ASCII: an emoji would make four bytes of every character of the whole
        return f'{head}{json.dumps(user)},"role":"user"}}]{tail}}}'

    return whole


def _escape(match: re.Match[str]) -> str:
    halves = match.group().encode("utf-16-be")
    return "".join(f"\\u{halves[place : place + 2].hex()}" for place in range(0, len(halves), 2))
