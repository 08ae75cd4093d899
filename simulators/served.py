"""What every simulated device offers to the loop that plays a plant. No I/O here."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol, runtime_checkable

from firmware_configs.model import Profile, Register
from simulators.manner import Manner

#: Register name -> value in primary engineering units, of one device. Whole counts that a float
#: would miss by a hair are Decimal.
Readings = Mapping[str, float | Decimal]


class ServeError(Exception):
    """A device that cannot be served; the sentence says which, where and what to do."""


class Served(Protocol):
    """One device on one port of one protocol."""

    @property
    def url(self) -> str:
        """As a site file writes it; the port is the real one once started."""

    async def start(self) -> None:
        """Open the port; until the first `publish` the device says that it has no values yet.

        Raises:
            ServeError: the port cannot be had.
        """

    async def publish(self, readings: Readings, source_ns: int) -> None:
        """Show these values from now on.

        Args:
            readings: register name -> primary engineering value, every register of the profile.
            source_ns: UTC nanoseconds of the physical instant they belong to.
        """

    async def stop(self) -> None:
        """Close the port and every connection."""


@runtime_checkable
class CanFail(Served, Protocol):
    """A device that faults can befall."""

    @property
    def rows(self) -> Mapping[str, Register]:
        """Its rows, by the names of its readings."""

    def immunity(self, kind: str) -> str | None:
        """Why a kind of fault that acts on more than values cannot befall it, or None."""

    def behave(self, manner: Manner) -> None:
        """Behave so from now on."""


@runtime_checkable
class CanBeSet(CanFail, Protocol):
    """A device that tells how it is set."""

    profile: Profile

    @property
    def said(self) -> Mapping[str, str]:
        """What it was told to say of itself, by the names of its profile's settings."""

    def check_setting(self, name: str, value: str) -> object:
        """ServeError when it has no such setting, or it cannot be that."""
