"""A gateway's key that does not sign for a while: frames wait for it, and are signed in order."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.alarms import standing
from edge.errors import KeyAwayError, SpoolError
from edge.spool import Spool
from edge.spool_reader import State
from edge.stream import Stream
from evidence import cose
from evidence.blocks import content
from evidence.errors import KeyFileError
from evidence.frame import TYP_CONFIG, TYP_FRAME, TYP_ROTATE, decode_body
from evidence.keys import FileSigner, generate
from evidence.receipt import encode_close_request
from tests.unit.edge.sites import certificate, keys, who
from tests.unit.edge.stream_rig import BODY, CONFIG, NOW_NS, Rig, collector, opened

S = 10**9


class Key:
    """Whether the gateway's key is there."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.is_away, signs = False, FileSigner.sign

        def sign(signer: FileSigner, message: bytes) -> bytes:
            if self.is_away and signer.kid != keys().collector_signer.kid:
                raise KeyFileError("no token in the slot")
            return signs(signer, message)

        patch.setattr(FileSigner, "sign", sign)


@pytest.fixture
def key() -> Iterator[Key]:
    with pytest.MonkeyPatch.context() as patch:
        yield Key(patch)


def append(rig: Rig, *seconds: int) -> list[bool]:
    """A frame each; whether it was signed."""
    signed = []
    for second in seconds:
        body = replace(BODY, t0_ns=NOW_NS + second * S)
        rig.spool.commit_ticks([b"tick"])
        signed.append(rig.stream.append_frame(body, b"calc %d" % second, NOW_NS) is not None)
        assert rig.spool.open_ticks() == [], "its ticks are in the frame, signed or not"
    return signed


def sign_all(rig: Rig) -> int:
    count = 0
    while rig.stream.sign_waiting(NOW_NS + 3600 * S) is not None:
        count += 1
    return count


def times(objects: list[bytes]) -> list[int]:
    """Seconds after NOW_NS that each frame speaks of."""
    frames = [e for e in map(cose.parse, objects) if e.typ == TYP_FRAME]
    return [(decode_body(frame.payload).t0_ns - NOW_NS) // S for frame in frames]


def test_frames_wait_and_are_signed_in_order(
    rig: Rig, key: Key, caplog: pytest.LogCaptureFixture
) -> None:
    rig.made(2)
    head = rig.spool.head()
    key.is_away = True
    assert append(rig, 10, 20, 30) == [False, False, False]
    assert rig.spool.head() == head, "nothing was made that is not signed"
    assert rig.stream.through_ns() == NOW_NS + 30 * S
    assert rig.spool.get(State.CALC) == b"calc 30"
    with pytest.raises(KeyAwayError, match="key does not sign: no token in the slot"):
        rig.stream.sign_waiting(NOW_NS)
    key.is_away = False
    assert append(rig, 40) == [False], "those that wait come first"
    assert sign_all(rig) == 4
    assert append(rig, 50) == [True]
    rig.made(7)  # the collector takes them all
    assert times(rig.collector.objects) == [0, 10, 20, 30, 40, 50]
    said = [r.getMessage() for r in caplog.records]
    assert said == [
        "the gateway's key does not sign: no token in the slot; readings go on and wait",
        "the gateway's key has signed all that waited",
    ]


def test_the_next_process_signs_what_the_killed_one_kept(
    rig: Rig, key: Key, tmp_path: Path
) -> None:
    rig.made(2)
    key.is_away = True
    append(rig, 10, 20)
    rig.spool.close()
    key.is_away = False
    spool, stream = opened(tmp_path / "spool.sqlite")
    again = Rig(spool, stream, rig.collector)
    assert sign_all(again) == 2
    again.made(4)
    assert times(rig.collector.objects) == [0, 10, 20]
    spool.close()


def test_what_waits_names_no_later_log_than_its_readings_knew(rig: Rig, key: Key) -> None:
    """Else a reading taken an hour before the log's entry would look like a wrong clock."""
    rig.made(2)
    key.is_away = True
    append(rig, 10, 20)
    key.is_away = False
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)  # a log of 2
    assert rig.stream.sign_waiting(NOW_NS) is not None
    rig.made(3)
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)
    assert sign_all(rig) == 1
    assert [header.anchor for header in rig.headers()] == [None]
    rig.made(4)
    assert rig.stream.take_receipt(rig.collector.receipt(), NOW_NS) == 3
    assert append(rig, 30, 40) == [True, True]
    assert {header.anchor for header in rig.headers()} == {(2, rig.collector.log.root_at(2))}
    rig.made(6)
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)
    assert append(rig, 50) == [True]
    assert rig.headers()[-1].anchor == (6, rig.collector.root())


def test_a_cosignature_comes_after_what_waits(rig: Rig, key: Key) -> None:
    rig.made(2)
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)
    key.is_away = True
    append(rig, 10)
    key.is_away = False
    assert rig.stream.cosign_hourly(NOW_NS) is None
    sign_all(rig)
    assert rig.stream.cosign_hourly(NOW_NS) is not None


def test_a_close_is_signed_while_frames_wait(rig: Rig, key: Key) -> None:
    rig.made(2)
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)
    key.is_away = True
    append(rig, 10)
    request = encode_close_request(rig.collector.close_request(), keys().collector_signer)
    with pytest.raises(KeyAwayError):
        rig.stream.answer_close(request, NOW_NS)
    key.is_away = False
    made = rig.stream.answer_close(request, NOW_NS)
    assert sign_all(rig) == 1
    rig.made(3 + len(made))
    assert times(rig.collector.objects) == [0, 10]


@pytest.mark.parametrize("is_away", [False, True])
def test_a_configuration_comes_after_what_waits(rig: Rig, key: Key, is_away: bool) -> None:
    rig.made(2)
    key.is_away = True
    append(rig, 10, 20)
    body, other = replace(BODY, t0_ns=NOW_NS + 30 * S), {**CONFIG, "format": 2}
    key.is_away = is_away
    assert rig.stream.append_config(other, NOW_NS, closing=body) == []
    assert rig.stream.config_in_force() == other
    assert rig.stream.cfg() == b"", "until it is signed it is no object"
    assert append(rig, 40) == [False]
    key.is_away = False
    assert sign_all(rig) == 5
    assert rig.spool.get(State.CALC) == b"calc 40"
    rig.made(7)
    assert times(rig.collector.objects) == [0, 10, 20, 30, 40]
    kinds = [cose.parse(data).typ for data in rig.collector.objects]
    assert kinds == [TYP_CONFIG, *[TYP_FRAME] * 4, TYP_CONFIG, TYP_FRAME]
    of_config = [hashlib.sha256(rig.collector.objects[seq]).digest() for seq in (0, 5)]
    named = [header.cfg for header in rig.headers()]
    assert named == [None, *of_config[:1] * 5, of_config[1]], "each frame its readings' own"
    assert rig.stream.cfg() == of_config[1]


def test_configurations_that_wait_are_signed_one_after_the_other(rig: Rig, key: Key) -> None:
    """Three starts with three site files, and the token away all the time; the first comes back."""
    rig.made(2)
    key.is_away = True
    for number, seconds in ((2, 10), (3, 20), (2, 30)):
        rig.stream.append_config({**CONFIG, "format": number}, NOW_NS)
        append(rig, seconds)
    key.is_away = False
    for left in (6, 5, 4, 3, 2):
        assert rig.spool.usage().unsigned == left
        assert rig.stream.cfg() == b""
        rig.stream.sign_waiting(NOW_NS)
    assert rig.stream.cfg() != b""
    sign_all(rig)
    rig.made(8)
    packed = [cose.parse(data) for data in rig.collector.objects]
    configs = [
        content(envelope.payload)["format"] for envelope in packed if envelope.typ == TYP_CONFIG
    ]
    assert configs == [1, 2, 3, 2]


@pytest.mark.parametrize("killed_after", [None, 1, 2])
def test_the_old_key_signs_what_waits_before_it_hands_over(
    rig: Rig, key: Key, tmp_path: Path, killed_after: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.made(2)
    key.is_away = True
    append(rig, 10, 20)
    rig.spool.close()
    key.is_away = False
    new = FileSigner(generate())
    own = who(signer=new, certificate=certificate(new.public_key), previous=keys().signer)
    if killed_after is not None:
        count, works = 0, Spool.append

        def append_or_die(spool: Spool, *args: Any, **kwargs: Any) -> None:
            nonlocal count
            count += 1
            if count > killed_after:
                raise SpoolError("the process is gone")
            works(spool, *args, **kwargs)

        dying = Spool(tmp_path / "spool.sqlite", bytes_max=2**24)
        with monkeypatch.context() as patch:
            patch.setattr(Spool, "append", append_or_die)
            with pytest.raises(SpoolError, match="gone"):
                Stream(dying, own).take_up_key(NOW_NS)
        dying.close()
    spool, stream = opened(tmp_path / "spool.sqlite", own)
    stream.append_frame(replace(BODY, t0_ns=NOW_NS + 30 * S), b"", NOW_NS)
    taken = collector()
    made = [stored.data for stored in spool.objects(0, 9)]
    assert all(taken.take(data) for data in made)
    assert times(made) == [0, 10, 20, 30]
    assert [cose.parse(data).typ for data in made].index(TYP_ROTATE) == 4
    spool.close()


def test_a_key_that_is_away_hands_over_when_it_is_back(rig: Rig, key: Key, tmp_path: Path) -> None:
    """Readings go on meanwhile, and each start finds the same."""
    rig.made(2)
    rig.spool.close()
    new = FileSigner(generate())
    own = who(signer=new, certificate=certificate(new.public_key), previous=keys().signer)
    key.is_away = True
    for second in (10, 20):
        spool, stream = opened(tmp_path / "spool.sqlite", own)
        assert stream.is_waiting()
        assert stream.append_frame(replace(BODY, t0_ns=NOW_NS + second * S), b"", NOW_NS) is None
        spool.close()
    spool, stream = opened(tmp_path / "spool.sqlite", own)
    stream.append_config({**CONFIG, "format": 2}, NOW_NS)
    key.is_away = False
    again = Rig(spool, stream, rig.collector)
    assert sign_all(again) == 4
    assert not stream.is_waiting()
    again.made(7)
    kinds = [cose.parse(data).typ for data in rig.collector.objects]
    assert kinds == [TYP_CONFIG, *[TYP_FRAME] * 3, TYP_CONFIG, TYP_ROTATE, TYP_FRAME]
    spool.close()


def test_a_full_spool_is_the_bound(rig: Rig, key: Key) -> None:
    """What waits counts as what is signed does."""
    rig.made(1)
    key.is_away = True
    before = rig.spool.fill()
    frame = rig.stream._frame(BODY)
    for _ in range(20):
        rig.spool.keep_unsigned(replace(frame, payload=bytes(100_000)), state={})
    assert rig.spool.fill() - before == pytest.approx(20 * 100_000 / 2**24, rel=0.05)


def test_the_operator_is_told(rig: Rig, key: Key) -> None:
    rig.made(2)
    assert rig.stream.condition().unsigned_ns is None
    key.is_away = True
    append(rig, 10, 20, 30)
    condition = rig.stream.condition()
    assert (condition.unsigned, condition.unsigned_ns) == (3, NOW_NS + 10 * S)
    said = standing(condition, NOW_NS, 10**18)["key-away"]
    # date -u -d @1795574500: Wed Nov 25 02:41:40 UTC 2026
    assert "3 frames wait for it, the oldest of 2026-11-25 02:41 UTC" in said
    key.is_away = False
    rig.stream.sign_waiting(NOW_NS)
    assert rig.stream.condition().unsigned == 2
    sign_all(rig)
    assert "key-away" not in standing(rig.stream.condition(), NOW_NS, 10**18)


def test_a_frame_that_no_reader_takes_is_never_signed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The collector would refuse it, and all behind it, for ever."""
    rig.made(2)
    head = rig.spool.head()
    with pytest.raises(SpoolError, match="no reader takes is not signed: frame flags 16"):
        rig.stream.append_frame(replace(BODY, flags=16), b"", NOW_NS)
    monkeypatch.setattr("evidence.cose.PAYLOAD_BYTES_MAX", 10)
    with pytest.raises(SpoolError, match="bytes is not signed: no reader takes it"):
        rig.stream.append_frame(BODY, b"", NOW_NS)
    assert rig.spool.head() == head
