"""Steps 1 and 2: the container and the bag. Everything later reads files through `Opened`."""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import BinaryIO

from evidence.archive import bag, paths, ustar
from evidence.errors import LimitError, MalformedError
from evidence.findings import Report, said, shown

#: files read whole (all but frame segments and the log) are at most this large
WHOLE_BYTES_MAX = 64 * 1024 * 1024

#: certificates, orders and rotate objects; gateways
KEY_FILES_MAX, STREAMS_MAX = 10_000, 1_000

#: told in a few words what is being done
Progress = Callable[[str], None]

_BAG_INFO = re.compile(
    r"Bag-Software-Agent: stackproof\nBagging-Date: (\d{4}-\d{2}-\d{2})\n"
    r"External-Identifier: ([a-z0-9-]+) (interim|final)\n(?:Replaces: ([0-9a-f]{64})\n)?"
    r"Payload-Oxum: ([0-9]+\.[0-9]+)\n",
    re.ASCII,
)


class Opened:
    """An archive whose container is sound.

    Attributes:
        name: the bag's name.
        streams: gateways that have objects here.
        tag_manifest_sha256: what the seal must be over.
        closed_on: date of closing as the bag says, None when it does not.
        closing: "interim" or "final" as the bag says, None when it does not.
        replaces: hex SHA-256 of the statement it replaces, as the bag says, None when it does not.
    """

    def __init__(self, file: BinaryIO, name: str, files: dict[str, ustar.Member]) -> None:
        """Use `open_archive`."""
        self._file, self.name, self._files = file, name, files
        self.streams = frozenset(m[1] for path in files if (m := paths.FRAMES.fullmatch(path)))
        self.tag_manifest_sha256 = b""
        self.closed_on: str | None = None
        self.closing: str | None = None
        self.replaces: str | None = None

    def paths(self) -> list[str]:
        """All paths, sorted, without the bag's name."""
        return sorted(self._files)

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def size(self, path: str) -> int:
        """Bytes of a file."""
        return self._files[path].size

    def read(self, path: str) -> bytes:
        """A whole file.

        Raises:
            MalformedError: there is none.
            LimitError: it is larger than `WHOLE_BYTES_MAX`.
        """
        if path not in self._files:
            raise MalformedError(f"{path} is not in the archive")
        member = self._files[path]
        if member.size > WHOLE_BYTES_MAX:
            raise LimitError(f"{path} has {member.size} bytes; the limit is {WHOLE_BYTES_MAX}")
        self._file.seek(member.offset)
        return self._file.read(member.size)

    def holds(self, path: str, data: bytes) -> bool:
        """True when the file is there with exactly these bytes."""
        return path in self._files and self.size(path) == len(data) and self.read(path) == data

    def chunks(self, path: str) -> Iterator[bytes]:
        """A file's bytes in pieces, however large it is; MalformedError when there is none."""
        if path not in self._files:
            raise MalformedError(f"{path} is not in the archive")
        member = self._files[path]
        for at in range(0, member.size, bag.CHUNK):
            self._file.seek(member.offset + at)
            yield self._file.read(min(bag.CHUNK, member.size - at))

    def sha256(self, path: str) -> str:
        """Hex SHA-256 of a file, read in pieces."""
        digest = hashlib.sha256()
        for chunk in self.chunks(path):
            digest.update(chunk)
        return digest.hexdigest()


def open_archive(file: BinaryIO, report: Report) -> Opened | None:
    """Step 1: the container; None when it is not sound (nothing in it can be relied on)."""
    try:
        found = ustar.members(file)
    except (MalformedError, LimitError) as error:
        report.add(
            "E-CONTAINER", "archive", f"{error}. The file was cut, altered or is no archive."
        )
        return None
    tops = {member.name.partition("/")[0] for member in found}
    if len(tops) != 1 or any("/" not in member.name for member in found):
        report.add("E-CONTAINER", "archive", "The archive must hold exactly one top folder.")
        return None
    name = tops.pop()
    files = {member.name.partition("/")[2]: member for member in found}
    archive = Opened(file, name, files)
    if too_many := _too_many(archive):
        report.add("E-CONTAINER", "archive", too_many)
        return None
    report.counts["files"] = len(files)
    report.counts["bytes"] = sum(member.size for member in found)
    report.archive = shown(name)
    return archive


def _too_many(archive: Opened) -> str:
    """What there is too much of; "" for nothing. Keys and streams are held in memory."""
    keys = sum(path.startswith(paths.KEYS) for path in archive.paths())
    if keys > KEY_FILES_MAX:
        return f"It has {keys} files of keys; the limit is {KEY_FILES_MAX}."
    if len(archive.streams) > STREAMS_MAX:
        return f"It has objects of {len(archive.streams)} gateways; the limit is {STREAMS_MAX}."
    return ""


def check_bag(archive: Opened, report: Report, progress: Progress) -> None:
    """Step 2: every file is listed, every listed file is there, every hash is right."""
    tags = dict(_manifest(archive, bag.TAG_MANIFEST, report))
    payload = dict(_manifest(archive, bag.MANIFEST, report))
    if bag.TAG_MANIFEST in archive:
        archive.tag_manifest_sha256 = bytes.fromhex(archive.sha256(bag.TAG_MANIFEST))
    if set(tags) != set(bag.TAG_FILES):
        report.add("E-BAG", bag.TAG_MANIFEST, "It must list exactly the bag's three tag files.")
    if not all(path.startswith("data/") for path in payload):
        report.add("E-BAG", bag.MANIFEST, "It must list only what is under data/.")
    listed = {path: tags[path] for path in bag.TAG_FILES if path in tags}
    listed |= {path: digest for path, digest in payload.items() if path.startswith("data/")}
    for i, (path, digest) in enumerate(sorted(listed.items())):
        progress(f"bag: file {i:,} of {len(listed):,}")
        if path not in archive:
            report.add("E-FILE-MISSING", path, "The manifest names this file; it is not here.")
        elif archive.sha256(path) != digest:
            report.add("E-FILE-HASH", path, "This file was changed after the manifest was written.")
    for path in archive.paths():
        if path.startswith("data/") and path not in payload:
            report.add("E-FILE-EXTRA", path, "No manifest names this file.")
        elif path not in (*bag.TAG_FILES, bag.TAG_MANIFEST) and not paths.is_known(path):
            report.add("E-FILE-EXTRA", path, "The format knows no such file.")
    _check_tag_files(archive, report)


def _check_tag_files(archive: Opened, report: Report) -> None:
    try:
        declaration, info = archive.read(bag.BAGIT), archive.read(bag.BAG_INFO)
    except (MalformedError, LimitError) as error:
        report.add("E-BAG", "bag", said(error))
        return
    if declaration != bag.DECLARATION:
        report.add("E-BAG", bag.BAGIT, "It is not the declaration this format writes.")
    match = _BAG_INFO.fullmatch(info.decode("ascii", errors="replace"))
    payload = [path for path in archive.paths() if path.startswith("data/")]
    oxum = f"{sum(map(archive.size, payload))}.{len(payload)}"
    if match is None or (match[2], match[5]) != (archive.name, oxum) or not _is_date(match[1]):
        report.add("E-BAG", bag.BAG_INFO, "It does not describe this bag.")
        return
    archive.closed_on, archive.closing, archive.replaces = match[1], match[3], match[4]


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _manifest(archive: Opened, path: str, report: Report) -> Iterator[tuple[str, str]]:
    try:
        yield from bag.parse_manifest(archive.read(path)).items()
    except (MalformedError, LimitError) as error:
        report.add("E-BAG", path, said(error))
