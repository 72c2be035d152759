"""`labeler agreement FILE`, run as a person runs it. Codings are made up, or published."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from places import CASES_FILE
from running import Labeler

CASES = {case["id"]: case for case in json.loads(CASES_FILE.read_text(encoding="utf-8"))}
ESTIMATE = {"value", "low", "high", "se", "method", "note"}
SEEN = {"krippendorff2011_C": "ordinal", "gwet_cont3x3abstractors": "ordinal"}


@pytest.fixture
def labeler(tmp_path: Path) -> Labeler:
    """The program in an empty folder: there is no project."""
    return Labeler(tmp_path)


def put(labeler: Labeler, text: str, name: str = "t.csv") -> Path:
    path = labeler.root / name
    path.write_text(text, "utf-8")
    return path


def published(labeler: Labeler, name: str) -> Path:
    """A published matrix as a wide table, with a column that names the units."""
    case = CASES[name]
    path = labeler.root / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["unit", *(f"c{number}" for number in range(len(case["codings"])))])
        gap = "+" if case["level"] == "masi" else ""
        for number, row in enumerate(zip(*case["codings"], strict=True)):
            writer.writerow([f"u{number}", *("" if v is None else v or gap for v in row)])
    return path


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("krippendorff2011_C", "ratio"),
        ("hayes_krippendorff2007", "ordinal"),
        ("gwet_raw_g1g2", "nominal"),
        ("gwet_cont3x3abstractors", "ordinal"),
        ("sets_9x2_jaccard_masi", "masi"),
        ("edge_single_category", "nominal"),
    ],
)
def test_published_tables_give_their_figures(labeler: Labeler, name: str, level: str) -> None:
    """Each published coefficient comes back under its name; what is undefined is null, in words."""
    case = CASES[name]
    words = ["agreement", published(labeler, name), "--level", level, "--json"]
    if level != "masi":
        words += ["--domain", ",".join(case["domain"])]
    found = labeler(*words).json["coefficients"]
    compared = 0
    for wanted, figures in case["expected"].items():
        if wanted in found:
            assert set(found[wanted]) == ESTIMATE
            if figures["value"] is None:
                assert found[wanted]["value"] is None
                assert found[wanted]["note"]
            else:
                close = pytest.approx(figures["value"], abs=figures.get("tol", case["tolerance"]))
                assert found[wanted]["value"] == close
            compared += 1
    assert compared


def test_the_form_of_the_json(labeler: Labeler) -> None:
    """Counts, level, coefficients and codes, and nothing else; the codes are in their order."""
    found = labeler(
        "agreement", published(labeler, "krippendorff2011_C"), "--level", "nominal", "--json"
    ).json
    assert list(found) == [
        "n_units",
        "n_coders",
        "n_pairable",
        "level",
        "coefficients",
        "per_code",
    ]
    counts = (found["n_units"], found["n_coders"], found["n_pairable"], found["level"])
    assert counts == (12, 4, 40, "nominal")
    assert list(found["per_code"]) == ["1", "2", "3", "4", "5"]
    assert all(set(one) == ESTIMATE for own in found["per_code"].values() for one in own.values())


def test_wide_long_and_every_format_are_one_table(labeler: Labeler) -> None:
    """The same codings as CSV, long CSV, Parquet and workbook: the same answer."""
    wide = pd.DataFrame(
        {"post": ["p1", "p2", "p3", "p4"], "ada": [1, 10, None, 2], "ben": ["1", "10", "2", "1"]}
    )
    long = wide.melt("post", var_name="who", value_name="code")
    wide.to_csv(labeler.root / "wide.csv", index=False)
    wide.to_parquet(labeler.root / "wide.parquet")
    wide.to_excel(labeler.root / "wide.xlsx", index=False)
    long.to_csv(labeler.root / "long.csv", index=False)
    options = ["--level", "interval", "--json"]
    names = {"wide.csv": ["--unit", "post"], "wide.parquet": [], "wide.xlsx": []}
    names["long.csv"] = ["--unit", "post", "--coder", "who", "--value", "code"]
    answers = [
        labeler("agreement", labeler.root / name, *options, *more).json
        for name, more in names.items()
    ]
    assert all(answer == answers[0] for answer in answers)
    assert (answers[0]["n_units"], answers[0]["n_pairable"]) == (4, 6)


def test_ten_lines_for_people(labeler: Labeler) -> None:
    """Who coded what, the coefficients of the level with intervals, and each code's alpha."""
    path = published(labeler, "gwet_cont3x3abstractors")
    told = labeler("agreement", path, "--level", "nominal")
    lines = told.out.splitlines()
    assert len(lines) <= 10
    assert "100 units, 2 coders (c0, c1), 200 pairable codings, nominal" in lines[0]
    assert any("cohen_kappa" in line and "0.796" in line for line in lines)
    assert "each code against the rest, alpha: 1 1.00, 2 0.71, 3 0.77" in lines[-1]
    assert told.err == ""


def test_numbers_that_were_only_seen_are_no_codes(labeler: Labeler) -> None:
    """At interval level there is agreement by code only where the codes are declared."""
    path = put(labeler, "ada,ben\n1.5,1.5\n2,2.25\n3,3\n")
    words = ("agreement", path, "--level", "interval", "--json")
    assert labeler(*words).json["per_code"] == {}
    declared = labeler(*words, "--domain", "1.50,2,2.25,3").json["per_code"]
    assert list(declared) == ["1.5", "2", "2.25", "3"]


def test_agreement_of_one_code_by_hand(labeler: Labeler) -> None:
    """Code `a` against the rest: 3 of 4 units agree; positive agreement is 2·1/(2·1+1)."""
    path = put(labeler, "ada,ben\na,a\na,b\nb,b\nc,b\n")
    own = labeler("agreement", path, "--level", "nominal", "--json").json["per_code"]["a"]
    assert own["percent_agreement.units"]["value"] == pytest.approx(0.75)
    assert own["positive_agreement"]["value"] == pytest.approx(2 / 3)


def test_sets_by_code(labeler: Labeler) -> None:
    """A code of a set is given where the set holds it; `+` is the set without a code."""
    path = put(labeler, "ada,ben\na+b,b+a\n+,a\nb,b\na,+\n")
    found = labeler("agreement", path, "--level", "masi", "--json").json
    assert found["n_pairable"] == 8
    percent = {
        code: own["percent_agreement.units"]["value"] for code, own in found["per_code"].items()
    }
    assert percent == {"a": pytest.approx(0.5), "b": pytest.approx(1.0)}


def test_texts_that_look_like_gaps_are_told(labeler: Labeler) -> None:
    """NA is a code unless it is said to be a gap, or declared: nothing is guessed silently."""
    path = put(labeler, "ada,ben\na,a\nNA,b\nb,b\n")
    words = ("agreement", path, "--level", "nominal", "--json")
    told = labeler(*words)
    assert "'NA' counts as a code (1 times)" in told.err
    assert list(told.json["per_code"]) == ["NA", "a", "b"]
    told = labeler(*words, "--missing", "NA")
    assert (list(told.json["per_code"]), told.json["n_pairable"], told.err) == (["a", "b"], 4, "")
    assert labeler(*words, "--domain", "a,b,NA").err == ""


def test_the_table_behind_the_coefficients(labeler: Labeler) -> None:
    """It is written as it was understood, and gives the same coefficients when read again."""
    path = put(labeler, "id,ada,ben\np1,1.0,1\np2,,2\np3,2,1\n")
    out = labeler.root / "behind.csv"
    words = ("--level", "nominal", "--json")
    first = labeler("agreement", path, *words, "--table", out)
    assert out.read_text("utf-8") == "unit,ada,ben\np1,1,1\np2,,2\np3,2,1\n"
    assert labeler("agreement", out, *words).json == first.json


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("ada,ben\na,b\n", ("--level", "ordinal"), "--domain a,b in your order"),
        ("ada,ben\na,b\na,c\n", ("--level", "nominal", "--domain", "a,b"), "line 3, column 'ben'"),
        ("ada,ben\n1,2\n1,x\n", ("--level", "ratio"), "line 3, column 'ben': 'x' is no number"),
        ("id,ada\n1,a\n1,a\n", ("--level", "nominal"), "line 3: unit '1' stands already on line 2"),
        ("ada,ben\n,\n", ("--level", "nominal"), "no cell holds a coding"),
        ("ada,ben\n", ("--level", "nominal"), "holds no row"),
        ("ada\na\n", ("--level", "nominal", "--unit", "x"), "no column is called 'x'; there are"),
    ],
)
def test_refusals_say_where_and_what_to_do(
    labeler: Labeler, content: str, options: tuple[str, ...], words: str
) -> None:
    """Exit code 1, one error, no traceback, nothing on stdout."""
    told = labeler("agreement", put(labeler, content), *options, code=1)
    assert words in told.err
    assert told.out == ""


def test_options_that_do_not_go_together(labeler: Labeler) -> None:
    """A level is due, and a long table needs both its coder and its value."""
    path = put(labeler, "ada,ben\na,b\n")
    assert "--level" in labeler("agreement", path, code=2).err
    told = labeler("agreement", path, "--level", "nominal", "--coder", "ada", code=2)
    assert "--unit, --coder and --value" in told.err


def test_it_waits_for_no_library_that_it_does_not_need() -> None:
    """No client of a model or of Label Studio, no web server, no database driver, no plots."""
    slow = {"openai", "label_studio_sdk", "flask", "pydantic", "altair", "scipy.stats", "sqlite3"}
    look = f"import sys, labeler.commands.agreement as _; print(sorted({slow} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_pairs_of_coders(labeler: Labeler) -> None:
    """Each pair on the units that both coded, beside all coders together."""
    path = put(labeler, "ada,ben,cy\na,a,b\nb,b,a\na,b,\nb,b,b\n")
    found: Any = labeler("agreement", path, "--level", "nominal", "--pairs", "--json").json["pairs"]
    assert [(one["first"], one["second"], one["n_units"]) for one in found] == [
        ("ada", "ben", 4),
        ("ada", "cy", 3),
        ("ben", "cy", 3),
    ]
    percent = [one["coefficients"]["percent_agreement"]["value"] for one in found]
    assert percent == pytest.approx([3 / 4, 1 / 3, 1 / 3])


def test_other_intervals_of_alpha(labeler: Labeler) -> None:
    """KALPHA's interval of 2007 as Hayes & Krippendorff printed it, .7078 to .8078; BCa differs
    from the default; the point is the same by every method."""
    path = published(labeler, "hayes_krippendorff2007")
    name = "krippendorff_alpha.ordinal"
    words = ("agreement", path, "--level", "ordinal", "--json", "--interval")
    found = {
        method: labeler(*words, method).json["coefficients"][name]
        for method in ("jackknife", "bca", "kalpha-2007")
    }
    assert {one["value"] for one in found.values()} == {found["bca"]["value"]}
    kalpha = found["kalpha-2007"]
    assert (kalpha["low"], kalpha["high"]) == pytest.approx((0.7078, 0.8078), abs=0.003)
    assert kalpha["se"] is None
    assert found["bca"]["low"] != found["jackknife"]["low"]
    assert "BCa" in found["bca"]["method"]


def test_agreement_of_models_is_called_consistency(labeler: Labeler) -> None:
    """Models alone: over the table and in the JSON; among people: the pair, and a warning."""
    rows = "\nu1,a,a,a\nu2,b,b,a\nu3,a,b,a\nu4,b,b,b\n"
    words = ("--level", "nominal", "--pairs")
    path = put(labeler, "unit,gpt-4o,llama-3,claude-3" + rows)
    shown = labeler("agreement", path, *words).out
    heading = "Consistency between models (says nothing about whether either is right)"
    assert shown.splitlines()[0] == heading
    assert labeler("agreement", path, *words, "--json").json["meaning"] == heading
    path = put(labeler, "unit,ada,gpt-4o,claude-3" + rows)
    told = labeler("agreement", path, *words)
    assert told.out.splitlines()[0] != heading
    assert "gpt-4o, claude-3 [models]" in told.out
    assert "ada, gpt-4o [models]" not in told.out
    assert told.out.splitlines()[-1] == f"[models] {heading}"
    assert "gpt-4o, claude-3: called like a model" in told.err
    path = put(labeler, "unit,ada,ben,cy" + rows)
    told = labeler("agreement", path, *words)
    assert "models" not in told.out + told.err
    assert "meaning" not in labeler("agreement", path, *words, "--json").json
