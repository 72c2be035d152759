"""Large tables as text without quotes, read by columns: the same cells, in a tenth of the time."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd

LARGE = 1_000_000  # bytes from which the detour is worth it


def plain_table(content: bytes, delimiter: str, *, guarded: tuple[str, ...]) -> pd.DataFrame | None:
    """The cells of a table as text, by line from 2 on; None where it has to be read row by row.

    That is so for a small one, and wherever a row could be more or less than a line (quotes, blank
    lines), be too long or too short, or hold what is no UTF-8 or begins with one of `guarded`: who
    reads it row by row says what is wrong, and where.
    """
    if len(content) < LARGE or b'"' in content or content[:1] in (b"\n", b"\r"):
        return None
    names = [name.strip() for name in _header(content).split(delimiter)]
    if not all(names) or len(set(names)) < len(names):
        return None
    found = _columns(content, delimiter, names)
    lines = content.count(b"\n") - content.endswith(b"\n")
    if found is None or found.num_rows != lines:
        return None
    import pyarrow as pa  # noqa: PLC0415  (only large tables need it)
    import pyarrow.compute as pc  # noqa: PLC0415

    trimmed = [pc.utf8_trim_whitespace(column) for column in found.columns]
    if any(pc.any(pc.starts_with(own, mark)).as_py() for own in trimmed for mark in guarded):
        return None
    frame: pd.DataFrame = pa.table(trimmed, names=names).to_pandas().astype("str")
    return frame.set_axis(pd.RangeIndex(2, len(frame) + 2, name="line"))


def _header(content: bytes) -> str:
    first = content.split(b"\n", 1)[0]
    return first.decode("utf-8", "replace").removesuffix("\r")


def _columns(content: bytes, delimiter: str, names: list[str]) -> Any | None:
    """The columns as pyarrow reads them; None where it cannot."""
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import csv  # noqa: PLC0415

    try:
        return csv.read_csv(
            io.BytesIO(content),
            read_options=csv.ReadOptions(column_names=names, skip_rows=1),
            parse_options=csv.ParseOptions(
                delimiter=delimiter, quote_char=False, ignore_empty_lines=False
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
