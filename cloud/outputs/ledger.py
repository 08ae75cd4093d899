"""Ledgers of a month: a sheet of the days and one of each day's hours, for a stamp. Pure.

One ledger is one parameter in one month. Each sheet bears a QR code that says of which ledger it
is, which sheet of how many, and the ledger's hash: over what all its sheets say, so that a stamped
scan can be held against the archive for ever. What a meter counted is shown as it was read.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cloud.api.times import DAY, written
from cloud.outputs.blocks import NEW_PAGE, Block, Paper, code, heading, table, text
from cloud.outputs.hourly import HOUR_NS, HourFold, Meter
from cloud.outputs.plots import qr
from cloud.outputs.sealed import SealedMonth
from cloud.outputs.words import both
from edge.calc.local_time import clock_of
from evidence.findings import utc

_CODE = re.compile(
    r"stackproof:ledger:1:([a-z0-9-]{1,40}):([a-z0-9][a-z0-9._-]{0,63}):(20[0-9]{2}-[01][0-9]):"
    r"([1-9][0-9]{0,2})/([1-9][0-9]{0,2}):([0-9a-f]{64})",
    re.ASCII,
)

#: time, reading, what was counted since the row before
Line = tuple[str, str, str]


@dataclass(frozen=True)
class Sheet:
    """One page.

    Attributes:
        period: "2026-10" or "2026-10-05", the plant's calendar.
        lines: in order of time.
        total: what was counted in the period, "" where readings do not say.
    """

    period: str
    lines: tuple[Line, ...]
    total: str


@dataclass(frozen=True)
class Ledger:
    """A parameter's month.

    Attributes:
        plant, point, unit, month: what it is of.
        from_ns, to_ns: the statement's period.
        sheets: the month's, then a day's each.
    """

    plant: str
    point: str
    unit: str
    month: str
    from_ns: int
    to_ns: int
    sheets: tuple[Sheet, ...]

    @property
    def sha256(self) -> str:
        """Hex, over what its sheets say."""
        said = [self.plant, self.point, self.unit, self.month,
                [[s.period, s.lines, s.total] for s in self.sheets]]  # fmt: skip
        return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()

    @property
    def about(self) -> str:
        """What its document is about: at most 80 characters."""
        return f"ledger-{self.point[:60]}-{self.month}"

    @property
    def body(self) -> str:
        """What a person signs of it, as TOML for `stackproof record sign`."""
        return (
            f'sheet_sha256 = "{self.sha256}"\npages = {len(self.sheets)}\n'
            f'from_ns = "{utc(self.from_ns)}"\nto_ns = "{utc(self.to_ns)}"\n'
        )

    def code(self, page: int) -> str:
        """What the QR code of a sheet says."""
        return (
            f"stackproof:ledger:1:{self.plant}:{self.point}:{self.month}:"
            f"{page}/{len(self.sheets)}:{self.sha256}"
        )


@dataclass(frozen=True)
class Seen:
    """A sheet that was recognised on a scan.

    Attributes:
        plant, point, month: of its ledger.
        page, pages: which of how many.
        sha256: the ledger's, hex.
    """

    plant: str
    point: str
    month: str
    page: int
    pages: int
    sha256: str


def parse_code(words: str) -> Seen | None:
    """What a ledger's QR code says; None for any other code."""
    match = _CODE.fullmatch(words)
    if match is None:
        return None
    return Seen(match[1], match[2], match[3], int(match[4]), int(match[5]), match[6])


def ledgers_of(month: SealedMonth, hours: HourFold, from_ns: int, to_ns: int) -> list[Ledger]:
    """A ledger for each totaliser that the statement's figures came from."""
    zone = str(month.plant["time_zone"])
    return [
        Ledger(
            plant=str(month.plant["id"]), point=meter.point, unit=meter.unit, month=month.month,
            from_ns=from_ns, to_ns=to_ns, sheets=tuple(_sheets(meter, hours, month.month, zone)),
        )
        for meter in hours.meters.values()
    ]  # fmt: skip


def _sheets(meter: Meter, hours: HourFold, month: str, zone: str) -> list[Sheet]:
    days, clock = hours.calendar, clock_of(zone)
    bounds = [day.start_ns for day in days] + [days[-1].end_ns]
    names = [written(day.start_ns, clock, DAY) for day in days]
    sheets = [_sheet(meter, month, bounds, names)]
    for day, name in zip(days, names, strict=True):
        at = list(range(day.start_ns, day.end_ns, HOUR_NS))
        labels = [written(hour, clock, "%H:%M") for hour in at]
        if meter.is_read(day.start_ns, day.end_ns):
            sheets.append(_sheet(meter, name, [*at, day.end_ns], labels))
    return sheets


def _sheet(meter: Meter, period: str, bounds: Sequence[int], names: Sequence[str]) -> Sheet:
    lines = []
    for n, name in enumerate(names):
        begin, end = bounds[n], bounds[n + 1]
        reading = meter.reading(end) if meter.is_read(begin, end) else None
        lines.append((name, meter.text(reading), meter.text(meter.counted(begin, end))))
    return Sheet(period, tuple(lines), meter.text(meter.counted(bounds[0], bounds[-1])))


def ledger_paper(ledger: Ledger, month: SealedMonth) -> Paper:
    """A ledger to be printed and stamped, both languages on one sheet."""
    paper = Paper(
        title=both("ledger.title"),
        language="zh",
        running=f"{month.plant['name']} · {ledger.point} · {ledger.month}",
        footer=f"{both('ledger.hash')} {ledger.sha256}",
        bands=[both("band.simulated")] if month.simulated else [],
    )
    for page, sheet in enumerate(ledger.sheets, 1):
        paper.blocks.extend([NEW_PAGE] * (page > 1))
        paper.blocks.extend(_page(ledger, sheet, page))
    return paper


def _page(ledger: Ledger, sheet: Sheet, page: int) -> list[Block]:
    head = [both(f"ledger.{key}") for key in ("time", "reading", "counted")]
    rows = [list(line) for line in sheet.lines]
    rows.append([both("ledger.total"), "", sheet.total])
    told = [
        (both("ledger.parameter"), f"{ledger.point} ({ledger.unit})"),
        (both("ledger.period"), sheet.period),
        (both("ledger.page"), f"{page} / {len(ledger.sheets)}"),
        (both("report.period"), f"{utc(ledger.from_ns)} – {utc(ledger.to_ns)}"),
    ]
    return [
        heading(f"{ledger.point} · {sheet.period}", 1),
        code(qr(ledger.code(page)), told),
        table(head, rows, widths=[2, 3, 3], align="lrr", size=8),
        text(both("ledger.sign"), "small"),
    ]


def check_scan(
    codes: Sequence[Sequence[str]], ledgers: Sequence[Ledger]
) -> tuple[Ledger | None, list[str]]:
    """Which ledger a scan is of, and what is wrong with it.

    Args:
        codes: what the QR codes of each page of the scan say.
        ledgers: those of the archive it is held against.

    Returns:
        The ledger, None where the scan is of none; a sentence for each thing wrong.
    """
    seen = [one for page in codes for words in page if (one := parse_code(words)) is not None]
    if not seen:
        return None, ["no sheet of a ledger is recognised: scan it again, flat and at 200 dpi"]
    problems = [
        f"page {n} of the scan has no code that can be read"
        for n, page in enumerate(codes, 1)
        if not any(map(parse_code, page))
    ]
    named = {(one.plant, one.point, one.month, one.sha256) for one in seen}
    if len(named) > 1:
        return None, [*problems, "sheets of different ledgers are scanned together"]
    plant, point, month, sha256 = named.pop()
    mine = next((one for one in ledgers if (one.plant, one.point) == (plant, point)), None)
    if mine is None or (mine.month, mine.sha256) != (month, sha256):
        problems.append(
            f"it is a ledger of {plant} {point} {month} with other contents than this archive has"
        )
        return None, problems
    there = {one.page for one in seen}
    if missing := sorted(set(range(1, len(mine.sheets) + 1)) - there):
        problems.append(f"sheets {', '.join(map(str, missing))} of {len(mine.sheets)} are missing")
    return mine, problems
