"""Requests to files of jobs, and lines of results to a frame. Every id and body is made up."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler import hints
from labeler.coders.llm import costs
from labeler.coders.llm.jobs import files
from labeler.coders.llm.jobs.files import FileLimits
from labeler.errors import InputError

ENDPOINT = "/v1/chat/completions"


def chunk(*rows: tuple[str, str, int]) -> pd.DataFrame:
    """Requests: completion (and unit), asked, bytes."""
    frame = pd.DataFrame(rows, columns=["completion", "asked", "bytes"])
    return frame.assign(unit=frame["completion"])


def split(chunks: list[pd.DataFrame], **limits: int) -> list[list[str]]:
    """The completions of each portion."""
    found = files.shards(chunks, limits=FileLimits(**limits))
    return [shard["completion"].tolist() for shard in found]


def test_a_line_is_openais_and_repeats_the_body_byte_for_byte() -> None:
    """The body stands in the line as it was given, beside key, method and address."""
    body = '{"model":"m","messages":[{"content":"\\u00e9 😀"}]}'
    line = files.line("k1", body, endpoint=ENDPOINT)
    assert body in line
    assert json.loads(line) == {
        "custom_id": "k1",
        "method": "POST",
        "url": ENDPOINT,
        "body": json.loads(body),
    }
    assert "\n" not in line


def test_lines_and_bytes_both_bound_a_portion() -> None:
    """By hand: 3 lines at most, or 10 bytes; chunks do not matter, order stays."""
    chunks = [
        chunk(("a", "a", 4), ("b", "b", 4), ("c", "c", 4)),
        chunk(("d", "d", 1), ("e", "e", 1)),
        chunk(("f", "f", 10)),
    ]
    assert split(chunks, lines=3, bytes=10) == [["a", "b"], ["c", "d", "e"], ["f"]]
    assert split(chunks, lines=2, bytes=100) == [["a", "b"], ["c", "d"], ["e", "f"]]
    assert split(chunks, lines=9, bytes=100) == [list("abcdef")]
    assert split([], lines=1, bytes=1) == []
    assert split([chunk()], lines=1, bytes=1) == []


def test_requests_that_share_a_line_stay_together() -> None:
    """Three posts in one request are one line, and go into one file."""
    chunks = [chunk(("a", "x", 5), ("b", "x", 5), ("c", "y", 5), ("d", "y", 5), ("e", "z", 5))]
    assert split(chunks, lines=1, bytes=10) == [["a", "b"], ["c", "d"], ["e"]]
    assert split(chunks, lines=9, bytes=10) == [["a", "b", "c", "d"], ["e"]]


def test_a_line_that_fits_no_file_is_named() -> None:
    """The unit stands in the message, and a hint says how a larger file is had."""
    with pytest.raises(InputError, match=r"unit b: its request has 11 bytes") as caught:
        split([chunk(("a", "a", 10), ("b", "b", 11))], lines=9, bytes=10)
    assert caught.value.hint == hints.LARGER_FILES


@given(
    sizes=st.lists(st.lists(st.integers(1, 9), max_size=6), max_size=6),
    lines=st.integers(1, 5),
    bytes_=st.integers(9, 30),
)
def test_every_request_is_in_one_portion_that_fits(
    sizes: list[list[int]], lines: int, bytes_: int
) -> None:
    """Nothing is lost or repeated, no portion is too large, and none could have begun later."""
    number = iter(range(10_000))
    chunks = [
        chunk(*((f"{n}", f"{n}", size) for size, n in zip(some, number, strict=False)))
        for some in sizes
    ]
    found = list(files.shards(chunks, limits=FileLimits(lines, bytes_)))
    wanted = [name for some in chunks for name in some["completion"]]
    assert [name for shard in found for name in shard["completion"]] == wanted
    assert all(0 < len(shard) <= lines for shard in found)
    assert all(shard["bytes"].sum() <= bytes_ for shard in found)
    for shard, following in pairwise(found):
        more = shard["bytes"].sum() + following["bytes"].iloc[0]
        assert len(shard) == lines or more > bytes_


def one(content: Any, fault: str = "") -> Any:
    """The row of a single line."""
    (row,) = files.results([(7, content, fault)]).to_dict("records")
    assert row["line"] == 7
    return row


def test_results_of_openai_and_vllm() -> None:
    """Answers, refused requests of both, and requests that were never answered."""
    body = {"choices": [], "model": "é"}
    good = one({"custom_id": "k", "response": {"status_code": 200, "body": body}, "error": None})
    assert (good["asked"], good["status"], json.loads(good["raw"])) == ("k", 200, body)
    refused = {"error": {"message": "too  long", "code": "string_above_max_length"}}
    openai = one({"custom_id": "k", "response": {"status_code": 400, "body": refused}})
    assert (openai["status"], json.loads(openai["raw"]), openai["fault"]) == (400, refused, "")
    error = {"object": "error", "message": "too long", "code": 400}
    vllm = {"custom_id": "k", "response": {"status_code": 400, "body": None}, "error": error}
    assert (one(vllm)["status"], json.loads(one(vllm)["raw"])) == (400, error)
    assert one(vllm)["detail"] == "too long"
    expired = {"code": "batch_expired", "message": "not in\n time"}
    never = one({"custom_id": "k", "response": None, "error": expired})
    assert (never["status"], never["code"], never["detail"]) == (0, "batch_expired", "not in time")
    bare = one({"custom_id": "k", "response": None, "error": error})
    assert bare["status"] == 400


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "no JSON"),
        ({}, "no custom_id"),
        ({"custom_id": 5}, "no custom_id"),
        ({"custom_id": "k"}, "neither a response nor an error"),
        ({"custom_id": "k", "response": [], "error": {}}, "neither a response nor an error"),
        ({"custom_id": "k", "response": {"body": {}}}, "a response without a status_code"),
        ({"custom_id": "k", "response": {"status_code": True}}, "a response without a status_code"),
    ],
)
def test_lines_that_are_no_result_say_why(content: Any, why: str) -> None:
    """A fault, and no key that an answer could be stored under."""
    row = one(content)
    assert (row["fault"], row["asked"], row["status"]) == (why, "", 0)


def test_shares_add_up() -> None:
    """Whole numbers, as equal as can be; unknown stays unknown."""
    assert costs.split(10, 3) == [4, 3, 3]
    assert costs.split(2, 3) == [1, 1, 0]
    assert costs.split(None, 2) == [None, None]
