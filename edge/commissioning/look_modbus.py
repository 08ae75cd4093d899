"""Looks at one place of a Modbus device: its words in every type and order, and its neighbours.

Three places at most, one after another, each through the driver's gate (`modbus_asking`). The value
itself is decoded and judged by the functions that the driver and the agent use.
"""

from collections.abc import Sequence

from edge.commissioning.advice import of_refusal
from edge.commissioning.look import Look, Neighbour
from edge.commissioning.modbus_asking import Answer, Asking, beside
from edge.commissioning.orders import USUAL, is_taken, takings, takings_as, type_words
from edge.commissioning.value import Shown, shown
from edge.drivers.base import BoundPoint, DeviceError, Sample
from edge.drivers.modbus.answers import refusal_quality
from edge.drivers.modbus.decode import Value, decode_bits, decode_words
from edge.drivers.modbus.plan import Read
from evidence.quality import Quality

WIDEST = 4  # registers of a bare place that are asked for: no number is longer


async def look_at_point(asking: Asking, device: str, bound: BoundPoint, now_ns: int) -> Look:
    """Everything about one point of a site file.

    Args:
        asking: its device, connected.
        device: device id.
        bound: the point and its register.
        now_ns: UTC nanoseconds.

    Raises:
        DeviceError: its register has no Modbus place.
    """
    register = bound.register
    if register.table is None or register.address is None:
        raise DeviceError(
            f"device {device}: register {register.name} has no Modbus table and address",
            retry=False,
            key="profile",
        )
    answer = await asking.ask(Read(register.table, register.address, register.words, ()))
    sample = sample_of(bound, answer)
    every = tuple(takings(answer.cells or ())) if answer.read.code > 2 else ()
    taken = [i for i, taking in enumerate(every) if is_taken(taking, register)]
    types = [every[i].type for i in taken]
    return Look(
        point=bound.point.id,
        device=device,
        place=f"{register.taken}; {register.type_name}",
        asked=_asked(asking, answer),
        table=register.table,
        address=register.address,
        words=tuple(answer.cells or ()),
        raw=sample.raw or b"",
        shown=shown(bound.point, sample, now_ns),
        takings=every,
        taken=taken[0] if taken else None,
        neighbours=tuple(
            _neighbour(there, types, _text(there, bound, now_ns))
            for there in await _neighbours(asking, answer, (answer.read.count,))
        ),
        trouble=answer.trouble,
        advice=of_refusal(answer, asking.place.unit) if answer.trouble else "",
    )


async def look_at_place(
    asking: Asking, url: str, table: str, address: int, type_name: str = ""
) -> Look:
    """Everything about a place that no site file names.

    Args:
        asking: its device, connected.
        url: of it.
        table: of the place.
        address: of the place, as on the wire.
        type_name: of `orders.type_words`; "" looks at as many registers as there are, up to four,
            as every type. Of a bit there is none.
    """
    has_words = Read(table, address, 1, ()).code > 2
    counts = (type_words()[type_name],) if type_name else (WIDEST, 2, 1) if has_words else (1,)
    answer = await _most(asking, table, address, counts)
    cells = tuple(answer.cells or ())
    every = (type_name,) if type_name else tuple(type_words())
    beside_it = (type_name,) if type_name else USUAL
    return Look(
        point="",
        device=url,
        place=f"{table} {address:#06x}",
        asked=_asked(asking, answer),
        table=table,
        address=address,
        words=cells,
        takings=tuple(takings_as(cells, every)) if has_words else (),
        neighbours=tuple(
            _neighbour(there, beside_it, there.trouble)
            if has_words
            else _neighbour(there, (), there.trouble or str(int((there.cells or (0,))[0])))
            for there in await _neighbours(asking, answer, counts)
        ),
        trouble=answer.trouble,
        advice=of_refusal(answer, asking.place.unit) if answer.trouble else "",
    )


def sample_of(bound: BoundPoint, answer: Answer) -> Sample:
    """What the driver makes of an answer that holds this point alone."""
    if answer.cells is None:
        return Sample(None, _quality(answer))
    place = [(0, Value.of(bound.register))]
    if answer.read.code <= 2:
        return decode_bits([bool(cell) for cell in answer.cells], place)[0]
    return decode_words(answer.cells, place)[0]


def _quality(answer: Answer) -> Quality:
    if answer.exception:
        return refusal_quality(answer.exception)
    return Quality.NO_ANSWER if answer.is_silent else Quality.WRONG_ANSWER


async def _most(asking: Asking, table: str, address: int, counts: Sequence[int]) -> Answer:
    """As many cells from this address on as the device gives at once, of these counts."""
    answer = Answer(Read(table, address, 1, ()), None, "is beyond the table's end")
    for count in counts:
        if (read := beside(Read(table, address, count, ()), 0)) is None:
            continue
        answer = await asking.ask(read)
        if answer.cells is not None or not answer.exception:
            break
    return answer


async def _neighbours(asking: Asking, answer: Answer, counts: Sequence[int]) -> list[Answer]:
    """What stands one address lower and higher; [] when nobody is there to be asked."""
    if not answer.is_there:
        return []
    table, address = answer.read.table, answer.read.address
    cell = Read(table, address, 1, ())
    there = [read.address for offset in (-1, 1) if (read := beside(cell, offset)) is not None]
    return [await _most(asking, table, address, counts) for address in there]


def _neighbour(there: Answer, types: Sequence[str], text: str) -> Neighbour:
    cells = tuple(there.cells or ())
    return Neighbour(there.read.address, cells, text, tuple(takings_as(cells, types)))


def _text(answer: Answer, bound: BoundPoint, now_ns: int) -> str:
    if answer.cells is None:
        return answer.trouble
    value: Shown = shown(bound.point, sample_of(bound, answer), now_ns)
    return value.text if value.quality is Quality.GOOD else f"{value.text} ({value.verdict})"


def _asked(asking: Asking, answer: Answer) -> str:
    read, place = answer.read, asking.place
    end = "no answer" if answer.is_silent else f"answered in {1000 * answer.took_s:.0f} ms"
    return (
        f"{place.endpoint}: FC {read.code} unit {place.unit} {read.table} {read.address:#06x} "
        f"x {read.count}; {end}"
    )
