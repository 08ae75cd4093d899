"""Registers, profiles and device specs for driver tests, made in code instead of TOML."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from edge.drivers.base import BoundPoint, DeviceSpec
from edge.drivers.opcua.security import OpcUaSecurity
from evidence.points import Dtype, Point, Quantity, Role
from firmware_configs.model import Bits, Identifier, Item, Profile, Register

COUNT = Quantity("count", "1")


def register(
    name: str,
    dtype: Dtype,
    *,
    table: str | None = "holding",
    address: int | None = 0,
    node: str | None = None,
    namespace: str | None = None,
    invalid: tuple[int, ...] = (),
    orders: tuple[str, str] = ("big", "big"),
    bits: Bits | None = None,
    is_bcd: bool = False,
    decimals: int = 0,
    item: Item | None = None,
    identifier: Identifier | None = None,
) -> Register:
    """A register row; what the drivers do not look at is filled in.

    `orders` is (word_order, byte_order).
    """
    return Register(
        name=name,
        table=table if node is None else None,
        address=address if node is None else None,
        node=node,
        namespace=namespace,
        dtype=dtype,
        decimals=decimals,
        point_decimals=decimals,
        quantity=COUNT,
        role=Role.GAUGE,
        applies=(),
        invalid=invalid,
        range_min=None,
        range_max=None,
        states=(),
        source="test",
        word_order=orders[0],
        byte_order=orders[1],
        bits=bits,
        is_bcd=is_bcd,
        item=item,
        identifier=identifier,
    )


def profile(
    registers: tuple[Register, ...],
    *,
    word_order: str = "big",
    byte_order: str = "big",
    max_registers_per_read: int = 125,
    hole_limit: int = 8,
    pause_ms: int = 0,
    probe: str | None = None,
) -> Profile:
    """A profile of these registers; orders that are not the usual ones become all registers'."""
    orders = {"word_order": word_order, "byte_order": byte_order}
    if set(orders.values()) != {"big"}:
        registers = tuple(replace(row, **orders) for row in registers)
    return Profile(
        id="test/device",
        path=Path("test/device.toml"),
        vendor="test",
        model="device",
        revision="1",
        title="device of a test",
        protocol="opcua" if registers and registers[0].node else "modbus",
        quality_level="simulated",
        source="test",
        firmware="",
        address_notation="0-based",
        word_order=word_order,
        byte_order=byte_order,
        max_registers_per_read=max_registers_per_read,
        hole_limit=hole_limit,
        pause_ms=pause_ms,
        reports=None,
        probe=probe,
        registers=registers,
        settings=(),
        vectors=(),
        caveats=(),
    )


def bound(row: Register, *, n: int | None = None, device: str = "dev") -> BoundPoint:
    """The point of a register row."""
    name = row.name.format(n=n) if n is not None else row.name
    point = Point(id=f"{device}.{name}", quantity=COUNT, dtype=row.dtype, decimals=0, device=device)
    return BoundPoint(point, row, n)


def points_of(profile: Profile, device: str = "dev") -> tuple[BoundPoint, ...]:
    """A point a register, as a site file without a choice would take them."""
    return tuple(
        BoundPoint(
            Point(id=f"{device}.{row.name}", quantity=row.quantity, dtype=row.dtype,
                  decimals=row.point_decimals, role=row.role, states=row.states),
            row,
        )
        for row in profile.registers
    )  # fmt: skip


def spec(
    url: str,
    *registers: Register,
    timeout_s: float = 1.0,
    numbers: tuple[int, ...] = (),
    **of_profile: Any,
) -> DeviceSpec:
    """A device with one point a register, or one a number for registers with "{n}"."""
    made = profile(registers, **of_profile)
    points: list[BoundPoint] = []
    for row in made.registers:
        if "{n" in row.name:
            points += [bound(row, n=n) for n in numbers]
        else:
            points.append(bound(row))
    return DeviceSpec("dev", url, made, tuple(points), timeout_s)


def secured(
    url: str, security: OpcUaSecurity, *registers: Register, timeout_s: float = 1.0
) -> DeviceSpec:
    """A device that is read with these security settings."""
    return replace(spec(url, *registers, timeout_s=timeout_s), security=security)
