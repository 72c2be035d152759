"""Where the cues of a variable stand in a text: whole words, two parts at a distance, negation.

Everything is compared in small letters and with plain apostrophes. All phrases come from the
codebook; of a language this module knows only where its words end. Finding takes time in
proportion to the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, get_args

from labeler.codebook.codebook import HAS_SEGMENT, Codebook, Variable
from labeler.codebook.rules import DISTANCE, bare
from labeler.text.sentences import sentences

# A letter or digit of a script that puts spaces between words. Thai, Lao, kana, Han and Hangul
# do not, or hang particles on a word, and so are no reason against a cue beside them.
_LETTER = r"[^\W\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
_ON = rf"{_LETTER}|'(?!s\b){_LETTER}"
_GOES_ON = re.compile(_ON)
_IS_LETTER = re.compile(_LETTER)
_STEP = re.compile(rf"{_LETTER}+(?:['-]{_LETTER}+)*|\w")
_SIGNS = str.maketrans({"‘": "'", "’": "'", "ʼ": "'", "ς": "σ"})

Role = Literal["cue", "negation", "exception", "end"]
ROLES: tuple[Role, ...] = get_args(Role)


class CueCode(NamedTuple):
    """The code that a cue counts for, and the cue as the codebook writes it."""

    code: str
    cue: str


class Hit(NamedTuple):
    """A stretch of a text that counts once for each of some codes."""

    start: int
    end: int
    cue_codes: tuple[CueCode, ...]


class PreparedText(NamedTuple):
    """A text made ready: in small letters, as long as before; starts of sentences and words."""

    plain: str
    sentences: list[tuple[int, int]]
    words: list[int]

    def sentence(self, place: int) -> int:
        """The number of the sentence in which a place lies; -1 before the first."""
        return bisect_right(self.sentences, place, key=lambda span: span[0]) - 1

    def between(self, end: int, start: int) -> int:
        """How many words begin between the end of one stretch and the start of the next."""
        return bisect_left(self.words, start) - bisect_left(self.words, end)


class _PhraseUse(NamedTuple):
    """A phrase of the codebook, what it is there for, and at which ends a word may go on."""

    role: Role
    cue_code: CueCode
    before: bool
    after: bool


class _PhraseIndex(NamedTuple):
    """Phrases as one expression, the longest first, and what each stretch found may be."""

    expression: re.Pattern[str]
    listed: dict[str, tuple[_PhraseUse, ...]]


class _CuePair(NamedTuple):
    """A cue of two phrases with at most so many words in between."""

    parts: tuple[_PhraseIndex, _PhraseIndex]
    words: int
    ordered: bool
    cue_code: CueCode


class VariableCues(NamedTuple):
    """All that is looked for on behalf of one variable; `flips` is None where nothing negates."""

    phrases: _PhraseIndex
    near: tuple[_CuePair, ...]
    reach: int
    flips: dict[str, str | None] | None


class _Token(NamedTuple):
    start: int
    end: int
    role: Role
    cue_codes: tuple[CueCode, ...]


def ready(text: str) -> PreparedText:
    """A text made ready for `find`; offsets in it are offsets in the text as given."""
    plain = _plain(text)
    return PreparedText(plain, sentences(plain), [match.start() for match in _STEP.finditer(plain)])


def cues_of(variable: Variable, codebook: Codebook) -> VariableCues:
    """What `find` looks for: the variable's cues and, where it can be negated, what negates."""
    whole: list[tuple[str, _PhraseUse]] = []
    near: list[_CuePair] = []
    for value in variable.values:
        for cue in value.cues:
            cue_code = CueCode(value.code, cue)
            if parted := DISTANCE.fullmatch(cue.strip()):
                one, two = (
                    _phrases([_phrase_use("cue", cue_code, parted[part])])
                    for part in ("one", "two")
                )
                near.append(
                    _CuePair((one, two), int(parted["words"]), bool(parted["order"]), cue_code)
                )
            elif cue != HAS_SEGMENT:
                whole.append(_phrase_use("cue", cue_code, cue))
    rules, flips = codebook.cues, None
    if rules.negations and variable.variable in (rules.negates or (variable.variable,)):
        flips = {value.code: value.negated for value in variable.values}
        whole += [
            _phrase_use("negation", CueCode("", phrase), phrase) for phrase in rules.negations
        ]
        whole += [
            _phrase_use("exception", CueCode("", phrase), phrase) for phrase in rules.exceptions
        ]
        whole += [_phrase_use("end", CueCode("", phrase), phrase) for phrase in rules.ends]
    return VariableCues(_phrases(whole), tuple(near), rules.reach, flips)


def find(cues: VariableCues, text: PreparedText) -> list[Hit]:
    """What stands for the codes of a variable in a text, in its order.

    The longest of the phrases that begin at a place is the one found, and its words serve no
    other phrase of the variable; words of a cue in two parts serve other cues in two parts only.
    """
    parted = [token for near in cues.near for token in _near(near, text)]
    tokens = list(_tokens(cues.phrases, text.plain))
    if parted:
        tokens = _without_overlap(tokens, [part for _, parts in parted for part in parts])
        tokens = sorted([*tokens, *(token for token, _ in parted)])
    return list(_hits(tokens, cues, text))


def _hits(tokens: Iterable[_Token], cues: VariableCues, text: PreparedText) -> Iterator[Hit]:
    """Cues as hits; a negated one counts for the code that its own one names, or not at all."""
    standing: deque[_Token] = deque()
    sentence = -1
    for token in tokens:
        here = text.sentence(token.start)
        if token.role == "end" or here != sentence:
            standing.clear()
        sentence = here
        if token.role == "negation":
            standing.append(token)
        elif token.role == "cue":
            while standing and text.between(standing[0].end, token.start) > cues.reach:
                standing.popleft()
            cue_codes = token.cue_codes
            if len(standing) % 2:
                cue_codes = _negated(cue_codes, standing[-1].cue_codes[0].cue, cues.flips or {})
            if cue_codes:
                yield Hit(token.start, token.end, cue_codes)


def _negated(
    cue_codes: Sequence[CueCode], negation: str, flips: dict[str, str | None]
) -> tuple[CueCode, ...]:
    return tuple(
        CueCode(other, f"{negation} {cue}")
        for code, cue in cue_codes
        if (other := flips[code]) is not None
    )


def _near(
    near: _CuePair, text: PreparedText
) -> Iterator[tuple[_Token, tuple[tuple[int, int], ...]]]:
    """Each pair of the two parts, and where both stand: next to next, no part in two pairs."""
    found = [
        (token.start, -side, token.end)
        for side, part in enumerate(near.parts)
        for token in _tokens(part, text.plain)
    ]
    last: list[tuple[int, int] | None] = [None, None]
    for start, minus, end in sorted(found):
        other = None if near.ordered and not minus else last[1 + minus]
        if (
            other is not None
            and other[1] <= start
            and text.sentence(other[0]) == text.sentence(start)
            and text.between(other[1], start) <= near.words
        ):
            last = [None, None]
            yield _Token(other[0], end, "cue", (near.cue_code,)), (other, (start, end))
        else:
            last[-minus] = (start, end)


def _without_overlap(tokens: Iterable[_Token], parts: Iterable[tuple[int, int]]) -> list[_Token]:
    """The tokens that share no character with one of the stretches."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(parts):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    kept = []
    for token in tokens:
        place = bisect_left(merged, token.end, key=lambda span: span[0]) - 1
        if place < 0 or merged[place][1] <= token.start:
            kept.append(token)
    return kept


def _tokens(phrases: _PhraseIndex, plain: str) -> Iterator[_Token]:
    """The phrases in a text, from left to right; a cue goes before a negation of the same words."""
    for match in phrases.expression.finditer(plain):
        start, end = match.span()
        stem = " ".join(match.group().split())
        begins = not _is_letter(stem[0]) or start == 0 or not _is_letter(plain[start - 1])
        stops = not _is_letter(stem[-1]) or _GOES_ON.match(plain, end) is None
        fitting = [
            one for one in phrases.listed[stem] if (one.before or begins) and (one.after or stops)
        ]
        role = min(fitting, key=lambda one: ROLES.index(one.role)).role
        cue_codes: dict[str, CueCode] = {}
        for one in fitting:
            if one.role == role:
                cue_codes.setdefault(one.cue_code.code, one.cue_code)
        yield _Token(start, end, role, tuple(cue_codes.values()))


def _phrase_use(role: Role, cue_code: CueCode, phrase: str) -> tuple[str, _PhraseUse]:
    """The stem of a phrase (`*` at an end: the word may go on there), and what it is."""
    plain = " ".join(_plain(phrase).split())
    return bare(plain), _PhraseUse(role, cue_code, plain.startswith("*"), plain.endswith("*"))


def _phrases(listed: Iterable[tuple[str, _PhraseUse]]) -> _PhraseIndex:
    by_stem: dict[str, tuple[_PhraseUse, ...]] = {}
    for stem, one in listed:
        if stem:
            by_stem[stem] = (*by_stem.get(stem, ()), one)
    ways = {(stem, one.before, one.after) for stem, ones in by_stem.items() for one in ones}
    bound: list[str] = []
    free: list[str] = []
    for stem, before, after in sorted(ways, key=lambda way: (-len(way[0]), way)):
        closed = _is_letter(stem[0]) and not before
        (bound if closed else free).append(_expression(stem, after=after))
    parts = [rf"(?<!{_LETTER})(?:{'|'.join(bound)})"] * bool(bound) + free
    return _PhraseIndex(re.compile("|".join(parts) or r"(?!)"), by_stem)


def _expression(stem: str, *, after: bool) -> str:
    r"""A phrase as expression: whole words at its end, unless they may go on.

    A letter must not touch a letter; an emoji may touch anything; `can` is not in `can't`, but
    `chatgpt` is in `chatgpt's`.
    """
    words = r"\s+".join(re.escape(word) for word in stem.split())
    return words if after or not _is_letter(stem[-1]) else rf"{words}(?!{_ON})"


def _is_letter(character: str) -> bool:
    return _IS_LETTER.match(character) is not None


def _plain(text: str) -> str:
    """The text in small letters and with plain apostrophes; every character keeps its place."""
    small = text.lower()
    if len(small) != len(text):
        small = "".join(
            character.lower() if len(character.lower()) == 1 else character for character in text
        )
    return small.translate(_SIGNS)
