"""The bounded queue between the network's thread and the collector's: its bound is back-pressure.

When the collector is behind, `put` waits, the network's thread stops reading, and the broker
keeps the rest. Orders from our own process are not counted: they are few, and putting one never
waits.

Gateways, and our own process as one of them, take turns, so that one that sends without end takes
nobody's time but its own turn's, and what it sends beyond its share is dropped: the broker would
keep it before everybody else's. An agent has 256 objects under way, and sends again what got no
receipt.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from cloud.collector.topics import Sender

MESSAGES_MAX = 4_096
BYTES_MAX = 128 * 1024 * 1024
#: that may wait of one gateway: what it has under way, twice, and 256 of its frames at 256 KiB. One
#: of 5,000 points at 1 Hz that are all noise is 180 kB, of a plant's 25 kB
SHARE_MESSAGES, SHARE_BYTES = 512, 64 * 1024 * 1024
#: that one gateway may have in one turn, or one object: what costs most, a configuration of 20,000
#: points, takes half a second of 68 kB
TURN_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """One object as it came.

    Attributes:
        sender: whose topic it came on.
        data: its bytes.
    """

    sender: Sender
    data: bytes


Order = Callable[[], None]


@dataclass(slots=True)
class _Line:
    """What waits of one gateway, or of ourselves; `length` counts the messages' bytes."""

    items: deque["Message | Order"] = field(default_factory=deque)
    length: int = 0


class Inbox:
    """Orders, and each gateway's messages, in the order they came. Any thread puts, one takes.

    Attributes:
        is_more: what was taken last was not all there was.
    """

    def __init__(self, *, messages_max: int = MESSAGES_MAX, bytes_max: int = BYTES_MAX) -> None:
        self._messages_max, self._bytes_max = messages_max, bytes_max
        self._lines: dict[Sender | None, _Line] = {}  # whose turn is next stands first; None: ours
        self._messages = self._bytes = 0
        self._dropped: Counter[Sender] = Counter()
        self._closed = self.is_more = False
        self._changed = threading.Condition()

    def put(self, message: Message) -> bool:
        """Wait for room and put a message; False when it is dropped.

        It is when the box was closed meanwhile, or the gateway's share of it is used up.
        """
        length = len(message.data)
        with self._changed:
            line = self._lines.get(message.sender)
            if line is not None and (
                len(line.items) >= SHARE_MESSAGES or line.length + length > SHARE_BYTES
            ):
                self._dropped[message.sender] += 1
                return False
            self._changed.wait_for(lambda: self._closed or self._has_room(length))
            if self._closed:
                return False
            line = self._lines.setdefault(message.sender, _Line())  # it may be empty meanwhile
            line.items.append(message)
            line.length += length
            self._messages += 1
            self._bytes += length
            self._changed.notify_all()
            return True

    def order(self, order: Order) -> None:
        """Put an order for the taking thread; never waits, also taken when closed."""
        with self._changed:
            self._lines.setdefault(None, _Line()).items.append(order)
            self._changed.notify_all()

    def take(self, count: int, timeout_s: float | None) -> list[Message | Order]:
        """Up to `count` items; waits for the first, at most `timeout_s` (None: for ever).

        Empty when the time is over, or the box is closed and empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self.is_filled, timeout_s)
            taken = list[Message | Order]()
            for whose in list(self._lines):
                if len(taken) == count:
                    break
                taken += self._turn(whose, count - len(taken))
            self.is_more = self.is_filled
            self._changed.notify_all()
            return taken

    def _turn(self, whose: Sender | None, count: int) -> list[Message | Order]:
        """At least one item, and what is left goes behind everybody else's."""
        line, taken, length = self._lines.pop(whose), list[Message | Order](), 0
        while line.items and len(taken) < count:
            item = line.items[0]
            size = len(item.data) if isinstance(item, Message) else 0
            if taken and length + size > TURN_BYTES:
                break
            taken.append(line.items.popleft())
            length += size
        line.length -= length
        self._messages -= 0 if whose is None else len(taken)
        self._bytes -= length
        if line.items:
            self._lines[whose] = line
        return taken

    def dropped(self) -> Counter[Sender]:
        """How many objects of which gateways were beyond their share since this was asked last."""
        with self._changed:
            dropped, self._dropped = self._dropped, Counter()
        return dropped

    def close(self) -> None:
        """Take no more messages; whoever waits is let go."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def is_filled(self) -> bool:
        """Something waits. Any thread."""
        return bool(self._lines)

    @property
    def is_closed(self) -> bool:
        """No more messages come."""
        return self._closed

    def _has_room(self, length: int) -> bool:
        if not self._messages:
            return True
        return self._messages < self._messages_max and self._bytes + length <= self._bytes_max
