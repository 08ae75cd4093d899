"""The edge's own live message is what the page takes: both sides of the contract at once."""

import json
import struct
from pathlib import Path
from typing import Any

from cloud import dashboard
from cloud.live.hub import LiveHub
from edge.alarms import (
    BROKER_CERTIFICATE,
    CLOCK_AHEAD,
    CLOCK_DOUBT,
    DISK_LOW,
    FILLING,
    FULL,
    KEY_AWAY,
    METRICS_AWAY,
    OLD,
    TWO_LOGS,
    WAY_BLOCKED,
)
from edge.calc.folds.live import PlantCalc
from edge.calc.folds.live_points import computed_points
from edge.drivers.base import Sample
from edge.live_message import LiveMessage
from edge.pipeline import Layout, assemble, calculate
from edge.spool import Usage
from edge.trouble import DAMAGED, FORK, REFUSED, SET_BACK, UNANSWERED
from evidence.frame import Clock
from evidence.quality import Quality
from tests.unit.cloud.live_examples import NS, T0, ManualClock, configuration
from tests.unit.edge.ticks import one_read

SECONDS = 14
ALARMS = (
    BROKER_CERTIFICATE, CLOCK_AHEAD, CLOCK_DOUBT, DAMAGED, DISK_LOW, FILLING, FORK, FULL, KEY_AWAY,
    METRICS_AWAY, OLD, REFUSED, SET_BACK, TWO_LOGS, UNANSWERED, WAY_BLOCKED,
)  # fmt: skip


def signed_configuration() -> dict[str, Any]:
    """The two-pot plant with everything the edge needs, computed points included."""
    config = configuration()
    config["plant"]["rule_set"] = "cets-ag-04.01-v01-2024"
    config["points"], config["groups"] = config["points"][:6], config["groups"][:2]
    for row in (2, 4):
        config["points"][row]["dtype"] = 64
    config["groups"] = [
        {"schedule": 0, "dtype": 86, "computed": False, "points": [0, 1, 3]},
        {"schedule": 0, "dtype": 64, "computed": False, "points": [2, 4]},
        {"schedule": 1, "dtype": 86, "computed": False, "points": [5]},
    ]
    line = config["potlines"][0]
    line["current_efficiency_percent"] = "94.5"
    line["anode_effect"] = {
        "v_start_v": "8", "t_start_s": "2", "v_end_v": "8", "t_end_s": "2",
        "t_merge_s": "10", "mode": "positive", "target_v": "4.2",
    }  # fmt: skip
    config["statement"] = {
        "metal": None,
        "anode": {"gross_kg_per_t": "469", "source": "typed in the site file"},
        "fuels": [],
        "auxiliary": [{"kind": "electricity", "point": "ac.energy", "rule": "totaliser"}],
    }
    config["devices"] = [{"id": "d", "schedule": 0}, {"id": "d2", "schedule": 1}]
    first = len(config["points"])
    config["points"] += [point.as_map() for point in computed_points(config)]
    config["groups"].append({
        "schedule": 0, "dtype": 79, "computed": True,
        "points": list(range(first, len(config["points"]))),
    })  # fmt: skip
    return config


def sample(value: float, code: str = "<d", quality: Quality = Quality.GOOD) -> Sample:
    return Sample(struct.pack(code, value), quality, None)


def test_the_edges_message_is_taken_whole_and_shows_its_running_effect() -> None:
    config = signed_configuration()
    layout, calc = Layout(config), PlantCalc(config)
    maker = LiveMessage(layout, plant="mini", gateway="edge-1")
    hub = LiveHub(ManualClock())
    hub.on_config("mini", "edge-1", config)
    for second in range(SECONDS):
        tick_ns = T0 + second * NS
        samples = {
            "p.current": sample(420.5),
            "p.01.voltage": sample(31.25 if second >= 4 else 4.21),
            "p.01.state": Sample(b"\x01", Quality.GOOD, None),
            "p.02.voltage": sample(0.0, quality=Quality.SENSOR_FAULT),
            "p.02.state": Sample(b"\x01", Quality.GOOD, None),
        }
        ticks = [assemble(layout, 0, tick_ns, one_read(layout, samples), {"d": 12})]
        message = maker.message(
            calculate(layout, calc, ticks),
            cfg=b"\xab" * 32,
            sent_ns=tick_ns + 1, clock=Clock("free", None, 0, bytes(16)),
            spool=Usage(0, 0, None), head_seq=second, receipted_seq=-1, calc=calc,
            alarms=ALARMS if second >= 5 else (),
        )  # fmt: skip
        hub.on_live("mini", "edge-1", message)
    assert hub.refused == {}
    state = hub.snapshot("mini")
    tick_ns = T0 + (SECONDS - 1) * NS
    assert state["values"]["p.01.voltage"] == ["31.25", 0, tick_ns, None]
    assert state["values"]["p.01.state"] == ["1", 0, tick_ns, None]
    assert state["values"]["p.02.voltage"] == [None, Quality.SENSOR_FAULT, tick_ns, None]
    (effect,) = state["effects"]
    assert (effect["potline"], effect["pot"], effect["v_max"]) == ("line-1", "01", "31.25")
    assert effect["start_ns"] == T0 + 4 * NS
    assert effect["end_ns"] is None
    assert state["alarms"] == [
        {"gateway": "edge-1", "reason": f"edge.{name}", "since_ns": T0 + 5 * NS} for name in ALARMS
    ]
    # the points the page's tiles name are the ones the edge computes
    shown = {"pfc_record_tco2e_h", "pfc_indicator_tco2e_h", "aef_day", "aed_day", "metal_t_h"}
    assert {f"line-1.{name}" for name in (*shown, "anode_co2_t_h")} <= set(state["values"])
    assert "plant.co2e_t_h" in state["points"]


def test_the_page_says_of_each_alarm_what_to_do() -> None:
    texts = json.loads((Path(dashboard.__file__).parent / "strings.json").read_text())
    for name in ALARMS:
        assert ": " in texts[f"alarm.edge.{name}"]["en"]
        assert "：请" in texts[f"alarm.edge.{name}"]["zh"]
        assert texts[f"alarms.short.{name}"].keys() == {"en", "zh"}
