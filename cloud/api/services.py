"""What the web side needs from the rest of the collector: protocols, and one bundle of them.

The routes know nothing of files, brokers or frames; tests put plain objects here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cloud.clock import Clock
from cloud.live import LiveHub

#: names a browser on the collector's own machine uses
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")


class MonthRefusedError(Exception):
    """A month cannot be closed now (or not again); the sentence says why and what to do."""


class MonthService(Protocol):
    """Months of evidence: listing, closing, sealing."""

    async def close(
        self, plant: str, month: str, *, closing: str, amend: bool = False, reason: str = ""
    ) -> Mapping[str, Any]:
        """Close and seal a month.

        Args:
            plant: plant id.
            month: "YYYY-MM" in the plant's time zone.
            closing: "interim" or "final".
            amend: replace the final close that stands.
            reason: why, when `amend`.

        Returns:
            JSON-ready facts of the sealed archive.

        Raises:
            MonthRefusedError: it cannot be closed.
        """

    async def seal(self, plant: str, month: str, *, reason: str = "") -> Mapping[str, Any]:
        """Build a closed month's archive again, with signatures that came since.

        Args:
            plant: plant id.
            month: "YYYY-MM" in the plant's time zone.
            reason: of an amended month whose archive is lost: why it was amended.

        Returns:
            JSON-ready facts of the sealed archive.

        Raises:
            MonthRefusedError: it cannot be made.
        """

    def list(self, plant: str) -> Sequence[Mapping[str, Any]]:
        """JSON-ready facts of the plant's months, newest first."""


class StreamStatus(Protocol):
    """State of every gateway's stream at the collector."""

    def status(self) -> Sequence[Mapping[str, Any]]:
        """JSON-ready rows: plant, gateway, next_seq, receipted_seq, frames, readings, refused."""


@dataclass(frozen=True)
class Services:
    """Everything the web side is given.

    Attributes:
        hub: live state.
        clock: the collector's wall clock.
        months: months of evidence.
        streams: state of the streams.
        token: bearer token that closing a month needs; at least 16 characters.
        hosts: names besides the loopback names that may stand in a Host header.
    """

    hub: LiveHub
    clock: Clock
    months: MonthService
    streams: StreamStatus
    token: str = field(repr=False)
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.token) < 16:
            raise ValueError("the bearer token needs at least 16 characters")

    @property
    def allowed_hosts(self) -> list[str]:
        """Names a Host header may hold."""
        return [*LOOPBACK_HOSTS, *self.hosts]
