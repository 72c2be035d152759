"""Names that are not there: which ones are, and which one a person may have meant. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

ALIKE = 0.6  # difflib's ratio from which two names are close enough to be told
SHOWN = 50  # names that a message lists at most


def unknown(what: str, name: str, there: Iterable[str]) -> str:
    """That no `what` has this name, the name that may be meant, and those there are."""
    known = list(there)
    listed = ", ".join(known[:SHOWN]) or "none yet"
    more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return f"no {what} is called {name!r}{did_you_mean(name, known)}; there are: {listed}{more}"


def did_you_mean(name: str, there: Iterable[str]) -> str:
    """The words " (did you mean 'ada'?)", whatever the case; '' where no name is like this one."""
    by_case = {one.casefold(): one for one in there}
    close = get_close_matches(name.casefold(), by_case, n=1, cutoff=ALIKE)
    return f" (did you mean {by_case[close[0]]!r}?)" if close else ""
