"""An older checkpoint is put back, and nobody can tell: what is cut is in aside/ before.

What is there is read by the format's own code; how it comes back is tests/unit/cloud/collector/
test_brought_back.py.
"""

import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from cloud.errors import StoreError
from cloud.store import aside as aside_module
from cloud.store.fsck import check_plant
from cloud.store.fsck_findings import Remedy
from evidence.archive.export import ExportReader
from evidence.keys import certificate_to_pem
from evidence.records import encode_record, read_records
from tests.unit.cloud.store.forgetful import EndOfPower, ForgetfulDisk
from tests.unit.cloud.store.plant_examples import read_plant
from tests.unit.cloud.store.whole_plant import COMMITS, PLANT, SCANS, WholePlant

#: commits that the checkpoint put back speaks of: of each gateway the configuration and a frame,
#: and of edge-a the frame after its gap
BEFORE = 2
LEFT = {"edge-a": 3, "edge-b": 2}
LOST = {Remedy.RESTORE, Remedy.WHOLE, Remedy.PUT_BACK}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> WholePlant:
    return WholePlant(tmp_path_factory.mktemp("keys"))


def killed(whole: WholePlant, root: Path, before: int, commits: int) -> Path:
    """As SIGKILL leaves a collector's evidence, with a checkpoint of some commits before."""
    store, plant = whole.open(root / "live")
    notes = []
    for commit in range(commits):
        whole.stage(plant, commit)
        assert store.commit() == ([plant], {})
        notes.append(plant.reader.checkpoint)
    shutil.copytree(root / "live", root / "killed")
    store.close()
    log = root / "killed" / PLANT / "log"
    (log / "checkpoint").write_text(notes[before])
    (log / "checkpoint.new").unlink()
    return root / "killed"


@pytest.fixture(scope="module")
def put_back(whole: WholePlant, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nothing but entries and objects says that there was a newer checkpoint."""
    return killed(whole, tmp_path_factory.mktemp("put-back"), BEFORE, COMMITS)


def start(whole: WholePlant, root: Path) -> Sequence[str]:
    """A start and a clean stop; what it said."""
    store, plant = whole.open(root)
    store.close()
    return plant.recovery.notes


def spools(root: Path) -> Iterator[tuple[str, int, bytes]]:
    """(stream, seq, bytes) of each object in aside/."""
    for path in sorted((root / PLANT / "aside").glob("*.tar")):
        with path.open("rb") as file:
            for header, data in ExportReader(file).objects():
                yield header.stream, header.seq, data


def certified(whole: WholePlant, root: Path) -> Mapping[str, set[str]]:
    """Stream -> names of the certificates of the keys that signed what is in aside/ of it."""
    files = {path.read_bytes(): path.name for path in whole.keys.folder.glob("*.crt")}
    found = dict[str, set[str]]()
    for path in (root / PLANT / "aside").glob("*.tar"):
        with path.open("rb") as file:
            export = ExportReader(file)
            names = {files[certificate_to_pem(one)] for one in export.certificates}
            found.setdefault(export.span.stream, set()).update(names)
    return found


def signed(whole: WholePlant) -> Counter[bytes]:
    """All that is signed, once: of gateways, the root and a person."""
    objects = [*whole.a.objects, *whole.b.objects, whole.fork, whole.order, whole.document]
    return Counter([*objects, *SCANS])


def there(root: Path) -> Counter[bytes]:
    """What is in its place or in aside/, and how often."""
    plant, found = root / PLANT, Counter[bytes]()
    for path in plant.glob("frames/*/*/*.seg"):
        found.update(read_records(path.read_bytes()))
    for name in ("quarantine/*.cose", "keys/*.cose", "records/*", "aside/*"):
        found.update(p.read_bytes() for p in plant.glob(name) if p.suffix not in (".tar", ".new"))
    found.update(data for _, _, data in spools(root))
    return found


def test_what_is_cut_is_set_aside_as_exported_spools(
    whole: WholePlant, put_back: Path, tmp_path: Path
) -> None:
    root = tmp_path / "s"
    shutil.copytree(put_back, root)
    notes = start(whole, root)
    held = read_plant(root / PLANT, whole.keys.collector.public_key)
    objects = {"edge-a": whole.a.objects, "edge-b": whole.b.objects}
    assert held == {name: objects[name][:count] for name, count in LEFT.items()}
    found = list(spools(root))
    for name, count in LEFT.items():
        cut = [(name, seq, data) for seq, data in enumerate(objects[name]) if seq >= count]
        assert [one for one in found if one[0] == name and one[2] != whole.fork] == cut
    assert ("edge-a", 1, whole.fork) in found
    aside = root / PLANT / "aside"
    assert certified(whole, root) == {
        "edge-a": {"edge-a.crt"},
        "edge-b": {"edge-b.crt", "next.crt"},
    }
    others = {path.read_bytes() for path in aside.iterdir() if path.suffix != ".tar"}
    assert others == {whole.document, *SCANS}
    assert all(any(path.name in note for note in notes) for path in aside.glob("*.tar"))
    assert not [f for f in whole.findings(root) if f.fault.remedy in LOST]


def test_it_is_its_owners_alone(whole: WholePlant, put_back: Path, tmp_path: Path) -> None:
    root = tmp_path / "s"
    shutil.copytree(put_back, root)
    mask = os.umask(0)
    try:
        start(whole, root)
    finally:
        os.umask(mask)
    aside = root / PLANT / "aside"
    assert aside.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in aside.glob("*.tar")} == {0o600}


def test_what_comes_again_is_removed_from_aside(
    whole: WholePlant, put_back: Path, tmp_path: Path
) -> None:
    """All but a document and a fork that nobody sends again."""
    root = tmp_path / "s"
    shutil.copytree(put_back, root)
    start(whole, root)
    aside = root / PLANT / "aside"
    left = {p.name for p in aside.iterdir()}
    store, plant = whole.open(root)
    for commit in (4, 5):  # of edge-b, whose frame before is not there, nothing
        for gateway, seq, kind, t0_ns in [*whole.places[3], *whole.places[commit]]:
            if gateway is whole.a and seq >= plant.stream("edge-a").next_seq:
                whole._take(plant, gateway, seq, kind, t0_ns)
    store.commit()
    store.close()
    notes = start(whole, root)
    gone = left - {p.name for p in aside.iterdir()}
    assert [name for name in left if name.startswith("edge-a-0000000003-")] == sorted(gone)
    assert notes == [f"aside/{name}: is in the log now, removed" for name in gone]
    store, plant = whole.open(root)
    for commit in range(COMMITS):
        whole.stage(plant, commit)
        store.commit()
    store.close()
    start(whole, root)
    assert not aside.exists(), "it bars other users from fsck and backup"
    assert whole.findings(root) == []


def test_another_object_of_the_same_seq_does_not_remove_it(
    whole: WholePlant, put_back: Path, tmp_path: Path
) -> None:
    """The log has some object at each seq, but not this one."""
    root = tmp_path / "s"
    shutil.copytree(put_back, root)
    start(whole, root)
    forked = [path for path in (root / PLANT / "aside").glob("edge-a-0000000001-*")]
    assert len(forked) == 1
    start(whole, root)
    assert forked[0].exists()


def test_starts_that_are_killed_again_and_again_set_aside_each_object_once(
    whole: WholePlant, tmp_path: Path
) -> None:
    """Each time one more commit had not ended: aside/ grows by what is new alone."""
    aside = tmp_path / "aside"
    for commits in range(3, COMMITS + 1):
        root = killed(whole, tmp_path / str(commits), 1, commits)
        if aside.exists():
            shutil.copytree(aside, root / PLANT / "aside")
        start(whole, root)
        start(whole, root)
        aside = root / PLANT / "aside"
    found = Counter(data for _, _, data in spools(root))
    assert found == Counter([*whole.a.objects[2:], *whole.b.objects[2:], whole.fork])
    assert [path.read_bytes() for path in aside.glob("order-*.cose")] == [whole.order]


def test_a_damaged_spool_counts_for_nothing_and_stays(
    whole: WholePlant, put_back: Path, tmp_path: Path
) -> None:
    """What it held is set aside again while it is there, and the log's own word ends neither."""
    root = tmp_path / "s"
    shutil.copytree(put_back, root)
    aside = root / PLANT / "aside"
    aside.mkdir()
    rotten = aside / "edge-a-0000000000-0000000002-0123456789abcdef.tar"
    rotten.write_bytes(b"rotten")
    start(whole, root)
    found = [path for path in aside.glob("*.tar") if path != rotten]
    assert rotten.exists()
    waits = check_plant(PLANT, root / PLANT, whole.trusted, is_quiet=lambda: True).waiting
    gateways = [*whole.a.objects[3:], *whole.b.objects[2:], whole.fork]
    beside = [whole.document, *SCANS]
    assert waits.signed == len(gateways) + len(beside) + 1
    assert waits.files == len(found) + len(beside) + 1


def test_a_clean_start_makes_no_folder(whole: WholePlant, tmp_path: Path) -> None:
    whole.commit(tmp_path / "s")
    assert start(whole, tmp_path / "s") == []
    assert not (tmp_path / "s" / PLANT / "aside").exists()


def test_whole_objects_behind_torn_bytes_are_set_aside(
    whole: WholePlant, put_back: Path, tmp_path: Path
) -> None:
    root = tmp_path / "s"
    shutil.copytree(put_back, root)
    (segment,) = (root / PLANT / "frames/edge-b").glob("*/15.seg")
    data = segment.read_bytes()
    torn = encode_record(whole.b.objects[4])[:-1] + b"SPR1 and a half"
    segment.write_bytes(torn + data)
    start(whole, root)
    found = [(seq, held) for name, seq, held in spools(root) if name == "edge-b"]
    assert found == list(enumerate(whole.b.objects))[2:]


def test_without_the_gateways_certificate_they_are_kept_bare_until_it_is_there(
    whole: WholePlant, put_back: Path, tmp_path: Path
) -> None:
    """An exported spool names one; keys/ was put back from before as well, say."""
    root = tmp_path / "s"
    shutil.copytree(put_back, root)
    keys, aside = root / PLANT / "keys", root / PLANT / "aside"
    away = {path: path.read_bytes() for path in keys.glob("gateway-edge-a-*.crt")}
    for path in away:
        path.unlink()
    start(whole, root)
    bare = sorted(aside.glob("*.seg"))
    held = [data for path in bare for data in read_records(path.read_bytes())]
    assert held == [whole.fork, *whole.a.objects[3:]]
    start(whole, root)
    assert sorted(aside.glob("*.seg")) == bare
    for path, data in away.items():
        path.write_bytes(data)
    start(whole, root)
    assert list(aside.glob("*.seg")) == []
    found = [data for name, _, data in spools(root) if name == "edge-a"]
    assert found == [whole.fork, *whole.a.objects[3:]]


def test_files_are_bounded(
    whole: WholePlant, put_back: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "s"
    shutil.copytree(put_back, root)
    monkeypatch.setattr(aside_module, "FILE_BYTES_MAX", 1)
    start(whole, root)
    names = [path.name[:21] for path in sorted((root / PLANT / "aside").glob("edge-b-*.tar"))]
    assert names == [f"edge-b-{seq:010}-{seq:04}"[:21] for seq in range(2, len(names) + 2)]
    assert len(names) == len(whole.b.objects) - 2


# -- full disks and power cuts --------------------------------------------------------------------


@pytest.fixture
def only_forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the disk that forgets knows of syncs."""
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda _file: None)


#: of the calls of a start a short run tries one in so many, the long one each
STEP = 3
FIRST = [0, *(pytest.param(first, marks=pytest.mark.long) for first in range(1, STEP))]


@pytest.mark.usefixtures("only_forgetful")
@pytest.mark.parametrize("first", FIRST)
def test_where_the_disk_is_full_nothing_is_cut(
    whole: WholePlant, put_back: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """At each call of a start in turn; the next one, with room, goes on."""
    root, entries, said = tmp_path / "s", f"{PLANT}/log/entries.seg", 0
    for refused in range(first, 1000, STEP):
        shutil.copytree(put_back, root)
        disk = ForgetfulDisk(root, 1000, refused)
        try:
            with disk.watching(monkeypatch):
                start(whole, root)
            break
        except StoreError as error:
            disk.abandon()
            if "cannot be set aside: No space left on device. Nothing was cut" in str(error):
                said += 1
                assert (root / entries).read_bytes() == (put_back / entries).read_bytes()
                assert list(spools(root)) == []
        start(whole, root)
        assert not signed(whole) - there(root)
        shutil.rmtree(root)
    assert said


@pytest.mark.usefixtures("only_forgetful")
@pytest.mark.parametrize("first", FIRST)
def test_without_power_at_any_call_nothing_is_lost_and_nothing_is_twice(
    whole: WholePlant, put_back: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """Not even of what lies in aside/ and is in its place still, when a start has ended."""
    dice, root, was_cut = random.Random(first), tmp_path / "s", False
    for calls in range(first, 1000, STEP):
        shutil.copytree(put_back, root)
        disk = ForgetfulDisk(root, calls)
        try:
            with disk.watching(monkeypatch):
                start(whole, root)
        except (EndOfPower, StoreError):
            disk.abandon()
        disk.cut_power(dice)
        assert not signed(whole) - there(root), calls
        was_cut |= bool(list(spools(root))) and disk.left == 0
        start(whole, root)
        assert there(root) == signed(whole), calls
        shutil.rmtree(root)
        if disk.left > 0:
            break
    assert was_cut
