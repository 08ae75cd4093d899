"""Objects looked at ahead, by a real process: the same is seen, in order, whatever it meets."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from cloud.collector import ahead
from cloud.collector.ahead import MANY, Ahead
from cloud.collector.inbox import SHARE_MESSAGES, Message
from cloud.collector.seen import Look, see
from evidence.custody import GatewayKey
from evidence.errors import SignatureError
from evidence.frame import TYP_FRAME, Gap, encode_body
from evidence.keys import FileSigner, generate, key_sha256, spki
from tests.unit.cloud.collector.judge_examples import SENDER
from tests.unit.cloud.collector.running import Running
from tests.unit.cloud.evidence_examples import SECOND_NS, T0_NS, ExamplePlant, Gateway, body


@pytest.fixture
def key(gateway: Gateway) -> bytes:
    return spki(gateway.signer.public_key)


@pytest.fixture
def looking(key: bytes) -> Iterator[Ahead]:
    """With its process up."""
    made = Ahead(lambda _, gateway: key if gateway == SENDER.gateway else b"")
    wait_up(made)
    yield made
    made.close()


def wait_up(looking: Ahead) -> None:
    helper, until_s = looking._started(), time.monotonic() + 60
    while helper is None or not helper.is_up():
        assert time.monotonic() < until_s
        time.sleep(0.01)


def frames(gateway: Gateway, count: int, first: int = 0) -> list[Message]:
    return [
        Message(SENDER, gateway.frame(T0_NS + n * SECOND_NS)) for n in range(first, first + count)
    ]


def helper(looking: Ahead) -> int:
    made = looking._helper
    assert made is not None
    return made._process.pid


def test_a_frame_is_seen_with_all_that_a_judge_asks_of_it(gateway: Gateway, key: bytes) -> None:
    gateway.config()
    data = gateway.frame(T0_NS, points=3, ticks=4)
    seen, look = see(data, key), Look(data)
    assert seen is not None
    assert (seen.header, seen.kid, seen.sha256) == (look.header, look.kid, look.sha256)
    assert seen.key == key_sha256(gateway.signer.public_key)
    assert seen.span == look.span
    span = seen.span
    assert (span.t0_ns, span.first_ns, span.readings) == (T0_NS, T0_NS, 12)
    assert (span.newest_ns, span.gap) == (T0_NS + 3 * SECOND_NS, None)


def test_nothing_is_seen_of_what_is_no_whole_frame_under_the_key(
    gateway: Gateway, key: bytes
) -> None:
    config, frame = gateway.config(), gateway.frame(T0_NS)
    altered = bytearray(frame)
    altered[-1] ^= 1
    other = spki(generate().public_key())
    empty = gateway.sign(TYP_FRAME, b"")
    assert [see(data, key) for data in (config, bytes(altered), b"", b"\x84", empty)] == [None] * 5
    assert see(frame, other) is None
    assert see(frame, key) is not None


def test_a_header_with_endless_names_is_not_seen(gateway: Gateway, key: bytes) -> None:
    """What is seen of a batch is to fit between the two processes though nobody reads."""
    gateway.config()
    data = gateway.sign(TYP_FRAME, encode_body(body(T0_NS)), plant="p" * 1_000)
    assert Look(data).header.plant == "p" * 1_000
    assert see(data, key) is None


def test_what_was_seen_under_one_key_is_verified_again_under_another(
    gateway: Gateway, key: bytes
) -> None:
    gateway.config()
    data = gateway.frame(T0_NS)
    seen, stranger = see(data, key), generate().public_key()
    own = gateway.signer.public_key
    Look(data, seen).verify(GatewayKey(own, key_sha256(own)))
    with pytest.raises(SignatureError):
        Look(data, seen).verify(GatewayKey(stranger, key_sha256(stranger)))


def test_a_batch_comes_back_one_later_in_order_with_what_was_seen(
    looking: Ahead, gateway: Gateway, key: bytes
) -> None:
    config = Message(SENDER, gateway.config())
    told = replace(body(T0_NS), gap=Gap(T0_NS - 9, T0_NS, "restart"))
    gap = gateway.sign(TYP_FRAME, encode_body(told))
    first: list[Any] = [config, *frames(gateway, MANY), lambda: None, Message(SENDER, gap)]
    stranger = Message(SENDER._replace(gateway="edge-9"), b"x")
    second: list[Any] = [stranger, *frames(gateway, MANY, 100)]
    assert looking.pass_on(first) == []
    assert looking.is_waiting
    for given, came in ((first, second), (second, [])):
        got = looking.pass_on(came)
        assert [item for item, _ in got] == given
        assert [seen for _, seen in got] == [
            see(item.data, key) if isinstance(item, Message) and item.sender == SENDER else None
            for item in given
        ]
    assert not looking.is_waiting


def test_a_few_are_not_given_away_and_come_after_those_that_were(
    looking: Ahead, gateway: Gateway
) -> None:
    gateway.config()
    few, many = frames(gateway, MANY - 1), frames(gateway, MANY, 50)
    assert looking.pass_on(few) == [(item, None) for item in few]
    assert not looking.is_waiting
    assert looking.pass_on(many) == []
    assert [item for item, _ in looking.pass_on(few)] == [*many, *few]


def test_more_bytes_than_frames_have_stay_here(
    looking: Ahead, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.config()
    many = frames(gateway, MANY)
    monkeypatch.setattr(ahead, "BYTES_MAX", sum(len(one.data) for one in many) - 1)
    assert looking.pass_on(many) == [(item, None) for item in many]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_ends_or_hangs_loses_nothing_and_another_is_tried_later(
    looking: Ahead, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, how: signal.Signals,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    gateway.config()
    first, second, third = (frames(gateway, MANY, n) for n in (0, 20, 40))
    assert looking.pass_on(first) == []
    assert [seen is None for _, seen in looking.pass_on(second)] == [False] * MANY
    made = looking._helper
    assert made is not None
    made.line.settimeout(1)
    os.kill(helper(looking), how)
    came = [*looking.pass_on(third), *looking.pass_on([])]
    assert [item for item, _ in came] == [*second, *third]
    assert "the collector looks itself" in caplog.text
    assert looking._helper is None
    assert looking.pass_on(first) == [(item, None) for item in first], "not at once again"
    monkeypatch.setattr(looking, "_again_s", time.monotonic())
    wait_up(looking)
    assert looking.pass_on(first) == []
    assert all(seen is not None for _, seen in looking.pass_on([]))


def test_signals_for_all_leave_it_and_a_collector_that_is_gone_ends_it(
    looking: Ahead, gateway: Gateway
) -> None:
    """A terminal's Ctrl-C and a service's stop reach it too, while the collector has work left."""
    gateway.config()
    many = frames(gateway, MANY)
    looking.pass_on(many)
    looking.pass_on([])
    for name in (signal.SIGINT, signal.SIGTERM):
        os.kill(helper(looking), name)
    looking.pass_on(many)
    assert all(seen is not None for _, seen in looking.pass_on([]))
    made = looking._helper
    assert made is not None
    made.line.close()
    assert made._process.wait(10) == 0


def test_nobody_waits_for_its_start(gateway: Gateway, key: bytes) -> None:
    gateway.config()
    many, looking = frames(gateway, MANY), Ahead(lambda *_: key)
    assert looking.pass_on(many) == [(item, None) for item in many], "it is starting"
    wait_up(looking)
    assert looking.pass_on(many) == []
    looking.close()


async def test_a_collector_applies_a_burst_in_order_with_orders_among_it(
    running: Running, gateway: Gateway, plant: ExamplePlant
) -> None:
    """As many frames as wait of a gateway, and an order behind half of them."""
    assert isinstance(plant.gateways["edge-1"].signer, FileSigner)
    running.send(gateway.config())
    await running.until(lambda: running.receipted() == [0])
    running.collector.submit(lambda: wait_up(running.collector._ahead)).result()
    objects = [gateway.frame(T0_NS + n * SECOND_NS) for n in range(SHARE_MESSAGES)]
    running.send(*objects[:256])
    asked = running.collector.submit(lambda: running.intake.plant("mini").stream("edge-1").next_seq)
    running.send(*objects[256:])
    await running.until(lambda: running.receipted()[-1:] == [SHARE_MESSAGES])
    assert asked.result() > 1
    assert running.collector._ahead._helper is not None, "it was not looked at ahead"
    stored = running.intake.plant("mini").reader.objects("edge-1", 1)
    assert [one.data for one in stored] == objects
