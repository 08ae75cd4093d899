"""What a site file made by `stackproof edge new` still lacks: values that are "?". Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from firmware_configs.fields import Problem

BLANK = "?"


def without_blanks(table: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The file without the keys that nobody has filled in; these, and the id each stands beside."""
    return _kept(table), dict(_blanks(table, "", ""))


def told(found: list[Problem], blanks: Mapping[str, str], file: str) -> list[Problem]:
    """One sentence for each blank, in place of what its absence brought up; then all others."""
    said = "is still to be filled in"
    left = [Problem(file, key, f"{name}: {said}" if name else said) for key, name in blanks.items()]
    return left + [problem for problem in found if problem.key not in blanks]


def _kept(value: Any) -> Any:  # noqa: ANN401 - what TOML can hold
    if isinstance(value, Mapping):
        return {key: _kept(inner) for key, inner in value.items() if inner != BLANK}
    return [_kept(inner) for inner in value] if isinstance(value, list) else value


def _blanks(value: Any, place: str, name: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - what TOML can hold
    if value == BLANK:
        yield place, name
    elif isinstance(value, Mapping):
        own = value.get("id", BLANK)
        for key, inner in value.items():
            label = own if isinstance(own, str) and own != BLANK else name
            yield from _blanks(inner, f"{place}.{key}" if place else key, label)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _blanks(inner, f"{place}[{index}]", name)
