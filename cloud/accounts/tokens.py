"""The desk where people make tokens for their programs. Any thread."""

from collections.abc import Sequence

from cloud.accounts.book import Book, standing
from cloud.accounts.errors import AccountError
from cloud.accounts.roles import ROLES, TOKEN_RIGHTS, Principal, check_text
from cloud.accounts.rows import DAY_NS, TOKEN_DAYS_MAX, Token, new_token, sha256
from cloud.accounts.security_log import Event

TOKENS_MAX = 20


class Tokens:
    """API tokens: shown once, kept as a hash, never more than their owner may.

    Args:
        book: store, clock and log.
    """

    def __init__(self, book: Book) -> None:
        self._book = book

    def tokens(self, who: Principal) -> Sequence[Token]:
        """The account's tokens that stand."""
        with self._book.begin() as (transaction, now_ns):
            return [t for t in transaction.all(Token, who.account) if t.until_ns > now_ns]

    def make(
        self, who: Principal, name: str, scopes: Sequence[str], days: int, address: str = ""
    ) -> str:
        """A new token, for `days` from 1 to 365.

        Raises:
            AccountError: a right that the account does not have or tokens do not get, or too many.
        """
        check_text(name)
        if not 1 <= days <= TOKEN_DAYS_MAX:
            raise AccountError("token-days", most=str(TOKEN_DAYS_MAX))
        with self._book.begin() as (transaction, now_ns):
            account = standing(transaction, who.account)
            allowed = {str(right) for right in ROLES[account.role] & TOKEN_RIGHTS}
            if not scopes or not set(scopes) <= allowed:
                raise AccountError("token-scopes", 403)
            held = [t for t in transaction.all(Token, who.account) if t.until_ns > now_ns]
            if len(held) >= TOKENS_MAX:
                raise AccountError("token-many", 409, most=str(TOKENS_MAX))
            ident, token = new_token()
            kept = ",".join(sorted(set(scopes)))
            until_ns = now_ns + days * DAY_NS
            transaction.put(Token(ident, account.id, name, sha256(token), kept, now_ns, until_ns))
            detail = f"token={ident} scopes={kept} days={days}"
            self._book.log(
                transaction, now_ns, Event("token-made", account.id, account.id, address, detail)
            )
            return token

    def end(self, who: Principal, ident: str, address: str = "") -> None:
        """End a token of the account; AccountError when it has no such token."""
        with self._book.begin() as (transaction, now_ns):
            found = transaction.get(Token, ident)
            if found is None or found.owner != who.account:
                raise AccountError("token", 404)
            transaction.drop(found)
            event = Event("token-ended", who.account, who.account, address, f"token={ident}")
            self._book.log(transaction, now_ns, event)
