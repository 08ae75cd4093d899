"""Where a plant's evidence stands under its folder. Names only, plus one directory listing.

    frames/<stream>/<YYYY-MM-DD>/<HH>.seg   signed objects, verbatim, by UTC hour of the frame's t0
    index/<stream>.idx                      place of each object by seq (rebuildable)
    log/entries.seg                         log entries
    log/entries.idx                         end offset of each entry, u64 (rebuildable)
    log/tree.bin                            Merkle tree (rebuildable)
    log/checkpoint                          newest signed note
    log/state                               snapshot for a quick start (rebuildable)
    keys/                                   certificates, PEM, as enrolled; order-<SHA256>.cose:
                                            orders of the root, verbatim, and copies of the
                                            rotate objects in the streams
    quarantine/                             objects kept aside, verbatim
    records/<SHA256>.cose                   documents that persons signed, verbatim
    records/<SHA256>-<SHA256>               of the first of them: a file attached to it
    aside/                                  what a start set aside (`cloud.store.aside`)
    accumulated.json                        this month so far (rebuildable; `cloud.accumulated`)

Objects before a stream's first frame stand in hour 0, 1970-01-01/00.seg.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from evidence.log import Entry

_SEGMENT = re.compile(r"(\d{4}-\d{2}-\d{2})/(\d{2})\.seg")


class PlantFolder:
    """The files of one plant."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entries = root / "log" / "entries.seg"
        self.offsets = root / "log" / "entries.idx"
        self.tree = root / "log" / "tree.bin"
        self.checkpoint = root / "log" / "checkpoint"
        self.snapshot = root / "log" / "state"
        self.keys = root / "keys"
        self.quarantine = root / "quarantine"
        self.records = root / "records"
        self.aside = root / "aside"
        self.accumulated = root / "accumulated.json"
        self._frames = root / "frames"
        self._index = root / "index"
        #: newest segment of each stream, and indexes: asked for with each object that comes
        self._segments: dict[str, tuple[int, Path]] = {}
        self._indexes: dict[str, Path] = {}

    def segment(self, stream: str, hour: int) -> Path:
        """Segment of a stream and hour (hours since 1970 UTC)."""
        newest, path = self._segments.get(stream, (None, self._frames))
        if newest != hour:
            start = datetime.fromtimestamp(hour * 3600, UTC)
            path = self._frames / stream / f"{start:%Y-%m-%d}" / f"{start:%H}.seg"
            self._segments[stream] = hour, path
        return path

    def index(self, stream: str) -> Path:
        """Index of a stream."""
        if stream not in self._indexes:
            self._indexes[stream] = self._index / f"{stream}.idx"
        return self._indexes[stream]

    def order(self, sha256: bytes) -> Path:
        """An order of the plant's root about keys."""
        return self.keys / f"order-{sha256.hex()}.cose"

    def record(self, sha256: bytes) -> Path:
        """A document that a person signed."""
        return self.records / f"{sha256.hex()}.cose"

    def attached(self, record: bytes, sha256: bytes) -> Path:
        """A file attached to a document, both by their SHA-256.

        It stands under the document's name so that what was never logged is known by its name.
        """
        return self.records / f"{record.hex()}-{sha256.hex()}"

    def kept(self, entry: Entry) -> Path:
        """The object that a reject entry says was kept aside."""
        name = f"{entry.stream}-{entry.seq or 0}-{entry.sha256.hex()[:16]}.cose"
        return self.quarantine / name

    def streams(self) -> list[str]:
        """Streams that have a folder or an index, sorted."""
        folders = {path.name for path in self._frames.glob("*") if path.is_dir()}
        return sorted(folders | {path.stem for path in self._index.glob("*.idx")})

    def hours(self, stream: str, after: int) -> Iterator[int]:
        """Hours later than `after` that have a segment, in order."""
        base = self._frames / stream
        first_day = f"{datetime.fromtimestamp(max(after, 0) * 3600, UTC):%Y-%m-%d}"
        for day in sorted(p.name for p in base.glob("*") if p.name >= first_day):
            for path in sorted((base / day).glob("*.seg")):
                hour = _hour_of(f"{day}/{path.name}")
                if hour is not None and hour > after:
                    yield hour


def _hour_of(name: str) -> int | None:
    match = _SEGMENT.fullmatch(name)
    if match is None:
        return None
    try:
        start = datetime.strptime(f"{match[1]} {match[2]} +0000", "%Y-%m-%d %H %z")
    except ValueError:
        return None
    return int(start.timestamp()) // 3600
