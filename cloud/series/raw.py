"""Single readings out of the evidence itself, in the form of buckets: no store has them.

Reads by the index; the frames of an hour at most.
"""

from collections.abc import Mapping, Sequence

from cloud.drill.store import StoreSource
from cloud.series.bucket import Bucket, Series
from cloud.series.desk import BUCKETS_MAX, SpanError
from evidence.drill.readings import HOUR_NS, PointReader
from evidence.quality import FIRST_BAD, Quality


def readings(
    source: StoreSource, point: str, from_ns: int, to_ns: int, gateway: str = ""
) -> Mapping[Series, Sequence[Bucket]]:
    """Readings with from_ns <= tick < to_ns: each a bucket of one reading, or of none usable.

    Args:
        source: the plant's evidence.
        point: point id.
        from_ns: UTC nanoseconds.
        to_ns: UTC nanoseconds.
        gateway: only of this one; "" for all.

    Raises:
        SpanError: that are more than an answer holds.
        EvidenceError, StoreError: a frame cannot be read.
    """
    if to_ns - from_ns > HOUR_NS:
        raise SpanError("single readings are told by the hour at most: ask for a shorter time")
    found: dict[Series, list[Bucket]] = {}
    for stream in source.streams():
        if gateway not in ("", stream):
            continue
        reader = PointReader(source, stream, point)
        for frame in reader.frames(from_ns, to_ns):
            place = reader.place(frame.header.cfg or b"")
            if place is None:
                continue
            held = found.setdefault(Series.of(source.plant, stream, place.point), [])
            for one in reader.of_frame(frame, times=False):
                if from_ns <= one.tick_ns < to_ns:
                    number, usable = one.count or 0, int(one.count is not None)
                    worst = one.quality
                    if not usable and worst < FIRST_BAD:  # NaN that was signed as good
                        worst = Quality.NOT_A_NUMBER
                    held.append(Bucket(one.tick_ns, usable, number, number, number, number, worst))
            if len(held) > BUCKETS_MAX:
                raise SpanError(f"one answer holds {BUCKETS_MAX} readings: ask for a shorter time")
    return found
