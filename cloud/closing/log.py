"""What a plant's log says about months, keys and orders: one pass over it. Any thread.

The log is the truth: which months were closed, and what an archive of one holds besides the
readings, is read from here and not from the archives that lie about.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from cloud.collector.desk import PlantEvidence
from evidence.errors import MalformedError
from evidence.log import ENTRY_VERSION, Entry, Kind, decode_entry

FINAL = "final"

#: an entry is an array of twelve (0x8c): version and kind are its second and third byte
_KINDS = frozenset({Kind.ENROL, Kind.ROTATE, Kind.REVOKE, Kind.REPLACE, Kind.MONTH_CLOSE})


@dataclass(frozen=True)
class Span:
    """A stream's part in a month: objects first..last, and the last one's SHA-256."""

    first: int
    last: int
    head: bytes


@dataclass(frozen=True)
class MonthClose:
    """A month-close entry.

    Attributes:
        index: of the entry.
        received_ns: when it was logged.
        month, closing: what was closed.
        statement_sha256: SHA-256 of the statement.
        streams: gateway id -> its part.
        replaces: SHA-256 of the statement of the final close it amends, None for the first.
    """

    index: int
    received_ns: int
    month: str
    closing: str
    statement_sha256: bytes
    streams: Mapping[str, Span]
    replaces: bytes | None = None


@dataclass(frozen=True)
class PlantHistory:
    """What months need of a log.

    Attributes:
        size: entries read.
        closes: month-close entries, in the order of the log.
        others: (index, entry) of certificates, orders and rotate objects: all that the root grants.
    """

    size: int = 0
    closes: Sequence[MonthClose] = ()
    others: Sequence[tuple[int, Entry]] = ()

    def newest(self, month: str) -> MonthClose | None:
        """The close of a month that counts, None while there is none."""
        return next((close for close in reversed(self.closes) if close.month == month), None)

    def of_kinds(self, *kinds: Kind, through: int) -> list[Entry]:
        """Entries of these kinds up to and including an index."""
        return [entry for index, entry in self.others if entry.kind in kinds and index <= through]


def read_history(evidence: PlantEvidence, before: PlantHistory = PlantHistory()) -> PlantHistory:
    """Read the log to its end; holds only the entries that are kept.

    Args:
        evidence: of the plant.
        before: what was read earlier; reading goes on from there.

    Raises:
        StoreError: the disk disagrees.
        MalformedError: an entry is none of this program's.
    """
    closes, others, size = list(before.closes), list(before.others), before.size
    for index, data in evidence.entries(before.size):
        size = index + 1
        if not _is_of(data, _KINDS):
            continue
        entry = decode_entry(data)
        if entry.kind is Kind.MONTH_CLOSE:
            closes.append(month_close(index, entry))
        else:
            others.append((index, entry))
    return PlantHistory(size, closes, others)


def plant_closes(evidence: PlantEvidence, first: int, stop: int) -> Iterator[tuple[str, int]]:
    """(stream, seq) of each close object that entries first..stop-1 tell of.

    A gateway may sign any number of them: none is held.
    """
    for _, data in evidence.entries(first, stop):
        if _is_of(data, {Kind.PLANT_CLOSE}) and (entry := decode_entry(data)).seq is not None:
            yield entry.stream, entry.seq


def _is_of(data: bytes, kinds: Set[int]) -> bool:
    return data[1] == ENTRY_VERSION and data[2] in kinds


def month_close(index: int, entry: Entry) -> MonthClose:
    """A month-close entry as a value; MalformedError when its detail is not of this format."""
    detail = entry.detail
    try:
        return MonthClose(
            index=index,
            received_ns=entry.received_ns,
            month=detail["month"],
            closing=detail["closing"],
            statement_sha256=entry.sha256,
            streams={stream: Span(*part) for stream, part in detail["streams"].items()},
            replaces=detail.get("replaces"),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedError(f"log entry {index} closes a month in an unknown way") from error


def close_detail(
    month: str, closing: str, streams: Mapping[str, Span], replaces: bytes | None
) -> dict[str, object]:
    """The detail of a month-close entry."""
    detail: dict[str, object] = {
        "month": month,
        "closing": closing,
        "streams": {name: [span.first, span.last, span.head] for name, span in streams.items()},
    }
    return detail if replaces is None else {**detail, "replaces": replaces}
