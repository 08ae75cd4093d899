"""A small plant's sealed month, made of fixed keys and hand-set readings, and ways to forge it.

`honest()` is built by the builder from signed frames, as the collector does. A forger takes its
files apart (`unpack`), changes them, and packs them again with whatever keys it has (`repack`).
"""

import datetime as dt
import functools
import hashlib
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519

from edge.calc.live import PlantCalc, computed_points
from evidence import cbor, checkpoint, merkle
from evidence.archive import bag, paths, ustar
from evidence.archive.build import Contents, Object, build_archive
from evidence.blocks import compress
from evidence.findings import Report
from evidence.frame import (
    TYP_CLOSE,
    TYP_CONFIG,
    TYP_FRAME,
    Body,
    Clock,
    Gap,
    Group,
    Header,
    Section,
    encode_body,
    sign_object,
)
from evidence.keys import FileSigner, issue, key_sha256
from evidence.log import Entry, Kind, encode_entry
from evidence.points import Dtype, Point, Quantity, Role
from evidence.quality import Quality
from evidence.receipt import CloseRequest, Receipt, encode_close, encode_receipt
from evidence.recompute import Recomputation, blocks_of, published_rules, statement_bytes
from evidence.records import encode_record, read_records
from evidence.verifier.run import verify

PLANT, STREAM, MONTH = "test-smelter", "edge-1", "2026-06"
RULES = "cets-ag-04.01-v01-2024"
SECOND = 10**9
#: 2026-06-15T04:59:40Z, 12:59:40 in Shanghai: the readings cross a full hour
START_NS = 1_781_499_580 * SECOND
SEED_BYTES = 32

Files = dict[str, bytes]


def signer(seed: int) -> FileSigner:
    """The Ed25519 key whose seed is this byte, 32 times."""
    return FileSigner(ed25519.Ed25519PrivateKey.from_private_bytes(bytes([seed]) * SEED_BYTES))


@dataclass(frozen=True)
class Keys:
    """A plant's three identities and their certificates."""

    root: FileSigner
    gateway: FileSigner
    collector: FileSigner
    certificates: Mapping[str, x509.Certificate]


@functools.cache
def keys(seed: int = 1, plant: str = PLANT, stream: str = STREAM) -> Keys:
    """Keys of seeds seed, seed + 1 and seed + 2."""
    made = [signer(seed), signer(seed + 1), signer(seed + 2)]
    private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([seed]) * SEED_BYTES)
    since = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    root = issue("root", plant, plant, made[0].public_key, issuer=private, not_before=since, days=9)
    by_role = {"root": root}
    for role, name, leaf in (("gateway", stream, made[1]), ("collector", "collector", made[2])):
        by_role[role] = issue(
            role, plant, name, leaf.public_key, issuer=(private, root), not_before=since, days=9
        )
    return Keys(made[0], made[1], made[2], by_role)


def configuration() -> dict[str, Any]:
    """Two pots on schedule 0 (1 s); gas and energy on schedule 1 (10 s)."""
    gas = {"reference": "0C-101.325kPa", "moisture": "dry"}
    states = ((0, "unknown"), (1, "producing"))
    points = [
        Point("pot-01.voltage", Quantity("voltage", "V"), Dtype.F32, 3),
        Point("pot-02.voltage", Quantity("voltage", "V"), Dtype.F32, 3),
        Point("pot-01.state", Quantity("state", "1"), Dtype.U8, 0, Role.STATE, states=states),
        Point("pot-02.state", Quantity("state", "1"), Dtype.U8, 0, Role.STATE, states=states),
        Point("line.current", Quantity("current", "kA"), Dtype.F64, 3),
        Point("line.metal", Quantity("mass", "t"), Dtype.F64, 3, Role.TOTALISER),
        Point("gas.volume", Quantity("gas-volume", "Nm3", **gas), Dtype.U32, 0, Role.TOTALISER),
        Point("ac.energy", Quantity("energy", "kWh"), Dtype.U32, 0, Role.TOTALISER),
        Point("gas.flow", Quantity("gas-flow", "Nm3/h", **gas), Dtype.F32, 1),
        Point("ac.power", Quantity("power", "kW"), Dtype.F32, 1),
    ]
    groups = [(0, Dtype.U8, (2, 3)), (0, Dtype.F32, (0, 1)), (0, Dtype.F64, (4, 5))]
    groups += [(1, Dtype.U32, (6, 7)), (1, Dtype.F32, (8, 9))]
    device = {
        "profile": "test/none", "profile_revision": "1", "provenance": "meter-direct",
        "settings": {},
    }  # fmt: skip
    config: dict[str, Any] = {
        "format": 1,
        "software": "stackproof 0",
        "plant": {
            "id": PLANT, "name": "Test smelter", "sector": "aluminium",
            "time_zone": "Asia/Shanghai", "rule_set": RULES, "simulated": True,
        },
        "gateway": {"id": STREAM, "slice": "00"},
        "collector": {"key_sha256": key_sha256(keys().collector.public_key)},
        "schedules": [{"interval_ns": SECOND}, {"interval_ns": 10 * SECOND}],
        "devices": [
            {"id": "pots", "url": "test:pots", "schedule": 0, **device},
            {"id": "meters", "url": "test:meters", "schedule": 1, **device},
        ],
        "points": [point.as_map() for point in points],
        "groups": [
            {"schedule": s, "dtype": d.value, "computed": False, "points": list(p)}
            for s, d, p in groups
        ],
        "potlines": [{
            "id": "line-1", "line_current": "line.current",
            "pots": [
                {"id": n, "voltage": f"pot-{n}.voltage", "state": f"pot-{n}.state"}
                for n in ("01", "02")
            ],
            "technology": "PFPB-M", "current_efficiency_percent": "94.5",
            "anode_effect": {
                "v_start_v": "8", "t_start_s": "2", "v_end_v": "8", "t_end_s": "2",
                "t_merge_s": "3", "mode": "positive", "target_v": "4.2",
            },
            "indicator": {"edition": "ipcc-2019", "gwp": "ar5"},
        }],
        "statement": {
            "metal": {"point": "line.metal", "rule": "totaliser"},
            "anode": {"gross_kg_per_t": "469", "source": "typed in the site file"},
            "fuels": [{
                "kind": "natural-gas", "point": "gas.volume", "rule": "totaliser",
                "flow_point": "gas.flow",
            }],
            "auxiliary": [{
                "kind": "electricity", "point": "ac.energy", "rule": "totaliser",
                "power_point": "ac.power",
            }],
        },
    }  # fmt: skip
    first = len(points)
    computed = [point.as_map() for point in computed_points(config)]
    config["points"] += computed
    rows = list(range(first, first + len(computed)))
    config["groups"].append({"schedule": 0, "dtype": 79, "computed": True, "points": rows})
    return config


def _readings(config: Mapping[str, Any], first: int, ticks: int) -> list[Section]:
    """Measured readings of seconds first .. first + ticks - 1 of the month."""
    at = np.arange(first, first + ticks)
    volts = np.where((at >= 12) & (at < 19), 31.5, 4.25)  # one anode effect of 7 s in pot 01
    fast = {
        0: np.ones((2, ticks), dtype="<u1"),
        1: np.stack([volts, np.full(ticks, 4.125)]).astype("<f4"),
        2: np.stack([np.full(ticks, 300.0), 1000.0 + at * 0.125]).astype("<f8"),
    }
    slow_at = at[at % 10 == 0]
    slow = {
        3: np.stack([7000 + slow_at * 3, 900_000 + slow_at * 20]).astype("<u4"),
        4: np.stack([np.full(len(slow_at), 10_800.0), np.full(len(slow_at), 72_000.0)]).astype(
            "<f4"
        ),
    }
    quality = np.zeros((2, ticks), dtype=np.uint8)
    quality[1, at == 25] = Quality.NO_ANSWER
    source = np.full((2, ticks), 40, dtype="<i4")
    sections = []
    for schedule, raws, times in ((0, fast, at), (1, slow, slow_at)):
        if not len(times):
            continue
        step = config["schedules"][schedule]["interval_ns"]
        groups = tuple(
            Group(
                g,
                Dtype(config["groups"][g]["dtype"]),
                raw,
                quality if g == 1 else np.zeros(raw.shape, dtype=np.uint8),
                source if g == 1 else None,
            )
            for g, raw in raws.items()
        )
        start = START_NS + int(times[0]) * SECOND
        lag = np.full((1, len(times)), 12, dtype="<i4")
        sections.append(Section(schedule, start, step, len(times), groups, lag, (schedule,)))
    return sections


def _with_computed(calc: PlantCalc, sections: list[Section]) -> tuple[Section, ...]:
    body = Body(0, Clock("simulated", 1, 0, bytes(16)), sections=tuple(sections))
    made = calc.feed(blocks_of(body))
    fast = sections[0]
    group = Group(5, Dtype.I64, made.counts.astype("<i8"), made.quality)
    groups = (*fast.groups, group)
    full = Section(
        fast.schedule, fast.first_ns, fast.step_ns, fast.ticks, groups, fast.lag_ms, (0,)
    )
    return (full, *sections[1:])


def bodies(config: Mapping[str, Any]) -> list[Body]:
    """Four frames of ten seconds (the third after a gap of five) and a heartbeat."""
    calc, made = PlantCalc(config), []
    for first in (0, 10, 25, 35):
        sections = _with_computed(calc, _readings(config, first, 10))
        gap = None
        if first == 25:
            gap = Gap(START_NS + 19 * SECOND, START_NS + 25 * SECOND, "restart")
        clock = Clock("simulated", 1, first * SECOND, bytes(range(16)))
        t0 = min(section.first_ns for section in sections)
        made.append(Body(t0, clock, 8, sections, gap))
    beat = Clock("simulated", None, 45 * SECOND, bytes(range(16)))
    event = {"kind": "heartbeat", "at_ns": START_NS + 50 * SECOND}
    return [*made, Body(START_NS + 50 * SECOND, beat, 8, events=(event,))]


class Chain:
    """Signs stream objects one after another."""

    def __init__(self, by: FileSigner, *, plant: str = PLANT, stream: str = STREAM) -> None:
        self.by, self.plant, self.stream = by, plant, stream
        self.objects: list[bytes] = []
        self.cfg: bytes | None = None

    def sign(
        self, typ: str, payload: bytes, *, anchor: tuple[int, bytes] | None = None, **other: Any
    ) -> bytes:
        """The next object; `other` replaces header fields."""
        fields: dict[str, Any] = {
            "typ": typ, "plant": self.plant, "stream": self.stream,
            "iat_s": START_NS // SECOND + len(self.objects) * 10, "seq": len(self.objects),
            "prev": sha256(self.objects[-1]) if self.objects else bytes(32), "anchor": anchor,
            "cfg": self.cfg,
        }  # fmt: skip
        data = sign_object(self.by, Header(**(fields | other)), payload)
        self.objects.append(data)
        if typ == TYP_CONFIG:
            self.cfg = sha256(data)
        return data


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def entry(kind: Kind, data: bytes, index: int, **fields: Any) -> bytes:
    """A log entry about some bytes, received as many seconds after the start as its index."""
    given = {"stream": STREAM, "seq": None, "epoch": 1, **fields}
    at = START_NS + index * 10 * SECOND
    return encode_entry(
        Entry(kind=kind, received_ns=at, sha256=sha256(data), length=len(data), **given)
    )


def tree_of(entries: Iterable[bytes]) -> merkle.CompactRange:
    tree = merkle.CompactRange()
    for data in entries:
        tree = tree.append(merkle.leaf_hash(data))
    return tree


def statement_of(objects: Sequence[Body], config: Mapping[str, Any], closing: str) -> bytes:
    """The interim statement of frames, from the first tick to one slow step after the last."""
    fold = Recomputation()
    fold.configure(b"x", config)
    for body in objects:
        assert list(fold.feed(body)) == []
    return statement_bytes(fold.statement(START_NS, START_NS + 50 * SECOND, closing))


@dataclass(frozen=True)
class Month:
    """Everything an archive is made of, before it is packed."""

    config: Mapping[str, Any]
    objects: tuple[bytes, ...]
    entries: tuple[bytes, ...]
    statement: bytes
    close: bytes
    receipt: bytes


def log_note(entries: Sequence[bytes], by: FileSigner | None = None, plant: str = PLANT) -> str:
    """The checkpoint over these entries."""
    chosen = by or keys().collector
    note = checkpoint.Checkpoint(plant, len(entries), tree_of(entries).root())
    return checkpoint.sign(note, chosen, chosen.public_key)


def month(closing: str = "interim") -> Month:
    """The honest month."""
    return _month(closing)


@functools.cache
def _month(closing: str) -> Month:
    who, config = keys(), configuration()
    made = bodies(config)
    chain, entries = Chain(who.gateway), [entry(Kind.ENROL, b"certificate", 0, seq=None)]

    def take(kind: Kind, data: bytes) -> None:
        seq, by = len(chain.objects) - 1, key_sha256(who.gateway.public_key)
        entries.append(entry(kind, data, len(entries), seq=seq, certificate=by))

    take(Kind.CONFIG, chain.sign(TYP_CONFIG, compress(cbor.encode(config))))
    for body in made:
        anchor = (len(entries), tree_of(entries).root()) if len(chain.objects) > 1 else None
        take(Kind.FRAME, chain.sign(TYP_FRAME, encode_body(body), anchor=anchor))
    last = len(chain.objects) - 1
    entries.append(
        entry(Kind.REJECT, b"junk", len(entries), seq=3, verdict="fork", detail={"held": bytes(32)})
    )
    statement = statement_of(made, config, closing)
    detail = {
        "month": MONTH, "closing": closing,
        "streams": {STREAM: [0, last, sha256(chain.objects[-1])]},
    }  # fmt: skip
    index = len(entries)
    entries.append(entry(Kind.MONTH_CLOSE, statement, index, stream="", detail=detail))
    head = sha256(chain.objects[-1])
    request = CloseRequest(
        plant=PLANT, stream=STREAM, month=MONTH, closing=closing,
        statement_sha256=sha256(statement), seq=last, head=head, log_size=len(entries),
        log_root=tree_of(entries).root(),
    )  # fmt: skip
    receipt = Receipt(
        plant=PLANT, stream=STREAM, seq=last, head=head, log_index=index - 2,
        received_ns=START_NS, checkpoint=log_note(entries),
    )  # fmt: skip
    objects = tuple(chain.objects)
    close = chain.sign(TYP_CLOSE, encode_close(request))
    signed = encode_receipt(receipt, who.collector)
    return Month(config, objects, tuple(entries), statement, close, signed)


def contents(of: Month, **other: Any) -> Contents:
    """What the builder packs; `other` replaces fields."""
    who = keys()
    hours = ["2026-06-15/04"] * 3 + ["2026-06-15/05"] * 3
    fields: dict[str, Any] = {
        "plant": PLANT, "month": MONTH,
        "closing": json.loads(of.statement)["input"]["closing"],
        "statement": of.statement, "rule_set": RULES, "rules": published_rules(RULES),
        "objects": [Object(STREAM, h, o) for h, o in zip(hours, of.objects, strict=True)],
        "configs": {sha256(of.objects[0]): of.objects[0]},
        "root": who.certificates["root"], "collector": who.certificates["collector"],
        "gateways": [(STREAM, who.certificates["gateway"])],
        "log_range": merkle.CompactRange(), "log_entries": of.entries,
        "checkpoint": log_note(of.entries), "closed_on": "2026-06-15",
        "receipts": {STREAM: of.receipt}, "closes": {STREAM: of.close},
    }  # fmt: skip
    return Contents(**(fields | other))


def seals(by: FileSigner) -> Callable[[bytes], Mapping[str, bytes]]:
    return lambda digest: {paths.SEAL: bag.seal(digest, by)}


def build(what: Contents) -> bytes:
    """An archive, sealed by the plant's collector."""
    with tempfile.TemporaryDirectory() as folder:
        target = io.BytesIO()
        staging = Path(folder) / "bag"
        build_archive(what, target, staging=staging, seal=seals(keys().collector))
        return target.getvalue()


@functools.cache
def honest() -> bytes:
    """The honest archive."""
    return build(contents(month()))


def unpack(archive: bytes) -> Files:
    """Path -> bytes, without the top folder."""
    found = ustar.members(io.BytesIO(archive))
    return {m.name.partition("/")[2]: archive[m.offset : m.offset + m.size] for m in found}


def repack(
    files: Mapping[str, bytes],
    *,
    manifest: bool = True,
    by: FileSigner | None = None,
    name: str = f"{PLANT}-{MONTH}",
) -> bytes:
    """A container of these files.

    Args:
        files: path -> bytes.
        manifest: make both manifests anew.
        by: seal anew with this key.
        name: the top folder.
    """
    made = dict(files)
    if manifest:
        payload = {p: sha256(d).hex() for p, d in made.items() if p.startswith("data/")}
        made[bag.MANIFEST] = bag.manifest(payload)
        made[bag.TAG_MANIFEST] = bag.manifest({p: sha256(made[p]).hex() for p in bag.TAG_FILES})
    if by is not None:
        made[paths.SEAL] = bag.seal(sha256(made[bag.TAG_MANIFEST]), by)
    target = io.BytesIO()
    writer = ustar.Writer(target)
    for path in sorted(made):
        writer.add(f"{name}/{path}", len(made[path]), [made[path]])
    writer.finish()
    return target.getvalue()


def records(data: bytes) -> list[bytes]:
    return list(read_records(data))


def seg(items: Iterable[bytes]) -> bytes:
    return b"".join(map(encode_record, items))


def check(archive: bytes, **options: Any) -> Report:
    """Verify, trusting the plant's own root unless told otherwise."""
    trust = frozenset({key_sha256(keys().root.public_key)})
    return verify(io.BytesIO(archive), **({"trust": trust} | options))


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}
