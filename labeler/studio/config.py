"""Codebook → the annotation page's config and instructions; codings → predictions; tasks → payload.

Label Studio checks nothing of what is imported, and a value of the wrong kind breaks the page of
its task: whatever leaves here has been checked against the codebook. Codes stand in `alias`, labels
in `value`; the choices about a segment carry the id of its region; offsets are code points.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup, escape

from labeler import hints
from labeler.codebook.codebook import Codebook, Variable
from labeler.coding.vocabulary import ADJUDICATION, ASSISTED, Arm
from labeler.errors import CodebookError, TableError
from labeler.store import tables
from labeler.studio import page
from labeler.text.coded_values import codes_of
from labeler.text.duplicates import quoted

RESERVED = ("text", "segment", "given")
UNSUPPORTED = "Suggested, but this post does not hold the quote:"
UNCHECKED = "Suggested quotes to check, in amber:"

_UNSHOWN = re.compile("[\x00\ud800-\udfff]")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def config(codebook: Codebook, *, template: str, given: bool = False) -> str:
    """The annotation page: Label Studio's XML, from the text of a Jinja template.

    `given`: with a place for the codes of others, which the adjudication arm shows.

    The post is the `Text` named `text`, segments are the `Labels` named `segment`, and each
    variable is a control of its own name. Codes in groups, or more than 15, become a taxonomy.
    What else is on the page, and its keys: `studio_page`.

    Raises CodebookError where a variable has one of the names that the page needs itself.
    """
    findings = [
        f"{codebook.codebook}: variables[{place}].variable: {variable.variable!r} is a name that "
        "the annotation page needs itself: rename the variable"
        for place, variable in enumerate(codebook.variables)
        if variable.variable in RESERVED
    ]
    if findings:
        raise CodebookError(findings)
    return _rendered(
        template,
        codebook=codebook,
        given=given,
        names=page,
        hotkeys=page.hotkeys(codebook),
        mark_key=page.MARK_KEY,
        ask_key=page.ASK_KEY,
    )


def instructions(
    codebook: Codebook,
    *,
    template: str,
    arm: Arm,
) -> str:
    """What a coder reads before coding: the codebook as HTML, from the text of a Jinja template.

    The same text in every arm, but for a sentence on the codes that are already there; and an
    adjudicator is not told to code alone.
    """
    return _rendered(
        template,
        codebook=codebook,
        arm=arm,
        mark_key=page.MARK_KEY,
        ask_key=page.ASK_KEY,
    )


def predictions(
    codings: pd.DataFrame,
    segments: pd.DataFrame,
    codebook: Codebook,
    *,
    version: str,
    checked: bool = False,
) -> dict[str, dict[str, Any]]:
    """One coder's CODINGS and SEGMENTS as Label Studio predictions, by unit.

    Segments come as yet to be checked, and the page insists on it, unless `checked`.
    `version` is the model version that the project must name for them to show. Segments whose
    quote was not found (`missing`) cannot be highlighted and stay away, with their codes:
    `unsupported` tells of them.

    Raises TableError where a coding or a segment does not fit the codebook; names unit and
    variable.
    """
    made: dict[str, dict[str, Any]] = {}
    spans: dict[tuple[str, str], dict[str, Any]] = {}
    for row in tables.records(segments.sort_values(["unit", "start", "end", "segment"])):
        span = _span(row, codebook)
        spans[row["unit"], row["segment"]] = span
        if span:
            results = made.setdefault(row["unit"], _prediction(version))["result"]
            results.append(_region(row["segment"], span, codebook, checked=checked))
    seen: set[tuple[str, str, str]] = set()
    right: set[tuple[str, str]] = set()
    for row in tables.records(codings):
        unit, segment, name, value = (
            row[column] for column in ("unit", "segment", "variable", "value")
        )
        variable = _checked(row, codebook, right)
        if (unit, segment, name) in seen:
            raise TableError(
                f"codings: unit {unit}: {name} stands twice in segment {segment!r}: "
                "suggestions come from one coder and one replicate"
            )
        seen.add((unit, segment, name))
        results = made.setdefault(unit, _prediction(version))["result"]
        if variable.of == "unit":
            results.extend(_answers(variable, value, {}))
            continue
        if (unit, segment) not in spans:
            raise TableError(f"codings: unit {unit}: {name}: segment {segment!r} has no row")
        if spans[unit, segment]:
            of_region = {"id": f"s{segment}", "span": spans[unit, segment]}
            results.extend(_answers(variable, value, of_region))
    return made


def unsupported(
    codings: pd.DataFrame, segments: pd.DataFrame, codebook: Codebook
) -> dict[str, str]:
    """Unit → a line on the suggested quotes that its post does not hold, with their codes.

    They cannot be highlighted, and must not vanish: whoever corrects the suggestion decides
    whether the post says the like in other words.
    """
    notes: dict[str, list[str]] = {}
    missing = segments[segments["found"] == "missing"].sort_values(["unit", "segment"])
    codes: dict[tuple[str, str], dict[str, str]] = {}
    if missing.empty:
        return {}
    for row in tables.records(codings):
        codes.setdefault((row["unit"], row["segment"]), {})[row["variable"]] = row["value"]
    for row in tables.records(missing):
        given = codes.get((row["unit"], row["segment"]), {})
        told = [
            f"{variable.label}: {_labels(variable, given[variable.variable])}"
            for variable in codebook.of_segment
            if variable.variable in given
        ]
        line = quoted(_plain(row["quote"])) + (f" ({'; '.join(told)})" if told else "")
        notes.setdefault(row["unit"], []).append(line)
    return {unit: f"{UNSUPPORTED} {' · '.join(lines)}" for unit, lines in notes.items()}


def payload(
    tasks: pd.DataFrame,
    posts: pd.DataFrame,
    predictions: Mapping[str, dict[str, Any]] | None,
    notes: Mapping[str, str] | None = None,
    given: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """TASKS of a seat as Label Studio imports them, in order of their position.

    `predictions` is None for every arm but the assisted one, and only beside them stand `notes`,
    a line by unit that the page shows under the post (`unsupported`). `given` holds the codes of
    others by unit, for the adjudication arm alone.

    Raises TableError where a task has no post, a post holds what no page can show, a suggested
    segment's words do not stand in its post, or another arm would get a prediction or codes.
    """
    arms = sorted(set(tasks["arm"]) - {ASSISTED})
    if predictions is not None and arms:
        raise TableError(f"tasks: the arm {arms[0]!r} must never receive a prediction")
    if given is not None and set(tasks["arm"]) - {ADJUDICATION}:
        raise TableError("tasks: only the adjudication arm may see the codes of others")
    by_unit = {row["unit"]: row for row in tables.records(posts)}
    made = []
    for unit in tasks.sort_values(["position", "unit"])["unit"]:
        if unit not in by_unit:
            raise TableError(f"tasks: unit {unit} has no post")
        post = by_unit[unit]
        if _UNSHOWN.search(post["text"]):
            raise TableError(
                f"posts: unit {unit}: its text holds a NUL or half a character, which breaks the "
                "page",
                hint=hints.INGEST_AGAIN,
            )
        task: dict[str, Any] = {
            "data": {
                "unit": unit,
                "text": post["text"],
                "platform": post["platform"],
                "date": post["created"][:10],
                "note": "",
                "todo": "",
            }
        }
        if given is not None:
            task["data"]["given"] = given.get(unit, "")
        if predictions is not None:
            task["data"]["note"] = (notes or {}).get(unit, "")
        if predictions is not None and unit in predictions:
            _standing(predictions[unit]["result"], post["text"], unit)
            task["predictions"] = [predictions[unit]]
            task["data"]["todo"] = _todo(predictions[unit])
        made.append(task)
    return made


def _todo(prediction: Mapping[str, Any]) -> str:
    """A line on the suggested quotes that are to be checked; '' without any."""
    quotes = sum(element["type"] == "labels" for element in prediction["result"])
    return f"{UNCHECKED} {quotes}" if quotes else ""


# --- the page ----------------------------------------------------------------------------------


def _rendered(template: str, **given: object) -> str:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["plain"] = _plain
    environment.filters["told"] = _told
    environment.filters["number"] = _number
    environment.filters["tree"] = page.tree
    environment.filters["group_alias"] = page.group_alias
    environment.tests["must"] = _must
    environment.tests["taxonomy"] = page.taxonomy
    return environment.from_string(template).render(**given)


def _plain(text: str) -> str:
    """One line without the characters that XML forbids."""
    return " ".join(_NOT_XML.sub(" ", text).split())


def _told(text: str) -> Markup:
    """A line for HTML that Label Studio reads first: `$` would begin a name of its own."""
    return Markup(str(escape(_plain(text))).replace("$", "&#36;"))  # noqa: S704  (escaped before)


def _must(variable: Variable) -> bool:
    """Whether the page may insist on an answer.

    Label Studio asks a required question of a segment for every segment, also where a condition
    hides it; of such a question the page only says that it needs an answer, and what is left open
    all the same is a finding once it is pulled.
    """
    return variable.required and not (variable.of == "segment" and variable.applies_when)


# --- predictions -------------------------------------------------------------------------------


def _prediction(version: str) -> dict[str, Any]:
    return {"model_version": version, "result": []}


def _span(row: Mapping[Any, Any], codebook: Codebook) -> dict[str, Any]:
    """Start, end and text of a segment; empty where its quote was not found."""
    where = f"segments: unit {row['unit']}: segment {row['segment']!r}"
    if codebook.segments is None:
        raise TableError(f"{where}: the codebook has no segments")
    if row["found"] == "missing":
        return {}
    start, end, quote = int(row["start"]), int(row["end"]), row["quote"]
    if not 0 <= start < end or len(quote) != end - start:
        raise TableError(f"{where}: {start} to {end} is not where its quote stands")
    return {"start": start, "end": end, "text": quote}


def _standing(results: list[dict[str, Any]], text: str, unit: str) -> None:
    """Refuse results whose segment does not stand in the text where it says."""
    for result in results:
        value = result["value"]
        if "start" in value and text[value["start"] : value["end"]] != value["text"]:
            raise TableError(
                f"segments: unit {unit}: {value['start']} to {value['end']} of the post does not "
                "hold the quote",
                hint=hints.PRELABEL_AGAIN,
            )


def _checked(row: Mapping[Any, Any], codebook: Codebook, right: set[tuple[str, str]]) -> Variable:
    """The variable of a coding that fits the codebook.

    `right`: variables with values of which that is known; this one's is added.
    """
    where = f"codings: unit {row['unit']}"
    try:
        variable = codebook.variable(row["variable"])
    except KeyError:
        raise TableError(f"{where}: no variable is called {row['variable']!r}") from None
    if (variable.of == "segment") != bool(row["segment"]):
        raise TableError(
            f"{where}: {variable.variable} is of the {variable.of}, got segment {row['segment']!r}"
        )
    if (variable.variable, row["value"]) not in right:
        fault = variable.fault(row["value"])
        if fault:
            raise TableError(f"{where}: {fault}")
        right.add((variable.variable, row["value"]))
    return variable


def _region(
    segment: str, span: dict[str, Any], codebook: Codebook, *, checked: bool
) -> dict[str, Any]:
    assert codebook.segments is not None
    label = codebook.segments.segment if checked else page.TO_CHECK
    value = span | {"labels": [label]}
    return {
        "id": f"s{segment}",
        "from_name": "segment",
        "to_name": "text",
        "type": "labels",
        "value": value,
    }


def _answers(variable: Variable, value: str, region: dict[str, Any]) -> list[dict[str, Any]]:
    """A value as Label Studio results: one, or none for the empty set."""
    if variable.values and not value:
        return []
    kind, answer = _answer(variable, value)
    made = {
        "from_name": variable.variable,
        "to_name": "text",
        "type": kind,
        "value": region.get("span", {}) | {kind: answer},
    }
    return [{"id": region["id"], **made}] if region else [made]


def _answer(variable: Variable, value: str) -> tuple[str, Any]:
    """The type of result, and what it holds."""
    if not variable.values:
        return "number", _number(value)
    codes = codes_of(value)
    if page.taxonomy(variable):
        return "taxonomy", [page.path(variable, code) for code in codes]
    return "choices", codes


def _labels(variable: Variable, value: str) -> str:
    """A value in the words of the page."""
    return ", ".join(variable.labels(value)) or "none"


def _number(value: str | float) -> int | float:
    number = float(value)
    return int(number) if number.is_integer() else number
