"""What certificates say of a plan's meters, and what an error found too late means. Pure.

检定 (verification) is pass or fail with a legal period; 校准 (calibration) states errors and gives
no verdict: the plant confirms fitness, and its next date is only suggested. They are kept apart.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from evidence.counts import round_half_away
from evidence.documents.document import Document
from evidence.plan.plan import CALIBRATION, OWN_CHECK, VERIFICATION, Meter

CERTIFICATE = "meter-certificate"
#: what is planned -> what will do
_WILL_DO: Mapping[str, tuple[str, ...]] = {
    VERIFICATION: (VERIFICATION,),
    CALIBRATION: (VERIFICATION, CALIBRATION),
    OWN_CHECK: (VERIFICATION, CALIBRATION, OWN_CHECK),
}
TONNES_PLACES = 2


@dataclass(frozen=True)
class Certificate:
    """One certificate of one meter, as a person signed it.

    Attributes:
        meter: id of the plan's meter.
        scope: "verification", "calibration" or "own-check".
        issuer, number: as printed.
        day, due: of the check, and of the next: legal of a verification, else suggested.
        fit: the person who signed it confirms that the meter is fit for its use.
        confirmed_by: that person's account id.
        as_found, as_left: error of the reading, %: (reading - true) / true x 100; None where the
            certificate does not say.
        limit: what the certificate itself allows, %; None likewise.
    """

    meter: str
    scope: str
    issuer: str
    number: str
    day: date
    due: date
    fit: bool
    confirmed_by: str
    as_found: Fraction | None = None
    as_left: Fraction | None = None
    limit: Fraction | None = None


@dataclass(frozen=True)
class Doubt:
    """A month that an error found later puts in doubt. No figure is changed by it.

    Attributes:
        meter: id.
        month: "YYYY-MM".
        as_found: the error, %, of the check that found it.
        found_on: day of that check.
        last_good: day of the last good check before it, None when there is none.
        emission_t: what of the month's emission was counted by this meter, signed as in the
            total; None where the month's statement is not there or does not tell.
        effect_t: by how much the emission would be other, t: emission x (1/(1 + e/100) - 1);
            above zero: too little was reported. None with `emission_t`, and where e <= -100.
    """

    meter: str
    month: str
    as_found: Fraction
    found_on: date
    last_good: date | None
    emission_t: Fraction | None
    effect_t: Fraction | None


def certificate_of(document: Document) -> Certificate | None:
    """The certificate that a document is, None for one of another kind."""
    if document.kind != CERTIFICATE:
        return None
    body = document.body
    given = (
        Fraction(body[key]) if key in body else None
        for key in ("as_found_percent", "as_left_percent", "limit_percent")
    )
    return Certificate(
        document.about, body["scope"], body["issuer"], body["number"],
        date.fromisoformat(body["day"]), date.fromisoformat(body["due"]), body["fit"],
        document.person, *given,
    )  # fmt: skip


def does(certificate: Certificate, planned: str) -> bool:
    """Its kind is what was planned, or more than that."""
    return certificate.scope in _WILL_DO[planned]


def first_uncovered(certificates: Iterable[Certificate], first: date, last: date) -> date | None:
    """The first day of first..last of which no certificate says that it is valid; None for none."""
    day = first
    for one in sorted(certificates, key=lambda c: c.day):
        if one.day <= day <= one.due:
            if one.due >= last:
                return None
            day = one.due + timedelta(days=1)
    return day


def limit_of(meter: Meter, certificate: Certificate) -> Fraction | None:
    """What an error may be, %: as planned, else as the certificate allows; None: not known."""
    return Fraction(meter.limit_percent) if meter.limit_percent else certificate.limit


def doubtful_months(
    certificates: Sequence[Certificate], meter: Meter, emissions: Mapping[str, Fraction | None]
) -> list[Doubt]:
    """Every month since the last good check before one that found an error beyond the limit.

    A check is good when the meter was fit after it, and its error as left (as found where nothing
    was adjusted) is within the limit. Doubt begins in the month of that check, a part of which
    came after it, and ends in the month in which the error was found. Without a good check before,
    all months before are in doubt.

    Args:
        certificates: of any meters; the plan's limit goes before theirs.
        meter: whose.
        emissions: each month that is asked about -> what of its emission was counted by this
            meter, t, signed as in the total; None where that is not known.

    Returns:
        Rows by month and day of the check; a month of two such errors stands twice.
    """
    own = sorted((c for c in certificates if c.meter == meter.id), key=lambda c: c.day)
    found: list[Doubt] = []
    for i, one in enumerate(own):
        limit = limit_of(meter, one)
        if one.as_found is None or limit is None or abs(one.as_found) <= limit:
            continue
        good = [before.day for before in own[:i] if _is_good(before, meter)]
        last_good = good[-1] if good else None
        first = "" if last_good is None else last_good.isoformat()[:7]
        found += [
            _doubt(one, one.as_found, last_good, month, emission)
            for month, emission in emissions.items()
            if first <= month <= one.day.isoformat()[:7]
        ]
    return sorted(found, key=lambda doubt: (doubt.month, doubt.found_on))


def _is_good(one: Certificate, meter: Meter) -> bool:
    left, limit = one.as_found if one.as_left is None else one.as_left, limit_of(meter, one)
    return one.fit and (left is None or limit is None or abs(left) <= limit)


def _doubt(
    one: Certificate, error: Fraction, last_good: date | None, month: str, emission: Fraction | None
) -> Doubt:
    effect = None
    if emission is not None and error > -100:
        exact = -emission * error / (100 + error)
        step = 10**TONNES_PLACES
        effect = Fraction(round_half_away(exact * step), step)
    return Doubt(one.meter, month, error, one.day, last_good, emission, effect)
