"""Which columns of a table with a row a unit are coders, and which rows are units. Pure.

A column that is taken for a coder and is none changes every coefficient without a word. So a column
that no coder is like, and that is called like metadata, is left out and named; one of which only
either holds is asked about: no guess is made where two answers are possible.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from labeler import hints
from labeler.errors import InputError
from labeler.text.coded_values import is_number, number_text
from labeler.text.names import unknown

FEW = 10  # rows below which no column is suspected for holding a different text in each
LEAST = 3  # filled cells below which two columns may share no value
SHARED = 0.05  # the share of the cells of two coders, either way, whose value the other gives too
SIDEWAYS = 8  # columns from which a table may lie on its side
LAST = 3  # rows at the end of a table that may be totals

_NAMES_UNITS = re.compile(
    r"(unnamed: 0|id|ids|uid|uuid|key|index|units?|items?|(unit|item|post|text|doc|document|case|"
    r"subject|example|record|row|tweet|comment|message|response|sample|article|segment)"
    r"([ _.-]?(id|key|no|nr|number|name))?|.*[ _.-]id)",
    re.IGNORECASE,
)
_NAMES_CODERS = re.compile(
    r"(coders?|raters?|annotators?|judges?|reviewers?|labell?ers?|workers?|users?|completed[ _]by)"
    r"([ _.-]?(id|key|no|nr|number|name))?",
    re.IGNORECASE,
)
_VALUES = ("value", "code", "label", "rating")
_METADATA = re.compile(
    r"(.*[ _.-])?(confidence|certainty|comments?|notes?|remarks?|texts?|body|titles?|urls?|links?|"
    r"dates?|times?|timestamp|created|updated|(created|updated)[ _]at|lead[ _]?time|duration|"
    r"seconds|platform|source|subreddit|channel|authors?|user[ _]?names?|lang|language|country|"
    r"gender|likes|upvotes|retweets|followers|probability|propensity|consensus|majority|gold|truth|"
    r"adjudicated|final|totals?|sums?|means?|averages?|median|kappa|alpha|agreement|agreed|agrees?)"
    r"|score|count|length|words|age|year|month|day|week|hour|split|set|fold|batch|arm|round|wave|"
    r"phase|weight|line|row|n|no|nr|number|post|message|tweet|quote|content|difficulty|"
    r"(confidence|comment|note|remark|time|date)[ _.-].*",
    re.IGNORECASE,
)
_PLATFORMS = {
    *("reddit", "x", "twitter", "youtube", "tiktok", "facebook", "instagram", "telegram"),
    *("bluesky", "mastodon", "threads", "forum", "weibo", "vk", "linkedin", "discord", "tumblr"),
    *("whatsapp", "pinterest", "snapchat", "twitch", "quora"),
}
_TOTALS = re.compile(
    r"(grand |sub-?)?totals?|sums?|means?|averages?|median|sd|std|(percent |% ?)?agreement|kappa|"
    r"alpha|counts?|gesamt|summe|mittelwert|σ|∑",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(.*?)[ _.-]?\d+")
_CODER_WORDS = re.compile(
    r"(coder|rater|annotator|judge|reviewer|labell?er|worker|user|r|c|a|m|model)?", re.IGNORECASE
)
_SPLIT = re.compile(r"[+;|,]")


class CoderColumns(NamedTuple):
    """The column that names the units ('' none), the coders, and what was left out, in words."""

    unit: str
    coders: list[str]
    remarks: list[str]


class _Profile(NamedTuple):
    """How often a column holds each value (in one spelling), and what kind of column it is."""

    counts: dict[str, int]
    cells: int
    unique: bool
    low: float
    high: float

    @property
    def numeric(self) -> bool:
        return self.low <= self.high


def coder_columns(
    table: pd.DataFrame,
    *,
    unit: str = "",
    coders: Sequence[str] = (),
    surely: Sequence[str] = (),
    source: str,
) -> CoderColumns:
    """The columns of `table` that are coders: `coders`, or those that are found.

    `unit` names the units (else a column that is called like an id does); `surely` are coders
    beside those that are found. Coders share values: of the columns the largest group that does is
    taken. One outside of it is left out where it is also called like metadata or holds names of
    platforms; else it is asked about, as is one inside of it that is called so, a table that looks
    long, and one that lies on its side: InputError names the columns.
    """
    if coders:
        others = table.drop(columns=list(coders))
        return CoderColumns(unit or _unit_column(others, source), list(coders), [])
    _not_on_its_side(table, unit, source)
    rest = table.drop(columns=[name for name in surely if name in table.columns])
    _not_long(rest, unit, source)
    unit = unit or _unit_column(rest, source)
    columns = [name for name in table.columns if name != unit]
    for name in surely:
        if name not in columns:
            raise InputError(f"{source}: {unknown('coder', name, sorted(columns))}")
    profiles = {name: _profile(rest[name]) for name in rest.columns if name != unit}
    found = {name: profile for name, profile in profiles.items() if profile.cells}
    if not found:
        return CoderColumns(unit, columns, [])
    left, remarks = _left_out(found, source)
    return CoderColumns(unit, [name for name in columns if name not in left], remarks)


def _left_out(found: dict[str, _Profile], source: str) -> tuple[list[str], list[str]]:
    """The columns that are no coders, and the words that tell of them."""
    named = {name for name, profile in found.items() if _no_coders_name(name, profile)}
    named = named if len(named) < len(found) else set()
    main, others = _groups(found, named)
    left = [name for name in others if name in named]
    doubtful = {
        name: reason
        for name in found
        if name not in left and (reason := _doubt(name, found[name], main, named))
    }
    if doubtful and (len(found) > 2 or max(one.cells for one in found.values()) >= LEAST):
        raise _asked(doubtful, [n for n in found if n not in doubtful and n not in left], source)
    if not left:
        return [], []
    among, told = ", ".join(main[:5]), ", ".join(map(repr, left))
    remark = f"left out, as called like metadata and without a value that {among} gave: {told}"
    return left, [remark]


def called_like_metadata(name: str) -> bool:
    """Whether a column's name speaks against its holding codes: a date, a comment, a count."""
    return bool(_METADATA.fullmatch(name.strip()))


def without_totals(
    table: pd.DataFrame, *, unit: str, columns: Iterable[str]
) -> tuple[pd.DataFrame, list[str]]:
    """The table without rows of totals at its end, and the words that tell of them.

    A row is one of totals where its unit is called so (`total`, `mean`, `kappa`), or, where no
    column names the units, where a cell says so that stands nowhere else.
    """
    end = table.iloc[-LAST:]
    rows = {}
    for line in reversed(end.index.tolist()):
        texts = [end.at[line, unit]] if unit else [str(end.at[line, name]) for name in columns]
        said = next((text for text in texts if _TOTALS.fullmatch(str(text))), "")
        if not said or (not unit and (table[list(columns)] == said).to_numpy().sum() > 1):
            break
        rows[line] = str(said)
    if not rows:
        return table, []
    told = ", ".join(f"line {line} ({said})" for line, said in sorted(rows.items()))
    return table.drop(index=list(rows)), [f"left out, as totals and no unit: {told}"]


def _unit_column(table: pd.DataFrame, source: str) -> str:
    """The one column that is called like an id; '' where none is."""
    called = [
        name
        for name in table.columns
        if _NAMES_UNITS.fullmatch(name) and not _NAMES_CODERS.fullmatch(name)
    ]
    if len(called) > 1:
        raise InputError(
            f"{source}: columns {', '.join(map(repr, called))} might each name the units",
            hint=hints.UNITS_COLUMN,
        )
    return called[0] if called else ""


def _not_long(table: pd.DataFrame, unit: str, source: str) -> None:
    """Refuse a table with a column for coders as a wide one."""
    columns = [name for name in table.columns if name != unit]
    who = next((name for name in columns if _NAMES_CODERS.fullmatch(name)), "")
    by_name = {name.casefold(): name for name in columns}
    what = next((by_name[name] for name in _VALUES if name in by_name), "")
    if who:
        told = f"columns {who!r} and {what!r} look" if what else f"a column {who!r} looks"
        raise InputError(
            f"{source}: {told} like a long table, a row a coding",
            hint=hints.LOOKS_LONG.about(coder=who, value=what or "COLUMN"),
        )


def _not_on_its_side(table: pd.DataFrame, unit: str, source: str) -> None:
    """Refuse a table with a row a coder and a column a unit."""
    first = str(table.columns[0]) if len(table.columns) else ""
    wide = len(table.columns) - 1
    if unit not in ("", first) or wide < max(SIDEWAYS, 2 * len(table)):
        return
    texts = [text for text in table[first] if text]
    names = [str(name) for name in table.columns[1:]]
    starts = {match[1].casefold() for name in names if (match := _NUMBERED.fullmatch(name))}
    numbered = len(starts) == 1 and all(map(_NUMBERED.fullmatch, names))
    of_units = numbered and (starts == {""} or not _CODER_WORDS.fullmatch(min(starts)))
    rows = [match[1] for text in texts if (match := _NUMBERED.fullmatch(text))]
    of_coders = len(rows) == len(texts) > 0 and all(
        row and _CODER_WORDS.fullmatch(row) for row in rows
    )
    if len(set(texts)) == len(texts) and (_NAMES_CODERS.fullmatch(first) or of_units or of_coders):
        raise InputError(
            f"{source}: {len(table)} rows and {len(table.columns)} columns ({first!r}, "
            f"{names[0]!r}, {names[1]!r}, …): does a row hold a coder, and a column a unit?",
            hint=hints.TURN_TABLE.about(first=names[0]),
        )


def _profile(column: pd.Series[str]) -> _Profile:
    """The values of a column, sets by their codes, as `_one_spelling` writes them."""
    seen = column[column != ""].value_counts()
    counts: dict[str, int] = {}
    numbers = []
    numeric = True
    for text, times in zip(seen.index.tolist(), seen.tolist(), strict=True):
        for part in _SPLIT.split(text):
            key = _one_spelling(part.strip(' []"{}'))
            counts[key] = counts.get(key, 0) + times
        numeric = numeric and is_number(text)
        if numeric:
            numbers.append(float(text))
    cells = int(seen.sum())
    unique = cells == len(seen)
    span = (min(numbers), max(numbers)) if numeric and numbers else (1.0, 0.0)
    return _Profile(counts, cells, unique, *span)


def _one_spelling(text: str) -> str:
    return number_text(text) if is_number(text) else text.casefold()


def _no_coders_name(name: str, profile: _Profile) -> bool:
    """Whether a column is called like metadata or an id, or holds names of platforms alone."""
    called = called_like_metadata(name) or _NAMES_UNITS.fullmatch(name.strip())
    return bool(called) or profile.counts.keys() <= _PLATFORMS


def _groups(found: dict[str, _Profile], named: set[str]) -> tuple[list[str], list[str]]:
    """The columns that share values and are most, and all others; none where two are as large."""
    left, groups = list(found), []
    while left:
        group, edge = [], [left.pop(0)]
        while edge:
            one = edge.pop()
            group.append(one)
            near = [name for name in left if _alike(found[one], found[name])]
            left = [name for name in left if name not in near]
            edge += near
        groups.append(group)
    groups.sort(key=lambda group: sum(name not in named for name in group), reverse=True)
    sizes = [sum(name not in named for name in group) for group in groups]
    if len(groups) > 1 and sizes[0] == sizes[1]:
        return [], list(found)
    return groups[0], [name for group in groups[1:] for name in group]


def _alike(one: _Profile, other: _Profile) -> bool:
    """Whether two columns give the same values, or numbers of one scale that seldom repeat."""
    shared = one.counts.keys() & other.counts.keys()
    least = 0.5 if (one.unique and one.cells >= FEW) != (other.unique and other.cells >= FEW) else 0
    least = least or SHARED
    if shared and all(
        sum(map(own.counts.__getitem__, shared)) >= least * sum(own.counts.values())
        for own in (one, other)
    ):
        return True
    free = all(own.numeric and 2 * len(own.counts) > own.cells for own in (one, other))
    return free and one.low <= other.high and other.low <= one.high


def _doubt(name: str, profile: _Profile, main: list[str], named: set[str]) -> str:
    """Why a column may be no coder; '' where nothing speaks against it."""
    if name in main:
        return "is called like metadata" if name in named else ""
    if profile.unique and profile.cells >= FEW:
        return "holds another text in each row, unlike the others"
    return "shares no value with the others" if main else "shares no value with half of the others"


def _asked(doubtful: dict[str, str], clear: list[str], source: str) -> InputError:
    told = "; ".join(f"column {name!r} {reason}" for name, reason in doubtful.items())
    given = clear or list(doubtful)[:2]
    return InputError(
        f"{source}: which columns are coders? {told}",
        hint=hints.NO_CODER.about(columns=_listed(doubtful), coders=_listed(given)),
    )


def _listed(names: Iterable[str]) -> str:
    """Names as an option takes them."""
    return ",".join(f'"{name}"' if "," in name or " " in name else name for name in names)
