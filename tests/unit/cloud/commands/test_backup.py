"""`stackproof cloud backup` and `restore`: as committed, checked, and over nothing."""

import errno
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cloud import cli
from cloud.collector.intake import Intake
from cloud.collector.topics import Sender
from cloud.config import load_cloud
from cloud.store import copying
from cloud.store.fsck import Checked, check_plant
from cloud.store.slice import SliceStore
from evidence.keys import generate, write_private
from evidence.records import encode_record
from tests.service_user import USER, given, needs_root, not_given
from tests.unit.cloud.commands.test_store import evidence_of, files, spoil
from tests.unit.cloud.evidence_examples import (
    CLOUD_HEAD,
    CLOUD_PLANT,
    SECOND_NS,
    T0_NS,
    ExamplePlant,
    ManualClock,
    make_plant,
)
from tests.unit.cloud.kept import kept_in
from tests.unit.cloud.store.plant_examples import read_plant
from tests.unit.cloud.store.whole_plant import PLANT, WholePlant


def refused(capsys: pytest.CaptureFixture[str], *order: object) -> str:
    assert cli.main([*map(str, order)]) == 2
    return capsys.readouterr().err


def moved_to(plant: ExamplePlant, folder: Path) -> Path:
    """CLOUD.toml of another collector, of another slice and with another key of its own."""
    folder.mkdir()
    key = generate()
    write_private(folder / "collector.pem", key)
    plant.certify("collector", "collector", key.public_key(), "other.crt")
    text = (CLOUD_HEAD + CLOUD_PLANT).replace('"file:mini/', '"file:../mini/')
    text = text.replace("../mini/collector.pem", "collector.pem").replace('"00"', '"01"')
    (folder / "CLOUD.toml").write_text(text.replace("mini/collector.crt", "mini/other.crt"))
    return folder / "CLOUD.toml"


def test_there_and_back(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A whole plant, with what a commit that did not end has left; the copy has none of that."""
    before, out = files(evidence_of(home), "log/checkpoint.new"), tmp_path / "out"
    evidence_of(home).chmod(0o750)  # as under the unit's mask
    entries = evidence_of(home) / "log/entries.seg"
    entries.write_bytes(entries.read_bytes() + b"torn")
    segment = max((evidence_of(home) / "frames/edge-a").rglob("*.seg"))
    segment.write_bytes(segment.read_bytes() + bytes(99))
    aside = evidence_of(home) / "aside/edge-a-0000000099-0000000099-0123456789abcdef.seg"
    aside.parent.mkdir(0o700)
    aside.write_bytes(encode_record(b"set aside by a start"))
    before["aside/" + aside.name] = aside.read_bytes()
    (evidence_of(home) / "records/0.new").write_bytes(b"laid")
    (evidence_of(home) / f"records/{'0' * 64}.cose").write_bytes(b"named, and not logged")
    assert cli.main(["backup", PLANT, str(home / "CLOUD.toml"), "--out", str(out)]) == 0
    assert f"backed up {PLANT}: 22 log entries, 12 objects" in capsys.readouterr().out
    assert stat.S_IMODE((out / PLANT).stat().st_mode) == 0o750
    assert files(out / PLANT) == before
    assert "is there already" in refused(capsys, "backup", PLANT, home / "CLOUD.toml", "--out", out)
    assert "is there already" in refused(capsys, "restore", out / PLANT, home / "CLOUD.toml")
    shutil.rmtree(evidence_of(home))
    assert cli.main(["restore", str(out / PLANT), str(home / "CLOUD.toml")]) == 0
    assert files(evidence_of(home)) == before
    assert stat.S_IMODE(evidence_of(home).stat().st_mode) == 0o750
    assert stat.S_IMODE(aside.parent.stat().st_mode) == 0o700
    capsys.readouterr()
    assert cli.main(["fsck", str(home / "CLOUD.toml")]) == 0
    assert "  1 signed objects wait in 1 files of aside/" in capsys.readouterr().out
    assert [path.name for path in out.iterdir()] == [PLANT]


def test_what_a_checkpoint_without_its_name_speaks_of_is_not_left_behind(
    home: Path,
    good: tuple[WholePlant, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The power went: its exchange did not last, and gateways have freed what it has."""
    log, out = evidence_of(home) / "log", tmp_path / "out"
    (log / "state").unlink()  # of the clean stop; there is none after each commit
    (log / "checkpoint").rename(log / "was")
    (log / "checkpoint.new").rename(log / "checkpoint")
    (log / "was").rename(log / "checkpoint.new")
    other = shutil.copytree(home, tmp_path / "other", ignore=shutil.ignore_patterns("evidence"))
    backup = ["backup", PLANT, evidence_of(home).parent, "--out", out]
    for order in (backup, ["restore", evidence_of(home), other / "CLOUD.toml"]):
        said = refused(capsys, *order)
        assert "a checkpoint of 22 log entries lies beside that of 19" in said
        assert "start a collector with this folder itself once" in said
    assert not out.exists() or [*out.iterdir()] == []
    monkeypatch.setattr("cloud.store.copying.COMMIT_S", 0.3)
    others = SliceStore(evidence_of(home).parent)  # the collector goes on, this plant moves
    assert "may have been told" in refused(capsys, *backup)
    others.close()
    store, plant = good[0].open(evidence_of(home).parent)  # which is that start
    assert plant.state.size == 22
    store.close()
    assert cli.main([*map(str, backup)]) == 0
    assert f"backed up {PLANT}: 22 log entries, 12 objects" in capsys.readouterr().out


@pytest.mark.parametrize("order", ["backup", "restore"])
def test_half_a_copy_does_not_keep_a_full_disk_full(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    order: str,
) -> None:
    """Least of all the collector's own; and one that was killed is no plant of the slice."""
    config, out = home / "CLOUD.toml", tmp_path / "out"
    asked = ["backup", PLANT, config, "--out", out]
    if order == "restore":
        assert cli.main([*map(str, asked)]) == 0
        shutil.rmtree(evidence_of(home))
        asked, out = ["restore", out / PLANT, config], evidence_of(home).parent
    before, real, written = files(home), os.pwrite, 0

    def full(file: int, data: bytes, at: int) -> int:
        nonlocal written
        written += len(data)
        if written > 2_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(file, data, at)

    with monkeypatch.context() as refusing:
        refusing.setattr(os, "pwrite", full)
        assert "No space left on device" in refused(capsys, *asked)
    assert files(home) == before
    assert [path.name for path in out.glob("*/")] == []
    assert cli.main([*map(str, asked)]) == 0
    half = evidence_of(home).with_name(f".{PLANT}.unfinished")
    shutil.copytree(evidence_of(home) / "log", half / PLANT / "log")
    capsys.readouterr()
    assert cli.main(["fsck", str(config)]) == 0
    assert capsys.readouterr().out.count("SOUND") == 1


def test_one_copy_to_a_place_at_a_time(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Said again while the first still runs: that one named what the other had half written."""
    out = tmp_path / "out"
    order = ["backup", PLANT, str(home / "CLOUD.toml"), "--out", str(out)]
    told = list[str]()

    def check(*given: Any, **named: Any) -> Checked:
        with monkeypatch.context() as patched:
            patched.setattr("cloud.commands.backup.check_plant", check_plant)
            before = files(out)
            told.append(refused(capsys, *order))
            assert files(out) == before
        return check_plant(*given, **named)

    monkeypatch.setattr("cloud.commands.backup.check_plant", check)
    assert cli.main(order) == 0
    assert "another copy to it runs just now" in told[0]
    assert [path.name for path in out.iterdir()] == [PLANT]


@needs_root
def test_what_root_restores_is_the_collectors(home: Path, tmp_path: Path) -> None:
    """Under its unit the collector is not root: it could not write on."""
    out, evidence = tmp_path / "out", home / "evidence"
    assert cli.main(["backup", PLANT, str(home / "CLOUD.toml"), "--out", str(out)]) == 0
    shutil.rmtree(evidence)
    evidence.mkdir()
    given(evidence)
    assert cli.main(["restore", str(out / PLANT), str(home / "CLOUD.toml")]) == 0
    assert not_given(evidence) == []
    assert (out / PLANT).stat().st_uid == 0


@needs_root
def test_where_root_restores_a_service_leads_nothing_elsewhere(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may put there, and move away, what it likes: root wrote evidence over /etc/passwd."""
    out, slice_, victim = tmp_path / "out", evidence_of(home).parent, tmp_path / "victim"
    assert cli.main(["backup", PLANT, str(home / "CLOUD.toml"), "--out", str(out)]) == 0
    before, half = files(evidence_of(home), "log/checkpoint.new"), f".{PLANT}.unfinished"
    shutil.rmtree(evidence_of(home))
    victim.write_text("root's own")
    (slice_ / half).mkdir()
    (slice_ / half).chmod(0o777)
    given(home / "evidence")
    into = f"{half}/{PLANT}/log"
    laid = f"mkdir -p {into}; ln -s {victim} {into}/checkpoint; ln -s {victim} {into}/entries.seg"
    script = f"({laid}); mv {half} away; {laid}"
    copy_log, tried = copying._copy_log, list[bool]()

    def raced(*given: Any) -> None:
        subprocess.run(
            ["/bin/sh", "-c", script], cwd=slice_, user=USER, group=USER, extra_groups=[],
            check=False, capture_output=True,
        )  # fmt: skip
        tried.append((slice_ / into / "checkpoint").is_symlink())
        copy_log(*given)

    monkeypatch.setattr(copying, "_copy_log", raced)
    assert cli.main(["restore", str(out / PLANT), str(home / "CLOUD.toml")]) == 0
    assert tried == [True]
    assert (victim.read_text(), victim.stat().st_uid) == ("root's own", 0)
    assert files(evidence_of(home)) == before
    assert not_given(evidence_of(home)) == []
    assert not (slice_ / "away" / PLANT).exists()


@pytest.mark.parametrize("part", ["log/entries.seg", "log/checkpoint", "index/edge-a.idx"])
def test_what_is_not_sound_is_no_backup(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], part: str
) -> None:
    spoil(evidence_of(home) / part)
    out = tmp_path / "out"
    refused(capsys, "backup", PLANT, home / "CLOUD.toml", "--out", out)
    assert not (out / PLANT).exists()


def test_a_restore_names_its_plant_and_believes_its_root(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cli.main(["backup", PLANT, str(home / "CLOUD.toml"), "--out", str(out)]) == 0
    assert "name CLOUD.toml" not in capsys.readouterr().out
    other = tmp_path / "other"
    other.mkdir()
    make_plant(other)  # of the same name, and another root
    (other / "CLOUD.toml").write_text(CLOUD_HEAD + CLOUD_PLANT)
    assert "was not copied" in refused(capsys, "restore", out / PLANT, other / "CLOUD.toml")
    (out / PLANT).rename(out / "works")
    assert "has no plant works" in refused(capsys, "restore", out / "works", home / "CLOUD.toml")
    assert not evidence_of(other).exists()


def test_beside_a_collector_and_on_at_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Copied in the middle of a commit; another slice with another key goes on."""
    plant = make_plant(tmp_path)
    gateway = plant.gateways["edge-1"]
    gateway.config()
    for n in range(6):
        gateway.frame(T0_NS + n * SECOND_NS)
    (tmp_path / "CLOUD.toml").write_text(CLOUD_HEAD + CLOUD_PLANT)
    intake = Intake(SliceStore(tmp_path / "evidence/00"), ManualClock(), plant.collector)
    intake.open(plant.identity())
    intake.commit()
    sender = Sender(PLANT, "edge-1")
    for data in gateway.objects[:3]:
        intake.take(sender, data, 0)
    intake.commit()
    intake.take(sender, gateway.objects[3], 0)
    store = intake.store.plants[PLANT]
    store.write_objects()
    store.write_log()  # all is written but the checkpoint that speaks of it
    ended = intake.store._disk.publish  # what the collector does next
    monkeypatch.setattr("cloud.store.copying.time.sleep", lambda _: ended())
    order = ["backup", PLANT, str(tmp_path / "CLOUD.toml"), "--out", str(tmp_path / "out")]
    assert cli.main(order) == 0
    assert "6 log entries, 3 objects" in capsys.readouterr().out
    intake.store.close()
    moved = moved_to(plant, tmp_path / "moved")
    assert cli.main(["restore", str(tmp_path / "out" / PLANT), str(moved)]) == 0
    capsys.readouterr()
    config = load_cloud(moved)
    there = Intake(SliceStore(config.evidence_dir / "01"), ManualClock(), config.signer)
    there.open(config.plants[0])
    for data in gateway.objects[3:]:
        there.take(sender, data, 0)
    there.commit()
    there.store.close()
    held = read_plant(config.evidence_dir / "01" / PLANT, config.signer.public_key)
    assert held["edge-1"] == gateway.objects
    assert cli.main(["fsck", str(moved)]) == 0


def test_all_of_a_collector_in_one_go_and_one_that_cannot_be_copied_keeps_no_other(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A night's recipe named one plant: one that came later was in no copy, and nobody was told."""
    config, out, is_dir = home / "CLOUD.toml", tmp_path / "out", Path.is_dir
    shutil.copytree(evidence_of(home), evidence_of(home).with_name("second"))  # of no root of ours

    def refused(path: Path) -> bool:
        if "second" in path.parts[:-1]:  # as root's own, which a person has put there
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return is_dir(path)

    monkeypatch.setattr(Path, "is_dir", refused)
    kept_in(home / "state")
    assert cli.main(["backup-all", str(config), "--out", str(out)]) == 2
    said = capsys.readouterr()
    told = [line for line in said.out.splitlines() if not line.startswith("not checked")]
    assert [line.partition(":")[0] for line in told] == [
        f"backed up {PLANT}", "backed up kept.db",
    ]  # fmt: skip
    assert said.err.startswith("NOT backed up: second: ")
    assert sorted(path.name for path in out.iterdir()) == [PLANT, "state"]
    assert files(out / PLANT) == files(evidence_of(home), "log/checkpoint.new")
    evidence_of(home).with_name("second").rename(evidence_of(home).with_name("state"))
    assert cli.main(["backup-all", str(config), "--out", str(tmp_path / "named")]) == 2
    assert (tmp_path / "named/state_/kept.db").exists(), "beside a plant of that name"
    shutil.rmtree(evidence_of(home).with_name("state"))
    assert cli.main(["backup-all", str(config), "--out", str(tmp_path / "next")]) == 0
    capsys.readouterr()
    shutil.rmtree(evidence_of(home))
    assert cli.main(["backup-all", str(config), "--out", str(tmp_path / "gone")]) == 0
    assert f"{PLANT}: has no evidence yet" in capsys.readouterr().out
    (home / "state" / "evidence.known").write_text(f"{PLANT}\n")
    assert cli.main(["backup-all", str(config), "--out", str(tmp_path / "later")]) == 2
    assert "there was evidence at an earlier start" in capsys.readouterr().err
