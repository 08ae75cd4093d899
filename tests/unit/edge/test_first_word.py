"""What a start keeps until the collector is heard, and what then becomes of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.alarms import standing
from edge.errors import ForkError, HeldError
from edge.spool_reader import State
from edge.stream import Stream
from edge.trouble import FORK, UNHEARD
from evidence import cose
from evidence.frame import TYP_CONFIG, TYP_FRAME, TYP_ROTATE
from evidence.keys import FileSigner, generate
from evidence.receipt import encode_close_request
from tests.unit.edge.sites import certificate, keys, who
from tests.unit.edge.stream_rig import BODY, CONFIG, NOW_NS, Rig, collector, opened

S = 10**9
OTHER = {**CONFIG, "format": 2}


def kinds(rig: Rig, first: int) -> list[str]:
    return [cose.parse(stored.data).typ for stored in rig.spool.objects(first, 1000)]


def test_nothing_is_signed_before_the_first_word_and_all_of_it_then(rig: Rig) -> None:
    rig.made(2)
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)
    head = rig.spool.head()
    rig.stream.await_word("not heard", NOW_NS)
    assert rig.stream.append_config(OTHER, NOW_NS) == []
    assert rig.stream.append_frame(BODY, b"calc", NOW_NS) is None
    with pytest.raises(HeldError, match="until the collector has said how far it holds the stream"):
        rig.stream.sign_waiting(NOW_NS)
    assert rig.stream.cosign_hourly(NOW_NS) is None
    request = encode_close_request(rig.collector.close_request(), keys().collector_signer)
    assert rig.stream.answer_close(request, NOW_NS) == []
    assert rig.spool.head() == head
    made = rig.stream.word_came(NOW_NS)
    assert [stored.typ for stored in made] == kinds(rig, 2) == [TYP_CONFIG, TYP_FRAME]
    assert rig.stream.word_came(NOW_NS) == []
    assert rig.stream.cosign_hourly(NOW_NS) is not None
    assert len(rig.stream.answer_close(request, NOW_NS)) == 1


def test_a_receipt_of_more_is_not_yet_the_end_of_it(rig: Rig) -> None:
    """What waits is signed with it, not later: `word_came` does both."""
    rig.made(3)
    rig.stream.await_word("not heard", NOW_NS)
    rig.stream.append_frame(BODY, b"", NOW_NS)
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)
    assert set(rig.stream.condition().troubles) == {UNHEARD}
    assert [stored.seq for stored in rig.stream.word_came(NOW_NS)] == [3]
    assert rig.spool.get(State.TROUBLE) == b""


def test_word_of_other_objects_keeps_all_unsigned(rig: Rig) -> None:
    rig.made(3)
    rig.stream.await_word("not heard", NOW_NS)
    rig.stream.append_config(OTHER, NOW_NS)
    rig.stream.note_trouble(FORK, "other objects", NOW_NS, until_seq=9)
    assert rig.stream.word_came(NOW_NS) == []
    assert set(rig.stream.condition().troubles) == {FORK}
    assert rig.spool.usage().unsigned == 1


def test_many_that_wait_do_not_hold_up_the_ticks(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.signing.SIGNS_AT_ONCE", 3)
    rig.made(2)
    rig.stream.await_word("not heard", NOW_NS)
    for _ in range(5):
        rig.stream.append_frame(BODY, b"", NOW_NS)
    assert len(rig.stream.word_came(NOW_NS)) == 3
    assert rig.stream.is_waiting()
    assert [rig.stream.sign_waiting(NOW_NS) is None for _ in range(3)] == [False, False, True]


def test_nor_does_a_new_key_at_the_start(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.signing.SIGNS_AT_ONCE", 3)
    rig.made(2)
    rig.stream.await_word("not heard", NOW_NS)
    for _ in range(5):
        rig.stream.append_frame(BODY, b"", NOW_NS)
    rig.spool.put({State.TROUBLE: b""})
    new = FileSigner(generate())
    changed = who(signer=new, certificate=certificate(new.public_key), previous=keys().signer)
    stream = Stream(rig.spool, changed)
    stream.take_up_key(NOW_NS)
    assert kinds(rig, 2) == [TYP_FRAME] * 3
    while stream.sign_waiting(NOW_NS):
        pass
    assert kinds(rig, 5) == [TYP_FRAME, TYP_FRAME, TYP_ROTATE]


def test_it_is_told_when_it_lasts(rig: Rig) -> None:
    """The start is `date -u -d @1795574490`: Wed Nov 25 02:41:30 UTC 2026. 10 s are no news."""
    rig.made(2)
    rig.stream.await_word("not heard", NOW_NS)
    rig.stream.append_frame(BODY, b"", NOW_NS)
    condition = rig.stream.condition()
    assert standing(condition, NOW_NS + 10 * S, 10**18) == {}
    told = {UNHEARD: "since 2026-11-25 02:41 UTC: not heard"}
    assert standing(condition, NOW_NS + 10 * S + 1, 10**18) == told, "and not key-away"


@pytest.fixture
def set_back(rig: Rig, tmp_path: Path) -> Iterator[Rig]:
    """A spool of the past: it made two objects, and the collector holds four that are others'."""
    rig.made(4)
    spool, stream = opened(tmp_path / "set-back" / "spool.sqlite")
    stream.append_config(OTHER, NOW_NS)
    stream.append_frame(BODY, b"", NOW_NS)
    yield Rig(spool, stream, rig.collector)
    spool.close()


def test_what_it_says_holds_before_anything_else_is_done(set_back: Rig) -> None:
    """The wait may end while the receipt is judged: between the two nothing may be signed."""
    stream = set_back.stream
    stream.await_word("not heard", NOW_NS)
    stream.append_frame(BODY, b"", NOW_NS)
    with pytest.raises(ForkError):
        stream.take_receipt(set_back.collector.receipt(), NOW_NS)
    assert stream.word_came(NOW_NS) == []
    assert stream.condition().troubles[FORK].until_seq == 3


def test_an_older_receipt_takes_nothing_back(set_back: Rig) -> None:
    """Whoever can write to the broker can bring one: it would let seq 2 and 3 be made twice."""
    stream, held = set_back.stream, set_back.collector
    fork = collector()
    assert all(fork.take(data) for data in held.objects[:2])
    for receipt in (held.receipt(), fork.receipt()):
        with pytest.raises(ForkError):
            stream.take_receipt(receipt, NOW_NS)
    assert stream.append_frame(BODY, b"", NOW_NS) is None


@pytest.mark.parametrize("is_key_new", [False, True])
def test_a_new_configuration_waits_behind_what_waits(rig: Rig, is_key_new: bool) -> None:
    """Of a day that waits 8,640 frames would be signed at the start, and nothing read meanwhile."""
    rig.made(2)
    rig.stream.await_word("not heard", NOW_NS)
    rig.stream.append_frame(BODY, b"", NOW_NS)
    if is_key_new:
        new = FileSigner(generate())
        changed = who(signer=new, certificate=certificate(new.public_key), previous=keys().signer)
        rig.stream = Stream(rig.spool, changed)
        rig.stream.take_up_key(NOW_NS)
    rig.spool.put({State.TROUBLE: b""})
    assert rig.stream.append_config(OTHER, NOW_NS) == []
    rig.stream.append_frame(BODY, b"", NOW_NS)
    assert kinds(rig, 2) == []
    while rig.stream.sign_waiting(NOW_NS):
        pass
    assert kinds(rig, 2) == [TYP_FRAME, TYP_CONFIG, TYP_FRAME, *[TYP_ROTATE] * is_key_new]
