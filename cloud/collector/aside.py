"""How much is kept aside for people to look at: bounded by rate, files and bytes. Pure.

Each gateway whose key signed has a room of its own, so that one stolen key cannot crowd out what
another gateway's fork would show. What names a key that nobody certified shares one room a plant:
whoever reaches the broker can make any number of it. `cloud.database.quarantine` bounds it all.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from evidence.log import Entry

HOUR_S = 3_600.0
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one room.

    Attributes:
        an_hour: objects an hour, since the process started.
        files: objects in all.
        length: bytes in all.
    """

    an_hour: int
    files: int
    length: int


KNOWN = Bounds(an_hour=60, files=200, length=64 * MIB)
UNKNOWN = Bounds(an_hour=10, files=100, length=16 * MIB)


@dataclass(slots=True)
class _Held:
    files: int = 0
    length: int = 0
    taken_s: deque[float] = field(default_factory=deque)


class AsideRoom:
    """What is kept aside at one plant.

    Args:
        kept: log entries of the objects that are kept already.
    """

    def __init__(self, kept: Iterable[Entry]) -> None:
        self._held: dict[str, _Held] = {}
        for entry in kept:
            self._add(entry)

    def has_room(self, entry: Entry, now_s: float) -> bool:
        """True when the object of this entry may be kept.

        Args:
            entry: its REJECT entry; names a key where a certified one signed.
            now_s: monotonic seconds.
        """
        held, bounds = self._of(entry), KNOWN if entry.certificate is not None else UNKNOWN
        while held.taken_s and held.taken_s[0] <= now_s - HOUR_S:
            held.taken_s.popleft()
        return (
            len(held.taken_s) < bounds.an_hour
            and held.files < bounds.files
            and held.length + entry.length <= bounds.length
        )

    def take(self, entry: Entry, now_s: float) -> None:
        """One more object is kept."""
        self._add(entry).taken_s.append(now_s)

    def _add(self, entry: Entry) -> _Held:
        held = self._of(entry)
        held.files += 1
        held.length += entry.length
        return held

    def _of(self, entry: Entry) -> _Held:
        # a certified key has verified the stream's name; any other is not told apart
        name = entry.stream if entry.certificate is not None else ""
        return self._held.setdefault(name, _Held())
