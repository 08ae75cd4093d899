"""The collector's small parts: topics, inbox, pace of receipts and complaints, states."""

import threading
import time

import pytest

from cloud.collector import topics
from cloud.collector.inbox import Inbox, Message
from cloud.collector.receipts import ReceiptBook
from cloud.collector.rejects import SENTENCE_MAX, Digest, Refusal, Rejects, plain
from cloud.collector.state_message import parse_state
from cloud.collector.topics import Sender
from edge.uplink.machine import WINDOW

A, B, C = (Sender("mini", f"edge-{name}") for name in "abc")


# -- topics -------------------------------------------------------------------------------------


def test_topics_are_those_of_the_interface() -> None:
    assert topics.filters("0f") == [
        ("stackproof/v1/0f/+/+/frames", 1),
        ("stackproof/v1/0f/+/+/state", 0),
        ("stackproof/v1/0f/+/+/live", 0),
    ]
    assert topics.parse("stackproof/v1/0f/mini/edge-a/frames", "0f") == (A, "frames")
    assert topics.down("0f", A, topics.RECEIPTS) == "stackproof/v1/0f/mini/edge-a/receipts"


@pytest.mark.parametrize(
    "topic",
    [
        "", "stackproof", "stackproof/v1/00/mini/edge-a/frames",
        "stackproof/v2/0f/mini/edge-a/live",
        "stackproof/v1/0f/mini/edge-a", "stackproof/v1/0f/mini/edge-a/frames/more",
        "stackproof/v1/0f/Mini/edge-a/frames", "stackproof/v1/0f/../edge-a/frames",
        "stackproof/v1/0f//edge-a/frames", "stackproof/v1/0f/mini/" + "e" * 41 + "/frames",
        "stackproof/v1/0f/mini/edge-a\n/frames",
    ],
)  # fmt: skip
def test_any_other_topic_is_none_of_ours(topic: str) -> None:
    assert topics.parse(topic, "0f") is None


# -- inbox --------------------------------------------------------------------------------------


def message(size: int = 1) -> Message:
    return Message(A, bytes(size))


def test_items_come_in_order_and_orders_do_not_wait() -> None:
    inbox, ran = Inbox(messages_max=1), []
    inbox.put(message(1))
    inbox.order(lambda: ran.append("order"))
    inbox.order(lambda: ran.append("second"))
    first, order = inbox.take(2, 0)
    assert first == message(1)
    assert callable(order)
    order()
    assert len(inbox.take(9, 0)) == 1
    assert ran == ["order"]
    assert inbox.take(9, 0) == []


def test_gateways_take_turns_whatever_one_of_them_sends() -> None:
    """In a turn one has an object, and more of them within 64 KiB; its own stay in their order."""
    inbox = Inbox()
    mine = [Message(A, bytes([n]) * 40_000) for n in range(3)]
    for each in (*mine, Message(B, b"1"), Message(B, b"2"), Message(C, b"3")):
        inbox.put(each)
    assert inbox.take(9, 0) == [mine[0], Message(B, b"1"), Message(B, b"2"), Message(C, b"3")]
    inbox.put(Message(B, b"4"))
    inbox.put(Message(A, b"5" * 70_000))
    assert inbox.take(1, 0) == [mine[1]]
    assert inbox.take(9, 0) == [Message(B, b"4"), mine[2]]
    assert inbox.take(9, 0) == [Message(A, b"5" * 70_000)]
    assert inbox.take(9, 0) == []


def test_what_one_gateway_sends_beyond_its_share_is_dropped_and_counted() -> None:
    inbox = Inbox()
    assert [inbox.put(message(1)) for _ in range(514)].count(False) == 2
    assert inbox.put(Message(B, b"1"))
    assert inbox.dropped() == {A: 2}
    assert inbox.dropped() == {}
    while inbox.take(999, 0):
        pass
    assert [inbox.put(message(2**20)) for _ in range(65)].count(False) == 1
    assert inbox.put(Message(B, b"1"))
    inbox.take(1, 0)
    assert inbox.put(message(2**20))


def test_what_an_agent_has_under_way_fits_its_share_be_its_frames_large() -> None:
    inbox = Inbox()
    assert all([inbox.put(message(256 * 1024)) for _ in range(WINDOW)])


@pytest.mark.parametrize("box", [Inbox(messages_max=2), Inbox(bytes_max=10)])
def test_a_full_box_makes_the_sender_wait(box: Inbox) -> None:
    box.put(message(5))
    box.put(message(5))
    put = threading.Event()

    def third() -> None:
        box.put(message(5))
        put.set()

    thread = threading.Thread(target=third)
    thread.start()
    assert not put.wait(0.1)
    assert box.take(1, 1) == [message(5)]
    assert put.wait(2)
    thread.join()
    assert len(box.take(9, 1)) == 2


def test_one_message_larger_than_the_box_still_passes() -> None:
    inbox = Inbox(bytes_max=10)
    assert inbox.put(message(100))
    assert inbox.take(1, 0) == [message(100)]


def test_closing_lets_everyone_go() -> None:
    inbox, results = Inbox(messages_max=1), []
    inbox.put(message(1))
    waiting = threading.Thread(target=lambda: results.append(inbox.put(message(2))))
    waiting.start()
    time.sleep(0.05)
    inbox.close()
    waiting.join(2)
    assert results == [False]
    assert inbox.is_closed
    assert inbox.take(9, None) == [message(1)]  # what had arrived is still taken
    assert inbox.take(9, None) == []


def test_taking_waits_for_the_first_item() -> None:
    inbox = Inbox()
    threading.Timer(0.05, lambda: inbox.put(message(3))).start()
    assert inbox.take(9, 5) == [message(3)]
    before = time.monotonic()
    assert inbox.take(9, 0.05) == []
    assert time.monotonic() - before >= 0.05


# -- receipts -----------------------------------------------------------------------------------


def test_a_receipt_goes_at_once_then_once_a_second() -> None:
    book = ReceiptBook()
    assert book.next_due_s() is None
    book.want(A)
    assert book.due(100.0) == [A]
    book.keep(A, 4, b"four")
    book.sent(A, 100.0)
    assert (book.due(100.0), book.next_due_s()) == ([], None)
    book.want(A)
    assert (book.due(100.9), book.next_due_s()) == ([], 101.0)
    assert book.due(101.0) == [A]
    book.want(B)
    assert book.due(100.5) == [B]


def test_what_was_not_taken_is_tried_again_after_the_interval() -> None:
    book = ReceiptBook()
    book.want(A)
    book.keep(A, 4, b"four")
    book.defer(A, 100.0)
    assert (book.due(100.5), book.due(101.0), book.sent_seq(A)) == ([], [A], -1)
    book.sent(A, 101.0)
    assert book.sent_seq(A) == 4


def test_a_kept_receipt_is_used_until_the_stream_moves() -> None:
    book = ReceiptBook()
    book.want(A)
    assert book.newest(A) is None
    assert book.signed(A, 4) is None
    book.keep(A, 4, b"four")
    assert (book.signed(A, 4), book.signed(A, 5)) == (b"four", None)
    assert (book.newest(A), book.newest(B), book.sent_seq(B)) == (b"four", None, -1)


def test_a_new_connection_gets_every_receipt_now() -> None:
    book = ReceiptBook()
    for sender in (A, B):
        book.want(sender)
        book.keep(sender, 1, b"x")
        book.sent(sender, 100.0)
    book.want_all()
    assert set(book.due(100.1)) == {A, B}


# -- refusals -----------------------------------------------------------------------------------


def refusal(reason: str = "signature", plant: str = "mini", n: int = 0) -> Refusal:
    return Refusal(plant, "edge-a", reason, "why", bytes([n]) * 32, 9)


def test_the_first_refusal_is_told_and_a_flood_once_a_minute() -> None:
    rejects = Rejects()
    assert rejects.add(refusal(n=0), 10.0) == Digest(refusal(n=0), 1)
    for n in range(1, 101):
        assert rejects.add(refusal(n=n), 10.0 + n / 2) is None
    assert rejects.due(69.9) == []
    assert rejects.next_due_s() == 70.0
    assert rejects.due(70.0) == [Digest(refusal(n=100), 100)]
    assert (rejects.due(500.0), rejects.next_due_s()) == ([], None)
    assert rejects.add(refusal(n=7), 200.0) == Digest(refusal(n=7), 1)


def test_reasons_and_plants_do_not_hide_each_other() -> None:
    rejects = Rejects()
    for reason, plant in (("signature", "mini"), ("time", "mini"), ("signature", "maxi")):
        assert rejects.add(refusal(reason, plant), 10.0) is not None
    rejects.add(refusal("time"), 11.0)
    assert rejects.of("mini", "edge-a") == {"signature": 1, "time": 2}
    assert rejects.of("maxi", "edge-b") == {}


# -- state --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b'{"online":true}', True), (b'{"online": false, "more": 1}', False),
        (b"", None), (b"{}", None), (b"[]", None), (b'{"online":1}', None), (b"\xff", None),
        (b"[" * 1000, None), (b'{"online":true}' + b" " * 1024, None),
    ],
)  # fmt: skip
def test_a_state_says_online_or_nothing(payload: bytes, says: bool | None) -> None:
    said = parse_state(payload)
    assert (None if said is None else said.online) is says


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ('{"number":4,"outcome":"rolled back","reason":"meter-3 不应答"}',
         {"number": 4, "outcome": "rolled back", "reason": "meter-3 不应答"}),
        ('{"number":4,"outcome":"in force"}', {"number": 4, "outcome": "in force", "reason": ""}),
        ('{"number":4,"outcome":"on trial","reason":"\\u001b[31m"}',
         {"number": 4, "outcome": "on trial", "reason": ""}),
        ('{"number":true,"outcome":"staged"}', None), ('{"number":4,"outcome":"won"}', None),
        ('{"number":4,"outcome":[]}', None), ("[4]", None), ("null", None),
    ],
)  # fmt: skip
def test_a_state_says_what_became_of_a_site_order(order: str, says: object) -> None:
    said = parse_state(f'{{"online":true,"order":{order}}}'.encode())
    assert said == (True, says)


def test_a_strangers_words_are_one_line_and_bounded() -> None:
    assert plain("of mini/edge-1\n2026 ERROR all is well\x1b[2J") == (
        "of mini/edge-1\N{REPLACEMENT CHARACTER}2026 ERROR all is well\N{REPLACEMENT CHARACTER}[2J"
    )
    assert plain("好 a") == "好 a"
    assert plain("x" * 5_000) == "x" * (SENTENCE_MAX - 1) + "…"
