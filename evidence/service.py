"""What a program that runs for long tells the manager that started it: systemd's notify protocol.

One form for edge and cloud. A datagram to the Unix socket that NOTIFY_SOCKET names; where it is not
set, nothing is told. `alive` belongs into the loop whose progress is the work: when that hangs, the
manager hears nothing and starts the program anew (WatchdogSec). Source: sd_notify(3).
"""

import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger("stackproof.service")


class ServiceManager:
    """The manager of this process, if it has one. Never raises, never waits."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """Tell whom `environment` names: a path, or "@" and a name without one."""
        address = environment.get("NOTIFY_SOCKET", "")
        self._patience_us = int(environment.get("WATCHDOG_USEC") or 0)  # 0: it does not watch
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    def ready(self, status: str, turn_s: float = 0.0) -> None:
        """The work begins.

        Args:
            status: a line for people.
            turn_s: how long `alive` may stay away while all is well; a manager that would lose its
                patience before three times that is asked for more.
        """
        lines, wanted_us = ["READY=1", f"STATUS={status}"], int(3e6 * turn_s)
        if 0 < self._patience_us < wanted_us:
            lines.append(f"WATCHDOG_USEC={wanted_us}")
        self._tell(*lines)

    def alive(self, status: str) -> None:
        """The work goes on."""
        self._tell("WATCHDOG=1", f"STATUS={status}")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as door:
            try:
                door.sendto("\n".join(lines).encode(), self._address)
            except OSError as error:  # it is told again; if it never hears, it starts us anew
                log.debug("the service manager was not told: %s", error)
