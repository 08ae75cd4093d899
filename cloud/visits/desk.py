"""On-site sheets of the running collector's plants, and faces compared with the log.

Reads the disk in the caller's thread. LookupError for what is not there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from cloud.drill.store import StoreSource
from cloud.records.desk import RecordDesk
from cloud.screening.desk import Screenings
from cloud.visits.compare import Compared, compare, reach_ns
from cloud.visits.sheet import Known, Meter, meters, retained
from evidence import cose
from evidence.configuration import decode_configuration
from evidence.documents.review import VISIT
from evidence.documents.standing import Logged
from evidence.drill.readings import MINUTE_NS, Place, PointReader
from evidence.errors import MalformedError

RETAINED = "sample-retained"


class Months(Protocol):
    """How months stand."""

    def month(self, plant: str, month: str) -> Mapping[str, Any] | None:
        """JSON-ready: a month's row with its checklist."""

    def rows(self, plant: str) -> Sequence[Mapping[str, Any]]:
        """JSON-ready: every month of a plant."""


class Plans(Protocol):
    """Control plans."""

    def departures(self, plant: str, month: str) -> Mapping[str, Any]:
        """Where a month departed from its plan; JSON-ready."""

    def today(self, plant: str) -> date:
        """The day it is at the plant."""


@dataclass(frozen=True)
class Sheet:
    """What a visit looks at.

    Attributes:
        meters: all of the plant, see `cloud.visits.sheet.meters`.
        samples: retained samples that must be there.
        visits: documents of visits about this month that stand.
    """

    meters: Sequence[Meter]
    samples: Sequence[Logged]
    visits: Sequence[Logged]


@dataclass(frozen=True)
class Held:
    """A face value as it was compared.

    Attributes:
        compared: what came of it.
        unit: of the point.
        frame, frame_sha256: "GATEWAY/SEQ" and hex SHA-256 of the reading's frame; "" without one.
    """

    compared: Compared
    unit: str
    frame: str
    frame_sha256: str

    @property
    def row(self) -> dict[str, Any]:
        """As the row of a visit has it; what the log does not say is not there."""
        of, told = self.compared, {"result": self.compared.result, "unit": self.unit}
        if of.quality is not None:
            told["quality"] = str(of.quality)
        if of.reading is not None:
            told |= {"reading": of.reading.value or "", "allowed": of.allowed,
                     "frame": self.frame, "frame_sha256": self.frame_sha256}  # fmt: skip
        return told


class VisitDesk:
    """Of all plants of a collector.

    Args:
        records: what persons signed.
        months: how months stand.
        plans: control plans.
        screenings: of sealed months.
    """

    def __init__(
        self, records: RecordDesk, months: Months, plans: Plans, screenings: Screenings
    ) -> None:
        self._records, self._months, self._plans = records, months, plans
        self._screenings = screenings

    def sheet(self, source: StoreSource) -> Sheet:
        """The sheet of a plant's month."""
        plant, month = source.plant, source.month
        departures = self._plans.departures(plant, month)["departures"] or []
        looked = self._screenings.of(self._months.rows(plant), month)
        kept = None if looked is None else looked.kept
        known = Known(
            {one: _decoded(source, one) for one in source.streams()}, source.statement(),
            self._months.month(plant, month), departures,
            () if kept is None else [one.result for one in kept.out],
        )  # fmt: skip
        today = self._plans.today(plant).isoformat()
        samples = retained(self._records.standing(plant, RETAINED), today)
        visits = [
            one for one in self._records.standing(plant, VISIT) if one.document.about == month
        ]
        return Sheet(meters(known), samples, visits)

    def compare(self, source: StoreSource, gateway: str, point: str, face: str, at_ns: int) -> Held:
        """A face value, a decimal string, read in the minute that an instant lies in."""
        minute_ns = at_ns // MINUTE_NS * MINUTE_NS
        reader = PointReader(source, gateway, point)
        place = _place(source, reader, minute_ns) if gateway in source.streams() else None
        if place is None:
            raise LookupError(f"gateway {gateway} has no point {point}")
        reach = min(reach_ns(place), REACH_MAX_NS)
        readings = reader.readings(minute_ns - reach, minute_ns + MINUTE_NS + reach)
        found = compare(face, minute_ns, readings, place)
        frame, sha256 = "", ""
        if found.reading is not None:
            frame = f"{gateway}/{found.reading.seq}"
            held = source.evidence.hash_at(gateway, found.reading.seq)
            sha256 = "" if held is None else held.hex()
        return Held(found, place.point.quantity.unit, frame, sha256)

    def check(self, source: StoreSource, rows: Iterable[Mapping[str, Any]]) -> None:
        """Hold meters of a visit that were compared with a reading against the log.

        Raises:
            MalformedError: the log gives another result, or other figures: of a reading that has
                come since, too.
        """
        for row in rows:
            gateway, point = row["frame"].partition("/")[0], row["point"]
            try:
                given = self.compare(source, gateway, point, row["face"], row["at_ns"]).row
            except LookupError as error:
                raise MalformedError(f"{point}: {error}") from error
            said = {**row, "frame_sha256": row["frame_sha256"].hex()}
            other = [f"{name} {told}" for name, told in given.items() if said.get(name) != told]
            if other:
                told = ", ".join(other)
                raise MalformedError(f"{point}: the log gives {told}: compare the face again")


#: two of them and the minute are less than the hour that is read at most
REACH_MAX_NS = 29 * MINUTE_NS


def _place(source: StoreSource, reader: PointReader, minute_ns: int) -> Place | None:
    """Where the point stands in the configuration of the minute's own frames.

    Of a minute without any: in the newest that the month of the visit knows.
    """
    signed = [one.header.cfg or b"" for one in reader.frames(minute_ns, minute_ns + MINUTE_NS)]
    known = signed or source.configurations(reader.stream)
    return reader.place(known[-1]) if known else None


def _decoded(source: StoreSource, stream: str) -> list[Mapping[str, Any]]:
    known = (source.configuration(one) for one in source.configurations(stream))
    return [decode_configuration(cose.parse(data).payload) for data in known]
