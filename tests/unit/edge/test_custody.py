"""The gateway as witness: logs that grow are believed, all others alarm and free nothing."""

import hashlib
from pathlib import Path

import pytest

from edge.errors import NotOursError, TwoLogsError
from evidence import cbor, cose
from evidence.blocks import decompress
from evidence.cosignature import verify_cosigned
from evidence.frame import TYP_COSIGNATURE, header_of
from evidence.keys import FileSigner, generate
from evidence.merkle import Tree, leaf_hash
from evidence.receipt import encode_close_request
from tests.unit.edge.sites import GATEWAY, PLANT, certificate, keys, who
from tests.unit.edge.stream_rig import BODY, NOW_NS, Rig, collector, opened

HOUR_NS = 3_600 * 10**9


def receipted(rig: Rig, count: int) -> None:
    """So many objects made, taken and under receipt."""
    rig.made(count)
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)


def anchored(rig: Rig) -> None:
    """Three objects receipted, and a fourth signed that names that log of three."""
    receipted(rig, 3)
    rig.made(4)


def log_of(objects: list[bytes]) -> Tree:
    """The collector's log, as it would be with these objects."""
    tree = Tree()
    for data in objects:
        tree.append(leaf_hash(data))
    return tree


# -- logs that do not grow ------------------------------------------------------------------------


def test_log_that_grows_is_followed(rig: Rig) -> None:
    anchored(rig)
    receipted(rig, 6)
    receipted(rig, 9)
    rig.made(10)
    anchors = [h.anchor[0] for h in rig.headers() if h.anchor]
    assert anchors == [9]
    assert rig.spool.receipted_seq() == 8
    assert rig.stream.condition().two_logs is None


def test_rewritten_log_alarms_and_frees_nothing(rig: Rig) -> None:
    """The collector has changed the second entry after the gateway had seen the log."""
    anchored(rig)
    honest, shown = rig.collector.log, rig.collector.root
    rig.collector.log = log_of([rig.collector.objects[0], b"another", *rig.collector.objects[2:]])
    bent = rig.collector.receipt()
    with pytest.raises(TwoLogsError, match=r"that of 4 entries .* does not continue that of 3"):
        rig.stream.take_receipt(bent, NOW_NS)
    assert [s.seq for s in rig.spool.objects(0, 9)] == [3], "kept"
    assert rig.spool.receipted_seq() == 2
    two = rig.stream.condition().two_logs
    assert two is not None
    assert two["at_ns"] == NOW_NS
    assert two["log"] == [4, shown()]
    assert two["anchor"][0] == 3
    assert rig.spool.get("two-logs-proof") == bent
    request = encode_close_request(rig.collector.close_request(), keys().collector_signer)
    with pytest.raises(NotOursError, match="has shown two logs"):
        rig.stream.answer_close(request, NOW_NS)
    rig.collector.log = honest
    assert rig.stream.take_receipt(rig.collector.receipt(), NOW_NS) == 3
    assert rig.stream.condition().two_logs is None, "over, by a proof that holds"
    assert rig.spool.get("two-logs-proof") == bent, "the proof is kept for ever"


def test_alarm_and_proof_outlive_the_process(rig: Rig, tmp_path: Path) -> None:
    anchored(rig)
    rig.collector.log = log_of([b"x", b"y", b"z", b"w"])
    with pytest.raises(TwoLogsError):
        rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)
    rig.spool.close()
    spool, stream = opened(tmp_path / "spool.sqlite")
    assert stream.condition().two_logs is not None
    spool.close()


def test_log_set_back_behind_what_was_signed_under(rig: Rig) -> None:
    anchored(rig)
    rig.collector.log = log_of(rig.collector.objects[:2])
    with pytest.raises(TwoLogsError, match="that of 2 entries"):
        rig.stream.take_receipt(rig.collector.receipt(log_index=1), NOW_NS)
    assert rig.spool.receipted_seq() == 2


def test_log_set_back_behind_what_was_shown(rig: Rig) -> None:
    """No object names the newest log yet: but a newer receipt cannot have an older log."""
    receipted(rig, 3)
    rig.stream.append_frame(BODY, b"", NOW_NS)  # under the log of 3
    receipted(rig, 5)
    log = rig.collector.log
    rig.collector.log = log_of([*rig.collector.objects, b"a", b"b"])
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)  # a log of 7
    rig.made(6)
    rig.collector.log = log
    with pytest.raises(TwoLogsError):
        rig.stream.take_receipt(rig.collector.receipt(log_index=4), NOW_NS)
    assert rig.spool.receipted_seq() == 4


def test_proof_that_is_missing_or_starts_elsewhere(rig: Rig) -> None:
    anchored(rig)
    with pytest.raises(TwoLogsError):
        rig.stream.take_receipt(rig.collector.receipt(path=()), NOW_NS)
    whole = tuple(rig.collector.log.consistency_path(2))
    for since, path in ((0, ()), (2, whole)):
        with pytest.raises(NotOursError, match="the object at seq 3 names a log of 3"):
            rig.stream.take_receipt(rig.collector.receipt(since=since, path=path), NOW_NS)
    assert rig.spool.receipted_seq() == 2


def test_backlog_is_freed_by_proofs_from_its_own_objects(rig: Rig) -> None:
    """Objects of an outage name older logs than the newest object does."""
    receipted(rig, 3)
    rig.made(5)  # 3 and 4 name the log of 3
    middle = rig.collector.receipt()
    rig.stream.take_receipt(middle, NOW_NS)
    rig.stream.append_frame(BODY, b"", NOW_NS)  # names the log of 5
    rig.stream.append_frame(BODY, b"", NOW_NS)
    rig.collector.take(rig.spool.objects(5, 1)[0].data)
    assert rig.stream.take_receipt(rig.collector.receipt(), NOW_NS) == 5
    assert [s.seq for s in rig.spool.objects(0, 9)] == [6]


def test_backlog_is_not_freed_by_a_rewritten_log(rig: Rig) -> None:
    """The receipt is of an object before the newest one: its own anchor is what counts."""
    anchored(rig)  # 3 names the log of 3
    receipted(rig, 4)
    rig.made(5)  # 4 names the log of 4
    rig.stream.append_frame(BODY, b"", NOW_NS)
    objects = rig.collector.objects
    rig.collector.log = log_of([objects[0], b"another", *objects[2:]])
    with pytest.raises(TwoLogsError):
        rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)
    assert [s.seq for s in rig.spool.objects(0, 9)] == [4, 5]


def test_first_log_is_taken_on_trust_once(rig: Rig) -> None:
    """Before anything names it, a second one without a proof does not take its place."""
    rig.made(2)
    first = rig.collector.receipt(seq=0, head=hashlib.sha256(rig.collector.objects[0]).digest())
    rig.stream.take_receipt(first, NOW_NS)
    rig.made(2)
    rig.collector.log = log_of([b"a", b"b", b"c"])
    rig.stream.take_receipt(rig.collector.receipt(log_index=1), NOW_NS)
    rig.stream.append_frame(BODY, b"", NOW_NS)
    (header,) = rig.headers()
    assert header.anchor is not None
    assert header.anchor[0] == 2, "the log it was shown first"


# -- cosignatures ---------------------------------------------------------------------------------


def test_newest_checkpoint_is_cosigned_once_an_hour(rig: Rig, tmp_path: Path) -> None:
    assert rig.stream.cosign_hourly(NOW_NS) is None, "no checkpoint yet"
    receipted(rig, 3)
    made = rig.stream.cosign_hourly(NOW_NS)
    assert made is not None
    assert (made.seq, made.typ) == (3, TYP_COSIGNATURE)
    receipted(rig, 6)
    assert rig.stream.cosign_hourly(NOW_NS + 60 * 10**9) is None, "the same hour"
    rig.spool.close()
    spool, stream = opened(tmp_path / "spool.sqlite")
    assert stream.cosign_hourly(NOW_NS + 120 * 10**9) is None, "also for the next process"
    again = stream.cosign_hourly(NOW_NS + HOUR_NS)
    assert again is not None
    assert again.seq == 6
    assert stream.cosign_hourly(NOW_NS + 2 * HOUR_NS) is None, "nothing new to cosign"
    spool.close()


def test_cosignature_is_of_the_checkpoint_its_object_names(rig: Rig) -> None:
    receipted(rig, 3)
    made = rig.stream.cosign_hourly(NOW_NS)
    assert made is not None
    assert rig.collector.take(made.data)
    envelope = cose.parse(made.data)
    note = cbor.decode(decompress(envelope.payload))
    assert set(note) == {"checkpoint"}
    cosigned = verify_cosigned(
        note["checkpoint"],
        f"stackproof/{PLANT}/{GATEWAY}",
        keys().gateway.public_key(),
        [keys().collector_key],
    )
    assert cosigned.at_s == NOW_NS // 10**9
    named = cosigned.checkpoint.size, cosigned.checkpoint.root
    assert header_of(envelope).anchor == named == (3, log_of(rig.collector.objects[:3]).root_at(3))


def test_close_comes_with_a_cosignature_of_what_was_seen(rig: Rig) -> None:
    receipted(rig, 3)
    request = encode_close_request(rig.collector.close_request(), keys().collector_signer)
    made = rig.stream.answer_close(request, NOW_NS)
    assert [s.seq for s in made] == [3, 4]
    for stored in made:
        assert rig.collector.take(stored.data)
    assert rig.stream.cosign_hourly(NOW_NS) is None, "it counts for the hour"


def test_p256_gateway_cosigns_too(tmp_path: Path) -> None:
    signer = FileSigner(generate("p256"))
    own = who(signer=signer, certificate=certificate(signer.public_key))
    spool, stream = opened(tmp_path / "spool.sqlite", own)
    rig = Rig(spool, stream, collector(gateway_key=signer.public_key))
    receipted(rig, 2)
    made = stream.cosign_hourly(NOW_NS)
    assert made is not None
    note = cbor.decode(decompress(cose.parse(made.data).payload))["checkpoint"]
    name = f"stackproof/{PLANT}/{GATEWAY}"
    seen = verify_cosigned(note, name, signer.public_key, [keys().collector_key])
    assert seen.checkpoint.size == 2
    spool.close()
