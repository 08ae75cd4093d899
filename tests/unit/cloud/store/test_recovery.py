"""A start after a crash or damage, at every place a file can be cut."""

import itertools
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cloud.errors import DamagedLogError
from cloud.store.record_file import size_of
from cloud.store.slice import SliceStore
from evidence import cbor, checkpoint
from evidence.keys import FileSigner, generate
from evidence.log import Entry, Kind, decode_entry, encode_entry
from evidence.records import HEAD_BYTES, encode_record, read_records
from tests.unit.cloud.evidence_examples import HOUR_NS, SECOND_NS, T0_NS
from tests.unit.cloud.store.plant_examples import Example, read_plant

EXAMPLE = Example()
KEY = EXAMPLE.signer.public_key
DERIVED = ("index/edge-a.idx", "index/edge-b.idx", "log/entries.idx", "log/tree.bin", "log/state")
TRUTH = (
    "log/entries.seg",
    "frames/edge-a/1970-01-01/00.seg",
    "frames/edge-a/2026-09-21/14.seg",
    "frames/edge-a/2026-09-21/15.seg",
    "frames/edge-a/2026-09-21/17.seg",
    "frames/edge-b/2026-09-21/14.seg",
)
FIXED_BYTES = {"index": 88, "entries": 8, "tree": 32}


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Slice folders after two and three commits."""
    base = tmp_path_factory.mktemp("evidence")
    for batches in (2, 3):
        EXAMPLE.commit(base / str(batches), batches)
    return {batches: base / str(batches) for batches in (2, 3)}


def cuts(data: bytes, path: str) -> Iterator[int]:
    """Every record boundary, a byte on either side, and the middle of each record."""
    if path.endswith(".seg") or path == "log/state":
        ends = [0]
        for record in read_records(data):
            ends.append(ends[-1] + HEAD_BYTES + len(record))
    else:
        step = next(size for name, size in FIXED_BYTES.items() if name in path)
        ends = list(range(0, len(data) + 1, step))
    wanted = set(ends) | {e + 1 for e in ends} | {e - 1 for e in ends}
    wanted |= {(a + b) // 2 for a, b in itertools.pairwise(ends)}
    yield from sorted(length for length in wanted if 0 <= length < len(data))


def same_files(one: Path, other: Path, names: tuple[str, ...]) -> bool:
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


def test_a_clean_stop_is_read_back_without_replay(
    evidence: dict[int, Path], tmp_path: Path
) -> None:
    shutil.copytree(evidence[3], tmp_path / "s")
    store, plant = EXAMPLE.open(tmp_path / "s")
    assert plant.recovery.notes == []
    assert plant.recovery.replayed == 0
    assert plant.state.size == 1 + sum(map(len, EXAMPLE.batches))
    store.close()
    assert read_plant(tmp_path / "s" / "mini", KEY) == {
        "edge-a": EXAMPLE.a.objects,
        "edge-b": EXAMPLE.b.objects,
    }


@pytest.mark.parametrize("path", TRUTH)
def test_a_crash_during_a_commit_goes_back_to_the_one_before(
    evidence: dict[int, Path], tmp_path: Path, path: str
) -> None:
    """The third commit cut anywhere after the second, whose checkpoint is still in place."""
    before, after = evidence[2] / "mini", evidence[3] / "mini"
    data = (after / path).read_bytes()
    committed = (before / path).stat().st_size if (before / path).exists() else 0
    small = 1 + sum(map(len, EXAMPLE.batches[:2]))
    for length in cuts(data, path):
        if length < committed:
            continue
        root = tmp_path / str(length)
        shutil.copytree(evidence[3], root)
        for name in ("log/checkpoint", "log/state"):
            shutil.copy(before / name, root / "mini" / name)
        (root / "mini" / path).write_bytes(data[:length])
        store, plant = EXAMPLE.open(root)
        assert plant.state.size == small
        assert plant.recovery.notes
        held = read_plant(root / "mini", KEY)
        assert held["edge-a"] == EXAMPLE.a.objects[:6]
        EXAMPLE.stage(plant, 2)
        store.commit()
        store.close()
        assert read_plant(root / "mini", KEY)["edge-a"] == EXAMPLE.a.objects
        assert read_plant(root / "mini", KEY)["edge-b"] == EXAMPLE.b.objects


@pytest.mark.parametrize("path", DERIVED)
def test_what_can_be_rebuilt_is_rebuilt(
    evidence: dict[int, Path], tmp_path: Path, path: str
) -> None:
    good = evidence[3] / "mini"
    data = (good / path).read_bytes()
    for length in cuts(data, path):
        root = tmp_path / str(length)
        shutil.copytree(evidence[3], root)
        (root / "mini" / path).write_bytes(data[:length])
        store, plant = EXAMPLE.open(root)
        assert plant.recovery.replayed == plant.state.size  # nothing was taken on trust
        store.close()
        assert same_files(root / "mini", good, (*DERIVED, *TRUTH))


@pytest.mark.parametrize("path", TRUTH)
def test_less_than_was_signed_is_damage_and_nothing_is_touched(
    evidence: dict[int, Path], tmp_path: Path, path: str
) -> None:
    data = (evidence[3] / "mini" / path).read_bytes()
    for length in cuts(data, path):
        root = tmp_path / str(length)
        shutil.copytree(evidence[3], root)
        (root / "mini" / "log" / "state").unlink()  # so that all of it is read
        (root / "mini" / path).write_bytes(data[:length])
        with pytest.raises(DamagedLogError, match="the checkpoint speaks of 14 log entries"):
            EXAMPLE.open(root)
        others = tuple(name for name in TRUTH if name != path)
        assert same_files(root / "mini", evidence[3] / "mini", (*others, "log/checkpoint"))
        assert (root / "mini" / path).read_bytes() == data[:length]


@pytest.mark.parametrize("path", TRUTH)
def test_a_flipped_bit_in_evidence_is_damage(
    evidence: dict[int, Path], tmp_path: Path, path: str
) -> None:
    """Found at once in what is read at start; here nothing is taken from the snapshot."""
    shutil.copytree(evidence[3], tmp_path / "s")
    target = tmp_path / "s" / "mini" / path
    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 0x10
    target.write_bytes(data)
    (tmp_path / "s" / "mini" / "log" / "state").unlink()
    with pytest.raises(DamagedLogError, match="restore this plant from a backup"):
        EXAMPLE.open(tmp_path / "s")


def test_an_entry_changed_with_its_checksum_mended_does_not_give_the_signed_root(
    evidence: dict[int, Path], tmp_path: Path
) -> None:
    shutil.copytree(evidence[3], tmp_path / "s")
    path = tmp_path / "s" / "mini" / "log" / "entries.seg"
    forged(path, 5, epoch=77)
    (path.parent / "state").unlink()
    with pytest.raises(DamagedLogError, match="do not give the signed root"):
        EXAMPLE.open(tmp_path / "s")


def test_a_first_commit_that_never_finished_leaves_a_new_plant(tmp_path: Path) -> None:
    """Its certificates are logged again, and its name is given to a checkpoint that lacks it."""
    EXAMPLE.commit(tmp_path / "s", 0)
    log = tmp_path / "s" / "mini" / "log"
    (log / "state").unlink()
    (log / "checkpoint").rename(log / "checkpoint.new")
    store, plant = EXAMPLE.open(tmp_path / "s")
    assert (plant.state.size, plant.recovery.unnamed, plant.recovery.notes) == (1, True, [])
    store.close()
    assert checkpoint.verify((log / "checkpoint").read_text(), KEY).size == 1
    for name in ("checkpoint", "state"):
        (log / name).unlink()
    store = SliceStore(tmp_path / "s")
    plant = store.open_plant("mini", EXAMPLE.signer, [KEY])
    assert (plant.state.size, size_of(log / "entries.seg")) == (0, 0)
    store.close()


def test_objects_whose_log_is_gone_are_not_thrown_away(tmp_path: Path) -> None:
    EXAMPLE.commit(tmp_path / "s", 1)
    shutil.rmtree(tmp_path / "s" / "mini" / "log")
    with pytest.raises(DamagedLogError, match="there is evidence, but no checkpoint"):
        EXAMPLE.open(tmp_path / "s")
    assert (tmp_path / "s" / "mini" / TRUTH[2]).stat().st_size > 0


@pytest.mark.parametrize("kept", ["records", "quarantine"])
def test_documents_whose_log_is_gone_are_not_thrown_away(tmp_path: Path, kept: str) -> None:
    EXAMPLE.commit(tmp_path / "s", 0)
    held = tmp_path / "s" / "mini" / kept / f"{'0' * 64}.cose"
    held.parent.mkdir(exist_ok=True)
    held.write_bytes(b"of a person, say")
    shutil.rmtree(tmp_path / "s" / "mini" / "log")
    with pytest.raises(DamagedLogError, match="there is evidence, but no checkpoint"):
        EXAMPLE.open(tmp_path / "s")
    assert held.exists()


def forged(entries: Path, index: int, **other: int) -> None:
    """As whoever can write on the disk would: an entry is another, with its checksum mended."""
    held = [decode_entry(data) for data in read_records(entries.read_bytes())]
    held[index] = replace(held[index], **other)  # type: ignore[arg-type] - of integers alone
    entries.write_bytes(b"".join(encode_record(encode_entry(entry)) for entry in held))


def test_a_start_signs_no_entry_that_somebody_put_behind_the_checkpoint(
    evidence: dict[int, Path], tmp_path: Path
) -> None:
    """He has the disk and no key: what stands there would have the collector's name by a start."""
    for name, keeps in (("as after a clean stop", True), ("as after a kill", False)):
        root = tmp_path / name
        shutil.copytree(evidence[3], root)
        entries = root / "mini" / "log" / "entries.seg"
        data = entries.read_bytes()
        close = Entry(Kind.MONTH_CLOSE, T0_NS + HOUR_NS, 1, "", None, bytes(32), 9)
        entries.write_bytes(data + encode_record(encode_entry(close)))
        if not keeps:
            (entries.parent / "state").unlink()
        store, plant = EXAMPLE.open(root)
        assert plant.state.size == 14
        assert "log/entries.seg: 1 whole entries that no checkpoint" in plant.recovery.notes[0]
        store.close()
        assert entries.read_bytes() == data


@pytest.mark.parametrize("left", ["", "checkpoint.new", "state", "checkpoint.new state"])
def test_a_log_without_its_checkpoint_is_damage(
    evidence: dict[int, Path], tmp_path: Path, left: str
) -> None:
    """Signed again, another history would be the collector's; nothing is cut, so a backup helps."""
    shutil.copytree(evidence[3], tmp_path / "s")
    log = tmp_path / "s" / "mini" / "log"
    forged(log / "entries.seg", 12, received_ns=T0_NS + 3 * SECOND_NS)
    for name in {"checkpoint", "checkpoint.new", "state"} - set(left.split()):
        (log / name).unlink()
    data = (log / "entries.seg").read_bytes()
    with pytest.raises(DamagedLogError, match=r"no checkpoint"):
        EXAMPLE.open(tmp_path / "s")
    assert (log / "entries.seg").read_bytes() == data


@pytest.mark.parametrize(
    "lost", ["nothing", "tree.bin", "entries.idx", "../frames/edge-a/2026-09-21/17.seg"]
)
def test_a_checkpoint_that_is_put_back_from_before_cuts_nothing(
    evidence: dict[int, Path], tmp_path: Path, lost: str
) -> None:
    """What lies behind it was under receipt, whatever else is to be made again."""
    shutil.copytree(evidence[3], tmp_path / "s")
    log = tmp_path / "s" / "mini" / "log"
    shutil.copy(evidence[2] / "mini" / "log" / "checkpoint", log / "checkpoint")
    (log / lost).unlink(missing_ok=True)
    data = (log / "entries.seg").read_bytes()
    with pytest.raises(DamagedLogError, match="14 log entries were committed, but the checkpoint"):
        EXAMPLE.open(tmp_path / "s")
    assert (log / "entries.seg").read_bytes() == data


def test_a_checkpoint_and_entries_from_before_cut_no_object(
    evidence: dict[int, Path], tmp_path: Path
) -> None:
    """File by file from an older backup, as for a bad disk; the state still says what there was."""
    shutil.copytree(evidence[3], tmp_path / "s")
    for name in ("checkpoint", "entries.seg"):
        shutil.copy(evidence[2] / "mini" / "log" / name, tmp_path / "s" / "mini" / "log" / name)
    with pytest.raises(DamagedLogError, match="14 log entries were committed, but the checkpoint"):
        EXAMPLE.open(tmp_path / "s")
    assert same_files(tmp_path / "s" / "mini", evidence[3] / "mini", TRUTH[1:])


def test_a_lost_checkpoint_is_told_where_the_entries_end_with_the_one_beside(
    evidence: dict[int, Path], tmp_path: Path
) -> None:
    """That one is of the commit before: what came after it had receipts."""
    shutil.copytree(evidence[3], tmp_path / "s")
    log = tmp_path / "s" / "mini" / "log"
    shutil.copy(evidence[2] / "mini" / "log" / "entries.seg", log / "entries.seg")
    for name in ("checkpoint", "state"):
        (log / name).unlink()
    with pytest.raises(DamagedLogError, match="there is evidence, but no checkpoint"):
        EXAMPLE.open(tmp_path / "s")
    assert same_files(tmp_path / "s" / "mini", evidence[3] / "mini", TRUTH[1:])


def test_what_a_checkpoint_without_its_name_speaks_of_is_not_cut(
    evidence: dict[int, Path], tmp_path: Path
) -> None:
    """The power went as below, and the disk lost an object: those behind it had receipts, too."""
    root, before = tmp_path / "s", evidence[2] / "mini" / "log"
    shutil.copytree(evidence[3], root)
    log, segment = root / "mini" / "log", root / "mini" / TRUTH[4]
    (log / "checkpoint").replace(log / "checkpoint.new")
    for name in ("checkpoint", "state"):
        shutil.copy(before / name, log / name)
    shutil.copytree(root, tmp_path / "short")
    segment.write_bytes(segment.read_bytes()[:-1])
    with pytest.raises(DamagedLogError, match="14 log entries, but only 12 are there whole"):
        EXAMPLE.open(root)
    assert same_files(root / "mini", evidence[3] / "mini", (*TRUTH[:4], TRUTH[5]))
    shutil.copy(before / "entries.seg", tmp_path / "short" / "mini" / "log")  # or never written
    store, plant = EXAMPLE.open(tmp_path / "short")
    assert plant.state.size == 10
    assert "checkpoint.new: 14 log entries were signed and are not there" in plant.recovery.notes[0]
    store.close()


def test_a_checkpoint_whose_name_did_not_last_counts(
    evidence: dict[int, Path], tmp_path: Path
) -> None:
    """The power went after the exchange of names, and a receipt: it stands beside the old one."""
    shutil.copytree(evidence[3], tmp_path / "s")
    log = tmp_path / "s" / "mini" / "log"
    newest, before = log / "checkpoint", evidence[2] / "mini" / "log"
    newest.replace(log / "checkpoint.new")
    shutil.copy(before / "checkpoint", newest)
    shutil.copy(before / "state", log / "state")
    store, plant = EXAMPLE.open(tmp_path / "s")
    assert (plant.state.size, plant.recovery.notes) == (14, [])
    assert checkpoint.verify(newest.read_text(), KEY).size == 14
    assert checkpoint.verify((log / "checkpoint.new").read_text(), KEY).size == 10
    store.close()


def test_a_checkpoint_of_an_unknown_key_or_another_plant_is_not_believed(tmp_path: Path) -> None:
    EXAMPLE.commit(tmp_path / "s", 1)
    path = tmp_path / "s" / "mini" / "log" / "checkpoint"
    size, root = 7, bytes(32)
    stranger = FileSigner(generate())
    for plant, signer, words in (
        ("mini", stranger, "not signed by a collector key of this plant"),
        ("maxi", EXAMPLE.signer, "is of plant maxi, not mini"),
    ):
        note = checkpoint.sign(checkpoint.Checkpoint(plant, size, root), signer, signer.public_key)
        path.write_text(note)
        with pytest.raises(DamagedLogError, match=words):
            EXAMPLE.open(tmp_path / "s")


def test_a_checkpoint_of_an_earlier_collector_key_is_believed(tmp_path: Path) -> None:
    EXAMPLE.commit(tmp_path / "s", 2)
    new = FileSigner(generate())
    store = SliceStore(tmp_path / "s")
    plant = store.open_plant("mini", new, [new.public_key, KEY])
    EXAMPLE.stage(plant, 2)
    store.commit()
    store.close()
    read_plant(tmp_path / "s" / "mini", new.public_key)


def test_a_log_of_a_newer_format_is_not_cut(tmp_path: Path) -> None:
    EXAMPLE.commit(tmp_path / "s", 1)
    log = tmp_path / "s" / "mini" / "log"
    data = (log / "entries.seg").read_bytes()
    newer = encode_record(cbor.encode([99, 1, 2]))
    (log / "entries.seg").write_bytes(data + newer)
    note = checkpoint.Checkpoint("mini", 9, bytes(32))
    (log / "checkpoint").write_text(checkpoint.sign(note, EXAMPLE.signer, KEY))
    with pytest.raises(DamagedLogError, match="log entry version 99 unknown to this program"):
        EXAMPLE.open(tmp_path / "s")
    assert (log / "entries.seg").read_bytes() == data + newer


def test_a_crash_is_replayed_from_the_snapshot_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud.store.plant.SNAPSHOT_EVERY", 8)
    store, plant = EXAMPLE.open(tmp_path / "live")
    for batch in range(3):
        EXAMPLE.stage(plant, batch)
        store.commit()
    shutil.copytree(tmp_path / "live", tmp_path / "crashed")  # as a SIGKILL leaves it
    store.close()
    store, plant = EXAMPLE.open(tmp_path / "crashed")
    assert (plant.recovery.replayed, plant.state.size) == (4, 14)  # snapshot at 10
    assert plant.recovery.notes == []
    store.close()
    assert same_files(tmp_path / "crashed" / "mini", tmp_path / "live" / "mini", (*DERIVED, *TRUTH))
