"""Sources that are not meters in the site file, and what of them is signed."""

import hashlib
from pathlib import Path

import pytest

from tests.unit.edge.sites import HEAD, METERS, config_of, problems, site_of
from tests.unit.firmware_configs.test_row_source import FOLDER, TABLE

POTS = """\
[[device]]
id = "pot-log"
url = "sqlite+ro:///var/lib/pots.db"
profile = "pots.toml"
provenance = "via-database"
interval_s = "10"
each = "7-8"
"""

LAB = """\
[[device]]
id = "lab"
url = "folder:///var/spool/lims"
profile = "lab.toml"
provenance = "file"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pots.toml").write_text(TABLE)
    (tmp_path / "lab.toml").write_text(FOLDER)
    return tmp_path


def test_points_of_columns_and_how_they_are_asked_are_signed(folder: Path) -> None:
    config = config_of(site_of(folder, METERS + POTS + LAB))
    pots, lab = config["devices"][2:]
    statement = b"SELECT id, taken_at, pot, volts FROM pot_log"
    assert pots["url"] == "sqlite+ro:///var/lib/pots.db"
    assert pots["provenance"] == "via-database"
    assert pots["settings"]["statement_sha256"] == hashlib.sha256(statement).hexdigest()
    columns = b"id\ntaken_at\npot\nvolts\n"
    assert pots["settings"]["columns_sha256"] == hashlib.sha256(columns).hexdigest()
    assert lab["settings"]["time_zone"] == "Asia/Shanghai"
    points = {p["id"]: p for p in config["points"]}
    assert points["pot-log.pot-007.volts"]["source"] == "column volts of 7"
    assert points["pot-log.pot-007.volts"]["scaling"]["raw_decimals"] == 3
    assert points["lab.clinker.cao"]["source"] == "column CaO"
    assert points["lab.clinker.cao"]["provenance"] == "file"


def test_a_meters_settings_are_its_ratios_alone(folder: Path) -> None:
    config = config_of(site_of(folder, METERS))
    assert config["devices"][0]["settings"] == {"ct_ratio": "800/5", "vt_ratio": "10000/100"}


@pytest.mark.parametrize("claimed", ["meter-direct", "via-control-system", "file"])
def test_a_table_is_no_meter(folder: Path, claimed: str) -> None:
    text = METERS + POTS.replace("via-database", claimed)
    assert problems(folder, text) == [
        (
            "device[2].provenance",
            f"pot-log: '{claimed}' is not what sqlite+ro:// gives: via-database | typed",
        )
    ]


@pytest.mark.parametrize("claimed", ["meter-direct", "via-control-system", "via-database"])
def test_a_folder_is_no_meter(folder: Path, claimed: str) -> None:
    text = METERS + LAB.replace('"file"', f'"{claimed}"')
    assert problems(folder, text) == [
        ("device[2].provenance", f"lab: '{claimed}' is not what folder:// gives: file | typed")
    ]


@pytest.mark.parametrize("source", [POTS, LAB])
def test_what_people_typed_into_it_may_be_said(folder: Path, source: str) -> None:
    text = source.replace("via-database", "typed").replace('"file"', '"typed"')
    (*_, device) = config_of(site_of(folder, METERS + text))["devices"]
    assert device["provenance"] == "typed"


def test_a_statement_that_does_not_pass_the_gate_is_a_problem_of_the_site_file(
    folder: Path,
) -> None:
    (folder / "pots.toml").write_text(TABLE.replace("SELECT id", "DELETE FROM x; SELECT id"))
    ((key, reason),) = problems(folder, METERS + POTS)
    assert key == "device[2].url"
    assert "one statement, without an end" in reason


@pytest.mark.parametrize(
    ("url", "profile", "reason"),
    [
        ("folder:///x", "pots.toml", "speaks table, and folder:// is folder"),
        ("sqlite+ro:///x", "lab.toml", "speaks folder, and sqlite+ro:// is table"),
        ("sqlite+ro:///x", "stackproof/gas-meter", "speaks modbus, and sqlite+ro:// is table"),
    ],
)
def test_profile_and_url_must_fit(folder: Path, url: str, profile: str, reason: str) -> None:
    provenance = "file" if url.startswith("folder") else "via-database"
    text = (
        f'{HEAD}[[device]]\nid = "x"\nurl = "{url}"\nprofile = "{profile}"\n'
        f'provenance = "{provenance}"\n' + ('each = "1-2"\n' if "pots" in profile else "")
    )
    assert any(reason in found for _, found in problems(folder, text))
