"""How much of its time a thread has work. One thread counts, any may ask."""

#: seconds over which it is counted, or so
SPAN_S = 1.0


class Busy:
    """The share of the last second in which there was work.

    Attributes:
        share: 0 to 1; 1 until something was counted.
    """

    def __init__(self) -> None:
        self.share = 1.0

    def count(self, waited_s: float, worked_s: float) -> None:
        """One round: first it waited, then it worked."""
        whole_s = waited_s + worked_s
        if whole_s > 0:
            self.share += min(1.0, whole_s / SPAN_S) * (worked_s / whole_s - self.share)
