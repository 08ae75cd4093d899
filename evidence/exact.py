"""Numbers of a configuration: one spelling, ASCII only, read as exact fractions. Pure."""

import re
from fractions import Fraction
from functools import lru_cache

#: an exponent that cannot make a number of a million digits
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9])?")
_KEPT = 4096  # the points of a plant share a few numbers: each is made once


@lru_cache(maxsize=_KEPT)
def exact(text: str) -> Fraction:
    """A decimal or a ratio ("0.1", "800/5") as an exact fraction; ValueError otherwise."""
    if len(text) > 40:
        raise ValueError(f"number {text[:40]!r}... is too long")
    parts = text.split("/")
    if not all(_NUMBER.fullmatch(part) for part in parts):
        raise ValueError(f"{text!r} is not a decimal number or a ratio like 800/5")
    numbers = [Fraction(part) for part in parts]
    if len(numbers) == 1:
        return numbers[0]
    if len(numbers) != 2 or numbers[1] == 0:
        raise ValueError(f"{text!r} is not a ratio like 800/5")
    return numbers[0] / numbers[1]
