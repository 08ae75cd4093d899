"""Delivery's state machine, step by step; that it delivers at all is in the property test."""

import random

from edge.uplink.machine import (
    PROBE,
    STALL_S,
    STALL_S_MAX,
    WINDOW,
    Machine,
    Send,
    set_back,
    unanswered,
)


def machine(newest: int = -1, receipted: int = -1) -> Machine:
    made = Machine(jitter=random.Random(1))
    made.resume(newest, receipted)
    return made


def stall_s(made: Machine, from_s: float) -> float:
    """Seconds until the machine goes back, in steps of 0.01 s."""
    resends = made.resends
    now_s = from_s
    while made.resends == resends:
        now_s += 0.01
        made.tick(now_s)
        assert now_s < from_s + 1000
    return now_s - from_s


def test_nothing_is_sent_offline() -> None:
    made = machine(newest=10)
    assert made.appended(11, 0) == []
    assert made.tick(100) == []
    assert made.outstanding == 12


def test_connection_starts_after_the_newest_receipt() -> None:
    assert machine(newest=10, receipted=3).connected(0) == [Send(4, 10)]
    assert machine(newest=10, receipted=10).connected(0) == []
    assert machine().connected(0) == []


def test_appended_objects_follow_at_once_and_once() -> None:
    made = machine()
    made.connected(0)
    assert made.appended(0, 0) == [Send(0, 0)]
    assert made.appended(1, 1) == [Send(1, 1)]
    assert made.tick(1.5) == []
    assert made.appended(1, 2) == []  # said twice, sent once


def test_window_opens_with_receipts() -> None:
    made = machine(newest=1000)
    assert made.connected(0) == [Send(0, WINDOW - 1)]
    assert made.appended(1001, 0) == []
    assert made.receipt(9, 1) == [Send(WINDOW, WINDOW + 9)]
    assert made.receipt(9, 1) == []
    assert made.receipt(5, 1) == [], "an older receipt changes nothing"
    assert made.receipted == 9


def test_goes_back_when_the_receipt_stands_still() -> None:
    made = machine(newest=4)
    made.connected(0)
    assert made.tick(STALL_S - 0.01) == []
    assert made.tick(STALL_S * 1.2 + 0.01) == [Send(0, 4)]
    assert made.resends == 1


def test_receipt_puts_the_stall_off() -> None:
    made = machine(newest=4)
    made.connected(0)
    made.receipt(0, 4)
    assert made.tick(8.9) == []
    assert made.tick(10.1) == [Send(1, 4)]


def test_back_off_doubles_with_jitter_to_its_bound_and_ends_with_progress() -> None:
    made = machine(newest=4)
    made.connected(0)
    waits, now_s = [], 0.0
    for _ in range(6):
        waits.append(stall_s(made, now_s))
        now_s += waits[-1]
    for waited, nominal in zip(waits, [5, 10, 20, 40, 60, 60], strict=True):
        assert nominal <= waited <= nominal * 1.2 + 0.02
    assert len({w % 5 for w in waits}) > 3, "no jitter"
    assert STALL_S_MAX == 60
    made.receipt(1, now_s)
    assert stall_s(made, now_s) <= 6.02


def test_a_collector_that_says_again_what_it_has_is_sent_the_rest_at_once() -> None:
    made = machine(newest=4)
    made.connected(0)
    made.receipt(1, 1)
    assert made.repeated(2) == [Send(2, 4)]
    assert made.resends == 1
    assert made.repeated(2 + STALL_S - 0.01) == [], "not for every message that is repeated"
    assert made.repeated(2 + STALL_S) == [Send(2, 4)]


def test_a_receipt_said_again_costs_nothing_when_nothing_waits() -> None:
    made = machine(newest=4)
    assert made.repeated(0) == [], "offline, nothing was sent"
    made.connected(0)
    made.receipt(4, 1)
    assert made.repeated(2) == []
    assert made.appended(5, 2) == [Send(5, 5)]
    assert made.repeated(2) == [Send(5, 5)]
    made.disconnected()
    assert made.repeated(100) == []
    assert made.connected(101) == [Send(5, 5)]


def test_a_receipt_said_again_does_not_hide_that_nothing_new_comes() -> None:
    made = machine(newest=4)
    made.connected(0)
    now_s = 0.0
    while not made.is_unanswered:
        now_s += stall_s(made, now_s)
        made.repeated(now_s)
    assert now_s < 200


def test_a_collector_that_is_away_for_days_costs_a_few_objects_a_minute() -> None:
    """The broker takes all of it, and on many a link each byte is paid for."""
    made, sent, newest = machine(newest=1_000), 0, 1_000
    made.connected(0)
    for half_s in range(2 * 3_600):
        sends = made.tick(half_s / 2)
        if half_s % 20 == 0:  # a frame of 10 s
            newest += 1
            sends += made.appended(newest, half_s / 2)
        sent += sum(send.last - send.first + 1 for send in sends)
    # windows after 5, 15 and 35 s, then a few each minute; each wait a fifth longer at most
    assert 3 * WINDOW + PROBE * 48 <= sent <= 3 * WINDOW + PROBE * 60
    assert made.is_unanswered
    assert made.repeated(3_600) == [Send(0, PROBE - 1)], "it is back, and says so"
    assert made.receipt(0, 3_601) == [Send(PROBE, WINDOW)]


def test_nothing_outstanding_is_no_stall() -> None:
    made = machine(newest=4)
    made.connected(0)
    made.receipt(4, 1)
    assert made.tick(1000) == []
    assert made.resends == 0
    assert made.appended(5, 1000) == [Send(5, 5)]
    assert made.tick(1004) == []


def test_disconnection_stops_and_the_next_connection_starts_anew() -> None:
    made = machine(newest=4)
    made.connected(0)
    made.receipt(1, 0)
    made.disconnected()
    assert made.appended(5, 1) == []
    assert made.tick(100) == []
    assert made.resends == 0
    assert made.receipt(2, 100) == []  # one that was under way; it counts
    assert made.connected(101) == [Send(3, 5)]
    assert made.tick(105.9) == [], "the stall is counted from the connection"


def test_refused_object_is_sent_again_at_the_next_tick() -> None:
    made = machine(newest=9)
    made.connected(0)
    made.refused(6)
    assert made.tick(0.5) == [Send(6, 9)]
    made.receipt(9, 1)
    made.refused(4)  # of an old attempt
    assert made.tick(1.5) == []


def test_receipt_for_more_than_was_sent_here() -> None:
    """After a restart the collector may hold objects that the last process had sent."""
    made = machine(newest=300, receipted=-1)
    made.connected(0)
    assert made.receipt(290, 0.1) == [Send(291, 300)]
    assert made.outstanding == 10


def test_connection_that_comes_and_goes_hides_no_silence() -> None:
    made = machine(newest=4)
    for second in range(4):
        assert made.connected(second) == [Send(0, 4)]
        assert not made.is_unanswered
        made.disconnected()
    made.connected(5)  # gone back four times: 5, 10, 20, 40 and now 60 s
    assert made.is_unanswered
    assert made.pause_s == 60
    said = unanswered(made, "a/topic", "me")
    assert said.startswith("the broker has ended 4 connections in a row after objects were sent on")
    assert "tried again every 60 s" in said
    made.receipt(4, 5)
    assert not made.is_unanswered
    assert made.pause_s == 0, "a receipt came"
    for second in range(6, 20):
        made.disconnected()
        made.connected(second)
    assert not made.is_unanswered, "nothing waits for an answer"


def test_unanswered_only_after_going_back_for_minutes_and_only_while_connected() -> None:
    made = machine(newest=4)
    made.connected(0)
    now_s = 0.0
    for _ in range(3):
        now_s += stall_s(made, now_s)
        assert not made.is_unanswered
    now_s += stall_s(made, now_s)  # 5 + 10 + 20 + 40 s without a receipt
    assert made.is_unanswered
    made.receipt(1, now_s)
    assert not made.is_unanswered


def test_a_minute_without_a_receipt_is_told_however_often_the_collector_repeats_an_old_one() -> (
    None
):
    made = machine(newest=4, receipted=1)
    made.connected(0)
    for second in range(1, 61):
        assert unanswered(made, "a/topic", "me") == ""
        made.repeated(second)
        made.tick(second)
    assert "no receipt comes" in unanswered(made, "a/topic", "me")
    assert "revoked" in unanswered(made, "a/topic", "me")
    made.receipt(2, 61)
    assert unanswered(made, "a/topic", "me") == "", "one that moves"
    made.tick(100)
    made.disconnected()
    assert made.waited_s == 0, "an outage of the broker is told as one"


def test_an_older_word_of_the_collector_is_told_when_nothing_follows_it() -> None:
    made = machine(newest=9, receipted=7)
    made.connected(0)
    made.receipt(3, 0.5)
    made.tick(19)
    assert set_back(made) == "", "a broker that was killed has kept an older receipt"
    made.tick(20)
    assert "for seq 7, its newest word is seq 3, so 4 objects are missing" in set_back(made)
    made.receipt(8, 21)
    assert set_back(made) == ""
    assert made.behind is None
