"""The commands up to the batch, run as a person runs them. Every post and every key is made up."""

from __future__ import annotations

import csv
import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

import openai_server
import pytest
from running import DERIVED, ROOT, SAMPLE, Labeler, same, sample_posts

from labeler.project import RECIPE
from labeler.store import database, tables

OWN_STUDIO = {
    "LABELER_STUDIO_URL": "http://127.0.0.1:9",
    "LABEL_STUDIO_API_KEY": "made-up-token-0123456789",
}
NOT_A_WORD = "made-up-secret-6f1d2c"


def column(rows: list[dict[Any, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]


def studio_at(url: str) -> dict[str, str]:
    """Settings that take a server of any kind for a Label Studio."""
    return {"LABELER_STUDIO_URL": url}


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project on SQLite, to be copied."""
    root = tmp_path_factory.mktemp("begun") / "study"
    Labeler(root)("init")
    return root


@pytest.fixture
def fresh(begun: Path, tmp_path: Path) -> Labeler:
    """A new project on SQLite."""
    return Labeler(Path(shutil.copytree(begun, tmp_path / "study")))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Labeler:
    """A project with 30 posts, pre-labelled by cues, and a batch that is not pushed."""
    labeler = Labeler(tmp_path_factory.mktemp("drawn"), OWN_STUDIO)
    labeler("init")
    labeler("ingest", sample_posts(labeler.root / "made-up.jsonl", 30))
    labeler("prelabel", "--coder", "cues")
    for name in ("ada", "ben"):
        labeler("coders", "add", name, "--email", f"{name.title()}@Example.org")
    labeler("sample", "--batch", "first", "--coders", "ada,ben", "--blind", "6", "--assisted", "4")
    return labeler


def test_init_twice_leaves_what_is_there(tmp_path: Path) -> None:
    """A second init makes nothing and keeps a codebook that was edited in between."""
    labeler = Labeler(tmp_path / "deep" / "study")
    made = labeler("init", "--name", "recipe-difficulty")
    book = labeler.root / "codebook" / "recipe-difficulty.yaml"
    assert made.out.count("made ") == 3
    assert book.read_bytes() == (ROOT / "codebook" / book.name).read_bytes()
    book.write_text(book.read_text("utf-8") + "# edited\n", "utf-8")
    before = {path: path.read_bytes() for path in labeler.root.rglob("*") if path.is_file()}
    again = labeler("init", "--name", "recipe-difficulty")
    assert again.out == ""
    assert before == {path: path.read_bytes() for path in before}
    told = labeler("init", "--name", "no-such", code=1).err
    assert told.endswith("there are: llm-mental-health, recipe-difficulty\n")
    guess = labeler("init", "--name", "recipe-dificulty", code=1).err
    assert "(did you mean 'recipe-difficulty'?)" in guess
    (tmp_path / "file").touch()
    assert "cannot be made" in Labeler(tmp_path / "file" / "x")("init", code=1).err


def test_codebook_check_names_each_broken_rule(fresh: Labeler) -> None:
    """Good codebooks are said to hold; a broken one is told rule by rule on stderr, exit code 1."""
    there = (ROOT / "codebook").glob("*.yaml")
    good = sorted(path for path in there if not path.name.endswith(RECIPE))
    held = fresh("codebook", "check", *good).out.splitlines()
    assert [line.split(" holds, ")[0].rsplit("/", 1)[1] for line in held] == [
        "llm-mental-health.yaml: llm-mental-health 1.0",
        "recipe-difficulty.yaml: recipe-difficulty 1.0",
    ]
    text = (ROOT / "codebook" / "recipe-difficulty.yaml").read_text("utf-8")
    text = re.sub(r" +negated: \w+\n", "", text)  # these name the codes that are renamed here
    broken = fresh.root / "broken.yaml"
    broken.write_text(
        text.replace("code: very_easy", "code: Very easy!")
        .replace("label: Easy\n", 'label: "costs $5"\n')
        .replace("code: hard", "code: easy"),
        "utf-8",
    )
    told = fresh("codebook", "check", broken, code=1)
    assert told.out == ""
    lines = told.err.removeprefix("error: ").splitlines()
    assert all(line.startswith(f"{broken}: variables[0]") for line in lines)
    assert [line.split(": ")[1] for line in lines] == [
        "variables[0].values[0].code",
        "variables[0].values[1].label",
        "variables[0].values[2].code",
    ]
    broken.write_text(text.replace("level: ordinal", "levle: ordinal"), "utf-8")
    told = fresh("codebook", "check", broken, code=1)
    assert "variables[0].levle: unknown key" in told.err
    assert "variables[0].level: missing" in told.err
    assert "cannot be read" in fresh("codebook", "check", "no-such.yaml", code=1).err


def test_codebook_diff_counts_the_codings_it_touches(drawn: Labeler) -> None:
    """A changed definition touches the codings of its variable and of no other; cues touch none."""
    own = drawn.root / "codebook" / "llm-mental-health.yaml"
    after = drawn.root / "after.yaml"
    lines = own.read_text("utf-8").splitlines()
    place = next(n for n, line in enumerate(lines) if "variable: relevance" in line)
    place += next(n for n, line in enumerate(lines[place:]) if "question:" in line)
    lines[place] = lines[place].split("question:")[0] + "question: Is it one, made up?"
    after.write_text("\n".join(lines) + "\n", "utf-8")
    told = drawn("codebook", "diff", own, after, "--json").json
    codings = drawn.rows(tables.CODINGS)["codings"]
    relevance = column(codings, "variable").count("relevance")
    assert relevance == 30
    assert [change["path"] for change in told["changes"]] == ["variables[relevance].question"]
    assert told["codings"] == {"relevance": 30}
    assert "- " in drawn("codebook", "diff", own, after).out
    assert drawn("codebook", "diff", own, own).out == "the two say the same\n"
    after.unlink()


def test_ingest_reads_the_same_post_once(fresh: Labeler) -> None:
    """A Brandwatch table, plain and packed, gives each post once, however often it is read."""
    rows = [("Full Text", "Date", "Url")]
    rows += [
        (f"Made-up post {n}, with a comma", f"2025-03-0{n} 10:00:00", f"https://example.org/x/{n}")
        for n in range(1, 6)
    ]
    plain = fresh.root / "posts.csv"
    with plain.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    packed = fresh.root / "again.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    done = fresh("ingest", plain, packed, "--json").json
    assert [(row["read"], row["new"], row["rejected"]) for row in done] == [(5, 5, 0), (5, 0, 0)]
    before = fresh.rows(tables.POSTS)
    assert column(before["posts"], "created")[0].startswith("2025-03-0")
    assert {row["text"] for row in before["posts"]} == {row[0] for row in rows[1:]}
    assert fresh("ingest", plain, "--json").json[0]["new"] == 0
    same(before, fresh.rows(tables.POSTS))


def test_ingest_sets_bad_lines_aside(fresh: Labeler) -> None:
    """A bad line is kept with line and reason, the rest goes on; a cut file keeps what came."""
    posts = sample_posts(fresh.root / "posts.jsonl", 4)
    good = posts.read_text("utf-8").splitlines()
    posts.write_text("\n".join([good[0], '{"text": broken', good[1], '{"text": ""}', ""]), "utf-8")
    done = fresh("ingest", posts)
    aside = fresh.root / "exports" / "rejected" / "posts.jsonl.jsonl"
    kept = [json.loads(line) for line in aside.read_text("utf-8").splitlines()]
    assert [(row["line"], row["raw"]) for row in kept] == [
        (2, '{"text": broken'),
        (4, '{"text": ""}'),
    ]
    assert "broken JSON" in kept[0]["reason"]
    assert "2 set aside" in done.err
    cut = fresh.root / "cut.jsonl.gz"
    packed = gzip.compress(SAMPLE.read_bytes(), compresslevel=0)
    cut.write_bytes(packed[: len(packed) // 2])
    told = fresh("ingest", cut, code=1)
    assert told.err.splitlines()[-1].startswith(f"error: {cut}: broken or cut short")
    assert 50 < len(fresh.rows(tables.POSTS)["posts"]) < 240


def test_ingest_names_a_missing_file(fresh: Labeler) -> None:
    """A file that is not there, an unknown ending and an unknown column end with 1 and advice."""
    told = fresh("ingest", "no-such.csv", code=1)
    assert told == ("", "error: no-such.csv: there is no such file: check its name\n")
    (fresh.root / "posts.xyz").touch()
    assert "the ending does not say" in fresh("ingest", fresh.root / "posts.xyz", code=1).err
    table = fresh.root / "posts.csv"
    table.write_text("words,when\nA made-up post,2025-01-01\n", "utf-8")
    told = fresh("ingest", table, "--column", "text=word", code=1)
    assert "no column is called 'word' (did you mean 'words'?); there are: words, when" in told.err
    assert fresh("ingest", table, "--column", "txt=words", code=2).out == ""
    told_json = fresh("ingest", table, "--column", "text=words", "--json").json
    assert told_json[0]["new"] == 1


def test_each_command_twice_gives_the_same_rows(store_url: str, tmp_path: Path) -> None:
    """Up to the batch, on both stores: status names the next command, and twice changes nothing."""
    labeler = Labeler(tmp_path / "study", OWN_STUDIO | {"LABELER_DATABASE": store_url})
    draw = ["sample", "--batch", "b", "--coders", "ada,ben", "--blind", "6", "--assisted", "4"]
    adding = ["coders", "add", "ada", "--email", "ada@example.org"]
    labeler("init")
    assert labeler.following() == "labeler ingest FILE"
    posts = sample_posts(tmp_path / "made-up.jsonl", 24)
    labeler("ingest", posts)
    assert labeler.following() == "labeler prelabel"
    first = labeler("prelabel", "--coder", "cues", "--json").json
    assert (first["answered"], first["before"]) == (24, 0)
    assert labeler.following().startswith("labeler sample ")
    labeler(*adding)
    labeler("coders", "add", "ben", "--email", "ben@example.org")
    labeler(*draw)
    assert labeler.following() == "labeler push --batch b"
    before = labeler.rows()
    assert len(before["posts"]) == len(before["completions"]) == 24
    assert len(before["tasks"]) == 2 * 6 + 4
    assert column(before["codings"], "variable").count("relevance") == 24
    for command in (["ingest", posts], ["prelabel", "--coder", "cues"], adding, draw):
        labeler(*command)
    again = labeler("prelabel", "--coder", "cues", "--reparse", "--json").json
    assert (again["answered"], again["codings"]) == (0, first["codings"])
    same(before, labeler.rows())
    told = labeler(*draw[:-1], "5", code=1)
    assert "'b' is drawn already" in told.err
    same(before, labeler.rows())


def test_batch_is_drawn_as_designed(drawn: Labeler) -> None:
    """No unit is in both arms, each blind unit has both coders, probabilities are size by frame."""
    tasks = drawn.table(tables.TASKS)
    blind, assisted = (tasks[tasks["arm"] == arm] for arm in ("blind", "assisted"))
    assert set(blind["unit"]).isdisjoint(assisted["unit"])
    assert set(blind.groupby("unit")["coder"].nunique()) == {2}
    assert set(assisted.groupby("unit")["coder"].nunique()) == {1}
    assert blind["unit_probability"].tolist() == pytest.approx([6 / 30] * len(blind), rel=1e-15)
    assert assisted["unit_probability"].tolist() == pytest.approx(
        [4 / 30] * len(assisted), rel=1e-15
    )
    assert assisted["task_probability"].tolist() == pytest.approx(
        [4 / 30 / 2] * len(assisted), rel=1e-15
    )
    coders = drawn.table(tables.CODERS)
    emails = [json.loads(spec)["email"] for spec in coders[coders["kind"] == "human"]["spec"]]
    assert emails == ["ada@example.org", "ben@example.org"]


@pytest.mark.parametrize(
    ("code", "words", "told"),
    [
        (2, ["no-such-command"], "No such command"),
        (2, ["ingest"], "Missing argument"),
        (2, ["sample", "--batch", "x"], "Missing option"),
        (2, ["sample", "--batch", "x", "--coders", "ada", "--blind", "-1"], "not in the range"),
        (2, ["reliability", "--tentative", "0"], "not in the range"),
        (2, ["reliability", "--tentative", ".9", "--reliable", ".8"], "below --tentative"),
        (1, ["sample", "--batch", "../x", "--coders", "ada,ben", "--blind", "1"], "'../x'"),
        (1, ["sample", "--batch", "x", "--coders", "ada,eve", "--blind", "1"], "called 'eve'"),
        (1, ["sample", "--batch", "x", "--coders", "ada,ben", "--blind", "90"], "asks for 90"),
        (1, ["pull", "--batch", "no-such"], "there are: first"),
        (1, ["pull"], "not pushed yet"),
        (1, ["prelabel"], "LABELER_LLM_MODEL"),
        (1, ["--database", "mysql://x/y", "status"], "LABELER_DATABASE"),
        (1, ["--codebook", "no-such.yaml", "status"], "LABELER_CODEBOOK"),
        (3, ["aggregate"], "hint: `labeler reliability --batch first` computes it"),
        (75, ["push"], "is it running?"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_errors_say_what_to_do(drawn: Labeler, code: int, words: list[str], told: str) -> None:
    """Each way to end badly has its exit code, its advice on stderr, and nothing on stdout."""
    before = drawn.rows()
    ended = drawn(*words, code=code)
    assert ended.out == ""
    assert told in ended.err
    same(before, drawn.rows())


def test_verbose_shows_the_traceback(drawn: Labeler) -> None:
    """With -v an error comes with its traceback, and the exit code stays what it was."""
    assert "Traceback" in drawn("-v", "aggregate", code=3).err


def test_json_parses_and_has_no_nan(drawn: Labeler, tmp_path: Path) -> None:
    """What --json prints is JSON to the letter, also of undefined coefficients."""
    study = Labeler(shutil.copytree(drawn.root, tmp_path / "copy"), drawn.settings)

    def strict(*words: str) -> Any:
        return json.loads(study(*words, "--json").out, parse_constant=pytest.fail)

    judged = strict("reliability")
    assert {row["verdict"] for row in judged["verdicts"]} == {"undefined"}
    assert {row["value"] for row in judged["verdicts"]} == {None}
    assert {row["value"] for row in judged["reliability"]} == {None}
    assert strict("coders", "list")["human"]["human:ada"]["email"] == "ada@example.org"
    refused = study("aggregate", "--override", "a made-up reason", "--json", code=3)
    assert (refused.out, "nobody coded it blind" in refused.err) == ("", True)
    assert "manifest.json" in strict("export")["files"]
    status = strict("status")
    assert status["stages"][0]["stage"] == "posts"
    assert status["next"] == "labeler push --batch first"


def test_doctor_fails_where_something_fails(fresh: Labeler) -> None:
    """Doctor ends with 0 where there are only warnings, with 1 where the codebook is missing."""
    checks = {check["check"]: check for check in fresh("doctor", "--json").json}
    assert checks["store"]["state"] == checks["codebook"]["state"] == "ok"
    assert checks["label studio"]["state"] == checks["model server"]["state"] == "warn"
    with openai_server.serve() as server:
        named = {"LABELER_LLM_MODEL": openai_server.MODEL, "LABELER_LLM_URL": server.url}
        told = fresh("doctor", **named, OPENAI_API_KEY=server.key).out
        assert f"ok    model server: {server.url} answers\n" in told
        assert "ok    answers: the schema is enforced; counts tokens" in told
    told = fresh("doctor", **named, code=1).out
    assert f"FAIL  model server: model server {server.url}: no answer" in told
    (fresh.root / "codebook" / "llm-mental-health.yaml").unlink()
    told = fresh("doctor", code=1).out
    assert "FAIL  store and codebook" in told
    assert "Label Studio" not in told


def test_setting_of_option_goes_before_variable_before_file(fresh: Labeler) -> None:
    """An option is taken before a variable, a variable before the file; unknown ones are named."""
    text = (ROOT / "codebook" / "recipe-difficulty.yaml").read_text("utf-8")
    for name in ("file", "variable", "option"):
        (fresh.root / f"{name}.yaml").write_text(text, "utf-8")
    settings = fresh.root / "labeler.cfg"
    settings.write_text("[labeler]\ncodebook = file.yaml\n", "utf-8")
    variable = {"LABELER_CODEBOOK": "variable.yaml"}

    def used(*words: str, **variables: str) -> str:
        return Path(fresh(*words, "codebook", "check", **variables).out.split(": ")[0]).stem

    assert used() == "file"
    assert used(**variable) == "variable"
    assert used("--codebook", "option.yaml", **variable) == "option"
    settings.write_text("[labeler]\ncodebok = file.yaml\n", "utf-8")
    told = fresh("status", code=1).err
    assert told.startswith(f"error: {settings.name}: [labeler] codebok: no such setting") or (
        f"{settings}: [labeler] codebok: no such setting" in told
    )
    settings.write_text(f"[labeler]\nopenai_api_key = {NOT_A_WORD}\n", "utf-8")
    told = fresh("status", code=1).err
    assert "from the environment alone" in told
    assert NOT_A_WORD not in told


def test_secrets_are_written_nowhere(store_url: str, tmp_path: Path) -> None:
    """Keys and the store's password stand in no output, no file and no row, also after errors."""
    secrets = {name: f"{NOT_A_WORD}-{name}" for name in ("model", "studio", "store")}
    url = store_url.replace("postgres@", f"postgres:{secrets['store']}@")
    labeler = Labeler(
        tmp_path / "study",
        {
            "LABELER_DATABASE": url,
            "OPENAI_API_KEY": secrets["model"],
            "LABEL_STUDIO_API_KEY": secrets["studio"],
            "LABELER_LLM_MODEL": openai_server.MODEL,
        },
    )
    said = [labeler("init"), labeler("ingest", sample_posts(tmp_path / "made-up.jsonl", 6))]
    with openai_server.serve() as server:
        asking = {"LABELER_LLM_URL": server.url}
        said.append(labeler("prelabel", code=1, **asking))
        said.append(labeler("-v", "prelabel", code=1, **asking))
        server.key = secrets["model"]
        said.append(labeler("prelabel", "--json", **asking))
        said.append(labeler("doctor", **asking, **studio_at(server.url)))
        said.append(labeler("push", code=1, **studio_at(server.url)))
        assert server.requests > 6
    said.append(labeler("coders", "add", "ada", "--email", "a@b.org", **studio_at("http://x")))
    said.append(labeler("sample", "--batch", "b", "--coders", "ada", "--blind", "2", code=1))
    draw = ["sample", "--batch", "b", "--coders", "ada", "--blind", "2", "--overlap", "1"]
    said.append(labeler(*draw))
    said.append(labeler("-v", "push", code=75, LABELER_STUDIO_URL="http://127.0.0.1:9"))
    said.append(labeler("reliability"))
    said.append(labeler("export"))
    said.append(labeler("status"))
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert any(path.name == "manifest.json" for path in kept)
    assert [path for path, data in kept.items() if NOT_A_WORD.encode() in data] == []
    assert [ended for ended in said if NOT_A_WORD in ended.out + ended.err] == []
    rows = labeler.rows() | labeler.rows(tables.RUNS)
    assert len(rows["completions"]) == 6 + 1  # and the canary
    assert rows["runs"]
    assert NOT_A_WORD not in repr(rows)


def test_derived_tables_are_made_again_from_raw_ones(drawn: Labeler, tmp_path: Path) -> None:
    """After every derived row is lost, --reparse makes the same rows again, offline."""
    study = Labeler(shutil.copytree(drawn.root, tmp_path / "copy"), drawn.settings)
    before = study.rows(*DERIVED)
    assert before["codings"]
    engine = database.connect(f"sqlite:///{study.root}/.labeler/labeler.db")
    for table in DERIVED:
        database.replace(engine, (table, {}, tables.frame(table)))
    assert not study.rows(*DERIVED)["codings"]
    study("prelabel", "--coder", "cues", "--reparse")
    same(before, study.rows(*DERIVED))
