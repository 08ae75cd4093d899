"""Which months a document is of. Pure."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cloud.records.listing import period_of
from cloud.review.items import Row
from evidence.documents.plainly import body_of
from evidence.documents.review import OF_MONTHS

#: of a document with a long period
MONTHS_MAX = 24
_SECOND_NS = 10**9


def months_of(document: Row, zone: ZoneInfo) -> list[str]:
    """Months "YYYY-MM" that a document is of: as `cloud.records.listing.Filter` finds it.

    Args:
        document: its row.
        zone: of the plant.
    """
    if document["kind"] in OF_MONTHS:
        return [document["about"]]
    told = period_of(body_of(document["kind"], document["body"])) or (document["received_ns"],)
    first, last = _month(told[0], zone), _month(told[-1] - (len(told) == 2), zone)
    months = [first]
    while months[-1] < last and len(months) < MONTHS_MAX:
        year, number = divmod(int(months[-1][:4]) * 12 + int(months[-1][5:]), 12)
        months.append(f"{year:04}-{number + 1:02}")
    return months


def _month(at_ns: int, zone: ZoneInfo) -> str:
    at = datetime.fromtimestamp(min(at_ns // _SECOND_NS, 253_402_214_400), UTC).astimezone(zone)
    return f"{at:%Y-%m}"
