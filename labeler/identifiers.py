"""Where a text names an account, an address or a number that leads to a person.

Forms of the platforms (handles, accounts, communities), URLs and e-mail addresses stand here;
telephone and account numbers in `account_numbers`. Names of persons have no form: they are not
found. Every pattern reads a text once from left to right, whatever the text holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from labeler import account_numbers
from labeler.account_numbers import Found, masked

# Scripts that are written without blanks between words: there a handle or an address ends.
_GLUED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf"
    r"\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_MARKS = r"\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0eff"
_L = rf"[^\W_{_GLUED}]"

_PATH_TLDS = (
    "com|org|net|edu|gov|mil|int|info|biz|name|pro|io|co|me|tv|ly|gg|gl|gd|ee|to|fm|am|be|cc|us|uk"
    "|eu|de|fr|es|it|nl|ru|ua|pl|pt|br|jp|cn|kr|in|id|tr|ca|au|nz|at|ch|se|no|dk|fi|cz|gr|hu|ro|ie"
    "|il|za|mx|ar|cl|ai|app|dev|xyz|club|online|site|shop|store|blog|news|live|social|link|page"
    "|space|tech|wiki|video|top|world|today|media|zone|network|рф|укр"
)
_ALONE_TLDS = "(?:com|co|org|net|gov|ac|edu)[.][a-z]{2}|com|org|net|edu|gov|de|fr|nl|pl|ru|jp|br|рф"

_C = rf"[\w!#$%&'*+,\-./:;=?@\\^`{{|}}~＠{_MARKS}]"
_REST = rf"(?:{_C}++|\((?:{_C}*\))?|\[(?:{_C}*\])?)*+"
_HOST = rf"(?:{_L}(?:{_L}|[_-])*+[.])+"
_URL = re.compile(
    rf"(?P<short>(?<![\w.-])(?:https?://)?t[.]co/[a-z0-9]+)"
    rf"|(?<![a-z0-9])(?:[a-z][a-z0-9+.-]{{1,19}}://(?=[\w@\[])|www\d?[.](?=[^\W_])){_REST}"
    rf"|(?<![\w@.+%-])[.+%-]*+(?:"
    rf"(?P<user>[a-z0-9-]++[.]bsky[.]social)(?![\w/@])"
    rf"|(?P<bare>(?!(?:asp|ado|vb|ml)[.]net\b)"
    rf"(?:{_HOST}(?:{_PATH_TLDS})(?::\d+)?[/?#](?=[\w@]){_REST}|{_HOST}(?:{_ALONE_TLDS})(?![\w@-]))))",
    re.I,
)
_WORD_DOT = re.compile(r"\w[.]\w|://", re.I)
_END = ".,;:!?'*|~`\\(["

_LOCAL = rf"(?:{_L}|[._%+'-])"
_EMAIL = re.compile(
    rf"(?<!{_L})(?<![._%+'-])['.%+-]*+(?P<email>{_L}{_LOCAL}*+@(?:{_HOST}{_L}{{2,24}}"
    rf"|(?<=[._+-]..)xx))",
    re.I,
)
