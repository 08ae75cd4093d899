"""A meter on Modbus, driven by its device profile: what it shows, and what it says when asked.

Values are encoded when they are published and handed out when they are read, so that one answer
never mixes two steps. Read-only: every write is refused with exception 1.
"""

from collections.abc import Mapping

from firmware_configs.model import BIT_TABLES
from firmware_configs.profile import Profile, Register
from simulators.clock import Clock
from simulators.encode import EncodeError, raw_number, register_words, setting_words
from simulators.frames import Question
from simulators.linked import LinkedMeter
from simulators.modbus_frames import RtuFrames, TcpFrames
from simulators.modbus_pdu import BUSY, NOBODY_THERE, TABLES, answer_of, refusal, shortened
from simulators.served import Readings, ServeError


class ModbusMeter(LinkedMeter):
    """One meter on one TCP port or one serial line."""

    def __init__(
        self,
        profile: Profile,
        *,
        host: str,
        port: int,
        ratios: Mapping[str, str],
        unit: int = 1,
        settings: Mapping[str, str] | None = None,
        on_pty: bool = False,
        clock: Clock | None = None,
    ) -> None:
        """Nothing is opened yet; `port` 0 lets the machine choose one.

        `settings` is what it says of itself, by the profile's names; the others read 0. `on_pty`
        makes a serial line instead of a port.
        """
        for register in (*profile.registers, *(s.register for s in profile.settings)):
            if register.table not in TABLES.values():
                raise ServeError(
                    f"{profile.id} {register.name}: table {register.table} is not served"
                )
        super().__init__(
            profile,
            host=host,
            port=port,
            frames=RtuFrames if on_pty else TcpFrames,
            on_pty=on_pty,
            clock=clock,
        )
        self._unit = unit
        self._ratios = ratios
        self._holes = {table: _cells(profile, table) for table in TABLES.values()}
        self._shown: dict[str, dict[int, int]] = {table: {} for table in TABLES.values()}
        self._published = False
        self._settings: dict[str, dict[int, int]] = {table: {} for table in TABLES.values()}
        self._cells = self._holes
        self.said: Mapping[str, str] = dict(settings or {})
        for name, value in self.said.items():
            self.set_setting(name, value)

    def set_setting(self, name: str, value: str) -> None:
        """Say this of itself from now on, as if somebody had turned a screw.

        Raises:
            ServeError: the profile has no such setting, or it cannot be that.
        """
        table, cells = self.check_setting(name, value)
        self._settings[table] |= cells
        self._lay_out()

    def check_setting(self, name: str, value: str) -> tuple[str, dict[int, int]]:
        """Table and cells of what it would say; ServeError as `set_setting`."""
        known = {setting.name: setting for setting in self.profile.settings}
        if name not in known:
            listed = " ".join(known) or "none"
            raise ServeError(f"{self.profile.id} has no setting {name!r}: {listed}")
        try:
            words = setting_words(known[name], value)
        except EncodeError as error:
            raise ServeError(f"{self.profile.id}: {error}") from None
        register = known[name].register
        return str(register.table), dict(enumerate(words, int(register.address or 0)))

    @property
    def url(self) -> str:
        """As a site file writes it."""
        if self._is_on_line:
            return f"modbus+rtu://{self._link.place}?unit={self._unit}&baud=19200&parity=N"
        return f"modbus+tcp://{self._link.place}?unit={self._unit}"

    async def publish(self, readings: Readings, source_ns: int) -> None:
        """Show these values (by register name, primary units); Modbus carries no time."""
        del source_ns
        shown: dict[str, dict[int, int]] = {table: {} for table in TABLES.values()}
        for register in self.profile.registers:
            raw = raw_number(
                self.profile, register, readings[register.name], self._ratios,
                is_bounded=register.name in self._manner.bounded,
            )  # fmt: skip
            cells = shown[str(register.table)]
            for cell, word in enumerate(self._words(register, raw), int(register.address or 0)):
                cells[cell] = cells.get(cell, 0) | word  # bit fields of one register
        self._shown = shown
        self._published = True
        self._lay_out()

    def _words(self, register: Register, raw: int | float) -> tuple[int, ...]:
        if register.table in BIT_TABLES:
            return (int(raw),)
        words = register_words(register, raw)
        return words[::-1] if register.name in self._manner.swapped else words

    def _lay_out(self) -> None:
        """Settings lie over values, both over holes: what an answer is taken from."""
        turned: dict[str, dict[int, int]] = {table: {} for table in TABLES.values()}
        for name, value in self._manner.settings.items():
            table, cells = self.check_setting(name, value)
            turned[table] |= cells
        self._cells = {
            table: self._holes[table] | self._shown[table] | self._settings[table] | turned[table]
            for table in TABLES.values()
        }

    def _answer(self, question: Question) -> bytes | None:
        """What it says; None: it is not asked. A port tells of a unit that is not there."""
        code = question.pdu[0]
        if question.unit != self._unit:
            return None if self._is_on_line else refusal(code, NOBODY_THERE)
        if self._manner.exception is not None:
            return refusal(code, self._manner.exception)
        if code in TABLES and not self._published:
            return refusal(code, BUSY)
        pdu = answer_of(question.pdu, self._cells)
        return shortened(pdu) if self._manner.is_short else pdu


def _cells(profile: Profile, table: str) -> dict[int, int]:
    """The table's cells, all zero; holes no longer than the profile's limit are there too."""
    places = [(register, register.words) for register in profile.registers]
    places += [(setting.register, setting.words) for setting in profile.settings]
    rows = sorted(
        (register.address, words)
        for register, words in places
        if register.table == table and register.address is not None
    )
    cells: dict[int, int] = {}
    end = None
    for address, words in rows:
        if end is not None and end < address <= end + profile.hole_limit:
            cells |= dict.fromkeys(range(end, address), 0)
        cells |= dict.fromkeys(range(address, address + words), 0)
        end = max(end or 0, address + words)
    return cells
