"""What one anode effect emits: the interface of per-event models, and the two that have a source.

A model is anything with the members of `PfcEventModel`; `attribution.attribute` takes one. Both of
ours are linear, so that their sum over a month's effects is the method's own formula as long as
all pots make the same metal. Non-linear models (2019 Refinement Tier 2b and 3b: Marks and Nunez
2018; Dion et al. 2018) have no coefficients in any source we could read: none is here, and whoever
has measured some brings a model of that form.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

_MINUTE_S, _DAY_S, _MV_A_VOLT = 60, 86_400, 1000


@dataclass(frozen=True)
class EffectEvent:
    """One anode effect as a model sees it; all exact.

    Attributes:
        polarised_s: seconds at or above the end voltage.
        over_target_v_s: voltage over target × time, V·s, by the potline's overvoltage mode.
        v_max: highest voltage, V.
        metal_t_day: tonnes of metal its pot makes in a day of producing.
    """

    polarised_s: Fraction
    over_target_v_s: Fraction
    v_max: Fraction
    metal_t_day: Fraction


class PfcEventModel(Protocol):
    """A model of what single effects emit.

    Attributes:
        id: of the model and its version.
        source: document and equation, or the measurement that its coefficients are from.
        confidence: one of `factors.CONFIDENCES`.
    """

    @property
    def id(self) -> str: ...  # noqa: D102 - said above
    @property
    def source(self) -> str: ...  # noqa: D102 - said above
    @property
    def confidence(self) -> str: ...  # noqa: D102 - said above

    def cf4_kg(self, event: EffectEvent) -> Fraction:
        """CF4 of the effect, kg, at least 0."""
        ...


@dataclass(frozen=True)
class SlopeModel:
    """CF4 [kg] = slope × polarised minutes × metal a day: 2006 IPCC Eq. 4.26 of one effect.

    Attributes:
        slope: kg CF4 per t of metal and AE-min/cell-day, above 0.
        source, confidence: of the slope.
    """

    slope: Fraction
    source: str
    confidence: str
    id: str = "pfc.slope/1"

    def cf4_kg(self, event: EffectEvent) -> Fraction:
        """CF4 of the effect, kg."""
        return self.slope * event.polarised_s / _MINUTE_S * event.metal_t_day


@dataclass(frozen=True)
class OvervoltageModel:
    """CF4 [kg] = OVC × (mV averaged over a day) ÷ CE × metal a day: 2006 IPCC Eq. 4.27 likewise.

    An effect that is below target for longer than above it, which the algebraic overvoltage
    allows, emits nothing here.

    Attributes:
        coefficient: kg CF4 per t of metal and mV, at 1 % of current efficiency.
        current_efficiency_percent: 50..100.
        source, confidence: of the coefficient.
    """

    coefficient: Fraction
    current_efficiency_percent: Fraction
    source: str
    confidence: str
    id: str = "pfc.overvoltage/1"

    def cf4_kg(self, event: EffectEvent) -> Fraction:
        """CF4 of the effect, kg."""
        aeo_mv = max(event.over_target_v_s, Fraction(0)) * _MV_A_VOLT / _DAY_S
        return self.coefficient * aeo_mv / self.current_efficiency_percent * event.metal_t_day
