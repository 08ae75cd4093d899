"""Which of the rows that wait are delivered in one read, and what is then delivered for good. Pure.

Each read gives the oldest unread row of each point. So rows of a point that has few overtake those
of a point that has many, and "delivered" is not one number: it is a floor, the key up to which all
rows are delivered, and the few keys delivered ahead of it. Both are bounded: when too many are
ahead, the rows behind wait.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edge.drivers.base import Sample
from edge.drivers.source_rows import Row
from evidence import cbor

Key = int | str

KEY_BYTES_MAX = 256  # of a key, encoded
AHEAD_BYTES_MAX = 2_500  # of all keys ahead, encoded; the position has room for them
REFUSED_PER_READ = 10  # rows that are told as unusable in one read
BACKLOG_ROWS = 60  # so many rows waiting are told as a backlog


@dataclass(frozen=True)
class Delivered:
    """Up to where rows are delivered.

    Attributes:
        floor: all rows up to and with this key are; None: none is.
        ahead: keys after it whose rows are.
    """

    floor: Key | None = None
    ahead: tuple[Key, ...] = ()

    @classmethod
    def of(cls, floor: object, ahead: object) -> "Delivered":
        """What a position holds; ValueError when it is something else."""
        keys = ahead if isinstance(ahead, list) else [None]
        kinds = {type(key) for key in ([] if floor is None else [floor]) + keys}
        if len(kinds) > 1 or not kinds <= {int, str}:
            raise ValueError("it holds no keys of rows")
        return cls(floor, tuple(keys))  # type: ignore[arg-type] # a key, or None


@dataclass
class Taken:
    """What one read takes of the rows that wait.

    Attributes:
        samples: index of a point -> sample.
        delivered: up to where rows are delivered with it.
        refused: (key, why) of rows that cannot be used; they are delivered too, as told.
        doubts: (key, what) of cells that cannot be used in rows that are taken.
        waiting: rows that are left for later reads.
    """

    delivered: Delivered
    samples: dict[int, Sample] = field(default_factory=dict)
    refused: list[tuple[Key, str]] = field(default_factory=list)
    doubts: list[tuple[Key, str]] = field(default_factory=list)
    waiting: int = 0


def take(
    rows: Sequence[tuple[Key, Row]],
    delivered: Delivered,
    *,
    is_ripe: Callable[[Key], bool] = lambda _: True,
    is_whole: bool = True,
) -> Taken:
    """The oldest unread row of each point.

    Args:
        rows: what stands after the floor, in order.
        delivered: up to where rows were delivered before.
        is_ripe: whether a row has been there for long enough; one that has not, waits.
        is_whole: nothing stands behind these rows: a key ahead that is not among them is gone.
    """
    taken = Taken(delivered)
    ahead, free = set(delivered.ahead), AHEAD_BYTES_MAX - _size(delivered.ahead)
    held: set[int] = set()  # points that have their row, or one waiting that must come first
    is_open = False  # a row before this one waits
    for key, row in rows:
        if key in ahead:
            continue
        if row.is_foreign:
            is_open = is_open or not is_ripe(key)
            continue
        size = _size((key,))
        fits = not is_open or size <= free
        if row.reason:
            fits = fits and len(taken.refused) < REFUSED_PER_READ
        if not (is_ripe(key) and fits and held.isdisjoint(row.samples)):
            held |= row.samples.keys()
            taken.waiting += 1
            is_open = True
            continue
        ahead.add(key)
        free -= size if is_open else 0
        held |= row.samples.keys()
        taken.samples |= row.samples
        taken.doubts += [(key, doubt) for doubt in row.doubts]
        if row.reason:
            taken.refused.append((key, row.reason))
    passed = {key for key, row in rows if key in ahead or (row.is_foreign and is_ripe(key))}
    keys = [key for key, _ in rows]
    end = next((at for at, key in enumerate(keys) if key not in passed), len(keys))
    left = [key for key in keys[end:] if key in ahead]
    if not is_whole:
        left += [key for key in delivered.ahead if key not in keys]
    taken.delivered = Delivered(keys[end - 1] if end else delivered.floor, tuple(left))
    return taken


def _size(keys: Sequence[Key]) -> int:
    return sum(len(cbor.encode(key)) for key in keys)
