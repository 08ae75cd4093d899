"""docs/site-statement.md: its statement sections pass `stackproof edge check` as they stand."""

import re
import tomllib
from pathlib import Path

import pytest

from edge.cli import main
from edge.site.config import load_site
from tests.unit.edge.sites import HEAD, config_of, replaced, write_keys, write_site

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/site-statement.md").read_text(encoding="utf-8")
KILN, TOLD, STEELWORKS = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
SCENARIO = tomllib.loads((ROOT / "simulators/scenarios/kiln.toml").read_text(encoding="utf-8"))

FEEDER, WEIGHER, GAS = (
    f"stackproof/{name}" for name in ("fuel-feeder", "weigh-feeder", "gas-meter")
)
#: the kiln's own devices; a steelworks' meters by profiles that are there
DEVICES = {
    "cement": {device["id"]: device["profile"] for device in SCENARIO["device"]},
    "steel": {
        "coal-in": FEEDER, "coke-out": FEEDER, "lime-in": WEIGHER, "steel": WEIGHER, "cog": GAS,
    },
}  # fmt: skip


def site(sector: str, rules: str, statement: str) -> str:
    head = replaced(HEAD, {'"aluminium"': f'"{sector}"', "cets-ag-04.01-v01-2024": rules})
    devices = ""
    for number, (name, profile) in enumerate(DEVICES[sector].items()):
        opc = profile.endswith("dcs")
        url = (
            "opc.tcp://127.0.0.1:14840"
            if opc
            else f"modbus+tcp://127.0.0.1:{15020 + number}?unit=1"
        )
        devices += (
            f'[[device]]\nid = "{name}"\nurl = "{url}"\nprofile = "{profile}"\n'
            'provenance = "via-control-system"\n'
        )
    return head + devices + statement


@pytest.mark.parametrize(
    ("plant", "statement", "computed"),
    [
        (("cement", "cets-ag-02.01-v01-2024"), KILN, [
            "plant.fuel-1.bituminous.co2_t_h", "plant.fuel-2.bituminous.co2_t_h",
            "plant.fuel_co2_t_h", "plant.clinker_indicator_t_h",
            "plant.clinker_indicator_co2_t_h", "plant.co2_indicator_t_h"]),
        (("cement", "cets-ag-02.01-v01-2024"), KILN + TOLD, [
            "plant.fuel-1.bituminous.co2_t_h", "plant.fuel-2.bituminous.co2_t_h",
            "plant.clinker_indicator_t_h", "plant.clinker_indicator_co2_t_h"]),
        (("steel", "cets-ag-03.01-v01-2024"), STEELWORKS, [
            "plant.fuel-1.washed-coal.co2_t_h", "plant.fuel-2.coke.co2_t_h",
            "plant.process-1.limestone.co2_t_h", "plant.product-1.crude-steel.co2_t_h",
            "plant.fuel_co2_t_h", "plant.burnt-1.coke-oven-gas.co2_t_h", "plant.now_co2_t_h",
            "plant.month_co2_t_h", "plant.reconciliation_co2_t_h"]),
    ],
)  # fmt: skip
def test_each_section(
    plant: tuple[str, str],
    statement: str,
    computed: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_keys(tmp_path / "keys")
    path = write_site(tmp_path, site(*plant, statement))
    status = main(["check", str(path)])
    assert (status, capsys.readouterr().err.count("warning")) == (0, 0)
    config = config_of(load_site(path))
    assert [p["id"] for p in config["points"] if p["provenance"] == "computed"] == computed
