"""Where months meet: an archive begins where the one before it ends. Any thread; reads evidence.

A silent gateway's heartbeats stand at its newest tick, so after the end of a month they are still
of it by their time. Those that come after its final close would be in no archive: the next month
begins with them.
"""

from collections.abc import Sequence

from cloud.collector.desk import PlantEvidence
from cloud.month_log import FINAL, MonthClose
from edge.calc.local_time import PlantDays
from evidence import cose
from evidence.frame import decode_body
from evidence.log import Kind


class Seams:
    """The final closes before and after a month of one stream.

    Attributes:
        late: what to do about readings that came after the month before was closed; "" for none.
    """

    def __init__(
        self, evidence: PlantEvidence, stream: str, month: str, closes: Sequence[MonthClose]
    ) -> None:
        """Of `month`, by all closes that the log holds."""
        self.late = ""
        self._evidence, self._stream = evidence, stream
        finals = {c.month: c for c in closes if c.closing == FINAL and stream in c.streams}
        self._before = finals.get(max((m for m in finals if m < month), default=""))
        self._after = finals.get(min((m for m in finals if m > month), default=""))

    def join(self, first: int, stop: int, zone: str) -> tuple[int, int]:
        """Seqs (first, stop) of the month, which joins its neighbours.

        Args:
            first: of the month by the time of the objects.
            stop: one after its last, likewise; more than `first`.
            zone: the plant's time zone.
        """
        if self._after is not None:
            stop = min(stop, self._after.streams[self._stream].first)
        ended = 0 if self._before is None else self._before.streams[self._stream].last + 1
        came = self._readings_from(ended, first)
        if came is None:
            return min(first, ended), stop
        if self._before is not None:
            self.late = self._late(self._before.month, zone, *came)
        return first, stop

    def _late(self, month: str, zone: str, seq: int, t0_ns: int) -> str:
        """What to do about readings that no archive holds, if they are of a closed month."""
        if t0_ns >= PlantDays(zone).month_bounds(month)[1]:
            return ""  # of a month between, which is not closed yet
        return (
            f"readings of {month} came after it was closed ({self._stream}, from object {seq} on) "
            "and are in no archive yet: stackproof cloud month close CLOUD.toml "
            f"--plant {self._evidence.plant} --month {month} --amend --reason TEXT"
        )

    def _readings_from(self, first: int, stop: int) -> tuple[int, int] | None:
        """Seq and t0 of the first frame with readings among these objects."""
        for stored in self._evidence.objects(self._stream, first, max(first, stop)):
            if stored.kind is Kind.FRAME:
                body = decode_body(cose.parse(stored.data).payload)
                if body.sections:
                    return stored.seq, body.t0_ns
        return None
