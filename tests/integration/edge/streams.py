"""What a whole stream must keep: chain, grid, gaps, computed points as their inputs give."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evidence import cbor, cose
from evidence.blocks import decompress
from evidence.chain import Head, follow
from evidence.frame import TYP_CONFIG, TYP_FRAME, Body, Gap, Header, decode_body, header_of
from evidence.recompute import Recomputation

Readings = dict[tuple[int, int], dict[int, tuple[bytes, bytes]]]


def frames(objects: Sequence[bytes]) -> Iterator[tuple[Header, Body]]:
    """Every frame, in order."""
    for data in objects:
        envelope = cose.parse(data)
        header = header_of(envelope)
        if header.typ == TYP_FRAME:
            yield header, decode_body(envelope.payload)


def mistakes(objects: Sequence[bytes]) -> list[str]:
    """Sentences for whatever a stream must not show.

    Chain broken; a tick twice or going back; a hole without a gap that names exactly it; a gap
    without a hole; a computed point other than its inputs give.
    """
    found: list[str] = []
    head, cfg = Head(), b""
    recomputation = Recomputation()
    grid = _Grid()
    for data in objects:
        envelope = cose.parse(data)
        header = header_of(envelope)
        digest = hashlib.sha256(data).digest()
        head = follow(head, header, digest)
        if header.typ == TYP_CONFIG:
            config = cbor.decode(decompress(envelope.payload))
            recomputation.configure(digest, config)
            grid.configure([s["interval_ns"] for s in config["schedules"]])
            cfg = digest
        elif header.typ == TYP_FRAME:
            if header.cfg != cfg:
                found.append(f"seq {header.seq}: not under the newest configuration")
            body = decode_body(envelope.payload)
            found += [f"seq {header.seq}: {s}" for s in grid.feed(body)]
            found += [f"seq {header.seq}: {s}" for s in recomputation.feed(body)]
    return found


class _Grid:
    """Follows the ticks: schedule 0's have no hole but signed ones, the others tick with it."""

    def __init__(self) -> None:
        self._newest_ns = 0
        self._intervals: Sequence[int] = ()

    def configure(self, intervals_ns: Sequence[int]) -> None:
        self._intervals = intervals_ns

    def feed(self, body: Body) -> Iterator[str]:
        if body.t0_ns < self._newest_ns and not body.sections:
            yield f"speaks of {body.t0_ns} after {self._newest_ns}"
        ticks = {s.schedule: s.ticks_ns().tolist() for s in body.sections}
        base = ticks.get(0, [])
        for schedule, step_ns in enumerate(self._intervals):
            due = [tick_ns for tick_ns in base if tick_ns % step_ns == 0]
            if ticks.get(schedule, []) != due:
                yield f"schedule {schedule} ticked at {ticks.get(schedule)}, due were {due}"
        yield from self._gaps(body.gap, base[0] if base else None)
        self._newest_ns = max(self._newest_ns, body.t0_ns, *base)

    def _gaps(self, gap: Gap | None, first_ns: int | None) -> Iterator[str]:
        before_ns, step_ns = self._newest_ns, self._intervals[0]
        if first_ns is not None and first_ns <= before_ns:
            yield f"tick {first_ns} after {before_ns}"
        is_hole = before_ns and first_ns is not None and first_ns > before_ns + step_ns
        if gap is None and is_hole:
            yield f"no gap between {before_ns} and {first_ns}"
        if gap is not None and not is_hole:
            yield f"gap {gap} where nothing is missing"
        if gap is not None and (gap.from_ns, gap.to_ns) != (before_ns, first_ns):
            yield f"gap {gap} between {before_ns} and {first_ns}"


def readings_of(body: Body) -> Readings:
    """(schedule, tick) -> group -> (raw bytes, quality bytes) of a frame, measured and computed."""
    return {
        (section.schedule, tick_ns): {
            g.group: (g.raw[:, column].tobytes(), g.quality[:, column].tobytes())
            for g in section.groups
        }
        for section in body.sections
        for column, tick_ns in enumerate(section.ticks_ns().tolist())
    }


def readings(objects: Sequence[bytes]) -> Readings:
    """Those of every frame."""
    found: Readings = {}
    for _, body in frames(objects):
        found |= readings_of(body)
    return found


@dataclass(frozen=True)
class Told:
    """What frames say beside their readings."""

    gaps: list[tuple[float, str]]  # (seconds without readings, reason)
    events: list[str]


def told(objects: Sequence[bytes]) -> Told:
    """Gaps and events of a stream, in order."""
    gaps, events = [], []
    for _, body in frames(objects):
        if body.gap is not None:
            seconds = (body.gap.to_ns - body.gap.from_ns) / 1e9
            gaps.append((seconds, body.gap.reason))
        events += [str(event["kind"]) for event in body.events]
    return Told(gaps, events)
