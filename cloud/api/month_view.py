"""A month's row and checklist as its page shows them: texts instead of numbers. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloud.api import month_texts as texts
from cloud.api.rendering import STRINGS
from cloud.outputs.headline import Row, emission_unit, headline, line_name
from cloud.outputs.words import flag_words
from edge.calc.statements.statement import statement_rules
from evidence.findings import CODES
from evidence.phrases import phrase

HOUR_NS = 3_600_000_000_000
#: flags that a page lists; the report has more
FLAGS_MAX = 50


@dataclass(frozen=True)
class Square:
    """A device on a day in the calendar.

    Attributes:
        text: whole percent that came, rounded down; "" before anything was due.
        look: "all", "some", "none" or "", and "marked" beside it.
        title: the numbers.
    """

    text: str
    look: str
    title: str


def percent(part: int, whole: int) -> str:
    """Hundredths of a percent, rounded down, so that 100.00 is all of it; "–" of nothing."""
    if not whole:
        return "–"
    hundredths = 10_000 * part // whole
    return f"{hundredths // 100}.{hundredths % 100:02}"


def square(language: str, device: str, day: str, cell: Sequence[int] | None) -> Square:
    """One square of the calendar: [came, due, reserved, bad]; None of a day to come."""
    if cell is None or not (cell[0] or cell[1]):
        return Square("", "", "")
    came, due, reserved, bad = cell
    whole = 100 * came // due if due else 100
    look = "all" if came >= due else "some" if came else "none"
    title = texts.told(
        language, "month.meters.day", device=device, day=day, readings=f"{came:,}",
        due=f"{due:,}", bad=f"{bad:,}", reserved=f"{reserved:,}",
    )  # fmt: skip
    return Square(str(min(whole, 100)), f"{look} marked" if reserved or bad else look, title)


class MonthCell:
    """A month in the table of all, in a language.

    Args:
        row: as `MonthService.rows` gives it.
        language: "en" or "zh".
    """

    def __init__(self, row: Mapping[str, Any], language: str) -> None:
        self.row, self._language = row, language

    def left(self) -> str:
        """Days until the deadline; "" where nothing is waited for."""
        is_open = self.row["state"] in ("open", "waiting", "ready", "late")
        days = self.row["days_left"]
        return texts.left(self._language, days) if is_open and days is not None else ""

    def owed(self) -> str:
        """How much is owed; "" for nothing."""
        count = len(self.row["owed"])
        return texts.told(self._language, "month.cell.owed", n=count) if count else ""

    def readings(self) -> list[str]:
        """Completeness; which share of the readings is marked, and which has no value."""
        of = self.row["readings"]
        if not of["count"]:
            return [texts.told(self._language, "month.cell.unread")]
        whole = percent(min(of["count"] - of["bad"], of["due"]), of["due"])
        reserved, bad = (percent(of[key], of["count"]) for key in ("reserved", "bad"))
        return [
            texts.told(self._language, "month.cell.complete", whole=whole),
            texts.told(self._language, "month.cell.readings", reserved=reserved, bad=bad),
        ]

    def substituted(self) -> str:
        """How much of the sealed emission stands on substituted values; "" before it is known."""
        found = (self.seal() or {}).get("verified")
        share = found and found["substituted_percent"]
        return texts.told(self._language, "month.cell.substituted", share=share) if share else ""

    def verdict(self) -> tuple[str, str, str] | None:
        """(look, in words with its time, what it means) of the archive; None without one."""
        seal = self.seal()
        if seal is None:
            return None
        found = seal["verified"]
        if found is None:
            return "unknown", texts.told(self._language, "month.cell.unverified"), ""
        code, verdict = found["code"], phrase(f"verdict.{found['verdict']}", self._language)
        word = f"{verdict} ({code})" if code else verdict
        at = texts.at(found["at_ns"], self.row["zone"])
        told = texts.told(self._language, "month.cell.verified", verdict=word, at=at)
        why = f"{phrase(f'code.{code}', self._language)} " if code in CODES else ""
        return found["verdict"], told, f"{why}stackproof {found['version']}"

    def seal(self) -> Mapping[str, Any] | None:
        """The archive that stands, None for none; one that failed may not be told by its close."""
        found = self.row["archives"]
        failed = (one for one in found if not one["replaced"] and _has_failed(one))
        return next((one for one in found if one["newest"]), None) or next(failed, None)


def _has_failed(archive: Mapping[str, Any]) -> bool:
    return (archive["verified"] or {}).get("verdict") == "failed"


class MonthView:
    """A month in a language, for its template.

    Args:
        row: as `MonthService.month` gives it.
        language: "en" or "zh".
    """

    def __init__(self, row: Mapping[str, Any], language: str) -> None:
        self.row, self._language = row, language

    def at(self, ns: int) -> str:
        """An instant by the plant's clock; "–" for none."""
        return texts.at(ns, self.row["zone"]) if ns else "–"

    def left(self) -> str:
        """Days until the deadline."""
        return texts.left(self._language, self.row["days_left"])

    def owed(self) -> list[tuple[str, str, bool]]:
        """(what, by whom, is it needed to close)."""
        return [
            (
                texts.owed(self._language, one, self.row["zone"]),
                texts.by(self._language, one["by"]), one["blocks"],
            )
            for one in self.row["owed"]
        ]  # fmt: skip

    def figures(self) -> list[Row]:
        """The sealed figures and lines: name, decimal string as it is sealed, unit."""
        of, language = self.row["figures"], self._language
        rules = statement_rules(of["rule_set"])
        lines = [
            (line_name(rules, line, language), line["emission_t"], emission_unit(line))
            for line in of["made"]["lines"]
        ]
        return [*headline(of, of["made"], language), *lines]

    def flags(self) -> list[str]:
        """What the sealed statement says of its figures, in sentences."""
        told = self.row["figures"]["made"].get("flags", ())[:FLAGS_MAX]
        return [flag_words(str(flag), self._language) for flag in told]

    def source(self) -> str:
        """Where the deadline comes from."""
        return str(self.row["deadline_source"][self._language])

    def confidence(self) -> str:
        """How sure that is."""
        return STRINGS[self._language][f"month.confidence.{self.row['deadline_confidence']}"]

    def days(self, days: Sequence[str]) -> str:
        """Days of the month, those that follow one another as one range."""
        numbers, ranges = [int(day[8:]) for day in days], list[list[int]]()
        for number in numbers:
            if ranges and number == ranges[-1][1] + 1:
                ranges[-1][1] = number
            else:
                ranges.append([number, number])
        return ", ".join(f"{a}" if a == b else f"{a}–{b}" for a, b in ranges)

    def by(self, name: str) -> str:
        """Who owes something, in words."""
        return texts.by(self._language, name)

    def kind(self, kind: str) -> str:
        """A kind of documents in words."""
        return texts.kind(self._language, kind)

    def device(self, row: Mapping[str, Any]) -> str:
        """A device's name."""
        own: str = STRINGS[self._language]["month.device.own"]
        return own if row["device"] == "-" else str(row["device"])

    def squares(self, row: Mapping[str, Any]) -> list[Square]:
        """A device's month, one square a day."""
        cells = row["days"]
        return [
            square(self._language, self.device(row), day, cells.get(day))
            for day in self.row["days"]
        ]

    def percent(self, part: int, whole: int) -> str:
        """See `percent`."""
        return percent(part, whole)

    def hours(self, ns: int) -> str:
        """Nanoseconds as hours, two decimals."""
        return f"{ns / HOUR_NS:.2f}"
