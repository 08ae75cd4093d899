"""`edge read`: one place, or all points of a device, once. I/O: through the drivers."""

import asyncio
from collections.abc import Sequence

from edge.clock import Clock
from edge.commissioning.bare import bare_spec
from edge.commissioning.look import Look
from edge.commissioning.look_driver import look_by_driver, read_once
from edge.commissioning.look_modbus import look_at_place, look_at_point
from edge.commissioning.modbus_asking import SCHEMES as MODBUS
from edge.commissioning.modbus_asking import Asking
from edge.commissioning.place_text import parse, parse_type
from edge.commissioning.value import shown
from edge.drivers.address import wrong
from edge.drivers.base import BoundPoint, DeviceError, DeviceSpec

OPCUA = "opc.tcp"


def scheme_of(url: str) -> str:
    """What a URL begins with."""
    return url.partition("://")[0]


async def read_point(
    spec: DeviceSpec, bound: BoundPoint, clock: Clock, patience_s: float = 0.0
) -> Look:
    """Everything about one point.

    Args:
        spec: its device.
        bound: the point.
        clock: this machine's.
        patience_s: how long to wait for a device that is not asked but heard.

    Raises:
        DeviceError: the device is out of reach, or cannot be asked as it stands.
    """
    scheme = scheme_of(spec.url)
    if scheme in MODBUS:
        asking = Asking(spec)
        try:
            await _open(asking, spec)
            return await look_at_point(asking, spec.id, bound, clock.wall_ns())
        finally:
            await asking.close()
    if scheme == OPCUA:
        return await _read_node(spec, bound, "", clock)
    return await look_by_driver(spec, bound, clock, patience_s)


async def read_device(spec: DeviceSpec, clock: Clock, patience_s: float = 0.0) -> Sequence[Look]:
    """Value and quality of every point of a device; DeviceError when it is out of reach."""
    samples = await read_once(spec, patience_s)
    now_ns = clock.wall_ns()
    return [
        Look(
            point=bound.point.id,
            device=spec.id,
            place=bound.point.source,
            raw=sample.raw or b"",
            shown=shown(bound.point, sample, now_ns),
        )
        for bound, sample in zip(spec.points, samples, strict=True)
    ]


async def read_place(
    url: str, place: str, timeout_s: float, clock: Clock, type_name: str | None = None
) -> Look:
    """A place of a device that no site file names.

    Args:
        url: as a site file would have it.
        place: "holding:3000" or "43001" of Modbus, a node id of OPC UA.
        timeout_s: how long one answer may take.
        clock: this machine's.
        type_name: as what to look at a Modbus register, such as "f32"; None: as everything.

    Raises:
        DeviceError: the device is out of reach, or URL, place or type cannot be understood.
    """
    spec, scheme = bare_spec(url, timeout_s), scheme_of(url)
    if scheme == OPCUA:
        if type_name is not None:
            raise wrong(spec, f"an OPC UA node tells its type itself: leave {type_name!r} out")
        return await _read_node(spec, None, place, clock)
    if scheme not in MODBUS:
        raise wrong(
            spec,
            f"a place can be read over {' '.join(f'{s}://' for s in (*MODBUS, OPCUA))} without a "
            "site file; for other protocols write the device into one, and name it",
        )
    try:
        table, address = parse(place)
        taken = "" if type_name is None else parse_type(table, type_name)
    except ValueError as error:
        raise DeviceError(str(error), retry=False) from None
    asking = Asking(spec)
    try:
        await _open(asking, spec)
        return await look_at_place(asking, url, table, address, taken)
    finally:
        await asking.close()


async def _open(asking: Asking, spec: DeviceSpec) -> None:
    if trouble := await asking.open():
        raise DeviceError(
            f"device {spec.id}: no connection to {asking.place.endpoint} within "
            f"{spec.timeout_s:g} s ({trouble}); check power, cable and address, and how many "
            "clients the device allows"
        )


async def _read_node(spec: DeviceSpec, bound: BoundPoint | None, node: str, clock: Clock) -> Look:
    # asyncua takes half a second to load: only where it is needed
    from edge.commissioning import look_opcua

    try:
        async with look_opcua.session_of(spec) as session:
            if bound is not None:
                node = await look_opcua.node_of(session, bound)
            return await look_opcua.look_at_node(session, spec, node, bound, clock.wall_ns())
    except (DeviceError, asyncio.CancelledError):
        raise
    except Exception as error:  # whatever a server makes asyncua raise: it cannot be used
        raise look_opcua.device_error(spec, error) from error
