"""The way to one device: its driver and connection, sought, lost and found in the background.

Loss and return are logged once each.
"""

import asyncio
import logging
from collections.abc import Callable

from edge.drivers import open_driver
from edge.drivers.base import (
    DeliversOnce,
    DeviceError,
    DeviceSpec,
    Driver,
    ReadsSettings,
    TellsEvents,
)
from evidence.log_lines import about

log = logging.getLogger("stackproof.edge.device")

#: A lost device is tried again after a twentieth of the time it has been away, times the devices on
#: its endpoint: back soon after a short loss, while the dead units of a line leave the others most
#: of its time and a hundred devices that stay away cost three tries a second (ADR 0018).
BACKOFF_SHARE = 0.05
BACKOFF_S_MIN, BACKOFF_S_MAX = 1.0, 30.0
#: A driver keeps its own time limits; one that does not is dropped. Its turn on its endpoint comes
#: after one timeout of each other device there.
STUCK_S = 60.0


class Link:
    """To one device.

    Attributes:
        spec: what a new driver is made of.
        once, teller, asks: the driver, if it is one of these.
        number: of the connection, counted up.
    """

    def __init__(
        self,
        spec: DeviceSpec,
        now_ns: Callable[[], int],
        *,
        opener: Callable[[DeviceSpec], Driver] = open_driver,
        sharing: int = 1,
        others_s: float = 0.0,
    ) -> None:
        """Prepare; arguments as of `edge.poller.Poller`."""
        self.spec = spec
        self._now_ns, self._opener = now_ns, opener
        self._backoff_share, self._others_s = BACKOFF_SHARE * sharing, others_s
        self._driver: Driver | None = None  # outlives losses: it knows what the device refuses
        self._opened: Driver | None = None  # what is to be closed before anything is opened again
        self.once: DeliversOnce | None = None
        self.teller: TellsEvents | None = None
        self.asks: ReadsSettings | None = None
        self.number = 0
        self._is_up = self._is_lost = self._is_given_up = False
        self._connecting: asyncio.Task[None] | None = None
        self._retry_at_ns = self._lost_at_ns = 0

    @property
    def stuck_s(self) -> float:
        """A driver that takes longer for anything is dropped."""
        return STUCK_S + self._others_s

    @property
    def driver(self) -> Driver | None:
        """The driver, while it is connected."""
        return self._driver if self._is_up else None

    @property
    def is_sought(self) -> bool:
        """True when there is no connection and a try is due."""
        connecting = self._connecting is not None and not self._connecting.done()
        busy = connecting or self._opened is not None
        return not busy and not self._is_given_up and self._now_ns() >= self._retry_at_ns

    def seek(self) -> None:
        """Begin to connect, if that is due."""
        if self.is_sought:
            self._connecting = asyncio.create_task(self._connect())

    async def seek_for(self, timeout_s: float) -> None:
        """The same, and wait a moment for it."""
        self.seek()
        if self._connecting is not None:
            await asyncio.wait({self._connecting}, timeout=timeout_s)

    def answered(self) -> None:
        """The device gave an answer."""
        if self._is_lost:
            log.warning(
                "%s: answers again at %s", self.spec.id, self.spec.url,
                extra=about(device=self.spec.id),
            )  # fmt: skip
            self._is_lost = False

    async def lose(self, error: Exception) -> None:
        """The device, or its driver, has failed: end the connection; another is sought later."""
        self._note(error)
        await self._end()

    async def close(self) -> None:
        """End everything."""
        await cancel(self._connecting)
        await self._end()

    async def _connect(self) -> None:
        try:
            if self._driver is None:
                self._driver = driver = self._opener(self.spec)
                # asked here: an answer about a protocol class costs half as much as a read
                self.once = driver if isinstance(driver, DeliversOnce) else None
                self.teller = driver if isinstance(driver, TellsEvents) else None
                self.asks = driver if isinstance(driver, ReadsSettings) else None
            self._opened = self._driver
            async with asyncio.timeout(self.stuck_s):
                await self._driver.connect()
        except Exception as error:  # noqa: BLE001 - one broken driver must not stop the others
            await self.lose(error)
        except BaseException:  # cancelled
            await self._end()
            raise
        else:
            self._is_up = True
            self.number += 1

    async def _end(self) -> None:
        self._is_up = False
        if self._opened is None:
            return
        try:
            async with asyncio.timeout(self.stuck_s):
                await self._opened.close()
        except Exception as error:  # a driver that cannot end is let go of
            self._driver = None
            log.warning(
                "%s: defect in its driver: close: %r", self.spec.id, error,
                exc_info=error, extra=about(device=self.spec.id),
            )  # fmt: skip
        self._opened = None

    def _note(self, error: Exception) -> None:
        defect = None if isinstance(error, DeviceError) else error
        if defect is not None:
            self._driver = None  # whatever it remembers is not to be trusted
        self._is_given_up = isinstance(error, DeviceError) and not error.retry
        if not self._is_lost or self._is_given_up:
            then = "not tried again until restart" if self._is_given_up else "trying again"
            what = f"defect in its driver: {error!r}" if defect else str(error)
            log.warning(
                "%s: lost at %s: %s; %s", self.spec.id, self.spec.url, what, then,
                exc_info=defect, extra=about(device=self.spec.id),
            )  # fmt: skip
        now_ns = self._now_ns()
        if not self._is_lost:
            self._is_lost, self._lost_at_ns = True, now_ns
        wait_s = self._backoff_share * (now_ns - self._lost_at_ns) / 1e9
        wait_s = min(max(BACKOFF_S_MIN, wait_s), BACKOFF_S_MAX)
        self._retry_at_ns = now_ns + int(wait_s * 1e9)


async def cancel(task: asyncio.Task[object] | None) -> None:
    """End a task and wait until it has; who waits can be cancelled too."""
    if task is not None:
        task.cancel()
        await asyncio.wait({task})
