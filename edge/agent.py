"""The agent: builds the parts of one gateway and runs them. Composition root of this room.

    poll (drivers) → assemble → calculate → commit the tick → live page
                                     └ frame due → sign → spool → broker → receipt → spool freed

All disk work runs on one thread, everything else in one event loop.
"""

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edge.alarms import FULL, Alarms
from edge.clock import Clock
from edge.clock_doubt import WatchedTime
from edge.delivery import UNHEARD_SAYS, Delivery, OnOrder
from edge.disk import Disk
from edge.drivers import open_driver
from edge.drivers.base import DeviceSpec, Driver
from edge.errors import SpoolError
from edge.identity import Identity
from edge.life import Life
from edge.live_message import LiveMessage
from edge.pipeline import NS_PER_MS, Given, Tick, assemble
from edge.poller import Poller
from edge.pollers import answering, pollers_of, work_of
from edge.recorder import Recorder
from edge.schedule import DEADLINE_SHARE, STEP_NS, SURE_NS, ClockStep, due, next_tick_ns, slot_ns
from edge.site.config import Site
from edge.spool import Spool
from edge.spool_reader import State, position_key, settings_key
from edge.stream import Stream
from edge.unkept import Polled
from evidence.log_lines import about

log = logging.getLogger("stackproof.edge")

FIRST_CONNECT_S = 3.0
HEARTBEAT_NS = 60 * 1_000_000_000  # a stream is never silent for longer
HEARTBEAT_FULL_NS = 3_600 * 1_000_000_000  # while the spool is full: it is to grow no more


class Agent:
    """One gateway; `life` is what it tells of itself."""

    def __init__(
        self,
        site: Site,
        config: Mapping[str, Any],
        who: Identity,
        *,
        clock: Clock,
        opener: Callable[[DeviceSpec], Driver] = open_driver,
        on_order: OnOrder | None = None,
    ) -> None:
        """Prepare; nothing is opened before `run`.

        Args:
            site: the site file.
            config: the configuration to sign (`edge.signed`).
            who: the gateway's keys, and the collector's.
            clock: the only source of time.
            opener: makes the drivers (tests give their own).
            on_order: takes site orders that come over the broker; None: none are asked for.
        """
        self._on_order = on_order
        self._site, self._config, self._who, self._clock = site, config, who, clock
        self._disk = Disk()
        self._pollers = pollers_of(site.devices, clock.monotonic_ns, opener)
        self._alarms = Alarms(site.uplink.spool_age_max_ns)
        self._frame_asked, self._told_hung = False, set[str]()
        self.life = Life(clock.monotonic_ns, lambda: work_of(self._pollers, self._recorder.refusal))

    async def run(
        self,
        stop: asyncio.Event,
        ready: Callable[[], None] = lambda: None,
        alive: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Run until `stop`.

        Args:
            stop: set it to end cleanly.
            ready: called once, when the first tick is about to be taken.
            alive: told how it stands with every turn of the loop, each minute at least, unless a
                part of it hangs.

        Raises:
            SpoolError: the spool cannot be opened, or is not this gateway's to continue.
        """
        async with contextlib.AsyncExitStack() as parts:
            parts.callback(self._disk.close)
            self._stream = await self._disk.run(self._open_stream)
            parts.push_async_callback(self._disk.run, self._stream.spool.close)
            self._delivery = Delivery(
                self._site, self._stream, self._clock, self._disk, on_order=self._on_order
            )
            parts.push_async_callback(self._delivery.stop)
            self._unanswered = parts.enter_context(self._metrics())
            for poller in self._pollers:
                parts.push_async_callback(poller.close)
            await self._disk.run(self._resume_sources)
            await self._delivery.start()
            connecting = (p.connect_first(FIRST_CONNECT_S) for p in self._pollers)
            await asyncio.gather(self._delivery.first_word(), *connecting)
            await self._take_over()
            self.life.begin(self.turn_s)
            ready()
            await self._tick_forever(stop, alive)
            await self._recorder.close_frame("stopped")

    @property
    def answering(self) -> frozenset[str]:
        """Ids of the devices that gave an answer at their newest tick."""
        return frozenset(poller.spec.id for poller in self._pollers if poller.is_answering)

    @property
    def turn_s(self) -> float:
        """How long its loop may stay away while all is well."""
        return max(HEARTBEAT_NS, min(poller.interval_ns for poller in self._pollers)) / 1e9

    @property
    def is_heard(self) -> bool:
        """The broker is reached; from `ready` on."""
        return self._delivery.machine.online

    def tell(self, state: bytes) -> None:
        """What the gateway's state message says from here on, while online; from `ready` on."""
        self._delivery.tell(state)

    def close_frame_soon(self) -> None:
        """Close the open frame with the next tick instead of when it is due."""
        self._frame_asked = True

    def _metrics(self) -> contextlib.AbstractContextManager[Callable[[], str]]:
        if self._site.metrics is None:
            return contextlib.nullcontext(str)
        from edge.metrics import serving  # its server's modules take 3 MB: only where it is asked

        return serving(self._site, self._who, self._clock, self._pollers, self.life)

    # -- start --------------------------------------------------------------------------------

    def _open_stream(self) -> Stream:
        spool = Spool(self._site.gateway.spool, bytes_max=self._site.uplink.spool_bytes_max)
        now_ns, is_heard = self._clock.wall_ns(), self._site.uplink.mode != "mqtt"
        try:
            stream = Stream(spool, self._who)
            if not is_heard:
                stream.await_word(UNHEARD_SAYS, now_ns)
            stream.take_up_key(now_ns)
            if is_heard:  # it may not have been when the last process ended
                stream.word_came(now_ns)
        except BaseException:
            spool.close()
            raise
        return stream

    def _resume_sources(self) -> None:
        """Tell each device what of it the spool holds."""
        spool = self._stream.spool
        with contextlib.suppress(SpoolError):  # no status keeps an agent from starting
            spool.put({State.SILENT: b""})  # what the last process found
        for poller in self._pollers:
            device_id = poller.spec.id
            poller.resume(spool.get(position_key(device_id)), spool.marks(device_id))
            poller.recall(spool.get(settings_key(device_id)))

    async def _take_over(self) -> None:
        """Continue where the last process stopped."""
        self._recorder = Recorder(self._stream, self._disk, self._clock, self._delivery.appended)
        now_ns = self._clock.wall_ns()
        config, self._config = self._config, {}
        await self._recorder.take_over(config, now_ns)
        self._layout = self._recorder.layout
        self._places = [
            self._layout.places([bound.point.id for bound in poller.spec.points])
            for poller in self._pollers
        ]
        self._live = LiveMessage(
            self._layout,
            plant=self._site.plant.id,
            gateway=self._site.gateway.id,
        )
        last_ns = self._recorder.last_ns
        self._time = WatchedTime(
            self._clock.wall_ns(),
            self._clock.monotonic_ns(),
            used_ns=last_ns,
            used_at_ns=await self._recorder.last_at_ns(),
            is_synchronised=self._clock.state().source != "free",
        )
        if last_ns > now_ns + STEP_NS or self._time.is_unsure:
            self._note_step(ClockStep(last_ns, now_ns))

    # -- ticks --------------------------------------------------------------------------------

    async def _tick_forever(self, stop: asyncio.Event, alive: Callable[[str], None]) -> None:
        interval = self._layout.intervals_ns[0]
        tick_ns = next_tick_ns(self._time.now_ns, interval)
        while not stop.is_set():
            await self._advance()
            await self._beat()
            if not self._is_hung():
                self.life.go_on()
                alive(self._stands())
            if self._time.is_unsure:
                await self._pause(stop, interval)
                tick_ns = next_tick_ns(self._time.now_ns, interval)
                continue
            ahead_ns = tick_ns - self._time.now_ns
            if 0 < ahead_ns <= interval:
                await self._pause(stop, ahead_ns)
                continue
            # an instant that is over by now was missed: what a meter says now is not its reading;
            # nor is one taken that a heartbeat, the first thing of a stream, already stands after
            if -interval < ahead_ns <= 0 and tick_ns > self._recorder.last_ns:
                await self._take(tick_ns, interval)
            tick_ns = next_tick_ns(self._time.now_ns, interval)

    def _is_hung(self) -> bool:
        """True when a driver never comes back: only another process reads its device again."""
        hung = {poller.spec.id for poller in self._pollers if poller.is_hung}
        for device in sorted(hung - self._told_hung):
            log.error(
                "%s: the driver does not come back. From here on the manager of services hears "
                "nothing of this agent, so that it starts it again", device,
                extra=about(device=device),
            )  # fmt: skip
        self._told_hung = hung
        return bool(hung)

    def _stands(self) -> str:
        alarms = ", ".join(self._alarms.names) or "none"
        if not self._recorder.last_ns:
            return f"no tick yet; alarms: {alarms}"
        newest = dt.datetime.fromtimestamp(self._recorder.last_ns // 10**9, dt.UTC)
        return f"newest tick {newest:%Y-%m-%d %H:%M:%S} UTC; alarms: {alarms}"

    async def _pause(self, stop: asyncio.Event, wait_ns: int) -> None:
        """Wait, and meanwhile sign what has waited for the gateway's key."""
        ends_ns = self._clock.monotonic_ns() + min(wait_ns, HEARTBEAT_NS)
        while not stop.is_set() and self._clock.monotonic_ns() < ends_ns:
            if not await self._recorder.sign_waiting():
                break
        left_s = max(0, ends_ns - self._clock.monotonic_ns()) / 1e9
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), left_s)

    async def _advance(self) -> None:
        step = self._time.look(self._clock, self._delivery.receipt_times.newest)
        if step is None:
            return
        try:
            await self._recorder.close_frame()  # no frame speaks of both sides of a step
        except SpoolError as error:
            await self._recorder.fall_back(error)
        reason = "clock-unsure" if self._time.is_unsure else "clock-step"
        self._recorder.missed = self._recorder.missed or reason
        self._note_step(step)

    async def _beat(self) -> None:
        """A stream that would be silent signs that it lives, so that a cut tail shows."""
        is_full = FULL in self._alarms.names and not self._recorder.has_news
        silent_ns = HEARTBEAT_FULL_NS if is_full else HEARTBEAT_NS
        try:
            if await self._recorder.heartbeat(silent_ns):
                self._time.use(self._recorder.last_ns)
        except SpoolError as error:
            await self._recorder.fall_back(error)

    def _note_step(self, step: ClockStep) -> None:
        log.warning("%s", step.sentence)
        if self._time.is_unsure:
            log.warning(
                "no readings are taken until the clock has stood there for %d minutes: what is "
                "signed too far ahead cannot be taken back. If it is wrong, set it now",
                SURE_NS // 60 // 10**9,
            )
        self._recorder.note({"kind": "clock-step", "at_ns": step.to_ns, "from_ns": step.from_ns})

    async def _take(self, tick_ns: int, interval: int) -> None:
        """One instant: ask every device that is due, then make it a reading for good."""
        schedules = due(tick_ns, self._layout.intervals_ns)
        polled = await self._poll(schedules, tick_ns, interval)
        ticks = [self._assemble(s, tick_ns, polled) for s in schedules]
        try:
            await self._commit(ticks, tick_ns, polled)
            if self._recorder.is_due(tick_ns + interval) or self._frame_asked:
                self._frame_asked = False
                await self._recorder.close_frame()
        except SpoolError as error:
            await self._recorder.fall_back(error)
            if self._recorder.last_ns < tick_ns:
                self._recorder.missed = "spool-error"
            else:  # the disk has it, whatever it said
                self._committed(polled)
        self._time.use(tick_ns)

    async def _poll(
        self, schedules: Sequence[int], tick_ns: int, interval: int
    ) -> Mapping[str, Polled]:
        late_s = max(0, self._time.now_ns - tick_ns) / 1e9
        deadline_s = DEADLINE_SHARE * interval / 1e9 - late_s
        wanted = {self._layout.intervals_ns[s] for s in schedules}

        async def ask(index: int, poller: Poller) -> Polled | None:
            delay = min(slot_ns(index, interval) / 1e9, max(0.0, deadline_s))
            await asyncio.sleep(delay)
            if poller.interval_ns in wanted:
                return await poller.poll(max(0.01, deadline_s - delay), tick_ns)
            poller.begin(tick_ns)
            return None

        asked = [
            (index, poller)
            for index, poller in enumerate(self._pollers)
            if poller.interval_ns in wanted or poller.is_due(tick_ns)
        ]
        answers = await asyncio.gather(*(ask(index, poller) for index, poller in asked))
        return {
            poller.spec.id: answer
            for (_, poller), answer in zip(asked, answers, strict=True)
            if answer is not None
        }

    def _assemble(self, schedule: int, tick_ns: int, polled: Mapping[str, Polled]) -> Tick:
        given: list[Given] = []
        lags: dict[str, int] = {}
        for index in self._layout.devices[schedule]:
            answer = polled[self._pollers[index].spec.id]
            given.append((self._places[index], answer.samples))
            if answer.monotonic_ns is not None:
                done_ns = self._time.at_ns(answer.monotonic_ns)
                lags[self._pollers[index].spec.id] = (done_ns - tick_ns) // NS_PER_MS
        in_doubt = self._time.doubt is not None
        return assemble(self._layout, schedule, tick_ns, given, lags, in_doubt=in_doubt)

    async def _commit(
        self, ticks: Sequence[Tick], tick_ns: int, polled: Mapping[str, Polled]
    ) -> None:
        """Keep one instant's ticks, if there is room, and show them."""
        recorder = self._recorder
        await recorder.close_before(ticks, tick_ns)
        devices = answering(self._pollers, tick_ns)
        doubt = self._time.doubt.sentence if self._time.doubt else ""
        condition = await self._disk.run(self._stream.condition, self._unanswered(), devices, doubt)
        certificate = self._delivery.certificate_trouble
        # a wall clock far ahead that nobody believes yet makes nothing old
        now_ns = min(self._clock.wall_ns(), self._time.now_ns)
        departures = [said for poller in self._pollers for said in poller.departures]
        departing = next((poller.spec.id for poller in self._pollers if poller.departures), "")
        for event in self._alarms.check(
            condition,
            now_ns,
            broker_certificate=certificate,
            departures=departures,
            departing=departing,
        ):
            recorder.note(event)
        if FULL in self._alarms.names:
            await recorder.is_full()
            return
        progress = {i: p.progress for i, p in polled.items() if p.progress is not None}
        kept = await recorder.commit(ticks, tick_ns, progress)
        self._committed(polled)
        await self._send_live(kept)

    def _committed(self, polled: Mapping[str, Polled]) -> None:
        """What these gave is on disk: sources that deliver once may go on."""
        for poller in self._pollers:
            if poller.spec.id in polled:
                poller.committed()

    async def _send_live(self, ticks: Sequence[Tick]) -> None:
        stream = self._stream
        usage, cfg = await self._disk.run(lambda: (stream.spool.usage(), stream.cfg()))
        message = self._live.message(
            ticks,
            cfg=cfg,
            sent_ns=self._clock.wall_ns(),
            clock=self._clock.state(),
            spool=usage,
            head_seq=self._delivery.machine.newest,
            receipted_seq=self._delivery.machine.receipted,
            calc=self._recorder.calc,
            alarms=self._alarms.names,
        )
        self._delivery.send_live(message)
