"""urllib3's connections, as influxdb-client is to have them: each request ends. Network I/O.

What influxdb-client calls the timeout of a request is that of each receive: who drips an answer
holds it for ever. Here sending a request takes its connection's timeout, and so does all of an
answer. The thread that asks is the one that ends it: none is left behind with a request.
"""

import time
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from cloud.answers import STEP_S, TimedAnswer


class TimedHttp(HTTPConnection):
    """A connection whose requests and answers end."""

    response_class = TimedAnswer
    _end_s = 0.0

    def putrequest(self, *request: Any, **more: Any) -> None:  # noqa: ANN401 - http.client's own
        """A request begins."""
        self._end_s = time.monotonic() + (self.timeout or STEP_S)
        super().putrequest(*request, **more)

    def send(self, data: Any) -> None:  # noqa: ANN401 - http.client's own
        """A block of it, in what is left of the time."""
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("it takes what is sent too slowly")
        if self.sock is not None:  # None: it connects first, in its own time
            self.sock.settimeout(left_s)
        super().send(data)


class TimedHttps(TimedHttp, HTTPSConnection):
    """Likewise, with TLS."""


class TimedHttpPool(HTTPConnectionPool):
    """Makes such connections."""

    ConnectionCls = TimedHttp


class TimedHttpsPool(HTTPSConnectionPool):
    """Likewise, with TLS."""

    ConnectionCls = TimedHttps


#: scheme -> what makes its connections; for a `urllib3.PoolManager`
POOLS = {"http": TimedHttpPool, "https": TimedHttpsPool}
