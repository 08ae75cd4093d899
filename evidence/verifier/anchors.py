"""What gateways saw of the log: anchors and cosignatures, against the archive's log.

A gateway puts the newest checkpoint it holds into every object, and cosigns what it found
consistent. A log that was rewritten after a gateway had seen it cannot have those roots any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from evidence.cosignature import decode_cosignature, verify_cosigned, witness_name
from evidence.errors import EvidenceError, UnknownSuiteError, UnsupportedError
from evidence.findings import Report, said
from evidence.frame import Header
from evidence.suites import PublicKey
from evidence.verifier.log_view import Logged, LogView

#: sizes of older logs that are compared with one another; an honest month has a few
BEFORE_MAX = 10_000


@dataclass
class Anchors:
    """Checks what each object says of the log, as it is read.

    Attributes:
        before: log size -> (root, where it was first seen), of logs older than the archive's.
        anchored: streams of which an object names an anchor.
    """

    before: dict[int, tuple[bytes, str]] = field(default_factory=dict)
    anchored: set[str] = field(default_factory=set)

    def take(
        self, report: Report, log: LogView, header: Header, own: Logged | None, where: str
    ) -> None:
        """Compare an object's anchor with the log; it must be older than the object's own entry.

        Args:
            report: takes the findings.
            log: what the archive's log says.
            header: of the object.
            own: the log's entry for it, if any.
            where: the object's place.
        """
        if header.anchor is None:
            return
        self.anchored.add(header.stream)
        for sentence in self._faults(log, *header.anchor, own, where):
            report.add("E-ANCHOR", where, sentence)

    def take_cosignature(
        self,
        report: Report,
        log: LogView,
        header: Header,
        payload: bytes,
        *,
        witness: PublicKey,
        collectors: Sequence[PublicKey],
    ) -> None:
        """Check a cosignature object: both signatures, and the log it is of.

        Args:
            report: takes the findings.
            log: what the archive's log says.
            header: of the object.
            payload: its payload.
            witness: the gateway's key that signed the object.
            collectors: the log's key and its earlier ones.

        Raises:
            UnknownSuiteError, UnsupportedError: newer than this program.
        """
        where = f"{header.stream} seq {header.seq}"
        try:
            note = decode_cosignature(payload)
            name = witness_name(header.plant, header.stream)
            checkpoint = verify_cosigned(note, name, witness, collectors).checkpoint
        except (UnknownSuiteError, UnsupportedError):
            raise
        except EvidenceError as error:
            report.add("E-COSIGNATURE", where, said(error))
            return
        if checkpoint.plant != header.plant:
            report.add("E-COSIGNATURE", where, f"It is of {checkpoint.plant}'s log.")
            return
        own = log.entry(header.stream, header.seq)
        for sentence in self._faults(log, checkpoint.size, checkpoint.root, own, where):
            report.add("E-COSIGNATURE", where, sentence)

    def _faults(
        self, log: LogView, size: int, root: bytes, own: Logged | None, where: str
    ) -> list[str]:
        """What is wrong with a size and root that a gateway signed."""
        found = []
        if own is not None and size > own.index:
            found.append(f"It names a log of {size} entries; its own entry there is {own.index}.")
        if size > log.tree.size:
            found.append(f"It names a log of {size} entries; the archive has {log.tree.size}.")
        elif size < log.start.size:
            if len(self.before) < BEFORE_MAX:
                self.before.setdefault(size, (root, where))
            known = self.before.get(size)
            if known is not None and known[0] != root:
                found.append(f"It and {known[1]} name different roots of a log of {size} entries.")
        elif log.root_at(size) != root:
            found.append(
                f"The log's first {size} entries had another root when the gateway saw it."
            )
        return found

    def tell(self, report: Report, stream: str) -> None:
        """Say so of a stream that has no anchor at all."""
        if stream not in self.anchored:
            sentence = (
                "No object names a log that the gateway had seen: that they were made before they "
                "were received, and not long before, only the clocks say."
            )
            report.add("N-NO-ANCHORS", f"stream {stream}", sentence)
