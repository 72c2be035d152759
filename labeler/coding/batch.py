"""Who coded what in a batch, what they were not asked, and what they gave. Pure.

`labeler.coding.read` fills it from the store; `BatchCodings.of_tables` makes it of tables as a
bundle holds them. Whoever says who coded what, or which value, asks here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeler.codebook.codebook import Codebook
from labeler.coding import panels
from labeler.coding.asked import unasked
from labeler.coding.panels import Objects, Panel, RaterMatrix, Readings
from labeler.coding.vocabulary import BLIND, REPEAT, is_human
from labeler.text.coded_values import codes_of, joined

READING = [*panels.WHO, "replicate"]  # names a row of `coded`, and whose a coding is
CODED = [*READING, "unasked"]
OF_CODERS = ("codings", "segments", "changes")  # tables of which only those count who coded


@dataclass(frozen=True, kw_only=True, eq=False)
class BatchCodings:
    """One batch: its row of BATCHES, the codebook, who coded what, and the tables asked for.

    `coded` has the columns CODED and a row for each unit that a coder read in an arm (again in the
    next replicate), with or without a coding to show for it: humans by their annotations that
    count, a model by its answers without an error, in the arm ''. `unasked` names the variables
    they were not asked, joined by "+". `tables` maps the names of tables to rows of this batch; of
    OF_CODERS only those of `coded`.
    """

    batch: str
    suggester: str
    design: str
    codebook: Codebook
    coded: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]

    @classmethod
    def of_tables(
        cls,
        row: Mapping[str, Any] | pd.Series[str],
        codebook: Codebook,
        coded: pd.DataFrame,
        tables: Mapping[str, pd.DataFrame],
    ) -> BatchCodings:
        """Of the batch's row of BATCHES, who coded (READING, with or without unasked), and tables.

        Rows of tables may be more than the batch's: those of others are left out.
        """
        who = with_unasked(coded, codebook, str(row["design"]))
        own = {
            name: _of_coders(frame, who) if name in OF_CODERS else frame
            for name, frame in tables.items()
        }
        names = ("batch", "suggester", "design")
        about: dict[str, str] = {name: str(row[name]) for name in names}
        return cls(**about, codebook=codebook, coded=who, tables=own)

    @property
    def codings(self) -> pd.DataFrame:
        """CODINGS rows of those who coded (columns as they were read)."""
        return self.tables["codings"]

    @property
    def segments(self) -> pd.DataFrame:
        """SEGMENTS rows of those who coded."""
        return self.tables["segments"]

    @property
    def tasks(self) -> pd.DataFrame:
        """TASKS rows of the batch, with the probabilities of units and tasks."""
        return self.tables["tasks"]

    @property
    def annotations(self) -> pd.DataFrame:
        """ANNOTATIONS rows that count, without their results."""
        return self.tables["annotations"]

    @cached_property
    def units(self) -> list[str]:
        """The units that somebody coded, in order."""
        return sorted(set(self.coded["unit"]))

    @cached_property
    def authors(self) -> dict[str, str]:
        """Unit → author; '' where the author is not known."""
        posts = self.tables["posts"]
        return dict(zip(posts["unit"], posts["author"], strict=True))

    def values(self, variable: str, *, replicate: int = 1) -> pd.DataFrame:
        """What each coder gave each unit: columns unit, coder, arm, value (None: was not asked).

        For a variable of the segment, the set of codes over the coder's segments of the unit.
        """
        rows = (self.coded["replicate"] == replicate).to_numpy()
        own = self.coded.loc[rows, panels.WHO].reset_index(drop=True)
        return own.assign(value=pd.Series(self.column(variable)[rows], dtype="str"))

    def column(self, variable: str) -> Objects:
        """The value of one variable for each row of `coded`; None: was not asked."""
        return self._columns[variable]

    @cached_property
    def groups(self) -> dict[str, str]:
        """Human coder → group, of those who have one (where the table `coders` is at hand)."""
        if "coders" not in self.tables:
            return {}
        known = self.tables["coders"]
        named = zip(known["coder"], known["coder_group"], strict=True)
        return {coder: group for coder, group in named if group}

    @cached_property
    def blind(self) -> dict[str, pd.DataFrame]:
        """Variable → blind human values: columns unit, coder, arm, value; no unasked ones."""
        rows = self._humans & (self.coded["arm"] == BLIND).to_numpy()
        return {v.variable: self._given(v.variable, rows) for v in self.codebook.variables}

    @cached_property
    def people(self) -> dict[str, pd.DataFrame]:
        """Variable → values of the humans who were asked, in every arm but repeats.

        Columns unit, coder, arm, value; None: the variable did not apply to the unit.
        """
        found = {}
        first = (self.coded["replicate"] == 1).to_numpy()
        for variable in self.codebook.variables:
            kept = (self._humans & asked_of(self.coded, variable.variable))[first]
            found[variable.variable] = self.values(variable.variable)[kept].reset_index(drop=True)
        return found

    @cached_property
    def suggested(self) -> dict[str, pd.DataFrame]:
        """Variable → unit, value of the suggester; no rows where there is none."""
        first = (self.coded["replicate"] == 1).to_numpy()
        rows = (self.coded["coder"] == self.suggester).to_numpy() & first
        return {
            v.variable: self._given(v.variable, rows)[["unit", "value"]]
            for v in self.codebook.variables
        }

    @cached_property
    def again(self) -> pd.DataFrame:
        """Who coded a unit another time: columns READING."""
        return self.coded.loc[self.coded["replicate"] > 1, READING]

    @cached_property
    def panels(self) -> list[Panel]:
        """The panels of the batch, evidence first."""
        first = self.coded[self.coded["replicate"] == 1]
        return panels.panels(first, self.again, self.suggester, self.groups)

    def matrix(self, variable: str) -> RaterMatrix:
        """What each human and the suggester gave each unit of one variable, as positions."""
        own = self._raters
        column = self.column(variable)[own]
        return panels.matrix(self._readings, column, self.codebook.variable(variable))

    @cached_property
    def _columns(self) -> dict[str, Objects]:
        return panels.pivot(self.codings, self.coded, self.codebook.variables, by=READING)

    @cached_property
    def _humans(self) -> NDArray[np.bool_]:
        return is_human(self.coded["coder"]).to_numpy(bool)

    @cached_property
    def _raters(self) -> NDArray[np.bool_]:
        return self._humans | (self.coded["coder"] == self.suggester).to_numpy(bool)

    @cached_property
    def _readings(self) -> Readings:
        return panels.readings(self.coded[self._raters])

    def _given(self, variable: str, rows: NDArray[np.bool_]) -> pd.DataFrame:
        column = self.column(variable)
        there = np.flatnonzero(rows & pd.notna(column))
        own = self.coded[panels.WHO].take(there).reset_index(drop=True)
        return own.assign(value=pd.Series(column[there], dtype="str"))


def asked_of(coded: pd.DataFrame, variable: str) -> NDArray[np.bool_]:
    """Whether each row of `coded` (with the column unasked) was asked of a variable."""
    number, several = pd.factorize(coded["unasked"])
    asked = [variable not in codes_of(str(names)) for names in several]
    return np.array(asked, bool)[number]


def with_unasked(coded: pd.DataFrame, codebook: Codebook, design: str) -> pd.DataFrame:
    """`coded` (columns unit, coder, arm, with or without replicate) with the columns CODED.

    Repeats are the second replicate. `design` is that of the batch.
    """
    again = coded["arm"] == REPEAT
    replicate = coded["replicate"] if "replicate" in coded else again.astype("int64") + 1
    pairs = coded[["coder", "arm"]].drop_duplicates().itertuples(index=False, name=None)
    told = {pair: joined(unasked(*pair, codebook=codebook, design=design)) for pair in pairs}
    whose = zip(coded["coder"].tolist(), coded["arm"].tolist(), strict=True)
    texts = pd.Series([told[pair] for pair in whose], index=coded.index, dtype="str")
    found = coded.assign(replicate=replicate.astype("int64"), unasked=texts)
    return found[CODED].astype(dict.fromkeys(panels.WHO, "str")).reset_index(drop=True)


def _of_coders(frame: pd.DataFrame, coded: pd.DataFrame) -> pd.DataFrame:
    """The rows of a derived table that belong to those who coded."""
    return frame[panels.places(frame, coded, READING) >= 0]
