"""Records become rows of the posts table. All texts here are made up."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.errors import InputError
from labeler.keys import key, keyed
from labeler.posts import platforms, posts
from labeler.store import tables
from labeler.text.duplicates import words_key

SECRET = b"made up"
TIME = "2024-02-01T00:00:00Z"


def record(line, text="Made up", **more):
    content = {"text": text, **more}
    return line, content, "", json.dumps(content)


def chunk(*records, convert=platforms.post):
    return posts.chunk(records, convert=convert, secret=SECRET, source="a.jsonl", ingested=TIME)


def test_row_of_the_posts_table():
    """A record becomes a row with the agreed key, a hidden author, source and time."""
    made = chunk(
        record(
            1, id="5", platform="reddit", author="somebody", date="2024-01-31", url="https://a.b"
        )
    )
    assert made.posts.to_dict("records") == [
        {
            "unit": key({"platform": "reddit", "id": "5"}),
            "platform": "reddit",
            "platform_id": "5",
            "author": keyed("somebody", secret=SECRET),
            "created": "2024-01-31T00:00:00Z",
            "url": "https://a.b",
            "text": "Made up",
            "original": "",
            "source": "a.jsonl",
            "ingested": TIME,
            "words": words_key("made up"),
        }
    ]
    assert made.rejected.empty


def test_unit_without_id_is_keyed_by_its_sanitised_text():
    """Two files that differ in line ends only hold the same unit."""
    left = chunk(record(1, "a\r\nb")).posts.iloc[0]
    right = chunk(record(1, "a\nb")).posts.iloc[0]
    assert left["unit"] == right["unit"] == key({"platform": "unknown", "text": "a\nb"})
    assert (left["original"], right["original"]) == (r'"a\r\nb"', "")


def test_original_survives_what_no_database_stores():
    """NUL and lone surrogates leave the text; the original is kept as a JSON string in ASCII."""
    text = "a\0b\ud83dc 😀"
    row = chunk(record(1, text, id="x\ud800", author="y\0")).posts.iloc[0]
    assert row["text"] == "abc 😀"
    assert row["original"].isascii()
    assert json.loads(row["original"]) == text
    assert (row["platform_id"], row["author"]) == ("x", keyed("y", secret=SECRET))


def test_decoded_entities_keep_the_original():
    """What the platform escaped is decoded in the text and kept in the original."""
    raw = {"id": "a1", "body": "you &amp; me", "created_utc": 1706691907}
    row = chunk((1, raw, "", "")).posts.iloc[0]
    assert (row["text"], json.loads(row["original"])) == ("you & me", "you &amp; me")


def test_bad_records_are_kept_aside_and_the_rest_goes_on():
    """Faults of reading, of converting and of emptied texts are rows with line and reason."""
    made = chunk(
        (1, None, "broken JSON: made up", "{"),
        record(2),
        record(3, date="soon"),
        (4, {"text": "\0"}, "", ""),
    )
    assert made.posts["text"].to_list() == ["Made up"]
    assert list(made.rejected.columns) == ["file", "line", "reason", "raw"]
    assert made.rejected["line"].to_list() == [1, 3, 4]
    assert made.rejected["file"].unique().tolist() == ["a.jsonl"]
    reasons = made.rejected["reason"].to_list()
    assert reasons[0] == "broken JSON: made up"
    assert reasons[1].startswith("bad date 'soon'")
    assert reasons[2] == "no text: nothing is left after sanitising"
    assert made.rejected["raw"].to_list() == [
        "{",
        '{"text": "Made up", "date": "soon"}',
        '{"text": "\\u0000"}',
    ]


def test_a_reason_with_lone_surrogates_is_stored():
    """A record cannot break the run by what it puts into its own error message."""
    rejected = chunk(record(1, date="\ud800")).rejected
    assert rejected["reason"].iloc[0].startswith("bad date")


def test_a_unit_that_comes_twice_keeps_its_first_post():
    """Within a chunk the first post of a unit stays, and no key repeats."""
    made = chunk(record(1, "first", id="1"), record(2, "second", id="1"), record(3, id="2"))
    assert made.posts["text"].to_list() == ["first", "Made up"]


def test_no_record_gives_empty_frames():
    """An empty chunk has the tables' columns and no rows."""
    made = chunk()
    assert list(made.posts.columns) == tables.columns(tables.POSTS)
    assert made.posts.empty
    assert made.rejected.empty
    assert made.rejected["line"].dtype == "Int64"


def test_authors_are_hidden_by_the_secret():
    """Another secret gives another key, and no author stays no author."""
    given_ = [record(1, id="1", author="a"), record(2, id="2", author="a"), record(3, id="3")]
    ours = chunk(*given_).posts["author"].to_list()
    theirs = posts.chunk(
        given_, convert=platforms.post, secret=b"other", source="", ingested=TIME
    ).posts["author"]
    assert ours[0] == ours[1] != theirs.iloc[0]
    assert ours[2] == theirs.iloc[2] == ""


def test_errors_that_are_not_of_the_record_are_not_swallowed():
    """Only an InputError becomes a row; anything else is a fault of the program."""

    def broken(_):
        raise KeyError("made up")

    with pytest.raises(KeyError):
        chunk(record(1), convert=broken)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("\r\0\n", "\n"),
        ("e\u0301 \u200b\t\u2028 ", "e\u0301 \u200b\t\u2028 "),
        ("\udc00😀\ud800", "😀"),
    ],
)
def test_sanitise_changes_three_things_only(text, clean):
    """NUL and lone surrogates go, line ends become LF, everything else stays."""
    assert posts.sanitise(text) == clean


@given(st.text(alphabet=st.characters() | st.sampled_from("\0\r\n\ud800\udfff")))
def test_sanitised_text_is_storable_and_stays(text):
    """Sanitising twice is sanitising once, and the result is UTF-8 without NUL and CR."""
    clean = posts.sanitise(text)
    assert posts.sanitise(clean) == clean
    assert not {"\0", "\r"} & set(clean)
    assert clean.encode("utf-8").decode("utf-8") == clean


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=5))
def test_any_texts_make_frames(triples):
    """Whatever stands in text, id and author, the run ends with rows and reasons."""
    given_ = [
        (line, {"text": text, "id": name, "author": author}, "", "")
        for line, (text, name, author) in enumerate(triples, start=1)
    ]
    made = chunk(*given_)
    assert len(made.posts) + len(made.rejected) <= len(given_)
    assert made.posts["unit"].is_unique


def test_refused_by_convert_is_an_input_error():
    """The reason is the message of the InputError, word for word."""

    def refuse(_):
        raise InputError("made up: change it")

    assert chunk(record(1), convert=refuse).rejected["reason"].to_list() == ["made up: change it"]
