"""Step 5, gaps: time without readings, as the gateway told of it or as its ticks show it."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evidence.findings import utc
from evidence.frame import Body, Gap
from evidence.verifier.completeness import rates_of

SECOND_NS = 1_000_000_000
#: told gaps that a slow schedule's next tick may lie in; of more, the latest
TOLD_MAX = 1_000


@dataclass
class Stretches:
    """Stretches of time of one kind.

    Attributes:
        count: how many.
        total_ns, longest_ns: of all of them, and of the longest.
        longest_from_ns: where the longest begins, UTC; None while there is none.
    """

    count: int = 0
    total_ns: int = 0
    longest_ns: int = 0
    longest_from_ns: int | None = None

    def note(self, from_ns: int, ns: int) -> None:
        """One more, of `ns` nanoseconds."""
        self.count += 1
        self.total_ns += ns
        if self.longest_from_ns is None or ns > self.longest_ns:
            self.longest_ns, self.longest_from_ns = ns, from_ns


class Told:
    """Gaps that were told: those that overlap are one, and they stand in the order of time."""

    def __init__(self) -> None:
        """Begin with none."""
        self._from, self._to = array("q"), array("q")

    def add(self, from_ns: int, to_ns: int) -> None:
        """One more, its ends included; of too many the earliest is forgotten."""
        first, stop = bisect_left(self._to, from_ns), bisect_right(self._from, to_ns)
        if first < stop:
            from_ns = min(from_ns, self._from[first])
            to_ns = max(to_ns, self._to[stop - 1])
        self._from[first:stop], self._to[first:stop] = array("q", [from_ns]), array("q", [to_ns])
        if len(self._to) > TOLD_MAX:
            del self._from[0], self._to[0]

    def between(self, from_ns: int, to_ns: int) -> Iterator[tuple[int, int]]:
        """Those that do not end before one instant, and begin before another."""
        for i in range(bisect_left(self._to, from_ns), bisect_left(self._from, to_ns)):
            yield self._from[i], self._to[i]


class Gaps:
    """What is missing between the ticks of one stream.

    Attributes:
        gaps: those the gateway told of.
        holes: those that no gap covers, of each schedule for itself.
    """

    def __init__(self, from_ns: int | None) -> None:
        """Begin where the period begins, UTC nanoseconds; None leaves open what is due first."""
        self.gaps, self.holes = Stretches(), Stretches()
        self._newest_ns = None if from_ns is None else from_ns - 1
        self._cfg = b""
        self._intervals: list[int] = []
        self._due: list[int | None] = []  # of each schedule: its next tick
        self._told = Told()

    def tell(self, gap: Gap) -> str:
        """The gateway tells of a gap; the sentence for the report."""
        self._told.add(gap.from_ns, gap.to_ns)
        self.gaps.note(gap.from_ns, gap.to_ns - gap.from_ns)
        seconds = (gap.to_ns - gap.from_ns) / SECOND_NS
        return (
            f"{seconds:.3f} s without readings ({gap.reason}) from {utc(gap.from_ns)} to "
            f"{utc(gap.to_ns)}, recorded by the gateway."
        )

    def lose(self) -> None:
        """Objects are missing, and with them what they may have told."""
        self._newest_ns, self._due = None, [None] * len(self._due)

    def read(self, cfg: bytes, config: Mapping[str, Any], body: Body) -> list[str]:
        """Take a frame's ticks; a sentence for each schedule with a hole before them."""
        found = []
        if cfg != self._cfg:
            found += self._configure(cfg, config)
        for section in body.sections:
            schedule = section.schedule
            if schedule >= len(self._intervals):
                continue  # the figures say so
            found += self._hole(schedule, section.first_ns)
            # never back: what was looked at once is not looked at again, whatever a frame says
            after_ns = section.last_ns + self._intervals[schedule]
            self._due[schedule] = max(after_ns, self._due[schedule] or 0)
            self._newest_ns = max(section.last_ns, self._newest_ns or 0)
        return found

    def end(self, to_ns: int, *, is_final: bool) -> list[str]:
        """The stream is over; a sentence for each schedule of which ticks were due till then.

        Args:
            to_ns: where the period ends, UTC nanoseconds, exclusive.
            is_final: every tick before that is due, otherwise what the stream reached: the step of
                a slow schedule's last tick may end after all others' last ticks.
        """
        if not is_final and self._newest_ns is not None:
            to_ns = min(to_ns, self._newest_ns + 1)
        return [s for schedule in range(len(self._due)) for s in self._hole(schedule, to_ns)]

    def as_map(self) -> dict[str, int | str | None]:
        """The form of `verify --json`, seconds rounded up."""
        at_ns = self.holes.longest_from_ns
        return {
            "gaps": self.gaps.count,
            "gaps_s": -(-self.gaps.total_ns // SECOND_NS),
            "longest_gap_s": -(-self.gaps.longest_ns // SECOND_NS),
            "holes": self.holes.count,
            "holes_s": -(-self.holes.total_ns // SECOND_NS),
            "longest_hole_s": -(-self.holes.longest_ns // SECOND_NS),
            "longest_hole_from": None if at_ns is None else utc(at_ns),
        }

    def _configure(self, cfg: bytes, config: Mapping[str, Any]) -> list[str]:
        """Go on with another configuration; what was due under the old intervals is told now."""
        intervals = [interval_ns if points else 0 for interval_ns, points in rates_of(config)]
        stays = [old == new for old, new in zip(self._intervals, intervals, strict=False)]
        stays += [False] * max(len(self._intervals), len(intervals))
        after_ns, found, due = self._newest_ns, list[str](), list[int | None]()
        if after_ns is not None:
            for schedule in range(len(self._due)):
                found += [] if stays[schedule] else self._hole(schedule, after_ns + 1)
        for schedule, step in enumerate(intervals):
            fresh = None if after_ns is None or not step else (after_ns // step + 1) * step
            due.append(self._due[schedule] if stays[schedule] else fresh)
        self._cfg, self._intervals, self._due = cfg, intervals, due
        return found

    def _hole(self, schedule: int, until_ns: int) -> list[str]:
        """What was due before an instant and is in no gap that was told."""
        due_ns, step = self._due[schedule], self._intervals[schedule]
        if due_ns is None or not step:
            return []
        pieces, at_ns = list[tuple[int, int]](), due_ns
        for from_ns, to_ns in self._told.between(due_ns, until_ns):
            pieces += _ticks(at_ns, from_ns, step)
            at_ns = max(at_ns, (to_ns // step + 1) * step)
        pieces += _ticks(at_ns, until_ns, step)
        if not pieces:
            return []
        from_ns, ns = pieces[0][0], sum(stop - start for start, stop in pieces)
        self.holes.note(from_ns, ns)
        return [
            f"{ns / SECOND_NS:.3f} s without readings of schedule {schedule} between "
            f"{utc(from_ns)} and {utc(pieces[-1][1])}, and no gap recorded here covers them."
        ]


def _ticks(from_ns: int, to_ns: int, step: int) -> list[tuple[int, int]]:
    """The multiples of the step from one instant until before another, as one stretch or none."""
    first, stop = (-(-at_ns // step) * step for at_ns in (from_ns, to_ns))
    return [(first, stop)] if first < stop else []
