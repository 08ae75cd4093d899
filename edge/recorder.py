"""From the ticks of an instant to frames in the stream: calculated, committed, batched, signed.

Holds the open frame as the spool holds it: whatever the disk refuses, memory goes back to what is
on it. It does not know devices, schedules or the network.
"""

import contextlib
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edge.alarms import FULL
from edge.calc.folds.live import PlantCalc
from edge.clock import Clock
from edge.disk import Disk
from edge.drivers.base import Progress
from edge.errors import HeldError, SpoolError
from edge.pipeline import Batch, Layout, Tick, calculate, decode_tick, judge, without_computed
from edge.quiet import Quiet
from edge.spool_reader import State, Stored, mark_key, position_key, settings_key
from edge.stream import Stream
from evidence import cbor
from evidence.frame import Body, Gap

log = logging.getLogger("stackproof.edge")

EVENTS_MAX = 1_000  # that one frame tells, the newest
EVENTS_DUE = 500  # a frame that tells so many is closed: none of a device's is lost
#: reasons of `missed` for which readings go on to be missed
KEEPS_NONE = (FULL, "spool-error", "clock-unsure")
_HISTORY = "history"  # beside the calculation's own parts of the state after a frame
KEY_AGAIN_NS = 5_000_000_000  # how often a key that does not sign is asked again


class Recorder:
    """The open frame of one gateway.

    Attributes:
        layout: of the configuration.
        calc: the live calculation, after the newest tick kept.
        last_ns: the newest tick kept, or the newest instant the stream speaks of.
        missed: why the instants since then were missed, "" when none was.
    """

    def __init__(
        self,
        stream: Stream,
        disk: Disk,
        clock: Clock,
        appended: Callable[[Stored], None],
    ) -> None:
        """Prepare; `appended` is told of every object signed here."""
        self._stream = stream
        self._disk, self._clock, self._appended = disk, clock, appended
        self.last_ns, self.missed = 0, "restart"
        self._signed_ns = clock.monotonic_ns()
        self._is_refused = False
        self._quiet = Quiet()
        self._waits, self._key_again_ns = False, 0  # frames for the key, which is asked again then
        # what the open frame tells beside its ticks; kept in the spool with each of them
        self._gap: Gap | None = None
        self._events: list[dict[str, Any]] = []
        # what the next frame is to tell
        self._upcoming: list[dict[str, Any]] = []

    def _use(self, config: Mapping[str, Any]) -> None:
        """Calculate and batch by this configuration from here on."""
        self.layout = Layout(config)
        self.calc = PlantCalc(config)
        self._history = self.layout.history()
        self._batch = Batch(self.layout)

    @property
    def has_news(self) -> bool:
        """True when something is to be told."""
        return bool(self._upcoming)

    @property
    def refusal(self) -> str:
        """Why no readings are kept just now, "" while they are."""
        if self.missed in KEEPS_NONE:
            return self.missed
        return "spool-error" if self._is_refused else ""

    def note(self, event: Mapping[str, Any]) -> None:
        """Tell this in the next frame that begins."""
        self._upcoming = [*self._upcoming, dict(event)][-EVENTS_MAX:]

    # -- start and failure ------------------------------------------------------------------------

    async def take_over(self, config: Mapping[str, Any], now_ns: int) -> None:
        """Continue where the last process stopped: its open ticks become a frame first.

        The configuration is not kept: of ten thousand points it is several megabytes.
        """
        self._use(config)
        stream = self._stream
        self._waits = await self._disk.run(stream.is_waiting)
        before = await self._disk.run(stream.config_in_force)
        if before is not None:
            await self._restore(config, before)
        if before != config:
            closing = self._body("restart", now_ns, tells=True) if self._batch.ticks else None
            made = await self._disk.run(stream.append_config, config, now_ns, closing=closing)
            self._waits = not made
            for stored in made:
                self._appended(stored)
                log.info("configuration: signed up to seq %d", stored.seq)
            self._use(config)
            self._gap, self._events = None, []
        elif self._batch.ticks:
            await self.close_frame("restart")
        self.note({"kind": "start", "at_ns": now_ns})
        self.last_ns = await self._disk.run(stream.through_ns)
        if await self._disk.run(stream.is_continued):
            self.missed = "replaced"
        elif kept := await self._disk.run(stream.spool.get, State.MISSED):
            since_ns, reason = cbor.decode(kept)
            if since_ns == self.last_ns:  # else ticks were kept since
                self.missed = reason

    async def is_full(self) -> None:
        """The spool has no room for ticks: the gap says so, also where another process ends it."""
        if self.missed == FULL:
            return
        self.missed = FULL
        with contextlib.suppress(SpoolError):  # others have filled the disk to its last byte
            kept = cbor.encode([self.last_ns, FULL])
            await self._disk.run(self._stream.spool.put, {State.MISSED: kept})

    async def last_at_ns(self) -> int | None:
        """The monotonic clock at `last_ns`; None when it is of another boot or no tick."""
        kept = await self._disk.run(self._stream.spool.get, State.CLOCK)
        if kept is None:
            return None
        boot_id, tick_ns, monotonic_ns = cbor.decode(kept)
        now = self._clock.state()
        is_of_it = (boot_id, tick_ns) == (now.boot_id, self.last_ns)
        return monotonic_ns if is_of_it and monotonic_ns <= now.monotonic_ns else None

    async def fall_back(self, error: SpoolError) -> None:
        """The disk refused: what counts is what it holds, and nothing that is not there."""
        log.log(logging.DEBUG if self._is_refused else logging.ERROR, "%s", error)
        self._is_refused = True
        config = await self._disk.run(self._stream.config_in_force)
        if config is None:
            raise SpoolError("the spool has lost the configuration that is in force") from error
        await self._restore(config, config)

    async def _restore(self, config: Mapping[str, Any], before: Mapping[str, Any]) -> None:
        """Take the open frame from the spool; calculation and history as after its last tick.

        Ticks of an earlier configuration are batched as they were calculated: with the new one
        both start anew, and this program may not even know the old one's methods.
        """
        self._use(config)
        spool = self._stream.spool
        layout = self.layout if before == config else Layout(before)
        kept = await self._disk.run(spool.open_ticks)
        ticks = [decode_tick(layout, tick) for tick in kept]
        if layout is self.layout:
            snapshot = await self._disk.run(spool.get, State.CALC)
            if snapshot:
                state = cbor.decode(snapshot)
                self.calc.restore(state)
                self._history.restore(state.get(_HISTORY, {}))
            for _, together in itertools.groupby(ticks, lambda tick: tick.tick_ns):
                measured = [without_computed(layout, tick) for tick in together]
                calculate(layout, self.calc, judge(self._history, measured))
        self._batch = Batch(layout)
        for tick in ticks:
            self._batch.add(tick)
        self._gap, self._events = None, []
        self.last_ns = await self._disk.run(self._stream.through_ns)
        if ticks:
            self.last_ns = ticks[-1].tick_ns
            opening = await self._disk.run(spool.get, State.OPENING)
            gap, self._events = cbor.decode(opening or b"")
            self._gap = Gap(*gap) if gap else None

    # -- ticks ------------------------------------------------------------------------------------

    def is_due(self, next_ns: int) -> bool:
        """True when the open frame must close before a tick at `next_ns` joins it."""
        return self._batch.is_due(next_ns) or len(self._events) >= EVENTS_DUE

    async def close_before(self, ticks: Sequence[Tick], tick_ns: int) -> None:
        """Close the open frame if these ticks of an instant do not belong to it."""
        if self.is_due(tick_ns) or not self._batch.takes(ticks):
            await self.close_frame()

    async def commit(
        self, ticks: Sequence[Tick], tick_ns: int, progress: Mapping[str, Progress] | None = None
    ) -> Sequence[Tick]:
        """Keep the measured ticks of an instant; the same with their computed points.

        Args:
            ticks: of the instant.
            tick_ns: the instant.
            progress: device id -> what is kept in the same transaction, for it and the next start.

        Raises:
            SpoolError: nothing of the instant was kept.
        """
        gap, events = self._gap, self._events
        if not self._batch.ticks:
            gap, events = self._gap_before(tick_ns), self._upcoming
        events = [*events, *_told(progress or {}, tick_ns)][-EVENTS_MAX:]
        told = None if gap is None else [gap.from_ns, gap.to_ns, gap.reason]
        opening = cbor.encode([told, events])
        ticks = calculate(self.layout, self.calc, judge(self._history, ticks))
        encoded = [tick.encode() for tick in ticks]
        clock = self._clock.state()
        state: dict[str, bytes] = {
            State.OPENING: opening,
            State.CLOCK: cbor.encode([clock.boot_id, tick_ns, clock.monotonic_ns]),
            **_kept_of(progress or {}),
        }
        await self._disk.run(self._stream.spool.commit_ticks, encoded, state)
        if not self._batch.ticks:
            self._upcoming = []
        self._gap, self._events = gap, events
        for tick in ticks:
            self._batch.add(tick)
        self.last_ns, self.missed = tick_ns, ""
        if self._is_refused:
            log.warning("the disk takes readings again")
            self._is_refused = False
        return ticks

    def _gap_before(self, tick_ns: int) -> Gap | None:
        if not self.last_ns or tick_ns <= self.last_ns + self.layout.intervals_ns[0]:
            return None
        return Gap(self.last_ns, tick_ns, self.missed or "overrun")

    async def close_frame(self, event: str = "") -> None:
        """Sign the open ticks as a frame, with the event that ends it; nothing without either.

        While the key does not sign, the frame is kept in the spool until it does.
        """
        if self._batch.ticks or event:
            await self._sign(event)

    async def heartbeat(self, silent_ns: int) -> bool:
        """Sign a frame without readings when nothing was signed for so long; True when it was.

        Not while frames wait for the key: it could not be signed either.
        """
        is_silent = self._clock.monotonic_ns() - self._signed_ns >= silent_ns
        if self._batch.ticks or self._waits or not is_silent:
            return False
        await self._sign("", tells=True)
        return True

    async def sign_waiting(self) -> bool:
        """Sign the oldest frame that waits for the key, if one does and the key is back."""
        if not self._waits or self._clock.monotonic_ns() < self._key_again_ns:
            return False
        try:
            stored = await self._disk.run(self._stream.sign_waiting, self._clock.wall_ns())
        except SpoolError as error:
            now_ns = self._clock.monotonic_ns()
            # that the disk refuses no alarm says
            is_told = not isinstance(error, HeldError) and self._quiet.may("disk", now_ns / 1e9)
            log.log(logging.ERROR if is_told else logging.DEBUG, "signing what waits: %s", error)
            self._key_again_ns = now_ns + KEY_AGAIN_NS
            return False
        self._waits = stored is not None
        if stored is not None:
            self._appended(stored)
        return self._waits

    async def _sign(self, event: str, *, tells: bool = False) -> None:
        """Sign the open ticks. A frame without any stands at the newest tick.

        So frame times never go back, whatever the wall clock does next.
        """
        now_ns = self._clock.wall_ns()
        body = self._body(event, now_ns, tells=tells or bool(event))
        calc = cbor.encode({**self.calc.snapshot(), _HISTORY: self._history.snapshot()})
        stored = await self._disk.run(self._stream.append_frame, body, calc, now_ns)
        self._gap, self._events = None, []
        if tells or event:
            self._upcoming = []
        self.last_ns = max(self.last_ns, body.t0_ns)
        self._signed_ns = self._clock.monotonic_ns()
        if stored is not None:
            self._appended(stored)
        elif not self._waits:
            self._waits, self._key_again_ns = True, self._signed_ns + KEY_AGAIN_NS

    def _body(self, event: str, now_ns: int, *, tells: bool) -> Body:
        events = self._events
        if tells:
            events = [*events, *self._upcoming]
        if event:
            events = [*events, {"kind": event, "at_ns": now_ns}]
        return self._batch.body(
            now_ns=self.last_ns or now_ns, clock=self._clock.state(), gap=self._gap, events=events
        )


def _told(progress: Mapping[str, Progress], tick_ns: int) -> list[dict[str, Any]]:
    """The events of an instant's devices, as a frame tells them."""
    return [{**event, "at_ns": tick_ns} for made in progress.values() for event in made.events]


def _kept_of(progress: Mapping[str, Progress]) -> dict[str, bytes]:
    """The spool's state values that say what sources have delivered and meters have said."""
    kept: dict[str, bytes] = {}
    for device_id, made in progress.items():
        if made.position is not None:
            kept[position_key(device_id)] = made.position
        if made.settings is not None:
            kept[settings_key(device_id)] = made.settings
        kept |= {mark_key(device_id, mark): note for mark, note in made.marks.items()}
    return kept
