"""What a site file says of the quality of single points, `[device.rules.NAME]`; whom states mark.

A NAME is a register of the profile ("pot-{n:02}.voltage": every pot's) or one point's
("pot-07.voltage"); the narrower one counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge.drivers.base import BoundPoint
from evidence.points import Point, exact
from firmware_configs.fields import Fields
from firmware_configs.model import Profile
from firmware_configs.rows import read_range
from firmware_configs.rules import Ruled, merged, read_changes

STUCK_INTERVALS_MIN = 2
_S = 10**9


def ruled_points(
    fields: Fields,
    tables: Mapping[str, Fields],
    profile: Profile,
    bound: Sequence[BoundPoint],
    interval_ns: int,
) -> tuple[BoundPoint, ...]:
    """The points with the site's rules over the profile's, and with the marks of their states.

    Args:
        fields: the device's table.
        tables: what stands under its `rules`, by name.
        profile: its profile.
        bound: its points.
        interval_ns: how often they are read.
    """
    points = [replace(b.point, rules=b.register.rules) for b in bound]
    registers = {b.register.name for b in bound}
    for name, inner in sorted(tables.items(), key=lambda table: table[0] not in registers):
        inner.label = name
        chosen = [i for i, b in enumerate(bound) if name in (b.register.name, _name(b.point))]
        if not chosen:
            fields.complain("rules", f"{name!r} is no register or point that is read here")
            continue
        changed = _changed(inner, profile, points[chosen[0]])
        for i in chosen:
            points[i] = replace(
                points[i],
                rules=changed.rules, range_min=changed.range_min, range_max=changed.range_max,
            )  # fmt: skip
    for register in registers:
        stand = [p for p, b in zip(points, bound, strict=True) if b.register.name == register]
        _check_stuck(fields, stand, interval_ns)
    speaking = _speaking(fields, profile, bound, points)
    return tuple(replace(b, point=p) for b, p in zip(bound, speaking, strict=True))


def _name(point: Point) -> str:
    """The point's id without its device."""
    return point.id.removeprefix(f"{point.device}.")


def _changed(inner: Fields, profile: Profile, point: Point) -> Point:
    """The point with what the table says; all points of a table's NAME are alike in this."""
    about = Ruled(profile.protocol, point.role, point.decimals)
    rules = merged(inner, point.rules, read_changes(inner, about, drops=True))
    low, high = read_range(inner) if inner.has("range") else (point.range_min, point.range_max)
    inner.finish()
    return replace(point, rules=rules, range_min=low, range_max=high)


def _check_stuck(fields: Fields, points: Sequence[Point], interval_ns: int) -> None:
    """Two equal readings are no stuck sensor."""
    least_s = STUCK_INTERVALS_MIN * interval_ns / _S
    for point in points:
        after = point.rules.stuck_after_s
        if after is not None and exact(after) * _S < STUCK_INTERVALS_MIN * interval_ns:
            fields.complain(
                "rules", f"{_name(point)}: stuck_after_s {after} is less than two intervals "
                f"({least_s:g} s): write more, or read it more often",
            )  # fmt: skip
            return  # one point's sentence speaks for all


def _speaking(
    fields: Fields, profile: Profile, bound: Sequence[BoundPoint], points: Sequence[Point]
) -> list[Point]:
    """The points, those of states with the ids of the points they speak of."""
    read = {b.register.name for b in bound}
    for state in profile.registers:
        spoken = [name for name in state.speaks_of if name in read]
        if spoken and state.name not in read:
            fields.complain(
                "points", f"leaves out {state.name!r}, which marks {spoken[0]!r}: without it a "
                "calibration would look like a measurement",
            )  # fmt: skip
    return [
        replace(point, marks=b.register.marks, speaks_of=ids) if ids else point
        for b, point in zip(bound, points, strict=True)
        for ids in [_spoken_of(b, bound) if b.register.marks else ()]
    ]


def _spoken_of(state: BoundPoint, bound: Sequence[BoundPoint]) -> tuple[str, ...]:
    return tuple(
        b.point.id
        for b in bound
        if b.register.name in state.register.speaks_of and state.n in (None, b.n)
    )
