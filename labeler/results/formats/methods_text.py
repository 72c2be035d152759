"""A methods paragraph and the results in sentences, each number taken from a row of the bundle.

Nothing is typed twice: what a sentence says is computed from the tables beside it, so that it
cannot drift from them. A table that is not there leaves its sentences out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from labeler.codebook.codebook import Codebook, Variable
from labeler.coding.vocabulary import ASSISTED, BLIND, HUMAN_HUMAN, HUMAN_MODEL, is_human
from labeler.reliability.sentences import sentences
from labeler.results.formats.declaration import BundleFacts, Format
from labeler.store.tables import rows
from labeler.text.coded_values import named_parts

NAME = "methods.md"
BEST = ("two-phase", "corrected", "blind")  # estimators, the best of them first
IN_WORDS = {
    "two-phase": "the model's codes of all posts, corrected by assisted and by blind codes",
    "corrected": "the model's codes of all posts, corrected by blind codes",
    "blind": "blind codes alone, weighted by the design",
}
TARGET = "collection"
DRAWN = {
    "simple": "at random",
    "stratified": "at random within strata",
    "enriched": "at random within strata, with rare codes drawn more often",
    "uncertain": "at random, with posts of which the model was less sure drawn more often",
}


def _files(frames: Mapping[str, pd.DataFrame], facts: BundleFacts) -> dict[str, bytes]:
    parts = [
        f"# Methods and results of batch {facts.batch}, as the record has them",
        *(["**Everything here is made up.**"] if facts.made_up else []),
        "## Methods",
        " ".join(_design(frames, facts)),
        " ".join(_gate(frames, facts)),
        "## Reliability",
        "\n".join(f"- {own}" for own in _reliability(frames)),
        "## Results",
        *_results(frames, facts),
        "## Record",
        _record(facts),
    ]
    return {NAME: ("\n\n".join(part for part in parts if part) + "\n").encode()}


def _design(frames: Mapping[str, pd.DataFrame], facts: BundleFacts) -> Iterator[str]:
    """What was coded, by whom, and what they saw."""
    book = facts.codebook
    yield (
        f"Posts were coded after the codebook “{book.title}” (version {book.version}), which has "
        f"{len(book.variables)} variables: {len(book.of_unit)} of the post as a whole and "
        f"{len(book.of_segment)} of quoted segments."
    )
    yield from _draw(json.loads(facts.design or "{}"))
    if "coded" not in frames:
        return
    coded = frames["coded"]
    first = coded[(coded["replicate"] == 1) & is_human(coded["coder"])]
    for arm, seen in ((BLIND, "without any suggestion in view"), (ASSISTED, "with the model's")):
        own = first[first["arm"] == arm]
        if len(own):
            more = " suggestions in view, which is no evidence" if arm == ASSISTED else ""
            yield (
                f"{_posts(own['unit'].nunique())} coded {seen}{more} "
                f"({own['coder'].nunique()} coders, {len(own):,} codings of posts)."
            )
    if facts.suggester:
        units = coded.loc[coded["coder"] == facts.suggester, "unit"].nunique()
        yield f"The suggestions are those of {facts.suggester}, which coded {units:,} of them."


def _posts(number: int) -> str:
    return f"{number:,} post was" if number == 1 else f"{number:,} posts were"


def _draw(design: Mapping[str, Any]) -> Iterator[str]:
    if "drawing" in design and "frame" in design:
        how = DRAWN[design["drawing"]]
        both = design["assisted"] if design["nested"] else design["blind"] + design["assisted"]
        yield f"Of {design['frame']:,} posts {both:,} were drawn {how} (seed {design['seed']})."
    elif "batches" in design:
        names = ", ".join(str(one["batch"]) for one in design["batches"])
        yield f"Several draws are judged together: {names}."
    elif "imported" in design:
        yield "The codings were made elsewhere and imported."


def _gate(frames: Mapping[str, pd.DataFrame], facts: BundleFacts) -> Iterator[str]:
    """How agreement was judged, and what was let through."""
    if "verdicts" not in frames or frames["verdicts"].empty:
        return
    ruled = frames["verdicts"]
    thresholds = sorted({f"{value:g}" for value in ruled["tentative"]})
    yield (
        "Agreement was judged by Krippendorff's alpha among blind codes alone: a variable passes "
        f"where the lower one-sided bound reaches {' or '.join(thresholds)}."
    )
    for comparison, who in ((HUMAN_HUMAN, "Among people"), (HUMAN_MODEL, "Of the model")):
        own = ruled[(ruled["comparison"] == comparison) & (ruled["code"] == "")]
        if len(own):
            passed = int((own["verdict"] == "pass").sum())
            yield f"{who} {passed} of {len(own)} variables pass."
    if facts.override:
        yield f"The gate was overridden, for this reason: {facts.override}."
    if facts.outdated:
        yield f"Outdated, and to be computed again: {', '.join(facts.outdated)}."


def _reliability(frames: Mapping[str, pd.DataFrame]) -> list[str]:
    return sentences(frames["reliability"]) if "reliability" in frames else []


def _results(frames: Mapping[str, pd.DataFrame], facts: BundleFacts) -> Iterator[str]:
    """A paragraph for each variable: its shares, the largest first."""
    if "estimates" not in frames or frames["estimates"].empty:
        return
    every = frames["estimates"]
    own = every[(every["measure"] == "share") & (every["target"] == TARGET)]
    own = own[(own["by"] == "") & (own["within"] == "")]
    for analysis, of_it in own.groupby("analysis", sort=False):
        best = next((name for name in BEST if name in set(of_it["estimator"])), None)
        if best is not None:
            yield _shares(str(analysis), of_it[of_it["estimator"] == best], best, facts.codebook)


def _shares(analysis: str, own: pd.DataFrame, estimator: str, codebook: Codebook) -> str:
    whose = "posts" if own["method"].str.startswith("of posts").all() else "segments"
    told = own[own["value"].notna() & own["low"].notna() & (own["hidden"] == "")]
    shown = [
        f"{_label(row.code, codebook)} {row.value:.1%} [{row.low:.1%}, {row.high:.1%}]"
        for row in rows(told.sort_values(["value", "code"], ascending=[False, True]))
    ]
    rest = len(own) - len(told)
    left = f" {rest} of {len(own)} shares are held back or not estimable." if rest else ""
    units = int(own["units"].max()) if own["units"].notna().any() else 0
    listed = "; ".join(shown) or "no share can be told"
    return (
        f"**{analysis}** (shares of {whose}; {IN_WORDS[estimator]}; {units:,} posts coded blind; "
        f"95% intervals): {listed}.{left}"
    )


def _label(text: str, codebook: Codebook) -> str:
    """The label of `variable:code`; the text where the codebook does not know it."""
    name, code = named_parts(text)
    known: dict[str, Variable] = {one.variable: one for one in codebook.variables}
    if name not in known or code not in known[name].codes:
        return text
    return known[name].value(code).label


def _record(facts: BundleFacts) -> str:
    lines = [
        f"- labeler {facts.labeler}; codebook {facts.codebook.fingerprint}",
        *(
            f"- {name}: computed from {ground}"
            for name, ground in sorted(facts.computed_from.items())
        ),
        "- What follows from the codings can be computed again from this folder alone.",
    ]
    return "\n".join(lines)


FORMAT = Format(
    name="methods text",
    files=_files,
    descriptions={NAME: "Methods and results in sentences; each number is one of the tables'."},
)
