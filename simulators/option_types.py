"""What the words of `stackproof sim`'s options may be; a wrong one ends it with a sentence."""

import argparse
from datetime import date
from decimal import Decimal, InvalidOperation

from evidence.points import exact
from simulators.faults import Fault, FaultError, fault_of_text
from simulators.month_smelter import POINTS_LIMITS
from simulators.play import Change
from simulators.recorded.recording import ROUNDS_MAX, TABLES
from simulators.scenario import POTS_LIMITS


def pots(text: str) -> int:
    """A number of pots."""
    return _whole(text, *POTS_LIMITS)


def points(text: str) -> int:
    """A number of points of a month."""
    return _whole(text, *POINTS_LIMITS)


def days(text: str) -> int:
    """A number of days of a month."""
    return _whole(text, 1, 31)


def each(text: str) -> int:
    """How many of what a profile has many of."""
    return _whole(text, 1, POTS_LIMITS[1])


def unit(text: str) -> int:
    """A Modbus unit id that is one device's."""
    return _whole(text, 1, 247)


def plate(text: str) -> str:
    """The twelve digits of a meter."""
    if not (text.isascii() and text.isdigit() and len(text) == 12):
        raise argparse.ArgumentTypeError(f"{text!r} is not twelve digits")
    return text


def mn(text: str) -> str:
    """The number of an HJ 212 logger."""
    if len(text) != 24 or not set(text) <= set("0123456789ABCDEFabcdef"):
        raise argparse.ArgumentTypeError(f"{text!r} is not 24 hexadecimal digits")
    return text


def listener(text: str) -> tuple[str, int]:
    """HOST:PORT that is called."""
    host, _, digits = text.rpartition(":")
    if not host:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, _whole(digits, 1, 65535)


def every(text: str) -> int:
    """Seconds between two real-time messages."""
    return _whole(text, 1, 3600)


def rounds(text: str) -> int:
    """How often a device is asked for a recording."""
    return _whole(text, 1, ROUNDS_MAX)


def block(text: str) -> int:
    """Registers a question asks for."""
    return _whole(text, 1, TABLES["holding"])


def speed(text: str) -> int:
    """How many times as fast."""
    return _whole(text, 1, 10_000)


def month_id(text: str) -> str:
    """A month as YYYY-MM."""
    try:
        date.fromisoformat(f"{text}-01")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no month like 2026-10") from None
    return text


def seed(text: str) -> int:
    """A seed."""
    return _whole(text, 0, 2**63 - 1)


def port(text: str) -> int:
    """A port, or 0."""
    return _whole(text, 0, 65535)


def duration(text: str) -> Decimal:
    """Seconds."""
    try:
        seconds = Decimal(text)
    except InvalidOperation:
        seconds = Decimal("NaN")
    if not seconds.is_finite() or seconds <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above zero")
    return seconds


def change(text: str) -> Change:
    """SECONDS:DEVICE.SETTING=VALUE."""
    place, _, value = text.partition("=")
    seconds, _, name = place.partition(":")
    device, _, setting = name.partition(".")
    if not (device and setting and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not SECONDS:DEVICE.SETTING=VALUE")
    return Change(duration(seconds), device, setting, value)


def fault(text: str) -> Fault:
    """Such as "at=20 for=10 kind=stuck on=ac-1.power"."""
    try:
        return fault_of_text(text)
    except FaultError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def named(text: str) -> tuple[str, str]:
    """NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def ratio(text: str) -> tuple[str, str]:
    """NAME=VALUE of an installation's ratio."""
    name, value = named(text)
    try:
        is_positive = exact(value) > 0
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not is_positive:
        raise argparse.ArgumentTypeError(f"{value} must be greater than zero")
    return name, value


def _whole(text: str, low: int, high: int) -> int:
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number in {low}..{high}")
    return int(text)
