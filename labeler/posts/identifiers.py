"""Where a text names an account, an address or a number that leads to a person.

The forms of the platforms (handles, accounts, communities), URLs and e-mail addresses stand here,
telephone and account numbers in `account_numbers`. Names of persons have no form of their own:
they are not found. Repetitions in the patterns do not give back what they took (`++`, `*+`), so
that the time grows with the length of a text and no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from labeler.posts import account_numbers
from labeler.posts.account_numbers import AccountNumber, masked

# Scripts written without blanks, or with endings that stick to a name: there a Latin name ends.
_GLUED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf"
    r"\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_MARKS = r"\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0eff"
_L = rf"[^\W_{_GLUED}]"

_TLDS_BEFORE_A_PATH = (
    "com|org|net|edu|gov|mil|int|info|biz|name|pro|io|co|me|tv|ly|gg|gl|gd|ee|to|fm|am|be|cc|us|uk"
    "|eu|de|fr|es|it|nl|ru|ua|pl|pt|br|jp|cn|kr|in|id|tr|ca|au|nz|at|ch|se|no|dk|fi|cz|gr|hu|ro|ie"
    "|il|za|mx|ar|cl|ai|app|dev|xyz|club|online|site|shop|store|blog|news|live|social|link|page"
    "|space|tech|wiki|video|top|world|today|media|zone|network|рф|укр"
)
_TLDS_ALONE = "(?:com|co|org|net|gov|ac|edu)[.][a-z]{2}|com|org|net|edu|gov|de|fr|nl|pl|ru|jp|br|рф"

_HOST = rf"(?:{_L}(?:{_L}|[_-])*+[.])+"
_SIGN = rf"[\w!#$%&'*+,\-./:;=?@\\^`{{|}}~＠{_MARKS}]"
_REST = rf"(?:{_SIGN}++|\((?:{_SIGN}*+\))?|\[(?![a-z]+_[0-9a-f]{{6}}\])(?:{_SIGN}*+\])?)*+"
_URL_END = ".,;:!?'*|~`\\(["
_CHUNK = re.compile(r"\S+")
_URL_SIGN = re.compile(r"[.:](?:(?<=\w[.])\w|(?<=:)//|(?<=did:)\w)", re.I)
_URL = re.compile(
    rf"(?P<short>(?<![\w.-])(?:https?://)?t[.]co/[a-z0-9]+)"
    rf"|(?P<url>(?<![a-z0-9])(?:[a-z][a-z0-9+.-]{{1,19}}://(?=[\w@])|www\d?[.](?=[^\W_])){_REST})"
    rf"|(?P<did>(?<!\w)did:(?:plc|web|key):[a-z0-9._:%-]*[a-z0-9])"
    rf"|(?<![\w@.+%-])[.+%-]*+(?:(?P<user>[a-z0-9-]++[.]bsky[.]social)(?![\w/@])"
    rf"|(?!(?:asp|ado|vb|ml)[.]net\b)"
    rf"(?P<bare>{_HOST}(?:(?:{_TLDS_BEFORE_A_PATH})(?::\d+)?[/?#](?=[\w@]){_REST}"
    rf"|(?:{_TLDS_ALONE})(?![\w@-]))))",
    re.I,
)
_PLACE = re.compile(r"(?:.*?://)?(?:www\d?[.])?([^/?#]*)(.*)", re.S | re.I)

_EMAIL = re.compile(
    rf"(?<!{_L})(?<!(?<![A-Za-z0-9_])[@＠])(?<![._%+'-])['.%+-]*+"
    rf"(?P<email>(?P<local>{_L}(?:{_L}|[._%+'-])*+)(?<![.%'])@"
    rf"(?:(?P<host>{_HOST}{_L}{{2,24}}+)|{_L}{{3,}}+))"
)
_PARTED = re.compile(r"[^\W_][._+-]+[^\W_]")
_AT = re.compile("@")
_MAYBE_SPELT = re.compile(r"[\[(] ?at ?[\])]", re.I)
_SPELT = re.compile(
    rf"(?<!{_L})(?<![._+-]){_L}(?:{_L}|[._+-])*+ ?[\[(] ?at ?[\])] ?(?:{_L}|-)++"
    rf"(?:(?:[.]| ?[\[(] ?dot ?[\])] ?)(?:{_L}|-)++)+",
    re.I,
)

_WORD = rf"(?:{_L}|[{_MARKS}]|\\?_)++"
_NAME = rf"(?=(?:\\?_)*{_L}){_WORD}(?:(?:[.·]|-{{1,2}}){_WORD})*+"
_CALLED = (
    rf"(?:\u2068[^\u2069\n\0]{{1,60}}\u2069|{_NAME}(?:[@＠]{_HOST}{_L}{{2,24}}+)?"
    rf"|[{_GLUED}]++(?:[\w{_MARKS}]|[.·-](?=\w))*+)"
)
_HANDLE = re.compile(rf"[@＠](?P<name>{_CALLED})")
_HANDLES = re.compile(
    rf"[@＠](?:(?<![a-zA-Z0-9_][@＠])(?<![a-zA-Z0-9_][@＠]{{2}})|(?<=\b[Rr][Tt][@＠]))"
    rf"{_CALLED}(?:[@＠]{_CALLED})*+"
)
_NO_HANDLE = re.compile(
    r"\d{1,4}|\d+(?:[.]\d+)?(?:[muc]?g|mcg|kg|ml|mm|cm|km|m|h|hz|fps|[ap]m|k|x|usd|eur|th)"
    r"|ss(?:es|hole)?s?",
    re.I,
)
_REDDIT = re.compile(
    r"(?<![\w/])/?(?:u|user|r/u\\?_(?=\w))(?:(?<=_)|/)(?P<name>(?:[a-z0-9-]|\\?_){3,30}+)(?!\w)",
    re.A | re.I,
)
_SUBREDDIT = re.compile(r"(?<![\w/])/?r/(?P<name>(?:[a-z0-9]|\\?_){2,21}+)(?!\w)", re.A | re.I)
_USER_SIGN = re.compile(r"/(?<=[urUR]/)\S")
_SUBREDDIT_SIGN = re.compile(r"/(?<=[rR]/)\S")
_DOSE = re.compile(r"\d\s?\Z")
_PER = frozenset({"day", "dose", "hour", "kg", "meal", "min", "month", "tablet", "vial", "week"})
_SITES = ("insta", "snap", "kik", "telegram", "discord", "tiktok", "twitter", "venmo", "ig:", "ig ")
_STATED = re.compile(
    r"(?<!\w)(?:ig|insta(?:gram)?|snap(?:chat)?|kik|telegram|discord|tiktok|twitter|venmo)\b"
    r"\s*(?:is\b|[:=–-])\s*"
    r"(?P<name>(?=[a-z]+[._\d])[a-z][a-z0-9_]{2,}(?:[.][a-z0-9_]+)*)(?!\w)",
    re.A | re.I,
)


def find(text: str, *, subreddits: bool = False) -> list[AccountNumber]:
    """What leads to an account or a person in a text, from left to right, without overlaps.

    Kinds: `user`, `url`, `email`, `phone`, `account`, `ip`, and `subreddit` on request. Offsets
    are code points; `value` is what makes two spellings the same.
    """
    found: list[AccountNumber] = []
    while met := _round(text, subreddits):
        found += met
        if all(_apart(text, one) for one in met):
            break
        text = masked(text, met)
    return sorted(found)


def _round(text: str, subreddits: bool) -> list[AccountNumber]:
    """What each rule finds in what the rules before it left."""
    found: list[AccountNumber] = []
    for finder in (_spelt, _urls, _emails, _handles, _accounts, _subreddits, account_numbers.find):
        if finder is not _subreddits or subreddits:
            met = sorted(finder(text))
            text = masked(text, met)
            found += met
    return sorted(found)


def _apart(text: str, found: AccountNumber) -> bool:
    """Whether blanks stand around, so that what is beside it reads the same without it."""
    before = text[found.start - 1 : found.start]
    after = text[found.end : found.end + 2].lstrip(".,!?")[:1]
    return not before.strip() and not after.strip()


def _urls(text: str) -> Iterator[AccountNumber]:
    for start, end in _chunks(text, _URL_SIGN):
        for match in _URL.finditer(text, start, end):
            group = str(match.lastgroup)
            first, last = match.span(group)
            if group in ("url", "bare"):
                last = first + len(match[group].rstrip(_URL_END))
            if group in ("user", "did"):
                yield AccountNumber(first, last, "user", text[first:last].casefold())
            else:
                yield AccountNumber(first, last, "url", _place(text[first:last]))


def _chunks(text: str, sign: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """The stretches without blanks that hold a sign."""
    if sign.search(text):
        for chunk in _CHUNK.finditer(text):
            if sign.search(text, *chunk.span()):
                yield chunk.span()


def _place(url: str) -> str:
    """A URL without scheme, www and last slash; the host in small letters, the path as it is."""
    match = _PLACE.match(url)
    return f"{match[1].casefold()}{match[2]}".rstrip("/") if match else url


def _emails(text: str) -> Iterator[AccountNumber]:
    for start, end in _chunks(text, _AT):
        for match in _EMAIL.finditer(text, start, end):
            if match["host"] or _PARTED.search(match["local"]):
                yield AccountNumber(*match.span("email"), "email", match["email"].casefold())


def _spelt(text: str) -> Iterator[AccountNumber]:
    if _MAYBE_SPELT.search(text):
        for match in _SPELT.finditer(text):
            spelt = re.sub(r" ?[\[(] ?at ?[\])] ?", "@", match[0].casefold())
            value = re.sub(r" ?[\[(] ?dot ?[\])] ?", ".", spelt)
            yield AccountNumber(*match.span(), "email", value)


def _handles(text: str) -> Iterator[AccountNumber]:
    for chain in _HANDLES.finditer(text):
        for match in _HANDLE.finditer(text, *chain.span()):
            if _NO_HANDLE.fullmatch(match["name"]) is None:
                yield AccountNumber(*match.span(), "user", _same(match["name"]))


def _accounts(text: str) -> Iterator[AccountNumber]:
    for start, end in _chunks(text, _USER_SIGN):
        for match in _REDDIT.finditer(text, start, end):
            first = match.start()
            per = match["name"].lower() in _PER and _DOSE.search(text[max(0, first - 3) : first])
            if not per:
                yield AccountNumber(*match.span(), "user", _same(match["name"]))
    lowered = text.lower()
    if any(site in lowered for site in _SITES):
        for match in _STATED.finditer(text):
            yield AccountNumber(*match.span("name"), "user", _same(match["name"]))


def _subreddits(text: str) -> Iterator[AccountNumber]:
    for start, end in _chunks(text, _SUBREDDIT_SIGN):
        for match in _SUBREDDIT.finditer(text, start, end):
            yield AccountNumber(*match.span(), "subreddit", _same(match["name"]))


def _same(name: str) -> str:
    return name.strip("\u2068\u2069").replace("\\", "").replace("＠", "@").casefold()
