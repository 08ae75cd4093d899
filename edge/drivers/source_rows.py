"""Rows of a table or file to samples: whose each cell is, its exact number, the row's instant.

Pure. Numbers are taken as they stand: into an integer type only if it holds every place of them
(`decimals`), never rounded; a decimal text into a float type as the nearest float.
"""

import datetime as dt
import math
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction
from zoneinfo import ZoneInfo

from edge.drivers.base import DeviceSpec, Sample
from edge.drivers.raw import judge_of, pack, unpack
from evidence.quality import Quality
from firmware_configs.profile import Register
from firmware_configs.row_source import RowForm

Number = int | float | Decimal

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NS_MAX = 2**63 - 1
_PER_S = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}  # nanoseconds in a unit
_TIME = re.compile(
    r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"
    r"(?P<zone>Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_NUMBER = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_SHOWN_MAX = 40  # characters of a cell in a sentence
_EXPONENT_MAX = 400  # of a decimal number; no dtype holds more
_DIGITS_MAX = 100  # of one; a u64 has 20, and a float's shortest text 17
_SHORT = Context(prec=_DIGITS_MAX, traps=[Inexact])


class RowError(Exception):
    """A row that cannot be used; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one row gives.

    Attributes:
        samples: index of a point of the device -> sample; empty when the row is of none of them.
        reason: why the row cannot be used, "" when it can.
        doubts: one sentence for each cell that is no number of its point's type.
    """

    samples: Mapping[int, Sample]
    reason: str = ""
    doubts: tuple[str, ...] = ()

    @property
    def is_foreign(self) -> bool:
        """True when it says nothing to this device."""
        return not self.samples and not self.reason


class RowReader:
    """Makes samples of a device's rows."""

    def __init__(
        self, spec: DeviceSpec, form: RowForm, number_of: Callable[[object], Number | None]
    ) -> None:
        """Prepare.

        Args:
            spec: the device; each of its registers has a column.
            form: what its rows are.
            number_of: a cell's number; None when it is no number.
        """
        self._form, self._number_of = form, number_of
        self._zone = ZoneInfo(form.time_zone)
        self._width = len(form.columns)
        self._time_at = form.columns.index(form.time)
        self._name_at = form.columns.index(form.name) if form.name else None
        self._judges = [judge_of(bound.register) for bound in spec.points]
        self._points = spec.points
        self._of_name: dict[str, list[tuple[int, int]]] = {}
        for index, bound in enumerate(spec.points):
            name = form.name_form.format(n=bound.n) if form.name else ""
            column = form.columns.index(bound.register.column or "")
            self._of_name.setdefault(name, []).append((index, column))

    def row(self, cells: Sequence[object]) -> Row:
        """One row's samples; a row that cannot be used has none and a reason."""
        try:
            return self._row(cells)
        except RowError as error:
            return Row({}, str(error))

    def _row(self, cells: Sequence[object]) -> Row:
        if len(cells) != self._width:
            raise RowError(f"has {len(cells)} cells, not {self._width}")
        name = "" if self._name_at is None else _name(cells[self._name_at])
        wanted = self._of_name.get(name, ())
        if not wanted:
            return Row({})
        source_ns = instant_ns(cells[self._time_at], self._form.time_form, self._zone)
        samples, doubts = {}, []
        for index, column in wanted:
            cell = cells[column]
            if cell is None:
                continue  # an empty cell says nothing about its point
            samples[index] = sample = self._sample(index, cell, source_ns)
            if sample.quality is Quality.WRONG_ANSWER:
                kind = self._points[index].register.dtype.name.lower()
                doubts.append(f"{self._form.columns[column]} {shown(cell)} is no {kind} exactly")
        return Row(samples, "", tuple(doubts))

    def _sample(self, index: int, cell: object, source_ns: int) -> Sample:
        number = self._number_of(cell)
        if number is None:
            return Sample(None, Quality.WRONG_ANSWER, source_ns)
        raw = raw_of(number, self._points[index].register)
        if raw is None:
            lost = not isinstance(number, int) and not math.isfinite(number)
            quality = Quality.NOT_A_NUMBER if lost else Quality.WRONG_ANSWER
            return Sample(None, quality, source_ns)
        return Sample(raw, self._judges[index](raw), source_ns)


def shown(cell: object) -> str:
    """A cell as a sentence may show it: bounded, on one line."""
    text = repr(cell)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"


def _name(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)  # a spreadsheet knows no other numbers
    cell = whole(cell)
    if isinstance(cell, str | int) and not isinstance(cell, bool):
        return str(cell)
    raise RowError(f"is of no name: {shown(cell)}")


# -- numbers --------------------------------------------------------------------------------------


def plain_number(cell: object) -> Number | None:
    """The number a cell holds as such; None for text and all else. True is 1."""
    if isinstance(cell, Decimal) and is_long(cell):
        return None
    return cell if isinstance(cell, int | float | Decimal) else None


def is_long(number: Decimal) -> bool:
    """True when it has so many digits that no value has them, and reckoning with them takes long.

    A database's numbers have up to 150,000. NaN and infinity are none of these.
    """
    if not number.is_finite():
        return False
    try:
        _SHORT.plus(number)
    except Inexact:
        return True
    return abs(number.adjusted()) > _EXPONENT_MAX


def whole(cell: object) -> object:
    """A decimal number without places as int; all else as it is."""
    if not isinstance(cell, Decimal) or not cell.is_finite() or is_long(cell):
        return cell
    return int(cell) if cell == cell.to_integral_value() else cell


def text_number(decimal_sign: str) -> Callable[[object], Number | None]:
    """What reads numbers written with this decimal sign, without signs between thousands."""

    def number_of(cell: object) -> Number | None:
        if not isinstance(cell, str):
            return None
        text = cell.strip(" ")
        if decimal_sign != ".":
            if "." in text:
                return None
            text = text.replace(decimal_sign, ".")
        return Decimal(text) if _NUMBER.fullmatch(text) else None

    return number_of


def raw_of(number: Number, register: Register) -> bytes | None:
    """The number as raw bytes of the register's type; None when the type does not hold it.

    An integer type with `decimals` holds number × 10^decimals. A binary float stands for the
    shortest decimal number that gives it. A float type holds a float exactly or not at all, and
    of a decimal number the nearest.
    """
    dtype = register.dtype
    try:
        if dtype.is_float:
            raw = pack(float(number), dtype)
            is_other = isinstance(number, float) and unpack(raw, dtype) != number
            return None if is_other and not math.isnan(number) else raw
        if isinstance(number, float):
            number = Decimal(repr(number))
        if isinstance(number, Decimal) and (
            not number.is_finite() or abs(number.adjusted()) > _EXPONENT_MAX
        ):
            return None
        count = Fraction(number) * 10**register.decimals
        return pack(int(count), dtype) if count.denominator == 1 else None
    except (struct.error, OverflowError, InvalidOperation, ValueError):
        return None


# -- times ----------------------------------------------------------------------------------------


def instant_ns(cell: object, form: str, zone: dt.tzinfo) -> int:
    """The instant in a row's time column, UTC nanoseconds since 1970.

    Args:
        cell: text, a datetime, or a number.
        form: "text", or the unit of a number: s, ms, us, ns.
        zone: of times without an offset.

    Raises:
        RowError: none, before 1970, or one that a change of the clocks makes unclear.
    """
    at_ns = _written_ns(cell, zone) if form == "text" else _counted_ns(cell, _PER_S[form])
    if not 0 <= at_ns <= _NS_MAX:
        raise RowError(f"time {shown(cell)} is before 1970 or beyond 2262")
    return at_ns


def _counted_ns(cell: object, unit_ns: int) -> int:
    if isinstance(cell, str) and _NUMBER.fullmatch(cell.strip(" ")):
        cell = Decimal(cell.strip(" "))
    elif isinstance(cell, float):
        cell = Decimal(repr(cell))
    is_number = isinstance(cell, int | Decimal) and not isinstance(cell, bool)
    if not is_number or (isinstance(cell, Decimal) and (not cell.is_finite() or is_long(cell))):
        raise RowError(f"time {shown(cell)} is no number")
    number = Decimal(cell)  # type: ignore[arg-type] # an int or Decimal by now
    if abs(number.adjusted()) > 20:
        raise RowError(f"time {shown(cell)} is no instant")
    return math.floor(Fraction(number) * unit_ns)


def _written_ns(cell: object, zone: dt.tzinfo) -> int:
    if isinstance(cell, dt.datetime):
        return _utc_ns(cell, 0, zone, cell)
    parts = _TIME.fullmatch(cell.strip(" ")) if isinstance(cell, str) else None
    if parts is None:
        raise RowError(f"time {shown(cell)} is none such as 2026-06-15 08:00:00")
    year, _, month, day, hour, minute, second, fraction = parts.groups()[:8]
    try:
        local = dt.datetime(  # noqa: DTZ001 - its zone comes next
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0)
        )
        if offset := parts["zone"]:
            local = local.replace(tzinfo=dt.datetime.strptime(offset, "%z").tzinfo)
    except ValueError as error:
        raise RowError(f"time {shown(cell)}: {error}") from None
    return _utc_ns(local, int((fraction or "0").ljust(9, "0")), zone, cell)


def _utc_ns(at: dt.datetime, fraction_ns: int, zone: dt.tzinfo, cell: object) -> int:
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone)
        if at.utcoffset() != at.replace(fold=1 - at.fold).utcoffset():
            raise RowError(
                f"time {shown(cell)} is twice or never in {zone}, where clocks change: have the "
                "source give UTC"
            )
    return (at - _EPOCH) // dt.timedelta(microseconds=1) * 1000 + fraction_ns
