"""What changed between two configurations: the path of each value, and old and new. Pure.

Parts that have a name (points, devices, pot lines, fuels) are compared by name, not by their place
in a list; numbers that are places in such a list are compared as the names they stand for.
"""

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from evidence.exact import exact
from evidence.findings import IDLE

NOTHING = "nothing"
_NONE = object()
_FIGURES = ("potlines", "statement")

#: names on the way to a value
_Way = tuple[Any, ...]
_Difference = tuple[str, tuple[Any, Any], _Way]
#: where it stands, None for any name: what is told first, scaling of what is used, and what last
_WEIGHTY: Sequence[tuple[str | None, ...]] = (
    ("collector",),
    ("plant", "time_zone"),
    ("plant", "rule_set"),
    ("devices", None, "meter"),
    ("potlines",),
    ("statement",),
)
_COUNTED: Sequence[tuple[str | None, ...]] = (
    ("points", None, "scaling"),
    ("points", None, "decimals"),
)
_IDLE: Sequence[tuple[str | None, ...]] = (
    ("software",),
    ("gateway", "slice"),
    ("plant", "name"),
    ("devices", None, "settings"),
)
_NAMES = ("id", "kind", "material", "point")


@dataclass(frozen=True)
class ConfigChange:
    """One value that differs.

    Attributes:
        path: where it stands, for example `points[pot-01.voltage].scaling.scale`.
        values: old and new, `_NONE` where there is none; made into text when it is asked for.
        rank: 0 for keys, meters' settings, what figures are made of and how it is scaled, 2 when
            no figure can depend on it, else 1: so no crowd of changes hides the first ones.
    """

    path: str
    values: tuple[Any, Any]
    rank: int

    @property
    def old(self) -> str:
        """JSON of the value there was, bytes as hex; `NOTHING` where there was none."""
        return _text(self.values[0])

    @property
    def new(self) -> str:
        """Likewise of the value there is."""
        return _text(self.values[1])

    @property
    def told(self) -> str:
        """What happened to it, as a clause."""
        if self.values[0] is _NONE:
            return f"{self.path} was added: {self.new}"
        if self.values[1] is _NONE:
            return f"{self.path} was removed, it was {self.old}"
        return f"{self.path}: {self.old} became {self.new}"


def config_changes(
    old: Mapping[str, Any], new: Mapping[str, Any], *, settings: bool = True
) -> Iterator[ConfigChange]:
    """Every value in which two decoded configurations differ, in the order of names.

    They need not be well formed: what has no names is compared by its place. Without `settings`
    those of devices are left out: they can be many, and are idle.
    """
    used = {word for config in (old, new) for part in _FIGURES for word in _words(config.get(part))}
    for path, values, way in _differences(_named(old, settings), _named(new, settings), "", ()):
        yield ConfigChange(path, values, _rank(way, values, used))


def _rank(way: _Way, values: tuple[Any, Any], used: Set[str]) -> int:
    """By the names on the way there; a name with a bracket in it can pretend to be a path only."""
    if _is_of(way, _COUNTED) and way[1] in used:
        return IDLE if _is_one_number(way, values) else 0
    if _is_of(way, _WEIGHTY):
        return 0
    return IDLE if _is_of(way, _IDLE) else 1


def _is_of(way: _Way, places: Sequence[tuple[str | None, ...]]) -> bool:
    return any(
        len(way) >= len(place)
        and all(name in (None, own) for name, own in zip(place, way, strict=False))
        for place in places
    )


def _is_one_number(way: _Way, values: tuple[Any, Any]) -> bool:
    """True for a number of the scaling that is written in another way, or no longer left out."""
    default = "0" if way[-1] == "offset" else "1"
    try:
        old, new = (exact(default if value is _NONE else value) for value in values)
    except (TypeError, ValueError):
        return False
    return way[2] == "scaling" and way[-1] != "raw_decimals" and old == new


def _words(value: Any) -> Iterator[str]:
    """Every text in it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _words(part)


def _named(config: Mapping[str, Any], settings: bool) -> dict[str, Any]:
    """The configuration with its groups' places in other lists made into names."""
    made = dict(config)
    if not settings:
        made["devices"] = [
            {key: part for key, part in device.items() if key != "settings"}
            for device in made["devices"]
        ]
    groups = made.get("groups")
    if isinstance(groups, list) and all(isinstance(group, dict) for group in groups):
        made["groups"] = [_named_group(config, group) for group in groups]
    return made


def _named_group(config: Mapping[str, Any], group: Mapping[str, Any]) -> dict[str, Any]:
    parts = [str(group.get(name)) for name in ("schedule", "dtype")]
    kind = "computed" if group.get("computed") is True else "measured"
    rows = group.get("points")
    points = config.get("points")
    named = dict(group)
    if isinstance(rows, list) and isinstance(points, list):
        named["points"] = [_id_of(points, row) for row in rows]
    return {"id": "/".join([*parts, kind]), **named}


def _id_of(points: Sequence[Any], row: Any) -> Any:
    if type(row) is int and 0 <= row < len(points) and isinstance(points[row], dict):
        return points[row].get("id", row)
    return row


def _differences(old: Any, new: Any, path: str, way: _Way) -> Iterator[_Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys(), key=str):
            place = f"{path}.{key}" if path else str(key)
            yield from _pair(old, new, key, place, way)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(old, new, path, way)
    elif type(old) is not type(new) or old != new:
        yield path, (old, new), way


def _lists(old: list[Any], new: list[Any], path: str, way: _Way) -> Iterator[_Difference]:
    for name in _NAMES:
        by_old, by_new = _by_name(old, name), _by_name(new, name)
        if by_old is not None and by_new is not None:
            for key in sorted(by_old.keys() | by_new.keys()):
                yield from _pair(by_old, by_new, key, f"{path}[{key}]", way)
            return
    if not any(isinstance(value, dict | list) for value in [*old, *new]):
        if old != new:
            yield path, (old, new), way
        return
    for i in range(max(len(old), len(new))):
        before, after = (dict(enumerate(values[i : i + 1])) for values in (old, new))
        yield from _pair(before, after, 0, f"{path}[{i}]", way)


def _by_name(values: list[Any], name: str) -> dict[str, Any] | None:
    """The values by their names, None when they have none or not each its own."""
    if not all(isinstance(v, dict) and isinstance(v.get(name), str) for v in values):
        return None
    named = {value[name]: value for value in values}
    return named if len(named) == len(values) else None


def _pair(
    old: Mapping[Any, Any], new: Mapping[Any, Any], key: Any, path: str, way: _Way
) -> Iterator[_Difference]:
    way = *way, key
    if key not in old:
        yield path, (_NONE, new[key]), way
    elif key not in new:
        yield path, (old[key], _NONE), way
    else:
        yield from _differences(old[key], new[key], path, way)


def _text(value: Any) -> str:
    if value is _NONE:
        return NOTHING
    return json.dumps(_printable(value), ensure_ascii=False)


def _printable(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): _printable(part) for key, part in value.items()}
    return [_printable(part) for part in value] if isinstance(value, list) else value
