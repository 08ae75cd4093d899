"""What the page holds while its command runs: what was asked, what came, what a person typed.

I/O: through the drivers, one question at a time, each over a connection of its own that is closed
again: between two questions no device is held. Nothing is kept on disk.
"""

import asyncio
import hashlib
import threading
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from edge.clock import Clock
from edge.commissioning.doctor import AT_ONCE, by_endpoint, examine_device
from edge.commissioning.doctor_broker import examine_broker
from edge.commissioning.findings import Check, failed, has_failed
from edge.commissioning.look import Look
from edge.commissioning.look_driver import read_once
from edge.commissioning.page.clocks import clock_checks_of
from edge.commissioning.page.seen import DeviceSeen, Made, PointSeen
from edge.commissioning.read import read_device, read_point
from edge.commissioning.record import (
    TEXT_MAX,
    Entry,
    OfDevice,
    entry_of,
    file_name,
    parse_face,
    parse_tolerance,
    person,
    take_device,
)
from edge.commissioning.record_html import page
from edge.commissioning.recorded import record_of, signs_here
from edge.commissioning.round_trip import RoundTrip, look_at_delivery, watch_next
from edge.commissioning.site_part import SitePart, read_part
from edge.commissioning.target import TargetError, device_of, point_of
from edge.drivers.base import BoundPoint, DeviceError, DeviceSpec, Sample
from edge.errors import SiteConfigError
from edge.site.devices import DeviceConfig
from edge.spool import is_in_use

Answer = TypeVar("Answer")


class RefusedError(Exception):
    """It was not done. `key` of strings.json says why, `field` which field of the form."""

    def __init__(self, key: str, field: str = "", **values: object) -> None:
        super().__init__(key)
        self.key, self.field, self.values = key, field, values


class Session:
    """One run of `stackproof edge commission`.

    Args:
        path: of the site file.
        part: what stands in it.
        clock: this machine's.
        patience_s: how long to listen for devices that are heard, not asked.

    Attributes:
        part: the site, as last read.
        by: who types; "" until somebody said.
        instruments: device id -> what its face values are read from.
        devices, points: what was seen of them last, by id.
        entries: what was typed, by point id.
        trip: the last round trip that was watched.
        broker: what was found of the broker last.
        made: the record; None until it is made, and when something was typed since.
        problems: what is wrong with the site file, as far as the devices are concerned.
    """

    def __init__(self, path: Path, part: SitePart, clock: Clock, patience_s: float) -> None:
        self.part, self.by = part, ""
        self.instruments: dict[str, str] = {}
        self.devices: dict[str, DeviceSeen] = {}
        self.points: dict[str, PointSeen] = {}
        self.entries: dict[str, Entry] = {}
        self.trip: RoundTrip | None = None
        self.broker: tuple[Check, ...] = ()
        self.made: Made | None = None
        self.problems: tuple[str, ...] = ()
        self.clock, self.end = clock, threading.Event()
        self._path, self._patience_s = path, patience_s
        self._sha256 = _sha256(path)
        self._allowed: set[str] = set()
        self._asking = threading.Lock()

    @property
    def is_agent_running(self) -> bool:
        """An agent works on the spool that the site file names."""
        return signs_here(self.part) and is_in_use(self.part.site.gateway.spool)

    def must_confirm(self, device: str) -> bool:
        """The agent holds the device ("": all), and nobody said that one client more is fine."""
        return self.is_agent_running and not {device, ""} & self._allowed

    def device(self, name: str) -> DeviceConfig:
        """The device; RefusedError when there is none."""
        try:
            return device_of(self.part.site, name)
        except TargetError:
            raise RefusedError("refused.unknown") from None

    def point(self, name: str) -> tuple[DeviceConfig, BoundPoint]:
        """A point and its device; RefusedError when there is none."""
        try:
            device, bound = point_of(self.part.site, name, None)
        except TargetError:
            bound = None
        if bound is None:
            raise RefusedError("refused.unknown")
        return device, bound

    def examine(self, name: str, form: Mapping[str, str]) -> None:
        """The doctor's look at a device, and all its values where nothing fails; "": at all."""
        devices = [self.device(name)] if name else self.part.site.devices
        with self._asking:
            self._confirm(name, form)
            self._run(self._examine(devices))

    def look_at(self, name: str, form: Mapping[str, str]) -> None:
        """The register view of a point."""
        device, bound = self.point(name)
        with self._asking:
            self._confirm(device.id, form)
            self.points[name] = self._look(device, bound)

    def take_face(self, name: str, form: Mapping[str, str]) -> None:
        """A typed face value, and the point read again at that moment."""
        device, bound = self.point(name)
        face, tolerance = self._typed(form)
        with self._asking:
            self._name(form)  # whoever waited here finds what another has typed meanwhile
            self._confirm(device.id, form)
            face_ns = self.clock.wall_ns()
            seen = self.points[name] = self._look(device, bound)
            entry = entry_of(bound, seen.look, seen.at_ns)
            self.entries[name] = replace(entry, face=face, face_ns=face_ns, tolerance=tolerance)
            self.instruments[device.id] = form.get("instrument", "").strip()[:TEXT_MAX]
            self.made = None

    def forget_face(self, name: str) -> None:
        """It was mistyped."""
        with self._asking:
            self.entries.pop(name, None)
            self.made = None

    def watch(self) -> None:
        """Wait for the receipt of what the agent signs next."""
        if not signs_here(self.part):
            raise RefusedError("refused.no-stream")
        with self._asking:
            self.trip, self.made = watch_next(self.part.site, self.clock, self.end), None

    def delivery(self) -> RoundTrip | None:
        """How the stream stands now; None where this machine signs nothing."""
        if not signs_here(self.part):
            return None
        return RoundTrip.of(look_at_delivery(self.part.site, self.clock))

    def ask_broker(self) -> None:
        """One try at the broker, as the agent makes it."""
        if {"plant", "gateway", "uplink"} & set(self.part.unwritten):
            raise RefusedError("refused.no-stream")
        with self._asking:
            self.broker = tuple(self._run(examine_broker(self.part.site, self.clock)))

    def make(self, form: Mapping[str, str]) -> None:
        """The record, as `edge record` makes it: all devices are read once more."""
        with self._asking:
            self._name(form)
            if _sha256(self._path) != self._sha256:
                raise RefusedError("refused.changed")
            self._confirm("", form)
            record = record_of(
                self.part,
                [self._of_device(device) for device in self.part.site.devices],
                self.by,
                self.clock,
                of_devices=[
                    check
                    for device in self.part.site.devices
                    for check in clock_checks_of(device.id, self.devices.get(device.id))
                ],
                trip=self.trip,
            )
            data = page(record).encode()
            digest = hashlib.sha256(data).hexdigest()
            self.made = Made(record, f"{file_name(record)}.html", data, digest)

    def reload(self) -> None:
        """Read the site file again; of what changed nothing is known, typed or allowed any more."""
        with self._asking:
            sha256 = _sha256(self._path)  # before: what is written meanwhile is noticed
            try:
                part = read_part(self._path, is_rest_right=True)
            except SiteConfigError as error:
                self.problems = tuple(map(str, error.problems))
                raise RefusedError("refused.site") from None
            kept = {d.id for d in part.site.devices if d in self.part.site.devices}
            if _stream(part) != _stream(self.part):
                self.trip, self.broker = None, ()
            self._allowed &= kept if len(kept) < len(part.site.devices) else {"", *kept}
            self.part, self.problems, self.made, self._sha256 = part, (), None, sha256
            self.instruments = {i: text for i, text in self.instruments.items() if i in kept}
            self.devices = {i: seen for i, seen in self.devices.items() if i in kept}
            self.points = {i: s for i, s in self.points.items() if i.partition(".")[0] in kept}
            self.entries = {i: e for i, e in self.entries.items() if i.partition(".")[0] in kept}

    def _typed(self, form: Mapping[str, str]) -> tuple[Decimal, Decimal | None]:
        try:
            face = parse_face(form.get("face", "").strip())
        except ValueError:
            raise RefusedError("refused.face", "face") from None
        try:
            return face, parse_tolerance(form.get("tolerance", ""))
        except ValueError:
            raise RefusedError("refused.tolerance", "tolerance") from None

    def _name(self, form: Mapping[str, str]) -> None:
        """A record has one name: once something is typed it stays."""
        try:
            name = person(form.get("by", self.by))
        except ValueError:
            raise RefusedError("refused.name", "by") from None
        if self.entries and name != self.by:
            raise RefusedError("refused.other", "by", name=self.by)
        self.by = name

    def _confirm(self, device: str, form: Mapping[str, str]) -> None:
        """RefusedError unless the agent is away, or a person says that one client more is fine."""
        if not self.must_confirm(device):
            return
        if form.get("beside") != "yes":
            raise RefusedError("refused.beside", "beside")
        self._allowed.add(device)

    async def _examine(self, devices: Sequence[DeviceConfig]) -> None:
        """Endpoints side by side, devices on one of them in turn."""
        few = asyncio.Semaphore(AT_ONCE)

        async def in_turn(group: Sequence[DeviceConfig]) -> None:
            async with few:
                for device in group:
                    self.devices[device.id] = await self._examined(device)

        await asyncio.gather(*map(in_turn, by_endpoint(devices)))

    async def _examined(self, device: DeviceConfig) -> DeviceSeen:
        checks, looks = await examine_device(device, self.clock, self._patience_s), list[Look]()
        began_ns = self.clock.monotonic_ns()
        if not has_failed(checks):
            try:
                looks = list(await read_device(device.spec, self.clock, self._patience_s))
            except DeviceError as error:
                sentence = str(error).removeprefix(f"device {device.id}: ")
                checks.append(failed(device.id, "protocol", sentence, "ask it once more"))
        took_ms = (self.clock.monotonic_ns() - began_ns) / 1e6
        return DeviceSeen(self.clock.wall_ns(), took_ms, tuple(checks), tuple(looks))

    def _look(self, device: DeviceConfig, bound: BoundPoint) -> PointSeen:
        look, trouble = None, ""
        try:
            look = self._run(read_point(device.spec, bound, self.clock, self._patience_s))
        except DeviceError as error:
            trouble = str(error).removeprefix(f"device {device.id}: ")
        return PointSeen(self.clock.wall_ns(), look, trouble)

    def _of_device(self, device: DeviceConfig) -> OfDevice:
        def read(spec: DeviceSpec) -> list[Sample]:
            return self._run(read_once(spec, self._patience_s))

        made = take_device(device, read, self.clock.wall_ns, None)
        entries = tuple(self.entries.get(entry.point, entry) for entry in made.entries)
        return replace(made, entries=entries, instrument=self.instruments.get(device.id, ""))

    def _run(self, asking: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run(asking)


def _stream(part: SitePart) -> object:
    """Whose round trip is watched, and which broker is asked."""
    return part.site.plant, part.site.gateway, part.site.uplink


def _sha256(path: Path) -> str:
    """Of the site file; "" while it cannot be read, which reading it again tells."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
