"""A Modbus device, layer by layer: DNS, TCP or the serial line, unit, registers, values.

All questions go through the driver's bus and gate (`modbus_asking`), or are the driver's own read.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from edge.commissioning.advice import of_refusal
from edge.commissioning.doctor_machine import serial_check
from edge.commissioning.findings import Check, failed, fine, has_failed, warning
from edge.commissioning.look_driver import read_once
from edge.commissioning.look_modbus import sample_of
from edge.commissioning.modbus_asking import Answer, Asking, beside
from edge.commissioning.plausible import explanations, is_odd, upside_down
from edge.commissioning.reach import dns_check, knock_at
from edge.commissioning.value import shown
from edge.drivers.base import BoundPoint, DeviceError, DeviceSpec, Sample
from edge.drivers.modbus.answers import Cells
from edge.drivers.modbus.endpoint import Host, is_tcp
from edge.drivers.modbus.plan import Read
from edge.quality_rules import is_ranged
from evidence.quality import Quality

TOLD_MAX = 8  # points of one device that are looked into one by one
UNITS_TRIED = (1, 255, 0)  # what a server that is no gateway most often answers to

_NOT_HAD = (Quality.DEVICE_REFUSED, Quality.WRONG_ANSWER, Quality.NO_ANSWER, Quality.NOT_CONNECTED)


async def examine_modbus(spec: DeviceSpec) -> list[Check]:
    """Everything about one device, up to the first layer that fails; over one connection."""
    asking = Asking(spec)
    endpoint = asking.place.endpoint
    checks: list[Check] = []
    if isinstance(endpoint, Host):
        checks.append(await dns_check(spec.id, endpoint.host, endpoint.port))
    elif (line := serial_check(spec.id, endpoint.path)) is not None:
        checks.append(line)
    if has_failed(checks):
        return checks
    if not spec.points:
        todo = "name points in the device's table, or another profile"
        return [*checks, failed(spec.id, "register", "no point of it is read", todo)]
    try:
        checks += await _opened(spec, asking)
        if not has_failed(checks):
            checks.append(await _unit(spec, asking))
        return checks if has_failed(checks) else checks + await _registers(spec, asking)
    finally:
        await asking.close()


async def _opened(spec: DeviceSpec, asking: Asking) -> list[Check]:
    """Connect; a device may have one connection to give, so that none is tried out before."""
    endpoint, loop = asking.place.endpoint, asyncio.get_running_loop()
    began_s = loop.time()
    trouble = await asking.open()
    took_ms = 1000 * (loop.time() - began_s)
    if not isinstance(endpoint, Host):
        if not trouble:
            return []
        todo = (
            "end the program that holds the line (the agent?), or correct baud, parity, stop_bits"
        )
        return [failed(spec.id, "permission", trouble, todo)]
    if not trouble:
        return [fine(spec.id, "tcp", f"{endpoint} accepts after {took_ms:.0f} ms")]
    knock = await knock_at(endpoint.host, endpoint.port, spec.timeout_s)
    if not knock.is_open:
        return [failed(spec.id, "tcp", knock.sentence, knock.todo)]
    sentence = f"did not accept within {spec.timeout_s:g} s, and then did: {knock.sentence}"
    return [failed(spec.id, "tcp", sentence, "raise timeout_s in the device's table")]


def read_of(bound: BoundPoint) -> Read:
    """The one read that just holds a point."""
    register = bound.register
    return Read(register.table or "holding", register.address or 0, register.words, ())


async def _unit(spec: DeviceSpec, asking: Asking) -> Check:
    """Does somebody answer under the unit id, whatever they say?"""
    unit, answer = asking.place.unit, await asking.ask(read_of(spec.points[0]))
    if answer.is_there:
        took = f"unit {unit} answers after {1000 * answer.took_s:.0f} ms"
        return fine(spec.id, "unit", took)
    if answer.exception:
        return failed(
            spec.id,
            "unit",
            f"the gateway says of unit {unit}: {answer.trouble}",
            of_refusal(answer, unit),
        )
    if not is_tcp(asking.place.endpoint):
        said = f"nobody answers as unit {unit} ({answer.trouble})"
        return failed(spec.id, "unit", said, of_refusal(answer, unit))
    for other in (number for number in UNITS_TRIED if number != unit):
        if (await _as_unit(spec, other)).is_there:
            return failed(
                spec.id,
                "unit",
                f"unit {unit} does not answer, unit {other} does",
                f"write ?unit={other} in the device's url if that is this device; stackproof edge "
                "scan lists all that answer",
            )
    return failed(
        spec.id,
        "protocol",
        f"the port accepts, and answers no Modbus question, not as unit {unit} nor as "
        f"{', '.join(str(n) for n in UNITS_TRIED if n != unit)} ({answer.trouble})",
        "check that this is the Modbus port of this device and that Modbus is switched on; a "
        "converter that passes RTU through wants modbus+rtu-tcp://; behind a gateway check the "
        "unit id (stackproof edge scan) and the line",
    )


async def _as_unit(spec: DeviceSpec, unit: int) -> Answer:
    asking = Asking(spec, unit=unit)
    try:
        if trouble := await asking.open():
            return Answer(read_of(spec.points[0]), trouble=trouble, is_silent=True)
        return await asking.ask(read_of(spec.points[0]))
    finally:
        await asking.close()


async def _registers(spec: DeviceSpec, asking: Asking) -> list[Check]:
    """All points as the agent reads them; those without a value one by one."""
    try:
        samples = await read_once(spec)
    except DeviceError as error:
        return [failed(spec.id, "register", str(error), "read single points: stackproof edge read")]
    without = [
        bound
        for bound, sample in zip(spec.points, samples, strict=True)
        if sample.quality in _NOT_HAD
    ]
    checks = [await _refused(spec, asking, bound) for bound in without[:TOLD_MAX]]
    if len(without) > TOLD_MAX:
        ids = " ".join(bound.point.id for bound in without[TOLD_MAX:])
        todo = "mend those above first"
        checks.append(failed(spec.id, "register", f"no value either: {ids}", todo))
    had = len(spec.points) - len(without)
    if had:
        checks.append(fine(spec.id, "register", f"{had} of {len(spec.points)} points have a value"))
    return checks + await _values(spec, asking, samples)


async def _refused(spec: DeviceSpec, asking: Asking, bound: BoundPoint) -> Check:
    """Why a point has no value, and where it would have one."""
    read, register = read_of(bound), bound.register
    answer = await asking.ask(read)
    said = f"{bound.point.id} ({read.table} {read.address:#06x} x {read.count}): "
    if answer.cells is not None:
        sentence = said + "answers alone, but not in one read with its neighbours"
        todo = "lower max_registers_per_read or hole_limit in the profile"
        return failed(spec.id, "register", sentence, todo)
    todo = of_refusal(answer, asking.place.unit)
    if answer.exception and (near := await _where_it_is(asking, read)):
        todo = f"{near}. If that is it, mend the row in the profile; else: {todo}"
    written = "" if register.written is None else f", {register.written} in the profile"
    return failed(spec.id, "register", f"{said}{answer.trouble}{written}", todo)


async def _where_it_is(asking: Asking, read: Read) -> str:
    """One place next to a refused one that does answer, in words; "" when none does."""
    other = {"holding": "input", "input": "holding", "coil": "discrete", "discrete": "coil"}
    tried = [
        (beside(read, -1), "one address lower"),
        (beside(read, 1), "one address higher"),
        (replace(read, table=other[read.table]), f"in table {other[read.table]}"),
    ]
    for near, where in tried:
        if near is not None and (answer := await asking.ask(near)).cells is not None:
            return f"{where} the device does answer, with {_hex(answer.cells)}"
    return ""


def _hex(cells: Cells) -> str:
    return " ".join(f"0x{cell:04X}" for cell in cells)


async def _values(spec: DeviceSpec, asking: Asking, samples: Sequence[Sample]) -> list[Check]:
    """What cannot be true, with what would explain it."""
    odd = [
        bound
        for bound, sample in zip(spec.points, samples, strict=True)
        if is_odd(bound.point, sample)
    ]
    checks = [
        warning(
            spec.id, "value", f'{name} = "{ratio}" makes values smaller than the meter has them',
            'a transformer\'s plate names the primary side first: "400/5", not "5/400"',
        )
        for name, ratio in upside_down(bound.point for bound in spec.points).items()
    ]  # fmt: skip
    for bound in odd[:TOLD_MAX]:
        answer = await asking.ask(read_of(bound))
        if answer.cells is not None:  # else it is gone since: the next examination says so
            checks.append(await _odd(spec, asking, bound, answer))
    if len(odd) > TOLD_MAX:
        ids = " ".join(bound.point.id for bound in odd[TOLD_MAX:])
        todo = "mend those above first"
        checks.append(failed(spec.id, "value", f"cannot be true either: {ids}", todo))
    unranged = [b.point.id for b in spec.points if not is_ranged(b.point)]
    if not odd:
        judged = len(spec.points) - len(unranged)
        note = f"; {len(unranged)} have no range to be held against" if unranged else ""
        checks.append(fine(spec.id, "value", f"{judged} points are within their range{note}"))
    return checks


async def _odd(spec: DeviceSpec, asking: Asking, bound: BoundPoint, answer: Answer) -> Check:
    around: dict[int, Cells] = {}
    for offset in (-1, 1):
        near = beside(answer.read, offset)
        there = None if near is None else (await asking.ask(near)).cells
        if there is not None:
            around[offset] = there
    value = shown(bound.point, sample_of(bound, answer), 0)
    found = list(explanations(bound, answer.cells or (), around))
    limits = f"{bound.point.range_min or '-'} to {bound.point.range_max or '-'}"
    held = f", range {limits}" if is_ranged(bound.point) else ""
    sentence = f"{bound.point.id} is {value.text} ({_hex(answer.cells or ())}{held})"
    todo = (
        "hold it against the meter's own display: stackproof edge read shows every type and order"
    )
    if found:
        said = "; ".join(f"{one.number} with {one.mend}" for one in found)
        todo = f"it would be {said}. Hold it against the meter's own display"
    return failed(spec.id, "value", sentence, todo)
