"""`labeler`, which stops itself when it has read a table and is about to write.

Started as `python stopping.py WORDS`. Whoever began it waits until it has stopped, does what is
to come between, and lets it go on with SIGCONT. `LABELER_STOPS` says how often it stops, and
`LABELER_STOPS_AFTER` which table it has read by then (`codings` where nothing is said).
"""

from __future__ import annotations

import os
import signal
from typing import Any

from sqlalchemy import Engine, event

from labeler.__main__ import main

LEFT = [int(os.environ.pop("LABELER_STOPS", "1"))]
AFTER = os.environ.pop("LABELER_STOPS_AFTER", "codings")
READ = [False]


def reads(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    READ[0] = READ[0] or f"FROM {AFTER}" in statement


def writes(_connection: Any, options: dict[str, Any]) -> None:
    if options.get("writes") and READ[0] and LEFT[0]:
        LEFT[0] -= 1
        READ[0] = False
        os.kill(os.getpid(), signal.SIGSTOP)


if __name__ == "__main__":
    event.listen(Engine, "before_cursor_execute", reads)
    event.listen(Engine, "set_connection_execution_options", writes)
    main()
