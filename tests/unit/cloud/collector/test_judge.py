"""The decision about one object: accept, repeat, quarantine, refuse; and never an exception."""

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.collector.judge import (
    CONFIGS_MAX,
    REASONS,
    Accepted,
    Ahead,
    Aside,
    Duplicate,
    Refused,
    judge,
)
from cloud.collector.keyring import Keyring, SignedOrder
from cloud.collector.topics import Sender
from evidence import cbor, cose
from evidence.blocks import compress
from evidence.frame import (
    GAP_REASON_MAX,
    TYP_CLOSE,
    TYP_CONFIG,
    TYP_FRAME,
    Gap,
    encode_body,
)
from evidence.keys import key_sha256
from evidence.log import Kind
from evidence.orders import Replace
from tests.unit.cloud.collector.judge_examples import (
    NOW_NS,
    SENDER,
    View,
    keyring_of,
    second_key,
)
from tests.unit.cloud.evidence_examples import (
    SECOND_NS,
    T0_NS,
    ExamplePlant,
    Gateway,
    body,
    configuration,
    make_plant,
)


def test_a_configuration_then_frames_are_accepted(
    ask: Any, gateway: Gateway, view: View, plant: ExamplePlant
) -> None:
    data = gateway.config("x")
    verdict = ask(data)
    assert verdict.config["software"] == "x"
    entry = verdict.entry
    assert (entry.kind, entry.stream, entry.seq) == (Kind.CONFIG, "edge-1", 0)
    assert entry.sha256 == hashlib.sha256(data).digest()
    assert (entry.length, entry.received_ns, entry.verdict) == (len(data), NOW_NS, "accepted")
    assert entry.certificate == plant.identity().gateways[0].fingerprint
    view.hold(verdict)
    verdict = ask(gateway.frame(T0_NS, points=3, ticks=4))
    assert (verdict.entry.kind, verdict.entry.seq) == (Kind.FRAME, 1)
    assert verdict.t0_ns == T0_NS
    assert verdict.newest_ns == T0_NS + 3 * SECOND_NS
    assert verdict.readings == 12
    assert verdict.config is verdict.close is None


def test_held_bytes_again_are_a_success_again(ask: Any, started: Gateway) -> None:
    assert [ask(data) for data in started.objects] == [Duplicate(), Duplicate()]


def test_what_is_ahead_is_dropped_with_the_seq_that_is_due(ask: Any, started: Gateway) -> None:
    started.frame(T0_NS + SECOND_NS)
    assert ask(started.frame(T0_NS + 2 * SECOND_NS)) == Ahead(seq=3, due=2)


def test_other_bytes_at_a_held_seq_are_a_fork(ask: Any, started: Gateway) -> None:
    other = started.sign(
        TYP_FRAME, encode_body(body(T0_NS, seed=99)), seq=1, prev=started_hash(started, 0)
    )
    verdict = ask(other)
    assert isinstance(verdict, Aside)
    entry = verdict.entry
    assert (entry.kind, entry.verdict, entry.seq) == (Kind.REJECT, "fork", 1)
    assert entry.sha256 == hashlib.sha256(other).digest()
    assert entry.detail == {"held": started_hash(started, 1), "prev": started_hash(started, 0)}


def test_the_next_seq_after_another_past_is_a_fork(ask: Any, started: Gateway) -> None:
    verdict = ask(started.sign(TYP_FRAME, encode_body(body(T0_NS + SECOND_NS)), prev=bytes(32)))
    assert isinstance(verdict, Aside)
    assert verdict.entry.detail == {"held_before": started.head, "prev": bytes(32)}


def started_hash(gateway: Gateway, seq: int) -> bytes:
    return hashlib.sha256(gateway.objects[seq]).digest()


def test_a_close_is_accepted_with_the_request_it_agrees_to(ask: Any, started: Gateway) -> None:
    verdict = ask(started.close(bytes([7]) * 32))
    assert verdict.entry.kind is Kind.PLANT_CLOSE
    assert verdict.close.statement_sha256 == bytes([7]) * 32


def test_an_anchor_must_be_of_this_log(started: Gateway, ask: Any, view: View) -> None:
    view.roots = {5: b"r" * 32}
    payload = encode_body(body(T0_NS + SECOND_NS))
    good = ask(started.sign(TYP_FRAME, payload, anchor=(5, b"r" * 32)))
    assert good.anchor == (5, b"r" * 32)
    verdict = ask(started.sign(TYP_FRAME, payload, anchor=(5, b"x" * 32)))
    assert (verdict.reason, "is another log" in verdict.sentence) == ("anchor", True)
    for seq in (2, 7):  # due, and ahead: what this collector has lost is not due to it
        verdict = ask(started.sign(TYP_FRAME, payload, seq=seq, anchor=(6, b"r" * 32)))
        assert (verdict.reason, "has fewer entries" in verdict.sentence) == ("anchor", True)


def test_a_gap_is_given_on(started: Gateway, ask: Any) -> None:
    gap = Gap(T0_NS, T0_NS + SECOND_NS, "restart")
    payload = encode_body(replace(body(T0_NS + SECOND_NS), gap=gap))
    assert ask(started.sign(TYP_FRAME, payload)).gap == gap
    long = Gap(T0_NS, T0_NS + SECOND_NS, "x" * (GAP_REASON_MAX + 1))  # the log would repeat it
    payload = encode_body(replace(body(T0_NS + SECOND_NS), gap=long))
    assert ask(started.sign(TYP_FRAME, payload)).reason == "malformed"


@pytest.mark.parametrize(
    ("sender", "changes"),
    [
        (Sender("mini", "edge-2"), {}),
        (Sender("maxi", "edge-1"), {}),
        (SENDER, {"stream": "edge-2"}),
        (SENDER, {"plant": "maxi"}),
    ],
)
def test_an_object_of_another_than_its_topic_is_refused(
    ask: Any, gateway: Gateway, sender: Sender, changes: dict[str, str]
) -> None:
    content = {"plant": {"id": "mini"}, "gateway": {"id": "edge-1"}}
    data = gateway.sign(TYP_CONFIG, compress(cbor.encode(content)), **changes)
    assert ask(data, sender).reason == "identity"


def refused_payload(gateway: Gateway, typ: str, content: Any) -> bytes:
    payload = content if isinstance(content, bytes) else compress(cbor.encode(content))
    return gateway.sign(typ, payload)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (configuration("mini", "edge-2"), "identity"),
        (configuration("maxi", "edge-1"), "identity"),
        (configuration("mini", "edge-1") | {"more": 1}, "malformed"),
        (configuration("mini", "edge-1") | {"groups": []}, "malformed"),
        (configuration("mini", "edge-1") | {"format": 2}, "unsupported"),
        ({"plant": {"id": "mini"}}, "malformed"),
        ({"plant": "mini", "gateway": "edge-1"}, "malformed"),
        ([1, 2], "malformed"),
        (b"\x00\xff", "malformed"),
        (b"", "malformed"),
        (b"\x09abc", "unsupported"),
    ],
)
def test_a_configuration_that_is_none_is_refused(
    ask: Any, gateway: Gateway, content: Any, reason: str
) -> None:
    assert ask(refused_payload(gateway, TYP_CONFIG, content)).reason == reason


@pytest.mark.parametrize("typ", [TYP_FRAME, TYP_CLOSE])
@pytest.mark.parametrize("content", [{}, [], b"", b"\x01\x00\x00", {1: 99}, {1: 1}])
def test_a_frame_or_close_that_is_none_is_refused(
    ask: Any, started: Gateway, typ: str, content: Any
) -> None:
    verdict = ask(refused_payload(started, typ, content))
    assert verdict.reason in ("malformed", "unsupported")


def test_a_close_of_another_stream_is_refused(ask: Any, started: Gateway) -> None:
    assert ask(started.close(bytes(32), stream="edge-2")).reason == "identity"


def test_a_stream_has_a_bounded_number_of_configurations(
    ask: Any, started: Gateway, view: View
) -> None:
    known = {n.to_bytes(32, "big"): n for n in range(CONFIGS_MAX)}
    started.cfg = (CONFIGS_MAX - 1).to_bytes(32, "big")
    view.states["edge-1"] = replace(view.states["edge-1"], configs=MappingProxyType(known))
    verdict = ask(started.config("more"))
    assert (verdict.reason, "10000 configurations" in verdict.sentence) == ("config", True)


def test_a_frame_names_a_configuration_of_its_own_stream(ask: Any, started: Gateway) -> None:
    payload = encode_body(body(T0_NS + SECOND_NS))
    for cfg in (None, bytes(32)):
        assert ask(started.sign(TYP_FRAME, payload, cfg=cfg)).reason == "config"
    assert isinstance(ask(started.sign(TYP_FRAME, payload)), Accepted)


def test_a_frame_before_any_configuration_is_refused(ask: Any, gateway: Gateway) -> None:
    assert ask(gateway.frame(T0_NS)).reason == "config"


def test_every_object_names_the_newest_configuration(
    ask: Any, started: Gateway, view: View
) -> None:
    """What leaves it out would hide a change; what names an earlier one would undo it."""
    first, payload = started.cfg, encode_body(body(T0_NS + SECOND_NS))
    view.hold(ask(started.config("changed")))
    content = compress(cbor.encode(configuration("mini", "edge-1", "hidden")))
    for cfg in (first, None):
        assert ask(started.sign(TYP_FRAME, payload, cfg=cfg)).reason == "config"
        assert ask(started.sign(TYP_CONFIG, content, cfg=cfg)).reason == "config"
    assert isinstance(ask(started.sign(TYP_CONFIG, content)), Accepted)


def test_a_new_device_does_not_know_the_configuration_before(
    ask: Any, started: Gateway, view: View, keyring: Keyring, plant: ExamplePlant
) -> None:
    old, (second, new) = key_sha256(started.signer.public_key), second_key(plant)
    order = Replace("mini", "edge-1", old, b"", 1, started.head, T0_NS, "drowned")
    keyring.apply(SignedOrder(order, b"", bytes(32), new))
    started.signer, before = second, started.cfg
    content = compress(cbor.encode(configuration("mini", "edge-1", "new")))
    assert isinstance(ask(started.sign(TYP_CONFIG, content, cfg=before)), Accepted)
    payload = encode_body(body(T0_NS + SECOND_NS))
    assert ask(started.sign(TYP_FRAME, payload, cfg=None)).reason == "config"
    started.cfg = None
    view.hold(ask(started.config("new")))
    assert ask(started.sign(TYP_CONFIG, content, cfg=None)).reason == "config"
    assert isinstance(ask(started.sign(TYP_FRAME, payload)), Accepted)


@pytest.mark.parametrize("t0_ns", [T0_NS - 1, 0])
def test_a_frame_before_the_one_before_is_refused(ask: Any, started: Gateway, t0_ns: int) -> None:
    assert ask(started.frame(t0_ns)).reason == "time"


def test_a_tick_that_was_told_before_is_refused(ask: Any, started: Gateway) -> None:
    again = body(T0_NS, ticks=2)
    assert ask(started.sign(TYP_FRAME, encode_body(again))).reason == "time"
    heartbeat = encode_body(replace(again, sections=()))
    assert isinstance(ask(started.sign(TYP_FRAME, heartbeat)), Accepted)


def test_a_tick_before_its_frame_is_refused(ask: Any, started: Gateway) -> None:
    whole = body(T0_NS + SECOND_NS)
    section = replace(whole.sections[0], first_ns=-(2**62))
    odd = encode_body(replace(whole, sections=(section,)))
    assert ask(started.sign(TYP_FRAME, odd)).reason == "malformed"


def test_a_forger_cannot_pass_for_ahead(ask: Any, started: Gateway) -> None:
    started.frame(T0_NS + SECOND_NS)
    forged = bytearray(started.frame(T0_NS + 2 * SECOND_NS))
    forged[-1] ^= 1
    assert ask(bytes(forged)).reason == "signature"


def test_an_object_too_large_or_of_unknown_kind_is_refused(ask: Any, gateway: Gateway) -> None:
    assert ask(bytes(cose.OBJECT_BYTES_MAX + 1)).reason == "malformed"
    assert ask(gateway.sign("stackproof-later+cbor", b"x")).reason == "unsupported"


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_bytes_raise(data: st.DataObject) -> None:
    """Arbitrary bytes, and a good object with a stretch of it replaced."""
    keys = keyring_of(FUZZED.identity)
    if data.draw(st.booleans()):
        fuzzed = data.draw(st.binary(max_size=300))
    else:
        whole = FUZZED.frame
        at = data.draw(st.integers(0, len(whole) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=8))
        fuzzed = whole[:at] + piece + whole[at + data.draw(st.integers(0, 8)) :]
    verdict = judge(fuzzed, SENDER, keys, FUZZED.view, NOW_NS)
    if fuzzed == FUZZED.frame:
        assert isinstance(verdict, Accepted)
    elif isinstance(verdict, Refused):
        assert verdict.reason in REASONS
    elif isinstance(verdict, Aside):  # the key id was hit: nobody signed it
        assert (verdict.entry.verdict, verdict.entry.certificate) == ("unknown-key", None)
    else:
        assert isinstance(verdict, Ahead)  # key id and seq were hit: nothing is kept of it


class _Fuzzed:
    """One plant, one held configuration and one good frame, made on first use."""

    def __init__(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            plant = make_plant(Path(folder))
            self.identity = plant.identity()
        gateway, self.view = plant.gateways["edge-1"], View()
        keys = keyring_of(self.identity)
        self.view.hold(judge(gateway.config(), SENDER, keys, self.view, NOW_NS))
        self.frame = gateway.frame(T0_NS)


FUZZED = _Fuzzed()
