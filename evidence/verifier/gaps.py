"""Step 5, gaps: time without readings, as the gateway told of it or as its ticks show it."""

from collections.abc import Mapping, Sequence
from typing import Any

from evidence.frame import Body, Gap
from evidence.verifier.completeness import rates_of

SECOND_NS = 1_000_000_000
#: told gaps that a slow schedule's next tick may lie in; of more, the newest
TOLD_MAX = 1_000


class Gaps:
    """What is missing between the ticks of one stream.

    Attributes:
        count: gaps that were told, and holes that were not.
        total_ns, longest_ns: of all of them, and of the longest.
    """

    def __init__(self, from_ns: int | None) -> None:
        """Begin where the period begins, UTC nanoseconds; None leaves open what is due first."""
        self.count = self.total_ns = self.longest_ns = 0
        self._newest_ns = None if from_ns is None else from_ns - 1
        self._cfg = b""
        self._intervals: list[int] = []
        self._due: list[int | None] = []  # of each schedule: its next tick
        self._told: list[tuple[int, int]] = []

    def tell(self, gap: Gap) -> str:
        """The gateway tells of a gap; the sentence for the report."""
        self._told = [*self._told[1 - TOLD_MAX :], (gap.from_ns, gap.to_ns)]
        self._note(gap.to_ns - gap.from_ns)
        seconds = (gap.to_ns - gap.from_ns) / SECOND_NS
        return f"{seconds:.3f} s without readings ({gap.reason}), recorded by the gateway."

    def lose(self) -> None:
        """Objects are missing, and with them what they may have told."""
        self._newest_ns, self._due = None, [None] * len(self._due)

    def read(self, cfg: bytes, config: Mapping[str, Any], body: Body) -> list[str]:
        """Take a frame's ticks; a sentence for each schedule with a hole before them."""
        if cfg != self._cfg:
            self._configure(cfg, config)
        found = []
        for section in body.sections:
            schedule = section.schedule
            if schedule >= len(self._intervals):
                continue  # the figures say so
            found += self._hole(schedule, section.first_ns)
            self._due[schedule] = section.last_ns + self._intervals[schedule]
            self._newest_ns = max(section.last_ns, self._newest_ns or 0)
        self._forget()
        return found

    def end(self, to_ns: int) -> list[str]:
        """The period is over; a sentence for each schedule of which ticks were due till then.

        The step of a slow schedule's last tick may end after all others' last ticks.
        """
        until_ns = to_ns - max(self._intervals, default=0)
        return [s for schedule in range(len(self._due)) for s in self._hole(schedule, until_ns)]

    def as_map(self) -> dict[str, int]:
        """The form of `verify --json`, seconds rounded up."""
        return {
            "gaps": self.count,
            "gaps_s": -(-self.total_ns // SECOND_NS),
            "longest_gap_s": -(-self.longest_ns // SECOND_NS),
        }

    def _configure(self, cfg: bytes, config: Mapping[str, Any]) -> None:
        before = dict(enumerate(zip(self._intervals, self._due, strict=True)))
        intervals = [interval_ns if points else 0 for interval_ns, points in rates_of(config)]
        after_ns = self._newest_ns
        fresh = [
            None if after_ns is None or not step else (after_ns // step + 1) * step
            for step in intervals
        ]
        self._due = [
            before[i][1] if i in before and before[i][0] == step else fresh[i]
            for i, step in enumerate(intervals)
        ]
        self._cfg, self._intervals = cfg, intervals

    def _hole(self, schedule: int, until_ns: int) -> list[str]:
        """What was due before an instant and is in no gap that was told."""
        due_ns, step = self._due[schedule], self._intervals[schedule]
        if due_ns is None or not step:
            return []
        missing, at_ns = 0, due_ns
        for from_ns, to_ns in sorted(self._told):
            if at_ns >= until_ns:
                break
            missing += _ticks(at_ns, min(from_ns, until_ns), step)
            at_ns = max(at_ns, (to_ns // step + 1) * step)
        missing += _ticks(at_ns, until_ns, step)
        if not missing:
            return []
        self._note(missing * step)
        seconds = missing * step / SECOND_NS
        return [
            f"{seconds:.3f} s without readings of schedule {schedule}, "
            "which the gateway did not record."
        ]

    def _note(self, ns: int) -> None:
        self.count += 1
        self.total_ns += ns
        self.longest_ns = max(self.longest_ns, ns)

    def _forget(self) -> None:
        """Gaps before all that is due tell nothing any more."""
        due: Sequence[int] = [due_ns for due_ns in self._due if due_ns is not None]
        if self._told and due:
            first_ns = min(due)
            self._told = [told for told in self._told if told[1] >= first_ns]


def _ticks(from_ns: int, to_ns: int, step: int) -> int:
    """Multiples of the step from one instant until before another."""
    return max(-(-to_ns // step) - -(-from_ns // step), 0)
