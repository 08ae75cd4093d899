"""`stackproof edge scan`: units of lines and gateways, services of hosts, nodes of servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.commissioning import scan_hosts
from tests.integration.commissioning.field import Said, edge
from tests.integration.drivers.modbus_responder import Pdu, Question, Responder, Silence
from tests.integration.drivers.opcua_others import SERVERS, Other
from tests.integration.drivers.opcua_pki import CLIENT_URI, SERVER_URI, make
from tests.integration.drivers.opcua_plant import Plant
from tests.integration.drivers.rtu_line import Converter, SerialLine, Unit
from tests.integration.edge.brokers import free_port
from tests.unit.edge.sites import HEAD, write_keys, write_site


class TestUnits:
    """Asked one after another, each for one register."""

    async def test_of_a_serial_line(self, tmp_path: Path, said: Said) -> None:
        line = SerialLine(tmp_path, u2=Unit(), u5=Unit(illegal={0}))
        async with line:
            url = f"modbus+rtu://{line.pty.path}?baud=19200&parity=N"
            status = await edge("scan", url, "--units", "1-6", "--timeout", "0.1", "--json")
        assert status == 0
        assert [(u["unit"], u["said"]) for u in said.json()["units"]] == [
            (2, "holding 0x0000 is 0x07D0"),  # the line's word: its address plus 1000 × unit
            (5, "refused: illegal data address (2)"),
        ]
        asked = line.devices.asked
        assert [a.unit for a in asked] == [1, 2, 3, 4, 5, 6]
        assert {(a.code, *a.span) for a in asked} == {(3, 0, 1)}

    async def test_through_a_converter(self, said: Said) -> None:
        async with Converter(u3=Unit()) as converter:
            url = converter.url(1)
            assert await edge("scan", url, "--units", "2-4", "--timeout", "0.1", "--json") == 0
            assert converter.connections == 1
        assert [u["unit"] for u in said.json()["units"]] == [3]

    async def test_of_a_gateway_that_says_who_is_away(self, said: Said) -> None:
        def away(asked: Question) -> Pdu | None:
            return None if asked.unit in (1, 17) else Pdu(bytes([asked.code | 0x80, 11]))

        async with Responder(twist=away) as gateway:
            url = f"modbus+tcp://127.0.0.1:{gateway.port}"
            assert await edge("scan", url, "--pause", "0.001", "--json") == 0
            assert len(gateway.questions) == 247 + 2
            assert gateway.connections == 1
            assert await gateway.settled() == 0
        assert [u["unit"] for u in said.json()["units"]] == [1, 17]

    async def test_of_a_gateway_that_is_silent_about_them(self, said: Said) -> None:
        async with Responder(twist=lambda q: None if q.unit == 2 else Silence()) as gateway:
            url = f"modbus+tcp://127.0.0.1:{gateway.port}"
            assert await edge("scan", url, "--units", "1-3", "--timeout", "0.1") == 0
        assert said.out().startswith("unit   2  holding 0x0000 is 0x0000")

    async def test_nobody(self, said: Said) -> None:
        async with Responder(twist=lambda _: Silence()) as gateway:
            url = f"modbus+tcp://127.0.0.1:{gateway.port}"
            assert await edge("scan", url, "--units", "1", "--timeout", "0.1") == 1
        assert said.out().startswith("nobody answers: check the port")

    async def test_no_endpoint(self, said: Said) -> None:
        assert await edge("scan", f"modbus+tcp://127.0.0.1:{free_port()}") == 1
        assert "no connection: nobody accepts" in said.both()[1]


class TestHosts:
    """Known ports of hosts that were named."""

    async def test_ports_are_knocked_at_and_nothing_is_sent(
        self, said: Said, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with Responder() as device:
            ports = {device.port: ("Modbus TCP", "scan {host}"), free_port(): ("OPC UA", "")}
            monkeypatch.setattr(scan_hosts, "PORTS", ports)
            assert await edge("scan", "127.0.0.1") == 0
            assert device.questions == []
        first, second = said.out().splitlines()
        assert first.endswith("Modbus TCP  open next: scan 127.0.0.1")
        assert "nobody listens on that port" in second

    async def test_a_name_that_is_none(self, said: Said) -> None:
        assert await edge("scan", "a..b", "--json") == 1
        (service,) = said.json()["services"]
        assert service["sentence"] == "the name 'a..b' is not known here: it is no host's name"

    @pytest.mark.parametrize(
        ("target", "sentence"),
        [
            (["10.0.0.0/24"], "networks are not swept"),
            (["modbus+tcp://127.0.0.1", "10.0.0.7"], "scan one URL at a time"),
            (["site.toml"], "name one of its devices"),
            (["hj212://127.0.0.1:9000"], "hj212:// has no scan"),
            (["modbus+tcp://127.0.0.1?unit=300"], "unit '300' is not in 0..255"),
        ],
    )
    async def test_what_is_not_scanned(self, target: list[str], sentence: str, said: Said) -> None:
        assert await edge("scan", *target) == 2
        assert sentence in said.both()[1]


class TestOpcUa:
    """Endpoints and variables."""

    async def test_variables_of_a_server(self, plant: Plant, said: Said) -> None:
        await plant.put("Flow", 12.5)
        await plant.put("Level", 3.5)
        assert await edge("scan", plant.url, "--json") == 0
        told = said.json()
        nodes = {v["node"]: (v["path"], v["type"]) for v in told["variables"]}
        assert nodes[f"ns={plant.index};s=Flow"] == ("Flow", "Float")
        assert [e["security"] for e in told["endpoints"]] == ["none"]
        assert "WriteRequest" not in plant.requests

    async def test_it_stops_at_its_bound_and_says_so(self, plant: Plant, said: Said) -> None:
        for name in "abcde":
            await plant.put(name, 1.0)
        assert await edge("scan", plant.url, "--nodes", "3") == 0
        assert "there may be more: stopped at 3 variables" in said.out()


@pytest.fixture(params=list(SERVERS))
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Other]:
    server = make(tmp_path, "server", SERVER_URI, number=1)
    client = make(tmp_path, "client", CLIENT_URI, number=2)
    made = SERVERS[request.param](tmp_path, server, client)
    yield made
    made.stop()


async def test_servers_of_others_and_their_security(
    other: Other, tmp_path: Path, said: Said
) -> None:
    """By URL the endpoints with their certificate; by a site file the variables, secured."""
    assert await edge("scan", other.url, "--timeout", "5", "--json") == 0
    told = said.json()
    offered = {endpoint["security"] for endpoint in told["endpoints"]}
    assert "Basic256Sha256-SignAndEncrypt" in offered
    thumbprint = told["endpoints"][0]["thumbprint"]
    assert len(thumbprint) == 64 + 31
    write_keys(tmp_path / "keys")
    device = f"""\
[[device]]
id = "dcs"
url = "{other.url}"
profile = "stackproof/pot-gateway"
provenance = "via-control-system"
each = "1-1"
timeout_s = "5"
security = "Basic256Sha256-SignAndEncrypt"
certificate = "file:client.pem"
key = "file:client.key.pem"
trust = "sha256:{thumbprint}"
[statement.metal]
point = "dcs.metal_tapped"
[statement.anode]
gross_kg_per_t = "469"
source = "typed in a test"
"""
    site = write_site(tmp_path, HEAD + device)
    assert await edge("scan", site, "dcs", "--json") == 0
    types = {v["path"].rpartition("/")[2]: v["type"] for v in said.json()["variables"]}
    assert types["Double"] == "Double"
    assert types["UInt32"] == "UInt32"
