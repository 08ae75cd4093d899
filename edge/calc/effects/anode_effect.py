"""Anode effects of one potline from its pots' voltages: one streaming detector.

The same code serves the live edge (one tick a call), the month and the verifier (hundreds of
ticks a call); the result does not depend on how a series is cut into calls. A pot is *quiet*
until a usable sample of it reaches the start voltage while it produces. Quiet pots cost a few
array operations together; only the others go through the state machine, sample by sample.

The event rule (start voltage for a minimum time, end voltage, merging of re-crossings, time above
the end voltage as polarised time) is common plant practice and has no public standard text: every
parameter is signed configuration. Integral over target follows the definition of anode effect
overvoltage in (EU) 2018/2066 Annex IV section 8 and (EU) 2025/2547 Annex II ("voltage above the
target voltage": mode "positive"). Mode "algebraic" is what controllers of AP technology are said to
report; its name stands in the GHG Protocol/IAI workbook v2.0, its definition nowhere we could read.

Units: times in ns, voltages in counts of the voltage points (10^-decimals V), integrals in
count·ns. All integers, all exact. Pure: no I/O, no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.calc.blocks import Bool, Int64
from edge.calc.effects.pot import Effect, PotState, Rules
from edge.calc.effects.producing import ProducingTime

__all__ = ["Activity", "Detector", "Effect", "Rules"]


@dataclass(frozen=True)
class Activity:
    """What one feed did, tick by tick, summed over the pots.

    Attributes:
        running: [pots][n] an effect is known to run at this tick (not backdated).
        producing_ns: [n] producing time added.
        polarised_ns: [n] polarised time added.
        started: [n] effects confirmed at this tick.
        finished: effects that became final, in the order they did.
    """

    running: Bool
    producing_ns: Int64
    polarised_ns: Int64
    started: Int64
    finished: tuple[Effect, ...]


class Detector:
    """All pots of one potline.

    Attributes:
        rules: of the potline.
        producing: accumulated producing time per pot, the denominator.
    """

    def __init__(self, rules: Rules, pots: int) -> None:
        self.rules = rules
        self.producing = ProducingTime(pots, rules.t_merge_ns)
        self._busy: dict[int, PotState] = {}

    def use(self, rules: Rules) -> None:
        """Go on by rules that differ in the interval of the samples alone."""
        self.rules = rules
        for state in self._busy.values():
            state.rules = rules

    def feed(self, ticks_ns: Int64, volts: Int64, usable: Bool, producing: Bool) -> Activity:
        """Advance by n ticks, later than all before.

        Args:
            ticks_ns: [n] UTC nanoseconds.
            volts: [pots][n] voltage counts.
            usable: [pots][n] voltage and pot state are both known.
            producing: [pots][n] the pot is in a producing state.
        """
        n = len(ticks_ns)
        running = np.zeros(volts.shape, dtype=bool)
        steps = _Steps([0] * n, [0] * n, [])
        first_hot = dict.fromkeys(self._busy, 0)
        if volts.max(initial=0) >= self.rules.v_start:  # seldom, and seen at a glance
            hot = usable & producing & (volts >= self.rules.v_start)
            for pot in np.flatnonzero(hot.any(axis=1)).tolist():
                first_hot.setdefault(pot, int(hot[pot].argmax()))
        for pot, first in sorted(first_hot.items()):
            rows = (ticks_ns, volts[pot], usable[pot], producing[pot])
            samples = list(zip(*(row[first:].tolist() for row in rows), strict=True))
            running[pot, first:] = self._follow(pot, samples, first, steps)
        steps.finished.sort(key=lambda done: (done[0], done[1].pot))
        return Activity(
            running,
            self.producing.feed(ticks_ns, usable, producing),
            np.array(steps.polarised_ns, dtype=np.int64),
            np.array(steps.started, dtype=np.int64),
            tuple(effect for _, effect in steps.finished),
        )

    def _follow(
        self, pot: int, samples: list[tuple[int, int, bool, bool]], first: int, steps: "_Steps"
    ) -> list[bool]:
        """Take one pot through its state machine; samples begin at tick number `first`."""
        state = self._busy.setdefault(pot, PotState(self.rules, pot))
        running = []
        for j, (tick_ns, volts, usable, producing) in enumerate(samples, start=first):
            if usable:
                step = state.step(tick_ns, volts, producing)
                steps.polarised_ns[j] += step.polarised_ns
                steps.started[j] += step.started
                if step.finished is not None:
                    steps.finished.append((tick_ns, step.finished))
            running.append(state.running)
        if state.quiet:
            del self._busy[pot]
        return running

    def open_effects(self, now_ns: int, cut: str | None = None) -> list[Effect]:
        """Effects that are not final, as they stand: running (end None) or held for merging.

        A running effect of a pot without a usable sample for longer than the merge time is
        shown ended at its last one ("gap"), as the next sample would end it.

        Args:
            now_ns: the latest tick.
            cut: end every running effect at its pot's last sample, with this flag.
        """
        found = (state.as_it_stands(now_ns, cut) for _, state in sorted(self._busy.items()))
        return [effect for effect in found if effect is not None]

    def cut(self, flag: str) -> list[Effect]:
        """End everything at each pot's last sample and start anew (month boundary)."""
        effects = self.open_effects(0, flag)
        self._busy.clear()
        self.producing.reset()
        return effects

    def snapshot(self) -> dict[str, Any]:
        """The whole state as integers, strings and lists."""
        busy = [state.snapshot() for _, state in sorted(self._busy.items())]
        return {"producing": self.producing.snapshot(), "busy": busy}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Take over the state of a snapshot."""
        self.producing.restore(snapshot["producing"])
        self._busy = {
            fields["pot"]: PotState.restored(self.rules, fields) for fields in snapshot["busy"]
        }


@dataclass
class _Steps:
    """Sums over the pots of one feed, a list item a tick."""

    polarised_ns: list[int]
    started: list[int]
    finished: list[tuple[int, Effect]]
