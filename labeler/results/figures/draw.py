"""Figures drawn: a Vega-Lite specification → SVG, PNG or PDF, without a browser or a network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal
from xml.sax.saxutils import quoteattr

import vl_convert

from labeler.keys import canonical

Form = Literal["svg", "png", "pdf"]


def draw(spec: Mapping[str, Any], form: Form) -> bytes:
    """The figure as a file's bytes; drawn once in a process, since it takes about 50 ms.

    A specification's `description` is what an SVG says to those who do not see it.
    """
    return _drawn(canonical(spec), form)


@lru_cache(maxsize=128)
def _drawn(spec: str, form: Form) -> bytes:
    given = json.loads(spec)
    if form == "png":
        return bytes(vl_convert.vegalite_to_png(given, scale=2))
    if form == "pdf":
        return bytes(vl_convert.vegalite_to_pdf(given))
    drawn = str(vl_convert.vegalite_to_svg(given))
    told = given.get("description")
    name = f'role="img" aria-label={quoteattr(told)} ' if told else ""
    return drawn.replace("<svg ", f"<svg {name}", 1).encode()
