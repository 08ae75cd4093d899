"""A collector's desk over a real store: the evidence room's small plant, whose gateway can answer.

What it holds stays on disk, so another process can open it and make the same month of it.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud.closing.log import read_history
from cloud.closing.months import Months
from cloud.collector.desk import PlantKeys
from cloud.database.engine import Database
from cloud.database.objects import Appended
from cloud.database.reader import PlantReader
from cloud.errors import LateDocumentError
from cloud.records.papers import offer
from cloud.records.replay import papers_of
from evidence import cbor
from evidence.blocks import compress
from evidence.findings import Report
from evidence.frame import TYP_CLOSE, TYP_CONFIG, TYP_FRAME, TYP_ROTATE, Body, encode_body
from evidence.keys import (
    Certificate,
    certificate_to_der,
    certificate_to_pem,
    issue,
    key_sha256,
    public_key,
)
from evidence.log import Entry, Kind
from evidence.orders import Order, Replace, encode_order, encode_rotate
from evidence.receipt import CloseRequest, encode_close
from evidence.verifier.run import verify
from tests.unit.cloud.evidence_examples import ManualClock
from tests.unit.cloud.kept import evidence_in
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import DAYS, MONTH, SEED_BYTES, SINCE, signer

AFTER_NS = sm.START_NS + 40 * 86_400 * sm.SECOND
ARCHIVE = f"{sm.PLANT}-{MONTH}.tar"
#: the private half of the small plant's root
ROOT_KEY = Ed25519PrivateKey.from_private_bytes(bytes([1]) * SEED_BYTES)


class Desk:
    """One plant's evidence on disk; its gateway answers a close unless it is away.

    Attributes:
        away: the gateway does not answer.
        asked: every close request.
        plant: its id.
    """

    def __init__(self, root: Path) -> None:
        """Open the evidence under `root`; new, its certificates are enrolled."""
        who = sm.keys()
        self.plant, self.away, self.asked = sm.PLANT, False, list[CloseRequest]()
        self.offered, self.not_keys = list[Order](), list[str]()
        self._slice = evidence_in(root)
        key = who.collector.public_key
        self._store = self._slice.open_plant(sm.PLANT, who.collector, [key])
        self._chain = sm.Chain(who.gateway)
        self._chain.objects += [found.data for found in self.reader.objects(sm.STREAM)]
        if self.reader.size == 0:
            for role, certificate in who.certificates.items():
                self.enrol(role, certificate)

    def shut(self) -> None:
        """Let another process have it."""
        self._slice.close()

    @property
    def database(self) -> Database:
        return self._slice.database

    @property
    def reader(self) -> PlantReader:
        return self._store.reader

    # -- what happens at the plant ----------------------------------------------------------------

    def enrol(self, role: str, certificate: Certificate, file_name: str = "") -> None:
        name = {"root": sm.PLANT, "gateway": sm.STREAM}.get(role, "collector")
        der = certificate_to_der(certificate)
        detail = {"role": role, "name": name, "certificate_sha256": sm.sha256(der)}
        stream = sm.STREAM if role == "gateway" else ""
        key = key_sha256(public_key(certificate))
        enrolled = self._entry(Kind.ENROL, key, len(der), stream=stream, detail=detail)
        usual = f"{role}-{key.hex()}.crt" if role == "gateway" else f"{role}.crt"
        self._store.stage_key_file(file_name or usual, certificate_to_pem(certificate))
        self._store.stage(enrolled)
        self._slice.commit()

    def deliver(self, *, frames: int = 5) -> "Desk":
        """A configuration and the first `frames` bodies of the small plant."""
        config = sm.configuration()
        self.take(Kind.CONFIG, TYP_CONFIG, compress(cbor.encode(config)))
        return self.deliver_more(0, frames)

    def deliver_more(self, first: int, stop: int = 5) -> "Desk":
        """Bodies first..stop-1 of the small plant."""
        for body in sm.bodies(sm.configuration())[first:stop]:
            self.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)
        return self

    def take(self, kind: Kind, typ: str, payload: bytes, body: Body | None = None) -> bytes:
        """The gateway signs an object, and the collector logs it."""
        data = self._chain.sign(typ, payload)
        by, seq = key_sha256(self._chain.by.public_key), len(self._chain.objects) - 1
        entry = self._entry(kind, sm.sha256(data), len(data), stream=sm.STREAM, seq=seq)
        entry = replace(entry, certificate=by)
        sections = () if body is None else body.sections
        newest = max((s.first_ns + s.step_ns * (s.ticks - 1) for s in sections), default=0)
        t0_ns = 0 if body is None else body.t0_ns
        self._store.stage_object(entry, data, t0_ns=t0_ns, newest_ns=newest)
        if body is not None and body.gap is not None:
            gap = body.gap
            told = {"from_ns": gap.from_ns, "to_ns": gap.to_ns, "reason": gap.reason}
            self._store.stage(replace(entry, kind=Kind.GAP, detail=told))
        self._slice.commit()
        return data

    def paper(self, data: bytes, *files: bytes) -> bytes:
        """A person signed a document, and the collector takes and logs it."""
        papers = papers_of(self.reader, [sm.keys().collector.public_key])
        judged = papers.judge(offer(data, files), self._store.state.size, self._now_ns())
        laid = self._store.lay_files(judged.offered.files)
        self._store.stage_record(judged.entry, data, laid)
        self._slice.commit()
        return data

    def rotate(self, seed: int) -> None:
        """The gateway hands over to the key of this seed, which the root has certified."""
        following, root = signer(seed), sm.keys()
        certificate = issue(
            "gateway", sm.PLANT, sm.STREAM, following.public_key,
            issuer=(ROOT_KEY, root.certificates["root"]), not_before=SINCE, days=DAYS,
        )  # fmt: skip
        data = self.take(Kind.ROTATE, TYP_ROTATE, encode_rotate(certificate))
        self._store.stage_key_file(f"order-{sm.sha256(data).hex()}.cose", data)
        self.enrol("gateway", certificate)
        self._chain.by = following

    def order(self, order: Order) -> bytes:
        """The root makes an order, and the collector logs it."""
        data = encode_order(order, sm.keys().root)
        if isinstance(order, Replace):
            raise TypeError("a replace names its new key's hash: not needed here")
        entry = self._entry(
            Kind.REVOKE, sm.sha256(data), len(data), stream=sm.STREAM, seq=order.through
        )
        by = key_sha256(sm.keys().root.public_key)
        self._store.stage_order(replace(entry, certificate=by, detail={"key": order.key}), data)
        self._slice.commit()
        return data

    def _entry(self, kind: Kind, sha256: bytes, length: int, **more: Any) -> Entry:
        at_ns = self._now_ns()
        given = {"stream": "", "seq": None, "epoch": 1, **more}
        return Entry(kind, at_ns, sha256=sha256, length=length, **given)

    def _now_ns(self) -> int:
        """Ten seconds an entry after the start, and never back."""
        state = self._store.state
        return max(sm.START_NS + state.size * 10 * sm.SECOND, state.received_ns)

    # -- EvidenceDesk -----------------------------------------------------------------------------

    @property
    def signer(self) -> Any:
        return sm.keys().collector

    def plants(self) -> Sequence[str]:
        return [sm.PLANT]

    def evidence(self, plant: str) -> PlantReader:
        if plant != sm.PLANT:
            raise LookupError(plant)
        return self.reader

    def keys(self, plant: str) -> PlantKeys:
        files = self.reader.key_files()
        return PlantKeys(files["root.crt"], files["collector.crt"], {})

    def receipt(self, plant: str, stream: str) -> bytes | None:
        return None

    async def look_for_keys(self, plant: str) -> Sequence[str]:
        for order in self.offered:
            self.order(order)
        self.offered.clear()
        return self.not_keys

    async def append_entry(
        self, plant: str, entry: Entry, documents: int | None = None
    ) -> Appended:
        if documents not in (None, len(self.reader.records)):
            raise LateDocumentError("a document was logged meanwhile")
        at_ns = max(self._now_ns(), entry.received_ns)
        index = self._store.stage(replace(entry, received_ns=at_ns))
        self._slice.commit()
        committed = self.reader.committed
        return Appended(index, committed.checkpoint, committed.state.tree.root())

    async def request_close(self, plant: str, stream: str, request: CloseRequest) -> None:
        self.asked.append(request)

    async def plant_close(self, request: CloseRequest, timeout_s: float) -> bytes | None:
        return None if self.away else self.sign_close()

    def sign_close(self) -> bytes:
        """The gateway signs what it was asked last."""
        return self.take(Kind.PLANT_CLOSE, TYP_CLOSE, encode_close(self.asked[-1]))


def months(desk: Desk, folder: Path, now_ns: int = AFTER_NS, stamp: Any = None) -> Months:
    return Months(desk, folder, ManualClock(now_ns), stamp)


def files(folder: Path) -> dict[str, int]:
    """Name -> bytes of everything in the archive folder."""
    return {path.name: path.stat().st_size for path in folder.glob("*")}


def judged(archive: Path) -> Report:
    """The verifier's report; it trusts the small plant's root."""
    with archive.open("rb") as file:
        return verify(file, trust=frozenset({key_sha256(sm.keys().root.public_key)}))


def spans(desk: Desk) -> dict[str, tuple[int, int]]:
    """Month -> first and last seq of its newest close."""
    return {
        close.month: (close.streams[sm.STREAM].first, close.streams[sm.STREAM].last)
        for close in read_history(desk.reader).closes
    }
