"""A table of a model's codings made elsewhere → answers in the form that stored ones have. Pure.

What a model coded elsewhere is stored as what a model answers here: a completion for each unit and
replicate, which is parsed like any other. It has no arm, so it is never a person's blind coding; it
can be shown as a suggestion and be compared with people. What the table says nothing of is null, to
abstain; of a table that says nothing of segments, the coder's name says that it was not asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from labeler.codebook.codebook import Codebook, Variable
from labeler.coding.import_rows import Faults, Row, read_models
from labeler.coding.vocabulary import PREFIXES, imported_model
from labeler.keys import canonical, key
from labeler.store import tables
from labeler.text.coded_values import EMPTY_SET, codes_of

AnsweredValue = str | int | float | list[str] | None


class ImportedAnswers(NamedTuple):
    """COMPLETIONS rows, how many values they hold, and the faults: a line (0: of no one line) and
    what is wrong there. With a fault there are no rows. `models` maps coders to names of models.
    """

    completions: pd.DataFrame
    values: int
    models: dict[str, str]
    faults: Faults


def imported_answers(
    table: pd.DataFrame,
    posts: pd.DataFrame,
    codebook: Codebook,
    *,
    source: Mapping[str, str],
    created: str,
) -> ImportedAnswers:
    """The answers of a table whose columns are named as in FIELDS, a row a coding.

    `posts` holds the POSTS that the table may name. `source` says of which file it is (`file`, its
    name, and `sha256`). A completion's key is that of coder, codebook, unit, replicate and answer,
    not of the file: the same answers in another file are the same rows. A quote is looked for in
    the post when the answer is parsed; where it is not found, the segment is kept as missing.
    """
    found, faults = read_models(table, posts, codebook)
    coded = [row for row in found if row.value]
    in_segments = {row.coder for row in coded if row.segment}
    faults += _unsaid(coded, in_segments, codebook)
    texts = dict(zip(posts["unit"], posts["text"], strict=True))
    groups: dict[tuple[str, str, int], list[Row]] = {}
    for row in found:
        groups.setdefault((row.coder, row.unit, row.replicate), []).append(row)
    rows = []
    models: dict[str, str] = {}
    for (named, unit, replicate), own in groups.items():
        if not any(row.value for row in own):
            continue
        answer = canonical(_answer(own, texts[unit], codebook, faults))
        model = named.removeprefix(PREFIXES["model"])
        coder = imported_model(model, segments=named in in_segments or codebook.segments is None)
        models[coder] = model
        content = {
            "coder": coder,
            "codebook": codebook.fingerprint,
            "unit": unit,
            "replicate": replicate,
            "answer": answer,
        }
        rows.append(
            {
                **content,
                "completion": key(content),
                "request": canonical({**source, "line": own[0].line}),
                "served": source["file"],
                "created": created,
            }
        )
    if faults:
        return ImportedAnswers(tables.frame(tables.COMPLETIONS), 0, {}, sorted(set(faults)))
    return ImportedAnswers(tables.frame(tables.COMPLETIONS, rows), len(coded), models, [])


def _unsaid(coded: Sequence[Row], in_segments: set[str], codebook: Codebook) -> Faults:
    """Models that marked segments, and of which a variable of segments is not told anywhere.

    Its absence would count as the empty set, which is a coding that the model never gave.
    """
    said = {(row.coder, row.variable.variable) for row in coded}
    return [
        (
            0,
            f"{coder.removeprefix(PREFIXES['model'])} marks segments and says nothing of "
            f"{variable.variable}, which is of segments: it would count as having given none",
        )
        for coder in sorted(in_segments)
        for variable in codebook.of_segment
        if (coder, variable.variable) not in said
    ]


def _answer(rows: Sequence[Row], text: str, codebook: Codebook, faults: Faults) -> dict[str, Any]:
    """What a model gave one unit, in the form of an answer; `faults` grows by what has no place."""
    of_unit = {row.variable.variable: row.value for row in rows if not row.segment}
    answer: dict[str, Any] = {
        "rationale": "",
        "variables": {v.variable: _given(v, of_unit) for v in codebook.of_unit},
    }
    if codebook.segments is None:
        return answer
    named: dict[str, list[Row]] = {}
    for row in rows:
        if row.segment:
            named.setdefault(row.segment, []).append(row)
    answer["segments"] = []
    for name, own in named.items():
        place = _place(own, text)
        if isinstance(place, str):
            faults.append((own[0].line, f"segment {name!r}: {place}"))
            continue
        values = {row.variable.variable: row.value for row in own}
        codes = {v.variable: _given(v, values) for v in codebook.of_segment}
        answer["segments"].append({**place, "codes": codes})
    return answer


def _given(variable: Variable, values: Mapping[str, str]) -> AnsweredValue:
    """A value as the tables write it → as an answer holds it; None where there is none."""
    value = values.get(variable.variable, "")
    if not value:
        return None
    if not variable.values:
        return float(value) if "." in value or "e" in value.casefold() else int(value)
    if variable.multiple:
        return [] if value == EMPTY_SET else codes_of(value)
    return value


def _place(rows: Sequence[Row], text: str) -> dict[str, Any] | str:
    """The quote of a segment, and where it begins if the table says so; or what is wrong."""
    told: dict[str, str] = {}
    for row in rows:
        for name in ("start", "end", "quote"):
            cell = row.cells.get(name, "")
            if cell and told.setdefault(name, cell) != cell:
                return f"another {name} on line {row.line}"
    start, end, quote = (told.get(name, "") for name in ("start", "end", "quote"))
    if not (start or end):
        return {"quote": quote} if quote.strip() else "has no place: give start and end, or a quote"
    if not (start.isdecimal() and end.isdecimal() and int(start) < int(end) <= len(text)):
        return f"{start!r} to {end!r} is no stretch of a post of {len(text)} characters"
    words = text[int(start) : int(end)]
    if quote and "".join(quote.split()) != "".join(words.split()):
        return f"the post has other words from {start} to {end} than the quote"
    if not words.strip():
        return f"from {start} to {end} there are only blanks"
    return {"quote": words.strip(), "start": int(start) + len(words) - len(words.lstrip())}
