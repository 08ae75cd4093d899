"""The desk where people sign in and out, and where a cookie or token says who asks. Any thread."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Semaphore

from cloud.accounts.addresses import AddressTries
from cloud.accounts.book import Book, end_session, end_sessions
from cloud.accounts.errors import AccountError
from cloud.accounts.passwords import LENGTH_MAX, NOBODY, is_password
from cloud.accounts.roles import Principal, principal
from cloud.accounts.rows import (
    MARK,
    MINUTE_NS,
    OPEN,
    OVERLAP_NS,
    TURN_NS,
    Account,
    Cookie,
    Device,
    Session,
    Token,
    new_secret,
    sha256,
    short_id,
)
from cloud.accounts.security_log import Event
from cloud.accounts.store import Transaction
from cloud.accounts.totp import matching_step
from cloud.accounts.waiting import Lane, lane_of

#: passwords hashed at once (47 MB each): of browsers that signed in before, and of strangers
HASHING = 2
#: how often it is written down that a session is in use
SEEN_NS = MINUTE_NS
SESSIONS_MAX, DEVICES_MAX = 10, 10


@dataclass(frozen=True)
class SignedIn:
    """What a browser gets: two cookies; the second says that it is no stranger here."""

    principal: Principal
    cookie: str
    device: str


class SignIn:
    """Sessions and who they are.

    Args:
        book: store, clock and log.
    """

    def __init__(self, book: Book) -> None:
        self._book = book
        self._browsers, self._strangers = Semaphore(HASHING), Semaphore(HASHING)
        self._addresses = AddressTries()

    def sign_in(
        self, account: str, password: str, code: str, *, device: str = "", address: str = ""
    ) -> SignedIn:
        """A session for whoever has both factors.

        Args:
            account: id as typed.
            password: as typed.
            code: of the second factor, as typed.
            device: the browser's cookie of an earlier sign-in, "" for none.
            address: where it comes from.

        Raises:
            AccountError: "wrong" for whatever is wrong, "wait", "wait-address", or "busy".
        """
        kept, lane = self._try(account, address, device)
        room = self._browsers if lane.is_browser else self._strangers
        if not _is_right(room, password, kept.phc if kept else NOBODY):
            kept = None
        with self._book.begin() as (transaction, now_ns):
            # what was changed while the password was hashed counts
            now = transaction.get(Account, account) if kept else None
            step = None
            if now is not None and now == kept and now.is_active:
                step = _step(now, code, now_ns)
            if now is not None and step is not None:
                transaction.put(now := replace(now, last_step=step))
                transaction.drop(lane)
                if not lane.is_browser:
                    self._addresses.give_back(address)
                self._book.log(transaction, now_ns, Event("sign-in", account, account, address))
                return open_session(transaction, now, now_ns, device, address)
            event = Event("sign-in-refused", lane.owner, "", address, f"try {lane.tries}")
            self._book.refused_in(transaction, now_ns, event)
        raise AccountError("wrong", 401)

    def _try(
        self, account: str, address: str, device: str = "", *, own: bool = False
    ) -> tuple[Account | None, Lane]:
        """The account if it may sign in, and the lane with this try counted in.

        Args:
            account: id.
            address: where it comes from.
            device: cookie of an earlier sign-in.
            own: it is somebody who is signed in, and has a lane for that.
        """
        with self._book.begin() as (transaction, now_ns):
            known = transaction.get(Account, account)
            browser = transaction.get(Device, sha256(device)) if device else None
            is_browser = browser is not None and browser.owner == account
            number = sha256(device)[:16] if is_browser else "own" if own else ""
            ident = lane_of(account, number, is_known=known is not None)
            owner = known.id if known else ""
            lane = transaction.get(Lane, ident) or Lane(ident, owner)
            key, detail, pause_ns = "wait", "has to wait", lane.pause_ns(now_ns)
            if not pause_ns and not lane.is_browser:
                pause_ns = self._addresses.take(address, now_ns)
                key, detail = "wait-address", "address has to wait"
            if not pause_ns:
                transaction.put(lane := lane.after_try(now_ns))
                return (known if known and known.is_active else None), lane
            event = Event("sign-in-refused", owner, "", address, detail)
            self._book.refused_in(transaction, now_ns, event)
        raise AccountError(key, 429, minutes=str(-(-pause_ns // MINUTE_NS)), address=address)

    def check_own(self, who: Principal, password: str) -> None:
        """AccountError unless this is the password of somebody who is signed in."""
        account, lane = self._try(who.account, "", own=True)
        if account is None or not _is_right(self._browsers, password, account.phc):
            raise AccountError("wrong-password", 403)
        with self._book.begin() as (transaction, _):
            transaction.drop(lane)

    # -- who asks ---------------------------------------------------------------------------------

    def by_cookie(
        self, cookie: str, address: str = "", *, turns: bool = True
    ) -> tuple[Principal | None, str]:
        """(who has the cookie, a new value for it or ""); None for nobody.

        Args:
            cookie: its value.
            address: where it comes from.
            turns: the answer can bring a new value.
        """
        with self._book.begin() as (transaction, now_ns):
            row = transaction.get(Cookie, sha256(cookie))
            session = transaction.get(Session, row.owner) if row else None
            if row is None or session is None:
                return None, ""
            if row.until_ns and now_ns >= row.until_ns:
                # a value that its browser has replaced long ago: somebody has a copy
                self._book.log(
                    transaction, now_ns, Event("cookie-replayed", session.owner, "", address)
                )
                end_session(transaction, session)
                return None, ""
            account = transaction.get(Account, session.owner)
            if account is None or not account.is_active or not session.stands(now_ns):
                end_session(transaction, session)
                return None, ""
            if now_ns - session.seen_ns >= SEEN_NS:
                transaction.put(session := replace(session, seen_ns=now_ns))
            value = _turn(transaction, row, now_ns) if turns else ""
            return as_principal(account, session), value

    def by_token(self, token: str) -> Principal | None:
        """Who has an API token, None for nobody."""
        ident = token.removeprefix(MARK).partition("_")[0]
        with self._book.begin() as (transaction, now_ns):
            row = transaction.get(Token, ident)
            kept = row.sha256 if row else sha256("")
            is_it = hmac.compare_digest(kept, sha256(token))
            account = transaction.get(Account, row.owner) if row else None
            if row is None or account is None or not is_it:
                return None
            if now_ns >= row.until_ns or not account.is_active:
                return None
            return principal(account.id, account.profile, row.scopes.split(","))

    def is_open(self, session: str) -> bool:
        """Does a session stand that an open live page came by? Watching is no use of it."""
        with self._book.begin() as (transaction, now_ns):
            found = transaction.get(Session, session)
            return found is not None and found.is_young(now_ns)

    # -- sessions ---------------------------------------------------------------------------------

    def sign_out(self, who: Principal, address: str = "") -> None:
        """End the session."""
        with self._book.begin() as (transaction, now_ns):
            session = transaction.get(Session, who.session)
            if session is not None:
                end_session(transaction, session)
                transaction.log(now_ns, Event("sign-out", who.account, who.account, address))

    def end_others(self, who: Principal, address: str = "") -> int:
        """End all other sessions of the account; how many."""
        with self._book.begin() as (transaction, now_ns):
            count = end_sessions(transaction, who.account, but=who.session)
            event = Event("sessions-ended", who.account, who.account, address, str(count))
            self._book.log(transaction, now_ns, event)
            return count

    def sessions(self, who: Principal) -> Sequence[Session]:
        """The account's sessions that stand, newest first."""
        with self._book.begin() as (transaction, now_ns):
            rows = [s for s in transaction.all(Session, who.account) if s.stands(now_ns)]
        return sorted(rows, key=lambda row: -row.made_ns)


def _is_right(room: Semaphore, password: str, kept: str) -> bool:
    """Compare a password, a few at a time."""
    if not room.acquire(blocking=False):
        raise AccountError("busy", 503)
    try:
        return len(password) <= LENGTH_MAX and is_password(password, kept)
    finally:
        room.release()


def open_session(
    transaction: Transaction, account: Account, now_ns: int, device: str, address: str
) -> SignedIn:
    """A new session with a new cookie, whatever the browser brought; the oldest ones end."""
    held = sorted(transaction.all(Session, account.id), key=lambda row: row.made_ns)
    for old in held[: max(0, len(held) - SESSIONS_MAX + 1)]:
        end_session(transaction, old)
    session = Session(short_id(), account.id, new_secret(), now_ns, now_ns, address)
    cookie = new_secret()
    transaction.put(session)
    transaction.put(Cookie(sha256(cookie), session.id, now_ns))
    known = transaction.get(Device, sha256(device)) if device else None
    if known is None or known.owner != account.id:
        device = new_secret()
    browsers = [d for d in transaction.all(Device, account.id) if d.id != sha256(device)]
    browsers.sort(key=lambda row: row.seen_ns)
    transaction.drop(*browsers[: max(0, len(browsers) - DEVICES_MAX + 1)])
    transaction.put(Device(sha256(device), account.id, now_ns))
    return SignedIn(as_principal(account, session), cookie, device)


def as_principal(account: Account, session: Session) -> Principal:
    """An account in a session."""
    who = principal(account.id, account.profile)
    return replace(who, session=session.id, csrf=session.csrf)


def _step(account: Account, code: str, now_ns: int) -> int | None:
    secret = bytes.fromhex(account.second_factor)
    return matching_step(secret, code, now_ns // 1_000_000_000, account.last_step)


def _turn(transaction: Transaction, row: Cookie, now_ns: int) -> str:
    """A new value where the cookie is due for one, else "".

    The old value counts until the new one was seen, and a minute longer: an answer may be lost, and
    several requests are under way at once.
    """
    cookies = transaction.all(Cookie, row.owner)
    newest = max(cookies, key=lambda cookie: cookie.until_ns == 0)
    if row == newest:
        for old in cookies:
            if old.until_ns == OPEN:
                transaction.put(replace(old, until_ns=now_ns + OVERLAP_NS))
    is_due = row == newest and now_ns - row.made_ns >= TURN_NS
    is_lost = row.until_ns == OPEN and now_ns - newest.made_ns >= OVERLAP_NS
    if not (is_due or is_lost):
        return ""
    if is_lost:  # nobody has shown the new value: its answer did not arrive
        transaction.drop(newest)
    value = new_secret()
    transaction.put(replace(row, until_ns=OPEN))
    transaction.put(Cookie(sha256(value), row.owner, now_ns))
    return value
