"""What hurt the users of other programs, each as a test that names where it was told.

All codings are made up. What is listed here touches tables of codings; what models, servers and
Label Studio did to people is tested beside the parts that talk to them, under the same references:
quallmer #125-#185 in test_prelabel, Potato #118 and #139 in test_wheel, #155-157 in test_designs,
#161 in web/test_pages.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from running import Labeler, sample_posts

from labeler.store import tables

NOT_UTF_8 = {
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "LC_ALL": "C",
    "PYTHONIOENCODING": "cp1252",
}


@pytest.fixture
def labeler(tmp_path: Path) -> Labeler:
    """The program in an empty folder."""
    return Labeler(tmp_path)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Labeler:
    """A project with six posts that the cues have coded."""
    labeler = Labeler(tmp_path_factory.mktemp("study"))
    labeler("init")
    labeler("ingest", sample_posts(labeler.root / "posts.jsonl", 6))
    labeler("prelabel", "--coder", "cues")
    return labeler


def agreement(labeler: Labeler, text: str, *options: str) -> Any:
    """What `labeler agreement` says of a table, as JSON."""
    path = labeler.root / "codings.csv"
    path.write_text(text, "utf-8")
    return labeler("agreement", path, "--json", *options).json


def refusal(labeler: Labeler, text: str, *options: str) -> str:
    path = labeler.root / "codings.csv"
    path.write_text(text, "utf-8")
    return labeler("agreement", path, "--json", *options, code=1).err


def alpha(found: Any, level: str) -> float:
    value = found["coefficients"][f"krippendorff_alpha.{level}"]["value"]
    assert isinstance(value, float)
    return value


# --- quallmer ------------------------------------------------------------------------------------


def test_ordered_words_are_never_ranked_by_the_alphabet(labeler: Labeler) -> None:
    """quallmer #165: high < low < medium. An order is asked for, and then it is the one used."""
    text = "ada,ben\nlow,low\nmedium,low\nhigh,medium\nhigh,high\nlow,medium\n"
    assert "--domain" in refusal(labeler, text, "--level", "ordinal")
    words = agreement(labeler, text, "--level", "ordinal", "--domain", "low,medium,high")
    for word, rank in (("low", "1"), ("medium", "2"), ("high", "3")):
        text = text.replace(word, rank)
    ranks = agreement(labeler, text, "--level", "ordinal")
    assert alpha(words, "ordinal") == alpha(ranks, "ordinal")
    wrong = agreement(labeler, text, "--level", "ordinal", "--domain", "3,1,2")
    assert alpha(wrong, "ordinal") != alpha(ranks, "ordinal")


def test_ten_comes_after_two(labeler: Labeler) -> None:
    """quallmer #150: in a column of texts "10" stood before "2". Numbers are ordered by size."""
    text = "ada,ben\n2,2\n10,9\n9,10\n2,9\n10,10\n"
    seen = agreement(labeler, text, "--level", "ordinal")
    assert list(seen["per_code"]) == ["2", "9", "10"]
    told = agreement(labeler, text, "--level", "ordinal", "--domain", "2,9,10")
    assert alpha(seen, "ordinal") == alpha(told, "ordinal")


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
def test_text_and_number_cannot_differ(labeler: Labeler, level: str) -> None:
    """quallmer #150: a gap made ada's integers 10.0; they are the tens that ben has as text."""
    floats = agreement(labeler, "ada,ben\n10.0,10\n2.0,2\n,2\n10.0,2\n", "--level", level)
    texts = agreement(labeler, "ada,ben\n10,10\n2,2\n,2\n10,2\n", "--level", level)
    assert floats == texts


def test_no_tolerance_decides_by_the_last_bit(labeler: Labeler) -> None:
    """quallmer #121: 1.1 - 1.0 and 1.2 - 1.1 differ in binary. Equal is equal as written, and
    distances are squared, so that tenths and whole numbers give one alpha."""
    tenths = "ada,ben\n1.1,1.0\n1.2,1.1\n1.3,1.20\n0.9,0.9\n"
    whole = "ada,ben\n11,10\n12,11\n13,12\n9,9\n"
    found = agreement(labeler, tenths, "--level", "interval")
    assert found["coefficients"]["percent_agreement"]["value"] == pytest.approx(1 / 4)
    other = agreement(labeler, whole, "--level", "interval")
    assert alpha(found, "interval") == pytest.approx(alpha(other, "interval"), abs=1e-12)


def test_repeated_ids_make_no_product(labeler: Labeler) -> None:
    """quallmer #156: each id twice in two tables gave four pairs. Repeats are refused, by line."""
    wide = "id,ada,ben\np1,a,a\np2,a,b\np1,b,b\n"
    told = refusal(labeler, wide, "--level", "nominal")
    assert "line 4: unit 'p1' stands already on line 2" in told
    long = "id,who,code\np1,ada,a\np1,ben,a\np1,ada,a\n"
    columns = ("--unit", "id", "--coder", "who", "--value", "code")
    told = refusal(labeler, long, "--level", "nominal", *columns)
    assert "line 4: coder 'ada', unit 'p1' stands already on line 2" in told


# --- Potato --------------------------------------------------------------------------------------


def test_one_choice_holds_one_value(study: Labeler) -> None:
    """Potato #167: a single choice stored several values. A file with two is refused, by line."""
    unit = study.rows(tables.POSTS)["posts"][0]["unit"]
    path = study.root / "two.csv"
    text = f"unit,coder,variable,value\n{unit},ada,relevance,relevant+unclear\n"
    path.write_text(text, "utf-8")
    told = study("codings", "import", path, "--arm", "blind", code=1).err
    assert "line 2: relevance: takes one code, got 2" in told


def test_any_script_under_any_locale(labeler: Labeler) -> None:
    """Potato #112: on a machine whose encoding is not UTF-8, codes and names in any script."""
    program = (sys.executable, "-X", "warn_default_encoding", "-m", "labeler")
    elsewhere = Labeler(labeler.root, NOT_UTF_8, program)
    path = labeler.root / "κωδικοί.csv"
    path.write_text("zoë,本\nça,ça\n😀,ça\n", "utf-8")
    words = ("agreement", path, "--level", "nominal")
    assert list(elsewhere(*words, "--json").json["per_code"]) == ["ça", "😀"]
    assert "2 coders (zoë, 本)" in elsewhere(*words).out
    assert "there are: zoë, 本" in elsewhere(*words, "--unit", "x", code=1).err
    path.write_bytes("ada,ben\ncaf\u00e9,b\n".encode("cp1252"))
    assert "line 2: not UTF-8" in elsewhere(*words, code=1).err


# --- INCEpTION, WebAnno --------------------------------------------------------------------------


def test_agreement_of_all_coders_at_once(labeler: Labeler) -> None:
    """INCEpTION #4704: three coders are one panel, not three pairs. By hand: units aab, bbb, with
    Do = 2/6 and De = 2·2·4/(6·5): alpha = 1 - (1/3)/(16/30) = 0.375."""
    found = agreement(labeler, "ada,ben,cy\na,a,b\nb,b,b\n", "--level", "nominal", "--pairs")
    assert found["n_coders"] == 3
    assert alpha(found, "nominal") == pytest.approx(0.375)
    assert len(found["pairs"]) == 3


def test_a_model_is_a_coder_of_its_own(labeler: Labeler) -> None:
    """INCEpTION #4434: its column is compared like a person's, and left out of the people."""
    text = "ada,ben,model\na,a,b\nb,b,b\na,a,b\nb,b,a\n"
    people = agreement(labeler, text, "--level", "nominal", "--coders", "ada,ben")
    assert alpha(people, "nominal") == 1
    pairs = agreement(labeler, text, "--level", "nominal", "--pairs")["pairs"]
    against = [pair for pair in pairs if "model" in (pair["first"], pair["second"])]
    assert [pair["first"] for pair in against] == ["ada", "ben"]
    assert all(pair["coefficients"]["percent_agreement"]["value"] == 0.25 for pair in against)


def test_imported_codings_are_blind_only_where_somebody_says_so(study: Labeler) -> None:
    """webanno#1320: what was coded with suggestions in view is no evidence, also when it is old."""
    path = study.root / "old.csv"
    units = [post["unit"] for post in study.rows(tables.POSTS)["posts"]]
    rows = [f"{unit},{who},relevance,relevant\n" for unit in units for who in ("ada", "ben")]
    path.write_text("unit,coder,variable,value\n" + "".join(rows), "utf-8")
    assert "--arm" in study("codings", "import", path, code=2).err
    study("codings", "import", path, "--arm", "assisted", "--batch", "old")
    ruled = study("reliability", "--batch", "old", "--json").json
    people = [row for row in ruled["reliability"] if row["kind"] != "model-post"]
    assert {row["n_units"] for row in people if row["evidence"]} == {0}
    assert {row["verdict"] for row in ruled["verdicts"]} == {"undefined"}


def test_the_table_behind_a_coefficient_is_to_be_had(labeler: Labeler) -> None:
    """webanno#17: what was counted can be looked at, and counted again by another program."""
    path, out = labeler.root / "codings.csv", labeler.root / "counted.csv"
    path.write_text("id;ada;ben\np1;1.0;1\np2;;2\n", "utf-8")
    labeler("agreement", path, "--level", "nominal", "--table", out)
    assert out.read_text("utf-8") == "unit,ada,ben\np1,1,1\np2,,2\n"


# --- doccano, QualCoder --------------------------------------------------------------------------


def test_agreement_of_each_code_without_reformatting(labeler: Labeler) -> None:
    """doccano #1846, #114: a table as it was exported, and agreement code by code. By hand, code
    b: 4 of 4 pairs agree; code a: units aa, ac; positive agreement 2·1/(2·1+1)."""
    text = "id,user,label\n1,ada,a\n1,ben,a\n2,ada,b\n2,ben,b\n3,ada,a\n3,ben,c\n4,ada,b\n4,ben,b\n"
    columns = ("--unit", "id", "--coder", "user", "--value", "label")
    own = agreement(labeler, text, "--level", "nominal", *columns)["per_code"]
    assert list(own) == ["a", "b", "c"]
    assert own["b"]["krippendorff_alpha.nominal"]["value"] == 1
    assert own["a"]["positive_agreement"]["value"] == pytest.approx(2 / 3)
    assert all(estimate["low"] <= estimate["value"] for estimate in own["b"].values())


def test_a_coder_against_themselves(labeler: Labeler) -> None:
    """QualCoder #479: two passes of one coder are two columns of a table like any other."""
    text = "id,pass,code\n1,first,a\n1,second,a\n2,first,b\n2,second,a\n3,first,b\n3,second,b\n"
    columns = ("--unit", "id", "--coder", "pass", "--value", "code")
    found = agreement(labeler, text, "--level", "nominal", *columns)
    assert found["coefficients"]["percent_agreement"]["value"] == pytest.approx(2 / 3)
    assert found["coefficients"]["cohen_kappa"]["value"] == pytest.approx(0.4)
