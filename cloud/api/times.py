"""The one way that pages write an instant: 2026-11-28 14:05:07, by a plant's clock. Pure.

The zone is named once on a page (`offset`, or its name beside the table), not behind each time; a
page in the browser writes the same way (static/js/times.js).
"""

from datetime import UTC, datetime, tzinfo

SECOND_NS = 10**9
MOMENT, CLOCK, DAY = "%Y-%m-%d %H:%M:%S", "%H:%M:%S", "%Y-%m-%d"


def written(at_ns: int, zone: tzinfo, form: str = MOMENT) -> str:
    """An instant (UTC nanoseconds) by the clock of a zone, in one of the forms above."""
    return datetime.fromtimestamp(at_ns // SECOND_NS, UTC).astimezone(zone).strftime(form)


def to_ms(at_ns: int, zone: tzinfo) -> str:
    """Likewise with milliseconds, cut off."""
    return f"{written(at_ns, zone)}.{at_ns % SECOND_NS // 10**6:03}"


def offset(at_ns: int, zone: tzinfo) -> str:
    """How far a zone's clock is from UTC at an instant: "(UTC+8)", "(UTC+5:30)"."""
    text = written(at_ns, zone, "%z")
    minutes = "" if text[3:5] == "00" else f":{text[3:5]}"
    return f"(UTC{text[0]}{int(text[1:3])}{minutes})"
