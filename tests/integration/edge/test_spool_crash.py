"""The spool through SIGKILL at any moment, with a torn end, and on a disk that is full."""

import hashlib
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.errors import SpoolError
from edge.spool import Spool, Stored
from evidence.chain import ZERO_HASH
from tests.integration.edge.disks import small_disk

KILLS = 20


def numbers(data: bytes) -> list[int]:
    """The tick numbers in a frame or tick, each once, in order."""
    found = [int.from_bytes(data[i : i + 8], "big") for i in range(0, len(data), 8)]
    return list(dict.fromkeys(found))


class Ledger:
    """Every object ever seen, so that what a release has freed can still be judged."""

    def __init__(self) -> None:
        self.objects: dict[int, bytes] = {}

    def check(self, path: Path, said: list[str]) -> None:
        """What a killed process said must be there, all of it whole and once."""
        spool = Spool(path, bytes_max=2**30)
        try:
            for stored in spool.objects(0, 10**6):
                assert hashlib.sha256(stored.data).digest() == stored.sha256
                assert self.objects.setdefault(stored.seq, stored.data) == stored.data
            self._check_ticks(spool, said)
            self._check_head(spool, said)
        finally:
            spool.close()

    def _check_ticks(self, spool: Spool, said: list[str]) -> None:
        framed = [n for seq in sorted(self.objects) for n in numbers(self.objects[seq])]
        every = framed + [n for tick in spool.open_ticks() for n in numbers(tick)]
        assert every == list(range(1, len(every) + 1)), "a tick is missing, twice or out of order"
        told = [int(line.split()[1]) for line in said if line.startswith("tick ")]
        assert len(every) >= max(told, default=0)
        assert len(every) == int.from_bytes(spool.get("number") or b"", "big")

    def _check_head(self, spool: Spool, said: list[str]) -> None:
        head, freed = spool.head(), spool.receipted_seq()
        if self.objects:
            newest = max(self.objects)
            assert head.next_seq == newest + 1
            assert head.hash == hashlib.sha256(self.objects[newest]).digest()
            assert spool.get("calc") == self.objects[newest][:8], "state of another frame"
        else:
            assert head.hash == ZERO_HASH
        assert [s.seq for s in spool.objects(0, 10**6)] == list(range(freed + 1, head.next_seq))
        for seq in range(head.next_seq):
            assert spool.hash_at(seq) == hashlib.sha256(self.objects[seq]).digest()
        for line in said:
            kind, _, number = line.partition(" ")
            if kind == "object":
                assert head.next_seq > int(number)
            if kind == "free":
                assert freed >= int(number)


def killed(path: Path, seed: int, lines: int, delay_s: float) -> list[str]:
    """Run a child, kill it after some lines and a moment; what it had said."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.edge.spool_child", str(path), str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert child.stdout is not None
    with child, child.stdout:
        said = []
        for line in child.stdout:
            said.append(line.strip())
            if len(said) >= lines:
                break
        time.sleep(delay_s)
        child.kill()
        said += [line.strip() for line in child.stdout if line.endswith("\n")]
    assert child.returncode < 0, "it ended by itself"
    return said


def test_killed_at_any_moment(tmp_path: Path) -> None:
    path, ledger = tmp_path / "spool.sqlite", Ledger()
    chance = random.Random(20261125)
    total = 0
    for kill in range(KILLS):
        said = killed(path, kill, chance.randrange(1, 60), chance.uniform(0, 0.02))
        ledger.check(path, said)
        total += len(said)
    assert total > 300
    assert len(ledger.objects) > 20


def test_full_disk_refuses_whole_transactions_and_recovers(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "512k") as disk:
        spool = Spool(disk / "spool.sqlite", bytes_max=2**30)
        kept = 0

        def fill() -> None:
            nonlocal kept
            while kept < 1000:
                spool.commit_ticks([kept.to_bytes(8, "big") * 250])
                kept += 1

        with pytest.raises(SpoolError, match="database or disk is full"):
            fill()
        assert 20 < kept < 250
        ticks = spool.open_ticks()
        assert [numbers(tick) for tick in ticks] == [[n] for n in range(kept)]
        with pytest.raises(SpoolError, match="full"):
            spool.append(Stored(0, "frame", bytes(32), bytes(200_000)), state={}, closes_ticks=True)
        assert spool.open_ticks() == ticks
        spool.close()
        again = Spool(disk / "spool.sqlite", bytes_max=2**30)
        assert again.open_ticks() == ticks
        again.close()


def test_torn_tail_is_cut_to_whole_transactions(tmp_path: Path) -> None:
    """After a power cut the newest pages may be missing, half there, or noise."""
    path = tmp_path / "spool.sqlite"
    spool = Spool(path, bytes_max=2**30)
    wal = path.with_name("spool.sqlite-wal")
    ends = []  # length of the write-ahead log after each tick's commit
    for number in range(1, 13):
        spool.commit_ticks([number.to_bytes(8, "big") * 40])
        ends.append(wal.stat().st_size)
    main, log = path.read_bytes(), wal.read_bytes()
    spool.close()
    chance = random.Random(7)
    cuts = [chance.randrange(ends[0], len(log)) for _ in range(40)] + ends
    for number, cut in enumerate(cuts):
        whole = sum(end <= cut for end in ends)
        for noise in (b"", chance.randbytes(5000)):
            copy = tmp_path / f"{number}-{len(noise)}" / "spool.sqlite"
            copy.parent.mkdir()
            copy.write_bytes(main)
            copy.with_name("spool.sqlite-wal").write_bytes(log[:cut] + noise)
            again = Spool(copy, bytes_max=2**30)
            kept = [numbers(tick) for tick in again.open_ticks()]
            assert kept == [[n] for n in range(1, whole + 1)]
            again.commit_ticks([(whole + 1).to_bytes(8, "big")])
            assert len(again.open_ticks()) == whole + 1
            again.close()
