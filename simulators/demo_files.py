"""The files the demo writes: a site file for the agent, a file for the collector."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PLANT = "demo-smelter"
TIME_ZONE = "Asia/Shanghai"

_SITE = """\
# Written by `stackproof demo`. `stackproof edge check` validates a file like this.
format = 1

[plant]
id = "{plant}"
name = "Demo smelter"
sector = "aluminium"
time_zone = "{zone}"
rule_set = "cets-ag-04.01-v01-2024"
simulated = true

[gateway]
id = "edge-1"
slice = "00"
key = "file:keys/edge-1.pem"
certificate = "file:keys/edge-1.crt"
state_dir = "edge"

[uplink]
url = "{broker}"
collector = "file:keys/collector.crt"
{devices}
[[potline]]
id = "line-1"
line_current = "pot-gateway.line_current"
pots = "{pots}"
pot_voltage = "pot-gateway.pot-{{n:02}}.voltage"
pot_state = "pot-gateway.pot-{{n:02}}.state"
technology = "PFPB-M"
current_efficiency_percent = "94.5"
indicator_edition = "ipcc-2019"
indicator_gwp = "ar5"

[potline.anode_effect]
v_start_v = "8"
t_start_s = "2"
v_end_v = "8"
t_end_s = "2"
t_merge_s = "10"
target_v = "4.2"

[statement.metal]
point = "pot-gateway.metal_tapped"

[statement.anode]
gross_kg_per_t = "469"
source = "typed in the demo's site file; a real plant weighs its anodes"

[[statement.fuel]]
kind = "natural-gas"
point = "gas-1.volume"
flow_point = "gas-1.flow"

[[statement.auxiliary]]
kind = "electricity"
point = "ac-1.energy_import"
power_point = "ac-1.power"
"""

_CLOUD = """\
# Written by `stackproof demo`.
format = 1

[cloud]
slice = "00"
evidence_dir = "evidence"
state_dir = "cloud"
archive_dir = "{archives}"
key = "file:keys/collector.pem"
certificate = "file:keys/collector.crt"

[broker]
mode = "embedded"
port = 0

[http]
host = "127.0.0.1"
port = {port}

[[plant]]
id = "{plant}"
root = "file:keys/root.crt"
gateways = ["file:keys/edge-1.crt"]
"""

#: how near to the meter each simulated device's values are taken
_PROVENANCE = dict.fromkeys(("pot-gateway", "kiln-dcs", "energy-centre"), "via-control-system")


def write_site_file(work: Path, devices: Sequence[Mapping[str, Any]], *, broker: str) -> Path:
    """Write the agent's site file.

    Args:
        work: folder with `keys/`.
        devices: as `sim run --json` says them.
        broker: MQTT URL.
    """
    pots = next((device["each"] for device in devices if "each" in device), "")
    text = _SITE.format(
        plant=PLANT, zone=TIME_ZONE, broker=broker, devices=device_tables(devices), pots=pots
    )
    path = work / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def device_tables(devices: Sequence[Mapping[str, Any]]) -> str:
    """A site file's `[[device]]` tables of any plant's devices, as `sim run --json` says them."""
    tables = []
    for device in devices:
        provenance = _PROVENANCE.get(device["id"], "meter-direct")
        lines = [f'{key} = "{value}"' for key, value in device.items()]
        tables.append("\n".join(["", "[[device]]", *lines, f'provenance = "{provenance}"', ""]))
    return "".join(tables)


def write_cloud_file(work: Path, *, archives: Path, port: int) -> Path:
    """Write the collector's file; archives go to `archives`."""
    path = work / "cloud.toml"
    text = _CLOUD.format(plant=PLANT, archives=archives, port=port)
    path.write_text(text, encoding="utf-8")
    return path
