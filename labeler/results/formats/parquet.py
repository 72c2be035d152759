"""Tables as Parquet, a file each: types are kept, and large ones are read in no time."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from labeler.results.formats.declaration import BundleFacts, Format

LARGE = ("codings", "segments", "estimates", "reliability")


def _files(
    frames: Mapping[str, pd.DataFrame],
    facts: BundleFacts,  # noqa: ARG001
) -> dict[str, bytes]:
    return {f"{name}.parquet": _file(frames[name]) for name in LARGE if name in frames}


def _file(frame: pd.DataFrame) -> bytes:
    held = io.BytesIO()
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    parquet.write_table(table, held, compression="zstd")
    return held.getvalue()


FORMAT = Format(
    name="parquet",
    files=_files,
    descriptions={
        f"{name}.parquet": f"The same as {name}.csv, with types (an empty set is '')."
        if name == "codings"
        else f"The same as {name}.csv, with types."
        for name in LARGE
    },
)
