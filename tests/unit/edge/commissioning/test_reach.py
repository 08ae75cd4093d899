"""DNS and TCP when they fail in ways that loopback cannot: what is said of each."""

import asyncio
import errno
import socket

import pytest

from edge.commissioning.findings import State
from edge.commissioning.reach import Knock, knock_at, reach, resolve
from tests.integration.edge.brokers import free_port


async def failing(monkeypatch: pytest.MonkeyPatch, error: OSError) -> Knock:
    async def fail(*_args: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", fail)
    return await knock_at("127.0.0.1", 502, 1.0)


async def test_no_way_leads_there(monkeypatch: pytest.MonkeyPatch) -> None:
    knock = await failing(monkeypatch, OSError(errno.EHOSTUNREACH, "No route to host"))
    assert knock.sentence == "127.0.0.1 port 502: No route to host"
    assert knock.todo.startswith("check this machine's own address, mask and gateway")


async def test_another_error_is_said_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    knock = await failing(monkeypatch, OSError(errno.EMFILE, "Too many open files"))
    assert knock.sentence == "127.0.0.1 port 502: Too many open files"


async def test_a_name_that_is_none() -> None:
    """A label ends at 63 characters: refused without asking anybody."""
    knock = await resolve("a" * 64, 502)
    assert isinstance(knock, Knock)
    assert knock.sentence.endswith("is not known here: it is no host's name")
    assert "IP address" in knock.todo


async def test_where_somebody_listens() -> None:
    async with await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        dns, tcp = await reach("d", "127.0.0.1", port, 1.0)
    assert (dns.sentence, dns.state) == ("127.0.0.1 is an address", State.FINE)
    assert (tcp.layer, tcp.state) == ("tcp", State.FINE)


async def test_the_second_address_of_a_host_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0))
             for host in ("127.0.0.2", "127.0.0.1")]  # fmt: skip

    def both(host: str, *args: object, **more: object) -> object:
        return found if host == "meter" else real(host, *args, **more)  # type: ignore[arg-type] # passed on

    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", both)
    async with await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await knock_at("meter", port, 1.0)).is_open
    assert not (await knock_at("meter", free_port(), 1.0)).is_open
