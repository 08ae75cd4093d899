"""Reads a plant's evidence from a folder, as collectors kept it before databases. Reads only.

    log/entries.seg                        log entries, in order
    log/checkpoint                         newest signed note
    frames/<stream>/<YYYY-MM-DD>/<HH>.seg  objects of a stream, by UTC hour, in order
    keys/                                  certificates (.crt) and orders (.cose)
    quarantine/<stream>-<seq>-<hash>.cose  objects kept aside
    records/<SHA256>.cose, <SHA256>-<SHA256>  documents of persons, and files attached to them

All but `keys` are verbatim, `.seg` are record files (`evidence.records`). What the checkpoint
speaks of is the truth: what lies behind it has no receipt, and who sent it sends it again. Index,
tree and state that lie there too follow from it and are not read.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from cloud.errors import DamagedLogError, StoreError
from evidence import checkpoint
from evidence.documents.document import FILE_BYTES_MAX
from evidence.errors import EvidenceError, MalformedError
from evidence.log import Entry
from evidence.merkle import CompactRange, leaf_hash
from evidence.records import RECORD_BYTES_MAX, records_in
from evidence.suites import PublicKey

#: in a slice's folder: its logs were stamped by a simulated clock
SIMULATED = "simulated-clock"
CHUNK_BYTES = 4 * 1024 * 1024


class PlantFolder:
    """The evidence that a checkpoint of a collector speaks of.

    Args:
        plant: plant id.
        folder: its files.
        keys: of the collector, and of earlier ones.

    Attributes:
        plant: its id.
        size: entries of the log.
        root: of the tree over them.

    Raises:
        DamagedLogError: there is no checkpoint, nobody of these signed it, or less is there than
            it speaks of.
    """

    def __init__(self, plant: str, folder: Path, keys: Sequence[PublicKey]) -> None:
        self.plant, self._folder = plant, folder
        signed = self._signed(keys)
        self.size, self.root = signed.size, signed.root
        if self.root_at(self.size) != self.root:
            raise DamagedLogError(f"{folder}: its log does not give the root that was signed")

    def _signed(self, keys: Sequence[PublicKey]) -> checkpoint.Checkpoint:
        path, why = self._folder / "log" / "checkpoint", "no key of a collector is known"
        note = _read(path, checkpoint.TEXT_BYTES_MAX).decode("utf-8", "replace")
        for key in keys:
            try:
                found = checkpoint.verify(note, key)
            except EvidenceError as error:
                why = str(error)
                continue
            if found.plant == self.plant:
                return found
            why = f"it is of plant {found.plant}"
        raise DamagedLogError(f"{path}: is not signed by a collector of this plant: {why}")

    def entries(self, first: int = 0) -> Iterator[tuple[int, bytes]]:
        """(index, verbatim entry) of the log, from `first` on; DamagedLogError where one is not."""
        path, index = self._folder / "log" / "entries.seg", 0
        try:
            for index, data in enumerate(islice(_records(path), self.size)):
                if index >= first:
                    yield index, data
        except MalformedError as error:
            raise DamagedLogError(f"{path}: entry {index + 1}: {error}") from error

    def root_at(self, size: int) -> bytes:
        """Root of the first `size` entries, or of all where there are fewer."""
        tree = CompactRange()
        for _, data in islice(self.entries(), size):
            tree = tree.append(leaf_hash(data))
        return tree.root()

    def objects(self, stream: str, first: int) -> Iterator[bytes]:
        """Objects of a gateway, from seq `first` on."""
        files = sorted((self._folder / "frames" / stream).glob("*/*.seg"))
        return islice((data for path in files for data in _whole(path)), first, None)

    def key_files(self) -> Mapping[str, bytes]:
        """Name -> bytes of certificates and orders."""
        files = sorted((self._folder / "keys").glob("*"))
        wanted = [path for path in files if path.suffix in (".crt", ".cose")]
        return {path.name: _read(path, RECORD_BYTES_MAX) for path in wanted}

    def kept(self, entry: Entry) -> bytes:
        """The object that was put aside for a REJECT entry."""
        name = f"{entry.stream}-{entry.seq or 0}-{entry.sha256.hex()[:16]}.cose"
        return _checked(self._folder / "quarantine" / name, entry.sha256)

    def document(self, sha256: bytes) -> bytes:
        """A document of a person."""
        return _checked(self._folder / "records" / f"{sha256.hex()}.cose", sha256)

    def attached(self, document: bytes, sha256: bytes) -> bytes:
        """A file that is attached to a document, both by their SHA-256."""
        return _checked(self._folder / "records" / f"{document.hex()}-{sha256.hex()}", sha256)


def plants_in(root: Path) -> Mapping[str, Path]:
    """Plant id -> folder, of each that has a log in a slice's folder, sorted. OSError."""
    logs = sorted(root.glob("*/log/checkpoint"))
    return {path.parent.parent.name: path.parent.parent for path in logs}


def signed_size(folder: Path) -> int:
    """Entries that a plant's checkpoint says there are, whoever signed it; StoreError."""
    path = folder / "log" / "checkpoint"
    try:
        return checkpoint.parse(_read(path, checkpoint.TEXT_BYTES_MAX).decode())[0].size
    except (EvidenceError, ValueError) as error:
        raise StoreError(f"{path}: {error}") from error


def _records(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from records_in(iter(lambda: file.read(CHUNK_BYTES), b""))


def _whole(path: Path) -> Iterator[bytes]:
    """Records up to the first that is not whole: what a crash left there has no entry."""
    try:
        yield from _records(path)
    except MalformedError:
        return


def _checked(path: Path, sha256: bytes) -> bytes:
    data = _read(path, FILE_BYTES_MAX)
    if hashlib.sha256(data).digest() != sha256:
        raise StoreError(f"{path}: altered: put it back from a backup of the plant's folder")
    return data


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    if len(data) > most:
        raise StoreError(f"{path}: more than {most} bytes")
    return data
