"""A month folded from its frames: the full input of its statement.

Feed it the frames of one plant-local month in order; `result` gives the input `statement.compute`
takes, every number with its provenance. Quantities come from totalisers (last good minus first
good reading); the integral of a flow stands beside them as a check and is never the figure.
Memory is bounded: of effects the first are listed, and all counted; a month has a bounded number
of meters, potlines and pots, those of earlier configurations included.

Flags it can bring: no-reading:<point>, totaliser-drop:<point>, totaliser-leap:<point>,
totaliser-spike:<point>, leap-unexplained:<point>, counter-corrected:<point>, check:<id>:<point> and
not-checked:<id>:<point> of `counter_checks`, ticks-outside-month, no-producing-time,
indicator-needs-metal-by-potline, configuration-changed, slow-pot-voltage:<potline>,
unconfirmed:overvoltage.algebraic, and those of `month_papers`.
Pure: no I/O, no clock.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from edge.calc.blocks import Block
from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.effects.sampling import FLAG
from edge.calc.errors import PlantError
from edge.calc.factors import DEFAULT_FACTORS, RuleSet
from edge.calc.folds.beside import Amount, cross_check_rows
from edge.calc.folds.counter_meter import Place
from edge.calc.folds.month_entry import (
    AnyMeter,
    MonthEntry,
    Reader,
    class_of,
    together,
)
from edge.calc.folds.month_line import ALGEBRAIC_FLAG, EFFECTS_LISTED, RATE_PLACES, MonthLine, aem
from edge.calc.folds.month_papers import MonthPapers, rows
from edge.calc.folds.month_plan import MonthPlan
from edge.calc.folds.papers import Paper, Papers
from edge.calc.folds.plant import reading_configuration
from edge.calc.folds.usable import DueReadings, UsableReadings
from edge.calc.instants import utc_text
from edge.calc.local_time import cut
from edge.calc.statements.statement import output_key

#: the parts of a configuration that figures are made by, and of its plant what stays in a month
_READ = ("schedules", "points", "groups", "potlines", "statement")
_FIXED = ("id", "time_zone", "rule_set")
_KG_A_TONNE = 1000
#: of all configurations of a month together; a works has a few potlines and a thousand pots
METERS_MAX, LINES_MAX, POTS_MAX, POINTS_MAX = 1_000, 200, 20_000, 100_000
SOURCES_MAX = 100  # each may name a thousand documents, in the statement too
EFFECTS_MAX = 1_000_000  # thirty a day in each of a thousand pots


class MonthFold:
    """One plant's month."""

    def __init__(self, statement_format: int = 2) -> None:
        """`statement_format`: by whose rules counters are read; 1 is of archives sealed before."""
        self._format = statement_format
        self._plan: MonthPlan | None = None
        self._changes = 0
        self._entries: list[MonthEntry] = []
        self._live_entries: list[MonthEntry] = []  # those of the present configuration
        self._lines: list[MonthLine] = []
        self._live_lines: list[MonthLine] = []  # those of the present configuration
        self._folds: list[tuple[Place, Reader]] = []
        self._usable, self._due = UsableReadings(), DueReadings()
        self._bounds: tuple[int, int] | None = None
        self._outside = 0

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the plant's signed configuration; call it at every change of it.

        Meters and potlines that are the same in both go on; others begin a new piece beside the
        old one, effects running there are ended ("configuration-change"), and the statement is
        flagged "configuration-changed".

        Raises:
            UnknownRuleSetError: its rule set is not in this program.
            PlantError: it cannot be calculated with, or changes what a month cannot change:
                plant, time zone, rule set. The fold is then as before.
        """
        before = self._plan
        with reading_configuration():
            if before is not None:
                plants = before.config["plant"], config["plant"]
                if changed := [key for key in _FIXED if plants[0][key] != plants[1][key]]:
                    raise PlantError(f"plant.{changed[0]} changed within the month")
                if all(before.config.get(key) == config.get(key) for key in _READ):
                    return
            plan = MonthPlan(config)
        self._check_room(plan)
        self._changes += before is not None
        self._adopt(plan)

    def _check_room(self, plan: MonthPlan) -> None:
        """PlantError when the month would have too many parts with this configuration."""
        more = [p for p in plan.entries if not any(e.plan.same(p) for e in self._live_entries)]
        meters = len(self._meters) + sum(len(p.entry.read) for p in more)
        new = [p for p in plan.lines if not any(m.plan.same(p) for m in self._live_lines)]
        lines = [*(m.line for m in self._lines), *(p.line for p in new)]
        pots = sum(len(line.pots) for line in lines)
        points = len({*self._usable.by_point(), *(point["id"] for point in plan.config["points"])})
        if meters > METERS_MAX or len(lines) > LINES_MAX:
            raise PlantError(f"more than {METERS_MAX} meters or {LINES_MAX} potlines in a month")
        told = sum(bool(p.entry.source) for p in (*(e.plan for e in self._entries), *more))
        if told > SOURCES_MAX:
            raise PlantError(f"more than {SOURCES_MAX} entries with a source in a month")
        if pots > POTS_MAX or points > POINTS_MAX:
            raise PlantError(f"more than {POTS_MAX} pots or {POINTS_MAX} points in a month")

    def _adopt(self, plan: MonthPlan) -> None:
        """Go on with another configuration."""
        self._usable.configure(plan.config)
        self._due.configure(plan.config)
        self._folds, live_entries = [], []
        # one that was left out for a while begins anew: what it rose meanwhile was not its own
        for entry_plan in plan.entries:
            entry = next((e for e in self._live_entries if e.plan.same(entry_plan)), None)
            if entry is None:
                entry = MonthEntry(entry_plan, self._format, is_whole=self._plan is None)
                self._entries.append(entry)
            live_entries.append(entry)
            self._folds += entry.read_as(plan.inputs)
        for entry in self._entries:
            entry.is_whole &= entry in live_entries
        going_on = []
        for line_plan in plan.lines:
            line = next((m for m in self._live_lines if m.plan.same(line_plan)), None)
            if line is None:
                line = MonthLine(line_plan)
                self._lines.append(line)
            line.line.read_as(line_plan.line, plan.inputs)
            going_on.append(line)
        for line in self._live_lines:
            if line not in going_on:
                line.close()
        self._live_entries, self._live_lines, self._plan = live_entries, going_on, plan
        for line in self._lines:
            line.listed = EFFECTS_LISTED // len(self._lines)

    @property
    def _meters(self) -> list[AnyMeter]:
        return [meter for entry in self._entries for meter in entry.read]

    def feed(self, blocks: Sequence[Block]) -> None:
        """All blocks of one frame (or tick), later than all before, of one month.

        Ticks outside the month of the very first tick are counted, flagged and not used.

        Raises:
            PlantError: not configured, or a month of more effects than pots can have.
        """
        plan = self._planned()
        inside = self._within_month([block for block in blocks if len(block.ticks_ns)])
        self._usable.feed(inside)
        self._due.feed(inside)
        decoded = plan.inputs.decode(inside)
        for (schedule, row), fold in self._folds:
            if (readings := decoded.get(schedule)) is not None:
                fold.feed(readings.ticks_ns, readings.counts[row], readings.ok[row])
        aligned = plan.inputs.align(decoded)
        for line in self._live_lines:
            line.feed(aligned)

    def _planned(self) -> MonthPlan:
        """The present plan; PlantError when there is none, or there is no going on with it."""
        if self._plan is None:
            raise PlantError("no configuration yet: call configure first")
        if sum(line.effects for line in self._lines) > EFFECTS_MAX:
            raise PlantError(f"more than {EFFECTS_MAX} anode effects in a month")
        return self._plan

    def _within_month(self, blocks: list[Block]) -> list[Block]:
        if not blocks:
            return []
        if self._bounds is None:
            first = min(int(block.ticks_ns[0]) for block in blocks)
            days = self._planned().days
            self._bounds = days.month_bounds(days.day(first).month)
        total = sum(len(block.ticks_ns) for block in blocks)
        _, late = cut(blocks, self._bounds[0])
        inside, _ = cut(late, self._bounds[1])
        self._outside += total - sum(len(block.ticks_ns) for block in inside)
        return inside

    @property
    def needs_papers(self) -> bool:
        """What persons signed makes figures of the month, or says why a counter leapt."""
        return (
            any(entry.plan.entry.source for entry in self._entries)
            or (self._plan is not None and bool(self._plan.anode_source))
            or any(meter.asks_papers for meter in self._meters)
        )

    def result(
        self, period_from_ns: int, period_to_ns: int, closing: str, papers: Sequence[Paper] = ()
    ) -> dict[str, Any]:
        """The input of the month's statement for a period; feeding may go on afterwards.

        Args:
            period_from_ns: start of the period, UTC ns, inside the month.
            period_to_ns: its end (exclusive); the next month's first midnight when final.
            closing: "interim" or "final".
            papers: documents of persons that stand.
        """
        plan = self._planned()
        month = plan.days.day(period_from_ns).month
        bounds = plan.days.month_bounds(month)
        at_month_end = period_to_ns >= bounds[1]
        there = Papers(papers, bounds, (period_from_ns, period_to_ns))
        for meter in self._meters:
            meter.correct(there)
        checks = [check for meter in self._meters for check in meter.checks(there)]
        beside = MonthPapers(plan.factors.rules, there, self._entries)
        return {
            "rule_set": plan.factors.rules.id,
            "month": month,
            "plant": plan.plant_id,
            "period": {"from": utc_text(period_from_ns), "to": utc_text(period_to_ns)},
            "closing": closing,
            **self._activity(plan, beside),
            **({"bridges": beside.bridges} if beside.bridges else {}),
            **({"cross_check": checked} if (checked := self._cross_checks()) else {}),
            "potlines": [line.as_map(at_month_end=at_month_end) for line in self._lines],
            "totalisers": [meter.reading_map(there) for meter in self._meters],
            "checks": checks + beside.checks,
            "completeness": self._completeness(plan, *there.period),
            **self._reservations(),
            "flags": sorted(self._flags(there) | beside.flags),
        }

    def _activity(self, plan: MonthPlan, papers: MonthPapers) -> dict[str, Any]:
        """The tables figures are made from; a quantity without any reading is left out."""
        rules = plan.factors.rules
        result: dict[str, Any] = dict(rows(rules, self._entries, papers))
        if rules.record != DEFAULT_FACTORS:
            output = together(self._entries, "output")
            return result | (_output(rules, *output) if output else {})
        metal = together(self._entries, "metal")
        if metal is None:
            return result
        metal_t, provenance = metal
        if plan.anode is not None and plan.gross_kg_per_t is not None:
            gross = metal_t * plan.gross_kg_per_t / _KG_A_TONNE
            typed = {"typed": dict(plan.anode), **provenance}
            result["anode"] = {"gross_t": exact_text(gross), "provenance": {"gross_t": typed}}
            if plan.anode_source:
                papers.anode(result["anode"], plan.anode_source)
        result["pfc"] = {"metal_t": exact_text(metal_t), "provenance": {"metal_t": provenance}}
        if indicator := self._indicator():
            result["pfc"]["indicator"] = indicator
        return result | _output(rules, *metal)

    def _cross_checks(self) -> list[dict[str, Any]]:
        """Second meters, stacks and heat beside the figures; statement format 1 has none."""
        amounts = [
            Amount(entry.table, entry.plan.entry.words, meter.point, quantity)
            for entry in self._entries
            for meter, quantity in entry.quantities.values()
        ]
        return [] if self._format == 1 else cross_check_rows(amounts)

    def _indicator(self) -> dict[str, Any] | None:
        """Anode-effect minutes of all potlines together, if they share their coefficients."""
        producing_ns = sum(line.producing_ns() for line in self._lines)
        if not producing_ns or not self._one_technology():
            return None
        minutes = aem(sum(line.polarised_ns() for line in self._lines), producing_ns)
        names = " ".join(dict.fromkeys(m.line.id for m in self._lines))
        read = [provenance for m in self._lines for provenance in m.provenances]
        frames = {"potline": names, "rule": "anode-effect", "class": class_of(read)}
        return self._lines[0].line.indicator.as_map(rounded_text(minutes, RATE_PLACES), frames)

    def _one_technology(self) -> bool:
        return len({m.line.indicator for m in self._lines}) == 1

    def _completeness(self, plan: MonthPlan, from_ns: int, to_ns: int) -> dict[str, dict[str, Any]]:
        """Usable ticks of each read point against those that are due in the period."""
        found = self._usable.by_point()
        result: dict[str, dict[str, Any]] = {}
        for group in plan.config["groups"]:
            for index in [] if group["computed"] else group["points"]:
                point_id = plan.config["points"][index]["id"]
                usable = found.get(point_id, 0)
                expected = self._due.of(point_id, from_ns, to_ns)
                entry: dict[str, Any] = {"usable": usable, "expected": expected}
                if expected > 0:
                    entry["percent"] = rounded_text(Fraction(usable * 100, expected), 2)
                if reserved := self._usable.reserved(point_id):
                    entry["reserved"] = reserved
                result[point_id] = entry
        return result

    def _reservations(self) -> dict[str, dict[str, int]]:
        """Usable readings that are not good, by quality code; nothing when there is none."""
        found = self._usable.by_code()
        return {"reservations": found} if found else {}

    def _flags(self, papers: Papers) -> set[str]:
        flags = {flag for meter in self._meters for flag in meter.flags(papers)}
        flags |= {f"{FLAG}:{line.line.id}" for line in self._lines if line.is_slow}
        flags |= {ALGEBRAIC_FLAG for line in self._lines if line.is_algebraic}
        if self._changes:
            flags.add("configuration-changed")
        if self._outside:
            flags.add("ticks-outside-month")
        if self._lines and not any(line.producing_ns() for line in self._lines):
            flags.add("no-producing-time")
        if self._lines and not self._one_technology():
            flags.add("indicator-needs-metal-by-potline")
        return flags


def _output(rules: RuleSet, quantity: Fraction, provenance: Mapping[str, Any]) -> dict[str, Any]:
    key = output_key(rules.id)
    return {"output": {key: exact_text(quantity), "provenance": {key: provenance}}}
