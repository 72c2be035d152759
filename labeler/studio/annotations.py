"""What Label Studio returned → codings, segments, and findings where it does not fit.

Nothing that a server sends may end the run: what cannot be read becomes a finding, by name.
Offsets are code points, which are the indices of a Python text.

    skipped           the coder passed over the task
    copy              the server stored one submission several times: one counts
    several           an older annotation of the same unit by the same coder: the newest counts
    other-coder       given by another account than the seat's
    no-task           belongs to no task of these
    unreadable        the result is no list of results, or one of them is none
    unknown-variable  no variable of the codebook
    unknown-code      no code of the variable
    bad-value         several codes where one is due, no number, a number out of its bounds
    contradiction     the code for none beside others: the others count
    outside           a segment that lies outside of the text
    text-differs      a segment whose words are not those of the post
    text-changed      the server shows another text than the post's, whatever was coded there
    no-segment        codes about a segment that is not there
    unmet             an answer to a question that does not apply: dropped
    missing           no answer to a required question
    unchecked         a suggested segment that nobody said to have checked: it counts
    ask-the-pi        the coder found a code of the post unclear, and says why
    comment           what else the coder has to say about the post
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from labeler.codebook.codebook import Codebook, Variable
from labeler.coding.vocabulary import REPEAT
from labeler.store.tables import CODINGS, SEGMENTS, frame
from labeler.studio import copies, page
from labeler.text.coded_values import codes_of, number_text

AGAIN = REPEAT  # the arm of units that come back to their coder: the second replicate
FINDINGS = ("annotation", "unit", "coder", "kind", "detail")

_Row = Mapping[Any, Any]


class ParsedAnnotations(NamedTuple):
    """Frames: CODINGS, SEGMENTS, and findings (annotation, unit, coder, kind, detail)."""

    codings: pd.DataFrame
    segments: pd.DataFrame
    findings: pd.DataFrame


class _Region(NamedTuple):
    start: int
    end: int
    quote: str


class _Read(NamedTuple):
    """One annotation's answers: by variable, by region and variable, the regions by their id.

    `unit` may hold ASK beside the variables: a code of its own, about the others.
    """

    unit: dict[str, str]
    regions: dict[str, _Region]
    answers: dict[str, dict[str, str]]


def parse(
    annotations: pd.DataFrame,
    tasks: pd.DataFrame,
    posts: pd.DataFrame,
    codebook: Codebook,
    *,
    emails: Mapping[str, str] | None = None,
) -> ParsedAnnotations:
    """ANNOTATIONS of the seats' TASKS as codings and segments of the seats' coders.

    A variable without an answer is the empty set where it takes several codes, else no row.
    Withdrawn and skipped annotations give no codings; of several by one coder the newest counts,
    also when it is a skip. Segments are numbered in order of (start, end, id). `emails` gives the
    account of each coder: what another account returned does not count.
    """
    texts = dict(zip(posts["unit"], posts["text"], strict=True))
    findings: list[dict[str, str]] = []
    codings: list[dict[str, Any]] = []
    segments: list[dict[str, Any]] = []
    for row in _counted(annotations, tasks, emails or {}, findings):
        text = texts.get(row["unit"])
        if text is None:
            findings.append(_finding(row, "no-task", "the post is not among the posts given"))
            continue
        read = _read(row, text, codebook, findings)
        if read is None:
            continue
        common = {
            "codebook": codebook.fingerprint,
            "unit": row["unit"],
            "coder": row["coder"],
            "arm": row["arm"],
            "replicate": 2 if row["arm"] == AGAIN else 1,
        }
        ordered = sorted(read.regions.items(), key=lambda pair: (pair[1].start, pair[1].end, pair))
        numbered = {region: str(place) for place, (region, _) in enumerate(ordered, start=1)}
        for region, span in ordered:
            segments.append(
                common | span._asdict() | {"segment": numbered[region], "found": "selected"}
            )
        for region, name, value in _valued(row, read, codebook, findings):
            codings.append(
                common
                | {
                    "segment": numbered.get(region, ""),
                    "variable": name,
                    "value": value,
                    "source": row["annotation"],
                }
            )
    findings += _copies(annotations)
    return ParsedAnnotations(
        frame(CODINGS, codings),
        frame(SEGMENTS, segments),
        pd.DataFrame(findings, columns=list(FINDINGS), dtype="str"),
    )


def altered(shown: Mapping[str, str], posts: pd.DataFrame, *, coder: str) -> pd.DataFrame:
    """Findings (`text-changed`) for units of a seat whose text at the server is not the post's."""
    texts = dict(zip(posts["unit"], posts["text"], strict=True))
    findings = [
        _finding(
            {"annotation": "", "unit": unit, "coder": coder},
            "text-changed",
            f"the server shows {len(text)} other characters than the post's {len(texts[unit])}: "
            "codes and places may be about another text",
        )
        for unit, text in sorted(shown.items())
        if unit in texts and text != texts[unit]
    ]
    return pd.DataFrame(findings, columns=list(FINDINGS), dtype="str")


def without_suggestion(annotations: pd.DataFrame, units: Collection[str]) -> pd.DataFrame:
    """Findings (`no-suggestion`) for annotations of assisted units that showed no suggestion."""
    standing = annotations[annotations["withdrawn"] != 1].to_dict("records")
    findings = [
        _finding(row, "no-suggestion", "nothing was in view: this is no assisted coding")
        for row in standing
        if row["unit"] in units
    ]
    return pd.DataFrame(findings, columns=list(FINDINGS), dtype="str")


# --- which annotations count -------------------------------------------------------------------


def _counted(
    annotations: pd.DataFrame,
    tasks: pd.DataFrame,
    emails: Mapping[str, str],
    findings: list[dict[str, str]],
) -> Iterator[_Row]:
    """The annotation that counts for each coder, arm and unit; findings for the others."""
    known = set(zip(tasks["batch"], tasks["arm"], tasks["coder"], tasks["unit"], strict=True))
    seen: set[tuple[str, str, str]] = set()
    newest_first = annotations.sort_values(["updated", "created", "annotation"], ascending=False)
    for row in newest_first.to_dict("records"):
        if _flag(row["withdrawn"]):
            continue
        email = emails.get(row["coder"], "")
        seat = (row["coder"], row["arm"], row["unit"])
        if (row["batch"], row["arm"], row["coder"], row["unit"]) not in known:
            findings.append(_finding(row, "no-task", f"batch {row['batch']} has no such task"))
        elif email and row["completed_by"] and row["completed_by"].lower() != email.lower():
            findings.append(_finding(row, "other-coder", f"given by {row['completed_by']}"))
        elif seat in seen:
            findings.append(_finding(row, "several", "the coder gave a newer one"))
        else:
            seen.add(seat)
            if not _flag(row["cancelled"]):
                yield row
            else:
                findings.append(_finding(row, "skipped", "the coder passed over the task"))


def _copies(annotations: pd.DataFrame) -> Iterator[dict[str, str]]:
    """A finding for each submission that the server stored several times."""
    for group in copies.groups(annotations):
        standing = [row for row in group if not _flag(row["withdrawn"])]
        told = "one counts" if standing else "the coder deleted one, so none counts"
        yield _finding(group[0], "copy", f"stored {len(group)} times by Label Studio; {told}")


def _flag(value: object) -> bool:
    return not pd.isna(value) and bool(value)  # type: ignore[call-overload]


def _finding(row: _Row, kind: str, detail: str) -> dict[str, str]:
    return {
        "annotation": row["annotation"],
        "unit": row["unit"],
        "coder": row["coder"],
        "kind": kind,
        "detail": detail,
    }


# --- one annotation ----------------------------------------------------------------------------


def _read(row: _Row, text: str, codebook: Codebook, findings: list[dict[str, str]]) -> _Read | None:
    """The answers of one annotation; None, with a finding, where it is no list of results."""
    try:
        results = json.loads(row["result"])
    except (ValueError, RecursionError):
        results = None
    if not isinstance(results, list):
        findings.append(_finding(row, "unreadable", "the result is no list"))
        return None
    read = _Read({}, {}, {})
    lost: set[str] = set()
    elements = [element for element in results if _is_result(element)]
    if len(elements) < sum(not _is_relation(element) for element in results):
        findings.append(_finding(row, "unreadable", "a result lacks its name, type or value"))
    for element in elements:
        if element["type"] == "labels" and codebook.segments is not None:
            region = str(element.get("id", ""))
            span, kind, detail = _span(element["value"], text)
            if kind:
                findings.append(_finding(row, kind, detail))
            if element["value"].get("labels") == [page.TO_CHECK]:
                findings.append(_finding(row, "unchecked", "a suggested segment, nobody saw it"))
            if span is None:
                lost.add(region)
            else:
                read.regions[region] = span
    remark = page.remark(elements)
    if remark.unclear:
        read.unit[page.ASK] = page.UNCLEAR
    if remark.unclear or remark.comment:
        kind = "ask-the-pi" if remark.unclear else "comment"
        findings.append(_finding(row, kind, remark.comment or "without a comment"))
    for element in elements:
        if element["from_name"] in page.OWN:
            continue
        if element["type"] != "labels" and str(element.get("id", "")) not in lost:
            for kind, detail in _answer(element, codebook, read):
                findings.append(_finding(row, kind, detail))
    return read


def _is_relation(element: object) -> bool:
    return isinstance(element, dict) and element.get("type") == "relation"


def _is_result(element: object) -> bool:
    return (
        isinstance(element, dict)
        and isinstance(element.get("from_name"), str)
        and isinstance(element.get("type"), str)
        and isinstance(element.get("value"), dict)
    )


def _span(value: Mapping[str, Any], text: str) -> tuple[_Region | None, str, str]:
    """A segment, or None; with the kind and the words of a finding, or ''."""
    start, end = value.get("start"), value.get("end")
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        return None, "outside", f"{start!r:.20} to {end!r:.20} of {len(text)} characters"
    quote = text[start:end]
    told = value.get("text")
    if isinstance(told, str) and _bare(told) != _bare(quote):
        return _Region(start, end, quote), "text-differs", f"{start} to {end} had other words"
    return _Region(start, end, quote), "", ""


def _bare(text: str) -> str:
    """Without white space, which browsers change; a selected line's end comes back as `\\n`."""
    return "".join(text.replace("\\n", "").split())


def _answer(
    element: Mapping[str, Any], codebook: Codebook, read: _Read
) -> Iterator[tuple[str, str]]:
    """Put an element's value where it belongs; findings (kind, detail) where it does not fit."""
    name, region = element["from_name"], str(element.get("id", ""))
    try:
        variable = codebook.variable(name)
    except KeyError:
        yield "unknown-variable", f"{name!r:.80}"
        return
    if variable.of == "segment" and region not in read.regions:
        yield "no-segment", f"{name}: its segment is not there"
        return
    value, kind, detail = _written(variable, element["value"])
    if kind:
        yield kind, detail
    if kind in ("", "contradiction"):
        place = read.unit if variable.of == "unit" else read.answers.setdefault(region, {})
        place[name] = value


def _written(variable: Variable, value: Mapping[str, Any]) -> tuple[str, str, str]:
    """A value as text; with the kind and the words of a finding, or ''."""
    if not variable.values:
        return _number(variable, value.get("number"))
    given = value.get("choices", value.get("taxonomy"))
    codes = [_leaf(code) for code in given] if isinstance(given, list) else [None]
    known = [code for code in codes if code in variable.codes]
    if len(known) < len(codes):
        unknown = next(code for code in codes if code not in variable.codes)
        return "", "unknown-code", f"{variable.variable}: {unknown!r:.80}"
    others = [code for code in known if code != variable.none]
    if variable.multiple and 0 < len(others) < len(set(known)):
        detail = f"{variable.variable}: {variable.none!r} beside other codes does not count"
        return variable.written(others), "contradiction", detail
    written = variable.written(known)
    fault = variable.fault(written)
    return ("", "bad-value", fault) if fault else (written, "", "")


def _leaf(code: object) -> str | None:
    """A code, also where it is the end of a path (taxonomy); None for anything else."""
    if isinstance(code, list) and code:
        code = code[-1]
    return code if isinstance(code, str) else None


def _number(variable: Variable, number: object) -> tuple[str, str, str]:
    """A number in decimal, as `_written`: 3 and 3.0 are both written 3."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        return "", "bad-value", f"{variable.variable}: {number!r:.40} is not a number"
    written = number_text(number)
    fault = variable.fault(written)
    return ("", "bad-value", fault[:200]) if fault else (written, "", "")


# --- which questions apply ---------------------------------------------------------------------


def _valued(
    row: _Row, read: _Read, codebook: Codebook, findings: list[dict[str, str]]
) -> Iterator[tuple[str, str, str]]:
    """(region or '', variable, value) for each question that applies and is answered."""
    if page.ASK in read.unit:
        yield "", page.ASK, read.unit[page.ASK]
    of_unit: dict[str, list[str]] = {}
    for region in ["", *read.regions]:
        answers = read.answers.get(region, {}) if region else read.unit
        kept: dict[str, list[str]] = {}
        for variable in codebook.of_segment if region else codebook.of_unit:
            name = variable.variable
            if not variable.applies(of_unit | kept):
                if name in answers:
                    findings.append(_finding(row, "unmet", f"{name}: does not apply"))
                continue
            if name in answers or variable.multiple:
                value = answers.get(name, "")
                kept[name] = codes_of(value)
                yield region, name, value
            if variable.required and not answers.get(name):
                findings.append(_finding(row, "missing", f"{name}: required, not answered"))
        of_unit = of_unit if region else kept
