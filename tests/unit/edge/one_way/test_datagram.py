"""Packing: whatever the way does to datagrams, the same bytes come out, or nothing."""

import hashlib
import struct
import zlib
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.one_way.datagram import (
    CHUNK,
    DATAGRAM_BYTES_MAX,
    RUNS_MAX,
    LossCount,
    Reassembly,
    count_of,
    fragments,
    parse_fragment,
)
from evidence.cose import OBJECT_BYTES_MAX
from evidence.errors import MalformedError


def sent(data: bytes, run: int = 7, first: int = 0) -> list[bytes]:
    return list(fragments(data, run, first))


def test_layout_by_hand() -> None:
    data = b"x" * (CHUNK + 1)
    _, second = sent(data, run=7, first=0xFFFFFFFF)
    head = b"SPU1" + struct.pack(">II", 7, 0) + hashlib.sha256(data).digest()
    head += struct.pack(">IH", len(data), 1)
    assert second == head + struct.pack(">I", zlib.crc32(head + b"x")) + b"x"


@settings(max_examples=60)
@given(st.integers(1, 6 * CHUNK), st.integers(0, 2**32 - 1))
def test_any_loss_order_and_repetition_is_the_same_bytes_or_nothing(size: int, seed: int) -> None:
    choose = Random(seed)
    objects = [choose.randbytes(size), choose.randbytes(max(1, size // 2))]
    all_sent = [datagram for data in objects for datagram in sent(data)] * 2
    assert max(map(len, all_sent)) <= DATAGRAM_BYTES_MAX
    came = [d for d in all_sent if choose.random() < 0.8]
    choose.shuffle(came)
    reassembly = Reassembly()
    out = [whole for d in came if (whole := reassembly.take(parse_fragment(d)))]
    assert set(out) <= set(objects)
    complete = {data for data in objects if set(sent(data)) <= set(came)}
    assert complete <= set(out)


def test_bursts_are_survived_by_whole_rounds() -> None:
    objects = [bytes([number]) * 5_000 for number in range(40)]
    one_round = [datagram for data in objects for datagram in sent(data)]
    came = one_round[:60] + one_round[120:] + one_round[:10] + one_round[40:]  # two bursts
    reassembly = Reassembly()
    out = [whole for d in came if (whole := reassembly.take(parse_fragment(d)))]
    assert set(out) == set(objects)


def test_largest_object_goes_through() -> None:
    data = Random(1).randbytes(OBJECT_BYTES_MAX)
    datagrams = sent(data)
    assert len(datagrams) == count_of(len(data)) == 780  # 1 MiB by 1,346
    reassembly = Reassembly()
    assert [w for d in reversed(datagrams) if (w := reassembly.take(parse_fragment(d)))] == [data]
    assert reassembly.bytes == 0


GOOD = sent(b"y" * (CHUNK + 5))[0]


@pytest.mark.parametrize(
    "bad",
    [
        b"", GOOD[:54], GOOD[:-1], GOOD + b"z", b"SPU2" + GOOD[4:],
        GOOD[:-1] + b"\0", GOOD[:44] + b"\0\0\0\0" + GOOD[48:],
        GOOD[:44] + b"\xff\xff\xff\xff" + GOOD[48:], GOOD[:48] + b"\0\2" + GOOD[50:],
    ],
)  # fmt: skip
def test_what_is_not_whole_is_refused(bad: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_fragment(bad)


def forged(data: bytes, sha256: bytes, length: int, index: int = 0) -> bytes:
    head = b"SPU1" + struct.pack(">II", 1, 1) + sha256 + struct.pack(">IH", length, index)
    return head + struct.pack(">I", zlib.crc32(head + data)) + data


def test_a_stranger_who_sends_pieces_of_his_own_keeps_no_object_away() -> None:
    data = Random(2).randbytes(5 * CHUNK + 5)
    digest, true = hashlib.sha256(data).digest(), sent(data)

    def poison(index: int, fill: int = 0) -> bytes:
        size = CHUNK if index < 5 else 5
        return forged(bytes([fill]) * size, digest, len(data), index)

    ways = {
        "before the first": [poison(2), *true],
        "before each": [d for i, t in enumerate(true) for d in (poison(i), t)],
        "behind four": [d for i, t in enumerate(true) for d in ((t, poison(i)) if i < 4 else (t,))],
        "three of one piece": [*true[:5], *(poison(1, fill) for fill in range(3)), true[5]],
        "all of them, in the round before": [*map(poison, range(6)), *true],
    }
    for way, datagrams in ways.items():
        reassembly = Reassembly()
        came = [reassembly.take(parse_fragment(d)) for d in datagrams]
        assert came[-1] == data, way
        assert came[:-1] == [None] * (len(came) - 1)
        assert reassembly.bytes == 0
        assert reassembly.broken == (way in {"before each", "all of them, in the round before"})


def test_what_a_stranger_has_hashed_is_bounded_and_the_next_round_is_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed = []

    def sha256(data: bytes) -> object:
        hashed.append(len(data))
        return whole_sha256(data)

    whole_sha256 = hashlib.sha256
    data = Random(4).randbytes(36 * CHUNK)  # 48 kB, as a frame has them
    digest, true, reassembly = hashlib.sha256(data).digest(), sent(data), Reassembly()
    monkeypatch.setattr("edge.one_way.datagram.hashlib.sha256", sha256)
    for number in range(2_000):
        fill = bytes([number % 251]) * CHUNK
        reassembly.take(parse_fragment(forged(fill, digest, len(data), number % 36)))
        assert reassembly.bytes <= 1_024 + 4 * len(data) + 4 * 36 * 256
    assert 2_000 <= len(hashed) <= 2_000 * 64 * 1024 / len(data) + 21
    assert reassembly.broken == 1
    assert [reassembly.take(parse_fragment(d)) for d in true][-1] == data
    hashed.clear()
    long = OBJECT_BYTES_MAX
    for index in range(count_of(long)):
        piece = bytes(min(CHUNK, long - index * CHUNK))
        reassembly.take(parse_fragment(forged(piece, digest, long, index)))
    for fill in range(1, 33):
        reassembly.take(parse_fragment(forged(bytes([fill]) * CHUNK, digest, long, 5)))
    assert hashed == [long] * 3  # at once, and then each sixteenth datagram


def test_a_long_object_is_whole_by_the_next_round_however_often_a_piece_was_forged() -> None:
    """What may be hashed is used up by then, and pieces that stand there already come again."""
    data = Random(6).randbytes(OBJECT_BYTES_MAX)
    digest, true = hashlib.sha256(data).digest(), sent(data)
    ends = {
        "the last one": [forged(bytes([fill]) * 42, digest, len(data), 779) for fill in range(5)],
        "three of them": [
            forged(bytes(CHUNK), digest, len(data), index) for index in (0, 400, 778)
        ],
    }
    for what, forgeries in ends.items():
        reassembly = Reassembly()
        came = [
            reassembly.take(parse_fragment(d))
            for datagrams in (true[:-1], forgeries, true[-1:], true)
            for d in datagrams
        ]
        assert [one for one in came if one] == [data], what
        assert reassembly.broken == 1


def test_an_object_of_one_piece_waits_for_no_other() -> None:
    reassembly, digest = Reassembly(), hashlib.sha256(b"true").digest()
    assert reassembly.take(parse_fragment(forged(b"lies", digest, 4))) is None
    assert (reassembly.broken, reassembly.bytes) == (1, 0)
    assert reassembly.take(parse_fragment(sent(b"true")[0])) == b"true"


def test_memory_is_bounded_whatever_a_stranger_begins() -> None:
    bound, choose = 2 * 1024 * 1024, Random(3)
    reassembly = Reassembly(bytes_max=bound)
    for _ in range(5_000):
        datagram = forged(b"\0" * CHUNK, choose.randbytes(32), OBJECT_BYTES_MAX)
        reassembly.take(parse_fragment(datagram))
        assert reassembly.bytes <= bound
    assert reassembly.given_up > 3_000
    data = choose.randbytes(3 * CHUNK)
    assert [reassembly.take(parse_fragment(d)) for d in sent(data)][-1] == data


def test_what_is_on_disk_is_not_put_together_again() -> None:
    data, reassembly = b"held", Reassembly()
    (datagram,) = sent(data)
    assert reassembly.take(parse_fragment(datagram)) == data
    assert reassembly.take(parse_fragment(datagram)) == data  # not known to be on disk
    reassembly.remember(hashlib.sha256(data).digest())
    assert reassembly.take(parse_fragment(datagram)) is None


def test_loss_is_counted_by_number() -> None:
    loss = LossCount()
    numbers = [2**32 - 2, 2**32 - 1, 1, 0, 4]  # two late, two lost; it wraps
    for number in numbers:
        loss.note(parse_fragment(sent(b"x", first=number)[0]))
    assert (loss.received, loss.lost) == (5, 2)
    for number in (7, 9, 10):  # another sender's, or its next start: one lost
        loss.note(parse_fragment(sent(b"x", run=8, first=number)[0]))
        loss.note(parse_fragment(sent(b"x", first=number)[0]))  # of the first: 5, 6 and 8 lost
    assert (loss.received, loss.lost) == (11, 6)
    for run in range(100, 100 + RUNS_MAX):  # a stranger's: of the newest senders alone
        loss.note(parse_fragment(sent(b"x", run=run)[0]))
    assert (loss.received, loss.lost) == (256, 0)
