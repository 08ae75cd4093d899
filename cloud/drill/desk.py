"""The drill's levels, over the running store: month, line, day, hour, minute, reading, document.

Reads the disk in the caller's thread, an hour of frames at most at a time. LookupError for what is
not there; EvidenceError and StoreError where something is damaged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from cloud.collector.desk import EvidenceDesk
from cloud.drill.store import StoreSource
from cloud.records.desk import RecordDesk
from edge.calc.local_time import PlantDays
from evidence import cose
from evidence.drill.facts import documents_of, facts, newest_configuration
from evidence.drill.lines import Line, lines_of
from evidence.drill.readings import (
    HOUR_NS,
    MINUTE_NS,
    PointReader,
    Reading,
    Span,
    frame_of,
    minutes,
)
from evidence.drill.samples import story_of
from evidence.frame import TYP_FRAME, header_of
from evidence.keys import certificate_from_pem, key_id, public_key
from evidence.points import Point

Statements = Callable[[str, str], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Top:
    """A month as the drill begins.

    Attributes:
        statement: the sealed one that stands, None without one.
        lines: of it.
        points: (gateway id, its points by the newest configuration of the month).
    """

    statement: Mapping[str, Any] | None
    lines: Sequence[Line]
    points: Sequence[tuple[str, Sequence[Point]]]

    def gateways(self, point: str) -> list[str]:
        """Those that have a point of this id."""
        return [name for name, points in self.points if any(one.id == point for one in points)]


@dataclass(frozen=True)
class Stretch:
    """A stretch of time with objects in it.

    Attributes:
        from_ns, to_ns: UTC nanoseconds, to exclusive.
        objects: signed objects that begin in it.
    """

    from_ns: int
    to_ns: int
    objects: int


class DrillDesk:
    """Of all plants of a collector.

    Args:
        evidence: what is committed, and keys.
        records: what persons signed.
        statement: gives the statement.json of a plant's sealed month, None without one.
    """

    def __init__(self, evidence: EvidenceDesk, records: RecordDesk, statement: Statements) -> None:
        self._evidence, self._records, self._statement = evidence, records, statement

    def source(self, plant: str, month: str, zone: ZoneInfo) -> StoreSource:
        """A plant's evidence in a month; LookupError for a plant that is not of this collector."""
        return StoreSource(
            self._evidence.evidence(plant), self._evidence.keys(plant),
            self._records.papers(plant).standing, self._statement(plant, month),
            month, PlantDays(zone.key).month_bounds(month),
        )  # fmt: skip

    def top(self, source: StoreSource) -> Top:
        """The lines of a month's statement and the points it has."""
        configs = {one: newest_configuration(source, one) for one in source.streams()}
        known = [(name, config) for name, config in configs.items() if config is not None]
        statement, lines = source.statement(), list[Line]()
        if statement is not None and known:
            lines = lines_of(statement, [config for _, config in known])
        points = [
            (name, [Point.from_map(one) for one in config["points"]]) for name, config in known
        ]
        return Top(statement, lines, points)

    def point(self, source: StoreSource, stream: str, point: str) -> Point:
        """A point by the newest configuration of the month; LookupError when there is none."""
        config = newest_configuration(source, stream)
        for one in config["points"] if config is not None else ():
            if one["id"] == point:
                return Point.from_map(one)
        raise LookupError(f"gateway {stream} of {source.plant} has no point {point}")

    def days(self, source: StoreSource, stream: str, zone: ZoneInfo) -> list[Stretch]:
        """The days of a month, by the index alone."""
        cut, (at_ns, end_ns) = PlantDays(zone.key), source.bounds_ns
        found = []
        while at_ns < end_ns:
            day = cut.day(at_ns)
            found.append(_stretch(source, stream, at_ns, day.end_ns))
            at_ns = day.end_ns
        return found

    def hours(self, source: StoreSource, stream: str, zone: ZoneInfo, at_ns: int) -> list[Stretch]:
        """The hours of the day that an instant lies in, by the index alone."""
        day = PlantDays(zone.key).day(at_ns)
        return [
            _stretch(source, stream, begin, min(begin + HOUR_NS, day.end_ns))
            for begin in range(day.start_ns, day.end_ns, HOUR_NS)
        ]

    def minutes(self, source: StoreSource, stream: str, point: str, from_ns: int) -> list[Span]:
        """The minutes of an hour that have readings."""
        reader = PointReader(source, stream, point)
        return minutes(reader.readings(from_ns, from_ns + HOUR_NS, times=False))

    def readings(self, source: StoreSource, stream: str, point: str, from_ns: int) -> list[Reading]:
        """The readings of a minute."""
        return PointReader(source, stream, point).readings(from_ns, from_ns + MINUTE_NS)

    def reading(
        self, source: StoreSource, stream: str, point: str, seq: int, tick_ns: int
    ) -> Mapping[str, Any]:
        """A reading with all that proves it, JSON-ready; LookupError when there is none."""
        reader = PointReader(source, stream, point)
        frame = frame_of(self.frame(source.plant, stream, seq))
        found = [one for one in reader.of_frame(frame) if one.tick_ns == tick_ns]
        if not found:
            raise LookupError(f"frame {seq} of {stream} has no reading of {point} then")
        told = facts(reader, found[0], frame)
        device = told["device"]["id"] if told["device"] else ""
        documents = documents_of(source, device, tick_ns) if device else []
        return {**told, "documents": documents}

    def frame(self, plant: str, stream: str, seq: int) -> bytes:
        """A frame as it was signed; LookupError when there is none."""
        evidence = self._evidence.evidence(plant)
        is_there = stream in evidence.streams()
        stored = next(evidence.objects(stream, seq, seq + 1), None) if is_there else None
        if stored is None or header_of(cose.parse(stored.data)).typ != TYP_FRAME:
            raise LookupError(f"{stream} has no frame {seq}")
        return stored.data

    def certificate(self, plant: str, stream: str, seq: int) -> bytes:
        """PEM of the certificate of the key that signed a frame; LookupError likewise."""
        kid = cose.parse(self.frame(plant, stream, seq)).kid
        for (name, _), pem in self._evidence.keys(plant).gateways.items():
            if name == stream and key_id(public_key(certificate_from_pem(pem))) == kid:
                return pem
        raise LookupError(f"there is no certificate of the key that signed frame {seq}")

    def story(self, source: StoreSource, sha256: bytes) -> list[dict[str, Any]]:
        """A document with all of its sample; LookupError when there is none."""
        found = story_of(source.standing(), sha256)
        if found is None:
            raise LookupError(f"plant {source.plant} has no document {sha256.hex()}")
        return found


def _stretch(source: StoreSource, stream: str, from_ns: int, to_ns: int) -> Stretch:
    first, stop = source.evidence.span(stream, from_ns, to_ns)
    return Stretch(from_ns, to_ns, stop - first)
