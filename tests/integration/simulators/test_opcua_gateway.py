"""The pot gateway as a foreign client sees it, over a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import pytest_asyncio
from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node
from asyncua.common.subscription import DataChangeEvent
from asyncua.ua.uaerrors import BadUserAccessDenied

from firmware_configs.profile import load_profile
from simulators.opcua_gateway import OpcUaGateway
from simulators.served import Readings, ServeError

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROFILE = load_profile("stackproof/pot-gateway")
NAMESPACE = "urn:stackproof:sim:potline"
POTS = 3
STEP_NS = 1_795_571_679_535_000_000
STEP_AT = datetime(2026, 11, 25, 1, 54, 39, 535000, tzinfo=UTC)

NOW: Readings = {
    "line_current": 459.123456789, "line_voltage": 1234.5, "metal_tapped": Decimal("48213.517"),
    "pot-01.voltage": 4.25, "pot-02.voltage": 31.5, "pot-03.voltage": 0.0005,
    "pot-01.state": 1, "pot-02.state": 1, "pot-03.state": 5,
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway() -> AsyncIterator[OpcUaGateway]:
    made = OpcUaGateway(PROFILE, host="127.0.0.1", port=0, pots=POTS)
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def client(gateway: OpcUaGateway) -> AsyncIterator[Client]:
    async with Client(gateway.url) as connected:
        yield connected


async def node_of(client: Client, name: str) -> Node:
    index = await client.get_namespace_index(NAMESPACE)
    return client.get_node(f"ns={index};s={name}")


async def read(client: Client, name: str) -> ua.DataValue:
    node = await node_of(client, name)
    return await node.read_data_value(raise_on_bad_status=False)


async def test_before_the_first_value_it_says_so(client: Client) -> None:
    value = await read(client, "Pot01.Voltage")
    assert value.StatusCode is not None
    assert value.StatusCode.name == "BadWaitingForInitialData"


@pytest.mark.parametrize(
    ("node", "kind", "value"),
    [
        ("Line.Current", ua.VariantType.Double, 459.123456789),
        ("Line.Voltage", ua.VariantType.Double, 1234.5),
        ("Line.MetalTapped", ua.VariantType.UInt32, 48_213_517),
        ("Pot01.Voltage", ua.VariantType.Float, 4.25),
        ("Pot02.Voltage", ua.VariantType.Float, 31.5),
        ("Pot01.State", ua.VariantType.Byte, 1),
        ("Pot03.State", ua.VariantType.Byte, 5),
    ],
)
async def test_values_types_and_source_time(
    node: str, kind: ua.VariantType, value: float, gateway: OpcUaGateway, client: Client
) -> None:
    await gateway.publish(NOW, STEP_NS)
    found = await read(client, node)
    assert found.Value is not None
    assert (found.Value.VariantType, found.Value.Value) == (kind, value)
    assert found.SourceTimestamp == STEP_AT
    assert found.StatusCode is not None
    assert found.StatusCode.is_good()


async def test_there_are_as_many_pots_as_asked_for(gateway: OpcUaGateway, client: Client) -> None:
    await gateway.publish(NOW, STEP_NS)
    names = {
        (await child.read_browse_name()).Name for child in await client.nodes.objects.get_children()
    }
    assert {name for name in names if name in NOW} == set(NOW)
    missing = await read(client, "Pot04.Voltage")
    assert missing.StatusCode is not None
    assert missing.StatusCode.name == "BadNodeIdUnknown"


async def test_a_subscriber_gets_every_change_with_its_instant(
    gateway: OpcUaGateway, client: Client
) -> None:
    await gateway.publish(NOW, STEP_NS)
    subscription = await client.create_subscription(50, queue_maxsize=1000)
    nodes = [await node_of(client, name) for name in ("Pot01.Voltage", "Pot01.State")]
    await subscription.subscribe_data_change(nodes, queuesize=100, sampling_interval=ua.Double(0))
    for n in range(1, 11):
        await gateway.publish({**NOW, "pot-01.voltage": 4.25 + n}, STEP_NS + n * 200_000_000)
    got = []
    while event := await subscription.next_event(0.5):
        assert isinstance(event, DataChangeEvent)
        value = event.data.monitored_item.Value
        got.append((value.Value.Value, value.SourceTimestamp.timestamp() - STEP_AT.timestamp()))
    await subscription.delete()
    voltages = [row for row in got if row[0] != 1]
    assert [value for value, _ in voltages] == [4.25 + n for n in range(11)]
    assert [at for _, at in voltages] == pytest.approx([0.2 * n for n in range(11)])
    # The state did not change: told once, at the start.
    assert [row for row in got if row[0] == 1] == [(1, 0.0)]


async def test_a_state_that_does_not_change_still_has_a_new_time(
    gateway: OpcUaGateway, client: Client
) -> None:
    await gateway.publish(NOW, STEP_NS + 5_000_000_000)
    found = await read(client, "Pot03.State")
    assert found.SourceTimestamp is not None
    assert found.SourceTimestamp.timestamp() - STEP_AT.timestamp() == 5


async def test_no_client_can_write(gateway: OpcUaGateway, client: Client) -> None:
    await gateway.publish(NOW, STEP_NS)
    node = await node_of(client, "Pot01.State")
    with pytest.raises(BadUserAccessDenied):
        await node.write_value(ua.Variant(6, ua.VariantType.Byte))
    found = await read(client, "Pot01.State")
    assert found.Value is not None
    assert found.Value.Value == 1


async def test_the_endpoint_it_announces_can_be_reached(
    client: Client, gateway: OpcUaGateway
) -> None:
    """With port 0 the address was unknown when the server was built."""
    endpoints = await client.get_endpoints()
    assert {endpoint.EndpointUrl for endpoint in endpoints} == {gateway.url}
    assert {endpoint.SecurityMode for endpoint in endpoints} == {ua.MessageSecurityMode.None_}


async def test_a_taken_port_is_said() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        gateway = OpcUaGateway(PROFILE, host="127.0.0.1", port=port, pots=POTS)
        with pytest.raises(ServeError) as caught:
            await gateway.start()
    assert str(caught.value).startswith(
        f"stackproof/pot-gateway: cannot listen on opc.tcp://127.0.0.1:{port}/potline"
    )
    await asyncio.sleep(0)
