"""Frames: header and body by hand, limits, and every shape that is refused."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from evidence import cbor, cose, frame
from evidence.blocks import compress, decompress
from evidence.errors import LimitError, MalformedError, UnsupportedError
from evidence.frame import (
    NO_LAG,
    POINTS_MAX,
    TICKS_MAX,
    TYP_FRAME,
    UP_TYPES,
    Body,
    Clock,
    Gap,
    Header,
    Section,
    decode_body,
    encode_body,
    header_of,
    place_of,
    sign_object,
)
from evidence.groups import Group
from evidence.keys import FileSigner
from evidence.points import Dtype
from evidence.runs import decode_runs, encode_runs
from tests.unit.evidence.plain_values import plain

SIGNER = FileSigner(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
HASH = bytes(range(32))
T0 = 1_781_499_580_000_000_000
SECOND = 10**9
HEADER = Header(TYP_FRAME, "p1", "edge-1", 1_781_499_590, 24, HASH, (7, HASH[::-1]), HASH)

# -- header -----------------------------------------------------------------------------------


def test_a_header_is_in_the_labels_of_the_format() -> None:
    envelope = cose.parse(sign_object(SIGNER, HEADER, b"x"))
    assert envelope.header == {
        1: -19, 4: SIGNER.kid, 16: "stackproof-frame+cbor",
        15: {1: "p1", 2: "edge-1", 6: 1_781_499_590}, -65537: 24, -65538: HASH,
        -65539: [7, HASH[::-1]], -65540: HASH,
    }  # fmt: skip
    assert header_of(envelope) == HEADER
    # -65537 is 3a 00 01 00 00, -65538 3a 00 01 00 01, …
    assert b"\x3a\x00\x01\x00\x00\x18\x18\x3a\x00\x01\x00\x01\x58\x20" in envelope.protected


@pytest.mark.parametrize("typ", sorted(UP_TYPES))
def test_every_type_shares_one_header(typ: str) -> None:
    bare = Header(typ, "p", "s", 0, 0, bytes(32))
    envelope = cose.parse(sign_object(SIGNER, bare, b""))
    assert header_of(envelope) == bare
    assert not set(envelope.header) & {-65539, -65540}


def test_another_type_has_a_place_but_is_newer() -> None:
    newer = dataclasses.replace(HEADER, typ="stackproof-balance+cbor")
    envelope = cose.parse(sign_object(SIGNER, newer, b""))
    assert place_of(envelope) == newer
    with pytest.raises(UnsupportedError, match="balance"):
        header_of(envelope)


def labelled(**changes: Any) -> cose.Envelope:
    """HEADER with labels changed; `None` deletes one. m… is a negative label."""
    labels = dict(cose.parse(sign_object(SIGNER, HEADER, b"")).header)
    for name, value in changes.items():
        label = int(name[1:]) * (-1 if name[0] == "m" else 1)
        labels[label] = value
        if value is None:
            del labels[label]
    return cose.parse(cose.sign(SIGNER, labels, b""))


CLAIMS = {1: "p1", 2: "edge-1", 6: 5}


@pytest.mark.parametrize(
    "changes",
    [
        {"m65537": None}, {"m65537": -1}, {"m65537": "1"}, {"m65537": True}, {"m65538": None},
        {"m65538": HASH[:31]}, {"m65538": "x" * 32}, {"m65540": b""}, {"m65540": 5},
        {"m65539": []}, {"m65539": [7]}, {"m65539": [7, HASH, 1]}, {"m65539": [-1, HASH]},
        {"m65539": [7, b""]}, {"m65539": [True, HASH]}, {"m65539": HASH}, {"m65541": 1},
        {"p5": b"iv"}, {"p3": "text/plain"}, {"p2": [1]}, {"p15": None}, {"p15": []}, {"p15": {}},
        {"p15": {**CLAIMS, 4: 9}}, {"p15": {**CLAIMS, 1: 5}}, {"p15": {**CLAIMS, 2: b"s"}},
        {"p15": {**CLAIMS, 6: -1}}, {"p15": {**CLAIMS, 6: "5"}}, {"p15": {**CLAIMS, 6: None}},
        {"p15": {"1": "p1"}},
    ],
)  # fmt: skip
def test_a_header_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        header_of(labelled(**changes))


@pytest.mark.parametrize("label", [-65539, -65540])
def test_null_is_not_another_spelling_of_absent(label: int) -> None:
    labels = dict(cose.parse(sign_object(SIGNER, HEADER, b"")).header) | {label: None}
    with pytest.raises(MalformedError):
        header_of(cose.parse(cose.sign(SIGNER, labels, b"")))


# -- body -------------------------------------------------------------------------------------


def group(**changes: Any) -> Group:
    fields: dict[str, Any] = {
        "group": 1, "dtype": Dtype.U16, "raw": np.array([[10, 12, 11], [7, 7, 7]], dtype="<u2"),
        "quality": np.array([[0, 128, 128], [0, 0, 0]], dtype=np.uint8),
        "source_ms": np.array([[-1, 0, 250], [-(2**31)] * 3], dtype="<i4"),
    }  # fmt: skip
    return Group(**(fields | changes))


def section(**changes: Any) -> Section:
    fields: dict[str, Any] = {
        "schedule": 0, "first_ns": T0, "step_ns": SECOND, "ticks": 3, "groups": (group(),),
        "lag_ms": np.array([[5, NO_LAG, 6]], dtype="<i4"), "devices": (4,),
    }  # fmt: skip
    return Section(**(fields | changes))


CLOCK = Clock("ntp", 12, 99, bytes(range(16)))
BODY = Body(
    t0_ns=T0, clock=CLOCK, flags=9, sections=(section(),), gap=Gap(T0 - 5, T0, "restart"),
    events=({"kind": "start", "at_ns": T0, "note": [1]},),
)  # fmt: skip


def test_a_body_by_hand() -> None:
    # u16 [[10, 12, 11], [7, 7, 7]]: steps 10 +2 -1, 7 0 0; zigzag 20 4 1, 14 0 0; low bytes first
    data = bytes([20, 4, 1, 14, 0, 0]) + bytes(6)
    # source [-1, 0, 250], then three times -2^31: steps -1 +1 +250, -2^31 0 0; zigzag 1, 2, 500,
    # ffffffff, 0, 0; byte planes
    source = bytes([1, 2, 0xF4, 0xFF, 0, 0]) + bytes([0, 0, 1, 0xFF, 0, 0])
    source += bytes([0, 0, 0, 0xFF, 0, 0]) * 2
    # lag 5, -2^31, 6: zigzag 10; -2^31 - 5 is 2^31 - 5 modulo 2^32: 2^32 - 10; then 6 + 2^31 is
    # negative: -(2^31 - 6): zigzag 2^32 - 13
    lag = b"".join(
        bytes((word >> shift) & 255 for word in (10, 2**32 - 10, 2**32 - 13))
        for shift in (0, 8, 16, 24)
    )
    by_hand = {
        1: 1, 2: T0, 3: ["ntp", 12, 99, bytes(range(16))], 4: 9,
        5: [[0, T0, SECOND, 3, [[1, 69, 1, 2, data, [0, 1, 2, 128], source]], [4], lag]],
        6: [T0 - 5, T0, "restart"], 7: [{"kind": "start", "at_ns": T0, "note": [1]}],
    }  # fmt: skip
    assert cbor.decode(decompress(encode_body(BODY))) == by_hand
    assert plain(decode_body(compress(cbor.encode(by_hand), 0))) == plain(BODY)


def test_a_heartbeat_is_small_and_reads_back() -> None:
    beat = Body(T0, Clock("free", None, -1, bytes(16)))
    assert plain(decode_body(encode_body(beat))) == plain(beat)
    assert beat.readings == 0
    assert len(encode_body(beat)) < 80


def test_readings_count_every_point_and_tick() -> None:
    assert BODY.readings == 6
    assert section().ticks_ns().tolist() == [T0, T0 + SECOND, T0 + 2 * SECOND]


def fields() -> dict[int, Any]:
    value: dict[int, Any] = cbor.decode(decompress(encode_body(BODY)))
    return value


def refused(value: Any, error: type[Exception] = MalformedError) -> None:
    with pytest.raises(error):
        decode_body(compress(cbor.encode(value), 0))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (1, None), (1, True), (1, "1"), (1, -1), (2, None), (2, "0"), (2, 2**63), (2, True),
        (3, None), (3, []), (3, ["ntp", 1, 0]), (3, [5, 1, 0, bytes(16)]),
        (3, ["ntp", -1, 0, bytes(16)]), (3, ["ntp", "1", 0, bytes(16)]),
        (3, ["ntp", 1, None, bytes(16)]), (3, ["ntp", 1, 2**63, bytes(16)]),
        (3, ["ntp", 1, 0, bytes(15)]), (3, ["ntp", 1, 0, "x" * 16]), (4, None), (4, -1), (4, "0"),
        (5, None), (5, {}), (5, [5]), (5, [[]]), (6, None), (6, []), (6, [1, 2]), (6, [2, 1, "x"]),
        (6, [1, 2, 3]), (6, [None, 2, "x"]), (6, [1, 2**63, "x"]), (7, None), (7, []), (7, {}),
        (7, [5]), (7, [{}]), (7, [{"kind": "x"}]), (7, [{"at_ns": 5}]),
        (7, [{"kind": 5, "at_ns": 5}]), (7, [{"kind": "x", "at_ns": "5"}]),
        (7, [{"kind": "x", "at_ns": 2**63}]), (7, [{1: 2}]), (8, 1), (0, 1), (-1, 1),
    ],
)  # fmt: skip
def test_a_body_of_another_form_is_refused(key: int, value: Any) -> None:
    refused(fields() | {key: value})


@pytest.mark.parametrize("key", [1, 2, 3, 4, 5])
def test_a_body_without_a_field_is_refused(key: int) -> None:
    body = fields()
    del body[key]
    refused(body)


@pytest.mark.parametrize("value", [[], 5, None, "x", {"1": 1}, {}])
def test_what_is_no_body_is_refused(value: Any) -> None:
    refused(value)


@pytest.mark.parametrize("version", [0, 2, 2**64 - 1])
def test_another_version_is_undecided(version: int) -> None:
    refused(fields() | {1: version}, UnsupportedError)
    refused({1: version, 99: "all else is new"}, UnsupportedError)


def with_section(place: int, value: Any) -> dict[int, Any]:
    body = fields()
    body[5][0][place] = value
    return body


@pytest.mark.parametrize(
    ("place", "value", "error"),
    [
        (0, -1, MalformedError), (0, None, MalformedError), (1, None, MalformedError),
        (1, 2**63, MalformedError), (1, T0 - 1, MalformedError), (2, 0, MalformedError),
        (2, -1, MalformedError), (2, 2**63, MalformedError), (2, 2**64 - 1, MalformedError),
        (3, 0, LimitError), (3, TICKS_MAX + 1, LimitError), (3, 2**64 - 1, LimitError),
        (3, -1, MalformedError), (3, None, MalformedError), (3, 4, MalformedError),
        (4, None, MalformedError), (4, {}, MalformedError), (4, [5], MalformedError),
        (4, [[]], MalformedError), (5, None, MalformedError), (5, [-1], MalformedError),
        (5, [None], MalformedError), (5, [], MalformedError), (5, [4, 5], MalformedError),
        (6, None, MalformedError), (6, b"", MalformedError), (6, [], MalformedError),
        (6, bytes(13), MalformedError),
    ],
)  # fmt: skip
def test_a_section_of_another_form_is_refused(
    place: int, value: Any, error: type[Exception]
) -> None:
    refused(with_section(place, value), error)


def with_group(place: int, value: Any) -> dict[int, Any]:
    body = fields()
    body[5][0][4][0][place] = value
    return body


@pytest.mark.parametrize(
    ("place", "value", "error"),
    [
        (0, -1, MalformedError), (0, None, MalformedError), (1, -1, MalformedError),
        (1, 65, UnsupportedError), (1, 84, UnsupportedError), (1, 0, UnsupportedError),
        (1, 70, MalformedError), (1, 85, MalformedError), (2, 2, MalformedError),
        (2, 3, UnsupportedError), (2, -1, MalformedError), (3, 0, MalformedError),
        (3, 1, MalformedError), (3, 3, MalformedError), (3, POINTS_MAX, MalformedError),
        (3, POINTS_MAX + 1, LimitError), (3, 2**64 - 1, LimitError), (3, None, MalformedError),
        (4, b"", MalformedError), (4, bytes(13), MalformedError), (4, None, MalformedError),
        (5, None, MalformedError), (5, {}, MalformedError), (6, None, MalformedError),
        (6, bytes(23), MalformedError), (6, bytes(25), MalformedError), (6, [], MalformedError),
    ],
)  # fmt: skip
def test_a_group_of_another_form_is_refused(place: int, value: Any, error: type[Exception]) -> None:
    refused(with_group(place, value), error)


def test_sections_stand_in_the_order_of_their_schedules_once_each() -> None:
    second = section(schedule=1)
    assert decode_body(encode_body(dataclasses.replace(BODY, sections=(section(), second))))
    for wrong in ((second, section()), (section(), section())):
        with pytest.raises(MalformedError, match="order of their schedules"):
            decode_body(encode_body(dataclasses.replace(BODY, sections=wrong)))


def test_the_points_of_a_section_have_a_limit() -> None:
    def of(*rows: int) -> Body:
        groups = tuple(
            group(
                dtype=Dtype.U8, raw=np.zeros((n, 1), dtype="<u1"),
                quality=np.zeros((n, 1), dtype=np.uint8), source_ms=None,
            )
            for n in rows
        )  # fmt: skip
        lag = np.zeros((1, 1), dtype="<i4")
        return Body(T0, CLOCK, sections=(section(ticks=1, groups=groups, lag_ms=lag),))

    assert decode_body(encode_body(of(POINTS_MAX // 2, POINTS_MAX // 2))).readings == POINTS_MAX
    with pytest.raises(LimitError, match="points"):
        decode_body(encode_body(of(POINTS_MAX // 2, POINTS_MAX // 2 + 1)))


def test_the_ticks_of_a_section_have_a_limit_and_an_end() -> None:
    def of(ticks: int, first_ns: int = T0, step_ns: int = 1) -> Body:
        lag = np.zeros((1, ticks), dtype="<i4")
        part = section(ticks=ticks, first_ns=first_ns, step_ns=step_ns, groups=(), lag_ms=lag)
        return Body(first_ns, CLOCK, sections=(part,))

    assert decode_body(encode_body(of(TICKS_MAX))).sections[0].ticks == TICKS_MAX
    with pytest.raises(LimitError):
        decode_body(encode_body(of(TICKS_MAX + 1)))
    latest = decode_body(encode_body(of(1, 2**63 - 2)))
    assert latest.sections[0].ticks_ns().tolist() == [2**63 - 2]
    earliest = decode_body(encode_body(of(2, 0, 2**61)))
    assert earliest.sections[0].ticks_ns().tolist() == [0, 2**61]
    with pytest.raises(MalformedError, match="before 1970"):
        decode_body(encode_body(of(1, -1)))
    for first, step in ((2**63 - 1, 1), (0, 2**63 - 1)):
        with pytest.raises(MalformedError, match="representable"):
            decode_body(encode_body(of(3, first, step)))


def test_no_source_times_are_no_bytes() -> None:
    timeless = dataclasses.replace(BODY, sections=(section(groups=(group(source_ms=None),)),))
    assert cbor.decode(decompress(encode_body(timeless)))[5][0][4][0][6] == b""
    assert plain(decode_body(encode_body(timeless))) == plain(timeless)


# -- runs -------------------------------------------------------------------------------------


def test_runs_by_hand() -> None:
    quality = np.zeros((4, 6), dtype=np.uint8)
    quality[0] = [128, 128, 0, 0, 17, 17]
    quality[2] = [16, 17, 17, 17, 0, 255]
    runs = [0, 0, 1, 128, 0, 4, 5, 17, 2, 0, 0, 16, 2, 1, 3, 17, 2, 5, 5, 255]
    assert encode_runs(quality) == runs
    assert decode_runs(runs, 4, 6).tolist() == quality.tolist()
    assert encode_runs(np.zeros((3, 3), dtype=np.uint8)) == []


@pytest.mark.parametrize(
    "runs",
    [
        [0], [0, 0, 0], [0, 0, 0, 128, 0], [4, 0, 0, 1], [0, 0, 6, 1], [0, 3, 2, 1], [0, 0, 0, 0],
        [0, 0, 0, 256], [-1, 0, 0, 1], [0, -1, 0, 1], [0, 0, None, 1], [0, 0, True, 1],
        ["0", 0, 0, 1],
        [0, 0, 1, 1, 0, 1, 2, 2], [0, 0, 1, 1, 0, 2, 3, 1], [1, 0, 0, 1, 0, 0, 0, 1],
        [0, 2, 2, 1, 0, 0, 0, 1], [0, 0, 0, 1, 0, 0, 0, 1], [0, 0, 0, 2**64 - 1],
        [2**64 - 1, 0, 0, 1], [0, 0, 2**64 - 1, 1],
    ],
)  # fmt: skip
def test_runs_nobody_would_write_are_refused(runs: list[Any]) -> None:
    with pytest.raises(MalformedError):
        decode_runs(runs, 4, 6)


def test_adjoining_runs_of_other_codes_stay_two() -> None:
    assert decode_runs([0, 0, 1, 1, 0, 2, 3, 2], 1, 4).tolist() == [[1, 1, 2, 2]]


def test_flags_and_version_are_those_of_the_format() -> None:
    assert (frame.FLAG_BACKFILL, frame.FLAG_LATE) == (1, 2)
    assert (frame.FLAG_MANUAL, frame.FLAG_SIMULATED) == (4, 8)
    assert frame.FRAME_VERSION == 1
    assert frame.NO_SOURCE_TIME == frame.NO_LAG == -2147483648


def test_a_body_has_few_arrays_and_maps_for_its_payload() -> None:
    """FORMAT.md §4: 2,048 + b. Six are body, clock, sections, events, the event and its list."""
    clock = ["simulated", 1, 0, bytes(16)]

    def payload(maps: int) -> bytes:
        event = {"kind": "x", "at_ns": 1, "maps": [{}] * maps}
        return compress(cbor.encode({1: 1, 2: 1, 3: clock, 4: 8, 5: [], 7: [event]}))

    most = 2_048 + len(payload(2_100)) - 6
    assert len(payload(most)) == len(payload(most + 1)) == len(payload(2_100))
    assert len(decode_body(payload(most)).events[0]["maps"]) == most
    with pytest.raises(LimitError, match="arrays and maps"):
        decode_body(payload(most + 1))
