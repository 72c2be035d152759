"""Keys come from content: canonical JSON, then SHA-256. The only maker of keys."""

from __future__ import annotations

import hashlib
import hmac
import json

LENGTH = 32


def canonical(content: object) -> str:
    """JSON text of `content` that is the same for equal contents: sorted keys, no spaces."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def key(content: object) -> str:
    """Key of any JSON-able content: the first 32 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(canonical(content).encode("utf-8")).hexdigest()[:LENGTH]


def keyed(content: object, *, secret: bytes) -> str:
    """Key that nobody without `secret` can make again or look up (HMAC-SHA-256, 32 digits)."""
    message = canonical(content).encode("utf-8")
    return hmac.new(secret, message, hashlib.sha256).hexdigest()[:LENGTH]
