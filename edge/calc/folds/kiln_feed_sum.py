"""The clinker that a kiln's raw meal makes, summed over hours: an indicator beside the figures.

Raw meal is weighed as a flow, and nothing that is counted comes of a flow: what stands here is
never in a line or a total. A reading stands until the next one; silences longer than that are not
bridged, and how much of the time was covered is told. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import rounded_text
from edge.calc.factors import Kind
from edge.calc.folds.entries import Rated
from edge.calc.folds.meter import FlowIntegral
from edge.calc.inputs import Inputs, Readings

_HOUR_NS = 3_600 * 10**9
_SILENCE = 2  # intervals: one missed reading is bridged by the one before it

#: of one feed: integral (count·ns), time covered (ns)
Fed = tuple[int, int]


@dataclass
class _Feed:
    """One kiln feed for as long as its configuration stays the same."""

    rated: Rated
    integral: FlowIntegral = field(default_factory=FlowIntegral)
    is_live: bool = True


class KilnFeeds:
    """The kiln feed of a month; its pieces where it changed within it.

    Attributes:
        points: ids of the flows that are read now: one or none.
    """

    def __init__(self) -> None:
        self._feeds: list[_Feed] = []
        self._read: list[tuple[_Feed, int, int]] = []  # with schedule and row
        self.points: list[str] = []

    def adopt(self, rated: Rated | None) -> None:
        """Go on with this feed; what is equal to the one before keeps its sums."""
        known = next((f for f in self._feeds if f.is_live and f.rated == rated), None)
        for feed in self._feeds:
            feed.is_live = feed is known
        if rated is not None and known is None:
            self._feeds.append(_Feed(rated))
        self.points = [feed.rated.flow.id for feed in self._feeds if feed.is_live]

    def place(self, inputs: Inputs) -> None:
        """Read by these inputs from now on; they know `points`."""
        live = [feed for feed in self._feeds if feed.is_live]
        self._read = [(feed, *inputs.place(feed.rated.flow.id)) for feed in live]
        for feed, schedule, _ in self._read:
            feed.integral.longest_ns = _SILENCE * inputs.interval_ns(schedule)

    def count(self, decoded: Mapping[int, Readings]) -> None:
        """Advance by what came of its schedule."""
        for feed, schedule, row in self._read:
            if (found := decoded.get(schedule)) is not None:
                feed.integral.feed(found.ticks_ns, found.counts[row], found.ok[row])

    @property
    def fed(self) -> tuple[Fed, ...]:
        """What came so far, by piece."""
        return tuple((feed.integral.total, feed.integral.covered_ns) for feed in self._feeds)

    def indicator(
        self, since: Sequence[Fed], span_ns: int, kinds: Mapping[str, Kind]
    ) -> dict[str, str]:
        """What the feed made in a period: kind, zh, clinker_t, emission_t, covered_percent.

        Args:
            since: `fed` when the period began.
            span_ns: from the beginning of counting in the period to its newest tick.
            kinds: of clinker.

        Returns:
            Nothing where there is no feed now.
        """
        live = next((feed.rated for feed in self._feeds if feed.is_live), None)
        if live is None:
            return {}
        clinker = emission = Fraction(0)
        covered_ns = 0
        before = [*since, *[(0, 0)] * (len(self._feeds) - len(since))]
        for feed, (total, time_ns), was in zip(self._feeds, self.fed, before, strict=True):
            made = (total - was[0]) * feed.rated.amount / _HOUR_NS
            clinker += made
            emission += made * feed.rated.co2_per_unit
            covered_ns += time_ns - was[1]
        return {
            "kind": live.kind, "zh": kinds[live.kind].zh,
            "clinker_t": rounded_text(clinker, 2), "emission_t": rounded_text(emission, 2),
            "covered_percent": rounded_text(Fraction(100 * covered_ns, max(span_ns, 1)), 2),
        }  # fmt: skip

    def snapshot(self) -> list[Any]:
        """The state as lists and integers."""
        return [feed.integral.snapshot() for feed in self._feeds]

    def restore(self, snapshot: Sequence[Any]) -> None:
        """Take over a snapshot, after the same configurations."""
        for feed, state in zip(self._feeds, snapshot, strict=True):
            feed.integral.restore(state)
