"""What can be played: anything that goes on step by step and can be read. No I/O here."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from simulators.served import Readings

#: One line of the truth: keys in the order they are written.
TruthLine = Mapping[str, object]


class Played(Protocol):
    """A plant, or one device; at step 0 when it is made."""

    @property
    def step_s(self) -> Decimal:
        """Seconds a step."""

    @property
    def publish_steps(self) -> int:
        """Servers show every so manyeth step."""

    @property
    def step_number(self) -> int:
        """Steps made so far; step n is n × step_s after the start."""

    def step(self) -> None:
        """One step; the truth of it is recorded before it ends."""

    def finish(self) -> None:
        """Record the last line of the truth."""

    def readings(self) -> dict[str, Readings]:
        """What each device shows now, by device id."""
