"""`stackproof cloud fsck` and `rebuild`: what they print, how they end, what they never touch."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from cloud import cli
from cloud.commands.series import refill
from cloud.config import read_state_dir
from cloud.errors import StoreError
from cloud.store.disk import Disk
from cloud.store.known import remember
from tests.service_user import USER, needs_root
from tests.unit.cloud.store.whole_plant import PLANT, WholePlant

PROJECTIONS = ("log/entries.idx", "log/tree.bin", "log/state", "index/edge-a.idx")
UNPINNED = "not checked: whose roots these are; name CLOUD.toml"


def evidence_of(home: Path) -> Path:
    return home / "evidence" / "00" / PLANT


def files(folder: Path, *without: str) -> dict[str, bytes]:
    """Every file and its bytes."""
    found = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name not in without}


def spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x40
    path.write_bytes(data)


def asked(capsys: pytest.CaptureFixture[str], *order: str) -> tuple[int, dict[str, Any]]:
    status = cli.main([*order, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_sound_evidence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(home)
    assert cli.main(["fsck", str(home / "CLOUD.toml")]) == 0
    out = capsys.readouterr().out
    assert out.startswith("SOUND  mini: 22 log entries, 12 objects, ")
    assert "not checked" not in out
    status, facts = asked(capsys, "fsck", str(home / "CLOUD.toml"))
    assert (status, facts["sound"], facts["roots_pinned"], facts["absent"]) == (0, True, True, [])
    (plant,) = facts["plants"]
    assert (plant["plant"], plant["entries"], plant["findings"]) == ("mini", 22, [])
    assert plant["aside"] == {"files": 0, "signed": 0}
    assert files(home) == before


def test_cloud_toml_of_this_folder_is_the_default(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    assert cli.main(["fsck"]) == 0
    assert "SOUND  mini" in capsys.readouterr().out


@pytest.mark.parametrize("folder", ["evidence/00", "evidence/00/mini"])
def test_a_folder_says_that_its_roots_were_not_compared(
    home: Path, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    assert cli.main(["fsck", str(home / folder)]) == 0
    out = capsys.readouterr().out
    assert "SOUND  mini" in out
    assert UNPINNED in out


def test_a_plant_that_cloud_toml_does_not_name_vouches_for_itself(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that moved away, say: that its root was not compared was not told."""
    config = home / "CLOUD.toml"
    assert cli.main(["fsck", str(config)]) == 0
    assert UNPINNED not in capsys.readouterr().out
    config.write_text(config.read_text().partition("[[plant]]")[0])
    assert cli.main(["fsck", str(config)]) == 0
    assert UNPINNED in capsys.readouterr().out


def test_what_differs_is_printed_with_what_to_do(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(evidence_of(home) / "log/tree.bin")
    next((evidence_of(home) / "quarantine").glob("*.cose")).unlink()
    assert cli.main(["fsck", str(home / "CLOUD.toml")]) == 1
    out = capsys.readouterr().out
    assert out.startswith("DIFFERS  mini")
    assert "  tree-wrong  log/tree.bin: " in out
    assert "it can be made again: stop the collector and run stackproof cloud rebuild" in out
    assert "  quarantine-missing  quarantine/edge-a-1-" in out
    assert "put the file back from a backup" in out
    status, facts = asked(capsys, "fsck", str(home / "CLOUD.toml"))
    codes = [(f["code"], f["remedy"]) for f in facts["plants"][0]["findings"]]
    assert (status, facts["sound"]) == (1, False)
    assert sorted(codes) == [("quarantine-missing", "put_back"), ("tree-wrong", "rebuild")]


@pytest.mark.parametrize("left", ["", "log"])
def test_evidence_that_an_earlier_start_had_is_not_sound_when_it_is_gone(
    home: Path, capsys: pytest.CaptureFixture[str], left: str
) -> None:
    """A volume that is not mounted: it ended with 0, and no script saw it."""
    config = str(home / "CLOUD.toml")
    remember(read_state_dir(home / "CLOUD.toml"), {"mini", "of another slice"})
    assert cli.main(["fsck", config]) == 0
    shutil.rmtree(evidence_of(home))
    (evidence_of(home) / left).mkdir(parents=True)
    capsys.readouterr()
    assert cli.main(["fsck", config]) == 1
    assert f"GONE  {evidence_of(home)}: there was evidence" in capsys.readouterr().out
    status, facts = asked(capsys, "fsck", config)
    assert (status, facts["sound"], facts["gone"]) == (1, False, ["mini"])


def test_beside_a_collector(
    good: tuple[WholePlant, Path], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, _ = good[0].open(home / "evidence" / "00")
    assert cli.main(["fsck", str(home / "CLOUD.toml")]) == 0
    assert "a collector is writing: what lies behind" in capsys.readouterr().out
    assert cli.main(["rebuild", str(home / "CLOUD.toml")]) == 2
    assert "a slice has one collector: stop that one first" in capsys.readouterr().err
    store.close()


def test_what_there_is_not(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for order, words in (
        (["fsck", str(home / "mini")], "holds no evidence: name the folder of a slice"),
        (["fsck", str(home / "no.toml")], "cannot be read: No such file"),
        (["fsck", str(home / "CLOUD.toml"), "--plant", "maxi"], "no evidence of plant maxi; there"),
        (["rebuild", str(home / "CLOUD.toml"), "--plant", "maxi"], "there is: mini"),
    ):
        assert cli.main(order) == 2
        assert words in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_named(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = evidence_of(home) / "log/checkpoint"
    path.unlink()
    path.mkdir()
    for command in ("fsck", "rebuild"):
        assert cli.main([command, str(home / "CLOUD.toml")]) == 2
        assert "checkpoint: Is a directory\n" in capsys.readouterr().err


def test_a_name_ends_no_line_and_a_pipe_is_not_waited_for(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a backup that somebody brings: “SOUND” in a name looked like what fsck says."""
    stray = evidence_of(home) / "quarantine/x\nSOUND  mini\x1b[2J.cose"
    stray.write_bytes(b"")
    assert cli.main(["fsck", str(home / "CLOUD.toml")]) == 1
    said = capsys.readouterr().out
    assert "quarantine/x\\nSOUND  mini\\x1b[2J.cose: no log entry speaks of this" in said
    pipe = evidence_of(home) / "keys/x.crt"
    os.mkfifo(pipe)
    assert cli.main(["fsck", str(home / "CLOUD.toml")]) == 2
    assert f"{pipe}: " in capsys.readouterr().err


def test_a_plant_whose_evidence_is_gone_is_named(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(evidence_of(home))
    assert cli.main(["fsck", str(home / "CLOUD.toml")]) == 0
    out = capsys.readouterr().out
    assert out == (
        f"mini: no evidence under {home / 'evidence/00'} yet; if there was some, it is gone\n"
    )


# -- rebuild ---------------------------------------------------------------------------------------


def test_projections_are_made_again_to_the_byte(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = evidence_of(home)
    before = files(folder)
    for name in PROJECTIONS:
        spoil(folder / name)
    (folder / "index/edge-b.idx").unlink()
    assert cli.main(["rebuild", str(home / "CLOUD.toml")]) == 0
    out = capsys.readouterr().out
    assert out.startswith("mini: made again what 5 finding(s) named\nSOUND  mini")
    assert files(folder) == before
    status, facts = asked(capsys, "rebuild", str(home / "CLOUD.toml"))
    assert (status, facts["plants"][0]["rebuilt"]) == (0, 0)


@needs_root
@pytest.mark.parametrize("others", ["slice", "plant", "link"])
def test_root_makes_nothing_again_where_others_make_names(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], others: str
) -> None:
    """By a link of the service's it deleted, and wrote, in folders that are root's own."""
    slice_, folder, elsewhere = home / "evidence/00", evidence_of(home) / "index", tmp_path / "else"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    spoil(elsewhere / "edge-a.idx")
    before = files(elsewhere)
    if others == "link":  # to root's own folder, where anybody may make one: /tmp, say
        slice_.rename(tmp_path / "tmp")
        slice_.symlink_to(tmp_path / "tmp")
    os.chown(slice_ / PLANT if others == "plant" else slice_, USER, USER, follow_symlinks=False)
    assert cli.main(["rebuild", str(home / "CLOUD.toml"), "--series"]) == 2
    assert "run this as nobody (runuser -u nobody -- " in capsys.readouterr().err
    assert files(elsewhere) == before
    assert not (home / "state").exists()
    os.chown(slice_, 10_001, 10_001, follow_symlinks=False)  # a container's
    assert cli.main(["rebuild", str(home / "CLOUD.toml")]) == 2
    said = "run this as user 10001 (setpriv --reuid 10001 --regid 10001 --clear-groups stackproof"
    assert said in capsys.readouterr().err


def test_the_copy_of_a_rotate_object_is_made_again(
    good: tuple[WholePlant, Path], home: Path
) -> None:
    whole, folder = good[0], evidence_of(home)
    before = files(folder)
    copies = [p for p in folder.glob("keys/order-*.cose") if p.read_bytes() in whole.b.objects]
    for path in copies:
        spoil(path)
    assert len(copies) == 1
    assert cli.main(["rebuild", str(home / "CLOUD.toml")]) == 0
    assert files(folder) == before


def test_damaged_evidence_is_never_built_upon(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = evidence_of(home)
    spoil(folder / "frames/edge-a/2026-09-21/14.seg")
    spoil(folder / "log/tree.bin")
    before = files(folder)
    assert cli.main(["rebuild", str(home / "CLOUD.toml")]) == 2
    assert "is not rebuilt: its evidence is damaged: frames/edge-a" in capsys.readouterr().err
    assert files(folder) == before


def test_a_damaged_plant_is_named_and_keeps_no_other_from_being_made_again(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ended at the first one: those behind it stayed as they were, and unnamed."""
    folder, config = evidence_of(home), str(home / "CLOUD.toml")
    damaged = folder.with_name("a-works")
    shutil.copytree(folder, damaged)  # its checkpoint is another plant's
    (damaged / "index/edge-b.idx").unlink()
    before = files(folder), files(damaged)
    spoil(folder / "log/tree.bin")
    assert cli.main(["rebuild", config]) == 2
    told = capsys.readouterr()
    assert "mini: made again what 1 finding(s) named\nSOUND  mini: 22" in told.out
    assert f"{damaged}: is not rebuilt" in told.err
    assert (files(folder), files(damaged)) == before
    status = cli.main(["rebuild", config, "--series", "--json"])
    told = capsys.readouterr()
    facts = json.loads(told.out)
    assert (status, facts["sound"], [row["plant"] for row in facts["plants"]]) == (
        2,
        False,
        ["mini"],
    )
    assert f"{damaged}: is not rebuilt" in told.err
    assert "mini: series made again through" in told.err


def test_what_lies_behind_the_checkpoint_stays(
    good: tuple[WholePlant, Path], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A torn tail is the next start's business, whatever else has to be made again."""
    folder = evidence_of(home)
    tails = ("log/entries.seg", "frames/edge-a/2026-09-21/17.seg")
    for name in tails:
        with (folder / name).open("ab") as file:
            file.write(b"SPR1\x09")
    spoil(folder / "log/tree.bin")
    before = files(folder, "log/tree.bin")
    assert cli.main(["rebuild", str(home / "CLOUD.toml")]) == 1
    assert capsys.readouterr().out.count("torn-tail") == len(tails)
    assert files(folder, "log/tree.bin") == before
    store, plant = good[0].open(home / "evidence/00")
    assert plant.reader.size == 22
    store.close()
    assert cli.main(["fsck", str(home / "CLOUD.toml")]) == 0


def test_a_rebuild_that_breaks_off_is_made_good_by_the_next_start(
    good: tuple[WholePlant, Path], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = evidence_of(home)
    before = files(folder)
    spoil(folder / "log/tree.bin")

    def refuse(_self: Disk) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as refusing:
        refusing.setattr(Disk, "sync", refuse)
        assert cli.main(["rebuild", str(home / "CLOUD.toml")]) == 2
    assert files(folder) != before
    store, _ = good[0].open(home / "evidence/00")
    store.close()
    leftovers = {name for name in files(folder) if name.endswith(".new")}
    assert files(folder, *leftovers) == {k: v for k, v in before.items() if k not in leftovers}


# -- series ----------------------------------------------------------------------------------------


def test_series_are_made_again_in_the_store_that_cloud_toml_names(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(home / "evidence", "00/lock")  # it holds the slice meanwhile
    assert cli.main(["rebuild", str(home / "CLOUD.toml"), "--series"]) == 0
    # this plant's frames name no configuration: its readings are in no bucket
    assert capsys.readouterr().out.startswith("mini: series made again through 2026-09-21T")
    assert (home / "state" / "series-00.db").exists()
    assert (home / "state").stat().st_mode & 0o777 == 0o700, "as the collector makes it"
    assert files(home / "evidence", "00/lock") == before
    assert cli.main(["rebuild", str(evidence_of(home)), "--series"]) == 2
    assert "--series needs CLOUD.toml" in capsys.readouterr().err
    (evidence_of(home) / "log/state").unlink()
    with pytest.raises(StoreError, match="no state of a clean stop"):
        list(refill(home / "CLOUD.toml", {PLANT: evidence_of(home)}))
