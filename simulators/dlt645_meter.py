"""A DL/T 645-2007 electricity meter, driven by its device profile; and its frames.

Read-only: it answers control 11H, and refuses all else with D1H. Frames are written from the
standard, 5.2: 68 address 68 control length data sum 16, address lowest byte first, data plus 33H.
Written apart from the driver's on purpose.
"""

import math
from collections.abc import Mapping

from firmware_configs.model import Identifier, Profile, Register
from simulators.clock import Clock
from simulators.encode import raw_number
from simulators.frames import Question
from simulators.linked import LinkedMeter
from simulators.served import Readings, ServeError

_READ, _ANSWERED, _REFUSED = 0x11, 0x91, 0xD1
#: error word of D1H: bit 1, there is no such data
_NO_SUCH_DATA = 0x02
_HEAD, _TAIL = 10, 2


class Dlt645Frames:
    """Frames out of what comes; what begins none is passed over, as the FEH that wakes a meter."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[Question]:
        """The questions these bytes complete."""
        self._held += data
        found = []
        while len(self._held) >= _HEAD + _TAIL:
            held = self._held
            length = _HEAD + held[9] + _TAIL
            if held[0] != 0x68 or held[7] != 0x68:
                self._held = held[1:]
            elif len(held) < length:
                break
            elif sum(held[: length - _TAIL]) % 256 != held[length - 2] or held[length - 1] != 0x16:
                self._held = held[1:]
            else:
                content = bytes((byte - 0x33) % 256 for byte in held[_HEAD : length - _TAIL])
                found.append(Question(held[1:7], held[8], content))
                self._held = held[length:]
        return found

    def frame(self, question: Question, pdu: bytes) -> bytes:
        """An answer: control code and data, from the meter that was asked."""
        data = bytes((byte + 0x33) % 256 for byte in pdu[1:])
        body = b"\x68" + question.mark + b"\x68" + bytes([pdu[0], len(data)]) + data
        return body + bytes([sum(body) % 256, 0x16])


class Dlt645Meter(LinkedMeter):
    """One meter behind one TCP port or on one serial line."""

    def __init__(
        self,
        profile: Profile,
        *,
        host: str,
        port: int,
        address: str,
        ratios: Mapping[str, str],
        on_pty: bool = False,
        clock: Clock | None = None,
    ) -> None:
        """Nothing is opened yet; `address` is the twelve digits of its plate."""
        super().__init__(
            profile, host=host, port=port, frames=Dlt645Frames, on_pty=on_pty, clock=clock
        )
        self._address = address
        self._mark = bytes.fromhex(address)[::-1]
        self._ratios = ratios
        self._items: dict[bytes, bytes] = {}

    @property
    def url(self) -> str:
        """As a site file writes it; a pty has no parity."""
        if self._is_on_line:
            return f"dlt645+serial://{self._link.place}?address={self._address}&parity=N"
        return f"dlt645+tcp://{self._link.place}?address={self._address}"

    def immunity(self, kind: str) -> str | None:
        """It has no words and is never busy; a line has no connections."""
        if kind in {"swap-words", "busy"}:
            return "DL/T 645 knows no such thing"
        return super().immunity(kind)

    async def publish(self, readings: Readings, source_ns: int) -> None:
        """Show these values (by register name, primary units); the protocol carries no time."""
        del source_ns
        items = {}
        for register in self.profile.registers:
            if (item := register.identifier) is None:
                raise ServeError(f"{self.profile.id} {register.name}: is no data item")
            items[item.di.to_bytes(4, "little")] = self._digits(register, item, readings)
        self._items = items

    def _digits(self, register: Register, item: Identifier, readings: Readings) -> bytes:
        """The item's BCD, lowest byte first; all FF is how meters fill what they do not have."""
        size = item.digits // 2
        value = readings[register.name]
        if math.isnan(value):
            return b"\xff" * size
        is_bounded = register.name in self._manner.bounded
        raw = int(raw_number(self.profile, register, value, self._ratios, is_bounded=is_bounded))
        digits = bytearray.fromhex(f"{abs(raw):0{item.digits}d}")
        if raw < 0:
            digits[0] |= 0x80
        return bytes(digits[::-1])

    def _answer(self, question: Question) -> bytes | None:
        if question.mark != self._mark:
            return None
        if (code := self._manner.exception) is not None:
            return bytes([_REFUSED, code])
        di = question.pdu[:4]
        if question.unit != _READ or di not in self._items:
            return bytes([_REFUSED, _NO_SUCH_DATA])
        content = self._items[di]
        return bytes([_ANSWERED]) + di + (content[:-1] if self._manner.is_short else content)
