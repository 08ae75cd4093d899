"""The desk where accounts are invited, accepted, changed and ended. Any thread.

An account is ended and never deleted, and its id is never given again: evidence names it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from cloud.accounts.book import Book, end_sessions, standing
from cloud.accounts.errors import AccountError
from cloud.accounts.passwords import check_password, hash_password
from cloud.accounts.roles import (
    ADMINISTRATORS,
    EVERY_PLANT,
    Principal,
    Profile,
    Right,
    check_id,
    check_profile,
    check_text,
)
from cloud.accounts.rows import (
    LINK_NS,
    Account,
    Device,
    Link,
    Token,
    new_secret,
    sha256,
)
from cloud.accounts.security_log import Event, LogRow
from cloud.accounts.sign_in import SignedIn, open_session
from cloud.accounts.store import Transaction
from cloud.accounts.totp import matching_step
from cloud.accounts.totp import new_secret as new_key
from cloud.accounts.waiting import Lane

#: as many keys as an archive may have persons (evidence/RECORDS.md)
ACCOUNTS_MAX = 10_000
LOG_ROWS_MAX = 1_000


@dataclass(frozen=True)
class Invited:
    """What an invited person sees behind the link: the account, and the second factor's key."""

    account: Account
    second_factor: bytes


class People:
    """Accounts.

    Args:
        book: store, clock and log.
        plants: ids of the collector's plants.
    """

    def __init__(self, book: Book, plants: Collection[str]) -> None:
        self._book, self._plants = book, frozenset(plants)

    def accounts(self) -> Sequence[Account]:
        """All there ever were, by id."""
        with self._book.begin() as (transaction, _):
            return transaction.all(Account)

    def account(self, ident: str) -> Account:
        """One that stands; AccountError for any other."""
        with self._book.begin() as (transaction, _):
            return standing(transaction, ident)

    def invite(  # noqa: PLR0917 - who, what, and from where: one order in all of this desk
        self, by: Principal, ident: str, name: str, organisation: str, profile: Profile,
        address: str = "",
    ) -> str:  # fmt: skip
        """A new account; what its one-time link must carry.

        Raises:
            AccountError: something is wrong with it, or the id is or was somebody's.
        """
        check_id(ident)
        check_text(name)
        check_text(organisation)
        self._check(by, profile)
        with self._book.begin() as (transaction, now_ns):
            if transaction.get(Account, ident) is not None:
                raise AccountError("id-taken", 409)
            if len(transaction.all(Account)) >= ACCOUNTS_MAX:
                raise AccountError("too-many", 409)
            account = Account(
                ident, ident, name, organisation, profile.role, profile.region,
                ",".join(profile.plants), now_ns,
            )  # fmt: skip
            transaction.put(account)
            told = Event("invited", ident, by.account, address, profile.told())
            self._book.log(transaction, now_ns, told)
            return _new_link(transaction, ident, now_ns)

    def renew(self, by: Principal, ident: str, address: str = "") -> str:
        """A new one-time link: for a password or second factor that is lost. AccountError likewise.

        What the person has goes on working until the link is used.
        """
        with self._book.begin() as (transaction, now_ns):
            account = standing(transaction, ident)
            if Right.ACCOUNTS not in by.rights and account.role not in ADMINISTRATORS:
                raise AccountError("administrators-only", 403)
            self._book.log(transaction, now_ns, Event("link-renewed", ident, by.account, address))
            return _new_link(transaction, ident, now_ns)

    def invited(self, secret: str) -> Invited:
        """Whom a link is for; AccountError where it is used, too old, or none."""
        with self._book.begin() as (transaction, now_ns):
            link = _link(transaction, secret, now_ns)
            return Invited(standing(transaction, link.owner), bytes.fromhex(link.second_factor))

    def accept(
        self, secret: str, password: str, code: str, *, device: str = "", address: str = ""
    ) -> SignedIn:
        """Use a link: its password and second factor count from now on, and no other.

        Raises:
            AccountError: the link is none, the password is not taken, or the code is wrong.
        """
        account = self.invited(secret).account
        check_password(password, (account.id, account.name, account.organisation))
        kept = hash_password(password)
        with self._book.begin() as (transaction, now_ns):
            link = _link(transaction, secret, now_ns)
            account = standing(transaction, link.owner)
            key = bytes.fromhex(link.second_factor)
            step = matching_step(key, code, now_ns // 1_000_000_000, 0)
            if step is not None:
                _let_go(transaction, account.id)
                account = replace(
                    account, phc=kept, second_factor=link.second_factor, last_step=step
                )
                transaction.put(account)
                self._book.log(
                    transaction, now_ns, Event("link-used", account.id, account.id, address)
                )
                return open_session(transaction, account, now_ns, device, address)
            event = Event("link-refused", account.id, "", address, "wrong code")
            self._book.refused_in(transaction, now_ns, event)
        raise AccountError("wrong-code", 403)

    def change_password(self, who: Principal, password: str, address: str = "") -> None:
        """Another password (the one before was checked); all other sessions end."""
        with self._book.begin() as (transaction, _):
            account = standing(transaction, who.account)
        check_password(password, (account.id, account.name, account.organisation))
        kept = hash_password(password)
        with self._book.begin() as (transaction, now_ns):
            transaction.put(replace(standing(transaction, who.account), phc=kept))
            end_sessions(transaction, who.account, but=who.session)
            self._book.log(
                transaction, now_ns, Event("password-changed", who.account, who.account, address)
            )

    def change(self, by: Principal, ident: str, profile: Profile, address: str = "") -> None:
        """Another role, region or plants; the account's sessions and tokens end. AccountError."""
        self._check(by, profile)
        with self._book.begin() as (transaction, now_ns):
            account = self._of_others(transaction, by, ident)
            transaction.put(
                replace(
                    account, role=profile.role, region=profile.region,
                    plants=",".join(profile.plants),
                )
            )  # fmt: skip
            end_sessions(transaction, ident)
            transaction.drop(*transaction.all(Token, ident))
            detail = f"{account.profile.told()} -> {profile.told()}"
            self._book.log(
                transaction, now_ns, Event("role-changed", ident, by.account, address, detail)
            )

    def end(self, by: Principal, ident: str, address: str = "") -> None:
        """End an account for good. AccountError for one's own."""
        with self._book.begin() as (transaction, now_ns):
            account = self._of_others(transaction, by, ident)
            _let_go(transaction, ident)
            transaction.put(replace(account, phc="", second_factor="", ended_ns=now_ns))
            self._book.log(transaction, now_ns, Event("ended", ident, by.account, address))

    def log_rows(self, after: int = 0, count: int = LOG_ROWS_MAX) -> Sequence[LogRow]:
        """Rows of the security log behind a number, oldest first; at most 1,000."""
        with self._book.begin() as (transaction, _):
            return transaction.log_rows(after, min(count, LOG_ROWS_MAX))

    def _of_others(self, transaction: Transaction, by: Principal, ident: str) -> Account:
        if ident == by.account:
            raise AccountError("own", 409)
        return standing(transaction, ident)

    def _check(self, by: Principal, profile: Profile) -> None:
        check_profile(profile)
        if Right.ACCOUNTS not in by.rights and profile.role not in ADMINISTRATORS:
            raise AccountError("administrators-only", 403)
        if unknown := set(profile.plants) - self._plants - {EVERY_PLANT}:
            raise AccountError("plants-unknown", plants=", ".join(sorted(unknown)))


def _new_link(transaction: Transaction, account: str, now_ns: int) -> str:
    """One link an account: those before count no more."""
    transaction.drop(*transaction.all(Link, account))
    secret = new_secret()
    transaction.put(Link(sha256(secret), account, new_key().hex(), now_ns + LINK_NS))
    return secret


def _link(transaction: Transaction, secret: str, now_ns: int) -> Link:
    link = transaction.get(Link, sha256(secret))
    if link is None or now_ns >= link.until_ns:
        raise AccountError("link", 404)
    return link


def _let_go(transaction: Transaction, account: str) -> None:
    """Drop everything by which somebody can be this account."""
    end_sessions(transaction, account)
    transaction.drop(
        *transaction.all(Link, account), *transaction.all(Device, account),
        *transaction.all(Lane, account), *transaction.all(Token, account),
    )  # fmt: skip
