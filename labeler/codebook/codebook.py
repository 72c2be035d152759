"""Codebook, variables, values: read from YAML, checked, compared, fingerprinted.

A codebook holds everything that a coder, human or model, is told: what a post must have to be
coded, which stretches of it are segments, and the variables with their codes. Its fingerprint
covers what a coder sees; cues and thresholds, which no coder sees, do not change it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from labeler.codebook.changes import Change as Change
from labeler.codebook.changes import diff as diff
from labeler.codebook.rules import HAS_SEGMENT as HAS_SEGMENT
from labeler.codebook.rules import broken
from labeler.codebook.yaml_text import Unreadable, finding, parsed
from labeler.errors import CodebookError
from labeler.keys import key
from labeler.text.coded_values import by_size, codes_of, joined, parts_of
from labeler.text.names import did_you_mean

Level = Literal["nominal", "ordinal", "interval", "ratio"]
Metric = Literal["nominal", "ordinal", "interval", "ratio", "masi", "jaccard"]

Ties = Literal["earliest", "abstain"]

UNSEEN = {"cues": True, "negated": True, "number": True}

Text = Annotated[str, Field(min_length=1)]
Texts = tuple[Text, ...]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)


class Value(_Entry):
    """One code of a variable: how it is written down, and when it is given.

    `cues` and `negated` are for the cues coder: the phrases that count for this code, and the
    code for which they count where they are negated. `group` is the heading under which the page
    shows the code; it is no code itself.
    """

    code: Text
    label: Text
    definition: Text
    include: Texts = ()
    exclude: Texts = ()
    examples: Texts = ()
    cues: Texts = ()
    negated: str | None = None
    number: float | None = None
    group: Text | None = None


class Gate(_Entry):
    """Thresholds that the lower bound of alpha must reach (Krippendorff 2018: .667, .800)."""

    tentative: float = Field(default=0.667, gt=0, lt=1)
    reliable: float = Field(default=0.800, gt=0, lt=1)


class Variable(_Entry):
    """One question about a unit or a segment; `values` in codebook order, which is their rank.

    A variable without values is a number between `minimum` and `maximum` (interval or ratio).
    `none` names the code that says that no other applies; `default` is the code that the cues
    coder writes where no cue is found. `applies_when` maps an earlier variable to the codes
    that make this one a question at all.
    """

    variable: Text
    of: Literal["unit", "segment"]
    label: Text
    question: Text
    definition: str = ""
    level: Level
    multiple: bool = False
    required: bool = True
    applies_when: dict[str, Texts] = Field(default_factory=dict)
    values: tuple[Value, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    none: str | None = None
    default: str | None = None
    gate: Gate | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes in codebook order."""
        return tuple(value.code for value in self.values)

    @property
    def metric(self) -> Metric:
        """How far two codings are apart: sets by MASI (Passonneau 2006), others by level."""
        return "masi" if self.multiple or self.of == "segment" else self.level

    def value(self, code: str) -> Value:
        """The value with this code; KeyError where there is none."""
        for value in self.values:
            if value.code == code:
                return value
        raise KeyError(code)

    def applies(self, given: Mapping[str, Iterable[str]]) -> bool:
        """Whether the codes given so far make this variable a question."""
        return all(
            set(codes).intersection(given.get(name, ()))
            for name, codes in self.applies_when.items()
        )

    def written(self, codes: Iterable[str]) -> str:
        """A coded value as text: codes in codebook order joined by `+`; '' is the empty set.

        A code that is not in the codebook comes last, so that `fault` can name it. Numbers stand
        by size.
        """
        given = set(codes)
        if not self.values:
            return joined(by_size(given))
        known = [code for code in self.codes if code in given]
        return joined(known + sorted(given.difference(known)))

    def measured(self, codes: Iterable[str]) -> list[str]:
        """What distances are made from: the codes themselves, or the numbers they stand for."""
        if self.metric not in ("interval", "ratio") or not self.values:
            return list(codes)
        return [str(self.value(code).number) for code in codes]

    def labels(self, value: str) -> list[str]:
        """The labels of the codes in a value; a number stands for itself."""
        return [self.value(code).label for code in codes_of(value)] if self.values else [value]

    def fault(self, value: str) -> str:
        """Why `value` is no coding of this variable, in words; '' where it is one."""
        if not self.values:
            return self._number_fault(value)
        codes = parts_of(value)
        unknown = [code for code in codes if code not in self.codes]
        if unknown:
            meant = did_you_mean(unknown[0], self.codes)
            return f"{self.variable}: code {unknown[0]!r} is not in the codebook{meant}"
        if not self.multiple and len(codes) != 1:
            return f"{self.variable}: takes one code, got {len(codes)}"
        if self.multiple and self.none in codes and len(codes) > 1:
            return f"{self.variable}: {self.none!r} excludes every other code"
        if self.written(codes) != value:
            return f"{self.variable}: {value!r} is not in codebook order, or repeats a code"
        return ""

    def _number_fault(self, value: str) -> str:
        try:
            number = float(value)
        except ValueError:
            return f"{self.variable}: {value!r} is not a number"
        low = float("-inf") if self.minimum is None else self.minimum
        high = float("inf") if self.maximum is None else self.maximum
        if not low <= number <= high:
            return f"{self.variable}: {value} lies outside {low:g} to {high:g}"
        if math.isinf(number):
            return f"{self.variable}: {value!r} is not a number"
        return ""


class Segments(_Entry):
    """Which stretches of a unit carry codes of their own.

    `relates` and `within` are for the cues coder: a segment is a run of at most `within`
    sentences in which each of the named variables has a cue.
    """

    segment: Text
    label: Text
    definition: Text
    include: Texts = ()
    exclude: Texts = ()
    min_words: int = Field(default=1, ge=1)
    relates: Texts = ()
    within: int = Field(default=1, ge=1, le=5)


class Cues(_Entry):
    """How the cues coder reads cues: what negates them, how far, and what equal counts mean.

    A cue is negated where an odd number of `negations` stand before it in its sentence, each with
    at most `reach` words in between and none of `ends`. `exceptions` are phrases in which a
    negation negates nothing. `negates` names the variables concerned; () is all of them.
    """

    negations: Texts = ()
    exceptions: Texts = ()
    ends: Texts = ()
    reach: int = Field(default=3, ge=0, le=20)
    negates: Texts = ()
    ties: Ties = "earliest"


class Codebook(_Entry):
    """What every coder is told, and the fingerprint of it."""

    codebook: Text
    version: Text
    title: Text
    about: Text
    include: Texts = ()
    exclude: Texts = ()
    segments: Segments | None = None
    variables: tuple[Variable, ...]
    gate: Gate = Gate()
    cues: Cues = Cues()

    @property
    def fingerprint(self) -> str:
        """Key of what a coder sees: all but version, cues, numbers, defaults and thresholds."""
        unseen: dict[str, Any] = {
            "version": True,
            "gate": True,
            "cues": True,
            "segments": {"relates", "within"},
            "variables": {
                "__all__": {"gate": True, "default": True, "values": {"__all__": UNSEEN}}
            },
        }
        seen = self.model_dump(mode="json", exclude=unseen)
        for value in (value for variable in seen["variables"] for value in variable["values"]):
            if value["group"] is None:  # as before there were groups
                del value["group"]
        return key(seen)

    @property
    def of_unit(self) -> tuple[Variable, ...]:
        """Variables of the whole unit, in order."""
        return tuple(variable for variable in self.variables if variable.of == "unit")

    @property
    def of_segment(self) -> tuple[Variable, ...]:
        """Variables of a segment, in order."""
        return tuple(variable for variable in self.variables if variable.of == "segment")

    def variable(self, name: str) -> Variable:
        """The variable with this name; KeyError where there is none."""
        for variable in self.variables:
            if variable.variable == name:
                return variable
        raise KeyError(name)

    def thresholds(self, name: str) -> Gate:
        """The gate of a variable: its own, or the codebook's."""
        return self.variable(name).gate or self.gate


def read(text: str, *, source: str) -> Codebook:
    """The codebook in `text` (YAML). `source` names it in messages.

    Raises CodebookError with one finding for each broken rule.
    """
    try:
        content = parsed(text)
    except Unreadable as error:
        raise CodebookError([f"{source}: not readable as YAML: {error}"]) from error
    if not isinstance(content, dict):
        raise CodebookError([f"{source}: a codebook is a mapping with the key 'codebook'"])
    try:
        codebook = Codebook.model_validate(content)
    except ValidationError as error:
        raise CodebookError([finding(source, fault) for fault in error.errors()]) from error
    findings = [f"{source}: {path}: {reason}" for path, reason in broken(codebook)]
    if findings:
        raise CodebookError(findings)
    return codebook
