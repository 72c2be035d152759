"""Small cells of tables, and the further ones that would give them away.

A cell counts people. One of 1 to k - 1 people is *sensitive* and never shown; zero may be (the rule
of the US Centers for Medicare & Medicaid Services, which hides 1 to 10). Whoever knows a total
subtracts: so further cells are held back until nobody who knows everything shown can narrow a
sensitive cell to less than the range 1 to k - 1. That is proved for each one by linear programming,
the least and the most that it can be over all tables which agree with what is shown (Fischetti and
Salazar-González 2000, Models and algorithms for optimizing cell suppression in tabular data). Which
further cells are chosen is greedy, the smallest first: few, but not always the fewest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.optimize import linprog

from labeler.errors import TableError

SMALLEST = 11
SLACK = 1e-6  # of the solver, in people

Bools = NDArray[np.bool_]
Sizes = NDArray[np.float64]


class Relation(NamedTuple):
    """Cells of which everybody knows what they come to: they add up to a total.

    `parts`: places of the cells; `total`: the place of their total, None where that is known from
    elsewhere (the units coded, shares of one).
    """

    parts: tuple[int, ...]
    total: int | None = None


def suppressed(
    sizes: ArrayLike, relations: Sequence[Relation], *, smallest: int = SMALLEST
) -> Bools:
    """Which cells must not be shown, shape (cells,): the sensitive ones and those that guard them.

    `sizes`, shape (cells,): people in each cell, whole numbers. Where the cells of a relation come
    to fewer than `smallest` people together, all of them are held back, zeros and total too.
    TableError for a relation of a cell that there is not.
    """
    people = np.asarray(sizes, np.float64)
    _check(people, relations)
    sensitive = (people > 0) & (people < smallest)
    hidden = sensitive.copy()
    while True:
        _guard_lines(people, relations, hidden, smallest)
        open_ = _exposed(people, relations, hidden, sensitive, smallest)
        if open_ is None or not _guard(people, relations, hidden, open_):
            return hidden


def bounds(
    sizes: ArrayLike, relations: Sequence[Relation], hidden: ArrayLike, cell: int
) -> tuple[float, float]:
    """The least and the most that a hidden cell can be, for whoever sees all the others.

    Both are its size where it is shown. A cell is never below 0; without a relation it may be
    anything (inf).
    """
    people, away = np.asarray(sizes, np.float64), np.asarray(hidden, bool)
    if not away[cell]:
        return float(people[cell]), float(people[cell])
    cells = _component(relations, away, cell)
    place = {own: at for at, own in enumerate(cells)}
    rows, known = [], []
    for relation in relations:
        signs = {part: 1.0 for part in relation.parts if away[part]}
        if relation.total is not None and away[relation.total]:
            signs[relation.total] = -1.0
        if signs and set(signs) <= set(place):
            rows.append({place[own]: sign for own, sign in signs.items()})
            known.append(_known(people, relation, away))
    if not rows:
        return 0.0, math.inf
    data = [(at, own, sign) for at, row in enumerate(rows) for own, sign in row.items()]
    at, own, sign = (np.array(column) for column in zip(*data, strict=True))
    matrix = sparse.csr_array((sign, (at, own)), shape=(len(rows), len(cells)))
    goal = np.zeros(len(cells))
    goal[place[cell]] = 1.0
    return _solved(goal, matrix, known), -_solved(-goal, matrix, known)


def _known(people: Sizes, relation: Relation, away: Bools) -> float:
    """What the hidden parts less the hidden total come to, by what is shown.

    People who are in several parts make the parts come to more than the total: what counts is how
    far they are apart in truth, which is taken as known.
    """
    own = sum(people[part] for part in relation.parts if away[part])
    if relation.total is not None and away[relation.total]:
        own -= people[relation.total]
    return float(own)


def _solved(goal: Sizes, matrix: sparse.csr_array, known: Sequence[float]) -> float:
    found = linprog(goal, A_eq=matrix, b_eq=np.array(known), bounds=(0, None), method="highs")
    return -math.inf if found.status == 3 else float(found.fun)


def _check(people: Sizes, relations: Sequence[Relation]) -> None:
    for relation in relations:
        for part in _all(relation):
            if not 0 <= part < people.size:
                raise TableError(f"disclosure: there are {people.size} cells, and none is {part}")


def _guard_lines(
    people: Sizes, relations: Sequence[Relation], hidden: Bools, smallest: int
) -> None:
    """Hold cells back until no relation has one hidden alone, or some of few people together."""
    of_cell: dict[int, list[Relation]] = {}
    for relation in relations:
        for cell in _all(relation):
            of_cell.setdefault(cell, []).append(relation)

    def lonely(cell: int) -> int:
        return sum(not any(hidden[own] for own in _all(one)) for one in of_cell[cell])

    changed = True
    while changed:
        changed = False
        for relation in relations:
            for cell in _lacking(people, relation, hidden, smallest, lonely):
                hidden[cell] = changed = True


def _all(relation: Relation) -> tuple[int, ...]:
    return relation.parts if relation.total is None else (*relation.parts, relation.total)


def _lacking(
    people: Sizes,
    relation: Relation,
    hidden: Bools,
    smallest: int,
    lonely: Callable[[int], int],
) -> Iterator[int]:
    """The cells that a relation needs hidden besides; none where it is guarded.

    `lonely` counts the relations in which a cell would be the only hidden one: such need more.
    """
    parts = list(relation.parts)
    away = [part for part in parts if hidden[part]]
    total_away = relation.total is not None and hidden[relation.total]
    together = sum(people[part] for part in away)
    if not away and not total_away:
        return
    if total_away and len(away) < len(parts) and not away:
        yield min(parts, key=lambda part: (people[part] == 0, lonely(part), people[part]))
        return
    if total_away or (len(away) > 1 and together >= smallest):
        return
    free = [part for part in parts if not hidden[part] and people[part] > 0]
    if free:
        yield min(free, key=lambda part: (lonely(part), people[part], part))
        return
    yield from (part for part in parts if not hidden[part])
    if relation.total is not None:
        yield relation.total


def _exposed(
    people: Sizes,
    relations: Sequence[Relation],
    hidden: Bools,
    sensitive: Bools,
    smallest: int,
) -> int | None:
    """A sensitive cell that can be narrowed too far; None where all are safe."""
    for cell in np.flatnonzero(sensitive):
        low, high = bounds(people, relations, hidden, int(cell))
        if low > 1 + SLACK or high < smallest - 1 - SLACK:
            return int(cell)
    return None


def _guard(people: Sizes, relations: Sequence[Relation], hidden: Bools, cell: int) -> bool:
    """Hold back the smallest cell beside those that hang together with `cell`; False: none left."""
    near = set(_component(relations, hidden, cell))
    beside = set()
    for relation in relations:
        own = set(_all(relation))
        if own & near:
            beside |= {part for part in own if not hidden[part]}
    if not beside:
        return False
    hidden[min(beside, key=lambda part: (people[part] == 0, people[part], part))] = True
    return True


def _component(relations: Sequence[Relation], hidden: Bools, cell: int) -> list[int]:
    """The hidden cells that hang together with one, through relations, in order."""
    found, edge = {cell}, {cell}
    while edge:
        more: set[int] = set()
        for relation in relations:
            own = set(_all(relation))
            if own & edge:
                more |= {part for part in own if hidden[part]}
        edge = more - found
        found |= edge
    return sorted(found)
