"""Ports of loopback for tests."""

import contextlib
import random
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

#: below those that Linux gives to connections: none of them takes the port before it is used
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port nobody listens on just now; drawn anew in each process, whatever seed a test sets."""
    draw = random.SystemRandom()
    while True:
        port = draw.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextlib.contextmanager
def two_addresses(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, socket.socket]]:
    """Address -> what listens there, at one port; while they are open any name leads to both.

    Each look-up begins with another one, as dnsmasq has it; once nobody is at the second, with one
    of a kind that this machine does not have.
    """
    port = free_port()
    made = {host: socket.create_server((host, port)) for host in ("127.0.0.2", "127.0.0.3")}
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in made]
    absent = (socket.AF_IPX, socket.SOCK_STREAM, 0, "", ("absent", port))

    def looked_up() -> list[Any]:
        rows.append(rows.pop(0))
        return [*([absent] if made["127.0.0.3"].fileno() < 0 else []), *rows]

    try:
        with monkeypatch.context() as patched:
            patched.setattr(socket, "getaddrinfo", lambda *_, **_more: looked_up())
            yield made
    finally:
        for one in made.values():
            one.close()


def gone_round(reach: Callable[[], socket.socket], made: dict[str, socket.socket]) -> None:
    """Each connection to `two_addresses` begins with the next one, and goes on where it must."""

    def peer() -> str:
        with reach() as connection:
            return str(connection.getpeername()[0])

    first, second = made
    came = [peer() for _ in range(4)]
    assert came in ([first, second] * 2, [second, first] * 2)
    made[second].close()
    assert {peer() for _ in range(3)} == {first}, "nobody is at the second"
    made[first].close()
    with pytest.raises(ConnectionRefusedError):
        reach()
