"""Nobody codes blind what they have seen with codes in view. Everything is made up."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
import study_samples
from builders import book_text, choice
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Table, select
from thorough import examples

from labeler.coding.read import seen_before, standing
from labeler.errors import InputError, ProjectError
from labeler.project import Project
from labeler.sampling import reassignment
from labeler.sampling.adjudicate import adjudicate
from labeler.sampling.adjudication import AdjudicationDraw
from labeler.sampling.design import Design, draw
from labeler.sampling.exposure import exposure
from labeler.sampling.import_batch import ImportSettings, import_codings
from labeler.sampling.plan import plan
from labeler.sampling.sample import sample
from labeler.sampling.seen_texts import exposures
from labeler.store import database, results, tables
from labeler.studio.reassign import reassign
from labeler.study.study import Study, add_coder, open_study
from labeler.text.duplicates import words_key

NAMES = ("human:ada", "human:ben", "human:cem")
SHOWN = ("assisted", "adjudication")


def texts(kinds: list[int], variants: list[int]) -> dict[str, str]:
    """Unit → a text of its kind, as it was first written, or as others repeat it."""
    return {
        f"u{number:04}": REPEATED[variant](" ".join(f"word{kind}of{place}" for place in range(14)))
        for number, (kind, variant) in enumerate(zip(kinds, variants, strict=True))
    }


REPEATED = (
    str,
    lambda text: f"RT @made_up: {text[:120]}…",
    lambda text: text.upper() + " https://made.up/1",
    lambda text: text.replace("of5", "other"),
    lambda text: f"Somebody wrote this &amp; I agree: {text}",
)


class Walk:
    """A study in which batches are drawn, coded, moved and adjudicated, with what was shown."""

    def __init__(self, study: Study, kinds: list[int], variants: list[int]) -> None:
        self.study = study
        with_words(self.study, texts(kinds, variants))
        self.kind = {f"u{number:04}": kind for number, kind in enumerate(kinds)}
        self.shown: set[tuple[str, int]] = set()
        self.versions = 0

    def step(self, action: Callable[[], object]) -> None:
        """Do something, and look at the tasks that came to be by it."""
        before, waiting = self.tasks(), self.waiting()
        with suppress(InputError, ProjectError):
            action()
        after = self.tasks()
        for arm, coder, unit in sorted(after - before):
            if arm in SHOWN:
                assert (coder, self.kind[unit]) not in waiting, (arm, coder, unit)
        self.shown |= {(coder, self.kind[unit]) for arm, coder, unit in after if arm in SHOWN}
        for arm, coder, unit in sorted(after - before):
            if arm not in SHOWN:
                assert (coder, self.kind[unit]) not in self.shown, (arm, coder, unit)

    def tasks(self) -> set[tuple[str, str, str]]:
        """Arm, coder and unit of all tasks, of any batch."""
        return self.rows(tables.TASKS)

    def waiting(self) -> set[tuple[str, int]]:
        """Coder and kind of what is still to be coded blind."""
        left = self.tasks() - self.rows(tables.ANNOTATIONS)
        return {(coder, self.kind[unit]) for arm, coder, unit in left if arm == "blind"}

    def rows(self, table: Table) -> set[tuple[str, str, str]]:
        """Arm, coder and unit of the rows of a table."""
        query = select(table.c.arm, table.c.coder, table.c.unit)
        return set(database.query_rows(self.study.engine, query).itertuples(index=False, name=None))

    def draws(self, design: Design) -> None:
        """One more batch, all of which is sent to its coders."""
        batch = f"b{database.count(self.study.engine, tables.BATCHES)}"
        sample(self.study, design, batch=batch)
        tasks = database.read(self.study.engine, tables.TASKS, batch=batch)
        tasks["studio_task"] = range(1, len(tasks) + 1)
        database.mirror(self.study.engine, tables.TASKS, tables.frame(tables.TASKS, tasks))

    def codes(self, coder: str) -> None:
        """A coder codes what they have in the newest batch, not as others do."""
        tasks = database.read(self.study.engine, tables.TASKS, batch=self.newest(), coder=coder)
        open_ = tasks[~tasks["arm"].isin(["repeat", "adjudication"])]
        values = dict.fromkeys(open_["unit"], "yes" if coder == NAMES[1] else "no")
        study_samples.code(self.study, open_, values)

    def newest(self) -> str:
        """The batch drawn last."""
        return f"b{database.count(self.study.engine, tables.BATCHES) - 1}"

    def new_codebook(self) -> None:
        """A code is renamed: all units are free again."""
        self.versions += 1
        self.study = renamed(self.study, f"no yes{self.versions}")
        study_samples.answered(self.study, sorted(self.kind), at="2026-01-01")

    def moves(self, giver: str, taker: str) -> None:
        """What a coder has not coded of the newest batch goes to another."""
        reassign(self.study, batch=self.newest(), giver=giver, taker=taker)

    def adjudicates(self, coder: str) -> None:
        """Units of the newest batch on which its coders disagree go to a coder."""
        wish = AdjudicationDraw("disagreed", (), (coder,))
        adjudicate(self.study, wish, batch=self.newest())


@st.composite
def designs(pick: st.DrawFn) -> Design:
    coders = NAMES[: pick(st.integers(1, 3))]
    nested = pick(st.booleans()) and len(coders) > 1
    assisted = pick(st.integers(1, 8)) if nested else pick(st.integers(0, 8))
    blind = pick(st.integers(1, assisted)) if nested else pick(st.integers(0 if assisted else 1, 8))
    most = len(coders) - 1 if nested else len(coders)
    overlap = pick(st.integers(1, most))
    repeat = pick(st.sampled_from([0.0, 0.5]))
    seed = pick(st.integers(1, 4))
    return Design(blind, assisted, overlap, coders, seed, nested=nested, repeat=repeat, after=0)


THEN = ["codes", "moves", "adjudicates", "new_codebook"]  # what may follow a draw


POSTS = 24


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """A study of three coders, to be copied."""
    folder = tmp_path_factory.mktemp("study")
    opened = study_samples.study(folder, POSTS, model=True)
    add_coder(opened, NAMES[2], kind="human", spec={})
    opened.engine.dispose()
    return folder


@examples(10)
@given(
    st.lists(st.integers(0, 12), min_size=POSTS, max_size=POSTS),
    st.lists(st.integers(0, len(REPEATED) - 1), min_size=POSTS, max_size=POSTS),
    st.lists(
        st.tuples(
            designs(),
            st.lists(st.tuples(st.sampled_from(THEN), st.permutations(NAMES)), max_size=3),
        ),
        min_size=2,
        max_size=3,
    ),
)
def test_no_coder_meets_a_text_assisted_and_then_blind(
    tmp_path_factory, template, kinds, variants, steps
) -> None:
    """Over versions of the codebook, batches, reassignments, adjudication and near-equal texts;
    nor is a text shown with codes to somebody who still has to code it blind."""
    folder = tmp_path_factory.mktemp("walk") / "study"
    shutil.copytree(template, folder)
    opened = open_study(Project(root=folder.resolve(), codebook=Path("codebook.yaml")))
    walk = Walk(opened, kinds, variants)
    for design, then in steps:
        walk.step(lambda design=design: walk.draws(design))
        for name, coders in then:
            number = {"codes": 1, "moves": 2, "adjudicates": 1, "new_codebook": 0}[name]
            walk.step(lambda n=name, who=coders[:number]: getattr(walk, n)(*who))
    walk.study.engine.dispose()


def test_equal_texts_of_one_batch_go_blind_to_the_same_coders() -> None:
    """And assisted to another one, so that nobody has them in both arms."""
    words = {f"u{number}": "the same" for number in range(6)}
    nobody = pd.DataFrame(columns=["coder", "unit"])
    seen = exposure(words, nobody, nobody)
    about = {"batch": "b", "codebook": "k", "suggester": "m", "created": ""}
    tasks = draw(list(words), Design(3, 3, 2, NAMES, 1), exposure=seen, **about).tasks
    arms = tasks.groupby("arm")["coder"].agg(set)
    assert len(arms["blind"]) == 2
    assert arms["blind"].isdisjoint(arms["assisted"])
    alone = draw(list(words), Design(3, 3, 2, NAMES[:2], 1), exposure=seen, **about).tasks
    assert set(alone["arm"]) == {"blind"}  # nobody is left who may see the others with codes


def renamed(opened: Study, codes: str = "no definitely") -> Study:
    """The study under a codebook of which a code was renamed."""
    folder = opened.project.root
    text = book_text(choice("about", codes))
    (folder / "codebook.yaml").write_text(text, encoding="utf-8")
    opened.engine.dispose()
    return open_study(opened.project)


def with_words(opened: Study, texts: dict[str, str]) -> None:
    """Give some posts other texts."""
    rows = database.read(opened.engine, tables.POSTS)
    rows["text"] = [
        texts.get(unit, text) for unit, text in zip(rows["unit"], rows["text"], strict=True)
    ]
    rows["words"] = [words_key(text) for text in rows["text"]]
    database.replace(opened.engine, (tables.POSTS, {}, rows))


def assisted(opened: Study, batch: str, number: int) -> list[str]:
    """A batch of assisted units for both coders, who code them."""
    tasks = sample(opened, Design(0, number, 1, study_samples.CODERS, 7), batch=batch).tasks
    study_samples.code(opened, tasks)
    return sorted(tasks["unit"])


def test_after_a_code_was_renamed_fresh_posts_come_first(tmp_path: Path) -> None:
    """Nobody gets an own old post while others lie free; the seed draws by the same hashes."""
    opened = study_samples.study(tmp_path, 60, model=True)
    old = set(study_samples.drawn(opened, "a", 20)) | set(assisted(opened, "b", 10))
    newer = renamed(opened)
    design = Design(30, 0, 2, study_samples.CODERS, 7)
    assert plan(newer, design).coded == 0
    assert set(sample(newer, design, batch="c").tasks["unit"]).isdisjoint(old)
    newer.engine.dispose()


def test_what_cannot_be_avoided_is_told_before(tmp_path: Path) -> None:
    """Old posts are drawn where no others are left, but none that a coder saw with codes."""
    opened = study_samples.study(tmp_path, 40, model=True)
    shown = set(assisted(opened, "b", 10))
    study_samples.drawn(opened, "a", 20)
    newer = renamed(opened)
    design = Design(25, 0, 2, study_samples.CODERS, 7)
    told = plan(newer, design)
    assert (told.frame, told.coded, told.left_out) == (30, 20, 10)
    with pytest.raises(InputError, match="31 units, but 30 are free"):
        sample(newer, design._replace(blind=31), batch="d")
    done = sample(newer, design, batch="c")
    assert (done.frame, done.coded, done.left_out) == (30, 20, 10)
    assert shown.isdisjoint(done.tasks["unit"])
    newer.engine.dispose()


def test_what_was_seen_before_is_no_evidence(tmp_path: Path) -> None:
    """A post taken in later has the words of one that a coder saw: coded blind, it counts not."""
    opened = study_samples.study(tmp_path, 12, model=True)
    with_words(opened, {})
    shown = assisted(opened, "b", 4)
    blind = study_samples.drawn(opened, "a", 4, coded=False)
    with_words(opened, {blind[0]: f"made up, {shown[0]}!"})
    tasks = database.read(opened.engine, tables.TASKS, batch="a")
    saw = set(database.read(opened.engine, tables.TASKS, unit=shown[0])["coder"])
    notes = [
        {"annotation": f"{row.coder} {row.unit}", "batch": "a", "arm": "blind", "unit": row.unit}
        | {"coder": row.coder, "cancelled": 0, "withdrawn": 0, "created": "2999", "result": "[]"}
        for row in tables.rows(tasks)
    ]
    results.mirror(opened.engine, tables.ANNOTATIONS, tables.frame(tables.ANNOTATIONS, notes))
    left = standing(opened.engine, batch="a")
    assert len(left) == len(notes) - 1
    assert set(left.loc[left["unit"] == blind[0], "coder"]) == set(study_samples.CODERS) - saw
    told = seen_before(opened.engine, "a")
    assert list(tables.rows(told)) == [(next(iter(saw)), 1)]
    earlier = [{**note, "created": "1999"} for note in notes]
    results.mirror(opened.engine, tables.ANNOTATIONS, tables.frame(tables.ANNOTATIONS, earlier))
    assert len(standing(opened.engine, batch="a")) == len(notes)
    assert seen_before(opened.engine, "a").empty
    opened.engine.dispose()


@pytest.mark.parametrize(("arm", "why"), [("blind", "codes in view"), ("assisted", "words blind")])
def test_a_reassignment_refuses_what_would_be_seen_twice(arm: str, why: str) -> None:
    """A blind task of a text the taker saw; an assisted one whose words the taker has blind."""
    words = {"u1": "the same", "u2": "the same"}
    other = "assisted" if arm == "blind" else "blind"
    row = {"batch": "b", "unit_probability": 1.0, "task_probability": 1.0, "position": 1}
    open_ = tables.frame(tables.TASKS, [{**row, "arm": arm, "coder": NAMES[0], "unit": "u1"}])
    theirs = tables.frame(tables.TASKS, [{**row, "arm": other, "coder": NAMES[1], "unit": "u2"}])
    nobody = theirs[theirs["arm"] == ""]
    seen = exposure(words, theirs[theirs["arm"] == "assisted"], nobody)
    found = reassignment.reassign(open_, theirs, to=NAMES[1], exposure=seen)
    assert found.tasks.empty
    assert why in found.refused["why"].iloc[0]


LONG = "I asked a made-up chatbot about my sleep, and it told me to keep a diary for two weeks"


def test_a_move_does_not_undo_what_was_seen(tmp_path: Path) -> None:
    """A task that was sent and moved on was seen by both; one that was never sent by one alone."""
    opened = study_samples.study(tmp_path, 12, model=True)
    design = Design(0, 8, 1, study_samples.CODERS, 7)
    sent = sample(opened, design, batch="b").tasks
    ada, ben = study_samples.CODERS
    of_ada = sorted(sent.loc[sent["coder"] == ada, "unit"])
    first = sent[(sent["coder"] == ada) & (sent["unit"] == of_ada[0])].assign(studio_task=1)
    database.mirror(opened.engine, tables.TASKS, tables.frame(tables.TASKS, first))
    reassign(opened, batch="b", giver=ada, taker=ben)
    left = database.read(opened.engine, tables.EXPOSURES, coder=ada)
    assert list(left["unit"]) == of_ada[:1]
    assert len(database.read(opened.engine, tables.EXPOSURES, coder=ben)) == len(sent)
    newer = renamed(opened)
    seen = exposures(newer.engine, of_ada)
    assert (seen.by(of_ada[0]), seen.by(of_ada[1])) == ({ada, ben}, {ben})
    newer.engine.dispose()


def test_codings_made_elsewhere_of_a_text_that_was_seen(tmp_path: Path) -> None:
    """Blind codings of a near-equal post by one who saw the first with codes are no evidence."""
    opened = study_samples.study(tmp_path, 12, model=True)
    seen, again, *_ = units = [f"u{number:04}" for number in range(12)]
    with_words(opened, {seen: LONG, again: f"RT @made_up: {LONG[:70]}…"})
    sample(opened, Design(0, 12, 1, study_samples.CODERS, 7), batch="b")
    tasks = database.read(opened.engine, tables.TASKS, batch="b")
    saw = str(tasks.loc[tasks["unit"] == seen, "coder"].iloc[0])
    others = {"unit": units[1:]}
    database.replace(
        opened.engine,
        (tables.TASKS, others, tables.frame(tables.TASKS)),
        (tables.EXPOSURES, others, tables.frame(tables.EXPOSURES)),
    )
    lines = ["unit,coder,variable,value"]
    lines += [f"{again},{coder[6:]},about,yes" for coder in study_samples.CODERS]
    (tmp_path / "made.csv").write_text("\n".join(lines), encoding="utf-8")
    import_codings(opened, tmp_path / "made.csv", ImportSettings("blind", {}), batch="made")
    assert list(tables.rows(seen_before(opened.engine, "made"))) == [(saw, 1)]
    left = standing(opened.engine, batch="made")["coder"]
    assert set(left) == set(study_samples.CODERS) - {saw}
    opened.engine.dispose()


def test_nobody_decides_on_words_that_they_still_code_blind(tmp_path: Path) -> None:
    """An adjudicator who has the words of the unit open in another batch is passed over."""
    opened = study_samples.study(tmp_path, 6, model=True)
    third = NAMES[2]
    add_coder(opened, third, kind="human", spec={})
    (unit,) = study_samples.drawn(opened, "a", 1, coded=False)
    other = "u0000" if unit != "u0000" else "u0001"
    with_words(opened, {unit: LONG, other: LONG.replace("sleep", "mood")})
    tasks = database.read(opened.engine, tables.TASKS, batch="a")
    for coder, value in zip(study_samples.CODERS, ("yes", "no"), strict=True):
        study_samples.code(opened, tasks[tasks["coder"] == coder], {unit: value})
    task = tasks.iloc[[0]].assign(batch="c", coder=third, unit=other)
    database.mirror(opened.engine, tables.TASKS, tables.frame(tables.TASKS, task))
    wish = AdjudicationDraw("disagreed", (), (third,))
    with pytest.raises(InputError, match="may adjudicate"):
        adjudicate(opened, wish, batch="a")
    database.replace(opened.engine, (tables.TASKS, {"batch": "c"}, tables.frame(tables.TASKS)))
    drawn = adjudicate(opened, wish, batch="a").tasks
    assert set(drawn.loc[drawn["arm"] == "adjudication", "coder"]) == {third}
    assert exposures(opened.engine, [other]).by(other) == {third}
    opened.engine.dispose()


def test_a_batch_of_which_nothing_can_be_given_is_refused(template: Path, tmp_path: Path) -> None:
    """The one coder still has all of it to code blind, as other posts of the same words."""
    folder = shutil.copytree(template, tmp_path / "study")
    study = open_study(Project(root=folder.resolve(), codebook=Path("codebook.yaml")))
    with_words(study, texts([0] * POSTS, [0] * POSTS))
    sample(study, Design(1, 0, 1, (NAMES[0],), seed=1), batch="blind")
    with pytest.raises(InputError, match="none of the 1 units drawn can be given to human:ada"):
        sample(study, Design(0, 1, 1, (NAMES[0],), seed=1), batch="assisted")
    assert database.count(study.engine, tables.BATCHES) == 1
