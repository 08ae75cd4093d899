"""Which receipts are due: cumulative, at most one a second for each gateway. Pure.

A receipt speaks for everything up to its seq, so an older one that was never sent is no loss. The
newest one of each stream is kept as signed, to send again when a connection comes up.
"""

from dataclasses import dataclass

from cloud.collector.topics import Sender

INTERVAL_S = 1.0


@dataclass(slots=True)
class _Line:
    sent_s: float = float("-inf")
    seq: int = -1
    sent_seq: int = -1
    signed: bytes = b""


class ReceiptBook:
    """Receipts of every stream."""

    def __init__(self) -> None:
        self._lines: dict[Sender, _Line] = {}
        self._due: set[Sender] = set()

    def want(self, sender: Sender) -> None:
        """The stream moved, or its gateway repeated an object: it is to get a receipt."""
        self._lines.setdefault(sender, _Line())
        self._due.add(sender)

    def want_all(self) -> None:
        """A connection came up: every gateway is to get its newest receipt, now."""
        for sender, line in self._lines.items():
            line.sent_s = float("-inf")
            self._due.add(sender)

    def due(self, now_s: float) -> list[Sender]:
        """Streams whose receipt may be sent now."""
        return [s for s in self._due if self._lines[s].sent_s + INTERVAL_S <= now_s]

    def next_due_s(self) -> float | None:
        """When `due` has something to give, None when nothing waits."""
        return min((self._lines[s].sent_s + INTERVAL_S for s in self._due), default=None)

    def signed(self, sender: Sender, seq: int) -> bytes | None:
        """The kept receipt if it speaks of `seq`; None when one must be signed."""
        line = self._lines[sender]
        return line.signed if line.seq == seq else None

    def keep(self, sender: Sender, seq: int, signed: bytes) -> None:
        """Keep a receipt that was just signed."""
        line = self._lines[sender]
        line.seq, line.signed = seq, signed

    def sent(self, sender: Sender, now_s: float) -> None:
        """The transport took the kept receipt."""
        line = self._lines[sender]
        line.sent_s, line.sent_seq = now_s, line.seq
        self._due.discard(sender)

    def defer(self, sender: Sender, now_s: float) -> None:
        """The transport did not take it: try again after the interval."""
        self._lines[sender].sent_s = now_s

    def newest(self, sender: Sender) -> bytes | None:
        """The newest receipt signed, None before the first."""
        line = self._lines.get(sender)
        return None if line is None else line.signed or None

    def sent_seq(self, sender: Sender) -> int:
        """The seq of the newest receipt the transport took, -1 before the first."""
        line = self._lines.get(sender)
        return -1 if line is None else line.sent_seq
