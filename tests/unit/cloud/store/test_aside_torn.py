"""Power cuts and torn objects, where what is behind the checkpoint is looked at."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.store import aside as aside_module
from cloud.store.record_file import Record, whole_records
from evidence import checkpoint
from evidence.frame import TYP_FRAME, encode_body
from evidence.records import MAGIC, encode_record
from tests.unit.cloud.evidence_examples import HOUR_NS, T0_NS, body
from tests.unit.cloud.store.test_aside import BEFORE, LOST, killed, signed, spools, start, there
from tests.unit.cloud.store.whole_plant import COMMITS, PLANT, WholePlant


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> WholePlant:
    return WholePlant(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def root(whole: WholePlant, tmp_path: Path) -> Path:
    """An older checkpoint was put back."""
    return killed(whole, tmp_path, BEFORE, COMMITS)


def test_what_a_start_settles_after_a_power_cut_fsck_does_not_send_to_a_backup(
    whole: WholePlant, tmp_path: Path
) -> None:
    """The exchange did not last, and the next commit's object did: it names what was told."""
    whole.commit(tmp_path / "live", 3)
    store, plant = whole.open(tmp_path / "live")
    older = plant.reader.checkpoint
    whole.stage(plant, 3)
    assert store.commit() == ([plant], {})
    shutil.copytree(tmp_path / "live", tmp_path / "cut")
    store.close()
    log, size = tmp_path / "cut" / PLANT / "log", plant.state.size
    note = checkpoint.parse(plant.reader.checkpoint)[0]
    (log / "checkpoint").replace(log / "checkpoint.new")
    (log / "checkpoint").write_text(older)
    seq, prev = plant.stream("edge-a").next_seq, plant.stream("edge-a").last
    assert prev is not None
    payload = encode_body(body(T0_NS + 2 * HOUR_NS))
    named = {"seq": seq, "prev": prev.sha256, "anchor": (note.size, note.root)}
    segment = max((tmp_path / "cut" / PLANT / "frames/edge-a").rglob("*.seg"))
    data = encode_record(whole.a.sign(TYP_FRAME, payload, **named))
    segment.write_bytes(segment.read_bytes() + data)
    assert not [f for f in whole.findings(tmp_path / "cut") if f.fault.remedy in LOST]
    store, plant = whole.open(tmp_path / "cut")
    assert plant.state.size == size
    store.close()


def test_what_a_torn_object_holds_does_not_say_that_the_checkpoint_is_older(
    whole: WholePlant, root: Path
) -> None:
    """Its gateway may put into it what the door would refuse; nobody let that in."""
    (segment,) = (root / PLANT / "frames/edge-b").glob("*/15.seg")
    inner = whole.b.sign(TYP_FRAME, encode_body(body(T0_NS)), anchor=(10**9, bytes(32)))
    torn = encode_record(b"around it" + encode_record(inner) + b"behind it")[:-1]
    segment.write_bytes(segment.read_bytes() + torn)
    assert not [f for f in whole.findings(root) if f.fault.remedy in LOST]
    start(whole, root)
    assert inner in {data for _, _, data in spools(root)}


@pytest.mark.parametrize("inner", [MAGIC, encode_record(b"x") + b"."])
def test_a_torn_object_full_of_what_looks_like_records_holds_no_start(
    whole: WholePlant, root: Path, monkeypatch: pytest.MonkeyPatch, inner: bytes
) -> None:
    """Its gateway may sign what it likes: each place was a look of megabytes."""
    looks = list[int]()
    (segment,) = (root / PLANT / "frames/edge-b").glob("*/15.seg")
    torn = encode_record(inner * 2_000)[:-1]
    segment.write_bytes(segment.read_bytes() + torn)

    def counted(path: Path, offset: int) -> Iterator[Record]:
        looks.append(offset)
        return whole_records(path, offset)

    monkeypatch.setattr(aside_module, "whole_records", counted)
    start(whole, root)
    assert len(looks) < 1_000
    assert not signed(whole) - there(root)
