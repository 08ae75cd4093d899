"""What must not end the thread of the uplink, nor be laid at the broker's door."""

import asyncio
import socket
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import MQTTErrorCode, _ConnectionState

from edge.route import Route
from edge.uplink.mqtt import MqttUplink
from edge.uplink.topics import Topics
from tests.waiting import until


def uplink() -> MqttUplink:
    return MqttUplink(
        Route.of("mqtt://broker.example:1883"), Topics.of("00", "p", "g"), "p-g",
        on_connected=lambda: None, on_disconnected=lambda _: None, on_message=lambda *_: None,
    )  # fmt: skip


@pytest.mark.parametrize(("said", "name", "ends"), [
    (b"\x30\x00\x01tx", "_message", False),
    (b"\x90\x00\x01\x01\x01\x00", "_subscribed", True),  # nothing would be heard any more
])  # fmt: skip
def test_a_defect_of_ours_is_told_as_ours(
    said: bytes, name: str, ends: bool, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """“sends a packet 0x30 that cannot be read … Whose broker is it?” it was."""

    def fails(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(MqttUplink, name, fails)
    client: Any = uplink()._client
    client._state = _ConnectionState.MQTT_CS_CONNECTED
    client._in_packet |= {"command": said[0], "packet": said[1:]}
    assert (client._packet_handle() == MQTTErrorCode.MQTT_ERR_PROTOCOL) == ends
    assert client.why == ("it met a defect of stackproof: see the log" if ends else "")
    assert "a defect of stackproof, and not of the broker, in fails (1 so far)" in caplog.text
    assert "KeyError: 'x'" in caplog.text, "with its traceback"


def test_a_broker_that_has_the_wrong_version_is_asked_in_ours_again() -> None:
    """Paho speaks 3.1 from then on, which nats-server hangs up on, until it is started anew."""
    client: Any = uplink()._client
    client._in_packet |= {"command": 0x20, "packet": b"\x00\x01", "remaining_length": 2}
    assert client._packet_handle() == MQTTErrorCode.MQTT_ERR_PROTOCOL
    assert client._protocol == paho.MQTTv311
    said = "broker.example:1883 says that it does not speak MQTT 3.1.1. Whose broker is it?"
    assert client.why == said


def test_it_asks_for_nothing_that_a_broker_has_to_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    """At QoS 1 each costs nats-server one of the thousand subscriptions that others need."""
    client: Any = uplink()._client
    asked = list[list[tuple[str, int]]]()
    monkeypatch.setattr(client, "subscribe", asked.append)
    client._in_packet |= {"command": 0x20, "packet": b"\x00\x00"}
    assert client._packet_handle() == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert asked == [[("stackproof/v1/00/p/g/receipts", 0), ("stackproof/v1/00/p/g/config", 0)]]


async def test_what_is_said_once_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site order of while a node of three was cut off never came to the agent connected there.

    Receipts do: what has none is sent again.
    """
    made = uplink()
    client: Any = made._client
    made._loop, asked = asyncio.get_running_loop(), list[list[str]]()
    client._state = _ConnectionState.MQTT_CS_CONNECTED

    def subscribe(topics: list[tuple[str, int]]) -> None:
        asked.append([topic.rpartition("/")[2] for topic, _ in topics])

    def answered(codes: bytes) -> None:
        client._in_packet |= {"command": 0x90, "packet": b"\x00\x01" + codes}
        assert client._packet_handle() == MQTTErrorCode.MQTT_ERR_SUCCESS

    monkeypatch.setattr(client, "subscribe", subscribe)
    monkeypatch.setattr("edge.uplink.mqtt.RESUBSCRIBE_S", 0.01)
    made._subscribe(made._down, 0)
    answered(b"\x80\x00")
    await until(lambda: asked[1:] == [["receipts"]])
    made._anew_s = 0.0  # the hour is over, and one is refused for good
    answered(b"\x80")
    await until(lambda: asked[2:] == [["receipts", "config"]])
    answered(b"\x80\x00")
    await until(lambda: asked[3:] == [["receipts"]])
    monkeypatch.setattr("edge.uplink.mqtt.ANEW_S", 0.02)
    for _ in range(9):  # a broker that says it again and again is not asked as often
        answered(b"\x00")
    await until(lambda: asked[4:] == [["config"]])
    await asyncio.sleep(0.1)
    assert asked[5:] == []
    answered(b"\x00")
    await until(lambda: asked[5:] == [["config"]])


async def test_what_nobody_has_thought_of_ends_a_connection_and_not_the_thread(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client: Any = uplink()._client
    lost = list[object]()
    client._reconnect_min_delay = client._reconnect_max_delay = 0.05
    failed = iter([RuntimeError("of a library")])

    def begin() -> socket.socket:
        raise next(failed, OSError("tried again"))

    monkeypatch.setattr(client, "_create_socket_connection", begin)
    client.on_disconnect = lambda *given: lost.append(given)
    client.on_connect_fail = lambda *_: client.disconnect()
    client.connect_async("broker.example", 1883)
    client.loop_start()
    assert client._thread is not None
    await asyncio.to_thread(client._thread.join, 30)
    assert len(lost) == 1
    assert "RuntimeError: of a library" in caplog.text
    client.loop_stop()
