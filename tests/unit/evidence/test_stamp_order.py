"""Sets of a time stamp response: any order is put in DER's order, and nothing else changes."""

import itertools

import pytest

from evidence.errors import MalformedError
from evidence.stamp_order import in_order
from tests.attacks.by_stamps import SHA256, SHA512, certificate, response

#: of the bytes that are in DER's order already, by X.690 §11.6
CERTIFICATES = sorted(certificate(name, 7 + i) for i, name in enumerate(("A", "Time", "Longer")))
WANTED = response(certificates=CERTIFICATES, algorithms=[SHA256, SHA512])


def test_every_order_becomes_ders() -> None:
    for order in itertools.permutations(CERTIFICATES):
        for algorithms in ([SHA256, SHA512], [SHA512, SHA256]):
            assert in_order(response(certificates=order, algorithms=algorithms)) == WANTED


def test_nothing_else_is_touched() -> None:
    assert in_order(WANTED) == WANTED
    assert in_order(response(certificates=[])) == response(certificates=[])
    refusal = bytes.fromhex("30053003020102")
    assert in_order(refusal) == refusal


def test_what_is_cut_is_refused() -> None:
    for end in range(len(WANTED)):
        with pytest.raises(MalformedError):
            in_order(WANTED[:end])


def test_what_is_spoilt_never_falls_over() -> None:
    for at in range(len(WANTED)):
        for bit in range(8):
            spoilt = WANTED[:at] + bytes([WANTED[at] ^ 1 << bit]) + WANTED[at + 1 :]
            try:
                assert len(in_order(spoilt)) == len(spoilt)
            except MalformedError:
                continue
