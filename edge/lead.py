"""How long before its tick a device is asked, so that its answer is there in time. Pure.

A quick device is asked at its tick. One that takes longer is asked so much earlier that what the
slowest answer of the last hours took has passed at the tick (ADR 0020). It can be earlier by its
own interval less the site's shortest: together with what the agent waits at each tick, a read may
take its own interval less a fifth of the shortest.
"""

import math

from edge.schedule import ANSWER_SHARE

WINDOW_NS = 3_600 * 1_000_000_000  # how slow a device was is known for one to two of these


class Lead:
    """Of the devices on one endpoint.

    They wait for one another, so they are asked together: by how long the last of them took.
    """

    def __init__(self, shortest_ns: int, expected_ns: int = 0) -> None:
        """Begin with what can be known before there was an answer.

        Args:
            shortest_ns: the site's shortest interval; devices are asked at its instants.
            expected_ns: how long an answer may take.
        """
        self._shortest_ns = shortest_ns
        self._before_ns, self._longest_ns = expected_ns, 0
        self._since_ns: int | None = None

    def took(self, took_ns: int, now_ns: int) -> None:
        """One read was answered, in time or late.

        Args:
            took_ns: from asking to the complete answer.
            now_ns: the monotonic clock.
        """
        if self._since_ns is None:
            self._since_ns, self._before_ns = now_ns, 0
        elif now_ns - self._since_ns >= WINDOW_NS:
            self._since_ns, self._before_ns, self._longest_ns = now_ns, self._longest_ns, 0
        self._longest_ns = max(self._longest_ns, took_ns)

    def ns(self, interval_ns: int) -> int:
        """How long before its tick a device of this interval is asked; whole shortest ones."""
        longest_ns = max(self._before_ns, self._longest_ns)
        if longest_ns <= ANSWER_SHARE * self._shortest_ns:
            return 0
        instants = math.ceil(longest_ns / self._shortest_ns)
        return min(instants * self._shortest_ns, interval_ns - self._shortest_ns)
