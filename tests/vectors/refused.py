"""Frames that must be refused, each with the code it is refused by (FORMAT.md section 10)."""

import zlib
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.vectors import writer as w
from tests.vectors.made import Vector, as_checked, as_window, as_zstd, levels

Bytes = Callable[[], bytes]
GOOD = w.group([[10, 12, 11]])
TWO = w.section([GOOD], lag=[[5, 5, 6]] * 2)
TWICE = [*TWO[:5], [0, 0], TWO[6]]


def _object(payload: bytes | None = None, **changes: Any) -> list[Any]:
    """The four parts of a good object, or with some header fields changed."""
    payload = _plain(_body()) if payload is None else payload
    return w.signed(payload, protected=w.cbor(w.header(**changes)))


def _plain(body: Any) -> bytes:
    return b"\0" + w.cbor(body)


def _body(**changes: Any) -> dict[int, Any]:
    sections = changes.pop("sections", None) or [w.section([GOOD])]
    return w.body(sections, **changes)


def _section(index: int, value: Any) -> bytes:
    """A body whose section has another field."""
    fields = w.section([GOOD])
    fields[index] = value
    return w.cose(_object(_plain(w.body([fields]))))


def _group(index: int, value: Any) -> bytes:
    """A body whose group has another field."""
    fields = list(GOOD)
    fields[index] = value
    return w.cose(_object(_plain(w.body([w.section([fields])]))))


def _with(**changes: Any) -> bytes:
    return w.cose(_object(_plain(_body(**changes))))


def _settings(**changes: Any) -> bytes:
    """A settings event with a field of another value; None takes it out."""
    event = {"kind": "meter-settings", "at_ns": 1, "device": "ac-1", "read": {"serial": "7"}}
    event = event | {"unread": {}} | changes
    return _with(events=[{name: value for name, value in event.items() if value is not None}])


def _packed(payload: bytes) -> bytes:
    return w.cose(_object(payload))


def _raw(data: bytes) -> bytes:
    """Bytes in the body's place that no encoder of CBOR would write."""
    return _packed(b"\0" + data)


def _part(index: int, value: Any) -> bytes:
    parts = _object()
    parts[index] = value
    return w.cose(parts)


def _der_signature() -> bytes:
    parts = w.signed(_plain(_body()), w.P256)
    data = w.cbor(["Signature1", parts[0], b"", parts[2]])
    parts[3] = w.P256.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    return w.cose(parts)


def _flipped(index: int) -> bytes:
    parts = _object()
    parts[index] = bytes([*parts[index][:-1], parts[index][-1] ^ 1])
    return w.cose(parts)


BODY = w.cbor(_body())
NESTED = b"\x81" * 12 + b"\x80"
EVENT = b"\x64kind\x61b\x65at_ns\0"

_OBJECTS: list[tuple[str, str, Bytes]] = [
    ("no tag", "E-FRAME", lambda: w.cose(_object())[1:]),
    ("another tag", "E-FRAME", lambda: b"\xd8\x62" + w.cbor(_object())),
    ("a byte after it", "E-FRAME", lambda: w.cose(_object()) + b"\0"),
    ("cut short", "E-FRAME", lambda: w.cose(_object())[:-1]),
    ("an unprotected header", "E-FRAME", lambda: _part(1, {4: b"kid"})),
    ("three parts", "E-FRAME", lambda: w.cose(_object()[:3])),
    ("an empty protected header", "E-FRAME", lambda: _part(0, b"")),
    ("a label nobody knows", "E-FRAME", lambda: w.cose(_object(extra=1))),
    ("no seq", "E-FRAME", lambda: w.cose(_object(seq=None))),
    ("a negative seq", "E-FRAME", lambda: w.cose(_object(seq=-1))),
    ("a seq that is true", "E-FRAME", lambda: w.cose(_object(seq=True))),
    ("a prev of 31 bytes", "E-FRAME", lambda: w.cose(_object(prev=bytes(31)))),
    ("a cfg of text", "E-FRAME", lambda: w.cose(_object(cfg="x" * 32))),
    ("an anchor of one item", "E-FRAME", lambda: w.cose(_object(anchor=[7]))),
    ("a claim more", "E-FRAME", lambda: w.cose(_object(claims={1: "p", 2: "s", 4: 9, 6: 1}))),
    ("a kid of 7 bytes", "E-FRAME", lambda: w.cose(_object(kid=bytes(7)))),
    ("an alg of text", "E-FRAME", lambda: w.cose(_object(alg="EdDSA"))),
    ("a spoilt signature", "E-SIG-BAD", lambda: _flipped(3)),
    ("a spoilt payload", "E-SIG-BAD", lambda: _flipped(2)),
    ("a signature of 63 bytes", "E-SIG-BAD", lambda: _part(3, bytes(63))),
    ("ESP256 under an Ed25519 key", "E-SIG-BAD", lambda: w.cose(_object(alg=-9))),
    ("a suite nobody knows", "C-SUITE", lambda: w.cose(_object(alg=-65000))),
    ("a type nobody knows", "C-FORMAT", lambda: w.cose(_object(typ="stackproof-balance+cbor"))),
]

_PAYLOADS: list[tuple[str, str, Bytes]] = [
    ("an empty payload", "E-FRAME", lambda: _packed(b"")),
    ("compression 3", "C-FORMAT", lambda: _packed(b"\3" + BODY)),
    ("Zstandard cut short", "E-FRAME", lambda: _packed(as_zstd(BODY)[:-1])),
    ("a byte after Zstandard", "E-FRAME", lambda: _packed(as_zstd(BODY) + b"\0")),
    ("two frames of Zstandard", "E-FRAME", lambda: _packed(as_zstd(BODY) + as_zstd(b"")[1:])),
    ("a skippable frame first", "E-FRAME",
     lambda: _packed(b"\1" + bytes.fromhex("502a4d1800000000") + as_zstd(BODY)[1:])),
    ("a spoilt checksum of Zstandard", "E-FRAME",
     lambda: _packed(as_checked(BODY)[:-1] + bytes([as_checked(BODY)[-1] ^ 1]))),
    ("Zstandard of 4 MiB and a byte", "E-FRAME", lambda: _packed(as_zstd(bytes((4 << 20) + 1)))),
    ("a Zstandard window of 9 MiB", "E-FRAME", lambda: _packed(as_window(BODY, 13 << 3 | 1))),
    ("a Zstandard window of 120 KiB", "E-FRAME", lambda: _packed(as_window(BODY, 6 << 3 | 7))),
    ("a Zstandard window of 2 GiB", "E-FRAME", lambda: _packed(as_window(BODY, 21 << 3))),
    ("zlib cut short", "E-FRAME", lambda: _packed(b"\2" + zlib.compress(BODY)[:-1])),
    ("a byte after zlib", "E-FRAME", lambda: _packed(b"\2" + zlib.compress(BODY) + b"\0")),
    ("zlib of 4 MiB and a byte", "E-FRAME",
     lambda: _packed(b"\2" + zlib.compress(bytes((4 << 20) + 1), 9))),
    ("gzip as zlib", "E-FRAME", lambda: _packed(b"\2" + zlib.compress(BODY, wbits=31))),
    ("no CBOR", "E-FRAME", lambda: _raw(b"\xff")),
    ("an array as body", "E-FRAME", lambda: _raw(b"\x80")),
    ("a byte after the body", "E-FRAME", lambda: _raw(BODY + b"\0")),
    ("a number not in its shortest form", "E-FRAME",
     lambda: _raw(BODY.replace(b"\4\x08\5", b"\4\x18\x08\5"))),
    ("an indefinite length", "E-FRAME", lambda: _raw(b"\xbf" + BODY[1:] + b"\xff")),
    ("keys in no order", "E-FRAME", lambda: _raw(b"\xa5" + BODY[3:] + BODY[1:3])),
    ("a key twice", "E-FRAME", lambda: _raw(b"\xa6\x01\x01" + BODY[1:])),
    ("a float", "E-FRAME", lambda: _with(extra=1.5)),
    ("a field nobody knows", "E-FRAME", lambda: _with(extra=1)),
    ("null where a field may be absent", "E-FRAME", lambda: _raw(b"\xa6" + BODY[1:] + b"\x06\xf6")),
    ("13 levels, the innermost empty", "E-FRAME",
     lambda: _with(events=[{"kind": "a", "at_ns": 0, "b": levels(10)}])),
    ("13 levels of nesting", "E-FRAME",
     lambda: _raw(b"\xa6" + BODY[1:] + b"\x07\x81\xa3\x61a" + NESTED + EVENT)),
    ("text that is not UTF-8", "E-FRAME", lambda: _raw(BODY.replace(b"\x63ntp", b"\x63n\xff\xfe"))),
]  # fmt: skip

_BODIES: list[tuple[str, str, Bytes]] = [
    ("version 2", "C-FORMAT", lambda: _with(version=2)),
    ("version 0", "C-FORMAT", lambda: _with(version=0)),
    ("t0 after a tick", "E-FRAME", lambda: _with(t0=w.T0 + 1)),
    ("t0 before 1970", "E-FRAME", lambda: _with(t0=-1)),
    ("a clock of no known source", "E-FRAME", lambda: _with(clock=["gps", 1, 0, bytes(16)])),
    ("a boot id of 15 bytes", "E-FRAME", lambda: _with(clock=["ntp", 1, 0, bytes(15)])),
    ("negative flags", "E-FRAME", lambda: _with(flags=-1)),
    ("a gap that ends before it begins", "E-FRAME", lambda: _with(gap=[2, 1, "x"])),
    ("a gap of nothing", "E-FRAME", lambda: _with(gap=[1, 1, "x"])),
    ("a gap that ends after the first tick", "E-FRAME",
     lambda: _with(gap=[w.T0 - 1, w.T0 + 1, "x"])),
    ("a gap that ends after a heartbeat", "E-FRAME",
     lambda: _with(sections=[], gap=[w.T0 - 1, w.T0 + 1, "x"])),
    ("a gap without a reason", "E-FRAME", lambda: _with(gap=[1, 2])),
    ("a gap of an empty reason", "E-FRAME", lambda: _with(gap=[1, 2, ""])),
    ("a gap of a reason of 201 characters", "E-FRAME", lambda: _with(gap=[1, 2, "\u00e9" * 201])),
    ("no events in a list of them", "E-FRAME", lambda: _with(events=[])),
    ("an event without a kind", "E-FRAME", lambda: _with(events=[{"at_ns": 1}])),
    ("settings without a device", "E-FRAME", lambda: _settings(device=None)),
    ("settings that are numbers", "E-FRAME", lambda: _settings(read={"serial": 7})),
    ("no settings", "E-FRAME", lambda: _settings(read={})),
    ("a setting of 129 characters", "E-FRAME", lambda: _settings(read={"serial": "x" * 129})),
    ("a setting that was read and not read", "E-FRAME", lambda: _settings(unread={"serial": 128})),
    ("a setting that was not read for no reason", "E-FRAME", lambda: _settings(unread={"span": 0})),
    ("settings with one field more", "E-FRAME", lambda: _settings(more=1)),
    ("sections in no order", "E-FRAME", lambda: _with(
        sections=[w.section([GOOD], schedule=1), w.section([GOOD])])),
    ("a schedule twice", "E-FRAME", lambda: _with(sections=[w.section([GOOD]), w.section([GOOD])])),
    ("a step of 0", "E-FRAME", lambda: _section(2, 0)),
    ("ticks beyond 2^63", "E-FRAME", lambda: _section(2, 2**62)),
    ("no ticks", "E-FRAME", lambda: _section(3, 0)),
    ("4097 ticks", "E-FRAME", lambda: _section(3, 4097)),
    ("a lag of another size", "E-FRAME", lambda: _section(6, bytes(11))),
    ("filter 3", "C-FORMAT", lambda: _group(2, 3)),
    ("a number type nobody knows", "C-FORMAT", lambda: _group(1, 65)),
    ("filter 2 on integers", "E-FRAME", lambda: _group(2, 2)),
    ("filter 1 on floats", "E-FRAME", lambda: _with(
        sections=[w.section([w.group([[1.0, 2.0, 3.0]], 85, 1)])])),
    ("a device twice", "E-FRAME", lambda: _with(sections=[TWICE])),
    ("no rows", "E-FRAME", lambda: _group(3, 0)),
    ("20,001 rows", "E-FRAME", lambda: _group(3, 20_001)),
    ("a block of another size", "E-FRAME", lambda: _group(4, bytes(5))),
    ("source times of another size", "E-FRAME", lambda: _group(6, bytes(11))),
    ("runs in threes", "E-FRAME", lambda: _group(5, [0, 0, 1])),
    ("a run of code 0", "E-FRAME", lambda: _group(5, [0, 0, 1, 0])),
    ("a run of code 256", "E-FRAME", lambda: _group(5, [0, 0, 1, 256])),
    ("a run beyond the ticks", "E-FRAME", lambda: _group(5, [0, 0, 3, 128])),
    ("a run beyond the rows", "E-FRAME", lambda: _group(5, [1, 0, 1, 128])),
    ("a run that ends before it begins", "E-FRAME", lambda: _group(5, [0, 2, 1, 128])),
    ("runs that overlap", "E-FRAME", lambda: _group(5, [0, 0, 1, 128, 0, 1, 2, 129])),
    ("runs in no order", "E-FRAME", lambda: _group(5, [0, 2, 2, 128, 0, 0, 0, 128])),
    ("one run as two", "E-FRAME", lambda: _group(5, [0, 0, 0, 128, 0, 1, 1, 128])),
]  # fmt: skip


def refused() -> list[Vector]:
    """All frames that must be refused or left undecided."""
    found = [
        {"name": name, "key": w.spki(w.ED25519).hex(), "object": build().hex(), "code": code}
        for name, code, build in (*_OBJECTS, *_PAYLOADS, *_BODIES)
    ]
    der = {"name": "a DER signature", "object": _der_signature().hex(), "code": "E-SIG-BAD"}
    return [*found, {**der, "key": w.spki(w.P256).hex()}]
