"""What CLOUD.toml may say of the database. Pure."""

from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

#: for a PostgreSQL without a synchronous standby
ONE_MACHINE = "one machine is enough"
SQLITE, POSTGRESQL = "sqlite", "postgresql+psycopg"


def url_fault(url: str) -> str:
    """Why a URL names no database that evidence can be kept in; "" where it does."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return f"{url!r} is no URL: write sqlite:////folder/cloud.db or {POSTGRESQL}://host/name"
    if parsed.drivername == SQLITE:
        return "" if parsed.database and parsed.database != ":memory:" else "it names no file"
    if parsed.drivername != POSTGRESQL:
        return f"{parsed.drivername} is not supported: write {SQLITE}:… or {POSTGRESQL}:…"
    return "it names no database" if not parsed.database else ""


def placed(url: str, folder: Path) -> str:
    """The URL with a relative SQLite file taken from a folder: CLOUD.toml's."""
    parsed = make_url(url)
    if parsed.drivername != SQLITE:
        return url
    return parsed.set(database=str(folder / (parsed.database or ""))).render_as_string(
        hide_password=False
    )


def file_of(url: str) -> Path | None:
    """The file of an SQLite; None of a server's database."""
    parsed = make_url(url)
    return Path(parsed.database or "") if parsed.drivername == SQLITE else None


def without_password(url: str) -> str:
    """The URL as people may read it."""
    return make_url(url).render_as_string(hide_password=True)
