"""Every write boundary of spool and stream, cut in turn.

One life of a stream runs once, and before each statement that writes the spool's files are copied:
that is what a process killed there leaves behind. Between two commits the write-ahead log is cut at
each of its frames and in the middle of them, with noise behind the cut or none: that is what a
power cut leaves. A new process must
go on from every copy: what was said to be kept is there, what the collector has under receipt is
not asked for again, no seq is ever two objects, and the totals are equal.
"""

import hashlib
import random
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from edge.errors import SpoolError
from edge.identity import Identity
from edge.spool import Spool
from edge.spool_reader import Stored
from edge.stream import Stream
from evidence import cose
from evidence.errors import KeyFileError
from evidence.frame import TYP_FRAME, decode_body, header_of
from evidence.keys import FileSigner, generate
from evidence.receipt import encode_close_request
from tests.integration.edge.small_collector import SmallCollector
from tests.unit.edge.sites import certificate, keys, who
from tests.unit.edge.stream_rig import BODY, CONFIG, NOW_NS, collector

HOUR_NS = 3_600 * 10**9
NEXT = FileSigner(generate())
T = TypeVar("T")
WRITES = ("BEGIN", "INSERT", "DELETE", "UPDATE", "COMMIT", "CREATE", "PRAGMA user_version=")
WAL_HEAD, WAL_FRAME = 32, 24 + 4096  # SQLite's file format, section 4.1
NOISE = random.Random(7).randbytes(5000)


@dataclass
class Ledger:
    """What a process has said so far: to the collector, and to whoever waits for a reading."""

    numbers: list[int] = field(default_factory=list)  # ticks whose commit returned
    sent: list[bytes] = field(default_factory=list)  # objects whose commit returned
    receipted: int = -1  # seq of the newest receipt acted on

    def copy(self) -> "Ledger":
        return Ledger([*self.numbers], [*self.sent], self.receipted)


@dataclass
class Point:
    """A copy of the spool's files at one moment, and what had been said until then."""

    folder: Path
    said: Ledger
    key: FileSigner


class Life:
    """One stream, and what is kept of every moment of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "live" / "spool.sqlite"
        self.ledger, self.points = Ledger(), list[Point]()
        self.collector = collector()
        self.key = keys().signer
        self.refused = 0
        self._wal, self._said = b"", Ledger()

    def watch(self, statement: str) -> None:
        """Called before each statement runs."""
        if statement.lstrip().startswith(WRITES):
            wal = self.path.with_name("spool.sqlite-wal")
            before, self._wal = self._wal, wal.read_bytes() if wal.exists() else b""
            # what was said while those bytes were being written is what counts for a cut in them
            earlier, self._said = self._said, self.ledger.copy()
            self._copy(self._wal, self._said)
            for end in range(len(before), len(self._wal), WAL_FRAME):
                for cut in (end, end + 11, end + WAL_HEAD + 2000):
                    if len(before) < cut < len(self._wal) and self._wal.startswith(before):
                        self._copy(self._wal[:cut] + NOISE[: cut % 3 * 2500], earlier)

    def _copy(self, wal: bytes, said: Ledger) -> None:
        folder = self.folder / f"{len(self.points):04}"
        folder.mkdir()
        if self.path.exists():
            shutil.copy(self.path, folder)
        (folder / "spool.sqlite-wal").write_bytes(wal)
        self.points.append(Point(folder, said, self.key))

    # -- the life ---------------------------------------------------------------------------------

    def live(self) -> None:
        """Everything a stream does, once."""
        spool, stream = self.do(lambda: opened(self.path, who()))
        self.made(*self.do(lambda: stream.append_config(CONFIG, NOW_NS)))
        self.ticks(spool, 3)
        self.frame(spool, stream)
        self.receipt(stream)
        self.ticks(spool, 2)
        self.frame(spool, stream)
        cosigned = self.do(lambda: stream.cosign_hourly(NOW_NS))
        assert cosigned is not None
        self.made(cosigned)
        self.receipt(stream)
        self.without_the_key(spool, stream)
        self.before_the_first_word(spool, stream)
        self.ticks(spool, 2)
        closing, other = body(open_numbers(spool)), {**CONFIG, "format": 2}
        self.made(*self.do(lambda: stream.append_config(other, NOW_NS, closing=closing)))
        self.ticks(spool, 1)
        spool.close()
        self.live_on_with_another_key()

    def without_the_key(self, spool: Spool, stream: Stream) -> None:
        """Two frames wait for the key, then it signs them, and receipts come in between."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(FileSigner, "sign", _no_token)
            for _ in range(2):
                self.ticks(spool, 2)
                told = body(open_numbers(spool))
                kept = self.do(lambda told=told: stream.append_frame(told, b"calc", NOW_NS))  # type: ignore[misc] # bound now
                assert kept is None
        for _ in range(2):
            signed = self.do(lambda: stream.sign_waiting(NOW_NS))
            assert signed is not None
            self.made(signed)
            self.receipt(stream)
        assert stream.sign_waiting(NOW_NS) is None

    def before_the_first_word(self, spool: Spool, stream: Stream) -> None:
        """A frame, the next configuration and a frame of that wait until the collector is heard."""
        self.do(lambda: stream.await_word("not heard", NOW_NS))
        self.ticks(spool, 1)
        closing, third = body(open_numbers(spool)), {**CONFIG, "format": 3}
        assert self.do(lambda: stream.append_config(third, NOW_NS, closing=closing)) == []
        self.ticks(spool, 1)
        told = body(open_numbers(spool))
        assert self.do(lambda: stream.append_frame(told, b"calc", NOW_NS)) is None
        self.do(lambda: stream.word_came(NOW_NS))
        while self.do(lambda: stream.sign_waiting(NOW_NS)) is not None:
            pass  # what the disk has refused, if it has
        self.made(*spool.objects(len(self.ledger.sent), 9))

    def live_on_with_another_key(self) -> None:
        old, self.key = self.key, NEXT
        own = who(signer=NEXT, certificate=certificate(NEXT.public_key), previous=old)
        spool, stream = self.do(lambda: opened(self.path, own))
        self.made(*spool.objects(spool.head().next_seq - 1, 1))  # the rotate object
        self.frame(spool, stream)
        self.receipt(stream)
        request = encode_close_request(self.collector.close_request(), keys().collector_signer)
        self.made(*self.do(lambda: stream.answer_close(request, NOW_NS + HOUR_NS)))
        self.ticks(spool, 2)
        spool.close()

    def do(self, work: Callable[[], T]) -> T:
        """Try again once when the disk refuses."""
        try:
            return work()
        except SpoolError:
            self.refused += 1
            return work()

    def made(self, *objects: Stored) -> None:
        """Their commit has returned: they are sent."""
        for stored in objects:
            assert self.collector.take(stored.data)
            self.ledger.sent.append(stored.data)

    def ticks(self, spool: Spool, count: int) -> None:
        for _ in range(count):
            number = len(self.ledger.numbers) + 1
            tick = [number.to_bytes(8, "big")]
            self.do(lambda tick=tick: spool.commit_ticks(tick))  # type: ignore[misc] # bound now
            self.ledger.numbers.append(number)

    def frame(self, spool: Spool, stream: Stream) -> None:
        told = body(open_numbers(spool))
        stored = self.do(lambda: stream.append_frame(told, b"calc", NOW_NS))
        assert stored is not None
        self.made(stored)

    def receipt(self, stream: Stream) -> None:
        receipt = self.collector.receipt()
        self.ledger.receipted = self.do(lambda: stream.take_receipt(receipt, NOW_NS))


def _no_token(*_: object) -> bytes:
    raise KeyFileError("no token in the slot")


def open_numbers(spool: Spool) -> list[int]:
    return [int.from_bytes(tick, "big") for tick in spool.open_ticks()]


def body(numbers: list[int]) -> Any:
    """A frame that tells these ticks."""
    return replace(BODY, events=({"kind": "ticks", "at_ns": NOW_NS, "numbers": numbers},))


def opened(path: Path, own: Identity) -> tuple[Spool, Stream]:
    spool = Spool(path, bytes_max=2**24)
    try:
        stream = Stream(spool, own)
        stream.take_up_key(NOW_NS)
    except BaseException:
        spool.close()
        raise
    return spool, stream


def told(objects: list[bytes]) -> list[int]:
    """Every tick that the frames tell of, in order."""
    found: list[int] = []
    for envelope in map(cose.parse, objects):
        if header_of(envelope).typ == TYP_FRAME:
            (event,) = decode_body(envelope.payload).events
            found += event["numbers"]
    return found


class Db(sqlite3.Connection):
    """A connection that refuses one write, the `refuse_at`-th of all."""

    refuse_at = count = 0

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        self._write(sql)
        return super().execute(sql, *args)

    def executemany(self, sql: str, *args: Any) -> sqlite3.Cursor:
        self._write(sql)
        return super().executemany(sql, *args)

    def executescript(self, sql: str) -> sqlite3.Cursor:
        self._write(sql)
        return super().executescript(sql)

    def _write(self, sql: str) -> None:
        if sql.lstrip().startswith(WRITES):
            Db.count += 1
            if Db.count == Db.refuse_at:
                raise sqlite3.OperationalError("disk I/O error")


def connected(
    monkeypatch: pytest.MonkeyPatch, life: Life, *, refuse_at: int = 0
) -> pytest.MonkeyPatch:
    """Connections of spools tell the life before they write, or refuse one write."""
    connect = sqlite3.connect
    Db.count, Db.refuse_at = 0, refuse_at

    def traced(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        db = connect(*args, **kwargs, factory=Db)
        if not refuse_at:
            db.set_trace_callback(life.watch)
        return db

    monkeypatch.setattr("edge.spool.sqlite3.connect", traced)
    return monkeypatch


def go_on(point: Point) -> list[bytes]:
    """A new process on a copy: everything it still has goes to a collector that took all of it."""
    said = point.said
    taken = collector()
    for data in said.sent:
        assert taken.take(data)
    own = certificate(point.key.public_key)
    previous = None if point.key.kid == keys().signer.kid else keys().signer
    spool, stream = opened(
        point.folder / "spool.sqlite", who(signer=point.key, certificate=own, previous=previous)
    )
    try:
        _check_promises(spool, said)
        numbers = open_numbers(spool)
        stream.word_came(NOW_NS)
        if stream.config_in_force() is None:
            stream.append_config(CONFIG, NOW_NS)
        while stream.sign_waiting(NOW_NS) is not None:
            pass
        stream.append_frame(body(numbers), b"", NOW_NS)
        _deliver(spool, stream, taken)
    finally:
        spool.close()
    return taken.objects


def _check_promises(spool: Spool, said: Ledger) -> None:
    held = {stored.seq: stored.data for stored in spool.objects(0, 1000)}
    assert spool.head().next_seq >= len(said.sent)
    assert spool.receipted_seq() >= said.receipted
    assert list(held) == list(range(spool.receipted_seq() + 1, spool.head().next_seq))
    for seq, data in enumerate(said.sent):
        assert spool.hash_at(seq) == hashlib.sha256(data).digest()


def _deliver(spool: Spool, stream: Stream, taken: SmallCollector) -> None:
    for stored in spool.objects(taken.head.next_seq, 1000):
        assert taken.take(stored.data), "not the next object of the chain"
    assert stream.take_receipt(taken.receipt(), NOW_NS) == spool.head().next_seq - 1
    assert spool.objects(0, 9) == []


def test_every_write_boundary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    life = Life(tmp_path)
    with monkeypatch.context() as patch:
        connected(patch, life)
        life.live()
    assert len(life.points) > 200
    for point in life.points:
        numbers = told(go_on(point))
        kept = point.said.numbers
        assert numbers in (kept, [*kept, len(kept) + 1]), "one more may have been committed"
        shutil.rmtree(point.folder)


def test_every_write_that_the_disk_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same life with each write refused in turn and tried again: nothing is half done."""
    whole = Life(tmp_path / "whole")
    with monkeypatch.context() as patch:
        connected(patch, whole, refuse_at=-1)
        whole.live()
    writes = Db.count
    assert writes > 60
    for refuse_at in range(1, writes + 1):
        life = Life(tmp_path / str(refuse_at))
        with monkeypatch.context() as patch:
            connected(patch, life, refuse_at=refuse_at)
            life.live()
        assert life.refused == 1
        assert life.ledger.numbers == whole.ledger.numbers
        last = Point(life.path.parent, life.ledger, life.key)
        assert told(go_on(last)) == whole.ledger.numbers == list(range(1, 17))
