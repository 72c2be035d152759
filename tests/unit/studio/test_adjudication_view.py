"""What an adjudicator was shown is kept as it was sent. Posts and codings are made up."""

from __future__ import annotations

from pathlib import Path

from study_samples import CODERS, MODEL, code, drawn, study

from labeler.store import database, tables
from labeler.studio import push
from labeler.studio.accounts import Servers
from labeler.study.study import Study, batch_row, silent
from labeler.web import create_app

CY = "human:cy"


def sent(opened: Study, units: list[str]) -> dict[str, str]:
    """What the page of each unit is sent with, as cy's task of the adjudication arm of a."""
    whose = {"batch": "a", "arm": "adjudication", "coder": CY}
    tasks = tables.frame(tables.TASKS, [{**whose, "unit": unit} for unit in units])
    job = push._Job(opened, batch_row(opened, "a"), Servers(opened.project), silent)
    payload = push._payload(job, "adjudication", tasks, frozenset())
    return {task["data"]["unit"]: task["data"]["given"] for task in payload}


def kept(opened: Study) -> dict[str, tuple[str, str]]:
    """Unit → text, coders as they are kept."""
    rows = database.read(opened.engine, tables.SHOWN_CODES)
    assert set(rows["coder"]) <= {CY}
    return {row.unit: (row.text, row.coders) for row in tables.rows(rows)}


def test_what_was_shown_is_kept_when_codes_change(tmp_path: Path) -> None:
    """The text and whose codings it held, letter by letter; what is coded later changes neither."""
    opened = study(tmp_path / "s", 40, model=True)
    first, second, *_ = drawn(opened, "a", 10)
    shown = sent(opened, [first])
    text, coders = kept(opened)[first]
    assert text == shown[first]
    assert sorted(coders.split(",")) == sorted([*CODERS, MODEL])
    tasks = database.read(opened.engine, tables.TASKS, batch="a", unit=first)
    code(opened, tasks, {first: "no" if "About: Yes" in text else "yes"})
    sent(opened, [second])
    assert kept(opened)[first] == (text, coders)
    assert sent(opened, [first])[first] != text  # a push that sends it once more, after a cut
    assert kept(opened)[first] == (sent(opened, [first])[first], coders)


def test_that_nothing_was_shown_is_kept_too(tmp_path: Path) -> None:
    """Of a unit without codes the record says so, and is no gap."""
    opened = study(tmp_path / "s", 40)
    first, *_ = drawn(opened, "a", 10, coded=False)
    assert sent(opened, [first]) == {first: ""}
    assert kept(opened) == {first: ("", "")}


def test_the_page_of_the_unit_shows_it(tmp_path: Path) -> None:
    """To the investigator, with the names that the adjudicator did not see."""
    opened = study(tmp_path / "s", 40)
    first, second, *_ = drawn(opened, "a", 10)
    sent(opened, [first])
    client = create_app(opened.project).test_client()
    page = client.get(f"/units/{first}").text
    _, coders = kept(opened)[first]
    one, other = coders.split(",")
    assert "What the adjudicator was shown" in page
    assert f"A is {one}, B is {other}." in page
    assert "Coding A" in page
    assert "What the adjudicator was shown" not in client.get(f"/units/{second}").text
