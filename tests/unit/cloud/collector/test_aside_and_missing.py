"""Bounds of what is kept aside, and which objects of a stream are said to be missing."""

from cloud.collector import aside
from cloud.collector.aside import AsideRoom
from cloud.collector.missing import LASTING_NS, Missed, Missing
from cloud.collector.topics import Sender
from evidence.log import Entry, Kind

A, B = Sender("mini", "edge-a"), Sender("mini", "edge-b")
KEY = bytes([1]) * 32


def entry(stream: str = "edge-a", *, key: bytes | None = KEY, length: int = 1_000) -> Entry:
    return Entry(
        Kind.REJECT, 5, 1, stream, 3, bytes(32), length, certificate=key, verdict="revoked",
        detail={"kid": bytes(8)},
    )  # fmt: skip


# -- kept aside ---------------------------------------------------------------------------------


def test_each_gateway_has_an_hourly_room_of_its_own() -> None:
    room = AsideRoom([])
    for n in range(aside.KNOWN.an_hour):
        assert room.has_room(entry(), float(n))
        room.take(entry(), float(n))
    assert not room.has_room(entry(), 3_599.0)
    assert room.has_room(entry("edge-b"), 3_599.0)
    assert room.has_room(entry(), 3_600.0)  # the first one is an hour old


def test_names_that_nobody_signed_share_one_room() -> None:
    room = AsideRoom([])
    for n in range(aside.UNKNOWN.an_hour):
        room.take(entry(f"edge-{n}", key=None), 0.0)
    assert not room.has_room(entry("edge-new", key=None), 0.0)
    assert room.has_room(entry("edge-new"), 0.0)


def test_files_and_bytes_are_bounded_through_restarts() -> None:
    full = AsideRoom([entry()] * aside.KNOWN.files)
    assert not full.has_room(entry(), 0.0)
    assert AsideRoom([entry()] * (aside.KNOWN.files - 1)).has_room(entry(), 0.0)
    heavy = AsideRoom([entry(key=None, length=16 * 1024 * 1024 - 999)])
    assert heavy.has_room(entry(key=None, length=999), 0.0)
    assert not heavy.has_room(entry(key=None, length=1_000), 0.0)


# -- missing ------------------------------------------------------------------------------------


def test_everything_from_what_is_due_to_the_newest_is_missing() -> None:
    missing = Missing()
    assert missing.of(A) is None
    assert missing.note(A, due=10, seq=14, at_ns=100)
    assert not missing.note(A, due=10, seq=20, at_ns=200)
    assert not missing.note(A, due=10, seq=12, at_ns=300)
    assert missing.of(A) == Missed(10, 20, 100)
    assert missing.of(B) is None


def test_it_shrinks_as_the_stream_goes_on_and_ends_with_it() -> None:
    missing = Missing()
    missing.note(A, due=10, seq=12, at_ns=100)
    missing.settle(A, 11, 400)
    assert missing.of(A) == Missed(11, 12, 400)
    missing.settle(A, 13, 500)
    assert missing.of(A) is None
    missing.settle(B, 1, 500)
    assert missing.of(B) is None


def test_what_a_log_that_was_set_back_lacks() -> None:
    """By hand: 10 is due, and the oldest that the gateway sends is 14: it has receipts to 13."""
    missing = Missing()
    for at_ns, seq in ((100, 16), (200, 14), (300, 20)):
        missing.lack(A, 10, seq, at_ns)
    assert missing.of(A) == Missed(10, 13, 100, is_receipted=True)
    missing.settle(A, 12, 400)  # some came as a file
    assert missing.of(A) == Missed(12, 13, 100, is_receipted=True)
    missing.settle(A, 14, 500)
    assert missing.of(A) is None
    missing.lack(B, 10, 10, 100)  # another stream's entries are gone: of this one nothing is
    assert missing.of(B) is None


def test_what_lasts_is_told_with_what_to_do() -> None:
    missing = Missing()
    missing.note(A, due=10, seq=12, at_ns=100)
    assert missing.lasting(99 + LASTING_NS) == {}
    assert missing.lasting(100 + LASTING_NS) == {A: Missed(10, 12, 100)}
    assert "edge export SITE.toml --from 10 --to 12" in Missed(10, 12, 100).sentence()
