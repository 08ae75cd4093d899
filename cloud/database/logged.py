"""SHA-256 -> index of its log entry, for what a log names again and again. Append-only, in memory.

Every state of a log sees its own beginning of what all states share, so one more is cheap however
many there are, and what a reader looks at does not change under it.
"""

from collections.abc import Iterator, Mapping


class LoggedHashes(Mapping[bytes, int]):
    """In the log's order. One thread adds, any may read."""

    __slots__ = ("_count", "_index", "_order")

    def __init__(self) -> None:
        self._count = 0
        self._order: list[bytes] = []
        self._index: dict[bytes, tuple[int, int]] = {}  # place in the order, index of the entry

    def adding(self, sha256: bytes, index: int) -> "LoggedHashes":
        """With one more; the same when it is there."""
        if sha256 in self:
            return self
        made = LoggedHashes()
        made._order, made._index = self._order, self._index
        if len(self._order) > self._count:  # what was added before was dropped again
            made._order = self._order[: self._count]
            made._index = {known: self._index[known] for known in made._order}
        made._order.append(sha256)
        made._index[sha256] = self._count, index
        made._count = self._count + 1
        return made

    def __getitem__(self, sha256: bytes) -> int:
        place, index = self._index[sha256]
        if place >= self._count:
            raise KeyError(sha256)
        return index

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._order[: self._count])

    def __len__(self) -> int:
        return self._count
