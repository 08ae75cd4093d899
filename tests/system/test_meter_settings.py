"""Somebody changes a meter's CT ratio while it is read: signed, found, explained, and passed."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from simulators.demo_files import PLANT
from tests.system.playing import archive_frames, stackproof, verify
from tests.system.rig import Rig, running

STATED = """\
[[device.stated]]
setting = "ct_primary"
value = "400"
reason = "transformers replaced, work order 4711"
"""


def events(rig: Rig, archive: Path) -> list[dict[str, Any]]:
    found = (dict(event) for _, body in archive_frames(archive) for event in body.events)
    return [event for event in found if event["kind"] == "meter-settings"]


def closed(rig: Rig) -> Path:
    """The month so far, as an archive."""
    month = time.strftime("%Y-%m", time.gmtime(time.time() + 8 * 3600))
    where = "--plant", PLANT, "--month", month, "--out", str(rig.work / "desk")
    done = stackproof("cloud", "month", "close", str(rig.work / "cloud.toml"), "--interim", *where)
    assert done.returncode == 0, done.stderr
    (archive,) = (rig.work / "desk").glob(f"{PLANT}-{month}*.tar")
    moved = rig.work / f"{time.monotonic_ns()}.tar"
    return archive.rename(moved)


def alarms(rig: Rig) -> dict[str, str]:
    done = stackproof("edge", "status", str(rig.work / "site.toml"), "--json")
    return {alarm["name"]: alarm["sentence"] for alarm in json.loads(done.stdout)["alarms"]}


def restarted(rig: Rig) -> None:
    edge = rig.processes["edge"]
    edge.send_signal(signal.SIGTERM)
    edge.wait(20)
    rig.start("edge")


def settings_of_ac_1(rig: Rig, rounds: int) -> tuple[Path, list[dict[str, Any]]]:
    """The archive once it holds so many rounds of them, and they."""
    for _ in range(20):
        archive = closed(rig)
        found = [event for event in events(rig, archive) if event["device"] == "ac-1"]
        if len(found) >= rounds:
            return archive, found
        rig.wait_for_frames(2)
    raise AssertionError((rig.work / "edge.log").read_text())


@pytest.mark.timeout(300)
def test_a_ratio_changed_while_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restart, as after somebody was at the meter, reads it again."""
    change = ("--change", "1:ac-1.ct_primary=400", "--change", "1:ac-1.parameter_changes=4")
    for name, more in (("sim", change), ("edge", ())):
        _, *arguments = Rig.COMMANDS[name]
        monkeypatch.setitem(Rig.COMMANDS, name, ("tests.system.told", *arguments, *more))
    with running(tmp_path) as rig:
        log, site = rig.work / "edge.log", rig.work / "site.toml"
        first, (said,) = settings_of_ac_1(rig, 1)
        assert said["read"] == {
            "serial": "10482201", "firmware": "SIM-1.4", "ct_primary": "800", "ct_secondary": "5",
            "totaliser_resets": "0", "parameter_changes": "3",
        }  # fmt: skip
        assert verify(first)[1]["verdict"] == "passed"

        rig.processes["sim"].send_signal(signal.SIGUSR1)
        restarted(rig)
        rig.wait("the change", lambda: "ct_primary reads '400'" in log.read_text(), 60)
        rig.wait("the alarm", lambda: "meter-setting" in alarms(rig), 30)
        assert (
            "ac-1 ct_primary reads '400' A; before it was '800' A" in alarms(rig)["meter-setting"]
        )
        status, report = verify(settings_of_ac_1(rig, 2)[0])
        found = [f for f in report["findings"] if f["code"] == "E-METER-SETTING"]
        assert status == 1
        assert len(found) == 2, found
        assert "ac-1 ct_primary reads '400' A; before it was '800' A" in found[0]["sentence"]

        counter = STATED.replace("ct_primary", "parameter_changes").replace('"400"', '"4"')
        text = site.read_text()
        device = text.index('id = "ac-1"')
        after = text.index("[[device]]", device)
        site.write_text(f"{text[:after]}{STATED}{counter}\n{text[after:]}")
        assert stackproof("edge", "check", str(site)).returncode == 0
        restarted(rig)
        archive, _ = settings_of_ac_1(rig, 3)
        assert "meter-setting" not in alarms(rig)
        status, report = verify(archive)
        assert (status, report["verdict"]) == (3, "passed"), report["findings"]
        assert "NOT IDENTIFIED: no --trust" in report["headline"]
        notes = [f["sentence"] for f in report["findings"] if f["code"] == "N-METER-SETTING"]
        assert len(notes) == 2
        assert all(
            "→" in note and "explains it: transformers replaced, work order 4711" in note
            for note in notes
        )
