"""Codings of tests as columns: positions in the domain, -1 for not coded."""

from __future__ import annotations

import json

import numpy as np
from places import CASES_FILE

CASES = {case["id"]: case for case in json.loads(CASES_FILE.read_text(encoding="utf-8"))}


def columns_of(rows, domain):
    """Rows of values, one a coder, None or "." for not coded."""
    places = {value: place for place, value in enumerate(domain)}
    return np.array([[places.get(value, -1) for value in row] for row in rows])


def columns_of_case(name):
    """A published matrix."""
    return columns_of(CASES[name]["codings"], CASES[name]["domain"])


def columns_of_table(*rows):
    """A table of two coders: row k, column l holds how many units got k by one, l by the other."""
    table = np.array(rows)
    first, second = np.indices(table.shape)
    return np.array([np.repeat(first, table.ravel()), np.repeat(second, table.ravel())])
