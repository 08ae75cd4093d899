"""DL/T 645-2007: reads one electricity meter's data items and nothing else.

What it guarantees, and where:
- control codes 11H and 12H to one meter's own address, never a wildcard: `frame.only_reads` is the
  gate, `Wire.send` the one place that sends;
- an answer is believed with the right checksum, address, data item and number of bytes;
- one data item the meter refuses costs one point; a silent one costs its own timeout and is asked
  last from then on.
"""

import logging
from collections.abc import Mapping, Sequence

from edge.drivers.address import parse_address, parse_path, wrong
from edge.drivers.base import BoundPoint, DeviceError, DeviceSpec, Sample
from edge.drivers.complaints import Complaints
from edge.drivers.dlt645.bus import Bus, bus_of
from edge.drivers.dlt645.decode import Value
from edge.drivers.dlt645.frame import FRAMES_MAX, Dlt645Error, WrongAnswerError, pack_address
from edge.drivers.dlt645.traffic import traffic_of
from edge.drivers.dlt645.wire import Endpoint, Host
from edge.drivers.serial_line import BAUDS, SerialLine
from edge.drivers.setting_text import number_text
from edge.drivers.shared_bus import SilentError
from edge.drivers.traffic import Traffic
from evidence.quality import Quality
from firmware_configs.model import Setting

_LOG = logging.getLogger(__name__)


class _RefusedError(Exception):
    """The meter answered with an error byte."""


class Dlt645Driver:
    """One meter: `dlt645+tcp://host:port?address=…` or `dlt645+serial:///dev/…?address=…`.

    Raises (at construction):
        DeviceError: with `retry` False when the URL or a point cannot work as configured.
    """

    def __init__(self, spec: DeviceSpec) -> None:
        self._spec = spec
        self._endpoint, digits = _place(spec)
        try:
            self._address = pack_address(digits)
        except Dlt645Error as error:
            raise wrong(spec, f"address: {error}") from None
        self._name = f"device {spec.id} ({self._endpoint}, meter {digits})"
        self._items: list[int] = []  # in the order they are asked for
        self._places: dict[int, list[tuple[int, Value]]] = {}
        for index, bound in enumerate(spec.points):
            di, value = _value(spec, bound)
            if di not in self._places:
                self._items.append(di)
            self._places.setdefault(di, []).append((index, value))
        self._complaints = Complaints(_LOG, spec.id)
        self._is_wanted = False
        self._bus: Bus | None = None  # kept when closed: it knows what may still come late

    def traffic(self) -> Traffic:
        """One question a data item."""
        return traffic_of(self._spec, self._endpoint, self._address, self._items)

    async def connect(self) -> None:
        """Open the line, if no other meter's driver has; takes at most `timeout_s` a turn."""
        self._bus = bus = bus_of(self._endpoint)
        self._is_wanted = True
        bus.join(self)
        try:
            trouble = await bus.open(self._spec.timeout_s)
        except BaseException:
            self._give_up()
            raise
        if trouble:
            self._give_up()
            raise DeviceError(
                f"{self._name}: cannot be opened: {trouble}; check cable, address and who else "
                "uses the line"
            )

    async def read(self) -> Sequence[Sample]:
        """One sample a point; at most one question of it runs into its timeout."""
        if self._bus is None or not self._is_wanted:
            raise DeviceError(f"{self._name}: not connected; connect first")
        try:
            return await self._read_all(self._bus)
        except BaseException:
            self._give_up()
            raise

    def connection(self) -> int:
        """Which connection of its endpoint this is."""
        return 0 if self._bus is None else self._bus.connection

    async def read_setting(self, setting: Setting) -> str | Quality:
        """Ask for one setting; see `edge.drivers.base.ReadsSettings`."""
        identifier = setting.register.identifier
        if self._bus is None or not self._is_wanted:
            raise DeviceError(f"{self._name}: not connected; connect first")
        if identifier is None or setting.is_text:
            return Quality.DEVICE_REFUSED  # this driver decodes numbers only
        try:
            content = await self._fetch(self._bus, identifier.di)
        except SilentError:
            return Quality.NO_ANSWER
        except WrongAnswerError:
            return Quality.WRONG_ANSWER
        except _RefusedError:
            return Quality.DEVICE_REFUSED
        return number_text(Value(setting.register, identifier).sample(content), setting.register)

    async def close(self) -> None:
        """Leave the line; a read under way ends with DeviceError."""
        self._give_up()

    def _give_up(self) -> None:
        self._is_wanted = False
        if self._bus is not None:
            self._bus.leave(self)

    async def _read_all(self, bus: Bus) -> list[Sample]:
        samples = [Sample(None, Quality.NO_ANSWER)] * len(self._spec.points)
        is_answered = False
        for di in tuple(self._items):
            name = f"DI {di:08X}"
            try:
                content = await self._fetch(bus, di)
            except SilentError as error:
                self._items.remove(di)
                self._items.append(di)  # next time the others go first
                if not is_answered:
                    raise DeviceError(
                        f"{self._name}: no answer to {name}: {error}; check the meter's address, "
                        "the line's baud and parity, and the wiring"
                    ) from None
                self._complaints.say(name, f"no answer: {error}")
                return samples
            except (_RefusedError, WrongAnswerError) as error:
                is_refused = isinstance(error, _RefusedError)
                quality = Quality.DEVICE_REFUSED if is_refused else Quality.WRONG_ANSWER
                for index, _ in self._places[di]:
                    samples[index] = Sample(None, quality)
                self._complaints.say(name, f"the meter {error}")
            else:
                for index, value in self._places[di]:
                    samples[index] = value.sample(content)
                self._complaints.over(name)
            is_answered = True
        return samples

    async def _fetch(self, bus: Bus, di: int) -> bytes:
        """The bytes of a data item, follow-up frames included."""
        content = b""
        for number in range(FRAMES_MAX):
            answer = await bus.ask(self, self._address, di, self._spec.timeout_s, number or None)
            if answer.refused:
                raise _RefusedError(f"refuses: {answer.refused}")
            content += answer.content
            if not answer.has_more:
                return content
        raise WrongAnswerError(f"has more than {FRAMES_MAX} frames for it")


def _place(spec: DeviceSpec) -> tuple[Endpoint, str]:
    """Where the meter hangs, and the address as the URL writes it."""
    if spec.url.lower().startswith("dlt645+serial:"):
        path, options = parse_path(spec, options=("address", "baud", "parity"))
        return _serial_line(spec, path, options), options.get("address", "")
    address = parse_address(spec, port=0, options=("address",))
    if address.path not in ("", "/"):
        raise wrong(spec, f"takes no path {address.path!r}")
    if not address.port:
        raise wrong(spec, "gives no port: write dlt645+tcp://host:port?address=...")
    return Host(address.host, address.port), address.options.get("address", "")


def _serial_line(spec: DeviceSpec, path: str, options: Mapping[str, str]) -> SerialLine:
    baud = options.get("baud", "2400")  # DL/T 645-2007, 5.1: the rate a meter is delivered with
    if baud not in {str(known) for known in BAUDS}:
        raise wrong(spec, f"baud {baud!r} is not one of {' '.join(map(str, BAUDS))}")
    parity = options.get("parity", "E")
    if parity not in ("E", "N", "O"):
        raise wrong(spec, f"parity {parity!r} is not one of E N O")
    return SerialLine(path, int(baud), parity)


def _value(spec: DeviceSpec, bound: BoundPoint) -> tuple[int, Value]:
    identifier = bound.register.identifier
    if identifier is None:
        raise DeviceError(
            f"device {spec.id}: point {bound.point.id}: register {bound.register.name} of profile "
            f"{spec.profile.id} has no DL/T 645 data identifier",
            retry=False,
        )
    return identifier.di, Value(bound.register, identifier)
