"""What CLOUD.toml may say of the database. Pure.

SQLAlchemy is imported where a database is named: commands of the base install read CLOUD.toml too.
"""

from pathlib import Path
from typing import Any

#: for a PostgreSQL without a synchronous standby
ONE_MACHINE = "one machine is enough"
#: where CLOUD.toml names no database
FILE = "evidence.db"
SQLITE, POSTGRESQL = "sqlite", "postgresql+psycopg"


def url_fault(url: str) -> str:
    """Why a URL names no database that evidence can be kept in; "" where it does."""
    from sqlalchemy.exc import ArgumentError  # see above

    try:
        parsed = _parsed(url)
    except ArgumentError:
        return f"{url!r} is no URL: write sqlite:///cloud.db or {POSTGRESQL}://host/name"
    if parsed.drivername == SQLITE:
        return "" if parsed.database and parsed.database != ":memory:" else "it names no file"
    if parsed.drivername != POSTGRESQL:
        return f"{parsed.drivername} is not supported: write {SQLITE}:… or {POSTGRESQL}:…"
    return "" if parsed.database else "it names no database"


def placed(url: str, folder: Path) -> str:
    """The URL with a relative SQLite file taken from a folder: CLOUD.toml's."""
    parsed = _parsed(url)
    if parsed.drivername != SQLITE:
        return url
    file = str(folder / (parsed.database or ""))
    return str(parsed.set(database=file).render_as_string(hide_password=False))


def file_of(url: str) -> Path | None:
    """The file of an SQLite; None of a server's database."""
    parsed = _parsed(url)
    return Path(parsed.database or "") if parsed.drivername == SQLITE else None


def without_password(url: str) -> str:
    """The URL as people may read it."""
    return str(_parsed(url).render_as_string(hide_password=True))


def _parsed(url: str) -> Any:  # noqa: ANN401 - sqlalchemy.engine.URL
    from sqlalchemy.engine import make_url  # see above

    return make_url(url)
