"""The bounded queue between the network's thread and the collector's: its bound is back-pressure.

When the collector is behind, `put` waits, the network's thread stops reading, and the broker
keeps the rest. Orders from our own process are not counted: they are few and must not wait.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from cloud.collector.topics import Sender

MESSAGES_MAX = 4_096
BYTES_MAX = 64 * 1024 * 1024


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


class Inbox:
    """Messages and orders in the order they came. Any thread puts, one takes."""

    def __init__(self, *, messages_max: int = MESSAGES_MAX, bytes_max: int = BYTES_MAX) -> None:
        self._messages_max, self._bytes_max = messages_max, bytes_max
        self._items: deque[Message | Order] = deque()
        self._messages = self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, message: Message) -> bool:
        """Wait for room and put a message; False when closed meanwhile: the message is dropped."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._has_room(len(message.data)))
            if self._closed:
                return False
            self._items.append(message)
            self._messages += 1
            self._bytes += len(message.data)
            self._changed.notify_all()
            return True

    def order(self, order: Order) -> None:
        """Put an order for the taking thread; never waits, also taken when closed."""
        with self._changed:
            self._items.append(order)
            self._changed.notify_all()

    def take(self, count: int, timeout_s: float | None) -> list[Message | Order]:
        """Up to `count` items; waits for the first, at most `timeout_s` (None: for ever).

        Empty when the time is over, or the box is closed and empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._items), timeout_s)
            taken = [self._items.popleft() for _ in range(min(count, len(self._items)))]
            messages = [item for item in taken if isinstance(item, Message)]
            self._messages -= len(messages)
            self._bytes -= sum(len(message.data) for message in messages)
            self._changed.notify_all()
            return taken

    def close(self) -> None:
        """Take no more messages; whoever waits is let go."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def is_filled(self) -> bool:
        """Something waits. Any thread."""
        return bool(self._items)

    @property
    def is_closed(self) -> bool:
        """No more messages come."""
        return self._closed

    def _has_room(self, length: int) -> bool:
        if not self._messages:
            return True
        return self._messages < self._messages_max and self._bytes + length <= self._bytes_max
