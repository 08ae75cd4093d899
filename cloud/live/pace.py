"""How often deltas of a plant go to its viewers. Pure."""


class Pace:
    """When the next delta may go: one an interval on average, never two within half of one.

    The half lets a delta that went late be followed by one on time, so that one hiccup does not
    delay every value after it.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._due_s = float("-inf")

    def wait_s(self, now_s: float) -> float:
        """How long the next delta has to wait; 0 when it may go now."""
        return max(0.0, self._due_s - now_s)

    def sent(self, now_s: float) -> None:
        """One has gone."""
        self._due_s = max(self._due_s + self._interval_s, now_s + self._interval_s / 2)
