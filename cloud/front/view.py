"""What the front's pages show, in a language: a row a plant, a gateway, a collector. Pure.

A value of now is shown as of now alone: where its collector is not heard, the row says that.
What stays true (numbers of a stream, a sealed month) is shown with the instant it was heard.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from cloud.api import month_texts as texts
from cloud.api.amounts import amount
from cloud.api.month_view import MonthCell
from cloud.api.rendering import STRINGS
from cloud.front.heard import Amiss, Heard, Part, Why, rows, twice
from cloud.front.rates import graded
from cloud.front.shapes import Rate, Standing, Stream, Summary
from cloud.month.newest import NEWEST, needs_somebody

#: the front has plants of one country, and shows the front's own instants by its clock
ZONE = "Asia/Shanghai"
DQ, ALERT = "dq-text", "alert-text"
#: an input of the month's figure that is trusted for less of the time is pointed at
TRUSTED_MIN = 0.95


@dataclass(frozen=True)
class Cell:
    """A text, and how it looks."""

    text: str
    look: str = ""


@dataclass(frozen=True)
class PlantRow:
    """A plant at a collector."""

    id: str
    name: str
    is_simulated: bool
    collector: str
    link: str
    cells: Sequence[tuple[str, Cell]]
    unseen: int = 0

    @property
    def words(self) -> Sequence[str]:
        """Texts in which words are looked for."""
        return (self.id, self.name, self.collector)

    @property
    def is_needing(self) -> bool:
        """Its log does not go on, a gateway is dark, or an alarm is not acknowledged."""
        look = {name: cell.look for name, cell in self.cells}
        return bool(look["state"] or look["gateways"] or self.unseen)


@dataclass(frozen=True)
class GatewayRow:
    """A gateway's stream at a collector."""

    stream: Stream
    collector: str
    link: str
    state: Cell

    @property
    def words(self) -> Sequence[str]:
        """Texts in which words are looked for."""
        return (self.stream.plant, self.stream.gateway, self.collector)

    @property
    def is_needing(self) -> bool:
        """It is not in order, or not known to be."""
        return bool(self.state.look)


@dataclass(frozen=True)
class CollectorRow:
    """A collector: whether it is heard, what it said then, and what is not known of it."""

    name: str
    pages: str
    state: Cell
    said: str
    plants: str
    lacking: Sequence[str]


@dataclass(frozen=True)
class PlantMonths:
    """A plant's months at a collector.

    Attributes:
        raw: month -> its row as it came.
        reviews: month -> level -> what was decided.
    """

    plant: str
    collector: str
    base: str
    note: str
    language: str
    raw: Mapping[str, Mapping[str, Any]]
    reviews: Mapping[str, Mapping[str, str]]

    def cell(self, month: str) -> MonthCell | None:
        """What a table shows of a month."""
        row = self.raw.get(month)
        return None if row is None else MonthCell(row, self.language)

    @property
    def words(self) -> Sequence[str]:
        """Texts in which words are looked for."""
        return (self.plant, self.collector)

    @property
    def is_needing(self) -> bool:
        """A month is due, failed its check, or was returned."""
        is_returned = any("return" in one.values() for one in self.reviews.values())
        return is_returned or any(map(needs_somebody, self.raw.values()))

    def older(self, shown: Sequence[str]) -> list[str]:
        """Months that the table has no column for, and that need somebody, the newest first."""
        asked = (month for month, one in self.reviews.items() if "return" in one.values())
        due = (month for month, row in self.raw.items() if needs_somebody(row))
        return sorted({*asked, *due} - {*shown}, reverse=True)


def when(language: str, ns: int) -> str:
    """An instant of the front's own clock."""
    return texts.told(language, "front.at", at=texts.at(ns, ZONE))


def why(language: str, amiss: Amiss) -> str:
    """Why something is not known, since when."""
    since = when(language, amiss.since_ns)
    rights = amiss.detail.split(", ") if amiss.why in (Why.LACKS, Why.MORE) else []
    right = texts.told(language, "front.and").join(_right(language, one) for one in rights)
    return texts.told(language, f"front.why.{amiss.why}", right=right, since=since)


def _right(language: str, name: str) -> str:
    """What a right is for, with its name as `stackproof cloud` takes it."""
    return f"{STRINGS[language].get(f'account.scope.{name}', name)} ({name})"


def _fault(language: str, amiss: Amiss) -> str:
    """What it failed by, in words; "" where why it did says all."""
    if amiss.why is Why.STRANGE:
        return f"/api/v1/{amiss.detail}"
    name, _, number = amiss.fault.partition(" ")
    return texts.told(language, f"front.fault.{name}", n=number) if name else ""


def collector_rows(all_heard: Sequence[Heard], language: str) -> list[CollectorRow]:
    """Every collector, in FRONT.toml's order."""
    found = []
    for heard in all_heard:
        amiss = heard.amiss
        lacking = {} if amiss else {p.amiss: None for p in heard.parts.values() if p.amiss}
        known = heard.plants or any(p.heard_ns for p in heard.parts.values())
        answers = texts.told(language, "front.answers")
        state = Cell(why(language, amiss), DQ) if amiss else Cell(answers)
        plants = f"{len(heard.plants):,}" if known else "–"
        not_shown = [why(language, one) for one in lacking]
        said = _fault(language, amiss) if amiss else ""
        found.append(CollectorRow(heard.name, heard.pages, state, said, plants, not_shown))
    return found


# -- plants ---------------------------------------------------------------------------------------


def plant_rows(all_heard: Sequence[Heard], now_ns: int, language: str) -> list[PlantRow]:
    """Every plant at every collector, by the plant's id.

    Args:
        all_heard: every collector.
        now_ns: by the front's clock: values have grown older since they were heard.
        language: "en" or "zh".
    """
    double, found = twice(all_heard), list[PlantRow]()
    for heard in all_heard:
        overview, alarms = heard.parts["overview"], heard.parts["alarms"]
        summaries = {one.plant.id: one for one in (overview.seen.plants if overview.seen else ())}
        standing: dict[str, list[Standing]] = {}
        for alarm in alarms.seen.standing if alarms.seen else ():
            if alarm.shelf is None:
                standing.setdefault(alarm.plant, []).append(alarm)
        for plant in heard.plants:
            summary = summaries.get(plant)
            cells = {
                "state": _state(heard, plant, double.get(plant, ()), language),
                **_now(overview, summary, now_ns, language),
                "alarms": _alarms(alarms, standing.get(plant, ()), language),
            }
            unseen = sum(one.acknowledged_ns is None for one in standing.get(plant, ()))
            row = _plant_row(heard, plant, summary, cells, language)
            found.append(replace(row, unseen=unseen))
    return sorted(found, key=lambda row: (row.id, row.collector))


def _plant_row(
    heard: Heard, plant: str, summary: Summary | None, cells: Mapping[str, Cell], language: str
) -> PlantRow:
    name, is_simulated = (summary.plant.name, summary.plant.simulated) if summary else ("", False)
    link = f"{heard.pages}/{language}/plants/{plant}"
    return PlantRow(plant, name or plant, is_simulated, heard.name, link, list(cells.items()))


def _state(heard: Heard, plant: str, at: Sequence[str], language: str) -> Cell:
    health = heard.parts["health"]
    if heard.amiss:
        return Cell(why(language, heard.amiss), DQ)
    if at:
        others = ", ".join(name for name in at if name != heard.name)
        return Cell(texts.told(language, "front.twice", others=others), ALERT)
    if health.amiss:
        return Cell(why(language, health.amiss), DQ)
    reasons = health.seen.amiss.get(plant, ())
    if not reasons:
        return Cell(texts.told(language, "front.order"))
    said = texts.told(language, "front.and").join(_trouble(language, one) for one in reasons)
    return Cell(texts.told(language, "front.amiss", said=said), ALERT)


def _trouble(language: str, reason: str) -> str:
    """What keeps a plant from going on; one that this version does not know by its own name."""
    return STRINGS[language].get(f"alarm.{reason}", reason)


def _now(part: Part, summary: Summary | None, now_ns: int, language: str) -> Mapping[str, Cell]:
    """What holds for this moment alone."""
    names = ("now", "age", "trusted", "gateways")
    if part.amiss or part.heard_ns is None:
        return dict.fromkeys(names, Cell(texts.told(language, "front.unknown"), DQ))
    none = Cell(texts.told(language, "none.yet"), DQ)
    if summary is None:
        return dict.fromkeys(names, none)
    trusted, gateways, since_ns = summary.trusted, summary.gateways, now_ns - part.heard_ns
    line = summary.headline
    if line is not None:
        line = line.model_copy(update={"grade": graded(line, since_ns)})
    dark = gateways.offline + gateways.silent
    dark_text = texts.told(language, "plants.dark", n=dark, m=gateways.all)
    connected = texts.told(language, "plants.connected", m=gateways.all)
    return {
        "now": _figure(line, language),
        "age": _age(line, since_ns, language),
        "trusted": none if trusted is None else Cell(
            f"{_percent(trusted.share)} %", DQ if trusted.lowest_share < TRUSTED_MIN else ""
        ),
        "gateways": Cell(dark_text, DQ) if dark else Cell(connected),
    }  # fmt: skip


def _figure(line: Rate | None, language: str) -> Cell:
    if line is None:
        return Cell(texts.told(language, "plants.no_figure"), DQ)
    if line.grade == "bad":
        return Cell(f"– {line.why.get('zh' if language == 'zh' else 'en', '')}".strip(), DQ)
    if line.value is None:
        return Cell(f"– {texts.told(language, 'none.yet')}", DQ)
    text = amount(f"{Decimal(line.value):.2f}", line.unit)
    return Cell(text, "" if line.grade == "good" else DQ)


def _age(line: Rate | None, since_ns: int, language: str) -> Cell:
    if line is None or line.age_ns is None:
        return Cell(texts.told(language, "none.yet"), DQ)
    is_fine = line.grade in ("good", "reserved")
    seconds = max(0, line.age_ns + since_ns) // 1_000_000_000
    return Cell(texts.age(language, seconds), "" if is_fine else DQ)


def _percent(share: float) -> str:
    """Tenths of a percent, rounded down: 100.0 is all of it."""
    return f"{int(share * 1000) / 10:.1f}"


def _alarms(part: Part, standing: Sequence[Standing], language: str) -> Cell:
    if part.amiss:
        return Cell(texts.told(language, "front.unknown"), DQ)
    if not standing:
        return Cell(texts.told(language, "front.alarms.none"))
    unseen = sum(one.acknowledged_ns is None for one in standing)
    first = min(one.priority for one in standing)
    words = texts.told(language, f"alarms.priority.{first}")
    text = texts.told(language, "front.alarms", n=len(standing), unseen=unseen, priority=words)
    return Cell(text, ALERT if first == 1 else "")


# -- gateways -------------------------------------------------------------------------------------


def gateway_rows(all_heard: Sequence[Heard], language: str) -> list[GatewayRow]:
    """Every gateway's stream, by plant and gateway."""
    found = [
        GatewayRow(
            stream,
            heard.name,
            f"{heard.pages}/{language}/plants/{stream.plant}/fleet",
            _stream_state(part, stream, language),
        )
        for heard, part in rows(all_heard, "streams")
        for stream in part.seen or ()
    ]
    return sorted(found, key=lambda row: (row.stream.plant, row.stream.gateway, row.collector))


def _stream_state(part: Part, stream: Stream, language: str) -> Cell:
    if part.amiss:
        return Cell(of_earlier(part, language), DQ)
    if stream.missing:
        first, last = stream.missing.first, stream.missing.last
        return Cell(texts.told(language, "front.missing", first=first, last=last), ALERT)
    if stream.alarms:
        return Cell(texts.told(language, "front.stream.alarms", n=len(stream.alarms)), ALERT)
    return Cell(texts.told(language, "front.stream.order"))


def of_earlier(part: Part, language: str) -> str:
    """That a part is of an earlier instant, and why; "" where it is as of now."""
    if part.amiss is None or part.heard_ns is None:
        return ""
    at, cause = when(language, part.heard_ns), why(language, part.amiss)
    return texts.told(language, "front.as_of", at=at, why=cause)


# -- months ---------------------------------------------------------------------------------------


def month_rows(all_heard: Sequence[Heard], language: str) -> list[PlantMonths]:
    """Every plant's months at every collector, by the plant's id."""
    return sorted(_months(all_heard, language), key=lambda row: (row.plant, row.collector))


def months_shown(found: Sequence[PlantMonths]) -> list[str]:
    """The newest months of all, newest first."""
    return sorted({month for row in found for month in row.raw}, reverse=True)[:NEWEST]


def _months(all_heard: Sequence[Heard], language: str) -> Iterator[PlantMonths]:
    for heard, part in rows(all_heard, "months"):
        of, levels = dict[str, dict[str, Any]](), dict[str, dict[str, Mapping[str, str]]]()
        for raw in part.raw or ():
            of.setdefault(raw["plant"], {})[raw["month"]] = raw
        reviews = heard.parts["reviews"].seen
        for one in reviews.reviews if reviews else ():
            levels.setdefault(one.plant, {})[one.month] = one.levels
        note = of_earlier(part, language)
        for plant, raws in of.items():
            base = f"{heard.pages}/{language}/plants/{plant}"
            yield PlantMonths(plant, heard.name, base, note, language, raws, levels.get(plant, {}))
