"""The security log's rows: what happened to accounts, as chained JSON and as syslog. Pure.

Each row's hash is over the one before and itself. Whoever owns the disk can write all of it again;
who has kept the hash of a row elsewhere (every exported line has it) sees that.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from cloud.accounts.rows import DAY_NS

#: rows that are older are dropped, but for the newest so many: a clock that is wrong by years
#: must not empty the log. Asked for are six months
KEPT_NS, KEPT_ROWS = 400 * DAY_NS, 100_000
#: rows that are taken: so many at once, then one in so long
AT_ONCE, EVERY_NS = 200, 20_000_000_000

#: RFC 5424: facility 10 (authpriv); severity of what was refused, of all else
_REFUSED, _DONE = 10 * 8 + 4, 10 * 8 + 6
REFUSALS = frozenset({"refused", "sign-in-refused", "cookie-replayed", "refusals-not-listed"})


@dataclass(frozen=True)
class Event:
    """One thing that happened; nothing in it is a secret.

    Attributes:
        event: what, as a word.
        account: whom it is about; "" where nobody has the id that was typed.
        by: who did it; "" for a stranger.
        address: where the request came from.
        detail: more words.
    """

    event: str
    account: str = ""
    by: str = ""
    address: str = ""
    detail: str = ""


@dataclass(frozen=True)
class LogRow(Event):
    """An event as it stands in the log: number from 1, UTC ns, hash of the chain up to it (hex)."""

    seq: int = 0
    at_ns: int = 0
    hash: str = ""


def chained(before: str, seq: int, at_ns: int, event: Event) -> LogRow:
    """The row that follows one.

    Args:
        before: hash of the row before, "" for the first.
        seq: its number.
        at_ns: when.
        event: what happened.
    """
    facts = asdict(event) | {"seq": seq, "at_ns": at_ns}
    text = json.dumps([before, facts], sort_keys=True, separators=(",", ":"))
    return LogRow(**facts, hash=hashlib.sha256(text.encode()).hexdigest())


def broken_at(rows: Iterable[LogRow]) -> int | None:
    """Number of the first row that does not follow the one before it here, None when all do."""
    before: LogRow | None = None
    for row in rows:
        if before is not None:
            event = Event(row.event, row.account, row.by, row.address, row.detail)
            if row != chained(before.hash, before.seq + 1, row.at_ns, event):
                return row.seq
        before = row
    return None


def syslog_line(row: LogRow, host: str) -> str:
    """A row as a line of RFC 5424, ASCII; the message is JSON.

    Args:
        row: of the log.
        host: the machine's name.
    """
    at = dt.datetime.fromtimestamp(row.at_ns // 1_000_000_000, dt.UTC)
    stamp = f"{at:%Y-%m-%dT%H:%M:%S}.{row.at_ns % 1_000_000_000 // 1_000:06}Z"
    priority = _REFUSED if row.event in REFUSALS else _DONE
    named = "".join(c for c in host if "!" <= c <= "~")[:255] or "-"
    facts = {key: value for key, value in asdict(row).items() if value not in ("", row.event)}
    message = json.dumps(facts, separators=(",", ":"))
    number = row.seq % 2_147_483_647 or 2_147_483_647  # meta's sequenceId has 31 bits
    head = f"<{priority}>1 {stamp} {named} stackproof - {row.event}"
    return f'{head} [meta sequenceId="{number}"] {message}'


class Budget:
    """How many rows strangers together, or one account, may cause: the disk is finite.

    200 at once and then 4,320 a day; how many were left out is told by the next that is taken.
    """

    def __init__(self) -> None:
        self._left, self._since_ns, self._out = AT_ONCE, 0, 0

    def take(self, now_ns: int) -> int | None:
        """None when this one is left out, else how many were left out before it."""
        earned = max(0, now_ns - self._since_ns) // EVERY_NS
        self._left = min(AT_ONCE, self._left + earned)
        self._since_ns = now_ns if earned else min(self._since_ns, now_ns)
        if not self._left:
            self._out += 1
            return None
        self._left -= 1
        out, self._out = self._out, 0
        return out
