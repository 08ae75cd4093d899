"""Which rows of a table a viewer asks for: by words, what needs somebody, a page of them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlencode

ROWS_MAX = 100
WORDS_MAX = 100
PAGE_MAX = 1_000_000


class Row(Protocol):
    """A row of a table."""

    @property
    def words(self) -> Sequence[str]:
        """Texts in which a viewer's words are looked for."""

    @property
    def is_needing(self) -> bool:
        """Somebody has to look at it."""


R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class Ask:
    """What a viewer asks for.

    Attributes:
        words: all of them must stand in a row, in any letters; "" for every row.
        only: only what needs somebody.
        page: of `ROWS_MAX` rows, from 1.
    """

    words: str = ""
    only: bool = False
    page: int = 1

    def query(self, page: int = 1) -> str:
        """The same for another page, to be put behind an address: "?q=…", or "" for all rows."""
        given = {
            "q": self.words,
            "only": "1" if self.only else "",
            "page": page if page > 1 else "",
        }
        kept = {name: value for name, value in given.items() if value}
        return f"?{urlencode(kept)}" if kept else ""


@dataclass(frozen=True)
class Chosen(Generic[R]):
    """A page of what fits.

    Attributes:
        rows: of this page.
        ask: as it was answered: a page beyond the last is the last.
        fitting: rows of all pages.
        needing: rows that need somebody, asked for or not.
        every: rows there are.
    """

    rows: Sequence[R]
    ask: Ask
    fitting: int
    needing: int
    every: int

    @property
    def first(self) -> int:
        """Number of the first row shown, from 1; 0 where none is."""
        return (self.ask.page - 1) * ROWS_MAX + 1 if self.rows else 0

    @property
    def before(self) -> str | None:
        """The query of the page before; None at the first."""
        return self.ask.query(self.ask.page - 1) if self.ask.page > 1 else None

    @property
    def after(self) -> str | None:
        """The query of the next page; None at the last."""
        more = self.ask.page * ROWS_MAX < self.fitting
        return self.ask.query(self.ask.page + 1) if more else None


def choose(rows: Sequence[R], ask: Ask) -> Chosen[R]:
    """The page of rows, in their order, that is asked for."""
    words = ask.words.casefold().split()
    fitting = [row for row in rows if (row.is_needing or not ask.only) and _has(row, words)]
    page = min(ask.page, max(1, -(-len(fitting) // ROWS_MAX)))
    shown = fitting[(page - 1) * ROWS_MAX : page * ROWS_MAX]
    needing = sum(row.is_needing for row in rows)
    return Chosen(shown, replace(ask, page=page), len(fitting), needing, len(rows))


def _has(row: Row, words: Sequence[str]) -> bool:
    text = "\n".join(row.words).casefold() if words else ""
    return all(word in text for word in words)
