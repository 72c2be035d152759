"""Starts Label Studio so that writers wait for each other. Run by Label Studio's Python, not ours.

With the word `migrate` it makes the tables of an empty database, and ends.

On SQLite a transaction of Django begins to read and asks for the right to write only later, which
SQLite refuses at once where another writer was faster: no waiting helps then. Label Studio 1.23.2
meets this after a submission is stored, and stores it again. A transaction that asks for the right
to write when it begins waits for its turn instead.

Label Studio has no setting for this, and settings of one's own do not start, so the parameters of
the connection are set where Django makes them. `tests/program/test_studio_launcher.py` shows that
this version takes them.
"""

from __future__ import annotations

import sys
from typing import Any

from django.db.backends.sqlite3.base import DatabaseWrapper
from label_studio.server import _apply_database_migrations, _setup_env, main

SECONDS = 20  # that a writer waits for its turn

_parameters = DatabaseWrapper.get_connection_params


def _waiting(connection: Any) -> Any:
    """The parameters of a connection to SQLite, with transactions that begin as writers."""
    options = {"transaction_mode": "IMMEDIATE", "timeout": SECONDS}
    connection.settings_dict["OPTIONS"] = options | connection.settings_dict["OPTIONS"]
    return _parameters(connection)


if __name__ == "__main__":
    DatabaseWrapper.get_connection_params = _waiting
    if sys.argv[1:] == ["migrate"]:
        _setup_env()
        sys.exit(_apply_database_migrations())
    sys.exit(main())
