"""Daily calibration of a CEMS by 40 CFR Part 75: does an injection pass, and is an hour in control.

Hours of a monitor that is out of control are not quality-assured: they are missing, and substituted
(`substitution`), whatever the instrument shows.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import rounded_text
from edge.calc.errors import InputError
from edge.calc.factors import rule_set
from edge.calc.parameter import default
from edge.calc.registry import Input, method

_RULES = "us-part-75-calibration"
PASSED, ALTERNATE, FAILED, ABORTED, NONE = "passed", "passed-alternate", "failed", "aborted", "none"
IN_CONTROL, EXPIRED, NO_TEST = "in-control", "out-expired", "out-no-test"
_STATES = {FAILED: "out-failed", ABORTED: "out-aborted", NONE: NO_TEST}
RESULTS = (PASSED, ALTERNATE, FAILED, ABORTED, NONE)
_COMPONENTS = ("co2", "o2", "flow", "flow-dp")


@method(
    "part75.daily_calibration",
    version=1,
    source="40 CFR 75 App. B, read from EPA's ECMPS check engine (github "
    "US-EPA-CAMD/easey-quartz-scheduler fd028c25): DailyCalibrationChecks",
    inputs={
        "component": Input(is_text=True),
        "reference": Input("% CO2 or O2; unit of span", low="0"),
        "measured": Input("as reference"),
        "span": Input("of a flow monitor, as reference", low="0", optional=True),
    },
    outputs={"result": "", "error": "% CO2 or O2, or % of span; inH2O when by the alternate",
             "parameters": ""},
)  # fmt: skip
def daily_calibration(
    *, component: str, reference: Fraction, measured: Fraction, span: Fraction | None = None
) -> dict[str, Any]:
    """Whether one injection of a daily calibration passes.

    co2, o2: error [%] = |measured - reference|, rounded to 0.1; passes at <= 1.0
    flow:    error [% of span] = |measured - reference| ÷ span × 100, rounded to 0.1; <= 6.0 passes
    flow-dp: as flow, or by the alternate |measured - reference| [inH2O], rounded to 0.01, <= 0.02

    component: co2, o2, flow, or flow-dp (a differential-pressure monitor, span in inches of water).
    Concentrations in vol %; they need no span. A test of zero and upscale passes if both do.

    Example: CO2 12.0 against 13.1: error 1.1 %, failed; against 13.0: 1.0 %, passed; 0.96 below is
    1.0 after rounding, passed (by hand; EPA publishes the limits and no example).

    Not confirmed: the rule's own text could not be read beside the program.
    """
    if component not in _COMPONENTS:
        raise InputError([f"component: {component!r} unknown; known: {' '.join(_COMPONENTS)}"])
    needs_span = component.startswith("flow")
    if needs_span != (span is not None):
        raise InputError([f"span: {'missing, flow needs it' if needs_span else 'gas takes none'}"])
    apart = abs(measured - reference)
    name = "flow.limit" if needs_span else "gas.limit"
    used = {name: default(rule_set(_RULES).row(name))}
    if span is not None and span == 0:
        raise InputError(["span: must be above 0"])
    error = rounded_text(apart if span is None else apart / span * 100, 1)
    result = PASSED if Fraction(error) <= used[name].value else FAILED
    if result == FAILED and component == "flow-dp":
        used["flow.alternate"] = default(rule_set(_RULES).row("flow.alternate"))
        inches = rounded_text(apart, 2)
        if Fraction(inches) <= used["flow.alternate"].value:
            result, error = ALTERNATE, inches
    return {
        "result": result,
        "error": error,
        "parameters": {key: parameter.as_map() for key, parameter in used.items()},
    }


@method(
    "part75.control_state",
    version=1,
    source="40 CFR 75 App. B, read from EPA's ECMPS check engine (github "
    "US-EPA-CAMD/easey-quartz-scheduler fd028c25): DCSTAT2, DCSTAT3",
    inputs={
        "last_result": Input(is_text=True),
        "hours_since": Input("h", low="0", optional=True),
    },
    outputs={"state": "", "parameters": ""},
)
def control_state(*, last_result: str, hours_since: Fraction | None = None) -> dict[str, Any]:
    """Whether an hour of a monitor is in control, by its last daily calibration.

    in-control: the last test passed and hours since it [h] < 26
    out-expired: it passed, and hours since it [h] >= 26
    out-failed, out-aborted, out-no-test = last_result is failed, aborted, none

    last_result: passed, passed-alternate, failed, aborted or none. hours_since: from the hour of
    the test to this hour; none takes none. Hours out of control are missing, not measured.

    The eight hours of grace after a start-up that the rule has are not given: here such an hour is
    out-expired, which is the stricter.

    Example: passed 25 hours ago is in-control, 26 hours ago out-expired; failed one hour ago is
    out-failed until a test passes (by hand; EPA publishes the program and no example).

    Not confirmed: the rule's own text could not be read beside the program.
    """
    problems = []
    if last_result not in RESULTS:
        problems.append(f"last_result: {last_result!r} unknown; known: {' '.join(RESULTS)}")
    elif (hours_since is None) != (last_result == NONE):
        said = "none takes none" if last_result == NONE else f"missing, {last_result} needs it"
        problems.append(f"hours_since: {said}")
    if problems:
        raise InputError(problems)
    row = rule_set(_RULES).row("test.hours")
    state = _STATES.get(last_result, "")
    if not state:
        fresh = hours_since is not None and hours_since < row.value
        state = IN_CONTROL if fresh else EXPIRED
    return {"state": state, "parameters": {row.id: default(row).as_map()}}


def control_states(tests: Mapping[int, str], hours: Sequence[int]) -> list[str]:
    """The state of each hour. A test counts from the hour it was made in.

    Args:
        tests: hour -> result, any but `NONE`.
        hours: in rising order, on the same count.
    """
    made = sorted(tests)
    states, at = [], -1
    for hour in hours:
        while at + 1 < len(made) and made[at + 1] <= hour:
            at += 1
        if at < 0:
            states.append(NO_TEST)
            continue
        since = Fraction(hour - made[at])
        states.append(control_state(last_result=tests[made[at]], hours_since=since)["state"])
    return states
