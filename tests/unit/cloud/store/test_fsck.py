"""`cloud.store.fsck`: every kind of difference is found, named and placed; sound evidence is sound.

Each row damages one file of good evidence and says what must be found; nothing else may be.
"""

import os
import shutil
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cloud.errors import DamagedLogError
from cloud.store.disk import Disk
from cloud.store.fsck import Trusted, check_plant
from cloud.store.fsck_findings import Fault, Remedy
from cloud.store.index import PLACE_BYTES, decode_place, encode_place
from cloud.store.rebuild import rebuild_plant
from cloud.store.slice import Watch
from cloud.store.tree import TreeFile
from evidence.checkpoint import Checkpoint, sign
from evidence.keys import FileSigner, certificate_to_pem, generate
from evidence.log import decode_entry, encode_entry
from evidence.records import HEAD_BYTES, encode_record, read_records
from tests.unit.cloud.evidence_examples import make_plant
from tests.unit.cloud.store.whole_plant import PLANT, WholePlant

ENTRIES = "log/entries.seg"
DAY = "frames/edge-a/2026-09-21"


@dataclass(frozen=True)
class Evidence:
    """Good evidence, to be copied."""

    whole: WholePlant
    root: Path


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    folder = tmp_path_factory.mktemp("whole")
    whole = WholePlant(folder)
    whole.commit(folder / "00")
    return Evidence(whole, folder / "00")


@pytest.fixture
def root(evidence: Evidence, tmp_path: Path) -> Path:
    shutil.copytree(evidence.root, tmp_path / "00")
    return tmp_path / "00"


def flip(at: float = 0.5) -> Callable[[Path], None]:
    """One bit of a file, at a share of its length."""

    def damage(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[min(int(len(data) * at), len(data) - 1)] ^= 0x10
        path.write_bytes(data)

    return damage


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def drop(path: Path) -> None:
    path.unlink()


def grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\x01")


def of_no_kind(path: Path) -> None:
    """A whole record, its checksum right, of a kind that there is not."""
    data = bytearray(path.read_bytes())
    at = 2 * PLACE_BYTES
    data[at + 16] = 99
    data[at + PLACE_BYTES - 4 : at + PLACE_BYTES] = struct.pack(
        "<I", zlib.crc32(data[at : at + PLACE_BYTES - 4])
    )
    path.write_bytes(data)


def lie_in_index(path: Path) -> None:
    """A whole record, its checksum right, that says another time."""
    data = bytearray(path.read_bytes())
    at = 2 * PLACE_BYTES
    place = decode_place(bytes(data[at : at + PLACE_BYTES]))
    data[at : at + PLACE_BYTES] = encode_place(replace(place, at_ns=place.at_ns + 1))
    path.write_bytes(data)


def lie_in_offsets(path: Path) -> None:
    data = bytearray(path.read_bytes())
    struct.pack_into("<Q", data, 16, struct.unpack_from("<Q", data, 16)[0] + 1)
    path.write_bytes(data)


def rewrite_entry(path: Path) -> None:
    """Entry 7 says another epoch in as many bytes, and the record's checksum is mended."""
    entries = [decode_entry(data) for data in read_records(path.read_bytes())]
    entries[7] = replace(entries[7], epoch=9)
    path.write_bytes(b"".join(encode_record(encode_entry(entry)) for entry in entries))


def duplicate(path: Path) -> None:
    """The file once more, behind itself."""
    path.write_bytes(2 * path.read_bytes())


def strange(path: Path) -> None:
    path.with_name("0" * 64 + ".cose").write_bytes(path.read_bytes())


Row = tuple[str, Callable[[Path], None], set[Fault], str]

# file or pattern, what is done to it, what is found there, words of its sentence
ROWS: list[Row] = [
    (ENTRIES, flip(), {Fault.ENTRY_DAMAGED}, "is not whole: its bytes were altered"),
    (ENTRIES, rewrite_entry, {Fault.ROOT, Fault.ENTRY_ALTERED, Fault.STATE}, "log entry 7 at byte"),
    (ENTRIES, cut, {Fault.LOG_CUT}, "which the checkpoint covers, cannot be read"),
    (ENTRIES, drop, {Fault.LOG_CUT}, "entries 0 to 21"),
    (ENTRIES, grow, {Fault.TORN_TAIL}, "1 bytes from byte"),
    ("log/entries.idx", flip(), {Fault.OFFSETS}, "is not the one stored for it"),
    ("log/entries.idx", lie_in_offsets, {Fault.OFFSETS}, "the end of log entry 2"),
    ("log/entries.idx", cut, {Fault.OFFSETS}, "the end of log entry 21"),
    ("log/entries.idx", drop, {Fault.OFFSETS}, "and 21 more"),
    ("log/entries.idx", grow, {Fault.OFFSETS}, "1 bytes too many for 22 log entries"),
    ("log/tree.bin", flip(0.0), {Fault.TREE}, "the hash of log entry 0 at byte 0"),
    ("log/tree.bin", flip(64 / 1312), {Fault.TREE}, "hashes behind leaf 1"),
    ("log/tree.bin", cut, {Fault.TREE}, "hashes behind leaf 21"),
    ("log/tree.bin", drop, {Fault.TREE}, "and 21 more"),
    ("log/tree.bin", grow, {Fault.TREE}, "1 bytes too many for 22 log entries"),
    ("log/checkpoint", flip(), {Fault.CHECKPOINT}, "is not believed"),
    ("log/checkpoint", cut, {Fault.CHECKPOINT}, "is not believed"),
    ("log/checkpoint", drop, {Fault.CHECKPOINT_MISSING}, "never this file alone"),
    ("log/state", flip(), {Fault.STATE}, "is no snapshot"),
    ("log/state", cut, {Fault.STATE}, "is no snapshot"),
    (f"{DAY}/14.seg", flip(), {Fault.OBJECT_ALTERED}, "are not the object of edge-a seq"),
    (f"{DAY}/14.seg", cut, {Fault.OBJECT_MISSING}, "the file ends at byte"),
    (f"{DAY}/14.seg", drop, {Fault.SEGMENT_MISSING}, "the file is gone"),
    (f"{DAY}/14.seg", duplicate, {Fault.SEGMENT_LONGER}, "have no log entry, and later objects do"),
    (f"{DAY}/17.seg", grow, {Fault.TORN_TAIL}, "are no whole record"),
    (f"{DAY}/17.seg", duplicate, {Fault.OBJECT_UNLOGGED}, "has no log entry"),
    ("frames/edge-a/1970-01-01/00.seg", drop, {Fault.SEGMENT_MISSING}, "edge-a seq 0"),
    ("index/edge-a.idx", flip(), {Fault.INDEX}, "is not what log and object give"),
    ("index/edge-a.idx", lie_in_index, {Fault.INDEX}, "seq 2 at byte 176 is not what"),
    ("index/edge-a.idx", of_no_kind, {Fault.INDEX}, "seq 2 at byte 176 is not what"),
    ("index/edge-a.idx", cut, {Fault.INDEX}, "is cut"),
    ("index/edge-a.idx", drop, {Fault.INDEX}, "is cut"),
    ("index/edge-a.idx", grow, {Fault.INDEX}, "they index no logged object"),
    ("keys/gateway-edge-b-*.crt", drop, {Fault.CERTIFICATE_MISSING}, "for gateway edge-b"),
    ("keys/root-*.crt", drop, {Fault.CERTIFICATE_MISSING}, "for root mini"),
    (
        "keys/collector-*.crt", flip(), {Fault.CERTIFICATE_DAMAGED, Fault.CERTIFICATE_MISSING},
        "cannot be read as a certificate",
    ),
    ("keys/order-*.cose", drop, {Fault.ORDER_MISSING, Fault.ROTATE_COPY}, "is gone"),
    ("keys/order-*.cose", flip(), {Fault.ORDER_ALTERED, Fault.ROTATE_COPY}, "not the bytes of"),
    ("quarantine/*.cose", drop, {Fault.KEPT_MISSING}, "the object kept aside (fork)"),
    ("quarantine/*.cose", flip(), {Fault.KEPT_ALTERED}, "the object kept aside (fork)"),
    ("records/*.cose", drop, {Fault.RECORD_MISSING}, "the document that log entry"),
    ("records/*.cose", flip(), {Fault.RECORD_ALTERED}, "not the bytes of the document"),
    ("records/*.cose", strange, {Fault.RECORD_UNLOGGED}, "no log entry speaks of this document"),
    ("records/*-*", drop, {Fault.RECORD_MISSING}, "the file '0.pdf' that log entry"),
    ("records/*-*", cut, {Fault.RECORD_ALTERED}, "not the bytes of the file '1.pdf'"),
]  # fmt: skip


def test_sound_evidence_is_sound(evidence: Evidence, root: Path) -> None:
    for quiet in (True, False):
        assert evidence.whole.findings(root, quiet=quiet) == []
    checked = check_plant(PLANT, root / PLANT, evidence.whole.trusted, is_quiet=lambda: True)
    objects = [*evidence.whole.a.objects, *evidence.whole.b.objects]
    assert (checked.signed, checked.entries, checked.beyond) == (22, 22, True)
    assert (checked.objects, checked.object_bytes) == (len(objects), sum(map(len, objects)))


def test_a_plants_folder_alone_vouches_for_itself(root: Path) -> None:
    assert check_plant(PLANT, root / PLANT, Trusted(), is_quiet=lambda: True).findings == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1].__name__}-{row[3]}")
def test_every_difference_is_found(evidence: Evidence, root: Path, row: Row) -> None:
    pattern, damage, faults, words = row
    targets = sorted((root / PLANT).glob(pattern))
    assert targets
    for path in targets:
        damage(path)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    found = evidence.whole.findings(root)
    assert {finding.fault for finding in found} == faults, [f.sentence for f in found]
    assert any(words in finding.sentence for finding in found), [f.sentence for f in found]
    assert all(f.sentence.endswith(f.fault.remedy.value) for f in found)
    assert before == {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_every_fault_has_a_row_or_a_test_of_its_own() -> None:
    apart = {
        Fault.ENTRY_ORDER, Fault.OBJECT_MISPLACED, Fault.UNSIGNED, Fault.CERTIFICATE_UNLOGGED,
        Fault.ORDER_UNLOGGED, Fault.KEPT_UNLOGGED, Fault.CHECKPOINT_OLDER,
    }  # fmt: skip
    assert set().union(*(faults for _, _, faults, _ in ROWS)) | apart == set(Fault)


def test_any_flipped_byte_of_any_file_is_found(evidence: Evidence, root: Path) -> None:
    """But for the spare file of the checkpoint, which a start alone reads."""
    for path in sorted((root / PLANT).rglob("*")):
        if not path.is_file() or path.name == "checkpoint.new":
            continue
        good = path.read_bytes()
        for at in range(0, len(good), max(1, len(good) // 7)):
            data = bytearray(good)
            data[at] ^= 0x10
            path.write_bytes(data)
            assert evidence.whole.findings(root), (path, at)
        path.write_bytes(good)
    assert evidence.whole.findings(root) == []


def test_damage_does_not_hide_damage(evidence: Evidence, root: Path) -> None:
    """A lost segment, a flipped entry before it and a lying index in one plant: all three."""
    flip(0.2)(root / PLANT / ENTRIES)
    (root / PLANT / DAY / "15.seg").unlink()
    lie_in_index(root / PLANT / "index/edge-b.idx")
    found = {finding.fault for finding in evidence.whole.findings(root)}
    assert {Fault.ENTRY_DAMAGED, Fault.SEGMENT_MISSING, Fault.INDEX} <= found


def test_entries_out_of_order_are_told(evidence: Evidence, root: Path) -> None:
    """A collector that signs nonsense: an object accepted twice, and a time that goes back."""
    folder, whole = root / PLANT, evidence.whole
    records = list(read_records((folder / ENTRIES).read_bytes()))
    again = decode_entry(records[6])
    records.append(encode_entry(replace(again, received_ns=again.received_ns - 1)))
    (folder / ENTRIES).write_bytes(b"".join(map(encode_record, records)))
    found = {f.fault: f.sentence for f in whole.findings(root, quiet=False)}
    assert found == {}  # not under the checkpoint: not looked at beside a collector
    checked = check_plant(PLANT, folder, whole.trusted, is_quiet=lambda: True)
    assert next(f.fault for f in checked.findings) is Fault.UNSIGNED
    (folder / "log/checkpoint").unlink()
    sentences = [f.sentence for f in whole.findings(root) if f.fault is Fault.ENTRY_ORDER]
    assert "log entry 22 was received before the one before it" in sentences[0]
    assert "(and 1 more" in sentences[0]


def test_an_object_in_the_wrong_segment_is_told(evidence: Evidence, root: Path) -> None:
    day = root / PLANT / DAY
    (day / "17.seg").rename(day / "18.seg")
    (finding,) = (f for f in evidence.whole.findings(root) if f.fault is Fault.OBJECT_MISPLACED)
    assert "belongs to byte 0 of frames/edge-a/2026-09-21/17.seg" in finding.sentence
    assert finding.fault.remedy is Remedy.RESTORE


def test_what_stands_behind_a_closed_hour_goes_without_the_file(
    evidence: Evidence, root: Path
) -> None:
    """As its advice says: the file has objects under receipt, and was said to be removed."""
    path = root / PLANT / DAY / "14.seg"
    duplicate(path)
    (finding,) = evidence.whole.findings(root)
    assert finding.fault is Fault.SEGMENT_LONGER
    assert finding.sentence.endswith("where all else is sound, cut them off there: truncate --size")
    os.truncate(path, int(finding.where["offset"]))
    assert evidence.whole.findings(root) == []


def test_files_that_nobody_logged_are_told(evidence: Evidence, root: Path) -> None:
    folder = root / PLANT
    kept = next((folder / "quarantine").glob("*.cose"))
    shutil.copy(kept, kept.with_name("edge-a-7-00112233445566ff.cose"))
    (folder / "keys" / f"order-{'00' * 32}.cose").write_bytes(b"an order")
    stranger = make_plant(root.parent / "other", "mini").root_certificate
    (folder / "keys/root-mini-0011223344556677.crt").write_bytes(certificate_to_pem(stranger))
    found = {finding.fault for finding in evidence.whole.findings(root)}
    assert found == {Fault.KEPT_UNLOGGED, Fault.ORDER_UNLOGGED, Fault.CERTIFICATE_UNLOGGED}
    assert evidence.whole.findings(root, quiet=False) == []


def test_a_checkpoint_of_before_is_told_and_nothing_is_made_again(
    evidence: Evidence, root: Path
) -> None:
    """Rebuilt, the state would say no more that there was a newer one, and a start would cut."""
    log, key = root / PLANT / "log", evidence.whole.keys.collector
    newest, older = log / "checkpoint", TreeFile(log / "tree.bin").compact_range(20).root()
    newest.replace(log / "kept")
    newest.write_text(sign(Checkpoint(PLANT, 20, older), key, key.public_key))
    (log / "tree.bin").unlink()
    checked = check_plant(PLANT, root / PLANT, evidence.whole.trusted, is_quiet=lambda: True)
    found = {finding.fault: finding for finding in checked.findings}
    assert set(found) == {Fault.CHECKPOINT_OLDER, Fault.TREE, Fault.UNSIGNED}
    told = "speaks of 20 log entries, 22 were committed"
    assert told in found[Fault.CHECKPOINT_OLDER].sentence
    assert found[Fault.CHECKPOINT_OLDER].sentence.endswith("never this file alone")
    disk = Disk(root)
    with pytest.raises(DamagedLogError, match=told):
        rebuild_plant(root / PLANT, disk, checked)
    disk.close()
    assert (log / "state").exists()
    entries = (log / "entries.seg").read_bytes()
    (log / "entries.seg").write_bytes(b"".join(map(encode_record, [*read_records(entries)][:20])))
    assert Fault.CHECKPOINT_OLDER in {finding.fault for finding in evidence.whole.findings(root)}
    (log / "entries.seg").write_bytes(entries)
    (log / "kept").replace(log / "checkpoint.new")  # as a power cut leaves it: a start's
    left = {finding.fault for finding in evidence.whole.findings(root)}
    assert left == {Fault.TREE, Fault.UNSIGNED}


def test_a_checkpoint_by_a_collector_that_the_root_never_certified(
    evidence: Evidence, root: Path
) -> None:
    """Whoever can write in the folder can put a certificate of their own in keys/ and sign."""
    folder, thief = root / PLANT, FileSigner(generate())
    other = make_plant(root.parent / "other", "mini", collector=thief)
    for role, name in (("root", "root.crt"), ("collector", "collector.crt")):
        shutil.copy(other.folder / name, folder / f"keys/{role}-thief-0011223344556677.crt")
    checked = check_plant(PLANT, folder, Trusted(), is_quiet=lambda: True)
    forged = Checkpoint(PLANT, checked.entries, bytes.fromhex(checked.root))
    (folder / "log/checkpoint").write_text(sign(forged, thief, thief.public_key))
    found = {f.fault for f in evidence.whole.findings(root)}
    assert found == {Fault.CHECKPOINT, Fault.CERTIFICATE_UNLOGGED}


def test_what_a_collector_wrote_meanwhile_is_no_finding(evidence: Evidence, root: Path) -> None:
    """Nobody holds the slice when the check begins; then a collector starts, writes and ends."""
    watch = Watch(root)
    answers = []

    def is_quiet() -> bool:
        answers.append(watch.is_quiet())
        if len(answers) == 1:
            store, _ = evidence.whole.open(root)
            store.close()
            grow(root / PLANT / DAY / "17.seg")  # as if that one were writing still
        return answers[-1]

    checked = check_plant(PLANT, root / PLANT, evidence.whole.trusted, is_quiet=is_quiet)
    assert answers == [True, False]
    assert (checked.findings, checked.beyond) == ([], False)
    assert [f.fault for f in evidence.whole.findings(root)] == [Fault.TORN_TAIL]


def test_a_held_slice_is_not_quiet(evidence: Evidence, root: Path) -> None:
    store, _ = evidence.whole.open(root)
    watch = Watch(root)
    assert not watch.is_quiet()
    store.close()
    assert watch.is_quiet()
    assert Watch(root / "nothing").is_quiet()


def test_beside_a_collector_that_commits_all_the_time(evidence: Evidence, tmp_path: Path) -> None:
    """Between any two commits, with nothing closed: what is under the checkpoint is sound."""
    whole = evidence.whole
    store, plant = whole.open(tmp_path / "live")
    watch = Watch(tmp_path / "live")
    for commit in range(6):
        whole.stage(plant, commit)
        store.commit()
        checked = check_plant(
            PLANT, tmp_path / "live" / PLANT, whole.trusted, is_quiet=watch.is_quiet
        )
        assert (checked.findings, checked.entries) == ([], plant.reader.size)
    store.close()


def test_many_of_a_kind_are_one_finding_with_a_count(evidence: Evidence, root: Path) -> None:
    (root / PLANT / "index/edge-a.idx").unlink()
    (finding,) = evidence.whole.findings(root)
    assert finding.more == len(evidence.whole.a.objects) - 1
    assert finding.as_json()["code"] == "index-wrong"
    assert finding.as_json()["remedy"] == "rebuild"


def test_progress_is_told(evidence: Evidence, root: Path) -> None:
    told: list[tuple[int, int | None]] = []
    check_plant(
        PLANT, root / PLANT, evidence.whole.trusted,
        is_quiet=lambda: True, progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert told[-1] == (22, 22)


def test_the_head_of_a_record_is_as_the_format_says() -> None:
    assert HEAD_BYTES == 12  # FORMAT.md "Record file": magic, length, CRC


def test_a_walk_that_goes_on_reads_only_objects_it_has_not_read(root: Path) -> None:
    flip()(next((root / PLANT / DAY).glob("*.seg")))
    given = PLANT, root / PLANT, Trusted()
    whole = check_plant(*given, is_quiet=lambda: True)
    assert [finding.fault for finding in whole.findings] == [Fault.OBJECT_ALTERED]
    assert not check_plant(*given, is_quiet=lambda: True, first=whole.entries).findings
