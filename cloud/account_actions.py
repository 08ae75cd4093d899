"""Tells the plants' evidence logs what happened to accounts: once a day, and trust at once.

Nothing is kept beside the two logs: what a plant was told stands in its own, and what it was not
told yet is counted from the security log again at each start.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from cloud.accounts.book import Book
from cloud.accounts.digest import AT_ONCE, Anchor, Tally, agrees, counted, is_due
from cloud.accounts.roles import Profile
from cloud.accounts.rows import Account
from cloud.accounts.security_log import LogRow
from cloud.accounts.store import Transaction
from cloud.clock import Clock
from cloud.errors import StoreError
from cloud.records.papers import Papers
from evidence.documents.actions import ACTIONS, SECURITY_LOG
from evidence.errors import EvidenceError
from evidence.log_lines import about

log = logging.getLogger("stackproof.cloud.accounts")

#: seconds between two looks at the security log
LOOK_S = 5.0


class Records(Protocol):
    """`RecordDesk`, as far as it is needed here."""

    def papers(self, plant: str) -> Papers:
        """A plant's documents; LookupError, StoreError where there are none to be had."""

    async def sign(
        self, plant: str, kind: str, about: str, body: Mapping[str, Any], signed_s: int
    ) -> Mapping[str, Any]:
        """Log a document of the collector itself."""


class AccountActions:
    """What happened to accounts, on its way into the plants' logs. The event loop's thread.

    Args:
        book: of accounts, with the security log.
        records: documents of the plants.
        regions: every plant of the collector -> its GB/T 2260 code.
        clock: the collector's clock.
    """

    def __init__(
        self, book: Book, records: Records, regions: Mapping[str, str], clock: Clock
    ) -> None:
        self._book, self._records, self._regions, self._clock = book, records, regions, clock
        self._newest: LogRow | None = None  # the newest row that was counted
        self._since = dict[str, int]()  # plant -> row up to which its log was told at the beginning
        self._told_ns = dict[str, list[int]]()  # plant -> when it was told; the newest few
        self._waiting = dict[str, Tally]()  # plant -> what it was not told yet
        self._amiss = dict[str, str]()

    @contextlib.asynccontextmanager
    async def beside(self) -> AsyncIterator[None]:
        """Run beside the collector."""
        running = asyncio.create_task(self._run())
        try:
            yield
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
                self._amiss.pop("", None)
            except Exception as error:  # a file that somebody wrote into; people go on signing in
                if self._amiss.get("") != repr(error):
                    log.exception("the security log cannot be counted; tried again")
                self._amiss[""] = repr(error)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Count what came, and tell every plant that is due."""
        await asyncio.to_thread(self._count)
        now_ns = self._clock.wall_ns()
        for plant, tally in list(self._waiting.items()):
            if is_due(tally, self._told_ns[plant], now_ns):
                await self._tell(plant, tally, now_ns // 10**9)

    async def _tell(self, plant: str, tally: Tally, now_s: int) -> None:
        assert self._newest is not None  # noqa: S101 - something was counted
        body = tally.body(self._newest)
        try:
            row = await self._records.sign(plant, ACTIONS, SECURITY_LOG, body, now_s)
        except (EvidenceError, StoreError, LookupError) as error:
            self._say(plant, f"plant {plant}: actions of accounts are NOT logged: {error}")
            return
        self._amiss.pop(plant, None)
        self._told_ns[plant] = [*self._told_ns[plant], int(row["received_ns"])][-AT_ONCE:]
        del self._waiting[plant]

    def _say(self, plant: str, sentence: str) -> None:
        if self._amiss.get(plant) != sentence:
            log.error("%s", sentence, extra=about(plant))
        self._amiss[plant] = sentence

    # -- counting: a worker thread ----------------------------------------------------------------

    def _count(self) -> None:
        """Count the rows that came; all over again where the logs are not those of before."""
        papers = self._papers()
        with self._book.begin() as (transaction, _):
            newest = next(transaction.log_rows_back(0), None)
            if papers.keys() != self._told_ns.keys() or not self._goes_on(transaction):
                self._begin(papers, transaction)
            if newest is None or newest == self._newest:
                return
            after = self._newest.seq if self._newest else min(self._since.values(), default=0)

            def profile_of(account: str) -> Profile | None:
                found = transaction.get(Account, account)
                return found.profile if found else None

            regions = {plant: self._regions[plant] for plant in papers}
            tallies = counted(
                transaction.log_rows_back(after), profile_of, regions, self._since
            )  # fmt: skip
        for plant, tally in tallies.items():
            self._waiting.setdefault(plant, Tally()).merge(tally)
        self._newest = newest

    def _papers(self) -> dict[str, Papers]:
        """Of the plants that can be told just now."""
        found = dict[str, Papers]()
        for plant in self._regions:
            with contextlib.suppress(LookupError, StoreError):  # said at the start, and on pages
                found[plant] = self._records.papers(plant)
        return found

    def _goes_on(self, transaction: Transaction) -> bool:
        return self._newest is None or _row_from(transaction, self._newest.seq) == self._newest

    def _begin(self, papers: Mapping[str, Papers], transaction: Transaction) -> None:
        """What each plant was told, and up to which row that is still true."""
        self._newest, self._since, self._told_ns, self._waiting = None, {}, {}, {}
        rows, amiss = dict[int, LogRow | None](), list[Anchor]()
        for plant, held in papers.items():
            told = [
                Anchor.of(plant, one.index, one.received_ns, one.document.body)
                for one in held.of_kind(ACTIONS)
            ]
            self._told_ns[plant] = [anchor.received_ns for anchor in told[-AT_ONCE:]]
            for anchor in reversed(told):
                if anchor.number not in rows:
                    rows[anchor.number] = _row_from(transaction, anchor.number)
                if agrees(anchor, rows[anchor.number]):
                    self._since[plant] = anchor.number
                    break
            self._since.setdefault(plant, 0)
            if told and self._since[plant] != told[-1].number:
                amiss.append(told[-1])
        if amiss:
            log.error(
                "the security log is not the one that %s names: see stackproof cloud accounts log "
                "--check", amiss[0],
            )  # fmt: skip


def _row_from(transaction: Transaction, number: int) -> LogRow | None:
    """The oldest row that is kept from a number on."""
    return next(iter(transaction.log_rows(number - 1, 1)), None)
