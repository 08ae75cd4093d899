"""A plant with keys, and gateways that sign real objects: what the store and collector are fed."""

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cloud.collector.identity import PlantIdentity, read_issued, read_root
from evidence import cbor
from evidence.blocks import compress
from evidence.chain import ZERO_HASH
from evidence.frame import (
    TYP_CLOSE,
    TYP_CONFIG,
    TYP_FRAME,
    Body,
    Clock,
    Header,
    Section,
    encode_body,
    sign_object,
)
from evidence.groups import Group
from evidence.keys import (
    FileSigner,
    certificate_to_pem,
    generate,
    issue,
    write_private,
)
from evidence.log import Entry, Kind
from evidence.points import Dtype
from evidence.receipt import CloseRequest, encode_close

SECOND_NS = 1_000_000_000
HOUR_NS = 3600 * SECOND_NS
T0_NS = 1_790_000_000 * SECOND_NS  # 2026-09-21 14:13:20 UTC
NOT_BEFORE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

#: CLOUD.toml beside what `make_plant` makes: the collector, and the plant; other tables between
CLOUD_HEAD = """\
format = 1
[cloud]
slice = "00"
state_dir = "state"
key = "file:mini/collector.pem"
certificate = "file:mini/collector.crt"
"""
CLOUD_PLANT = """\
[[plant]]
id = "mini"
root = "file:mini/root.crt"
gateways = ["file:mini/edge-1.crt"]
"""


class ManualClock:
    """A clock that stands until it is set."""

    def __init__(self, now_ns: int = T0_NS) -> None:
        self.now_ns = now_ns

    def wall_ns(self) -> int:
        return self.now_ns


def body(t0_ns: int, *, points: int = 2, ticks: int = 1, seed: int = 0) -> Body:
    """A frame body of one u16 group, one tick a second."""
    raw = np.random.default_rng(seed).integers(0, 4096, (points, ticks)).astype(np.uint16)
    group = Group(0, Dtype.U16, raw, np.zeros((points, ticks), np.uint8))
    section = Section(0, t0_ns, SECOND_NS, ticks, (group,), np.zeros((1, ticks), np.int32), (0,))
    return Body(t0_ns, Clock("free", None, 1, bytes(16)), sections=(section,))


def configuration(plant: str, gateway: str, software: str = "stackproof 0") -> dict[str, Any]:
    """The smallest there is: one point that is read every second."""
    point = {
        "id": "meter.count", "quantity": {"kind": "count", "unit": "1"}, "dtype": Dtype.U16.value,
        "decimals": 0, "role": "totaliser", "provenance": "meter-direct",
    }  # fmt: skip
    device = {
        "id": "meter", "url": "test:meter", "schedule": 0, "profile": "test/none",
        "profile_revision": "1", "provenance": "meter-direct", "settings": {},
    }  # fmt: skip
    return {
        "format": 1, "software": software,
        "plant": {
            "id": plant, "name": plant, "sector": "aluminium", "time_zone": "Asia/Shanghai",
            "rule_set": "cets-ag-04.01-v01-2024", "simulated": True,
        },
        "gateway": {"id": gateway, "slice": "00"},
        "collector": {"key_sha256": bytes(32)},
        "schedules": [{"interval_ns": SECOND_NS}], "devices": [device], "points": [point],
        "groups": [{"schedule": 0, "dtype": point["dtype"], "computed": False, "points": [0]}],
        "potlines": [], "statement": {},
    }  # fmt: skip


@dataclass
class Gateway:
    """One gateway's signed stream, kept as a spool would.

    Attributes:
        plant, name: whose.
        signer: its key.
        objects: everything signed, by seq.
        cfg: hash of the configuration in force.
    """

    plant: str
    name: str
    signer: FileSigner
    objects: list[bytes] = field(default_factory=list)
    cfg: bytes | None = None

    @property
    def head(self) -> bytes:
        return hashlib.sha256(self.objects[-1]).digest() if self.objects else ZERO_HASH

    def sign(self, typ: str, payload: bytes, **changes: Any) -> bytes:
        """An object that continues the stream, without appending it."""
        fields: dict[str, Any] = {
            "typ": typ, "plant": self.plant, "stream": self.name, "iat_s": T0_NS // SECOND_NS,
            "seq": len(self.objects), "prev": self.head,
            "cfg": self.cfg,
        }  # fmt: skip
        return sign_object(self.signer, Header(**{**fields, **changes}), payload)

    def append(self, data: bytes) -> bytes:
        self.objects.append(data)
        return data

    def config(self, software: str = "stackproof 0") -> bytes:
        content = configuration(self.plant, self.name, software)
        data = self.append(self.sign(TYP_CONFIG, compress(cbor.encode(content))))
        self.cfg = hashlib.sha256(data).digest()
        return data

    def frame(self, t0_ns: int, **shape: int) -> bytes:
        payload = encode_body(body(t0_ns, seed=len(self.objects), **shape))
        return self.append(self.sign(TYP_FRAME, payload))

    def close(self, statement: bytes, **changes: Any) -> bytes:
        fields: dict[str, Any] = {
            "plant": self.plant, "stream": self.name, "month": "2026-09", "closing": "final",
            "statement_sha256": statement, "seq": len(self.objects) - 1, "head": self.head,
            "log_size": 5, "log_root": bytes(32),
        }  # fmt: skip
        request = CloseRequest(**{**fields, **changes})
        return self.append(self.sign(TYP_CLOSE, encode_close(request)))


@dataclass
class ExamplePlant:
    """A plant's root, its collector and its gateways, with their files.

    Attributes:
        id: plant id.
        folder: where the PEM files are.
        collector: the collector's key.
        gateways: by id.
    """

    id: str
    folder: Path
    root_key: Any
    root_certificate: Any
    collector: FileSigner
    gateways: dict[str, Gateway]

    def identity(self) -> PlantIdentity:
        root = self.folder / "root.crt"
        issued = [
            read_issued(self.folder / f"{name}.crt", root, "gateway", self.id)
            for name in self.gateways
        ]
        collector = read_issued(self.folder / "collector.crt", root, "collector", self.id)
        return PlantIdentity(self.id, read_root(root, self.id), collector, tuple(issued))

    def certify(self, role: str, name: str, key: Any, file_name: str) -> None:
        """Issue and write one more certificate."""
        certificate = issue(
            role, self.id, name, key,
            issuer=(self.root_key, self.root_certificate), not_before=NOT_BEFORE, days=3650,
        )  # fmt: skip
        (self.folder / file_name).write_bytes(certificate_to_pem(certificate))


def make_plant(
    folder: Path,
    plant: str = "mini",
    gateways: tuple[str, ...] = ("edge-1",),
    collector: FileSigner | None = None,
) -> ExamplePlant:
    """Keys and certificates of a plant, written as PEM under folder/<plant>."""
    home = folder / plant
    home.mkdir(parents=True)
    root_key = generate()
    root = issue(
        "root", plant, plant, root_key.public_key(), issuer=root_key,
        not_before=NOT_BEFORE, days=3650,
    )  # fmt: skip
    (home / "root.crt").write_bytes(certificate_to_pem(root))
    if collector is None:
        collector_key = generate()
        write_private(home / "collector.pem", collector_key)
        collector = FileSigner(collector_key)
    made = ExamplePlant(plant, home, root_key, root, collector, {})
    made.certify("collector", "collector", collector.public_key, "collector.crt")
    for name in gateways:
        signer = FileSigner(generate())
        made.certify("gateway", name, signer.public_key, f"{name}.crt")
        made.gateways[name] = Gateway(plant, name, signer)
    return made


def object_entry(gateway: Gateway, seq: int, kind: Kind, received_ns: int = T0_NS) -> Entry:
    """The log entry a collector would make for an object, without its epoch."""
    data = gateway.objects[seq]
    return Entry(kind, received_ns, 0, gateway.name, seq, hashlib.sha256(data).digest(), len(data))
