"""What leaves in a post, and the way back from the sent text to the original."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from made_up_snippets import HARMLESS, SNIPPETS
from made_up_snippets_further import HARMLESS as FURTHER_HARMLESS
from made_up_snippets_further import SNIPPETS as FURTHER
from thorough import examples

from labeler.errors import InputError
from labeler.posts import deidentify
from labeler.posts.deidentify import hide, hide_all, original_offsets, rules

SECRET = b"made up for the tests, 32 bytes.."
OTHER = b"another secret, also made up...."
PLACEHOLDER = re.compile(r"\[(?:user|url|email|phone|account|ip|subreddit)_[0-9a-f]{6}\]")
RISKY = [stretch for _, expected in [*SNIPPETS, *FURTHER] for _, stretch in expected]
GLUE = [" ", "\n", "", ".", ", ", "/", "@", ":", "(", ")", "[", "]", "-", "\0", "call ", "u/", "🎉"]
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(RISKY),
        st.sampled_from(GLUE),
        st.sampled_from(HARMLESS),
        st.sampled_from(
            ["[user_ab12cd]", "[url_000000]", "\u200d", "\u202b", "עברית", "中文", "é"]
        ),
        st.text(max_size=8),
    ),
    max_size=8,
).map("".join)


@pytest.mark.parametrize(("text", "expected"), [*SNIPPETS, *FURTHER])
def test_what_must_not_leave_is_found(text, expected):
    """Exactly the stretches that lead to a person or an account are replaced, kind by kind."""
    hidden = hide(text, secret=SECRET)
    found = [(span.kind, text[span.original_start : span.original_end]) for span in hidden.spans]
    assert found == list(expected)
    assert sum(hidden.counts.values()) == len(expected)


@pytest.mark.parametrize("text", [*HARMLESS, *FURTHER_HARMLESS])
def test_ordinary_words_stay(text):
    """Dates, doses, scores, prices, abbreviations and masked swear words leave as they are."""
    assert hide(text, secret=SECRET) == (text, (), {})


def test_shape_of_a_hidden_post():
    """Placeholders stand where the identifiers stood; the spans say so in both texts."""
    hidden = hide("🎉 @Alice: see https://t.co/Ab1 🎉", secret=SECRET)
    user, url = hidden.spans
    assert hidden.text == f"🎉 {user.placeholder}: see {url.placeholder} 🎉"
    assert user[:5] == (2, 2 + len(user.placeholder), 2, 8, "user")
    assert (url.original_start, url.original_end) == (14, 30)
    assert hidden.counts == {"user": 1, "url": 1}
    assert all(PLACEHOLDER.fullmatch(span.placeholder) for span in hidden.spans)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("@Alice_91 hi", "thanks u/alice\\_91"),
        ("https://Example.com/a", "www.example.com/a/"),
        ("Jane@Example.com", "jane(at)example(dot)com"),
        ("+1 202-555-0143", "+1 (202) 555 0143"),
        ("+44 (0)20 7946 0958", "0044 20 79460958"),
        ("DE89 3704 0044 0532 0130 00", "de89370400440532013000"),
        ("2001:db8::8a2e:370:7334", "2001:0DB8:0:0:0:8A2E:370:7334"),
    ],
)
def test_one_value_has_one_placeholder(one, other):
    """Two spellings of a handle, address or number have the same placeholder in every post."""
    (first,), (second,) = hide(one, secret=SECRET).spans, hide(other, secret=SECRET).spans
    assert first.placeholder == second.placeholder


@pytest.mark.parametrize(
    ("one", "other"),
    [("@alice", "@alicia"), ("youtu.be/abc", "youtu.be/ABC"), ("@alice", "alice@example.com")],
)
def test_other_values_have_other_placeholders(one, other):
    """Different accounts stay different, and paths of URLs keep their case."""
    (first,), (second,) = hide(one, secret=SECRET).spans, hide(other, secret=SECRET).spans
    assert first.placeholder != second.placeholder


def test_a_placeholder_needs_the_secret():
    """Another project's secret gives other placeholders, so they cannot be looked up."""
    text = "@alice jane@example.com https://t.co/x1 +1 202-555-0143"
    ours = {span.placeholder for span in hide(text, secret=SECRET).spans}
    theirs = {span.placeholder for span in hide(text, secret=OTHER).spans}
    assert len(ours) == 4
    assert not ours & theirs


def test_subreddits_only_on_request():
    """Names of communities stay unless they are asked to be hidden; page and ledger say which."""
    text = "seen on r/tea and /r/Tea by r/u_kiwi99, w/r/t km/r/x"
    assert hide(text, secret=SECRET).counts == {"user": 1}
    hidden = hide(text, secret=SECRET, subreddits=True)
    assert hidden.counts == {"subreddit": 2, "user": 1}
    assert hidden.spans[0].placeholder == hidden.spans[1].placeholder
    assert "are replaced" in rules(subreddits=True)
    assert "are not replaced" in rules(subreddits=False)


def test_the_rules_say_what_is_not_found():
    """Ledger and pages must not promise that names of persons are hidden."""
    assert "names of persons" in rules(subreddits=False).partition("Not found offline")[2]
    assert f"rules {deidentify.RULES}:" in rules(subreddits=False)


def test_a_placeholder_written_by_an_author_confuses_nothing():
    """A text that holds another's placeholder maps back by position."""
    (user,) = hide("@alice", secret=SECRET).spans
    text = f"{user.placeholder} not @alice"
    hidden = hide(text, secret=SECRET)
    first, second = 0, hidden.text.rindex(user.placeholder)
    size = len(user.placeholder)
    assert original_offsets(hidden, first, first + size) == (0, size)
    assert original_offsets(hidden, second, second + size) == (len(text) - 6, len(text))


def test_a_stretch_widens_to_whole_placeholders():
    """A quote that begins or ends inside a placeholder covers the whole original of it."""
    text = "hi @alice, see www.example.com/tea ok"
    hidden = hide(text, secret=SECRET)
    user, url = hidden.spans
    assert original_offsets(hidden, user.start + 2, url.start + 1) == (3, 34)
    assert original_offsets(hidden, user.end, url.start) == (9, 15)
    assert original_offsets(hidden, user.start + 1, user.start + 1) == (3, 9)
    assert original_offsets(hidden, user.start, user.start) == (3, 3)
    assert original_offsets(hidden, 0, len(hidden.text)) == (0, len(text))


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 2), (0, 99)])
def test_offsets_outside_the_sent_text_are_refused(start, end):
    """Offsets that are none of the sent text are an error, not another place."""
    with pytest.raises(InputError, match="give offsets of the text that was sent"):
        original_offsets(hide("@alice", secret=SECRET), start, end)


@examples(150)
@given(TEXTS, st.booleans())
def test_spans_tile_both_texts(text, subreddits):
    """Between the placeholders both texts are the same, and every stretch maps back exactly."""
    hidden = hide(text, secret=SECRET, subreddits=subreddits)
    sent = original = 0
    for span in hidden.spans:
        assert hidden.text[sent : span.start] == text[original : span.original_start]
        assert original_offsets(hidden, sent, span.start) == (original, span.original_start)
        assert hidden.text[span.start : span.end] == span.placeholder
        assert span.original_end > span.original_start
        whole = (span.original_start, span.original_end)
        assert original_offsets(hidden, span.start, span.end) == whole
        sent, original = span.end, span.original_end
    assert hidden.text[sent:] == text[original:]


@examples(100)
@given(TEXTS, st.data())
def test_any_stretch_maps_back(text, data):
    """A stretch outside placeholders is the same text there; another covers at least its words."""
    hidden = hide(text, secret=SECRET)
    end = data.draw(st.integers(0, len(hidden.text)))
    start = data.draw(st.integers(0, end))
    first, last = original_offsets(hidden, start, end)
    assert 0 <= first <= last <= len(text)
    if not any(span.start < end and start < span.end for span in hidden.spans):
        assert text[first:last] == hidden.text[start:end]


@examples(200)
@given(TEXTS, st.booleans())
@example("youtube.de/@alice", False)
@example("@a1@b1 @5@alice", False)
@example("jane@example.com@alice/x.com/y", True)
def test_hiding_twice_changes_nothing(text, subreddits):
    """Placeholders are no identifiers, and what stays beside them is none either."""
    once = hide(text, secret=SECRET, subreddits=subreddits).text
    assert hide(once, secret=SECRET, subreddits=subreddits).text == once


@examples(100)
@given(st.lists(st.sampled_from(RISKY), min_size=1, max_size=5))
def test_nothing_that_was_found_alone_leaves_in_company(stretches):
    """In a post of several identifiers between blanks none is left over."""
    hidden = hide(" | ".join(stretches), secret=SECRET)
    rest = PLACEHOLDER.sub("", hidden.text)
    alone = [stretch for stretch in stretches if hide(stretch, secret=SECRET).text != stretch]
    assert not [stretch for stretch in alone if stretch in rest]


def test_many_posts_as_one_by_one():
    """hide_all is hide for each post, in order."""
    texts = [text for text, _ in SNIPPETS]
    assert hide_all(texts, secret=SECRET) == [hide(text, secret=SECRET) for text in texts]


@pytest.mark.parametrize("sign", ["a.", "@", "a@", "1 ", "(", "https://", "\\_", "a.b@", "[at]"])
def test_long_repetitions_are_read_in_time(sign):
    """A post of one repeated sign, as long as a platform allows, does not hang the run."""
    text = sign * (10_000 // len(sign))
    assert hide(text, secret=SECRET).text
