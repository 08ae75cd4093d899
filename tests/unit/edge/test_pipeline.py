"""From samples to ticks to a frame's body and back; what is expected is worked out by hand."""

import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from edge.drivers.base import Sample
from edge.pipeline import (
    FRAME_BYTES_MAX,
    QUARTER_HOUR_NS,
    Batch,
    Layout,
    Tick,
    assemble,
    decode_tick,
    without_computed,
)
from evidence import cbor
from evidence.errors import MalformedError
from evidence.frame import (
    FLAG_SIMULATED,
    NO_LAG,
    NO_SOURCE_TIME,
    Gap,
    decode_body,
    encode_body,
)
from evidence.points import Dtype
from evidence.quality import Quality
from tests.unit.edge.ticks import CLOCK, one_read, point, rows, tick

S = 10**9
T0 = 1_795_574_700 * S  # a whole quarter of an hour
GAUGE = {"quantity": {"kind": "voltage", "unit": "V"}}


def config(*points: Mapping[str, Any], simulated: bool = False) -> dict[str, Any]:
    """Two schedules, 1 s and 10 s; u16 points a.* on the first, f32 points b.* on the second."""
    numbers: dict[int, list[int]] = {0: [], 1: []}
    for index, fields in enumerate(points):
        numbers[0 if fields["dtype"] == Dtype.U16.value else 1].append(index)
    return {
        "plant": {"simulated": simulated},
        "schedules": [{"interval_ns": S}, {"interval_ns": 10 * S}],
        "devices": [
            {"id": "a", "schedule": 0},
            {"id": "b", "schedule": 1},
            {"id": "c", "schedule": 0},
        ],
        "points": list(points),
        "groups": [
            {"schedule": 0, "dtype": Dtype.U16.value, "computed": False, "points": numbers[0]},
            {"schedule": 1, "dtype": Dtype.F32.value, "computed": False, "points": numbers[1]},
        ],
    }


PLAIN = config(point("a.x", Dtype.U16), point("b.y", Dtype.F32), point("a.z", Dtype.U16))
PLAINLY = Layout(PLAIN)


def word(value: int) -> bytes:
    return struct.pack("<H", value)


# -- layout and assembly ----------------------------------------------------------------------


def test_layout_knows_every_place() -> None:
    layout = Layout({**PLAIN, "plant": {"simulated": True}})
    assert layout.place == {"a.x": (0, 0), "a.z": (0, 1), "b.y": (1, 0)}
    assert layout.devices == ((0, 2), (1,))
    assert layout.intervals_ns == (S, 10 * S)
    assert layout.of_schedule(0, computed=False) == [0]
    assert layout.of_schedule(1, computed=False) == [1]
    assert layout.of_schedule(0, computed=True) == []
    assert layout.simulated


def test_samples_stand_in_their_rows() -> None:
    layout = Layout(PLAIN)
    samples = {
        "a.z": Sample(word(9), Quality.GOOD),
        "a.x": Sample(word(4), Quality.UNCERTAIN),
        "b.y": Sample(struct.pack("<f", 1.5), Quality.GOOD),  # of the other schedule
    }
    made = assemble(layout, 0, T0, one_read(layout, samples), {"a": 12, "c": 40})
    assert (made.schedule, made.tick_ns, set(made.rows)) == (0, T0, {0})
    assert made.rows[0].raw.tolist() == [4, 9]
    assert made.rows[0].quality.tolist() == [Quality.UNCERTAIN, Quality.GOOD]
    assert made.lag_ms.tolist() == [12, 40]


def test_point_without_a_sample_was_not_sampled_and_device_without_answer_has_no_lag() -> None:
    made = assemble(
        PLAINLY, 0, T0, one_read(PLAINLY, {"a.x": Sample(word(4), Quality.GOOD)}), {"c": 7}
    )
    assert made.rows[0].quality.tolist() == [Quality.GOOD, Quality.NOT_SAMPLED]
    assert made.rows[0].raw.tolist() == [4, 0]
    assert made.lag_ms.tolist() == [NO_LAG, 7]


def test_bad_sample_keeps_the_bits_the_wire_gave() -> None:
    nan = struct.pack("<I", 0x7FC12345)
    samples = {"b.y": Sample(nan, Quality.NOT_A_NUMBER)}
    made = assemble(PLAINLY, 1, T0, one_read(PLAINLY, samples), {})
    assert made.rows[1].raw.tobytes() == nan
    assert made.rows[1].quality.tolist() == [Quality.NOT_A_NUMBER]


@pytest.mark.parametrize(
    ("source_ns", "age_ms"),
    [
        (T0, 0),
        (T0 - 1, 0),  # rounded down
        (T0 - 1_500_000, 1),
        (T0 + 1, -1),
        (T0 + 1_500_000, -2),
        (T0 - (2**31 - 1) * 1_000_000, 2**31 - 1),
        (T0 - 2**31 * 1_000_000, NO_SOURCE_TIME),  # does not fit 32 bits
        (T0 + 2**31 * 1_000_000, NO_SOURCE_TIME),
        (0, NO_SOURCE_TIME),
        (None, NO_SOURCE_TIME),
    ],
)
def test_source_age(source_ns: int | None, age_ms: int) -> None:
    samples = {"a.x": Sample(word(1), Quality.GOOD, source_ns)}
    made = assemble(PLAINLY, 0, T0, one_read(PLAINLY, samples), {})
    assert made.rows[0].source_ms.tolist() == [age_ms, NO_SOURCE_TIME]


# -- range rule ----------------------------------------------------------------------


def ranged(low: str | None, high: str | None, *, decimals: int = 1) -> Layout:
    """One u16 point in tenths of a volt on the wire, counted with `decimals`, beside a free one."""
    limits = {"range_min": low, "range_max": high}
    limited = point("a.x", Dtype.U16, **GAUGE, decimals=decimals, scaling={"raw_decimals": 1})
    fields = {**limited, **{k: v for k, v in limits.items() if v is not None}}
    return Layout(config(fields, point("b.y", Dtype.F32), point("a.z", Dtype.U16)))


def judged(layout: Layout, raw: int, quality: Quality = Quality.GOOD) -> int:
    samples = {"a.x": Sample(word(raw), quality), "a.z": Sample(word(65535), Quality.GOOD)}
    made = assemble(layout, 0, T0, one_read(layout, samples), {})
    assert made.rows[0].quality[1] == Quality.GOOD, "a point without a range has none"
    return int(made.rows[0].quality[0])


@pytest.mark.parametrize(
    ("low", "high", "raw", "is_inside"),
    [
        ("0", "10", 100, True),
        ("0", "10", 101, False),
        ("5", "10", 50, True),
        ("5", "10", 49, False),
        ("5", None, 65535, True),
        (None, "5", 0, True),
        (None, "5", 51, False),
        ("0.05", None, 0, False),  # 0.0 V is below 0.05 V, though nothing lies between in tenths
        ("0.05", None, 1, True),
        (None, "0.95", 9, True),
        (None, "0.95", 10, False),
        ("-0.05", None, 0, True),
        (None, "1" + "0" * 30, 65535, True),  # beyond any count: as good as none
        ("-1" + "0" * 30, None, 0, True),
    ],
)
def test_range(low: str | None, high: str | None, raw: int, is_inside: bool) -> None:
    assert judged(ranged(low, high), raw) == (Quality.GOOD if is_inside else Quality.OUT_OF_RANGE)


def test_range_never_hides_a_worse_reason() -> None:
    assert judged(ranged("0", "1"), 99, Quality.SENTINEL) == Quality.SENTINEL
    assert judged(ranged("0", "1"), 99, Quality.UNCERTAIN) == Quality.OUT_OF_RANGE
    assert judged(ranged("0", "10"), 99, Quality.UNCERTAIN) == Quality.UNCERTAIN


def test_range_is_of_the_engineering_value_with_its_ratios() -> None:
    fields = point(
        "a.x",
        Dtype.U16,
        decimals=0,
        quantity={"kind": "current", "unit": "A"},
        scaling={"raw_decimals": 3, "ct_ratio": "800/5"},
        range_max="800",
    )
    layout = Layout(config(fields, point("b.y", Dtype.F32), point("a.z", Dtype.U16)))
    # 5.000 A secondary is 800 A; one raw step more is 0.16 A, two round to 800, seven to 801
    assert judged(layout, 5000) == Quality.GOOD
    assert judged(layout, 5003) == Quality.GOOD
    assert judged(layout, 5004) == Quality.OUT_OF_RANGE  # 800.64, counted as 801


# -- ticks as bytes ----------------------------------------------------------------------


def test_tick_survives_its_bytes() -> None:
    layout = Layout(PLAIN)
    samples = {
        "a.x": Sample(word(65535), Quality.GOOD, T0 - 5_000_000),
        "a.z": Sample(None, Quality.NO_ANSWER),
    }
    made = assemble(layout, 0, T0, one_read(layout, samples), {"a": 3})
    back = decode_tick(layout, made.encode())
    assert (back.schedule, back.tick_ns) == (0, T0)
    assert back.rows[0].raw.tolist() == [65535, 0]
    assert back.rows[0].quality.tolist() == [0, Quality.NO_ANSWER]
    assert back.rows[0].source_ms.tolist() == [5, NO_SOURCE_TIME]
    assert back.lag_ms.tolist() == [3, NO_LAG]
    assert back.encode() == made.encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        cbor.encode([0, T0]),
        cbor.encode([0, T0, [[7, b"", b"", b""]], b""]),  # no such group
        cbor.encode([0, T0, [[0, b"\0\0", b"\0", b"\0\0\0\0"]], b""]),  # one point of two
        cbor.encode([0, T0, [[0, b"\0", b"\0", b"\0\0\0\0"]], b""]),  # half a word
        cbor.encode({"schedule": 0}),
    ],
)
def test_bytes_that_are_no_tick_of_this_layout(data: bytes) -> None:
    with pytest.raises(MalformedError):
        decode_tick(Layout(PLAIN), data)


def test_computed_rows_can_be_left_out() -> None:
    computed = config(point("a.x", Dtype.U16), point("b.y", Dtype.F32))
    computed["groups"].append(
        {"schedule": 0, "dtype": Dtype.I64.value, "computed": True, "points": []}
    )
    made = tick(0, T0, {0: rows([1], "<u2"), 2: rows([], "<i8")})
    assert set(without_computed(Layout(computed), made).rows) == {0}


# -- batch ----------------------------------------------------------------------


def tick_at(second: int, value: int = 0) -> Tick:
    return tick(0, T0 + second * S, {0: rows([value, value + 1], "<u2")}, devices=2)


def batch_of(*seconds: int) -> Batch:
    batch = Batch(Layout(PLAIN))
    for second in seconds:
        batch.add(tick_at(second, second))
    return batch


def test_frame_is_due_after_ten_seconds() -> None:
    batch = batch_of(1, 2, 3)
    assert not batch.is_due(T0 + 10 * S)
    assert not batch.is_due(T0 + 11 * S - 1)
    assert batch.is_due(T0 + 11 * S)
    assert not batch_of().is_due(T0 + 100 * S)


def test_frame_never_spans_a_quarter_of_an_hour() -> None:
    batch = Batch(Layout(PLAIN))
    batch.add(tick_at(900 - 2))
    assert not batch.is_due(T0 + QUARTER_HOUR_NS - 1)
    assert batch.is_due(T0 + QUARTER_HOUR_NS)


def test_frame_is_due_when_it_holds_enough_bytes() -> None:
    """5,000 u16 points take 15,000 bytes a tick with their quality: four ticks are 60,000."""
    many = config(*(point(f"a.{n}", Dtype.U16) for n in range(5000)), point("b.y", Dtype.F32))
    batch = Batch(Layout(many))
    for second in range(4):
        assert not batch.is_due(T0 + second * S), second
        batch.add(tick(0, T0 + second * S, {0: rows([0] * 5000, "<u2")}))
    assert batch.raw_bytes == 60_000 > FRAME_BYTES_MAX
    assert batch.is_due(T0 + 4 * S)


def test_only_the_next_tick_of_the_grid_follows() -> None:
    batch = batch_of(1, 2)
    assert batch.takes([tick_at(3)])
    assert not batch.takes([tick_at(4)])
    assert not batch.takes([tick_at(2)])
    slow = tick(1, T0 + 10 * S, {1: rows([0], "<f4")})
    assert batch.takes([tick_at(3), slow]), "the first of its schedule"
    batch.add(slow)
    assert batch.takes([tick(1, T0 + 20 * S, {})])
    assert not batch.takes([tick(1, T0 + 30 * S, {})])
    assert not batch.takes([tick_at(3), tick(1, T0 + 30 * S, {})])


def test_an_instant_that_fills_a_frame_has_one_of_its_own() -> None:
    """17,000 u16 points take 51,000 bytes a tick with their quality, more than 48 KiB."""
    many = config(*(point(f"a.{n}", Dtype.U16) for n in range(17_000)), point("b.y", Dtype.F32))
    batch = Batch(Layout(many))
    small = tick(1, T0, {1: rows([0], "<f4")})
    large = [tick(0, T0 + second * S, {0: rows([0] * 17_000, "<u2")}) for second in range(2)]
    assert batch.takes([large[0], small])
    batch.add(small)
    assert not batch.takes([large[0]])
    assert batch.takes([tick(0, T0, {0: rows([0] * 16_000, "<u2")})]), "48,000 bytes"


def test_body_has_one_section_a_schedule_tag_major() -> None:
    batch = batch_of(9, 10, 11)
    batch.add(tick(1, T0 + 10 * S, {1: rows([2.5], "<f4", [17])}))
    gap, events = Gap(T0, T0 + 9 * S, "restart"), [{"kind": "start", "at_ns": T0}]
    body = batch.body(now_ns=T0, clock=CLOCK, gap=gap, events=events)
    assert decode_body(encode_body(body)).readings == body.readings == 7
    back = decode_body(encode_body(body))
    fast, slow = back.sections
    assert (fast.schedule, fast.first_ns, fast.step_ns, fast.ticks) == (0, T0 + 9 * S, S, 3)
    assert fast.groups[0].raw.tolist() == [[9, 10, 11], [10, 11, 12]]
    assert fast.devices == (0, 2)
    assert fast.lag_ms.shape == (2, 3)
    assert fast.groups[0].source_ms is None
    assert (slow.schedule, slow.first_ns, slow.step_ns, slow.ticks) == (1, T0 + 10 * S, 10 * S, 1)
    assert slow.groups[0].raw.tolist() == [[2.5]]
    assert slow.groups[0].quality.tolist() == [[17]]
    assert back.t0_ns == T0 + 9 * S, "the earliest instant of any section"
    assert (back.gap, list(back.events), back.flags) == (gap, events, 0)
    assert batch.ticks == []
    assert batch.raw_bytes == 0


def test_source_times_are_kept_where_there_are_any() -> None:
    layout = Layout(PLAIN)
    batch = Batch(layout)
    for second in range(2):
        source_ns = T0 if second else None
        samples = {"a.x": Sample(word(1), Quality.GOOD, source_ns)}
        batch.add(assemble(layout, 0, T0 + second * S, one_read(layout, samples), {"a": 1}))
    body = batch.body(now_ns=T0, clock=CLOCK, gap=None, events=[])
    (group,) = decode_body(encode_body(body)).sections[0].groups
    assert group.source_ms is not None
    assert group.source_ms.tolist() == [[NO_SOURCE_TIME, 1000], [NO_SOURCE_TIME] * 2]


def test_body_without_ticks_is_a_heartbeat() -> None:
    simulated = Layout(config(point("a.x", Dtype.U16), point("b.y", Dtype.F32), simulated=True))
    body = Batch(simulated).body(now_ns=T0 + 5, clock=CLOCK, gap=None, events=[])
    assert (body.t0_ns, body.sections, body.readings) == (T0 + 5, (), 0)
    assert body.flags == FLAG_SIMULATED


def test_nan_bits_reach_the_frame() -> None:
    layout = Layout(PLAIN)
    nan = struct.pack("<I", 0x7FA00001)  # a signalling NaN with a payload
    batch = Batch(layout)
    made = assemble(layout, 1, T0, one_read(layout, {"b.y": Sample(nan, Quality.NOT_A_NUMBER)}), {})
    batch.add(decode_tick(layout, made.encode()))
    body = batch.body(now_ns=T0, clock=CLOCK, gap=None, events=[])
    raw = decode_body(encode_body(body)).sections[0].groups[0].raw
    assert math.isnan(float(raw[0, 0]))
    assert np.asarray(raw).tobytes() == nan
