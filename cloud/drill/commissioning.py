"""What a gateway signs that it reads, of which meter, and how far that has come. Reads the disk.

The collector reaches no meter. What is told here stands in signed objects: the gateway's newest
configuration, its newest readings, and what the log says of its newest frame. LookupError for what
is not there; EvidenceError and StoreError where something is damaged.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloud.drill.store import StoreSource
from evidence import cose
from evidence.configuration import decode_configuration
from evidence.drill.facts import frame_row, plain, proof
from evidence.drill.readings import HOUR_NS, Configurations, Frame, PointReader, Reading, frame_of
from evidence.frame import TYP_FRAME, header_of
from evidence.points import Point

#: objects looked at, newest first: an hour of frames that a gateway closes each ten seconds
LOOKED_MAX = 360


@dataclass(frozen=True)
class Delivered:
    """The newest frame of a gateway with readings, from its key to the collector's log.

    Attributes:
        frame: of `evidence.drill.facts.frame_row`.
        proof: of `evidence.drill.facts.proof`.
        through_ns: newest instant that it has readings of, UTC.
        log_index: of its entry.
        received_ns: the collector's time on that entry.
    """

    frame: Mapping[str, Any]
    proof: Mapping[str, Any]
    through_ns: int
    log_index: int
    received_ns: int


@dataclass(frozen=True)
class SignedPoint:
    """A point of the configuration.

    Attributes:
        point: it.
        entry: as it was signed; JSON-ready.
        interval_ns: between two readings.
        reading: the newest; None when no frame of `LOOKED_MAX` objects, an hour at most, has one.
    """

    point: Point
    entry: Mapping[str, Any]
    interval_ns: int
    reading: Reading | None


class SignedGateway:
    """One gateway of a plant, as it is signed now.

    Args:
        source: the plant's, in the month that it is.
        gateway: its id.

    Attributes:
        gateway: its id.
        sha256: of its newest configuration, hex.
        config: that, decoded.
    """

    def __init__(self, source: StoreSource, gateway: str) -> None:
        if gateway not in source.streams():
            raise LookupError(f"plant {source.plant} has no gateway {gateway}")
        known = list(source.evidence.configs(gateway))
        if not known:
            raise LookupError(f"gateway {gateway} has signed no configuration yet")
        self._source, self.gateway = source, gateway
        payload = cose.parse(source.configuration(known[-1])).payload
        self.sha256, self.config = known[-1].hex(), decode_configuration(payload)

    def devices(self) -> list[tuple[Mapping[str, Any], int]]:
        """(Entry, JSON-ready; how many points it has) of each device, in the signed order."""
        points = [one.get("device") for one in self.config["points"]]
        return [(plain(one), points.count(one["id"])) for one in self.config["devices"]]

    def device(self, name: str) -> Mapping[str, Any]:
        """Entry of one device, JSON-ready; LookupError when there is none."""
        for one in self.config["devices"]:
            if one["id"] == name:
                return dict(plain(one))
        raise LookupError(f"gateway {self.gateway} has no device {name}")

    def points(self, device: str) -> list[SignedPoint]:
        """The points of a device, each with its newest reading."""
        entries = [one for one in self.config["points"] if one.get("device") == device]
        newest = self._newest([one["id"] for one in entries])
        interval_ns = self.config["schedules"][self.device(device)["schedule"]]["interval_ns"]
        return [
            SignedPoint(Point.from_map(one), plain(one), interval_ns, newest.get(one["id"]))
            for one in entries
        ]

    def delivered(self) -> Delivered | None:
        """Its newest frame with readings, None before the first; a heartbeat has none."""
        frame = next((one for one in self._frames() if one.body.sections), None)
        found = None if frame is None else self._source.entry(self.gateway, frame.header.seq)
        if frame is None or found is None:
            return None
        index, entry = found
        through_ns = max(int(one.ticks_ns()[-1]) for one in frame.body.sections)
        return Delivered(
            frame_row(frame), proof(self._source, self.gateway, frame.envelope), through_ns,
            index, entry.received_ns,
        )  # fmt: skip

    def _newest(self, points: Sequence[str]) -> dict[str, Reading]:
        known = Configurations(self._source)
        missing = {one: PointReader(self._source, self.gateway, one, known) for one in points}
        found = dict[str, Reading]()
        for frame in self._frames():
            for name, reader in list(missing.items()):
                if readings := list(reader.of_frame(frame)):
                    found[name] = max(readings, key=lambda one: one.tick_ns)
                    del missing[name]
            if not missing:
                break
        return found

    def _frames(self) -> Iterator[Frame]:
        """Newest first: those of this configuration, `LOOKED_MAX` objects, of an hour at most."""
        evidence, newest_ns = self._source.evidence, None
        stop = evidence.head(self.gateway).next_seq
        for seq in range(stop - 1, max(stop - 1 - LOOKED_MAX, -1), -1):
            data = next(iter(evidence.objects(self.gateway, seq, seq + 1))).data
            header = header_of(cose.parse(data))
            if header.typ != TYP_FRAME:
                continue
            if (header.cfg or b"").hex() != self.sha256:
                return
            frame = frame_of(data)
            newest_ns = newest_ns or frame.body.t0_ns
            if newest_ns - frame.body.t0_ns >= HOUR_NS:
                return
            yield frame
