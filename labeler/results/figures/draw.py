"""Figures drawn: a Vega-Lite specification → SVG, PNG or PDF, without a browser or a network."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal
from xml.sax.saxutils import quoteattr

import vl_convert

from labeler.keys import canonical

WARNING = "#a3341f"
Form = Literal["svg", "png", "pdf"]


def draw(spec: Mapping[str, Any], form: Form) -> bytes:
    """The figure as a file's bytes; drawn once in a process, since it takes about 50 ms.

    A specification's `description` is what an SVG says to those who do not see it.
    """
    return _drawn(canonical(spec), form)


def marked(spec: Mapping[str, Any], warning: str) -> Mapping[str, Any]:
    """The figure with a warning above it, or as it is for ''."""
    if not warning:
        return spec
    lines = textwrap.wrap(warning, 70)
    title = spec.get("title")
    look = {"anchor": "start", "fontSize": 11}
    if title is None:
        return {**spec, "title": {"text": lines, "color": WARNING, **look}}
    named = title if isinstance(title, dict) else {"text": title, **look}
    return {**spec, "title": {**named, "subtitle": lines, "subtitleColor": WARNING}}


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
