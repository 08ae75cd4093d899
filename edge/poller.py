"""One device as the agent sees it: asked at every tick, connected and retried in the background.

A device that is absent, slow or broken costs nobody else anything: `poll` always answers within
its time limit, with a reason for every point when there is no value. Loss and return are logged
once each. I/O is the driver's.

Of a source that delivers each row once (`DeliversOnce`) an answer is kept until its tick is
committed, however late it came, and handed out again until then: nothing is lost, nothing twice.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from edge.drivers import open_driver
from edge.drivers.base import (
    EVENTS_PER_READ,
    DeliversOnce,
    DeviceError,
    DeviceSpec,
    Driver,
    Progress,
    ReadsSettings,
    Sample,
    TellsEvents,
)
from edge.settings import MeterSettings
from evidence.quality import Quality
from firmware_configs.profile import Setting

log = logging.getLogger("stackproof.edge.device")

#: A lost device is tried again after a twentieth of the time it has been away, times the devices on
#: its endpoint: back soon after a short loss, while the dead units of a line leave the others most
#: of its time and a hundred devices that stay away cost three tries a second (ADR 0018).
BACKOFF_SHARE = 0.05
BACKOFF_S_MIN, BACKOFF_S_MAX = 1.0, 30.0
EVENTS_KEPT = 256  # of a device whose ticks are not committed: the newest
STUCK_S = 60.0  # a driver keeps its own time limits; one that does not is dropped


@dataclass(frozen=True)
class Polled:
    """What one poll gave.

    Attributes:
        samples: one for every point of the device, in their order.
        monotonic_ns: when the answer was complete, None when there was none.
        progress: what is to be committed with the samples; None when nothing is.
    """

    samples: Sequence[Sample]
    monotonic_ns: int | None
    progress: Progress | None = None


class Poller:
    """Asks one device."""

    def __init__(
        self,
        spec: DeviceSpec,
        monotonic_ns: Callable[[], int],
        *,
        opener: Callable[[DeviceSpec], Driver] = open_driver,
        sharing: int = 1,
    ) -> None:
        """Prepare.

        Args:
            spec: the device.
            monotonic_ns: the clock.
            opener: makes the driver (tests give their own).
            sharing: how many devices of the site have its endpoint, itself included.
        """
        self.spec = spec
        self._backoff_share = BACKOFF_SHARE * sharing
        self._now_ns = monotonic_ns
        self._opener = opener
        self._driver: Driver | None = (
            None  # kept across losses: it remembers what the device refuses
        )
        self._once: DeliversOnce | None = None  # the driver, if it is one
        self._teller: TellsEvents | None = None  # likewise
        self._asks: ReadsSettings | None = None  # likewise
        self._up = False
        self._connecting: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[Polled | None] | None = None
        self._kept: Polled | None = None  # of a source that delivers once: not committed yet
        self._untold: list[Mapping[str, Any]] = []  # events, likewise
        self._settings = MeterSettings(spec.id, spec.profile, spec.stated)
        self._connection: int | None = None  # the driver's number of the one they were read on
        self._aside: asyncio.Task[None] | None = None  # a question for one of them
        # what the last poll gave of these two, and of settings
        self._given: tuple[Polled | None, tuple[Mapping[str, Any], ...], bytes | None]
        self._given = None, (), None
        self._retry_at_ns = self._lost_at_ns = 0
        self._lost = False
        self._given_up = False

    @property
    def connected(self) -> bool:
        """True while there is a connection."""
        return self._up

    @property
    def departures(self) -> list[str]:
        """A sentence for each setting of the device that is not what it should be."""
        return self._settings.departures

    def resume(self, position: bytes | None, marks: Mapping[bytes, bytes]) -> None:
        """Take up what the spool holds of this device; before the first connection."""
        self.spec = replace(self.spec, position=position, marks=marks)

    def recall(self, settings: bytes | None) -> None:
        """Likewise of its settings."""
        self._settings.recall(settings)

    async def poll(self, timeout_s: float) -> Polled:
        """Ask for all points; never takes longer than `timeout_s`, never raises."""
        polled = await self._ask(timeout_s)
        kept = self._kept if polled.progress is not None else None
        events = tuple(self._untold[:EVENTS_PER_READ])
        settings = self._settings.unkept
        self._given = kept, events, settings
        if not events and settings is None:
            return polled
        progress = replace(polled.progress or Progress(), events=events, settings=settings)
        return replace(polled, progress=progress)

    def committed(self) -> None:
        """What the last poll gave is on disk; of what is handed out once the next may come."""
        (kept, events, settings), self._given = self._given, (None, (), None)
        self._untold = self._untold[len(events) :]
        if self._settings.unkept is settings:
            self._settings.unkept = None
        if kept is None or kept.progress is None:
            return
        self._kept = None
        # a new driver, made after a defect in this one, begins where this one's readings end
        position, marks = kept.progress.position, kept.progress.marks
        self.resume(
            self.spec.position if position is None else position,
            {**self.spec.marks, **marks} if marks else self.spec.marks,
        )

    async def _ask(self, timeout_s: float) -> Polled:
        if self._kept is None and (self._driver is None or not self._up):
            self._connect_when_due()
            return self._nothing(Quality.NOT_CONNECTED)
        if self._reading is not None and not self._reading.done():
            return self._nothing(Quality.NO_ANSWER)
        if self._kept is not None:
            return replace(self._kept, monotonic_ns=self._now_ns())
        ends_ns = self._now_ns() + int(timeout_s * 1e9)
        if self._aside is not None:
            await asyncio.wait({self._aside}, timeout=timeout_s)
        polled = None
        if self._driver is not None and self._up and (self._aside is None or self._aside.done()):
            self._reading = asyncio.create_task(self._read(self._driver))
            left_s = max(0.0, (ends_ns - self._now_ns()) / 1e9)
            done, _ = await asyncio.wait({self._reading}, timeout=left_s)
            polled = self._reading.result() if done else None
        if polled is None or self._driver is None:
            return self._nothing(Quality.NO_ANSWER)
        self._ask_aside(self._driver)
        return polled

    def _ask_aside(self, driver: Driver) -> None:
        """After an answered read: ask for a setting, if one is due, until the next read."""
        self._aside = None
        if (reads := self._asks) is None:
            return
        if self._connection != reads.connection():
            self._connection = reads.connection()
            self._settings.begin(self._now_ns())
        if (setting := self._settings.due(self._now_ns())) is not None:
            self._aside = asyncio.create_task(self._ask_setting(driver, reads, setting))

    async def _ask_setting(self, driver: Driver, reads: ReadsSettings, setting: Setting) -> None:
        try:
            async with asyncio.timeout(STUCK_S):
                value = await reads.read_setting(setting)
        except DeviceError as error:
            log.debug("%s: setting %s: %s", self.spec.id, setting.name, error)
            return  # the next read says what is the matter
        except Exception as error:  # noqa: BLE001 - as of a read
            self._loss(error)
            await self._end(driver)
            return
        event = self._settings.take(value, self._now_ns())
        if event is not None:
            self._untold = [*self._untold, event][-EVENTS_KEPT:]

    async def connect_first(self, timeout_s: float) -> None:
        """Give the device a moment to connect before the first tick."""
        self._connect_when_due()
        if self._connecting is not None:
            await asyncio.wait({self._connecting}, timeout=timeout_s)

    async def close(self) -> None:
        """End everything that runs for this device."""
        for task in (self._connecting, self._reading, self._aside):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if self._driver is not None and self._up:
            await self._end(self._driver)

    async def _read(self, driver: Driver) -> Polled | None:
        """One read; on loss of the device no answer, and the way back is begun."""
        try:
            async with asyncio.timeout(STUCK_S):
                samples = self._whole(await driver.read())
            progress = self._progress(self._once) if self._once is not None else None
            told = list(self._teller.take_events()) if self._teller is not None else []
        except Exception as error:  # noqa: BLE001 - one broken driver must not stop the others
            self._loss(error)
            await self._end(driver)
            return None
        polled = Polled(samples, self._now_ns(), progress)
        self._untold = [*self._untold, *told][-EVENTS_KEPT:]
        if progress is not None:
            self._kept = polled
        if self._lost:
            log.warning("%s: answers again at %s", self.spec.id, self.spec.url)
            self._lost = False
        return polled

    def _whole(self, samples: Sequence[Sample]) -> Sequence[Sample]:
        if len(samples) != len(self.spec.points):
            raise ValueError(f"{len(samples)} samples for {len(self.spec.points)} points")
        return samples

    def _progress(self, driver: DeliversOnce) -> Progress:
        """What the driver's last read wants committed with it; ValueError when it is too much."""
        position = driver.position()
        is_new = position != self.spec.position
        return Progress(position if is_new else None, dict(driver.take_marks()))

    def _connect_when_due(self) -> None:
        busy = self._connecting is not None and not self._connecting.done()
        if not busy and not self._given_up and self._now_ns() >= self._retry_at_ns:
            self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        try:
            if self._driver is None:
                self._driver = driver = self._opener(self.spec)
                # asked here: an answer about a protocol class costs half as much as a read
                self._once = driver if isinstance(driver, DeliversOnce) else None
                self._teller = driver if isinstance(driver, TellsEvents) else None
                self._asks = driver if isinstance(driver, ReadsSettings) else None
            async with asyncio.timeout(STUCK_S):
                await self._driver.connect()
        except BaseException as error:
            if self._driver is not None:
                await self._end(self._driver)
            if not isinstance(error, Exception):
                raise  # cancelled
            self._loss(error)
            return
        self._up, self._connection = True, None  # another device may answer now

    async def _end(self, driver: Driver) -> None:
        self._up = False
        await driver.close()

    def _loss(self, error: Exception) -> None:
        defect = None if isinstance(error, DeviceError) else error
        if defect is not None:
            self._driver = None  # whatever it remembers is not to be trusted
        self._given_up = isinstance(error, DeviceError) and not error.retry
        if not self._lost or self._given_up:
            then = "not tried again until restart" if self._given_up else "trying again"
            what = f"defect in its driver: {error!r}" if defect else str(error)
            log.warning(
                "%s: lost at %s: %s; %s", self.spec.id, self.spec.url, what, then, exc_info=defect
            )
        now_ns = self._now_ns()
        if not self._lost:
            self._lost, self._lost_at_ns = True, now_ns
        wait_s = self._backoff_share * (now_ns - self._lost_at_ns) / 1e9
        wait_s = min(max(BACKOFF_S_MIN, wait_s), BACKOFF_S_MAX)
        self._retry_at_ns = now_ns + int(wait_s * 1e9)

    def _nothing(self, reason: Quality) -> Polled:
        return Polled([Sample(None, reason)] * len(self.spec.points), None)
