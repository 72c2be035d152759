"""How values are written on a page. Undefined and missing are said, never left to a blank."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from labeler.codebook.codebook import Codebook
from labeler.coding import vocabulary
from labeler.coding.vocabulary import is_human, kind_of, name_of
from labeler.text.coded_values import codes_of, named_parts

NOTHING = "\N{EM DASH}"
MINUS = "\N{MINUS SIGN}"
VERDICTS = {
    "pass": "\N{CHECK MARK}",
    "fail": "\N{MULTIPLICATION X}",
    "inconclusive": "?",
    "undefined": "\N{EMPTY SET}",
}
NONE_MARKED = "none marked"
NOT_ASKED = "not asked"


def coefficient(value: Any) -> str:
    """A coefficient with three decimals and no leading zero, as the field writes it."""
    if pd.isna(value):
        return NOTHING
    text = f"{abs(float(value)):.3f}".removeprefix("0")
    return f"{MINUS}{text}" if float(value) < 0 and float(text) else text


def interval(low: Any, high: Any) -> str:
    """Both ends in brackets; nothing where there is no interval."""
    if pd.isna(low) or pd.isna(high):
        return ""
    return f"[{coefficient(low)}, {coefficient(high)}]"


def figure(value: Any) -> str:
    """A measure of an assessment: three decimals, none where it is large."""
    if pd.isna(value):
        return NOTHING
    number = float(value) if abs(float(value)) >= 0.0005 else 0.0
    text = f"{number:.3f}" if abs(number) < 100 else f"{number:.0f}"
    return text.replace("-", MINUS)


def probability(value: Any) -> str:
    """A p-value with three decimals; a smaller one as less than .001."""
    if pd.isna(value):
        return NOTHING
    return "< .001" if float(value) < 0.001 else coefficient(value)


def percent(value: Any) -> str:
    """A share from 0 to 1 as a percentage with one decimal."""
    return NOTHING if pd.isna(value) else f"{100 * float(value):.1f}%"


def count(value: Any) -> str:
    """A whole number, its thousands set apart by a thin space."""
    return (
        NOTHING if pd.isna(value) else f"{int(value):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    )


def moment(value: Any) -> str:
    """An ISO time to the minute (times are stored in UTC)."""
    text = "" if pd.isna(value) else str(value)
    return text[:16].replace("T", " ") if text else NOTHING


def day(value: Any) -> str:
    """The date of an ISO time."""
    return NOTHING if pd.isna(value) or not value else str(value)[:10]


def sign(verdict: str) -> str:
    """A sign beside a verdict's word, so that colour is never the only difference."""
    return VERDICTS.get(verdict, "")


def metric(name: str) -> str:
    """The distance behind a coefficient's name: `krippendorff_alpha.masi` → MASI."""
    tail = name.rpartition(".")[2]
    return tail.upper() if tail == "masi" else tail


def codes(value: Any, codebook: Codebook, variable: str) -> str:
    """A coded value by its labels; a code that the codebook lacks stands as it is."""
    if pd.isna(value):
        return NOT_ASKED
    if not value:
        return NONE_MARKED
    return ", ".join(code_label(code, codebook, variable) for code in codes_of(str(value)))


def code_label(code: str, codebook: Codebook, variable: str) -> str:
    """The label of a code."""
    try:
        return codebook.variable(variable).value(code).label
    except KeyError:
        return code


def variable_label(name: str, codebook: Codebook) -> str:
    """The label of a variable; its name where the codebook lacks it."""
    try:
        return codebook.variable(name).label
    except KeyError:
        return name


def named_code(text: str, codebook: Codebook) -> str:
    """`impact:positive` by the label of its code; a name alone by that of the variable."""
    name, value = named_parts(text)
    return code_label(value, codebook, name) if value else variable_label(name, codebook)


def estimate(value: Any, measure: str) -> str:
    """A figure as its measure is written: percent, a count, or three decimals."""
    if measure in ("share", "share of row", "share of column"):
        return percent(value)
    if measure == "count":
        return NOTHING if pd.isna(value) else count(round(float(value)))
    return figure(value)


def panel(name: str) -> str:
    """A panel of blind coders in words: `humans` → 'humans, blind'."""
    return f"{name}, blind"


def people(coders: str) -> str:
    """The humans among comma-joined coders, by name."""
    names = [coder for coder in coders.split(",") if is_human(coder)]
    return ", ".join(name_of(name) for name in names)


def program(coders: str) -> str:
    """The model, cues or embedded coder among comma-joined coders."""
    return vocabulary.program_among(coders)


def kind(coder: str) -> str:
    """person, model, cues or embedded: what a coder is."""
    found = kind_of(coder) or "cues"
    return "person" if found == "human" else found


FILTERS: dict[str, Callable[..., str]] = {
    function.__name__: function
    for function in (
        coefficient,
        interval,
        figure,
        probability,
        percent,
        count,
        moment,
        day,
        sign,
        metric,
        codes,
        code_label,
        variable_label,
        named_code,
        estimate,
        kind,
        panel,
        program,
        people,
    )
}
