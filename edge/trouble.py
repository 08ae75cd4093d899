"""Why nothing gets through, kept in the spool until something does. Pure.

The collector's refusals come as messages that anybody may repeat, and an altered object shows only
when it is its turn. What was found is kept by kind, with the time it was first seen, so that
`edge status` and the alarms say it for as long as it stands.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from evidence import cbor

FORK, DAMAGED, REFUSED = "fork", "spool-damaged", "messages-refused"
UNANSWERED = "no-receipts"  # the broker is there, and what is sent gets no receipt
SET_BACK = "collector-set-back"  # the collector holds less than it has receipted
UNHEARD = "unheard"  # the collector has not been heard since the start
SENTENCE_MAX = 2_000  # characters
#: anybody who reaches the broker can have a message refused: it counts when no receipt comes
REFUSED_AFTER_NS = 5 * 60 * 1_000_000_000
UNHEARD_AFTER_NS = 10 * 1_000_000_000  # every start is without it for a moment
_TOLD_AFTER_NS = {REFUSED: REFUSED_AFTER_NS, UNHEARD: UNHEARD_AFTER_NS}


@dataclass(frozen=True)
class Trouble:
    """One thing that stands in the way.

    Attributes:
        sentence: what happened and what to do.
        at_ns: wall clock when it was first seen.
        until_seq: a new receipt for this object or a later one ends it.
    """

    sentence: str
    at_ns: int
    until_seq: int


def encode_troubles(troubles: Mapping[str, Trouble]) -> bytes:
    """As the spool's state holds them, b"" for none."""
    return cbor.encode({k: list(astuple(t)) for k, t in troubles.items()}) if troubles else b""


def decode_troubles(data: bytes | None) -> dict[str, Trouble]:
    """By kind, those of a state value."""
    return {kind: Trouble(*fields) for kind, fields in (cbor.decode(data) if data else {}).items()}


@dataclass(frozen=True)
class Reach:
    """Whether an agent, or a relay for one of its streams, has a broker that lets it in.

    Attributes:
        since_ns: wall clock.
        reason: why not; "" while it has.
    """

    since_ns: int
    reason: str


def tried(before: Reach | None, reason: str, now_ns: int) -> Reach:
    """After one more try: it stands since the first of those that went alike."""
    is_same = before is not None and bool(reason) == bool(before.reason)
    return Reach(before.since_ns if before and is_same else now_ns, reason[:SENTENCE_MAX])


def encode_reach(reach: Reach) -> bytes:
    """As the spool's state holds it."""
    return cbor.encode(list(astuple(reach)))


def decode_reach(data: bytes | None) -> Reach | None:
    """That of a state value; None before the first try."""
    return Reach(*cbor.decode(data)) if data else None


@dataclass(frozen=True)
class Answering:
    """Which devices of a running agent answer.

    Attributes:
        asked: how many it asks.
        waiting: of how many none has come since its start, and none is missing for long.
        silent: device -> the first tick since which it has not answered, UTC nanoseconds.
    """

    asked: int
    waiting: int
    silent: Mapping[str, int]

    def encode(self) -> bytes:
        """As the spool's state holds it."""
        return cbor.encode([self.asked, self.waiting, dict(self.silent)])

    @classmethod
    def decode(cls, data: bytes | None) -> "Answering | None":
        """That of a state value; None before the first tick, and of an older agent."""
        return cls(*cbor.decode(data)) if data else None


def reach_lines(broker: Mapping[str, Any] | None, now_ns: int, kept: str) -> list[str]:
    """For people: a line, none before the first try.

    Args:
        broker: fields of a `Reach`.
        now_ns: wall clock.
        kept: what waits meanwhile.
    """
    if broker is None:
        return []
    since = moment(broker["since_ns"], now_ns)
    if not broker["reason"]:
        return [f"broker: there since {since}"]
    return [f"broker: away since {since}: {broker['reason']}; {kept} are kept"]


def day_of(at_ns: int) -> str:
    """An instant for people, to the minute."""
    return f"{dt.datetime.fromtimestamp(at_ns // 1_000_000_000, dt.UTC):%Y-%m-%d %H:%M} UTC"


def moment(at_ns: int, now_ns: int) -> str:
    """An instant for people, and how long ago it is."""
    at = dt.datetime.fromtimestamp(at_ns // 1_000_000_000, dt.UTC)
    minutes, ago = abs(now_ns - at_ns) // 60_000_000_000, "ago" if now_ns >= at_ns else "ahead"
    return f"{at:%Y-%m-%d %H:%M:%S} UTC ({minutes} min {ago})"


def reason_to_hold(data: bytes | None, seq: int) -> str:
    """Why an object of this seq must not be signed now: it would fork, or may; "" when it may be.

    Args:
        data: as the spool's state holds the troubles.
        seq: of the object to be signed.
    """
    troubles = decode_troubles(data)
    if FORK in troubles and seq <= troubles[FORK].until_seq:
        return f"the collector holds another object at seq {seq}"
    if UNHEARD in troubles:
        return "nothing is signed until the collector has said how far it holds the stream"
    return ""


def standing_troubles(troubles: Mapping[str, Trouble], now_ns: int) -> dict[str, str]:
    """Alarm name -> sentence of those that are to be told now."""
    found = {kind: trouble.sentence for kind, trouble in troubles.items()}
    for kind, after_ns in _TOLD_AFTER_NS.items():
        # a clock that was ahead when it was seen, and was set since, hides nothing
        if kind in found and abs(now_ns - troubles[kind].at_ns) <= after_ns:
            del found[kind]
    for kind in found:
        at = dt.datetime.fromtimestamp(troubles[kind].at_ns // 1_000_000_000, dt.UTC)
        found[kind] = f"since {at:%Y-%m-%d %H:%M} UTC: {found[kind]}"
    return found
