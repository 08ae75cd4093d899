"""Facts of whole months as the reader leaves them, without the readings: for pages."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from cloud.closing.log import Span, close_detail
from cloud.month.checklist import days_of
from cloud.month.expected import Expected
from cloud.month.facts import Archive, Facts, Position, Segment, StreamDay
from cloud.month.tally import Counts, DayTally, Layout
from cloud.records.papers import Papers
from evidence.log import Entry, Kind, encode_entry
from evidence.month_state import issue_of, state_of

SECOND = 10**9
ZONE, GATEWAY = "Asia/Shanghai", "edge-1"
NOW_NS = (
    int(datetime(2026, 11, 27, 15, 40, tzinfo=timezone(timedelta(hours=8))).timestamp()) * SECOND
)
PLAN = [
    Expected("Coal burnt", "invoice", "anthracite", "month", "purchasing"),
    Expected("Moisture of coal", "sample-result", "anthracite", "day", "laboratory"),
    Expected("Carbon of coal", "sample-result", "anthracite-month", "month", "laboratory"),
]  # fmt: skip


def layout(devices: int, points: int) -> Layout:
    """Meters read once a second, so many points in all."""
    names = tuple(f"meter-{n:02}" for n in range(devices))
    each = [points // devices + (n < points % devices) for n in range(devices)]
    return Layout(ZONE, names, tuple(((SECOND, count),) for count in each), ())


def fill(
    facts: Facts,
    plant: str,
    months: Sequence[str],
    *,
    devices: int,
    points: int,
    dead: str = "",
) -> None:
    """Months of which all came but for an outage on the 9th and bad readings on the 17th.

    In the month `dead` no reading of meter-03 has a value.
    """
    of = layout(devices, points)
    first_ns = next(iter(days_of(months[0], ZONE).values()))[0]
    seq = 0
    for month in months:
        found = []
        for day, (at_ns, end_ns) in days_of(month, ZONE).items():
            end_ns = min(end_ns, NOW_NS)
            if at_ns >= end_ns:
                break
            seq += (end_ns - at_ns) // (10 * SECOND)
            found.append(StreamDay(day, GATEWAY, _day(of, day, at_ns, end_ns, seq), end_ns))
            if month == dead:
                counts = found[-1].tally.devices
                counts["meter-03"] = Counts(
                    counts["meter-03"].readings, 0, counts["meter-03"].readings
                )
        position = Position(seq + 1, bytes(32), min(end_ns, NOW_NS))
        facts.add(plant, GATEWAY, position, [Segment(first_ns, bytes(32), of)], found)


def _day(of: Layout, day: str, at_ns: int, end_ns: int, seq: int) -> DayTally:
    outage = 3 * 3600 * SECOND if day.endswith("-09") else 0
    tally = DayTally(gaps=bool(outage), gap_ns=outage, last_seq=seq)
    for device, count in of.due(at_ns, end_ns - outage).items():
        bad = count // 50 if day.endswith("-17") else 0
        tally.devices[device] = Counts(count, bad // 2, bad)
    return tally


def close(facts: Facts, plant: str, month: str, index: int, replaces: bytes | None = None) -> bytes:
    """A month is closed for good, and its archive stands there; the statement's hash."""
    statement = hashlib.sha256(f"{plant} {month} {index}".encode()).digest()
    end_ns = list(days_of(month, ZONE).values())[-1][1]
    detail = close_detail(month, "final", {GATEWAY: Span(0, 10**9, bytes(32))}, replaces)
    received_ns = end_ns + (5 + index) * 3600 * SECOND
    entry = Entry(Kind.MONTH_CLOSE, received_ns, 1, "", None, statement, 900, detail=detail)
    facts.add_closes(plant, index + 1, [(index, encode_entry(entry))])
    name, held = f"{plant}-{month}.tar", facts.archives(plant)
    aside = [_aside(one, replaces) if one.name == name else one for one in held]
    new = Archive(name, month, False, 1_934_551_040, 0, statement.hex(), statement)
    facts.put_archives(plant, [*aside, new])
    return statement


def _aside(one: Archive, replaces: bytes | None) -> Archive:
    name = one.name.replace(".tar", f".replaced-{(replaces or b'').hex()[:12]}.tar")
    return Archive(name, one.month, True, one.size, 0, one.sha256, one.statement)


def found(*flags: str, code: str = "", at_ns: int = 0) -> dict[str, Any]:
    """Verdict on an identified and recomputed archive, as `ArchiveChecks.of` keeps it."""
    verdict = "failed" if code else "passed"
    issues = [issue_of(flag) for flag in flags]
    state = state_of(issues, verdict=verdict, identified=True, recomputed=True, closing="final")
    return {"verdict": verdict, "code": code, "substituted_percent": "1.50", "version": "0",
            "at_ns": at_ns, "state": json.dumps(state.as_map()), "not_checked": "[]"}  # fmt: skip


class NoCollector:
    """Plants without evidence; the facts are all there is."""

    def __init__(self, plants: Sequence[str]) -> None:
        self._plants = plants

    def plants(self) -> Sequence[str]:
        return self._plants

    def evidence(self, plant: str) -> Any:
        raise LookupError(plant)

    def papers(self, plant: str) -> Papers:
        return Papers(plant, [])

    def missing(self, plant: str) -> Mapping[str, int]:
        return {}

    def flags(self, plant: str, month: str) -> Sequence[str]:
        return ()

    async def turn(self) -> None:
        """Now."""

    async def decide(self, plant: str, month: str, body: Any, signed_s: int) -> None:
        raise LookupError(plant)

    async def alarm(self, plant: str, reason: str, sentence: str) -> None:
        """Nobody is there."""


class Planned:
    """The same rows each month."""

    def expected(self, plant: str, month: str) -> Sequence[Expected] | None:
        return PLAN if month >= "2026-10" else []


def back(count: int) -> Iterator[str]:
    """The months of NOW_NS and before, oldest first."""
    for ago in range(count - 1, -1, -1):
        number = 2026 * 12 + 10 - ago
        yield f"{number // 12:04}-{number % 12 + 1:02}"
