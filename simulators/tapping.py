"""Which pot the tapping crane is at, and how much metal stands in each pot to be tapped.

Pure: steps are counted, no I/O, no clock.
"""

import numpy as np
import numpy.typing as npt

from simulators.scenario import TapFigures
from simulators.waves import Floats

Mask = npt.NDArray[np.bool_]


class Tapping:
    """Every producing pot is tapped once a period, whole kilograms, the longest-waiting first.

    A pot's metal here is what may be tapped; the pad that always stays in the pot is not counted.
    """

    def __init__(
        self, figures: TapFigures, *, producing: Mask, step_s: float, metal_kg_s: float
    ) -> None:
        """`metal_kg_s` is what a pot makes: at the start each holds its part of a period's metal.

        The last pot in the row was tapped just now, the first is due next.
        """
        self._figures = figures
        self._step_s = step_s
        pots = producing.size
        due = np.arange(pots, 0, -1) / pots
        self.held_kg: Floats = metal_kg_s * figures.period_s * due * producing
        self.dip_v: Floats = np.zeros(pots)
        self.tapped_kg = int(figures.start_kg)
        self._last_step: npt.NDArray[np.int64] = np.arange(-pots, 0, dtype=np.int64)
        self._end_steps: dict[int, int] = {}
        self._next_step = self._gap_steps(producing)

    def step(self, step: int, *, producing: Mask, busy: Mask) -> list[tuple[int, int]]:
        """One step; `busy` pots are not begun.

        Returns:
            (pot, kilograms) of every tap that ended: the counter moves when the siphon is out.
        """
        ended = [pot for pot, end in self._end_steps.items() if end <= step]
        taps = [(pot, self._draw_out(pot)) for pot in ended]
        if step >= self._next_step:
            self._next_step = step + self._gap_steps(producing)
            ready = np.flatnonzero(producing & ~busy & (self.dip_v == 0.0))
            if ready.size:
                self._begin(int(ready[np.argmin(self._last_step[ready])]), step)
        return taps

    def _begin(self, pot: int, step: int) -> None:
        self._last_step[pot] = step
        self._end_steps[pot] = step + max(1, round(self._figures.duration_s / self._step_s))
        self.dip_v[pot] = -self._figures.dip_v

    def _draw_out(self, pot: int) -> int:
        del self._end_steps[pot]
        self.dip_v[pot] = 0.0
        kg = int(self.held_kg[pot])
        self.held_kg[pot] -= kg
        self.tapped_kg += kg
        return kg

    def _gap_steps(self, producing: Mask) -> int:
        gap_s = self._figures.period_s / max(1, int(producing.sum()))
        return max(1, round(gap_s / self._step_s))
