"""A handshake that fails leaves no connection open, in neither room."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from cloud.transport.tls import TlsFiles
from edge.broker_tls import believing
from tests.unit.edge.test_broker_tls import Gateway

#: a fatal alert, handshake_failure (RFC 5246 §7.2, §6.2.1)
ALERT = bytes([21, 3, 3, 0, 2, 2, 40])


def _of_edge(folder: Path) -> ssl.SSLContext:
    return believing(Gateway(folder).tls.ca)


def _of_cloud(folder: Path) -> ssl.SSLContext:
    tls = Gateway(folder).tls
    return TlsFiles(tls.ca, tls.given, tls.key).context()


@pytest.mark.parametrize("made", [_of_edge, _of_cloud])
def test_a_handshake_that_fails_closes_its_connection(
    made: Callable[[Path], ssl.SSLContext], tmp_path: Path
) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        wrapped = made(tmp_path).wrap_socket(
            ours, server_hostname="x", do_handshake_on_connect=False
        )
        theirs.sendall(ALERT)
        with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
            wrapped.do_handshake()
        assert wrapped.fileno() == -1
