"""Tells which gateway sends more than one has under way, for as long as it does.

Reads no bytes of it. The collector's thread only.
"""

import logging
from collections.abc import Mapping

from cloud.collector.inbox import SHARE_BYTES, SHARE_MESSAGES
from cloud.collector.plants import Plants
from cloud.collector.rejects import Rejects
from cloud.collector.standing import Standing
from cloud.collector.topics import Sender

log = logging.getLogger("stackproof.cloud.collector")

FLOOD = "flood"
#: looks at which something was dropped before it is told: where a disk hung for a minute, an agent
#: has sent all of its window again and again meanwhile, which is one look
LOOKS = 10
#: with nothing more dropped for so long it is over
OVER_S = 60.0
SAID = (
    f"it sends faster than it can be taken, and {SHARE_MESSAGES} of its objects or "
    f"{SHARE_BYTES >> 20} MiB wait already: what comes beyond is dropped, and gets no receipt. No "
    "agent does so whose frames are of 256 KiB or less. The broker may drop what others send, or "
    "fill its disk, until it ends: see docs/operations.md, 'One gateway floods'"
)


class Floods:
    """Whose objects were dropped.

    Args:
        plants: which are served.
        standing: where it is told.
        rejects: where it is counted.
    """

    def __init__(self, plants: Plants, standing: Standing, rejects: Rejects) -> None:
        self._plants, self._standing, self._rejects = plants, standing, rejects
        self._seen = dict[Sender, tuple[int, float]]()  # how often, and when the last time

    def tell(self, dropped: Mapping[Sender, int], now_s: float) -> set[str]:
        """Count what the inbox dropped; plants whose alarms changed.

        Args:
            dropped: gateway -> objects, as its topic says.
            now_s: monotonic seconds.
        """
        changed = set[str]()
        for sender, count in dropped.items():
            plant = self._plants.get(sender.plant)
            if plant is None or not plant.enrolled(sender.gateway):
                self._rejects.count("", "", FLOOD, count)
                continue
            self._rejects.count(sender.plant, sender.gateway, FLOOD, count)
            looks = self._seen.get(sender, (0, 0.0))[0] + 1
            self._seen[sender] = looks, now_s
            at_ns = plant.clock_ns()
            if looks >= LOOKS and self._standing.rise(*sender, FLOOD, at_ns, SAID):
                log.error("%s: %s", sender, SAID, extra=sender.about)
                changed.add(sender.plant)
        for sender in [s for s, (_, at_s) in self._seen.items() if now_s > at_s + OVER_S]:
            del self._seen[sender]
            if self._standing.end(sender.plant, sender.gateway, (FLOOD,)):
                log.warning("%s: floods no more", sender, extra=sender.about)
                changed.add(sender.plant)
        return changed
