"""What stands beside the figures and is seldom read: entries' details, payloads, names, anchors.

One verifier looked at each of these and another did not, or they called it by different names.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from evidence import cbor, cose
from evidence.archive import paths
from evidence.blocks import compress
from evidence.frame import TYP_CLOSE, TYP_COSIGNATURE, TYP_ROTATE, Gap
from evidence.keys import key_sha256
from evidence.log import Kind as EntryKind
from evidence.receipt import Receipt, encode_receipt
from tests.attacks.by_both import BAD_FRAME, frames, payload, stated
from tests.attacks.by_configuration import misformed
from tests.attacks.by_keys import NEXT, OLD, der
from tests.attacks.forging import (
    FOREIGN,
    Change,
    Kind,
    both,
    edit_entries,
    kind,
    move_total,
    packed,
    resign_log,
)
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence import two_months as two

OPERATOR = sm.keys().collector
BAD_CONFIG = ("E-CFG", "E-INPUT")
#: whatever the log says otherwise, its last checkpoint is another one
OTHER_LOG = ("E-CLOSE", "E-RECEIPT")
AT = sm.START_NS + 10 * sm.SECOND


class Stranger(sm.Chain):
    """Signs one object with a key that nobody knows."""

    def __init__(self, seq: int) -> None:
        super().__init__(OLD)
        self._seq = seq

    def sign(self, *args: Any, **fields: Any) -> bytes:
        """The next object."""
        self.by = FOREIGN if len(self.objects) == self._seq else OLD
        return super().sign(*args, **fields)


class Sees(sm.Chain):
    """A gateway that names other logs than it was shown."""

    def __init__(self, anchors: dict[int, tuple[int, bytes]]) -> None:
        super().__init__(OLD)
        self._anchors = anchors

    def sign(self, *args: Any, **fields: Any) -> bytes:
        """The next object."""
        seq = len(self.objects)
        return super().sign(
            *args, **fields | ({"anchor": a} if (a := self._anchors.get(seq)) else {})
        )


def beside(typ: str, payload: bytes, *, stranger: bool = False) -> Callable[[], bytes]:
    """The honest month with an object more in its middle."""

    def build() -> bytes:
        stream = sm.items()
        stream.insert(2, sm.Item(typ, payload, stream[1].hour))
        chain = Stranger(2) if stranger else None
        return sm.build(sm.contents(sm.make_month(stream, chain=chain)))

    return build


def packed_map(**fields: Any) -> bytes:
    return compress(cbor.encode(fields))


def gapped(gap: Gap) -> Callable[[], bytes]:
    """One gap of the honest month is told otherwise, by frame and log alike."""
    stream = frames(2, lambda body: dataclasses.replace(body, gap=gap))
    return lambda: sm.build(sm.contents(sm.make_month(stream)))


def of_devices(devices: list[int]) -> Callable[[], bytes]:
    """A frame without readings says when these devices answered."""
    lag = bytes(4 * len(devices))
    body = {
        1: 1,
        2: AT,
        3: ["ntp", 1, 0, bytes(16)],
        4: 8,
        5: [[0, AT, sm.SECOND, 1, [], devices, lag]],
    }
    stream = payload(2, compress(cbor.encode(body)))
    return lambda: sm.build(sm.contents(sm.make_month(stream)))


def before_1970() -> bytes:
    body = {1: 1, 2: -1, 3: ["ntp", 1, 0, bytes(16)], 4: 8, 5: []}
    return sm.build(sm.contents(sm.make_month(payload(2, compress(cbor.encode(body))))))


def logged(index: int, part: int, value: Any) -> Change:
    """One part of one entry of the log is another."""

    def change(entries: list[bytes]) -> list[bytes]:
        entry = cbor.decode(entries[index])
        entry[part] = value
        entries[index] = cbor.encode(entry)
        return entries

    return both(edit_entries(change), resign_log)


def told_of_a_configuration() -> bytes:
    """A gap entry stands behind a configuration, which tells of none."""
    told = {"from_ns": 1, "to_ns": 2, "reason": "night"}
    first, by = sm.month().objects[0], key_sha256(OLD.public_key)
    fields: dict[str, Any] = {"seq": 0, "certificate": by, "detail": told}
    month = sm.make_month(
        sm.items(), between={1: lambda at: sm.entry(EntryKind.GAP, first, at, **fields)}
    )
    return sm.build(sm.contents(month))


def told_of_a_frame() -> bytes:
    """A gap entry stands behind a frame that tells of none."""
    chain = sm.Chain(OLD)
    for item in sm.items()[:2]:
        chain.sign(item.typ, item.payload)
    told = {"from_ns": 1, "to_ns": 2, "reason": "night"}

    def change(entries: list[bytes]) -> list[bytes]:
        _, _, _, _, stream, seq, sha256, length, key, *_ = cbor.decode(entries[2])
        made = [1, 7, *cbor.decode(entries[2])[2:4], stream, seq, sha256, length, key]
        return [*entries[:3], cbor.encode([*made, "accepted", None, told]), *entries[3:]]

    return packed(both(edit_entries(change), resign_log), OPERATOR)()


def two_roots() -> bytes:
    """Two frames of July name different logs of three entries, of which July's archive has none."""
    chain = Sees({7: (3, bytes(32)), 8: (3, b"\1" * 32)})
    for item in sm.items(two.CONFIG):
        chain.sign(item.typ, item.payload)
    return two.archive(two.july(chain, OLD, []), [], two.CERTIFICATES[:1])


def receipt_since(since: int) -> bytes:
    """The receipt is of an object in the month's middle, and leaves out what its gateway saw."""
    month = sm.month()
    entry = cbor.decode(month.entries[3])
    receipt = Receipt(
        plant=sm.PLANT, stream=sm.STREAM, seq=2, head=entry[6], log_index=3, received_ns=entry[2],
        checkpoint=sm.log_note(month.entries), since=since,
    )  # fmt: skip
    files = sm.unpack(sm.honest())
    files[paths.receipt(sm.STREAM)] = encode_receipt(receipt, OPERATOR)
    return sm.repack(files, by=OPERATOR)


def close_of_another_type() -> bytes:
    close = cose.parse(sm.month().close)
    header = {label: v for label, v in close.header.items() if label not in (cose.ALG, cose.KID)}
    signed = cose.sign(OLD, {**header, cose.TYP: "stackproof-agreed+cbor"}, close.payload)
    files = sm.unpack(sm.honest())
    files[paths.close(sm.STREAM)] = signed
    return sm.repack(files, manifest=False)


def newer_beside_wrong() -> bytes:
    """An object that no figure hangs on is newer than the program, and a total is moved."""
    stream = [*sm.items(), sm.Item(TYP_CLOSE, b"\x09", sm.items()[-1].hour)]
    metal = stated(lambda s: (move_total(s), s["input"]["output"].update(aluminium_t="5.4")))
    return sm.build(sm.contents(sm.make_month(stream, statement=metal)))


def input_of(change: Callable[[dict[str, Any]], Any]) -> Callable[[], bytes]:
    """The statement's input has another shape, sealed and closed as it is."""
    return lambda: sm.build(
        sm.contents(sm.make_month(sm.items(), statement=stated(lambda s: change(s["input"]))))
    )


def _schedules(config: dict[str, Any], count: int) -> None:
    """So many more schedules, on each of which a meter of its own is read."""
    points, (computed,) = config["points"], [g for g in config["groups"] if g["computed"]]
    first = len(points) - len(computed["points"])
    like = points[8]
    points[first:first] = [{**like, "id": f"m{i}"} for i in range(count)]
    computed["points"] = [count + row for row in computed["points"]]
    made = len(config["schedules"])
    config["schedules"] += [{"interval_ns": (60 + i) * sm.SECOND} for i in range(count)]
    group = {"dtype": like["dtype"], "computed": False}
    config["groups"] += [
        {**group, "schedule": made + i, "points": [first + i]} for i in range(count)
    ]


ZONES = ("localtime", "posixrules", "Factory", "right/Asia/Shanghai", "posix/Asia/Shanghai",
         "asia/shanghai", "+08:00", "")  # fmt: skip
#: (name, why, change)
_CONFIGURATIONS: list[tuple[str, str, Callable[[dict[str, Any]], Any]]] = [
    *(
        (f"a time zone called {zone or 'nothing'}",
         "When a month begins depends on the machine on which it is verified.",
         lambda c, zone=zone: c["plant"].update(time_zone=zone))
        for zone in ZONES
    ),
    ("a schedule on which nothing is read", "It is due every second, and never held against.",
     lambda c: c["schedules"].append({"interval_ns": sm.SECOND})),
    ("101 schedules", "Each gap has to be held against each of them.",
     lambda c: _schedules(c, 99)),
    ("two devices of one id", "Whose settings were read is left open.",
     lambda c: c["devices"][1].update(id="pots")),
]  # fmt: skip

_NOTE = sm.log_note(sm.month().entries[:1])
#: (name, why, build, codes)
_DETAILS: list[tuple[str, str, Callable[[], bytes], tuple[str, ...]]] = [
    ("a close that is noise", "An object calls itself a close and holds nothing of one.",
     beside(TYP_CLOSE, packed_map(plant=sm.PLANT)), ("E-FRAME",)),
    ("a rotate object by nobody", "A stranger hands the stream over to a key of the plant.",
     beside(TYP_ROTATE, packed_map(certificate=der(NEXT)), stranger=True),
     ("E-SIG-UNKNOWN-KEY",)),
    ("a cosignature by nobody", "A stranger cosigns a log that never was.",
     beside(TYP_COSIGNATURE, packed_map(checkpoint=_NOTE), stranger=True),
     ("E-SIG-UNKNOWN-KEY",)),
    ("a rotate object of no certificate", "The next key's certificate is noise.",
     beside(TYP_ROTATE, packed_map(certificate=b"noise")), ("E-CERTIFICATE",)),
    ("a rotate object of a number", "The next key's certificate is a number.",
     beside(TYP_ROTATE, packed_map(certificate=7)), ("E-FRAME",)),
    ("a device twice", "A frame says twice, and differently, how late a device answered.",
     of_devices([0, 0]), (*BAD_FRAME,)),
    ("20,001 devices", "A frame says how late more devices answered than it may hold points.",
     of_devices(list(range(20_001))), (*BAD_FRAME,)),
    ("a frame before 1970", "A frame is of a time of which no rule of a time zone tells.",
     before_1970, (*BAD_FRAME,)),
    ("a gap of a long reason", "The reason of a gap is a page, and the log has to repeat it.",
     gapped(Gap(AT + 9 * sm.SECOND, AT + 15 * sm.SECOND, "x" * 201)), (*BAD_FRAME,)),
    ("a gap of no reason", "The reason of a gap is left out.",
     gapped(Gap(AT + 9 * sm.SECOND, AT + 15 * sm.SECOND, "")), (*BAD_FRAME,)),
    ("a configuration signed for another plant", "One gateway serves two plants by one signature.",
     lambda: sm.build(sm.contents(sm.make_month(
         [dataclasses.replace(sm.items()[0], fields={"plant": "other"}), *sm.items()[1:]]))),
     ("E-FRAME", "E-CFG", "E-INPUT")),
    ("a gap behind a configuration", "The log tells of a gap that no frame tells of.",
     told_of_a_configuration, ("E-LOG",)),
    ("a gap behind a frame that tells of none", "The log tells of a gap that its frame does not.",
     told_of_a_frame, ("E-LOG-FRAME", "E-ANCHOR", *OTHER_LOG)),
    ("an acceptance with a remark", "The log's entry of a frame has words of its own.",
     packed(logged(2, 11, {"note": "late"}), OPERATOR), ("E-LOG", "E-ANCHOR", *OTHER_LOG)),
    ("an enrolment of no role", "The log enrols a gateway as something that nobody is.",
     packed(logged(0, 11, {"role": "auditor", "name": sm.STREAM, "certificate_sha256": bytes(32)}),
            OPERATOR), ("E-LOG", "E-ANCHOR", *OTHER_LOG)),
    ("a review of a stream", "The log's entry of a review stands as an object's.",
     packed(logged(0, 1, 9), OPERATOR), ("E-LOG", "E-ANCHOR", *OTHER_LOG)),
    ("a close of another length", "The log closes a statement of other bytes, says their number.",
     packed(logged(-1, 7, 1), OPERATOR), ("E-LOG-CLOSE", *OTHER_LOG)),
    ("two roots of one log", "The collector showed the gateway two logs before the month began.",
     two_roots, ("E-ANCHOR",)),
    ("a receipt that leaves out what was seen", "A receipt proves nothing of the log before it.",
     lambda: receipt_since(0), ("E-RECEIPT",)),
    ("a close of a type of tomorrow", "Whoever has agreed to nothing hopes it is left undecided.",
     close_of_another_type, ("E-CLOSE",)),
    ("an object of tomorrow beside wrong figures",
     "Whoever moves a total adds an object that nobody can read, and hopes that nobody decides.",
     newer_beside_wrong, ("C-FORMAT", "E-TOTAL", "E-INPUT")),
    ("a fuel by its Chinese name", "The input names a fuel as no statement does.",
     input_of(lambda i: i["fuel"][0].update(kind="天然气")), ("E-STATEMENT",)),
    ("a factor of one's own", "The input brings a heating value that no rule set has.",
     input_of(lambda i: i["fuel"][0].update(ncv="1")), ("E-STATEMENT",)),
    ("a figure from nowhere", "A figure does not say where it comes from.",
     input_of(lambda i: i["auxiliary"][0].pop("provenance")), ("E-STATEMENT",)),
    ("a list that is a number", "Where fuels are due there is true.",
     input_of(lambda i: i.update(fuel=True)), ("E-STATEMENT",)),
    ("a month of thirteen", "The statement is of no month.",
     input_of(lambda i: i.update(month="2026-13")),
     ("E-STATEMENT", "E-BAG", "E-LOG-CLOSE", "E-CLOSE")),
]  # fmt: skip

KINDS: list[Kind] = [
    *(
        kind(f"details: {name}", why, misformed(change), *BAD_CONFIG)
        for name, why, change in _CONFIGURATIONS
    ),
    *(kind(f"details: {name}", why, build, *codes) for name, why, build, codes in _DETAILS),
]
