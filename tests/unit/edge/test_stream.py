"""The signed stream: what it appends, which receipts and close requests it believes."""

import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.errors import ForkError, NotOursError, SpoolError, TwoLogsError
from edge.spool import Spool
from edge.stream import CLOSES_MAX, Stream
from evidence import checkpoint, cose
from evidence.chain import Head, follow
from evidence.frame import (
    TYP_CLOSE,
    TYP_CONFIG,
    TYP_COSIGNATURE,
    TYP_FRAME,
    decode_body,
    header_of,
)
from evidence.keys import FileSigner, generate
from evidence.receipt import (
    decode_close,
    encode_close,
    encode_close_request,
)
from tests.unit.edge.sites import GATEWAY, PLANT, keys, who
from tests.unit.edge.stream_rig import BODY, CONFIG, NOW_NS, Rig, opened
from tests.unit.edge.ticks import body_of_ticks

# -- appending --------------------------------------------------------------------


def test_objects_are_signed_chained_and_name_their_configuration(rig: Rig) -> None:
    rig.made(3)
    head = Head()
    for stored in rig.spool.objects(0, 10):
        envelope = cose.parse(stored.data)
        cose.verify(envelope, keys().gateway.public_key())
        header = header_of(envelope)
        assert (header.plant, header.stream, header.iat_s) == (PLANT, GATEWAY, NOW_NS // 10**9)
        head = follow(head, header, hashlib.sha256(stored.data).digest())
    assert head == rig.spool.head()
    config, first, second = rig.headers()
    assert [h.typ for h in (config, first, second)] == [TYP_CONFIG, TYP_FRAME, TYP_FRAME]
    assert config.cfg is None
    assert first.cfg == second.cfg == rig.spool.objects(0, 1)[0].sha256 == rig.stream.cfg()
    assert rig.stream.config_in_force() == CONFIG


def test_new_configuration_is_in_force_from_the_next_frame_and_starts_calculation_anew(
    rig: Rig,
) -> None:
    rig.made(2)
    assert rig.spool.get("calc") == b"calc"
    (stored,) = rig.stream.append_config({**CONFIG, "format": 2}, NOW_NS)
    assert rig.spool.get("calc") == b""
    rig.made(4)
    first = rig.spool.hash_at(0)
    assert [h.cfg for h in rig.headers()] == [None, first, first, stored.sha256]


def test_last_frame_of_a_configuration_is_signed_with_the_next_one_or_not_at_all(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two the calculation's state is nobody's: no process may ever start there."""
    rig.made(2)
    rig.spool.commit_ticks([b"open"])
    body = body_of_ticks(first_ns=NOW_NS, ticks=4)
    works = Spool._put

    def refuse(spool: Spool, state: Mapping[str, bytes]) -> None:
        if "config" in state:
            raise sqlite3.OperationalError("disk I/O error")
        works(spool, state)

    with monkeypatch.context() as patch:
        patch.setattr(Spool, "_put", refuse)
        with pytest.raises(SpoolError):
            rig.stream.append_config({**CONFIG, "format": 2}, NOW_NS, closing=body)
    assert rig.spool.head().next_seq == 2
    assert rig.spool.open_ticks() == [b"open"]
    assert rig.stream.config_in_force() == CONFIG
    frame, config = rig.stream.append_config({**CONFIG, "format": 2}, NOW_NS, closing=body)
    assert [(s.seq, s.typ) for s in (frame, config)] == [(2, TYP_FRAME), (3, TYP_CONFIG)]
    through = frame.through_ns, config.through_ns, rig.stream.through_ns()
    assert through == (NOW_NS + 3 * 10**9,) * 3
    assert rig.spool.open_ticks() == []
    assert rig.headers()[2].cfg == rig.spool.hash_at(0), "under the old configuration"
    rig.made(5)
    assert rig.headers()[4].cfg == config.sha256


def test_state_is_taken_over_by_the_next_process(rig: Rig, tmp_path: Path) -> None:
    rig.made(3)
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)
    rig.spool.close()
    spool, stream = opened(tmp_path / "spool.sqlite")
    assert stream.config_in_force() == CONFIG
    stored = stream.append_frame(BODY, b"", NOW_NS)
    header = header_of(cose.parse(stored.data))
    assert header.seq == 3
    assert header.anchor == (3, rig.collector.root())
    assert header.cfg == stream.cfg()
    spool.close()


@pytest.mark.parametrize("name", [("north-works", "edge-2"), ("south-works", "edge-1")])
def test_spool_of_another_gateway_is_not_continued(rig: Rig, name: tuple[str, str]) -> None:
    """Its objects would be nobody's: neither the old gateway's stream nor the new one's."""
    rig.made(1)
    plant, gateway = name
    with pytest.raises(SpoolError, match=f"is north-works/edge-1's and {plant}/{gateway} cannot"):
        Stream(rig.spool, who(plant=plant, gateway=gateway))


def test_through_is_the_newest_tick_of_any_frame_and_never_goes_back(rig: Rig) -> None:
    rig.made(1)
    assert rig.stream.through_ns() == 0
    rig.stream.append_frame(body_of_ticks(first_ns=10**9, ticks=4), b"", NOW_NS)
    assert rig.stream.through_ns() == 4 * 10**9
    rig.stream.append_frame(replace(BODY, t0_ns=10**9), b"", NOW_NS)
    assert rig.stream.through_ns() == 4 * 10**9
    rig.stream.append_frame(replace(BODY, t0_ns=9 * 10**9), b"", NOW_NS)
    assert rig.stream.through_ns() == 9 * 10**9, "a frame without ticks speaks of an instant too"
    frame, early, late = rig.spool.objects(1, 3)
    assert [s.through_ns for s in (frame, early, late)] == [4 * 10**9, 4 * 10**9, 9 * 10**9]
    assert [s.readings for s in (frame, early, late)] == [8, 0, 0]
    assert decode_body(cose.parse(frame.data).payload).sections[0].ticks == 4


# -- receipts ---------------------------------------------------------------------


def test_good_receipt_frees_what_it_covers(rig: Rig) -> None:
    rig.made(3)
    receipt = rig.collector.receipt()
    rig.stream.append_frame(BODY, b"", NOW_NS)  # not yet at the collector
    assert rig.stream.take_receipt(receipt, NOW_NS) == 2
    assert [s.seq for s in rig.spool.objects(0, 10)] == [3]
    assert rig.spool.receipted_seq() == 2
    assert rig.stream.take_receipt(receipt, NOW_NS) == 2  # again: nothing more
    assert [s.seq for s in rig.spool.objects(0, 10)] == [3]


def test_receipts_out_of_order(rig: Rig) -> None:
    rig.made(2)
    early = rig.collector.receipt()
    rig.made(5)
    late = rig.collector.receipt()
    assert rig.stream.take_receipt(late, NOW_NS) == 4
    assert rig.stream.take_receipt(early, NOW_NS) == 1
    assert rig.spool.receipted_seq() == 4
    rig.stream.append_frame(BODY, b"", NOW_NS)
    anchor = header_of(cose.parse(rig.spool.objects(5, 1)[0].data)).anchor
    assert anchor is not None
    assert anchor[0] == 5, "an older checkpoint does not replace a newer one"


def forged(rig: Rig, **changes: Any) -> bytes:
    return rig.collector.receipt(**changes)


def other_checkpoint(rig: Rig, size: int, root: bytes = bytes(32), plant: str = PLANT) -> str:
    signer = keys().collector_signer
    return checkpoint.sign(checkpoint.Checkpoint(plant, size, root), signer, signer.public_key)


def test_receipt_for_a_backlog_frees_a_piece_at_a_time(rig: Rig, tmp_path: Path) -> None:
    """A kill between two leaves the object that it speaks of, so it is good again."""
    rig.made(150)
    receipt, found = rig.collector.receipt(), list[tuple[int | None, int]]()
    assert rig.stream.take_receipt(receipt, NOW_NS) is None
    rig.spool.close()
    rig.spool, rig.stream = opened(tmp_path / "spool.sqlite")
    found.append((rig.spool.oldest_seq(), rig.spool.receipted_seq()))
    while (seq := rig.stream.take_receipt(receipt, NOW_NS)) is None:
        found.append((rig.spool.oldest_seq(), rig.spool.receipted_seq()))
    assert (seq, found) == (149, [(64, -1), (128, -1)])
    assert (rig.spool.oldest_seq(), rig.spool.receipted_seq()) == (None, 149)
    assert all(rig.spool.hash_at(seq) for seq in range(150)), "closes are judged by them"


def test_receipts_that_free_nothing(rig: Rig) -> None:
    rig.made(3)
    good = rig.collector.receipt()
    stranger = FileSigner(generate())
    attempts = {
        "signature": collector_signed_by(rig, stranger),
        "bit": good[:-1] + bytes([good[-1] ^ 1]),
        "cut": good[:40],
        "empty": b"",
        "a frame": rig.spool.objects(1, 1)[0].data,
        "another stream": forged(rig, stream="edge-2"),
        "another plant": forged(rig, plant="south-works"),
        "head": forged(rig, head=bytes(32)),
        "future": forged(rig, seq=3),
        "far future": forged(rig, seq=10**6),
        "log": forged(rig, log_index=3),
        "checkpoint of another plant": forged(rig, checkpoint=other_checkpoint(rig, 9, plant="x")),
        "unsigned checkpoint": forged(rig, checkpoint="stackproof/x\n3\n"),
        "close request": encode_close_request(
            rig.collector.close_request(), keys().collector_signer
        ),
    }
    for what, data in attempts.items():
        with pytest.raises(NotOursError):
            rig.stream.take_receipt(data, NOW_NS)
        assert len(rig.spool.objects(0, 10)) == 3, what
    assert rig.spool.receipted_seq() == -1
    assert rig.stream.take_receipt(good, NOW_NS) == 2


def collector_signed_by(rig: Rig, signer: FileSigner) -> bytes:
    own, rig.collector.signer = rig.collector.signer, signer
    try:
        return rig.collector.receipt()
    finally:
        rig.collector.signer = own


def test_receipt_of_another_object_at_that_seq_is_a_fork(rig: Rig) -> None:
    rig.made(3)
    with pytest.raises(NotOursError, match=r"another object at seq 1 \(fork\)"):
        rig.stream.take_receipt(forged(rig, seq=1), NOW_NS)  # with the hash of seq 2


def test_receipt_for_more_than_this_spool_made_says_what_to_do(rig: Rig) -> None:
    rig.made(2)
    with pytest.raises(
        ForkError, match=r"holds seq 7, and this spool's newest is seq 1: .* replace order"
    ):
        rig.stream.take_receipt(forged(rig, seq=7), NOW_NS)


def test_two_roots_of_one_log_size_are_not_believed(rig: Rig) -> None:
    rig.made(3)
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)
    rig.stream.append_frame(BODY, b"", NOW_NS)
    rig.collector.take(rig.spool.objects(3, 1)[0].data)
    bent = forged(rig, log_index=2, checkpoint=other_checkpoint(rig, 3))
    with pytest.raises(NotOursError, match="the collector shows two logs: that of 3 entries"):
        rig.stream.take_receipt(bent, NOW_NS)
    assert rig.spool.receipted_seq() == 2


# -- close requests ---------------------------------------------------------------


def ask(rig: Rig, signer: FileSigner | None = None, **changes: Any) -> bytes:
    request = rig.collector.close_request(**changes)
    return encode_close_request(request, signer or keys().collector_signer)


def test_close_is_signed_as_an_object_of_the_chain(rig: Rig) -> None:
    rig.made(3)
    (stored,) = rig.stream.answer_close(ask(rig), NOW_NS)
    assert (stored.seq, stored.typ) == (3, TYP_CLOSE)
    assert decode_close(cose.parse(stored.data).payload) == rig.collector.close_request()
    assert rig.collector.take(stored.data)


def test_close_is_answered_once_even_after_others_and_a_restart(rig: Rig, tmp_path: Path) -> None:
    rig.made(3)
    first, second = ask(rig), ask(rig, month="2026-10", closing="final")
    assert len(rig.stream.answer_close(first, NOW_NS)) == 1
    assert rig.stream.answer_close(first, NOW_NS) == []
    assert len(rig.stream.answer_close(second, NOW_NS)) == 1
    assert rig.stream.answer_close(first, NOW_NS) == [], "a repeated older request"
    rig.spool.close()
    spool, stream = opened(tmp_path / "spool.sqlite")
    assert stream.answer_close(first, NOW_NS) == []
    assert stream.answer_close(second, NOW_NS) == []
    assert spool.head().next_seq == 5
    spool.close()


def test_remembered_closes_are_bounded(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CLOSES_MAX == 1000
    monkeypatch.setattr("edge.stream.CLOSES_MAX", 2)
    rig.made(1)
    months = [ask(rig, month=f"2026-0{n}") for n in range(1, 4)]
    for request in months:
        assert rig.stream.answer_close(request, NOW_NS)
    assert len(rig.spool.get("closed") or b"") == 64
    assert rig.stream.answer_close(months[2], NOW_NS) == []


def test_close_overtaken_by_newer_receipts_is_answered(rig: Rig) -> None:
    """A gateway that was away gets the newest receipt first: its log has grown since the close."""
    rig.made(3)
    request = ask(rig)
    rig.made(6)
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)
    made = rig.stream.answer_close(request, NOW_NS)
    assert [s.typ for s in made] == [TYP_COSIGNATURE, TYP_CLOSE]


def test_close_of_a_month_that_ended_long_ago_is_answered(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A month's last object may be a cosignature: it stands at the frame before it.

    `date -u -d @1796054400`: Mon Nov 30 16:00:00 UTC 2026, a month's end in Shanghai.
    """
    monkeypatch.setattr("edge.spool.FREED_MAX", 5)
    end_ns, minute_ns, last = 1_796_054_400 * 10**9, 60 * 10**9, -1
    for number in range(60):
        at_ns = end_ns + (number - 20) * minute_ns
        if number == 20:
            assert rig.stream.cosign_hourly(end_ns) is not None
            last = rig.spool.head().next_seq - 1
        if number == 0:
            rig.stream.append_config(CONFIG, at_ns)
        rig.stream.append_frame(replace(BODY, t0_ns=at_ns), b"", at_ns)
        rig.made(0)
        rig.stream.take_receipt(rig.collector.receipt(), at_ns)
    head = hashlib.sha256(rig.collector.objects[last]).digest()
    for seq in (last - 2, last + 1):  # so much for those that no month ends with
        with pytest.raises(NotOursError, match="is unknown here"):
            rig.stream.answer_close(ask(rig, seq=seq), end_ns)
    made = rig.stream.answer_close(ask(rig, seq=last, head=head, closing="final"), end_ns)
    assert made[-1].typ == TYP_CLOSE


def test_close_requests_that_are_refused(rig: Rig) -> None:
    rig.made(3)
    attempts = {
        "signature": ask(rig, FileSigner(generate())),
        "another stream": ask(rig, stream="edge-2"),
        "another plant": ask(rig, plant="south-works"),
        "head": ask(rig, head=bytes(32)),
        "future": ask(rig, seq=3),
        "receipt": rig.collector.receipt(),
        "noise": b"\xd2\x84",
        "unsigned": encode_close(rig.collector.close_request()),
    }
    for data in attempts.values():
        with pytest.raises(NotOursError):
            rig.stream.answer_close(data, NOW_NS)
    assert rig.spool.head().next_seq == 3
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)
    with pytest.raises(NotOursError, match="seq 9 is unknown here"):
        rig.stream.answer_close(ask(rig, seq=9), NOW_NS)
    with pytest.raises(TwoLogsError, match="two logs"):
        rig.stream.answer_close(ask(rig, log_root=bytes(32)), NOW_NS)
    with pytest.raises(NotOursError, match="has shown two logs"):
        rig.stream.answer_close(ask(rig), NOW_NS)


def test_receipt_and_request_cannot_stand_for_each_other(rig: Rig) -> None:
    """Both are the collector's signatures over maps; the type in the header tells them apart."""
    rig.made(2)
    with pytest.raises(NotOursError):
        rig.stream.take_receipt(ask(rig), NOW_NS)
    with pytest.raises(NotOursError):
        rig.stream.answer_close(rig.collector.receipt(), NOW_NS)
