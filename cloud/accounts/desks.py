"""The desks of accounts in one bundle, over one book."""

from collections.abc import Mapping
from dataclasses import dataclass

from cloud.accounts.book import Book
from cloud.accounts.people import People
from cloud.accounts.roles import VISITOR, Principal
from cloud.accounts.sign_in import SignIn
from cloud.accounts.store import AccountStore
from cloud.accounts.tokens import Tokens
from cloud.clock import Clock


@dataclass(frozen=True)
class Accounts:
    """What the web side is given of accounts.

    Attributes:
        book: for refusals that are logged.
        sign_in: sessions, and who asks.
        people: accounts.
        tokens: of programs.
        regions: plant -> its GB/T 2260 code, "" where CLOUD.toml gives none.
        unsigned: who somebody is that does not say who it is.
    """

    book: Book
    sign_in: SignIn
    people: People
    tokens: Tokens
    regions: Mapping[str, str]
    unsigned: Principal

    def sees(self, who: Principal, plant: str) -> bool:
        """Is somebody for a plant?"""
        return who.sees(plant, self.regions.get(plant, ""))


def open_accounts(
    store: AccountStore, clock: Clock, regions: Mapping[str, str], unsigned: Principal = VISITOR
) -> Accounts:
    """The desks over an open store.

    Args:
        store: the open file; whoever opened it closes it.
        clock: wall clock.
        regions: of every plant of the collector.
        unsigned: `roles.STRANGER` where an account is needed, `roles.VISITOR` where none is.
    """
    book = Book(store, clock)
    return Accounts(book, SignIn(book), People(book, regions), Tokens(book), regions, unsigned)
