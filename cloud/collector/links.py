"""Whom the collector's thread tells: the gateways, and the live page. Protocols only."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Link(Protocol):
    """The way down to the gateways."""

    def publish(self, topic: str, payload: bytes) -> bool:
        """Hand over a retained message, QoS 1; False when the connection does not take it."""


class LivePage(Protocol):
    """What the live page is told, in the event loop's thread."""

    def on_config(self, plant: str, gateway: str, config: Mapping[str, Any]) -> None:
        """A configuration is in force."""

    def on_sealed(
        self, plant: str, gateway: str, seq: int, through_ns: int, received_ns: int
    ) -> None:
        """Everything up to `seq` is on disk."""

    def on_alarms(self, plant: str, alarms: Sequence[Mapping[str, Any]]) -> None:
        """What people must look at: {gateway, reason, count, newest_ns, sentence}, newest first."""
