"""Parts of a long list: a row's place is in the row itself, so rows that come or go move no other.

Places are texts of letters that all machines order alike: plant first, the collector last, so that
a plant which moves to another collector meanwhile keeps its place. Pure.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

Row = TypeVar("Row")
Place = tuple[str, ...]
#: rows of one part, and of a list that is not asked for by parts
COUNT_MAX, WHOLE_MAX = 1_000, 20_000
#: characters of a place in an address
AFTER_MAX = 200


def _of_month(row: Mapping[str, Any]) -> Place:
    return row["plant"], row["month"]


def _of_alarm(row: Mapping[str, Any]) -> Place:
    return row["plant"], f"{row['number']:020}"


#: of each list: where among its rows one stands, without its collector
PLACES: Mapping[str, Callable[[Mapping[str, Any]], Place]] = {
    "plants": lambda row: (row["id"],),
    "overview": lambda row: (row["plant"]["id"],),
    "streams": lambda row: (row["plant"], row["gateway"]),
    "months": _of_month,
    "reviews": _of_month,
    "alarms": _of_alarm,
}


class TurnError(Exception):
    """No such part can be given; the sentence says what to ask for."""


@dataclass(frozen=True)
class Turn:
    """Which part is asked for.

    Attributes:
        after: place of the last row of the part before, "" for the beginning.
        count: how many rows at most; None for all of them.
    """

    after: str = ""
    count: int | None = None


ALL = Turn()


@dataclass(frozen=True)
class Turned(Generic[Row]):
    """A part of a list.

    Attributes:
        rows: of it, by their places; of a whole list as they came.
        next: what `after` is of the next part, None where nothing is left.
        more: how many rows are left.
    """

    rows: Sequence[Row]
    next: str | None = None
    more: int = 0

    def link(self, path: str, turn: Turn) -> str:
        """Where the next part is, as a Link header says it; "" for nowhere."""
        if self.next is None:
            return ""
        query = urlencode({"count": turn.count or COUNT_MAX, "after": self.next})
        return f'<{path}?{query}>; rel="next"'


def turned(rows: Iterable[tuple[Place, Row]], turn: Turn) -> Turned[Row]:
    """The part of a list that is asked for.

    Raises:
        TurnError: `after` is no place of this list, or it is too long to be given whole.
    """
    if turn == ALL:
        whole = [row for _, row in rows]
        if len(whole) > WHOLE_MAX:
            told = f"{len(whole)} rows are not given at once: ask by parts, ?count={COUNT_MAX}"
            raise TurnError(f"{told}, and follow the Link header")
        return Turned(whole)
    found = sorted(rows, key=lambda one: one[0])
    place = tuple(turn.after.split("/"))
    if turn.after and found and len(place) != len(found[0][0]):
        raise TurnError("after is not the `next` of an answer to this question")
    behind = [one for one in found if not turn.after or one[0] > place]
    shown = behind[: turn.count or COUNT_MAX]
    more = len(behind) - len(shown)
    return Turned([row for _, row in shown], "/".join(shown[-1][0]) if more else None, more)
