"""A meter's face held against a source's signed readings: a running store's, or an archive's.

What a source reads is read in the caller's thread. LookupError for what is not there.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cloud.visits.compare import Compared, compare, reach_ns
from evidence.drill.readings import MINUTE_NS, Place, PointReader, Reading
from evidence.drill.source import Source
from evidence.errors import MalformedError

#: two of them and the minute are less than the hour that is read at most
REACH_MAX_NS = 29 * MINUTE_NS


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


def hold(source: Source, gateway: str, point: str, face: str, at_ns: int) -> Held:
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
        sha256 = hashlib.sha256(_frame(reader, found.reading)).hexdigest()
    return Held(found, place.point.quantity.unit, frame, sha256)


def check_faces(source: Source, rows: Iterable[Mapping[str, Any]]) -> None:
    """Hold meters of a visit that were compared with a reading against a source.

    Raises:
        MalformedError: it gives another result, or other figures: of a reading that has come
            since, too.
    """
    for row in rows:
        gateway, point = row["frame"].partition("/")[0], row["point"]
        try:
            given = hold(source, gateway, point, row["face"], row["at_ns"]).row
        except LookupError as error:
            raise MalformedError(f"{point}: {error}") from error
        said = {**row, "frame_sha256": row["frame_sha256"].hex()}
        other = [f"{name} {told}" for name, told in given.items() if said.get(name) != told]
        if other:
            told = ", ".join(other)
            raise MalformedError(f"{point}: the log gives {told}: compare the face again")


def _frame(reader: PointReader, reading: Reading) -> bytes:
    around = reader.frames(reading.tick_ns, reading.tick_ns + 1)
    return next(one.data for one in around if one.header.seq == reading.seq)


def _place(source: Source, reader: PointReader, minute_ns: int) -> Place | None:
    """Where the point stands in the configuration of the minute's own frames.

    Of a minute without any: in the newest that the month of the visit knows.
    """
    signed = [one.header.cfg or b"" for one in reader.frames(minute_ns, minute_ns + MINUTE_NS)]
    known = signed or source.configurations(reader.stream)
    return reader.place(known[-1]) if known else None
