"""How a coded value is written as text, and how it is read back. Pure.

A value is a code, a number in decimal, or the codes of a set joined by `+`. The empty text is the
set without a code. Nothing else in the package splits, joins or spells values by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Context

EMPTY_SET = "+"  # the set without a code in a file, where an empty cell means "not coded"

_PRECISION = Context(prec=15)  # the digits that every decimal number keeps in a double
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?")
_WHOLE = re.compile(r"([+-]?\d+)\.0+")


def codes_of(value: str) -> list[str]:
    """The codes in a stored value, in its order; none for the empty set. A number is its own."""
    return [code for code in parts_of(value) if code]


def parts_of(value: str) -> list[str]:
    """What stands between the `+` of a value that may be wrong, to be checked; '' is a gap."""
    return value.split("+") if value else []


def joined(codes: Iterable[str]) -> str:
    """Codes as one value, in the order given; '' where there is none."""
    return "+".join(codes)


def named(name: str, value: str = "") -> str:
    """A value with the name of what it is a value of, `impact:positive`; a name alone is of all."""
    return f"{name}:{value}" if value else name


def named_parts(text: str) -> tuple[str, str]:
    """The name and the value of such a text; '' for a value where it is of all."""
    name, _, value = text.partition(":")
    return name, value


def typed_codes(text: str) -> list[str]:
    """The parts of a value that a person typed, without blanks around them; '' is a gap."""
    return [part.strip() for part in parts_of(text)]


def plain_code(text: str) -> str:
    """A code as a codebook writes it: `1` for the 1.0 that a spreadsheet makes of it."""
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def number_text(number: float | str) -> str:
    """A number in its one spelling: 15 significant digits, no exponent, no zeros at the end.

    2, 2.0 and "2.00" are all written `2`, and -0.0 is `0`; so equal texts are equal numbers, and
    no number holds the `+` that joins codes. A text must be a number in decimal.
    """
    rounded = _PRECISION.create_decimal(str(number)).normalize(_PRECISION)
    return f"{rounded:f}" if rounded else "0"


def is_number(text: str) -> bool:
    """Whether a text is a finite decimal number."""
    return bool(_NUMBER.fullmatch(text))


def by_size(numbers: Iterable[str]) -> list[str]:
    """Texts of numbers in ascending order."""
    return sorted(numbers, key=lambda text: (float(text), text))
