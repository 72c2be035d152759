"""Stored answers of a coder → its codings, segments and confidence; at any time, offline."""

from __future__ import annotations

import json
from collections import Counter
from typing import NamedTuple

import pandas as pd
from sqlalchemy import select

from labeler.coders import confidence, requests
from labeler.coders.llm.model import sent_texts
from labeler.store import database, results, tables
from labeler.study.completions import MADE, answered, no_canary
from labeler.study.study import Study

CHUNK = 1000
BESIDE = ("unsupported-quote", "abstained")
FINAL = ("refusal", "truncated", "off-schema", "left-out")


class ParseResult(NamedTuple):
    """What parsing wrote and found: codings, and how often each kind of fault beside which codings
    stay (a quote that is not in the post, a question left open)."""

    codings: int
    faults: dict[str, int]


def parse(study: Study, coder: str, hides: str = "", *, everything: bool = False) -> ParseResult:
    """Parse the stored answers that no coding names yet, or all of them.

    `hides` is the rule under which the coder saw the texts ('' for one that sees them as they
    are). A unit's codings, segments and confidence are exchanged together.
    """
    codebook = study.codebook.fingerprint
    which = {"coder": coder, "codebook": codebook}
    units = _units(study, which, everything=everything)
    written, faults = 0, Counter[str]()
    for start in range(0, len(units), CHUNK):
        wanted: dict[str, object] = {**which, "unit": units[start : start + CHUNK]}
        completions = database.read(study.engine, tables.COMPLETIONS, **wanted)
        posts = database.read(study.engine, tables.POSTS, unit=wanted["unit"])
        sent, locate = sent_texts(study, posts, hides)
        found = requests.parse(completions, sent, study.codebook, locate=locate)
        _note_errors(study, completions, found.faults)
        results.replace(
            study.engine,
            (tables.CODINGS, wanted, found.codings),
            (tables.SEGMENTS, wanted, found.segments),
            (tables.CONFIDENCE, wanted, _confidence(study, coder, completions, sent, found)),
        )
        written += len(found.codings)
        faults.update(kind for kind in found.faults["kind"] if kind in BESIDE)
    return ParseResult(written, dict(faults))


def _units(study: Study, which: dict[str, str], *, everything: bool) -> list[str]:
    """Units with an answer that is still to be parsed: no error, and no coding that names it."""
    query = select(MADE.c.unit).where(database.matching(study.engine, MADE, which), no_canary())
    if not everything:
        codings = tables.CODINGS
        same = [codings.c[name] == MADE.c[name] for name in ("codebook", "unit", "coder")]
        parsed = select(codings.c.unit).where(*same, codings.c.source == MADE.c.completion)
        query = query.where(MADE.c.error == "", ~parsed.exists())
    return list(database.query_rows(study.engine, query.distinct().order_by(MADE.c.unit))["unit"])


def _note_errors(study: Study, completions: pd.DataFrame, faults: pd.DataFrame) -> None:
    """Write the kind of each final failure beside the answer it was found in."""
    final = faults[faults["kind"].isin(FINAL)].drop_duplicates("completion")
    if final.empty:
        return
    rows = completions.drop(columns=["error", "detail"]).merge(
        final[["completion", "kind", "detail"]].rename(columns={"kind": "error"}), on="completion"
    )
    results.mirror(study.engine, tables.COMPLETIONS, tables.frame(tables.COMPLETIONS, rows))


def _confidence(
    study: Study,
    coder: str,
    completions: pd.DataFrame,
    sent: pd.DataFrame,
    found: requests.ParsedCompletions,
) -> pd.DataFrame:
    """CONFIDENCE rows of some units: votes where there are several replicates, log-probabilities
    (of the first replicate) where answers have them."""
    parts = []
    there = answered(study, coder, units=sorted(set(completions["unit"])))
    read = there[there["good"] > 0].assign(coder=coder)
    asked_again = set(read[read["replicate"] > 1]["unit"])
    if asked_again:
        codings, segments, runs = (
            frame[frame["unit"].isin(asked_again)]
            for frame in (found.codings, found.segments, read)
        )
        parts.append(confidence.votes(codings, segments, runs))
    first = completions[(completions["replicate"] == 1) & (completions["error"] == "")]
    told = [_has_logprobs(answer) for answer in first["answer"]]
    if any(told):
        latest = first[told].sort_values("created").drop_duplicates("unit", keep="last")
        parts.append(confidence.logprobs(latest, sent, study.codebook).dropna())
    if not parts:
        return tables.frame(tables.CONFIDENCE)
    rows_of_all = pd.concat(parts, ignore_index=True)
    return tables.frame(tables.CONFIDENCE, rows_of_all.assign(codebook=study.codebook.fingerprint))


def _has_logprobs(answer: str) -> bool:
    if '"logprobs"' not in answer:
        return False
    choices = json.loads(answer).get("choices")
    first = choices[0] if choices else None
    return isinstance(first, dict) and bool(first.get("logprobs"))
