"""Points that the site file names: which there are, of what kind, and that none counts twice."""

from collections.abc import Mapping
from dataclasses import dataclass

from evidence.points import Point, Role
from firmware_configs.fields import Fields, near


@dataclass(frozen=True)
class SitePoints:
    """The points the devices give.

    Attributes:
        points: by id.
        unclear: ids of devices with a problem of their own: what they would give is not known.
    """

    points: Mapping[str, Point]
    unclear: frozenset[str] = frozenset()

    def lacks(self, point_id: str) -> bool:
        """True when it is certain that no device gives this point."""
        return point_id not in self.points and point_id.partition(".")[0] not in self.unclear


class Uses:
    """Which place of the site file uses which point: nothing may be counted twice."""

    def __init__(self) -> None:
        self._place_of: dict[str, str] = {}

    def claim(self, fields: Fields, key: str, point_id: str, place: str) -> bool:
        """Take a point for a place; complain and False when another place has it."""
        owner = self._place_of.setdefault(point_id, place)
        if owner != place:
            fields.complain(
                key, f"{point_id!r} is used by {owner} and by {place}; it would count twice"
            )
        return owner == place


def read_totaliser(
    fields: Fields,
    points: SitePoints,
    uses: Uses,
    place: str,
    *,
    kinds: tuple[str, ...],
    key: str = "point",
) -> dict[str, str]:
    """A point that counts up, and the rule by which a period is made of it."""
    point_id = read_counter(fields, points, uses, place, kinds=kinds, key=key)
    return {key: point_id, "rule": fields.choice("rule", ("totaliser",), default="totaliser")}


def read_counter(
    fields: Fields, points: SitePoints, uses: Uses, place: str, *, kinds: tuple[str, ...], key: str
) -> str:
    """The id of a point that counts up, and that nothing else of the place's section uses."""
    point_id = read_point(fields, key, points, uses, place, kinds=kinds)
    point = points.points.get(point_id)
    if point is not None and point.quantity.kind in kinds and point.role is not Role.TOTALISER:
        fields.complain(key, f"{point_id!r} is a {point.role.value}, not a totaliser")
    return point_id


def read_point(
    fields: Fields, key: str, points: SitePoints, uses: Uses, place: str, *, kinds: tuple[str, ...]
) -> str:
    """The id of a point that nothing else of the place's section uses."""
    point_id = fields.text(key, why="a point id, <device>.<register>")
    if point_id and check_point(fields, key, point_id, points, kinds=kinds):
        uses.claim(fields, key, point_id, f"{place}.{key}")
    return point_id


def check_point(
    fields: Fields, key: str, point_id: str, points: SitePoints, *, kinds: tuple[str, ...]
) -> bool:
    """Complain unless the point exists and is of one of these kinds; True when it is."""
    point = points.points.get(point_id)
    if point is None:
        if points.lacks(point_id):
            fields.complain(
                key,
                f"{point_id!r} is no point of any device{near(point_id, sorted(points.points))}",
            )
        return False
    if point.quantity.kind not in kinds:
        needed = " or ".join(kinds)
        fields.complain(key, f"{point_id!r} is {point.quantity.kind}; {needed} is needed")
        return False
    return True
