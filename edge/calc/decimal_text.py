"""Decimal strings to exact fractions and back.

Regulated figures are exact fractions until they are printed: rounding happens once, half away
from zero (四舍五入), where the rule set says so.
"""

import re
from decimal import Decimal
from fractions import Fraction

from evidence.counts import round_half_away

_DECIMAL = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,15})?")
_TOO_LONG = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
UNROUNDED_PLACES = 15  # printed places of a value that has no finite decimal form


def parse_decimal(value: object) -> Fraction:
    """A decimal string, an int or a Decimal as an exact fraction.

    Raises:
        ValueError: anything else: a binary float, NaN, an exponent, more than 30 + 15 digits.
    """
    if isinstance(value, Decimal):
        value = f"{value:f}" if value.is_finite() and abs(value.adjusted()) < 40 else str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ValueError(f"{str(value)[:40]!r} is not a decimal number{_why_not(value)}")
    return Fraction(value)


def _why_not(value: object) -> str:
    """What to write, where a person may have meant a number all the same."""
    if not isinstance(value, str) or not any(mark.isdecimal() for mark in value):
        return ""
    if _TOO_LONG.fullmatch(value):
        return ": at most 30 digits before the point and 15 behind it"
    return (
        ": write digits and, for decimals, a point; no separators, spaces, exponent or unit: 1234.5"
    )


def rounded_text(value: Fraction, places: int) -> str:
    """The value with exactly `places` decimals, halves away from zero."""
    return _plain(round_half_away(value * 10**places), places)


def to_decimal(value: Fraction) -> Decimal:
    """The value with as many digits as the context has."""
    return Decimal(value.numerator) / value.denominator


def exact_text(value: Fraction) -> str:
    """The value unrounded, without trailing zeros; endless ones with `UNROUNDED_PLACES`."""
    den, places = value.denominator, 0
    while den % 10 == 0:
        den //= 10
        places += 1
    twos = fives = 0
    while den % 2 == 0:
        den //= 2
        twos += 1
    while den % 5 == 0:
        den //= 5
        fives += 1
    places += max(twos, fives)
    if den != 1:
        places = UNROUNDED_PLACES
    text = _plain(round_half_away(value * 10**places), places)
    return text.rstrip("0").rstrip(".") if "." in text else text


def printed(value: Fraction) -> str:
    """The value with at most `UNROUNDED_PLACES` decimals, without trailing zeros."""
    return exact_text(Fraction(round_half_away(value * 10**UNROUNDED_PLACES), 10**UNROUNDED_PLACES))


def _plain(count: int, places: int) -> str:
    sign, digits = ("-" if count < 0 else ""), str(abs(count)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"
