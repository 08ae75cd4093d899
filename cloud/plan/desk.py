"""The plans of the collector's plants: read from their documents, held against what is signed.

Reads the store and the sealed archives, in the caller's thread; nothing is written, and no figure
is changed by what is found.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from cloud.clock import Clock
from cloud.closing.archive import ArchiveFolder
from cloud.closing.zone import configuration_of, zones_configured
from cloud.collector.desk import PlantEvidence
from cloud.collector.intake import Intake
from cloud.errors import StoreError
from cloud.plan import view
from cloud.plan.attached import CONTROL_PLAN, plan_file, read_plan
from cloud.plan.rules import rules_of
from cloud.records.desk import RecordDesk
from cloud.records.rows import row
from edge.calc.local_time import PlantDays
from evidence import cose
from evidence.blocks import decompress
from evidence.documents.standing import Logged
from evidence.errors import EvidenceError
from evidence.plan.certificates import (
    CERTIFICATE,
    Certificate,
    Doubt,
    certificate_of,
    doubtful_months,
)
from evidence.plan.checks import INTERNAL_CHECK, Check, check_of
from evidence.plan.departures import Departure, departures
from evidence.plan.due import due, expected, falls_due
from evidence.plan.plan import PERIODS, Meter, Plan
from evidence.plan.shares import counted_by

#: where no configuration has come yet
ZONE = "Asia/Shanghai"
#: of a month's configurations but the last, CBOR, held against the plan: one of 20,000 points has 3
#: MiB, which are a second of a core and 30 MiB of memory; of 500 points there is room for a hundred
OLDER_BYTES_MAX = 8 * 1024 * 1024


@dataclass(frozen=True)
class Kept:
    """The plan of a year as the log has it.

    Attributes:
        logged: its document, None when none stands.
        plan: None when there is none, or its file does not tell it.
        problem: why a document that stands gives no plan; "" otherwise.
    """

    logged: Logged | None = None
    plan: Plan | None = None
    problem: str = ""


class PlanDesk:
    """Plans of the running collector's plants. LookupError for a plant that is not of it.

    Args:
        records: what persons signed.
        intake: the plants' evidence.
        archives: where sealed months stand.
        clock: the collector's.
    """

    def __init__(
        self, records: RecordDesk, intake: Intake, archives: ArchiveFolder, clock: Clock
    ) -> None:
        self._records, self._intake = records, intake
        self._archives, self._clock = archives, clock
        self._kept: dict[tuple[str, int], Kept] = {}

    def kept(self, plant: str, year: int) -> Kept:
        """The newest plan of a year that stands. Reads the disk where it is another than before.

        Raises:
            StoreError: the disk disagrees.
        """
        named = self._records.standing(plant, CONTROL_PLAN)
        found = [one for one in named if one.document.about == str(year)]
        if not found:
            return Kept()
        logged, before = found[-1], self._kept.get((plant, year))
        if before is None or before.logged is not logged:
            before = self._kept[plant, year] = self._read(plant, logged)
        return before

    def _read(self, plant: str, logged: Logged) -> Kept:
        """The plan that a document has; its file is named by its hash, so it is read once."""
        sha256 = plan_file(logged.document)
        if sha256 is None:
            return Kept(logged, problem="its document has no file that is its plan in TOML")
        held = self._records.file(plant, sha256)
        if held is None:
            raise StoreError(f"plant {plant}: the plan {sha256.hex()} is not there any more")
        try:
            return Kept(logged, read_plan(held[1]))
        except EvidenceError as error:
            return Kept(logged, problem=str(error))

    def certificates(self, plant: str) -> list[Certificate]:
        """Certificates of the plant's meters that stand, in the log's order."""
        logged = self._records.standing(plant, CERTIFICATE)
        return [made for one in logged if (made := certificate_of(one.document)) is not None]

    def checks(self, plant: str, month: str) -> list[Check]:
        """Internal checks of a month that stand, in the log's order."""
        first, last = PlantDays(next(self._zones(plant), ZONE)).month_bounds(month)
        logged = self._records.standing(plant, INTERNAL_CHECK)
        made = [found for one in logged if (found := check_of(one.document)) is not None]
        return [one for one in made if first <= one.at_ns < last]

    def earlier_checks(self, plant: str, month: str) -> Mapping[str, int]:
        """Check id -> how many months before this one it was made last; those of a year before."""
        days, found = PlantDays(next(self._zones(plant), ZONE)), dict[str, int]()
        own = int(month[:4]) * 12 + int(month[5:])
        for logged in self._records.standing(plant, INTERNAL_CHECK):
            made = check_of(logged.document)
            day = days.date_text(logged.document.body["checked_ns"])
            before = own - int(day[:4]) * 12 - int(day[5:7])
            if made is not None and 0 < before <= max(PERIODS.values()):
                found[made.check] = min(before, found.get(made.check, before))
        return found

    def today(self, plant: str) -> date:
        """The day it is at the plant."""
        return self._day(plant, self._clock.wall_ns())

    # -- as pages and programs are told ------------------------------------------------------------

    def plan(self, plant: str, year: int) -> Mapping[str, Any]:
        """A year's plan with certificates, doubtful months and what falls due; JSON-ready."""
        kept, certificates, today = (
            self.kept(plant, year), self.certificates(plant), self.today(plant)
        )  # fmt: skip
        told: dict[str, Any] = {
            "plant": plant, "year": year, "due": due(year).isoformat(), "document": None,
            "is_late": False, "problem": kept.problem, "plan": None, "certificates": [],
            "doubtful": [],
        }  # fmt: skip
        if kept.logged is not None:
            told["document"] = row(self._records.papers(plant), kept.logged)
            first = self._first(plant, kept.logged)
            told["is_late"] = self._day(plant, first.received_ns) > due(year)
        if kept.plan is not None:
            told["plan"] = view.plan_row(kept.plan)
            told["certificates"] = [view.certificate_row(c, kept.plan) for c in certificates]
            doubtful = self._doubtful(plant, kept.plan, certificates)
            told["doubtful"] = [view.doubt_row(one) for one in doubtful]
        now = kept.plan if year == today.year else self.kept(plant, today.year).plan
        has_next = self.kept(plant, today.year + 1).logged is not None
        falling = falls_due(now, certificates, today, has_next)
        told["falls_due"] = [view.due_row(one, today.isoformat()) for one in falling]
        return told

    def departures(self, plant: str, month: str) -> Mapping[str, Any]:
        """Where a month departed from its plan, and who owes what in it; JSON-ready.

        `departures` is None where there is no plan to depart from; `not_held` is how many
        configurations of the month, the oldest, were not held against it.
        """
        kept, certificates = self.kept(plant, int(month[:4])), self.certificates(plant)
        told: dict[str, Any] = {
            "plant": plant, "month": month, "problem": kept.problem, "departures": None,
            "not_held": 0, "expected": [],
        }  # fmt: skip
        if kept.plan is not None:
            found, told["not_held"] = self._departures(plant, kept.plan, certificates, month)
            told["departures"] = [view.departure_row(one) for one in found]
            told["expected"] = view.expected_rows(
                expected(kept.plan, month, certificates, self.earlier_checks(plant, month))
            )
        return told

    # -- what they are made of ---------------------------------------------------------------------

    def _first(self, plant: str, logged: Logged) -> Logged:
        """The first revision that a plan goes back to."""
        standing = self._records.papers(plant).standing
        while logged.document.follows:
            logged = standing[logged.document.follows[0]]
        return logged

    def _departures(
        self, plant: str, plan: Plan, certificates: Sequence[Certificate], month: str
    ) -> tuple[list[Departure], int]:
        statement = self._statement(plant, month)
        rules, checks = rules_of(plan), self.checks(plant, month)
        found, not_held = list[Departure](), 0
        for configurations in self._configurations(plant, month):
            if configurations is None:
                not_held += 1
                continue
            made = departures(
                plan, configurations, certificates, month, statement=statement, rules=rules,
                until=self.today(plant), checks=checks,
                earlier=self.earlier_checks(plant, month),
            )  # fmt: skip
            found += [one for one in made if one not in found]
        return found, not_held

    def _configurations(
        self, plant: str, month: str
    ) -> Iterator[Sequence[Mapping[str, Any]] | None]:
        """What was in force at the end of a month, and each that was at some time before in it.

        The newest first, one older one in memory at a time; None for each there is no room for.
        """
        evidence, last = self._intake.plant(plant).reader, dict[str, Mapping[str, Any]]()
        before, room = list[tuple[int, str]](), OLDER_BYTES_MAX
        bounds = PlantDays(next(self._zones(plant), ZONE)).month_bounds(month)
        for stream in evidence.streams():
            first, stop = evidence.span(stream, *bounds)
            seqs = sorted(evidence.configs(stream).values())
            until = [seq for seq in seqs if seq < stop] or seqs[:1]
            for seq in until[-1:]:
                last[stream] = configuration_of(_object(evidence, stream, seq))
            begun = max((seq for seq in until if seq <= first), default=first)
            before += [(seq, stream) for seq in until[:-1] if seq >= begun]
        yield list(last.values())
        for seq, stream in sorted(before, reverse=True):
            if room >= 0:
                data = _object(evidence, stream, seq)
                room -= len(decompress(cose.parse(data).payload))
            if room < 0:
                yield None
            else:
                older = configuration_of(data)
                yield [older if name == stream else one for name, one in last.items()]

    def _day(self, plant: str, at_ns: int) -> date:
        zone = next(self._zones(plant), ZONE)
        return date.fromisoformat(PlantDays(zone).date_text(at_ns))

    def _zones(self, plant: str) -> Iterator[str]:
        evidence = self._intake.plant(plant).reader
        for stream in evidence.streams():
            yield from zones_configured(evidence, stream)

    def _statement(self, plant: str, month: str) -> Mapping[str, Any] | None:
        return self._archives.statement(plant, month)

    def _doubtful(self, plant: str, plan: Plan, certificates: Sequence[Certificate]) -> list[Doubt]:
        """Only the statements of months in doubt are read."""
        sealed = {row["month"] for row in self._archives.rows(plant) if not row["replaced"]}
        months = sealed | {f"{plan.year:04d}-{number:02d}" for number in range(1, 13)}
        asked, found = dict.fromkeys(sorted(months)), list[Doubt]()
        for meter in plan.meters:
            doubted = {one.month for one in doubtful_months(certificates, meter, asked)}
            known = {
                month: self._counted(plant, plan, meter, month) if month in sealed else None
                for month in sorted(doubted)
            }
            found += doubtful_months(certificates, meter, known)
        return found

    def _counted(self, plant: str, plan: Plan, meter: Meter, month: str) -> Fraction | None:
        statement = self._statement(plant, month)
        points = {p for one in plan.parameters if meter.id in one.meters for p in one.points}
        return None if statement is None else counted_by(statement, points)


def _object(evidence: PlantEvidence, stream: str, seq: int) -> bytes:
    return next(evidence.objects(stream, seq, seq + 1)).data
