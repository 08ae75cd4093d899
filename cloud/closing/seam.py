"""Where months begin and end, and how they meet. Any thread; reads evidence.

An archive begins where the one before it ends. A silent gateway's heartbeats stand at its newest
tick, so after the end of a month they are still of it by their time. Those that come after its
final close would be in no archive: the next month begins with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cloud.api.services import MonthRefusedError
from cloud.closing.log import FINAL, MonthClose
from cloud.closing.zone import zone_named, zones_configured
from cloud.collector.desk import PlantEvidence
from edge.calc.local_time import PlantDays
from evidence import cose
from evidence.findings import utc
from evidence.frame import decode_body
from evidence.log import Kind


@dataclass(frozen=True)
class Part:
    """A stream's part in a month.

    Attributes:
        zone: the month's time zone.
        from_ns, to_ns: its first instant and that of the next month, UTC nanoseconds.
        first, stop: seqs of its objects, stop exclusive; equal when there are none.
        late: what to do about readings before it that are in no archive; "" for none.
    """

    zone: str
    from_ns: int
    to_ns: int
    first: int
    stop: int
    late: str = ""


class Seams:
    """A month of one stream between the final closes before and after it."""

    def __init__(
        self, evidence: PlantEvidence, stream: str, month: str, closes: Sequence[MonthClose]
    ) -> None:
        """Of `month`, by all closes that the log holds."""
        self._evidence, self._stream, self._month = evidence, stream, month
        finals = {c.month: c for c in closes if c.closing == FINAL and stream in c.streams}
        self._before = finals.get(max((m for m in finals if m < month), default=""))
        self._after = finals.get(min((m for m in finals if m > month), default=""))

    def part(self) -> Part:
        """What of the stream is of the month.

        Its bounds need a time zone, and that is the one its last frame names: of the zones that the
        plant was configured to, the newest in which both agree.

        Raises:
            MonthRefusedError: there is no configuration, or the month is of no one time zone.
        """
        parts, named = list[Part](), set[str]()
        for zone in zones_configured(self._evidence, self._stream):
            part = self._part(zone)
            last = zone_named(self._evidence, self._stream, part.first, part.stop)
            if last == zone:
                return part
            parts.append(part)
            named.add(last)
        if not parts:
            raise MonthRefusedError(f"{self._evidence.plant} has no signed configuration yet")
        if named == {""}:
            return parts[0]
        zones = " and ".join(sorted(part.zone for part in parts))
        raise MonthRefusedError(
            f"{self._evidence.plant} {self._month} has no one time zone: the plant was configured "
            f"to {zones}, and by none of them the month's last frame is of that zone; a month in "
            "which the time zone changes cannot be closed"
        )

    def _part(self, zone: str) -> Part:
        """Were it in this zone. The month joins its neighbours."""
        from_ns, to_ns = PlantDays(zone).month_bounds(self._month)
        first, stop = self._evidence.span(self._stream, from_ns, to_ns)
        if first == stop:
            return Part(zone, from_ns, to_ns, first, stop)
        if self._after is not None:
            stop = min(stop, self._after.streams[self._stream].first)
        ended = 0 if self._before is None else self._before.streams[self._stream].last + 1
        first = max(first, ended)  # in another zone the month before may have ended later
        came = self._readings_from(ended, first)
        if came is None:
            return Part(zone, from_ns, to_ns, min(ended, stop), stop)
        late = "" if self._before is None else self._late(self._before, from_ns, *came)
        return Part(zone, from_ns, to_ns, min(first, stop), stop, late)

    def _late(self, before: MonthClose, from_ns: int, seq: int, t0_ns: int) -> str:
        """What to do about readings that no archive holds, if they are of a closed month."""
        span = before.streams[self._stream]
        zone = zone_named(self._evidence, self._stream, span.first, span.last + 1)
        ended_ns = PlantDays(zone).month_bounds(before.month)[1]
        if t0_ns < ended_ns:
            return (
                f"readings of {before.month} came after it was closed ({self._stream}, from object "
                f"{seq} on) and are in no archive yet: stackproof cloud month close CLOUD.toml "
                f"--plant {self._evidence.plant} --month {before.month} --amend --reason TEXT"
            )
        if following(before.month) != self._month:
            return ""  # of a month between, which is not closed yet
        return (
            f"readings of {utc(ended_ns)} to {utc(from_ns)} ({self._stream}, from object {seq} on) "
            f"are in no archive: by its time zone {before.month} ended before {self._month} begins"
        )

    def _readings_from(self, first: int, stop: int) -> tuple[int, int] | None:
        """Seq and t0 of the first frame with readings among these objects."""
        for stored in self._evidence.objects(self._stream, first, max(first, stop)):
            if stored.kind is Kind.FRAME:
                body = decode_body(cose.parse(stored.data).payload)
                if body.sections:
                    return stored.seq, body.t0_ns
        return None


def following(month: str) -> str:
    """The month after a month, both YYYY-MM."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04}-{number % 12 + 1:02}"
