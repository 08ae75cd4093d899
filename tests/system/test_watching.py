"""What the watcher of sockets and secrets would miss, nobody would be told of."""

import os
import socket

import pytest

from tests.system.watching import Seen


@pytest.mark.parametrize(
    ("family", "kind", "address", "is_seen"),
    [
        (socket.AF_INET, socket.SOCK_STREAM, "0.0.0.0", True),  # noqa: S104 - what it is about
        (socket.AF_INET6, socket.SOCK_STREAM, "::", True),
        (socket.AF_INET, socket.SOCK_DGRAM, "0.0.0.0", True),  # noqa: S104 - what it is about
        (socket.AF_INET6, socket.SOCK_DGRAM, "::1", False),
        (socket.AF_INET, socket.SOCK_STREAM, "127.0.0.2", False),
    ],
)
def test_an_open_port_is_seen(
    family: socket.AddressFamily, kind: socket.SocketKind, address: str, is_seen: bool
) -> None:
    seen = Seen()
    with socket.socket(family, kind) as opened:
        opened.bind((address, 0))
        if kind == socket.SOCK_STREAM:
            opened.listen()
        seen.look(os.getpid())
    assert address in seen.bound
    assert (address in seen.beyond_loopback) is is_seen
