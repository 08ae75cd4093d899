"""Step 7: the closing. Log entry, seal, and the gateways' own signatures under the month."""

import hashlib
from collections.abc import Mapping
from typing import Any

from evidence import cose
from evidence.archive import bag, paths
from evidence.errors import EvidenceError, SignatureError, UnknownSuiteError
from evidence.findings import Report
from evidence.frame import TYP_CLOSE, header_of
from evidence.receipt import CloseRequest, decode_close
from evidence.verifier.frames import FrameCheck
from evidence.verifier.identities import Identities
from evidence.verifier.log_check import LogView
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

    def check(self, given: Mapping[str, Any]) -> None:
        """Check log entry, seal and every gateway's signature against the statement's input."""
        self._seal()
        statement = hashlib.sha256(self._archive.read(paths.STATEMENT)).digest()
        self._log_entry(given, statement)
        for stream in sorted(self._frames.streams):
            self._gateway(stream, given, statement)

    def _seal(self) -> None:
        key = self._identities.collector
        if key is None:
            sentence = "There is no good collector certificate to check it with."
            self._report.add("E-SEAL", paths.SEAL, sentence)
            return
        try:
            seal = self._archive.read(paths.SEAL)
            bag.check_seal(seal, self._archive.tag_manifest_sha256, key)
        except UnknownSuiteError as error:
            self._report.add("C-SUITE", paths.SEAL, f"{error}.")
        except EvidenceError as error:
            self._report.add("E-SEAL", paths.SEAL, f"{error}.")

    def _log_entry(self, given: Mapping[str, Any], statement: bytes) -> None:
        close = self._log.close
        if close is None:
            sentence = "The log has no entry that closes a month."
            self._report.add("E-LOG-CLOSE", paths.LOG_ENTRIES, sentence)
            return
        if self._log.statement_sha256 != statement:
            sentence = "The log closed another statement than this."
            self._report.add("E-LOG-CLOSE", paths.STATEMENT, sentence)
        for key in ("month", "closing"):
            if close.get(key) != given.get(key):
                sentence = f"The log says {close.get(key)!r}, the statement {given.get(key)!r}."
                self._report.add("E-LOG-CLOSE", f"statement {key}", sentence)

    def _gateway(self, stream: str, given: Mapping[str, Any], statement: bytes) -> None:
        path = paths.close(stream)
        if path not in self._archive:
            sentence = f"Gateway {stream} has not signed this close; only the collector sealed it."
            self._report.add("W-NO-PLANT-SIGNATURE", path, sentence)
            return
        try:
            envelope = cose.parse(self._archive.read(path))
            header = header_of(envelope)
            key = self._identities.gateways.get((stream, envelope.kid))
            if key is None:
                raise SignatureError(f"it is signed by a key that is not of gateway {stream}")
            cose.verify(envelope, key)
            agreed = decode_close(envelope.payload)
        except UnknownSuiteError as error:
            self._report.add("C-SUITE", path, f"{error}.")
            return
        except EvidenceError as error:
            self._report.add("E-CLOSE", path, f"{error}.")
            return
        wanted = self._wanted(stream, given, statement)
        if header.typ != TYP_CLOSE or header.stream != stream or agreed != wanted:
            differ = [k for k in vars(wanted) if getattr(agreed, k) != getattr(wanted, k)]
            sentence = f"The gateway signed another close than this ({', '.join(differ)} differ)."
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
