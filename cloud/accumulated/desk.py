"""Keeps every plant's accumulated figures up to the committed log, beside the collector.

Counting runs in a worker thread, one plant a step, so that a month that has to be counted from its
beginning holds up neither the pages nor another plant. What is shown says through which tick it
was counted.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from cloud.accumulated.counters import (
    CounterTold,
    Lately,
    checks_of,
    counters_of,
    is_judged,
    owed_flags,
)
from cloud.accumulated.counting import PlantCount
from cloud.accumulated.outlook import Counted, PlantSaid, counted_of, outlook, with_indicator
from cloud.clock import Clock
from cloud.closing.archive import ArchiveFolder
from cloud.closing.kept import KeptArchive
from cloud.closing.log import FINAL
from cloud.collector.desk import EvidenceDesk
from cloud.collector.turns import Turns, size_of
from cloud.errors import StoreError
from edge.calc.errors import StatementError
from edge.calc.folds.papers import Paper
from evidence.log_lines import about

log = logging.getLogger("stackproof.cloud.accumulated")

POLL_S = 2.0
#: seconds after which a plant that could not be counted is tried again
AGAIN_S = 600.0
#: a frame alone costs four times what it does among others: of many plants each rests so long for
#: each of them
REST_EACH_S = 0.05
#: shortest time, ns, over which a totaliser and its flow are compared: they may count in steps
LEAST_NS = 30 * 10**9
#: figures of these rule sets hold other gases than CO2
_WITH_OTHER_GASES = {"aluminium"}


@dataclass
class _Followed:
    """One plant; `shown` is what it came to, `counters` what its totalisers did.

    `checks` are (month, flag) of cross-checks that are outside.
    """

    count: PlantCount
    lately: Lately = field(default_factory=Lately)
    counters: Sequence[CounterTold] = ()
    checks: Sequence[tuple[str, str]] = ()
    past_checks: dict[str, list[str]] = field(default_factory=dict)
    before: tuple[str, Mapping[str, Counted]] = ("", field(default_factory=dict))  # by month
    shown: Mapping[str, Any] = field(default_factory=dict)


class Accumulations:
    """Every plant of a collector."""

    def __init__(  # noqa: PLR0917 - the composition root calls it once
        self,
        desk: EvidenceDesk,
        path_of: Callable[[str], Path],
        archives: ArchiveFolder,
        clock: Clock,
        said: Mapping[str, PlantSaid],
        papers_of: Callable[[str], Sequence[Paper]] = lambda _: (),
    ) -> None:
        """Read from `desk`; how far a plant was counted is kept in the file `path_of` it.

        `papers_of` gives a plant's documents that stand: StoreError where they cannot be read.
        """
        self._desk, self._path_of, self._archives = desk, path_of, archives
        self._clock, self._said, self._papers_of = clock, said, papers_of
        self._followed: dict[str, _Followed] = {}
        self._trouble, self._failed = dict[str, str](), dict[str, float]()  # until then
        self._turns = Turns(REST_EACH_S)
        self._turn = threading.Lock()  # a step may still run when the collector is told to stop

    async def follow(self, turn: Callable[[], Awaitable[None]]) -> None:
        """Go on for ever; cancel it, then call `keep`.

        Args:
            turn: waited for before each plant.
        """
        while True:
            is_behind, plants = False, self._desk.plants()
            for plant in plants:
                if self._turns.is_due(plant, size_of(self._desk, plant), len(plants)):
                    await turn()
                    is_behind |= await asyncio.to_thread(self.step, plant)
            if not is_behind:
                await asyncio.sleep(POLL_S)

    def step(self, plant: str) -> bool:
        """Count some more of a plant; True while there is more in its log. Any thread."""
        with self._turn:
            try:
                return self._step(plant, time.monotonic())
            except (StoreError, OSError) as error:
                if str(error) != self._trouble.get(plant):  # it is tried again every two seconds
                    log.warning("%s: not counted just now: %s", plant, error, extra=about(plant))
                self._trouble[plant] = str(error)
            except Exception as error:  # a gateway signed what nobody thought of; others go on
                if repr(error) != self._trouble.get(plant):
                    log.exception("%s: cannot be counted; tried again", plant, extra=about(plant))
                self._trouble[plant] = repr(error)
                self._failed[plant] = time.monotonic() + AGAIN_S
                self._followed.pop(plant, None)  # begins with what was kept
            return False

    def _step(self, plant: str, now_s: float) -> bool:
        if now_s < self._failed.get(plant, now_s):
            return False
        evidence = self._desk.evidence(plant)
        size = evidence.size
        if plant not in self._followed:
            self._followed[plant] = _Followed(PlantCount(evidence, self._path_of(plant)))
        followed = self._followed[plant]
        if followed.count.step() or not followed.shown:
            followed.shown = self._shown(plant, followed)
            followed.count.keep(hourly=True)
        followed.counters = self._counters(plant, followed)
        followed.checks = self._checks(followed)
        self._trouble.pop(plant, None)
        self._failed.pop(plant, None)
        if not followed.count.is_behind:
            self._turns.looked(plant, size)
        return followed.count.is_behind

    def keep(self) -> None:
        """Write how far every plant was counted; a disk that refuses only costs time later."""
        with self._turn:
            for plant, followed in self._followed.items():
                try:
                    followed.count.keep()
                except OSError as error:
                    log.warning(
                        "%s: how far it was counted is not kept: %s", plant, error,
                        extra=about(plant),
                    )  # fmt: skip

    def of(self, plant: str) -> Mapping[str, Any]:
        """A plant's figures, JSON-ready; what is over, or was never begun, has a reason instead.

        Raises:
            LookupError: no such plant.
        """
        now_ns = self._clock.wall_ns()
        if plant in self._failed:
            return {"plant": plant, "server_ns": now_ns, "reason": "failed"}
        followed = self._followed.get(plant)
        if followed is None or not followed.shown:
            self._desk.evidence(plant)
            return {"plant": plant, "server_ns": now_ns, "reason": "counting"}
        shown = {"plant": plant, "server_ns": now_ns, **followed.shown}
        if "periods" in shown:
            shown["periods"] = {
                name: row if now_ns < row["to_ns"] else {"reason": "nothing-yet"}
                for name, row in shown["periods"].items()
            }
            if "reason" in shown["periods"]["month"]:
                shown["projection"] = shown["indicated"] = {}
        return shown

    def counters(self, plant: str) -> Sequence[CounterTold]:
        """Totalisers of the running month, and of months before that wait for a person.

        As they were when the plant was counted last; nothing of a plant that is not counted yet.
        """
        followed = self._followed.get(plant)
        return () if followed is None else followed.counters

    def flags(self, plant: str, month: str) -> list[str]:
        """Flags of a month's totalisers that somebody has to explain before it is closed."""
        counters = [one for one in self.counters(plant) if one.month == month]
        checks = {flag for of, flag in self.checks(plant) if of == month}
        return sorted({flag.text for one in counters for flag in owed_flags(one)} | checks)

    def checks(self, plant: str) -> Sequence[tuple[str, str]]:
        """(month, flag) of cross-checks that are outside, of the same months."""
        followed = self._followed.get(plant)
        return () if followed is None else followed.checks

    def _checks(self, followed: _Followed) -> list[tuple[str, str]]:
        count = followed.count
        if count.sums is None or count.is_behind:
            return []
        for sums in count.past:
            if sums.month not in followed.past_checks:  # nothing is counted there any more
                followed.past_checks[sums.month] = checks_of(sums)
        past = {sums.month: followed.past_checks[sums.month] for sums in count.past}
        shown = followed.shown.get("periods", {}).get("month", {})
        now = shown.get("checks", ()) if is_judged(count.sums) else ()
        return [(month, flag) for month, flags in [*past.items(), (count.sums.month, now)]
                for flag in flags]  # fmt: skip

    def _counters(self, plant: str, followed: _Followed) -> list[CounterTold]:
        count = followed.count
        if count.sums is None:
            return []
        months = [*count.past, count.sums]
        is_asked = any(meter.asks_papers for sums in months for meter in sums.totalisers)
        papers = self._papers_of(plant) if is_asked else ()
        if count.is_behind:
            followed.lately.forget()
        past = [told for sums in count.past for told in counters_of(sums, papers)]
        lately = None if count.is_behind else followed.lately
        return [*past, *counters_of(count.sums, papers, lately, LEAST_NS)]

    def _shown(self, plant: str, followed: _Followed) -> Mapping[str, Any]:
        count = followed.count
        if count.sums is None:
            reason = "several-gateways" if count.gateways > 1 else "no-readings"
            return {"reason": "counting" if count.is_behind else reason}
        sums, facts = count.sums, count.plant
        if followed.before[0] != sums.month:
            followed.before = sums.month, self._sealed(plant, sums.month)
        said = self._said.get(plant, PlantSaid())
        try:
            periods = sums.as_map(said.accuracy)
        except StatementError as error:  # what is said of meters is wrong, not what they counted
            log.error("%s: accuracy of CLOUD.toml: %s", plant, error, extra=about(plant))  # noqa: TRY400 - the sentence says all
            periods = sums.as_map()
        now = counted_of(periods["month"], sums.through_ns)
        beside = with_indicator(periods["month"], sums.through_ns)
        before, allowance = followed.before[1], said.allowance
        indicated = outlook(sums.month, beside, before, allowance) if beside else {}
        return {
            "month": sums.month,
            "rule_set": facts["rule_set"],
            "unit": "tCO2e" if facts["sector"] in _WITH_OTHER_GASES else "tCO2",
            "through_ns": sums.through_ns,
            "is_behind": count.is_behind,
            "unfit_frames": count.unfit,
            "periods": periods,
            "projection": outlook(sums.month, now, before, allowance),
            "indicated": indicated,
        }

    def _sealed(self, plant: str, month: str) -> dict[str, Counted]:
        """Months of the year before this one whose final archive stands in the folder."""
        found = {}
        for number in range(1, int(month[5:])):
            earlier = f"{month[:4]}-{number:02}"
            archive = self._archives.kept(plant, earlier)
            if archive is not None and archive.closing == FINAL:
                found[earlier] = _counted_in(archive)
        return found


def _counted_in(archive: KeptArchive) -> Counted:
    given, made = archive.statement["input"], archive.statement["output"]
    first, last = (datetime.fromisoformat(given["period"][key]) for key in ("from", "to"))
    output = {k: v for k, v in given.get("output", {}).items() if k != "provenance"}
    span = last - first
    return Counted(
        Fraction(span.days * 86_400 + span.seconds, 86_400),
        Fraction(made["totals"]["total_t"]),
        Fraction(next(iter(output.values()))) if output else None,
        not any(flag.startswith(("no-", "missing:")) for flag in made["flags"]),
    )
