"""Single questions to a Modbus device, for a person: through the driver's own bus, seat and gate.

No I/O of its own: what is sent goes out where the driver's questions do (`edge.drivers.modbus`).
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from edge.drivers.address import wrong
from edge.drivers.base import DeviceSpec
from edge.drivers.modbus.answers import Cells, RefusedError, WrongAnswerError
from edge.drivers.modbus.endpoint import Place, parse_place
from edge.drivers.modbus.plan import CELLS, Read
from edge.drivers.modbus.seat import Seat
from edge.drivers.shared_bus import SilentError

SCHEMES = ("modbus+tcp", "modbus+rtu-tcp", "modbus+rtu")
#: exception codes of a gateway that speak of the device behind it (Application Protocol 1.1b3, 7)
NOBODY_BEHIND = frozenset({10, 11})


@dataclass(frozen=True)
class Answer:
    """What became of one question.

    Attributes:
        read: what was asked.
        cells: the answer; None when there was none to use.
        trouble: why not; "" when it was answered.
        exception: the exception code, 0 when it was not refused.
        is_silent: nothing came.
        took_s: seconds from question to answer.
    """

    read: Read
    cells: Cells | None = None
    trouble: str = ""
    exception: int = 0
    is_silent: bool = False
    took_s: float = 0.0

    @property
    def is_there(self) -> bool:
        """Somebody with that unit id has answered, if only to refuse."""
        return not self.is_silent and self.exception not in NOBODY_BEHIND


class Asking:
    """One device that is asked one thing after another.

    Args:
        spec: its id, url, timeout and pause are used.
        unit: instead of the URL's.

    Raises:
        DeviceError: with `retry` False when the URL is none of a device that can be asked.
    """

    def __init__(self, spec: DeviceSpec, unit: int | None = None) -> None:
        scheme = spec.url.partition("://")[0]
        if scheme not in SCHEMES:
            known = " ".join(f"{name}://" for name in SCHEMES)
            raise wrong(spec, f"a single question can be asked over {known} only")
        place = parse_place(spec)
        self.place: Place = place if unit is None else replace(place, unit=unit)
        self._seat = Seat(
            spec.id,
            self.place,
            timeout_s=spec.timeout_s,
            pause_s=spec.profile.pause_ms / 1000,
            probe=None,
            others=self._proofs,
        )
        self._safe: Read | None = None  # one cell, which was answered before

    async def open(self) -> str:
        """Connect; why that failed, or ""."""
        return await self._seat.open()

    async def ask(self, read: Read) -> Answer:
        """Ask one thing; never raises for what a device does."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            cells = await self._seat.ask(read)
        except RefusedError as error:
            return Answer(read, None, str(error), error.code, took_s=loop.time() - began_s)
        except WrongAnswerError as error:
            return Answer(read, None, str(error), took_s=loop.time() - began_s)
        except SilentError as error:  # NotAskedError is one
            return Answer(read, None, str(error), is_silent=True, took_s=loop.time() - began_s)
        self._safe = self._safe or Read(read.table, read.address, 1, ())
        return Answer(read, cells, took_s=loop.time() - began_s)

    async def close(self) -> None:
        """Give the connection back."""
        self._seat.leave()
        await asyncio.sleep(0)  # the loop lets go of the socket in its next turn

    def _proofs(self) -> Iterable[Read]:
        return [] if self._safe is None else [self._safe]


def beside(read: Read, offset: int) -> Read | None:
    """The same number of cells, so many addresses further; None beyond the table's ends."""
    address = read.address + offset
    if not 0 <= address <= CELLS - read.count:
        return None
    return Read(read.table, address, read.count, ())
