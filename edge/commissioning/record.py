"""The commissioning record: what was read of each point beside what its meter's own display shows.

Pure but for the two functions it is given: one reads a device, one asks a person.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from edge.commissioning.doctor_text import checks_map
from edge.commissioning.findings import Check
from edge.commissioning.look import Look
from edge.commissioning.round_trip import RoundTrip
from edge.commissioning.value import Shown, shown
from edge.drivers.base import BoundPoint, DeviceError, DeviceSpec, Sample
from edge.site.devices import DeviceConfig
from evidence.documents.fields import DECIMAL
from evidence.points import Role
from evidence.quality import Quality

FACE_CHARACTERS_MAX = 40
TEXT_MAX = 200
TOLERANCE_PERCENT_MAX = 100
STOP = "q"
_PERCENT = Decimal("0.01")
#: exact with the longest reading beside the shortest face
_WIDE = Context(prec=100, rounding=ROUND_HALF_UP)

#: one read of a device: a sample a point, or DeviceError
Read = Callable[[DeviceSpec], Sequence[Sample]]
#: shows a prompt and gives the line that was typed
Ask = Callable[[str], str]


@dataclass(frozen=True)
class Entry:
    """One point.

    Attributes:
        point: its id.
        place: where it stands in the device, and how it is taken.
        raw: its bytes, least significant first, hex; "" when there were none.
        shown: value, unit and quality.
        read_ns: UTC nanoseconds of the read.
        face: what the meter's display showed then, in the same unit; None when nobody typed it.
        face_ns: UTC nanoseconds when it was typed.
        tolerance: in percent of the face value, as the person said; None when nobody did.
    """

    point: str
    place: str
    raw: str
    shown: Shown
    read_ns: int
    face: Decimal | None = None
    face_ns: int | None = None
    tolerance: Decimal | None = None

    @property
    def difference(self) -> Decimal | None:
        """Value read minus face value, in the unit; None where one of them is missing."""
        if self.face is None or self.shown.number is None:
            return None
        return _WIDE.subtract(Decimal(self.shown.number), self.face)

    @property
    def percent(self) -> Decimal | None:
        """The difference in percent of the face value, half up; None of nothing or of 0."""
        if self.difference is None or not self.face:
            return None
        share = _WIDE.divide(_WIDE.multiply(100, self.difference), self.face)
        return _WIDE.quantize(share, _PERCENT)

    @property
    def counts(self) -> Decimal | None:
        """The difference in steps of the value's last digit, as signed; None as `difference`."""
        if self.difference is None or self.shown.number is None:
            return None
        return _WIDE.divide(self.difference, _last_digit(Decimal(self.shown.number)))

    @property
    def is_within(self) -> bool | None:
        """The two are apart by no more than the tolerance, or one last digit of either.

        None as `difference`. No tolerance is assumed where nobody gave one.
        """
        if self.difference is None or self.face is None or self.shown.number is None:
            return None
        digits = max(_last_digit(self.face), _last_digit(Decimal(self.shown.number)))
        percent = abs(self.face) * (self.tolerance or 0) / 100
        return abs(self.difference) <= max(digits, percent)

    def as_map(self) -> dict[str, Any]:
        """For programs; numbers as decimal strings."""
        return {
            "point": self.point,
            "place": self.place,
            "raw": self.raw,
            **self.shown.as_map(),
            "read_ns": self.read_ns,
            "face": None if self.face is None else str(self.face),
            "difference": None if self.difference is None else str(self.difference),
            "percent": None if self.percent is None else str(self.percent),
            "face_ns": self.face_ns,
            "tolerance_percent": None if self.tolerance is None else str(self.tolerance),
            "within": self.is_within,
        }


@dataclass(frozen=True)
class OfDevice:
    """One device.

    Attributes:
        id, url: of the site file.
        profile: id and revision.
        source: manual and revision that the profile comes from.
        quality_level: how far the profile has been tried.
        ratios: of the installation.
        instrument: what the face values were read from; "" when nobody said.
        trouble: why nothing was read; "" when it was.
        entries: its points, in order.
    """

    id: str
    url: str
    profile: str
    source: str
    quality_level: str
    ratios: Mapping[str, str]
    entries: tuple[Entry, ...]
    instrument: str = ""
    trouble: str = ""

    def as_map(self) -> dict[str, Any]:
        """For programs."""
        return {
            "id": self.id,
            "url": self.url,
            "profile": self.profile,
            "source": self.source,
            "quality_level": self.quality_level,
            "ratios": dict(self.ratios),
            "instrument": self.instrument,
            "trouble": self.trouble or None,
            "points": [entry.as_map() for entry in self.entries],
        }


@dataclass(frozen=True)
class Record:
    """The whole record.

    Attributes:
        plant, plant_name, gateway: whose.
        simulated: the plant is a simulation.
        time_zone: of the plant.
        site_sha256: of the site file, hex.
        software: what made it.
        by: who was there.
        made_ns: UTC nanoseconds when it was finished.
        devices: in the order of the site file.
        checks: what was found of the clock, here and of devices that have one.
        trip: the last look at what the collector has taken; None where nothing is signed here.
        unwritten: tables that the site file does not have yet; what would come from them is "",
            and nothing is said of the plant being a simulation.
    """

    plant: str
    plant_name: str
    gateway: str
    simulated: bool
    time_zone: str
    site_sha256: str
    software: str
    by: str
    made_ns: int
    devices: tuple[OfDevice, ...]
    checks: tuple[Check, ...] = ()
    trip: RoundTrip | None = None
    unwritten: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Every point has a value that may be used."""
        return all(
            not device.trouble and all(e.shown.quality.usable for e in device.entries)
            for device in self.devices
        )

    def as_map(self) -> dict[str, Any]:
        """For programs."""
        return {
            "format": 1,
            "plant": self.plant,
            "plant_name": self.plant_name,
            "gateway": self.gateway,
            "simulated": self.simulated,
            "time_zone": self.time_zone,
            "site_sha256": self.site_sha256,
            "software": self.software,
            "by": self.by,
            "made_ns": self.made_ns,
            "unwritten": list(self.unwritten),
            "checks": checks_map(self.checks),
            "round_trip": None if self.trip is None else self.trip.as_map(),
            "devices": [device.as_map() for device in self.devices],
        }


class StopAsking(Exception):  # noqa: N818 - nothing is wrong
    """The person wants to type no more."""


def take_device(
    device: DeviceConfig, read: Read, now_ns: Callable[[], int], ask: Ask | None
) -> OfDevice:
    """Read a device, and ask for the face values where there is somebody to ask.

    A point whose face value was typed is read again at once, so that both are of one moment.

    Args:
        device: of the site file.
        read: reads a device once.
        now_ns: UTC nanoseconds.
        ask: asks a person; None: the record is filled in by hand.
    """
    spec, trouble = device.spec, ""
    try:
        samples = read(spec)
    except DeviceError as error:
        samples = [Sample(None, Quality.NOT_CONNECTED)] * len(spec.points)
        trouble = str(error).removeprefix(f"device {device.id}: ")
    read_ns = now_ns()
    entries = [_entry(b, s, read_ns) for b, s in zip(spec.points, samples, strict=True)]
    made = OfDevice(
        id=device.id,
        url=device.url,
        profile=f"{device.profile.id} revision {device.profile.revision}",
        source=device.profile.source,
        quality_level=device.profile.quality_level,
        ratios=device.ratios,
        entries=tuple(entries),
        trouble=trouble,
    )
    return made if trouble or ask is None else _with_faces(made, device, read, now_ns, ask)


def _with_faces(
    made: OfDevice, device: DeviceConfig, read: Read, now_ns: Callable[[], int], ask: Ask
) -> OfDevice:
    instrument = ask(f"{device.id}: face values are read from (instrument, display, serial no.): ")
    entries = list(made.entries)
    try:
        for place, bound in enumerate(device.points):
            face = _face(entries[place], bound, ask)
            if face is None:
                continue
            face_ns = now_ns()
            try:
                (sample,) = read(replace(device.spec, points=(bound,)))
            except DeviceError:
                sample = Sample(None, Quality.NOT_CONNECTED)
            entries[place] = replace(_entry(bound, sample, now_ns()), face=face, face_ns=face_ns)
    except StopAsking:
        pass  # what was typed so far stands, the rest is left to be filled in by hand
    return replace(made, entries=tuple(entries), instrument=instrument.strip()[:TEXT_MAX])


def _entry(bound: BoundPoint, sample: Sample, read_ns: int) -> Entry:
    return Entry(
        point=bound.point.id,
        place=bound.point.source,
        raw=(sample.raw or b"").hex(),
        shown=shown(bound.point, sample, read_ns),
        read_ns=read_ns,
    )


def entry_of(bound: BoundPoint, look: Look | None, read_ns: int) -> Entry:
    """The entry of a point that was looked at singly; no look: its device was out of reach."""
    if look is None or look.shown is None:
        return _entry(bound, Sample(None, Quality.NOT_CONNECTED), read_ns)
    return Entry(bound.point.id, bound.point.source, look.raw.hex(), look.shown, read_ns)


def _last_digit(number: Decimal) -> Decimal:
    """One in the last digit that is written of it."""
    exponent = number.as_tuple().exponent
    return Decimal(1).scaleb(exponent) if isinstance(exponent, int) else Decimal(1)


def _face(entry: Entry, bound: BoundPoint, ask: Ask) -> Decimal | None:
    """The face value a person types; None when there is none to be seen."""
    unit = bound.point.quantity.unit
    kind = "as a number" if bound.point.role is Role.STATE or unit == "1" else f"in {unit}"
    reads = f"{entry.point}: reads {entry.shown.text}, {entry.shown.verdict}"
    prompt = f"{reads}; face value {kind} (Enter: none, {STOP}: no more): "
    while typed := ask(prompt).strip():
        if typed == STOP:
            raise StopAsking
        try:
            return parse_face(typed)
        except ValueError as error:
            prompt = f"{error}: "
    return None


def parse_tolerance(text: str) -> Decimal | None:
    """A typed tolerance in percent, None of nothing; ValueError says how it is written."""
    if not text.strip():
        return None
    tolerance = parse_face(text.strip())
    if not 0 <= tolerance <= TOLERANCE_PERCENT_MAX:
        raise ValueError(f"a tolerance in percent is from 0 to {TOLERANCE_PERCENT_MAX}")
    return tolerance


def person(text: str) -> str:
    """The name somebody signs with; ValueError says what is none."""
    if not text.strip() or len(text) > TEXT_MAX or not text.isprintable():
        raise ValueError(f"a name of 1 to {TEXT_MAX} printable characters")
    return text.strip()


def file_name(record: Record) -> str:
    """What its file is called where nobody says: plant, gateway and time, no suffix."""
    at = dt.datetime.fromtimestamp(record.made_ns // 1_000_000_000, dt.UTC)
    plant, gateway = record.plant or "plant", record.gateway or "gateway"
    return f"commissioning-{plant}-{gateway}-{at:%Y%m%dT%H%M%SZ}"


def parse_face(text: str) -> Decimal:
    """A typed number, exactly; ValueError says how it is written.

    As a display shows it: of 1e4 the last digit would be 10,000, and 8000 within it.
    """
    if len(text) > FACE_CHARACTERS_MAX:
        raise ValueError(f"at most {FACE_CHARACTERS_MAX} characters")
    if not DECIMAL.fullmatch(text):
        raise ValueError(f"{text!r} is no number; write digits with a full stop, such as 1234.5")
    return Decimal(text)
