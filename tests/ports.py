"""Ports of loopback for tests."""

import contextlib
import random
import socket

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
