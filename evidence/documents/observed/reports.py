"""What reports of laboratories show beside each other: numbers, days, files, values. Pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from evidence.documents.observed.analyses import MOISTURES
from evidence.documents.observed.limits import LIMITS
from evidence.documents.observed.numbers import Number, as_written, number_of, says_day
from evidence.documents.observed.observation import Observation
from evidence.documents.observed.stories import RESULT, Step, Stories, Story

#: values of fewer digits than this are alike by chance
_DIGITS_MIN = 3
#: two analyses with so many digits in common are one
_DIGITS_SURE = 9


@dataclass(frozen=True)
class Reported:
    """A result as it stands.

    Attributes:
        story: of its sample.
        step: the document.
    """

    story: Story
    step: Step

    @property
    def report(self) -> str:
        """Its number, as typed."""
        return str(self.step.document.body["report"])

    @property
    def laboratory(self) -> str:
        """Whose it is, without differences of writing.

        Many works call theirs "the laboratory": one name is one house only with an accreditation.
        """
        body = self.step.document.body
        name = as_written(body["laboratory"])
        return name if "accreditation" in body else f"{self.story.plant}/{name}"

    @property
    def day(self) -> date:
        """Of the report."""
        return date.fromisoformat(self.step.document.body["report_day"])

    def saw(self, code: str, other: "Reported", **facts: str) -> Observation:
        """An observation about this one, against another."""
        facts |= {"report": self.report, "other": f"{other.story.plant}/{other.story.sample}"}
        return self.story.saw(code, self.step, other.step, **facts)


def reported(stories: Iterable[Story]) -> list[Reported]:
    """All results of these samples."""
    return [Reported(story, step) for story in stories for step in story.of(RESULT)]


def observe_reports(stories: Stories, others: Iterable[Story]) -> Iterator[Observation]:
    """What reports show.

    Args:
        stories: of the plant.
        others: of other plants of the collector: held against them, nothing is said of them.
    """
    beside = list(others)
    own, foreign = reported(stories.values()), reported(beside)
    yield from _numbers_twice(own, foreign)
    yield from _files_twice(stories, beside)
    yield from _same_values(own, foreign)
    shapes: dict[tuple[str, str], list[tuple[Number, Reported]]] = defaultdict(list)
    for one in (*foreign, *own):
        number = number_of(one.report)
        shapes[one.laboratory, number.shape].append((number, one))
    mine = {one.step.sha256 for one in own}
    for numbered in shapes.values():
        years = _year_places([number for number, _ in numbered])
        yield from _order(numbered, years, mine)
        for number, one in numbered:
            told = None if one.step.sha256 not in mine else says_day(number, years, one.day)
            if told is not None:
                facts = {"report": one.report, "day": one.day.isoformat(), "said": told}
                yield one.story.saw("S-REPORT-NUMBER-DATE", one.step, **facts)


def elsewhere(one: Reported, other: Reported) -> bool:
    """Of another plant or month: one report may hold several samples of a month."""
    return (one.story.plant, one.story.month) != (other.story.plant, other.story.month)


def _numbers_twice(own: Sequence[Reported], foreign: Sequence[Reported]) -> Iterator[Observation]:
    seen: dict[tuple[str, str], list[Reported]] = defaultdict(list)
    for one in foreign:
        seen[one.laboratory, as_written(one.report)].append(one)
    for one in own:
        before = seen[one.laboratory, as_written(one.report)]
        other = next((other for other in before if elsewhere(one, other)), None)
        if other is not None:
            yield one.saw("S-REPORT-SEEN", other)
        before.append(one)


def _files_twice(stories: Stories, others: Iterable[Story]) -> Iterator[Observation]:
    seen: dict[bytes, list[tuple[Story, Step]]] = defaultdict(list)
    for story in others:
        for step in story.steps:
            for file in step.document.files:
                seen[file.sha256].append((story, step))
    for story in stories.values():
        for step in story.steps:
            for file in step.document.files:
                for before, other in seen[file.sha256]:
                    if _file_is_odd(Reported(story, step), Reported(before, other)):
                        place = f"{before.plant}/{before.sample}"
                        facts = {"file": file.name, "other": place, "step": step.kind}
                        yield story.saw("S-FILE-SEEN", step, other, **facts)
                        break
                seen[file.sha256].append((story, step))


def _file_is_odd(one: Reported, other: Reported) -> bool:
    if one.step.kind == other.step.kind == RESULT:
        return elsewhere(one, other)
    same = (one.story.plant, one.story.sample) == (other.story.plant, other.story.sample)
    return not same


def _year_places(numbers: Sequence[Number]) -> frozenset[int]:
    """Which groups of digits are a year or date in every number of this form."""
    return frozenset.intersection(*(number.years for number in numbers))


def _order(
    numbered: Sequence[tuple[Number, Reported]], years: frozenset[int], mine: set[bytes]
) -> Iterator[Observation]:  # fmt: skip
    """Reports whose day does not fit their number, among the others of the laboratory.

    Most reports must be right for one to be wrong: those of the longest rising row of days are
    taken to be, and the others are held against their neighbours in it.
    """
    rows = sorted(numbered, key=lambda row: (row[0].key(years), row[1].day))
    days = [one.day.toordinal() for _, one in rows]
    kept = _rising(days)
    for i, (_, one) in enumerate(rows):
        if i in kept or one.step.sha256 not in mine:
            continue
        at = bisect_right(kept, i)
        for k in (*kept[max(at - 1, 0) : at], *kept[at : at + 1]):
            ahead = days[k] - days[i] if k < i else days[i] - days[k]
            if ahead > LIMITS.serial_days:
                other = rows[k][1]
                yield one.saw(
                    "S-REPORT-ORDER", other, day=one.day.isoformat(), other_report=other.report,
                    other_day=other.day.isoformat(),
                )  # fmt: skip
                break


def _rising(days: Sequence[int]) -> list[int]:
    """Places of a longest row of days in which none is before the one before it."""
    ends: list[int] = []
    last: list[int] = []
    before = [-1] * len(days)
    for i, day in enumerate(days):
        at = bisect_right(ends, day)
        before[i] = last[at - 1] if at else -1
        ends[at : at + 1], last[at : at + 1] = [day], [i]
    row, i = list[int](), last[-1] if last else -1
    while i >= 0:
        row.append(i)
        i = before[i]
    return row[::-1]


def _same_values(own: Sequence[Reported], foreign: Sequence[Reported]) -> Iterator[Observation]:
    """Alike by chance is what has few digits: that must be so three times, one after the other."""
    seen: dict[tuple[tuple[str, ...], ...], list[Reported]] = defaultdict(list)
    rows: dict[str, list[Reported]] = defaultdict(list)
    for one in foreign:
        if _is_sure(values := _values(one)):
            seen[values].append(one)
    for one in sorted(own, key=lambda one: one.step.first.index):
        values, row = _values(one), rows[one.story.source]
        if _is_sure(values):
            same = [other for other in seen[values] if elsewhere(one, other)]
            seen[values].append(one)
        else:
            last = [other for other in row[-2:] if values and _values(other) == values]
            months = {other.story.month for other in (one, *last)}
            same = last if len(months) == len(last) + 1 == 3 else []
        if same:
            yield one.saw("S-SAME-VALUES", same[-1], values=_told(values))
        row.append(one)


def _is_sure(values: tuple[tuple[str, ...], ...]) -> bool:
    return sum(_digits(value) for *_, value, _ in values) >= _DIGITS_SURE


def _digits(value: str) -> int:
    return sum(map(str.isdigit, value.lstrip("-0.")))


def sure_values(rows: Iterable[Mapping[str, str]]) -> str:
    """Values of a result that two analyses do not have by chance, as text; "" for fewer."""
    values = _tested(rows)
    return _told(values) if _is_sure(values) else ""


def _values(one: Reported) -> tuple[tuple[str, ...], ...]:
    return _tested(one.step.document.body["values"])


def _tested(rows: Iterable[Mapping[str, str]]) -> tuple[tuple[str, ...], ...]:
    """What was tested, as it was typed: without moisture, which is measured again and again."""
    kept = [
        (row["name"], row.get("basis", ""), row["value"], row["unit"])
        for row in rows
        if _digits(row["value"]) >= _DIGITS_MIN
    ]
    tested = [row for row in kept if row[0] not in MOISTURES]
    return tuple(sorted(tested if len(tested) >= 2 else kept))


def _told(values: Sequence[tuple[str, ...]]) -> str:
    return ", ".join(
        f"{name}{f' ({basis})' if basis else ''} {value} {unit}"
        for name, basis, value, unit in values
    )
