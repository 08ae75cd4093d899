"""How much of its time a thread has work. One thread counts, any may ask."""

#: seconds over which it is counted, or so
SPAN_S = 1.0
#: at one round for so long, the thread does not come back: as an agent's loop
HANGS_S = 180.0


class Busy:
    """The share of the last second in which there was work.

    Attributes:
        share: 0 to 1; 1 until something was counted.
    """

    def __init__(self) -> None:
        self.share = 1.0
        self._began_s: float | None = None

    def begin(self, now_s: float) -> None:
        """A round's work begins, at a time that only goes forward."""
        self._began_s = now_s

    def hangs(self, now_s: float) -> str:
        """That one round's work does not end, a sentence; "" while it does."""
        began_s = self._began_s  # another thread may end it meanwhile
        at_it_s = 0.0 if began_s is None else now_s - began_s
        return f"nothing is kept for {at_it_s:.0f} s: its disk hangs" if at_it_s > HANGS_S else ""

    def count(self, waited_s: float, worked_s: float) -> None:
        """One round is over: first it waited, then it worked."""
        self._began_s = None
        whole_s = waited_s + worked_s
        if whole_s > 0:
            self.share += min(1.0, whole_s / SPAN_S) * (worked_s / whole_s - self.share)
