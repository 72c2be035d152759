"""The values of raw records: texts, parts, times, addresses, escaped characters. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
UNKNOWN = "unknown"

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_X_TIME = re.compile(r"\w{3} (\w{3}) (\d\d) (\d\d:\d\d:\d\d) ([+-]\d{4}) (\d{4})")
_NUMBER = re.compile(r"\d{9,16}(\.\d*)?")
_SCHEME = re.compile(r"(?!https?://|at://)[a-z][a-z0-9+-]*:", re.IGNORECASE)
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&"}
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_TAG = re.compile(r"</?(?:a|b|i|s|u|em|strong|del)(?: [^<>]*)?>", re.IGNORECASE)


def part(record: Mapping[str, object], name: str) -> Mapping[str, object]:
    """The mapping under a name; an empty one where there is none, or something else."""
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}


def word(record: Mapping[str, object], name: str) -> str:
    """The text under a name: '' where there is none; whole numbers in decimal.

    Raises InputError for anything else; also for a float, since a long id has lost digits in it.
    """
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


def utc(value: object) -> str:
    """A time as `2024-01-31T12:00:00Z`; '' for None, '' and blanks.

    Takes ISO-8601 text, X's `Wed Jan 31 12:00:00 +0000 2024`, seconds, milliseconds or
    microseconds since 1970 (number or text, later than 1973), dates and datetimes. What names no
    zone counts as UTC, a day as its first second. Raises InputError for anything else.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
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
        if found := _X_TIME.fullmatch(text):
            month, day, clock, zone, year = found.groups()
            text = f"{year}-{_MONTHS.index(month) + 1:02}-{day}T{clock}{zone}"
        return datetime.fromisoformat(text)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 1e8:
        scale = 1e6 if value >= 1e14 else 1e3 if value >= 1e11 else 1
        return datetime.fromtimestamp(value / scale, tz=UTC)
    raise ValueError


def platform_in(url: str) -> str:
    """The platform behind a web address: a name in HOSTS, else the host; 'unknown' for ''.

    Raises InputError where the address cannot be read.
    """
    named = _host(url)
    name = named
    while name:
        if name in HOSTS:
            return HOSTS[name]
        name = name.partition(".")[2]
    return named.removeprefix("www.") or UNKNOWN


def id_in(url: str, platform: str) -> str:
    """The platform's id of the post at an address, as its API gives it; '' where it is not sure.

    The address of a whole thread or video is not taken for an id: posts that share an address
    must not become one unit.
    """
    parts = urlsplit(url).path.strip("/").split("/")
    if platform == "reddit" and "comments" in parts:
        below = parts[parts.index("comments") + 1 :]
        return f"t1_{below[2]}" if len(below) == 3 else ""
    if platform == "x" and len(parts) > 1 and parts[-2] == "status":
        return parts[-1]
    if platform == "youtube":
        return parse_qs(urlsplit(url).query).get("lc", [""])[0]
    return ""


def address(url: str) -> str:
    """The same address, where a page may link to it; no `javascript:` and its like.

    Raises InputError otherwise.
    """
    if _SCHEME.match(url.lstrip()):
        raise InputError(f"bad address {url[:60]!r}: only http and https are taken")
    return url


def unescaped(text: str) -> str:
    """The text with `&lt;`, `&gt;` and `&amp;` decoded, once; no other entity is touched."""
    if "&" not in text:
        return text
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def plain(shown: str) -> str:
    """The plain text of a little HTML: breaks become LF, simple tags go, references are decoded."""
    text = _TAG.sub("", _BREAK.sub("\n", shown))
    for entity, character in _ENTITIES.items():
        text = text.replace(entity, character)
    return text


def _host(url: str) -> str:
    try:
        return urlsplit(url if "://" in url else f"//{url}").hostname or ""
    except ValueError as error:
        raise InputError(f"bad address {url[:60]!r}: {error}") from error
