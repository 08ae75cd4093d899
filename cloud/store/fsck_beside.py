"""Checks what the log speaks of beside it. Reads only.

Certificates, orders, objects kept aside, documents of persons with their files.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

from cloud.store.fsck_findings import Fault, Findings
from cloud.store.layout import PlantFolder
from cloud.store.quarantine import is_kept
from cloud.store.record_file import read_at
from evidence.documents.document import FILE_BYTES_MAX, unverified_document
from evidence.errors import EvidenceError, MalformedError
from evidence.keys import (
    PEM_BYTES_MAX,
    Certificate,
    certificate_from_pem,
    certificate_to_der,
    certificate_to_pem,
    identity,
    is_issued_by,
    public_key,
)
from evidence.log import Entry, Kind
from evidence.suites import PublicKey

OBJECT_BYTES_MAX = 1024 * 1024
_ALTERED = Fault.RECORD_ALTERED


class BesideCheck:
    """The files of keys/, quarantine/ and records/, against the entries as they come.

    Args:
        plant: plant id.
        folder: its files.
        root: the plant's root certificate; None takes the one that lies in keys/.
        findings: where to note differences.

    Attributes:
        collectors: keys of the collectors that the root has certified.
    """

    def __init__(
        self, plant: str, folder: PlantFolder, root: Certificate | None, findings: Findings
    ) -> None:
        self._folder, self._findings = folder, findings
        self.collectors: list[PublicKey] = []
        #: SHA-256 of each certificate's DER form -> its file
        self._certificates: dict[bytes, Path] = {}
        self._enrolled: set[bytes] = set()
        self._spoken_of: set[Path] = set()
        self._seen: set[Path] = set()
        #: hex SHA-256 of documents whose files are not known
        self._unread: set[str] = set()
        found = self._look()
        roots = [root] if root is not None else [c for c in found if identity(c)[0] == "root"]
        collectors = [c for c in found if identity(c)[:2] == ("collector", plant)]
        self.collectors = [public_key(c) for c in collectors if _is_issued(c, roots)]

    def _look(self) -> list[Certificate]:
        """Read the certificates that were not there before."""
        found = []
        for path in sorted(set(self._folder.keys.glob("*.crt")) - self._seen):
            self._seen.add(path)
            certificate = self._read_certificate(path)
            if certificate is not None:
                digest = hashlib.sha256(certificate_to_der(certificate)).digest()
                self._certificates[digest] = path
                found.append(certificate)
        return found

    def _read_certificate(self, path: Path) -> Certificate | None:
        try:
            data = _read(path, PEM_BYTES_MAX)
            certificate = certificate_from_pem(data)
            identity(certificate)
            public_key(certificate)
            if certificate_to_pem(certificate) != data:
                raise MalformedError("it was written in another form")
        except EvidenceError as error:
            what = f"cannot be read as a certificate ({error})"
            self._findings.add(Fault.CERTIFICATE_DAMAGED, self._name(path), what)
            return None
        return certificate

    def take(self, entry: Entry, index: int) -> None:
        """Look for what an entry speaks of."""
        if entry.kind is Kind.ENROL:
            self._look_for_certificate(entry, index)
        elif entry.kind in {Kind.REVOKE, Kind.REPLACE}:
            faults = Fault.ORDER_MISSING, Fault.ORDER_ALTERED
            self._compare(self._folder.order(entry.sha256), entry, index, faults, "the order")
        elif entry.kind is Kind.ROTATE:
            faults = Fault.ROTATE_COPY, Fault.ROTATE_COPY
            what = "the copy of the rotate object"
            self._compare(self._folder.order(entry.sha256), entry, index, faults, what)
        elif entry.kind is Kind.RECORD:
            self._look_for_document(entry, index)
        elif is_kept(entry):
            faults = Fault.KEPT_MISSING, Fault.KEPT_ALTERED
            what = f"the object kept aside ({entry.verdict})"
            self._compare(self._folder.kept(entry), entry, index, faults, what)

    def _look_for_certificate(self, entry: Entry, index: int) -> None:
        wanted = entry.detail.get("certificate_sha256")
        if not isinstance(wanted, bytes):
            return
        self._enrolled.add(wanted)
        if wanted not in self._certificates:
            self._look()  # a running collector may have just put it there
        if wanted not in self._certificates:
            whose = f"{entry.detail.get('role')} {entry.detail.get('name')}"
            what = f"no file holds the certificate that log entry {index} enrolled for {whose}"
            name = self._name(self._folder.keys)
            self._findings.add(Fault.CERTIFICATE_MISSING, name, what, index=index)

    def _look_for_document(self, entry: Entry, index: int) -> None:
        path, faults = self._folder.record(entry.sha256), (Fault.RECORD_MISSING, _ALTERED)
        if not self._compare(path, entry, index, faults, "the document"):
            self._unread.add(entry.sha256.hex())
            return
        try:
            files = unverified_document(_read(path, OBJECT_BYTES_MAX)).files
        except EvidenceError as error:
            self._unread.add(entry.sha256.hex())
            what = f"the document of log entry {index} is none this program reads ({error})"
            self._findings.add(_ALTERED, self._name(path), what, index=index)
            return
        for file in files:
            held, what = self._folder.attached(entry.sha256, file.sha256), f"the file {file.name!r}"
            self._compare(held, replace(entry, sha256=file.sha256), index, faults, what)

    def _compare(
        self, path: Path, entry: Entry, index: int, faults: tuple[Fault, Fault], what: str
    ) -> bool:
        """Note what is wrong with the bytes that an entry has the hash of; True when nothing."""
        missing, altered = faults
        self._spoken_of.add(path)
        if not path.exists():
            sentence = f"{what} that log entry {index} speaks of is gone"
            self._findings.add(missing, self._name(path), sentence, index=index)
        elif hashlib.sha256(_read(path, FILE_BYTES_MAX)).digest() != entry.sha256:
            sentence = f"these are not the bytes of {what} that log entry {index} speaks of"
            self._findings.add(altered, self._name(path), sentence, index=index)
        else:
            return True
        return False

    def finish(self) -> None:
        """Tell of files that no entry speaks of. Only where no collector is writing them."""
        for sha256, path in self._certificates.items():
            if sha256 not in self._enrolled:
                what = "this certificate was never enrolled in the log"
                self._findings.add(Fault.CERTIFICATE_UNLOGGED, self._name(path), what)
        for folder, fault in (
            (self._folder.keys, Fault.ORDER_UNLOGGED),
            (self._folder.quarantine, Fault.KEPT_UNLOGGED),
        ):
            for path in sorted(set(folder.glob("*.cose")) - self._spoken_of):
                what = "no log entry speaks of this object: its commit did not finish"
                self._findings.add(fault, self._name(path), what)
        for path in sorted(set(self._folder.records.glob("*")) - self._spoken_of):
            if path.name[:64] not in self._unread:  # whose files those are nobody can say
                what = "no log entry speaks of this document or file: its commit did not finish"
                self._findings.add(Fault.RECORD_UNLOGGED, self._name(path), what)

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self._folder.root))


def _is_issued(certificate: Certificate, roots: list[Certificate]) -> bool:
    return any(is_issued_by(certificate, root) for root in roots)


def _read(path: Path, limit: int) -> bytes:
    """A file's bytes, one more than the limit at most."""
    return read_at(path, 0, limit + 1)
