"""Rows that wait longer than one read: said once when it begins and once when it is over."""

from typing import Any

from edge.drivers.complaints import Complaints
from edge.drivers.waiting_rows import BACKLOG_ROWS


class Backlog:
    """The backlog of one device."""

    def __init__(self, complaints: Complaints) -> None:
        """Begin without one."""
        self._complaints = complaints
        self._stands = False

    def look(self, waiting: int) -> list[dict[str, Any]]:
        """The events of this read: one when a backlog begins or ends, else none.

        Args:
            waiting: rows that the read has left.
        """
        if waiting > BACKLOG_ROWS and not self._stands:
            self._stands = True
            self._complaints.say(
                "backlog", f"at least {waiting} rows wait; each read gives one of each point"
            )
            return [{"kind": "source-backlog", "rows": waiting}]
        if self._stands and not waiting:
            self._stands = False
            self._complaints.over("backlog")
            return [{"kind": "source-backlog-over"}]
        return []
