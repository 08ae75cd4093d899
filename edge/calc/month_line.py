"""One potline over a month: its effects and the rates made of them."""

from fractions import Fraction
from typing import Any

from edge.calc.anode_effect import Effect
from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.inputs import Readings
from edge.calc.month_plan import LinePlan

RATE_PLACES = 12  # AEF, AED, AEM and AEO: beyond any reading; their exact sums stand beside them
_SECOND_NS, _MINUTE_NS, _DAY_NS = 10**9, 60 * 10**9, 86_400 * 10**9
_MV_A_VOLT = 1000


class MonthLine:
    """Collects what the potline's detector finishes.

    Attributes:
        plan: what the potline was made of.
        line: the potline.
    """

    def __init__(self, plan: LinePlan) -> None:
        self.plan = plan
        self.line = plan.line
        self._producing_ns = [0] * len(self.line.pots)  # of the time before `close`
        self._finished: list[Effect] = []
        self._last_ns = 0

    def feed(self, readings: Readings) -> None:
        """Advance by the ticks of `readings`."""
        self._finished += self.line.feed(readings).activity.finished
        if len(readings.ticks_ns):
            self._last_ns = int(readings.ticks_ns[-1])

    def close(self) -> None:
        """The configuration changed: end what runs; nothing is fed any more."""
        self._producing_ns = self.line.detector.producing.total_ns.tolist()
        self._finished += self.line.detector.cut("configuration-change")

    def effects(self, *, at_month_end: bool) -> list[Effect]:
        """All effects by start; those still running are cut when the month is over."""
        cut = "month-cut" if at_month_end else None
        still = self.line.detector.open_effects(self._last_ns, cut)
        return sorted([*self._finished, *still], key=lambda e: (e.start_ns, e.pot))

    def polarised_ns(self) -> int:
        """Time at or above the end voltage inside effects, all pots."""
        return sum(e.polarised_ns for e in self.effects(at_month_end=False))

    def producing_ns(self) -> int:
        """Producing time, all pots."""
        return sum(self._pot_producing_ns())

    def _pot_producing_ns(self) -> list[int]:
        now = self.line.detector.producing.total_ns.tolist()
        return [a + b for a, b in zip(self._producing_ns, now, strict=True)]

    def as_map(self, *, at_month_end: bool) -> dict[str, Any]:
        """The potline in the statement's input."""
        effects = self.effects(at_month_end=at_month_end)
        polarised_ns, producing_ns = self.polarised_ns(), self.producing_ns()
        integral = sum(e.integral for e in effects)
        step = 10**self.line.decimals
        result: dict[str, Any] = {
            "id": self.line.id,
            "technology": self.line.technology,
            "anode_effect_rules": dict(self.plan.fields["anode_effect"]),
            "effect_count": len(effects),
            "polarised_s": exact_text(Fraction(polarised_ns, _SECOND_NS)),
            "producing_pot_s": exact_text(Fraction(producing_ns, _SECOND_NS)),
            "over_target_v_s": exact_text(Fraction(integral, step * _SECOND_NS)),
            "effects": [self._effect_map(e) for e in effects],
            "pots": self._pots(effects),
        }
        if producing_ns:
            rates = {
                "producing_cell_days": Fraction(producing_ns, _DAY_NS),
                "aef_per_cell_day": Fraction(len(effects) * _DAY_NS, producing_ns),
                "aem_min_per_cell_day": aem(polarised_ns, producing_ns),
                "aeo_mv": Fraction(integral * _MV_A_VOLT, step * producing_ns),
            }
            if effects:
                rates["aed_min"] = Fraction(polarised_ns, len(effects) * _MINUTE_NS)
            result |= {name: rounded_text(rate, RATE_PLACES) for name, rate in rates.items()}
        return result

    def _effect_map(self, effect: Effect) -> dict[str, Any]:
        fields = self.line.named(effect).as_map()
        return {k: v for k, v in fields.items() if v is not None and k != "potline"}

    def _pots(self, effects: list[Effect]) -> list[dict[str, Any]]:
        count = dict.fromkeys(range(len(self.line.pots)), 0)
        polarised = dict.fromkeys(range(len(self.line.pots)), 0)
        for effect in effects:
            count[effect.pot] += 1
            polarised[effect.pot] += effect.polarised_ns
        producing = self._pot_producing_ns()
        return [
            {
                "id": pot, "effects": count[i],
                "polarised_s": exact_text(Fraction(polarised[i], _SECOND_NS)),
                "producing_s": exact_text(Fraction(producing[i], _SECOND_NS)),
            }
            for i, pot in enumerate(self.line.pots)
        ]  # fmt: skip


def aem(polarised_ns: int, producing_ns: int) -> Fraction:
    """Anode-effect minutes per producing cell-day."""
    return Fraction(polarised_ns * _DAY_NS, producing_ns * _MINUTE_NS)
