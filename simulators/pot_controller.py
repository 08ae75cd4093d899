"""How the pots' own controllers see anode effects: by rules of their own, a second at a time. Pure.

Their rules are not the agent's, and what they note is later and shorter than what happened: they
look at the voltage once a second, declare an effect when it was high three times in a row and over
when it was low twice, and take the times of the declarations. The figures are made for the
simulation, and the habits are unconfirmed: see `TRUTH.md`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from simulators.potline import PRODUCING

SCAN_S = 1
#: declared when it was above this so many scans in a row
HIGH_V, HIGH_SCANS = 10.0, 3
#: over when it was below this so many scans in a row
LOW_V, LOW_SCANS = 6.0, 2
#: kinds of effects, as the table has them
EFFECT, OF_START_UP = 1, 2


@dataclass(frozen=True)
class Noted:
    """An effect that is over.

    Attributes:
        pot: number, from 1 on.
        start_s: when it was declared, seconds of the scenario.
        duration_s: from there to its end as declared.
        max_v: greatest voltage of the scans in between and of those that led to it.
        kind: EFFECT, or OF_START_UP where the pot was not producing.
    """

    pot: int
    start_s: int
    duration_s: int
    max_v: float
    kind: int


@dataclass
class _Pot:
    high: int = 0
    low: int = 0
    max_v: float = 0.0
    start_s: int | None = None
    kind: int = EFFECT


class PotControllers:
    """One a pot."""

    def __init__(self, pots: int) -> None:
        self._pots = [_Pot() for _ in range(pots)]

    def scan(self, at_s: int, voltage_v: Sequence[float], state: Sequence[int]) -> list[Noted]:
        """One look at every pot; the effects that are over with it.

        Args:
            at_s: seconds of the scenario; a second after the look before.
            voltage_v: of each pot.
            state: of each pot, as the pot gateway's profile names them.
        """
        found = []
        for number, (pot, volts, now) in enumerate(
            zip(self._pots, voltage_v, state, strict=True), start=1
        ):
            pot.high = pot.high + 1 if volts > HIGH_V else 0
            pot.low = pot.low + 1 if volts < LOW_V else 0
            if pot.start_s is None:
                pot.max_v = max(pot.max_v, volts) if pot.high else 0.0
                if pot.high == HIGH_SCANS:
                    pot.start_s = at_s
                    pot.kind = EFFECT if now == PRODUCING else OF_START_UP
                continue
            pot.max_v = max(pot.max_v, volts)
            if pot.low == LOW_SCANS:
                duration_s = at_s - pot.start_s
                found.append(Noted(number, pot.start_s, duration_s, pot.max_v, pot.kind))
                pot.start_s = None
        return found
