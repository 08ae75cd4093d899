"""Honest months of every kind pass: a verifier that cries wolf is as useless as one that sleeps."""

import dataclasses
from collections.abc import Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from evidence import cbor, cose, merkle
from evidence.archive import paths
from evidence.blocks import compress, decompress
from evidence.findings import Verdict
from evidence.frame import Body, Gap, encode_body
from evidence.keys import FileSigner, key_sha256
from evidence.log import Kind
from evidence.recompute import Recomputation, month_bounds, statement_bytes
from tests.unit.evidence import sealed_month as sm

CONFIG = sm.configuration()
JUNE = month_bounds("Asia/Shanghai", "2026-06")
JULY = month_bounds("Asia/Shanghai", "2026-07")


def passes(archive: bytes) -> set[str]:
    """The warnings and notes of an archive that passes."""
    report = sm.check(archive)
    assert report.verdict is Verdict.PASSED, report.findings
    return sm.codes(report)


def statement(made: Sequence[Body], period: tuple[int, int], closing: str) -> bytes:
    fold = Recomputation()
    fold.configure(b"x", CONFIG)
    for body in made:
        assert list(fold.feed(body)) == []
    return statement_bytes(fold.statement(*period, closing))


def june_then_july() -> tuple[sm.Month, sm.Month]:
    """Both final, on one chain and one log; the gateway's close of June stands between them."""
    chain = sm.Chain(sm.keys().gateway)
    made = sm.bodies(CONFIG)
    june = sm.make_month(
        sm.items(CONFIG, made),
        statement=statement(made, (sm.START_NS, JUNE[1]), "final"),
        chain=chain,
        closing="final",
    )
    seq, by = len(chain.objects) - 1, key_sha256(sm.keys().gateway.public_key)
    own = sm.entry(
        Kind.PLANT_CLOSE, june.close, len(june.entries), JUNE[1], seq=seq, certificate=by
    )
    later = sm.bodies(CONFIG, JULY[0])
    july = sm.make_month(
        [sm.frame_item(body) for body in later],
        statement=statement(later, JULY, "final"),
        chain=chain,
        first_entries=[*june.entries, own],
        closing="final",
        month_id="2026-07",
    )
    return june, july


def july_archive(june: sm.Month, july: sm.Month, since: int) -> bytes:
    configs = {sm.sha256(june.objects[0]): june.objects[0]}
    log = {"log_range": sm.tree_of(july.entries[:since]), "log_entries": july.entries[since:]}
    note = sm.log_note(july.entries)
    return sm.build(
        sm.contents(july, month="2026-07", closing="final", configs=configs, checkpoint=note, **log)
    )


def test_a_final_month_passes_and_is_not_called_interim() -> None:
    june, _ = june_then_july()
    archive = sm.build(sm.contents(june, closing="final"))
    assert "N-INTERIM" not in passes(archive)
    assert "W-GAP" in passes(archive)


@pytest.mark.parametrize("back", [0, 3])
def test_a_month_in_the_middle_of_a_stream_passes(back: int) -> None:
    """It begins at seq 7 and at a log that is given by its roots, or earlier in that log."""
    june, july = june_then_july()
    first = len(june.entries) + 1
    archive = july_archive(june, july, first - back)
    assert "N-INTERIM" not in passes(archive)
    assert sm.check(archive).counts["log_entries"] == len(july.entries) - first + back


def test_neighbouring_archives_join() -> None:
    """What FORMAT.md leaves to the reader of both: July goes on where June and its close end."""
    june, july = june_then_july()
    first = cose.parse(july.objects[0]).header
    assert first[-65538] == sm.sha256(june.close)
    assert cose.parse(june.close).header[-65538] == sm.sha256(june.objects[-1])
    assert sm.tree_of(july.entries[: len(june.entries)]).root() == sm.tree_of(june.entries).root()


def test_a_month_that_leaves_its_first_frame_out_is_found() -> None:
    june, july = june_then_july()
    files = sm.unpack(july_archive(june, july, len(june.entries) + 1))
    path = paths.frames(sm.STREAM, "2026-06-30/16")
    files[path] = sm.seg(sm.records(files[path])[1:])
    report = sm.check(sm.repack(files, by=sm.keys().collector, name="test-smelter-2026-07"))
    assert {c for c in sm.codes(report) if c[0] == "E"} == {
        "E-CHAIN-GAP", "E-INPUT", "E-COMPUTED",
    }  # fmt: skip


def test_a_log_rewritten_before_the_month_is_found() -> None:
    """The range stands for June; a range of another June does not lead to the anchors in July."""
    june, july = june_then_july()
    since = len(june.entries) + 1
    other = [sm.entry(Kind.ENROL, b"another", 0), *july.entries[1:since]]
    tree = sm.tree_of(other)
    whole = tree
    for data in july.entries[since:]:
        whole = whole.append(merkle.leaf_hash(data))
    note = sm.log_note([*other, *july.entries[since:]])
    assert whole.root() == sm.tree_of([*other, *july.entries[since:]]).root()
    configs = {sm.sha256(june.objects[0]): june.objects[0]}
    report = sm.check(
        sm.build(
            sm.contents(
                july, month="2026-07", closing="final", configs=configs, checkpoint=note,
                log_range=tree, log_entries=july.entries[since:],
            )
        )
    )  # fmt: skip
    assert {c for c in sm.codes(report) if c[0] == "E"} == {"E-ANCHOR", "E-RECEIPT", "E-CLOSE"}


def test_an_interim_month_closed_a_second_time_passes() -> None:
    first = sm.make_month(sm.items())
    streams = {sm.STREAM: [0, 1, bytes(32)]}
    detail = {"month": "2026-06", "closing": "interim", "streams": streams}
    closed = sm.entry(Kind.MONTH_CLOSE, first.statement, 1, stream="", detail=detail)
    earlier = [first.entries[0], closed]
    again = sm.make_month(sm.items(), first_entries=earlier)
    assert "N-INTERIM" in passes(sm.build(sm.contents(again)))


def test_a_configuration_signed_again_within_the_month_passes() -> None:
    """Another address of a device: nothing the figures depend on, but running values start anew."""
    moved = sm.configuration()
    moved["devices"][0]["url"] = "test:elsewhere"
    stream = sm.items(CONFIG, sm.bodies(CONFIG, anew_at=25))
    made = sm.make_month(
        [*stream[:3], dataclasses.replace(sm.config_item(moved), hour=stream[2].hour), *stream[3:]]
    )
    configs = {sm.sha256(made.objects[i]): made.objects[i] for i in (0, 3)}
    passes(sm.build(sm.contents(made, configs=configs)))


def test_a_receipt_newer_than_the_month_passes() -> None:
    chain = sm.Chain(sm.keys().gateway)
    made = sm.make_month(sm.items(), chain=chain)
    newer = sm.make_month(sm.items()[4:5], chain=chain, first_entries=made.entries)
    passes(sm.build(sm.contents(made, receipts={sm.STREAM: newer.receipt})))
    passes(sm.build(sm.contents(made, receipts={})))


@pytest.mark.parametrize("method", [0, 1, 2])
def test_every_compression_passes(method: int) -> None:
    stream = [
        dataclasses.replace(item, payload=compress(decompress(item.payload), method))
        for item in sm.items()
    ]
    passes(sm.build(sm.contents(sm.make_month(stream))))


def test_backfilled_late_and_eventful_frames_pass() -> None:
    made = [
        dataclasses.replace(
            body, flags=15, gap=Gap(body.t0_ns - 1, body.t0_ns, "stopped"),
            events=({"kind": "clock-step", "at_ns": body.t0_ns, "by_ms": -3},),
        )
        for body in sm.bodies(CONFIG)
    ]  # fmt: skip
    report = sm.check(sm.build(sm.contents(sm.make_month(sm.items(CONFIG, made)))))
    assert report.verdict is Verdict.PASSED
    assert sum("recorded by the gateway" in f.sentence for f in report.findings) == 5


def test_one_heartbeat_after_another_passes() -> None:
    beat = sm.bodies(CONFIG)[4]
    stream = [*sm.items(), sm.frame_item(beat), sm.frame_item(beat)]
    passes(sm.build(sm.contents(sm.make_month(stream))))


def test_an_older_signature_number_passes() -> None:
    class Older(FileSigner):
        @property
        def alg(self) -> int:
            """EdDSA as it was called before RFC 9864."""
            return -8

    gateway = Older(ed25519.Ed25519PrivateKey.from_private_bytes(bytes([2]) * 32))
    passes(sm.build(sm.contents(sm.make_month(sm.items(), chain=sm.Chain(gateway)))))


def test_frames_written_without_filters_pass() -> None:
    """Filter 0 is allowed for every type; another writer may not bother."""
    body = sm.bodies(CONFIG)[0]
    fields = cbor.decode(decompress(encode_body(body)))
    for section, packed in zip(body.sections, fields[5], strict=True):
        for group, parts in zip(section.groups, packed[4], strict=True):
            parts[2], parts[4] = 0, group.raw.tobytes()
    stream = sm.items()
    stream[1] = dataclasses.replace(stream[1], payload=compress(cbor.encode(fields)))
    passes(sm.build(sm.contents(sm.make_month(stream))))
