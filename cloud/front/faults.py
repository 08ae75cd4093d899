"""Why a collector was not heard, as a code that pages have words for in each language. Pure.

What the network or the collector said itself goes to the log and to programs, as it was said.
"""

import socket
import ssl
import urllib.error
from collections.abc import Sequence

#: the first that fits; with none of them it is the network's
_FAULTS: Sequence[tuple[str, type[Exception]]] = (
    ("certificate", ssl.SSLCertVerificationError),
    ("tls", ssl.SSLError),
    ("timeout", TimeoutError),
    ("name", socket.gaierror),
    ("nobody", ConnectionRefusedError),
    ("stranger", ValueError),
    ("stranger", RecursionError),
)
LATE = "late"
_STATUSES = {401: "token", 403: "token", 429: "busy", 503: "busy"}


def fault_of(error: BaseException | None) -> str:
    """What an answer failed by: X of the texts' `front.fault.X`, "http" with its number behind."""
    if isinstance(error, urllib.error.HTTPError):
        return _STATUSES.get(error.code, f"http {error.code}")
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return next((name for name, of in _FAULTS if isinstance(cause, of)), "network")
