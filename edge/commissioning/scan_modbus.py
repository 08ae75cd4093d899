"""Which units answer on a Modbus endpoint: each is asked for one register, one after another.

FC 3, holding register 0, through the driver's bus and gate. A device that refuses it has answered
too: it is there. Bounded by the units given, paced by a pause between two questions.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.commissioning.bare import bare_spec
from edge.commissioning.modbus_asking import Answer, Asking
from edge.drivers.base import DeviceError
from edge.drivers.modbus.endpoint import Place, is_tcp
from edge.drivers.modbus.plan import Read

FIRST = Read("holding", 0, 1, ())
UNITS_MAX = 256


@dataclass(frozen=True)
class Unit:
    """A unit that answers.

    Attributes:
        unit: its id.
        said: what it said: the register's word, or why it refuses.
        took_s: how fast.
    """

    unit: int
    said: str
    took_s: float


def parse_units(text: str) -> list[int]:
    """The units of "1-32,100"; ValueError says how they are written."""
    found: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        ends = (first, last if dash else first)
        if not all(end.isascii() and end.isdecimal() and len(end) <= 3 for end in ends):
            raise ValueError(f'{text!r} names no units; write "1-32" or "1,2,17"')
        low, high = int(ends[0]), int(ends[1])
        if not low <= high < UNITS_MAX:
            raise ValueError(f"{part!r}: units go from 0 to {UNITS_MAX - 1}, the lower one first")
        found.update(dict.fromkeys(range(low, high + 1)))
    return list(found)


def default_units(place: Place) -> list[int]:
    """All that may be on a line; of a Modbus TCP server also what means "the server itself"."""
    return [*range(1, 248), *((255, 0) if is_tcp(place.endpoint) else ())]


def with_unit(url: str) -> str:
    """A URL that says no unit with one: a line's must name one, and here it is asked for."""
    if "unit=" in url.partition("?")[2]:
        return url
    return f"{url}{'&' if '?' in url else '?'}unit=1"


async def scan_units(
    url: str,
    units: Sequence[int] | None,
    *,
    timeout_s: float,
    pause_s: float,
    progress: Callable[[str], None],
) -> list[Unit]:
    """The units that answer.

    Args:
        url: endpoint, as a site file would have it; a unit in it is passed over.
        units: which to ask; None: `default_units`.
        timeout_s: how long one answer may take.
        pause_s: between two questions.
        progress: told before each question.

    Raises:
        DeviceError: there is no endpoint, or it has gone meanwhile.
    """
    spec = bare_spec(with_unit(url), timeout_s)
    keeper = Asking(spec)  # holds the connection from one unit to the next
    found: list[Unit] = []
    try:
        await _open(keeper, f"{keeper.place.endpoint}")
        wanted = default_units(keeper.place) if units is None else units
        for number, unit in enumerate(wanted):
            progress(f"unit {unit}: {number + 1} of {len(wanted)}, {len(found)} found")
            asking = Asking(spec, unit=unit)
            try:
                await _open(asking, f"{keeper.place.endpoint} at unit {unit}")
                answer = await asking.ask(FIRST)
            finally:
                await asking.close()
            if answer.is_there:
                found.append(Unit(unit, _said(answer), answer.took_s))
            await asyncio.sleep(pause_s)
    finally:
        await keeper.close()
    return found


async def _open(asking: Asking, where: str) -> None:
    if trouble := await asking.open():
        raise DeviceError(
            f"{where}: no connection: {trouble}; check address or device file, and who else uses it"
        )


def _said(answer: Answer) -> str:
    if answer.cells is not None:
        return f"holding 0x0000 is 0x{answer.cells[0]:04X}"
    return answer.trouble
