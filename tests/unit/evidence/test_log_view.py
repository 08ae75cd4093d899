"""What the log says, looked up from tables on disk: against lists and definitions."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evidence import cbor
from evidence.errors import LimitError
from evidence.log import Entry, Kind
from evidence.merkle import CompactRange, leaf_hash, root_of
from evidence.verifier import log_view
from evidence.verifier.log_view import Logged, LogView
from tests.unit.evidence.log_entries import sha256

ROOT = Path(__file__).resolve().parents[3]
LARGEST = 2**64 - 1
GAP = {"from_ns": 1, "to_ns": 2, "reason": "stopped"}


def accepted(stream: str, seq: int, length: int = 1, key: bytes | None = None) -> Entry:
    return Entry(Kind.FRAME, 0, 1, stream, seq, sha256(f"{stream} {seq}".encode()), length, key)


def take(view: LogView, entry: Entry, received_ns: int = 0) -> bool:
    """Entry as the log's reader takes it; whether it was good there."""
    is_good = view.accept_gap(entry) if entry.kind is Kind.GAP else view.accept(entry, received_ns)
    view.add(b"any", received_ns)
    return is_good


def gap_of(frame: Entry, **other: Any) -> Entry:
    fields = {**vars(frame), "kind": Kind.GAP, "detail": GAP, **other}
    return Entry(**fields)


@pytest.mark.parametrize("before", [0, 1, 6, 11])
def test_roots_and_times_are_those_of_each_size(before: int) -> None:
    leaves = [b"%d" % i for i in range(before + 20)]
    hashes, start = [leaf_hash(leaf) for leaf in leaves], CompactRange()
    for leaf in hashes[:before]:
        start = start.append(leaf)
    with LogView() as view:
        view.begin(start)
        for i in range(before, len(leaves)):
            view.add(leaves[i], 10 * i)
            assert view.root_at(i + 1) == view.tree.root()  # at once: rows are read in blocks
        assert (view.start.size, view.tree.size, view.entries) == (before, before + 20, 20)
        for size in range(before, len(leaves) + 1):
            assert view.root_at(size) == root_of(hashes[:size])
        for size in (before - 1, len(leaves) + 1, LARGEST):
            with pytest.raises(ValueError, match="no log of"):
                view.root_at(size)
        times = [view.received_at(index) for index in range(-1, len(leaves) + 1)]
        assert times == [None] * (before + 1) + [10 * i for i in range(before, len(leaves))] + [
            None
        ]


def test_each_object_is_found_by_stream_and_seq() -> None:
    chance, model, counts = random.Random(5), dict[tuple[str, int], Logged](), [0, 0, 0]
    keys = [None, b"k" * 32, b"l" * 32]
    with LogView() as view:
        view.begin(CompactRange(4, (bytes(32),)))
        for i in range(500):
            stream, seq = chance.randrange(3), 2 * i + chance.randrange(2)
            entry = accepted(f"s{stream}", seq, chance.choice([1, 77, LARGEST]), keys[i % 3])
            assert take(view, entry, 1_000 + i)
            model[entry.stream, seq] = Logged(
                4 + i, 1_000 + i, entry.sha256, entry.length, entry.certificate, Kind.FRAME, None
            )
            counts[stream] += 1
        assert view.streams() == {f"s{n}": counts[n] for n in range(3)}
        for stream in ("s0", "s1", "s2", "s3"):
            for seq in (*range(1_001), LARGEST):
                assert view.entry(stream, seq) == model.get((stream, seq))


def test_the_largest_numbers_are_kept() -> None:
    with LogView() as view:
        assert take(view, accepted("s", LARGEST - 1), LARGEST - 1)
        assert take(view, accepted("s", LARGEST), LARGEST)
        found = view.entry("s", LARGEST)
        assert found is not None
        assert (found.index, found.received_ns) == (1, LARGEST)


def test_a_stream_ascends() -> None:
    with LogView() as view:
        given = [("s", 5), ("s", 5), ("s", 4), ("t", 0), ("s", 6)]
        assert [take(view, accepted(*place)) for place in given] == [True, False, False, True, True]
        assert view.streams() == {"s": 2, "t": 1}
        assert [view.entry("s", seq) is not None for seq in (4, 5, 6)] == [False, True, True]


def test_a_gap_is_told_directly_after_its_frame() -> None:
    frame = accepted("s", 1, key=b"k" * 32)
    others = [{"stream": "t"}, {"seq": 2}, {"sha256": bytes(32)}, {"length": 2},
              {"certificate": None}, {"seq": None}]  # fmt: skip
    with LogView() as view:
        assert not take(view, gap_of(frame))  # nothing stands before it
        assert view.entry("s", 1) is None
        assert take(view, frame)
        found = view.entry("s", 1)
        assert found is not None
        assert found.gap_sha256 is None
        for other in others:
            assert not view.accept_gap(gap_of(frame, **other))
        assert take(view, gap_of(frame))
        assert not take(view, gap_of(frame))  # a gap stands between
        found, told = view.entry("s", 1), sha256(cbor.encode(GAP))
        assert found is not None
        assert found.gap_sha256 == told


def test_the_newest_final_close_of_each_month_is_known() -> None:
    with LogView() as view:
        for month, closing, statement in (
            ("2026-06", "final", b"a"), ("2026-06", "interim", b"b"), ("2026-07", "final", b"c"),
            ("2026-06", "final", b"d"), ("2026-08", "final", b"e"),
        ):  # fmt: skip
            view.go_on()
            view.close, view.statement_sha256 = {"month": month, "closing": closing}, statement
        assert view.final("2026-06") == b"d"
        assert view.final("2026-07") == b"c"
        assert view.final("2026-08") is None  # that is the last entry itself
        view.go_on()
        assert view.close is None
        assert view.final("2026-08") == b"e"


def test_streams_and_keys_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_view, "STREAMS_MAX", 2)
    monkeypatch.setattr(log_view, "KEYS_MAX", 2)
    with LogView() as view:
        for entry in (accepted("s", 1), accepted("t", 1), accepted("s", 2, key=bytes(32))):
            assert take(view, entry)
        with pytest.raises(LimitError, match="2 gateways"):
            view.accept(accepted("u", 1), 0)
        with pytest.raises(LimitError, match="2 keys"):
            view.accept(accepted("s", 3, key=b"k" * 32), 0)


GROWTH = """
import resource
from pathlib import Path

from evidence.log import Entry, Kind
from evidence.verifier import scratch
from evidence.verifier.log_view import LogView

scratch.CACHE_KIB = 512

def held_kib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024

with LogView() as view:
    for i in range(80_000):
        view.go_on()
        if i == 20_000:
            before = held_kib()  # the page cache is full
        if i % 2:
            view.accept(Entry(Kind.FRAME, 0, 1, "s", i, bytes(32), 1), i)
        else:
            view.close = {"month": f"{i:07}", "closing": "final"}
            view.statement_sha256 = bytes(32)
        view.add(b"any", i)
    assert view.entry("s", 1).index == 1 and view.entry("s", 79_999).index == 79_999
    print(held_kib() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for the memory held")
def test_memory_does_not_grow_with_the_log() -> None:
    """Columns in memory grew by 140 bytes an entry: 8 MB here."""
    done = subprocess.run([sys.executable, "-c", GROWTH], cwd=ROOT, capture_output=True, check=True)
    assert int(done.stdout) < 2_048
