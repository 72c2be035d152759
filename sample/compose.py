"""Composes the second part of the sample from made-up parts: posts, and their codes.

    python sample/compose.py            writes the two files beside it
    python sample/compose.py --check    says whether they are what it would write

No post of it was written by a person; `made-up-parts.yaml` holds all that is said in them. The
same parts give the same posts: what is drawn, a hash decides. No two posts are near to each other,
nor to one of the handwritten ones.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from labeler.chance import DIGITS
from labeler.codebook.codebook import Codebook, read
from labeler.keys import key
from labeler.text.near_texts import NearTexts

HERE = Path(__file__).parent
POSTS, CODINGS = "made-up-posts-composed.jsonl.gz", "made-up-codings-composed.jsonl.gz"
COUNT, SEED = 2760, 12
TRIES = 60  # of one post, until it is near to no other

SHORT = ("x", "tiktok", "bluesky")
SUPPORT = ("emotional_support", "instrumental_support", "appraisal_support",
           "informational_support", "anthropomorphism", "sociocultural_impact")  # fmt: skip
PROBLEMS = ("dependency", "maladaptive_usage", "psychological_harm", "interaction_limitations",
            "clinical_skepticism", "ethics")  # fmt: skip
TAGGED = ("emotional_support", "instrumental_support", "appraisal_support",
          "informational_support", "anthropomorphism", "psychological_harm")  # fmt: skip
EMOJI = ("🥲", "🫠", "💛", "😮‍💨", "🙃", "🧠", "✨", "🫶🏽", "🇳🇱", "🐌")
FIRST = ("quiet", "paper", "tin", "slow", "late", "green", "mild", "north", "salt", "moss",
         "copper", "spare", "second", "odd", "small", "windy", "plain", "sunday")  # fmt: skip
THEN = ("lantern", "otter", "kettle", "ladder", "harbour", "button", "pigeon", "radio", "thimble",
        "orchard", "tram", "pencil", "teapot", "gravel", "magpie", "cellar")  # fmt: skip
SHORTENED = {"do not": "don't", "does not": "doesn't", "did not": "didn't", "cannot": "can't",
             "I am ": "I'm ", "it is ": "it's ", "will not": "won't",
             "that is ": "that's ", "would not": "wouldn't"}  # fmt: skip


class Draws:
    """Numbers from 0 up to 1 that belong to a seed: the same in each version of Python."""

    def __init__(self, *seed: object) -> None:
        self._seed, self._drawn = seed, 0

    def number(self) -> float:
        """The next number."""
        self._drawn += 1
        return int(key([*self._seed, self._drawn])[:DIGITS], 16) * 16.0**-DIGITS

    def happens(self, chance: float) -> bool:
        """Whether something with this chance comes about."""
        return self.number() < chance

    def one(self, among: Sequence[str]) -> str:
        """One of several, each as likely as another."""
        return among[int(self.number() * len(among))]

    def weighted(self, among: Mapping[str, float]) -> str:
        """One of several by their weights."""
        left = self.number() * sum(among.values())
        for name, weight in among.items():
            left -= weight
            if left < 0:
                return name
        return name


class Author(NamedTuple):
    """A made-up author: where, with which condition, and with which product."""

    name: str
    platform: str
    condition: str
    product: str


class Said(NamedTuple):
    """A sentence without its end: its text, how it ends, and its codes where it is a segment.

    `names` is whether it names the condition itself.
    """

    text: str
    end: str = "."
    codes: Mapping[str, Any] | None = None
    names: bool = False


class Composed(NamedTuple):
    """A post and the codes that a careful coder might give it, as in the files."""

    post: dict[str, str]
    coding: dict[str, Any]


class Composer:
    """Makes posts of the parts, as often as the shares say; codes stand in codebook order."""

    def __init__(
        self, parts: Mapping[str, Any], shares: Mapping[str, Any], codebook: Codebook
    ) -> None:
        self.parts, self.shares, self.codebook = _lines(parts), shares, codebook

    def post(self, number: int, author: Author, draws: Draws) -> Composed:
        """One post of an author."""
        month = int(draws.weighted({str(m): 1 + self.shares["growth"] * m for m in range(1, 13)}))
        kind = draws.weighted(self.shares["kinds"])
        if kind == "relevant":
            said = self._relevant(author, month, draws)
        else:
            said = self._irrelevant(kind, author, draws)
        relevance = {"relevant": "relevant", "doubtful": "unclear"}.get(kind, "not_relevant")
        text, segments = _written(said, author.platform, draws)
        name = f"c{number:04d}"
        post = {
            "id": name,
            "platform": author.platform,
            "date": f"2025-{month:02d}-{1 + int(draws.number() * 28):02d}",
            "author": author.name,
            "url": f"https://example.org/made-up/{author.platform}/{name}",
            "text": text,
        }
        return Composed(
            post, {"id": name, "variables": {"relevance": relevance}, "segments": segments}
        )

    def _relevant(self, author: Author, month: int, draws: Draws) -> list[Said]:
        """What is said in a post that tells of one use or of several."""
        short = author.platform in SHORT
        situations = self.parts["situations"][author.condition]
        told = draws.happens(0.8 if short else 0.93)
        many = 1 + draws.happens(0.12 if short else 0.36) + (not short and draws.happens(0.12))
        said = (
            [self._plain("openers", author, draws)]
            if draws.happens(0.25 + 0.3 * (not short))
            else []
        )
        if told:
            said.append(self._filled(draws.one(situations), author, draws))
        for place in range(many):
            if place and draws.happens(0.8):
                said.append(self._plain("fillers", author, draws))
            said.append(self._use(author, month, draws))
        if draws.happens(0.35 if short else 0.6):
            said.append(self._plain("fillers", author, draws))
        if draws.happens(0.4 if short else 0.75):
            said.append(self._plain("closers", author, draws))
        return said if told else _without_condition(said)

    def _irrelevant(self, kind: str, author: Author, draws: Draws) -> list[Said]:
        """What is said in a post that ties no model to the mind, or leaves it open."""
        pools = {
            "both": ["models", "minds", "fillers", "minds"],
            "doubtful": ["doubtful", "fillers"],
        }
        wanted = pools.get(kind, [kind, kind, "fillers", kind])
        short = author.platform in SHORT
        said = [self._plain("openers", author, draws)] if draws.happens(0.45) or short else []
        before: list[str] = []
        for pool in wanted[: 3 if short else 4]:
            left = [line for line in self.parts[pool] if line not in before]
            before.append(draws.one(left))
            said.append(self._filled(before[-1], author, draws))
        return [*said, self._plain("closers", author, draws)] if draws.happens(0.7) else said

    def _use(self, author: Author, month: int, draws: Draws) -> Said:
        """One use, as a stretch that can be quoted, with its codes."""
        product = author.product if draws.happens(0.93) else draws.weighted(self.shares["products"])
        own = author._replace(product=product)
        impact = draws.weighted(self._impacts(author.condition, product))
        perspectives = dict(self.shares["perspectives"][impact])
        if "dependency" in perspectives:
            perspectives["dependency"] *= 0.5 + self.shares["growth"] * month
        perspective = draws.weighted(perspectives)
        value = draws.weighted(self._values(perspective))
        make = {"neutral": self._mixed, "not_applicable": self._asked}.get(impact, self._judged)
        line, chosen, values, end = make(perspective, value, impact, draws)
        codes = {
            "impact": impact,
            "condition": [author.condition],
            "perspective": self._ordered("perspective", chosen),
            "value": self._ordered("value", values),
            "product": [product],
        }
        return Said(self._filled(line, own, draws).text, end, codes, "{c}" in line)

    def _judged(self, perspective: str, value: str, impact: str, draws: Draws) -> _Line:
        """A use that helped or hurt."""
        outcomes = self.parts["outcomes"]
        values = [value]
        what = draws.one(outcomes[value][impact])
        if value != "no_value" and draws.happens(0.2):
            other = draws.weighted(self._values(perspective))
            if other not in (value, "no_value"):
                values.append(other)
                what = f"{what} and {draws.one(outcomes[other][impact])}"
        line, chosen = self._with_second(perspective, impact, draws)
        against = perspective in (SUPPORT if impact == "negative" else PROBLEMS)
        joined = ", but " if against else draws.one([", and ", ", and ", "; ", " and ", " – "])
        return f"{line}{joined}{what}", chosen, values, "."

    def _mixed(self, perspective: str, value: str, impact: str, draws: Draws) -> _Line:
        """A use that was neither good nor bad."""
        mixed = self.parts["mixed"]
        value = value if value in mixed else "no_value"
        what = draws.one(mixed.get(value) or self.parts["outcomes"]["no_value"][impact])
        line, chosen = self._with_second(perspective, impact, draws)
        return f"{line}{draws.one(['; ', ', ', ' – '])}{what}", chosen, [value], "."

    def _asked(self, perspective: str, value: str, _impact: str, draws: Draws) -> _Line:
        """A question, a plan or a demand."""
        line = draws.one(self.parts["asked"][perspective])
        there = self.parts["asked_value"]
        if value in there:
            return f"{line}, {draws.one(there[value])}", [perspective], [value], "?"
        questions = ("has", "does", "can", "would", "where", "should", "what", "is", "who", "will")
        end = "?" if line.split()[0] in questions else "."
        return line, [perspective], ["no_value"], end

    def _with_second(self, perspective: str, impact: str, draws: Draws) -> tuple[str, list[str]]:
        line = draws.one(self.parts["uses"][perspective])
        also = self.parts["also"]
        other = draws.weighted(self.shares["perspectives"][impact])
        fits = perspective in TAGGED and other in also and other != perspective
        if not fits or not draws.happens(0.4):
            return line, [perspective]
        return f"{line}, {draws.one(also[other])}", [perspective, other]

    def _impacts(self, condition: str, product: str) -> dict[str, float]:
        """How likely each impact is with this condition and this product."""
        weights, praise = dict(self.shares["impacts"]), self.shares["praise"]
        more = praise.get(condition, 1.0) * praise.get(product, 1.0)
        weights["positive"] *= more
        weights["negative"] /= more
        return weights

    def _values(self, perspective: str) -> dict[str, float]:
        """How likely each value is under this perspective."""
        more, wanted = self.shares["favoured"], self.shares["goes_with"].get(perspective, ())
        return {
            name: weight + more * (name in wanted) for name, weight in self.shares["values"].items()
        }

    def author(self, number: int, before: list[Author]) -> Author:
        """Who writes a post: somebody who has written before, or a new author, who is added."""
        draws = Draws(SEED, number, "author")
        if before and draws.happens(self.shares["again"]):
            return before[int(draws.number() * len(before))]
        platform, condition, product = (
            draws.weighted(self.shares[name]) for name in ("platforms", "conditions", "products")
        )
        joint, end = ("-", ".example") if platform == "bluesky" else ("_", "_example")
        name = joint.join([draws.one(FIRST), draws.one(THEN), str(len(before) + 1)])
        before.append(Author(f"{name}{end}", platform, condition, product))
        return before[-1]

    def _plain(self, pool: str, author: Author, draws: Draws) -> Said:
        return self._filled(draws.one(self.parts[pool]), author, draws)

    def _filled(self, line: str, author: Author, draws: Draws) -> Said:
        """A line with its places filled, and the end that it has of its own."""

        def fill(match: re.Match[str]) -> str:
            place = match.group(1)
            if place == "P":
                return draws.one(self.parts["products"][author.product])
            if place == "c":
                return draws.one(self.parts["conditions"][author.condition])
            return draws.one(self.parts["places"][place])

        text = re.sub(r"\{(\w+)\}", fill, line)
        return Said(text[:-1], text[-1]) if text[-1] in ".?" else Said(text, "")

    def _ordered(self, variable: str, codes: Sequence[str]) -> list[str]:
        order = self.codebook.variable(variable).codes
        return sorted(set(codes), key=order.index)


_Line = tuple[str, list[str], list[str], str]  # what is said, perspectives, values, how it ends


def composed(count: int = COUNT) -> list[Composed]:
    """The posts of the second part, in the order of their numbers."""
    parts, shares = (
        yaml.safe_load((HERE / f"made-up-{name}.yaml").read_text("utf-8"))
        for name in ("parts", "shares")
    )
    book = HERE.parent / "codebook" / "llm-mental-health.yaml"
    composer = Composer(parts, shares, read(book.read_text("utf-8"), source=book.name))
    near, authors, made = NearTexts(), list[Author](), list[Composed]()
    for line in (HERE / "made-up-posts.jsonl").read_text("utf-8").splitlines():
        near.add("", json.loads(line)["text"])
    for number in range(1, count + 1):
        author = composer.author(number, authors)
        made.append(_unlike(composer, number, author, near))
        near.add("", made[-1].post["text"])
    return made


def _unlike(composer: Composer, number: int, author: Author, near: NearTexts) -> Composed:
    """A post that is near to none so far."""
    for attempt in range(TRIES):
        one = composer.post(number, author, Draws(SEED, number, attempt))
        quotes = [segment["quote"] for segment in one.coding["segments"]]
        once = all(one.post["text"].count(quote) == 1 for quote in quotes)
        if once and not near.near(one.post["text"]):
            return one
    raise ValueError(f"post {number}: {TRIES} attempts were all near to other posts: add parts")


def _without_condition(said: list[Said]) -> list[Said]:
    """The same where nothing before told of the condition: named by a use, or by nothing."""
    if any(one.names for one in said):
        return said
    unknown = {"condition": ["no_condition"]}
    return [one._replace(codes={**one.codes, **unknown}) if one.codes else one for one in said]


def _written(said: Sequence[Said], platform: str, draws: Draws) -> tuple[str, list[dict[str, Any]]]:
    """The text in the manner of its platform, and the segments with their quotes as they stand."""
    short = platform in SHORT
    lower, shortened = short and draws.happens(0.5), draws.happens(0.55)
    curly = draws.happens(0.3)
    text, segments, stop = "", [], "."
    for place, one in enumerate(said):
        sentence = _styled(one.text, lower=lower, shortened=shortened, curly=curly)
        if place:
            text += "\n\n" if not short and draws.happens(0.22) else " " if stop else "\n"
        stop = "" if lower and one.end == "." and draws.happens(0.5) else one.end
        face = f" {draws.one(EMOJI)}" if short and draws.happens(0.16) else ""
        text += f"{sentence}{stop}{face}"
        if one.codes is not None:
            segments.append({"quote": sentence, "codes": dict(one.codes)})
    return text, segments


def _styled(text: str, *, lower: bool, shortened: bool, curly: bool) -> str:
    for long, brief in SHORTENED.items() if shortened else ():
        text = text.replace(long, brief)
    if curly:
        text = text.replace("'", "’")
    return text.lower() if lower else text[:1].upper() + text[1:]


def _lines(parts: Any) -> Any:
    """The parts with each block as the list of its lines."""
    if isinstance(parts, str):
        return parts.strip().split("\n")
    return {name: _lines(part) for name, part in parts.items()}


def _files() -> Iterator[tuple[Path, bytes]]:
    made = composed()
    for name, rows in (
        (POSTS, [one.post for one in made]),
        (CODINGS, [one.coding for one in made]),
    ):
        yield HERE / name, "".join(f"{json.dumps(r, ensure_ascii=False)}\n" for r in rows).encode()


def main() -> int:
    """Write the files, or with `--check` compare them; 1 where they differ."""
    parser = argparse.ArgumentParser(description="Compose the second part of the sample.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check, same = parser.parse_args().check, True
    for path, content in _files():
        if check:
            same &= path.is_file() and gzip.decompress(path.read_bytes()) == content
        else:
            path.write_bytes(gzip.compress(content, mtime=0))
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
