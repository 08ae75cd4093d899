"""Daily calibrations by EPA's limits, and which hours they leave in control."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.errors import InputError
from edge.calc.methods.calibration import RESULTS, control_states
from edge.calc.registry import evaluate


def injected(component: str, reference: str, measured: str, span: str = "") -> tuple[str, str]:
    inputs = {"component": component, "reference": reference, "measured": measured}
    if span:
        inputs["span"] = span
    found = evaluate("part75.daily_calibration", inputs)
    return found["result"], found["error"]


@pytest.mark.parametrize(
    ("injection", "judged"),
    [
        # CO2 and O2: 1.0 % absolute; 0.5, 1.0, 1.1 of the limits in EPA's program
        (("co2", "12.0", "12.5"), ("passed", "0.5")),
        (("co2", "12.0", "13.0"), ("passed", "1.0")),
        (("co2", "12.0", "13.1"), ("failed", "1.1")),
        (("o2", "10.0", "8.96"), ("passed", "1.0")),  # 1.04 is 1.0 after rounding
        (("o2", "10.0", "8.95"), ("failed", "1.1")),  # 1.05 goes away from zero
        (("co2", "0.0", "-0.9"), ("passed", "0.9")),
        # flow: 6.0 % of span, or 0.02 inH2O of a differential-pressure monitor
        (("flow", "50", "56", "100"), ("passed", "6.0")),
        (("flow", "50", "56.1", "100"), ("failed", "6.1")),
        (("flow-dp", "0.10", "0.12", "0.2"), ("passed-alternate", "0.02")),
        (("flow-dp", "0.10", "0.13", "0.2"), ("failed", "15.0")),
        (("flow-dp", "0.10", "0.101", "0.2"), ("passed", "0.5")),
    ],
)
def test_injections_by_hand(injection: tuple[str, ...], judged: tuple[str, str]) -> None:
    assert injected(*injection) == judged


@given(
    st.sampled_from(["flow", "flow-dp"]), st.decimals(0, 1, places=3), st.decimals(0, 1, places=3),
    st.decimals("0.1", 2, places=1),
)  # fmt: skip
def test_flow_as_epas_program_has_it(
    component: str, reference: Decimal, measured: Decimal, span: Decimal
) -> None:
    """DailyCalibrationChecks.cs, case FLOW, transcribed."""
    apart = abs(measured - reference)
    percent = (apart / span * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
    inches = apart.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if percent > 6 and component == "flow-dp" and inches <= Decimal("0.02"):
        theirs = "passed-alternate"
    else:
        theirs = "failed" if percent > 6 else "passed"
    assert injected(component, str(reference), str(measured), str(span))[0] == theirs


@pytest.mark.parametrize(
    ("last", "hours", "state"),
    [
        ("passed", "0", "in-control"),
        ("passed", "25", "in-control"),
        ("passed", "26", "out-expired"),
        ("passed-alternate", "1", "in-control"),
        ("failed", "1", "out-failed"),
        ("aborted", "100", "out-aborted"),
    ],
)
def test_an_hours_state(last: str, hours: str, state: str) -> None:
    found = evaluate("part75.control_state", {"last_result": last, "hours_since": hours})
    assert found["state"] == state


def test_a_monitor_never_tested_is_out() -> None:
    assert evaluate("part75.control_state", {"last_result": "none"})["state"] == "out-no-test"


def test_states_of_a_series() -> None:
    tests = {2: "passed", 30: "failed", 33: "passed"}
    states = control_states(tests, range(62))
    assert states[:2] == ["out-no-test"] * 2
    assert states[2:28] == ["in-control"] * 26
    assert states[28:30] == ["out-expired"] * 2
    assert states[30:33] == ["out-failed"] * 3
    assert states[33:59] == ["in-control"] * 26
    assert states[59:] == ["out-expired"] * 3


@given(st.dictionaries(st.integers(0, 100), st.sampled_from(RESULTS[:4])), st.integers(0, 120))
def test_a_series_is_its_hours_one_by_one(tests: dict[int, str], hours: int) -> None:
    for hour, state in enumerate(control_states(tests, range(hours))):
        before = [at for at in tests if at <= hour]
        inputs = {"last_result": "none"}
        if before:
            inputs = {"last_result": tests[max(before)], "hours_since": str(hour - max(before))}
        assert state == evaluate("part75.control_state", inputs)["state"]


@pytest.mark.parametrize(
    ("name", "inputs", "said"),
    [
        ("daily_calibration", {"component": "so2", "reference": "1", "measured": "1"},
         "component: 'so2' unknown"),
        ("daily_calibration", {"component": "flow", "reference": "1", "measured": "1"},
         "span: missing, flow needs it"),
        ("daily_calibration",
         {"component": "co2", "reference": "1", "measured": "1", "span": "20"},
         "span: gas takes none"),
        ("daily_calibration",
         {"component": "flow", "reference": "1", "measured": "1", "span": "0"},
         "span: must be above 0"),
        ("control_state", {"last_result": "good", "hours_since": "1"}, "last_result: 'good'"),
        ("control_state", {"last_result": "none", "hours_since": "1"}, "hours_since: none takes"),
        ("control_state", {"last_result": "passed"}, "hours_since: missing, passed needs it"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(name: str, inputs: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        evaluate(f"part75.{name}", inputs)
