"""Step 7: the closing. Log entry, seal, and the gateways' own signatures under the month."""

import hashlib
from collections.abc import Mapping
from typing import Any

from evidence import checkpoint, cose, merkle
from evidence.archive import bag, paths
from evidence.errors import EvidenceError, MalformedError, UnknownSuiteError, UnsupportedError
from evidence.findings import Report, said, utc
from evidence.frame import TYP_CLOSE, place_of
from evidence.receipt import CloseRequest, Receipt, decode_close, decode_receipt
from evidence.verifier.frames import FrameCheck
from evidence.verifier.identities import Identities
from evidence.verifier.log_view import LogView
from evidence.verifier.opened import Opened


class ClosingCheck:
    """Checks everything that says "this is the month"."""

    def __init__(
        self,
        archive: Opened,
        report: Report,
        *,
        identities: Identities,
        log: LogView,
        frames: FrameCheck,
    ) -> None:
        """Prepare with what the earlier steps found."""
        self._archive, self._report = archive, report
        self._identities, self._log, self._frames = identities, log, frames

    def check(self, statement: Mapping[str, Any] | None) -> None:
        """Check seal, log entry and every gateway's signature.

        Args:
            statement: None when it could not be read; then only the seal.
        """
        self._seal()
        self._strangers()
        for stream in sorted(self._frames.streams):
            self._receipt(stream)
        self._collector_was_valid()
        self._collector_is_named()
        if statement is None:
            return
        given = statement["input"]
        self._name(given)
        data = self._archive.read(paths.STATEMENT)
        sha256 = hashlib.sha256(data).digest()
        self._log_entry(given, sha256, len(data))
        self._replaced(statement.get("replaces"))
        for stream in sorted(self._frames.streams):
            self._gateway(stream, given, sha256)

    def _collector_was_valid(self) -> None:
        if self._log.close is None or self._identities.collector is None:
            return
        if not self._identities.may_close(self._log.closed_ns):
            sentence = "Neither it nor one that it renews was valid when the month was closed."
            self._report.add("E-KEY-EXPIRED", paths.COLLECTOR_CERTIFICATE, sentence)

    def _collector_is_named(self) -> None:
        """The gateway's configuration names this collector, or one it has taken over from."""
        who = self._identities
        is_foreign = any(path.startswith("data/keys/collector") for path in who.foreign)
        if who.collector is not None and not is_foreign:
            self._frames.named.tell(self._report, who.collector, who.earlier)

    def _replaced(self, told: Any) -> None:
        """What the month replaces: the same in statement, log and bag."""
        replaces = told["statement_sha256"] if told is not None else None
        close = self._log.close
        logged = close.get("replaces") if close is not None else None
        logged = logged.hex() if isinstance(logged, bytes) else logged
        if close is not None and logged != replaces:
            sentence = f"The log says that it replaces {logged}, the statement {replaces}."
            self._report.add("E-LOG-CLOSE", "statement replaces", sentence)
        final = self._log.final(str(close.get("month"))) if close is not None else None
        if final is not None and final.hex() != replaces:
            sentence = f"The log closed this month before, as final, with statement {final.hex()}."
            self._report.add("E-LOG-CLOSE", "statement replaces", sentence)
        is_all = self._log.whole and not self._log.undecided and not self._log.start.size
        if close is not None and final is None and is_all and replaces is not None:
            sentence = "The log, whole in this archive, has no final close of what this replaces."
            self._report.add("E-LOG-CLOSE", "statement replaces", sentence)
        if self._archive.closing is not None and self._archive.replaces != replaces:
            sentence = f"It replaces {self._archive.replaces}, says the bag; {replaces}, says the "
            self._report.add("E-BAG", bag.BAG_INFO, f"{sentence}statement.")
        if replaces is not None:
            sentence = f"It replaces the close of statement {replaces}: {told['reason']}."
            self._report.add("N-AMENDED", "statement", sentence)

    def _receipt(self, stream: str) -> None:
        path, key = paths.receipt(stream), self._identities.collector
        if path not in self._archive or key is None:
            return
        try:
            receipt = decode_receipt(self._archive.read(path), key)
            note = checkpoint.verify(receipt.checkpoint, key)
        except (UnknownSuiteError, UnsupportedError) as error:
            code = "C-SUITE" if isinstance(error, UnknownSuiteError) else "C-FORMAT"
            self._report.add(code, path, said(error))
            return
        except EvidenceError as error:
            self._report.add("E-RECEIPT", path, said(error))
            return
        plants = {receipt.plant, note.plant}
        if plants != {self._identities.plant} or receipt.stream != stream:
            self._report.add("E-RECEIPT", path, "It is of another plant or gateway.")
            return
        if not self._is_logged(receipt):
            sentence = f"What it says of seq {receipt.seq} is not what the log says."
            self._report.add("E-RECEIPT", path, sentence)
        if note.size <= receipt.log_index:
            self._report.add("E-RECEIPT", path, "Its checkpoint does not cover its log entry.")
        if not self._log_grew(receipt, note):
            sentence = "It does not prove that the log only grew since its object was made."
            self._report.add("E-RECEIPT", path, sentence)

    def _is_logged(self, receipt: Receipt) -> bool:
        """The log says the same of its object; an object of another month may be outside it."""
        log, view = self._log, self._frames.streams[receipt.stream]
        entry = log.entry(receipt.stream, receipt.seq)
        if entry is not None:
            told = entry.sha256, entry.index, entry.received_ns
            return told == (receipt.head, receipt.log_index, receipt.received_ns)
        if log.undecided or not log.whole:
            return True
        if receipt.log_index < log.start.size:
            return view.first is None or receipt.seq < view.first
        is_later = receipt.log_index >= log.tree.size and receipt.seq >= view.head.next_seq
        return is_later and receipt.received_ns >= log.closed_ns

    def _log_grew(self, receipt: Receipt, note: checkpoint.Checkpoint) -> bool:
        """Its checkpoint and its proof are of the archive's log, as far as that reaches."""
        log, view = self._log, self._frames.streams[receipt.stream]
        within = range(log.start.size, log.tree.size + 1)
        if note.size in within and log.root_at(note.size) != note.root:
            return False
        anchor = view.receipted
        if anchor is not None and receipt.since != anchor[0]:
            return False
        if receipt.since == 0:
            return not receipt.path
        if anchor is not None:
            root = anchor[1]
        elif receipt.since in within:
            root = log.root_at(receipt.since)
        else:
            return True  # the archive knows no root of that size
        return merkle.is_consistent(receipt.since, root, note.size, note.root, receipt.path)

    def _name(self, given: Mapping[str, Any]) -> None:
        name = f"{self._identities.plant}-{given.get('month')}"
        if self._archive.name != name:
            sentence = f"The top folder is {self._archive.name!r}; this is {name!r}."
            self._report.add("E-BAG", "archive", sentence)

    def _strangers(self) -> None:
        """What is there of a gateway that has no frames here is nobody's."""
        for path in self._archive.paths():
            match = paths.CLOSE.fullmatch(path) or paths.RECEIPT.fullmatch(path)
            if match and match[1] not in self._frames.streams:
                sentence = f"There are no frames of {match[1]} in this archive."
                self._report.add("E-FILE-EXTRA", path, sentence)

    def _seal(self) -> None:
        """The seal; nothing else vouches for its bytes, so a strange suite number is a forgery."""
        key = self._identities.collector
        if paths.COLLECTOR_CERTIFICATE in self._identities.foreign:
            self._report.not_checked.append("Seal: its key is of an unknown crypto suite.")
            return
        if key is None:
            sentence = "There is no good collector certificate to check it with."
            self._report.add("E-SEAL", paths.SEAL, sentence)
            return
        try:
            seal = self._archive.read(paths.SEAL)
            bag.check_seal(seal, self._archive.tag_manifest_sha256, key)
        except EvidenceError as error:
            self._report.add("E-SEAL", paths.SEAL, said(error))

    def _log_entry(self, given: Mapping[str, Any], sha256: bytes, length: int) -> None:
        close = self._log.close
        if close is None and not self._log.ends_newer:
            sentence = "The log does not end with the entry that closes the month."
            self._report.add("E-LOG-CLOSE", paths.LOG_ENTRIES, sentence)
        if close is None:
            return
        if (self._log.statement_sha256, self._log.statement_bytes) != (sha256, length):
            sentence = "The log closed another statement than this."
            self._report.add("E-LOG-CLOSE", paths.STATEMENT, sentence)
        if self._archive.closing not in (None, given.get("closing")):
            sentence = f"It says {self._archive.closing!r}, the statement {given.get('closing')!r}."
            self._report.add("E-BAG", bag.BAG_INFO, sentence)
        self._closed_when(given)
        for key in ("month", "closing"):
            if close.get(key) != given.get(key):
                sentence = f"The log says {close.get(key)!r}, the statement {given.get(key)!r}."
                self._report.add("E-LOG-CLOSE", f"statement {key}", sentence)

    def _closed_when(self, given: Mapping[str, Any]) -> None:
        """Final only when the period is over; the bag's date is the log's."""
        at_ns, period = self._log.closed_ns, self._frames.period
        if given.get("closing") == "final" and period is not None and at_ns < period[1]:
            sentence = f"It was closed {utc(at_ns)}, as final: before its period was over."
            self._report.add("E-LOG-CLOSE", "statement period", sentence)
        day = self._frames.named.date(at_ns)
        if day is not None and self._archive.closed_on not in (None, day):
            sentence = f"It says {self._archive.closed_on}; the log closed the month on {day}."
            self._report.add("E-BAG", bag.BAG_INFO, sentence)

    def _gateway(self, stream: str, given: Mapping[str, Any], statement: bytes) -> None:
        path = paths.close(stream)
        if path not in self._archive:
            sentence = f"Gateway {stream} has not signed this close; only the collector sealed it."
            self._report.add("W-NO-PLANT-SIGNATURE", path, sentence)
            return
        try:
            envelope = cose.parse(self._archive.read(path))
            named = self._identities.keys_of(stream).find(envelope.kid)
            if named is None and self._identities.is_foreign(stream):
                self._report.add("C-SUITE", path, "Its key is of an unknown crypto suite.")
                return
            place = place_of(envelope)
            if named is not None:
                cose.verify(envelope, named.key)
                self._identities.note(stream, named.sha256, place.seq)
            self._identities.keys_of(stream).check(place.seq, envelope.kid, None)
            if place.typ != TYP_CLOSE:
                raise MalformedError(f"this is no close: {place.typ!r}")
            agreed = decode_close(envelope.payload)
        except UnsupportedError as error:
            self._report.add("C-FORMAT", path, said(error))
            return
        except EvidenceError as error:
            self._report.add("E-CLOSE", path, said(error))
            return
        wanted = self._wanted(stream, given, statement)
        differ = [k for k in vars(wanted) if getattr(agreed, k) != getattr(wanted, k)]
        if (place.plant, place.stream) != (wanted.plant, stream):
            differ.append("header")
        is_next = place.seq == wanted.seq + 1
        if place.seq <= wanted.seq or (is_next and place.prev != wanted.head):
            differ.append("place in the chain")
        if differ:
            sentence = f"The gateway signed another close than this: {', '.join(differ)}."
            self._report.add("E-CLOSE", path, sentence)

    def _wanted(self, stream: str, given: Mapping[str, Any], statement: bytes) -> CloseRequest:
        head = self._frames.streams[stream].head
        return CloseRequest(
            plant=self._identities.plant,
            stream=stream,
            month=str(given.get("month")),
            closing=str(given.get("closing")),
            statement_sha256=statement,
            seq=head.next_seq - 1,
            head=head.hash,
            log_size=self._log.size,
            log_root=self._log.root,
        )
