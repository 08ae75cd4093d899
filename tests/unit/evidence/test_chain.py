"""The chain: exactly one object may come next."""

import dataclasses

import pytest

from evidence.chain import ZERO_HASH, Head, follow
from evidence.errors import ChainError
from evidence.frame import TYP_FRAME, Header

A, B, C = (bytes([n]) * 32 for n in (1, 2, 3))


def header(seq: int, prev: bytes) -> Header:
    return Header(typ=TYP_FRAME, plant="p", stream="s", iat_s=0, seq=seq, prev=prev)


def test_a_stream_begins_with_zero_after_nothing() -> None:
    assert Head() == Head(0, bytes(32))
    assert follow(Head(), header(0, ZERO_HASH), A) == Head(1, A)


def test_each_object_follows_the_one_before() -> None:
    head = Head()
    for seq, (prev, own) in enumerate([(ZERO_HASH, A), (A, B), (B, C)]):
        head = follow(head, header(seq, prev), own)
    assert head == Head(3, C)


@pytest.mark.parametrize(
    ("seq", "prev", "sentence"),
    [
        (0, A, "seq 0 where 1 is due"), (2, A, "seq 2 where 1 is due"),
        (2**63, A, "where 1 is due"), (1, ZERO_HASH, "does not name"), (1, B, "does not name"),
        (1, A[:31], "does not name"), (1, b"", "does not name"),
    ],
)  # fmt: skip
def test_anything_else_does_not_continue_it(seq: int, prev: bytes, sentence: str) -> None:
    with pytest.raises(ChainError, match=sentence):
        follow(Head(1, A), header(seq, prev), B)


def test_the_numbers_do_not_wrap() -> None:
    last = 2**64 - 1
    assert follow(Head(last, A), header(last, A), B).next_seq == 2**64


def test_the_head_given_is_not_changed() -> None:
    head = Head(1, A)
    follow(head, header(1, A), B)
    assert head == Head(1, A)
    with pytest.raises(dataclasses.FrozenInstanceError):
        head.next_seq = 5  # type: ignore[misc] # the point of it
