"""A totaliser's count where readings leave its line and come back, or leap: statement format 2.

The line is all usable readings but those of spikes. A step is broken where a counter cannot have
made it: downward, or upward by more than the signed limit lets pass (without a limit every step
may be one). Readings after a broken step that are followed, within `READINGS_MAX` readings and
`TIME_NS`, by one that goes on from before it are a spike: they are not counted, whether they were
too high or too low. A leap that stays is counted only as far as the limit lets pass. Every amount
is exact; of drops, leaps and spikes the first are kept and all are counted. FIGURES.md section 2.
Pure: no I/O, no clock; memory is bounded whatever is read.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from edge.calc.blocks import Bool, Int64
from edge.calc.folds.covered_flow import Beside
from edge.calc.folds.marks import Marks

#: between the readings beside a spike; ten minutes of a meter read every second
READINGS_MAX, TIME_NS = 600, 600 * 10**9
#: as few may take longer, of a meter that is read seldom; and no more may be false where nothing
#: signed limits the meter, so that a counter that is set back after every batch stays what it is
FEW = 3
#: ends of runs that are remembered
ENDS_MAX = 50
#: registers that are renewed seldom rise by steps
SLACK_NS = 3_600 * 10**9
#: of drops, leaps and spikes each
LISTED = 20
_HOUR_NS = 3_600 * 10**9
_COUNT_MAX = 2**63 - 1


@dataclass(frozen=True)
class Break:
    """Two readings of the line, one after the other, that no counting joins; counts.

    Attributes:
        since_ns, before: the reading before it.
        tick_ns, after: the reading after it.
        counted: what of the step is counted: 0 of a drop, of a leap what its limit lets pass.
    """

    since_ns: int
    tick_ns: int
    before: int
    after: int
    counted: int


@dataclass(frozen=True)
class Spike:
    """Readings that are not counted, between two of the line; counts.

    Attributes:
        since_ns, before, tick_ns, after: the readings beside it.
        readings: how many are not counted.
        risen: all steps upward from `before` to `after`, which would have been counted.
    """

    since_ns: int
    tick_ns: int
    before: int
    after: int
    readings: int
    risen: int


@dataclass(frozen=True)
class Seen:
    """A reading of the line with one of the flow at its tick."""

    tick_ns: int
    total: int
    integral: int
    stretch: int


@dataclass(slots=True)
class Line:
    """Amounts counted up to one reading of the line.

    Attributes:
        tick_ns, count: the reading.
        number: how many usable readings there were, spikes included.
        run_first: first reading of its run.
        total: counted; risen: all steps upward, whatever they are.
        drops, leaps, spikes: how many.
        matched, integral, covered_ns: counted by totaliser and by flow over the same time.
        seen: newest reading of the line with a flow's, unless a drop or leap came since.
    """

    tick_ns: int
    count: int
    number: int
    run_first: int
    total: int = 0
    risen: int = 0
    drops: int = 0
    leaps: int = 0
    spikes: int = 0
    matched: int = 0
    integral: int = 0
    covered_ns: int = 0
    seen: Seen | None = None


@dataclass(frozen=True)
class _Readings:
    """Usable readings of one feed, and the flow at their ticks."""

    ticks: Int64
    counts: Int64
    beside: Beside | None


class Counter:
    """One totaliser over one period.

    Attributes:
        first: (tick_ns, count) of the first usable reading, None before any.
        line: the newest one, None before any.
        drops, leaps, spikes: the first `LISTED` of each.
    """

    def __init__(self, most: Fraction | None, marks: Marks | None = None) -> None:
        """`most`: counts an hour that can pass, None where nothing signed says it."""
        self._most = most
        self._marks = marks
        self.first: tuple[int, int] | None = None
        self.line: Line | None = None
        self._ends: list[Line] = []  # of runs before the present one, oldest first
        self.drops: list[Break] = []
        self.leaps: list[Break] = []
        self.spikes: list[Spike] = []

    @property
    def total(self) -> int:
        """Counts that are counted."""
        return 0 if self.line is None else self.line.total

    @property
    def last(self) -> tuple[int, int] | None:
        """(tick_ns, count) of the newest usable reading."""
        return None if self.line is None else (self.line.tick_ns, self.line.count)

    def feed(self, ticks_ns: Int64, counts: Int64, ok: Bool, beside: Beside | None = None) -> None:
        """Take n readings, later than all before, those that are ok; `beside` of all n."""
        at = np.flatnonzero(ok)
        if not at.size:
            return
        of = _Readings(ticks_ns[at], counts[at], None if beside is None else beside.of(at))
        start = 0
        if self.line is None:
            self.first = int(of.ticks[0]), int(of.counts[0])
            self.line = Line(*self.first, number=1, run_first=self.first[1])
            self._note(self.line, of, 0, 1)
            start = 1
        for i in self._alone(self.line, of, start):
            if i > start:
                self._run(self.line, of, start, i)
            self._step(self.line, of, i)
            start = i + 1
        if start < len(at):
            self._run(self.line, of, start, len(at))

    # -- steps ------------------------------------------------------------------------------------

    def _alone(self, line: Line, of: _Readings, start: int) -> list[int]:
        """Numbers of the readings whose steps are, or without a limit may be, broken."""
        before = [] if start else [line.count]
        steps = np.diff(np.concatenate([np.array(before, dtype=np.int64), of.counts]))
        if self._most is None:
            broken = np.ones(len(steps), dtype=bool)
            near = FEW  # all others only go on, and are no end of a spike
            broken[near : max(len(steps) - near, near)] = False
            for i in np.flatnonzero(steps < 0).tolist():
                broken[max(i - near, 0) : i + near + 1] = True
        else:
            since = [] if start else [line.tick_ns]
            times = np.diff(np.concatenate([np.array(since, dtype=np.int64), of.ticks]))
            broken = (steps < 0) | (steps > self._passing(times))
        found: list[int] = (np.flatnonzero(broken) + start).tolist()
        return found

    def _passing(self, times: Int64) -> Any:  # noqa: ANN401 - one integer or an array of them
        """The most whole counts that can pass in each of these times."""
        if times.size and (times == times[0]).all():
            return self._limit(int(times[0]))
        each, of = np.unique(times, return_inverse=True)
        return np.array([self._limit(int(time)) for time in each], dtype=np.int64)[of]

    def _limit(self, time_ns: int) -> int:
        """The most whole counts that can pass in a time; there is a limit."""
        most = self._most or Fraction(0)
        found = most.numerator * time_ns // (most.denominator * _HOUR_NS)
        return max(min(found, _COUNT_MAX), -_COUNT_MAX)

    def _is_broken(self, line: Line, tick_ns: int, count: int) -> bool:
        if self._most is None or count < line.count:
            return True
        return count - line.count > self._limit(tick_ns - line.tick_ns)

    def _run(self, line: Line, of: _Readings, start: int, stop: int) -> None:
        """Readings that go on from one another, without a broken step."""
        tick_ns, count = int(of.ticks[stop - 1]), int(of.counts[stop - 1])
        rise = count - line.count
        self._note(line, of, start, stop)
        line.total += rise
        line.risen += rise
        line.number += stop - start
        line.tick_ns, line.count = tick_ns, count
        if self._most is None:
            line.run_first = line.count

    def _step(self, line: Line, of: _Readings, i: int) -> None:
        """A reading whose step from the one before is broken."""
        tick_ns, count = int(of.ticks[i]), int(of.counts[i])
        number, risen = line.number + 1, line.risen + max(0, count - line.count)
        between = 0
        while self._is_broken(line, tick_ns, count):
            found = self._back(line, tick_ns, count, number)
            if found is None:
                break
            line = self._return(found)
            between = number - line.number - 1
        if self._is_broken(line, tick_ns, count):
            self._ends = [*self._ends, copy.copy(line)][-ENDS_MAX:]
            line.run_first = count
        if between:
            rise = risen - line.risen
            _list(self.spikes, Spike(line.tick_ns, tick_ns, line.count, count, between, rise))
            line.spikes += 1
        step, time_ns = count - line.count, tick_ns - line.tick_ns
        counted = max(step, 0)
        is_leap = self._most is not None and step > self._limit(time_ns + SLACK_NS)
        if step < 0:
            line.drops, line.seen = line.drops + 1, None
            _list(self.drops, Break(line.tick_ns, tick_ns, line.count, count, 0))
        elif is_leap:
            counted = self._limit(time_ns)
            line.leaps, line.seen = line.leaps + 1, None
            _list(self.leaps, Break(line.tick_ns, tick_ns, line.count, count, counted))
        line.total += counted
        line.number, line.risen, line.tick_ns, line.count = number, risen, tick_ns, count
        self._note(line, of, i, i + 1)

    def _back(self, line: Line, tick_ns: int, count: int, number: int) -> int | None:
        """The newest end of a run that a reading goes on from, all runs between being off it."""
        most = READINGS_MAX if self._most is not None else FEW
        first, last = line.run_first, line.count
        below: int | None = None  # the highest of what is not above the reading
        for k in range(len(self._ends) - 1, -1, -1):
            end = self._ends[k]
            between = number - end.number - 1
            if between > most or (between > FEW and tick_ns - end.tick_ns > TIME_NS):
                return None
            if first <= count:
                below = last if below is None else max(below, last)
                if below >= count:
                    return None
            if end.count <= count and (below is None or below < end.count):
                return k
            first, last = end.run_first, end.count
        return None

    def _return(self, k: int) -> Line:
        """Take back what was read since the end of a run: it was a spike."""
        self.line = line = self._ends[k]
        del self._ends[k:]
        del self.drops[line.drops :], self.leaps[line.leaps :], self.spikes[line.spikes :]
        if self._marks is not None:
            self._marks.cut(line.tick_ns, line.count, line.total)
        return line

    def _note(self, line: Line, of: _Readings, start: int, stop: int) -> None:
        """Keep marks of counted readings, and compare with the flow at the same ticks."""
        shift, ticks, values, beside = line.total - line.count, of.ticks, of.counts, of.beside
        if self._marks is not None:
            self._marks.keep(ticks[start:stop], values[start:stop], shift)
        if beside is None:
            return
        at = np.flatnonzero(beside.there[start:stop]) + start
        if not at.size:
            return
        stretch, sums, seen = beside.stretch[at], beside.sums[at], line.seen
        first, last = (
            Seen(int(ticks[j]), int(values[j]) + shift, beside.base + int(sums[n]), int(stretch[n]))
            for n, j in ((0, at[0]), (-1, at[-1]))
        )
        if seen is not None and seen.stretch == first.stretch:
            _add(line, seen, first)
        if first.stretch == last.stretch:
            _add(line, first, last)
        else:
            same = stretch[1:] == stretch[:-1]
            line.matched += int(np.diff(values[at])[same].sum())
            line.integral += int(np.diff(sums)[same].sum())
            line.covered_ns += int(np.diff(ticks[at])[same].sum())
        line.seen = last

    # -- state ------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """The state as integers and lists; without marks."""
        return {
            "first": list(self.first) if self.first else None,
            "line": None if self.line is None else _as_list(self.line),
            "ends": [_as_list(end) for end in self._ends if self._is_near(end)],
            "drops": [list(astuple(drop)) for drop in self.drops],
            "leaps": [list(astuple(leap)) for leap in self.leaps],
            "spikes": [list(astuple(spike)) for spike in self.spikes],
        }

    def _is_near(self, end: Line) -> bool:
        """The next reading may still go on from it; without this, it would tell how it was fed."""
        most = READINGS_MAX if self._most is not None else FEW
        return self.line is not None and self.line.number - end.number <= most

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Take over the state of a snapshot."""
        self.first = tuple(snapshot["first"]) if snapshot["first"] else None
        self.line = None if snapshot["line"] is None else _line(snapshot["line"])
        self._ends = [_line(end) for end in snapshot["ends"]]
        self.drops = [Break(*fields) for fields in snapshot["drops"]]
        self.leaps = [Break(*fields) for fields in snapshot["leaps"]]
        self.spikes = [Spike(*fields) for fields in snapshot["spikes"]]


def _list(kept: list[Any], one: Break | Spike) -> None:
    if len(kept) < LISTED:
        kept.append(one)


def _add(line: Line, first: Seen, last: Seen) -> None:
    line.matched += last.total - first.total
    line.integral += last.integral - first.integral
    line.covered_ns += last.tick_ns - first.tick_ns


def _as_list(line: Line) -> list[Any]:
    *numbers, seen = astuple(line)
    return [*numbers, None if seen is None else list(seen)]


def _line(fields: Sequence[Any]) -> Line:
    *numbers, seen = fields
    line = Line(*numbers)
    line.seen = None if seen is None else Seen(*seen)
    return line
