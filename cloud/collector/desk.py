"""What months may ask of the collector: read a plant's evidence, add to its log, ask for closes.

Protocols only. `cloud.database.reader.PlantReader` is the one `PlantEvidence`,
`cloud.collector.closing.Desk` the one `EvidenceDesk`; tests put plain objects in their place.

Reading never waits for the collector and may run in any thread: it sees what was committed when
the call began, and that never changes. Everything that writes goes through the collector's one
thread, so that a plant's log has one writer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cloud.database.objects import Appended, StoredObject
from evidence.chain import Head
from evidence.keys import Signer
from evidence.log import Entry
from evidence.merkle import CompactRange
from evidence.receipt import CloseRequest


class PlantEvidence(Protocol):
    """One plant's committed evidence. Any thread; StoreError where the disk disagrees."""

    @property
    def plant(self) -> str:
        """Plant id."""

    @property
    def size(self) -> int:
        """Entries of the log."""

    @property
    def checkpoint(self) -> str:
        """Newest signed note; "" before the first commit."""

    def streams(self) -> Sequence[str]:
        """Gateway ids that have at least one object, sorted."""

    def head(self, stream: str) -> Head:
        """Where a stream stands; a fresh `Head` when it has no object."""

    def newest_ns(self, stream: str) -> int:
        """Newest tick of a stream, 0 before the first; known without reading any object."""

    def hash_at(self, stream: str, seq: int) -> bytes | None:
        """SHA-256 of an object, None when there is none."""

    def configs(self, stream: str) -> Mapping[bytes, int]:
        """SHA-256 of every signed configuration of a stream -> its seq, oldest first."""

    def span(self, stream: str, from_ns: int, to_ns: int) -> tuple[int, int]:
        """Seqs (first, stop) of the objects with from_ns <= at_ns < to_ns, stop exclusive.

        Objects before the stream's first frame go with that frame. Empty: first == stop.
        """

    def objects(
        self, stream: str, first: int = 0, stop: int | None = None
    ) -> Iterator[StoredObject]:
        """Objects first..stop-1 (to the head when None), in order, each checked by its hash."""

    def entries(self, first: int = 0, stop: int | None = None) -> Iterator[tuple[int, bytes]]:
        """(index, verbatim entry) of the log, first..stop-1 (to the end when None)."""

    def key_files(self) -> Mapping[str, bytes]:
        """Name -> bytes of certificates (.crt, PEM) and orders (.cose) kept beside the log."""

    def kept(self, sha256: bytes) -> tuple[Entry, bytes] | None:
        """A REJECT entry and the object that was put aside for it, None when there is none."""

    @property
    def records(self) -> Mapping[bytes, int]:
        """SHA-256 of every document of a person -> index of its log entry, in the log's order."""

    def document(self, sha256: bytes) -> bytes:
        """A document of `records`, verbatim."""

    def attached(self, record: bytes, sha256: bytes) -> Iterator[bytes]:
        """Pieces of a file that is attached to a document, both by their SHA-256."""

    def compact_range(self, size: int) -> CompactRange:
        """The tree of the first `size` entries as the hashes it grows from."""

    def inclusion_path(self, index: int, size: int) -> list[bytes]:
        """Audit path of one entry in the tree of the first `size` entries (RFC 6962)."""

    def consistency_path(self, old: int, size: int) -> list[bytes]:
        """Proof that the tree of `old` entries is a prefix of that of `size` (RFC 6962)."""


@dataclass(frozen=True)
class PlantKeys:
    """Certificates of a plant, PEM, as enrolled.

    Attributes:
        root: the plant root's.
        collector: the collector's, issued by that root.
        gateways: (gateway id, SHA-256 of the certificate's DER form) -> certificate.
    """

    root: bytes
    collector: bytes
    gateways: Mapping[tuple[str, bytes], bytes]


class EvidenceDesk(Protocol):
    """The collector, as months see it. Call from the event loop's thread."""

    @property
    def signer(self) -> Signer:
        """The collector's key."""

    def plants(self) -> Sequence[str]:
        """Ids of the plants whose evidence is open, sorted."""

    def evidence(self, plant: str) -> PlantEvidence:
        """A plant's evidence; LookupError for a plant this collector does not hold."""

    def keys(self, plant: str) -> PlantKeys:
        """A plant's certificates; LookupError likewise."""

    def receipt(self, plant: str, stream: str) -> bytes | None:
        """The newest signed receipt of a stream, None before its first object."""

    async def look_for_keys(self, plant: str) -> Sequence[str]:
        """Log the certificates and orders that wait in the operator's folder.

        Gives a sentence for each file of it that does not count.

        Raises:
            LookupError: no such plant.
            StoreError: the disk refused; nothing new counts.
        """

    async def append_entry(
        self, plant: str, entry: Entry, documents: int | None = None
    ) -> Appended:
        """Log one entry (a month close, a record) and wait until it is on disk.

        The collector puts its own `received_ns` and `epoch` in; the rest is logged as given. The
        entry is the last of the returned checkpoint's tree.

        Args:
            plant: plant id.
            entry: what to log.
            documents: how many of persons the log must have before it; None for any number.

        Raises:
            LookupError: no such plant.
            LateDocumentError: the log has more documents by now; nothing was logged.
            StoreError: the disk refused; nothing was logged.
        """

    async def request_close(self, plant: str, stream: str, request: CloseRequest) -> None:
        """Publish a close request for a gateway, signed and retained.

        It stands on the broker until another replaces it, also through a restart of the gateway.
        Does not wait for the answer.
        """

    async def plant_close(self, request: CloseRequest, timeout_s: float) -> bytes | None:
        """The gateway's close object (its COSE bytes) in which it signed this request.

        Returns at once when the stream's newest close is it; otherwise waits until the object
        is committed. None when none came in time.
        """
