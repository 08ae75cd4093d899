"""The spool against a model of a few lists, over any order of operations and reopenings."""

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.errors import SpoolError
from edge.spool import Spool, Stored
from edge.spool_reader import Unsigned
from evidence.chain import ZERO_HASH, Head

BYTES_MAX = 400_000
ticks_of_an_instant = st.lists(st.binary(min_size=1, max_size=3000), min_size=1, max_size=3)


class SpoolModel(RuleBasedStateMachine):
    """`made` is every object ever appended; what waits is the part after `receipted`."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "spool.sqlite"
        self.spool = self._open()
        self.open: list[bytes] = []
        self.unsigned: list[Unsigned] = []
        self.made: list[Stored] = []
        self.receipted = -1
        self.state: dict[str, bytes] = {}

    def _open(self) -> Spool:
        return Spool(self.path, bytes_max=BYTES_MAX)

    def teardown(self) -> None:
        self.spool.close()
        self.folder.cleanup()

    def _next(self, data: bytes) -> Stored:
        seq = len(self.made)
        whole = seq.to_bytes(8, "big") + data
        return Stored(seq, "frame", hashlib.sha256(whole).digest(), whole, seq, seq * 1000)

    @rule(ticks=ticks_of_an_instant, value=st.binary(max_size=20))
    def commit(self, ticks: list[bytes], value: bytes) -> None:
        self.spool.commit_ticks(ticks, {"opening": value})
        self.open += ticks
        self.state["opening"] = value

    @rule(data=st.binary(max_size=20_000), closes=st.booleans(), value=st.binary(max_size=20))
    def append(self, data: bytes, closes: bool, value: bytes) -> None:
        stored = self._next(data)
        self.spool.append(stored, state={"calc": value}, closes_ticks=closes)
        self.made.append(stored)
        self.state["calc"] = value
        if closes:
            self.open = []

    @rule(payload=st.binary(max_size=5_000), value=st.binary(max_size=20))
    def keep_unsigned(self, payload: bytes, value: bytes) -> None:
        frame = Unsigned(payload, len(payload), len(self.unsigned), b"anchor")
        self.spool.keep_unsigned(frame, state={"calc": value})
        self.unsigned.append(frame)
        self.state["calc"], self.open = value, []

    @precondition(lambda self: self.unsigned)
    @rule(value=st.binary(max_size=20))
    def sign(self, value: bytes) -> None:
        frame, stored = self.spool.unsigned(), self._next(b"signed")
        assert frame is not None
        self.spool.append(stored, state={"key": value}, signs=frame)
        self.made.append(stored)
        self.state["key"] = value
        self.unsigned.pop(0)

    @rule(offset=st.sampled_from([-2, -1, 1, 2]))
    def append_out_of_order(self, offset: int) -> None:
        seq = len(self.made) + offset
        if seq >= 0:
            with pytest.raises(ValueError, match="do not follow"):
                self.spool.append(Stored(seq, "frame", bytes(32), b""), state={})

    @rule(data=st.binary(max_size=100))
    def fail_in_the_middle(self, data: bytes) -> None:
        """The last of several statements is refused: the others must be undone."""
        bad: dict[str, bytes] = {"calc": b"new", "x": None}  # type: ignore[dict-item] # NOT NULL
        said = r"spool\.sqlite: cannot be written: NOT NULL"
        with pytest.raises(SpoolError, match=said):
            self.spool.append(self._next(data), state=bad, closes_ticks=True)
        with pytest.raises(SpoolError, match=said):
            self.spool.commit_ticks([data], bad)

    @precondition(lambda self: self.made)
    @rule(share=st.floats(0, 1))
    def release(self, share: float) -> None:
        seq = int(share * (len(self.made) - 1))
        if seq <= self.receipted:
            return  # `Stream.take_receipt` does not ask for it
        assert self.spool.release(seq, b"receipt") == seq - self.receipted
        self.receipted = seq

    @rule()
    def reopen(self) -> None:
        self.spool.close()
        self.spool = self._open()

    @invariant()
    def same_as_the_model(self) -> None:
        spool, waiting = self.spool, self.made[self.receipted + 1 :]
        assert spool.open_ticks() == self.open
        assert spool.objects(0, 10_000) == waiting
        assert spool.receipted_seq() == self.receipted
        head = self.made[-1].sha256 if self.made else ZERO_HASH
        assert spool.head() == Head(len(self.made), head)
        assert [spool.hash_at(s.seq) for s in self.made] == [s.sha256 for s in self.made]
        assert spool.hash_at(len(self.made)) is None
        assert {key: spool.get(key) for key in self.state} == self.state
        assert spool.get("x") is None
        first, usage = spool.unsigned(), spool.usage()
        waits = [replace(first, number=0)] if first is not None else []
        assert waits == self.unsigned[:1]
        assert usage.unsigned == len(self.unsigned)
        assert usage.unsigned_ns == (waits[0].through_ns if waits else None)
        assert usage.objects == len(waiting)
        assert usage.oldest_ns == (waiting[0].through_ns if waiting else None)

    @invariant()
    def size_is_what_is_kept_and_little_more(self) -> None:
        kept = sum(map(len, self.open))
        kept += sum(len(s.data) for s in self.made[self.receipted + 1 :])
        kept += sum(len(frame.payload) for frame in self.unsigned)
        used = self.spool.usage().bytes
        assert kept <= used
        # a page each for tables and indexes, and what a page cannot be filled with
        rows = len(self.open) + len(self.made) + len(self.unsigned)
        assert used <= kept + 100_000 + 4500 * rows
        assert self.spool.fill() == pytest.approx(used / BYTES_MAX)


TestSpoolModel = SpoolModel.TestCase
TestSpoolModel.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
