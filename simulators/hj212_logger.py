"""A CEMS logger (数采仪) after HJ 212-2017, driven by its device profile: it calls, and sends.

What a logger does to a platform it does to the agent's listener: real-time data (CN 2011), minute
(2051), hour (2061) and day data (2031), of which it sends here what the profile has rows for, the
newest value as the average. It waits for no answer (Flag 4) and heeds none. DataTime is China's
time of the instant shown. Packets are written from the standard (6.3, appendix A), not by the
driver.
"""

import asyncio
import contextlib
import math
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from firmware_configs.model import Item, Profile, Register
from simulators.clock import Clock, SystemClock
from simulators.encode import raw_number
from simulators.manner import WELL, Manner
from simulators.served import Readings, ServeError

#: CN -> seconds between two messages, as loggers are set unless told otherwise
INTERVALS_S = {2011: 30, 2051: 600, 2061: 3600, 2031: 86400}

_CHINA = timedelta(hours=8)
_AGAIN_S = 1.0
_NS = 10**9
_NORMAL, _STOPPED = "N", "F"


class Hj212Logger:
    """One logger that calls one listener, again and again until it is there."""

    def __init__(
        self, profile: Profile, *, host: str, port: int, mn: str, rtd_s: int,
        clock: Clock | None = None,
    ) -> None:  # fmt: skip
        """Nothing is called yet; `mn` is its number, 24 hexadecimal digits."""
        self.profile = profile
        self._host, self._port, self._mn = host, port, mn
        self._clock = clock or SystemClock()
        self._intervals_s = INTERVALS_S | {2011: rtd_s}
        self._manner = WELL
        self._due_ns: dict[int, int] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """As the site file of the agent that listens writes it."""
        rtd_s = self._intervals_s[2011]
        return f"hj212://{self._host}:{self._port}?mn={self._mn}&rtd_s={rtd_s}"

    @property
    def rows(self) -> Mapping[str, Register]:
        """Its items by name."""
        return {register.name: register for register in self.profile.registers}

    def immunity(self, kind: str) -> str | None:
        """It is asked nothing: no answers are late or wrong. It can be silent, or tell the time."""
        return None if kind in {"drop", "clock-jump"} else "a logger is not asked, it sends"

    def behave(self, manner: Manner) -> None:
        """Behave so from now on."""
        self._manner = manner

    async def start(self) -> None:
        """Begin to call; nobody need listen yet."""
        self._task = asyncio.create_task(self._call())

    async def publish(self, readings: Readings, source_ns: int) -> None:
        """Send each kind of message that is due at this instant; all of them to a new listener."""
        if self._writer is None or self._manner.is_silent:
            return
        for command in sorted({self._item(row).command for row in self.profile.registers}):
            if source_ns >= self._due_ns.get(command, 0):
                self._due_ns[command] = source_ns + self._intervals_s[command] * _NS
                content = self._content(command, readings)
                told_ns = source_ns + int(self._manner.clock_s * _NS)
                self._writer.write(packet(segment(content, command, self._mn, told_ns)))

    async def stop(self) -> None:
        """Hang up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _item(self, register: Register) -> Item:
        if register.item is None:
            raise ServeError(f"{self.profile.id} {register.name}: is no item of a message")
        return register.item

    def _content(self, command: int, readings: Readings) -> str:
        """The items of one message, factor by factor: "a05001-Rtd=12.5,a05001-Flag=N;…"."""
        fields: dict[str, dict[str, str]] = defaultdict(dict)
        for register in self.profile.registers:
            item = self._item(register)
            if item.command == command:
                value = readings[register.name]
                if item.field == "Flag":
                    fields[item.factor]["Flag"] = chr(int(value))
                elif math.isnan(value):
                    fields[item.factor]["Flag"] = _STOPPED
                else:
                    fields[item.factor][item.field] = self._text(register, readings)
        return ";".join(
            ",".join(f"{factor}-{name}={text}" for name, text in _flag_last(given).items())
            for factor, given in fields.items()
        )

    def _text(self, register: Register, readings: Readings) -> str:
        is_bounded = register.name in self._manner.bounded
        raw = raw_number(
            self.profile, register, readings[register.name], {}, is_bounded=is_bounded
        )  # fmt: skip
        return f"{Decimal(int(raw)).scaleb(-register.decimals):f}"

    async def _call(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection(self._host, self._port)
                self._writer, self._due_ns = writer, {}
                try:
                    while await reader.read(4096):
                        pass  # an acknowledgement, which was not asked for
                finally:
                    self._writer = None
                    writer.close()
            await self._clock.sleep(_AGAIN_S)


def segment(content: str, command: int, mn: str, at_ns: int) -> str:
    """The data segment of a message about this instant."""
    at = datetime.fromtimestamp(at_ns // _NS, UTC) + _CHINA
    data_time = f"{at:%Y%m%d%H%M%S}"
    milli = at_ns // 1_000_000 % 1000
    return (
        f"QN={data_time}{milli:03d};ST=31;CN={command};PW=123456;MN={mn};Flag=4;"
        f"CP=&&DataTime={data_time};{content}&&"
    )


def packet(text: str) -> bytes:
    """A segment with length and checksum."""
    data = text.encode("ascii")
    return f"##{len(data):04d}".encode() + data + f"{checksum(data):04X}".encode() + b"\r\n"


def checksum(data: bytes) -> int:
    """HJ 212-2017, appendix A: each byte meets the register's high byte; the low one is lost."""
    value = 0xFFFF
    for byte in data:
        value = value >> 8 ^ byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


def _flag_last(given: Mapping[str, str]) -> dict[str, str]:
    """The fields with the mark behind them; normal, unless something else was said."""
    numbers = {name: text for name, text in given.items() if name != "Flag"}
    return numbers | {"Flag": given.get("Flag", _NORMAL)}
