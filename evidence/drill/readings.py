"""The readings of one point, out of frames, with quality and both times. Pure.

A frame closes at each quarter hour of UTC, so the readings of a time are in the frames whose t0
lies in the quarters that the time touches.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from evidence import cose
from evidence.configuration import decode_configuration
from evidence.counts import count_to_text, to_counts
from evidence.drill.source import Source
from evidence.errors import LimitError, MalformedError
from evidence.frame import (
    NO_LAG,
    NO_SOURCE_TIME,
    TYP_FRAME,
    Body,
    CodedSection,
    Header,
    Section,
    decode_body,
    header_of,
)
from evidence.frame_form import FrameForm
from evidence.points import Point
from evidence.quality import FIRST_BAD

MS_NS, MINUTE_NS = 10**6, 60 * 10**9
QUARTER_NS, HOUR_NS = 15 * MINUTE_NS, 60 * MINUTE_NS
#: configurations that are held decoded
KEPT = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a point.

    Attributes:
        seq: of the frame it stands in.
        tick_ns: the instant it is of, UTC.
        count: in units of 10^-decimals of the point's unit; None where it has no value.
        quality: code of `evidence.quality`.
        source_ns: the source's own time, None where it put none.
        answered_ns: gateway's time when the device's answer was complete; None where none came.
        raw: the number as the wire gave it.
        decimals: of the count.
    """

    seq: int
    tick_ns: int
    count: int | None
    quality: int
    source_ns: int | None
    answered_ns: int | None
    raw: int | float
    decimals: int

    @property
    def value(self) -> str | None:
        """Decimal string in the point's unit; None where it has no value."""
        return None if self.count is None else count_to_text(self.count, self.decimals)


@dataclass(frozen=True)
class Place:
    """Where a point stands in the frames of a configuration.

    Attributes:
        point: as the configuration has it.
        group, row: index of its group, and its row there.
        device: index of its device, None of a computed point.
        interval_ns: between two ticks.
        config: the whole configuration.
    """

    point: Point
    group: int
    row: int
    device: int | None
    interval_ns: int
    config: Mapping[str, Any] = field(repr=False)


def place_in(config: Mapping[str, Any], point: str) -> Place | None:
    """Where a point stands in a decoded configuration; None when it does not."""
    index = next((i for i, one in enumerate(config["points"]) if one["id"] == point), None)
    if index is None:
        return None
    made = Point.from_map(config["points"][index])
    group = next(i for i, one in enumerate(config["groups"]) if index in one["points"])
    of = config["groups"][group]
    names = [one["id"] for one in config["devices"]]
    device = names.index(made.device) if made.device in names else None
    interval = config["schedules"][of["schedule"]]["interval_ns"]
    return Place(made, group, of["points"].index(index), device, interval, config)


@dataclass(frozen=True)
class Frame:
    """One frame as it was signed.

    Attributes:
        data: its bytes.
        envelope, header: of them; the signature was not looked at.
    """

    data: bytes
    envelope: cose.Envelope
    header: Header

    @cached_property
    def body(self) -> Body:
        """What it says."""
        return decode_body(self.envelope.payload)


def frame_of(data: bytes) -> Frame:
    """A frame of its bytes; MalformedError when it is none."""
    envelope = cose.parse(data)
    header = header_of(envelope)
    if header.typ != TYP_FRAME:
        raise MalformedError("it is a signed object, but no frame")
    return Frame(data, envelope, header)


def _make_room(held: dict[bytes, Any]) -> None:
    """For one more: each may have a configuration, and an hour of frames names any number."""
    while len(held) >= KEPT:
        del held[next(iter(held))]


class Configurations:
    """The configurations of a source, decoded; `KEPT` are held, as one has up to 30 MiB.

    Args:
        source: where from.
    """

    def __init__(self, source: Source) -> None:
        self._source, self._decoded = source, dict[bytes, Mapping[str, Any]]()
        self._forms: dict[bytes, FrameForm | None] = {}

    def decoded(self, cfg: bytes) -> Mapping[str, Any]:
        """A configuration by its hash."""
        if cfg not in self._decoded:
            payload = cose.parse(self._source.configuration(cfg)).payload
            _make_room(self._decoded)
            self._decoded[cfg] = decode_configuration(payload)
        return self._decoded[cfg]

    def fits(self, cfg: bytes, body: Body) -> bool:
        """Whether a frame fits the configuration it names, as far as that gives it a form."""
        if cfg not in self._forms:
            config = self.decoded(cfg)
            _make_room(self._forms)
            self._forms[cfg] = None
            with suppress(MalformedError):
                self._forms[cfg] = FrameForm(config)
        form = self._forms[cfg]
        return form is None or form.fits(body)


class PointReader:
    """Reads one point of one gateway; keeps the last configurations it has met.

    Args:
        source: where from.
        stream: gateway id.
        point: point id.
        known: of that source; shared by readers of many points.
    """

    def __init__(
        self, source: Source, stream: str, point: str, known: Configurations | None = None
    ) -> None:
        self.source, self.stream, self.point = source, stream, point
        self._known = known or Configurations(source)
        self._places: dict[bytes, Place | None] = {}

    def place(self, cfg: bytes) -> Place | None:
        """Where the point stands under a configuration, by its hash; None when it does not."""
        if cfg not in self._places:
            _make_room(self._places)
            self._places[cfg] = place_in(self._known.decoded(cfg), self.point)
        return self._places[cfg]

    def readings(self, from_ns: int, to_ns: int, *, times: bool = True) -> list[Reading]:
        """Readings with from_ns <= tick < to_ns, in order; without the times of source and answer.

        Args:
            from_ns: first instant.
            to_ns: first instant after it, an hour later at most.
            times: also read those times: twice the work.

        Raises:
            LimitError: more than an hour is asked for.
            EvidenceError: a frame cannot be read.
        """
        found = [
            one
            for frame in self.frames(from_ns, to_ns)
            for one in self.of_frame(frame, times=times)
            if from_ns <= one.tick_ns < to_ns
        ]
        return sorted(found, key=lambda one: (one.tick_ns, one.seq))

    def frames(self, from_ns: int, to_ns: int) -> Iterator["Frame"]:
        """The frames of that time; errors as for `readings`."""
        if to_ns - from_ns > HOUR_NS:
            raise LimitError("readings are asked for by the hour at most")
        first, stop = from_ns // QUARTER_NS, -(-to_ns // QUARTER_NS)
        for data in self.source.objects(self.stream, first * QUARTER_NS, stop * QUARTER_NS):
            envelope = cose.parse(data)
            header = header_of(envelope)
            if header.typ == TYP_FRAME:
                yield Frame(data, envelope, header)

    def of_frame(self, frame: "Frame", *, times: bool = True) -> Iterator[Reading]:
        """The point's readings in one frame; its signature is not looked at.

        Of one that does not fit its configuration there are none: no figure is made of it.
        """
        cfg = frame.header.cfg or b""
        place = self.place(cfg)
        if place is None or not self._known.fits(cfg, frame.body):
            return
        for section in frame.body.sections:
            yield from _of_section(section, place, frame.header.seq, times=times)


def _of_section(
    section: Section | CodedSection, place: Place, seq: int, *, times: bool
) -> Iterator[Reading]:
    group = next((one for one in section.groups if one.group == place.group), None)
    if group is None:
        return
    if place.row >= group.rows:
        raise MalformedError(f"frame {seq} has fewer points than its configuration")
    row, point = place.row, place.point
    counts, valid = to_counts(group.raw[row], point)
    many = section.ticks
    source = [NO_SOURCE_TIME] * many
    if times and group.source_ms is not None:
        source = group.source_ms[row].tolist()
    lag = [NO_LAG] * many
    if times and place.device is not None and place.device in section.devices:
        lag = section.lag_ms[section.devices.index(place.device)].tolist()
    columns = (
        section.ticks_ns().tolist(), counts.tolist(), valid.tolist(), group.quality[row].tolist(),
        group.raw[row].tolist(), source, lag,
    )  # fmt: skip
    for tick, count, has_count, quality, raw, source_ms, lag_ms in zip(*columns, strict=True):
        yield Reading(
            seq, tick, count if has_count and quality < FIRST_BAD else None, quality,
            None if source_ms == NO_SOURCE_TIME else tick - source_ms * MS_NS,
            None if lag_ms == NO_LAG else tick + lag_ms * MS_NS,
            raw, point.decimals,
        )  # fmt: skip


@dataclass(frozen=True)
class Span:
    """What a point said in a stretch of time.

    Attributes:
        from_ns: where it begins.
        readings, reserved, bad: how many; with a reservation; without a value.
        low, high, first, last: decimal strings of values, None where there is none.
        worst: the highest quality code.
    """

    from_ns: int
    readings: int
    reserved: int
    bad: int
    low: str | None
    high: str | None
    first: str | None
    last: str | None
    worst: int


def minutes(readings: Iterable[Reading]) -> list[Span]:
    """Readings in order, by the minute; a minute without any is left out."""
    held: dict[int, list[Reading]] = {}
    for one in readings:
        held.setdefault(one.tick_ns // MINUTE_NS, []).append(one)
    return [_span(minute * MINUTE_NS, ones) for minute, ones in held.items()]


def _span(from_ns: int, ones: Sequence[Reading]) -> Span:
    codes = np.array([one.quality for one in ones])
    usable = [one for one in ones if one.count is not None]
    by_count = sorted(usable, key=lambda one: (one.count or 0) * 10 ** (9 - one.decimals))
    return Span(
        from_ns, len(ones), int(((codes > 0) & (codes < FIRST_BAD)).sum()),
        len(ones) - len(usable),
        by_count[0].value if usable else None, by_count[-1].value if usable else None,
        usable[0].value if usable else None, usable[-1].value if usable else None,
        int(codes.max()),
    )  # fmt: skip
