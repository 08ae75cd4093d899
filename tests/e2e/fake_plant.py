"""A made-up smelter for the page's tests: configuration and live messages, no physics.

Built from the contract of the live message by hand, not from our edge: 24 pots, one effect
running, one that just ended, one pot starting up, one bridged, one whose sensor is broken, one
just above 8 V; hostile names where a plant can choose one.
"""

import hashlib
import json
import math
import random
from typing import Any

NS = 1_000_000_000
HOSTILE = '<img src=x onerror="window.hacked=1">&{{7*7}}</script><script>window.hacked=2</script>'
PLANT, GATEWAY = "demo-smelter", "edge-1"
POTS = 24
STATES = [
    [0, "unknown"], [1, "producing"], [2, "baking"], [3, "start-up"], [4, "abnormal"],
    [5, "bridged"], [6, "stopped"],
]  # fmt: skip
RUNNING, ENDED, STARTING, BRIDGED, BROKEN, HIGH = 7, 15, 3, 20, 18, 11


def point(ident: str, kind: str, unit: str, decimals: int, **more: Any) -> dict[str, Any]:
    quantity = {"kind": kind, "unit": unit, **more.pop("quantity", {})}
    base = {"dtype": 86, "role": "gauge", "provenance": "meter-direct"}
    return {"id": ident, "quantity": quantity, "decimals": decimals, **base, **more}


def points(pots: int, meters: int = 0) -> list[dict[str, Any]]:
    scada = {"provenance": "via-control-system", "device": "pot-gateway"}
    gas = {"quantity": {"reference": "0C-101.325kPa", "moisture": "dry"}, "device": "gas-1"}
    computed = {"provenance": "computed", "dtype": 79}
    rows = [
        point("pot-gateway.line_current", "current", "kA", 3, **scada),
        point("pot-gateway.line_voltage", "voltage", "V", 2, **scada),
        point("pot-gateway.metal_tapped", "mass", "t", 3, role="totaliser", **scada),
    ]
    for n in range(1, pots + 1):
        name = f"pot-gateway.pot-{n:02}"
        rows.append(point(f"{name}.voltage", "voltage", "V", 3, **scada | {"dtype": 85}))
        state = {"role": "state", "states": STATES, "dtype": 64}
        rows.append(point(f"{name}.state", "state", "1", 0, **scada, **state))
    rows += [
        point("ac-1.energy_import", "energy", "kWh", 1, role="totaliser", device="ac-1"),
        point("ac-1.power", "power", "kW", 1, device="ac-1"),
        point("gas-1.volume", "gas-volume", "Nm3", 2, role="totaliser", **gas),
        point("gas-1.flow", "gas-flow", "Nm3/h", 2, **gas),
    ]
    rows += [
        point(f"{name}.flow", "gas-flow", "Nm3/h", 2, **gas | {"device": name})
        for name in meter_names(meters)
    ]
    for name, kind, unit in (
        ("producing", "count", "1"),
        ("aef_day", "rate", "1/d"), ("aed_day", "duration", "min"), ("aem_day", "rate", "min/d"),
        ("metal_t_h", "mass-flow", "t/h"),
        ("pfc_indicator_tco2e_h", "emission-flow", "tCO2e/h"),
        ("pfc_record_tco2e_h", "emission-flow", "tCO2e/h"),
        ("anode_co2_t_h", "emission-flow", "t/h"),
    ):  # fmt: skip
        rows.append(point(f"line-1.{name}", kind, unit, 6, **computed))
    rows.append(point("plant.gas_co2_t_h", "emission-flow", "t/h", 6, **computed))
    rows.append(point("plant.co2e_t_h", "emission-flow", "tCO2e/h", 6, **computed))
    return rows


def meter_names(count: int) -> list[str]:
    """Ids of further meters that nothing counts."""
    return [f"meter-{n:03}" for n in range(1, count + 1)]


def config(
    pots: int = POTS, name: str = "Demo smelter", lines: int = 1, meters: int = 0
) -> dict[str, Any]:
    """A signed configuration as the hub is given it; further lines share the first one's pots."""
    rows = points(pots, meters)
    numbers = [f"{n:02}" for n in range(1, pots + 1)]
    return {
        "format": 1,
        "software": "stackproof 0.1.0",
        "plant": {
            "id": PLANT, "name": name, "sector": "aluminium", "time_zone": "Asia/Shanghai",
            "rule_set": "cets-ag-04.01-v01-2024", "simulated": True,
        },
        "gateway": {"id": GATEWAY, "slice": "00"},
        "schedules": [{"interval_ns": NS}, {"interval_ns": 10 * NS}],
        "points": rows,
        "groups": [
            {"schedule": 0, "dtype": 86, "computed": False, "points": list(range(len(rows)))}
        ],
        "potlines": [potline(f"line-{n}", numbers) for n in range(1, lines + 1)],
        "statement": {
            "metal": {"point": "pot-gateway.metal_tapped", "rule": "totaliser"},
            "anode": {"gross_kg_per_t": "430", "source": "typed for these tests"},
            "fuels": [{"kind": "natural-gas", "point": "gas-1.volume", "flow_point": "gas-1.flow"}],
            "auxiliary": [{"kind": "electricity", "point": "ac-1.energy_import",
                           "power_point": "ac-1.power"}],
        },
    }  # fmt: skip


def potline(ident: str, numbers: list[str]) -> dict[str, Any]:
    pots = [
        {"id": n, "voltage": f"pot-gateway.pot-{n}.voltage", "state": f"pot-gateway.pot-{n}.state"}
        for n in numbers
    ]
    return {
        "id": ident, "line_current": "pot-gateway.line_current", "pots": pots,
        "technology": "PFPB-M", "current_efficiency_percent": "94.5",
        "anode_effect": {
            "v_start_v": "8", "t_start_s": "2", "v_end_v": "8", "t_end_s": "2",
            "t_merge_s": "10", "mode": "positive", "target_v": "4.2",
        },
        "indicator": {"edition": "ipcc-2019", "gwp": "ar5"},
    }  # fmt: skip


class FakePlant:
    """Live messages of one second each; the same seed gives the same texts.

    Args:
        start_ns: instant of tick 0, UTC ns; the running effect starts at tick 520.
        gas_answers: False = the gas meter does not answer.

    Attributes:
        alarms: names of those that stand at the gateway.
    """

    def __init__(
        self, start_ns: int, *, pots: int = POTS, gas_answers: bool = True, meters: int = 0
    ) -> None:
        self.alarms: list[str] = []
        self.start_ns = start_ns
        self.pots = pots
        self.meters = meter_names(meters)
        self.gas_answers = gas_answers
        self._random = random.Random(20261)

    def tick_ns(self, n: int) -> int:
        return self.start_ns + n * NS

    def voltage(self, pot: int, n: int) -> float:
        noise = self._random.gauss(0, 0.012)
        if pot == RUNNING and n >= 520:
            return 31.0 + 4 * math.exp(-(n - 520) / 30) + self._random.gauss(0, 0.7)
        if pot == RUNNING and n > 450:
            noise += (n - 450) * 0.006  # alumina runs low: the voltage creeps up first
        if pot == ENDED and 300 <= n < 362:
            return 27.0 + self._random.gauss(0, 1.1)
        if pot == HIGH and n % 60 >= 30:
            return 8.6 + noise
        base = {STARTING: 9.1, BRIDGED: 0.02}.get(pot, 4.2 + 0.18 * math.sin(pot * 2.4))
        return base + noise + 0.02 * math.sin(n / 47 + pot)

    def values(self, n: int) -> dict[str, list[Any]]:
        at = self.tick_ns(n)
        rows: dict[str, list[Any]] = {}
        for pot in range(1, self.pots + 1):
            name, volts = f"pot-gateway.pot-{pot:02}", self.voltage(pot, n)
            broken = pot == BROKEN
            rows[f"{name}.voltage"] = [None if broken else f"{volts:.3f}", 134 * broken, at]
            rows[f"{name}.state"] = [str({STARTING: 3, BRIDGED: 5}.get(pot, 1)), 0, at]
        rows["pot-gateway.line_current"] = [f"{420.5 + math.sin(n / 31):.3f}", 0, at]
        rows["pot-gateway.line_voltage"] = [f"{104.2 + (27 if n >= 520 else 0):.2f}", 0, at]
        rows["pot-gateway.metal_tapped"] = [f"{18250 + (n // 90) * 1.734:.3f}", 0, at]
        rows["ac-1.energy_import"] = [f"{88120455.0 + n * 12.3:.1f}", 0, None]
        rows["ac-1.power"] = [f"{44280 + 90 * math.sin(n / 20):.1f}", 0, None]
        gas = self.gas_answers
        rows["gas-1.volume"] = [f"{991200 + n * 0.117:.2f}" if gas else None, 128 * (not gas), None]
        rows["gas-1.flow"] = [f"{421 + 6 * math.sin(n / 15):.2f}" if gas else None,
                              128 * (not gas), None]  # fmt: skip
        for k, name in enumerate(self.meters):
            rows[f"{name}.flow"] = [f"{100 + k + 6 * math.sin(n / 15 + k):.2f}", 0, None]
        return rows | self._computed(n)

    def _computed(self, n: int) -> dict[str, list[Any]]:
        anode, pfc, gas = 4.52 + 0.01 * math.sin(n / 31), 0.413, 0.91 + 0.013 * math.sin(n / 15)
        ok = self.gas_answers
        figures = {
            "line-1.producing": self.pots - 3,
            "line-1.aef_day": 0.2143, "line-1.aed_day": 1.0333, "line-1.aem_day": 0.2214,
            "line-1.metal_t_h": 3.0712, "line-1.pfc_record_tco2e_h": pfc,
            "line-1.pfc_indicator_tco2e_h": 2.871 if n >= 520 else 0.0,
            "line-1.anode_co2_t_h": anode,
        }  # fmt: skip
        rows: dict[str, list[Any]] = {k: [f"{v:.6f}", 0, None] for k, v in figures.items()}
        rows["plant.gas_co2_t_h"] = [f"{gas:.6f}" if ok else None, 138 * (not ok), None]
        total = f"{anode + pfc + gas:.6f}" if ok else None
        rows["plant.co2e_t_h"] = [total, 138 * (not ok), None]
        return rows

    def effects(self, n: int) -> list[dict[str, Any]]:
        rows = []
        if n >= 300:
            rows.append(self._effect(ENDED, (300, min(n, 362)), n >= 362, ("29.6", "0.284")))
        if n >= 520:
            rows.append(self._effect(RUNNING, (520, n), False, ("35.1", f"{n * 4e-4:.3f}")))
        return rows

    def _effect(
        self, pot: int, ticks: tuple[int, int], over: bool, figures: tuple[str, str]
    ) -> dict[str, Any]:
        start, until = ticks
        return {
            "potline": "line-1", "pot": f"{pot:02}", "start_ns": self.tick_ns(start),
            "end_ns": self.tick_ns(until) if over else None,
            "polarised_ns": (until - start) * NS, "integral_v_s": str((until - start) * 25),
            "v_max": figures[0], "cf4_kg": figures[1],
            "flags": ["hole"] if over else ["running"],
        }  # fmt: skip

    def message(self, n: int) -> dict[str, Any]:
        """The live message of tick n."""
        closed = n // 10
        return {
            "v": 1, "plant": PLANT, "gateway": GATEWAY, "tick_ns": self.tick_ns(n),
            "sent_ns": self.tick_ns(n) + 40_000_000, "cfg": hashlib.sha256(b"cfg").hexdigest(),
            "seq": closed + 1,
            "spool": {"frames": 1, "bytes": 4180, "oldest_ns": self.tick_ns(closed * 10 - 1),
                      "head_seq": closed, "receipted_seq": closed - 1},
            "clock": {"source": "ntp", "error_ms": 3},
            "values": self.values(n), "effects": self.effects(n), "alarms": self.alarms,
        }  # fmt: skip

    def payload(self, n: int) -> bytes:
        return json.dumps(self.message(n)).encode()
