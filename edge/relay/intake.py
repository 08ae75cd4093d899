"""Everything that comes to the relay: judged by its outer frame, counted, put into its lane.

One door for files and datagrams. Counted here: `garbage` no signed object, `stranger` of a stream
that RELAY.toml does not name, `known` held already or under receipt, `crowded` gave way to a rival
for the same seq, `gave_way` to lower seqs when it was full, `full` there was no room, `kept` on
disk.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence

from edge.errors import SpoolError
from edge.quiet import EVERY_S, Quiet
from edge.relay.lane import Lane
from edge.relay.outer import Outer, read_outer
from evidence.errors import EvidenceError
from evidence.log_lines import about

log = logging.getLogger("stackproof.relay")


class RelayIntake:
    """Takes objects for every lane.

    Attributes:
        counts: how many of each kind came since the start.
    """

    def __init__(
        self,
        lanes: Mapping[tuple[str, str], Lane],
        places: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        """Take for `lanes`, one of which may come later, of those at `places`."""
        self._lanes, self._places = lanes, places
        self._quiet = Quiet()
        self.counts: Counter[str] = Counter()
        self._full_s = float("-inf")

    def admit(self, data: bytes) -> Outer | None:
        """An object for one of the lanes; None, and counted, when it is none."""
        try:
            outer = read_outer(data)
        except EvidenceError:
            self.counts["garbage"] += 1
            return None
        place = outer.plant, outer.gateway
        if place not in self._lanes and place not in self._places:
            self.counts["stranger"] += 1
            return None
        return outer

    def was_full(self, now_s: float) -> bool:
        """True when there was no room for something within the last minute, by monotonic s."""
        return now_s - self._full_s < EVERY_S

    @property
    def gone(self) -> int:
        """How many objects that were on disk are there no more, and have no receipt."""
        return self.counts["crowded"] + self.counts["gave_way"]

    async def keep(
        self, objects: Sequence[Outer], now_s: float, *, also_receipted: bool = False
    ) -> int:
        """Put objects on disk, `also_receipted` as for a queue; for how many there was no room.

        Raises:
            SpoolError: the disk refuses those of a stream, all of them; others' are kept.
        """
        full, failed = 0, None
        by_place: dict[tuple[str, str], list[Outer]] = {}
        for outer in objects:
            by_place.setdefault((outer.plant, outer.gateway), []).append(outer)
        for place, own in by_place.items():
            lane = self._lanes.get(place)
            if lane is None:
                failed = SpoolError(
                    f"{'/'.join(place)}: its queue cannot be opened: nothing is kept"
                )
                continue
            try:
                kept = await lane.keep(own, also_receipted=also_receipted)
            except SpoolError as error:
                failed = error
                continue
            self.counts.update(
                kept=len(kept.new), known=kept.known, crowded=kept.crowded, full=kept.full,
                gave_way=kept.gave_way,
            )  # fmt: skip
            full += kept.full
            dropped = kept.full + kept.gave_way
            self._full_s = now_s if dropped else self._full_s
            if dropped and self._quiet.may(lane.stream.name, now_s):
                log.error(
                    "%s: the queue is full, %d object(s) are dropped: look at the broker and the "
                    "collector; what is missing then is exported again", lane.stream.name, dropped,
                    extra=about(*place),
                )  # fmt: skip
        if failed is not None:
            raise failed
        return full
