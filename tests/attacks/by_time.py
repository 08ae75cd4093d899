"""Games with time, quiet changes of the configuration, forks, cosignatures, amended months."""

import base64
import dataclasses
import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence import cbor
from evidence.archive import bag, paths
from evidence.blocks import compress
from evidence.frame import TYP_COSIGNATURE, Body, Clock, Section
from evidence.groups import Group
from evidence.keys import FileSigner, key_sha256
from evidence.log import Kind as EntryKind
from evidence.points import Dtype
from evidence.recompute import Recomputation, statement_bytes
from tests.attacks.by_both import CONFIG, stated
from tests.attacks.forging import FOREIGN, SEG_4, SEG_5, SISTER_SEED, Kind, kind
from tests.unit.evidence import sealed_month as sm

GATEWAY, COLLECTOR = sm.keys().gateway, sm.keys().collector
#: number type of a group -> of its numbers
SIZES = {Dtype.U8.value: "<u1", Dtype.F32.value: "<f4", Dtype.F64.value: "<f8", 79: "<i8"}


def shifted(by_s: int) -> Callable[[], bytes]:
    """The honest readings at another time; log and receipts stay where they are."""

    def build() -> bytes:
        start = sm.START_NS + by_s * sm.SECOND
        made = sm.bodies(CONFIG, start)
        fold = Recomputation()
        fold.configure(b"x", CONFIG)
        for body in made:
            list(fold.feed(body))
        given = statement_bytes(fold.statement(start, start + 50 * sm.SECOND, "interim"))
        stream = [sm.config_item(CONFIG, start), *map(sm.frame_item, made)]
        return sm.build(sm.contents(sm.make_month(stream, statement=given)))

    return build


def reconfigured(change: Callable[[dict[str, Any]], None]) -> Callable[[], bytes]:
    """The configuration changes in the middle of the month, signed and all."""

    def build() -> bytes:
        other = sm.configuration()
        change(other)
        made = [*sm.bodies(CONFIG)[:2], *sm.bodies(other, anew_at=25)[2:]]
        stream = sm.items(CONFIG, made)
        again = dataclasses.replace(sm.config_item(other), hour=stream[2].hour)
        fold = Recomputation()
        fold.configure(b"x", CONFIG)
        for body in made[:2]:
            list(fold.feed(body))
        fold.configure(b"y", other)
        for body in made[2:]:
            list(fold.feed(body))
        end = sm.START_NS + 50 * sm.SECOND
        given = statement_bytes(fold.statement(sm.START_NS, end, "interim"))
        month = sm.make_month([*stream[:3], again, *stream[3:]], statement=given)
        configs = {sm.sha256(month.objects[i]): month.objects[i] for i in (0, 3)}
        return sm.build(sm.contents(month, configs=configs))

    return build


def cosignature(
    entries: list[bytes], *, by: FileSigner = GATEWAY, log: FileSigner = COLLECTOR,
    plant: str = sm.PLANT, name: str = f"stackproof/{sm.PLANT}/{sm.STREAM}", spoil: int = 0,
) -> sm.Item:  # fmt: skip
    """A cosignature object over the log of these entries, put together from C2SP's text."""
    note = sm.log_note(entries, log, plant)
    body, at_s = note.partition("\n\n")[0] + "\n", sm.START_NS // sm.SECOND + 40
    raw = by.public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    key_id = hashlib.sha256(name.encode() + b"\n\x04" + raw).digest()[:4]
    signature = bytearray(by.sign(f"cosignature/v1\ntime {at_s}\n{body}".encode()))
    signature[5] ^= spoil
    line = base64.b64encode(key_id + at_s.to_bytes(8, "big") + signature).decode()
    payload = compress(cbor.encode({"checkpoint": f"{note}— {name} {line}\n"}))
    return sm.Item(TYP_COSIGNATURE, payload, sm.items()[2].hour)


def cosigned(item: sm.Item) -> Callable[[], bytes]:
    """The honest stream with this object after its third."""
    stream = sm.items()
    return lambda: sm.build(sm.contents(sm.make_month([*stream[:3], item, *stream[3:]])))


def forked() -> bytes:
    """The log tells of a second object of the gateway for one place."""
    held = sm.month().objects[3]
    told = {"prev": sm.sha256(sm.month().objects[2]), "held": sm.sha256(held)}

    def reject(index: int) -> bytes:
        return sm.entry(
            EntryKind.REJECT, b"the other", index, seq=3, verdict="fork", detail=told,
            certificate=key_sha256(GATEWAY.public_key),
        )  # fmt: skip

    return sm.build(sm.contents(sm.make_month(sm.items(), between={4: reject})))


def other_object() -> bytes:
    """Of two objects that the gateway's key signed for seq 3, the archive shows the wrong one."""
    month, stream = sm.month(), sm.items()
    chain = sm.Chain(GATEWAY)
    chain.objects, chain.cfg = list(month.objects[:3]), sm.sha256(month.objects[0])
    other = chain.sign(stream[4].typ, stream[4].payload)
    files = sm.unpack(sm.honest())
    for path in (SEG_4, SEG_5):
        held = [other if o == month.objects[3] else o for o in sm.records(files[path])]
        files[path] = sm.seg(held)
    return sm.repack(files, by=COLLECTOR)


def kept_aside() -> bytes:
    """The log tells of an object that it kept for people to look at."""

    def reject(index: int) -> bytes:
        told = {"kid": FOREIGN.kid}
        return sm.entry(EntryKind.REJECT, b"x", index, seq=3, verdict="unknown-key", detail=told)

    return sm.build(sm.contents(sm.make_month(sm.items(), between={4: reject})))


FIRST = b"the statement of the first close"
EARLIER = hashlib.sha256(FIRST).digest()


def first_close(index: int) -> bytes:
    """The log's entry of the month's first close."""
    streams = {sm.STREAM: [0, 2, bytes(32)]}
    told = {"month": "2026-06", "closing": "final", "streams": streams}
    return sm.entry(EntryKind.MONTH_CLOSE, FIRST, index, stream="", detail=told)


def amended(
    statement: bytes = EARLIER,
    log: bytes = EARLIER,
    in_bag: bytes = EARLIER,
    *,
    was_closed: bool = True,
) -> Callable[[], bytes]:
    """A month that replaces another, as statement, log and bag say."""

    def build() -> bytes:
        told = {"statement_sha256": statement.hex(), "reason": "a meter's factor was wrong"}
        given = stated(lambda s: s.update(replaces=told) if statement else None)
        detail: dict[str, Any] = {"replaces": log} if log else {}
        before = {4: first_close} if was_closed else {}
        month = sm.make_month(sm.items(), statement=given, detail=detail, between=before)
        files = sm.unpack(sm.build(sm.contents(month, replaces=in_bag.hex())))
        return sm.repack(files, by=COLLECTOR)

    return build


def with_timestamp(data: bytes | None, sealed: bytes | None = None) -> Callable[[], bytes]:
    """The honest archive with something where the time stamp stands, and the seal over another."""

    def build() -> bytes:
        added = {} if data is None else sm.stamped(data)
        if sealed is not None:
            added[paths.TIMESTAMP_SEAL] = sm.stamped(sealed)[paths.TIMESTAMP_SEAL]
        return sm.repack(sm.unpack(sm.honest()) | added, manifest=False)

    return build


def days_apart() -> list[sm.Item]:
    """A configuration that reads once a day, and 24 frames (19 kB) of eleven years each."""
    config, ticks, day_ns = sm.configuration(), 4_096, 86_400 * sm.SECOND
    config["schedules"][0]["interval_ns"] = day_ns
    times = {"t_start_s": "86400", "t_end_s": "86400", "t_merge_s": "259200"}
    config["potlines"][0]["anode_effect"] |= times
    fast = [(g, one) for g, one in enumerate(config["groups"]) if one["schedule"] == 0]
    groups = tuple(
        Group(g, Dtype(one["dtype"]), np.zeros(shape, SIZES[one["dtype"]]), np.zeros(shape, "u1"))
        for g, one in fast
        for shape in [(len(one["points"]), ticks)]
    )
    at_ns = (sm.START_NS // day_ns + 1) * day_ns
    section = Section(0, at_ns, day_ns, ticks, groups, np.zeros((0, ticks), "<i4"), ())
    clock = Clock("simulated", 1, 0, bytes(16))
    return sm.items(config, [Body(at_ns, clock, 8, (section,))] * 24)


def re_made(seed: int = 60) -> bytes:
    """A whole archive of another root, collector and gateway, over the same readings."""
    files = sm.unpack(sm.honest())
    assert files[bag.BAGIT]
    other = sm.keys(seed)
    chain = sm.Chain(other.gateway)
    stream = sm.items(sm.configuration(other.collector))
    month = sm.make_month(stream, chain=chain, who=other)
    archive = sm.build(
        sm.contents(
            month, root=other.certificates["root"], collector=other.certificates["collector"],
            gateways=[(sm.STREAM, other.certificates["gateway"])],
            checkpoint=sm.log_note(month.entries, other.collector),
        )
    )  # fmt: skip
    return sm.repack(sm.unpack(archive), by=other.collector)


def _url(config: dict[str, Any]) -> None:
    config["devices"][0]["url"] = "test:elsewhere"


def _scale(config: dict[str, Any]) -> None:
    config["points"][8]["scaling"] = {"scale": "0.5"}


ENTRIES = sm.month().entries
SEEN = list(ENTRIES[:3])
#: (name, story, build, codes, more)
_KINDS: list[tuple[str, str, Callable[[], bytes], set[str], bool]] = [
    ("honest", "Nobody tampered: what a reviewer should see stands beside the pass.",
     sm.honest, {"W-GAP", "W-TYPED", "W-UNCONFIRMED", "W-INCOMPLETE", "N-INTERIM", "N-SIMULATED",
                 "N-REJECTED"}, False),
    ("readings ahead of their receipt", "Somebody makes tomorrow's readings today.",
     shifted(3600), {"W-CLOCK"}, False),
    ("readings dated back", "Somebody makes readings of two hours ago, now.",
     shifted(-7200), {"W-CLOCK", "N-LATE"}, False),
    ("a device's address changed quietly", "A site engineer points a meter's line elsewhere.",
     reconfigured(_url), {"N-CONFIG"}, False),
    ("a scale factor changed quietly", "A site engineer halves a flow meter's scale mid-month.",
     reconfigured(_scale), {"N-CONFIG"}, False),
    ("a second object for one place", "A gateway's clone signs another frame for the same place.",
     forked, {"W-FORK"}, False),
    ("the second object shown for the first", "A thief's frame stands where the log has another.",
     other_object, {"E-LOG-FRAME", "E-CHAIN"}, True),
    ("an object kept aside", "An object of an unknown key came: the log says so.",
     kept_aside, {"N-REJECTED"}, False),
    ("honest cosignature", "The gateway cosigns the log it saw: no tampering.",
     cosigned(cosignature(SEEN)), {"N-INTERIM"}, False),
    ("cosignature of another log", "The collector showed the gateway another log than the reader.",
     cosigned(cosignature([sm.enrolment(by=sm.keys(60)), *SEEN[1:]])), {"E-COSIGNATURE"}, True),
    ("cosignature of a log to come", "The gateway cosigns a log larger than it can have seen.",
     cosigned(cosignature(list(ENTRIES[:8]))), {"E-COSIGNATURE"}, True),
    ("cosignature with a broken line", "The gateway's own line is spoilt.",
     cosigned(cosignature(SEEN, spoil=1)), {"E-COSIGNATURE"}, True),
    ("cosignature by another key", "A stranger cosigns in the gateway's name.",
     cosigned(cosignature(SEEN, by=FOREIGN)), {"E-COSIGNATURE"}, True),
    ("cosignature over a stranger's checkpoint", "The checkpoint is not the collector's.",
     cosigned(cosignature(SEEN, log=FOREIGN)), {"E-COSIGNATURE"}, True),
    ("cosignature of another plant's log", "The gateway cosigned a sister plant's log.",
     cosigned(cosignature(SEEN, plant="other")), {"E-COSIGNATURE"}, True),
    ("cosignature that is junk", "A cosignature object holds no note.",
     cosigned(dataclasses.replace(cosignature(SEEN), payload=b"\x00\xf6")),
     {"E-COSIGNATURE"}, True),
    ("honest amendment", "A final month is closed again and says why: no tampering.",
     amended(), {"N-AMENDED"}, False),
    ("amended month that nothing came before", "A month is excused by one that never was closed.",
     amended(was_closed=False), {"E-LOG-CLOSE"}, False),
    ("amended month whose bag names another", "The bag says that another month is replaced.",
     amended(in_bag=bytes(32)), {"E-BAG"}, True),
    ("amended month whose log names another", "The log replaces another close than the statement.",
     amended(log=bytes(32)), {"E-LOG-CLOSE"}, True),
    ("amended month whose log is silent", "The log knows nothing of a month that is replaced.",
     amended(log=b""), {"E-LOG-CLOSE"}, True),
    ("amended month whose statement is silent", "The statement hides that it replaces another.",
     amended(statement=b""), {"E-LOG-CLOSE"}, True),
    ("time stamp that is junk", "Somebody puts noise where a time stamp stands.",
     with_timestamp(b"junk"), {"E-TIMESTAMP"}, False),
    ("time stamp that is empty", "Somebody puts an empty time stamp beside the seal.",
     with_timestamp(b""), {"E-TIMESTAMP"}, False),
    ("time stamp that is a seal", "Somebody passes the seal off as its own time stamp.",
     with_timestamp(sm.unpack(sm.honest())[paths.SEAL]), {"E-TIMESTAMP"}, False),
    ("time stamp of one flipped bit", "A disk flips a bit of a stamp that its maker never signed.",
     with_timestamp(b"junk", sealed=b"kunk"), {"E-TIMESTAMP"}, False),
    ("time stamp taken away", "Somebody takes the time stamp away and leaves its seal.",
     with_timestamp(None, sealed=b"junk"), {"E-TIMESTAMP"}, False),
    ("the whole archive made again by another root", "A stranger makes everything with own keys.",
     re_made, {"E-TRUST"}, False),
    ("the whole archive made again by the root of a sister plant",
     "Whoever rules another plant that the reviewer trusts calls their own month this plant's.",
     lambda: re_made(SISTER_SEED), {"E-TRUST"}, False),
]  # fmt: skip

KINDS: list[Kind] = [
    kind(name if name == "honest" else f"time: {name}", story, build, *codes, more=more)
    for name, story, build, codes, more in _KINDS
] + [
    kind("bomb: ticks days apart", "Each frame of a kilobyte is calculated day by day for seconds.",
         lambda: sm.build(sm.contents(sm.make_month(days_apart()))),
         "W-UNFIT", "E-INPUT", more=True, is_bomb=True),
]  # fmt: skip
