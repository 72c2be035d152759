"""Which coder gets which unit: balanced loads, and at random as a hash decides.

The rules look at coders only through hashes of seed, unit and name, so that over the seeds each
coder who may get a unit is as likely as another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from labeler.keys import key


def several(
    units: Sequence[str],
    coders: Sequence[str],
    *,
    each: int,
    seed: int,
    kept_from: Mapping[str, Collection[str]] | None = None,
    alike: Mapping[str, str] | None = None,
) -> dict[str, list[str]]:
    """Each unit with `each` coders: those with the least so far, among equals by a hash.

    Loads differ by one at most, and which coders meet on a unit is left to chance. Units that are
    `alike` (unit → what they have in common) go to the same coders, and none to those it is kept
    from: loads then differ by more. KeyError where fewer than `each` are left.
    """
    load = dict.fromkeys(coders, 0)
    given: dict[str, list[str]] = {}
    of_kind: dict[str, list[str]] = {}
    for unit in units:
        barred = (kept_from or {}).get(unit, ())
        allowed = [coder for coder in coders if coder not in barred]
        if len(allowed) < each:
            raise KeyError(unit)
        kind = (alike or {}).get(unit, unit)
        chosen = (
            of_kind.get(kind)
            or sorted(allowed, key=lambda coder: _turn(load, seed, unit, coder))[:each]
        )
        for coder in chosen:
            load[coder] += 1
        given[unit] = of_kind[kind] = chosen
    return given


def one(
    units: Sequence[str],
    coders: Sequence[str],
    *,
    seed: int,
    kept_from: Mapping[str, Collection[str]] | None = None,
) -> dict[str, str]:
    """Each unit with one coder who is not among those it is kept from.

    Loads differ by one at most, where that can be done: a unit then moves along a chain of coders
    from the busiest to one with two less. KeyError where a unit is kept from everybody.
    """
    barred = {unit: frozenset((kept_from or {}).get(unit, ())) for unit in units}
    load = dict.fromkeys(coders, 0)
    given = {}
    for unit in sorted(units, key=lambda unit: not barred[unit]):  # the hard ones first
        allowed = [coder for coder in coders if coder not in barred[unit]]
        if not allowed:
            raise KeyError(unit)
        given[unit] = min(allowed, key=lambda coder: _turn(load, seed, unit, coder))
        load[given[unit]] += 1
    order = sorted(coders, key=lambda coder: key({"seed": seed, "coder": coder, "for": "balance"}))
    while chain := _chain(given, barred, order):
        for unit, coder in chain:
            given[unit] = coder
    return given


def _turn(load: Mapping[str, int], seed: int, unit: str, coder: str) -> tuple[int, str]:
    return load[coder], key({"seed": seed, "unit": unit, "coder": coder})


def _chain(
    given: Mapping[str, str], barred: Mapping[str, frozenset[str]], order: Sequence[str]
) -> list[tuple[str, str]]:
    """Moves (unit, new coder) that take a unit from a busiest coder to one with two less, or []."""
    load = dict.fromkeys(order, 0)
    for coder in given.values():
        load[coder] += 1
    most = max(load.values(), default=0)
    moves: dict[tuple[str, str], str] = {}
    for unit, holder in given.items():
        for coder in order:
            if coder != holder and coder not in barred[unit]:
                moves.setdefault((holder, coder), unit)
    reached: dict[str, str] = {coder: "" for coder in order if load[coder] == most}
    waiting = list(reached)
    while waiting:
        holder = waiting.pop(0)
        if load[holder] <= most - 2:
            return _back(holder, reached, moves)
        for coder in order:
            if coder not in reached and (holder, coder) in moves:
                reached[coder] = holder
                waiting.append(coder)
    return []


def _back(
    last: str, reached: Mapping[str, str], moves: Mapping[tuple[str, str], str]
) -> list[tuple[str, str]]:
    chain = []
    while reached[last]:
        chain.append((moves[reached[last], last], last))
        last = reached[last]
    return chain
