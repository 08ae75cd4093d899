"""Five thousand nodes and a list of what is there, against servers we did not write."""

import asyncio
import struct
import time
from collections.abc import Iterator

import pytest

from edge.drivers.base import DeviceError
from edge.drivers.opcua.browse import BrowseLimits, browse_server
from edge.drivers.opcua.driver import OpcUaDriver
from edge.drivers.opcua.security import ENCRYPT, NONE, OpcUaSecurity
from evidence.points import Dtype
from evidence.quality import Quality
from tests.integration.drivers.opcua_others import NAMESPACE, SERVERS, Other
from tests.integration.drivers.opcua_pki import CLIENT_URI, SERVER_URI, Made, make
from tests.integration.drivers.opened import opened
from tests.unit.edge.drivers.specs import register, secured

MANY = 5000
READING = {
    "GetEndpointsRequest", "CreateSessionRequest", "ActivateSessionRequest", "ReadRequest",
    "BrowseRequest", "BrowseNextRequest", "CreateSubscriptionRequest",
    "CreateMonitoredItemsRequest", "PublishRequest", "DeleteSubscriptionsRequest",
    "CloseSessionRequest",
    # the channel's own, which belong to no session
    "OpenSecureChannelRequest", "CloseSecureChannelRequest",
}  # fmt: skip


class Plant:
    """A server with five thousand variables, two sessions and no more."""

    def __init__(self, kind: str, server: Made, client: Made, other: Other) -> None:
        self.kind, self.server, self.client, self.other = kind, server, client, other

    def security(self, policy: str) -> OpcUaSecurity:
        if policy == NONE:
            return OpcUaSecurity()
        return OpcUaSecurity(policy, self.client.pem, self.client.key, self.server.der)

    def driver(self, query: str, policy: str = NONE, count: int = MANY) -> OpcUaDriver:
        rows = [
            register(f"r{i}", Dtype.F32, node="ns={ns};s=Many-" + str(i), namespace=NAMESPACE)
            for i in range(count)
        ]
        url = self.other.url + query
        return OpcUaDriver(secured(url, self.security(policy), *rows, timeout_s=10.0))


@pytest.fixture(scope="module", params=list(SERVERS))
def plant(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Plant]:
    folder = tmp_path_factory.mktemp("many")
    server = make(folder, "server", SERVER_URI, number=1)
    client = make(folder, "client", CLIENT_URI, number=2)
    other = SERVERS[request.param](folder, server, client, sessions=2, many=MANY)
    yield Plant(request.param, server, client, other)
    other.stop()
    if request.param == "node-opcua":  # the one that tells what it was asked
        assert other.seen <= READING
        assert {"ReadRequest", "BrowseRequest", "PublishRequest"} <= other.seen


@pytest.mark.parametrize("policy", [NONE, ENCRYPT])
@pytest.mark.parametrize("mode", ["read", "subscribe"])
async def test_five_thousand_nodes(plant: Plant, mode: str, policy: str) -> None:
    """The server takes 700 nodes a Read and 300 items a call, and says so."""
    async with opened(plant.driver(f"?mode={mode}", policy)) as driver:
        began = time.monotonic()
        for _ in range(3):
            samples = await driver.read()
            assert [s.raw for s in samples] == [struct.pack("<f", i) for i in range(MANY)]
            assert {s.quality for s in samples} == {Quality.GOOD}
        assert time.monotonic() - began < 30


async def test_a_server_without_a_session_left_says_so_and_close_gives_ours_back(
    plant: Plant,
) -> None:
    holders = [plant.driver("", count=1) for _ in range(2)]
    for holder in holders:
        await holder.connect()
    late = plant.driver("", count=1)
    with pytest.raises(DeviceError, match=r"no session left \(BadTooManySessions\)") as caught:
        await late.connect()
    assert caught.value.retry is True
    for holder in holders:
        await holder.close()
    for _ in range(5):
        await late.connect()
        assert (await late.read())[0].quality is Quality.GOOD
        await late.close()


@pytest.mark.parametrize("policy", [NONE, ENCRYPT])
async def test_what_a_server_has_is_listed(plant: Plant, policy: str) -> None:
    found = await browse_server(plant.other.url, plant.security(policy), BrowseLimits())
    by_name = {variable.name: variable for variable in found.variables}
    assert found.left_out == ""
    assert len([name for name in by_name if name.startswith("Many-")]) == MANY
    for name, kind in (("Float", "Float"), ("Int64", "Int64"), ("Boolean", "Boolean"),
                       ("SByte", "SByte"), ("Double", "Double")):  # fmt: skip
        variable = by_name[name]
        assert (variable.type, variable.namespace, variable.unit) == (kind, NAMESPACE, "")
        assert variable.node.endswith(f";s={name}")
    if plant.kind == "node-opcua":
        assert by_name["Flow"].unit == "m³/h"
        assert by_name["Flow"].path == "Types/Flow"


async def test_listing_is_bounded_on_a_real_server(plant: Plant) -> None:
    began = time.monotonic()
    found = await browse_server(plant.other.url, OpcUaSecurity(), BrowseLimits(count=50))
    assert len(found.variables) == 50
    assert found.left_out == "stopped at 50 variables"
    assert time.monotonic() - began < 20
    before = asyncio.all_tasks()
    with pytest.raises(OSError, match="Connect"):
        await browse_server("opc.tcp://127.0.0.1:1", OpcUaSecurity(), BrowseLimits())
    assert asyncio.all_tasks() == before
