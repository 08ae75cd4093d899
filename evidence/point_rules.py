"""The limits a point's readings are held against beside its range. Pure; FIGURES.md.

What the gateway makes of them is in `edge.quality_rules` and `edge.quality_history`. A rule that is
not given does not run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from evidence.exact import exact
from evidence.quality import Quality

#: What a state of a device can say of the values beside it: word of a profile -> code. The order
#: is their strength: of two that hold, the first one counts.
MARKS: Mapping[str, Quality] = {
    "fault": Quality.SENSOR_FAULT,
    "calibration": Quality.CALIBRATION,
    "maintenance": Quality.MAINTENANCE,
}


@dataclass(frozen=True)
class PointRules:
    """Limits in the point's own unit, decimal strings; None where there is none.

    Attributes:
        rate_per_s: fastest credible change, unit a second; of a totaliser upwards only.
        jump: largest credible step from one reading to the next.
        stuck_after_s: longest credible time without a change.
        stuck_tolerance: what still counts as no change; None: not one count.
        stale_after_s: how old the source time may be at the tick.
    """

    rate_per_s: str | None = None
    jump: str | None = None
    stuck_after_s: str | None = None
    stuck_tolerance: str | None = None
    stale_after_s: str | None = None

    def __post_init__(self) -> None:
        for name, text in self.as_map().items():
            value = exact(text)
            if value < 0 or (value == 0 and name != "stuck_tolerance"):
                raise ValueError(f"{name} {text!r} must be greater than zero")
        if self.stuck_tolerance is not None and self.stuck_after_s is None:
            raise ValueError("stuck_tolerance has no effect without stuck_after_s")

    @property
    def of_gauges(self) -> tuple[str, ...]:
        """Those of its rules that only a gauge can have."""
        return tuple(name for name in self.as_map() if name.startswith(("jump", "stuck")))

    def as_map(self) -> dict[str, str]:
        """Only what is given, for the signed configuration."""
        given = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: text for name, text in given if text is not None}

    @classmethod
    def from_map(cls, given: Mapping[str, Any]) -> "PointRules":
        """Build from a map; ValueError or TypeError when it is none."""
        return cls(**given) if given else NO_RULES


NO_RULES = PointRules()
