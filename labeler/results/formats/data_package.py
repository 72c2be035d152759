"""What the CSV files hold, for programs: a Data Package (Frictionless, version 2) of the bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from labeler.results.formats.declaration import BundleFacts, Format
from labeler.store.tables import METADATA, keys

NAME = "datapackage.json"
PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
TYPES = {float: "number", int: "integer", str: "string"}


def _files(frames: Mapping[str, pd.DataFrame], facts: BundleFacts) -> dict[str, bytes]:
    package = {
        "$schema": PROFILE,
        "name": "labeler-bundle",
        "title": f"Batch {facts.batch}: {facts.codebook.title}",
        "description": "Everything in it is made up." if facts.made_up else "",
        "version": facts.codebook.version,
        "resources": [_resource(name, frames[name]) for name in sorted(frames)],
    }
    text = json.dumps(package, indent=2, ensure_ascii=False)
    return {NAME: f"{text}\n".encode()}


def _resource(name: str, frame: pd.DataFrame) -> dict[str, Any]:
    table = METADATA.tables.get(name)
    schema: dict[str, Any] = {
        "fields": [_field(name, str(column)) for column in frame.columns],
        "missingValues": [""],
    }
    if table is not None and set(keys(table)) <= set(frame.columns):
        schema["primaryKey"] = keys(table)
    return {
        "name": name.replace("_", "-"),
        "path": f"{name}.csv",
        "type": "table",
        "format": "csv",
        "encoding": "utf-8",
        "description": "" if table is None else str(table.comment),
        "schema": schema,
    }


def _field(name: str, column: str) -> dict[str, str]:
    """Type and meaning of a column; a text where the table is none of the store's."""
    table = METADATA.tables.get(name)
    if table is None or column not in table.c:
        return {"name": column, "type": "string"}
    own = table.c[column]
    kind = TYPES[own.type.python_type]
    return {"name": column, "type": kind, "description": str(own.comment)}


FORMAT = Format(
    name="data package",
    files=_files,
    descriptions={NAME: "What each CSV file and column holds, for programs (Frictionless)."},
)
