"""Which archives stand in the archive folder: each is read once, when it is new or changed."""

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

from cloud.closing.archive import ArchiveFolder
from cloud.closing.kept import read_kept
from cloud.errors import StoreError
from cloud.month.facts import Archive, Facts

#: name, bytes and time of a file
Stamp = tuple[str, int, int]


class StandingArchives:
    """Archives of all plants, noted when they change.

    Args:
        facts: where they are noted.
        folder: where they stand.

    Attributes:
        changed: set whenever a plant's were noted anew; whoever waits for it clears it.
    """

    def __init__(self, facts: Facts, folder: ArchiveFolder) -> None:
        self._facts, self._folder = facts, folder
        self._listed: Mapping[str, Sequence[Stamp]] | None = None
        self._noted: dict[str, Sequence[Stamp]] = {}
        self._altered: set[tuple[str, str]] = set()
        self.changed = asyncio.Event()

    def look(self) -> None:
        """Look at the folder, once for all plants; StoreError when it cannot be listed."""
        self.forget()
        names = self._folder.names()
        self._listed = {plant: self._stamps(found) for plant, found in names.items()}

    def _stamps(self, names: Sequence[str]) -> list[Stamp]:
        found = []
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # it went since
                stat = (self._folder.folder / name).stat()
                found.append((name, stat.st_size, stat.st_mtime_ns))
        return found

    def forget(self) -> None:
        """Something was put there."""
        self._listed = None

    def altered(self, plant: str, name: str) -> None:
        """A file's bytes are others, whatever its size and time say: read it again."""
        self._altered.add((plant, name))
        self._noted.pop(plant, None)

    def has_news(self, plant: str) -> bool:
        """Are a plant's others than were noted, or is that not known? No I/O."""
        return self._listed is None or self._noted.get(plant) != self._listed.get(plant, [])

    async def catch_up(self, plant: str) -> None:
        """Note a plant's if they are others; StoreError when one cannot be read."""
        if self.has_news(plant):
            await asyncio.to_thread(self._note, plant)
            self.changed.set()

    def _note(self, plant: str) -> None:
        if self._listed is None:
            self.look()
        stamps = (self._listed or {}).get(plant, [])
        names, again = [name for name, *_ in stamps], frozenset(self._altered)
        look_at_archives(self._facts, plant, self._folder, names, again)
        self._altered -= {(plant, name) for name in names} & again
        self._noted[plant] = stamps


def look_at_archives(
    facts: Facts,
    plant: str,
    folder: ArchiveFolder,
    names: Sequence[str],
    again: Set[tuple[str, str]] = frozenset(),
) -> None:
    """Note the archives of a plant. Blocking file I/O.

    Args:
        facts: where they are noted.
        plant: plant id.
        folder: where they stand.
        names: of this plant's, as the folder lists them.
        again: (plant, name) of those to read although size and time are as they were.

    Raises:
        StoreError: one cannot be read.
    """
    held = facts.archives(plant)
    known = {one.name: one for one in held if (plant, one.name) not in again}
    try:
        looked = [_archive(folder.folder / name, *folder.month_of(name), known) for name in names]
    except OSError as error:
        raise StoreError(f"an archive cannot be read: {error.strerror}") from error
    found = [one for one in looked if one is not None]
    if sorted(found, key=lambda one: one.name) != held:
        facts.put_archives(plant, found)


def _archive(
    path: Path, month: str, is_replaced: bool, known: Mapping[str, Archive]
) -> Archive | None:  # fmt: skip
    """A file of the archive folder, None when it went since; read only if it is new or changed."""
    try:
        stat, before = path.stat(), known.get(path.name)
    except FileNotFoundError:
        return None
    if before is not None and (before.size, before.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return before
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    kept = read_kept(path)
    return Archive(
        path.name, month, is_replaced, stat.st_size, stat.st_mtime_ns, sha256,
        b"" if kept is None else kept.sha256,
    )  # fmt: skip
