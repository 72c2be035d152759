"""What Label Studio returned → codings, segments, and findings where it does not fit.

Nothing that a server sends may end the run: what cannot be read becomes a finding, by name
(`labeler.studio.findings` has the kinds). Offsets are code points, which are the indices of a
Python text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from labeler.codebook.codebook import Codebook, Variable
from labeler.coding.vocabulary import REPEAT
from labeler.store.tables import CODINGS, SEGMENTS, frame
from labeler.studio import copies, page
from labeler.studio.findings import FindingKind, Row, finding, numbered
from labeler.text.coded_values import codes_of, number_text

AGAIN = REPEAT  # the arm of units that come back to their coder: the second replicate


class ParsedAnnotations(NamedTuple):
    """Frames: CODINGS, SEGMENTS and FINDINGS."""

    codings: pd.DataFrame
    segments: pd.DataFrame
    findings: pd.DataFrame


class _Region(NamedTuple):
    start: int
    end: int
    quote: str


class _Misfit(NamedTuple):
    """What does not fit of an annotation: its kind, words, and the variable, '' for none."""

    kind: FindingKind
    detail: str
    variable: str = ""

    def row(self, annotation: Row, region: str) -> dict[str, Any]:
        """The finding; it names the region by its id, which is a segment's number only later."""
        return finding(annotation, self.kind, self.detail, variable=self.variable, segment=region)


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
    findings: list[dict[str, Any]] = []
    codings: list[dict[str, Any]] = []
    segments: list[dict[str, Any]] = []
    for row in _counted(annotations, tasks, emails or {}, findings):
        text = texts.get(row["unit"])
        if text is None:
            findings.append(finding(row, "no-task", "the post is not among the posts given"))
            continue
        own: list[dict[str, Any]] = []
        read = _read(row, text, codebook, own)
        if read is None:
            findings += own
            continue
        common = {
            "codebook": codebook.fingerprint,
            "unit": row["unit"],
            "coder": row["coder"],
            "arm": row["arm"],
            "replicate": 2 if row["arm"] == AGAIN else 1,
        }
        ordered = sorted(read.regions.items(), key=lambda pair: (pair[1].start, pair[1].end, pair))
        number = {region: str(place) for place, (region, _) in enumerate(ordered, start=1)}
        for region, span in ordered:
            segments.append(
                common | span._asdict() | {"segment": number[region], "found": "selected"}
            )
        for region, name, value in _valued(row, read, codebook, own):
            codings.append(
                common
                | {
                    "segment": number.get(region, ""),
                    "variable": name,
                    "value": value,
                    "source": row["annotation"],
                }
            )
        findings += [{**one, "segment": number.get(one["segment"], "")} for one in own]
    findings += _copies(annotations)
    return ParsedAnnotations(frame(CODINGS, codings), frame(SEGMENTS, segments), numbered(findings))


# --- which annotations count -------------------------------------------------------------------


def _counted(
    annotations: pd.DataFrame,
    tasks: pd.DataFrame,
    emails: Mapping[str, str],
    findings: list[dict[str, Any]],
) -> Iterator[Row]:
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
            findings.append(finding(row, "no-task", f"batch {row['batch']} has no such task"))
        elif email and row["completed_by"] and row["completed_by"].lower() != email.lower():
            findings.append(finding(row, "other-coder", f"given by {row['completed_by']}"))
        elif seat in seen:
            findings.append(finding(row, "several", "the coder gave a newer one"))
        else:
            seen.add(seat)
            if not _flag(row["cancelled"]):
                yield row
            else:
                findings.append(finding(row, "skipped", "the coder passed over the task"))


def _copies(annotations: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """A finding for each submission that the server stored several times."""
    for group in copies.groups(annotations):
        standing = [row for row in group if not _flag(row["withdrawn"])]
        told = "one counts" if standing else "the coder deleted one, so none counts"
        yield finding(group[0], "copy", f"stored {len(group)} times by Label Studio; {told}")


def _flag(value: object) -> bool:
    return not pd.isna(value) and bool(value)  # type: ignore[call-overload]


# --- one annotation ----------------------------------------------------------------------------


def _read(row: Row, text: str, codebook: Codebook, findings: list[dict[str, Any]]) -> _Read | None:
    """The answers of one annotation; None, with a finding, where it is no list of results."""
    try:
        results = json.loads(row["result"])
    except (ValueError, RecursionError):
        results = None
    if not isinstance(results, list):
        findings.append(finding(row, "unreadable", "the result is no list"))
        return None
    read = _Read({}, {}, {})
    lost: set[str] = set()
    elements = [element for element in results if _is_result(element)]
    if len(elements) < sum(not _is_relation(element) for element in results):
        findings.append(finding(row, "unreadable", "a result lacks its name, type or value"))
    for element in elements:
        if element["type"] == "labels" and codebook.segments is not None:
            region = str(element.get("id", ""))
            span, misfit = _span(element["value"], text)
            if misfit:
                findings.append(misfit.row(row, region))
            if element["value"].get("labels") == [page.TO_CHECK]:
                unseen = _Misfit("unchecked", "a suggested segment, nobody saw it")
                findings.append(unseen.row(row, region))
            if span is None:
                lost.add(region)
            else:
                read.regions[region] = span
    remark = page.remark(elements)
    if remark.unclear:
        read.unit[page.ASK] = page.UNCLEAR
    if remark.unclear or remark.comment:
        said = remark.comment or "without a comment"
        findings.append(finding(row, "ask-the-pi" if remark.unclear else "comment", said))
    for element in elements:
        if element["from_name"] in page.OWN:
            continue
        if element["type"] != "labels" and str(element.get("id", "")) not in lost:
            misfit = _answer(element, codebook, read)
            if misfit:
                findings.append(misfit.row(row, str(element.get("id", ""))))
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


def _span(value: Mapping[str, Any], text: str) -> tuple[_Region | None, _Misfit | None]:
    """A segment, or None, and what does not fit of it."""
    start, end = value.get("start"), value.get("end")
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        where = f"{start!r:.20} to {end!r:.20} of {len(text)} characters"
        return None, _Misfit("outside", where)
    region = _Region(start, end, text[start:end])
    told = value.get("text")
    if isinstance(told, str) and _bare(told) != _bare(region.quote):
        return region, _Misfit("text-differs", f"{start} to {end} had other words")
    return region, None


def _bare(text: str) -> str:
    """Without white space, which browsers change; a selected line's end comes back as `\\n`."""
    return "".join(text.replace("\\n", "").split())


def _answer(element: Mapping[str, Any], codebook: Codebook, read: _Read) -> _Misfit | None:
    """Put an element's value where it belongs; what does not fit of it."""
    name, region = element["from_name"], str(element.get("id", ""))
    try:
        variable = codebook.variable(name)
    except KeyError:
        return _Misfit("unknown-variable", f"{name!r:.80}")
    if variable.of == "segment" and region not in read.regions:
        return _Misfit("no-segment", f"{name}: its segment is not there", name)
    value, misfit = _written(variable, element["value"])
    if misfit is None or misfit.kind == "contradiction":
        place = read.unit if variable.of == "unit" else read.answers.setdefault(region, {})
        place[name] = value
    return misfit


def _written(variable: Variable, value: Mapping[str, Any]) -> tuple[str, _Misfit | None]:
    """A value as text, and what does not fit of it."""
    name = variable.variable
    if not variable.values:
        return _number(variable, value.get("number"))
    given = value.get("choices", value.get("taxonomy"))
    codes = [_leaf(code) for code in given] if isinstance(given, list) else [None]
    known = [code for code in codes if code in variable.codes]
    if len(known) < len(codes):
        unknown = next(code for code in codes if code not in variable.codes)
        return "", _Misfit("unknown-code", f"{name}: {unknown!r:.80}", name)
    others = [code for code in known if code != variable.none]
    if variable.multiple and 0 < len(others) < len(set(known)):
        detail = f"{name}: {variable.none!r} beside other codes does not count"
        return variable.written(others), _Misfit("contradiction", detail, name)
    written = variable.written(known)
    fault = variable.fault(written)
    return ("", _Misfit("bad-value", fault, name)) if fault else (written, None)


def _leaf(code: object) -> str | None:
    """A code, also where it is the end of a path (taxonomy); None for anything else."""
    if isinstance(code, list) and code:
        code = code[-1]
    return code if isinstance(code, str) else None


def _number(variable: Variable, number: object) -> tuple[str, _Misfit | None]:
    """A number in decimal, as `_written`: 3 and 3.0 are both written 3."""
    name = variable.variable
    if isinstance(number, bool) or not isinstance(number, int | float):
        return "", _Misfit("bad-value", f"{name}: {number!r:.40} is not a number", name)
    written = number_text(number)
    fault = variable.fault(written)
    return ("", _Misfit("bad-value", fault[:200], name)) if fault else (written, None)


# --- which questions apply ---------------------------------------------------------------------


def _valued(
    row: Row, read: _Read, codebook: Codebook, findings: list[dict[str, Any]]
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
                    unmet = _Misfit("unmet", f"{name}: does not apply", name)
                    findings.append(unmet.row(row, region))
                continue
            if name in answers or variable.multiple:
                value = answers.get(name, "")
                kept[name] = codes_of(value)
                yield region, name, value
            if variable.required and not answers.get(name):
                missing = _Misfit("missing", f"{name}: required, not answered", name)
                findings.append(missing.row(row, region))
        of_unit = of_unit if region else kept
