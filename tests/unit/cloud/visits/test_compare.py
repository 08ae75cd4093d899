"""A face against the readings of its minute: each row reckoned by hand."""

import pytest

from cloud.visits.compare import compare
from evidence.drill.readings import MINUTE_NS, Place, Reading, place_in
from evidence.points import Point
from evidence.quality import Quality
from tests.unit.cloud.drill_examples import FLOW, VOLUME, meter_config

M = 1_000 * MINUTE_NS
SECOND = 10**9


def place(point: str, every_s: int) -> Place:
    config = meter_config()
    config["schedules"][0]["interval_ns"] = every_s * SECOND
    found = place_in(config, point)
    assert found is not None
    assert isinstance(found.point, Point)
    return found


def reading(second: int, count: int | None, quality: int = 0) -> Reading:
    return Reading(7, M + second * SECOND, count, quality, None, None, count or 0, 1)


#: a totaliser of one decimal read each ten seconds: 100.0, 100.5 ... 103.0 at 0..60, 99.5 at -10
TICKS = [reading(10 * n, 1000 + 5 * n) for n in range(-3, 10)]
#: nearest to the middle is second 30: 101.5; the readings that count run from 99.5 to 103.0
FACES = [
    # face, result, allowed, difference: moved + one step of the face + 0.1 of the register
    ("101.5", "agrees", "2.2", "0"),  # below or equal: 101.5 - 99.5 + 0.1 + 0.1
    ("103.2", "agrees", "1.7", "1.7"),  # 103.0 - 101.5 + 0.1 + 0.1
    ("103.3", "differs", "1.7", "1.8"),
    ("99.3", "agrees", "2.2", "-2.2"),
    ("99.2", "differs", "2.2", "-2.3"),
    ("104", "agrees", "2.6", "2.5"),  # a face without decimals: its step is 1
    ("105", "differs", "2.6", "3.5"),
    ("10150", "differs", "2.6", "10048.5"),  # a unit or a transformer forgotten
]


@pytest.mark.parametrize(("face", "result", "allowed", "difference"), FACES)
def test_a_face_of_a_totaliser(face: str, result: str, allowed: str, difference: str) -> None:
    made = compare(face, M, TICKS, place(VOLUME, 10))
    assert made.reading is not None
    assert (made.reading.value, made.low, made.high) == ("101.5", "99.5", "103")
    assert (made.result, made.allowed, made.difference) == (result, allowed, difference)
    assert made.quality == 0


LOST = Quality.NO_ANSWER
#: readings, seconds between two -> result, quality
AWAY = [
    ([], 10, "no-reading", None),
    ([reading(0, None, LOST), reading(30, None, LOST)], 10, "no-reading", LOST),
    ([reading(-10, 1000), reading(60, 1010)], 10, "no-reading", None),  # beside it, none in it
    ([reading(30, 1010, Quality.STUCK)], 10, "agrees", Quality.STUCK),
    # read each quarter hour: those before and after it are what there is
    ([reading(-300, 1000), reading(600, 1020)], 900, "agrees", 0),
    ([reading(-1000, 1000)], 900, "no-reading", None),
]


@pytest.mark.parametrize(("readings", "every_s", "result", "quality"), AWAY)
def test_what_was_not_read_is_not_compared(
    readings: list[Reading], every_s: int, result: str, quality: int | None
) -> None:
    made = compare("101", M, readings, place(VOLUME, every_s))
    assert (made.result, made.quality) == (result, quality)


def test_the_step_of_the_wire_counts_where_it_is_coarser_than_the_decimals() -> None:
    config = meter_config()
    config["points"][0]["scaling"] = {"ct_ratio": "50/1"}  # one count is 50 units
    coarse = place_in(config, VOLUME)
    assert coarse is not None
    made = compare("1049", M, [reading(30, 10_000)], coarse)
    assert (made.result, made.allowed) == ("agrees", "51")
    made = compare("1049", M, [reading(30, 10_000)], place(FLOW, 1))  # a float has no step but 0.01
    assert (made.result, made.allowed) == ("differs", "1.01")
