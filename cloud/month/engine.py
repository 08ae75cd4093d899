"""Runs months: counts what came, says what is owed, closes what is complete, ends what was begun.

Beside the collector, in worker threads and in small pieces, so that intake never waits. What it
needs after a kill is on disk: what was counted follows from the log, and a closing that was ordered
is remembered until it is done, so that the next start seals it, or closes again.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Literal

from cloud.api import month_texts
from cloud.api.services import MonthOwesError, MonthRefusedError
from cloud.api.without_paths import without_paths
from cloud.clock import Clock
from cloud.closing.log import FINAL
from cloud.closing.months import Months
from cloud.closing.turns import AT_ONCE
from cloud.collector.desk import PlantEvidence
from cloud.collector.turns import Turns
from cloud.errors import StoreError
from cloud.month.archives import StandingArchives
from cloud.month.book import MINUTE_NS, MonthBook
from cloud.month.expected import decisions
from cloud.month.facts import Ordered
from cloud.month.reader import FactsReader
from cloud.month.rows import owed_rows
from cloud.month.sources import Sources
from cloud.month.states import State, may_close_itself, newest_final
from evidence.errors import EvidenceError
from evidence.log_lines import about

log = logging.getLogger("stackproof.cloud.months")

#: seconds between two looks; objects counted at a time; seconds until others have their turn
LOOK_S, PIECE, TURN_S = 5.0, 200, 60.0
#: of many plants each rests so long for each of them: until it is counted, and judged, again
COUNT_EACH_S, JUDGE_EACH_S = 0.04, 0.2
#: seconds after which a closing that was refused is tried again
AGAIN_S = 3_600.0
#: who closes what is complete
ENGINE = "engine"
#: of the rows and the texts of a decision
ROWS_MAX, TEXT_MAX = 1_000, 200
LATE, REFUSED = "month-late", "month-refused"

Closing = Literal["by-hand", "when-complete"]


class MonthEngine:
    """The months of a collector's plants. Call from the event loop's thread.

    Args:
        months: closes and seals.
        book: says how months stand.
        sources: the collector.
        clock: wall clock.
        closing: may a complete month close itself?
        settle_ns: how long it must have been complete.
    """

    def __init__(
        self,
        months: Months,
        book: MonthBook,
        sources: Sources,
        clock: Clock,
        *,
        closing: Closing = "by-hand",
        settle_ns: int = 0,
    ) -> None:
        self._months, self._book, self._sources = months, book, sources
        self._clock, self._closing, self._settle_ns = clock, closing, settle_ns
        self._facts, self._reader = book.facts, FactsReader(book.facts)
        self._turns, self._judging = Turns(COUNT_EACH_S), Turns(JUDGE_EACH_S)
        self._amiss, self._standing = dict[str, str](), dict[tuple[str, str], str]()
        self._refused: dict[tuple[str, str], float] = {}
        self._began: list[Ordered] | None = None
        self._orders: set[asyncio.Task[None]] = set()
        self._busy: set[tuple[str, str]] = set()  # (plant, month) that are being closed
        self._archives = self.noted = StandingArchives(book.facts, months.archives)
        self._counting = asyncio.Lock()

    # -- what one may ask -------------------------------------------------------------------------

    def rows(self, plant: str) -> Sequence[Mapping[str, Any]]:
        """JSON-ready: every month of a plant, newest first, with its state. Any thread."""
        return self._book.rows(plant, self._clock.wall_ns())

    def month(self, plant: str, month: str) -> Mapping[str, Any] | None:
        """JSON-ready: a month's checklist; None for one that the plant has not. Any thread."""
        found = self._book.month(plant, month, self._clock.wall_ns())
        if found is None:
            return None
        refused = self._standing.get((plant, REFUSED), "")
        return {
            **found,
            "progress": self._months.progress.row(plant, month),
            "refused": without_paths(refused),
            "counting": without_paths(self._amiss.get(plant, "")),
        }

    def archives(self, plant: str) -> Sequence[Mapping[str, Any]]:
        """JSON-ready: the archives of a plant, as `Months.list`. Any thread."""
        return self._months.list(plant)

    # -- orders -----------------------------------------------------------------------------------

    async def close(
        self,
        plant: str,
        month: str,
        *,
        closing: str,
        amend: bool = False,
        reason: str = "",
        by: str = ENGINE,
    ) -> Mapping[str, Any]:
        """As `Months.close`; a month that is not complete is closed for good by a reason only.

        The reason, what is owed, and `by` whom it was decided are logged before the close.

        Raises:
            MonthRefusedError: it cannot be closed; the sentence says why.
        """
        if closing != FINAL:
            return await self._months.close(
                plant, month, closing=closing, amend=amend, reason=reason
            )
        self._require_idle(plant, month)
        self._busy.add((plant, month))
        try:
            return await self._close_for_good(plant, month, amend=amend, reason=reason, by=by)
        finally:
            self._busy.discard((plant, month))

    async def seal(
        self, plant: str, month: str, *, reason: str = "", reply: bytes = b""
    ) -> Mapping[str, Any]:
        """As `Months.seal`."""
        facts = await self._months.seal(plant, month, reason=reason, reply=reply)
        await self._closed(plant)
        return facts

    async def _close_for_good(
        self, plant: str, month: str, *, amend: bool, reason: str, by: str
    ) -> Mapping[str, Any]:
        """Close what nobody else closes just now, remembered until it is done."""
        if not amend:
            await asyncio.to_thread(self._require_complete, plant, month, reason)
        ordered = Ordered(plant, month, amend, reason, by, self._clock.wall_ns())
        await asyncio.to_thread(self._facts.order, ordered)
        try:
            facts = await self._close_now(ordered)
        except MonthRefusedError:
            await asyncio.to_thread(self._facts.done, plant, month)
            raise
        await self._done(plant, month)
        return facts

    async def _done(self, plant: str, month: str) -> None:
        """A closing is done; where the disk refuses to forget it, the next start seals it again."""
        try:
            await asyncio.to_thread(self._facts.done, plant, month)
        except StoreError:
            log.exception(
                "%s %s is closed, and remembered as closing", plant, month, extra=about(plant)
            )
        await self._closed(plant)

    async def _closed(self, plant: str) -> None:
        """Something of a plant was closed or sealed: count it, and tell of it at once.

        It stands whatever becomes of the counting, which the next look tries again.
        """
        self._archives.forget()
        try:
            await self._catch_up(self._sources.evidence(plant))
        except (StoreError, LookupError) as error:
            log.exception("%s: what was closed cannot be counted now", plant, extra=about(plant))
            self._amiss[plant] = str(error)
        self._judging.forget(plant)

    async def begin(self, plant: str, month: str, *, amend: bool, reason: str, by: str) -> None:
        """Order a closing for good and do not wait for it: `month` tells how far it is.

        Raises:
            MonthRefusedError: it is not complete, and no reason is given; or it is being closed.
        """
        self._require_idle(plant, month)
        if not amend:
            await asyncio.to_thread(self._require_complete, plant, month, reason)
            self._require_idle(plant, month)  # somebody else may have ordered it meanwhile
        self._refused.pop((plant, month), None)
        order = self._order(plant, month, amend=amend, reason=reason, by=by)
        self._start(plant, month, order)

    def _require_idle(self, plant: str, month: str) -> None:
        """A second order would amend what the first has just closed, or forget that it runs."""
        if (plant, month) in self._busy:
            raise MonthRefusedError(f"{plant} {month} is being closed already")

    def _require_complete(self, plant: str, month: str, reason: str) -> None:
        blocking = self._blocking(plant, month)
        if blocking and not reason:
            told = ", ".join(
                f"{one['values'].get('flag', one['what'])} ({one['by']})" for one in blocking[:5]
            )
            more = len(blocking) - 5
            told += f" and {more} more" if more > 0 else ""
            raise MonthRefusedError(
                f"{plant} {month} is not complete: {told}; see stackproof cloud month show. To "
                "close it as it is, give --reason TEXT"
            )

    def _blocking(self, plant: str, month: str) -> list[Mapping[str, Any]]:
        """What keeps a month from being complete."""
        found = self._book.month(plant, month, self._clock.wall_ns())
        if found is None or found["state"] not in (State.WAITING, State.LATE):
            return []  # open, or closed already: `Months` says so
        return [one for one in found["owed"] if one["blocks"]]

    async def _decide(self, ordered: Ordered, flags: Sequence[str] = ()) -> list[str]:
        """What is not complete is closed by a decision that stands in the log.

        Args:
            ordered: the closing.
            flags: of the statement: what was counted for the checklist may be behind it.

        Returns:
            Flags that the decision names.
        """
        blocking = await asyncio.to_thread(self._blocking, ordered.plant, ordered.month)
        blocking += [row for row in owed_rows(flags) if row not in blocking]
        papers = self._sources.papers(ordered.plant)
        if not blocking or papers is None:
            return []
        named = [str(one["values"]["flag"]) for one in blocking if one["what"] == "flag"]
        zone = await asyncio.to_thread(self._book.zone, ordered.plant)
        owed = [
            {"what": month_texts.owed("en", one, zone)[:TEXT_MAX], "by": one["by"][:TEXT_MAX]}
            for one in blocking[:ROWS_MAX]
        ]
        body = {"reason": ordered.reason, "by": ordered.by, "owed": owed}
        decided = decisions(papers, ordered.month)
        if any(dict(one.document.body) == body for one in decided):
            return named  # before a kill
        try:
            now_s = self._clock.wall_ns() // 10**9
            await self._sources.decide(ordered.plant, ordered.month, body, now_s)
        except (EvidenceError, StoreError) as error:
            raise MonthRefusedError(f"the decision cannot be logged: {error}") from error
        return named

    async def _close_now(self, ordered: Ordered) -> Mapping[str, Any]:
        plant, month = ordered.plant, ordered.month
        if ordered.amend:
            return await self._months.close(
                plant, month, closing=FINAL, amend=True, reason=ordered.reason
            )
        decided = await self._decide(ordered)
        try:
            return await self._months.close(plant, month, closing=FINAL, decided=decided)
        except MonthOwesError as error:
            if not ordered.reason:
                raise
            decided = await self._decide(ordered, error.flags)
        return await self._months.close(plant, month, closing=FINAL, decided=decided)

    async def _order(
        self, plant: str, month: str, *, amend: bool = False, reason: str = "", by: str = ENGINE
    ) -> None:
        """Close, and leave what is refused standing as an alarm."""
        try:
            await self._close_for_good(plant, month, amend=amend, reason=reason, by=by)
        except MonthRefusedError as error:
            self._refused[plant, month] = time.monotonic()
            await self._say(plant, REFUSED, f"{month}: {error}")
        else:
            await self._say(plant, REFUSED, "")

    # -- the loop ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Run beside the collector, from now on."""
        self._running = asyncio.create_task(self.run())

    async def stop(self) -> None:
        """End; a closing that runs gives up, and the next start goes on with it."""
        self._months.progress.stop()
        for task in (self._running, *self._orders):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def run(self) -> None:
        """Look again and again, for ever."""
        while True:
            try:
                await self.look()
            except Exception:  # a defect of one look: it is tried again
                log.exception("months could not be looked at; they are again")
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Count what came, end what was begun before the start, begin what is due."""
        if self._began is None:
            self._began = await asyncio.to_thread(self._facts.ordered)
        with contextlib.suppress(StoreError):  # each plant tells of it
            await asyncio.to_thread(self._archives.look)
        plants = self._sources.plants()
        for plant in plants:
            try:
                await self._look(plant, self._began, len(plants))
            except Exception:  # one plant's defect: the others' months go on
                log.exception("%s: its months could not be looked at", plant, extra=about(plant))

    async def idle(self) -> None:
        """Wait until no closing runs that was begun here."""
        await asyncio.gather(*self._orders)

    async def _look(self, plant: str, began: list[Ordered], of: int) -> None:
        try:
            evidence = self._sources.evidence(plant)
            has_news = plant in self._amiss or self._archives.has_news(plant)
            is_due = has_news or self._turns.is_due(plant, evidence.size, of)
            if is_due and not await self._catch_up(evidence):
                return
            for ordered in [one for one in began if one.plant == plant]:
                began.remove(ordered)
                if (plant, ordered.month) not in self._busy:  # else somebody has ordered it anew
                    self._start(plant, ordered.month, self._finish(ordered))
            await self._judge(plant, of)
        except (StoreError, LookupError, MonthRefusedError) as error:
            if self._amiss.get(plant) != str(error):
                log.error("%s: months not looked at: %s", plant, error, extra=about(plant))  # noqa: TRY400 - says all
            self._amiss[plant] = str(error)

    async def _catch_up(self, evidence: PlantEvidence) -> bool:
        """Count what came, False where more is left; half of the time is left to others."""
        async with self._counting:
            plant, size, is_done = evidence.plant, evidence.size, False
            until_s = time.monotonic() + TURN_S  # a gateway may sign faster than this counts
            while not is_done and time.monotonic() < until_s:
                await self._sources.turn()
                began_s = time.monotonic()
                is_done = await asyncio.to_thread(self._count, evidence)
                await asyncio.sleep(time.monotonic() - began_s)
            await self._archives.catch_up(plant)
        self._turns.looked(plant, size if is_done else None)
        self._book.forget(plant)
        self._amiss.pop(plant, None)
        return is_done

    def _count(self, evidence: PlantEvidence) -> bool:
        try:
            return self._reader.follow(evidence, PIECE)
        except (EvidenceError, ValueError, LookupError, TypeError, ArithmeticError) as error:
            # a form that nobody thought of: the plant's months wait, the others go on
            raise StoreError(f"an object cannot be counted: {error!r}") from error

    async def _finish(self, ordered: Ordered) -> None:
        """A closing that a kill interrupted: seal what the log closed, or close again."""
        plant, month = ordered.plant, ordered.month
        close = newest_final(await asyncio.to_thread(self._facts.closes, plant), month)
        is_logged = close is not None and close.received_ns >= ordered.at_ns
        how = "sealed now" if is_logged else "again"
        log.warning("%s %s was being closed before: %s", plant, month, how, extra=about(plant))
        try:
            if is_logged:
                why = ordered.reason if ordered.amend else ""
                await self._months.seal(plant, month, reason=why)
            else:
                await self._close_now(ordered)
        except MonthRefusedError as error:
            await self._say(plant, REFUSED, f"{month}: {error}")
        await self._done(plant, month)

    async def _judge(self, plant: str, of: int) -> None:
        """Alarms, and what may close itself: once a minute, of many plants less often."""
        now_ns = self._clock.wall_ns()
        if not self._judging.is_due(plant, now_ns // MINUTE_NS, of):
            return
        self._judging.looked(plant, now_ns // MINUTE_NS)
        rows = await asyncio.to_thread(self._book.rows, plant, now_ns)
        late = sorted(str(row["month"]) for row in rows if row["state"] == State.LATE)
        await self._say(plant, LATE, f"not closed in time: {', '.join(late)}" if late else "")
        busy = {plant for plant, _ in self._busy}
        if self._closing != "when-complete" or plant in busy or len(busy) >= AT_ONCE:
            return
        for row in reversed(rows):
            month = str(row["month"])
            again_s = self._refused.get((plant, month), float("-inf")) + AGAIN_S
            may = may_close_itself(row["state"], row["since_ns"], self._settle_ns, now_ns)
            if may and time.monotonic() > again_s:
                log.info("%s %s is complete and closes itself", plant, month, extra=about(plant))
                self._start(plant, month, self._order(plant, month))
                return

    def _start(self, plant: str, month: str, order: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(order)
        self._busy.add((plant, month))
        self._orders.add(task)
        task.add_done_callback(lambda task: self._ended(plant, month, task))

    def _ended(self, plant: str, month: str, task: asyncio.Task[None]) -> None:
        self._busy.discard((plant, month))
        self._orders.discard(task)
        if not task.cancelled() and (defect := task.exception()) is not None:
            log.error("a closing ended by a defect", exc_info=defect, extra=about(plant))

    async def _say(self, plant: str, reason: str, sentence: str) -> None:
        if self._standing.get((plant, reason), "") == sentence:
            return
        if sentence:
            log.error("plant %s: %s", plant, sentence, extra=about(plant))
        self._standing[plant, reason] = sentence
        await self._sources.alarm(plant, reason, sentence)
