"""What is due by when, and who owes which document how often. Pure.

The plan of a year is due on 31 December of the year before; that of 2025 was due on 2025-06-30
(the ministry's notice of 2025-04-15, on the work of the national market in 2025).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from evidence.plan.certificates import Certificate, does
from evidence.plan.checks import is_due
from evidence.plan.departures import days_of
from evidence.plan.plan import METER, PERIODS, VERIFICATION, Plan

_FIRST_YEAR, _FIRST_DUE = 2025, date(2025, 6, 30)
AHEAD_DAYS = 60
#: internal checks of earlier months, where there were none
NONE_EARLIER: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True)
class Due:
    """One thing that falls due.

    Attributes:
        what: "plan", "verification", "calibration", "own-check" or "internal-check".
        about: the plan's year, or id of the meter or check.
        day: by when; before today where it is late.
        responsible: account id of who owes it, "" where the plan names none.
        is_legal: the day is the law's or the ministry's; otherwise suggested, or the plant's own.
    """

    what: str
    about: str
    day: date
    responsible: str = ""
    is_legal: bool = False


@dataclass(frozen=True)
class Expected:
    """What somebody owes in a month by the plan.

    Attributes:
        parameter: id of the plan's parameter or internal check.
        kind: of the document (RECORDS.md), or "readings" of what meters give by themselves.
        about: what the document is about; the point, of readings; the meter, of a certificate.
        frequency: as the plan has it.
        responsible: account id.
        by: last day, of what falls due within the month; None for what is owed by its frequency.
    """

    parameter: str
    kind: str
    about: str
    frequency: str
    responsible: str
    by: date | None = None


def due(year: int) -> date:
    """Day by which the plan of a year is due; 2025 was the first."""
    return _FIRST_DUE if year == _FIRST_YEAR else date(year - 1, 12, 31)


def falls_due(
    plan: Plan | None, certificates: Sequence[Certificate], today: date, has_next: bool = False
) -> list[Due]:
    """What is late or falls due within `AHEAD_DAYS` from today, by day.

    Args:
        plan: of this year; None: it is owed itself.
        certificates: that stand.
        today: in the plant's time zone.
        has_next: next year's plan is there.
    """
    until, found = today + timedelta(days=AHEAD_DAYS), list[Due]()
    if plan is None:
        found.append(Due("plan", str(today.year), due(today.year), is_legal=True))
    if not has_next:
        found.append(Due("plan", str(today.year + 1), due(today.year + 1), is_legal=True))
    if plan is not None:
        found += _meters(plan, certificates, today)
        found += _checks(plan, today, until)
    return sorted((one for one in found if one.day <= until), key=lambda one: (one.day, one.about))


def _meters(plan: Plan, certificates: Sequence[Certificate], today: date) -> Iterator[Due]:
    """Each meter's next check: by the last one of the planned kind; today where there is none."""
    for meter in plan.meters:
        good = [one for one in certificates if one.meter == meter.id and does(one, meter.check)]
        newest = max(good, key=lambda one: one.day, default=None)
        day = today if newest is None else newest.due
        owes = next((p.responsible for p in plan.parameters if meter.id in p.meters), "")
        yield Due(meter.check, meter.id, day, owes, is_legal=meter.check == VERIFICATION)


def _checks(plan: Plan, today: date, until: date) -> Iterator[Due]:
    """Internal checks are due at the end of their periods, whether one was made before or not."""
    day = today
    while day <= until:
        _, last = days_of(day.isoformat()[:7])
        for check in plan.checks:
            months = PERIODS.get(check.frequency)
            if months is not None and last.month % months == 0:
                yield Due("internal-check", check.id, last, check.responsible)
        day = last + timedelta(days=1)


def expected(
    plan: Plan, month: str, certificates: Sequence[Certificate] = (),
    earlier: Mapping[str, int] = NONE_EARLIER,
) -> list[Expected]:  # fmt: skip
    """Who owes what in a month, and how often: the month's checklist by the plan.

    Args:
        plan: of the month's year.
        month: "YYYY-MM".
        certificates: that stand: a meter whose next check falls into the month owes one.
        earlier: internal checks of the months before, as `evidence.plan.checks.is_due` takes them.

    Returns:
        A row for each point of a metered parameter (kind "readings"), for each kind of document of
        the others, for each certificate that falls due in the month or is late, for each internal
        check. A parameter of a default owes nothing. What is owed quarterly or yearly stands in
        the last month of its period.
    """
    first, last = days_of(month)
    found = list[Expected]()
    for one in plan.parameters:
        if last.month % PERIODS.get(one.frequency, 1):
            continue
        kinds = [("readings", p) for p in one.points if one.source == METER]
        kinds += [(kind, one.about) for kind in one.documents]
        found += [Expected(one.id, k, about, one.frequency, one.responsible) for k, about in kinds]
    for row in _meters(plan, certificates, first):
        if row.day <= last:
            found.append(
                Expected(row.about, "meter-certificate", row.about, "", row.responsible, row.day)
            )
    for check in plan.checks:
        if is_due(check, last.month, earlier):
            found.append(
                Expected(check.id, "internal-check", check.id, check.frequency, check.responsible)
            )
    return found
