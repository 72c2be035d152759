"""The rules of a codebook that no single field shows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labeler.codebook.codebook import Codebook, Gate, Value, Variable

CODE = re.compile(r"[a-z0-9_]+")
HAS_SEGMENT = "{segment}"
DISTANCE = re.compile(
    r"(?P<one>[^~]*[^~\s])\s+~(?P<words>[0-9]{1,2})(?P<order>>?)\s+(?P<two>[^~\s][^~]*)"
)
RESERVED = ("unit", "segment", "coder", "arm", "replicate", "text")

Finding = tuple[str, str]


def broken(codebook: Codebook) -> Iterable[Finding]:
    """(path, reason) for each rule that `codebook` breaks, in the order of the file."""
    yield from _name_rules("codebook", codebook.codebook, dashes=True)
    yield from _gate_rules("gate", codebook.gate)
    if not codebook.variables:
        yield "variables", "a codebook needs at least one variable"
    yield from _segment_rules(codebook)
    yield from _negation_rules(codebook)
    names: list[str] = []
    for place, variable in enumerate(codebook.variables):
        path = f"variables[{place}]"
        yield from _variable_rules(path, variable, codebook, names)
        yield from _value_rules(path, variable, codebook)
        yield from _condition_rules(path, variable, codebook, names)
        names.append(variable.variable)


def _name_rules(path: str, name: str, *, dashes: bool = False) -> Iterable[Finding]:
    if not CODE.fullmatch(name.replace("-", "_") if dashes else name):
        yield path, f"{name!r} may only use a-z, 0-9 and _" + (" and -" if dashes else "")


def _text_rules(path: str, text: str) -> Iterable[Finding]:
    if "$" in text:
        yield path, f"{text!r} holds a '$', which Label Studio would replace; write it in words"


def _gate_rules(path: str, gate: Gate) -> Iterable[Finding]:
    if gate.reliable < gate.tentative:
        yield f"{path}.reliable", f"lies below {path}.tentative"


def _segment_rules(codebook: Codebook) -> Iterable[Finding]:
    segments = codebook.segments
    if segments is None:
        return
    yield from _name_rules("segments.segment", segments.segment)
    yield from _text_rules("segments.label", segments.label)
    yield from _text_rules("segments.definition", segments.definition)
    if not codebook.of_segment:
        yield "segments", "no variable is of the segment; add one or remove the section"
    names = {variable.variable for variable in codebook.variables}
    for place, name in enumerate(segments.relates):
        if name not in names:
            yield f"segments.relates[{place}]", f"no variable is called {name!r}"


def _variable_rules(
    path: str, variable: Variable, codebook: Codebook, earlier: list[str]
) -> Iterable[Finding]:
    name = variable.variable
    yield from _name_rules(f"{path}.variable", name)
    if name in RESERVED:
        yield f"{path}.variable", f"{name!r} is a column of every table; choose another name"
    if name in earlier:
        yield f"{path}.variable", f"{name!r} stands twice"
    if variable.of == "segment" and codebook.segments is None:
        yield f"{path}.of", "a variable of the segment needs the section 'segments'"
    for where in ("label", "question", "definition"):
        yield from _text_rules(f"{path}.{where}", getattr(variable, where))
    if variable.gate is not None:
        yield from _gate_rules(f"{path}.gate", variable.gate)


def _value_rules(path: str, variable: Variable, codebook: Codebook) -> Iterable[Finding]:
    numeric = variable.level in ("interval", "ratio")
    if not variable.values:
        if numeric:
            yield from _number_rules(path, variable)
        else:
            yield f"{path}.values", f"a variable of level {variable.level} needs values"
        return
    if len(variable.values) < 2:
        yield f"{path}.values", "needs at least two values, or nothing can vary"
    for role, code in (("none", variable.none), ("default", variable.default)):
        if code is not None and code not in variable.codes:
            yield f"{path}.{role}", f"no value has the code {code!r}"
    for role, bound in (("minimum", variable.minimum), ("maximum", variable.maximum)):
        if bound is not None:
            yield f"{path}.{role}", "is for a variable without values; remove it"
    if variable.multiple and variable.level != "nominal":
        yield f"{path}.level", "several codes at once are a set: level nominal"
    codes: set[str] = set()
    labels: set[str] = set()
    numbers: set[float | None] = set()
    for place, value in enumerate(variable.values):
        here = f"{path}.values[{place}]"
        yield from _one_value_rules(here, value, numeric=numeric)
        yield from _cue_rules(here, value, variable, codebook)
        if value.code in codes:
            yield f"{here}.code", f"{value.code!r} stands twice in {variable.variable!r}"
        if value.label in labels:
            yield f"{here}.label", f"{value.label!r} stands twice in {variable.variable!r}"
        if numeric and value.number is not None and value.number in numbers:
            yield f"{here}.number", f"{value.number:g} stands twice in {variable.variable!r}"
        if variable.level == "ratio" and value.number is not None and value.number < 0:
            yield f"{here}.number", "lies below 0, which a ratio cannot"
        codes.add(value.code)
        labels.add(value.label)
        numbers.add(value.number)


def _number_rules(path: str, variable: Variable) -> Iterable[Finding]:
    if variable.minimum is None or variable.maximum is None:
        yield f"{path}.minimum", "a variable without values needs minimum and maximum"
    elif variable.minimum >= variable.maximum:
        yield f"{path}.minimum", "lies not below maximum"
    elif variable.level == "ratio" and variable.minimum < 0:
        yield f"{path}.minimum", "lies below 0, which a ratio cannot"
    elif variable.default is not None and (fault := variable.fault(variable.default)):
        yield f"{path}.default", fault
    if variable.none is not None:
        yield f"{path}.none", "a variable without values has no code to name; remove it"
    if variable.multiple:
        yield f"{path}.multiple", "a variable without values takes one number"


def _one_value_rules(path: str, value: Value, *, numeric: bool) -> Iterable[Finding]:
    if not CODE.fullmatch(value.code):
        yield f"{path}.code", f"code {value.code!r} may only use a-z, 0-9 and _"
    if numeric and value.number is None:
        yield f"{path}.number", "a value of an interval or ratio variable needs its number"
    for where in ("label", "definition"):
        yield from _text_rules(f"{path}.{where}", getattr(value, where))
    yield from _text_rules(f"{path}.group", value.group or "")


def bare(phrase: str) -> str:
    """A phrase for the cues coder without the `*` at its ends and without spare white space."""
    return " ".join(phrase.split()).strip("* ")


def _cue_rules(
    path: str, value: Value, variable: Variable, codebook: Codebook
) -> Iterable[Finding]:
    for place, cue in enumerate(value.cues):
        here = f"{path}.cues[{place}]"
        parted = DISTANCE.fullmatch(cue.strip())
        parts = parted.group("one", "two") if parted else (cue,)
        if cue == HAS_SEGMENT:
            if codebook.segments is None:
                yield here, f"{cue!r} needs the section 'segments'"
        elif parted and HAS_SEGMENT in [part.strip() for part in parts]:
            yield here, f"{cue!r}: {HAS_SEGMENT!r} stands alone, it is at no place of the text"
        elif not all(bare(part) for part in parts):
            yield here, f"{cue!r} would match every post; name a phrase"
        elif "~" in cue and not parted:
            yield (
                here,
                f"{cue!r}: '~' joins two phrases with at most so many words between them; write "
                "'worried ~4 privacy', or 'worried ~4> privacy' where the first must come first",
            )
    if value.negated is None:
        return
    if value.negated not in variable.codes or value.negated == value.code:
        yield f"{path}.negated", f"{value.negated!r} is no other code of {variable.variable!r}"
    elif not codebook.cues.negations:
        yield f"{path}.negated", "needs the phrases that negate, in cues.negations"
    elif codebook.cues.negates and variable.variable not in codebook.cues.negates:
        yield f"{path}.negated", f"cues.negates does not name {variable.variable!r}"


def _negation_rules(codebook: Codebook) -> Iterable[Finding]:
    cues = codebook.cues
    seen: dict[str, str] = {}
    for name in ("negations", "exceptions", "ends"):
        phrases: tuple[str, ...] = getattr(cues, name)
        for place, phrase in enumerate(phrases):
            here = f"cues.{name}[{place}]"
            spelled = " ".join(phrase.lower().split())
            if not bare(spelled):
                yield here, f"{phrase!r} would match every post; name a phrase"
            elif "~" in spelled:
                yield here, f"{phrase!r}: '~' is for cues of a value; name a phrase"
            elif spelled in seen:
                yield here, f"{phrase!r} stands also in {seen[spelled]}"
            seen.setdefault(spelled, here)
    for name in ("exceptions", "ends", "negates"):
        if getattr(cues, name) and not cues.negations:
            yield f"cues.{name}", "does nothing without cues.negations; add them or remove it"
    for place, name in enumerate(cues.negates):
        if name not in [variable.variable for variable in codebook.variables if variable.values]:
            yield f"cues.negates[{place}]", f"no variable with values is called {name!r}"


def _condition_rules(
    path: str, variable: Variable, codebook: Codebook, earlier: list[str]
) -> Iterable[Finding]:
    for name, codes in variable.applies_when.items():
        here = f"{path}.applies_when.{name}"
        if name not in earlier:
            yield here, f"unreachable: no earlier variable is called {name!r}"
            continue
        other = codebook.variable(name)
        if variable.of == "unit" and other.of == "segment":
            yield here, "unreachable: a variable of the unit cannot depend on one of its segments"
        if not codes:
            yield here, "unreachable: names no code"
        for code in codes:
            if code not in other.codes:
                yield here, f"unreachable: {name!r} has no code {code!r}"
    for name in _contradictions(variable, codebook):
        yield (
            f"{path}.applies_when",
            f"unreachable: with what the named variables need, no code of {name!r} is left",
        )


def _contradictions(variable: Variable, codebook: Codebook) -> Iterable[str]:
    """Variables of one code of which the conditions, taken through every step, leave none."""
    by_name = {other.variable: other for other in reversed(codebook.variables)}
    allowed: dict[str, set[str]] = {}
    pending, seen = [variable], {variable.variable}
    while pending:
        for name, codes in pending.pop().applies_when.items():
            other = by_name.get(name)
            if other is None or not codes:
                continue
            if not other.multiple:
                allowed[name] = allowed.get(name, {*codes}) & {*codes}
            if name not in seen:
                seen.add(name)
                pending.append(other)
    return [name for name, left in allowed.items() if not left]
