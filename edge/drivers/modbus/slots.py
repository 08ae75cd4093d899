"""The points of a device as places in its Modbus tables. Pure."""

from edge.drivers.base import BoundPoint, DeviceError, DeviceSpec
from edge.drivers.modbus.plan import Slot


def slots_of(spec: DeviceSpec) -> tuple[Slot, ...]:
    """One slot a point, in the order of the points.

    Raises:
        DeviceError: with `retry` False: a point's register has no Modbus place.
    """
    return tuple(_slot(spec, i, bound) for i, bound in enumerate(spec.points))


def _slot(spec: DeviceSpec, index: int, bound: BoundPoint) -> Slot:
    register = bound.register
    if register.table is None or register.address is None:
        raise DeviceError(
            f"device {spec.id}: point {bound.point.id}: register {register.name} of profile "
            f"{spec.profile.id} has no Modbus table and address",
            retry=False,
        )
    return Slot(register.table, register.address, register.words, index)
