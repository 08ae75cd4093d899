"""What must not end the thread of the link, nor be laid at the broker's door."""

import asyncio
import socket
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import MQTTErrorCode, _ConnectionState
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from cloud.collector import mqtt
from cloud.collector.inbox import Inbox
from cloud.collector.mqtt import MqttLink
from tests.unit.cloud.collector.test_mqtt_link import Page


@pytest.mark.parametrize(
    ("first", "packet", "waiting", "why"),
    [
        (0x34, b"\x00\x01t\x00\x01x", 0, "sends at QoS 2, which nobody here has asked for"),
        (0x20, b"\x00\x00", 0, "says again that the connection stands"),
        (0x20, b"\x00\x01", 0, "says that it does not speak MQTT 3.1.1"),
        (0x30, b"\x00", 0, "sends a packet 0x30 that cannot be read: Malformed"),
        (0x90, b"\x00\x01\x55", 0, "sends a packet 0x90 that cannot be read: Malformed"),
        (0x32, b"\x00\x01t\x00\x01x", 16_385, "takes nothing, and 16385 packets wait for it"),
        (0x32, b"\x00\x01t\x00\x01x", 16_384, ""),
    ],
)
async def test_what_no_broker_has_to_send_ends_the_connection_and_not_the_thread(
    first: int, packet: bytes, waiting: int, why: str
) -> None:
    link = MqttLink("mqtt://127.0.0.1:1", "0f", Inbox(), Page())
    client: Any = link._client
    client._state = _ConnectionState.MQTT_CS_CONNECTED
    client._in_packet |= {"command": first, "packet": packet, "remaining_length": len(packet)}
    client._out_packet.extend([None] * waiting)
    code = client._packet_handle()
    assert client.why.startswith(why and f"it {why}")
    assert client._protocol == paho.MQTTv311, "paho would speak 3.1 from then on"
    assert (code == MQTTErrorCode.MQTT_ERR_PROTOCOL) == bool(why)
    link._disconnected(client, None, None, ReasonCode(PacketTypes.DISCONNECT), None)


@pytest.mark.parametrize(("said", "name", "ends"), [
    (b"\x30\x00\x01tx", "_message", False),
    (b"\x90\x00\x01\x01\x01\x00", "_subscribed", True),  # nothing would be heard any more
])  # fmt: skip
async def test_a_defect_of_ours_is_told_as_ours(
    said: bytes, name: str, ends: bool, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """“sends a packet 0x30 that cannot be read: KeyError('x')” said so of the broker."""

    def fails(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(MqttLink, name, fails)
    client: Any = MqttLink("mqtt://127.0.0.1:1", "0f", Inbox(), Page())._client
    client._state = _ConnectionState.MQTT_CS_CONNECTED
    client._in_packet |= {"command": said[0], "packet": said[1:]}
    codes = [client._packet_handle() for _ in range(3)]
    assert [code == MQTTErrorCode.MQTT_ERR_PROTOCOL for code in codes] == [ends] * 3
    assert client.why == ("it met a defect of stackproof: see the log" if ends else "")
    ours = (
        "a defect of stackproof, and not of the broker, in fails (%d so far): what it was called "
    )
    told = [ours % times + "for is dropped" for times in (1, 2)]
    assert caplog.messages == told
    assert "KeyError: 'x'" in caplog.text, "with its traceback"


async def test_what_nobody_has_thought_of_ends_a_connection_and_not_the_thread(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Name resolution raises UnicodeError, which is no OSError; whatever else may come."""
    client: Any = mqtt._Client("id")
    lost = list[object]()
    client._reconnect_min_delay = client._reconnect_max_delay = 0.05
    failed = iter([UnicodeError("label too long")])

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
    assert "UnicodeError: label too long" in caplog.text
    client.loop_stop()
