"""Figures drawn: a Vega-Lite specification → SVG, PNG or PDF, without a browser or a network."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import vl_convert
from flask import Response, abort

from labeler.keys import canonical

TYPES = {
    "svg": "image/svg+xml",
    "png": "image/png",
    "pdf": "application/pdf",
    "json": "application/json",
}
NARROW = 190


def drawn(spec: dict[str, Any], form: str) -> Response:
    """A figure as an answer; 404 for a form that is not drawn."""
    if form not in TYPES:
        abort(404, f"Figures are drawn as {', '.join(TYPES)}; there is no {form!r}.")
    return Response(_draw(canonical(spec), form), content_type=TYPES[form])


@lru_cache(maxsize=128)
def _draw(spec: str, form: str) -> bytes:
    """Drawing takes about 50 ms, so what was drawn is kept by its specification."""
    if form == "svg":
        return str(vl_convert.vegalite_to_svg(spec)).encode()
    if form == "png":
        return bytes(vl_convert.vegalite_to_png(spec, scale=2))
    if form == "pdf":
        return bytes(vl_convert.vegalite_to_pdf(spec))
    return spec.encode()
