"""The live hub: takes live messages, configurations and receipts, and feeds every open page.

One snapshot a viewer, then deltas: pushed when values arrive, one a second a plant, encoded once
for all viewers. A viewer that cannot keep up loses the oldest of two queued texts, sees the gap in
`seq` and asks for a snapshot. With nothing to say a beat goes out every two seconds, so that a
page can tell a quiet plant from a dead server.

    {"type": "snapshot", "v": 1, "seq", "server_ns", "plant", "points", "potlines", "statement",
     "qualities", "values": {id: [value, quality, tick_ns, source_ns]}, "effects": [...],
     "gaps": {id: [from_ns, to_ns or null]}, the newest time without a usable value,
     "gateways": [...], "today": {id: {...}}, "trusted": [{"id", "share"}],
     "alarms": [{"gateway", "reason", "count", "newest_ns", where it stands "since_ns", where
                missing "first", "last"} of the collector, {"gateway", "reason": "edge.NAME",
                "since_ns"} of a gateway]}
    {"type": "delta", "seq", "server_ns", "values", "effects" and "gaps": only what changed,
     "gateways", "today", "trusted", "alarms": whole}

Values are decimal texts or null; `seq` grows by one with each delta; a new configuration is sent
to everybody as a snapshot.

All calls belong in the event loop's thread (from another one: `loop.call_soon_threadsafe`), but
for `plants`, `zone` and `facts`: they build nothing of what messages change.
No I/O here; wall time comes from the injected clock, waiting is the running loop's.
"""

import asyncio
import json
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from cloud.clock import Clock
from cloud.live.facts import FactsError, gateway_facts
from cloud.live.message import LiveMessageError, parse_live
from cloud.live.pace import Pace
from cloud.live.state import PlantState
from cloud.live.summary import summary
from evidence.log_lines import about
from evidence.time_zones import time_zone

DELTA_INTERVAL_S = 1.0
BEAT_INTERVAL_S = 2.0
QUEUE_MAX = 2
#: of a plant whose configuration is not known
USUAL_ZONE = "Asia/Shanghai"

_log = logging.getLogger(__name__)


class UnknownPlantError(LookupError):
    """No configuration of a plant of this id has been seen."""


class UnknownPointError(LookupError):
    """The plant's configurations have no point of this id."""


class Subscription:
    """One viewer's texts: an async iterator that ends when it or the hub is closed."""

    def __init__(self, plant: str, first: str) -> None:
        self.plant = plant
        self._texts: deque[str] = deque([first], maxlen=QUEUE_MAX)
        self._ready = asyncio.Event()
        self._ready.set()
        self._closed = False

    def put(self, text: str) -> None:
        """Queue one text; the oldest is dropped when two wait already."""
        self._texts.append(text)
        self._ready.set()

    def replace(self, text: str) -> None:
        """Drop what waits and queue this (a snapshot the viewer asked for)."""
        self._texts.clear()
        self.put(text)

    def close(self) -> None:
        """End the iteration, now."""
        self._closed = True
        self._ready.set()

    @property
    def closed(self) -> bool:
        """True once ended, by either side."""
        return self._closed

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        while not self._texts and not self._closed:
            self._ready.clear()
            await self._ready.wait()
        if self._closed:
            raise StopAsyncIteration
        return self._texts.popleft()


class _Channel:
    """One plant with its viewers and its sending rhythm."""

    def __init__(self, plant: str, pace: Pace) -> None:
        self.state = PlantState(plant)
        self.pace = pace
        self.seq = 0
        self.viewers: set[Subscription] = set()
        self.made: tuple[int, float, str] | None = None  # snapshot: its seq, when, text
        self.timer: asyncio.TimerHandle | None = None


class LiveHub:
    """Live state of every plant, fanned out to viewers.

    Args:
        clock: the collector's wall clock.
        delta_interval_s: time between two deltas of a plant (`Pace`).
        beat_interval_s: longest time between two texts to a viewer.

    Attributes:
        refused: how many inputs were not taken, by reason: "size", "json", "version",
            "identity", "field" (malformed), "no-config" (gateway not configured yet), "late"
            (older than what is shown), "unknown-point" (values), "config" (unreadable).
    """

    def __init__(
        self,
        clock: Clock,
        *,
        delta_interval_s: float = DELTA_INTERVAL_S,
        beat_interval_s: float = BEAT_INTERVAL_S,
    ) -> None:
        self.refused: Counter[str] = Counter()
        self._clock = clock
        self._delta_interval_s = delta_interval_s
        self._beat_interval_s = beat_interval_s
        self._channels: dict[str, _Channel] = {}
        self._alarms: dict[str, Sequence[Mapping[str, Any]]] = {}
        self._ordered: dict[tuple[str, str], int] = {}
        self._closed = False

    def plants(self) -> list[str]:
        """Ids of the plants whose configuration is known, sorted."""
        return sorted(self._channels)

    def zone(self, plant: str) -> ZoneInfo:
        """A plant's time zone; UnknownPlantError as for `snapshot`."""
        first, *_ = self._channel(plant).state.gateways.values()
        return first.facts.zone

    def clock_of(self, plant: str) -> ZoneInfo:
        """By whose clock its alarms are told: its own, or before any configuration the usual."""
        return self.zone(plant) if plant in self._channels else time_zone(USUAL_ZONE)

    def facts(self, plant: str) -> dict[str, Any]:
        """A plant's own facts, as a snapshot has them; from any thread.

        Raises:
            UnknownPlantError: no configuration of this plant has been seen.
        """
        first, *_ = self._channel(plant).state.gateways.values()
        return dict(first.facts.plant)

    @property
    def viewers(self) -> int:
        """Open subscriptions of all plants."""
        return sum(len(channel.viewers) for channel in self._channels.values())

    def on_config(self, plant: str, gateway: str, config: Mapping[str, Any]) -> None:
        """A verified configuration frame came in; viewers get a new snapshot."""
        try:
            facts = gateway_facts(gateway, config)
        except FactsError as error:
            self.refused["config"] += 1
            _log.error("live page of %s: %s", plant, error, extra=about(plant, gateway))
            return
        if plant not in self._channels:
            self._channels[plant] = _Channel(plant, Pace(self._delta_interval_s))
        channel = self._channels[plant]
        channel.state.alarms = self._alarms.get(plant, ())
        channel.state.configure(gateway, facts)
        channel.state.gateways[gateway].ordered = self._ordered.get((plant, gateway))
        channel.seq += 1
        if channel.viewers:
            self._send(channel, self._snapshot_text(channel))

    def on_live(self, plant: str, gateway: str, payload: bytes) -> None:
        """A live message came in; whatever is wrong with it is counted, nothing is raised."""
        channel = self._configured(plant, gateway)
        if channel is None:
            return
        try:
            message = parse_live(payload, plant, gateway)
        except LiveMessageError as error:
            self.refused[error.reason] += 1
            of = about(plant, gateway)
            _log.debug("live message of %s/%s refused: %s", plant, gateway, error, extra=of)
            return
        dropped = channel.state.apply(gateway, message, self._clock.wall_ns())
        if dropped is None:
            self.refused["late"] += 1
            return
        if dropped:
            self.refused["unknown-point"] += dropped
        self._values_arrived(channel)

    def on_sealed(
        self, plant: str, gateway: str, seq: int, through_ns: int, received_ns: int
    ) -> None:
        """Receipts cover frames up to `seq`: readings with tick <= through_ns are sealed.

        Rides along with the next delta or beat: a delta of its own would delay the next values.
        """
        if channel := self._configured(plant, gateway):
            channel.state.seal(gateway, seq, through_ns, received_ns)

    def on_alarms(self, plant: str, alarms: Sequence[Mapping[str, Any]]) -> None:
        """What people must look at, newest first; rides along like a receipt."""
        self._alarms[plant] = alarms
        if plant in self._channels:
            self._channels[plant].state.alarms = alarms

    def on_effects(self, plant: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Anode effects that no live message told: kept before this process, or of the log."""
        if rows and plant in self._channels:
            self._channels[plant].state.learn(rows)

    def on_state(
        self, plant: str, gateway: str, online: bool, order: Mapping[str, Any] | None = None
    ) -> None:
        """Birth (True), with its newest site order, or last will (False); rides along likewise."""
        if channel := self._configured(plant, gateway):
            channel.state.set_online(gateway, online, order)

    def on_ordered(self, plant: str, gateway: str, number: int) -> None:
        """A site order was handed to the broker; kept where the gateway is not configured yet."""
        self._ordered[plant, gateway] = number
        if plant in self._channels and gateway in self._channels[plant].state.gateways:
            self._channels[plant].state.gateways[gateway].ordered = number

    def speaks(self, plant: str, gateway: str) -> bool:
        """It has said a word of its own: birth, will or live values; a one-way site never does."""
        channel = self._channels.get(plant)
        known = channel.state.gateways.get(gateway) if channel is not None else None
        return known is not None and (known.online is not None or known.received_ns is not None)

    def heard_ns(self, plant: str, gateway: str) -> int | None:
        """When its newest live message came, UTC ns; None before the first."""
        channel = self._channels.get(plant)
        known = channel.state.gateways.get(gateway) if channel is not None else None
        return None if known is None else known.received_ns

    def _configured(self, plant: str, gateway: str) -> _Channel | None:
        channel = self._channels.get(plant)
        if channel is None or gateway not in channel.state.gateways:
            self.refused["no-config"] += 1
            return None
        return channel

    def snapshot(self, plant: str) -> dict[str, Any]:
        """The whole live state of a plant, JSON-ready.

        Raises:
            UnknownPlantError: no configuration of this plant has been seen.
        """
        return self._snapshot(self._channel(plant))

    def known(self, plant: str) -> dict[str, Any]:
        """Likewise, of a plant without a configuration: what the collector tells of it alone."""
        if plant in self._channels:
            return self.snapshot(plant)
        bare = _Channel(plant, Pace(self._delta_interval_s))
        bare.state.alarms = self._alarms.get(plant, ())
        return self._snapshot(bare)

    def history(self, plant: str, point: str) -> list[tuple[int, float | None]]:
        """(tick_ns, value or None) of the last ten minutes of a recorded point, oldest first.

        Recorded are pot voltages and the plant's emission rates; others give an empty list.

        Raises:
            UnknownPlantError: no configuration of this plant has been seen.
            UnknownPointError: its configurations have no such point.
        """
        state = self._channel(plant).state
        if not state.knows(point):
            raise UnknownPointError(f"plant {plant!r} has no point {point!r}")
        return state.history(point, self._clock.wall_ns())

    def effects(self, plant: str, potline: str = "", pot: str = "") -> list[dict[str, Any]]:
        """Anode effects, newest first; UnknownPlantError as for `snapshot`."""
        return self._channel(plant).state.effects(potline, pot)

    def made(self, plant: str) -> list[Mapping[str, Any]]:
        """How each live emission figure is made; UnknownPlantError as for `snapshot`."""
        gateways = self._channel(plant).state.gateways.values()
        return [row for gateway in gateways for row in gateway.facts.made]

    def summary(self, plant: str) -> dict[str, Any]:
        """A plant in one line; UnknownPlantError as for `snapshot`."""
        return summary(self._channel(plant).state, self._clock.wall_ns())

    def subscribe(self, plant: str) -> Subscription:
        """Open a viewer: its first text is a snapshot. Close it with `unsubscribe`.

        Raises:
            UnknownPlantError: no configuration of this plant has been seen.
        """
        channel = self._channel(plant)
        viewer = Subscription(plant, self._snapshot_text(channel))
        if self._closed:
            viewer.close()
            return viewer
        channel.viewers.add(viewer)
        if channel.timer is None:
            self._schedule(channel, self._beat_interval_s)
        return viewer

    def unsubscribe(self, viewer: Subscription) -> None:
        """Close a viewer and forget it; twice is fine."""
        viewer.close()
        channel = self._channel(viewer.plant)
        channel.viewers.discard(viewer)
        channel.made = channel.made if channel.viewers else None

    def resend(self, viewer: Subscription) -> None:
        """The viewer missed something: its next text is a snapshot."""
        viewer.replace(self._snapshot_text(self._channel(viewer.plant)))

    def close(self) -> None:
        """End every viewer, so that open pages do not hold up the server's shutdown."""
        self._closed = True
        for channel in self._channels.values():
            if channel.timer is not None:
                channel.timer.cancel()
                channel.timer = None
            for viewer in channel.viewers:
                viewer.close()
            channel.viewers.clear()

    def _channel(self, plant: str) -> _Channel:
        try:
            return self._channels[plant]
        except KeyError:
            raise UnknownPlantError(f"no plant {plant!r} has sent its configuration") from None

    def _snapshot(self, channel: _Channel) -> dict[str, Any]:
        state = channel.state.snapshot(self._clock.wall_ns())
        return {"type": "snapshot", "v": 1, "seq": channel.seq, **state}

    def _snapshot_text(self, channel: _Channel) -> str:
        """One for all who ask within a moment; what came since is in the next delta."""
        now_s, made = asyncio.get_running_loop().time(), channel.made
        if made is None or made[0] != channel.seq or now_s >= made[1] + self._delta_interval_s:
            text = _encode(self._snapshot(channel))
            made = channel.made = channel.seq, now_s, text
        return made[2]

    def _values_arrived(self, channel: _Channel) -> None:
        """Send now, or as soon as the pace allows."""
        if self._closed or not channel.viewers:
            return
        wait_s = channel.pace.wait_s(asyncio.get_running_loop().time())
        if wait_s > 0:
            self._schedule(channel, wait_s)
        else:
            self._flush(channel)

    def _schedule(self, channel: _Channel, delay_s: float) -> None:
        loop = asyncio.get_running_loop()
        if channel.timer is not None:
            channel.timer.cancel()
        channel.timer = loop.call_later(delay_s, self._flush, channel)

    def _flush(self, channel: _Channel) -> None:
        """Send what changed (or a bare beat) and plan the next beat while somebody looks."""
        if channel.timer is not None:
            channel.timer.cancel()
            channel.timer = None
        if not channel.viewers:
            return
        channel.seq += 1
        delta = channel.state.take_delta(self._clock.wall_ns())
        self._send(channel, _encode({"type": "delta", "seq": channel.seq, **delta}))
        channel.pace.sent(asyncio.get_running_loop().time())
        self._schedule(channel, self._beat_interval_s)

    def _send(self, channel: _Channel, text: str) -> None:
        for viewer in channel.viewers:
            viewer.put(text)


def _encode(message: Mapping[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
