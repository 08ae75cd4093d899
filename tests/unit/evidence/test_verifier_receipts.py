"""The receipt's proof that the log only grew; the close's place in the chain."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from evidence import cose, merkle
from evidence.findings import Report, Verdict
from evidence.frame import TYP_CLOSE
from evidence.receipt import Receipt, decode_receipt, encode_receipt
from tests.unit.evidence import sealed_month as sm

COLLECTOR = sm.keys().collector
MONTH = sm.month()
HELD = decode_receipt(MONTH.receipt, COLLECTOR.public_key)
GROWN = "It does not prove that the log only grew since its object was made."


def with_receipt(receipt: Receipt) -> Report:
    data = encode_receipt(receipt, COLLECTOR)
    return sm.check(sm.build(sm.contents(MONTH, receipts={sm.STREAM: data})))


def about(report: Report) -> list[str]:
    return [finding.sentence for finding in report.findings if finding.code == "E-RECEIPT"]


def proof(entries: Sequence[bytes], since: int) -> tuple[bytes, ...]:
    """RFC 6962 §2.1.2, by the whole list of leaves."""
    return tuple(merkle.consistency_path([merkle.leaf_hash(e) for e in entries], since))


def test_the_honest_receipt_names_the_anchor_of_its_object() -> None:
    """The last object, seq 5, was signed when the log had seven entries; it is entry 7."""
    assert (HELD.seq, HELD.log_index, HELD.since) == (5, 7, 7)
    assert HELD.path == proof(MONTH.entries, 7)
    assert about(with_receipt(HELD)) == []


@pytest.mark.parametrize(
    "spoilt",
    [
        {"since": 0, "path": ()}, {"since": 0}, {"since": 6}, {"since": 8}, {"path": ()},
        {"path": HELD.path[:-1]}, {"path": HELD.path[::-1]}, {"path": (*HELD.path, bytes(32))},
        {"path": (bytes(32), *HELD.path[1:])}, {"since": 2**62},
        {"since": 6, "path": proof(MONTH.entries, 6)},
    ],
)  # fmt: skip
def test_another_proof_is_none(spoilt: dict[str, Any]) -> None:
    report = with_receipt(dataclasses.replace(HELD, **spoilt))
    assert about(report) == [GROWN]
    assert report.verdict is Verdict.FAILED


def test_a_receipt_of_an_earlier_object_proves_from_that_objects_anchor() -> None:
    """Seq 2 is entry 3 and was signed over three entries; its receipt came at a log of five."""
    note = sm.log_note(MONTH.entries[:5])
    receipt = dataclasses.replace(
        HELD, seq=2, head=sm.sha256(MONTH.objects[2]), log_index=3, since=3, checkpoint=note,
        received_ns=HELD.received_ns - 40 * sm.SECOND, path=proof(MONTH.entries[:5], 3),
    )  # fmt: skip
    assert about(with_receipt(receipt)) == []
    assert about(with_receipt(dataclasses.replace(receipt, path=()))) == [GROWN]


def test_a_receipt_over_a_log_that_ends_before_its_entry_is_none() -> None:
    note = sm.log_note(MONTH.entries[:7])
    spoilt = dataclasses.replace(HELD, checkpoint=note, path=())
    assert about(with_receipt(spoilt)) == ["Its checkpoint does not cover its log entry."]


def test_a_receipt_of_another_log_than_the_archives_is_found() -> None:
    """The checkpoint is the collector's own, over a log in which one entry is another."""
    entries = [*MONTH.entries[:-2], sm.entry(10, b"other", 8, verdict="x", detail={"count": 1})]
    other = dataclasses.replace(HELD, checkpoint=sm.log_note(entries), path=proof(entries, 7))
    assert about(with_receipt(other)) == [GROWN]


def test_a_receipt_newer_than_the_month_must_continue_its_log() -> None:
    chain = sm.Chain(sm.keys().gateway)
    made = sm.make_month(sm.items(), chain=chain)
    good = sm.make_month(sm.items()[4:5], chain=chain, first_entries=made.entries)
    honest = sm.check(sm.build(sm.contents(made, receipts={sm.STREAM: good.receipt})))
    assert honest.verdict is Verdict.PASSED
    later = decode_receipt(good.receipt, COLLECTOR.public_key)
    assert later.since > len(made.entries) - 1
    spoilt = encode_receipt(dataclasses.replace(later, since=later.since - 1), COLLECTOR)
    found = sm.check(sm.build(sm.contents(made, receipts={sm.STREAM: spoilt})))
    assert about(found) == [GROWN]


@pytest.mark.parametrize(
    ("seq", "prev", "is_good"),
    [
        (6, sm.sha256(MONTH.objects[5]), True), (6, bytes(32), False), (9, bytes(32), True),
        (5, sm.sha256(MONTH.objects[4]), False), (0, bytes(32), False),
    ],
)  # fmt: skip
def test_a_close_stands_after_the_last_object(seq: int, prev: bytes, is_good: bool) -> None:
    """What stands between them is not in the archive; directly after it, it names it."""
    chain = sm.Chain(sm.keys().gateway)
    signed = chain.sign(TYP_CLOSE, cose.parse(MONTH.close).payload, seq=seq, prev=prev)
    report = sm.check(sm.build(sm.contents(MONTH, closes={sm.STREAM: signed})))
    found = [f.sentence for f in report.findings if f.code == "E-CLOSE"]
    wanted = "The gateway signed another close than this: place in the chain."
    assert found == ([] if is_good else [wanted])


@pytest.mark.parametrize(
    "spoilt",
    [
        {"received_ns": HELD.received_ns + 1}, {"received_ns": 2**64 - 1}, {"seq": 6},
        {"seq": 10**12, "head": bytes(32)}, {"log_index": 6}, {"head": bytes(32)},
    ],
)  # fmt: skip
def test_a_receipt_says_what_the_log_says(spoilt: dict[str, Any]) -> None:
    found = about(with_receipt(dataclasses.replace(HELD, **spoilt)))
    said = spoilt.get("seq", HELD.seq)
    assert f"What it says of seq {said} is not what the log says." in found
