"""How fast agreement is computed, beside krippendorff, irrCAC, nltk, simpledorff and statsmodels.

    python benchmarks/agreement.py [--full]

Prints ratios measured side by side in one run, on made-up codings (12 codes, 10% not coded): the
nominal alpha alone, alpha with jackknife and 1,000 resamples, 40 binary codes with intervals, and
how cost and memory grow with units and with distinct patterns, thousands of different numbers, and
a file of a million rows. A library that is not installed
is said to be absent; irrCAC and simpledorff are no dependency of this project and belong into an
environment of their own, with `pip install --no-deps irrCAC`. The time of a loop over a library
is that of one call times the calls. --full runs nltk and simpledorff at a million units, too
(minutes and gigabytes). Times are the best of several calls; on a busy machine that favours short
calls, and threads of BLAS wait for each other: the load is printed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import krippendorff
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeler.statistics.agreement.alpha import alpha
from labeler.statistics.agreement.coefficients import coefficients
from labeler.statistics.agreement.column_patterns import ColumnPatterns, column_patterns
from labeler.statistics.agreement.intervals import bootstrap, jackknife

SIZES = [(2, 1_000), (3, 10_000), (5, 100_000), (5, 1_000_000)]
CODES = [f"code{number:02}" for number in range(12)]
LEVEL = "nominal"
RESAMPLES = 1000
SECONDS = 1.0  # a measurement is repeated for so long, and at most so often:
REPEATS = 30
SLOW = ("nltk", "simpledorff")
GOALS = {"alpha": 20, "interval": 300, "forty": 0.5}

# A process of its own starts the command: the peak of a child begins at that of its parent.
MEASURED = """
import json, resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""

Columns = NDArray[np.int8]
Way = Callable[[Any], float]


class Library(NamedTuple):
    """How a library is fed (not measured) and asked; its alpha, or another number where `other`."""

    feed: Callable[[Columns], Any]
    ask: Way
    other: str = ""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="the slow libraries at 5x1M, too")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # those of the other libraries
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores; times are the best of a second")
    points(libraries(), full=options.full)
    intervals()
    forty()
    growth()
    memory()
    many_values()
    million_rows()


def made(coders: int, units: int, *, codes: int = 12, seed: int = 1) -> Columns:
    """Codings: each coder gives the unit's code, one in five times any; one in ten is missing."""
    chance = np.random.default_rng(seed)
    guesses = chance.integers(0, codes, (coders, units))
    right = chance.random((coders, units)) < 0.8
    columns = np.where(right, chance.integers(0, codes, units), guesses).astype(np.int8)
    columns[chance.random((coders, units)) < 0.1] = -1
    return columns


def seconds(run: Callable[[], Any]) -> float:
    """The best time of a call."""
    best, spent = np.inf, 0.0
    for _ in range(REPEATS):
        began = time.perf_counter()
        run()
        took = time.perf_counter() - began
        best, spent = min(best, took), spent + took
        if spent > SECONDS:
            break
    return float(best)


def ours(columns: Columns) -> float:
    """The core's nominal alpha of columns."""
    panel = column_patterns(columns, len(CODES))
    return alpha(panel.counts, level=LEVEL, domain=CODES, times=panel.times).value


def numbers(columns: Columns) -> NDArray[np.float64]:
    """What krippendorff takes."""
    return np.where(columns < 0, np.nan, columns.astype(float))


def theirs(data: NDArray[np.float64]) -> float:
    """krippendorff's nominal alpha."""
    return float(krippendorff.alpha(data, level_of_measurement=LEVEL))


def long(columns: Columns) -> list[tuple[str, str, str]]:
    """A coding a row: coder, unit, code."""
    coders, units = np.nonzero(columns >= 0)
    values = columns[coders, units]
    return [
        (str(c), str(u), CODES[v])
        for c, u, v in zip(coders.tolist(), units.tolist(), values.tolist(), strict=True)
    ]


def libraries() -> dict[str, Library]:
    """Those that are installed; says which are not."""
    found = {"krippendorff": Library(numbers, theirs)}
    makers = {
        "irrCAC": ("irrCAC.raw", irrcac),
        "nltk": ("nltk.metrics.agreement", nltk),
        "simpledorff": ("simpledorff", simpledorff),
        "statsmodels": ("statsmodels.stats.inter_rater", statsmodels),
    }
    for name, (module, make) in makers.items():
        try:
            found[name] = make(importlib.import_module(module))
        except ImportError:
            print(f"{name}: absent, not measured")
    return found


def irrcac(module: Any) -> Library:
    """irrCAC on a frame, a row a unit; it rounds to five digits."""

    def feed(columns: Columns) -> pd.DataFrame:
        return pd.DataFrame(numbers(columns + np.int8(columns >= 0)).T)

    return Library(feed, lambda data: module.CAC(data).krippendorff()["est"]["coefficient_value"])


def nltk(module: Any) -> Library:
    """nltk on a list of codings."""
    return Library(long, lambda data: module.AnnotationTask(data).alpha())


def simpledorff(module: Any) -> Library:
    """simpledorff on a frame, a row a coding."""
    names = {"experiment_col": "unit", "annotator_col": "coder", "class_col": "value"}
    return Library(
        lambda columns: pd.DataFrame(long(columns), columns=["coder", "unit", "value"]),
        lambda data: module.calculate_krippendorffs_alpha_for_df(data, **names),
    )


def statsmodels(module: Any) -> Library:
    """statsmodels knows no missing coding: Fleiss' kappa of the units that all coded."""
    return Library(
        lambda columns: columns[:, (columns >= 0).all(axis=0)].T,
        lambda data: module.fleiss_kappa(module.aggregate_raters(data)[0]),
        other="Fleiss' kappa of complete units",
    )


def points(others: dict[str, Library], *, full: bool) -> None:
    """The nominal alpha alone, at each size."""
    print(f"\nalpha alone; goal: {GOALS['alpha']} times as fast as krippendorff from 3x10k on")
    for coders, units in SIZES:
        columns = made(coders, units)
        value, own = ours(columns), seconds(lambda columns=columns: ours(columns))
        print(f"  {coders}x{units}: labeler {own:.6f} s")
        for name, library in others.items():
            if units > 100_000 and name in SLOW and not full:
                continue
            data = library.feed(columns)
            apart = abs(library.ask(data) - value)
            took = seconds(lambda data=data, ask=library.ask: ask(data))
            said = library.other or f"differs by {apart:.0e}"
            print(f"    {name:<13} {took:10.5f} s {took / own:10.0f}x   {said}")


def with_interval(columns: Columns, domain: list[str], level: Any = LEVEL) -> None:
    """Alpha, jackknife and 1,000 resamples from columns."""
    panel = column_patterns(columns, len(domain))
    jackknife(panel.counts, level=level, domain=domain, times=panel.times)
    resample(panel, domain, level)


def resample(panel: ColumnPatterns, domain: list[str], level: Any = LEVEL) -> None:
    """1,000 resamples of a panel."""
    bootstrap(
        panel.counts, level=level, domain=domain, times=panel.times, resamples=RESAMPLES, seed=1
    )


def intervals() -> None:
    """Alpha with jackknife and resamples at 3x10k, beside a loop over krippendorff."""
    columns = made(3, 10_000)
    own = seconds(lambda: with_interval(columns, CODES))
    once = seconds(lambda: theirs(numbers(columns)))
    units = columns.shape[1]
    print(f"\nalpha with jackknife and {RESAMPLES} resamples at 3x10k; goal {GOALS['interval']}x")
    print(f"  labeler {own:.3f} s; krippendorff {once:.4f} s a call")
    print(f"  a loop that deletes and resamples: {(units + RESAMPLES) * once / own:.0f}x")
    print(f"  a loop that resamples only:        {RESAMPLES * once / own:.0f}x")


def forty() -> None:
    """40 binary codes with intervals on 3x10k."""
    codes = [made(3, 10_000, codes=2, seed=seed) for seed in range(40)]
    domain = ["no", "yes"]

    def everything() -> None:
        for columns in codes:
            with_interval(columns, domain)

    def all_coefficients() -> None:
        for columns in codes:
            coefficients(columns, domain=domain, level=LEVEL)

    print(f"\n40 binary codes on 3x10k; goal under {GOALS['forty']} s")
    print(f"  alpha with jackknife and {RESAMPLES} resamples: {seconds(everything):.3f} s")
    print(f"  every coefficient with its interval:   {seconds(all_coefficients):.3f} s")


def growth() -> None:
    """What 1,000 resamples cost as units grow and patterns repeat."""
    print(f"\n{RESAMPLES} resamples as units grow (3 coders, 4 codes: all patterns soon seen)")
    first = 0.0
    for units in (10_000, 100_000, 1_000_000, 10_000_000):
        panel = column_patterns(made(3, units, codes=4), 4)
        took = seconds(lambda panel=panel: resample(panel, CODES[:4]))
        first = first or took
        shown = f"{took:.4f} s, {took / first:.2f} of the first"
        print(f"  {units:>10} units, {panel.times.size:>4} distinct columns: {shown}")


def memory() -> None:
    """Peak memory of alpha, jackknife and resamples from a panel, by its distinct columns."""
    print("\npeak memory of alpha with intervals (12 codes), by distinct columns")
    for coders, units in ((3, 10_000), (5, 10_000), (5, 100_000), (5, 1_000_000)):
        panel = column_patterns(made(coders, units), len(CODES))
        tracemalloc.start()
        jackknife(panel.counts, level=LEVEL, domain=CODES, times=panel.times)
        single = tracemalloc.get_traced_memory()[1]
        resample(panel, CODES)
        both = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        rows = panel.times.size
        print(
            f"  {coders}x{units}: {rows} columns, jackknife {single / 1e6:.1f} MB "
            f"({single / rows:.0f} bytes a column), with resamples {both / 1e6:.0f} MB"
        )


def many_values() -> None:
    """Every coefficient of 3,267 different numbers at interval level, by two coders."""
    chance = np.random.default_rng(1)
    values, units = 3_267, 3_000
    truth = chance.integers(0, values, units)
    near = np.clip(truth + chance.integers(-9, 10, units), 0, values - 1)
    columns = np.stack([truth, near])
    domain = [str(number) for number in range(values)]
    began = time.perf_counter()
    found = coefficients(columns, domain=domain, level="interval")
    took = time.perf_counter() - began
    alpha_of_numbers = found["krippendorff_alpha.interval"].value
    print(f"\n{values} different numbers of {units} units, interval; goal about 1 s (was 200 s)")
    print(f"  all coefficients {took:.2f} s, alpha {alpha_of_numbers:.3f}")


def million_rows() -> None:
    """`labeler agreement` on a million rows: wide, of three coders, and long, a row a coding."""
    codes = made(3, 1_000_000, codes=4)
    with tempfile.TemporaryDirectory() as folder:
        wide, long = (Path(folder) / f"{name}.csv" for name in ("wide", "long"))
        frame = pd.DataFrame(codes.T, columns=["ada", "ben", "cyn"])
        frame.where(frame >= 0).astype("Int8").to_csv(wide, index_label="unit")
        frame = pd.DataFrame({"unit": np.repeat(np.arange(500_000), 2)})
        frame["coder"] = np.tile(["ada", "ben"], 500_000)
        frame["value"] = np.array([*CODES[:4], ""])[codes[:2, :500_000].T.ravel()]
        frame.to_csv(long, index=False)
        print("\na million rows, the whole command; goal 8 s and 400 MB (was 41 s, 889 MB)")
        for path, columns in ((wide, ()), (long, ("unit", "coder", "value"))):
            words = [f"--{name}={name}" for name in columns]
            command = ["-m", "labeler", "agreement", str(path), "--level", "nominal", *words]
            took, peak = json.loads(
                subprocess.run(
                    [sys.executable, "-c", MEASURED, sys.executable, *command],
                    check=True,
                    capture_output=True,
                    text=True,
                ).stdout
            )
            print(f"  {path.stem}: {took:.1f} s of CPU, at most {peak / 1024:.0f} MB")


if __name__ == "__main__":
    main()
