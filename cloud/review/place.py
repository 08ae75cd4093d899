"""Where in the list of months under review somebody is: what waits first, then the newest. Pure.

A place is a text that goes into an address and comes back: "0/2026-09/PLANT", 0 for what waits for
one's own level, else 1. Months that come or go meanwhile move no other month's place.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

Row = TypeVar("Row")
#: of a place, or of none
PATTERN = r"^([01]/[0-9]{4}-[0-9]{2}/[a-z0-9-]{1,40})?$"


@dataclass(frozen=True)
class Place:
    """A row's place.

    Attributes:
        waits: for the level of who asks.
        month: "YYYY-MM".
        plant: plant id.
    """

    waits: bool
    month: str
    plant: str

    def __str__(self) -> str:
        return f"{int(not self.waits)}/{self.month}/{self.plant}"

    def __lt__(self, other: "Place") -> bool:
        """Before another in the list."""
        if self.waits != other.waits:
            return self.waits
        return (self.month, self.plant) > (other.month, other.plant)


def place_of(text: str) -> Place | None:
    """A place that fits `PATTERN`; None for ""."""
    if not text:
        return None
    waits, month, plant = text.split("/")
    return Place(waits == "0", month, plant)


def after(rows: Iterable[tuple[Place, Row]], place: Place | None) -> list[Row]:
    """Rows behind a place, in the order of their places; all of them behind None."""
    found = sorted(rows, key=lambda one: one[0])
    return [row for at, row in found if place is None or place < at]
