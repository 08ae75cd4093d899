"""What people must look at for as long as it is so: it rises, it ends. Pure.

One thread changes it, any may ask.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from cloud.collector.rejects import Notice

#: refusals that a gateway cannot get past by itself: it sends the same object for ever
STALLS = frozenset({"rotate", "time", "config", "cosignature", "signature", "unsupported"})

#: of these, what is said of an object whose signature is good and whose turn it is
STALLS_AT_DUE = frozenset({"rotate", "time", "config", "cosignature"})

#: the log of a plant whose disk takes nothing
NOT_WRITTEN, NOT_SERVED = "not-written", "not-served"
#: likewise not served, and not tried again by itself: it was not in order at the start
DAMAGED = "damaged"

#: the logs of all plants: the thread that writes them does not come back
HANGS = "hangs"

#: what keeps a whole plant from going on
STOPS = frozenset({"clock", NOT_WRITTEN})


class Standing:
    """Alarms that stand, by plant, gateway ("" for the plant as a whole) and reason."""

    def __init__(self) -> None:
        # plant -> gateway and reason: a plant's are asked for, of many plants one after another
        self._notices = dict[str, dict[tuple[str, str], Notice]]()
        self._since_ns = dict[str, dict[tuple[str, str], int]]()

    def rise(
        self, plant: str, gateway: str, reason: str, at_ns: int, sentence: str, *,
        values: Mapping[str, Any] = MappingProxyType({}),
    ) -> bool:  # fmt: skip
        """Something is so; True when it was not before. What stands already stays as it is."""
        if (gateway, reason) in self._notices.get(plant, {}):
            return False
        return self.count(plant, gateway, reason, at_ns, sentence, values=values)

    def count(
        self, plant: str, gateway: str, reason: str, at_ns: int, sentence: str, *,
        values: Mapping[str, Any] = MappingProxyType({}),
    ) -> bool:  # fmt: skip
        """Something is so once more; True when it was not before."""
        key, notices = (gateway, reason), self._notices.setdefault(plant, {})
        known = notices.get(key)
        count = 1 if known is None else known.count + 1
        self._since_ns.setdefault(plant, {}).setdefault(key, at_ns)
        notices[key] = Notice(gateway, reason, count, at_ns, sentence, dict(values))
        return known is None

    def end(self, plant: str, gateway: str, reasons: Collection[str]) -> bool:
        """It is so no more; True when it was."""
        since_ns = self._since_ns.get(plant)
        if not since_ns:  # as the rule, and asked with each object
            return False
        keys = [(gateway, reason) for reason in reasons]
        ended = [self._notices[plant].pop(key, None) for key in keys]
        for key in keys:
            since_ns.pop(key, None)
        return any(notice is not None for notice in ended)

    def of(self, plant: str) -> list[Notice]:
        """What stands at a plant, newest first."""
        found = list(self._notices.get(plant, {}).values())
        return sorted(found, key=lambda notice: -notice.newest_ns)

    def rows(self, plant: str) -> list[Mapping[str, Any]]:
        """JSON-ready, as alarms: with `since_ns`, from when on it has been so."""
        since_ns = dict(self._since_ns.get(plant, {}))
        return [
            {**n.as_map(), "since_ns": since_ns.get((n.gateway, n.reason), n.newest_ns)}
            for n in self.of(plant)
        ]
