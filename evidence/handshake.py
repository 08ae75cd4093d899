"""A TLS connection whose handshake fails is closed there and then.

paho leaves that to Python's search for garbage, which complains of it.
"""

import ssl


class ClosedUnlessShaken(ssl.SSLSocket):
    """For `SSLContext.sslsocket_class`."""

    def do_handshake(self, block: bool = False) -> None:
        """As above it; whatever it raises, nothing stays open."""
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise
