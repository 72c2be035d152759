"""Raw records of each platform become posts. All records here are made up."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.errors import InputError
from labeler.posts import platforms
from labeler.posts.fields import id_in, plain, platform_in, unescaped, utc

BRANDWATCH = {
    "Full Text": "My made-up chatbot calmed me.",
    "Date": "2024-01-31 09:05:07.0",
    "Url": "https://www.reddit.com/r/made_up/comments/abc12/a_title/def34/",
}
SUBMISSION = {
    "id": "abc12",
    "name": "t3_abc12",
    "title": "Made up &amp; short",
    "selftext": "I &lt;3 it, he wrote &amp;lt;b&amp;gt;",
    "author": "somebody",
    "created_utc": 1706691907.0,
    "permalink": "/r/made_up/comments/abc12/made_up/",
    "url": "https://example.org/elsewhere",
}
COMMENT = {
    "id": "def34",
    "body": "A made-up answer",
    "author": "[deleted]",
    "created_utc": "1706691907",
    "link_id": "t3_abc12",
}
X_NEW = {
    "data": {
        "id": "1750000000000000001",
        "text": "cut …",
        "note_tweet": {"text": "Tom &amp; I, uncut"},
        "author_id": "77",
        "created_at": "2024-01-31T09:05:07.000Z",
        "edit_history_tweet_ids": ["1750000000000000001"],
    },
    "includes": {"users": [{"id": "77", "username": "made_up"}]},
}
X_OLD = {
    "id": 1750000000000000001,
    "id_str": "1750000000000000001",
    "full_text": "It is &gt; nothing",
    "created_at": "Wed Jan 31 09:05:07 +0000 2024",
    "user": {"id_str": "77", "screen_name": "made_up"},
}
THREAD = {
    "kind": "youtube#commentThread",
    "id": "Ug1",
    "snippet": {
        "videoId": "vid1",
        "topLevelComment": {
            "kind": "youtube#comment",
            "id": "Ug1",
            "snippet": {
                "textDisplay": "so <b>good</b><br>Tom &amp; I",
                "textOriginal": "so *good*\nTom & I",
                "authorDisplayName": "@made-up",
                "authorChannelId": {"value": "UC1"},
                "publishedAt": "2024-01-31T09:05:07Z",
            },
        },
    },
}
REPLY = {
    "kind": "youtube#comment",
    "id": "Ug1.2",
    "snippet": {
        "textDisplay": "so <b>good</b> &lt;3<br>Tom &amp; I &#39;agree&#39;",
        "parentId": "Ug1",
        "authorDisplayName": "@made-up",
        "publishedAt": "2024-01-31T09:05:07Z",
    },
}
VIDEO = {
    "kind": "youtube#video",
    "id": "vid1",
    "snippet": {
        "title": "A made-up video",
        "description": "about nothing",
        "channelId": "UC1",
        "publishedAt": "2024-01-31T09:05:07Z",
    },
}
TIKTOK_VIDEO = {
    "id": 7300000000000000001,
    "video_description": "made up #adhd",
    "create_time": 1706691907,
    "username": "made.up",
    "region_code": "NO",
}
TIKTOK_COMMENT = {
    "id": "7300000000000000002",
    "video_id": 7300000000000000001,
    "text": "made up",
    "create_time": 1706691907,
    "parent_comment_id": 7300000000000000001,
}
FACEBOOK_GRAPH = {
    "id": "10_20",
    "message": "Made up",
    "created_time": "2024-01-31T09:05:07+0000",
    "permalink_url": "https://www.facebook.com/10/posts/20",
    "from": {"id": "10", "name": "Made Up"},
}
FACEBOOK_LIBRARY = {
    "id": "20",
    "text": "Made up",
    "creation_time": "2024-01-31T09:05:07+00:00",
    "mcl_url": "https://www.facebook.com/20",
    "post_owner": {"type": "page", "id": "10", "name": "Made Up"},
}
BLUESKY_RECORD = {
    "$type": "app.bsky.feed.post",
    "text": "Made up",
    "createdAt": "2024-01-31T10:05:07.123+01:00",
}
BLUESKY_VIEW = {
    "uri": "at://did:plc:made/app.bsky.feed.post/3kaa",
    "cid": "bafy",
    "author": {"did": "did:plc:made", "handle": "made.up"},
    "record": BLUESKY_RECORD,
    "indexedAt": "2024-01-31T09:05:09Z",
}
BLUESKY_COMMIT = {
    "did": "did:plc:made",
    "time_us": 1706691907000000,
    "kind": "commit",
    "commit": {
        "operation": "create",
        "collection": "app.bsky.feed.post",
        "rkey": "3kaa",
        "record": BLUESKY_RECORD,
        "cid": "bafy",
    },
}
WHEN = "2024-01-31T09:05:07Z"

SHAPES = [
    (BRANDWATCH, "brandwatch"),
    (SUBMISSION, "reddit"),
    ({"kind": "t3", "data": SUBMISSION}, "reddit"),
    (COMMENT, "reddit"),
    (X_NEW, "x"),
    (X_NEW["data"], "x"),
    ({"tweet": X_OLD}, "x"),
    (X_OLD, "x"),
    (THREAD, "youtube"),
    (REPLY, "youtube"),
    (VIDEO, "youtube"),
    (TIKTOK_VIDEO, "tiktok"),
    (TIKTOK_COMMENT, "tiktok"),
    (FACEBOOK_GRAPH, "facebook"),
    (FACEBOOK_LIBRARY, "facebook"),
    (BLUESKY_VIEW, "bluesky"),
    ({"post": BLUESKY_VIEW}, "bluesky"),
    ({"uri": BLUESKY_VIEW["uri"], "cid": "b", "value": BLUESKY_RECORD}, "bluesky"),
    (BLUESKY_COMMIT, "bluesky"),
    ({"text": "Made up"}, "table"),
]


@pytest.mark.parametrize(("record", "form"), SHAPES)
def test_shape_names_the_form(record, form):
    """Each platform's record is recognised by its shape, and its time is read."""
    assert platforms.recognise(record) == form
    assert platforms.post(record)["created"] == ("" if form == "table" else WHEN)


def test_brandwatch_takes_platform_and_id_from_the_address():
    """The platform of a Brandwatch row is the host's, its id that of the comment."""
    assert platforms.post(BRANDWATCH) == {
        "platform": "reddit",
        "platform_id": "t1_def34",
        "author": "",
        "created": WHEN,
        "url": BRANDWATCH["Url"],
        "text": "My made-up chatbot calmed me.",
        "original": "My made-up chatbot calmed me.",
    }


@pytest.mark.parametrize(
    ("url", "platform", "name"),
    [
        ("https://old.reddit.com/r/a/comments/abc/t/", "reddit", ""),
        ("https://twitter.com/made_up/status/175", "x", "175"),
        ("https://mobile.x.com/i/web/status/175?s=20", "x", "175"),
        ("https://www.youtube.com/watch?v=vid1", "youtube", ""),
        ("https://www.youtube.com/watch?v=vid1&lc=Ug1", "youtube", "Ug1"),
        ("https://m.tiktok.com/@made.up/video/73", "tiktok", ""),
        ("bsky.app/profile/made.up/post/3kaa", "bluesky", ""),
        ("https://www.facebook.com/10/posts/20", "facebook", ""),
        ("https://notreddit.com/comments/a/b/c", "notreddit.com", ""),
        ("https://www.example.org/forum/1", "example.org", ""),
        ("", "unknown", ""),
    ],
)
def test_address_tells_platform_and_sometimes_the_id(url, platform, name):
    """Addresses shared by many posts, as a thread's or a video's, give no id."""
    assert (platform_in(url), id_in(url, platform)) == (platform, name)


def test_reddit_submission_joins_title_and_text():
    """A submission's text is title and body; & < > are decoded once, the rest is untouched."""
    made = platforms.post(SUBMISSION)
    assert made["text"] == "Made up & short\n\nI <3 it, he wrote &lt;b&gt;"
    assert made["original"] == f"{SUBMISSION['title']}\n\n{SUBMISSION['selftext']}"
    assert made["platform_id"] == "t3_abc12"
    assert made["url"] == "https://www.reddit.com/r/made_up/comments/abc12/made_up/"
    assert made["author"] == "somebody"


def test_reddit_comment_gets_its_full_name_and_no_author():
    """An archive's comment lacks name and permalink; both are made; a gone account is no author."""
    made = platforms.post(COMMENT)
    assert made["platform_id"] == "t1_def34"
    assert made["url"] == "https://www.reddit.com/comments/abc12/_/def34"
    assert made["author"] == ""


@pytest.mark.parametrize(
    "record",
    [
        {**COMMENT, "body": "[deleted]"},
        {**COMMENT, "body": "[removed]"},
        {**SUBMISSION, "selftext": "[removed]"},
        {**SUBMISSION, "selftext": "", "title": "[deleted by user]"},
        {**BRANDWATCH, "Full Text": " [Deleted] "},
    ],
)
def test_removed_posts_are_refused(record):
    """What its author or a moderator took away is not a post any more."""
    with pytest.raises(InputError, match="removed by its author"):
        platforms.post(record)


@pytest.mark.parametrize(
    ("record", "text"), [(X_NEW, "Tom & I, uncut"), (X_OLD, "It is > nothing")]
)
def test_x_posts_of_both_apis(record, text):
    """The uncut text counts, & < > are decoded, and the address does not show the handle."""
    made = platforms.post(record)
    assert (made["text"], made["author"]) == (text, "77")
    assert made["platform_id"] == "1750000000000000001"
    assert made["url"] == "https://x.com/i/web/status/1750000000000000001"


def test_youtube_thread_is_its_first_comment():
    """Of a comment thread the top comment is the post, in the author's own words."""
    made = platforms.post(THREAD)
    assert made["text"] == "so *good*\nTom & I"
    assert (made["platform_id"], made["author"]) == ("Ug1", "UC1")
    assert made["url"] == "https://www.youtube.com/watch?v=vid1&lc=Ug1"


def test_youtube_shown_text_becomes_plain():
    """Where only the shown text is given, its bit of HTML is undone and the original kept."""
    made = platforms.post(REPLY)
    assert made["text"] == "so good <3\nTom & I 'agree'"
    assert made["original"] == REPLY["snippet"]["textDisplay"]
    assert (made["author"], made["url"]) == ("@made-up", "")


def test_youtube_video_and_search_result():
    """A video's post is title and description, whether listed or found by search."""
    made = platforms.post(VIDEO)
    assert made["text"] == "A made-up video\n\nabout nothing"
    assert platforms.post({**VIDEO, "id": {"videoId": "vid1"}}) == made


def test_tiktok_videos_and_comments():
    """A TikTok id stays whole, and a comment leads to its video."""
    video, comment = platforms.post(TIKTOK_VIDEO), platforms.post(TIKTOK_COMMENT)
    assert (video["platform_id"], video["author"]) == ("7300000000000000001", "made.up")
    assert (comment["platform_id"], comment["author"]) == ("7300000000000000002", "")
    assert video["url"] == comment["url"]
    assert video["text"] == "made up #adhd"


def test_facebook_posts_of_both_apis():
    """Graph API and Content Library give the same parts under other names."""
    graph, library = platforms.post(FACEBOOK_GRAPH), platforms.post(FACEBOOK_LIBRARY)
    assert (graph["platform_id"], graph["author"], graph["text"]) == ("10_20", "10", "Made up")
    assert (library["platform_id"], library["author"], library["text"]) == ("20", "10", "Made up")
    assert library["url"] == "https://www.facebook.com/20"


def test_bluesky_shapes_agree():
    """Post view, feed entry, stored record and jetstream commit are the same post."""
    view = platforms.post(BLUESKY_VIEW)
    assert view["author"] == "did:plc:made"
    assert view["url"] == "https://bsky.app/profile/did:plc:made/post/3kaa"
    assert platforms.post({"post": BLUESKY_VIEW}) == view
    assert platforms.post(BLUESKY_COMMIT) == view
    stored = {"uri": BLUESKY_VIEW["uri"], "value": BLUESKY_RECORD}
    assert platforms.post(stored) == view


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({**BLUESKY_COMMIT, "commit": {"operation": "delete"}}, "removed by its author"),
        (
            {**BLUESKY_COMMIT, "commit": {"collection": "app.bsky.feed.like", "rkey": "1"}},
            "not a post.*like",
        ),
        ({"did": "did:plc:made", "time_us": 1, "kind": "identity"}, "not a post.*identity"),
        ({**BRANDWATCH, "Full Text": " \n"}, "no text"),
        ({**BRANDWATCH, "Date": "31/01/2024"}, "bad date '31/01/2024': write 2024"),
        ({**BRANDWATCH, "Url": "javascript:alert(1)"}, "bad address"),
        ({**BRANDWATCH, "Url": "http://[bad"}, "bad address"),
        ({**COMMENT, "body": ["a"]}, "'body' is not text but list"),
        ({**X_OLD, "id_str": 1.75e18}, "digits may be lost"),
        ({"data": [{"id": "1", "text": "a"}], "meta": {}}, "'data' is a list"),
        ({"kind": "Listing", "data": {"children": [{}]}}, "'children' is a list"),
        ({"kind": "youtube#commentThreadListResponse", "items": [{}]}, "'items' is a list"),
        ({"data": {"videos": [{}], "cursor": 1}, "error": {}}, "'videos' is a list"),
        ({"words": "a"}, "no text: say which column holds it: words"),
    ],
)
def test_refusals_say_why(record, reason):
    """A record that holds no post is refused with a reason that tells what to change."""
    with pytest.raises(InputError, match=reason):
        platforms.post(record)


def test_table_with_named_columns():
    """Named columns lead to a post; columns that are not named are not read."""
    row = {"Body": "Made up", "No": 7, "When": date(2024, 1, 31), "Net": "Twitter", "author": "a"}
    columns = {"text": "Body", "id": "No", "date": "When", "platform": "Net"}
    assert platforms.post(row, columns=columns) == {
        "platform": "x",
        "platform_id": "7",
        "author": "",
        "created": "2024-01-31T00:00:00Z",
        "url": "",
        "text": "Made up",
        "original": "Made up",
    }


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"text": "Bodi"}, "no column 'Bodi': the columns are Body, url"),
        ({"words": "Body"}, "'words' names no part of a post"),
        ({"url": "url"}, "no text: say which column"),
    ],
)
def test_table_with_wrong_columns(columns, reason):
    """A wrong column name is refused, with the names there are."""
    with pytest.raises(InputError, match=reason):
        platforms.post({"Body": "Made up", "url": ""}, columns=columns)


def test_form_can_be_named():
    """A named form wins over the shape; an unknown one is refused with the list."""
    sparse = {"id": "5", "text": "Made up"}
    assert platforms.post(sparse, form="x")["platform"] == "x"
    assert platforms.post(sparse)["platform"] == "unknown"
    with pytest.raises(InputError, match="no format is called 'myspace': use one of reddit"):
        platforms.post(sparse, form="myspace")


@pytest.mark.parametrize(
    "value",
    [
        "2024-01-31T09:05:07Z",
        "2024-01-31 09:05:07",
        "2024-01-31T14:05:07+0500",
        "Wed Jan 31 09:05:07 +0000 2024",
        1706691907,
        1706691907.5,
        "1706691907.0",
        1706691907000,
        1706691907000000,
        datetime(2024, 1, 31, 9, 5, 7),
        datetime(2024, 1, 31, 9, 5, 7, tzinfo=UTC),
    ],
)
def test_times_become_utc(value):
    """Every way a platform writes a time ends as the same text: 1706691907 s is this moment."""
    assert utc(value) == WHEN


@pytest.mark.parametrize("value", ["soon", "2024-13-01", 5, 20240131, True, 1e300, float("nan")])
def test_bad_times_are_refused(value):
    """What is no time, or could be two, is refused."""
    with pytest.raises(InputError, match="bad date"):
        utc(value)


def test_missing_times_are_empty_and_compact_days_are_days():
    """No time is '', and eight digits are a day, not seconds."""
    assert [utc(None), utc(" "), utc("20240131")] == ["", "", "2024-01-31T00:00:00Z"]


@given(st.text(alphabet="&<>lgtamp; b"))
def test_escaping_is_undone_once(text):
    """Whatever a person wrote comes back from the platform's escaping, entities included."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert unescaped(escaped) == text


def test_plain_leaves_hearts_and_unknown_tags():
    """Signs that only look like HTML stay."""
    assert plain("I <3 a<b and <3 <br/>x &amp;lt;") == "I <3 a<b and <3 \nx &lt;"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
NAMES = sorted({name for record, _ in SHAPES for name in record} | {"collection", "rkey", "date"})


@given(
    st.dictionaries(st.sampled_from(NAMES), JSON | st.sampled_from([r for r, _ in SHAPES])),
    st.sampled_from([None, *platforms.FORMS]),
)
def test_any_record_is_a_post_or_refused(record, form):
    """No record, however odd, ends in anything but a post of texts or an InputError."""
    try:
        made = platforms.post(record, form=form)
    except InputError:
        return
    assert all(isinstance(value, str) for value in made.values())
    assert made["text"].strip()
