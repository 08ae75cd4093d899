"""`stackproof edge doctor` on OPC UA servers: certificate, login, protocol, nodes, clocks."""

import asyncio
from pathlib import Path

import pytest
from asyncua import ua

from edge.clock import SystemClock
from edge.commissioning.doctor_opcua import examine_opcua
from edge.commissioning.findings import Check, State
from edge.drivers.opcua.security import ENCRYPT, OpcUaSecurity
from evidence.frame import Clock as ClockState
from evidence.points import Dtype
from tests.integration.drivers.opcua_others import PASSWORD, USER, free_port
from tests.integration.drivers.opcua_pki import CLIENT_URI, SERVER_URI, make, secret_file
from tests.integration.drivers.opcua_plant import NAMESPACE, Plant
from tests.integration.drivers.test_opcua_security import VOLT, serving
from tests.unit.edge.drivers.specs import register, secured, spec

FLOW = register("flow", Dtype.F32, node="ns={ns};s=Flow", namespace=NAMESPACE)
FLAW = register("flaw", Dtype.F32, node="ns={ns};s=Flaw", namespace=NAMESPACE)
LEVEL = register("level", Dtype.U8, node="ns={ns};s=Level", namespace=NAMESPACE)


def failures(checks: list[Check]) -> list[tuple[str, str]]:
    return [(check.layer, check.sentence) for check in checks if check.state is State.FAILED]


class TestWithoutSecurity:
    """Nodes, values and clocks."""

    async def test_a_healthy_server(self, plant: Plant) -> None:
        await plant.put("Flow", 12.5)
        checks = await examine_opcua(spec(plant.url, FLOW), SystemClock())
        assert [(check.layer, check.state) for check in checks] == [
            ("dns", State.FINE), ("tcp", State.FINE), ("protocol", State.FINE),
            ("clock", State.FINE), ("register", State.FINE),
        ]  # fmt: skip
        assert await plant.settled() == 0

    async def test_nodes_that_are_not_there_or_say_no_number(self, plant: Plant) -> None:
        await plant.put("Flow", 12.5)
        await plant.put("Level", 300, ua.VariantType.Int16)  # no u8
        checks = await examine_opcua(spec(plant.url, FLOW, FLAW, LEVEL), SystemClock())
        assert failures(checks) == [
            ("register", f"dev.flaw (ns={plant.index};s=Flaw): the server says BadNodeIdUnknown"),
            ("value", f"dev.level (ns={plant.index};s=Level) is -: answer does not fit the "
             "question; sent as Int16"),
        ]  # fmt: skip
        assert checks[4].sentence == "1 of 3 nodes have a good value"

    async def test_a_namespace_that_is_anothers(self, plant: Plant) -> None:
        row = register("r", Dtype.F32, node="ns={ns};s=Flow", namespace="urn:another:plant")
        checks = await examine_opcua(spec(plant.url, row), SystemClock())
        ((layer, sentence),) = failures(checks)
        assert layer == "register"
        assert "the server has no namespace 'urn:another:plant'; it has" in sentence

    async def test_two_clocks_that_do_not_agree(self, plant: Plant) -> None:
        await plant.put("Flow", 12.5)

        class Slow(SystemClock):
            def wall_ns(self) -> int:
                return super().wall_ns() - 3600 * 1_000_000_000

            def state(self) -> ClockState:
                return super().state()

        checks = await examine_opcua(spec(plant.url, FLOW), Slow())
        (apart,) = (check for check in checks if check.layer == "clock")
        assert apart.state is State.WARNING
        assert apart.sentence.startswith("the server's clock is 3600 s ahead of this machine's")

    async def test_a_server_that_says_nothing(self, plant: Plant) -> None:
        plant.is_silent = True
        checks = await examine_opcua(spec(plant.url, FLOW, timeout_s=0.4), SystemClock())
        ((layer, sentence),) = failures(checks)
        assert layer == "protocol"
        assert "no answer within 0.4 s" in sentence


async def test_a_port_where_no_opc_ua_is_spoken() -> None:
    async def mumble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(mumble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"opc.tcp://127.0.0.1:{port}"
        checks = await examine_opcua(spec(url, VOLT, timeout_s=0.5), SystemClock())
    assert [layer for layer, _ in failures(checks)] == ["protocol"]


class TestSecured:
    """Certificates and logins."""

    async def test_a_certificate_that_is_not_trusted(self, tmp_path: Path) -> None:
        server = make(tmp_path, "server", SERVER_URI, number=1)
        stranger = make(tmp_path, "stranger", SERVER_URI, number=3)
        client = make(tmp_path, "client", CLIENT_URI, number=2)
        async with serving(server, free_port()) as url:
            security = OpcUaSecurity(ENCRYPT, client.pem, client.key, stranger.der)
            checks = await examine_opcua(secured(url, security, VOLT, timeout_s=5.0), SystemClock())
        ((layer, sentence),) = failures(checks)
        assert layer == "certificate"
        grouped = ":".join(server.thumbprint[i : i + 2] for i in range(0, 64, 2)).upper()
        assert f"the server's certificate is not trusted: SHA-256 thumbprint {grouped}" in sentence

    async def test_a_certificate_out_of_date(self, tmp_path: Path) -> None:
        server = make(tmp_path, "server", SERVER_URI, number=1, days=(-30, -1))
        client = make(tmp_path, "client", CLIENT_URI, number=2)
        async with serving(server, free_port()) as url:
            security = OpcUaSecurity(ENCRYPT, client.pem, client.key, server.der)
            checks = await examine_opcua(secured(url, security, VOLT, timeout_s=5.0), SystemClock())
        ((layer, sentence),) = failures(checks)
        assert layer == "certificate"
        assert "which is not now: renew it (or set this machine's clock)" in sentence

    @pytest.mark.parametrize(("password", "layers"), [(PASSWORD, []), ("none of his", ["login"])])
    async def test_a_login(self, tmp_path: Path, password: str, layers: list[str]) -> None:
        server = make(tmp_path, "server", SERVER_URI, number=1)
        client = make(tmp_path, "client", CLIENT_URI, number=2)
        async with serving(server, free_port()) as url:
            security = OpcUaSecurity(
                ENCRYPT, client.pem, client.key, server.der, user=USER,
                password=secret_file(tmp_path / "password", password),
            )  # fmt: skip
            checks = await examine_opcua(secured(url, security, VOLT, timeout_s=5.0), SystemClock())
        assert [layer for layer, _ in failures(checks)] == layers
        assert not any(password in check.sentence + check.todo for check in checks)

    async def test_a_key_that_others_may_read(self, tmp_path: Path) -> None:
        server = make(tmp_path, "server", SERVER_URI, number=1)
        client = make(tmp_path, "client", CLIENT_URI, number=2)
        client.key.chmod(0o644)
        async with serving(server, free_port()) as url:
            security = OpcUaSecurity(ENCRYPT, client.pem, client.key, server.der)
            checks = await examine_opcua(secured(url, security, VOLT, timeout_s=5.0), SystemClock())
        ((layer, sentence),) = failures(checks)
        assert layer == "permission"
        assert "run: chmod 600" in sentence
