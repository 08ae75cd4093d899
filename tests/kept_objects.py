"""What an SQLite of evidence holds, read without any code of the product."""

import sqlite3
from contextlib import closing
from pathlib import Path


def objects_in(database: Path) -> list[bytes]:
    """Signed objects of all gateways; none while there is no such file or table."""
    if not database.exists():
        return []
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as sql:
        if not sql.execute("SELECT 1 FROM sqlite_master WHERE name = 'object'").fetchall():
            return []
        return [bytes(data) for (data,) in sql.execute("SELECT data FROM object ORDER BY id")]
