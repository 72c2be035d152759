"""A table of a recipe → its cells, and the number of each unit for each cell. Pure.

A *cell* is what is counted: posts or segments with a code, in a group, within another. A unit has
one number for each cell: the model's own, and, of people, the mean over its blind coders. Segments
need no alignment: shares of segments, segments a post and mean scores are ratios of totals, and a
joint cell is a cell, never a product of margins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from labeler.codebook.codebook import Codebook, Variable
from labeler.results.coded_things import Bools, CodedThings, Ints
from labeler.results.recipe import COUNTED, Counted, RecipeTable, coded, counted, has_numbers
from labeler.text.coded_values import named

BASE, SCORE, SCORED, POSTS = "", "score of", "scored", "posts"
"""What a cell counts beside codes: all things, the sum of scores, things with one, posts."""

Cell = tuple[str, str, str]
"""What is counted, the group of `by`, and that of `within`; '' where it is of all."""


class PostColumn(NamedTuple):
    """A column of posts: the names of its groups in order, and of each unit the place, or -1."""

    groups: Sequence[str]
    place: Ints


class TableCells(NamedTuple):
    """The cells of a table, in the order of the columns of its totals; `place` finds them.

    `known`, shape (cells,): counts of the posts themselves, which nobody had to code. `codes`,
    `groups` and `within`: the texts `name:value`, in order.
    """

    counted: Counted
    cells: list[Cell]
    place: Mapping[Cell, int]
    known: Bools
    codes: list[str]
    groups: list[str]
    within: list[str]


def cells_of(
    table: RecipeTable, codebook: Codebook, columns: Mapping[str, PostColumn]
) -> TableCells:
    """The cells of a table: of each group and all, within each group."""
    codes = _groups(table.of, codebook, columns) if table.of not in COUNTED else []
    groups = _groups(table.by, codebook, columns) if table.by else []
    within = _groups(table.within, codebook, columns) if table.within else [""]
    if table.between:
        within = [named(table.within, code) for code in table.between]
    what = [BASE, *codes, *_scores(table, codebook)]
    pairs = [(by, own) for own in within for by in ["", *groups]]
    made: list[Cell] = [(code, *pair) for pair in pairs for code in what]
    made += [(POSTS, *pair) for pair in pairs if _of_posts(table, pair, columns)]
    known = np.array([_known(table, cell, codebook, columns) for cell in made], bool)
    place = {cell: at for at, cell in enumerate(made)}
    how = counted(table, codebook)
    return TableCells(how, made, place, known, codes, groups, within)


def reading_totals(
    table: RecipeTable,
    cells: TableCells,
    things: CodedThings,
    codebook: Codebook,
    columns: Mapping[str, PostColumn],
) -> Any:
    """The number of each reading for each cell, sparse (readings, cells)."""
    variables = coded(table, codebook)
    segments = cells.counted == "segments" or any(v.of == "segment" for v in variables)
    unit = things.unit[things.segment] if segments else things.unit
    of = _of_block(table, cells, things, codebook, segments=segments)

    def block(name: str, groups: Sequence[str]) -> Any:
        if name in columns:
            return _one_hot(columns[name].place[unit], len(groups))
        own, codes = things.codes[name], codebook.variable(name).codes
        expand = things.segment if segments and not own.of_segment else slice(None)
        taken = [at for at, code in enumerate(codes) if named(name, code) in groups]
        return own.has[expand][:, taken]

    groups = [block(table.by, cells.groups)] if table.by else []
    by = sparse.hstack([_all(unit.size), *groups], format="csr")
    within = block(table.within, cells.within) if table.within else _all(unit.size)
    joint = _crossed(within, _crossed(by, of))
    if segments:
        rows = (np.ones(unit.size), (things.segment, np.arange(unit.size)))
        joint = sparse.csr_array(rows, shape=(things.unit.size, unit.size)) @ joint
        if cells.counted == "posts":
            joint.data[:] = np.minimum(joint.data, 1.0)
    posts = sparse.csr_array((joint.shape[0], len(cells.cells) - joint.shape[1]))
    whole = sparse.hstack([joint, posts], format="csr")
    whole.data *= ~cells.known[whole.indices]
    whole.eliminate_zeros()
    return sparse.csr_array(whole + _posts(table, cells, things, columns))


def unit_means(totals: Any, things: CodedThings, asked: Bools, size: int) -> tuple[Ints, Any]:
    """Means over the readings of each unit that were asked: the units' places, and (units, cells).

    `asked`, shape (readings,); `size`: how many units there are.
    """
    rows = np.flatnonzero(asked)
    times = np.bincount(things.unit[rows], minlength=size)
    units = np.flatnonzero(times)
    place = np.searchsorted(units, things.unit[rows])
    share = 1 / times[things.unit[rows]]
    mean = sparse.csr_array((share, (place, rows)), shape=(units.size, things.unit.size))
    return units, sparse.csr_array(mean @ totals)


def _groups(name: str, codebook: Codebook, columns: Mapping[str, PostColumn]) -> list[str]:
    if name in columns:
        return [named(name, group) for group in columns[name].groups]
    return [named(name, code) for code in codebook.variable(name).codes]


def _scores(table: RecipeTable, codebook: Codebook) -> list[str]:
    known = {variable.variable: variable for variable in codebook.variables}
    own = known.get(table.of)
    return [SCORE, SCORED] if own is not None and has_numbers(own) else []


def _of_posts(
    table: RecipeTable, groups: tuple[str, str], columns: Mapping[str, PostColumn]
) -> bool:
    """Whether groups of `by` and `within` are of posts alone: how many there are is known."""
    pairs = zip(groups, (table.by, table.within), strict=True)
    return all(not group or name in columns for group, name in pairs)


def _known(
    table: RecipeTable, cell: Cell, codebook: Codebook, columns: Mapping[str, PostColumn]
) -> bool:
    if not _of_posts(table, cell[1:], columns):
        return False
    return cell[0] == POSTS or (cell[0] == BASE and _all_posts(table, codebook))


def _all_posts(table: RecipeTable, codebook: Codebook) -> bool:
    """Whether the things counted are all posts, and not those that a question applies to."""
    known: dict[str, Variable] = {variable.variable: variable for variable in codebook.variables}
    own = known.get(table.of)
    return counted(table, codebook) == "posts" and not (own is not None and own.applies_when)


def _of_block(
    table: RecipeTable,
    cells: TableCells,
    things: CodedThings,
    codebook: Codebook,
    *,
    segments: bool,
) -> Any:
    """Things by what is counted, sparse (things, 1 + codes + scores)."""
    many = things.segment.size if segments else things.unit.size
    if table.of in COUNTED:
        return _all(many)
    own = things.codes[table.of]
    expand = things.segment if segments and not own.of_segment else slice(None)
    base = _all(many)
    if codebook.variable(table.of).applies_when:
        base = _column(own.coded[expand])
    parts = [base, own.has[expand]] if cells.codes else [base]
    if _scores(table, codebook):
        parts += [_column(own.score[expand]), _column(own.scored[expand])]
    return sparse.hstack(parts, format="csr")


def _posts(
    table: RecipeTable,
    cells: TableCells,
    things: CodedThings,
    columns: Mapping[str, PostColumn],
) -> Any:
    """1 for each reading whose post is counted by a known cell, sparse (readings, cells)."""
    rows, at = [], []
    for place in np.flatnonzero(cells.known):
        inside = np.ones(things.unit.size, bool)
        for name, group in zip((table.by, table.within), cells.cells[place][1:], strict=True):
            if group:
                own = columns[name]
                number = [named(name, one) for one in own.groups].index(group)
                inside &= own.place[things.unit] == number
        here = np.flatnonzero(inside)
        rows.append(here)
        at.append(np.full(here.size, place))
    where = (np.concatenate([*rows, []]).astype(int), np.concatenate([*at, []]).astype(int))
    ones = np.ones(where[0].size)
    return sparse.csr_array((ones, where), shape=(things.unit.size, len(cells.cells)))


def _one_hot(place: Ints, many: int) -> Any:
    rows = np.flatnonzero(place >= 0)
    where = (rows, place[rows])
    return sparse.csr_array((np.ones(rows.size), where), shape=(place.size, many))


def _all(many: int) -> Any:
    return sparse.csr_array(np.ones((many, 1)))


def _column(values: Any) -> Any:
    return sparse.csr_array(np.asarray(values, np.float64)[:, None])


def _crossed(outer: Any, inner: Any) -> Any:
    """Products of the columns of two matrices of the same rows: the inner ones change fastest."""
    if outer.shape[1] == 1 and outer.nnz == outer.shape[0]:
        return inner
    columns = sparse.csc_array(outer)
    columns.sort_indices()
    parts = []
    for at in range(outer.shape[1]):
        own = slice(columns.indptr[at], columns.indptr[at + 1])
        rows = columns.indices[own]
        part = inner[rows]
        counts = np.zeros(outer.shape[0], np.int64)
        counts[rows] = np.diff(part.indptr)
        data = part.data * np.repeat(columns.data[own], np.diff(part.indptr))
        ends = np.concatenate([[0], np.cumsum(counts)])
        parts.append(sparse.csr_array((data, part.indices, ends), shape=inner.shape))
    return sparse.hstack(parts, format="csr")
