"""Where a table is: the device's URL taken apart, and the credentials' file read.

    sqlite+ro:///absolute/path.db
    postgresql+ro://host[:port]/database?credentials=file:/path[&tls=off]     (also mysql+ro, …)

`?after=KEY` begins behind a key, for a source from which nothing was delivered yet; `?was=SOURCE`
says that these are the rows that had another name before. I/O: the credentials' file, once, when
the connection is made.
"""

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from edge.drivers.address import parse_address, wrong
from edge.drivers.base import DeviceError, DeviceSpec
from edge.drivers.table.database import (
    DIALECTS,
    Database,
    DatabaseError,
    Dialect,
    Login,
    ServerDatabase,
    SqliteDatabase,
)
from edge.drivers.waiting_rows import KEY_BYTES_MAX, Key

SQLITE = "sqlite+ro"
_CREDENTIALS_MAX = 1_000
_OF_ROWS = ("after", "was")  # options of every database
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)


@dataclass(frozen=True)
class Place:
    """A database, not yet opened.

    Attributes:
        shown: its address for people, without secrets.
        after: key to begin behind, None for the first row.
        was: what its rows were called before, "" for nothing else.
        open: makes what connects.
        advice: what to look at when it does not answer.
        dialect: how it is asked.
    """

    shown: str
    after: Key | None
    was: str
    open: Callable[[], Database]
    advice: str
    dialect: Dialect


def parse_place(spec: DeviceSpec) -> Place:
    """Take the device's URL apart.

    Raises:
        DeviceError: with `retry` False, saying which part is wrong or which module is missing.
    """
    scheme = spec.url.partition("://")[0].lower()
    return _sqlite(spec) if scheme == SQLITE else _server(spec, scheme)


def _sqlite(spec: DeviceSpec) -> Place:
    try:
        parts = urlsplit(spec.url)
        path = unquote(parts.path, errors="strict")
        given = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError as error:
        raise wrong(spec, f"{error}; write sqlite+ro:///absolute/path.db") from None
    if parts.netloc or parts.fragment or not path.startswith("/") or path.endswith("/"):
        raise wrong(spec, "names no file; write sqlite+ro:///absolute/path.db")
    if not path.isprintable():
        raise wrong(spec, "names a file with characters that cannot be printed")
    options = dict(given)
    if unknown := options.keys() - _OF_ROWS:
        raise wrong(spec, f"unknown option {min(unknown)!r}; known: {' '.join(_OF_ROWS)}")
    if len(given) > len(options):
        raise wrong(spec, "an option stands there twice")
    return Place(
        shown=path,
        after=_after(spec, options.get("after")),
        was=options.get("was", ""),
        open=lambda: SqliteDatabase(Path(path), spec.timeout_s),
        advice="check that the file is there, may be read, and is not locked",
        dialect=SqliteDatabase.dialect,
    )


def _server(spec: DeviceSpec, scheme: str) -> Place:
    dialect = DIALECTS[scheme]
    address = parse_address(spec, port=dialect.port, options=(*_OF_ROWS, "credentials", "tls"))
    database = unquote(address.path).strip("/")
    if not database or "/" in database or not database.isprintable():
        raise wrong(spec, f"names no database; write {scheme}://host/database?credentials=file:…")
    reference = address.options.get("credentials", "")
    if not reference.startswith("file:/"):
        raise wrong(spec, "credentials must be file: and an absolute path; two lines stand in it")
    tls = address.options.get("tls", "on")
    if tls not in ("on", "off"):
        raise wrong(spec, f"tls {tls!r} is not one of on off")
    path = Path(reference.removeprefix("file:"))

    def opened() -> Database:
        user, password = _credentials(path)
        login = Login(
            address.host, address.port, database, user, password, spec.timeout_s, tls == "on"
        )
        return ServerDatabase(dialect, login)

    _check_module(spec, scheme, tls=tls == "on")
    return Place(
        shown=f"{address}/{database}",
        after=_after(spec, address.options.get("after")),
        was=address.options.get("was", ""),
        open=opened,
        advice="check that the server runs, and that its rights let this user read",
        dialect=dialect,
    )


def _check_module(spec: DeviceSpec, scheme: str, *, tls: bool) -> None:
    dialect = DIALECTS[scheme]
    try:
        ServerDatabase(dialect, Login("", 0, "", "", "", 1, tls=tls))
    except ImportError:
        raise DeviceError(
            f"device {spec.id}: url {spec.url!r}: needs the Python module {dialect.module}: "
            f"pip install '{dialect.package}'",
            retry=False,
        ) from None


def _after(spec: DeviceSpec, text: str | None) -> Key | None:
    if text is None:
        return None
    if not text or len(text.encode()) >= KEY_BYTES_MAX:
        raise wrong(spec, f"after={text!r} is no key")
    return int(text) if _WHOLE.fullmatch(text) else text


def _credentials(path: Path) -> tuple[str, str]:
    """User name and password, a line each; DatabaseError without what stands in the file."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077:
                raise DatabaseError(f"{path}: must be a file that its owner alone may read (0600)")
            data = os.read(handle, _CREDENTIALS_MAX + 1)
        finally:
            os.close(handle)
        lines = data.decode().splitlines()
    except OSError as error:
        raise DatabaseError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise DatabaseError(f"{path}: is not UTF-8 text") from None
    if len(lines) != 2 or not all(lines) or len(data) > _CREDENTIALS_MAX:
        raise DatabaseError(f"{path}: must hold two lines: user name, and password")
    return lines[0], lines[1]
