"""What waits to be told to people elsewhere: bounded, gathered, tried again, never in the way.

Each channel has a queue and a task of its own. Alarms of some seconds go in one message; a flood is
told as a sum, and then the next message waits for minutes. What waits is in memory only: the page
of alarms is what is kept.
"""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence

from cloud.alarms.channels import Channel, NotSentError
from cloud.alarms.core import Alarm, Happening
from cloud.alarms.notices import Notice, make_notice
from cloud.clock import Clock

log = logging.getLogger("stackproof.cloud.alarms")

WAITING_MAX = 500
#: seconds that alarms are gathered for one message, and after a flood
GATHER_S, FLOOD_S = 10.0, 300.0
#: seconds before each further try; then the message is given up
AGAIN_S = (5.0, 30.0, 120.0, 600.0)


class Outbox:
    """Messages to one channel.

    Args:
        channel: the way.
        clock: wall clock.
        zone_of: the time zone of a plant.
        priority: less urgent ones are not told.
        gather_s, flood_s, again_s: as the constants.
    """

    def __init__(
        self,
        channel: Channel,
        clock: Clock,
        zone_of: Callable[[str], str],
        *,
        priority: int = 2,
        gather_s: float = GATHER_S,
        flood_s: float = FLOOD_S,
        again_s: Sequence[float] = AGAIN_S,
    ) -> None:
        self._channel, self._clock, self._zone_of = channel, clock, zone_of
        self._priority = priority
        self._gather_s, self._flood_s, self._again_s = gather_s, flood_s, again_s
        self._waiting: list[Alarm] = []
        self._dropped = 0
        self._lock = threading.Lock()

    def put(self, found: Sequence[Happening]) -> None:
        """Tell of these, soon; any thread.

        When too many wait some are only counted: the oldest of the plant that has most.
        """
        with self._lock:
            self._waiting += [one.alarm for one in found if one.alarm.priority <= self._priority]
            while len(self._waiting) > WAITING_MAX:
                plants = [one.key.plant for one in self._waiting]
                ((most, _),) = Counter(plants).most_common(1)
                del self._waiting[plants.index(most)]
                self._dropped += 1

    async def run(self) -> None:
        """Send for ever; cancel it to end."""
        wait_s = self._gather_s
        while True:
            await asyncio.sleep(wait_s)
            try:
                wait_s = self._flood_s if await self.send_waiting() else self._gather_s
            except Exception:  # one message that cannot be made keeps no later one back
                log.exception("%s: a message of alarms could not be made", self._channel.name)
                wait_s = self._gather_s

    async def send_waiting(self) -> bool:
        """Send what waits as one message, with its tries; True when it was a flood."""
        with self._lock:
            alarms, dropped = list(self._waiting), self._dropped
            self._waiting.clear()
            self._dropped = 0
        if not alarms:
            return False
        with_zones = [(one, self._zone_of(one.key.plant)) for one in alarms]
        notice = make_notice(with_zones, dropped, self._clock.wall_ns())
        for wait_s in (*self._again_s, None):
            if await self._has_sent(notice, wait_s):
                break
        return notice.is_flood

    async def _has_sent(self, notice: Notice, wait_s: float | None) -> bool:
        """One try; after one that failed wait, unless it was the last."""
        try:
            now_s = self._clock.wall_ns() // 1_000_000_000
            await asyncio.to_thread(self._channel.send, notice, now_s)
        except NotSentError as error:
            if wait_s is None:
                log.error("%s: a message of alarms is given up", error)  # noqa: TRY400 - the sentence says all
                return True
            log.warning("%s; tried again in %.0f s", error, wait_s)
            await asyncio.sleep(wait_s)
            return False
        return True
