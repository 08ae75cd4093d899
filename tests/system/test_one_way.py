"""A site without a way back, by its commands alone: objects go out as files, receipts home."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from simulators.demo_files import PLANT, TIME_ZONE, write_cloud_file, write_site_file
from tests.system.playing import SOUND, stackproof, verify
from tests.system.rig import Rig
from tests.unit.evidence.time_authority import TimeAuthority

#: some twenty commands, each a process, beside a whole plant
pytestmark = [pytest.mark.needs("openssl"), pytest.mark.timeout(300)]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Simulator, collector and an agent that reaches nobody."""
    made = Rig(tmp_path)
    keys = stackproof("keys", "new", "--out", str(tmp_path / "keys"), "--plant", PLANT,
                      "--gateway", "edge-1")  # fmt: skip
    assert keys.returncode == 0, keys.stderr
    write_cloud_file(tmp_path, archives=tmp_path / "archives", port=0)
    try:
        made.start("sim")
        log = tmp_path / "sim.log"
        made.wait("the simulator", lambda: "ready" in log.read_text(), 30)
        devices = json.loads(log.read_text().splitlines()[0])["devices"]
        site = write_site_file(tmp_path, devices, broker="nobody")
        site.write_text(site.read_text().replace('url = "nobody"', 'mode = "one-way"'))
        made.start("edge")
        made.start("cloud")
        made.wait("the collector", lambda: (tmp_path / "cloud/ready.json").exists(), 30)
        yield made
    finally:
        made.stop()


def run(*command: str | Path, status: int = 0) -> str:
    """Standard output of a command that ends with this status."""
    done = stackproof(*map(str, command))
    assert done.returncode == status, done.stderr + done.stdout
    return done.stdout


def spool(rig: Rig) -> dict[str, Any]:
    """How full the gateway's spool is; it holds nothing while there is none."""
    done = stackproof("edge", "status", str(rig.work / "site.toml"), "--json")
    return dict(json.loads(done.stdout)["spool"]) if done.stdout else {"head_seq": -1}


def export(rig: Rig, first: int, last: int, out: str = "carried") -> Path:
    (rig.work / out).mkdir(exist_ok=True)
    run("edge", "export", rig.work / "site.toml", "--from", str(first), "--to", str(last),
        "--out", rig.work / out)  # fmt: skip
    (bag,) = (rig.work / out).glob(f"{PLANT}-edge-1-{first}-{last}*")
    return bag


def test_objects_out_as_files_and_receipts_home_as_a_file(rig: Rig) -> None:
    def has_frames() -> bool:
        return rig.close_frame() and spool(rig)["head_seq"] >= 2

    rig.wait("frames in the spool", has_frames, 90)
    cloud, site = rig.work / "cloud.toml", rig.work / "site.toml"
    early, late = export(rig, 0, 0), export(rig, 1, 2)
    assert export(rig, 0, 0, "again").read_bytes() == early.read_bytes()

    told = run("cloud", "import", cloud, late, status=1)
    assert f"seq 0 to 0 of {PLANT}/edge-1 are missing and must come first" in told
    assert re.search(r"edge export SITE.toml --from 0 --to 0; then import this again", told)
    facts = json.loads(run("cloud", "import", cloud, early, late, early, "--json"))["imports"]
    assert [(f["accepted"], f["held"], f["next_seq"]) for f in facts] == [
        (1, 0, 1), (2, 0, 3), (0, 1, 3),
    ]  # fmt: skip
    assert f"{PLANT}/edge-1 seq 1 to 2: 0 accepted, 2 already held; seq 3 is next" in run(
        "cloud", "import", cloud, late
    )

    receipts = rig.work / "home.receipts"
    run("cloud", "receipts", "export", cloud, "--plant", PLANT, "--out", receipts)
    assert spool(rig)["receipted_seq"] == -1
    assert "freed up to seq 2" in run("edge", "receipts", "import", site, receipts)
    assert spool(rig)["receipted_seq"] == 2
    again = stackproof("edge", "export", str(site), "--from", "0", "--to", "2")
    assert "the spool holds seq 3 to" in again.stderr

    month = dt.datetime.now(ZoneInfo(TIME_ZONE)).strftime("%Y-%m")
    close = ["cloud", "month", "close", str(cloud), "--plant", PLANT, "--month", month]
    archive = run(*close, "--interim").strip()
    status, report = verify(Path(archive), "--trust", str(rig.work / "keys/root.crt"))
    assert status in SOUND, report
    (said,) = (f["sentence"] for f in report["findings"] if f["code"] == "N-NO-ANCHORS")
    assert "only the clocks say" in said
    assert report["counts"]["frames"] == 2  # seq 0 is the configuration

    authority, carried = TimeAuthority(rig.work / "authority"), rig.work / "carried"
    seal = ["cloud", "month", "seal", *close[3:]]
    run(*seal, "--tsa-request", carried / "seal.tsq")
    (carried / "seal.tsr").write_bytes(authority.answer((carried / "seal.tsq").read_bytes()))
    assert run(*seal, "--tsa-reply", carried / "seal.tsr").strip() == archive
    status, report = verify(
        Path(archive), "--trust", str(rig.work / "keys/root.crt"), "--tsa", str(authority.root)
    )
    assert status in SOUND, report
    assert not any(sentence.startswith("Time stamp") for sentence in report["not_checked"])
