"""Published codings through `labeler agreement`: ConvAbuse, as its authors released it.

    python benchmarks/convabuse.py labels.csv

`labels.csv` is the table of ConvAbuse (Cercas Curry, Abercrombie & Rieser, EMNLP 2021; repository
amandacurry/convabuse, CC-BY-4.0), a row a coder and a unit: `item` names the unit, `annotator_id`
the coder, the columns `is_abuse.1` to `is_abuse.-3` hold a 1 for the severity that was given, and
`seq` counts a coder's further codings of the same unit. It is no part of this project: give its
path; without one the benchmark says so and ends.

The table becomes long, goes through the command as a file, and what comes back is compared with
what was measured independently: alpha of the first codings at three levels, and Cohen's kappa of
each coder with themselves. Exit code 1 where a figure differs in the third decimal.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

SEVERITY = ["-3", "-2", "-1", "0", "1"]  # from the most severe abuse to none
TOLERANCE = 0.0005
MEASURED = {
    "krippendorff_alpha.ordinal": 0.660,
    "krippendorff_alpha.nominal": 0.437,
    "krippendorff_alpha.interval": 0.734,
    "cohen_kappa": 0.803,
}


def main() -> int:
    """Print a line a figure; 1 where one differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labels", nargs="?", type=Path, help="the table of ConvAbuse")
    path = parser.parse_args().labels
    if path is None:
        print("convabuse: give the path of its labels.csv to compare with what was measured")
        return 0
    codings = severity(pd.read_csv(path, dtype={"item": str, "annotator_id": str}))
    found = {
        f"krippendorff_alpha.{level}": agreement(first(codings), level)
        for level in ("ordinal", "nominal", "interval")
    }
    found["cohen_kappa"] = agreement(with_themselves(codings), "nominal")
    good = True
    print(f"{'coefficient':<30}{'measured':>9}{'here':>8}  95% interval")
    for name, wanted in MEASURED.items():
        one = found[name]["coefficients"][name]
        same = abs(one["value"] - wanted) <= TOLERANCE
        good &= same
        spread = f"{one['low']:.3f} to {one['high']:.3f}"
        print(
            f"{name:<30}{wanted:>9.3f}{one['value']:>8.3f}  {spread}{'' if same else '  DIFFERS'}"
        )
    return 0 if good else 1


def severity(labels: pd.DataFrame) -> pd.DataFrame:
    """The one-hot columns as one value: a row a coding, with unit, coder, seq and value."""
    columns = [f"is_abuse.{code}" for code in SEVERITY]
    if not (labels[columns].sum(axis=1) == 1).all():
        raise SystemExit("convabuse: a row has not exactly one severity: is it the table named?")
    value = labels[columns].idxmax(axis=1).str.removeprefix("is_abuse.")
    return pd.DataFrame(
        {
            "unit": labels["item"],
            "coder": labels["annotator_id"],
            "seq": labels["seq"],
            "value": value,
        }
    )


def first(codings: pd.DataFrame) -> pd.DataFrame:
    """What each coder gave a unit the first time."""
    return codings.loc[codings["seq"] == 0, ["unit", "coder", "value"]]


def with_themselves(codings: pd.DataFrame) -> pd.DataFrame:
    """Each coder against the same coder: a unit is a coder's unit, its coders are the two times."""
    pair = codings[codings["seq"].isin([0, 1])]
    again = pair[pair.duplicated(["unit", "coder"], keep=False)]
    return pd.DataFrame(
        {
            "unit": again["coder"] + " " + again["unit"],
            "coder": again["seq"].map({0: "first", 1: "second"}),
            "value": again["value"],
        }
    )


def agreement(codings: pd.DataFrame, level: str) -> Any:
    """What `labeler agreement` says of the codings, written to a file and read from there."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.csv"
        codings.to_csv(path, index=False)
        words = ["agreement", path, "--level", level, "--domain", ",".join(SEVERITY), "--json"]
        words += ["--unit", "unit", "--coder", "coder", "--value", "value"]
        done = subprocess.run(
            [sys.executable, "-m", "labeler", *map(str, words)], capture_output=True, text=True
        )
    if done.returncode:
        raise SystemExit(f"convabuse: labeler agreement: {done.stderr}")
    return json.loads(done.stdout)


if __name__ == "__main__":
    raise SystemExit(main())
