"""The store on SQLite and PostgreSQL: three ways to write, many programs, and things that fail."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap

import pandas as pd
import psycopg
import pytest
from sqlalchemy import event, func, inspect, select, text
from waiting import SECONDS

from labeler import hints
from labeler.errors import StoreError
from labeler.store import database, tables
from labeler.workflow.progress import progress

MIGRATE = """
    import sys
    from labeler.store import database as store
    print("ready", flush=True)
    sys.stdin.readline()
    store.connect(sys.argv[1]).dispose()
"""
ADD = """
    import sys
    from labeler.store import tables
    from labeler.store import database as store
    engine = store.connect(sys.argv[1])
    names = [f"human:{number}" for number in range(400)]
    rows = [{"coder": name, "kind": "human", "spec": sys.argv[2]} for name in names]
    frame = tables.frame(tables.CODERS, rows if sys.argv[2] == "a" else rows[::-1])
    print("ready", flush=True)
    sys.stdin.readline()
    print(sum(store.add(engine, tables.CODERS, frame) for _ in range(5)))
"""
REPLACE = """
    import sys, time
    from sqlalchemy import event
    from labeler.store import tables
    from labeler.store import database as store
    engine = store.connect(sys.argv[1])
    @event.listens_for(engine, "after_cursor_execute")
    def stand_still(connection, cursor, statement, *rest):
        if statement.startswith("INSERT INTO codings"):
            print("written, not committed", flush=True)
            time.sleep(60)
    row = {"codebook": "k", "coder": "c", "replicate": 1, "variable": "v", "value": "new"}
    frame = tables.frame(tables.CODINGS, [{**row, "unit": str(unit)} for unit in range(50)])
    store.replace(engine, (tables.CODINGS, {"codebook": "k"}, frame))
"""
EXCHANGE = """
    import sys
    from labeler.store import tables
    from labeler.store import database as store
    engine = store.connect(sys.argv[1])
    row = {"codebook": "k", "coder": sys.argv[2], "replicate": 1, "variable": "v", "value": "x"}
    frame = tables.frame(tables.CODINGS, [{**row, "unit": str(unit)} for unit in range(200)])
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(10):
        store.replace(engine, (tables.CODINGS, {"codebook": "k"}, frame))
"""


def running(script, *arguments):
    """A program of its own, started with pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def together(programs):
    """Let programs that said `ready` go on at the same moment; what each says then."""
    for program in programs:
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        program.stdin.write("go\n")
        program.stdin.flush()
    said = [program.communicate(timeout=SECONDS)[0] for program in programs]
    assert [program.returncode for program in programs] == [0] * len(programs)
    return said


def codings(units, *, value="yes", coder="human:ada"):
    row = {"codebook": "k", "coder": coder, "arm": "blind", "replicate": 1, "variable": "v"}
    return tables.frame(tables.CODINGS, [{**row, "unit": unit, "value": value} for unit in units])


def coders(*names, kind="human"):
    return tables.frame(tables.CODERS, [{"coder": name, "kind": kind} for name in names])


@pytest.fixture
def engine(store_url):
    opened = database.connect(store_url)
    yield opened
    opened.dispose()


def test_connecting_makes_every_table_and_again_changes_nothing(engine, store_url):
    """After connecting, all tables are there and each migration is noted; twice is as once."""
    again = database.connect(store_url)
    assert set(inspect(again).get_table_names()) == set(tables.METADATA.tables)
    names = [name for name, _ in database.MIGRATIONS]
    assert database.read(again, tables.MIGRATIONS)["name"].tolist() == names
    again.dispose()


def test_what_is_written_is_read_with_its_types(engine):
    """Missing numbers stay missing, '' stays '', and text keeps emoji, quotes and line ends."""
    odd = "a\nb\t'\"; DROP TABLE posts; -- 😀 ÿ \\ %s :x"
    rows = [
        {"batch": "b", "arm": "blind", "coder": "c", "unit": "1", "position": 1},
        {"batch": "b", "arm": "blind", "coder": "c", "unit": odd, "unit_probability": 1 / 3},
    ]
    frame = tables.frame(tables.TASKS, rows)
    database.add(engine, tables.TASKS, frame)
    pd.testing.assert_frame_equal(database.read(engine, tables.TASKS), frame)
    with engine.connect() as connection:
        nulls = select(func.count()).where(tables.TASKS.c.position.is_(None))
        assert connection.scalar(nulls) == 1
    empty = tables.frame(tables.CODINGS, codings(["u"], value=""))
    database.add(engine, tables.CODINGS, empty)
    assert database.read(engine, tables.CODINGS, value="")["segment"].tolist() == [""]


def test_add_leaves_what_is_there(engine):
    """A row whose key is there stays; only new ones are counted, also within one frame."""
    assert database.add(engine, tables.CODERS, coders("b", "a")) == 2
    assert database.add(engine, tables.CODERS, coders("a", "c", kind="model")) == 1
    doubled = pd.concat([coders("d"), coders("d", kind="model")])
    assert database.add(engine, tables.CODERS, doubled) == 1
    found = database.read(engine, tables.CODERS)
    assert found["coder"].tolist() == ["a", "b", "c", "d"]
    assert found["kind"].tolist() == ["human", "human", "model", "human"]
    assert database.add(engine, tables.CODERS, coders()) == 0


def test_mirror_updates_what_is_there(engine):
    """A row whose key is there takes the new values; others are left alone; twice is as once."""
    database.mirror(engine, tables.CODERS, coders("a", "b"))
    for _ in range(2):
        assert database.mirror(engine, tables.CODERS, coders("b", "c", kind="model")) == 2
        assert database.read(engine, tables.CODERS)["kind"].tolist() == ["human", "model", "model"]


def test_replace_exchanges_its_slice_and_nothing_else(engine):
    """The slice holds the new rows alone, other slices are as they were; twice is as once."""
    database.add(engine, tables.CODINGS, codings(["1", "2"]))
    database.add(engine, tables.CODINGS, codings(["1", "2"], coder="human:bob"))
    new = codings(["2", "3"], value="no")
    for _ in range(2):
        database.replace(engine, (tables.CODINGS, {"codebook": "k", "coder": "human:ada"}, new))
        found = database.read(engine, tables.CODINGS)
        assert sorted(zip(found["coder"], found["unit"], found["value"], strict=True)) == [
            ("human:ada", "2", "no"),
            ("human:ada", "3", "no"),
            ("human:bob", "1", "yes"),
            ("human:bob", "2", "yes"),
        ]
    database.replace(engine, (tables.CODINGS, {"coder": ["human:ada", "nobody"]}, codings([])))
    assert database.count(engine, tables.CODINGS) == 2


def test_slices_are_exchanged_together_or_not_at_all(engine):
    """Where the second slice cannot be written, the first is as it was."""
    database.add(engine, tables.CODINGS, codings(["1"]))
    broken = coders("a").assign(kind=None)
    with pytest.raises(StoreError):
        database.replace(
            engine,
            (tables.CODINGS, {"codebook": "k"}, codings(["2"])),
            (tables.CODERS, {}, broken),
        )
    assert database.read(engine, tables.CODINGS)["unit"].tolist() == ["1"]


def test_rows_come_in_the_order_of_their_key(engine):
    """Both databases sort text by code point: Z before a before é, in any locale."""
    database.add(engine, tables.CODERS, coders("é", "a", "Z", "a b", "a-b", "ab"))
    assert database.read(engine, tables.CODERS)["coder"].tolist() == sorted(
        ["é", "a", "Z", "a b", "a-b", "ab"]
    )
    assert database.distinct(engine, tables.CODERS.c.coder) == sorted(
        ["é", "a", "Z", "a b", "a-b", "ab"]
    )
    if engine.dialect.name == "postgresql":
        columns = inspect(engine).get_columns("coders")
        assert {column["type"].collation for column in columns} == {"C"}


def test_counts_and_distinct_see_what_equals(engine):
    """Counting and the different values look at the asked rows only."""
    database.add(engine, tables.CODINGS, codings(["1", "2"]))
    database.add(engine, tables.CODINGS, codings(["1"], coder="human:bob", value="no"))
    assert database.count(engine, tables.CODINGS, coder="human:ada") == 2
    assert database.distinct(engine, tables.CODINGS.c.coder, unit="2") == ["human:ada"]
    assert database.counts(engine, tables.CODINGS.c.value, unit=["1", "2"]) == {"no": 1, "yes": 2}
    assert database.count(engine, tables.TASKS, position=None) == 0


@pytest.mark.parametrize("size", [0, 1, 5_000, 70_000])
def test_lists_of_any_length_select_and_exchange(engine, size):
    """70,000 units in a list are more than either database takes as parameters of their own."""
    database.add(engine, tables.CODINGS, codings([str(unit) for unit in range(0, 200, 2)]))
    listed = [str(unit) for unit in range(size)]
    there = sum(int(unit) < size for unit in map(str, range(0, 200, 2)))
    assert len(database.read(engine, tables.CODINGS, unit=listed)) == there
    assert database.count(engine, tables.CODINGS, unit=listed, replicate=[1, 2]) == there
    database.replace(engine, (tables.CODINGS, {"unit": listed}, codings([])))
    assert database.count(engine, tables.CODINGS) == 100 - there


def test_many_rows_go_in_at_once(engine):
    """10,000 rows are one call, and the second one adds none."""
    frame = codings([f"{unit:05}" for unit in range(10_000)])
    assert database.add(engine, tables.CODINGS, frame) == 10_000
    assert database.add(engine, tables.CODINGS, frame) == 0
    assert database.mirror(engine, tables.CODINGS, frame) == 10_000


def test_programs_that_migrate_at_once_do_it_once(store_url):
    """Three programs that open an empty database at the same time all succeed."""
    together([running(MIGRATE, store_url) for _ in range(3)])
    opened = database.connect(store_url)
    assert database.count(opened, tables.MIGRATIONS) == len(database.MIGRATIONS)
    opened.dispose()


def test_programs_that_add_at_once_add_each_row_once(engine, store_url):
    """Two programs with the same 400 rows in opposite orders: none fails, 400 are new in all."""
    said = together([running(ADD, store_url, "a"), running(ADD, store_url, "b")])
    assert sum(int(new) for new in said) == 400
    assert database.count(engine, tables.CODERS) == 400


def test_programs_that_exchange_one_slice_at_once_leave_one_of_theirs(engine, store_url):
    """The slice ends as the rows of one program, never as a mix of both."""
    together([running(EXCHANGE, store_url, "a"), running(EXCHANGE, store_url, "b")])
    assert len(database.distinct(engine, tables.CODINGS.c.coder)) == 1
    assert database.count(engine, tables.CODINGS) == 200


def test_a_program_killed_in_the_middle_of_an_exchange_leaves_the_old_slice(engine, store_url):
    """SIGKILL after the new rows are written and before they are committed: nothing has changed."""
    database.add(engine, tables.CODINGS, codings(["1", "2"], value="old"))
    program = running(REPLACE, store_url)
    assert program.stdout.readline() == "written, not committed\n"
    os.kill(program.pid, signal.SIGKILL)
    program.communicate(timeout=SECONDS)
    assert database.read(engine, tables.CODINGS)["value"].tolist() == ["old", "old"]
    database.replace(engine, (tables.CODINGS, {"codebook": "k"}, codings(["3"])))
    assert database.read(engine, tables.CODINGS)["unit"].tolist() == ["3"]


def test_a_database_of_a_newer_program_is_refused(engine, store_url):
    """A migration that this program does not know is named, and nothing is touched."""
    with engine.begin() as connection:
        connection.execute(tables.MIGRATIONS.insert().values(name="9999-later", applied=""))
    with pytest.raises(StoreError, match=r"holds migration '9999-later'.*newer labeler: install"):
        database.connect(store_url)


def test_a_store_of_before_gets_disagreements_and_wider_indexes(engine, store_url):
    """What an earlier program stored stays; its narrower indexes go, and the tables are there."""
    old = """
        DROP TABLE disagreements;
        DROP TABLE comparisons;
        DROP INDEX completions_counted;
        DROP INDEX annotations_counted;
        CREATE INDEX completions_of ON completions (codebook, coder, unit);
        CREATE INDEX annotations_of ON annotations (batch, coder, unit);
        DELETE FROM migrations WHERE name >= '0009';
    """
    database.add(engine, tables.CODINGS, codings(["u1"]))
    with engine.begin() as connection:
        for statement in filter(str.strip, old.split(";")):
            connection.execute(text(statement))
    again = database.connect(store_url)
    held = {
        index["name"]
        for table in ("annotations", "completions", "posts", "tasks")
        for index in inspect(again).get_indexes(table)
    }
    assert {"completions_counted", "annotations_counted", "tasks_of_unit"} <= held
    assert {"completions_of", "annotations_of"}.isdisjoint(held)
    assert database.read(again, tables.CODINGS)["unit"].tolist() == ["u1"]
    assert database.count(again, tables.COMPARISONS) == 0
    again.dispose()


def test_progress_counts_alike_on_either_database(engine):
    """A skip after a code, another account's annotation, one withdrawn: in SQL of both kinds."""
    seat = {"batch": "b", "arm": "blind", "coder": "human:ada"}
    tasks = [{**seat, "unit": f"u{number}"} for number in range(5)]
    notes = [
        {"unit": "u0", "updated": "2026-01-01"},
        {"unit": "u1", "updated": "2026-01-01"},
        {"unit": "u1", "updated": "2026-01-02", "cancelled": 1},
        {"unit": "u2", "updated": "2026-01-01", "completed_by": "eve@team.example"},
        {"unit": "u3", "updated": "2026-01-01", "withdrawn": 1},
    ]
    plain = {**seat, "completed_by": "ada@team.example", "cancelled": 0, "withdrawn": 0}
    coder = {"coder": "human:ada", "kind": "human", "spec": '{"email": "ada@team.example"}'}
    for table, rows in (
        (tables.BATCHES, [{"batch": "b"}]),
        (tables.CODERS, [coder]),
        (tables.TASKS, tasks),
        (tables.ANNOTATIONS, [{**plain, **n, "annotation": f"a{i}"} for i, n in enumerate(notes)]),
    ):
        database.add(engine, table, tables.frame(table, rows))
    (row,) = tables.rows(progress(engine))
    assert (row.tasks, row.coded, row.answered) == (5, 1, 2)


def test_the_batches_of_a_model_server_become_jobs(engine, store_url):
    """A store of an earlier program keeps what is out: rows, members and the claims on them.

    The tables of jobs may be there already, empty: an earlier migration makes what is missing.
    """
    old = """
        CREATE TABLE uploads (upload TEXT NOT NULL PRIMARY KEY, coder TEXT NOT NULL,
            server_batch TEXT NOT NULL, requests INTEGER);
        CREATE TABLE uploaded (upload TEXT NOT NULL, completion TEXT NOT NULL, most FLOAT,
            PRIMARY KEY (upload, completion));
        INSERT INTO uploads VALUES ('u1', 'model:m', 'batch_7', 2);
        INSERT INTO uploaded VALUES ('u1', 'c1', 0.5);
        DELETE FROM migrations WHERE name >= '0008';
    """
    kept = {"claim": "unit", "holder": "a machine", "taken": "t"}
    database.add(engine, tables.CLAIMS, tables.frame(tables.CLAIMS, [kept]))
    job = {"claim": "other", "holder": "upload:u1", "taken": "t"}
    database.add(engine, tables.CLAIMS, tables.frame(tables.CLAIMS, [job]))
    with engine.begin() as connection:
        for statement in filter(str.strip, old.split(";")):
            connection.execute(text(statement))
    again = database.connect(store_url)
    (row,) = tables.rows(database.read(again, tables.JOBS))
    assert (row.job, row.server_job, row.requests, row.state) == ("u1", "batch_7", 2, "")
    (member,) = tables.rows(database.read(again, tables.JOB_REQUESTS))
    assert (member.job, member.completion, member.most) == ("u1", "c1", 0.5)
    holders = database.read(again, tables.CLAIMS)["holder"].tolist()
    assert holders == ["job:u1", "a machine"]
    assert {"uploads", "uploaded"}.isdisjoint(inspect(again).get_table_names())
    row = {name: getattr(row, name) for name in row._fields} | {"state": "completed"}
    assert database.mirror(again, tables.JOBS, tables.frame(tables.JOBS, [row])) == 1
    assert database.count(again, tables.JOBS) == 1
    again.dispose()


def test_posts_of_before_get_the_key_of_their_words(engine, store_url):
    """Equal texts are known as such among posts that an earlier program took in."""
    texts = {"u1": "It helped me!", "u2": "it helped me", "u3": "It did not."}
    posts = [{"unit": unit, "text": text} for unit, text in texts.items()]
    database.add(engine, tables.POSTS, tables.frame(tables.POSTS, posts))
    old = """
        DROP INDEX posts_by_words;
        ALTER TABLE posts DROP COLUMN words;
        DELETE FROM migrations WHERE name >= '0014';
    """
    with engine.begin() as connection:
        for statement in filter(str.strip, old.split(";")):
            connection.execute(text(statement))
    again = database.connect(store_url)
    words = database.read(again, tables.POSTS)["words"].tolist()
    assert words[0] == words[1] != words[2]
    assert "" not in words
    again.dispose()


def test_a_reader_gets_in_while_somebody_writes(engine, store_url):
    """Opening and reading wait for no writer: they see what was committed last."""
    database.add(engine, tables.CODERS, coders("a"))
    with database.writing(engine) as connection:
        connection.execute(tables.CODERS.delete())
        other = database.connect(store_url)
        assert database.read(other, tables.CODERS)["coder"].tolist() == ["a"]
        other.dispose()
    assert database.count(engine, tables.CODERS) == 0


def test_a_database_that_somebody_else_holds_says_so(store_url):
    """A second writer gives up after the time that its address names, and says what to end."""
    engine, other = database.connect(store_url), database.connect(f"{store_url}?busy_seconds=1")
    with (
        database.writing(engine),
        pytest.raises(StoreError, match="another program has written for over 1 s: end it"),
    ):
        database.add(other, tables.CODERS, coders("a"))
    assert database.add(other, tables.CODERS, coders("a")) == 1
    engine.dispose()
    other.dispose()


def test_a_full_disk_says_what_to_do_and_loses_nothing(tmp_path):
    """SQLite that may not grow (max_page_count) refuses as a full disk does: the old rows stay."""
    engine = database.connect(f"sqlite:///{tmp_path / 'full.sqlite'}")
    database.add(engine, tables.CODERS, coders("a"))

    @event.listens_for(engine, "connect")
    def no_more(connection, record):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    huge = coders("b", kind="x" * 1_000_000)
    with pytest.raises(StoreError, match=r"full\.sqlite.*full.*free some space"):
        database.replace(engine, (tables.CODERS, {}, huge))
    assert database.read(engine, tables.CODERS)["coder"].tolist() == ["a"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_text("no database " * 100), "something else: give another path"),
        (lambda path: path.mkdir(), "the file may be written"),
    ],
)
def test_a_path_that_is_no_database_is_told(tmp_path, make, said):
    """Another file, or a folder, at the database's path is named with what to do."""
    path = tmp_path / "odd.sqlite"
    make(path)
    with pytest.raises(StoreError, match=f"odd.sqlite.*{said}"):
        database.connect(f"sqlite:///{path}")


def test_a_server_that_is_not_there_is_told_without_its_password():
    """The message has host, port and advice, and nothing of the password."""
    url = "postgresql+psycopg://ada:s3cret@127.0.0.1:1/study?sslpassword=s3cret"
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1/study.*that the server runs") as caught:
        database.connect(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://ada:s3cret@host:port/study",
        "postgresql+psycopg://ada@host:s3cret/study",
        "postgresql+psycopg:/ada:s3cret@host/study",
        "postgresql+psycopg://ada:s3@cret@host/study",
        "postgres://ada:s3cret@host/study",
        "mysql+pymysql://ada:s3cret@host/study",
        "mssql+pyodbc://ada:s3cret@host/study",
        "s3cret",
        "",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_an_address_that_does_not_fit_is_refused_without_repeating_it(url):
    """A bad address is answered by the right forms, and no part of a password is shown."""
    with pytest.raises(StoreError, match="database") as caught:
        database.connect(url)
    assert caught.value.hint in (hints.NAME_DATABASE, None)
    assert "s3" not in str(caught.value)
    assert "cret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_failing_statement_names_the_database_without_its_password(engine, store_url):
    """What goes wrong later keeps the password too: here a table that somebody dropped."""
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE coders"))
    with pytest.raises(StoreError, match="coders") as caught:
        database.read(engine, tables.CODERS)
    assert database.shown(engine) in str(caught.value)
    if engine.dialect.name == "postgresql":
        door = store_url.replace("+psycopg", "").replace("postgres@", "postgres:s3cret@")
        psycopg.connect(door).close()
        other = database.connect(store_url.replace("postgres@", "postgres:s3cret@"))
        with pytest.raises(StoreError) as caught:
            database.read(other, tables.CODERS)
        other.dispose()
        assert "s3cret" not in str(caught.value)


def test_sqlite_is_safe_for_many_programs(tmp_path):
    """Write-ahead logging, so that readers and a writer do not shut each other out."""
    path = tmp_path / "one.sqlite"
    database.connect(f"sqlite:///{path}")
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
