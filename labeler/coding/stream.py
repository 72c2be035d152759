"""What one suggester gave under one codebook, beside blind humans, over all its batches. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeler import chance
from labeler.codebook.codebook import Codebook
from labeler.coding import panels
from labeler.coding.batch import READING, asked_of
from labeler.coding.panels import Objects

COMPARED = ["batch", "unit", "variable", "agree"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Stream:
    """The batches of one suggester and codebook: what blind humans and the suggester gave.

    `people`: columns batch, CODED, of the blind humans in all these batches. `suggester`: columns
    CODED, of the units that the suggester answered: those of `people`, or, where its confidence is
    known (`confidence`, its CONFIDENCE rows), every unit. `codings`: CODINGS rows of both.
    `probabilities`: columns batch, unit, unit_probability of the blind units.
    """

    codebook: Codebook
    people: pd.DataFrame
    suggester: pd.DataFrame
    codings: pd.DataFrame
    confidence: pd.DataFrame
    probabilities: pd.DataFrame

    @cached_property
    def suggested(self) -> dict[str, pd.DataFrame]:
        """Variable → unit, value of each unit that the suggester gave one."""
        found = {}
        for name, column in self._suggested.items():
            there = np.flatnonzero(pd.notna(column))
            units = self.suggester["unit"].take(there).reset_index(drop=True)
            found[name] = pd.DataFrame(
                {"unit": units, "value": pd.Series(column[there], dtype="str")}
            )
        return found

    def agreement(self, *, seed: int) -> pd.DataFrame:
        """Whether (1 or 0) the suggester's value is that of one blind human: columns COMPARED.

        The coder of a unit in a batch is one of its blind coders, drawn by `seed`, and the same
        for all variables. A value where the human gave none (the variable did not apply) is wrong;
        where the human was not asked or the suggester gave none, there is no row.
        """
        picked = self._picked(seed)
        theirs = self._given_by(picked)
        at = pd.Index(self.suggester["unit"]).get_indexer(picked["unit"])
        nothing = np.array([None], object)  # what place -1 finds
        parts = []
        for variable in self.codebook.variables:
            name = variable.variable
            own = np.concatenate([self._suggested[name], nothing])[at]
            there = np.flatnonzero(pd.notna(own) & asked_of(picked, name))
            agree = (own[there] == theirs[name][there]).astype(np.int64)
            rows = picked[["batch", "unit"]].take(there)
            parts.append(rows.assign(variable=name, agree=agree))
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COMPARED)

    @cached_property
    def _suggested(self) -> Mapping[str, Objects]:
        return panels.pivot(self.codings, self.suggester, self.codebook.variables, by=READING)

    def _picked(self, seed: int) -> pd.DataFrame:
        """One row of `people` for each batch and unit."""
        coders: dict[tuple[str, str], list[tuple[str, int]]] = {}
        columns = (self.people[name].tolist() for name in ("batch", "unit", "coder"))
        for row, (batch, unit, coder) in enumerate(zip(*columns, strict=True)):
            coders.setdefault((batch, unit), []).append((coder, row))
        rows = []
        for (_, unit), several in coders.items():
            one = several[0][0]
            if len(several) > 1:
                one = chance.one_coder(unit, sorted(coder for coder, _ in several), seed=seed)
            rows.append(dict(several)[one])
        return self.people.take(sorted(rows)).reset_index(drop=True)

    def _given_by(self, picked: pd.DataFrame) -> Mapping[str, Objects]:
        """Variable → value of each row of `picked`; a reading may count in two batches."""
        once = picked.drop_duplicates(READING, ignore_index=True)
        columns = panels.pivot(self.codings, once, self.codebook.variables, by=READING)
        at: NDArray[np.intp] = panels.places(picked, once, READING)
        return {name: column[at] for name, column in columns.items()}
