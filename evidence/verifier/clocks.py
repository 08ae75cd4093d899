"""Step 5, clocks: when readings were taken, by the gateway, against when they came, by the log."""

from dataclasses import dataclass

from evidence.findings import Report
from evidence.frame import Body, Header
from evidence.verifier.log_view import Logged, LogView

SECOND_NS = 1_000_000_000
AHEAD_MAX_NS = 60 * SECOND_NS
BEHIND_ANCHOR_MAX_NS = 1_200 * SECOND_NS
LATE_NS = 900 * SECOND_NS


@dataclass
class Worst:
    """How often something was so, how far at most, and where first.

    Attributes:
        frames: how many.
        most_ns: the largest.
        seq: of the first one.
    """

    frames: int = 0
    most_ns: int = 0
    seq: int = 0

    def take(self, seq: int, by_ns: int) -> None:
        """Note one more."""
        if not self.frames:
            self.seq = seq
        self.frames += 1
        self.most_ns = max(self.most_ns, by_ns)


class Times:
    """What the clocks say of one stream's frames.

    Attributes:
        ahead: ticks after their receipt.
        behind: ticks long before the anchor that their frame names.
        late: received long after their ticks.
        window: from the anchor's receipt to the frame's own: within it the frame was made.
        error_ms: the largest clock error the gateway stated, None when it stated none.
    """

    def __init__(self) -> None:
        """Begin with no frame."""
        self.ahead, self.behind, self.late, self.window = Worst(), Worst(), Worst(), Worst()
        self.error_ms: int | None = None

    def take(self, log: LogView, header: Header, body: Body, logged: Logged | None) -> None:
        """Compare a frame's newest tick with what the log says of it and of its anchor."""
        if body.clock.error_ms is not None:
            self.error_ms = max(body.clock.error_ms, self.error_ms or 0)
        anchored = log.received_at(header.anchor[0] - 1) if header.anchor is not None else None
        if logged is not None and anchored is not None:
            self.window.take(header.seq, logged.received_ns - anchored)
        if not body.sections:
            return
        newest = newest_ns(body)
        if anchored is not None and anchored - newest > BEHIND_ANCHOR_MAX_NS:
            self.behind.take(header.seq, anchored - newest)
        if logged is None:
            return
        if newest - logged.received_ns > AHEAD_MAX_NS:
            self.ahead.take(header.seq, newest - logged.received_ns)
        if logged.received_ns - newest > LATE_NS:
            self.late.take(header.seq, logged.received_ns - newest)

    def tell(self, report: Report, stream: str) -> None:
        """Add what a reader should see, once a stream."""
        for worst, what in (
            (self.ahead, "have ticks after the collector received them"),
            (self.behind, "have ticks long before the log they name as their anchor"),
        ):
            if worst.frames:
                report.add("W-CLOCK", f"stream {stream}", _sentence(worst, what))
        if self.late.frames:
            what = "came long after their newest tick"
            report.add("N-LATE", f"stream {stream}", _sentence(self.late, what))


def newest_ns(body: Body) -> int:
    """The newest tick of a frame that has one, UTC nanoseconds."""
    return max(s.last_ns for s in body.sections)


def _sentence(worst: Worst, what: str) -> str:
    seconds = worst.most_ns / SECOND_NS
    return f"{worst.frames} frame(s) {what}, by {seconds:.0f} s at most, first at seq {worst.seq}."
