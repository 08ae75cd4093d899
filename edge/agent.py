"""The agent: builds the parts of one gateway and runs them. Composition root of this room.

    poll (drivers) → assemble → calculate → commit the tick → live page
                                     └ frame due → sign → spool → broker → receipt → spool freed

All disk work runs on one thread, everything else in one event loop.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edge.calc.live import PlantCalc
from edge.clock import Clock
from edge.config import Site
from edge.delivery import Delivery
from edge.disk import Disk
from edge.drivers.base import DeviceSpec, Sample
from edge.errors import SpoolError
from edge.live_message import LiveMessage
from edge.pipeline import Batch, Layout, Tick, assemble, calculate, decode_tick, without_computed
from edge.poller import Polled, Poller
from edge.schedule import DEADLINE_SHARE, SteadyTime, due, next_tick_ns, slot_ns
from edge.spool import Spool
from edge.stream import Stream
from evidence import cbor
from evidence.frame import Gap
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
    ) -> None:
        """Prepare; nothing is opened before `run`.

        Args:
            site: the site file.
            config: the configuration to sign (`edge.signed`).
            clock: the only source of time.
            signer: the gateway's key.
            collector: the key whose receipts are honoured.
        """
        self._site, self._config, self._clock = site, config, clock
        self._signer, self._collector = signer, collector
        self._disk = Disk()
        self._pollers = [
            Poller(DeviceSpec(d.id, d.url, d.profile, d.points, d.timeout_s), clock.monotonic_ns)
            for d in site.devices
        ]
        self._intervals = [d.interval_ns for d in site.devices]
        self._use(config)
        self._gap_reason = "restart"
        self._events: list[dict[str, Any]] = []
        self._full = self._alarmed = False

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
        self._stream = await self._disk.run(self._open_stream)
        self._delivery = Delivery(self._site, self._stream, self._clock, self._disk)
        try:
            await self._delivery.start()
            await self._take_over()
            await asyncio.gather(*(p.connect_first(FIRST_CONNECT_S) for p in self._pollers))
            ready()
            await self._tick_forever(stop)
            await self._close_frame("stopped")
        finally:
            await self._delivery.stop()
            await asyncio.gather(*(p.close() for p in self._pollers))
            await self._disk.run(self._stream.spool.close)
            self._disk.close()

    # -- start --------------------------------------------------------------------------------

    def _open_stream(self) -> Stream:
        spool = Spool(
            self._site.gateway.state_dir / "spool.sqlite",
            bytes_max=self._site.uplink.spool_bytes_max,
        )
        return Stream(
            spool,
            self._signer,
            self._collector,
            plant=self._site.plant.id,
            gateway=self._site.gateway.id,
        )

    async def _take_over(self) -> None:
        """Continue where the last process stopped: its open ticks become a frame first."""
        stream, now_ns = self._stream, self._clock.wall_ns()
        before = await self._disk.run(stream.config_in_force)
        if before is not None:
            await self._restore(before)
            await self._close_frame("restart")
        if before != self._config:
            stored = await self._disk.run(stream.append_config, self._config, now_ns)
            self._delivery.appended(stored)
            self._use(self._config)
            log.info("configuration %s signed as seq %d", stored.sha256.hex()[:12], stored.seq)
        self._events.append({"kind": "start", "at_ns": now_ns})
        self._live = LiveMessage(
            self._layout,
            plant=self._site.plant.id,
            gateway=self._site.gateway.id,
            cfg=await self._disk.run(stream.cfg),
        )
        self._time = SteadyTime(
            self._clock.wall_ns(),
            self._clock.monotonic_ns(),
            used_ns=await self._disk.run(stream.through_ns),
        )

    async def _restore(self, config: Mapping[str, Any]) -> None:
        """Roll the calculation's snapshot forward over the open ticks and batch them again."""
        self._use(config)
        spool = self._stream.spool
        snapshot = await self._disk.run(spool.get, "calc")
        if snapshot:
            self._calc.restore(cbor.decode(snapshot))
        kept = await self._disk.run(spool.open_ticks)
        ticks = [without_computed(self._layout, decode_tick(self._layout, t)) for t in kept]
        for tick_ns in sorted({tick.tick_ns for tick in ticks}):
            together = [tick for tick in ticks if tick.tick_ns == tick_ns]
            for tick in calculate(self._layout, self._calc, together):
                self._batch.add(tick)

    # -- ticks --------------------------------------------------------------------------------

    async def _tick_forever(self, stop: asyncio.Event) -> None:
        interval = self._layout.intervals_ns[0]
        while not stop.is_set():
            self._advance()
            tick_ns = next_tick_ns(self._time.now_ns, interval)
            delay = (tick_ns - self._time.now_ns) / 1e9
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), delay)
            self._advance()
            if not stop.is_set() and self._time.now_ns >= tick_ns:
                await self._take(tick_ns, interval)

    def _advance(self) -> None:
        step = self._time.advance(self._clock.wall_ns(), self._clock.monotonic_ns())
        if step is not None:
            log.warning("clock stepped from %d to %d ns", step.from_ns, step.to_ns)
            self._gap_reason = "clock-step"
            self._events.append(
                {"kind": "clock-step", "at_ns": step.to_ns, "from_ns": step.from_ns}
            )

    async def _take(self, tick_ns: int, interval: int) -> None:
        """One instant: ask every device that is due, then make it a reading for good."""
        schedules = due(tick_ns, self._layout.intervals_ns)
        polled = await self._poll(schedules, tick_ns, interval)
        ticks = [self._assemble(s, tick_ns, polled) for s in schedules]
        try:
            await self._commit(ticks, tick_ns)
        except SpoolError as error:
            # nothing of this instant was kept: the calculation must not have seen it either
            log.error("reading not kept: %s", error)  # noqa: TRY400 - the sentence says it all
            self._gap_reason = "spool-error"
            await self._restore(self._config)
        self._time.use(tick_ns)

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
        wall_ns, monotonic_ns = self._clock.wall_ns(), self._clock.monotonic_ns()
        for index in self._layout.devices[schedule]:
            answer = polled[self._pollers[index].spec.id]
            samples.update(answer.samples)
            if answer.monotonic_ns is not None:
                done_ns = wall_ns - (monotonic_ns - answer.monotonic_ns)
                lags[self._pollers[index].spec.id] = (done_ns - tick_ns) // 1_000_000
        return assemble(self._layout, schedule, tick_ns, samples, lags)

    async def _commit(self, ticks: Sequence[Tick], tick_ns: int) -> None:
        if self._batch.is_due(tick_ns) or not all(self._batch.follows(t) for t in ticks):
            if not self._batch.is_due(tick_ns) and self._gap_reason == "":
                self._gap_reason = "overrun"
            await self._close_frame("")
        if await self._is_full():
            self._gap_reason = "spool-full"
            return
        ticks = calculate(self._layout, self._calc, ticks)
        await self._disk.run(self._stream.spool.commit_ticks, [t.encode() for t in ticks])
        for tick in ticks:
            self._batch.add(tick)
        await self._send_live(ticks)

    async def _is_full(self) -> bool:
        fill = await self._disk.run(self._stream.spool.fill)
        if (fill >= 1) != self._full:
            self._full = fill >= 1
            log.error("spool is full: no readings are taken" if self._full else "spool has room")
        if (fill >= ALARM_FILL) != self._alarmed:
            self._alarmed = fill >= ALARM_FILL
            log.warning("spool is %.0f %% full", fill * 100)
        return self._full

    async def _close_frame(self, event: str) -> None:
        """Sign the open ticks as a frame; without ticks only when there is an event to tell."""
        now_ns = self._clock.wall_ns()
        if event:
            self._events.append({"kind": event, "at_ns": now_ns})
        if not self._batch.ticks:
            return
        through = await self._disk.run(self._stream.through_ns)
        first = self._batch.ticks[0].tick_ns
        gap = None
        if through and first > through + self._layout.intervals_ns[0]:
            gap = Gap(through, first, self._gap_reason or "overrun")
        events, self._events, self._gap_reason = self._events, [], ""
        body = self._batch.body(now_ns=now_ns, clock=self._clock.state(), gap=gap, events=events)
        calc = cbor.encode(self._calc.snapshot())
        stored = await self._disk.run(self._stream.append_frame, body, calc, now_ns)
        self._delivery.appended(stored)

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
