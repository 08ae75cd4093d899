"""What the demo decides before it starts anything."""

import socket
from pathlib import Path

import pytest

from edge.site.config import load_site
from firmware_configs.profile import load_profile
from simulators import demo
from simulators.demo_files import PLANT, PLANTS, write_cloud_file, write_site_file
from simulators.plants import load_any
from tests.unit.edge.sites import config_of


def test_the_usual_port_is_taken_only_when_it_is_free(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setattr(demo, "PORT", other.getsockname()[1])
        assert demo._port(None) == 0
        assert "is taken" in capsys.readouterr().err
        assert demo._port(demo.PORT) == demo.PORT  # what was asked for is not changed
    assert demo._port(None) == demo.PORT
    assert demo._port(0) == 0


@pytest.mark.parametrize("plants", ["quarry", "smelter,quarry"])
def test_a_plant_there_is_not_is_named(plants: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["--plants", plants]) == 2
    said = capsys.readouterr().err
    assert plants.rpartition(",")[2] in said
    assert "smelter" in said


@pytest.mark.parametrize("seconds", ["0", "-1", "86401", "soon"])
def test_a_time_that_is_none_is_refused(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        demo.main(["--for", seconds])
    assert "--for" in capsys.readouterr().err


def test_the_files_it_writes_are_what_edge_and_collector_read(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The site file is checked by the edge itself in the system tests; here: nothing left open."""
    work = tmp_path_factory.mktemp("work")
    device = {
        "id": "pot-gateway",
        "url": "opc.tcp://127.0.0.1:1/x",
        "profile": "stackproof/pot-gateway",
        "each": "1-24",
    }
    site = write_site_file(work, [device], broker="mqtt://127.0.0.1:1").read_text()
    assert f'id = "{PLANT}"' in site
    assert 'provenance = "via-control-system"' in site
    assert "{" not in site.replace("{n:02}", "")
    cloud = write_cloud_file(work, archives=work / "out", port=0).read_text()
    assert f'archive_dir = "{work / "out"}"' in cloud
    assert "{" not in cloud


@pytest.mark.parametrize("name", PLANTS)
def test_the_agent_takes_every_plants_site_file(name: str, tmp_path: Path) -> None:
    """Its sector, rule set and figures, with the devices that the scenario serves."""
    devices = [
        {"id": device.id, "profile": device.profile, **device.ratios,
         "url": f"opc.tcp://127.0.0.1:1/{device.id}"
         if load_profile(device.profile).protocol == "opcua"
         else f"modbus+tcp://127.0.0.1:{port}?unit=1",
         **({"each": "1-24"} if device.id == "pot-gateway" else {})}
        for port, device in enumerate(load_any(name).devices, start=1)
    ]  # fmt: skip
    site = load_site(write_site_file(tmp_path, devices, broker="mqtt://127.0.0.1:1", plant=name))
    assert site.plant.id == PLANTS[name].id
    assert [device.id for device in site.devices] == [device["id"] for device in devices]
    assert config_of(site)["plant"]["rule_set"] == PLANTS[name].rule_set


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        demo.main(["--port", port])
    assert "--port" in capsys.readouterr().err


def test_an_output_that_is_no_folder_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    for out in (file, file / "below"):
        assert demo.main(["--for", "1", "--out", str(out)]) == 2
        assert f"--out {out}: cannot be used as a folder" in capsys.readouterr().err
