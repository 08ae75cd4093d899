"""The agent: builds the parts of one gateway and runs them. Composition root of this room.

    poll (drivers) → assemble → calculate → commit the tick → live page
                                     └ frame due → sign → spool → broker → receipt → spool freed

All disk work runs on one thread, everything else in one event loop.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edge.calc.live import PlantCalc
from edge.clock import Clock
from edge.config import Site
from edge.delivery import Delivery
from edge.disk import Disk
from edge.drivers import open_driver
from edge.drivers.base import DeviceSpec, Driver, Sample
from edge.errors import SpoolError
from edge.live_message import LiveMessage
from edge.pipeline import (
    NS_PER_MS,
    Batch,
    Layout,
    Tick,
    assemble,
    calculate,
    decode_tick,
    without_computed,
)
from edge.poller import Polled, Poller
from edge.schedule import (
    DEADLINE_SHARE,
    STEP_NS,
    ClockStep,
    SteadyTime,
    due,
    next_tick_ns,
    slot_ns,
)
from edge.spool import Spool
from edge.stream import Stream
from evidence import cbor
from evidence.frame import Body, Gap
from evidence.keys import Signer
from evidence.suites import PublicKey

log = logging.getLogger("stackproof.edge")

FIRST_CONNECT_S = 3.0
ALARM_FILL = 0.8


class Agent:
    """One gateway."""

    def __init__(
        self,
        site: Site,
        config: Mapping[str, Any],
        *,
        clock: Clock,
        signer: Signer,
        collector: PublicKey,
        opener: Callable[[DeviceSpec], Driver] = open_driver,
    ) -> None:
        """Prepare; nothing is opened before `run`.

        Args:
            site: the site file.
            config: the configuration to sign (`edge.signed`).
            clock: the only source of time.
            signer: the gateway's key.
            collector: the key whose receipts are honoured.
            opener: makes the drivers (tests give their own).
        """
        self._site, self._config, self._clock = site, config, clock
        self._signer, self._collector = signer, collector
        self._disk = Disk()
        self._pollers = [
            Poller(
                DeviceSpec(d.id, d.url, d.profile, d.points, d.timeout_s),
                clock.monotonic_ns,
                opener=opener,
            )
            for d in site.devices
        ]
        self._intervals = [d.interval_ns for d in site.devices]
        self._use(config)
        # what the open frame tells beside its ticks; kept in the spool with each of them
        self._gap: Gap | None = None
        self._events: list[dict[str, Any]] = []
        # what the next frame is to tell
        self._upcoming: list[dict[str, Any]] = []
        # the newest tick kept, and why the instants since then were missed
        self._last_ns = 0
        self._missed = "restart"
        self._full = self._alarmed = self._frame_asked = False

    def _use(self, config: Mapping[str, Any]) -> None:
        """Calculate and batch by this configuration from here on."""
        self._layout = Layout(config)
        self._calc = PlantCalc(config)
        self._batch = Batch(self._layout)

    async def run(self, stop: asyncio.Event, ready: Callable[[], None] = lambda: None) -> None:
        """Run until `stop`.

        Args:
            stop: set it to end cleanly.
            ready: called once, when the first tick is about to be taken.

        Raises:
            SpoolError: the spool cannot be opened.
        """
        async with contextlib.AsyncExitStack() as parts:
            parts.callback(self._disk.close)
            self._stream = await self._disk.run(self._open_stream)
            parts.push_async_callback(self._disk.run, self._stream.spool.close)
            self._delivery = Delivery(self._site, self._stream, self._clock, self._disk)
            parts.push_async_callback(self._delivery.stop)
            for poller in self._pollers:
                parts.push_async_callback(poller.close)
            await self._delivery.start()
            await self._take_over()
            await asyncio.gather(*(p.connect_first(FIRST_CONNECT_S) for p in self._pollers))
            ready()
            await self._tick_forever(stop)
            await self._close_frame("stopped")

    def close_frame_soon(self) -> None:
        """Close the open frame with the next tick instead of when it is due."""
        self._frame_asked = True

    # -- start --------------------------------------------------------------------------------

    def _open_stream(self) -> Stream:
        spool = Spool(
            self._site.gateway.state_dir / "spool.sqlite",
            bytes_max=self._site.uplink.spool_bytes_max,
        )
        try:
            return Stream(
                spool,
                self._signer,
                self._collector,
                plant=self._site.plant.id,
                gateway=self._site.gateway.id,
            )
        except BaseException:
            spool.close()
            raise

    async def _take_over(self) -> None:
        """Continue where the last process stopped: its open ticks become a frame first."""
        stream, now_ns = self._stream, self._clock.wall_ns()
        before = await self._disk.run(stream.config_in_force)
        if before is not None:
            await self._restore(before)
        if before != self._config:
            closing = self._body("restart", now_ns) if self._batch.ticks else None
            made = await self._disk.run(stream.append_config, self._config, now_ns, closing=closing)
            for stored in made:
                self._delivery.appended(stored)
            self._use(self._config)
            self._gap, self._events = None, []
            log.info("configuration %s signed as seq %d", stored.sha256.hex()[:12], stored.seq)
        elif self._batch.ticks:
            await self._close_frame("restart")
        self._upcoming.append({"kind": "start", "at_ns": now_ns})
        self._live = LiveMessage(
            self._layout,
            plant=self._site.plant.id,
            gateway=self._site.gateway.id,
            cfg=await self._disk.run(stream.cfg),
        )
        self._last_ns = await self._disk.run(stream.through_ns)
        if self._last_ns > now_ns + STEP_NS:
            self._note_step(ClockStep(self._last_ns, now_ns))
        self._time = SteadyTime(
            self._clock.wall_ns(), self._clock.monotonic_ns(), used_ns=self._last_ns
        )

    async def _restore(self, config: Mapping[str, Any]) -> None:
        """Take the open frame from the spool, and the calculation as it was after its last tick.

        Ticks of an earlier configuration are batched as they were calculated: with the new one
        calculation starts anew, and this program may not even know the old one's methods.
        """
        self._use(self._config)
        spool = self._stream.spool
        layout = self._layout if config == self._config else Layout(config)
        kept = await self._disk.run(spool.open_ticks)
        ticks = [decode_tick(layout, tick) for tick in kept]
        if layout is self._layout:
            snapshot = await self._disk.run(spool.get, "calc")
            if snapshot:
                self._calc.restore(cbor.decode(snapshot))
            for _, together in itertools.groupby(ticks, lambda tick: tick.tick_ns):
                measured = [without_computed(layout, tick) for tick in together]
                calculate(layout, self._calc, measured)
        self._batch = Batch(layout)
        for tick in ticks:
            self._batch.add(tick)
        self._gap, self._events = None, []
        self._last_ns = await self._disk.run(self._stream.through_ns)
        if ticks:
            self._last_ns = ticks[-1].tick_ns
            opening = await self._disk.run(spool.get, "opening")
            gap, self._events = cbor.decode(opening or b"")
            self._gap = Gap(*gap) if gap else None

    # -- ticks --------------------------------------------------------------------------------

    async def _tick_forever(self, stop: asyncio.Event) -> None:
        interval = self._layout.intervals_ns[0]
        tick_ns = next_tick_ns(self._time.now_ns, interval)
        while not stop.is_set():
            await self._advance()
            ahead_ns = tick_ns - self._time.now_ns
            if 0 < ahead_ns <= interval:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), ahead_ns / 1e9)
                continue
            # an instant that is over by now was missed: what a meter says now is not its reading
            if -interval < ahead_ns <= 0:
                await self._take(tick_ns, interval)
            tick_ns = next_tick_ns(self._time.now_ns, interval)

    async def _advance(self) -> None:
        step = self._time.advance(self._clock.wall_ns(), self._clock.monotonic_ns())
        if step is None:
            return
        try:
            await self._close_frame()  # no frame speaks of both sides of a step
        except SpoolError as error:
            await self._fall_back(error)
        self._missed = self._missed or "clock-step"
        self._note_step(step)

    def _note_step(self, step: ClockStep) -> None:
        log.warning("clock stepped from %d to %d ns", step.from_ns, step.to_ns)
        event = {"kind": "clock-step", "at_ns": step.to_ns, "from_ns": step.from_ns}
        self._upcoming.append(event)

    async def _take(self, tick_ns: int, interval: int) -> None:
        """One instant: ask every device that is due, then make it a reading for good."""
        schedules = due(tick_ns, self._layout.intervals_ns)
        polled = await self._poll(schedules, tick_ns, interval)
        ticks = [self._assemble(s, tick_ns, polled) for s in schedules]
        try:
            await self._commit(ticks, tick_ns)
            if self._batch.is_due(tick_ns + interval) or self._frame_asked:
                self._frame_asked = False
                await self._close_frame()
        except SpoolError as error:
            await self._fall_back(error)
            if self._last_ns < tick_ns:
                self._missed = "spool-error"
        self._time.use(tick_ns)

    async def _fall_back(self, error: SpoolError) -> None:
        """The disk refused: what counts is what it holds, and nothing that is not there."""
        log.error("%s", error)
        await self._restore(self._config)

    async def _poll(
        self, schedules: Sequence[int], tick_ns: int, interval: int
    ) -> Mapping[str, Polled]:
        late_s = max(0, self._time.now_ns - tick_ns) / 1e9
        deadline_s = DEADLINE_SHARE * interval / 1e9 - late_s
        wanted = {self._layout.intervals_ns[s] for s in schedules}
        pollers = [
            (i, p)
            for i, (p, every) in enumerate(zip(self._pollers, self._intervals, strict=True))
            if every in wanted
        ]

        async def ask(index: int, poller: Poller) -> Polled:
            delay = min(slot_ns(index, interval) / 1e9, max(0.0, deadline_s))
            await asyncio.sleep(delay)
            return await poller.poll(max(0.01, deadline_s - delay))

        answers = await asyncio.gather(*(ask(i, p) for i, p in pollers))
        return {p.spec.id: a for (_, p), a in zip(pollers, answers, strict=True)}

    def _assemble(self, schedule: int, tick_ns: int, polled: Mapping[str, Polled]) -> Tick:
        samples: dict[str, Sample] = {}
        lags: dict[str, int] = {}
        for index in self._layout.devices[schedule]:
            answer = polled[self._pollers[index].spec.id]
            samples.update(answer.samples)
            if answer.monotonic_ns is not None:
                done_ns = self._time.at_ns(answer.monotonic_ns)
                lags[self._pollers[index].spec.id] = (done_ns - tick_ns) // NS_PER_MS
        return assemble(self._layout, schedule, tick_ns, samples, lags)

    async def _commit(self, ticks: Sequence[Tick], tick_ns: int) -> None:
        """Keep one instant's ticks, after the frame they do not belong to."""
        if self._batch.is_due(tick_ns) or not all(self._batch.follows(t) for t in ticks):
            await self._close_frame()
        if await self._is_full():
            self._missed = "spool-full"
            return
        gap, events = self._gap, self._events
        if not self._batch.ticks:
            gap, events = self._gap_before(tick_ns), self._upcoming
        told = None if gap is None else [gap.from_ns, gap.to_ns, gap.reason]
        opening = cbor.encode([told, events])
        ticks = calculate(self._layout, self._calc, ticks)
        encoded = [tick.encode() for tick in ticks]
        await self._disk.run(self._stream.spool.commit_ticks, encoded, {"opening": opening})
        if not self._batch.ticks:
            self._gap, self._events, self._upcoming = gap, events, []
        for tick in ticks:
            self._batch.add(tick)
        self._last_ns, self._missed = tick_ns, ""
        await self._send_live(ticks)

    def _gap_before(self, tick_ns: int) -> Gap | None:
        if not self._last_ns or tick_ns <= self._last_ns + self._layout.intervals_ns[0]:
            return None
        return Gap(self._last_ns, tick_ns, self._missed or "overrun")

    async def _is_full(self) -> bool:
        fill = await self._disk.run(self._stream.spool.fill)
        if (fill >= 1) != self._full:
            self._full = fill >= 1
            log.error("spool is full: no readings are taken" if self._full else "spool has room")
        if (fill >= ALARM_FILL) != self._alarmed:
            self._alarmed = fill >= ALARM_FILL
            log.warning("spool is %.0f %% full", fill * 100)
        return self._full

    async def _close_frame(self, event: str = "") -> None:
        """Sign the open ticks as a frame, with the event that ends it.

        Without ticks nothing is signed but an event, in a frame of its own that stands at the
        newest tick: frame times never go back, whatever the wall clock does next.
        """
        if not self._batch.ticks and not event:
            return
        now_ns = self._clock.wall_ns()
        body, calc = self._body(event, now_ns), cbor.encode(self._calc.snapshot())
        stored = await self._disk.run(self._stream.append_frame, body, calc, now_ns)
        self._gap, self._events = None, []
        if event:
            self._upcoming = []
        self._delivery.appended(stored)

    def _body(self, event: str, now_ns: int) -> Body:
        events = self._events
        if event:
            events = [*events, *self._upcoming, {"kind": event, "at_ns": now_ns}]
        return self._batch.body(
            now_ns=self._last_ns or now_ns, clock=self._clock.state(), gap=self._gap, events=events
        )

    async def _send_live(self, ticks: Sequence[Tick]) -> None:
        usage = await self._disk.run(self._stream.spool.usage)
        message = self._live.message(
            ticks,
            sent_ns=self._clock.wall_ns(),
            clock=self._clock.state(),
            spool=usage,
            head_seq=self._delivery.machine.newest,
            receipted_seq=self._delivery.machine.receipted,
            calc=self._calc,
        )
        self._delivery.send_live(message)
