"""Step 8: notes and receipts that the reviewer kept, against the archive's log.

Gateway and collector together can write another history, and every signature in it is good. What
the collector signed before, and somebody else kept, it cannot take back.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evidence import checkpoint
from evidence.checkpoint import Checkpoint
from evidence.errors import (
    EvidenceError,
    KeyFileError,
    SignatureError,
    UnknownSuiteError,
    UnsupportedError,
)
from evidence.findings import Report, said, utc
from evidence.kept import Kept
from evidence.receipt import Receipt, decode_receipt
from evidence.suites import PublicKey
from evidence.verifier.identities import Identities
from evidence.verifier.log_view import LogView


@dataclass
class KeptCheck:
    """Compares each note and receipt with the log.

    Attributes:
        report: takes the findings, and what could not be compared.
        identities: the collector's keys of the archive.
        log: what the archive's log says.
        seen: log size -> (root, where it was seen), of sizes that the archive's log does not
            reach: by its gateways, then by what was kept.
    """

    report: Report
    identities: Identities
    log: LogView
    seen: dict[int, tuple[bytes, str]]

    def check(self, kept: Sequence[Kept]) -> None:
        """Compare all of them.

        Raises:
            KeyFileError: one is no receipt, or of another plant's log: the reviewer has another
                file than was meant, and the archive cannot help it.
        """
        if kept and not self.identities.plant:
            self.report.not_checked.append("Kept: the archive does not say of which plant it is.")
            return
        for one in kept:
            self._one(one)

    def _one(self, one: Kept) -> None:
        try:
            if one.note:
                self._root(one.where, self._signed(one.where, one.note))
            else:
                self._receipt(one.where, one.receipt)
        except (SignatureError, UnknownSuiteError):
            self._open(
                one.where,
                "no key of the collector in this archive has signed it, so it cannot count. If "
                "the key is a newer one, compare with a later month's archive.",
            )
        except UnsupportedError as error:
            self.report.add("C-FORMAT", one.where, said(error))

    def _keys(self) -> Iterator[PublicKey]:
        if self.identities.collector is not None:
            yield self.identities.collector
        yield from self.identities.earlier

    def _signed(self, where: str, note: str) -> Checkpoint:
        """The checkpoint of a note that the collector signed."""
        self._is_of(where, checkpoint.parse(note)[0].plant)
        return checkpoint.verify_any(note, self._keys())

    def _is_of(self, where: str, plant: str) -> None:
        if plant != self.identities.plant:
            raise KeyFileError(
                f"{where}: it is of plant {plant[:40]!r}, and the archive of "
                f"{self.identities.plant!r}: leave it out"
            )

    def _receipt(self, where: str, data: bytes) -> None:
        try:
            held = self._decoded(data)
            self._is_of(where, held.plant)
            note = self._signed(where, held.checkpoint)
        except (SignatureError, UnknownSuiteError, UnsupportedError, KeyFileError):
            raise
        except EvidenceError as error:
            raise KeyFileError(f"{where}: it is no receipt of a collector: {error}") from error
        self._root(where, note)
        self._object(where, held)

    def _decoded(self, data: bytes) -> Receipt:
        refused = SignatureError("there is no key to check the receipt with")
        for key in self._keys():
            try:
                return decode_receipt(data, key)
            except SignatureError as error:
                refused = error
        raise refused

    def _root(self, where: str, note: Checkpoint) -> None:
        """The log had this root when it had this size."""
        log, size = self.log, note.size
        if not log.whole:
            self._open(where, "the archive's log could not be read.")
        elif log.start.size <= size <= log.tree.size:
            self.report.counts["kept"] += 1
            if (root := log.root_at(size)) != note.root:
                self._two(
                    where,
                    f"The collector signed root {_text(note.root)} for a log of {size} entries; "
                    f"this archive's log has {_text(root)} there",
                )
        else:
            self._beyond(where, note)

    def _beyond(self, where: str, note: Checkpoint) -> None:
        """A size that this archive's log did not have: other words about it are all there is."""
        root, by = self.seen.setdefault(note.size, (note.root, where))
        if root != note.root:
            self._two(
                where,
                f"The collector signed root {_text(note.root)} for a log of {note.size} entries; "
                f"{by} has {_text(root)}",
            )
        elif note.size > self.log.tree.size:
            self._open(
                where,
                f"it is of a log of {note.size} entries, this archive's ends at "
                f"{self.log.tree.size}. Compare with the archive of a later month.",
            )
        else:
            self._open(
                where,
                f"it is of a log of {note.size} entries, this archive's begins at "
                f"{self.log.start.size}. Compare with the archive of an earlier month.",
            )

    def _object(self, where: str, held: Receipt) -> None:
        """The log accepted the object that the collector gave a receipt for."""
        log = self.log
        entry = log.entry(held.stream, held.seq)
        place = f"seq {held.seq} of {held.stream}"
        if entry is None:
            if log.undecided or not log.whole:
                return
            if log.start.size <= held.log_index < log.tree.size:
                self._two(
                    where,
                    f"The collector gave a receipt for {place}, as log entry {held.log_index}; "
                    "this archive's log accepted no such object",
                )
        elif entry.sha256 != held.head:
            self._two(
                where,
                f"The collector gave a receipt for {place} with hash {held.head.hex()[:16]}; this "
                f"archive's log accepted {entry.sha256.hex()[:16]} there",
            )
        elif (entry.index, entry.received_ns) != (held.log_index, held.received_ns):
            self._two(
                where,
                f"The collector gave a receipt for {place}, as log entry {held.log_index} of "
                f"{utc(held.received_ns)}; here it is {entry.index} of {utc(entry.received_ns)}",
            )

    def _two(self, where: str, sentence: str) -> None:
        self.report.add("E-KEPT", where, f"{sentence}: it showed two histories.")

    def _open(self, where: str, why: str) -> None:
        self.report.not_checked.append(f"Kept {where}: {why}")


def _text(root: bytes) -> str:
    """As it stands in a note."""
    return base64.b64encode(root).decode()
