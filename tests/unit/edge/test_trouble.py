"""What stands in the way of delivery: kept, told for as long as it stands, over by a receipt."""

import pytest

from edge import status
from edge.broker_tls import shown_lines
from edge.errors import AlteredError, ForkError, HeldError
from edge.spool_reader import State
from edge.trouble import (
    DAMAGED,
    FORK,
    REFUSED,
    Reach,
    Trouble,
    decode_reach,
    decode_troubles,
    encode_troubles,
    reason_to_hold,
    standing_troubles,
)
from evidence.shown_life import Life, shown_life
from tests.unit.edge.stream_rig import BODY, NOW_NS, Rig

MINUTE_NS = 60 * 10**9


def test_kept_as_it_was() -> None:
    troubles = {FORK: Trouble("say", 1, 0), DAMAGED: Trouble("so", 2, 7)}
    assert decode_troubles(encode_troubles(troubles)) == troubles
    assert (encode_troubles({}), decode_troubles(None), decode_troubles(b"")) == (b"", {}, {})


def test_a_broker_is_away_since_the_first_try_that_failed(rig: Rig) -> None:
    stream, spool = rig.stream, rig.spool
    assert decode_reach(spool.get(State.BROKER)) is None
    reasons = ["hangs up", "refuses", "refuses", "", "", "hangs up"]
    kept = list[Reach | None]()
    for minute, reason in enumerate(reasons):
        stream.note_broker(reason, minute * MINUTE_NS)
        kept.append(decode_reach(spool.get(State.BROKER)))
    since = [0, 0, 0, 3, 3, 5]
    assert kept == [
        Reach(minute * MINUTE_NS, reason) for minute, reason in zip(since, reasons, strict=True)
    ]
    stream.note_broker("x" * 5_000, 6 * MINUTE_NS)
    assert decode_reach(spool.get(State.BROKER)) == Reach(5 * MINUTE_NS, "x" * 2_000)


def test_the_end_of_what_the_broker_has_shown_is_kept_and_told(rig: Rig) -> None:
    """It ends on `date -u -d @1798166490`, 30 days after NOW_NS: 2026-12-25 02:41 UTC."""
    day_ns = 24 * 60 * MINUTE_NS
    life = Life(NOW_NS - 700 * day_ns, NOW_NS + 30 * day_ns)
    assert status._shown(rig.spool.get(State.SHOWN)) is None
    rig.stream.note_broker("", NOW_NS, life)
    rig.stream.note_broker("it hangs up", NOW_NS)  # what was shown before it did, stands
    shown = status._shown(rig.spool.get(State.SHOWN))
    assert shown == {"begins_ns": life.begins_ns, "ends_ns": life.ends_ns}
    assert shown_lines(shown, NOW_NS - 1) == [
        "broker's certificate: until 2026-12-25 02:41 UTC, 30 days left"
    ]
    assert status._ending(shown, NOW_NS - 1) == {}
    (said,) = status._ending(shown, NOW_NS).values()
    assert said.startswith("the broker's certificate ends on 2026-12-25 02:41 UTC, in 30 days: ")
    assert "stackproof cloud broker new" in said
    (said,) = status._ending(shown, life.ends_ns + 1).values()
    assert said.startswith("the broker's certificate ended on 2026-12-25 02:41 UTC")
    later = Life(life.begins_ns, life.ends_ns + 1)
    rig.stream.note_broker("", NOW_NS, later)
    assert status._ending(status._shown(rig.spool.get(State.SHOWN)), NOW_NS) == {}


def test_a_short_life_ends_soon_when_a_quarter_of_it_is_left() -> None:
    """Of four days: from its fourth on, and after its end."""
    day_ns = 24 * 60 * MINUTE_NS
    life = Life(0, 4 * day_ns)
    assert [life.ends_soon(now) for now in (3 * day_ns - 1, 3 * day_ns, 5 * day_ns)] == [
        False, True, True
    ]  # fmt: skip
    assert [life.left_days(now) for now in (0, 3 * day_ns + 1, 4 * day_ns + 1)] == [4, 0, -1]
    assert (shown_life(None), shown_life(b"\x30\x00")) == (None, None)


def test_refused_messages_are_told_only_when_no_receipt_comes() -> None:
    """The start is `date -u -d @1795574490`: Wed Nov 25 02:41:30 UTC 2026."""
    troubles = {REFUSED: Trouble("noise", NOW_NS, 0), FORK: Trouble("two", NOW_NS, 0)}
    fork = {FORK: "since 2026-11-25 02:41 UTC: two"}
    assert standing_troubles(troubles, NOW_NS + 5 * MINUTE_NS) == fork
    refused = {REFUSED: "since 2026-11-25 02:41 UTC: noise"}
    for since in (5 * MINUTE_NS + 1, -5 * MINUTE_NS - 1):  # or the clock was ahead, and was set
        assert standing_troubles(troubles, NOW_NS + since) == fork | refused


def test_new_receipt_ends_it_but_not_what_is_behind_it(rig: Rig) -> None:
    rig.made(3)
    rig.stream.note_trouble(FORK, "fork", NOW_NS)
    rig.stream.note_trouble(DAMAGED, "altered", NOW_NS, until_seq=3)
    rig.stream.note_trouble(FORK, "fork!", NOW_NS + 1)
    kept = rig.stream.condition().troubles
    assert kept == {FORK: Trouble("fork!", NOW_NS, 0), DAMAGED: Trouble("altered", NOW_NS, 3)}
    old = rig.collector.receipt()
    rig.stream.take_receipt(old, NOW_NS)
    assert set(rig.stream.condition().troubles) == {DAMAGED}
    rig.stream.note_trouble(FORK, "again", NOW_NS + 2)
    rig.stream.take_receipt(old, NOW_NS)
    assert set(rig.stream.condition().troubles) == {DAMAGED, FORK}, "a repeated one ends nothing"
    rig.made(4)
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)
    assert rig.stream.condition().troubles == {}
    assert rig.spool.get(State.TROUBLE) == b""


def test_sentences_name_every_step(rig: Rig) -> None:
    rig.made(3)
    steps = ["keys csr", "keys enrol", "cloud stream", "keys replace", "continues", "state_dir"]
    rig.stream.append_frame(BODY, b"", NOW_NS)
    rig.collector.take(rig.spool.objects(3, 1)[0].data)
    receipts = {
        "holds seq 9, and this spool's newest is seq 3": rig.collector.receipt(seq=9),
        "another object at seq 2 (fork)": rig.collector.receipt(seq=2, head=bytes(32)),
    }
    for says, receipt in receipts.items():
        with pytest.raises(ForkError) as caught:
            rig.stream.take_receipt(receipt, NOW_NS)
        assert says in str(caught.value)
        assert all(step in str(caught.value) for step in steps)
    said = str(AlteredError("spool.sqlite", 7))
    assert "spool.sqlite: the disk has altered seq 7" in said
    assert all(step in said for step in steps)


def test_what_the_collector_holds_otherwise_is_not_signed_again(rig: Rig) -> None:
    """A spool that was set back: each object up to the collector's newest would be a fork."""
    rig.made(3)
    assert reason_to_hold(rig.spool.get(State.TROUBLE), 3) == ""
    with pytest.raises(ForkError) as caught:
        rig.stream.take_receipt(rig.collector.receipt(seq=4), NOW_NS)
    rig.stream.note_trouble(FORK, str(caught.value), NOW_NS, until_seq=caught.value.seq)
    held = rig.spool.get(State.TROUBLE)
    assert [reason_to_hold(held, seq)[-5:] for seq in (3, 4, 5)] == ["seq 3", "seq 4", ""]
    assert rig.stream.append_frame(BODY, b"", NOW_NS) is None
    with pytest.raises(HeldError, match="holds another object at seq 3"):
        rig.stream.sign_waiting(NOW_NS)
    assert rig.spool.head().next_seq == 3


def test_a_second_device_does_not_keep_the_right_one_from_signing(rig: Rig) -> None:
    """What is behind the contradicted object is signed as ever: it may be the one that counts."""
    rig.made(3)
    with pytest.raises(ForkError) as caught:
        rig.stream.take_receipt(rig.collector.receipt(seq=2, head=bytes(32)), NOW_NS)
    rig.stream.note_trouble(FORK, str(caught.value), NOW_NS, until_seq=caught.value.seq)
    assert rig.stream.append_frame(BODY, b"", NOW_NS) is not None
