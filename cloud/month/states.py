"""What state a month is in, since when, and how loudly to say it. Pure: facts and a time.

    open ─▶ waiting ⇄ ready ─▶ closed ─▶ sealed ─▶ amended
                 └──────┴─▶ late ─┘         └─ what came after the close

`late` is a month that was not closed for good in time; it is never closed for that by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cloud.closing.log import FINAL, MonthClose
from cloud.month.deadlines import Deadline

#: calendar days before the deadline from which on it is urgent
URGENT_DAYS = 10


class State(StrEnum):
    """States of a month."""

    OPEN = "open"  # it is not over
    WAITING = "waiting"  # it is over, and something is owed
    READY = "ready"  # it is over, and nothing is owed
    LATE = "late"  # its deadline is over, and it is not closed for good
    CLOSED = "closed"  # the log says so, and its archive is not there yet
    SEALED = "sealed"  # its archive is there
    AMENDED = "amended"  # likewise, and it replaces an earlier close


class Level(StrEnum):
    """How loudly to warn."""

    NONE = "none"
    NOTICE = "notice"
    WARNING = "warning"
    URGENT = "urgent"
    ALARM = "alarm"


@dataclass(frozen=True)
class MonthFacts:
    """What decides.

    Attributes:
        from_ns, to_ns: the month's first instant and the next one's.
        blocking: how many things are owed that keep it from being complete.
        owed: how many things are owed at all.
        newest_ns: when the newest of what it is made of was logged, 0 for nothing.
        close: the newest close for good, None while there is none.
        is_sealed: the archive of that close is there.
        deadline: None where no rule is about it.
        came_after: something of it came after the close.
    """

    from_ns: int
    to_ns: int
    blocking: int
    owed: int
    newest_ns: int
    close: MonthClose | None
    is_sealed: bool
    deadline: Deadline | None
    came_after: bool = False


@dataclass(frozen=True)
class Standing:
    """A month's state.

    Attributes:
        state: it.
        since_ns: since when, UTC nanoseconds; of `ready` since the last that was owed came.
        level: how loudly to warn.
        days_left: calendar days to the last one in time, None where no rule is about it.
    """

    state: State
    since_ns: int
    level: Level
    days_left: int | None


def newest_final(closes: Sequence[MonthClose], month: str) -> MonthClose | None:
    """The close of a month that counts: the newest that is for good."""
    finals = [close for close in closes if (close.month, close.closing) == (month, FINAL)]
    return finals[-1] if finals else None


def standing(facts: MonthFacts, now_ns: int) -> Standing:
    """The state at a time."""
    left = None if facts.deadline is None else facts.deadline.days_left(now_ns)
    if facts.close is not None:
        state = State.CLOSED
        if facts.is_sealed:
            state = State.SEALED if facts.close.replaces is None else State.AMENDED
        level = Level.NONE if facts.is_sealed else Level.WARNING
        if facts.came_after and facts.is_sealed:
            level = Level.NOTICE
        return Standing(state, facts.close.received_ns, level, left)
    if now_ns < facts.to_ns:
        return Standing(State.OPEN, facts.from_ns, Level.NOTICE if facts.owed else Level.NONE, left)
    if facts.deadline is not None and now_ns >= facts.deadline.end_ns:
        return Standing(State.LATE, facts.deadline.end_ns, Level.ALARM, left)
    is_urgent = left is not None and left <= URGENT_DAYS
    if facts.blocking:
        level = Level.URGENT if is_urgent else Level.WARNING
        return Standing(State.WAITING, facts.to_ns, level, left)
    level = Level.URGENT if is_urgent else Level.NOTICE
    return Standing(State.READY, max(facts.to_ns, facts.newest_ns), level, left)


def may_close_itself(state: str, since_ns: int, settle_ns: int, now_ns: int) -> bool:
    """Has a complete month stood for long enough?"""
    return state == State.READY and now_ns >= since_ns + settle_ns
