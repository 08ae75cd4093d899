"""Untrusted live messages: what is taken, and what is refused with which reason."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.live.message import PAYLOAD_BYTES_MAX, LiveMessage, LiveMessageError, parse_live
from tests.unit.cloud.live_examples import (
    CFG,
    GATEWAY,
    NS,
    PLANT,
    T0,
    changed,
    effect,
    message,
    payload,
)


def parse(data: bytes) -> LiveMessage:
    return parse_live(data, PLANT, GATEWAY)


def reason_of(data: bytes) -> str:
    with pytest.raises(LiveMessageError) as caught:
        parse(data)
    return caught.value.reason


def test_every_field_arrives() -> None:
    got = parse(payload(3, effects=[effect(1, 2, flags=["gap", "hole"])]))
    assert (got.tick_ns, got.sent_ns, got.cfg, got.seq) == (T0 + 3 * NS, T0 + 3 * NS + 5, CFG, 7)
    assert got.spool.frames == 2
    assert got.spool.bytes == 900
    assert got.spool.oldest_ns == T0
    assert (got.spool.head_seq, got.spool.receipted_seq) == (6, 4)
    assert (got.clock_source, got.clock_error_ms) == ("ntp", 3)
    volts = got.values["p.01.voltage"]
    assert (volts.value, volts.quality, volts.source_ns) == ("4.21", 0, T0)
    (one,) = got.effects
    assert (one.potline, one.pot, one.v_max, one.cf4_kg) == ("line-1", "01", "31.2", "0.013")
    assert (one.start_ns, one.end_ns) == (T0 + NS, T0 + 2 * NS)
    assert one.flags == ("gap", "hole")


def test_alarms_arrive_and_a_gateway_that_tells_of_none_has_none() -> None:
    assert parse(changed("alarms", ["disk-low", "spool-full"])).alarms == ("disk-low", "spool-full")
    assert parse(payload()).alarms == ()


def test_what_may_be_missing_is_none() -> None:
    spool = {"frames": 0, "bytes": 0, "oldest_ns": None, "head_seq": None, "receipted_seq": -1}
    data = payload(
        spool=spool, clock={"source": "free", "error_ms": None}, effects=[effect(0, cf4_kg=None)]
    )
    got = parse(data)
    assert got.spool.oldest_ns is None
    assert (got.spool.head_seq, got.spool.receipted_seq) == (-1, -1)
    assert got.clock_error_ms is None
    assert got.effects[0].cf4_kg is None
    assert got.effects[0].end_ns is None


@pytest.mark.parametrize("text", ["0", "-0.5", "12345678901234567890", "0.123456789", "1.50"])
def test_decimal_texts_are_kept_as_they_are(text: str) -> None:
    got = parse(changed("values/p.01.voltage/0", text))
    assert got.values["p.01.voltage"].value == text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"[" * 100_000,
        b'{"v":1,"v":1}',
        b'{"v":NaN}',
        b'{"v":Infinity}',
        b'{"v":1e999}'.replace(b"1e999", b"1" * 5000),
        json.dumps(message()).encode() + b"x",
        '{"v":1'.encode("utf-16"),
    ],
)
def test_what_is_not_json_is_refused_as_json(data: bytes) -> None:
    assert reason_of(data) == "json"


def test_too_long_is_refused_before_it_is_parsed() -> None:
    assert reason_of(b" " * (PAYLOAD_BYTES_MAX + 1)) == "size"
    assert reason_of(b" " * PAYLOAD_BYTES_MAX) == "json"


@pytest.mark.parametrize("data", [b"1", b"null", b"[]", b'"x"', b"{}", b'{"v":2}', b'{"v":"1"}'])
def test_another_version_is_refused_as_version(data: bytes) -> None:
    assert reason_of(data) == "version"


@pytest.mark.parametrize("field", ["plant", "gateway"])
@pytest.mark.parametrize("value", ["other", None, 5, ["mini"]])
def test_another_sender_than_the_topic_says_is_refused(field: str, value: Any) -> None:
    assert reason_of(changed(field, value)) == "identity"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("tick_ns", -1),
        ("tick_ns", 2**63),
        ("tick_ns", 1.5),
        ("tick_ns", True),
        ("tick_ns", "1"),
        ("tick_ns", None),
        ("sent_ns", None),
        ("seq", None),
        ("cfg", "ab"),
        ("cfg", "AB" * 32),
        ("cfg", None),
        ("spool", None),
        ("spool", []),
        ("spool/frames", -1),
        ("spool/oldest_ns", "now"),
        ("spool/head_seq", -2),
        ("clock", 3),
        ("clock/source", None),
        ("clock/source", "x" * 65),
        ("clock/error_ms", 0.5),
        ("values", []),
        ("values", None),
        ("values/p.01.voltage", None),
        ("values/p.01.voltage", ["4.2", 0]),
        ("values/p.01.voltage", ["4.2", 0, None, 1]),
        ("values/p.01.voltage", {"0": "4.2"}),
        ("values/p.01.voltage/0", 4.2),
        ("values/p.01.voltage/0", "4,2"),
        ("values/p.01.voltage/0", "1e5"),
        ("values/p.01.voltage/0", "NaN"),
        ("values/p.01.voltage/0", "9" * 21),
        ("values/p.01.voltage/0", ""),
        ("values/p.01.voltage/0", "٣"),
        ("values/p.01.voltage/1", 256),
        ("values/p.01.voltage/1", -1),
        ("values/p.01.voltage/1", None),
        ("values/p.01.voltage/1", False),
        ("values/p.01.voltage/2", -5),
        ("values/Bad Id", ["1", 0, None]),
        ("values/" + "x" * 65, ["1", 0, None]),
        ("alarms", None),
        ("alarms", "disk-low"),
        ("alarms", {"disk-low": 1}),
        ("alarms", ["disk-low"] * 17),
        ("alarms", [1]),
        ("alarms", ["<script>"]),
        ("alarms", ["disk-low\n"]),
        ("alarms", ["x" * 41]),
        ("effects", None),
        ("effects", {}),
        ("effects/0", 1),
        ("effects/0/potline", "<b>"),
        ("effects/0/pot", ""),
        ("effects/0/start_ns", None),
        ("effects/0/end_ns", T0 - 1),
        ("effects/0/v_max", None),
        ("effects/0/v_max", 31.2),
        ("effects/0/cf4_kg", 0.1),
        ("effects/0/flags", "running"),
        ("effects/0/flags", [1]),
        ("effects/0/flags", ["<script>"]),
        ("effects/0/flags", ["x"] * 17),
    ],
)
def test_a_field_out_of_its_bounds_is_refused_as_field(path: str, value: Any) -> None:
    assert reason_of(changed(path, value)) == "field"


def test_more_values_or_effects_than_bounds_are_refused() -> None:
    many = {f"p{n}": ["1", 0, None] for n in range(10_001)}
    assert reason_of(payload(values=many)) == "field"
    assert reason_of(payload(effects=[effect(0)] * 1001)) == "field"


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
_PATHS = st.sampled_from(
    [*message(), "values/p.01.voltage", "values/p.01.voltage/0", "spool/frames", "clock/source"]
    + [f"effects/0/{name}" for name in effect(0)]
)


@given(_PATHS, _ANY)
def test_any_value_in_any_field_gives_a_message_or_the_one_error(path: str, value: Any) -> None:
    try:
        outcome = f"taken {parse(changed(path, value)).cfg}"
    except LiveMessageError as error:
        outcome = error.reason
    assert outcome in {f"taken {CFG}", "json", "version", "identity", "field"}
