"""Checks what a plant's log speaks of beside it, in a database. Reads only.

Certificates, orders, objects kept aside, documents of persons with their files.
"""

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import Table, select

from cloud.database.engine import Database
from cloud.database.findings import Fault, Findings
from cloud.database.quarantine import is_kept
from cloud.database.schema import aside, attached, document, file_chunk, key_file
from evidence.documents.document import unverified_document
from evidence.errors import EvidenceError
from evidence.keys import (
    Certificate,
    certificate_from_pem,
    certificate_to_der,
    identity,
    is_issued_by,
    public_key,
)
from evidence.log import Entry, Kind
from evidence.suites import PublicKey


class BesideCheck:
    """Rows beside a log, against its entries as they come.

    Args:
        plant: plant id.
        plant_id: its row.
        database: where it is.
        root: the plant's root certificate; None takes the one that is kept there.
        findings: where to note differences.

    Attributes:
        collectors: keys of the collectors that the root has certified.
    """

    def __init__(
        self, plant: str, plant_id: int, database: Database, root: Certificate | None,
        findings: Findings,
    ) -> None:  # fmt: skip
        self._id, self._database, self._found = plant_id, database, findings
        self._files = self._key_files()
        #: SHA-256 of each certificate's DER form -> its name
        self._certificates: dict[bytes, str] = {}
        self._spoken_of: set[str] = set()
        self._counts: dict[Table, set[bytes]] = {aside: set(), document: set()}
        read = self._read()
        roots = [root] if root is not None else [c for c in read if identity(c)[0] == "root"]
        of_plant = [c for c in read if identity(c)[:2] == ("collector", plant)]
        self.collectors: Sequence[PublicKey] = [
            public_key(c) for c in of_plant if any(is_issued_by(c, one) for one in roots)
        ]

    def _key_files(self) -> Mapping[str, bytes]:
        with self._database.reading() as connection:
            of = select(key_file.c.name, key_file.c.data).where(key_file.c.plant_id == self._id)
            return {row.name: bytes(row.data) for row in connection.execute(of)}

    def _read(self) -> list[Certificate]:
        found = []
        for name, data in sorted(self._files.items()):
            if not name.endswith(".crt"):
                continue
            try:
                certificate = certificate_from_pem(data)
                identity(certificate)
                public_key(certificate)
            except EvidenceError as error:
                what = f"cannot be read as a certificate ({error})"
                self._found.add(Fault.CERTIFICATE_DAMAGED, f"key_file/{name}", what)
                continue
            digest = hashlib.sha256(certificate_to_der(certificate)).digest()
            self._certificates[digest] = name
            found.append(certificate)
        return found

    def take(self, entry: Entry, index: int) -> None:
        """Look for what an entry speaks of."""
        if entry.kind is Kind.ENROL:
            self._enrolled(entry, index)
        elif entry.kind in {Kind.REVOKE, Kind.REPLACE, Kind.ROTATE}:
            is_copy = entry.kind is Kind.ROTATE
            faults = (
                (Fault.ROTATE_COPY, Fault.ROTATE_COPY) if is_copy
                else (Fault.ORDER_MISSING, Fault.ORDER_ALTERED)
            )  # fmt: skip
            name = f"order-{entry.sha256.hex()}.cose"
            self._spoken_of.add(name)
            what = "the copy of the rotate object" if is_copy else "the order"
            at, data = f"key_file/{name}", self._files.get(name)
            self._compare(data, entry.sha256, index, faults=faults, name=at, what=what)
        elif entry.kind is Kind.RECORD:
            self._document(entry, index)
        elif is_kept(entry):
            self._counts[aside].add(entry.sha256)
            faults = Fault.KEPT_MISSING, Fault.KEPT_ALTERED
            what = f"the object kept aside ({entry.verdict})"
            data = self._one(aside, entry.sha256)
            at = f"aside/{entry.sha256.hex()}"
            self._compare(data, entry.sha256, index, faults=faults, name=at, what=what)

    def _enrolled(self, entry: Entry, index: int) -> None:
        wanted = entry.detail.get("certificate_sha256")
        if not isinstance(wanted, bytes):
            return
        if wanted not in self._certificates:
            self._files = self._key_files()  # a running collector may have just put it there
            self._read()
        if wanted not in self._certificates:
            whose = f"{entry.detail.get('role')} {entry.detail.get('name')}"
            what = f"no row holds the certificate that log entry {index} enrolled for {whose}"
            self._found.add(Fault.CERTIFICATE_MISSING, "key_file", what, index=index)
        else:
            self._spoken_of.add(self._certificates[wanted])

    def _document(self, entry: Entry, index: int) -> None:
        self._counts[document].add(entry.sha256)
        name, data = f"document/{entry.sha256.hex()}", self._one(document, entry.sha256)
        faults = Fault.RECORD_MISSING, Fault.RECORD_ALTERED
        if not self._compare(
            data, entry.sha256, index, faults=faults, name=name, what="the document"
        ):
            return
        try:
            files = unverified_document(data or b"").files
        except EvidenceError as error:
            what = f"the document of log entry {index} is none this program reads ({error})"
            self._found.add(Fault.RECORD_ALTERED, name, what, index=index)
            return
        for file in files:
            found, what = self._file(entry.sha256, file.sha256), f"the file {file.name!r}"
            self._compare_hash(found, file.sha256, index, faults=faults, name=name, what=what)

    def _file(self, record: bytes, sha256: bytes) -> bytes | None:
        """The hash of a file's chunks; None where the document has no such file."""
        of = (attached.c.plant_id == self._id) & (attached.c.document == record)
        with self._database.reading() as connection:
            there = select(attached.c.file).where(of, attached.c.file == sha256)
            if connection.scalar(there) is None:
                return None
        hashed, number = hashlib.sha256(), 0
        while True:
            with self._database.reading() as connection:
                chunk = (file_chunk.c.plant_id == self._id) & (file_chunk.c.sha256 == sha256)
                nth = select(file_chunk.c.data).where(chunk, file_chunk.c.number == number)
                piece = connection.scalar(nth)
            if piece is None:
                return hashed.digest() if number else None
            hashed.update(piece)
            number += 1

    def _one(self, table: Table, sha256: bytes) -> bytes | None:
        with self._database.reading() as connection:
            of = (table.c.plant_id == self._id) & (table.c.sha256 == sha256)
            return connection.scalar(select(table.c.data).where(of))

    def _compare(
        self, data: bytes | None, sha256: bytes, index: int, *, faults: tuple[Fault, Fault],
        name: str, what: str,
    ) -> bool:  # fmt: skip
        found = None if data is None else hashlib.sha256(data).digest()
        return self._compare_hash(found, sha256, index, faults=faults, name=name, what=what)

    def _compare_hash(
        self, found: bytes | None, sha256: bytes, index: int, *, faults: tuple[Fault, Fault],
        name: str, what: str,
    ) -> bool:  # fmt: skip
        """Note what is wrong with what an entry has the hash of; True when nothing."""
        missing, altered = faults
        if found is None:
            sentence = f"{what} that log entry {index} speaks of is gone"
            self._found.add(missing, name, sentence, index=index)
        elif found != sha256:
            sentence = f"these are not the bytes of {what} that log entry {index} speaks of"
            self._found.add(altered, name, sentence, index=index)
        return found == sha256

    def finish(self, found: Findings) -> None:
        """Tell of rows that no entry speaks of. Those of a commit meanwhile are among them."""
        for name in sorted(set(self._key_files()) - self._spoken_of):
            is_order = name.endswith(".cose")
            fault = Fault.ORDER_UNLOGGED if is_order else Fault.CERTIFICATE_UNLOGGED
            found.add(fault, f"key_file/{name}", "no log entry speaks of it")
        faults = {aside: Fault.KEPT_UNLOGGED, document: Fault.RECORD_UNLOGGED}
        for table, spoken_of in self._counts.items():
            with self._database.reading() as connection:
                of = select(table.c.sha256).where(table.c.plant_id == self._id)
                there = {bytes(row.sha256) for row in connection.execute(of)}
            for sha256 in sorted(there - spoken_of):
                name = f"{table.name}/{sha256.hex()}"
                found.add(faults[table], name, "no log entry speaks of it")
