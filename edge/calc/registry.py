"""The methods that can be asked for by name: inputs with units and ranges, source, example.

A published method version never changes; a correction is a new version. `@method` puts a function
here; its docstring is the documentation `calc show` prints.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from edge.calc.decimal_text import parse_decimal
from edge.calc.errors import InputError

#: every module in it is read: what it registers is a method
_PACKAGE = "edge.calc.methods"


@dataclass(frozen=True)
class Input:
    """One input of a method.

    Attributes:
        unit: of a number; "" for a name.
        low, high: allowed range of a number, decimal strings, "" for none.
        optional: may be left out.
        is_text: a name (rule set, technology) or other text, not a number.
        length_max: of a text.
    """

    unit: str = ""
    low: str = ""
    high: str = ""
    optional: bool = False
    is_text: bool = False
    length_max: int = 64

    def read(self, value: object) -> Any:  # noqa: ANN401 - Fraction or str by is_text
        """The value as a method takes it: Fraction or str. ValueError says what is wrong."""
        if self.is_text:
            if not isinstance(value, str) or not value or len(value) > self.length_max:
                raise ValueError(f"{str(value)[:40]!r} is not a name")
            return value
        number = parse_decimal(value)
        if self.low and number < Fraction(self.low):
            raise ValueError(f"{value} is below {self.low} {self.unit}")
        if self.high and number > Fraction(self.high):
            raise ValueError(f"{value} is above {self.high} {self.unit}")
        return number


@dataclass(frozen=True)
class Method:
    """A published method.

    Attributes:
        id, version: its name; versions are frozen once published.
        source: document and equation.
        inputs, outputs: name -> Input; name -> unit.
        function: takes the inputs by keyword, gives a map of outputs.
    """

    id: str
    version: int
    source: str
    inputs: Mapping[str, Input]
    outputs: Mapping[str, str]
    function: Callable[..., dict[str, Any]]

    @property
    def text(self) -> str:
        """The documentation."""
        return inspect.cleandoc(self.function.__doc__ or "")

    @property
    def command(self) -> str:
        """How a person runs it, with the inputs it needs."""
        needed = (f"{name}=…" for name, spec in self.inputs.items() if not spec.optional)
        return " ".join(("stackproof calc eval", self.id, *needed))


_METHODS: dict[str, Method] = {}


def method(
    method_id: str,
    *,
    version: int,
    source: str,
    inputs: Mapping[str, Input],
    outputs: Mapping[str, str],
) -> Callable[[Callable[..., dict[str, Any]]], Callable[..., dict[str, Any]]]:
    """Register a function as a method."""

    def register(function: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        _METHODS[method_id] = Method(method_id, version, source, inputs, outputs, function)
        return function

    return register


def methods() -> dict[str, Method]:
    """All methods by id."""
    for module in iter_modules(import_module(_PACKAGE).__path__):
        import_module(f"{_PACKAGE}.{module.name}")
    return dict(sorted(_METHODS.items()))


def evaluate(method_id: str, values: Mapping[str, object]) -> dict[str, Any]:
    """Run a method on named values (decimal strings, ints, Decimals; names as strings).

    Raises:
        InputError: unknown method, or wrong inputs: one "key: reason" each.
    """
    found = methods().get(method_id)
    if found is None:
        raise InputError([f"{method_id}: unknown method; known: {' '.join(methods())}"])
    problems = [f"{key}: not an input of {method_id}" for key in values if key not in found.inputs]
    read: dict[str, Any] = {}
    for key, spec in found.inputs.items():
        if key not in values:
            if not spec.optional:
                problems.append(f"{key}: missing")
            continue
        try:
            read[key] = spec.read(values[key])
        except ValueError as error:
            problems.append(f"{key}: {error}")
    if problems:
        raise InputError(problems)
    return found.function(**read)
