"""Which of a name's addresses a connection begins with: another one each time. Pure.

A node that is cut off from its cluster takes connections, and serves nobody. Addresses are known by
what they are, not by their places: name servers turn the row round, too.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

#: as `socket.getaddrinfo` has them: the address is the last
Row = TypeVar("Row", bound=tuple[Any, ...])


class Turns:
    """Of one name."""

    def __init__(self) -> None:
        self._begun: list[Any] = []  # addresses, the one begun with last at the end

    def of(self, found: Sequence[Row]) -> list[Row]:
        """Its rows of now, in the order to try them in: at least one, as they came at first."""
        begun = [one for one in self._begun if any(row[-1] == one for row in found)]
        rows = sorted(found, key=lambda row: begun.index(row[-1]) if row[-1] in begun else -1)
        first = rows[0][-1]
        self._begun = [*(one for one in begun if one != first), first]
        return rows
