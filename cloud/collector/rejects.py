"""Counts what was refused, and says so without letting a flood fill the log. Pure.

The first refusal of a kind at a plant is told at once; further ones are counted and told together,
at most once a minute for each plant and reason.
"""

from collections import Counter
from dataclasses import dataclass

INTERVAL_S = 60.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused object.

    Attributes:
        plant: plant id; "" when it is not a plant of this collector.
        gateway: gateway id; "" when it is not an enrolled one.
        reason: one word.
        sentence: what was wrong, for people.
        sha256: of the object.
        length: bytes of the object.
    """

    plant: str
    gateway: str
    reason: str
    sentence: str
    sha256: bytes
    length: int


@dataclass(frozen=True, slots=True)
class Digest:
    """Refusals of one plant and reason, told together.

    Attributes:
        newest: the newest of them.
        count: how many since the last digest.
    """

    newest: Refusal
    count: int


@dataclass(slots=True)
class _Kind:
    told_s: float
    newest: Refusal
    untold: int = 0


class Rejects:
    """What was refused since the process started.

    Attributes:
        counts: (plant, gateway, reason) -> how many.
    """

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def add(self, refusal: Refusal, now_s: float) -> Digest | None:
        """Count a refusal; a digest when it is to be told now.

        Args:
            refusal: what was refused.
            now_s: monotonic seconds.
        """
        self.counts[refusal.plant, refusal.gateway, refusal.reason] += 1
        key = refusal.plant, refusal.reason
        kind = self._kinds.get(key)
        if kind is None:
            self._kinds[key] = _Kind(now_s, refusal)
            return Digest(refusal, 1)
        kind.newest = refusal
        kind.untold += 1
        return self._tell(kind, now_s)

    def due(self, now_s: float) -> list[Digest]:
        """Digests of what has waited long enough."""
        digests = (self._tell(kind, now_s) for kind in self._kinds.values())
        return [digest for digest in digests if digest is not None]

    def next_due_s(self) -> float | None:
        """When `due` has something to give, None when nothing waits."""
        waiting = [kind.told_s + INTERVAL_S for kind in self._kinds.values() if kind.untold]
        return min(waiting, default=None)

    def of(self, plant: str, gateway: str) -> dict[str, int]:
        """Reason -> count, of one gateway."""
        counts = dict(self.counts)
        return {r: n for (p, g, r), n in sorted(counts.items()) if (p, g) == (plant, gateway)}

    @staticmethod
    def _tell(kind: _Kind, now_s: float) -> Digest | None:
        if kind.untold == 0 or now_s < kind.told_s + INTERVAL_S:
            return None
        digest = Digest(kind.newest, kind.untold)
        kind.told_s, kind.untold = now_s, 0
        return digest
