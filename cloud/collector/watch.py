"""What becomes so by time alone: plants to try again, clocks that cannot be right, a lost slice.

The collector's thread, once a second or so; nothing here is staged or written.
"""

import logging
from collections.abc import Callable

from cloud.clock import Clock, instant
from cloud.collector.plants import Plants
from cloud.collector.standing import NOT_SERVED, Standing
from cloud.collector.topics import Sender
from cloud.errors import ClockError
from evidence.log_lines import about

log = logging.getLogger("stackproof.cloud.collector")

#: seconds between two looks
LOOK_S = 1.0
#: the same where nothing is amiss and nothing comes: whoever lost the slice still answers till then
QUIET_S = 5.0
#: how far the clock may lie before the log's newest entry: a step of a clock that is kept in time
BEHIND_NS = 60_000_000_000
#: how far a gateway's ticks may lie ahead of their coming, as `edge.clock_doubt` has it
AHEAD_NS = 2_000_000_000
#: after a stop this long somebody should look at the clock
LONG_NS = 7 * 86_400_000_000_000


class Watch:
    """Looks at plants and clocks.

    Args:
        plants: which wait.
        standing: where it is told what is amiss.
        clock: the collector's.
        doubt: why that is not believed just then, "" when it is.
    """

    def __init__(
        self, plants: Plants, standing: Standing, clock: Clock, doubt: Callable[[], str]
    ) -> None:
        self._plants, self._standing, self._clock, self.doubt = plants, standing, clock, doubt
        self._looked_s = float("-inf")

    def require_clock(self) -> None:
        """Raise ClockError while the clock is not believed: nothing may be logged."""
        doubt = self.doubt()
        if doubt:
            raise ClockError(doubt)

    def look(self, now_s: float) -> set[str]:
        """Try the plants that wait, look at the clocks; plants whose alarms changed.

        Args:
            now_s: monotonic seconds.

        Raises:
            SliceLostError: another collector has the slice.
        """
        if now_s < self._looked_s + LOOK_S:
            return set()
        self._looked_s = now_s
        self._plants.store.is_ours()
        changed, doubt, at_ns = set(self._plants.heal(now_s)), self.doubt(), self._clock.wall_ns()
        for plant, why in self._plants.stopped().items():
            for reason, said in why.items():
                if self._standing.rise(plant, "", reason, at_ns, said):
                    changed.add(plant)
        for plant in self._plants:
            self._standing.end(plant, "", (NOT_SERVED,))
            newest_ns = self._plants.require(plant).store.state.received_ns
            sentence = doubt or clock_behind(at_ns, newest_ns)
            if not sentence:
                is_new = self._standing.end(plant, "", ("clock",))
                if is_new:
                    log.warning(
                        "plant %s: the collector's clock fits the log again", plant,
                        extra=about(plant),
                    )  # fmt: skip
            elif is_new := self._standing.rise(plant, "", "clock", at_ns, sentence):
                log.error("plant %s: %s", plant, sentence, extra=about(plant))
            changed |= {plant} if is_new else set()
        return changed

    def next_due_s(self) -> float:
        """When `look` has something to do although nothing comes."""
        waits, quiet_s = self._plants.next_due_s(), self._looked_s + QUIET_S
        if waits is None and not self.doubt():
            return quiet_s
        return min(quiet_s, max(self._looked_s + LOOK_S, waits or 0.0))

    def check_gateway(self, sender: Sender, newest_ns: int, received_ns: int) -> bool:
        """Readings from the future are kept as they were signed, and people are told.

        Args:
            sender: whose frame was accepted.
            newest_ns: its newest tick.
            received_ns: when it came.

        Returns:
            True when that is news.
        """
        plant, gateway = sender.plant, sender.gateway
        if newest_ns <= received_ns + AHEAD_NS:
            return self._standing.end(plant, gateway, ("clock-ahead",))
        sentence = (
            f"its readings are stamped {instant(newest_ns)} and came at {instant(received_ns)}: "
            "set the gateway's clock; what is stamped ahead counts in the month it names"
        )
        is_new = self._standing.rise(plant, gateway, "clock-ahead", received_ns, sentence)
        if is_new:
            log.error("%s/%s: %s", plant, gateway, sentence, extra=about(plant, gateway))
        return is_new


def clock_behind(now_ns: int, newest_ns: int) -> str:
    """What to say of a clock that lies before the log's newest entry; "" when it does not."""
    if now_ns >= newest_ns - BEHIND_NS:
        return ""
    return (
        f"the collector's clock says {instant(now_ns)}, the log's newest entry "
        f"{instant(newest_ns)}: until the clock passes that, all that comes is logged as received "
        "then, and only certificates that are valid then count. If the clock is wrong, set it. If "
        "the log is, because the clock once ran ahead, see docs/deploy.md, 'Clocks'"
    )


def clock_unlikely(now_ns: int, newest_ns: int) -> str:
    """What to say at the start of a clock that is long after, or before, the newest entry."""
    if newest_ns and now_ns > newest_ns + LONG_NS:
        return (
            f"the clock says {instant(now_ns)}, and the log's newest entry is of "
            f"{instant(newest_ns)}. Stop now if the clock is wrong: what is logged with a wrong "
            "time keeps it for good"
        )
    return clock_behind(now_ns, newest_ns)
