"""The relay's queue: known by hash, released by receipt, bounded with the lowest kept."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.errors import NotOursError, OthersError, SpoolError
from edge.relay.config import RelayStream
from edge.relay.outer import Outer, judge_relayed, read_outer
from edge.relay.queue import RIVALS_MAX, Hole, Queue
from evidence.errors import EvidenceError
from evidence.keys import FileSigner, generate
from tests.unit.edge.sites import GATEWAY, PLANT, keys
from tests.unit.edge.stream_rig import Rig, collector, opened


def of(seq: int, data: bytes = b"") -> Outer:
    data = data or b"object %d" % seq
    return Outer(PLANT, GATEWAY, seq, hashlib.sha256(data).digest(), data)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.sqlite"


_opened: list[Queue] = []


def queue(path: Path, bytes_max: int = 2**24) -> Queue:
    _opened.append(made := Queue(path, bytes_max=bytes_max))
    return made


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """From Python 3.13 on a database that nobody closed is a warning."""
    yield
    while _opened:
        _opened.pop().close()


def test_what_comes_again_is_known_by_its_hash(path: Path) -> None:
    held = queue(path)
    assert held.keep([of(0), of(1), of(0)], 5).new == [0, 1]
    held.close()
    held = queue(path)  # as after a kill
    again = held.keep([of(1), of(2)], 6)
    assert (again.new, again.known) == ([2], 1)
    assert held.objects(0, 9) == [(n, b"object %d" % n) for n in range(3)]


def test_receipt_for_a_backlog_frees_a_piece_at_a_time(path: Path) -> None:
    """What comes between is kept; a start in between goes on behind the receipt."""
    held = queue(path)
    held.keep([of(seq) for seq in range(150)], 5)
    assert held.release(140)
    assert [seq for seq, _ in held.objects(0, 200)] == list(range(64, 150))
    assert (held.receipted_seq(), held.run_end(141)) == (140, 149)
    assert (held.release(140), held.release(140)) == (True, False)
    assert [seq for seq, _ in held.objects(0, 200)] == list(range(141, 150))


def test_receipts_release_and_what_is_under_receipt_does_not_come_back(path: Path) -> None:
    held = queue(path)
    held.keep([of(n) for n in range(4)], 5)
    held.release(2)
    assert (held.receipted_seq(), held.run_end(3), held.count()) == (2, 3, 1)
    assert held.keep([of(1)], 6).known == 1
    held.release(1)  # an older one, said again
    assert held.receipted_seq() == 2


def test_nothing_is_kept_in_a_file_that_is_at_its_place_no_more(path: Path) -> None:
    """As when somebody moves a damaged one away before the relay has ended; a share that went."""
    held = queue(path)
    held.keep([of(0)], 5)
    away = path.with_name("away")
    path.rename(away)
    for work in (lambda: held.keep([of(1)], 6), lambda: held.release(0)):
        with pytest.raises(SpoolError, match=r"queue\.sqlite: was moved, deleted or replaced"):
            work()
    path.touch()
    with pytest.raises(SpoolError, match="was moved"):
        held.keep([of(1)], 6)
    away.rename(path)
    assert held.keep([of(1)], 6).new == [1]


def test_holes_are_named_and_filled(path: Path) -> None:
    held = queue(path)
    held.keep([of(2), of(3)], 5)
    held.keep([of(7), of(7, b"rival")], 6)
    assert held.holes() == [Hole(0, 1, 5), Hole(4, 6, 6)]
    assert held.run_end(0) == -1
    assert held.beyond(-1) == [2, 3, 7]
    held.keep([of(n) for n in (0, 1, 4, 5, 6)], 8)
    assert held.holes() == []
    assert held.run_end(0) == 7
    assert held.beyond(7) == []


def test_holes_of_days_are_found_without_reading_the_objects(path: Path) -> None:
    """Those of ten days are gigabytes, and whoever asks for /metrics waits for ten seconds."""
    held = queue(path)
    held.keep([of(2), of(7)], 5)
    asked: list[str] = []
    held._db.set_trace_callback(asked.append)
    assert len(held.holes()) == 2
    held._db.set_trace_callback(None)
    plans = [
        step for query in asked for *_, step in held._db.execute(f"EXPLAIN QUERY PLAN {query}")
    ]
    over_many = [step for step in plans if "known (seq>?" in step]
    assert over_many, "it goes by the index"
    assert all("USING COVERING INDEX known" in step for step in over_many)
    assert {step for step in plans if "SCAN" in step} <= {"SCAN receipt"}


def test_what_is_forged_above_the_newest_object_does_not_hide_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = queue(path)
    held.keep([of(seq) for seq in (5, 6, 7, 8, 900_000, 900_001, 1_000_000)], 5)
    assert held.beyond(3) == [5, 8, 900_001, 1_000_000]
    held.keep([of(1_000_000 + 2 * n) for n in range(1, 8)], 5)
    ends = [1_000_000 + 2 * n for n in range(1, 8)]
    assert held.beyond(3) == [5, *ends], "no more than seven: somebody goes on forging"
    monkeypatch.setattr("edge.relay.queue.TOP_ROWS", 2)
    assert held.beyond(3) == [5, *ends[-2:]]


def test_what_is_forged_right_behind_the_newest_object_does_not_hide_the_next(path: Path) -> None:
    """Runs 5 to 10 and 12 to 40 have a true end no more, until the gateway signs another."""
    held = queue(path)
    held.keep([of(seq) for seq in (6, 7, 8, 12, 13)], 5)
    held.keep([of(seq, b"forged") for seq in (5, 9, 10, *range(14, 41))], 6)
    assert held.beyond(3) == [5, 10, 40]
    held.keep([of(14)], 7)
    assert held.beyond(3) == [5, 10, 14, 40]


def test_a_seq_far_ahead_is_held_and_ends_no_hole(path: Path) -> None:
    """2^20 = 1,048,576 ahead of what is under receipt, and not of what is held."""
    held = queue(path)
    held.keep([of(0), of(1), of(2**62), of(2 + 1_048_576)], 5)
    held.release(1)
    assert (held.holes(), held.newest(), held.run_end(2)) == ([], 1, 1)
    assert held.not_believed() == [1_048_578, 2**62]
    assert held.beyond(1) == [1_048_578], "the nearest is shown: it may be true"
    held.keep([of(2), of(5)], 6)
    assert (held.holes(), held.newest()) == ([Hole(3, 4, 6)], 5)
    assert held.beyond(2) == [5], "what is not believed is not the newest"
    held.keep([of(3), of(4)], 7)
    assert (held.holes(), held.run_end(2)) == ([], 5)
    held.release(2)
    assert (held.newest(), held.not_believed()) == (1_048_578, [2**62])
    assert held.holes() == [Hole(6, 1_048_577, 5)]
    assert [seq for seq, _ in held.objects(6, 2**63 - 1)] == [1_048_578, 2**62]


def test_what_follows_without_a_hole_is_believed_however_far(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5,000 points at 1 Hz make 2^20 frames in two weeks, and a broker may be away for three."""
    monkeypatch.setattr("edge.relay.queue.AHEAD_MAX", 10)
    held = queue(path)
    held.keep([of(seq) for seq in (*range(15), 17)], 5)
    assert (held.newest(), held.not_believed(), held.holes()) == (14, [17], [])
    with monkeypatch.context() as patch:
        patch.setattr(held, "run_end", None)  # of weeks: a second and more, for each stream
        assert held.beyond(14) == [17]
    held.keep([of(15), of(16)], 6)
    assert (held.newest(), held.not_believed()) == (17, [])
    held.forget(3, 3)
    assert (held.newest(), held.not_believed()) == (9, list(range(10, 18)))


def test_what_a_person_calls_forged_is_forgotten(path: Path) -> None:
    held = queue(path)
    held.keep([of(0), of(5), of(5, b"rival"), of(6), of(2**63 - 1)], 5)
    beside = queue(path)  # the relay goes on
    assert (beside.forget(5, 5), beside.forget(7, 2**63 - 1), beside.forget(8, 9)) == (2, 1, 0)
    assert [seq for seq, _ in held.objects(0, 2**63 - 1)] == [0, 6]
    assert held.keep([of(5)], 6).new == [5], "it can be brought again"
    held.set_back(2**63 - 1)  # the highest there is
    assert (held.not_believed(), held.holes(), held.newest()) == ([], [], 2**63 - 1)
    assert (held.run_end(2**63), held.run_end(2**63 - 1)) == (2**63 - 1, 2**63 - 2)


def test_strangers_objects_do_not_keep_the_true_one_out(path: Path) -> None:
    held = queue(path)
    held.keep([of(5, b"forged %d" % n) for n in range(RIVALS_MAX)], 1)
    kept = held.keep([of(5)], 2)
    assert (kept.new, kept.crowded) == ([5], 1)
    found = [data for _, data in held.objects(5, 5)]
    assert found == [*(b"forged %d" % n for n in range(1, RIVALS_MAX)), b"object 5"]
    assert held.has(5, of(5).sha256) is True
    assert held.has(5, bytes(32)) is False
    assert held.has(6, bytes(32)) is None


def test_when_it_is_full_the_highest_seqs_give_way(path: Path) -> None:
    held, big = queue(path, bytes_max=200_000), b"x" * 20_000
    first = held.keep([of(seq, b"%d" % seq + big) for seq in range(100, 130)], 1)
    assert 5 < len(first.new) < 10
    assert first.full == 30 - len(first.new)
    lower = held.keep([of(3, b"3" + big)], 2)
    assert (lower.new, lower.gave_way) == ([3], 1)
    assert held.beyond(3) == [100, first.new[-2]]
    assert held.bytes() <= 200_000
    assert held.keep([of(2**62, big)], 3).full == 1


def test_rivals_that_are_larger_need_room_as_everything_does(path: Path) -> None:
    """Else small ones for many seqs, and then large ones in their places, would fill the disk."""
    held, big = queue(path, bytes_max=200_000), b"x" * 20_000
    held.keep([of(s, b"%d %d" % (s, n)) for s in range(20) for n in range(RIVALS_MAX)], 1)
    for seq in range(20):
        held.keep([of(seq, b"%d" % n + big) for n in range(RIVALS_MAX)], 2)
        assert held.bytes() <= 200_000 + 4_096, "but for a page"
    assert held.count() > 8, "what fits"
    same = held.keep([of(0, b"9" + big)], 3)
    assert (same.new, same.crowded, same.full) == ([0], 1, 0), "one as large as the one it replaces"


def test_what_is_under_receipt_is_held_where_there_is_room_and_gives_way(path: Path) -> None:
    held, big = queue(path, bytes_max=200_000), b"x" * 20_000
    held.keep([of(5)], 1)
    held.release(5)
    old = [of(seq, b"%d" % seq + big) for seq in range(5)]
    assert held.keep([*old, *old], 2).known == 10
    assert (held.count(), held.holes(), held.beyond(5)) == (0, [], [])
    assert held.keep([*old, *old], 2, also_receipted=True).known == 10
    assert (held.count(), held.holes(), held.beyond(5)) == (5, [], [])
    new = [of(seq, b"%d" % seq + big) for seq in range(6, 11)]
    kept = held.keep(new, 3)
    assert (kept.full, kept.gave_way, held.objects(0, 5)) == (0, 0, [])
    held.keep(old, 4, also_receipted=True)
    assert [seq for seq, _ in held.objects(6, 99)] == [6, 7, 8, 9, 10], "nothing gives way to them"


def test_its_pace_is_what_came_within_an_hour_once_something_waits(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minute = 60 * 10**9
    held = queue(path)
    assert held.pace_bytes_s(9 * minute) is None
    for n in range(30):  # of 20,000 bytes, one a minute
        held.keep([of(n, b"%05d" % n + bytes(19_995))], n * minute)
    assert held.pace_bytes_s(14 * minute) is None, "receipts may keep up"
    assert held.pace_bytes_s(40 * minute) == 250, "600,000 bytes within 2,400 s"
    assert held.pace_bytes_s(70 * minute) == pytest.approx(19 * 20_000 / 3_600)
    assert held.pace_bytes_s(90 * minute) is None, "nothing came for an hour"
    monkeypatch.setattr("edge.relay.queue.PACE_ROWS", 10)
    assert held.pace_bytes_s(40 * minute) == pytest.approx(200_000 / 1_200), "from minute 20 on"
    assert held.pace_bytes_s(-minute) is None, "a clock that was set back"


def test_another_format_or_no_queue_is_said(path: Path) -> None:
    path.write_bytes(b"no database, and long enough to be taken for one" * 100)
    with pytest.raises(
        SpoolError, match=r"queue: .*; if the file is damaged, move it away with its"
    ):
        queue(path)


# -- outer frame and receipts -------------------------------------------------------------------


def test_outer_frame_is_what_the_object_says(tmp_path: Path) -> None:
    spool, stream = opened(tmp_path / "spool.sqlite")
    rig = Rig(spool, stream, collector())
    rig.made(3)
    for stored in spool.objects(0, 9):
        outer = read_outer(stored.data)
        assert (outer.plant, outer.gateway, outer.seq) == (PLANT, GATEWAY, stored.seq)
        assert outer.sha256 == stored.sha256
        with pytest.raises(EvidenceError):
            read_outer(stored.data[:-1])
    ours = RelayStream(PLANT, GATEWAY, "00", keys().collector_key)
    assert judge_relayed(rig.collector.receipt(), ours).seq == 2
    with pytest.raises(OthersError):
        judge_relayed(rig.collector.receipt(stream="edge-9"), ours)
    forged = collector(signer=FileSigner(generate()))
    for stored in spool.objects(0, 9):
        forged.take(stored.data)
    with pytest.raises(NotOursError, match="refused"):
        judge_relayed(forged.receipt(), ours)
    spool.close()
