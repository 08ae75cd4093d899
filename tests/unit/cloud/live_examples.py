"""A two-pot plant written by hand from the contract, and live messages for it."""

import json
from collections.abc import Mapping
from typing import Any

NS = 1_000_000_000
T0 = 1_790_000_000 * NS  # 2026-09-21 22:13:20 at Asia/Shanghai
PLANT, GATEWAY = "mini", "edge-1"
CFG = "ab" * 32
STATES = [[1, "producing"], [3, "start-up"]]


class ManualClock:
    """A clock that stands until it is set."""

    def __init__(self, now_ns: int = T0) -> None:
        self.now_ns = now_ns

    def wall_ns(self) -> int:
        return self.now_ns


def point(ident: str, kind: str, unit: str, decimals: int, **more: Any) -> dict[str, Any]:
    base = {"dtype": 86, "role": "gauge", "provenance": "meter-direct", "device": "d"}
    quantity = {"kind": kind, "unit": unit}
    return {"id": ident, "quantity": quantity, "decimals": decimals, **base, **more}


def configuration(**plant: Any) -> dict[str, Any]:
    """Two pots at 1 s, an energy totaliser at 10 s, and the computed emission rate."""
    state = {"role": "state", "states": STATES, "dtype": 64}
    rows = [
        point("p.current", "current", "kA", 1),
        point("p.01.voltage", "voltage", "V", 2),
        point("p.01.state", "state", "1", 0, **state),
        point("p.02.voltage", "voltage", "V", 2),
        point("p.02.state", "state", "1", 0, **state),
        point("ac.energy", "energy", "kWh", 1, role="totaliser"),
        point(
            "plant.co2e_t_h", "emission-flow", "tCO2e/h", 3, provenance="computed", device="",
            dtype=79,
        ),
    ]  # fmt: skip
    facts = {
        "id": PLANT, "name": "Mini", "sector": "aluminium", "time_zone": "Asia/Shanghai",
        "rule_set": "rules-1", "simulated": False,
    }  # fmt: skip
    return {
        "format": 1,
        "plant": facts | plant,
        "gateway": {"id": GATEWAY, "slice": "00"},
        "schedules": [{"interval_ns": NS}, {"interval_ns": 10 * NS}],
        "points": rows,
        "groups": [
            {"schedule": 0, "dtype": 86, "computed": False, "points": [0, 1, 2, 3, 4]},
            {"schedule": 1, "dtype": 86, "computed": False, "points": [5]},
            {"schedule": 0, "dtype": 79, "computed": True, "points": [6]},
        ],
        "potlines": [{
            "id": "line-1", "line_current": "p.current", "technology": "PFPB-M",
            "pots": [
                {"id": "01", "voltage": "p.01.voltage", "state": "p.01.state"},
                {"id": "02", "voltage": "p.02.voltage", "state": "p.02.state"},
            ],
            "anode_effect": {"v_start_v": "8", "target_v": "4.2"},
            "indicator": {"edition": "ipcc-2019", "gwp": "ar5"},
        }],
        "statement": {
            "metal": None,
            "fuels": [],
            "auxiliary": [{"kind": "electricity", "point": "ac.energy"}],
        },
    }  # fmt: skip


def values(volts_1: str | None = "4.21", volts_2: str | None = "4.19") -> dict[str, list[Any]]:
    """Rows as the edge sends them; None = a broken sensor."""
    return {
        "p.01.voltage": [volts_1, 0 if volts_1 else 134, T0],
        "p.01.state": ["1", 0, None],
        "p.02.voltage": [volts_2, 0 if volts_2 else 134, T0],
        "p.02.state": ["1", 0, None],
        "plant.co2e_t_h": ["5.861", 0, None],
    }


def effect(start_s: int, end_s: int | None = None, **more: Any) -> dict[str, Any]:
    """An anode effect of pot 01; seconds after T0."""
    return {
        "potline": "line-1", "pot": "01", "start_ns": T0 + start_s * NS,
        "end_ns": None if end_s is None else T0 + end_s * NS, "polarised_ns": NS,
        "v_max": "31.2", "cf4_kg": "0.013", "flags": ["running"], **more,
    }  # fmt: skip


def message(second: int = 0, **more: Any) -> dict[str, Any]:
    """The live message of T0 + second."""
    tick_ns = T0 + second * NS
    return {
        "v": 1, "plant": PLANT, "gateway": GATEWAY, "tick_ns": tick_ns, "sent_ns": tick_ns + 5,
        "cfg": CFG, "seq": 7,
        "spool": {"frames": 2, "bytes": 900, "oldest_ns": T0, "head_seq": 6, "receipted_seq": 4},
        "clock": {"source": "ntp", "error_ms": 3},
        "values": values(), "effects": [], **more,
    }  # fmt: skip


def payload(second: int = 0, **more: Any) -> bytes:
    return json.dumps(message(second, **more)).encode()


def changed(path: str, value: Any, base: Mapping[str, Any] | None = None) -> bytes:
    """A payload with one field replaced; "a.b" goes into objects, a number into a list."""
    whole = json.loads(json.dumps(base or message(effects=[effect(0)])))
    *folders, name = path.split("/")
    inner = whole
    for folder in folders:
        inner = inner[int(folder) if isinstance(inner, list) else folder]
    inner[int(name) if isinstance(inner, list) else name] = value
    return json.dumps(whole).encode()
