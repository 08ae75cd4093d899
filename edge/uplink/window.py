"""How many objects may be under way to the broker at a time. Pure.

Newest values wait behind them, so they must not queue anywhere on the way; a link is used up only
by as many as it holds. The rule is LEDBAT's (RFC 6817, 2.4), counted in objects: what an object's
acknowledgement takes longer than that of an object alone is queueing; below `HOLD_S` of it one more
is allowed each round trip, above it fewer. So the bytes under way are what the link carries in a
round trip and `HOLD_S`, whatever its speed. As TCP does it begins with twice as many each round
trip, until something queues, and halves where a link has become narrow.

LEDBAT's base delay creeps up by its own queue. Here only an object that was handed over with no
other under way may raise it: between frames of a link that is not full all are such, and on a link
that became longer the window shrinks until they are.
"""

HOLD_S = 0.2
FIRST, LEAST = 4.0, 1.0
_HALF = 0.5  # off at each acknowledgement: half the window in a round trip, as TCP does at a loss
_SMOOTH = 8  # of RFC 6298's smoothed round trip


class Window:
    """Of one connection.

    Attributes:
        size: how many objects may be under way.
    """

    def __init__(self) -> None:
        self._sent: dict[int, tuple[float, bool]] = {}  # number -> when, and whether alone
        self.cut()

    def cut(self) -> None:
        """The connection was lost, and what was under way; the next may go another way."""
        self._sent.clear()
        self.size, self._alone_s, self._is_young = FIRST, float("inf"), True

    @property
    def has_room(self) -> bool:
        """One more may be sent."""
        return len(self._sent) < self.size

    def sent(self, number: int, now_s: float) -> None:
        """An object was handed over, by the number its acknowledgement will have."""
        self._sent[number] = now_s, not self._sent

    def acknowledged(self, number: int, now_s: float) -> None:
        """The broker has it; a number that is not known tells nothing."""
        is_used = not self.has_room
        sent_s, was_alone = self._sent.pop(number, (now_s, False))
        took_s = now_s - sent_s
        if not took_s:
            return
        if was_alone and took_s > self._alone_s:
            self._alone_s += (took_s - self._alone_s) / _SMOOTH
        self._alone_s = min(took_s, self._alone_s)
        queued_s = took_s - self._alone_s
        self._is_young &= queued_s < HOLD_S / 2
        if queued_s > HOLD_S:
            over = (queued_s - HOLD_S) / HOLD_S
            self.size = max(LEAST, self.size - min(_HALF, over / 4))
        elif is_used:  # else nothing shows that more would not queue
            self.size += 1.0 if self._is_young else (1 - queued_s / HOLD_S) / self.size
