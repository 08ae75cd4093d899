"""What people must look at for as long as it is so: it rises, it ends. Pure.

One thread changes it, any may ask.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from cloud.collector.rejects import Notice

#: refusals that a gateway cannot get past by itself: it sends the same object for ever
STALLS = frozenset({"rotate", "time", "config", "cosignature", "signature", "unsupported"})

#: of these, what is said of an object whose signature is good and whose turn it is
STALLS_AT_DUE = frozenset({"rotate", "time", "config", "cosignature"})

#: the log of a plant whose disk takes nothing
NOT_WRITTEN, NOT_SERVED = "not-written", "not-served"

#: the logs of all plants: the thread that writes them does not come back
HANGS = "hangs"

#: what keeps a whole plant from going on
STOPS = frozenset({"clock", NOT_WRITTEN})


class Standing:
    """Alarms that stand, by plant, gateway ("" for the plant as a whole) and reason."""

    def __init__(self) -> None:
        self._notices: dict[tuple[str, str, str], Notice] = {}
        self._since_ns: dict[tuple[str, str, str], int] = {}

    def rise(self, plant: str, gateway: str, reason: str, at_ns: int, sentence: str) -> bool:
        """Something is so; True when it was not before. What stands already stays as it is."""
        if (plant, gateway, reason) in self._notices:
            return False
        return self.count(plant, gateway, reason, at_ns, sentence)

    def count(self, plant: str, gateway: str, reason: str, at_ns: int, sentence: str) -> bool:
        """Something is so once more; True when it was not before."""
        key = plant, gateway, reason
        known = self._notices.get(key)
        count = 1 if known is None else known.count + 1
        self._since_ns.setdefault(key, at_ns)
        self._notices[key] = Notice(gateway, reason, count, at_ns, sentence)
        return known is None

    def end(self, plant: str, gateway: str, reasons: Collection[str]) -> bool:
        """It is so no more; True when it was."""
        if not self._since_ns:  # as the rule, and asked with each object
            return False
        keys = [(plant, gateway, reason) for reason in reasons]
        ended = [self._notices.pop(key, None) for key in keys]
        for key in keys:
            self._since_ns.pop(key, None)
        return any(notice is not None for notice in ended)

    def of(self, plant: str) -> list[Notice]:
        """What stands at a plant, newest first."""
        found = [n for (name, _, _), n in list(self._notices.items()) if name == plant]
        return sorted(found, key=lambda notice: -notice.newest_ns)

    def rows(self, plant: str) -> list[Mapping[str, Any]]:
        """JSON-ready, as alarms: with `since_ns`, from when on it has been so."""
        since_ns = dict(self._since_ns)
        return [
            {**asdict(n), "since_ns": since_ns.get((plant, n.gateway, n.reason), n.newest_ns)}
            for n in self.of(plant)
        ]
