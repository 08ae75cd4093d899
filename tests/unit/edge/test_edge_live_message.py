"""The unsigned live message: newest values as text, reasons, source times, effects; JSON only."""

import json
from typing import Any

import numpy as np
import pytest

from cloud.live.message import parse_live
from edge.calc.folds.live import PlantCalc
from edge.drivers.base import Sample
from edge.live_message import EFFECTS_NS, LiveMessage
from edge.pipeline import Layout, Tick, assemble, calculate
from edge.schedule import due
from edge.spool import Usage
from evidence.points import Role
from evidence.quality import Quality
from tests.unit.edge.sites import GATEWAY, PLANT, SITE, config_of, replaced, site_of
from tests.unit.edge.ticks import CLOCK, one_read

S = 10**9
T0 = 1_795_574_700 * S
VOLTS = {"01": 4.21, "02": 30.0, "03": 4.2}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    text = replaced(SITE, {'id = "gas-1"': 'id = "gas-1"\ninterval_s = "5"'})
    return config_of(site_of(tmp_path_factory.mktemp("site"), text))


class Plant:
    """Ticks of one plant, calculated."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.layout, self.calc = Layout(config), PlantCalc(config)
        self.cfg = bytes.fromhex("ab" * 32)
        self.live = LiveMessage(self.layout, plant=PLANT, gateway=GATEWAY)

    def ticks(self, second: int, **changed: Sample) -> list[Tick]:
        tick_ns = T0 + second * S
        samples = {p.id: self.sample(p.id) for p in self.layout.points if p.device}
        samples |= {key.replace("__", ".").replace("_dash_", "-"): s for key, s in changed.items()}
        ticks = [
            assemble(self.layout, s, tick_ns, one_read(self.layout, samples), {})
            for s in due(tick_ns, self.layout.intervals_ns)
        ]
        return calculate(self.layout, self.calc, ticks)

    def sample(self, point_id: str) -> Sample:
        (point,) = [p for p in self.layout.points if p.id == point_id]
        value: float = 1 if point.role is Role.STATE else 5000
        if "pot-0" in point_id and point_id.endswith(".voltage"):
            value = VOLTS[point_id[-10:-8]]
        if point_id == "pot-gateway.line_current":
            value = 400.5
        raw = np.array(value, dtype=point.dtype.numpy_name).tobytes()
        return Sample(raw, Quality.GOOD)

    def message(self, ticks: list[Tick]) -> dict[str, Any]:
        sent = self.live.message(
            ticks, cfg=self.cfg, sent_ns=T0 + 5, clock=CLOCK, spool=Usage(3, 900, T0 - S),
            head_seq=6, receipted_seq=4, calc=self.calc,
        )  # fmt: skip
        message: dict[str, Any] = json.loads(sent)
        return message


@pytest.fixture
def plant(config: dict[str, Any]) -> Plant:
    return Plant(config)


def test_heads(plant: Plant) -> None:
    message = plant.message(plant.ticks(0))
    values, effects = message.pop("values"), message.pop("effects")
    assert message == {
        "v": 1, "plant": PLANT, "gateway": GATEWAY, "cfg": "ab" * 32, "tick_ns": T0,
        "sent_ns": T0 + 5, "seq": 7, "clock": {"source": "free", "error_ms": None},
        "spool": {"frames": 3, "bytes": 900, "oldest_ns": T0 - S, "head_seq": 6,
                  "receipted_seq": 4},
        "alarms": [],
    }  # fmt: skip
    assert set(values) == {p.id for p in plant.layout.points}
    assert effects == []
    plant.cfg = b""
    assert plant.message(plant.ticks(1))["cfg"] == "00" * 32, "of no object: it waits to be signed"


def test_values_are_decimal_texts_of_the_counts(plant: Plant) -> None:
    values = plant.message(plant.ticks(0))["values"]
    assert values["pot-gateway.pot-01.voltage"] == ["4.2100", 0, None]
    assert values["pot-gateway.line_current"] == ["400.5000", 0, None]
    assert values["pot-gateway.pot-01.state"] == ["1", 0, None]
    assert values["ac-1.frequency"] == ["50.00", 0, None]
    # 5000 × 0.01 V × 10000/100
    assert values["ac-1.voltage_l1"] == ["5000.0", 0, None]
    assert values["line-1.producing"][:2] == ["3", 0]


def test_bad_value_is_none_with_its_reason_and_never_zero(plant: Plant) -> None:
    bad = Sample(None, Quality.NO_ANSWER)
    kept = Sample(b"\xff\xff", Quality.SENTINEL)
    ticks = plant.ticks(0, ac_dash_1__frequency=bad, ac_dash_1__current_l1=kept)
    values = plant.message(ticks)["values"]
    assert values["ac-1.frequency"] == [None, Quality.NO_ANSWER, None]
    assert values["ac-1.current_l1"] == [None, Quality.SENTINEL, None]


def test_reserved_value_is_shown_with_its_code(plant: Plant) -> None:
    raw = np.array(5010, dtype="<u2").tobytes()
    uncertain = Sample(raw, Quality.UNCERTAIN, T0 - 1_250 * 1_000_000)
    ticks = plant.ticks(0, ac_dash_1__frequency=uncertain)
    shown = plant.message(ticks)["values"]["ac-1.frequency"]
    assert shown == ["50.10", Quality.UNCERTAIN, T0 - 1_250 * 1_000_000]


def test_only_what_ticked_is_in_it(plant: Plant) -> None:
    assert "gas-1.flow" in plant.message(plant.ticks(0))["values"]
    values = plant.message(plant.ticks(1))["values"]
    assert not [name for name in values if name.startswith("gas-1.")]
    assert "ac-1.power" in values


def test_effects_run_and_stay_for_ten_minutes(plant: Plant) -> None:
    """Pot 02 stands at 30 V from the first tick: an effect once it has lasted 2 s."""
    for second in range(5):
        message = plant.message(plant.ticks(second))
    (effect,) = message["effects"]
    assert (effect["potline"], effect["pot"]) == ("line-1", "02")
    assert (effect["start_ns"], effect["end_ns"]) == (T0, None)
    volts = np.array(4.2, dtype="<f4").tobytes()
    quiet = {"pot_dash_gateway__pot_dash_02__voltage": Sample(volts, Quality.GOOD)}
    for second in range(5, 40):
        ticks = plant.ticks(second, **quiet)
    (effect,) = plant.message(ticks)["effects"]
    assert effect["end_ns"] == T0 + 5 * S
    late = EFFECTS_NS // S + 4
    assert plant.message(plant.ticks(late, **quiet))["effects"] != []
    assert plant.message(plant.ticks(late + 60, **quiet))["effects"] == []


def test_the_page_takes_it(plant: Plant) -> None:
    for second in range(5):
        message = plant.message(plant.ticks(second))
    got = parse_live(json.dumps(message).encode(), PLANT, GATEWAY)
    assert got.seq == 7
    assert got.values["pot-gateway.pot-02.voltage"].value == "30.0000"
    assert len(got.effects) == 1
