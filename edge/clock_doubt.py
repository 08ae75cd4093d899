"""Whether the time that readings are stamped with is in doubt, and why. Pure.

Three clocks are compared: the wall clock, the monotonic clock, and the collector's, of which signed
receipts give bounds: it took an object after the object was made and before its receipt came. A
monotonic clock is slewed with the wall clock, so only a step parts the two. A doubt changes no
reading: it is an alarm, and readings of that time carry quality 24.
"""

from dataclasses import dataclass
from typing import NamedTuple

from edge.clock import Clock
from edge.schedule import SURE_NS, ClockStep, SteadyTime

LIMIT_NS = 2 * 1_000_000_000  # a disagreement from here on is a doubt
SENT_MAX = 1_000  # objects whose instant is remembered until their receipt comes
MARKED = "readings are kept and marked “time in doubt” (quality 24)"


class Bound(NamedTuple):
    """The collector's clock minus the monotonic one, ns: at least, at most (None: unknown)."""

    low_ns: int
    high_ns: int | None


class ReceiptTimes:
    """Collector's clock, as its signed receipts show it.

    Attributes:
        newest: bound by the newest receipt; None before the first.
    """

    def __init__(self) -> None:
        self.newest: Bound | None = None
        self._made: dict[int, int] = {}

    def made(self, seq: int, monotonic_ns: int) -> None:
        """An object was made just now."""
        self._made[seq] = monotonic_ns
        while len(self._made) > SENT_MAX:
            del self._made[next(iter(self._made))]

    def receipted(self, seq: int, received_ns: int, monotonic_ns: int) -> None:
        """The receipt of an object has come just now; it names the collector's wall clock."""
        made_ns = self._made.get(seq)
        high_ns = None if made_ns is None else received_ns - made_ns
        self.newest = Bound(received_ns - monotonic_ns, high_ns)
        for old in [known for known in self._made if known < seq]:
            del self._made[old]


@dataclass(frozen=True)
class Doubt:
    """Why the time of readings is in doubt.

    Attributes:
        reason: "step", "stream" or "collector".
        by_ns: by how much when it began: wall clock ahead of the monotonic clock; readings ahead
            of the wall clock; wall clock ahead of the collector's. Negative: behind.
    """

    reason: str
    by_ns: int

    @property
    def sentence(self) -> str:
        """One sentence for the event and one for the remedy."""
        by = f"{abs(self.by_ns) / 1e9:.0f} s {'ahead of' if self.by_ns > 0 else 'behind'}"
        if self.reason == "step":
            return (
                f"the machine's clock jumped: it is {by} where it would be without; {MARKED}. "
                "Check NTP (chronyc tracking). Ends when the clock is back, when the collector's "
                "receipts agree with it, or after 5 minutes under NTP"
            )
        if self.reason == "stream":
            return (
                f"readings are stamped {by} the machine's clock, since a stream's time never goes "
                f"back; {MARKED}. Leave the clock if it is right: the two come together by 5 ms a "
                "second. Else set it"
            )
        return (
            f"the machine's clock is {by} the collector's, by a signed receipt; {MARKED}. Check "
            "NTP at both, and set the clock that is wrong"
        )


class WatchedTime(SteadyTime):
    """A `SteadyTime` that says whether it is in doubt.

    Attributes:
        doubt: None while the clocks agree.
    """

    doubt: Doubt | None = None
    _reference_ns: int | None = None  # wall minus monotonic, of the clock that is believed
    _stood: tuple[int, int] = 0, 0  # wall minus monotonic, and the monotonic clock since then

    def look(self, clock: Clock, collector: Bound | None) -> ClockStep | None:
        """Read the clocks; the step, when the wall clock made one."""
        wall_ns, monotonic_ns = clock.wall_ns(), clock.monotonic_ns()
        step = self.advance(wall_ns, monotonic_ns)
        found = self._doubt(wall_ns, monotonic_ns, clock, collector)
        if found is None or self.doubt is None or found.reason != self.doubt.reason:
            self.doubt = found
        return step

    def _doubt(
        self, wall_ns: int, monotonic_ns: int, clock: Clock, collector: Bound | None
    ) -> Doubt | None:
        offset_ns = wall_ns - monotonic_ns
        if self._reference_ns is None:
            self._reference_ns = offset_ns
        if abs(offset_ns - self._stood[0]) >= LIMIT_NS:
            self._stood = offset_ns, monotonic_ns
        off_ns = offset_ns - self._reference_ns
        if abs(off_ns) >= LIMIT_NS:
            if not self._is_confirmed(offset_ns, monotonic_ns, clock, collector):
                return Doubt("step", off_ns)
            self._reference_ns = offset_ns
        if abs(ahead_ns := self.now_ns - wall_ns) >= LIMIT_NS:
            return Doubt("stream", ahead_ns)
        by_ns = _beyond(offset_ns, collector)
        return Doubt("collector", by_ns) if abs(by_ns) >= LIMIT_NS else None

    def _is_confirmed(
        self, offset_ns: int, monotonic_ns: int, clock: Clock, collector: Bound | None
    ) -> bool:
        """Somebody else says that the wall clock is right after its step."""
        if collector is not None and collector.high_ns is not None:
            is_narrow = collector.high_ns - collector.low_ns <= LIMIT_NS
            return is_narrow and abs(_beyond(offset_ns, collector)) < LIMIT_NS
        has_stood = monotonic_ns - self._stood[1] >= SURE_NS
        return has_stood and clock.state().source != "free"


def _beyond(offset_ns: int, collector: Bound | None) -> int:
    """By how much the wall clock lies ahead of what the collector's may be; negative: behind."""
    if collector is None:
        return 0
    if offset_ns < collector.low_ns:
        return offset_ns - collector.low_ns
    is_above = collector.high_ns is not None and offset_ns > collector.high_ns
    return offset_ns - collector.high_ns if is_above and collector.high_ns is not None else 0
