"""Whose a slice is: by its epoch, by its holder's word, and while its folder is away, nobody's."""

import os
import shutil
from pathlib import Path

import pytest

from cloud.errors import SliceLostError, StoreError
from cloud.store.slice import SliceStore
from evidence.log import decode_entry
from tests.unit.cloud.store.plant_examples import Example, enrolled, read_plant

EXAMPLE = Example()
KEY = EXAMPLE.signer.public_key


def test_whoever_was_replaced_writes_nothing_more(tmp_path: Path) -> None:
    """A lock server may give the lock to another while its holder was away: the epoch tells."""
    store, plant = EXAMPLE.open(tmp_path / "00")
    EXAMPLE.stage(plant, 0)
    before = (tmp_path / "00/mini/log/entries.seg").read_bytes()
    (tmp_path / "00/epoch").write_text("2\n")
    for lost in (store.commit, store.close):
        with pytest.raises(SliceLostError, match=r"taken over by .* \(epoch 2, here 1\)"):
            lost()
    assert (tmp_path / "00/mini/log/entries.seg").read_bytes() == before
    assert not (tmp_path / "00/mini/log/state").exists()


@pytest.mark.parametrize("put_back", ["nothing", "a backup of the plant", "an older copy of all"])
def test_a_folder_in_place_of_a_lost_one_is_not_ours(tmp_path: Path, put_back: str) -> None:
    """Its epochs begin again, or go on from an older one: at the very number that a holder has."""
    root, lost, copy = (tmp_path / name for name in ("00", "lost", "copy"))
    EXAMPLE.commit(root, 1)
    if put_back == "an older copy of all":
        shutil.copytree(root, copy)
    elif put_back == "a backup of the plant":
        shutil.copytree(root / "mini", copy / "mini")
    store, plant = EXAMPLE.open(root)
    EXAMPLE.stage(plant, 1)
    root.rename(lost)
    if copy.exists():
        copy.rename(root)
    other = SliceStore(root)
    while other.epoch < store.epoch:  # who takes it over dies, and another does
        other.close()
        other = SliceStore(root)
    assert other.epoch == store.epoch == 2
    enrolled(other, "mini", EXAMPLE.signer)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    for refused in (store.commit, store.close):
        with pytest.raises(SliceLostError, match=rf"taken over by process {os.getpid()} "):
            refused()
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    EXAMPLE.stage(other.plants["mini"], 0)
    EXAMPLE.stage(other.plants["mini"], 1)
    assert other.commit() == ([other.plants["mini"]], {})
    other.close()
    read_plant(root / "mini", KEY)


def test_where_a_folder_was_nothing_is_made_in_its_place(tmp_path: Path) -> None:
    """Its volume is away: what is made there would hide below it, or bar a backup's way."""
    store, plant = EXAMPLE.open(tmp_path / "00")
    EXAMPLE.stage(plant, 0)
    assert store.commit() == ([plant], {})
    (tmp_path / "00").rename(tmp_path / "away")
    EXAMPLE.stage(plant, 1)
    done, failed = store.commit()
    assert (done, failed.keys()) == ([], {"mini"})
    assert isinstance(failed["mini"], FileNotFoundError)
    assert not (tmp_path / "00").exists()
    (tmp_path / "away").rename(tmp_path / "00")  # it is back, and gateways send again
    EXAMPLE.stage(plant, 1)
    assert store.commit() == ([plant], {})
    (tmp_path / "00").rename(tmp_path / "away")
    with pytest.raises(StoreError, match="no snapshot written: No such file"):
        store.close()
    assert not (tmp_path / "00").exists()
    read_plant(tmp_path / "away/mini", KEY)


@pytest.mark.parametrize("put_there", ["nothing", "an older backup", "a longer log"])
def test_a_plants_folder_in_place_of_a_lost_one_is_not_written(
    tmp_path: Path, put_there: str
) -> None:
    """Restored beside a collector that runs: it is as it was put, and other plants go on."""
    root, copy = tmp_path / "00", tmp_path / "copy"
    EXAMPLE.commit(root, 1)
    if put_there != "nothing":
        shutil.copytree(root / "mini", copy)
    if put_there == "a longer log":
        EXAMPLE.commit(tmp_path / "longer", 3)
        shutil.rmtree(copy)
        (tmp_path / "longer/mini").rename(copy)
    store, plant = EXAMPLE.open(root)
    other = enrolled(store, "other", EXAMPLE.signer)
    EXAMPLE.stage(plant, 1)
    assert store.commit() == ([plant], {})
    (root / "mini").rename(tmp_path / "lost")
    if copy.exists():
        copy.rename(root / "mini")
    before = {path: path.read_bytes() for path in root.glob("mini/**/*") if path.is_file()}
    for batch, taken in enumerate((plant, other, plant, other)):
        EXAMPLE.stage(taken, 2 if taken is plant else batch // 2)
        done, failed = store.commit()
        assert (done, list(failed)) == (([], ["mini"]) if taken is plant else ([other], []))
        if failed:
            assert "mini: is not as this collector left it" in str(failed["mini"])
    store.close()
    assert {path: path.read_bytes() for path in root.glob("mini/**/*") if path.is_file()} == before
    assert (root / "mini").exists() is (put_there != "nothing")
    read_plant(root / "other", KEY)
    shutil.rmtree(root / "mini", ignore_errors=True)
    (tmp_path / "lost").rename(root / "mini")
    assert len(read_plant(root / "mini", KEY)["edge-a"]) == 6


def test_an_epoch_that_is_smaller_than_those_before_harms_nothing(tmp_path: Path) -> None:
    """It tells take-overs apart; nothing in evidence is judged by it."""
    for batch in range(3):
        if batch == 2:
            (tmp_path / "00/epoch").unlink()  # a backup has the plants' folders alone
        store, plant = EXAMPLE.open(tmp_path / "00")
        EXAMPLE.stage(plant, batch)
        assert store.commit() == ([plant], {})
        epochs = [decode_entry(data).epoch for _, data in plant.reader.entries()]
        store.close()
    assert epochs == [1] * 7 + [2] * 3 + [1] * 4
    found = read_plant(tmp_path / "00/mini", KEY)
    assert {name: len(objects) for name, objects in found.items()} == {"edge-a": 9, "edge-b": 4}
