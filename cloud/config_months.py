"""[months] of CLOUD.toml: may a complete month close itself, and how soon. Pure."""

from dataclasses import dataclass
from typing import Literal, cast

from firmware_configs.fields import Fields

HOUR_NS = 3_600_000_000_000
#: who signs for a month decides when: so nothing closes itself unless CLOUD.toml says so
BY_HAND, WHEN_COMPLETE = "by-hand", "when-complete"


@dataclass(frozen=True)
class MonthsConfig:
    """How months are closed.

    Attributes:
        close: "by-hand", or "when-complete": by itself, once nothing is owed.
        settle_h: hours that it must have been complete.
    """

    close: Literal["by-hand", "when-complete"] = "by-hand"
    settle_h: int = 24

    @property
    def settle_ns(self) -> int:
        """`settle_h` in nanoseconds."""
        return self.settle_h * HOUR_NS


def read_months(fields: Fields) -> MonthsConfig:
    """What the table says; mistakes are told to `fields`."""
    close = fields.choice("close", (BY_HAND, WHEN_COMPLETE), default=BY_HAND)
    settle_h = fields.integer("settle_h", 0, 960, default=24)
    fields.finish()
    return MonthsConfig(cast(Literal["by-hand", "when-complete"], close), settle_h)
