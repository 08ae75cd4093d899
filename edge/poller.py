"""One device as the agent sees it: asked for every tick of its own, ahead of it if it is slow.

A device that is absent, slow or broken costs nobody else anything: `poll` always answers within
its time limit, with a reason for every point when there is no value. An answer belongs to the tick
it was asked for and to no other. I/O is the driver's.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from edge.drivers import open_driver
from edge.drivers.base import DeliversOnce, DeviceSpec, Driver, Progress, Sample
from edge.drivers.complaints import Complaints
from edge.lead import Lead
from edge.link import Link, cancel, log
from edge.schedule import until_tick_ns
from edge.setting_questions import SettingQuestions
from edge.settings import MeterSettings
from edge.unkept import Polled, Unkept
from evidence.quality import Quality

#: where no point has more than these, somebody answered, such as a gateway, and not the device
ABSENT = frozenset({Quality.NO_ANSWER, Quality.NOT_CONNECTED})
_ANSWER = "answer in time"
_TOO_LATE = "none, it came too late; raise interval_s or read fewer points"


class Poller:
    """Asks one device."""

    def __init__(
        self,
        spec: DeviceSpec,
        monotonic_ns: Callable[[], int],
        *,
        opener: Callable[[DeviceSpec], Driver] = open_driver,
        sharing: int = 1,
        others_s: float = 0.0,
        interval_ns: int = 1_000_000_000,
        lead: Lead | None = None,
    ) -> None:
        """Prepare.

        Args:
            spec: the device.
            monotonic_ns: the clock.
            opener: makes the driver (tests give their own).
            sharing: how many devices of the site have its endpoint, itself included.
            others_s: the timeouts of the others there, one after the other.
            interval_ns: from one of its ticks to the next.
            lead: of its endpoint; None: it is asked at its ticks.
        """
        self.interval_ns = interval_ns
        self.asked = self.answered = 0  # ticks since the start
        self.is_answering = False  # at its newest tick
        self.silent_since_ns = 0  # the first tick since which it said nothing; 0: it did
        self.has_spoken = False  # since the start
        self._now_ns = monotonic_ns
        self._lead = lead or Lead(interval_ns)
        self._settings = MeterSettings(spec.id, spec.profile, spec.stated)
        self._link = Link(spec, monotonic_ns, opener=opener, sharing=sharing, others_s=others_s)
        self._unkept = Unkept(self._settings)
        self._questions = SettingQuestions(self._link, self._settings, self._unkept, monotonic_ns)
        self._complaints = Complaints(log, spec.id)
        self._reading: asyncio.Task[Polled | None] | None = None
        self._begun_ns = 0  # when the newest one was begun
        self._ahead_of: int | None = None  # the tick that the read under way was begun for

    @property
    def spec(self) -> DeviceSpec:
        """The device, with what is committed of it."""
        return self._link.spec

    @property
    def connected(self) -> bool:
        """True while there is a connection."""
        return self._link.driver is not None

    @property
    def is_hung(self) -> bool:
        """True when a read does not even end when it is ended: the driver never comes back."""
        bound_s = self._link.stuck_s + self._read_s  # of the read, then of the close after it
        return self._is_reading and self._now_ns() - self._begun_ns > 2e9 * bound_s

    @property
    def _read_s(self) -> float:
        """A read that takes longer is ended."""
        return max(self._link.stuck_s, self.interval_ns / 1e9)

    @property
    def departures(self) -> list[str]:
        """A sentence for each setting of the device that is not what it should be."""
        return self._settings.departures

    def resume(self, position: bytes | None, marks: Mapping[bytes, bytes]) -> None:
        """Take up what the spool holds of this device; before the first connection."""
        self._link.spec = replace(self.spec, position=position, marks=marks)

    def recall(self, settings: bytes | None) -> None:
        """Likewise of its settings."""
        self._settings.recall(settings)

    async def connect_first(self, timeout_s: float) -> None:
        """Give the device a moment to connect before the first tick."""
        await self._link.seek_for(timeout_s)

    def is_due(self, instant_ns: int) -> bool:
        """True when something is to be done at an instant of the site: ask, or connect."""
        left_ns = until_tick_ns(instant_ns, self.interval_ns)
        is_ahead = left_ns <= self._lead.ns(self.interval_ns)
        return (is_ahead and self._ahead_of != instant_ns + left_ns) or self._link.is_sought

    def begin(self, instant_ns: int) -> None:
        """Between its ticks: ask for the next one, if it is time and nothing else is under way."""
        self._link.seek()
        if self.is_due(instant_ns) and not self._questions.is_asking and self._start():
            self._ahead_of = instant_ns + until_tick_ns(instant_ns, self.interval_ns)

    async def poll(self, timeout_s: float, tick_ns: int = 0) -> Polled:
        """All points for one of its ticks; never takes longer than `timeout_s`, never raises."""
        answer = await self._ask(timeout_s, tick_ns)
        self.asked += 1
        self.is_answering = answer.monotonic_ns is not None
        self.answered += self.is_answering
        if self.is_answering and not all(s.quality in ABSENT for s in answer.samples):
            self.silent_since_ns, self.has_spoken = 0, True
        else:
            self.silent_since_ns = self.silent_since_ns or tick_ns
        return self._unkept.hand_out(answer)

    def committed(self) -> None:
        """What the last poll gave is on disk; of what is handed out once the next may come."""
        progress = self._unkept.committed()
        if progress is None:
            return
        # a new driver, made after a defect in this one, begins where this one's readings end
        position, marks = progress.position, progress.marks
        self.resume(
            self.spec.position if position is None else position,
            {**self.spec.marks, **marks} if marks else self.spec.marks,
        )

    async def close(self) -> None:
        """End everything that runs for this device."""
        await cancel(self._reading)
        await self._questions.close()
        await self._link.close()

    async def _ask(self, timeout_s: float, tick_ns: int) -> Polled:
        ends_ns = self._now_ns() + int(timeout_s * 1e9)
        reading = self._reading if self._ahead_of == tick_ns else None
        self._ahead_of = None
        if reading is not None:
            return await self._answer(reading, ends_ns)
        if self._is_reading:
            return self._nothing(Quality.NO_ANSWER)
        if self._unkept.answer is not None:
            return replace(self._unkept.answer, monotonic_ns=self._now_ns())
        if not self.connected:
            self._link.seek()
            return self._nothing(Quality.NOT_CONNECTED)
        if not await self._questions.over(timeout_s) or (reading := self._start()) is None:
            return self._nothing(Quality.NO_ANSWER)
        return await self._answer(reading, ends_ns)

    async def _answer(self, reading: asyncio.Task[Polled | None], ends_ns: int) -> Polled:
        left_s = max(0.0, (ends_ns - self._now_ns()) / 1e9)
        await asyncio.wait({reading}, timeout=left_s)
        if not reading.done():
            reading.add_done_callback(self._came_late)
            return self._nothing(Quality.NO_ANSWER)
        if (polled := reading.result()) is None:
            return self._nothing(Quality.NO_ANSWER)
        self._complaints.over(_ANSWER)
        self._questions.ask()
        return polled

    def _came_late(self, reading: asyncio.Task[Polled | None]) -> None:
        if not reading.cancelled() and reading.result() is not None:
            self._complaints.say(_ANSWER, _TOO_LATE)

    @property
    def _is_reading(self) -> bool:
        return self._reading is not None and not self._reading.done()

    def _start(self) -> asyncio.Task[Polled | None] | None:
        """Begin a read, if none is under way and no answer of another waits for the disk."""
        driver = self._link.driver
        if driver is None or self._is_reading or self._unkept.answer is not None:
            return None
        self._begun_ns = self._now_ns()
        self._reading = asyncio.create_task(self._read(driver))
        return self._reading

    async def _read(self, driver: Driver) -> Polled | None:
        """One read; on loss of the device no answer, and the way back is begun."""
        begun_ns = self._now_ns()
        try:
            async with asyncio.timeout(self._read_s):
                samples = self._whole(await driver.read())
            link = self._link
            progress = self._progress(link.once) if link.once is not None else None
            told = link.teller.take_events() if link.teller is not None else ()
        except Exception as error:  # noqa: BLE001 - one broken driver must not stop the others
            self._ahead_of = None  # there may be time to ask again
            await self._link.lose(error)
            return None
        now_ns = self._now_ns()
        polled = Polled(samples, now_ns, progress)
        self._lead.took(now_ns - begun_ns, now_ns)
        self._unkept.tell(told)
        if progress is not None:
            self._unkept.answer = polled
        link.answered()
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

    def _nothing(self, reason: Quality) -> Polled:
        return Polled([Sample(None, reason)] * len(self.spec.points), None)
