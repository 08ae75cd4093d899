"""`stackproof edge new`: a site file of each sector that is right once its blanks are filled in."""

import re
from pathlib import Path

import pytest

from edge.cli import main
from edge.commands.new import SECTORS, TEMPLATES
from edge.site.blanks import told, without_blanks
from firmware_configs.fields import Problem
from tests.unit.edge.sites import GATEWAY, PLANT, write_keys, write_site

#: what a person writes in place of "?", by key or by device
FILLED = {
    "id": PLANT, "name": "Works", "url": "modbus+tcp://127.0.0.1:15020?unit=1",
    "current_efficiency_percent": "94.5", "gross_kg_per_t": "469", "meal_per_clinker": "1.65",
    "source": "laboratory",
}  # fmt: skip
URLS = {
    "[uplink]": "mqtt://127.0.0.1:1883",
    '"pots"': "opc.tcp://127.0.0.1:14840/potline",
    '"kiln"': "opc.tcp://127.0.0.1:14841/kiln",
    '"cems-1"': "hj212://127.0.0.1:9212?mn=010000A8900016F000169DC0",
    '"gas-1"': "modbus+tcp://127.0.0.1:15021?unit=1",
}


def filled(text: str) -> str:
    """The template with a value for each blank."""
    lines, place = [], ""
    for line in text.splitlines():
        if line.startswith(("[", "id =")):
            place = line.split("#")[0].removeprefix("id =").strip()
        key = line.partition(" =")[0]
        value = URLS.get(place, FILLED["url"]) if key == "url" else FILLED.get(key, "")
        lines.append(re.sub(r'"\?"', f'"{value}"', line))
    return "\n".join(lines)


def test_each_sector_has_one() -> None:
    assert SECTORS == ("aluminium", "cement", "steel")


@pytest.mark.parametrize("sector", SECTORS)
def test_check_names_what_is_left(
    sector: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "SITE.toml"
    assert main(["new", sector, "--out", str(site)]) == 0
    blanks = site.read_text().count(' = "?"')
    capsys.readouterr()
    assert main(["check", str(site)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert sum(line.endswith("is still to be filled in") for line in lines) == blanks >= 5
    assert all(line.endswith("is still to be filled in") for line in lines[:-1])
    assert main(["new", sector, "--out", str(site)]) == 2  # nothing is overwritten
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("sector", SECTORS)
def test_filled_in_it_is_right(
    sector: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = filled((TEMPLATES / f"{sector}.toml").read_text())
    assert '"?"' not in text
    write_keys(tmp_path)
    status = main(["check", str(write_site(tmp_path, text))])
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    assert f": fine. {PLANT}/{GATEWAY}: 3 devices" in out


@pytest.mark.parametrize("sector", SECTORS)
def test_the_broker_it_suggests_is_one_with_tls_and_what_that_asks_for_is_right(
    sector: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It suggested mqtt:// to another machine, of which the doctor then warned."""
    text = (TEMPLATES / f"{sector}.toml").read_text()
    assert re.findall(r"such as (mqtts?)://", text) == ["mqtts"]
    text = filled(text).replace("mqtt://127.0.0.1:1883", "mqtts://broker.example:8883")
    write_keys(tmp_path)
    site = write_site(tmp_path, re.sub(r"(?m)^# (ca|key|certificate) =", r"\1 =", text))
    assert main(["check", str(site)]) == 2
    told = capsys.readouterr().err
    assert re.match(r"\S+: uplink\.ca: \S+/broker-ca\.crt: cannot be read: ", told)
    assert told.splitlines()[1:] == ["1 problem; nothing was started"]


def test_what_will_be_sent_is_printed_before_there_are_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = write_site(tmp_path, filled((TEMPLATES / "aluminium.toml").read_text()))
    assert main(["check", str(site), "--traffic"]) == 2
    out, err = capsys.readouterr()
    assert "Modbus TCP, 127.0.0.1:15020" in out
    assert "edge-1.pem: cannot be read" in err


def test_a_blank_is_told_once_and_beside_whose_id_it_stands() -> None:
    table = {"plant": {"id": "?", "name": "N"}, "device": [{"id": "a", "url": "?"}], "x": ["?"]}
    kept, blanks = without_blanks(table)
    assert kept == {"plant": {"name": "N"}, "device": [{"id": "a"}], "x": ["?"]}
    found = [Problem("S", "plant.id", "is missing"), Problem("S", "uplink", "is missing")]
    assert [str(problem) for problem in told(found, blanks, "S")] == [
        "S: plant.id: is still to be filled in",
        "S: device[0].url: a: is still to be filled in",
        "S: x[0]: is still to be filled in",
        "S: uplink: is missing",
    ]
