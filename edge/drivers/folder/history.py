"""Which files are done with, and how far the current one is delivered. Pure.

For good is what is committed: the position names the file that is half delivered; a mark, for each
file that is done with, keeps its hash and by what it is known without reading it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from edge.drivers.folder.files import Identity
from edge.drivers.source_rows import Row
from edge.drivers.waiting_rows import Delivered, Key
from evidence import cbor
from evidence.errors import EvidenceError

FILES_MAX = 200_000  # that one device remembers

_VERSION = 1  # of position and notes
_READ, _TOLD, _REFUSED = 0, 1, 2
_NO_FILE = Identity(0, 0, 0, 0)


@dataclass
class Current:
    """The file that is being delivered.

    Attributes:
        rows: those not below the floor, by line; None of them is known after a restart.
        delivered: up to which line.
    """

    name: str
    identity: Identity
    sha256: bytes
    rows: list[tuple[Key, Row]] = field(default_factory=list)
    delivered: Delivered = field(default_factory=Delivered)

    def resumed(self, name: str, identity: Identity, rows: list[tuple[Key, Row]]) -> "Current":
        """The same after a restart, with the rows that are left, under the name it has now."""
        floor = int(self.delivered.floor or 0)
        left = [(line, row) for line, row in rows if int(line) > floor]
        return replace(self, name=name, identity=identity, rows=left)


class History:
    """What a folder's device has read.

    Attributes:
        current: the file being delivered.
        half_read: one that was when the last process ended, until its file is found again.
    """

    def __init__(self, form: bytes, position: bytes | None, marks: Mapping[bytes, bytes]) -> None:
        """Take up what was committed.

        Args:
            form: hash of how files are read: what was refused under another is looked at again.
            position: as `position` gave it.
            marks: as `take_marks` gave them.

        Raises:
            ValueError: they are not a folder's, or a newer program's.
        """
        self._form = form[:8]
        self.current: Current | None = None
        self.half_read = None if position is None else _decode(position)
        self._read: set[bytes] = set()
        self._known: set[tuple[str, Identity]] = set()
        self._read_as: dict[str, list[bytes]] = {}  # name -> hashes of what was read under it
        self._marks: dict[bytes, bytes] = {}
        self._begun = position is not None
        for mark, note in marks.items():
            self._take_up(mark, note)

    def _take_up(self, mark: bytes, note: bytes) -> None:
        try:
            version, kind, name, digest, form, *numbers = cbor.decode(note)
            identity = Identity(*map(_number, numbers))
        except (EvidenceError, TypeError, ValueError) as error:
            raise ValueError(f"a mark: {error}") from error
        is_of_it = isinstance(name, str) and isinstance(digest, bytes)
        if version != _VERSION or not is_of_it:
            raise ValueError(f"a mark of version {version}")
        if kind == _READ:
            self._read.add(mark)
            self._read_as.setdefault(name, []).append(digest)
        if kind != _REFUSED or form == self._form:
            self._known.add((name, identity))

    def knows(self, name: str, identity: Identity) -> bool:
        """True when the file of this name is as it was when it was done with, or is current."""
        current = self.current
        is_current = current is not None and (current.name, current.identity) == (name, identity)
        return is_current or (name, identity) in self._known

    def has_read(self, digest: bytes) -> bool:
        """True when a file of these bytes was read."""
        return digest in self._read

    def hashes_of(self, name: str) -> list[bytes]:
        """Hashes of the files that were read under this name."""
        return self._read_as.get(name, [])

    @property
    def is_full(self) -> bool:
        """True when no further file can be remembered."""
        return len(self._read) >= FILES_MAX

    def begin(self, file: Current) -> None:
        """Deliver this file from now on."""
        self.current, self._begun = file, True

    def finish(self, file: Current) -> None:
        """Never read it again."""
        self.current, self._begun = None, True
        self._read.add(file.sha256)
        self._read_as.setdefault(file.name, []).append(file.sha256)
        self._keep(file.sha256, _READ, file.name, file.identity, file.sha256)

    def tell(
        self,
        name: str,
        identity: Identity,
        digest: bytes,
        *,
        is_refused: bool = False,
    ) -> None:
        """What this name holds was told, and is not told again until it is another file."""
        kind = _REFUSED if is_refused else _TOLD
        mark = sha256(cbor.encode([kind, name, digest, self._form])).digest()
        self._keep(mark, kind, name, identity, digest)

    def _keep(self, mark: bytes, kind: int, name: str, identity: Identity, digest: bytes) -> None:
        self._known.add((name, identity))
        numbers = [identity.inode, identity.size, identity.mtime_ns, identity.ctime_ns]
        self._marks[mark] = cbor.encode([_VERSION, kind, name, digest, self._form, *numbers])

    def take_marks(self) -> Mapping[bytes, bytes]:
        """Those made since the last call."""
        marks, self._marks = self._marks, {}
        return marks

    def position(self) -> bytes | None:
        """The file being delivered and up to where; None before the first file."""
        file = self.current or self.half_read
        if file is None:
            return cbor.encode([_VERSION, "", b"", None, []]) if self._begun else None
        done = file.delivered
        return cbor.encode([_VERSION, file.name, file.sha256, done.floor, list(done.ahead)])


def _number(value: object) -> int:
    if type(value) is not int:
        raise ValueError("it is no number")
    return value


def _decode(position: bytes) -> Current | None:
    try:
        version, name, digest, floor, ahead = cbor.decode(position)
        delivered = Delivered.of(floor, ahead)
    except (EvidenceError, TypeError, ValueError) as error:
        raise ValueError(str(error)) from error
    is_of_it = isinstance(name, str) and isinstance(digest, bytes) and not isinstance(floor, str)
    if version != _VERSION or not is_of_it:
        raise ValueError(f"it is of version {version}")
    return Current(name, _NO_FILE, digest, delivered=delivered) if name else None
