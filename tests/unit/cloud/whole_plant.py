"""A plant with everything a store can hold, in six commits that can be begun again at any place.

Certificates, objects of every kind in three hours, a gap, an order, a fork kept aside, a rotation,
a document with two files.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

from cloud.database.engine import Database
from cloud.database.fsck import Trusted
from cloud.database.store import EvidenceStore
from cloud.database.writer import PlantWriter
from evidence.documents.document import AttachedFile, Document, encode_document
from evidence.frame import TYP_COSIGNATURE, TYP_FRAME, TYP_ROTATE, Gap, encode_body
from evidence.keys import (
    Certificate,
    FileSigner,
    certificate_from_pem,
    certificate_to_der,
    generate,
    identity,
    key_sha256,
    public_key,
)
from evidence.log import Entry, Kind
from evidence.orders import Revoke, encode_order, encode_rotate
from tests.unit.cloud.evidence_examples import (
    HOUR_NS,
    SECOND_NS,
    T0_NS,
    Gateway,
    body,
    make_plant,
    object_entry,
)

PLANT, UNIT = "mini", "00"
GAP = Gap(T0_NS + 30 * SECOND_NS, T0_NS + 60 * SECOND_NS, "power cut")
COMMITS = 6
SCANS = [b"%PDF-1.7 an invoice", b"%PDF-1.7 its other side" * 9]


class WholePlant:
    """The plant and what arrives in each commit.

    Args:
        folder: for its PEM files.
    """

    def __init__(self, folder: Path) -> None:
        self.keys = make_plant(folder, PLANT, ("edge-a", "edge-b"))
        self.a, self.b = self.keys.gateways["edge-a"], self.keys.gateways["edge-b"]
        spare = self._certify("edge-a", "spare.crt")
        self.next_b = FileSigner(generate())
        following = self._certify("edge-b", "next.crt", self.next_b)
        names = ("root.crt", "collector.crt", "edge-a.crt", "edge-b.crt", "spare.crt")
        self.certificates = [_load(self.keys.folder / name) for name in names]
        self.following = following
        revoke = Revoke(PLANT, "edge-a", key_sha256(public_key(spare)), None, "key was lost")
        self.order = encode_order(revoke, FileSigner(self.keys.root_key))
        self.places: list[list[tuple[Gateway, int, Kind, int]]] = [[] for _ in range(COMMITS)]
        self._play(following)
        self.document = self._sign_document()
        self.fork = self.a.sign(TYP_FRAME, encode_body(body(T0_NS + 9 * HOUR_NS)), seq=1)

    def _certify(self, gateway: str, name: str, signer: FileSigner | None = None) -> Certificate:
        signer = signer or FileSigner(generate())
        self.keys.certify("gateway", gateway, signer.public_key, name)
        return _load(self.keys.folder / name)

    def _sign_document(self) -> bytes:
        files = tuple(
            AttachedFile(f"{i}.pdf", "application/pdf", len(scan), hashlib.sha256(scan).digest())
            for i, scan in enumerate(SCANS)
        )
        body = {"sheet_sha256": bytes(32), "pages": 2, "from_ns": T0_NS, "to_ns": T0_NS + 1}
        document = Document(PLANT, "li", T0_NS // SECOND_NS, "ledger", "L-1", body, files=files)
        return encode_document(document, self.keys.collector)

    def _play(self, following: Certificate) -> None:
        for gateway in (self.a, self.b):
            gateway.config()
            self._add(1, gateway, Kind.CONFIG)
            self._frame(1, gateway, T0_NS)
        gapped = encode_body(replace(body(GAP.to_ns, ticks=4), gap=GAP))
        self.a.append(self.a.sign(TYP_FRAME, gapped))
        self._add(2, self.a, Kind.FRAME, GAP.to_ns)
        self._frame(3, self.a, T0_NS + HOUR_NS)
        self._frame(3, self.b, T0_NS + 30 * SECOND_NS)
        self.b.append(self.b.sign(TYP_ROTATE, encode_rotate(following)))
        self._add(4, self.b, Kind.ROTATE)
        self.b.signer = self.next_b
        self._frame(4, self.b, T0_NS + HOUR_NS + SECOND_NS)
        self.a.append(self.a.sign(TYP_COSIGNATURE, b"\x00\xa0"))
        self._add(5, self.a, Kind.COSIGNATURE)
        self._frame(5, self.a, T0_NS + 3 * HOUR_NS)
        self.a.close(bytes(32))
        self._add(5, self.a, Kind.PLANT_CLOSE)

    def _frame(self, commit: int, gateway: Gateway, t0_ns: int) -> None:
        gateway.frame(t0_ns, ticks=4)
        self._add(commit, gateway, Kind.FRAME, t0_ns)

    def _add(self, commit: int, gateway: Gateway, kind: Kind, t0_ns: int = 0) -> None:
        self.places[commit].append((gateway, len(gateway.objects) - 1, kind, t0_ns))

    # -- what a collector does with it ------------------------------------------------------------

    def open(self, database: Database, unit: str = UNIT) -> tuple[EvidenceStore, PlantWriter]:
        """The database's evidence and its plant."""
        store = EvidenceStore(database, unit)
        try:
            return store, self.again_in(store)
        except Exception:
            store.close()
            raise

    def again_in(self, store: EvidenceStore) -> PlantWriter:
        collector = self.keys.collector
        return store.open_plant(PLANT, collector, [collector.public_key])

    def stage(self, plant: PlantWriter, commit: int) -> None:
        """Stage what a commit brings and the plant does not hold yet."""
        for certificate in self.certificates if commit == 0 else ():
            self._enrol(plant, certificate)
        for gateway, seq, kind, t0_ns in self.places[commit]:
            if seq >= plant.stream(gateway.name).next_seq:
                self._take(plant, gateway, seq, kind, t0_ns)
        order = hashlib.sha256(self.order).digest()
        if commit == 2 and order not in plant.state.orders:
            key = self.keys.root_key.public_key()
            plant.stage_order(_entry(Kind.REVOKE, order, self.order, key_sha256(key)), self.order)
        if commit == 3:
            sha256 = hashlib.sha256(self.fork).digest()
            entry = replace(_entry(Kind.REJECT, sha256, self.fork, None), verdict="fork", seq=1)
            plant.stage_kept(entry, self.fork)
        document = hashlib.sha256(self.document).digest()
        if commit == 3 and document not in plant.state.records:
            logged = _entry(Kind.RECORD, document, self.document, None)
            files = {hashlib.sha256(scan).digest(): scan for scan in SCANS}
            laid = plant.lay_files(files)
            plant.stage_record(replace(logged, stream=""), self.document, laid)
        if commit == 4:
            self._enrol(plant, self.following)

    def _take(self, plant: PlantWriter, gateway: Gateway, seq: int, kind: Kind, t0_ns: int) -> None:
        entry, data = object_entry(gateway, seq, kind), gateway.objects[seq]
        plant.stage_object(entry, data, t0_ns=t0_ns, newest_ns=t0_ns + 3 * SECOND_NS)
        if (gateway, t0_ns) == (self.a, GAP.to_ns):
            detail = {"from_ns": GAP.from_ns, "to_ns": GAP.to_ns, "reason": GAP.reason}
            plant.stage(replace(entry, kind=Kind.GAP, detail=detail))
        if kind is Kind.ROTATE:
            plant.stage_key_file(f"order-{entry.sha256.hex()}.cose", data)

    def _enrol(self, plant: PlantWriter, certificate: Certificate) -> None:
        role, _, name = identity(certificate)
        der = certificate_to_der(certificate)
        sha256 = hashlib.sha256(der).digest()
        if sha256 in plant.state.enrolled:
            return
        pem = next(p for p in self.keys.folder.glob("*.crt") if _load(p) == certificate)
        plant.stage_key_file(f"{role}-{name}-{sha256.hex()[:16]}.crt", pem.read_bytes())
        detail = {"role": role, "name": name, "certificate_sha256": sha256}
        stream = name if role == "gateway" else ""
        key = key_sha256(public_key(certificate))
        plant.stage(Entry(Kind.ENROL, T0_NS, 0, stream, None, key, len(der), detail=detail))

    def commit(self, database: Database, commits: int = COMMITS) -> None:
        """Evidence with the first commits, stopped cleanly."""
        store, plant = self.open(database)
        for commit in range(commits):
            self.stage(plant, commit)
            assert store.commit() == ([plant], {})
        store.close()

    @property
    def trusted(self) -> Trusted:
        return Trusted(self.keys.root_certificate, (self.keys.collector.public_key,))


def _load(path: Path) -> Certificate:
    return certificate_from_pem(path.read_bytes())


def _entry(kind: Kind, sha256: bytes, data: bytes, key: bytes | None) -> Entry:
    return Entry(kind, T0_NS, 0, "edge-a", None, sha256, len(data), certificate=key)
