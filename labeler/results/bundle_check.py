"""Is a bundle what it says? Its hashes, and every number made again from its own rows. Pure.

The tables that are computed from codings are computed again by the functions that computed them;
then every file is written again from the tables, figures and texts included, and compared byte by
byte. So a number that was changed is found though its hash was mended too: in its table, or in the
file that was made of it. What a bundle's own rows cannot tell is said (`TAKEN`).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from labeler.codebook import codebook as codebooks
from labeler.codebook.codebook import Codebook, Gate
from labeler.coding.batch import BatchCodings
from labeler.errors import InputError
from labeler.reliability.from_codings import from_codings
from labeler.reliability.gate import Family
from labeler.reliability.segments import OF_SEGMENTS
from labeler.results.bundle import MANIFEST, bundle
from labeler.results.formats.csv_files import read_back
from labeler.results.formats.declaration import BundleFacts, told_by
from labeler.store import tables

CSV = ".csv"
NEEDED = {
    *("codings", "coded", "tasks", "segments", "changes"),
    *("left_out", "coders", "authors", "looks"),
}
TABLES = {*tables.METADATA.tables, "coded", "left_out", "authors"}
ASIDE = {"computed_from", "run"}  # say when and of what a row was made, not what it says
CLOSE = 1e-9
TAKEN = {
    "assessments": "they compare with other batches and with answers that a bundle does not hold",
    "estimates": "the model's codes of all posts are not in a bundle",
    "segments in reliability": "how segments overlap needs the posts' texts",
}


class Difference(NamedTuple):
    """A cell that is not what it was computed from, or a file that is another ('' for the cell)."""

    file: str
    row: str
    column: str
    there: str
    again: str

    def __str__(self) -> str:
        """As one sentence."""
        where = f"{self.file}: {self.row}, {self.column}" if self.row else self.file
        return f"{where}: there stands {self.there}, made again it is {self.again}"


class BundleCheck(NamedTuple):
    """What was found: `differences`, the first of each file; `recomputed`: table → rows that were
    computed again; `written`: files that were written again; `taken`: what could not be, and why.
    """

    batch: str
    labeler: str
    differences: list[Difference]
    recomputed: dict[str, int]
    written: list[str]
    taken: dict[str, str]


def check(files: Mapping[str, bytes]) -> BundleCheck:
    """Compare a bundle (file name → content) with what its own rows say.

    Raises InputError where it is none: no manifest, no codebook, a table that cannot be read.
    """
    manifest = _manifest(files)
    hashes = list(_hashes(files, manifest))
    frames, book, text = _content(files, manifest)
    again = _recomputed(manifest, frames, book) if set(frames) >= NEEDED else {}
    differences = [
        one for name, rows in again.items() for one in _compared(name, frames[name], rows)
    ]
    facts = _facts(manifest, frames, book, text)
    made = bundle(frames, facts)
    differences += list(_files_compared(files, made, {one.file for one in differences}))
    named = {one.file for one in differences}
    return BundleCheck(
        str(manifest["batch"]),
        str(manifest["labeler"]),
        [*differences, *(one for one in hashes if one.file not in named)],
        {name: len(rows) for name, rows in again.items()},
        sorted(made),
        {name: why for name, why in TAKEN.items() if len(frames.get(name.split()[-1], ()))},
    )


def _manifest(files: Mapping[str, bytes]) -> dict[str, Any]:
    if MANIFEST not in files:
        raise InputError(f"no bundle: it has no {MANIFEST}")
    try:
        manifest = json.loads(files[MANIFEST])
        listed = {str(name): str(file["sha256"]) for name, file in manifest["files"].items()}
        [manifest[name] for name in ("batch", "labeler", "codebook", "suggester", "design")]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"{MANIFEST} is not as it was written: {error!r}") from error
    return {**manifest, "hashes": listed}


def _hashes(files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> Iterator[Difference]:
    """Files that are missing, or not those that the manifest lists."""
    for name, digest in sorted(manifest["hashes"].items()):
        if name not in files:
            yield Difference(name, "", "", "no file", "one that the manifest lists")
        elif (own := hashlib.sha256(files[name]).hexdigest()) != digest:
            yield Difference(
                name, "", "", f"a file of hash {own[:12]}…", f"{digest[:12]}… by the manifest"
            )


def _content(
    files: Mapping[str, bytes], manifest: Mapping[str, Any]
) -> tuple[dict[str, pd.DataFrame], Codebook, str]:
    """The tables of a bundle by name, its codebook, and that as text."""
    if "codebook.yaml" not in files:
        raise InputError("no bundle: it has no codebook.yaml")
    text = files["codebook.yaml"].decode(errors="replace")
    book = codebooks.read(text, source="codebook.yaml")
    if book.fingerprint != manifest["codebook"]:
        raise InputError(
            "codebook.yaml is not the codebook that the manifest names: codes may mean other "
            "things, and nothing can be made again"
        )
    names = [name.removesuffix(CSV) for name in sorted(files) if name.endswith(CSV)]
    held = {name: read_back(name, files[f"{name}{CSV}"]) for name in names if name in TABLES}
    return held, book, text


def _recomputed(
    manifest: Mapping[str, Any], frames: Mapping[str, pd.DataFrame], book: Codebook
) -> dict[str, pd.DataFrame]:
    """Result tables by name, from the codings of the bundle."""
    posts = frames["authors"]
    about = {name: manifest[name] for name in ("batch", "suggester", "design")}
    own = {name: frames[name] for name in ("codings", "segments", "changes", "tasks", "left_out")}
    coded = BatchCodings.of_tables(
        about,
        book,
        frames["coded"].drop(columns="unasked"),
        {**own, "posts": posts, "coders": frames["coders"]},
    )
    rows = frames.get("reliability", tables.frame(tables.RELIABILITY))
    ruled = frames.get("verdicts", tables.frame(tables.VERDICTS))
    family: Family = "holm" if "holm" in set(ruled["family"]) else "all"
    found = from_codings(coded, frames["looks"], gate=_gate(rows, book), family=family, run="")
    made = {
        "reliability": found.reliability,
        "verdicts": found.verdicts,
        "consensus": found.consensus,
        "disagreements": found.disagreements,
        "comparisons": found.comparisons,
    }
    return {name: frame for name, frame in made.items() if name in frames}


def _gate(rows: pd.DataFrame, book: Codebook) -> Gate | None:
    """The thresholds that were given in place of the codebook's, as the rows say; None: none."""
    for row in tables.rows(rows.dropna(subset=["tentative", "reliable"])):
        own = Gate(tentative=row.tentative, reliable=row.reliable)
        if own != book.thresholds(row.variable):
            return own
    return None


def _compared(name: str, there: pd.DataFrame, again: pd.DataFrame) -> Iterator[Difference]:
    """The first cell of a table that differs, by its key; what is not computed again is left."""
    table = tables.METADATA.tables[name]
    on = tables.keys(table)
    if name == "reliability":
        there = there[~there["coefficient"].str.startswith(OF_SEGMENTS)]
    old, new = (frame.set_index(on).sort_index() for frame in (there, again))
    for key in old.index.union(new.index):
        if key not in new.index or key not in old.index:
            words = ("a row", "none") if key in old.index else ("none", "a row")
            yield Difference(f"{name}{CSV}", _row(on, key), "the row", *words)
            return
    for column in old.columns:
        if column in ASIDE:
            continue
        pairs = zip(
            old.index, old[column].tolist(), new.loc[old.index, column].tolist(), strict=True
        )
        for key, before, after in pairs:
            if not _same(before, after):
                yield Difference(f"{name}{CSV}", _row(on, key), column, _cell(before), _cell(after))
                return


def _row(names: Sequence[str], key: Any) -> str:
    values = key if isinstance(key, tuple) else (key,)
    given = zip(names, values, strict=True)
    return " ".join(f"{name}={value}" for name, value in given if value != "" and name != "batch")


def _same(one: Any, other: Any) -> bool:
    if pd.isna(one) or pd.isna(other):
        return bool(pd.isna(one) and pd.isna(other))
    if isinstance(one, str):
        return bool(one == other)
    return math.isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE)


def _cell(value: Any) -> str:
    return "nothing" if pd.isna(value) or value == "" else str(value)


def _facts(
    manifest: Mapping[str, Any], frames: Mapping[str, pd.DataFrame], book: Codebook, text: str
) -> BundleFacts:
    """What the bundle says of itself, from its tables where they say it."""
    held = {name: manifest[name] for name in BundleFacts._fields if name in manifest}
    return BundleFacts(**{**held, **told_by(frames), "codebook": book, "codebook_text": text})


def _files_compared(
    files: Mapping[str, bytes], made: Mapping[str, bytes], named: set[str]
) -> Iterator[Difference]:
    """Files that are others than those which the same tables give.

    The manifest holds the hashes of all: it is compared where no other file differs.
    """
    found = []
    for name in sorted({*made} - {MANIFEST, *named}):
        if name not in files:
            found.append(Difference(name, "", "", "no file", "one"))
        elif made[name] != files[name]:
            found.append(_first_line(name, files[name], made[name]))
    yield from found
    if not named and not found and made[MANIFEST] != files[MANIFEST]:
        yield _first_line(MANIFEST, files[MANIFEST], made[MANIFEST])


def _first_line(name: str, there: bytes, again: bytes) -> Difference:
    """The first line in which two files differ; of what is no text, that they do."""
    try:
        old, new = there.decode().splitlines(), again.decode().splitlines()
    except UnicodeDecodeError:
        return Difference(name, "", "", "one file", "another")
    for number in range(max(len(old), len(new))):
        lines = [own[number] if number < len(own) else "no line" for own in (old, new)]
        if lines[0] != lines[1]:
            start = _first_character(*lines)
            shown = [line[max(0, start - 20) : start + 40] for line in lines]
            return Difference(name, f"line {number + 1}", f"character {start + 1}", *shown)
    return Difference(name, "", "", "one file", "another in its line ends")


def _first_character(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
