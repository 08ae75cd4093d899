"""A meter on Modbus TCP, driven by its device profile. The one simulator file with pymodbus.

Values are encoded when they are published and handed out when they are read, so that one answer
never mixes two steps. Read-only: every write is refused with exception 1. Written for pymodbus
3.16: an unknown unit id is answered with exception 4 (a real meter would be silent).
"""

import asyncio
from collections.abc import Mapping
from typing import cast

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from firmware_configs.profile import Profile
from simulators.encode import EncodeError, raw_number, register_words, setting_words
from simulators.served import Readings, ServeError

#: Which table a read function code looks into; everything else is refused.
_TABLES = {3: "holding", 4: "input"}


class ModbusMeter:
    """One meter, one TCP port."""

    def __init__(
        self,
        profile: Profile,
        *,
        host: str,
        port: int,
        ratios: Mapping[str, str],
        unit: int = 1,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Nothing is opened yet; `port` 0 lets the machine choose one.

        `settings` is what it says of itself, by the profile's names; the others read 0.
        """
        for register in (*profile.registers, *(s.register for s in profile.settings)):
            if register.table not in _TABLES.values():
                raise ServeError(
                    f"{profile.id} {register.name}: table {register.table} is not served"
                )
        self._profile = profile
        self._host, self._port, self._unit = host, port, unit
        self._ratios = ratios
        self._server: ModbusTcpServer | None = None
        self._cells: dict[str, dict[int, int]] = {table: {} for table in _TABLES.values()}
        self._published = False
        self._settings: dict[str, dict[int, int]] = {table: {} for table in _TABLES.values()}
        for name, value in (settings or {}).items():
            self.set_setting(name, value)

    def set_setting(self, name: str, value: str) -> None:
        """Say this of itself from now on, as if somebody had turned a screw.

        Raises:
            ServeError: the profile has no such setting, or it cannot be that.
        """
        table, cells = self.check_setting(name, value)
        self._settings[table] |= cells

    def check_setting(self, name: str, value: str) -> tuple[str, dict[int, int]]:
        """Table and cells of what it would say; ServeError as `set_setting`."""
        known = {setting.name: setting for setting in self._profile.settings}
        if name not in known:
            listed = " ".join(known) or "none"
            raise ServeError(f"{self._profile.id} has no setting {name!r}: {listed}")
        try:
            words = setting_words(known[name], value)
        except EncodeError as error:
            raise ServeError(f"{self._profile.id}: {error}") from None
        register = known[name].register
        return str(register.table), dict(enumerate(words, int(register.address or 0)))

    @property
    def url(self) -> str:
        """As a site file writes it."""
        return f"modbus+tcp://{self._host}:{self._port}?unit={self._unit}"

    async def start(self) -> None:
        """Listen; ServeError when the port cannot be had."""
        # pymodbus wants all four tables; bits of which there are none stand far out of the way.
        no_bits = [SimData(0xFFF0, values=[False] * 16, datatype=DataType.BITS)]
        device = SimDevice(
            id=self._unit,
            simdata=(no_bits, list(no_bits), self._block("holding"), self._block("input")),
            action=self._answer,
        )
        self._server = ModbusTcpServer(device, address=(self._host, self._port))
        try:
            await self._server.serve_forever(background=True)
        except RuntimeError:
            where = f"{self._host}:{self._port}"
            raise ServeError(
                f"{self._profile.id}: cannot listen on {where}; is it taken?"
            ) from None
        listener = cast("asyncio.Server", self._server.transport)
        self._port = listener.sockets[0].getsockname()[1]

    async def publish(self, readings: Readings, source_ns: int) -> None:
        """Show these values (by register name, primary units); Modbus carries no time."""
        del source_ns
        profile = self._profile
        shown: dict[str, dict[int, int]] = {table: {} for table in _TABLES.values()}
        for register in profile.registers:
            raw = raw_number(profile, register, readings[register.name], self._ratios)
            cells = shown[str(register.table)]
            for cell, word in enumerate(register_words(register, raw), int(register.address or 0)):
                cells[cell] = cells.get(cell, 0) | word  # bit fields of one register
        self._cells = shown
        self._published = True

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus
            self._server = None

    def _block(self, table: str) -> list[SimData]:
        """The table's registers; holes no longer than the profile's limit answer zero."""
        profile = self._profile
        places = [(register, register.words) for register in profile.registers]
        places += [(setting.register, setting.words) for setting in profile.settings]
        rows = sorted(
            (register.address, words)
            for register, words in places
            if register.table == table and register.address is not None
        )
        if not rows:
            return [SimData(0, datatype=DataType.INVALID)]
        spans = [[rows[0][0], rows[0][0] + rows[0][1]]]
        for address, words in rows[1:]:
            if address - spans[-1][1] <= self._profile.hole_limit:
                spans[-1][1] = max(spans[-1][1], address + words)
            else:
                spans.append([address, address + words])
        return [
            SimData(start, values=[0] * (end - start), datatype=DataType.REGISTERS)
            for start, end in spans
        ]

    async def _answer(  # noqa: PLR0917 - pymodbus calls it so
        self,
        function_code: int,
        start_address: int,
        address: int,
        count: int,
        registers: list[int],
        set_values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Called by pymodbus for each request, with the table's memory to fill in."""
        if set_values is not None or function_code not in _TABLES:
            return ExcCodes.ILLEGAL_FUNCTION
        if not self._published:
            return ExcCodes.DEVICE_BUSY
        table = _TABLES[function_code]
        cells, settings = self._cells[table], self._settings[table]
        for cell in range(address, address + count):
            registers[cell - start_address] = settings.get(cell, cells.get(cell, 0))
        return None
