"""Has many objects looked at by another process, while the collector's thread applies others.

Of what a frame costs that thread a third is so by its bytes alone (`cloud.collector.seen`), and
Python does one thing at a time in a process. A batch is given away when it comes and applied when
the next one has come, in the order in which all came. Without the other process, or when little
comes, everything is looked at in the collector: slower, and no less right.
"""

import logging
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat

from cloud.collector.inbox import Message, Order
from cloud.collector.lookout import answered, ask, hear_hello
from cloud.collector.seen import Seen
from evidence.errors import EvidenceError

log = logging.getLogger("stackproof.cloud.collector")

#: from so many objects at once on, handing them over costs less than it spares
MANY = 8
#: more than so many bytes at once are no frames as gateways send them
BYTES_MAX = 16 * 1024 * 1024
#: a batch that takes longer is not waited for; after so long another process is tried
ANSWER_S, AGAIN_S = 10.0, 60.0
#: what a Python of this environment needs to find its libraries; nothing else is handed on
_HANDED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")

#: Linux gives at most its own bound, 200 kB or more; what was seen of a batch is half of that
_BUFFER = 1024 * 1024

Item = Message | Order
#: an item, and what was seen of it
Looked = tuple[Item, Seen | None]


class Ahead:
    """The collector's end. One thread.

    Args:
        key_of: plant, gateway -> SubjectPublicKeyInfo of the key it signed with last; b"" for none.
    """

    def __init__(self, key_of: Callable[[str, str], bytes]) -> None:
        self._key_of = key_of
        #: items that were given away, and whether each is looked at
        self._given: Sequence[tuple[Item, bool]] = ()
        self._helper: _Helper | None = None
        self._again_s = float("-inf")

    @property
    def is_waiting(self) -> bool:
        """A batch was given away; `pass_on` gives it back."""
        return bool(self._given)

    def pass_on(self, items: Sequence[Item]) -> list[Looked]:
        """What is to be applied now, in the order in which it came.

        Args:
            items: what came; none for all that is left.
        """
        given = self._give(items) if len(items) >= MANY else ()
        ready, self._given = self._taken(), given
        return ready if given else [*ready, *((item, None) for item in items)]

    def close(self) -> None:
        """End the other process."""
        if self._helper is not None:
            self._helper.close()
            self._helper = None

    def _give(self, items: Sequence[Item]) -> Sequence[tuple[Item, bool]]:
        """Empty when they are not given away."""
        keys = [self._key_of(*i.sender) if isinstance(i, Message) else b"" for i in items]
        likely = [
            (item.data, key)
            for item, key in zip(items, keys, strict=True)
            if key and isinstance(item, Message)
        ]
        if len(likely) < MANY or sum(len(data) for data, _ in likely) > BYTES_MAX:
            return ()
        try:
            helper = self._started()
            if helper is None or not helper.is_up():
                return ()
            ask(helper.line, likely)
        except (OSError, EOFError) as error:
            self._lost(error)
            return ()
        return [(item, bool(key)) for item, key in zip(items, keys, strict=True)]

    def _taken(self) -> list[Looked]:
        """The batch that was given away."""
        seen: Iterator[Seen | None] = repeat(None)
        if self._given and self._helper is not None:
            count = sum(is_looked_at for _, is_looked_at in self._given)
            try:
                seen = iter(answered(self._helper.line, count))
            except (OSError, EOFError, EvidenceError) as error:
                self._lost(error)
        return [(item, next(seen) if is_looked_at else None) for item, is_looked_at in self._given]

    def _started(self) -> "_Helper | None":
        """The other process, which may be starting; None while it is too early to try another."""
        if self._helper is None and time.monotonic() >= self._again_s:
            self._helper = _Helper()
        return self._helper

    def _lost(self, error: Exception) -> None:
        why = repr(error)
        log.error("the process that looks ahead is lost (%s); the collector looks itself", why)
        self.close()
        self._again_s = time.monotonic() + AGAIN_S


class _Helper:
    """The other process, and the line to it."""

    def __init__(self) -> None:
        self.line, theirs = socket.socketpair()
        with theirs:
            for end in (self.line, theirs):  # what was seen of a batch fits, though nobody reads
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-s", "-m", "cloud.collector.lookout"],
                    stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    env={name: os.environ[name] for name in _HANDED_ON if name in os.environ},
                )  # fmt: skip
            except OSError:
                self.line.close()
                raise
        self.line.settimeout(ANSWER_S)
        self._is_up = False

    def is_up(self) -> bool:
        """It has said so; its start takes a second, which nobody waits for. As `hear_hello`."""
        if not self._is_up and select.select([self.line], [], [], 0)[0]:
            hear_hello(self.line)
            self._is_up = True
        return self._is_up

    def close(self) -> None:
        self.line.close()
        self._process.kill()
        self._process.wait()
