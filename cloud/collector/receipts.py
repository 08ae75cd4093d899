"""Which receipts are due: cumulative, at most one a second for each gateway. Pure.

A receipt speaks for everything up to its seq, so an older one that was never sent is no loss. The
newest one of each stream is kept as signed, to send again when a connection comes up.
"""

from dataclasses import dataclass
from heapq import heapify, heappop, heappush

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
        #: when each may be sent: asked for at every turn, so not looked for among all of them
        self._times: list[tuple[float, str, str]] = []

    def want(self, sender: Sender) -> None:
        """The stream moved, or its gateway repeated an object: it is to get a receipt."""
        line = self._lines.setdefault(sender, _Line())
        if sender not in self._due:
            self._due.add(sender)
            heappush(self._times, _time(sender, line))

    def want_all(self) -> None:
        """A connection came up: every gateway is to get its newest receipt, now."""
        for line in self._lines.values():
            line.sent_s = float("-inf")
        self._due = set(self._lines)
        self._times = [_time(sender, line) for sender, line in self._lines.items()]
        heapify(self._times)

    def due(self, now_s: float) -> list[Sender]:
        """Streams whose receipt may be sent now; for each call `sent` or `defer`."""
        found = []
        while (at_s := self.next_due_s()) is not None and at_s <= now_s:
            _, plant, gateway = heappop(self._times)
            found.append(Sender(plant, gateway))
        return found

    def next_due_s(self) -> float | None:
        """When `due` has something to give, None when nothing waits."""
        while self._times:
            at_s, plant, gateway = self._times[0]
            sender = Sender(plant, gateway)
            if sender in self._due and at_s == _time(sender, self._lines[sender])[0]:
                return at_s
            heappop(self._times)  # it was sent, or put off, meanwhile
        return None

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
        line = self._lines[sender]
        line.sent_s = now_s
        heappush(self._times, _time(sender, line))

    def newest(self, sender: Sender) -> bytes | None:
        """The newest receipt signed, None before the first."""
        line = self._lines.get(sender)
        return None if line is None else line.signed or None

    def sent_seq(self, sender: Sender) -> int:
        """The seq of the newest receipt the transport took, -1 before the first."""
        line = self._lines.get(sender)
        return -1 if line is None else line.sent_seq


def _time(sender: Sender, line: _Line) -> tuple[float, str, str]:
    return line.sent_s + INTERVAL_S, sender.plant, sender.gateway
