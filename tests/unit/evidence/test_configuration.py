"""A configuration has the fields FORMAT.md §5 and FIGURES.md §1 ask for, and no others."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from evidence import cbor
from evidence.blocks import compress
from evidence.configuration import decode_configuration
from evidence.errors import MalformedError, UnsupportedError
from tests.independent.random_configurations import ruled
from tests.unit.evidence.small_plant import configuration

#: fields that the texts put a question mark before
OPTIONAL = {
    "scaling", "states", "flow_point", "power_point", "device", "source", "reference", "moisture",
    "metal", "anode", "fuels", "auxiliary", "range_min", "range_max",
}  # fmt: skip


def decoded(config: Any) -> dict[str, Any]:
    return decode_configuration(compress(cbor.encode(config)))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every field, of lists the first item only."""
    items = value.items() if isinstance(value, dict) else enumerate(value[:1])
    for key, part in items:
        yield (*path, key)
        if isinstance(part, dict | list):
            yield from places(part, (*path, key))


def changed(path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> dict[str, Any]:
    made = copy.deepcopy(configuration())
    at: Any = made
    for key in path[:-1]:
        at = at[key]
    change(at, path[-1])
    return made


PLACES = list(places(configuration()))
FIELDS = [path for path in PLACES if isinstance(path[-1], str)]


def test_the_small_plants_is_one() -> None:
    assert decoded(configuration()) == configuration()


@pytest.mark.parametrize(
    "path", [p for p in FIELDS if p[-1] not in OPTIONAL], ids=lambda path: ".".join(map(str, path))
)
def test_a_field_that_is_not_optional_is_there(path: tuple[Any, ...]) -> None:
    with pytest.raises(MalformedError):
        decoded(changed(path, lambda at, key: at.pop(key)))


@pytest.mark.parametrize("path", FIELDS, ids=lambda path: ".".join(map(str, path)))
def test_no_field_stands_beside_those(path: tuple[Any, ...]) -> None:
    with pytest.raises(MalformedError):
        decoded(changed(path, lambda at, _: at.update(zzz=1)))


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize("value", [None, True, -1, 2**63, b"", {"x": 1}, ["x"]], ids=repr)
def test_a_field_of_another_type_is_none(path: tuple[Any, ...], value: Any) -> None:
    if path[-1] in {"simulated", "computed"} and value is True:
        value = 1  # true is one of these two's values, and true is not 1
    with pytest.raises((MalformedError, UnsupportedError)):
        decoded(changed(path, lambda at, key: at.__setitem__(key, value)))


RULED = ruled()
LIMITS = [
    ("points", i, key)
    for i, point in enumerate(RULED["points"])
    for key in ("rules", "marks", "speaks_of")
    if key in point
]


def test_limits_and_marks_are_taken() -> None:
    assert decoded(RULED) == RULED


@pytest.mark.parametrize("path", LIMITS, ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize("value", [None, True, 1, b"", {"jump": 1}, {"x": "1"}, ["x"]], ids=repr)
def test_limits_and_marks_of_another_type_are_none(path: tuple[Any, ...], value: Any) -> None:
    config = copy.deepcopy(RULED)
    at: Any = config
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    with pytest.raises(MalformedError):
        decoded(config)


@pytest.mark.parametrize(
    "change",
    [
        {"speaks_of": ["pot-02.state"]}, {"speaks_of": ["nobody"]}, {"speaks_of": ["pot-01.state"]},
        {"device": "pots"}, {"marks": [[0, 136]]}, {"marks": [[0, 134], [0, 134]]},
    ],
)  # fmt: skip
def test_a_state_speaks_of_values_of_its_own_device(change: dict[str, Any]) -> None:
    config = copy.deepcopy(RULED)
    next(p for p in config["points"] if p["id"] == "pot-01.state").update(change)
    with pytest.raises(MalformedError):
        decoded(config)


def second_fuel(config: Any, **fields: str) -> None:
    config["statement"]["fuels"].append({**config["statement"]["fuels"][0], **fields})


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["statement"]["fuels"][0].update(point="line.metal"),
        lambda c: c["statement"]["auxiliary"][0].update(point="gas.volume"),
        lambda c: c["statement"]["auxiliary"][0].update(power_point="gas.flow"),
        lambda c: second_fuel(c, point="ac.energy"),
        lambda c: second_fuel(c, kind="diesel"),
        lambda c: c["potlines"][0]["pots"][1].update(voltage="pot-01.voltage"),
        lambda c: c["potlines"].append({**c["potlines"][0], "id": "line-2"}),
    ],
)
def test_nothing_is_counted_twice(change: Callable[[Any], None]) -> None:
    config = copy.deepcopy(configuration())
    change(config)
    with pytest.raises(MalformedError, match="would count twice"):
        decoded(config)


def test_what_counts_nothing_may_be_of_several() -> None:
    """The state of a section of pots, the current of two potlines."""
    config = copy.deepcopy(configuration())
    (line,) = config["potlines"]
    first, second = line["pots"]
    second["state"] = first["state"]
    config["potlines"] = [
        {**line, "pots": [first]},
        {**line, "id": "line-2", "pots": [second]},
    ]
    assert decoded(config) == config


@pytest.mark.parametrize(
    ("path", "value"),
    [(("format",), 2), (("points", 0, "dtype"), 200), (("groups", 0, "dtype"), 200)],
)
def test_what_is_newer_is_called_so(path: tuple[Any, ...], value: int) -> None:
    with pytest.raises(UnsupportedError):
        decoded(changed(path, lambda at, key: at.__setitem__(key, value)))
