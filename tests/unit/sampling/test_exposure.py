"""Nobody codes blind what they have seen with codes in view. Everything is made up."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import study_samples
from builders import book_text, choice
from hypothesis import given
from hypothesis import strategies as st
from thorough import examples

from labeler.coding.read import seen_before, standing
from labeler.errors import InputError
from labeler.sampling import reassignment
from labeler.sampling.design import Design, draw
from labeler.sampling.exposure import exposure, sampling_frame
from labeler.sampling.plan import plan
from labeler.sampling.sample import sample
from labeler.store import database, results, tables
from labeler.study.study import Study, open_study
from labeler.text.duplicates import words_key

NAMES = ("human:ada", "human:ben", "human:cem")
SHOWN = ("assisted", "adjudication")


class Room:
    """Posts, some of the same words, and the tasks that batches of two codebooks gave so far."""

    def __init__(self, kinds: list[int]) -> None:
        self.words = {f"u{number:03}": f"words {kind}" for number, kind in enumerate(kinds)}
        self.tasks = tables.frame(tables.TASKS)
        self.codebook = {"": "k1"}

    def draws(self, design: Design, codebook: str) -> None:
        """One more batch of units that no batch of this codebook holds, where there are enough."""
        batch = f"b{len(self.codebook)}"
        here = [name for name, book in self.codebook.items() if book == codebook]
        taken = set(self.tasks.loc[self.tasks["batch"].isin(here), "unit"])
        free = [unit for unit in self.words if unit not in taken]
        seen = exposure(self.words, self.tasks)
        blind = design.overlap if design.blind else 0
        units = sampling_frame(free, design.coders, seen, blind=blind, drawn=design.drawn).units
        about = {"batch": batch, "codebook": codebook, "suggester": "m", "created": batch}
        try:
            drawn = draw(units, design, exposure=seen, **about)
        except InputError:
            return
        self.keeps(batch, codebook, drawn.tasks)

    def keeps(self, batch: str, codebook: str, tasks: pd.DataFrame) -> None:
        """Add the tasks, of which none is blind for somebody who saw its words with codes."""
        self.codebook[batch] = codebook
        before = {(row.coder, self.words[row.unit]) for row in self.shown(self.tasks)}
        both = before | {(row.coder, self.words[row.unit]) for row in self.shown(tasks)}
        for row in tables.rows(tasks):
            if row.arm in ("blind", "repeat"):
                assert (row.coder, self.words[row.unit]) not in both
        self.tasks = pd.concat([self.tasks, tasks], ignore_index=True)

    def shown(self, tasks: pd.DataFrame) -> list[tuple]:
        """The tasks with codes in view."""
        return list(tables.rows(tasks[tasks["arm"].isin(SHOWN)]))

    def moves(self, giver: str, taker: str) -> None:
        """All tasks of the newest batch from one coder to another, as far as may be."""
        if self.tasks.empty:
            return
        newest = self.tasks["batch"] == self.tasks["batch"].iloc[-1]
        own = self.tasks[newest & (self.tasks["coder"] == giver)]
        rest = self.tasks.drop(own.index)
        theirs = rest[rest["coder"] == taker]
        seen = exposure(self.words, rest)
        moved = reassignment.reassign(own, theirs, to=taker, exposure=seen)
        stays = own.merge(
            moved.gone[["arm", "unit"]], on=["arm", "unit"], how="left", indicator=True
        )
        stays = stays[stays["_merge"] == "left_only"].drop(columns="_merge")
        batch = str(own["batch"].iloc[0]) if len(own) else ""
        self.tasks = pd.concat([rest, tables.frame(tables.TASKS, stays)], ignore_index=True)
        if batch:
            self.keeps(batch, self.codebook[batch], moved.tasks)

    def adjudicates(self, coder: str, number: int) -> None:
        """Some units go to an adjudicator, who has no task of them yet."""
        held = self.tasks[self.tasks["coder"] == coder]
        free = [unit for unit in dict.fromkeys(self.tasks["unit"]) if unit not in set(held["unit"])]
        like = {self.words[unit] for unit in held["unit"]}
        rows = [
            {"batch": "b1", "arm": "adjudication", "coder": coder, "unit": unit, "position": 1}
            for unit in free[:number]
            if self.words[unit] not in like
        ]
        self.tasks = pd.concat([self.tasks, tables.frame(tables.TASKS, rows)], ignore_index=True)


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


@examples(60)
@given(
    st.lists(st.integers(0, 20), min_size=12, max_size=40),
    st.lists(
        st.tuples(
            designs(),
            st.sampled_from(["k1", "k2"]),
            st.sampled_from(["", "moves", "adjudicates"]),
            st.permutations(NAMES),
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_no_coder_meets_a_text_assisted_and_then_blind(kinds, steps) -> None:
    """Over versions of the codebook, batches, reassignments, adjudication and equal texts."""
    room = Room(kinds)
    for design, codebook, then, (one, other, _third) in steps:
        room.draws(design, codebook)
        if then == "moves":
            room.moves(one, other)
        elif then == "adjudicates":
            room.adjudicates(one, 3)


def test_equal_texts_of_one_batch_go_blind_to_the_same_coders() -> None:
    """And assisted to another one, so that nobody has them in both arms."""
    words = {f"u{number}": "the same" for number in range(6)}
    seen = exposure(words, tables.frame(tables.TASKS))
    about = {"batch": "b", "codebook": "k", "suggester": "m", "created": ""}
    tasks = draw(list(words), Design(3, 3, 2, NAMES, 1), exposure=seen, **about).tasks
    arms = tasks.groupby("arm")["coder"].agg(set)
    assert len(arms["blind"]) == 2
    assert arms["blind"].isdisjoint(arms["assisted"])
    alone = draw(list(words), Design(3, 3, 2, NAMES[:2], 1), exposure=seen, **about).tasks
    assert set(alone["arm"]) == {"blind"}  # nobody is left who may see the others with codes


def renamed(opened: Study) -> Study:
    """The study under a codebook of which a code was renamed."""
    folder = opened.project.root
    text = book_text(choice("about", "no definitely"))
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
    shown = assisted(opened, "b", 4)
    blind = study_samples.drawn(opened, "a", 4, coded=False)
    texts = {blind[0]: "It helped me.", shown[0]: "it helped me"}
    with_words(opened, texts)
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
    seen = exposure(words, theirs)
    found = reassignment.reassign(open_, theirs, to=NAMES[1], exposure=seen)
    assert found.tasks.empty
    assert why in found.refused["why"].iloc[0]
