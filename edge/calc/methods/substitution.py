"""Values for hours a CEMS did not measure, each with the code of how it was made.

A substituted hour is never called measured: `Hour.code` is "measured" for measured hours only, and
every rule here takes its neighbours and look-back from measured hours only. Pure.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, parse_decimal, rounded_text
from edge.calc.errors import InputError
from edge.calc.factors import Row, rule_set
from edge.calc.parameter import default
from edge.calc.registry import Input, method
from edge.calc.root import root, root_text

MEASURED, MISSING = "measured", "missing"
HJ_2007, HJ_2017, MRR, PART_75 = "hj-t-75-2007", "hj-75-2017", "eu-mrr-2018", "us-part-75"
RULES = (HJ_2007, HJ_2017, MRR, PART_75)
_HJ_ROWS = "hj-75-76"
_LENGTH_MAX = 400_000

Readings = Sequence[Fraction | None]


@dataclass(frozen=True)
class Hour:
    """One hour's value.

    Attributes:
        value: of the quantity; None where no rule gives one.
        code: `MEASURED`, `MISSING`, or which rule made it (`hj75-mean`, `hj75-max-180`,
            `hj75-max-720`, `hj75-max-2160`, `mrr-45`, `modc-06`, `-08`, `-09`, `-10`, `-12`).
    """

    value: Fraction | None
    code: str

    @property
    def is_substituted(self) -> bool:
        """It has a value that was not measured."""
        return self.code not in (MEASURED, MISSING)


def neighbours_mean(readings: Readings) -> list[Hour]:
    """HJ/T 75-2007: a gap of at most 24 h is the mean of the hours before and after it."""
    longest = _whole(_HJ_ROWS, "mean.gap")

    def fill(start: int, end: int) -> tuple[Fraction | None, str]:
        mean = _around(readings, start, end)
        return (mean, "hj75-mean") if end - start <= longest else (None, MISSING)

    return _filled(readings, fill)


def look_back_maximum(readings: Readings, capture_percent: Fraction) -> list[Hour]:
    """HJ 75-2017 as a public program has it: the greatest of the last valid hours before the gap.

    180 of them for a gap of at most 24 h, 720 for a longer one, at a capture rate >= 90 %; 2160 at
    75 to 90 %; none below. The hours that there are, when there are fewer.
    """
    high, low = (_whole(_HJ_ROWS, f"capture.{name}") for name in ("high", "low"))
    short = _whole(_HJ_ROWS, "short.gap")

    def fill(start: int, end: int) -> tuple[Fraction | None, str]:
        if capture_percent < low:
            return None, MISSING
        which = "low" if capture_percent < high else "short" if end - start <= short else "long"
        back = _whole(_HJ_ROWS, f"{which}.look_back")
        return max(_before(readings, start, back), default=None), f"hj75-max-{back}"

    return _filled(readings, fill)


def mean_and_deviations(readings: Readings) -> list[Hour]:
    """(EU) 2018/2066 Art. 45(3): mean + 2 standard deviations of the period's measured hours.

    The best estimate of the standard deviation: divided by n - 1. Concentrations only.
    """
    known = [value for value in readings if value is not None]
    times = _whole(MRR, "substitute.deviations")
    value: Fraction | None = None
    if len(known) > 1:
        mean = sum(known, Fraction(0)) / len(known)
        spread = sum(((each - mean) ** 2 for each in known), Fraction(0)) / (len(known) - 1)
        value = mean + times * root(spread)
    return _filled(readings, lambda _start, _end: (value, "mrr-45"))


def part_75_co2(
    readings: Readings, availability_percent: Fraction, maximum_potential: Fraction
) -> list[Hour]:
    """40 CFR 75.35(d) by 75.33(b): CO2 concentration after the first 720 measured hours.

    availability >= 95 %: a gap of at most 24 h is the mean of the hours before and after (MODC 06),
    a longer one the greater of that and the 90th percentile of the last 720 measured hours (08);
    90 to 95 %: 8 h and the 95th percentile (09); 80 to 90 %: the greatest of the 720 (10); below
    80 %: the maximum potential concentration (12).
    """
    high, middle, low = (
        _whole(PART_75, f"availability.{name}") for name in ("high", "middle", "low")
    )
    back = _whole(PART_75, "look_back")

    def fill(start: int, end: int) -> tuple[Fraction | None, str]:
        last = _before(readings, start, back)
        if availability_percent < low:
            return maximum_potential, "modc-12"
        if not last:
            return None, MISSING
        if availability_percent < middle:
            return max(last), "modc-10"
        step, code = ("high", "08") if availability_percent >= high else ("middle", "09")
        mean = _around(readings, start, end)
        if end - start <= _whole(PART_75, f"gap.{step}"):
            return mean, "modc-06"
        rank = percentile(last, _whole(PART_75, f"percentile.{step}"))
        return (mean, "modc-06") if mean is not None and mean > rank else (rank, f"modc-{code}")

    return _filled(readings, fill)


def percentile(values: Sequence[Fraction], percent: int) -> Fraction:
    """The least of the values that at least `percent` of them do not exceed. percent: 1..100.

    Raises:
        ValueError: no values.
    """
    if not values:
        raise ValueError("no values have no percentile")
    return sorted(values)[-(-len(values) * percent // 100) - 1]


def availability(quality_assured_h: int, operating_h: int) -> Fraction:
    """Percent monitor data availability, 40 CFR 75.32 Eq. 8: to 0.1 %. Hours since certification.

    Raises:
        ValueError: more quality-assured hours than operating ones, or none.
    """
    if not 0 <= quality_assured_h <= operating_h or operating_h == 0:
        raise ValueError(f"{quality_assured_h} of {operating_h} h are no share")
    return Fraction(rounded_text(Fraction(100 * quality_assured_h, operating_h), 1))


def _filled(
    readings: Readings, fill: Callable[[int, int], tuple[Fraction | None, str]]
) -> list[Hour]:
    """Measured hours as they are; each gap by `fill(start, end)`, which may give no value."""
    hours = [Hour(value, MEASURED) for value in readings]
    for start, end in _gaps(readings):
        value, code = fill(start, end)
        made = Hour(value, code if value is not None else MISSING)
        hours[start:end] = [made] * (end - start)
    return hours


def _gaps(readings: Readings) -> Iterator[tuple[int, int]]:
    """(first missing hour, first measured one after it) of each gap."""
    start = None
    for i, value in enumerate((*readings, Fraction(0))):
        if value is None and start is None:
            start = i
        elif value is not None and start is not None:
            yield start, i
            start = None


def _around(readings: Readings, start: int, end: int) -> Fraction | None:
    """Mean of the hour before and the hour after a gap; None when one of them is not there."""
    before = readings[start - 1] if start else None
    after = readings[end] if end < len(readings) else None
    return (before + after) / 2 if before is not None and after is not None else None


def _before(readings: Readings, start: int, count: int) -> list[Fraction]:
    """The last `count` measured hours before a gap, or those there are."""
    return [value for value in readings[:start] if value is not None][-count:]


def _whole(rules: str, name: str) -> int:
    return int(rule_set(rules).row(name).value)


@method(
    "cems.substitute",
    version=1,
    source="HJ/T 75-2007; HJ 75-2017; (EU) 2018/2066 Art. 45(3) and Annex VIII Eq. 4; 40 CFR "
    "75.33(b), 75.35(d)",
    inputs={
        "rules": Input(is_text=True),
        "hours": Input(is_text=True, length_max=_LENGTH_MAX),
        "availability_percent": Input("%", low="0", high="100", optional=True),
        "maximum_potential": Input("as hours", low="0", optional=True),
    },
    outputs={"values": "as hours", "codes": "", "measured": "h", "substituted": "h",
             "missing": "h", "parameters": ""},
)  # fmt: skip
def substitute(
    *,
    rules: str,
    hours: str,
    availability_percent: Fraction | None = None,
    maximum_potential: Fraction | None = None,
) -> dict[str, Any]:
    """Values for the hours a CEMS did not measure.

    hj-t-75-2007: gap <= 24 h = (before + after) ÷ 2
    hj-75-2017: the greatest of the last 180 (gap <= 24 h) or 720 valid hours at a capture rate of
        >= 90 [%], of 2160 at 75 to 90
    eu-mrr-2018: C = mean + 2 × σ of the measured hours, σ with n - 1
    us-part-75: availability >= 95 [%]: gap <= 24 h = (before + after) ÷ 2, longer = max(that, 90th
        percentile of 720 h); 90 to 95: 8 h, 95th percentile; 80 to 90: greatest of 720 h; below:
        maximum_potential

    hours: values in time order with commas between, "-" for a missing hour; a concentration. Only
    measured hours count as before, after and look-back. availability_percent: the capture rate
    (hj-75-2017) or monitor data availability (us-part-75), which both need; maximum_potential is
    Part 75's. codes, one an hour: measured, missing (no rule gives a value), hj75-mean,
    hj75-max-N, mrr-45, modc-NN as in EPA's ECMPS.

    Flow and moisture are not to be filled by eu-mrr-2018: it asks for a mass or energy balance.
    Part 75 applies after the first 720 measured hours; before them it has other rules, which are
    not here. A gap at either end has no hour before or after it: no mean is made of one.

    Example: 10, 12, -, 14 by eu-mrr-2018: mean 12, σ 2, so 16, code mrr-45; by hj-t-75-2007 13,
    code hj75-mean (by hand; no published example was found).

    Not confirmed: the table of HJ 75-2017 was seen in one public program, which takes the hours of
    the last 25 that were out of control for the gap; the standard's text could be read nowhere. It
    fills emission masses only. A percentile is taken as the least value that so many do not exceed
    (40 CFR 72.2, recalled).
    """
    _check(rules, {"availability_percent": availability_percent,
                   "maximum_potential": maximum_potential})  # fmt: skip
    readings = _read(hours)
    percent, potential = availability_percent or Fraction(0), maximum_potential or Fraction(0)
    made = {
        HJ_2007: lambda: neighbours_mean(readings),
        HJ_2017: lambda: look_back_maximum(readings, percent),
        MRR: lambda: mean_and_deviations(readings),
        PART_75: lambda: part_75_co2(readings, percent, potential),
    }[rules]()
    codes = [hour.code for hour in made]
    return {
        "values": ",".join(_text(hour) for hour in made),
        "codes": ",".join(codes),
        "measured": str(codes.count(MEASURED)),
        "substituted": str(sum(hour.is_substituted for hour in made)),
        "missing": str(codes.count(MISSING)),
        "parameters": _parameters(rules),
    }


def _check(rules: str, given: Mapping[str, Fraction | None]) -> None:
    """Refuse unknown rules, and what the rules need and have not, or have and do not take."""
    if rules not in RULES:
        raise InputError([f"rules: {rules!r} unknown; known: {' '.join(RULES)}"])
    needs = {HJ_2017: ("availability_percent",), PART_75: tuple(given)}.get(rules, ())
    problems = [
        f"{key}: " + (f"missing, {rules} needs it" if key in needs else f"{rules} takes none")
        for key, value in given.items()
        if (value is None) == (key in needs)
    ]
    if problems:
        raise InputError(problems)


#: rows of the rule sets that each rule uses, by the beginnings of their names
_USED = {
    HJ_2007: (_HJ_ROWS, ("mean",)),
    HJ_2017: (_HJ_ROWS, ("capture", "short", "long", "low")),
    MRR: (MRR, ("substitute",)),
    PART_75: (PART_75, ("gap", "availability", "percentile", "look_back")),
}


def used_rows(rules: str) -> dict[str, Row]:
    """Rows that a rule takes its numbers from, by id."""
    name, parts = _USED[rules]
    rows = rule_set(name).rows.values()
    return {row.id: row for row in rows if row.id.partition(".")[0] in parts}


def _parameters(rules: str) -> dict[str, Any]:
    return {name: default(row).as_map() for name, row in used_rows(rules).items()}


def _text(hour: Hour) -> str:
    if hour.value is None:
        return "-"
    return root_text(hour.value) if hour.code == "mrr-45" else exact_text(hour.value)


def _read(text: str) -> list[Fraction | None]:
    found: list[Fraction | None] = []
    for i, part in enumerate(text.split(",")):
        try:
            found.append(None if part.strip() == "-" else parse_decimal(part.strip()))
        except ValueError as error:
            raise InputError([f"hours: hour {i + 1}: {error}"]) from error
    return found
