"""The files the demo writes: a site file for the agent, a file for the collector."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIME_ZONE = "Asia/Shanghai"


@dataclass(frozen=True)
class DemoPlant:
    """A plant of the demo.

    Attributes:
        scenario: what is played.
        id, name, sector, rule_set: as the site file says them.
        figures: the rest of the site file, with {pots}.
        alarms: when something is an alarm there, where its pace is not a plant's.
        fault: what befalls it in a demo that goes on, so that there is an alarm to look at; "".
    """

    scenario: str
    id: str
    name: str
    sector: str
    rule_set: str
    figures: str
    alarms: str = ""
    fault: str = ""


_SITE = """\
# Written by `stackproof demo`. `stackproof edge check` validates a file like this.
format = 1

[plant]
id = "{plant}"
name = "{name}"
sector = "{sector}"
time_zone = "{zone}"
rule_set = "{rule_set}"
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
{figures}"""

_CLOUD = """\
# Written by `stackproof demo`.
format = 1

[cloud]
slice = "00"
database = "sqlite:///evidence.db"
state_dir = "cloud"
archive_dir = "{archives}"
key = "file:{keys}/collector.pem"
certificate = "file:{keys}/collector.crt"

[broker]
mode = "embedded"
port = 0

[http]
host = "127.0.0.1"
port = {port}
accounts = false                # it is there to be looked at, on this machine
visitors_operate = true         # and its alarms acknowledged

{plants}"""

_CLOUD_PLANT = """
[[plant]]
id = "{plant}"
root = "file:{keys}/root.crt"
gateways = ["file:{keys}/edge-1.crt"]
collector = "file:{keys}/collector.crt"
{alarms}"""

#: the devices of every plant stand between head and figures
_SMELTER = """\
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

_KILN = """\
[[statement.fuel]]
kind = "bituminous"
use = "kiln"
unit = "kiln-1"
point = "coal-kiln.total"
flow_point = "coal-kiln.feed"

[[statement.fuel]]
kind = "bituminous"
use = "kiln"
unit = "kiln-1"
point = "coal-calciner.total"
flow_point = "coal-calciner.feed"

[statement.kiln_feed]
kind = "portland"
flow_point = "kiln-feed.feed"
meal_per_clinker = "1.70"
source = "typed in the demo's site file; a real kiln's ratio comes of its stock-taking"
"""

_STEELWORKS = """\
[[statement.fuel]]
kind = "washed-coal"
point = "coking-coal.total"
flow_point = "coking-coal.feed"

[[statement.fuel]]
kind = "bituminous"
unit = "bf-1"
point = "bf-coal.total"
flow_point = "bf-coal.feed"

[[statement.process]]
material = "scrap"
unit = "converter"
point = "converter-scrap.total"

[[statement.process]]
material = "scrap"
unit = "arc-furnace"
point = "arc-scrap.total"

[[statement.product]]
product = "crude-steel"
unit = "converter"
point = "converter-steel.total"

[[statement.product]]
product = "crude-steel"
unit = "arc-furnace"
point = "arc-steel.total"

[[statement.burnt]]
kind = "blast-furnace-gas"
flow_point = "energy-centre.bf_burnt"

[[statement.burnt]]
kind = "coke-oven-gas"
flow_point = "energy-centre.co_burnt"

[[statement.burnt]]
kind = "converter-gas"
flow_point = "energy-centre.converter_burnt"

[[statement.burnt]]
kind = "converter-gas"
flow_point = "energy-centre.shop_flare"

[[statement.auxiliary]]
kind = "electricity"
point = "grid.energy_import"
power_point = "grid.power"
"""

#: a pot of the demonstration starves every two minutes instead of every few days; a real plant's
#: limits would call every pot bad
_QUICK = """
# This line's pots are in effect 800 times a day instead of 0.1 to 0.3: so are its limits.
[plant.alarms.quench-failed]
within_s = 15
[plant.alarms.pot-repeat]
within_s = 60
[plant.alarms.line-rate]
high_per_pot_day = 1000
"""

#: by the name they are asked for with
PLANTS = {
    plant.scenario: plant
    for plant in (
        DemoPlant("smelter", "demo-smelter", "Demo smelter", "aluminium", "cets-ag-04.01-v01-2024",
                  _SMELTER, alarms=_QUICK),
        DemoPlant("kiln", "demo-kiln", "Demo kiln line", "cement", "cets-ag-02.01-v01-2024",
                  _KILN),
        DemoPlant("steelworks", "demo-steelworks", "Demo steelworks", "steel",
                  "cets-ag-03.01-v01-2024", _STEELWORKS,
                  fault="at=60 for=900 kind=drop on=bf-gas-analyser"),
    )
}  # fmt: skip
PLANT = PLANTS["smelter"].id

#: how near to the meter each simulated device's values are taken
_PROVENANCE = dict.fromkeys(("pot-gateway", "kiln-dcs", "energy-centre"), "via-control-system")


def write_site_file(
    work: Path, devices: Sequence[Mapping[str, Any]], *, broker: str, plant: str = "smelter"
) -> Path:
    """Write the agent's site file.

    Args:
        work: folder with `keys/`.
        devices: as `sim run --json` says them.
        broker: MQTT URL.
        plant: of `PLANTS`.
    """
    its = PLANTS[plant]
    pots = next((device["each"] for device in devices if "each" in device), "")
    text = _SITE.format(
        plant=its.id, name=its.name, sector=its.sector, rule_set=its.rule_set, zone=TIME_ZONE,
        broker=broker, devices=device_tables(devices), figures=its.figures.format(pots=pots),
    )  # fmt: skip
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


def write_cloud_file(
    work: Path, *, archives: Path, port: int, keys: Mapping[str, str] | None = None
) -> Path:
    """Write the collector's file; archives go to `archives`.

    Args:
        work: its folder.
        archives: where sealed months go.
        port: of the dashboard; 0 = any free one.
        keys: plant id -> folder below `work` with its root, gateway and collector; the first one's
            collector key is the collector's. None: the smelter's, in `keys`.
    """
    folders = {PLANT: "keys"} if keys is None else keys
    path = work / "cloud.toml"
    alarms = {one.id: one.alarms for one in PLANTS.values()}
    plants = "".join(
        _CLOUD_PLANT.format(plant=plant, keys=at, alarms=alarms.get(plant, ""))
        for plant, at in folders.items()
    )
    first = next(iter(folders.values()))
    text = _CLOUD.format(archives=archives, port=port, keys=first, plants=plants)
    path.write_text(text, encoding="utf-8")
    return path
