"""A handshake that fails leaves no connection open, whoever made the socket."""

import socket
import ssl

import pytest

from evidence.handshake import ClosedUnlessShaken

#: a fatal alert, handshake_failure (RFC 5246 §7.2, §6.2.1)
ALERT = bytes([21, 3, 3, 0, 2, 2, 40])


def test_a_handshake_that_fails_closes_its_connection() -> None:
    context = ssl.create_default_context()
    context.sslsocket_class = ClosedUnlessShaken
    ours, theirs = socket.socketpair()
    with theirs:
        wrapped = context.wrap_socket(ours, server_hostname="x", do_handshake_on_connect=False)
        theirs.sendall(ALERT)
        with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
            wrapped.do_handshake()
        assert wrapped.fileno() == -1
