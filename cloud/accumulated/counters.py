"""What totalisers do in a month that is not closed, and people must look at. Pure.

The flags are those that the month's statement would carry, made by the same rule. Beside them
stand the newest leap, drop and spike, and how a totaliser and its own flow went together lately:
over a month one wrong minute is not seen, and a person is to be told within it.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from edge.calc.decimal_text import rounded_text
from edge.calc.flags import Flag
from edge.calc.folds.counter import Break, Spike
from edge.calc.folds.counter_meter import CounterMeter, replacements
from edge.calc.folds.leaps import most_per_hour
from edge.calc.folds.live_sums import LiveSums
from edge.calc.folds.papers import Paper, Papers
from evidence.counts import count_to_text

#: what "lately" is judged by: so many marks so far apart, then others up to an hour back
NEAR, MARK_NS, FAR_NS, REACH_NS = 8, 10 * 10**9, 600 * 10**9, 3_600 * 10**9
#: readings of a flow that say something of what passed: a furnace may switch between two of them
LEAST_READINGS = 8
#: of a shorter part of a month balances say nothing: what is weighed in is burnt later
LEAST_CHECKED_NS = 86_400 * 10**9
_HOUR_NS = 3_600 * 10**9
#: attribute of a counter -> what one of it is called
_FLOW = "flow-totaliser"
_EVENTS = {"leaps": "leap", "drops": "drop", "spikes": "spike"}


@dataclass(frozen=True)
class Event:
    """A leap, drop or spike of a totaliser.

    Attributes:
        at_ns: the reading after it, UTC ns.
        before, after: what the totaliser showed, in its unit.
        is_explained: somebody signed an exchange of the meter, or a correction, that meets it.
    """

    at_ns: int
    before: str
    after: str
    is_explained: bool


@dataclass(frozen=True)
class Apart:
    """A totaliser and its own flow over the same time, in the statement's unit.

    Attributes:
        seconds: over which.
        totaliser, integral: what each counted.
        whole: what can have passed; None where nothing signed says it.
    """

    seconds: int
    totaliser: Fraction
    integral: Fraction
    whole: Fraction | None

    @property
    def percent(self) -> Fraction:
        """How far they are apart, of the larger one; 0 where neither counted anything."""
        largest = max(abs(self.totaliser), abs(self.integral))
        return abs(self.totaliser - self.integral) * 100 / largest if largest else Fraction(0)

    @property
    def of_whole(self) -> Fraction:
        """The same of what can have passed; 100 where nothing says that."""
        return (
            abs(self.totaliser - self.integral) * 100 / self.whole if self.whole else Fraction(100)
        )


@dataclass(frozen=True)
class CounterTold:
    """One totaliser in one month.

    Attributes:
        month: "YYYY-MM".
        point, unit: of the totaliser.
        flow_point: the flow beside it, "" without one.
        step: one count of the totaliser, in the statement's unit.
        flags: those that the month's statement would carry.
        events: "leap", "drop", "spike" -> the newest one.
        lately: over the last minute or more, and the last hour, as far as both were read.
        so_far: in the month; None without a flow.
    """

    month: str
    point: str
    unit: str
    flow_point: str
    step: Fraction
    flags: Sequence[str]
    events: Mapping[str, Event]
    lately: Sequence[Apart] = ()
    so_far: Mapping[str, Any] | None = None


class _Mark(NamedTuple):
    """What a totaliser and its flow had counted at a tick."""

    at_ns: int
    matched: int
    integral: int
    covered_ns: int


@dataclass
class _Marks:
    """Marks of one totaliser: the newest close together, older ones far apart."""

    near: deque[_Mark] = field(default_factory=lambda: deque(maxlen=NEAR))
    far: deque[_Mark] = field(default_factory=deque)

    def add(self, now: _Mark) -> None:
        if self.near and now.at_ns - self.near[-1].at_ns < MARK_NS:
            return
        if len(self.near) == NEAR:
            gone = self.near[0]
            if not self.far or gone.at_ns - self.far[-1].at_ns >= FAR_NS:
                self.far.append(gone)
        self.near.append(now)
        while self.far and now.at_ns - self.far[0].at_ns > REACH_NS:
            self.far.popleft()

    def all(self) -> list[_Mark]:
        """Oldest first."""
        return [*self.far, *self.near]


@dataclass
class Lately:
    """Marks of a plant's totalisers over the last hour of ticks, in memory alone."""

    marks: dict[str, _Marks] = field(default_factory=dict)

    def forget(self) -> None:
        """Readings of a time that is over are counted: nothing is lately."""
        self.marks.clear()

    def of(self, meter: CounterMeter, through_ns: int, least_ns: int) -> list[Apart]:
        """Over the shortest time of at least `least_ns`, and over the longest that is known."""
        line = meter.counter.line
        if meter.flow is None or line is None:
            return []
        least_ns = max(least_ns, LEAST_READINGS * meter.flow.longest_ns // 2)
        now = _Mark(through_ns, line.matched, line.integral, line.covered_ns)
        held = self.marks.setdefault(meter.point.id, _Marks())
        marks = held.all()
        if marks and (now.covered_ns < marks[-1].covered_ns or now.matched < marks[-1].matched):
            # a spike was taken back, and with it what was compared
            held = self.marks[meter.point.id] = _Marks()
            marks = []
        near = next((m for m in reversed(marks) if now.covered_ns - m.covered_ns >= least_ns), None)
        held.add(now)
        found = [] if near is None else [_between(meter, near, now)]
        if near is not None and marks[0] is not near:
            found.append(_between(meter, marks[0], now))
        return found


def _between(meter: CounterMeter, then: _Mark, now: _Mark) -> Apart:
    covered_ns, most = now.covered_ns - then.covered_ns, most_per_hour(meter.plan)
    return Apart(
        covered_ns // 10**9,
        (now.matched - then.matched) * meter.plan.amount,
        (now.integral - then.integral) * meter.plan.flow_amount / _HOUR_NS,
        None if most is None else most * meter.plan.amount * Fraction(covered_ns, _HOUR_NS),
    )


def counters_of(
    sums: LiveSums, papers: Sequence[Paper], lately: Lately | None = None, least_ns: int = 0
) -> list[CounterTold]:
    """Totalisers of a month that were read, and what is to be told of them.

    Args:
        sums: the month so far.
        papers: documents that stand.
        lately: marks of the running month; None of one that is over.
        least_ns: the shortest time that is judged.
    """
    period = sums.from_ns, min(sums.through_ns + 1, sums.to_ns)
    beside = Papers(papers, (sums.from_ns, sums.to_ns), period)
    return [
        _told(sums, meter, beside, [] if lately is None else
              lately.of(meter, sums.through_ns, least_ns))
        for meter in sums.totalisers
        if meter.counter.line is not None
    ]  # fmt: skip


def is_asked_of_people(sums: LiveSums) -> bool:
    """Whether the month has something that somebody has to explain."""
    return bool(checks_of(sums)) or any(owed_flags(one) for one in counters_of(sums, ()))


def is_judged(sums: LiveSums) -> bool:
    """So much of the month was counted that its cross-checks say something."""
    return sums.through_ns - sums.from_ns >= LEAST_CHECKED_NS


def checks_of(sums: LiveSums) -> list[str]:
    """Flags of the month's cross-checks that are outside; none in its first day."""
    return [] if not is_judged(sums) else list(sums.as_map()["month"].get("checks", ()))


def owed_flags(told: CounterTold) -> list[Flag]:
    """Those of its flags that somebody has to explain before the month is closed."""
    flags = [Flag(text) for text in told.flags]
    return [flag for flag in flags if flag.row is not None and flag.row.owed_by]


def _told(
    sums: LiveSums, meter: CounterMeter, papers: Papers, lately: Sequence[Apart]
) -> CounterTold:
    meter.correct(papers)
    events = {
        name: _event(meter, getattr(meter.counter, of)[-1], papers)
        for of, name in _EVENTS.items()
        if getattr(meter.counter, of)
    }
    line, flags = meter.counter.line, meter.flags(papers)
    is_short = line is None or line.covered_ns < _HOUR_NS  # of a month that has just begun
    checks = [] if is_short else [c for c in meter.checks(papers) if c["check"] == _FLOW]
    if is_short:
        flags = [flag for flag in flags if flag.split(":")[1:2] != [_FLOW]]
    return CounterTold(
        sums.month, meter.point.id, meter.point.quantity.unit,
        "" if meter.plan.flow is None else meter.plan.flow.id, abs(meter.plan.amount),
        flags, events, lately, checks[0] if checks else None,
    )  # fmt: skip


def _event(meter: CounterMeter, of: Break | Spike, papers: Papers) -> Event:
    decimals = meter.point.decimals
    is_explained = isinstance(of, Break) and (
        meter.is_corrected(of) or bool(replacements(meter.point, of, papers))
    )
    before, after = (count_to_text(count, decimals) for count in (of.before, of.after))
    return Event(of.tick_ns, before, after, is_explained)


def amount_text(amount: Fraction) -> str:
    """An amount as people read it."""
    return rounded_text(amount, 3)
