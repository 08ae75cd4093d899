"""One meter over a period by statement format 2: its counter, its flow, and what is told of them.

FIGURES.md section 2. Pure: no I/O, no clock.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from edge.calc.blocks import Bool, Int64
from edge.calc.decimal_text import exact_text
from edge.calc.folds.counter import Break, Counter, Spike
from edge.calc.folds.counter_checks import counted_too_often, flow_check
from edge.calc.folds.counter_corrections import CORRECTION, Correction, corrections_of
from edge.calc.folds.covered_flow import CoveredFlow
from edge.calc.folds.entries import EntryMeter
from edge.calc.folds.leaps import most_per_hour
from edge.calc.folds.marks import Marks
from edge.calc.folds.papers import Papers
from edge.calc.inputs import Inputs
from evidence.counts import count_to_text
from evidence.points import Point

_SECOND_NS = 10**9
Place = tuple[int, int]  # schedule, row in its readings


class CounterReader:
    """Feeds a counter beside its flow, which is fed before it."""

    def __init__(self, counter: Counter, flow: CoveredFlow | None) -> None:
        """Both begin together."""
        self._counter, self._flow = counter, flow

    def feed(self, ticks_ns: Int64, counts: Int64, ok: Bool) -> None:
        """Take n readings of the totaliser."""
        beside = None if self._flow is None else self._flow.at(ticks_ns)
        self._counter.feed(ticks_ns, counts, ok, beside)


class CounterMeter:
    """The month's quantity of one totaliser.

    Attributes:
        plan: the point, what it counts and its factors.
        counter: counts it.
        flow: the integral beside it, or None.
    """

    def __init__(self, plan: EntryMeter, marks: Marks | None = None) -> None:
        """Nothing was read yet."""
        self.plan = plan
        self.point = plan.point
        self.most = most_per_hour(plan)
        self.counter = Counter(self.most, marks)
        self.flow = CoveredFlow() if plan.flow else None
        self._corrections: list[Correction] = []
        self._are_all_used = True

    def readers(self, inputs: Inputs) -> Iterable[tuple[Place, CoveredFlow | CounterReader]]:
        """Folds to feed and their inputs, at the intervals of these inputs; the flow first."""
        if self.flow is not None and self.plan.flow is not None:
            place = inputs.place(self.plan.flow.id)
            self.flow.longest_ns = 2 * inputs.interval_ns(place[0])
            yield place, self.flow
        yield inputs.place(self.point.id), CounterReader(self.counter, self.flow)

    def snapshot(self) -> list[Any]:
        """Counter and flow as maps, integers and lists; without marks and corrections."""
        return [self.counter.snapshot(), None if self.flow is None else self.flow.snapshot()]

    def restore(self, snapshot: Sequence[Any]) -> None:
        """Take over the state of a snapshot."""
        self.counter.restore(snapshot[0])
        if self.flow is not None:
            self.flow.restore(snapshot[1])

    def correct(self, papers: Papers) -> None:
        """Take what persons signed in the place of what drops and leaps counted, from here on."""
        breaks = [*self.counter.drops, *self.counter.leaps]
        found = corrections_of(self.point, breaks, papers) if self.asks_papers else ([], True)
        self._corrections, self._are_all_used = found

    @property
    def quantity(self) -> Fraction | None:
        """Counted amount in the statement's unit; None without any reading."""
        if self.counter.first is None:
            return None
        decimals = self.point.decimals
        added = sum((one.added(decimals) for one in self._corrections), Fraction(0))
        counts = self.counter.total + added * Fraction(10**decimals)
        return counts * self.plan.amount

    @property
    def asks_papers(self) -> bool:
        """Whether signed documents can explain something of this meter."""
        line = self.counter.line
        return line is not None and line.drops + line.leaps + line.spikes > 0

    def flags(self, papers: Papers) -> list[str]:
        """Flags that the statement must carry for this meter."""
        line, point = self.counter.line, self.point.id
        if line is None:
            return [f"no-reading:{point}"]
        found = [
            f"totaliser-{name}:{point}"
            for name, count in (("drop", line.drops), ("leap", line.leaps), ("spike", line.spikes))
            if count
        ]
        if line.leaps and not self._is_explained(papers):
            found.append(f"leap-unexplained:{point}")
        if self._corrections:
            found.append(f"counter-corrected:{point}")
        if not self._are_all_used:
            found.append(f"not-usable:{point}.{CORRECTION}")
        for check in self.checks(papers):
            if check["result"] != "within":
                kind = "check" if check["result"] == "outside" else "not-checked"
                found.append(f"{kind}:{check['check']}:{point}")
        return found

    def _is_explained(self, papers: Papers) -> bool:
        leaps, line = self.counter.leaps, self.counter.line
        is_listed = line is not None and line.leaps == len(leaps)
        return is_listed and all(
            self.is_corrected(leap) or replacements(self.point, leap, papers) for leap in leaps
        )

    def is_corrected(self, of: Break) -> bool:
        """A correction that is used takes the place of what a drop or leap counted."""
        return any(of in correction.met for correction in self._corrections)

    def reading_map(self, papers: Papers) -> dict[str, Any]:
        """First and last reading, what was counted between, and what was not."""
        from_ns, to_ns = papers.period
        result: dict[str, Any] = {"point": self.point.id, "unit": self.point.quantity.unit}
        counter, line = self.counter, self.counter.line
        if counter.first is None or line is None:
            return result
        first_ns, first = counter.first
        result |= {
            "first": {
                "tick_ns": first_ns,
                "value": self._text(first),
                "after_start_s": exact_text(Fraction(first_ns - from_ns, _SECOND_NS)),
            },
            "last": {
                "tick_ns": line.tick_ns,
                "value": self._text(line.count),
                "before_end_s": exact_text(Fraction(to_ns - line.tick_ns, _SECOND_NS)),
            },
            "difference": self._text(line.total),
            "steps_upward": self._text(line.risen),
            "drop_count": line.drops,
            "drops": [self._beside(drop) for drop in counter.drops],
        }
        if line.leaps:
            result["leap_count"] = line.leaps
            result["leaps"] = [self._leap(leap, papers) for leap in counter.leaps]
        if line.spikes:
            result["spike_count"] = line.spikes
            result["spikes"] = [self._spike(spike) for spike in counter.spikes]
        if self._corrections:
            decimals = self.point.decimals
            added = sum((one.added(decimals) for one in self._corrections), Fraction(0))
            result["corrections"] = [one.as_map(decimals) for one in self._corrections]
            result["corrected"] = exact_text(Fraction(line.total, 10**decimals) + added)
        return result

    def _text(self, count: int) -> str:
        return count_to_text(count, self.point.decimals)

    def _beside(self, of: Break | Spike) -> dict[str, Any]:
        return {
            "since_ns": of.since_ns,
            "tick_ns": of.tick_ns,
            "before": self._text(of.before),
            "after": self._text(of.after),
        }

    def _leap(self, leap: Break, papers: Papers) -> dict[str, Any]:
        told = replacements(self.point, leap, papers)
        return {**self._beside(leap), "counted": self._text(leap.counted), "replacements": told}

    def _spike(self, spike: Spike) -> dict[str, Any]:
        risen = self._text(spike.risen)
        return {**self._beside(spike), "readings": spike.readings, "steps_upward": risen}

    def checks(self, papers: Papers) -> Sequence[dict[str, Any]]:
        """The flow against it over the same time; drops and spikes where they are too many."""
        line = self.counter.line
        if line is None:
            return []
        found = [] if self.plan.flow is None else [flow_check(self.plan, line, papers.period)]
        return [*found, *counted_too_often(self.point.id, line)]


def replacements(point: Point, leap: Break, papers: Papers) -> list[str]:
    """Hashes of the exchanges of a meter, or of its device, that meet a leap."""
    abouts = dict.fromkeys([point.id, *([point.device] if point.device else [])])
    span = leap.since_ns, leap.tick_ns
    return sorted({p.sha256 for about in abouts for p in papers.replacements(about, span)})
