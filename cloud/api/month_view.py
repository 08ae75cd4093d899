"""A month's row and checklist as its page shows them: texts instead of numbers. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloud.api import month_texts as texts
from cloud.api.rendering import STRINGS
from cloud.month.sealed import seal_of, told_before
from cloud.outputs.headline import Row, emission_unit, headline, line_name
from edge.calc.statements.statement import statement_rules
from evidence.month_state import UNVERIFIED

HOUR_NS = 3_600_000_000_000
#: exit status of `verify` -> look of a headline; "open": sound, but not all of what 0 says
_LOOKS = {0: "passed", 1: "failed", 2: "cannot-decide", 3: "open"}


@dataclass(frozen=True)
class Sealed:
    """State of a sealed month in a language.

    Attributes:
        look: one of `_LOOKS`.
        headline: verdict and completeness.
        beside_total: words beside every total, with their own space or bracket; "" for none.
        why: code and meaning of the finding that decided the verdict, or that there is none yet.
    """

    look: str
    headline: str
    beside_total: str
    why: str


def look_of(sealed: Mapping[str, Any]) -> str:
    """Look of a headline, of what a row tells of its archive."""
    return _LOOKS[sealed["exit_status"]]


@dataclass(frozen=True)
class Square:
    """A device on a day in the calendar.

    Attributes:
        text: whole percent that came, rounded down; a word where no reading of the day has a value;
            "" before anything was due.
        look: "all", "some", "none", "dead" or "", and "marked" beside it.
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
    values = {"device": device, "day": day, "readings": f"{came:,}", "due": f"{due:,}"}
    values |= {"bad": f"{bad:,}", "reserved": f"{reserved:,}"}
    if came and bad >= came:  # it answers, and says nothing
        dead = texts.told(language, "month.meters.dead")
        return Square(dead, "dead", texts.told(language, "month.meters.day.dead", **values))
    whole = 100 * came // due if due else 100
    look = "all" if came >= due else "some" if came else "none"
    title = texts.told(language, "month.meters.day", **values)
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
        """(look, headline with its time, what it means) of the archive; None without one."""
        seal, sealed = self.seal(), self.row.get("sealed")
        if seal is None:
            return None
        found = seal["verified"]
        if found is None:
            return "unknown", texts.told(self._language, "month.cell.unverified"), ""
        sealed = sealed or told_before(found["verdict"])
        word = sealed["headline"][self._language]
        if code := found["code"]:
            word = f"{word} ({code})"
        at = texts.at(found["at_ns"], self.row["zone"])
        told = texts.told(self._language, "month.cell.verified", verdict=word, at=at)
        why = f"{sealed['why'][self._language]} stackproof {found['version']}".lstrip()
        return look_of(sealed), told, why

    def seal(self) -> Mapping[str, Any] | None:
        """The archive that stands, None for none."""
        return seal_of(self.row["archives"])


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

    def sealed(self) -> Sealed | None:
        """State of the archive that stands; None without one whose state is known."""
        told = self.row.get("sealed")
        if told is None:
            return None
        why = told["why"][self._language]
        if told["code"]:
            why = f"{told['code']}: {why}"
        elif told["verdict"] == UNVERIFIED:
            why = texts.told(self._language, "month.cell.unverified")
        headline, beside = (told[name][self._language] for name in ("headline", "beside_total"))
        return Sealed(look_of(told), headline, beside, why)

    def issues(self) -> list[tuple[str, str, str, str]]:
        """(weight, finding code and place, sentence, what to do) of each issue of the archive."""
        language = self._language
        return [
            (one["weight"], f"{one['code']} {one['where']}".strip(), one["sentence"][language],
             texts.told(language, f"month.issue.do.{one['weight']}"))
            for one in self.row["issues"]
        ]  # fmt: skip

    def not_checked(self) -> Sequence[str]:
        """Sentences about what this collector's verifier did not check."""
        told: Sequence[str] = self.row["not_checked"][self._language]
        return told

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
