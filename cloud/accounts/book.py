"""What the desks of accounts share: store, clock, and the log with its budget for refusals."""

import contextlib
from collections.abc import Iterator

from cloud.accounts.errors import AccountError
from cloud.accounts.rows import (
    DEVICE_NS,
    Account,
    Cookie,
    Device,
    Link,
    Session,
    Token,
)
from cloud.accounts.security_log import KEPT_NS, Budget, Event
from cloud.accounts.store import AccountStore, Transaction
from cloud.accounts.waiting import FORGOTTEN_NS, Lane
from cloud.clock import Clock

TIDY_NS = 3_600_000_000_000


class Book:
    """Store, clock and log.

    Args:
        store: the open file.
        clock: wall clock.
    """

    def __init__(self, store: AccountStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._refusals, self._acts = Budget(), dict[str, Budget]()
        self._tidied_ns = 0

    @contextlib.contextmanager
    def begin(self) -> Iterator[tuple[Transaction, int]]:
        """(a transaction, now in UTC ns)."""
        with self._store.begin() as transaction:
            now_ns = self._clock.wall_ns()
            if abs(now_ns - self._tidied_ns) >= TIDY_NS:
                self._tidied_ns = now_ns
                _tidy(transaction, now_ns)
            yield transaction, now_ns

    def log(self, transaction: Transaction, now_ns: int, event: Event) -> None:
        """Log what somebody did; AccountError, and so undone, when that is too often."""
        if event.by and self._acts.setdefault(event.by, Budget()).take(now_ns) is None:
            raise AccountError("often", 429)
        transaction.log(now_ns, event)

    def refused(self, event: Event) -> None:
        """Log a refusal, as far as there is room for it."""
        with self.begin() as (transaction, now_ns):
            self.refused_in(transaction, now_ns, event)

    def refused_in(self, transaction: Transaction, now_ns: int, event: Event) -> None:
        """Likewise in a transaction that is open."""
        out = self._refusals.take(now_ns)
        if out is None:
            return
        if out:
            transaction.log(now_ns, Event("refusals-not-listed", detail=str(out)))
        transaction.log(now_ns, event)


def standing(transaction: Transaction, account: str) -> Account:
    """An account that was not ended; AccountError for any other."""
    found = transaction.get(Account, account)
    if found is None or found.ended_ns:
        raise AccountError("nobody", 404)
    return found


def end_sessions(transaction: Transaction, account: str, but: str = "") -> int:
    """End an account's sessions, but for one; how many."""
    ended = [row for row in transaction.all(Session, account) if row.id != but]
    for session in ended:
        end_session(transaction, session)
    return len(ended)


def end_session(transaction: Transaction, session: Session) -> None:
    """Drop a session and its cookies."""
    transaction.drop(session, *transaction.all(Cookie, session.id))


def _tidy(transaction: Transaction, now_ns: int) -> None:
    """Drop what has ended, and the log's rows that are old enough."""
    for session in transaction.all(Session):
        if not session.is_young(now_ns):
            end_session(transaction, session)
    transaction.drop(*(row for row in transaction.all(Link) if row.until_ns <= now_ns))
    transaction.drop(*(row for row in transaction.all(Token) if row.until_ns <= now_ns))
    transaction.drop(
        *(row for row in transaction.all(Device) if now_ns - row.seen_ns > DEVICE_NS),
        *(row for row in transaction.all(Lane) if now_ns - row.newest_ns > FORGOTTEN_NS),
    )
    transaction.forget_log(now_ns - KEPT_NS)
