"""Faults: how they are asked for, whom they can befall, what is shown and what the truth says."""

import math
from collections.abc import Mapping
from decimal import Decimal

import pytest

from firmware_configs.profile import load_profile
from simulators.encode import EncodeError, raw_number
from simulators.fault_plan import FaultPlan
from simulators.faults import KINDS, Fault, FaultError, fault_of_text
from simulators.manner import WELL
from simulators.modbus_meter import ModbusMeter
from simulators.opcua_gateway import OpcUaGateway
from simulators.played import TruthLine
from simulators.served import Served, ServeError

AC, GAS = load_profile("stackproof/ac-meter"), load_profile("stackproof/gas-meter")
POTS = load_profile("stackproof/pot-gateway")
NOW = {"flow": 800.0, "volume": 1000.5, "temperature": 20.0, "pressure": 400.0, "serial": 7}


def devices() -> dict[str, Served]:
    return {
        "gas-1": ModbusMeter(GAS, host="127.0.0.1", port=0, ratios={}),
        "line-1": ModbusMeter(AC, host="127.0.0.1", port=0, ratios={}, on_pty=True),
        "pots": OpcUaGateway(POTS, host="127.0.0.1", port=0, pots=2),
    }


class Told:
    """A plan and its truth."""

    def __init__(self, *faults: str) -> None:
        self.lines: list[TruthLine] = []
        self.plan = FaultPlan(
            [fault_of_text(text) for text in faults],
            devices=devices(), step_s=Decimal("0.1"), record=self.lines.append,
        )  # fmt: skip

    def at(self, *steps: int, now: Mapping[str, float] = NOW) -> None:
        for step in steps:
            self.plan.at(step, lambda: {"gas-1": now})

    def flow(self, step: int, value: float = 800.0) -> float:
        return float(self.plan.show("gas-1", {**NOW, "flow": value}, step)["flow"])


# -- asking ------------------------------------------------------------------------------------


def test_a_fault_in_words() -> None:
    assert fault_of_text("at=20 for=10 kind=stuck on=ac-1.power") == Fault(
        "stuck", "ac-1", "power", Decimal(20), Decimal(10), None
    )
    assert fault_of_text("kind=delay on=ac-1") == Fault(
        "delay", "ac-1", None, Decimal(0), None, Decimal("0.3")
    )
    assert fault_of_text("kind=nan on=g.pot-01.voltage").point == "pot-01.voltage"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("kind=stuk on=a", "kind: 'stuk' is none of drop delay late"),
        ("kind=stuck", "on is missing"),
        ("on=a", "kind is missing"),
        ("kind=stuck on=a at=soon", "at: 'soon' is no number"),
        ("kind=stuck on=a at=-1", "at: -1 is less than zero"),
        ("kind=stuck on=a for=0", "for: stuck must last"),
        ("kind=stuck on=a until=3", "until: unknown; a fault has at, for, kind, on, by"),
        ("kind=stuck on=a kind=nan", "'kind=nan' is not KEY=VALUE, each key once"),
        ("stuck", "'stuck' is not KEY=VALUE"),
        ("kind=stuck on=a by=3", "by: stuck takes none"),
        ("kind=exception on=a by=0", "by: 0 is no exception code"),
        ("kind=exception on=a by=1.5", "by: 1.5 is no exception code"),
        ("kind=delay on=a by=0", r"by: 0 is not in 0\.\.3600 seconds"),
        ("kind=busy on=a.power", "on: busy befalls a whole device, not the point 'power'"),
        ("kind=half-open on=a for=3", "for: half-open happens once and is not undone"),
        ("kind=counter-reset on=a for=3", "for: counter-reset happens once and is not undone"),
        ("kind=ct-ratio on=a.power", "on: ct-ratio befalls a whole device, not the point"),
        ("kind=k-factor on=a by=1", r"by: 1 is not in 0\.\.1000, or is 1"),
        ("kind=ct-ratio on=a by=-2", r"by: -2 is not in 0\.\.1000"),
        ("kind=clock-jump on=a by=0", "by: 0 is not in -315360000"),
    ],
)
def test_what_cannot_be_asked_for(text: str, sentence: str) -> None:
    with pytest.raises(FaultError, match=sentence):
        fault_of_text(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("kind=drop on=ac-9", "'ac-9' is no device of this play: gas-1 line-1 pots"),
        ("kind=drop on=pots", "drop cannot befall pots: it speaks OPC UA"),
        ("kind=swap-words on=pots", "swap-words cannot befall pots: it speaks OPC UA"),
        ("kind=half-open on=line-1", "half-open cannot befall line-1: a line has no connections"),
        ("kind=stuck on=gas-1.flo", "gas-1 has no point 'flo': serial flow temperature"),
        ("kind=counter-reset on=gas-1.flow", "counter-reset cannot befall flow of gas-1"),
        ("kind=swap-words on=gas-1.temperature", "swap-words cannot befall temperature of gas-1"),
        ("kind=drift on=gas-1.volume", "drift cannot befall volume of gas-1"),
        ("kind=nan on=line-1.serial", "nan cannot befall serial of line-1"),
        (
            "kind=clock-jump on=gas-1",
            "clock-jump cannot befall gas-1: its protocol carries no times",
        ),
        ("kind=certificate on=gas-1", "certificate cannot befall gas-1: it shows none"),
        (
            "kind=certificate on=pots",
            "certificate cannot befall pots: it is served without security",
        ),
        ("kind=ct-ratio on=pots", "ct-ratio cannot befall pots: it speaks OPC UA"),
        ("kind=ct-ratio on=gas-1", "gas-meter: it has no setting ct_primary or ct_ratio"),
        ("kind=k-factor on=gas-1", "it is not told k_factor: --set k_factor=VALUE, or settings of"),
    ],
)
def test_whom_it_cannot_befall(text: str, sentence: str) -> None:
    with pytest.raises(ServeError, match=sentence):
        Told(text)


def test_every_kind_has_one_line_of_help() -> None:
    assert all(kind.help and "\n" not in kind.help for kind in KINDS.values())
    assert all(("BY" in kind.help) is (kind.by is not None) for kind in KINDS.values())


# -- what is shown -----------------------------------------------------------------------------


def test_stuck_holds_the_value_of_its_first_step_and_lets_go() -> None:
    told = Told("at=1 for=2 kind=stuck on=gas-1.flow")
    told.at(*range(1, 40))
    assert [told.flow(step, value) for step, value in ((9, 1), (10, 2), (29, 3), (30, 4))] == [
        1, 800, 800, 4,
    ]  # fmt: skip


def test_drift_grows_by_the_minute() -> None:
    """1 % a minute: after 30 s half a percent, after two minutes two."""
    told = Told("at=1 kind=drift on=gas-1 by=0.01")
    assert told.flow(10) == 800
    assert told.flow(10 + 300) == pytest.approx(804)
    assert told.flow(10 + 1200) == pytest.approx(816)
    shown = told.plan.show("gas-1", NOW, 1210)
    assert (shown["volume"], shown["serial"]) == (1000.5, 7)  # counters and numbers do not drift


def test_spike_and_nan() -> None:
    told = Told("at=1 for=1 kind=spike on=gas-1.flow by=-3", "at=3 for=1 kind=nan on=gas-1.flow")
    assert [told.flow(step) for step in (9, 10, 20)] == [800, -2400, 800]
    assert math.isnan(told.flow(30))


def test_a_reset_counter_counts_on_from_zero_and_never_comes_back() -> None:
    told = Told("at=1 kind=counter-reset on=gas-1")
    told.at(10)
    shown = told.plan.show("gas-1", {**NOW, "volume": 1002.75}, 5000)
    assert (shown["volume"], shown["flow"]) == (Decimal("2.25"), 800)


def test_no_value_is_nan_or_what_the_profile_names() -> None:
    """The gas meter's map: pressure FFFFFFFF, temperature 8000; a serial number has none."""
    assert raw_number(GAS, GAS.register("pressure"), math.nan, {}) == 0xFFFFFFFF
    assert raw_number(GAS, GAS.register("temperature"), math.nan, {}) == -0x8000
    assert math.isnan(raw_number(GAS, GAS.register("flow"), math.nan, {}))
    with pytest.raises(EncodeError, match="serial has no number that means no value"):
        raw_number(AC, AC.register("serial"), math.nan, {})


def test_a_spike_beyond_the_type_is_shown_as_its_end() -> None:
    """Temperature is i16 in tenths."""
    row = GAS.register("temperature")
    assert raw_number(GAS, row, 1e6, {}, is_bounded=True) == 32767
    assert raw_number(GAS, row, -1e6, {}, is_bounded=True) == -32768
    with pytest.raises(EncodeError):
        raw_number(GAS, row, 1e6, {})


# -- manner ------------------------------------------------------------------------------------


def test_manner_while_it_lasts() -> None:
    told = Told(
        "at=1 for=1 kind=drop on=gas-1", "at=1 for=1 kind=late on=gas-1 by=2",
        "at=1 for=1 kind=delay on=gas-1", "at=1 for=1 kind=wrong-length on=gas-1",
        "at=1 for=1 kind=exception on=gas-1 by=2", "at=1 for=1 kind=swap-words on=gas-1.flow",
        "at=1 kind=half-open on=gas-1", "at=3 for=1 kind=busy on=gas-1",
    )  # fmt: skip
    assert told.plan.manner("gas-1", 9) == WELL
    assert told.plan.manner("line-1", 10) == WELL
    bad = told.plan.manner("gas-1", 10)
    assert (bad.is_silent, bad.late_s, bad.slow_s, bad.is_short) == (True, 2.0, 0.3, True)
    assert (bad.exception, bad.swapped, bad.cuts) == (2, {"flow"}, 1)
    assert told.plan.manner("gas-1", 20).cuts == 1  # it stays counted, and kills nothing again
    assert told.plan.manner("gas-1", 30).exception == 6


# -- truth -------------------------------------------------------------------------------------


def test_the_truth_says_what_was_done_to_what() -> None:
    told = Told("at=1 for=0.5 kind=stuck on=gas-1.flow", "at=1.2 kind=drift on=gas-1 by=0.05")
    told.at(*range(1, 30))
    assert told.lines == [
        {"type": "fault-start", "t_s": "1.0", "fault": 1, "kind": "stuck", "device": "gas-1",
         "points": ["flow"], "by": None, "values": {"flow": "800.0"}},
        {"type": "fault-start", "t_s": "1.2", "fault": 2, "kind": "drift", "device": "gas-1",
         "points": ["flow", "temperature", "pressure"], "by": "0.05"},
        {"type": "fault-end", "t_s": "1.5", "fault": 1},
    ]  # fmt: skip


def test_a_setting_turned_twice_and_a_reset_after_it() -> None:
    """K 45.25 → 90.5 → 181: the counter gains half, then a quarter, and then begins at 0 again."""
    meter = ModbusMeter(
        GAS, host="127.0.0.1", port=0, ratios={},
        settings={"k_factor": "45.250", "parameter_changes": "65533"},
    )  # fmt: skip
    lines: list[TruthLine] = []
    asked = ("at=1 kind=k-factor on=g", "at=2 kind=k-factor on=g", "at=3 kind=counter-reset on=g")
    plan = FaultPlan(
        [fault_of_text(text) for text in asked],
        devices={"g": meter}, step_s=Decimal(1), record=lines.append,
    )  # fmt: skip
    shown = []
    for step, volume in enumerate((1000, 1000, 1008, 1016, 1024)):
        now = {**NOW, "volume": volume}
        plan.at(step, lambda now=now: {"g": now})
        shown.append(plan.show("g", now, step)["volume"])
    assert shown == [1000, 1000, 1004, 0, 2]
    assert plan.show("g", NOW, 4)["flow"] == 200
    assert plan.manner("g", 2).settings == {"k_factor": "181", "parameter_changes": "65535"}
    assert [line["says"] for line in lines[:2]] == [
        {"parameter_changes": "65534", "k_factor": "90.5"},
        {"parameter_changes": "65535", "k_factor": "181"},
    ]
    assert (lines[1]["factor"], lines[1]["values"]) == ("0.5", {"volume": "1004.0"})


def test_a_counter_of_changes_that_is_full() -> None:
    """One more does not fit its register: told before anything is played."""
    meter = ModbusMeter(
        GAS, host="127.0.0.1", port=0, ratios={},
        settings={"k_factor": "45.250", "parameter_changes": "65535"},
    )  # fmt: skip
    with pytest.raises(ServeError, match="parameter_changes cannot be '65536'"):
        FaultPlan(
            [fault_of_text("kind=k-factor on=g")],
            devices={"g": meter}, step_s=Decimal(1), record=lambda _: None,
        )  # fmt: skip
