"""What a plant emitted so far this hour, this day and this month, as its month counts it.

Figures of record come from totalisers alone (FIGURES.md sections 2 to 5), so these are counted and
nothing else: a period's amount is what a totaliser rose by in it, from the last usable reading
before it, in the month from its first one, without spikes and with leaps as far as the limit lets
pass. Each period is then a statement of its own, made by the
month's own function. What an hour gave no usable reading of is missing there with its reason and
never 0; what rose meanwhile stands in the hour in which the meter is read again. The clinker that
a kiln's raw meal makes stands beside them as an indicator, and is in none of them.

Pure: no I/O, no clock; state leaves and comes back through `snapshot` and `restore`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from edge.calc.blocks import Block
from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.errors import PlantError
from edge.calc.factors import DEFAULT_FACTORS
from edge.calc.folds.beside import Amount, cross_check_rows
from edge.calc.folds.counter import Counter
from edge.calc.folds.counter_meter import CounterMeter, CounterReader, Place
from edge.calc.folds.covered_flow import CoveredFlow
from edge.calc.folds.entries import APART, EntryMeter, lists_of
from edge.calc.folds.kiln_feed_sum import Fed, KilnFeeds
from edge.calc.folds.month_entry import frames
from edge.calc.folds.month_plan import EntryPlan, MonthPlan
from edge.calc.folds.plant import reading_configuration
from edge.calc.inputs import Inputs
from edge.calc.local_time import cut
from edge.calc.statements.accuracy import with_accuracy
from edge.calc.statements.line import COUNTS
from edge.calc.statements.statement import compute, output_key
from evidence.points import Point

PERIODS = ("hour", "day", "month")
METERS_MAX = 1_000
_HOUR_NS = 3_600 * 10**9
_KG_A_TONNE = 1000

#: of one totaliser: counts it rose by, usable readings, readings due
Counted = tuple[int, int, int]


@dataclass
class _Meter:
    """One totaliser of one configuration, counted since the month's beginning."""

    plan: EntryMeter
    step_ns: int = 0
    read: CounterMeter = field(init=False)
    usable: int = 0
    due: int = 0

    def __post_init__(self) -> None:
        self.read = CounterMeter(self.plan)

    @property
    def counter(self) -> Counter:
        return self.read.counter

    @property
    def counted(self) -> Counted:
        return self.counter.total, self.usable, self.due


@dataclass
class _Entry:
    """An entry of the statement section, for as long as it stays the same."""

    plan: EntryPlan
    meters: list[_Meter]
    is_live: bool = True


@dataclass(frozen=True)
class _Mark:
    """Where a period began: its instants, what every totaliser and kiln feed had by then."""

    from_ns: int
    to_ns: int
    counted: tuple[Counted, ...] = ()
    fed: tuple[Fed, ...] = ()


class LiveSums:
    """One plant-local month so far.

    Attributes:
        month: "YYYY-MM".
        from_ns, to_ns: its instants, UTC; to_ns is exclusive.
        through_ns: newest tick that was counted, 0 before any.
    """

    def __init__(self, config: Mapping[str, Any], at_ns: int, *, is_start: bool) -> None:
        """The month an instant lies in.

        Args:
            config: the plant's signed configuration.
            at_ns: the first tick to be counted.
            is_start: the plant has no readings before it: none was due.

        Raises:
            PlantError: the configuration cannot be calculated with.
        """
        self._plan = _plan_of(config)
        self.month = self._plan.days.day(at_ns).month
        self.from_ns, self.to_ns = self._plan.days.month_bounds(self.month)
        self._since_ns = self._seen_ns = at_ns if is_start else self.from_ns
        self.through_ns = 0
        self._entries: list[_Entry] = []
        self._feeds = KilnFeeds()
        self._marks: dict[str, _Mark] = {}
        self._adopt(config)

    def configure(self, config: Mapping[str, Any]) -> None:
        """Go on by another configuration, as `MonthFold.configure` does.

        Raises:
            PlantError: it cannot be calculated with, or is of another plant, zone or rule set.
        """
        plan, before = _plan_of(config), self._plant
        for key in ("id", "time_zone", "rule_set"):
            if before[key] != config["plant"][key]:
                raise PlantError(f"plant.{key} changed within the month")
        self._plan = plan
        self._adopt(config)

    def _adopt(self, config: Mapping[str, Any]) -> None:
        self._plant = config["plant"]
        live = [entry for entry in self._entries if entry.is_live]
        for entry in live:
            entry.is_live = False
        going_on = []
        for plan in self._plan.entries:
            known = next((e for e in live if e.plan.same(plan)), None)
            entry = known or _Entry(plan, [_Meter(meter) for meter in plan.entry.meters])
            if known is None:
                self._entries.append(entry)
            entry.is_live = True
            going_on.append(entry)
        if sum(len(entry.meters) for entry in self._entries) > METERS_MAX:
            raise PlantError(f"more than {METERS_MAX} meters in a month")
        self._reading = [meter for entry in going_on for meter in entry.meters]
        self._feeds.adopt(self._plan.factors.kiln_feed)
        ids = [meter.plan.point.id for meter in self._reading]
        flows = [meter.plan.flow.id for meter in self._reading if meter.plan.flow is not None]
        points = dict.fromkeys([*ids, *flows, *self._feeds.points])
        self._inputs = Inputs(config, list(points))
        self._readers: list[tuple[Place, CoveredFlow | CounterReader]] = [
            reader for meter in self._reading for reader in meter.read.readers(self._inputs)
        ]
        self._places = [self._inputs.place(point_id) for point_id in ids]
        for meter, (schedule, _) in zip(self._reading, self._places, strict=True):
            meter.step_ns = self._inputs.interval_ns(schedule)
        self._feeds.place(self._inputs)

    # -- counting ---------------------------------------------------------------------------------

    @property
    def groups(self) -> frozenset[int]:
        """Groups that are read; of all others the ticks are enough."""
        return self._inputs.groups

    def feed(self, blocks: Sequence[Block]) -> None:
        """Consecutive frames of the month, later than all before; ticks outside are left out."""
        _, late = cut(blocks, self.from_ns)
        rest, _ = cut(late, self.to_ns)
        while rest:
            hour = self._hour(min(int(block.ticks_ns[0]) for block in rest))
            known = self._marks.get("hour")
            # what goes back begins no hour: it is counted in one go, however many hours it is of
            part, rest = cut(rest, hour[1] if known is None else max(hour[1], known.to_ns))
            self._enter(hour)
            self._count(part)

    def _hour(self, at_ns: int) -> tuple[int, int]:
        """The plant-local hour of an instant, counted from its midnight."""
        day = self._plan.days.day(at_ns)
        start_ns = day.start_ns + (at_ns - day.start_ns) // _HOUR_NS * _HOUR_NS
        return start_ns, min(start_ns + _HOUR_NS, day.end_ns)

    def _enter(self, hour: tuple[int, int]) -> None:
        known = self._marks.get("hour")
        if known is not None and hour[0] <= known.from_ns:
            return
        self._pass_time(hour[0])
        counted = tuple(meter.counted for meter in self._meters)
        self._marks["hour"] = _Mark(*hour, counted, self._feeds.fed)
        day, known = self._plan.days.day(hour[0]), self._marks.get("day")
        if known is None or day.start_ns > known.from_ns:
            self._marks["day"] = _Mark(day.start_ns, day.end_ns, counted, self._feeds.fed)

    @property
    def _meters(self) -> list[_Meter]:
        return [meter for entry in self._entries for meter in entry.meters]

    def _count(self, blocks: Sequence[Block]) -> None:
        decoded = self._inputs.decode(blocks)
        for (schedule, row), fold in self._readers:
            if (found := decoded.get(schedule)) is not None:
                fold.feed(found.ticks_ns, found.counts[row], found.ok[row])
        for meter, (schedule, row) in zip(self._reading, self._places, strict=True):
            if (found := decoded.get(schedule)) is not None:
                meter.usable += int(found.ok[row].sum())
        self._feeds.count(decoded)
        newest_ns = max(int(block.ticks_ns[-1]) for block in blocks)
        self.through_ns = max(self.through_ns, newest_ns)
        self._pass_time(newest_ns + 1)

    def _pass_time(self, until_ns: int) -> None:
        """Readings are due up to an instant (exclusive)."""
        if until_ns > self._seen_ns:
            for meter in self._reading:
                step = meter.step_ns
                meter.due += -(-until_ns // step) - (-(-self._seen_ns // step))
            self._seen_ns = until_ns

    # -- what it comes to -------------------------------------------------------------------------

    @property
    def totalisers(self) -> list[CounterMeter]:
        """Every totaliser that was counted in the month."""
        return [meter.read for meter in self._meters]

    def as_map(self, accuracy: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The periods by name, JSON-ready; those without any tick are left out.

        Each: from_ns, to_ns, since_ns (when counting began, in the month), total_t and output_t
        (decimal strings or None), lines (category, kind, zh, unit, quantity, emission_t, and sign:
        -1 of what is subtracted), missing (category, kind, zh, reason, point), completeness
        (point with the smallest share, percent), and of a kiln with a weighed feed `indicator`
        (`KilnFeeds.indicator`, and total_t with it where clinker has no meter). The month's also
        uncertainty, of its total, where `accuracy` says something of it (`statements.accuracy`),
        and checks: flags of cross-checks that are outside.

        Raises:
            StatementError: `accuracy` is wrong.
        """
        marks = {**self._marks, "month": _Mark(self.from_ns, self.to_ns)}
        said = {"month": accuracy}
        return {n: self._period(marks[n], said.get(n)) for n in PERIODS if n in marks}

    def _period(self, mark: _Mark, accuracy: Mapping[str, Any] | None) -> dict[str, Any]:
        meters = self._meters
        before = [*mark.counted, *[(0, 0, 0)] * (len(meters) - len(mark.counted))]
        risen: dict[int, Counted] = {
            # less than before where a period began in a spike that is over
            id(meter): (max(now[0] - then[0], 0), now[1] - then[1], now[2] - then[2])
            for meter, then in zip(meters, before, strict=True)
            for now in [meter.counted]
        }
        missing: list[dict[str, str]] = []
        given = self._input(risen, missing)
        if mark.from_ns == self.from_ns and mark.to_ns == self.to_ns:
            given |= self._cross_checks(risen)
        made = compute(given if accuracy is None else with_accuracy(given, accuracy))
        outside = [flag for flag in made["flags"] if flag.startswith("check:")]
        missing += self._without_meter(made["flags"])
        key = output_key(self._plan.factors.rules.id)
        sure = made.get("uncertainty", {}).get("totals", {}).get("total_t", {})
        beside = self._indicator(mark, made, missing)
        return {
            **({"uncertainty": sure} if sure else {}),
            **({"indicator": beside} if beside else {}),
            **({"checks": outside} if outside else {}),
            "from_ns": mark.from_ns,
            "to_ns": mark.to_ns,
            "since_ns": max(self._since_ns, mark.from_ns),
            "total_t": made["totals"]["total_t"] if made["lines"] else None,
            "output_t": given.get("output", {}).get(key),
            "lines": [self._line(line) for line in made["lines"]],
            "missing": missing,
            "completeness": self._completeness(risen),
        }

    def _cross_checks(self, risen: Mapping[int, Counted]) -> dict[str, Any]:
        """The input's, of entries whose totalisers were all read."""
        amounts = [
            Amount(entry.plan.entry.table, entry.plan.entry.words, meter.plan.point,
                   risen[id(meter)][0] * meter.plan.amount)
            for entry in self._entries
            if all(risen[id(meter)][1] for meter in entry.meters)
            for meter in entry.meters
        ]  # fmt: skip
        rows = cross_check_rows(amounts)
        return {"cross_check": rows} if rows else {}

    def _indicator(
        self, mark: _Mark, made: Mapping[str, Any], missing: Sequence[Mapping[str, str]]
    ) -> dict[str, str]:
        """The clinker of the kiln feed; with it the total, where that is all that has no meter."""
        span_ns = self.through_ns + 1 - max(self._since_ns, mark.from_ns)
        found = self._feeds.indicator(mark.fed, span_ns, self._plan.factors.rules.clinkers)
        lacking = [(part["category"], part["reason"]) for part in missing]
        if found and made["lines"] and lacking == [("clinker", "no-meter")]:
            total = Fraction(made["totals"]["total_t"]) + Fraction(found["emission_t"])
            found["total_t"] = rounded_text(total, 2)
        return found

    def _without_meter(self, flags: Sequence[str]) -> list[dict[str, str]]:
        """What every works of the sector has, and this one has no meter of."""
        metered = {entry.plan.entry.table for entry in self._entries if entry.is_live}
        if "metal" in metered:
            metered |= {"pfc", "anode"} if self._plan.gross_kg_per_t is not None else {"pfc"}
        named = [flag.removeprefix("no-") for flag in flags if flag.startswith("no-")]
        return [{"category": n, "reason": "no-meter"} for n in named if n not in metered]

    def _named(self, category: str, kind: str) -> dict[str, str]:
        """A kind by its id and its Chinese name, as far as it has them."""
        known = self._plan.factors.rules.kinds(category).get(kind)
        return {"category": category, "kind": kind} | ({} if known is None else {"zh": known.zh})

    def _line(self, line: Mapping[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = self._named(line["category"], line["kind"])
        names = ("unit", "quantity", "emission_t")
        shown |= {name: line[name] for name in names if name in line}
        return {**shown, "sign": COUNTS[line["category"]][2]}

    def _input(self, risen: Mapping[int, Counted], missing: list[dict[str, str]]) -> dict[str, Any]:
        """The statement's input of a period; what has no usable reading goes to `missing`."""
        rules = self._plan.factors.rules
        given: dict[str, Any] = {"rule_set": rules.id, "month": self.month}
        given |= {table: [] for table in lists_of(rules)}
        single: dict[str, Fraction] = {}
        points: dict[str, list[Point]] = {}
        for entry in self._entries:
            table = entry.plan.entry.table
            if table in APART:
                continue
            if not entry.meters:  # documents tell it, after the month
                if entry.is_live:
                    named = self._named(table, entry.plan.entry.kind)
                    missing.append({**named, "reason": "no-meter"})
                continue
            if silent := [m for m in entry.meters if not risen[id(m)][1]]:
                if entry.is_live:
                    point = silent[0].plan.point.id
                    named = self._named(table, entry.plan.entry.kind)
                    missing.append({**named, "reason": "no-reading", "point": point})
                continue
            amounts = {m.plan.key: risen[id(m)][0] * m.plan.amount for m in entry.meters}
            if table in given:
                row = {key: exact_text(amount) for key, amount in amounts.items()}
                told = {m.plan.key: frames([m.plan.point]) for m in entry.meters}
                given[table].append({**entry.plan.entry.words, **row, "provenance": told})
            else:
                single[table] = single.get(table, Fraction(0)) + sum(amounts.values())
                points.setdefault(table, []).extend(m.plan.point for m in entry.meters)
        return given | self._single(single, points)

    def _single(
        self, sums: Mapping[str, Fraction], points: Mapping[str, Sequence[Point]]
    ) -> dict[str, Any]:
        """What is made of the metal, and the output the intensity is of."""
        rules, result = self._plan.factors.rules, dict[str, Any]()
        metal = sums.get("metal")
        if metal is not None:
            told = frames(points["metal"])
            result["pfc"] = {"metal_t": exact_text(metal), "provenance": {"metal_t": told}}
            if self._plan.gross_kg_per_t is not None:
                gross = metal * self._plan.gross_kg_per_t / _KG_A_TONNE
                typed = {"gross_t": {"typed": dict(self._plan.anode or {}), **told}}
                result["anode"] = {"gross_t": exact_text(gross), "provenance": typed}
        output = sums.get("metal" if rules.record == DEFAULT_FACTORS else "output")
        if output is not None:
            result["output"] = {output_key(rules.id): exact_text(output)}
        return result

    def _completeness(self, risen: Mapping[int, Counted]) -> dict[str, str] | None:
        """The meter with the smallest share of usable readings; None where none was due."""
        shares = [
            (Fraction(usable, due), meter.plan.point.id)
            for entry in self._entries
            if entry.is_live and entry.plan.entry.table not in APART
            for meter in entry.meters
            for _, usable, due in [risen[id(meter)]]
            if due > 0
        ]
        if not shares:
            return None
        share, point = min(shares)
        return {"point": point, "percent": rounded_text(share * 100, 2)}

    # -- state ------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """The state as maps, lists and integers; not the configurations."""
        return {
            "since": self._since_ns,
            "seen": self._seen_ns,
            "through": self.through_ns,
            "meters": [[m.read.snapshot(), m.usable, m.due] for m in self._meters],
            "feeds": self._feeds.snapshot(),
            "marks": {
                name: [
                    mark.from_ns,
                    mark.to_ns,
                    *(list(map(list, x)) for x in (mark.counted, mark.fed)),
                ]
                for name, mark in self._marks.items()
            },
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Take over a snapshot, after the same configurations in the same order."""
        self._since_ns, self._seen_ns = snapshot["since"], snapshot["seen"]
        self.through_ns = snapshot["through"]
        for meter, (state, usable, due) in zip(self._meters, snapshot["meters"], strict=True):
            meter.read.restore(state)
            meter.usable, meter.due = usable, due
        self._feeds.restore(snapshot["feeds"])
        self._marks = {
            name: _Mark(
                from_ns,
                to_ns,
                tuple((a, b, c) for a, b, c in counted),
                tuple((total, time) for total, time in fed),
            )
            for name, (from_ns, to_ns, counted, fed) in snapshot["marks"].items()
        }


def _plan_of(config: Mapping[str, Any]) -> MonthPlan:
    """Without potlines: no figure of record is made of what happens in pots."""
    with reading_configuration():
        plan = MonthPlan({**config, "potlines": []})
    plan.config = {}  # of a thousand plants they would be a gigabyte, and all is read of it
    return plan
