"""Verdicts of one tick: stale and what a device's states say; ranges are in test_pipeline.py."""

import struct
from collections.abc import Mapping
from typing import Any

import pytest

from edge.drivers.base import Sample
from edge.pipeline import Layout, assemble
from evidence.frame import NO_SOURCE_TIME
from evidence.points import Dtype
from evidence.quality import Quality
from tests.unit.edge.ticks import one_read, point

S = 10**9
T0 = 1_795_574_700 * S
FAULT, MAINTENANCE, CALIBRATION = 134, 139, 140
STATE = {"role": "state", "quantity": {"kind": "state", "unit": "1"}}
NAMES = [[0, "measuring"], [1, "zero gas"], [2, "service"], [3, "failure"]]
MARKS = [[1, CALIBRATION], [2, MAINTENANCE], [3, FAULT]]


def layout(*points: Mapping[str, Any]) -> Layout:
    """One schedule of 1 s; one group a number type."""
    groups: dict[int, list[int]] = {}
    for index, fields in enumerate(points):
        groups.setdefault(fields["dtype"], []).append(index)
    return Layout(
        {
            "plant": {"simulated": False},
            "schedules": [{"interval_ns": S}],
            "devices": [{"id": "a", "schedule": 0}],
            "points": list(points),
            "groups": [
                {"schedule": 0, "dtype": dtype, "computed": False, "points": rows}
                for dtype, rows in groups.items()
            ],
        }
    )


def codes(of: Layout, **samples: Sample) -> dict[str, int]:
    """Quality by point id ("a__x" stands for "a.x")."""
    given = {name.replace("__", "."): sample for name, sample in samples.items()}
    made = assemble(of, 0, T0, one_read(of, given), {})
    return {p: int(made.rows[g].quality[row]) for p, (g, row) in of.place.items()}


def real(value: float, quality: Quality = Quality.GOOD, source_ns: int | None = None) -> Sample:
    return Sample(struct.pack("<f", value), quality, source_ns)


def byte(value: int, quality: Quality = Quality.GOOD) -> Sample:
    return Sample(bytes([value]), quality)


# -- stale ----------------------------------------------------------------------


AGED = layout(
    point("a.x", Dtype.F32, rules={"stale_after_s": "1.5"}, range_max="10"),
    point("a.y", Dtype.F32),
)


@pytest.mark.parametrize(
    ("age_ns", "is_stale"),
    [
        (0, False), (1_500_000_000, False), (1_500_999_999, False),  # 1500 ms, rounded down
        (1_501_000_000, True), (30 * 86_400 * S, True),  # too old for a frame's 32 bits
        (-5 * S, False),  # a source clock that is ahead is no proof of age
        (-30 * 86_400 * S, False),
    ],
)  # fmt: skip
def test_stale_by_the_source_time(age_ns: int, is_stale: bool) -> None:
    found = codes(AGED, a__x=real(1, source_ns=T0 - age_ns), a__y=real(1, source_ns=0))
    assert found == {"a.x": Quality.STALE if is_stale else Quality.GOOD, "a.y": Quality.GOOD}


def test_without_a_source_time_nothing_is_known_of_its_age() -> None:
    assert codes(AGED, a__x=real(1))["a.x"] == Quality.GOOD


def test_stale_explains_a_value_out_of_range_and_never_hides_a_worse_reason() -> None:
    old = T0 - 2 * S
    assert codes(AGED, a__x=real(11, source_ns=old))["a.x"] == Quality.STALE
    assert codes(AGED, a__x=real(11, source_ns=T0))["a.x"] == Quality.OUT_OF_RANGE
    fault = real(11, Quality.SENSOR_FAULT, old)
    assert codes(AGED, a__x=fault)["a.x"] == Quality.SENSOR_FAULT
    assert codes(AGED, a__x=real(1, Quality.UNCERTAIN, old))["a.x"] == Quality.STALE


def test_the_age_in_the_frame_is_what_it_was() -> None:
    made = assemble(AGED, 0, T0, one_read(AGED, {"a.x": real(1, source_ns=T0 - 2 * S)}), {})
    assert made.rows[0].source_ms.tolist() == [2000, NO_SOURCE_TIME]
    assert struct.unpack("<f", made.rows[0].raw[:1].tobytes()) == (1.0,), "its bytes are kept"


# -- states ----------------------------------------------------------------------


def analyser(**more: Any) -> Layout:
    """A state that speaks of co2 and flow, not of o2; co2 has a range."""
    state = {**STATE, "states": NAMES, "marks": MARKS, "speaks_of": ["a.co2", "a.flow"]}
    return layout(
        point("a.co2", Dtype.F32, range_max="100"), point("a.o2", Dtype.F32),
        point("a.flow", Dtype.U8), point("a.state", Dtype.U8, **state), *more.get("points", ()),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "code"), [(0, Quality.GOOD), (1, CALIBRATION), (2, MAINTENANCE), (3, FAULT)]
)
def test_a_state_marks_what_it_speaks_of_and_nothing_else(raw: int, code: int) -> None:
    found = codes(analyser(), a__co2=real(5), a__o2=real(5), a__flow=byte(9), a__state=byte(raw))
    assert found == {"a.co2": code, "a.flow": code, "a.o2": 0, "a.state": 0}


def test_a_mark_explains_a_value_out_of_range_and_never_hides_what_the_device_said() -> None:
    samples = {"a__o2": real(5), "a__flow": byte(9), "a__state": byte(1)}
    assert codes(analyser(), a__co2=real(101), **samples)["a.co2"] == CALIBRATION
    silent = Sample(None, Quality.NO_ANSWER)
    assert codes(analyser(), a__co2=silent, **samples)["a.co2"] == Quality.NO_ANSWER


@pytest.mark.parametrize(
    "state",
    [
        byte(7),  # a value without a name
        byte(1, Quality.SENTINEL), Sample(None, Quality.NO_ANSWER),
    ],
    ids=repr,
)  # fmt: skip
def test_a_state_that_is_unknown_is_a_reservation(state: Sample) -> None:
    found = codes(analyser(), a__co2=real(5), a__o2=real(5), a__flow=byte(9), a__state=state)
    assert (found["a.co2"], found["a.o2"]) == (Quality.STATE_UNKNOWN, Quality.GOOD)
    found = codes(analyser(), a__co2=real(101), a__o2=real(5), a__flow=byte(9), a__state=state)
    assert found["a.co2"] == Quality.OUT_OF_RANGE


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (0, 0, 0), (0, 2, MAINTENANCE), (1, 2, CALIBRATION), (2, 1, CALIBRATION), (3, 1, FAULT),
        (7, 0, Quality.STATE_UNKNOWN), (7, 2, MAINTENANCE),
    ],
)  # fmt: skip
def test_of_two_states_the_stronger_counts(first: int, second: int, code: int) -> None:
    """The second state is of another number type, and so in another group."""
    other = point("a.bit", Dtype.U16, **STATE, states=NAMES, marks=MARKS, speaks_of=["a.co2"])
    found = codes(
        analyser(points=[other]), a__co2=real(5), a__o2=real(5), a__flow=byte(9),
        a__state=byte(first), a__bit=Sample(struct.pack("<H", second), Quality.GOOD),
    )  # fmt: skip
    assert found["a.co2"] == code


def test_many_states_each_speak_of_their_own() -> None:
    pots = range(1, 6)
    points = [point(f"p{n}.v", Dtype.F32) for n in pots]
    points += [
        point(f"p{n}.s", Dtype.U8, **STATE, states=NAMES, marks=MARKS, speaks_of=[f"p{n}.v"])
        for n in pots
    ]
    samples = {f"p{n}__v": real(4) for n in pots} | {f"p{n}__s": byte(n % 4) for n in pots}
    found = codes(layout(*points), **samples)
    assert [found[f"p{n}.v"] for n in pots] == [CALIBRATION, MAINTENANCE, FAULT, 0, CALIBRATION]
