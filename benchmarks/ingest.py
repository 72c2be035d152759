"""How fast posts come in, and how much memory that takes, beside pandas reading the same file.

    python benchmarks/ingest.py [--quick] [--form jsonl|csv|parquet]

Makes files of made-up posts in a temporary folder, takes each in as `labeler ingest` does
(edges.files → stages.posts → edges.store, on SQLite), each in a process of its own, and prints
posts per second and the peak of memory. "grows" is the peak beside that of the smallest file:
near 1.0 means that memory does not grow with the file.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

SIZES = (10_000, 100_000, 1_000_000)
CHUNK = 5000
TEXT = """I asked a made-up chatbot about my day and it listened for a while before it answered
with a list that helped me to rest although nothing here happened 😀 é"""
WORDS = TEXT.split()


def main() -> None:
    """Read the options, or do one measurement in a child."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="10,000 posts only")
    parser.add_argument("--form", choices=["jsonl", "csv", "parquet"], default="jsonl")
    parser.add_argument("--measure", nargs=2, metavar=("WAY", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        way, path = options.measure[0], Path(options.measure[1])
        print(json.dumps(measured(way, path)))
    else:
        compare(SIZES[:1] if options.quick else SIZES, options.form)


def compare(sizes: tuple[int, ...], form: str) -> None:
    """Measure each size both ways and print one line for each."""
    print(f"Made-up posts as {form}, read and stored (SQLite) beside pandas reading only")
    print(
        f"{'posts':>9} {'file MB':>8} | {'posts/s':>8} {'peak MB':>8} {'grows':>6} | "
        f"{'pandas/s':>9} {'peak MB':>8} {'grows':>6} | {'speed':>6} {'memory':>7}"
    )
    first: tuple[float, float] | None = None
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"made-up.{form}"
            in_child("make", path, str(size))
            ours, theirs = in_child("ingest", path), in_child("pandas", path)
            megabytes = path.stat().st_size / 1e6
        if ours["posts"] != size or theirs["posts"] != size:
            raise SystemExit(f"{size} posts made, {ours['posts']} stored, {theirs['posts']} read")
        first = first or (ours["peak"], theirs["peak"])
        speeds = [size / way["seconds"] for way in (ours, theirs)]
        print(
            f"{size:>9,} {megabytes:>8.1f} | "
            f"{speeds[0]:>8,.0f} {ours['peak']:>8.0f} {ours['peak'] / first[0]:>6.2f} | "
            f"{speeds[1]:>9,.0f} {theirs['peak']:>8.0f} {theirs['peak'] / first[1]:>6.2f} | "
            f"{speeds[0] / speeds[1]:>6.2f} {ours['peak'] / theirs['peak']:>7.2f}",
            flush=True,
        )
        print(
            f"{'':>9} {'':>8} |   of it: reading {ours['read']:.1f} s, "
            f"making posts {ours['pure']:.1f} s ({size / ours['pure']:,.0f}/s), "
            f"storing {ours['store']:.1f} s",
            flush=True,
        )


def in_child(way: str, path: Path, *more: str) -> dict[str, float]:
    """What one process of its own measured; this one stays small, as a child inherits its peak."""
    given = f"{way}:{more[0]}" if more else way
    done = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), "--measure", given, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{given} {path.name} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout))


def measured(way: str, path: Path) -> dict[str, float]:
    """Do one thing with a file; seconds and the peak of memory (MB) of this process."""
    name, _, size = way.partition(":")
    if name == "make":
        make(path, int(size))
        return {}
    result = ingest(path) if name == "ingest" else read_by_pandas(path)
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return {**result, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit}


def ingest(path: Path) -> dict[str, float]:
    """The way of `labeler ingest`, with the seconds of its three parts."""
    from labeler.files import records as files  # noqa: PLC0415
    from labeler.posts import platforms, posts  # noqa: PLC0415
    from labeler.store import database as store  # noqa: PLC0415
    from labeler.store import tables  # noqa: PLC0415  each child loads only what it measures

    engine = store.connect(f"sqlite:///{path.parent / 'made-up.db'}")
    convert = partial(platforms.post, form=None, columns=None)
    parts = {"read": 0.0, "pure": 0.0, "store": 0.0}
    count = 0
    began = clock = time.perf_counter()

    def lap(part: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        parts[part] += now - clock
        clock = now

    records = files.records(path, chunk=CHUNK)
    while portion := list(islice(records, CHUNK)):
        lap("read")
        made = posts.chunk(
            portion,
            convert=convert,
            secret=b"made up",
            source=path.name,
            ingested="2024-01-01T00:00:00Z",
        )
        lap("pure")
        count += store.add(engine, tables.POSTS, made.posts)
        lap("store")
    seconds = time.perf_counter() - began
    engine.dispose()
    return {"posts": count, "seconds": seconds, **parts}


def read_by_pandas(path: Path) -> dict[str, float]:
    """The whole file as one frame, without doing anything with it."""
    import pandas as pd  # noqa: PLC0415

    began = time.perf_counter()
    if path.suffix == ".csv":
        frame = pd.read_csv(path)
    elif path.suffix == ".parquet":
        frame = pd.read_parquet(path)
    else:
        frame = pd.read_json(path, lines=True)
    return {"posts": len(frame), "seconds": time.perf_counter() - began}


def make(path: Path, size: int) -> None:
    """Write a file of made-up posts, the same each time, without holding it in memory."""
    if path.suffix == ".parquet":
        make_parquet(path, size)
    elif path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            for number, row in enumerate(rows(size)):
                if number == 0:
                    writer.writerow(row)
                writer.writerow(row.values())
    else:
        with path.open("w", encoding="utf-8") as file:
            for row in rows(size):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


def make_parquet(path: Path, size: int) -> None:
    """The same posts as Parquet, in row groups of 100,000."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    stream = rows(size)
    first = pa.Table.from_pylist(list(islice(stream, 100_000)))
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        while portion := list(islice(stream, 100_000)):
            writer.write_table(pa.Table.from_pylist(portion, schema=first.schema))


def rows(size: int) -> Iterator[dict[str, str]]:
    """Made-up rows of a table with our own column names."""
    chance = random.Random(1)
    for number in range(size):
        words = chance.choices(WORDS, k=chance.randrange(10, 80))
        yield {
            "text": " ".join(words),
            "id": str(number),
            "platform": "made-up",
            "date": f"2024-01-{number % 28 + 1:02}T12:00:00Z",
            "url": f"https://example.org/{number}",
            "author": f"somebody-{chance.randrange(size // 5 + 1)}",
        }


if __name__ == "__main__":
    main()
