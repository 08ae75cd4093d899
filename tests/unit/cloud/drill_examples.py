"""A plant with one gas meter, read each second, whose readings are set by hand.

Second n of `BEGIN_NS`: the register holds 1,000,000 + 5 n tenths of a Nm3, the flow is 1,800 Nm3/h
and n mod 7; at second `LOST` nobody answered for the register. A frame holds ten seconds.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from evidence import cbor
from evidence.blocks import compress
from evidence.frame import TYP_CONFIG, TYP_FRAME, Body, Clock, Section, encode_body
from evidence.groups import Group
from evidence.points import Dtype
from evidence.quality import Quality
from evidence.recompute import compute_statement
from tests.unit.cloud.evidence_examples import SECOND_NS, ExamplePlant, Gateway, configuration
from tests.unit.evidence.log_entries import sha256

#: 2026-09-21 08:00 UTC, 16:00 in Shanghai
BEGIN_NS = 1_789_977_600 * SECOND_NS
VOLUME, FLOW, DEVICE, MONTH = "gas-1.volume", "gas-1.flow", "gas-1", "2026-09"
FRAME_S, LOST, START = 10, 125, 1_000_000


def meter_config(plant: str = "mini", gateway: str = "edge-1", k: str = "0.25") -> dict[str, Any]:
    """Its configuration; `k` is the meter factor that a person states."""
    meter = {"k": {"means": "factor", "source": "holding 0x0100", "stated": [[k, "as built"]]}}
    device = {
        "id": DEVICE, "url": "test:gas-1", "profile": "test/one", "profile_revision": "1",
        "provenance": "meter-direct", "schedule": 0, "settings": {}, "meter": meter,
    }  # fmt: skip
    base = {"provenance": "meter-direct", "device": DEVICE}
    dry = {"reference": "0C-101.325kPa", "moisture": "dry"}
    points = [
        {"id": VOLUME, "quantity": {"kind": "gas-volume", "unit": "Nm3", **dry},
         "dtype": Dtype.U32.value, "decimals": 1, "role": "totaliser", "source": "holding 0x0010",
         "scaling": {"raw_decimals": 1}, **base},
        {"id": FLOW, "quantity": {"kind": "gas-flow", "unit": "Nm3/h", **dry},
         "dtype": Dtype.F32.value, "decimals": 2, "role": "gauge", "source": "holding 0x0020",
         **base},
    ]  # fmt: skip
    groups = [
        {"schedule": 0, "dtype": point["dtype"], "computed": False, "points": [row]}
        for row, point in enumerate(points)
    ]
    fuel = {"kind": "natural-gas", "point": VOLUME, "rule": "totaliser", "flow_point": FLOW}
    return {
        **configuration(plant, gateway), "devices": [device], "points": points, "groups": groups,
        "statement": {"fuels": [fuel]},
    }  # fmt: skip


def frame_body(first: int) -> Body:
    """Ten seconds from second `first` on."""
    at = np.arange(first, first + FRAME_S)
    volume = (START + 5 * at).astype("<u4")[None]
    flow = (1800 + at % 7).astype("<f4")[None]
    quality = np.where(at == LOST, Quality.NO_ANSWER, Quality.GOOD).astype(np.uint8)
    groups = (
        Group(0, Dtype.U32, volume, quality[None], np.full((1, FRAME_S), 250, "<i4")),
        Group(1, Dtype.F32, flow, np.zeros((1, FRAME_S), np.uint8)),
    )
    t0_ns = BEGIN_NS + first * SECOND_NS
    lag = np.full((1, FRAME_S), 40, "<i4")
    section = Section(0, t0_ns, SECOND_NS, FRAME_S, groups, lag, (0,))
    read = {"kind": "meter-settings", "at_ns": t0_ns, "device": DEVICE, "read": {"k": "0.25"},
            "unread": {}}  # fmt: skip
    clock = Clock("ntp", 3, first, bytes(16))
    return Body(t0_ns, clock, sections=(section,), events=(read,) if first == 0 else ())


def signed(plant: ExamplePlant, seconds: int = 180) -> list[bytes]:
    """A configuration, and frames of so many seconds; frame of second 0 has seq 1."""
    gateway = plant.gateways["edge-1"]
    configure(gateway, meter_config(plant.id))
    for first in range(0, seconds, FRAME_S):
        gateway.append(gateway.sign(TYP_FRAME, encode_body(frame_body(first))))
    return gateway.objects


def configure(gateway: Gateway, config: dict[str, Any]) -> None:
    """Sign another configuration."""
    data = gateway.append(gateway.sign(TYP_CONFIG, compress(cbor.encode(config))))
    gateway.cfg = sha256(data)


def statement(plant: str, month: str) -> Mapping[str, Any] | None:
    """Of `MONTH`: 12 of 10^4 Nm3 of natural gas by the meter, and coal that has none."""
    if month != MONTH:
        return None
    by = {"frames": {"class": "meter-direct", "rule": "totaliser", "point": VOLUME}}
    coal = {"documents": {"sha256": ["ab" * 32], "about": "coal", "rule": "records"}}
    given = {
        "rule_set": "cets-ag-04.01-v01-2024", "month": month, "closing": "final", "flags": [],
        "fuel": [
            {"kind": "natural-gas", "quantity": "12", "provenance": {"quantity": by}},
            {"kind": "anthracite", "quantity": "10", "provenance": {"quantity": coal}},
        ],
    }  # fmt: skip
    return {"input": given, "output": compute_statement(given)}
