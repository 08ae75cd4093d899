"""A small plant's sealed month, and ways to forge it.

`honest()` is built by the builder from signed frames, as the collector does. A forger takes its
files apart (`unpack`), changes them, and packs them again with whatever keys it has (`repack`).
"""

import functools
import hashlib
import io
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization

from evidence import cbor, checkpoint, cose, merkle
from evidence.archive import bag, paths, ustar
from evidence.archive.build import Contents, Object, build_archive
from evidence.blocks import compress
from evidence.findings import Report
from evidence.frame import (
    ANCHOR,
    TYP_CLOSE,
    TYP_CONFIG,
    TYP_COSIGNATURE,
    TYP_FRAME,
    TYP_ROTATE,
    Body,
    Gap,
    Header,
    encode_body,
    sign_object,
)
from evidence.keys import FileSigner, key_sha256
from evidence.log import Kind
from evidence.receipt import CloseRequest, Receipt, encode_close, encode_receipt
from evidence.recompute import Recomputation, month_bounds, published_rules, statement_bytes
from evidence.records import encode_record, read_records
from evidence.verifier.run import verify
from tests.unit.evidence.log_entries import (
    closed_on,
    enrolment,
    entry,
    received_ns,
    sha256,
    tree_of,
)
from tests.unit.evidence.small_plant import (
    MONTH,
    PLANT,
    RULES,
    SECOND,
    START_NS,
    STREAM,
    Keys,
    bodies,
    configuration,
    keys,
    signer,
)

__all__ = [
    "PLANT",
    "SECOND",
    "START_NS",
    "STREAM",
    "Keys",
    "bodies",
    "configuration",
    "enrolment",
    "entry",
    "keys",
    "sha256",
    "signer",
    "tree_of",
]

Files = dict[str, bytes]

#: what the log calls objects that are not frames
ENTRY_KINDS = {
    TYP_CONFIG: Kind.CONFIG, TYP_COSIGNATURE: Kind.COSIGNATURE, TYP_CLOSE: Kind.PLANT_CLOSE,
    TYP_ROTATE: Kind.ROTATE,
}  # fmt: skip

#: what the honest archive's points lack beside its total: 6 s of a minute have no readings
LACKS = {
    "en": "ac.energy has too few values, ac.power has too few values, "
    "gas.flow has too few values and 7 more",
    "zh": "ac.energy 有效值过少、ac.power 有效值过少、gas.flow 有效值过少等另 7 项",
}
#: its verdict and completeness in one line, for who trusts its root
HEADLINE = {
    "en": f"PASSED, WITH QUESTIONS: {LACKS['en']}",
    "zh": f"通过，有待说明：{LACKS['zh']}",
}
#: the same for who trusts nobody
STRANGE = f"{HEADLINE['en']}; NOT IDENTIFIED: no --trust"
#: exit status of `verify` of an archive that passed with questions
QUESTIONS = 3

PEM = serialization.Encoding.PEM
SHA256 = hashes.SHA256()


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


def statement_of(objects: Sequence[Body], config: Mapping[str, Any], closing: str) -> bytes:
    """The interim statement of frames, from the first tick to one slow step after the last."""
    fold = Recomputation()
    fold.configure(b"x", config)
    for body in objects:
        assert list(fold.feed(body)) == []
    return statement_bytes(fold.statement(START_NS, START_NS + 50 * SECOND, closing))


@functools.cache
def honest_statement() -> bytes:
    config = configuration()
    return statement_of(bodies(config), config, "interim")


@dataclass(frozen=True)
class Item:
    """One stream object before it is signed."""

    typ: str
    payload: bytes
    hour: str
    fields: Mapping[str, Any] = field(default_factory=dict)  # header fields to replace
    gap: Gap | None = None  # what the frame tells; the log repeats it


@dataclass(frozen=True)
class Month:
    """Everything an archive is made of, before it is packed."""

    objects: tuple[bytes, ...]
    hours: tuple[str, ...]
    entries: tuple[bytes, ...]
    statement: bytes
    close: bytes
    receipt: bytes


def log_note(entries: Sequence[bytes], by: FileSigner | None = None, plant: str = PLANT) -> str:
    """The checkpoint over these entries."""
    chosen = by or keys().collector
    note = checkpoint.Checkpoint(plant, len(entries), tree_of(entries).root())
    return checkpoint.sign(note, chosen, chosen.public_key)


def hour_of(instant_ns: int) -> str:
    return datetime.fromtimestamp(instant_ns // SECOND, UTC).strftime("%Y-%m-%d/%H")


def config_item(config: Mapping[str, Any], at_ns: int = START_NS) -> Item:
    return Item(TYP_CONFIG, compress(cbor.encode(dict(config))), hour_of(at_ns))


def frame_item(body: Body) -> Item:
    return Item(TYP_FRAME, encode_body(body), hour_of(body.t0_ns), gap=body.gap)


def items(
    config: Mapping[str, Any] | None = None, made: Sequence[Body] | None = None
) -> list[Item]:
    """The honest stream: a configuration, four frames, a heartbeat."""
    config = config or configuration()
    return [config_item(config), *map(frame_item, made or bodies(config))]


@functools.cache
def month() -> Month:
    """The honest month, closed as interim."""
    return make_month(items())


def make_month(
    stream: Sequence[Item],
    *,
    statement: bytes | None = None,
    detail: Mapping[str, Any] | None = None,
    chain: Chain | None = None,
    first_entries: Sequence[bytes] = (),
    between: Mapping[int, Callable[[int], bytes]] | None = None,
    closing: str = "interim",
    closed_ns: int | None = None,
    month_id: str = MONTH,
    who: Keys | None = None,
) -> Month:
    """Sign, log, receipt and close these objects by gateway and collector in agreement.

    Args:
        stream: the objects.
        statement: what is closed; absent: the honest statement.
        detail: replaces fields of the month-close entry's detail.
        chain: signs the objects; absent: the plant's gateway.
        first_entries: log entries instead of the enrolment.
        between: makes a log entry, given its index, that stands before this object's.
        closing: "interim" or "final".
        closed_ns: when it is closed; absent: as soon as it may be.
        month_id: which month is closed.
        who: signs log and receipt, and the objects where there is no chain.

    Objects the chain held before stay outside the month.
    """
    who = who or keys()
    chain = chain or Chain(who.gateway)
    since = len(chain.objects)
    entries = list(first_entries) or [enrolment(by=who)]
    after_ns = received_ns(entries[-1])
    for i, item in enumerate(stream):
        if between and i in between:
            entries.append(between[i](len(entries)))
        anchor = (len(entries), tree_of(entries).root()) if chain.objects else None
        data = chain.sign(item.typ, item.payload, **({"anchor": anchor} | dict(item.fields)))
        index, seq = len(entries), len(chain.objects) - 1
        by = key_sha256(chain.by.public_key)
        kind = ENTRY_KINDS.get(item.typ, Kind.FRAME)
        entries.append(entry(kind, data, index, after_ns, seq=seq, certificate=by))
        came_ns = received_ns(entries[-1])
        if item.gap is not None:
            told = {"from_ns": item.gap.from_ns, "to_ns": item.gap.to_ns, "reason": item.gap.reason}
            of_frame: dict[str, Any] = {"seq": seq, "certificate": by, "detail": told}
            entries.append(entry(Kind.GAP, data, len(entries), after_ns, **of_frame))
    last, head = len(chain.objects) - 1, sha256(chain.objects[-1])
    refused: dict[str, Any] = {"verdict": "malformed", "detail": {"count": 1}}
    entries.append(entry(Kind.REJECT, b"junk", len(entries), after_ns, **refused))
    statement = honest_statement() if statement is None else statement
    streams = {STREAM: [since, last, head]}
    facts = {"month": month_id, "closing": closing, "streams": streams, **(detail or {})}
    if closed_ns is not None:
        after_ns = closed_ns
    elif closing == "final":
        after_ns = month_bounds("Asia/Shanghai", month_id)[1]
    entries.append(
        entry(Kind.MONTH_CLOSE, statement, len(entries), after_ns, stream="", detail=facts)
    )
    request = CloseRequest(
        plant=PLANT, stream=STREAM, month=month_id, closing=closing,
        statement_sha256=sha256(statement), seq=last, head=head, log_size=len(entries),
        log_root=tree_of(entries).root(),
    )  # fmt: skip
    receipt = Receipt(
        plant=PLANT, stream=STREAM, seq=last, head=head, log_index=index,
        received_ns=came_ns, checkpoint=log_note(entries, who.collector),
        **_consistency(data, entries),
    )  # fmt: skip
    objects = tuple(chain.objects[since:])
    return Month(
        objects=objects,
        hours=tuple(item.hour for item in stream),
        entries=tuple(entries),
        statement=statement,
        close=chain.sign(TYP_CLOSE, encode_close(request)),
        receipt=encode_receipt(receipt, who.collector),
    )


def _consistency(data: bytes, entries: Sequence[bytes]) -> dict[str, Any]:
    """A receipt's proof that the log still begins as this object's gateway saw it."""
    anchor = cose.parse(data).header.get(ANCHOR)
    if anchor is None or not 0 < anchor[0] <= len(entries):
        return {"since": 0, "path": ()}
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    return {"since": anchor[0], "path": tuple(merkle.consistency_path(leaves, anchor[0]))}


def contents(of: Month, **other: Any) -> Contents:
    """What the builder packs; `other` replaces fields."""
    who = keys()
    fields: dict[str, Any] = {
        "plant": PLANT, "month": MONTH, "closing": "interim",
        "statement": of.statement, "rules": published_rules(RULES),
        "objects": [Object(STREAM, h, o) for h, o in zip(of.hours, of.objects, strict=True)],
        "configs": {sha256(of.objects[0]): of.objects[0]},
        "root": who.certificates["root"], "collector": who.certificates["collector"],
        "gateways": [(STREAM, who.certificates["gateway"])],
        "log_range": merkle.CompactRange(), "log_entries": of.entries,
        "checkpoint": log_note(of.entries), "closed_on": closed_on(of.entries[-1]),
        "receipts": {STREAM: of.receipt}, "closes": {STREAM: of.close},
    }  # fmt: skip
    return Contents(**(fields | other))


def seals(by: FileSigner) -> Callable[[bytes], Mapping[str, bytes]]:
    return lambda digest: {paths.SEAL: bag.seal(digest, by)}


def stamped(response: bytes) -> dict[str, bytes]:
    """A time stamp response beside the seal, sealed as it came."""
    over = bag.seal(hashlib.sha256(response).digest(), keys().collector, bag.Sealed.STAMP)
    return {paths.TIMESTAMP: response, paths.TIMESTAMP_SEAL: over}


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
        manifest: make both manifests and the count of bytes anew.
        by: seal anew with this key.
        name: the top folder.
    """
    made = dict(files)
    if manifest:
        payload = {p: sha256(d).hex() for p, d in made.items() if p.startswith("data/")}
        info, _, _ = made[bag.BAG_INFO].partition(b"Payload-Oxum")
        octets = sum(len(made[p]) for p in payload)
        made[bag.BAG_INFO] = info + f"Payload-Oxum: {octets}.{len(payload)}\n".encode()
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
