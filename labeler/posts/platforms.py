"""A raw record of each platform → a post.

A post is a mapping of text to text: platform, platform_id, author (still the account's own name
or id: only `posts` hides it), created, url, text, original. `original` is the text as the
platform gave it, before its entities were decoded. `created` reads `2024-01-31T12:00:00Z`; a time
without a zone counts as UTC; '' where the record has none.

One record is one post: a page of an API's answer must be split first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from labeler.errors import InputError
from labeler.posts.fields import address, id_in, part, plain, platform_in, unescaped, utc, word

PLATFORMS = ("reddit", "x", "youtube", "tiktok", "facebook", "bluesky")
FORMS = (*PLATFORMS, "brandwatch", "table")
COLUMNS = ("text", "id", "platform", "date", "url", "author")

_REMOVED = {"[deleted]", "[removed]", "[deleted by user]", "[ removed by reddit ]"}
_PAGES = ("data", "items", "posts", "feed", "children", "videos", "comments", "tweets")


def post(
    record: Mapping[str, object],
    *,
    form: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The post that a raw record holds.

    `form` is one of FORMS; without it a record is a row of a table where `columns` are named,
    and is recognised by its shape otherwise. `columns` leads from our names (COLUMNS) to the
    table's; where it is given, only the columns it names are read.

    Raises InputError with the reason alone: no text, removed, a bad date, …; the caller knows
    file and line.
    """
    chosen = form or ("table" if columns else recognise(record))
    if chosen == "table":
        return _table(record, columns)
    if chosen not in _READERS:
        raise InputError(f"no format is called {chosen!r}: use one of {', '.join(FORMS)}")
    return _READERS[chosen](record)


def recognise(record: Mapping[str, object]) -> str:
    """The name (one of FORMS) of a record's format, by its shape.

    Raises InputError where the record is a page of many records.
    """
    for form, shaped in _SHAPES.items():
        if shaped(record):
            return form
    for holder in (record, part(record, "data")):
        page = next((name for name in _PAGES if isinstance(holder.get(name), list)), "")
        if page and "text" not in record:
            raise InputError(f"{page!r} is a list of records: write each on a line of its own")
    return "table"


def _is_reddit(record: Mapping[str, object]) -> bool:
    if record.get("kind") in ("t1", "t3"):
        return bool(part(record, "data"))
    return "created_utc" in record and ("selftext" in record or "body" in record)


def _is_bluesky(record: Mapping[str, object]) -> bool:
    if "time_us" in record and "did" in record:
        return True
    seen = part(record, "post") or record
    holds = "record" in seen or "value" in seen
    return holds and str(seen.get("uri", "")).startswith("at://")


def _is_youtube(record: Mapping[str, object]) -> bool:
    snippet = part(record, "snippet")
    return bool(snippet) and (
        str(record.get("kind", "")).startswith("youtube#")
        or any(name in snippet for name in ("topLevelComment", "textOriginal", "textDisplay"))
        or ("channelId" in snippet and "title" in snippet)
    )


def _is_tiktok(record: Mapping[str, object]) -> bool:
    return "video_description" in record or (
        "video_id" in record and "create_time" in record and "text" in record
    )


def _is_x(record: Mapping[str, object]) -> bool:
    seen = _tweet(record)
    names = ("author_id", "edit_history_tweet_ids", "id_str", "conversation_id", "note_tweet")
    return "full_text" in seen or ("text" in seen and any(name in seen for name in names))


def _is_facebook(record: Mapping[str, object]) -> bool:
    graph = "created_time" in record and any(
        name in record for name in ("message", "permalink_url", "from", "story")
    )
    library = "text" in record and any(
        name in record for name in ("post_owner", "mcl_url", "creation_time")
    )
    return graph or library


_SHAPES: dict[str, Callable[[Mapping[str, object]], bool]] = {
    "brandwatch": lambda record: "Full Text" in record,
    "reddit": _is_reddit,
    "bluesky": _is_bluesky,
    "youtube": _is_youtube,
    "tiktok": _is_tiktok,
    "x": _is_x,
    "facebook": _is_facebook,
}


def _reddit(record: Mapping[str, object]) -> dict[str, str]:
    # The API escapes & < > unless it is asked with raw_json=1; archives keep what it gave.
    data = part(record, "data") or record
    comment = "body" in data
    text = word(data, "body" if comment else "selftext")
    _present(text)
    if not comment:
        title = word(data, "title")
        _present(title)
        text = f"{title}\n\n{text}" if text.strip() else title
    short = word(data, "id") or word(data, "name")
    kind = "t1_" if comment else "t3_"
    full = short if not short or short.startswith(kind) else f"{kind}{short}"
    path = word(data, "permalink")
    if not path and full:
        thread = word(data, "link_id").removeprefix("t3_")
        path = f"/comments/{thread}/_/{full[3:]}" if comment else f"/comments/{full[3:]}"
    url = f"https://www.reddit.com{path}" if path.startswith("/") else path
    return _made(
        platform="reddit",
        platform_id=full,
        author=word(data, "author"),
        created=data.get("created_utc"),
        url=url,
        text=unescaped(text),
        original=text,
    )


def _x(record: Mapping[str, object]) -> dict[str, str]:
    # X escapes & < >, and nothing else. Long posts carry their whole text beside the cut one.
    data = _tweet(record)
    text = (
        word(part(data, "note_tweet"), "text")
        or word(part(data, "extended_tweet"), "full_text")
        or word(data, "full_text")
        or word(data, "text")
    )
    account = part(data, "user") or part(data, "author")
    name = word(data, "id_str") or word(data, "id")
    return _made(
        platform="x",
        platform_id=name,
        author=word(data, "author_id") or word(account, "id_str") or word(account, "id"),
        created=data.get("created_at"),
        url=f"https://x.com/i/web/status/{name}" if name else "",
        text=unescaped(text),
        original=text,
    )


def _tweet(record: Mapping[str, object]) -> Mapping[str, object]:
    return part(record, "data") or part(record, "tweet") or record


def _youtube(record: Mapping[str, object]) -> dict[str, str]:
    top = part(part(record, "snippet"), "topLevelComment")
    holder = top or record
    snippet = part(holder, "snippet")
    if not ("textOriginal" in snippet or "textDisplay" in snippet):
        return _video(holder, snippet)
    name = word(holder, "id")
    video = word(snippet, "videoId") or word(part(record, "snippet"), "videoId")
    shown = word(snippet, "textDisplay")
    written = word(snippet, "textOriginal")
    channel = word(part(snippet, "authorChannelId"), "value")
    return _made(
        platform="youtube",
        platform_id=name,
        author=channel or word(snippet, "authorDisplayName"),
        created=snippet.get("publishedAt"),
        url=f"https://www.youtube.com/watch?v={video}&lc={name}" if video else "",
        text=written or plain(shown),
        original=written or shown,
    )


def _video(holder: Mapping[str, object], snippet: Mapping[str, object]) -> dict[str, str]:
    name = word(part(holder, "id"), "videoId") or word(holder, "id")
    title, description = word(snippet, "title"), word(snippet, "description")
    return _made(
        platform="youtube",
        platform_id=name,
        author=word(snippet, "channelId"),
        created=snippet.get("publishedAt"),
        url=f"https://www.youtube.com/watch?v={name}" if name else "",
        text="\n\n".join(told for told in (title, description) if told.strip()),
    )


def _tiktok(record: Mapping[str, object]) -> dict[str, str]:
    name = word(record, "id")
    comment = "video_id" in record and "video_description" not in record
    video = word(record, "video_id") if comment else name
    return _made(
        platform="tiktok",
        platform_id=name,
        author=word(record, "username"),
        created=record.get("create_time"),
        url=f"https://www.tiktokv.com/share/video/{video}/" if video else "",
        text=word(record, "text" if comment else "video_description"),
    )


def _facebook(record: Mapping[str, object]) -> dict[str, str]:
    account = part(record, "from") or part(record, "post_owner")
    return _made(
        platform="facebook",
        platform_id=word(record, "id"),
        author=word(account, "id") or word(account, "name"),
        created=record.get("created_time") or record.get("creation_time"),
        url=word(record, "permalink_url") or word(record, "mcl_url"),
        text=word(record, "message") or word(record, "text"),
    )


def _bluesky(record: Mapping[str, object]) -> dict[str, str]:
    commit = part(record, "commit")
    seen = part(record, "post") or record
    if "time_us" in record and not commit:
        raise InputError(f"not a post: the record is of the kind {record.get('kind')!r}")
    if commit.get("operation") == "delete":
        raise InputError("removed by its author: the record is a deletion")
    uri = word(seen, "uri")
    if commit:
        uri = f"at://{word(record, 'did')}/{word(commit, 'collection')}/{word(commit, 'rkey')}"
    did, collection, name = (*uri.removeprefix("at://").split("/"), "", "", "")[:3]
    if collection not in ("", "app.bsky.feed.post"):
        raise InputError(f"not a post: the record is of the collection {collection!r}")
    content = part(commit or seen, "record") or part(seen, "value")
    return _made(
        platform="bluesky",
        platform_id=uri,
        author=word(part(seen, "author"), "did") or did,
        created=content.get("createdAt"),
        url=f"https://bsky.app/profile/{did}/post/{name}" if name else "",
        text=word(content, "text"),
    )


def _brandwatch(record: Mapping[str, object]) -> dict[str, str]:
    url = word(record, "Url") or word(record, "URL")
    platform = platform_in(url)
    return _made(
        platform=platform,
        platform_id=id_in(url, platform),
        author=word(record, "Author"),
        created=record.get("Date"),
        url=url,
        text=word(record, "Full Text"),
    )


def _table(record: Mapping[str, object], columns: Mapping[str, str] | None) -> dict[str, str]:
    named = columns or {name: name for name in COLUMNS if name in record}
    for ours, theirs in named.items():
        if ours not in COLUMNS:
            raise InputError(f"{ours!r} names no part of a post: use {', '.join(COLUMNS)}")
        if theirs not in record:
            raise InputError(f"no column {theirs!r}: the columns are {', '.join(record)}")
    if "text" not in named:
        raise InputError(f"no text: say which column holds it: {', '.join(record)}")
    texts = {name: word(record, named[name]) for name in named if name != "date"}
    platform = texts.get("platform", "").strip().lower() or platform_in(texts.get("url", ""))
    return _made(
        platform="x" if platform == "twitter" else platform,
        platform_id=texts.get("id", ""),
        author=texts.get("author", ""),
        created=record[named["date"]] if "date" in named else None,
        url=texts.get("url", ""),
        text=texts["text"],
    )


_READERS: dict[str, Callable[[Mapping[str, object]], dict[str, str]]] = {
    "reddit": _reddit,
    "x": _x,
    "youtube": _youtube,
    "tiktok": _tiktok,
    "facebook": _facebook,
    "bluesky": _bluesky,
    "brandwatch": _brandwatch,
}


def _made(
    *,
    platform: str,
    platform_id: str,
    author: str,
    created: object,
    url: str,
    text: str,
    original: str | None = None,
) -> dict[str, str]:
    if not text.strip():
        raise InputError(f"no text: the {platform} record has none, or only blanks")
    _present(text)
    return {
        "platform": platform,
        "platform_id": platform_id,
        "author": "" if author.lower() in _REMOVED else author,
        "created": utc(created),
        "url": address(url),
        "text": text,
        "original": text if original is None else original,
    }


def _present(text: str) -> None:
    if len(text) < 40 and text.strip().lower() in _REMOVED:
        raise InputError(f"removed by its author or by a moderator: the text is {text.strip()!r}")
