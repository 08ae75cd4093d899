"""Damage of stored evidence: an alarm at once when it is read, found by the walk otherwise."""

import json
import sqlite3
import sys
from contextlib import closing
from typing import Any

import pytest

from tests.integration.cloud.cloud_process import Cloud, run, wait
from tests.integration.cloud.running_collector import send_readings
from tests.unit.cloud.evidence_examples import T0_NS
from tests.unit.cloud.kept import FILE

#: the command with a walk that begins after a second, and again every two
SOON = """
import sys
import cloud.scrub
from cloud import cli
cloud.scrub.FIRST_S = {first_s}
cloud.scrub.RECHECK_NS = cloud.scrub.AGAIN_NS = 2 * 10**9
sys.exit(cli.main(sys.argv[1:]))
"""
#: the object that is altered: a frame of September
SEQ = 3
PLACE = f"edge-1/{SEQ}"


def begin(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, first_s: float) -> None:
    """A running collector with half a minute of frames."""
    assert T0_NS // 3600_000_000_000 == 497_222, "2026-09-21 14 h UTC"
    made = SOON.format(first_s=first_s)
    monkeypatch.setattr(
        "tests.integration.cloud.cloud_process.command",
        lambda *arguments: [sys.executable, "-c", made, *map(str, arguments)],
    )
    ready = cloud.start()
    send_readings(cloud, ready["broker"])


def flip(cloud: Cloud) -> None:
    """One bit in the middle of an object, as another program would; twice is none."""
    with closing(sqlite3.connect(cloud.folder / FILE)) as sql, sql:
        ((data,),) = sql.execute("SELECT data FROM object WHERE seq = ?", (SEQ,))
        bent = bytearray(data)
        bent[len(bent) // 2] ^= 1
        sql.execute("UPDATE object SET data = ? WHERE seq = ?", (bytes(bent), SEQ))


def status(cloud: Cloud) -> tuple[int, str]:
    told = run("status", cloud.config)
    return told.returncode, told.stdout


def scrub(cloud: Cloud) -> dict[str, Any]:
    """The walk as `cloud status --json` has it."""
    (row,) = json.loads(run("status", cloud.config, "--json").stdout)["health"]["scrub"]
    return dict(row)


def test_a_close_that_meets_damage_is_an_alarm_at_once(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(cloud, monkeypatch, 3600)
    assert "no alarms" in status(cloud)[1]
    flip(cloud)
    month = ("--plant", "mini", "--month", "2026-09", "--interim")
    assert run("month", "close", cloud.config, *month).returncode != 0
    said = wait(lambda: "ALARM" in status(cloud)[1] and status(cloud))
    assert said[0] == 1
    assert f"stored evidence is damaged: {PLACE} (month 2026-09; 1 place(s))" in said[1]
    assert "restore the database from a backup" in said[1]
    assert cloud.end()[0] == 0


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_walk_finds_what_nobody_reads_and_ends_its_alarm_after_the_repair(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(cloud, monkeypatch, 1)
    wait(lambda: scrub(cloud)["walked_ns"])
    code, said = status(cloud)
    assert code == 0, said
    assert "found 0" in said
    flip(cloud)
    code, said = wait(lambda: status(cloud) if status(cloud)[0] else None)
    assert "stored evidence is damaged: object/edge-1 (month 2026-09;" in said
    assert scrub(cloud)["findings"] == 1
    assert cloud.end()[0] == 0
    cloud.start()
    wait(lambda: "evidence is damaged" in status(cloud)[1])
    flip(cloud)
    wait(lambda: status(cloud)[0] == 0)
    assert scrub(cloud)["findings"] == 0
    assert cloud.end()[0] == 0
