"""How a spool and the log stand, for the alarms and `edge status`. Pure but for reading."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.spool_reader import SpoolReader, State
from edge.trouble import Trouble, decode_troubles
from evidence import cbor


@dataclass(frozen=True)
class Condition:
    """How the spool and the log stand, for the alarms.

    Attributes:
        fill: used share of the spool's bound.
        disk_free_bytes: what its disk can still take.
        oldest_ns: last instant of the oldest object without a receipt, or None.
        two_logs: what the collector showed, while it shows two histories; else None.
        through_ns: newest instant the stream speaks of, 0 before the first.
        troubles: what stands in the way of delivery, by kind.
        unsigned: frames that wait for the gateway's key.
        unsigned_ns: last instant of the oldest of them, or None.
        unanswered: why those who ask for [metrics] get no answer, "" when they do.
        doubt: why the time of readings is in doubt, "" while it is not.
        blocked: why nothing leaves a one-way site by itself, "" when it does.
    """

    fill: float
    disk_free_bytes: int
    oldest_ns: int | None
    two_logs: Mapping[str, Any] | None
    through_ns: int = 0
    troubles: Mapping[str, Trouble] = field(default_factory=dict)
    unsigned: int = 0
    unsigned_ns: int | None = None
    unanswered: str = ""
    blocked: str = ""
    doubt: str = ""


def condition_of(spool: SpoolReader, fill: float) -> Condition:
    """How things stand in a spool that is so full."""
    usage = spool.usage()
    return Condition(
        fill,
        spool.disk_free_bytes(),
        usage.oldest_ns,
        two_logs(spool),
        through_of(spool),
        decode_troubles(spool.get(State.TROUBLE)),
        usage.unsigned,
        usage.unsigned_ns,
        (spool.get(State.UNANSWERED) or b"").decode(),
        (spool.get(State.BLOCKED) or b"").decode(),
        (spool.get(State.DOUBT) or b"").decode(),
    )


def through_of(spool: SpoolReader) -> int:
    """Newest instant the frames of a spool's stream speak of, 0 before the first."""
    return int.from_bytes(spool.get(State.THROUGH) or b"", "big")


def two_logs(spool: SpoolReader) -> Mapping[str, Any] | None:
    """What the collector showed while it shows two histories, else None."""
    value = spool.get(State.TWO_LOGS)
    return cbor.decode(value) if value else None
