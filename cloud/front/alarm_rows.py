"""The alarms of all collectors, in a language: a row each, the most urgent first. Pure.

They are seen to at their own collectors: each row leads to it there. Those of a collector that is
not heard stay, and say of which instant they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cloud.api import month_texts as texts
from cloud.front.heard import NS, Heard, Part, rows
from cloud.front.shapes import Standing
from cloud.front.view import DQ, Cell, of_earlier, when


@dataclass(frozen=True)
class AlarmRow:
    """An alarm that stands and lies on no shelf.

    Attributes:
        of: as its collector told it.
        plant_name: its plant's name, or its id.
        link: its place among its collector's alarms.
        priority: in words.
        said: what is so, and what to do; more of it in `notes`.
        age: since it was raised.
        seen: whether somebody acknowledged it.
    """

    of: Standing
    plant_name: str
    collector: str
    link: str
    priority: str
    said: str
    notes: Sequence[str]
    raised: str
    age: str
    seen: Cell

    @property
    def words(self) -> Sequence[str]:
        """Texts in which words are looked for."""
        return (self.of.plant, self.plant_name, self.collector, self.said, self.priority)

    @property
    def is_needing(self) -> bool:
        """Nobody has acknowledged it."""
        return not self.of.acknowledged_ns


def alarm_rows(all_heard: Sequence[Heard], now_ns: int, language: str) -> list[AlarmRow]:
    """Every alarm, by priority, then what nobody acknowledged, then the newest.

    Args:
        all_heard: every collector.
        now_ns: by the front's clock.
        language: "en" or "zh".
    """
    found = [
        _row(heard, part, alarm, now_ns, language)
        for heard, part in rows(all_heard, "alarms")
        for alarm in (part.seen.standing if part.seen else ())
        if alarm.shelf is None
    ]
    return sorted(
        found, key=lambda row: (row.of.priority, not row.is_needing, -row.of.raised_ns, row.link)
    )


def _row(heard: Heard, part: Part, alarm: Standing, now_ns: int, language: str) -> AlarmRow:
    level, words = (
        texts.told(language, key, n=alarm.priority)
        for key in ("alarms.priority", f"alarms.priority.{alarm.priority}")
    )
    notes = []
    if alarm.phase == "falling":
        notes.append(texts.told(language, "alarms.over"))
    if alarm.is_unsure:
        notes.append(texts.told(language, "alarms.unsure"))
    if earlier := of_earlier(part, language):
        notes.append(earlier)
    names = {one.id: one.name for one in heard.parts["plants"].seen or ()}
    return AlarmRow(
        alarm, names.get(alarm.plant) or alarm.plant, heard.name,
        f"{heard.pages}/{language}/alarms?plant={alarm.plant}#alarm-{alarm.number}",
        f"{level}: {words}", alarm.zh if language == "zh" else alarm.en, notes,
        when(language, alarm.raised_ns),
        texts.age(language, max(0, now_ns - alarm.raised_ns) // NS), _seen(alarm, language),
    )  # fmt: skip


def _seen(alarm: Standing, language: str) -> Cell:
    if not alarm.acknowledged_ns:
        return Cell(texts.told(language, "front.alarms.unseen"), DQ)
    at = when(language, alarm.acknowledged_ns)
    return Cell(texts.told(language, "alarms.seen", by=alarm.acknowledged_by, time=at))
