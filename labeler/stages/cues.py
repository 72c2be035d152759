"""The cues coder: deterministic codes from the cues that a codebook lists.

An honest baseline, named `cues` everywhere. It knows words, not meanings: no negation, no irony.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import pandas as pd

from labeler.answers import Codes, applies
from labeler.codebook import HAS_SEGMENT, Codebook, Segments, Variable
from labeler.keys import canonical, key
from labeler.tables import COMPLETIONS, frame

RULES = "1"

Given = str | list[str] | None

# A letter or digit of a script that puts spaces between words. Thai, Lao, kana, Han and Hangul
# do not, or hang particles on a word, and so are no reason against a cue beside them.
_LETTER = r"[^\W\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
_ON = rf"{_LETTER}|'(?!s\b){_LETTER}"
_GOES_ON = re.compile(_ON)
_SIGNS = str.maketrans({"‘": "'", "’": "'", "ʼ": "'"})
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+[」』”]*|\n+")
_SHORT = re.compile(r"\b(?:[A-HJ-Z]|(?i:dr|mr|mrs|ms|prof|st|vs|approx|e\.g|i\.e))\.$")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


class _Hit(NamedTuple):
    """One cue found: where it begins, and the codes that list it."""

    start: int
    codes: tuple[str, ...]


class _Pattern(NamedTuple):
    """All cues of a variable as one expression, and the codes that list what it matched."""

    expression: re.Pattern[str]
    whole: dict[str, tuple[str, ...]]
    begun: dict[str, tuple[str, ...]]


def answers(posts: pd.DataFrame, codebook: Codebook, *, coder: str, created: str) -> pd.DataFrame:
    """Completions of the cues coder for `posts` (columns unit and text): one row a unit.

    A segment is the shortest run of at most `segments.within` sentences, at least
    `segments.min_words` words long, in which each variable of `segments.relates` has a cue; runs
    do not overlap, and without `relates` there are none. A variable takes the code with the most
    cues (the earliest among equals), or every code with a cue where it is multiple; without a cue
    its `default`, else its `none`, else null, which is to abstain.
    """
    patterns = {variable.variable: _pattern(variable) for variable in codebook.variables}
    about, fingerprint = spec(codebook), codebook.fingerprint
    rows = []
    for unit, text in zip(posts["unit"], posts["text"], strict=True):
        content = {
            "coder": about,
            "codebook": fingerprint,
            "messages": {"unit": unit, "text": text},
            "replicate": 1,
        }
        rows.append(
            {
                "completion": key(content),
                "codebook": fingerprint,
                "coder": coder,
                "unit": unit,
                "replicate": 1,
                "answer": canonical(_answer(text, codebook, patterns)),
                "created": created,
            }
        )
    return frame(COMPLETIONS, rows)


def spec(codebook: Codebook) -> dict[str, str]:
    """What makes this coder this one: the rules here, and all that they read in the codebook."""
    read = {
        "segments": codebook.segments
        and [
            list(codebook.segments.relates),
            codebook.segments.within,
            codebook.segments.min_words,
        ],
        "variables": [
            [
                *(variable.variable, variable.of, variable.multiple, variable.default),
                *(variable.none, variable.applies_when),
                [[value.code, list(value.cues)] for value in variable.values],
            ]
            for variable in codebook.variables
        ],
    }
    return {"kind": "cues", "rules": RULES, "cues": key(read)}


def coder(codebook: Codebook) -> str:
    """The name of the cues coder with the cues of this codebook: `cues@` and 6 digits."""
    return f"cues@{key(spec(codebook))[:6]}"


def _answer(text: str, codebook: Codebook, patterns: Mapping[str, _Pattern]) -> dict[str, Any]:
    plain = _plain(text)
    hits = {name: _hits(pattern, plain) for name, pattern in patterns.items()}
    runs = _runs(plain, codebook.segments, hits) if codebook.segments else []
    codes: Codes = {}
    variables = {}
    for variable in codebook.of_unit:
        found = hits[variable.variable]
        if runs:
            found = [*_of_having_segments(variable), *found]
        variables[variable.variable] = _coded(variable, found, codes)
    answer: dict[str, Any] = {"rationale": "", "variables": variables}
    if codebook.segments is not None:
        answer["segments"] = [
            {"quote": text[start:end], "codes": given}
            for start, end in runs
            if (given := _of_run(start, end, codebook, hits, dict(codes))) is not None
        ]
    return answer


def _of_run(
    start: int, end: int, codebook: Codebook, hits: Mapping[str, list[_Hit]], codes: Codes
) -> dict[str, Given] | None:
    """What each variable of the segment takes in a run; None where none of them applies."""
    given = {}
    for variable in codebook.of_segment:
        inside = [hit for hit in hits[variable.variable] if start <= hit.start < end]
        given[variable.variable] = _coded(variable, inside, codes)
    return given if any(applies(variable, codes) for variable in codebook.of_segment) else None


def _coded(variable: Variable, hits: Sequence[_Hit], codes: Codes) -> Given:
    """What the cues say of a variable, in the form of an answer; `codes` grows by it."""
    if not applies(variable, codes):
        return None
    chosen = _chosen(variable, hits)
    if chosen:
        codes[variable.variable] = chosen
    return (list(chosen) if variable.multiple else chosen[0]) if chosen else None


def _chosen(variable: Variable, hits: Sequence[_Hit]) -> tuple[str, ...]:
    counts = {code: sum(code in hit.codes for hit in hits) for code in variable.codes}
    found = [code for code in variable.codes if counts[code]]
    if not found:
        fallback = variable.default or variable.none
        return (fallback,) if fallback else ()
    if variable.multiple:
        return tuple(code for code in found if code != variable.none) or tuple(found)
    first = {code: next(n for n, hit in enumerate(hits) if code in hit.codes) for code in found}
    return (min(found, key=lambda code: (-counts[code], first[code])),)


def _pattern(variable: Variable) -> _Pattern:
    """Cues of all values, the longest first; one that several values list counts for each."""
    whole: dict[str, tuple[str, ...]] = {}
    begun: dict[str, tuple[str, ...]] = {}
    for value in variable.values:
        for cue in value.cues:
            plain = " ".join(_plain(cue).split())
            stem = plain.removesuffix("*").rstrip()
            listed = begun if plain.endswith("*") else whole
            if stem and cue != HAS_SEGMENT and value.code not in listed.get(stem, ()):
                listed[stem] = (*listed.get(stem, ()), value.code)
    cues = [(stem, True) for stem in begun] + [(stem, False) for stem in whole]
    cues.sort(key=lambda cue: (-len(cue[0]), cue))
    words = [_cue(stem, begun=more) for stem, more in cues if re.match(_LETTER, stem)]
    signs = [_cue(stem, begun=more) for stem, more in cues if not re.match(_LETTER, stem)]
    parts = [rf"(?<!{_LETTER})(?:{'|'.join(words)})"] * bool(words) + signs
    return _Pattern(re.compile("|".join(parts) or r"(?!)"), whole, begun)


def _cue(stem: str, *, begun: bool) -> str:
    r"""A cue as expression: whole words, unless it is only the beginning of one (`*`).

    A letter must not touch a letter; an emoji may touch anything; `can` is not in `can't`, but
    `chatgpt` is in `chatgpt's`.
    """
    words = r"\s+".join(re.escape(word) for word in stem.split())
    return words if begun or not re.match(_LETTER, stem[-1]) else rf"{words}(?!{_ON})"


def _plain(text: str) -> str:
    """The text in small letters and with plain apostrophes, sign for sign as long as before."""
    small = text.lower()
    if len(small) != len(text):
        small = "".join(sign.lower() if len(sign.lower()) == 1 else sign for sign in text)
    return small.translate(_SIGNS)


def _hits(pattern: _Pattern, text: str) -> list[_Hit]:
    hits = []
    for match in pattern.expression.finditer(text):
        stem = " ".join(match.group().split())
        codes = pattern.begun.get(stem, ())
        if not codes or _GOES_ON.match(text, match.end()) is None:
            codes = tuple(dict.fromkeys((*codes, *pattern.whole.get(stem, ()))))
        hits.append(_Hit(match.start(), codes))
    return hits


def _of_having_segments(variable: Variable) -> list[_Hit]:
    codes = tuple(value.code for value in variable.values if HAS_SEGMENT in value.cues)
    return [_Hit(-1, codes)] if codes else []


def _runs(
    text: str, segments: Segments, hits: Mapping[str, Sequence[_Hit]]
) -> list[tuple[int, int]]:
    """Start and end of each segment: the shortest runs of sentences, from left to right."""
    if not all(hits[name] for name in segments.relates) or not segments.relates:
        return []
    sentences = _sentences(text)
    runs: list[tuple[int, int]] = []
    free = 0
    for last, (_, end) in enumerate(sentences):
        for first in range(last, max(free, last - segments.within + 1) - 1, -1):
            start = sentences[first][0]
            related = all(
                any(start <= hit.start < end for hit in hits[name]) for name in segments.relates
            )
            if related and len(_WORD.findall(text, start, end)) >= segments.min_words:
                runs.append((start, end))
                free = last + 1
                break
    return runs


def _sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence, without outer white space."""
    cuts = [0]
    for match in _END.finditer(text):
        if not _SHORT.search(text[max(0, match.end() - 8) : match.end()]):
            cuts.append(match.end())
    cuts.append(len(text))
    spans = []
    for start, end in pairwise(cuts):
        stretch = text[start:end]
        bare = stretch.strip()
        if bare:
            first = start + len(stretch) - len(stretch.lstrip())
            spans.append((first, first + len(bare)))
    return spans
