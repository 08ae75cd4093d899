"""What a plant calls normal for its emission: a band that a person stated. Pure."""

from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal

from cloud.live.facts import HEADLINES


@dataclass(frozen=True)
class NormalBand:
    """What one figure is when nothing is unusual.

    Attributes:
        figure: one of `HEADLINES`; the sectors have different ones.
        low_t_h, high_t_h: its ends, t/h of CO2 or CO2e as the figure is, low below high.
        by, on: who stated it, and when.
        source: what it stands on.
    """

    figure: str
    low_t_h: Decimal
    high_t_h: Decimal
    by: str
    on: date
    source: str

    def as_map(self) -> dict[str, str]:
        """JSON-ready: numbers as decimal text, the day as YYYY-MM-DD."""
        return {name: str(value) for name, value in asdict(self).items()}


FIGURES = tuple(sorted(HEADLINES))
