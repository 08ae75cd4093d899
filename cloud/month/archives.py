"""Which archives stand in the archive folder: each is read once, when it is new or changed."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cloud.closing.kept import read_kept
from cloud.errors import StoreError
from cloud.month.facts import Archive, Facts


def look_at_archives(facts: Facts, plant: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note the archives of a plant, as `Months.list` names them. Blocking file I/O.

    Raises:
        StoreError: one cannot be read.
    """
    known = {one.name: one for one in facts.archives(plant)}
    try:
        found = [_archive(row, known) for row in rows]
    except OSError as error:
        raise StoreError(f"an archive cannot be read: {error}") from error
    if sorted(found, key=lambda one: one.name) != list(known.values()):
        facts.put_archives(plant, found)


def _archive(row: Mapping[str, Any], known: Mapping[str, Archive]) -> Archive:
    """A file of the archive folder; read only where it is new or changed."""
    path = Path(row["archive"])
    stat, before = path.stat(), known.get(path.name)
    if before is not None and (before.size, before.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return before
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    kept = read_kept(path)
    return Archive(
        path.name, str(row["month"]), bool(row["replaced"]), stat.st_size, stat.st_mtime_ns, sha256,
        b"" if kept is None else kept.sha256,
    )  # fmt: skip
