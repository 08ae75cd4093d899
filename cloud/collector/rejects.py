"""Counts what was refused or put aside, and says so without letting a flood fill log or disk. Pure.

A refusal of a kind at a plant is told at once the first time; further ones are counted and told
together, at most once a minute for each plant and reason. What is kept aside is told one by one,
within bounds (`aside`); beyond them it is counted like a refusal, under "<reason>-not-kept".
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from cloud.database.quarantine import KEPT_VERDICTS

INTERVAL_S = 60.0
SENTENCE_MAX = 400

#: what people must look at: also shown on the live page
ALARMS = KEPT_VERDICTS | {"anchor"}


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
        at_ns: when, collector's wall clock.
    """

    plant: str
    gateway: str
    reason: str
    sentence: str
    sha256: bytes
    length: int
    at_ns: int = 0


@dataclass(frozen=True, slots=True)
class Digest:
    """Refusals of one plant and reason, told together.

    Attributes:
        newest: the newest of them.
        count: how many since the last digest.
    """

    newest: Refusal
    count: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What was refused or kept aside of one gateway for one reason.

    Attributes:
        gateway: gateway id; "" when it is not an enrolled one.
        reason: one word.
        count: since the process started; at its start, what is kept aside.
        newest_ns: when the newest came, collector's wall clock.
        sentence: about the newest, for people; "" when it came before the process started.
        values: what its text on a page names.
    """

    gateway: str
    reason: str
    count: int
    newest_ns: int
    sentence: str
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def as_map(self) -> dict[str, Any]:
        """JSON-ready, with its values beside."""
        row = asdict(self)
        return {**row, **row.pop("values")}


@dataclass(slots=True)
class _Kind:
    told_s: float
    newest: Refusal
    untold: int = 0


def plain(sentence: str) -> str:
    """A sentence that may repeat a stranger's words: one line, bounded, for log and page."""
    short = sentence if len(sentence) <= SENTENCE_MAX else sentence[: SENTENCE_MAX - 1] + "…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in short)


class Rejects:
    """What was refused since the process started.

    Attributes:
        counts: plant -> (gateway, reason) -> how many; also what was repeated or ahead.
    """

    def __init__(self) -> None:
        self.counts: dict[str, Counter[tuple[str, str]]] = {}
        self._kinds: dict[tuple[str, str], _Kind] = {}
        self._newest: dict[str, dict[tuple[str, str], tuple[int, str]]] = {}

    def count(self, plant: str, gateway: str, reason: str, times: int = 1) -> None:
        """Count an object, or several."""
        self.counts.setdefault(plant, Counter())[gateway, reason] += times

    def note(self, plant: str, gateway: str, reason: str, at_ns: int, sentence: str = "") -> None:
        """Count one object, and remember the newest."""
        self.count(plant, gateway, reason)
        newest = self._newest.setdefault(plant, {})
        if at_ns >= newest.get((gateway, reason), (0, ""))[0]:
            newest[gateway, reason] = at_ns, sentence

    def add(self, refusal: Refusal, now_s: float) -> Digest | None:
        """Count a refusal; a digest when it is to be told now.

        Args:
            refusal: what was refused.
            now_s: monotonic seconds.
        """
        self.note(refusal.plant, refusal.gateway, refusal.reason, refusal.at_ns, refusal.sentence)
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

    def give_back(self, digest: Digest) -> None:
        """A digest could not be written: its refusals are told with the next one."""
        kind = self._kinds[digest.newest.plant, digest.newest.reason]
        kind.untold += digest.count

    def of(self, plant: str, gateway: str) -> dict[str, int]:
        """Reason -> count, of one gateway. Any thread."""
        counts = dict(self.counts.get(plant, Counter()))
        return {reason: n for (name, reason), n in sorted(counts.items()) if name == gateway}

    def notices(self, plant: str) -> list[Notice]:
        """What was refused or kept aside of a plant's gateways, newest first. Any thread."""
        found = [
            Notice(gateway, reason, self.counts[plant][gateway, reason], at_ns, sentence)
            for (gateway, reason), (at_ns, sentence) in dict(self._newest.get(plant, {})).items()
        ]
        return sorted(found, key=lambda notice: -notice.newest_ns)

    @staticmethod
    def _tell(kind: _Kind, now_s: float) -> Digest | None:
        if kind.untold == 0 or now_s < kind.told_s + INTERVAL_S:
            return None
        digest = Digest(kind.newest, kind.untold)
        kind.told_s, kind.untold = now_s, 0
        return digest
