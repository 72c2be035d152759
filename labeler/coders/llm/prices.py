"""What the tokens of a model cost: a dated file that the user can edit, read and checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, NamedTuple, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from labeler.errors import ProjectError

FILE = "prices.yaml"
LOCAL = "local"

_SNAPSHOT = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}|\d{4}|latest")
_SMALLEST = 1e-4


class Price(NamedTuple):
    """What a million tokens cost in `currency`.

    `cached` is the price of prompt tokens from the cache, None where there is no such discount;
    `in_job` the share of the full price that is paid in a job (1.0: no discount). Prompt
    beginnings of fewer than `cache_from` tokens are never cached.
    """

    input: float
    cached: float | None
    output: float
    in_job: float
    currency: str
    as_of: str
    source: str = ""
    cached_in_job: bool = False
    cache_from: int = 1024

    @property
    def free(self) -> bool:
        """Whether tokens cost nothing, however many."""
        return not (self.input or self.output or self.cached)


def prices(text: str, *, source: str) -> dict[str, Price]:
    """The prices of a file `source`, whose YAML is `text`, by name of model.

    ProjectError with a line for each entry that cannot be used, and for each name given twice.
    """
    try:
        twice = list(_twice(yaml.compose(text, Loader=yaml.SafeLoader), ""))
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date 2026-02-31
        reason = " ".join(str(error).split())
        raise ProjectError(f"{source}: not readable as YAML: {reason}") from error
    if twice:
        raise ProjectError("\n".join(f"{source}: {path}: stands here twice" for path in twice))
    try:
        found = _PriceFile.model_validate(content)
    except ValidationError as error:
        findings = (_finding(source, fault) for fault in cast(list[Any], error.errors()))
        raise ProjectError("\n".join(findings)) from error
    return {
        model: Price(
            **entry.model_dump(exclude={"as_of"}),
            currency=found.currency,
            as_of=entry.as_of.isoformat(),
        )
        for model, entry in found.models.items()
    }


def price_of(model: str, table: Mapping[str, Price], *, local: bool = False) -> Price | None:
    """The price of a model as a server names it; None where the table does not know it.

    An entry of that name; else the longest whose dated snapshot it is (`-2025-04-14`, `-0613`,
    `-latest`), so that no small model is charged as its larger namesake; else, where the server
    is `local` to this machine, the entry `local`.
    """
    if model in table:
        return table[model]
    heads = [
        n for n in table if model.startswith(f"{n}-") and _SNAPSHOT.fullmatch(model, len(n) + 1)
    ]
    if heads:
        return table[max(heads, key=len)]
    return table.get(LOCAL) if local else None


Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _PriceEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    input: Amount
    cached: Amount | None = None
    output: Amount
    in_job: Annotated[float, Field(gt=0, le=1)] = 1.0
    cached_in_job: bool = False
    cache_from: Annotated[int, Field(ge=0)] = 1024
    as_of: date
    source: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _plausible(self) -> _PriceEntry:
        if self.cached is not None and self.cached > self.input:
            raise ValueError("cached: a cached token costs more than a fresh one")
        if any(0 < price < _SMALLEST for price in (self.input, self.cached or 0, self.output)):
            raise ValueError("this looks like a price a token; give it per million tokens")
        return self


class _PriceFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    models: dict[str, _PriceEntry]


def _finding(source: str, fault: Mapping[str, Any]) -> str:
    path = ".".join(str(step) for step in fault["loc"] if step != "[key]")
    if fault["type"] == "extra_forbidden":
        reason = "unknown key; remove it or check its spelling"
    elif fault["type"] == "missing":
        reason = "missing; add it"
    elif fault["type"] in ("model_type", "dict_type"):
        reason = "this is a mapping of keys to values"
    elif fault["type"] == "string_type":
        reason = f"put it in quotes, got {fault['input']!r:.60}"
    elif fault["type"] == "date_type":
        reason = f"give a day as 2026-10-18, without quotes or time, got {fault['input']!r:.60}"
    else:
        reason = f"{cast(str, fault['msg']).removeprefix('Value error, ')}"
        reason += "" if isinstance(fault["input"], dict) else f", got {fault['input']!r:.60}"
    return f"{source}: {path or 'the file'}: {reason}"


def _twice(node: yaml.Node | None, path: str) -> Iterator[str]:
    """Paths of the keys that a mapping has twice; the YAML reader would keep the last."""
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for name, value in node.value:
        if not isinstance(name, yaml.ScalarNode):
            continue  # the reader refuses it, with its place
        here = f"{path}.{name.value}".lstrip(".")
        if name.value in seen:
            yield here
        seen.add(name.value)
        yield from _twice(value, here)
