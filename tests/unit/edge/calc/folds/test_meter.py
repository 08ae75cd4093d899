"""A meter over a period by statement format 1: quantity, ages, and the integral beside it."""

from fractions import Fraction

import numpy as np

from edge.calc.folds.entries import EntryMeter
from edge.calc.folds.meter import FlowIntegral, Meter
from edge.calc.folds.papers import Papers
from evidence.points import Dtype, Point, Quantity, Role

S = 10**9
GAS = {"reference": "0C-101.325kPa", "moisture": "dry"}
VOLUME = Point("gas.volume", Quantity("gas-volume", "Nm3", **GAS), Dtype.U32, 0, Role.TOTALISER)
FLOW = Point("gas.flow", Quantity("gas-flow", "Nm3/h", **GAS), Dtype.F32, 1)


def series(*counts: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ticks = np.arange(len(counts), dtype=np.int64) * 10 * S
    values = np.array([c or 0 for c in counts], dtype=np.int64)
    return ticks, values, np.array([c is not None for c in counts])


def test_the_integral_is_earlier_reading_times_interval() -> None:
    integral = FlowIntegral(longest_ns=20 * S)
    integral.feed(*series(100, 200, 300))
    assert integral.total == (100 + 200) * 10 * S
    assert integral.covered_ns == 20 * S


def test_a_missing_reading_is_bridged_up_to_the_longest_interval() -> None:
    short = FlowIntegral(longest_ns=20 * S)
    short.feed(*series(100, None, 300))
    assert short.total == 100 * 20 * S
    long = FlowIntegral(longest_ns=20 * S)
    long.feed(*series(100, None, None, 300, 300))
    assert (long.total, long.covered_ns) == (300 * 10 * S, 10 * S)


def test_the_integral_does_not_depend_on_the_cutting() -> None:
    ticks, counts, ok = series(5, 7, None, 9, 11)
    whole = FlowIntegral(20 * S)
    whole.feed(ticks, counts, ok)
    parts = FlowIntegral(20 * S)
    for j in range(5):
        parts.feed(ticks[j : j + 1], counts[j : j + 1], ok[j : j + 1])
    assert (parts.total, parts.covered_ns) == (whole.total, whole.covered_ns)


def test_flows_beyond_64_bits_in_their_sum_are_exact() -> None:
    integral = FlowIntegral(20 * S)
    integral.feed(*series(2**61, 3 - 2**61, 7, 0))
    assert integral.total == (2**61 + (3 - 2**61) + 7) * 10 * S
    integral.feed(np.array([40 * S]), np.array([2**61]), np.array([True]))
    integral.feed(np.array([50 * S]), np.array([0]), np.array([True]))
    assert integral.total == (2**61 + 10) * 10 * S


def meter() -> Meter:
    """Nm3 counted in 10^4 Nm3, with a flow of 0.1 Nm3/h a count every 10 s."""
    made = Meter(
        EntryMeter(
            key="quantity",
            sign=1,
            point=VOLUME,
            amount=Fraction(1, 10_000),
            flow=FLOW,
            flow_amount=Fraction(1, 100_000),
        )
    )
    assert made.integral is not None
    made.integral.longest_ns = 2 * 10 * S
    return made


def test_a_meter_without_a_flow_has_no_check() -> None:
    made = Meter(EntryMeter("quantity", 1, VOLUME, Fraction(1)))
    made.totaliser.feed(*series(1, 2))
    assert made.integral is None
    assert made.checks(Papers()) == []
    assert made.quantity == 1


def test_quantity_is_the_difference_in_the_statements_unit() -> None:
    made = meter()
    assert made.quantity is None
    made.totaliser.feed(*series(1000, 1500, 3000))
    assert made.quantity == Fraction(2, 10)  # 2000 Nm3
    assert made.flags(Papers()) == []


def test_readings_with_their_ages() -> None:
    made = meter()
    made.totaliser.feed(*series(None, 1500, 3000))
    found = made.reading_map(Papers(period=(-5 * S, 100 * S)))
    assert found["first"] == {"tick_ns": 10 * S, "value": "1500", "after_start_s": "15"}
    assert found["last"] == {"tick_ns": 20 * S, "value": "3000", "before_end_s": "80"}
    assert (found["difference"], found["drop_count"], found["drops"]) == ("1500", 0, [])


def test_a_meter_without_a_reading_says_so() -> None:
    made = meter()
    assert made.flags(Papers()) == ["no-reading:gas.volume"]
    assert made.reading_map(Papers(period=(0, S))) == {"point": "gas.volume", "unit": "Nm3"}
    assert made.checks(Papers()) == []


def test_a_drop_is_flagged_and_listed() -> None:
    made = meter()
    made.totaliser.feed(*series(1000, 5, 10))
    assert made.flags(Papers()) == ["totaliser-drop:gas.volume"]
    (drop,) = made.reading_map(Papers(period=(0, S)))["drops"]
    assert drop == {"tick_ns": 10 * S, "before": "1000", "after": "5"}


def test_the_check_compares_integral_and_totaliser() -> None:
    made = meter()
    made.totaliser.feed(*series(0, 10, 20))
    assert made.integral is not None
    made.integral.feed(*series(36_000, 36_000, 36_000))  # 3600.0 Nm3/h for 20 s: 20 Nm3
    (check,) = made.checks(Papers())
    assert (check["totaliser"], check["integral"]) == ("0.002", "0.002000")
    assert (check["difference_percent"], check["covered_s"]) == ("0.00", "20")


def test_the_check_shows_a_wrong_factor() -> None:
    made = meter()
    made.totaliser.feed(*series(0, 100, 200))  # ten times the flow
    assert made.integral is not None
    made.integral.feed(*series(36_000, 36_000, 36_000))
    (check,) = made.checks(Papers())
    assert check["difference_percent"] == "-90.00"


def test_no_percentage_of_nothing() -> None:
    made = meter()
    made.totaliser.feed(*series(5, 5))
    (check,) = made.checks(Papers())
    assert "difference_percent" not in check
