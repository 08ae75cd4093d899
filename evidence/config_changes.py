"""What changed between two configurations: the path of each value, and old and new. Pure.

Parts that have a name (points, devices, pot lines, fuels) are compared by name, not by their place
in a list; numbers that are places in such a list are compared as the names they stand for.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NOTHING = "nothing"
_NONE = object()
#: a name with a bracket in it, which could pretend to be a path, is not idle
_IDLE = re.compile(
    r"software|gateway\.slice|plant\.name|devices\[[^\[\]]*\]\.settings(\..*)?", re.DOTALL
)
_NAMES = ("id", "kind", "material", "point")


@dataclass(frozen=True)
class ConfigChange:
    """One value that differs.

    Attributes:
        path: where it stands, for example `points[pot-01.voltage].scaling.scale`.
        values: old and new, `_NONE` where there is none; made into text when it is asked for.
    """

    path: str
    values: tuple[Any, Any]

    @property
    def old(self) -> str:
        """JSON of the value there was, bytes as hex; `NOTHING` where there was none."""
        return _text(self.values[0])

    @property
    def new(self) -> str:
        """Likewise of the value there is."""
        return _text(self.values[1])

    @property
    def is_idle(self) -> bool:
        """True when no figure can depend on it."""
        return _IDLE.fullmatch(self.path) is not None


def config_changes(
    old: Mapping[str, Any], new: Mapping[str, Any], *, settings: bool = True
) -> Iterator[ConfigChange]:
    """Every value in which two decoded configurations differ, in order of path.

    They need not be well formed: what has no names is compared by its place. Without `settings`
    those of devices are left out: they can be many, and are idle.
    """
    yield from _differences(_named(old, settings), _named(new, settings), "")


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


def _differences(old: Any, new: Any, path: str) -> Iterator[ConfigChange]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys(), key=str):
            place = f"{path}.{key}" if path else str(key)
            yield from _pair(old, new, key, place)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(old, new, path)
    elif type(old) is not type(new) or old != new:
        yield ConfigChange(path, (old, new))


def _lists(old: list[Any], new: list[Any], path: str) -> Iterator[ConfigChange]:
    for name in _NAMES:
        by_old, by_new = _by_name(old, name), _by_name(new, name)
        if by_old is not None and by_new is not None:
            for key in sorted(by_old.keys() | by_new.keys()):
                yield from _pair(by_old, by_new, key, f"{path}[{key}]")
            return
    if not any(isinstance(value, dict | list) for value in [*old, *new]):
        if old != new:
            yield ConfigChange(path, (old, new))
        return
    for i in range(max(len(old), len(new))):
        before, after = (dict(enumerate(values[i : i + 1])) for values in (old, new))
        yield from _pair(before, after, 0, f"{path}[{i}]")


def _by_name(values: list[Any], name: str) -> dict[str, Any] | None:
    """The values by their names, None when they have none or not each its own."""
    if not all(isinstance(v, dict) and isinstance(v.get(name), str) for v in values):
        return None
    named = {value[name]: value for value in values}
    return named if len(named) == len(values) else None


def _pair(
    old: Mapping[Any, Any], new: Mapping[Any, Any], key: Any, path: str
) -> Iterator[ConfigChange]:
    if key not in old:
        yield ConfigChange(path, (_NONE, new[key]))
    elif key not in new:
        yield ConfigChange(path, (old[key], _NONE))
    else:
        yield from _differences(old[key], new[key], path)


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
