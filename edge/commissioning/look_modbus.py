"""Looks at one place of a Modbus device: its words in every type and order, and its neighbours.

Three reads at most, one after another, each through the driver's gate (`modbus_asking`). The value
itself is decoded and judged by the functions that the driver and the agent use.
"""

from dataclasses import replace

from edge.commissioning.advice import of_refusal
from edge.commissioning.look import Look, Neighbour
from edge.commissioning.modbus_asking import Answer, Asking, beside
from edge.commissioning.orders import is_taken, takings
from edge.commissioning.value import Shown, shown
from edge.drivers.base import BoundPoint, DeviceError, Sample
from edge.drivers.modbus.answers import Cells, refusal_quality
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
        neighbours=await _neighbours(asking, answer, bound, now_ns),
        trouble=answer.trouble,
        advice=of_refusal(answer, asking.place.unit) if answer.trouble else "",
    )


async def look_at_place(asking: Asking, url: str, table: str, address: int) -> Look:
    """Everything about a place that no site file names; as many registers as there are, up to 4."""
    answer = Answer(Read(table, address, 1, ()))
    for count in (1,) if answer.read.code <= 2 else (WIDEST, 2, 1):
        if (read := beside(Read(table, address, count, ()), 0)) is None:
            continue
        answer = await asking.ask(read)
        if answer.cells is not None or not answer.exception:
            break
    cells = tuple(answer.cells or ())
    single = replace(answer, read=Read(table, address, 1, ()))
    widths = [cells[:n] for n in (1, 2, 4) if n <= len(cells)] if answer.read.code > 2 else []
    return Look(
        point="",
        device=url,
        place=f"{table} {address:#06x}",
        asked=_asked(asking, answer),
        table=table,
        address=address,
        words=cells,
        takings=tuple(taking for words in widths for taking in takings(words)),
        neighbours=await _neighbours(asking, single, None, 0),
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


async def _neighbours(
    asking: Asking, answer: Answer, bound: BoundPoint | None, now_ns: int
) -> tuple[Neighbour, ...]:
    """What stands one address lower and higher; () when nobody is there to be asked."""
    if not answer.is_there:
        return ()
    found = []
    for offset in (-1, 1):
        if (read := beside(answer.read, offset)) is None:
            continue
        there = await asking.ask(read)
        found.append(Neighbour(read.address, tuple(there.cells or ()), _text(there, bound, now_ns)))
    return tuple(found)


def _text(answer: Answer, bound: BoundPoint | None, now_ns: int) -> str:
    if answer.cells is None:
        return answer.trouble
    if bound is None:
        return _bare(answer.cells)
    value: Shown = shown(bound.point, sample_of(bound, answer), now_ns)
    return value.text if value.quality is Quality.GOOD else f"{value.text} ({value.verdict})"


def _bare(cells: Cells) -> str:
    return str(cells[0])


def _asked(asking: Asking, answer: Answer) -> str:
    read, place = answer.read, asking.place
    end = "no answer" if answer.is_silent else f"answered in {1000 * answer.took_s:.0f} ms"
    return (
        f"{place.endpoint}: FC {read.code} unit {place.unit} {read.table} {read.address:#06x} "
        f"x {read.count}; {end}"
    )
