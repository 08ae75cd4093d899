"""A stream's keys: handed over by a rotate object, or continued by a replace order."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from edge.errors import SpoolError
from edge.identity import Continuation
from edge.spool import Spool
from edge.stream import Stream
from evidence import cbor, cose
from evidence.custody import StreamKeys
from evidence.frame import TYP_ROTATE, header_of
from evidence.keys import FileSigner, certificate_to_der, generate, key_sha256
from evidence.orders import Replace, decode_rotate
from tests.unit.edge.sites import GATEWAY, PLANT, certificate, keys, who
from tests.unit.edge.stream_rig import BODY, CONFIG, NOW_NS, Rig, collector, opened


def frames(stream: Stream, count: int) -> None:
    if not stream.cfg():
        stream.append_config(CONFIG, NOW_NS)
    for _ in range(count):
        stream.append_frame(BODY, b"", NOW_NS)


def objects(spool: Spool) -> list[bytes]:
    return [stored.data for stored in spool.objects(0, 1000)]


def kids(data: Sequence[bytes]) -> list[bytes]:
    return [cose.parse(one).kid for one in data]


# -- rotate ---------------------------------------------------------------------------------------


def test_new_key_takes_over_with_an_object_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    old, new = keys().signer, FileSigner(generate("p256"))
    spool, stream = opened(path)
    frames(stream, 2)
    spool.close()
    changed = who(signer=new, certificate=certificate(new.public_key), previous=old)
    for _ in range(2):  # the site file may keep previous_key: it hands over once
        spool, stream = opened(path, changed)
        frames(stream, 1)
        spool.close()
    spool = Spool(path, bytes_max=2**24)
    made = objects(spool)
    assert kids(made) == [old.kid] * 4 + [new.kid] * 2
    rotate = cose.parse(made[3])
    assert (header_of(rotate).typ, header_of(rotate).seq) == (TYP_ROTATE, 3)
    assert decode_rotate(rotate.payload) == changed.certificate
    taken = collector()
    assert all(taken.take(data) for data in made), "a collector follows the keys and the chain"
    _check_with_evidence(made, [who().certificate, changed.certificate])
    known = cbor.decode(spool.get("certificates") or b"")
    assert len(known) == 2
    assert known[1] == certificate_to_der(changed.certificate)
    spool.close()


def _check_with_evidence(made: Sequence[bytes], certificates: Sequence[object]) -> None:
    """The rules that collector and verifier go by say the same."""
    rules = StreamKeys()
    first, second = (rules.certify(c) for c in certificates)  # type: ignore[arg-type] # certificates
    rules.begin(first.sha256)
    rules.rotate(3, first.sha256, second.sha256)
    for seq, data in enumerate(made):
        envelope = cose.parse(data)
        cose.verify(envelope, rules.check(seq, envelope.kid, NOW_NS).key)


def test_open_ticks_survive_the_change_of_key(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    spool, stream = opened(path)
    frames(stream, 1)
    spool.commit_ticks([b"tick"])
    spool.close()
    new = FileSigner(generate())
    spool, stream = opened(path, who(signer=new, previous=keys().signer))
    assert spool.open_ticks() == [b"tick"]
    assert spool.head().next_seq == 3
    spool.close()


def test_renewed_certificate_of_the_same_key_needs_no_rotate(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    spool, stream = opened(path)
    frames(stream, 1)
    spool.close()
    renewed = certificate(keys().gateway.public_key())
    spool, _ = opened(path, who(certificate=renewed))
    assert spool.head().next_seq == 2
    assert len(cbor.decode(spool.get("certificates") or b"")) == 2
    spool.close()


@pytest.mark.parametrize("previous", [None, "another"])
def test_key_that_nobody_handed_over_to_is_refused(tmp_path: Path, previous: str | None) -> None:
    path = tmp_path / "spool.sqlite"
    spool, stream = opened(path)
    frames(stream, 1)
    before = objects(spool)
    new, other = FileSigner(generate()), FileSigner(generate())
    in_use = key_sha256(keys().gateway.public_key()).hex()[:16]
    given = "previous_key is missing" if previous is None else "previous_key is of key "
    wrong = Stream(spool, who(signer=new, previous=other if previous else None))
    with pytest.raises(SpoolError) as caught:
        wrong.take_up_key(NOW_NS)
    said = str(caught.value)
    assert given in said
    assert f'write previous_key = "file:PATH" of key {in_use} under [gateway]' in said
    assert f"to change nothing, write key and certificate of {in_use} under [gateway] again" in said
    assert objects(spool) == before
    stream.take_up_key(NOW_NS)  # going back is enough
    assert objects(spool) == before
    spool.close()


def test_stream_never_goes_back_to_a_key(tmp_path: Path) -> None:
    """The collector refuses such a rotate for ever: it is not signed, whoever is named before."""
    path = tmp_path / "spool.sqlite"
    first, second, third = keys().signer, FileSigner(generate()), FileSigner(generate())
    for signer, previous in ((first, None), (second, first), (third, second)):
        spool, stream = opened(path, who(signer=signer, previous=previous))
        frames(stream, 1)
        spool.put({"certificates": cbor.encode([])})  # as after very many renewals
        spool.close()
    spool = Spool(path, bytes_max=2**24)
    before = objects(spool)
    for used in (first, second):
        own = key_sha256(used.public_key).hex()[:16]
        back = Stream(spool, who(signer=used, previous=third))
        says = rf"gateway.key is {own}, which was in use before: .* Make a new key \(stackproof"
        with pytest.raises(SpoolError, match=says):
            back.take_up_key(NOW_NS)
    assert objects(spool) == before
    Stream(spool, who(signer=third)).take_up_key(NOW_NS)  # the way back that the sentence names
    assert objects(spool) == before
    spool.close()


# -- replace --------------------------------------------------------------------------------------


def replaced(lost: Rig, new: FileSigner, **changes: Any) -> Continuation:
    """The root's order that `new` continues what the collector holds of the lost device."""
    fields = {
        "plant": PLANT,
        "stream": GATEWAY,
        "old": key_sha256(keys().gateway.public_key()),
        "certificate": certificate_to_der(certificate(new.public_key)),
        "seq": lost.collector.head.next_seq - 1,
        "head": lost.collector.head.hash,
        "through_ns": NOW_NS,
        "reason": "lightning",
    }
    return Continuation(Replace(**{**fields, **changes}), bytes([9]) * 32)


def test_new_device_goes_on_where_the_lost_one_ended(rig: Rig, tmp_path: Path) -> None:
    rig.made(5)
    new = FileSigner(generate())
    own = who(signer=new, continues=replaced(rig, new))
    path = tmp_path / "new" / "spool.sqlite"
    for _ in range(2):  # the site file may keep naming the order
        spool, stream = opened(path, own)
        stream.append_config(CONFIG, NOW_NS)
        spool.close()
    spool, stream = opened(path, own)
    assert stream.through_ns() == NOW_NS
    assert stream.is_continued()
    made = spool.objects(0, 9)
    assert [s.seq for s in made] == [5, 6]
    assert header_of(cose.parse(made[0].data)).prev == rig.collector.head.hash
    receipt = rig.collector.receipt()
    assert stream.take_receipt(receipt, NOW_NS) == 4, "the retained receipt of the lost device"
    rig.collector.gateway_key = new.public_key
    for stored in made:
        assert rig.collector.take(stored.data)
    assert stream.take_receipt(rig.collector.receipt(), NOW_NS) == 6
    assert spool.objects(0, 9) == []
    spool.close()


def test_order_does_not_fit_a_spool_that_has_a_stream(rig: Rig) -> None:
    rig.made(3)
    new = FileSigner(generate())
    wrong = Stream(rig.spool, who(signer=new, continues=replaced(rig, new, seq=7)))
    with pytest.raises(SpoolError, match="up to seq 2, which cannot continue seq 7: give the new"):
        wrong.take_up_key(NOW_NS)
    assert rig.spool.head().next_seq == 3


def test_order_does_not_fit_readings_that_wait(rig: Rig, tmp_path: Path) -> None:
    """They were read before the order: its time would go back behind theirs, and tell a gap."""
    rig.made(3)
    new = FileSigner(generate())
    spool, stream = opened(tmp_path / "new.sqlite", who(signer=new))
    stream.await_word("not heard", NOW_NS)
    stream.append_config(CONFIG, NOW_NS)
    wrong = Stream(spool, who(signer=new, continues=replaced(rig, new)))
    with pytest.raises(SpoolError, match="holds readings, which cannot continue seq 2: give the"):
        wrong.take_up_key(NOW_NS)
    assert spool.head().next_seq == 0
    spool.close()


def test_replacing_device_does_not_hand_over_to_the_lost_one_s_key(
    rig: Rig, tmp_path: Path
) -> None:
    rig.made(2)
    new = FileSigner(generate())
    spool, stream = opened(tmp_path / "new.sqlite", who(signer=new, continues=replaced(rig, new)))
    frames(stream, 1)
    back = Stream(spool, who(previous=new))
    with pytest.raises(SpoolError, match="which was in use before"):
        back.take_up_key(NOW_NS)
    spool.close()


def test_replaced_device_can_hand_over_later(rig: Rig, tmp_path: Path) -> None:
    rig.made(2)
    first, second = FileSigner(generate()), FileSigner(generate())
    path = tmp_path / "new" / "spool.sqlite"
    spool, stream = opened(path, who(signer=first, continues=replaced(rig, first)))
    frames(stream, 1)
    spool.close()
    spool, stream = opened(path, who(signer=second, previous=first))
    frames(stream, 1)
    assert kids(objects(spool)) == [first.kid] * 3 + [second.kid]
    spool.close()
