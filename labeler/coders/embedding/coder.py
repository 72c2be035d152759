"""The embedded coder: codes of the whole unit, learned from adjudicated units.

A logistic regression on the vectors of a small embedding model. It answers in the form of a model
and abstains (null) on every variable that it was not taught; it reads whole units and marks no
segment, which is not to say that there is none. What it learned from, it does not code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeler.codebook.codebook import Codebook, Variable
from labeler.coders.answers import Codes
from labeler.coding.vocabulary import computed
from labeler.keys import canonical, key
from labeler.statistics.agreement.distances import Floats
from labeler.statistics.prediction.classifier import STRENGTH, Bools, Classifier, fit, holds_of
from labeler.store.tables import COMPLETIONS, TAUGHT, frame
from labeler.text.duplicates import same_words

RULES = "1"


def spec(
    taught_codes: pd.DataFrame,
    posts: pd.DataFrame,
    codebook: Codebook,
    variables: Sequence[str],
    *,
    model: Mapping[str, object],
) -> dict[str, object]:
    """What makes this coder this one: the embedding model, and all that it learned from.

    `taught_codes` has the columns unit, variable and value; `posts` their texts. More adjudicated
    units make another coder, whose codings stand beside those of the earlier one.
    """
    own = taught_codes[taught_codes["variable"].isin(variables)]
    units = set(own["unit"])
    texts = posts[posts["unit"].isin(units)].sort_values("unit")
    return {
        "kind": "embedded",
        "rules": RULES,
        "model": dict(model),
        "classifier": f"logistic regression, C={STRENGTH:g}",
        "variables": {name: _shape(codebook.variable(name)) for name in variables},
        "units": len(units),
        "taught": key(
            {
                "codes": own.sort_values(["unit", "variable"]).values.tolist(),
                "texts": texts[["unit", "text"]].values.tolist(),
            }
        ),
    }


def coder(spec: Mapping[str, object]) -> str:
    """The name of the embedded coder: `embed@` and 6 digits of its spec's key."""
    return computed("embedded", key(dict(spec))[:6])


def learned(
    taught_codes: pd.DataFrame,
    codebook: Codebook,
    variables: Sequence[str],
    *,
    units: Sequence[str],
    vectors: Floats,
) -> dict[str, Classifier]:
    """A classifier for each of `variables`; `vectors` has a row for each of `units`."""
    places = {unit: place for place, unit in enumerate(units)}
    found = {}
    for name in variables:
        variable = codebook.variable(name)
        own = taught_codes[taught_codes["variable"] == name]
        rows = vectors[[places[unit] for unit in own["unit"]]]
        holds = holds_of(list(own["value"]), variable.codes)
        none = variable.codes.index(variable.none) if variable.none else -1
        found[name] = fit(rows, holds, multiple=variable.multiple, none=none)
    return found


def answers(
    posts: pd.DataFrame,
    vectors: Floats,
    codebook: Codebook,
    classifiers: Mapping[str, Classifier],
    *,
    coder: str,
    created: str,
    trained_on: Iterable[str] = (),
) -> pd.DataFrame:
    """Completions for `posts` (columns unit and text), whose `vectors` stand in the same order.

    A variable without a classifier is null, as is one that does not apply by the codes given
    before it; the list of segments is empty. `trained_on` are the texts that it learned from: a
    post of the same words gets no answer but the error `taught`, so that no figure can ever come
    from it.
    """
    fingerprint = codebook.fingerprint
    known = {same_words(text) for text in trained_on}
    holds = {name: classify(vectors) for name, classify in classifiers.items() if len(posts)}
    rows = []
    for place, (unit, text) in enumerate(zip(posts["unit"], posts["text"], strict=True)):
        row: dict[str, Any] = {
            "completion": key(
                {
                    "coder": coder,
                    "codebook": fingerprint,
                    "messages": {"unit": unit, "text": text},
                    "replicate": 1,
                }
            ),
            "codebook": fingerprint,
            "coder": coder,
            "unit": unit,
            "replicate": 1,
            "created": created,
        }
        if same_words(text) in known:
            row |= {"error": TAUGHT, "detail": "this coder learned from these very words"}
        else:
            given = {name: found[place] for name, found in holds.items()}
            row["answer"] = canonical(_answer(given, codebook))
        rows.append(row)
    return frame(COMPLETIONS, rows)


def _answer(given: Mapping[str, NDArray[np.bool_]], codebook: Codebook) -> dict[str, Any]:
    codes: Codes = {}
    variables: dict[str, str | list[str] | None] = {}
    for variable in codebook.of_unit:
        name = variable.variable
        variables[name] = None
        if name in given and variable.applies(codes):
            chosen = _chosen(given[name], variable)
            codes[name] = chosen
            variables[name] = list(chosen) if variable.multiple else chosen[0]
    answer: dict[str, Any] = {"rationale": "", "variables": variables}
    return answer | ({"segments": []} if codebook.segments is not None else {})


def _chosen(holds: Bools, variable: Variable) -> tuple[str, ...]:
    return tuple(code for code, held in zip(variable.codes, holds, strict=True) if held)


def _shape(variable: Variable) -> list[object]:
    """What of a variable decides how it is learned and answered."""
    return [list(variable.codes), variable.multiple, variable.none, variable.applies_when]
