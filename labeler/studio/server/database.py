"""Where the Label Studio that labeler starts keeps its data: SQLite, or a PostgreSQL by address."""

from __future__ import annotations

from urllib.parse import SplitResult, unquote, urlsplit

from labeler.errors import ProjectError

SQLITE = "sqlite"
_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")


def variables(url: str) -> dict[str, str]:
    """The environment variables by which Label Studio finds its database; `url` '' is SQLite.

    Raises ProjectError where `url` is no address of a PostgreSQL database.
    """
    if not url:
        return {}
    parts = _parts(url)
    given = {
        "USER": parts.username or "postgres",
        "PASSWORD": parts.password or "",
        "NAME": parts.path.strip("/"),
        "HOST": parts.hostname or "localhost",
        "PORT": str(parts.port or 5432),
    }
    return {"DJANGO_DB": "default"} | {
        f"POSTGRE_{name}": unquote(value) for name, value in given.items()
    }


def named(url: str) -> str:
    """The database as it may be noted and shown: without user and password."""
    if not url:
        return SQLITE
    parts = _parts(url)
    return f"postgresql://{parts.hostname or 'localhost'}:{parts.port or 5432}{parts.path}"


def _parts(url: str) -> SplitResult:
    parts = urlsplit(url)
    try:
        fits = parts.scheme in _SCHEMES and parts.path.strip("/") and (parts.port or 1)
    except ValueError:
        fits = False
    if not fits:
        raise ProjectError(
            "Label Studio's database is given as postgresql://USER:PASSWORD@HOST:PORT/NAME; "
            "without it, it is SQLite in the project's folder"
        )
    return parts
