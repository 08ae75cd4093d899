"""One potline over a month: its effects and the rates made of them."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.effects.anode_effect import Effect
from edge.calc.effects.outside import OutsideTime
from edge.calc.effects.sampling import is_slow, sampling_map
from edge.calc.folds.month_plan import LinePlan
from edge.calc.inputs import Readings

RATE_PLACES = 12  # AEF, AED, AEM and AEO: beyond any reading; their exact sums stand beside them
_SECOND_NS, _MINUTE_NS, _DAY_NS = 10**9, 60 * 10**9, 86_400 * 10**9
_MV_A_VOLT = 1000
#: no text that could be read defines the algebraic overvoltage: a statement with it says so
ALGEBRAIC_FLAG = "unconfirmed:overvoltage.algebraic"
#: effects that a month lists, of all its potlines together: a year's of a hundred pots
EFFECTS_LISTED = 20_000


class MonthLine:
    """Collects what the potline's detector finishes.

    Attributes:
        plan: what the potline was made of.
        line: the potline.
        listed: of its effects, so many are listed, the first ones; all are counted.
    """

    def __init__(self, plan: LinePlan) -> None:
        self.plan = plan
        self.line = plan.line
        self._producing_ns = [0] * len(self.line.pots)  # of the time before `close`
        merge_ns = self.line.detector.rules.t_merge_ns
        self._outside = OutsideTime(self.line.state_names, merge_ns)
        self.listed = EFFECTS_LISTED
        self._first: list[Effect] = []  # of those that are final
        self._final = _Sums(len(self.line.pots))
        self._last_ns = 0
        self._slowest_ns = 0  # of the intervals in force at its ticks

    def feed(self, readings: Readings) -> None:
        """Advance by the ticks of `readings`."""
        ticks = self.line.feed(readings)
        self._take(ticks.activity.finished)
        self._outside.feed(readings.ticks_ns, ticks.states, ticks.states_ok, ticks.at_work)
        if len(readings.ticks_ns):
            self._last_ns = int(readings.ticks_ns[-1])
            self._slowest_ns = max(self._slowest_ns, self.line.interval_ns)

    def close(self) -> None:
        """The configuration changed: end what runs; nothing is fed any more."""
        self._producing_ns = self.line.detector.producing.total_ns.tolist()
        self._take(self.line.detector.cut("configuration-change"))

    @property
    def provenances(self) -> list[str]:
        """Of the points that effects and times are made of: all but the line current."""
        return [point["provenance"] for point in self.plan.points[:-1]]

    @property
    def is_slow(self) -> bool:
        """Its voltages were read so seldom that the statement tells what that hides."""
        return is_slow(self._slowest_ns)

    @property
    def is_algebraic(self) -> bool:
        """Its overvoltage has what is below target subtracted."""
        return self.line.detector.rules.is_algebraic

    @property
    def effects(self) -> int:
        """How many effects are final."""
        return self._final.effects

    def _take(self, effects: Sequence[Effect]) -> None:
        """Count effects that are final."""
        self._final.add(effects)
        self._first += effects
        if len(self._first) > 2 * self.listed:
            self._first = _first(self._first, self.listed)

    def _still(self, *, at_month_end: bool) -> list[Effect]:
        """Effects that are not final; those still running are cut when the month is over."""
        cut = "month-cut" if at_month_end else None
        return self.line.detector.open_effects(self._last_ns, cut)

    def polarised_ns(self) -> int:
        """Time at or above the end voltage inside effects, all pots."""
        still = self._still(at_month_end=False)
        return sum(self._final.polarised_ns) + sum(e.polarised_ns for e in still)

    def producing_ns(self) -> int:
        """Producing time, all pots."""
        return sum(self._pot_producing_ns())

    def _pot_producing_ns(self) -> list[int]:
        now = self.line.detector.producing.total_ns.tolist()
        return [a + b for a, b in zip(self._producing_ns, now, strict=True)]

    def as_map(self, *, at_month_end: bool) -> dict[str, Any]:
        """The potline in the statement's input."""
        still = self._still(at_month_end=at_month_end)
        sums = self._final.with_(still)
        count, polarised_ns = sums.effects, sum(sums.polarised_ns)
        integral, producing_ns = sums.integral, self.producing_ns()
        step = 10**self.line.decimals
        result: dict[str, Any] = {
            "id": self.line.id,
            "technology": self.line.indicator.technology,
            "anode_effect_rules": dict(self.plan.fields["anode_effect"]),
            "effect_count": count,
            "polarised_s": exact_text(Fraction(polarised_ns, _SECOND_NS)),
            "producing_pot_s": exact_text(Fraction(producing_ns, _SECOND_NS)),
            "over_target_v_s": exact_text(Fraction(integral, step * _SECOND_NS)),
            "effects": [self._effect_map(e) for e in _first([*self._first, *still], self.listed)],
            "pots": self._pots(sums),
        }
        if outside := self._outside_map():
            result["outside"] = outside
        if self.is_slow:
            t_start_ns = self.line.detector.rules.t_start_ns
            result["sampling"] = sampling_map(self._slowest_ns, t_start_ns, count)
        if producing_ns:
            rates = {
                "producing_cell_days": Fraction(producing_ns, _DAY_NS),
                "aef_per_cell_day": Fraction(count * _DAY_NS, producing_ns),
                "aem_min_per_cell_day": aem(polarised_ns, producing_ns),
                "aeo_mv": Fraction(integral * _MV_A_VOLT, step * producing_ns),
            }
            if count:
                rates["aed_min"] = Fraction(polarised_ns, count * _MINUTE_NS)
            result |= {name: rounded_text(rate, RATE_PLACES) for name, rate in rates.items()}
        return result

    def _outside_map(self) -> list[dict[str, str]]:
        """What stands in no rate: time of each pot in each state that is not producing."""
        return [
            {"pot": pot, "state": name, "time_s": exact_text(Fraction(time_ns, _SECOND_NS))}
            for pot, point in zip(self.line.pots, self.line.state_of, strict=True)
            for name, time_ns in self._outside.of(point)
        ]

    def _effect_map(self, effect: Effect) -> dict[str, Any]:
        fields = self.line.named(effect).as_map()
        return {k: v for k, v in fields.items() if v is not None and k != "potline"}

    def _pots(self, sums: "_Sums") -> list[dict[str, Any]]:
        producing = self._pot_producing_ns()
        return [
            {
                "id": pot, "effects": sums.count[i],
                "polarised_s": exact_text(Fraction(sums.polarised_ns[i], _SECOND_NS)),
                "producing_s": exact_text(Fraction(producing[i], _SECOND_NS)),
            }
            for i, pot in enumerate(self.line.pots)
        ]  # fmt: skip


class _Sums:
    """Sums over effects: by pot, and of all pots together."""

    def __init__(self, pots: int) -> None:
        self.count, self.polarised_ns, self.integral = [0] * pots, [0] * pots, 0
        self.effects = 0

    def add(self, effects: Sequence[Effect]) -> None:
        self.effects += len(effects)
        for effect in effects:
            self.count[effect.pot] += 1
            self.polarised_ns[effect.pot] += effect.polarised_ns
            self.integral += effect.integral

    def with_(self, effects: Sequence[Effect]) -> "_Sums":
        """These and those of more effects."""
        sums = _Sums(0)
        sums.count, sums.polarised_ns = self.count.copy(), self.polarised_ns.copy()
        sums.integral, sums.effects = self.integral, self.effects
        sums.add(effects)
        return sums


def _first(effects: list[Effect], most: int) -> list[Effect]:
    """The first effects by start, then by pot."""
    return sorted(effects, key=lambda e: (e.start_ns, e.pot))[:most]


def aem(polarised_ns: int, producing_ns: int) -> Fraction:
    """Anode-effect minutes per producing cell-day."""
    return Fraction(polarised_ns * _DAY_NS, producing_ns * _MINUTE_NS)
