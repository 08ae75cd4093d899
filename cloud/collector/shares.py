"""How much of each gateway is shown: what one sends without end stands in nobody's way.

Live values, states and requests are taken in by the event loop, which serves the pages of all
plants: by the largest live messages of one gateway it stood still for 13 s at a time. One thread.
"""

import time
from collections.abc import Callable

from cloud.collector.topics import Sender

#: of a gateway: 5,000 points with their times are 310 kB a second (reckoned); and what came while
#: nobody looked
BYTES_A_S, BYTES_MAX = 512 * 1024, 2 * 1024 * 1024
#: what the smallest message counts for
LEAST = 4 * 1024
#: names that are kept: at a broker without accounts anyone can make any number
NAMES_MAX = 16_384


class Shares:
    """What is left of each gateway's share.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = dict[Sender, tuple[float, float]]()  # bytes, as of when; the oldest first

    def takes(self, sender: Sender, length: int) -> bool:
        """Is there room for a message of so many bytes? Then it is taken off."""
        now_s, cost = self._clock(), max(LEAST, length)
        left, at_s = self._left.pop(sender, (BYTES_MAX, now_s))
        left = min(BYTES_MAX, left + (now_s - at_s) * BYTES_A_S)
        self._left[sender] = left - cost if cost <= left else left, now_s
        if len(self._left) > NAMES_MAX:
            del self._left[next(iter(self._left))]
        return cost <= left
