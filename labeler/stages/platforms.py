"""A raw record of each platform → a post.

A post is a mapping of text to text: platform, platform_id, author (still the account's own name
or id: only `posts` hides it), created, url, text, original. `original` is the text as the
platform gave it, before its entities were decoded. `created` reads `2024-01-31T12:00:00Z`; a time
without a zone counts as UTC; '' where the record has none.

One record is one post: a page of an API's answer must be split first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from urllib.parse import parse_qs, urlsplit

from labeler.errors import InputError

HOSTS = {
    "reddit.com": "reddit",
    "redd.it": "reddit",
    "x.com": "x",
    "twitter.com": "x",
    "youtube.com": "youtube",
    "youtu.be": "youtube",
    "tiktok.com": "tiktok",
    "tiktokv.com": "tiktok",
    "facebook.com": "facebook",
    "fb.com": "facebook",
    "fb.watch": "facebook",
    "bsky.app": "bluesky",
}
PLATFORMS = ("reddit", "x", "youtube", "tiktok", "facebook", "bluesky")
FORMS = (*PLATFORMS, "brandwatch", "table")
COLUMNS = ("text", "id", "platform", "date", "url", "author")
UNKNOWN = "unknown"

_REMOVED = {"[deleted]", "[removed]", "[deleted by user]", "[ removed by reddit ]"}
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_X_DATE = re.compile(r"\w{3} (\w{3}) (\d\d) (\d\d:\d\d:\d\d) ([+-]\d{4}) (\d{4})")
_NUMBER = re.compile(r"\d{9,16}(\.\d*)?")
_SCHEME = re.compile(r"(?!https?://|at://)[a-z][a-z0-9+-]*:", re.IGNORECASE)
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&"}
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_TAG = re.compile(r"</?(?:a|b|i|s|u|em|strong|del)(?: [^<>]*)?>", re.IGNORECASE)
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
    for holder in (record, _part(record, "data")):
        for name in _PAGES:
            if isinstance(holder.get(name), list):
                raise InputError(
                    f"{name!r} is a list of records, not one: write each record on a line of its own"
                )
    for form, shaped in _SHAPES.items():
        if shaped(record):
            return form
    return "table"


def platform_of(url: str) -> str:
    """The platform behind a web address: one of PLATFORMS, else the host; 'unknown' for ''.

    Raises InputError where the address cannot be read.
    """
    host = _host(url)
    name = host
    while name:
        if name in HOSTS:
            return HOSTS[name]
        name = name.partition(".")[2]
    return host.removeprefix("www.") or UNKNOWN


def _is_reddit(record: Mapping[str, object]) -> bool:
    if record.get("kind") in ("t1", "t3"):
        return bool(_part(record, "data"))
    return "created_utc" in record and ("selftext" in record or "body" in record)


def _is_bluesky(record: Mapping[str, object]) -> bool:
    if _part(record, "commit").get("collection"):
        return True
    seen = _part(record, "post") or record
    holds = "record" in seen or "value" in seen
    return holds and str(seen.get("uri", "")).startswith("at://")


def _is_youtube(record: Mapping[str, object]) -> bool:
    snippet = _part(record, "snippet")
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
    graph = "message" in record and ("created_time" in record or "permalink_url" in record)
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
    data = _part(record, "data") or record
    comment = "body" in data
    text = _word(data, "body" if comment else "selftext")
    _present(text)
    if not comment:
        title = _word(data, "title")
        _present(title)
        text = f"{title}\n\n{text}" if text.strip() else title
    short = _word(data, "id") or _word(data, "name")
    full = short if short[:3] in ("t1_", "t3_") or not short else f"{'t1_' if comment else 't3_'}{short}"
    path = _word(data, "permalink")
    if not path and full:
        thread = _word(data, "link_id").removeprefix("t3_")
        path = f"/comments/{thread}/_/{full[3:]}" if comment else f"/comments/{full[3:]}"
    url = f"https://www.reddit.com{path}" if path.startswith("/") else path
    author = _word(data, "author")
    return _made(
        platform="reddit",
        platform_id=full,
        author="" if author in _REMOVED else author,
        created=_first(data, "created_utc", "created"),
        url=url,
        text=_unescaped(text),
        original=text,
    )


def _x(record: Mapping[str, object]) -> dict[str, str]:
    # X escapes & < >, and nothing else. Long posts carry their whole text beside the cut one.
    data = _tweet(record)
    text = (
        _word(_part(data, "note_tweet"), "text")
        or _word(_part(data, "extended_tweet"), "full_text")
        or _word(data, "full_text")
        or _word(data, "text")
    )
    account = _part(data, "user") or _part(data, "author")
    name = _word(data, "id_str") or _word(data, "id")
    return _made(
        platform="x",
        platform_id=name,
        author=_word(data, "author_id") or _word(account, "id_str") or _word(account, "id"),
        created=data.get("created_at"),
        url=f"https://x.com/i/web/status/{name}" if name else "",
        text=_unescaped(text),
        original=text,
    )


def _tweet(record: Mapping[str, object]) -> Mapping[str, object]:
    return _part(record, "data") or _part(record, "tweet") or record


def _youtube(record: Mapping[str, object]) -> dict[str, str]:
    top = _part(_part(record, "snippet"), "topLevelComment")
    holder = top or record
    snippet = _part(holder, "snippet")
    if not ("textOriginal" in snippet or "textDisplay" in snippet):
        return _video(holder, snippet)
    name = _word(holder, "id")
    video = _word(snippet, "videoId") or _word(_part(record, "snippet"), "videoId")
    shown = _word(snippet, "textDisplay")
    plain = _word(snippet, "textOriginal")
    channel = _word(_part(snippet, "authorChannelId"), "value")
    return _made(
        platform="youtube",
        platform_id=name,
        author=channel or _word(snippet, "authorDisplayName"),
        created=snippet.get("publishedAt"),
        url=f"https://www.youtube.com/watch?v={video}&lc={name}" if video else "",
        text=plain or _plain(shown),
        original=plain or shown,
    )


def _video(holder: Mapping[str, object], snippet: Mapping[str, object]) -> dict[str, str]:
    name = _word(_part(holder, "id"), "videoId") or _word(holder, "id")
    title, description = _word(snippet, "title"), _word(snippet, "description")
    return _made(
        platform="youtube",
        platform_id=name,
        author=_word(snippet, "channelId"),
        created=snippet.get("publishedAt"),
        url=f"https://www.youtube.com/watch?v={name}" if name else "",
        text="\n\n".join(part for part in (title, description) if part.strip()),
    )


def _tiktok(record: Mapping[str, object]) -> dict[str, str]:
    name = _word(record, "id")
    comment = "video_id" in record and "video_description" not in record
    video = _word(record, "video_id") if comment else name
    return _made(
        platform="tiktok",
        platform_id=name,
        author=_word(record, "username"),
        created=record.get("create_time"),
        url=f"https://www.tiktokv.com/share/video/{video}/" if video else "",
        text=_word(record, "text" if comment else "video_description"),
    )


def _facebook(record: Mapping[str, object]) -> dict[str, str]:
    account = _part(record, "from") or _part(record, "post_owner")
    return _made(
        platform="facebook",
        platform_id=_word(record, "id"),
        author=_word(account, "id") or _word(account, "name"),
        created=_first(record, "created_time", "creation_time"),
        url=_word(record, "permalink_url") or _word(record, "mcl_url"),
        text=_word(record, "message") or _word(record, "text"),
    )


def _bluesky(record: Mapping[str, object]) -> dict[str, str]:
    commit = _part(record, "commit")
    seen = _part(record, "post") or record
    if commit.get("operation") == "delete":
        raise InputError("removed by its author: the record is a deletion")
    uri = _word(seen, "uri")
    if commit:
        uri = f"at://{_word(record, 'did')}/{_word(commit, 'collection')}/{_word(commit, 'rkey')}"
    did, collection, name = (*uri.removeprefix("at://").split("/"), "", "", "")[:3]
    if collection not in ("", "app.bsky.feed.post"):
        raise InputError(f"not a post: the record is of the collection {collection!r}")
    content = _part(commit or seen, "record") or _part(seen, "value")
    return _made(
        platform="bluesky",
        platform_id=uri,
        author=_word(_part(seen, "author"), "did") or did,
        created=content.get("createdAt"),
        url=f"https://bsky.app/profile/{did}/post/{name}" if name else "",
        text=_word(content, "text"),
    )


def _brandwatch(record: Mapping[str, object]) -> dict[str, str]:
    url = _word(record, "Url") or _word(record, "URL")
    platform = platform_of(url)
    return _made(
        platform=platform,
        platform_id=_id_in(url, platform),
        author=_word(record, "Author"),
        created=record.get("Date"),
        url=url,
        text=_word(record, "Full Text"),
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
    part = {name: _word(record, named[name]) for name in named if name != "date"}
    platform = part.get("platform", "").strip().lower() or platform_of(part.get("url", ""))
    return _made(
        platform="x" if platform == "twitter" else platform,
        platform_id=part.get("id", ""),
        author=part.get("author", ""),
        created=record[named["date"]] if "date" in named else None,
        url=part.get("url", ""),
        text=part["text"],
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
    if _SCHEME.match(url):
        raise InputError(f"bad address {url[:60]!r}: only http and https are taken")
    return {
        "platform": platform,
        "platform_id": platform_id,
        "author": author,
        "created": _date(created),
        "url": url,
        "text": text,
        "original": text if original is None else original,
    }


def _present(text: str) -> None:
    if len(text) < 40 and text.strip().lower() in _REMOVED:
        raise InputError(f"removed by its author or by a moderator: the text is {text.strip()!r}")


def _part(record: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}


def _word(record: Mapping[str, object], name: str) -> str:
    value = record.get(name)
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        raise InputError(f"{name!r} is the number {value!r}, whose digits may be lost: save text")
    raise InputError(f"{name!r} is not text but {type(value).__name__}")


def _first(record: Mapping[str, object], *names: str) -> object:
    return next((record[name] for name in names if record.get(name) is not None), None)


def _unescaped(text: str) -> str:
    if "&" not in text:
        return text
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _plain(shown: str) -> str:
    # textDisplay is a little HTML: breaks, links, bold, and escaped signs.
    text = _TAG.sub("", _BREAK.sub("\n", shown))
    for entity, sign in _ENTITIES.items():
        text = text.replace(entity, sign)
    return text


def _host(url: str) -> str:
    try:
        return urlsplit(url if "://" in url else f"//{url}").hostname or ""
    except ValueError as error:
        raise InputError(f"bad address {url[:60]!r}: {error}") from error


def _id_in(url: str, platform: str) -> str:
    # Only where the address cannot be that of a whole thread or video: posts that share an
    # address must not become one unit.
    parts = urlsplit(url).path.strip("/").split("/")
    if platform == "reddit" and "comments" in parts:
        below = parts[parts.index("comments") + 1 :]
        return f"t1_{below[2]}" if len(below) == 3 else ""
    if platform == "x" and len(parts) > 1 and parts[-2] == "status":
        return parts[-1]
    if platform == "youtube":
        return parse_qs(urlsplit(url).query).get("lc", [""])[0]
    return ""


def _date(value: object) -> str:
    if value is None or value == "":
        return ""
    try:
        moment = _moment(value)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
        return f"{moment.isoformat(timespec='seconds')[:19]}Z"
    except (ValueError, OverflowError, OSError) as error:
        raise InputError(
            f"bad date {str(value)[:40]!r}: write 2024-01-31T12:00:00Z or seconds since 1970"
        ) from error


def _moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, str):
        text = value.strip()
        if _NUMBER.fullmatch(text):
            return _moment(float(text))
        if found := _X_DATE.fullmatch(text):
            month, day, clock, zone, year = found.groups()
            text = f"{year}-{_MONTHS.index(month) + 1:02}-{day}T{clock}{zone}"
        return datetime.fromisoformat(text)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 1e8:
        scale = 1e6 if value >= 1e14 else 1e3 if value >= 1e11 else 1
        return datetime.fromtimestamp(value / scale, tz=UTC)
    raise ValueError
