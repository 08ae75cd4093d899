"""`stackproof cloud fsck` and `rebuild`: what they print, how they end, what they never touch."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cloud import cli
from cloud.known import remember
from tests.unit.cloud.kept import FILE, evidence_in
from tests.unit.cloud.whole_plant import WholePlant


def asked(capsys: pytest.CaptureFixture[str], *order: str) -> tuple[int, dict[str, Any]]:
    status = cli.main([*order, "--json"])
    return status, json.loads(capsys.readouterr().out)


def changed(home: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(home / FILE)) as sql, sql:
        assert sql.execute(statement, values).rowcount > 0


def test_sound_evidence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = str(home / "CLOUD.toml")
    assert cli.main(["fsck", config]) == 0
    out = capsys.readouterr().out
    assert out.startswith("SOUND  mini: 22 log entries, 12 objects, ")
    assert "not checked" not in out
    status, facts = asked(capsys, "fsck", config)
    assert (status, facts["sound"], facts["roots_pinned"], facts["absent"]) == (0, True, True, [])
    (plant,) = facts["plants"]
    assert (plant["plant"], plant["entries"], plant["findings"]) == ("mini", 22, [])


def test_cloud_toml_of_this_folder_is_the_default(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    assert cli.main(["fsck"]) == 0
    assert "SOUND  mini" in capsys.readouterr().out


def test_a_plant_that_cloud_toml_does_not_name_vouches_for_itself(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = home / "CLOUD.toml"
    config.write_text(config.read_text().split("[[plant]]")[0])
    assert cli.main(["fsck", str(config)]) == 0
    out = capsys.readouterr().out
    assert "SOUND  mini" in out
    assert "not checked: whose roots these are" in out


def test_what_differs_is_told_with_what_to_do(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(home, "UPDATE object SET data = x'00' WHERE id = 3")
    assert cli.main(["fsck", str(home / "CLOUD.toml")]) == 1
    out = capsys.readouterr().out
    assert out.startswith("DIFFERS  mini: 22 log entries")
    assert "object-altered  object/edge-" in out
    assert "restore the database from a backup taken before (docs/database.md)" in out
    status, facts = asked(capsys, "fsck", str(home / "CLOUD.toml"), "--plant", "mini")
    assert (status, facts["sound"]) == (1, False)
    assert [row["code"] for row in facts["plants"][0]["findings"]] == ["object-altered"]


def test_a_name_ends_no_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a backup that somebody brings: “SOUND” in a name looked like what fsck says."""
    changed(home, "UPDATE stream SET name = ? WHERE name = 'edge-a'", "x\nSOUND  mini\x1b")
    assert cli.main(["fsck", str(home / "CLOUD.toml")]) == 1
    out = capsys.readouterr().out
    assert ("\nSOUND" in out, "object/x\\nSOUND  mini\\x1b" in out) == (False, True), out


def test_a_plant_whose_evidence_is_not_there_is_named(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = home / "CLOUD.toml"
    config.write_text(config.read_text().replace("CLOUD", "").replace(
        "[[plant]]", 'database = "sqlite:///other.db"\n[[plant]]', 1))  # fmt: skip
    said = f"sqlite:///{home}/other.db"
    assert cli.main(["fsck", str(config)]) == 0
    assert (
        capsys.readouterr().out
        == f"mini: no evidence in {said} yet; if there was some, it is gone\n"
    )
    (home / "state").mkdir()
    remember(home / "state", ["mini"])
    for more in ([], ["--plant", "mini"]):
        assert cli.main(["fsck", str(config), *more]) == 1
        out = capsys.readouterr().out
        assert out.startswith("GONE  plant mini: there was evidence at an earlier start")
    assert cli.main(["fsck", str(config), "--plant", "maxi"]) == 2
    assert "no evidence of plant maxi; there is: none" in capsys.readouterr().err


def test_what_cannot_run(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fsck", str(home / "no.toml")]) == 2
    assert "cannot be read: No such file" in capsys.readouterr().err
    with closing(sqlite3.connect(home / FILE)) as sql, sql:
        sql.execute("UPDATE alembic_version SET version_num = '9999'")
    assert cli.main(["fsck", str(home / "CLOUD.toml")]) == 2
    assert "9999" in capsys.readouterr().err


def test_a_collector_that_runs_is_not_disturbed(
    good: tuple[WholePlant, Path], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(evidence_in(home)):
        assert cli.main(["fsck", str(home / "CLOUD.toml")]) == 0
        assert "SOUND  mini" in capsys.readouterr().out
        assert cli.main(["rebuild", str(home / "CLOUD.toml")]) == 2
        assert "another collector writes this database: stop that" in capsys.readouterr().err


def test_series_are_made_again_in_the_store_that_cloud_toml_names(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = home / "state/accumulated/mini.json"
    counted.parent.mkdir(parents=True)
    counted.write_text("{}")
    (home / "state").chmod(0o700)
    assert cli.main(["rebuild", str(home / "CLOUD.toml")]) == 0
    # this plant's frames name no configuration: its readings are in no bucket
    assert capsys.readouterr().out.startswith("mini: series made again through 2026-09-21T")
    assert (home / "state/series-00.db").exists()
    assert not counted.exists()
    assert cli.main(["fsck", str(home / "CLOUD.toml")]) == 0
    assert cli.main(["rebuild", str(home / "CLOUD.toml"), "--plant", "maxi"]) == 2
    assert "no evidence of plant maxi; there is: mini" in capsys.readouterr().err


def test_a_damaged_plant_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(home, "UPDATE checkpoint SET note = 'none'")
    assert cli.main(["rebuild", str(home / "CLOUD.toml")]) == 2
    assert "mini: plant mini in sqlite" in capsys.readouterr().err
