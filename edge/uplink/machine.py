"""Delivery as a state machine: go-back-N over one seq chain, freed by receipts. Pure.

The broker may lose, repeat and reorder as it likes. What counts is the collector's signed receipt
("all up to seq N"): when it has not moved for a while with objects outstanding, what follows it is
sent again, in order: a window of it, and a few once nobody has answered for long. A one-way site
never connects: its receipts are brought as files.

    offline ──connected──▶ online ──disconnected──▶ offline
"""

import random
from dataclasses import dataclass, field

WINDOW = 256
#: a collector that is down for days would else cost a window a minute: of frames of 6 kB 2 GB a day
PROBE = 4
STALL_S = 5.0
STALL_S_MAX = 60.0
JITTER = 0.2
FRUITLESS_MAX = 3


#: connected, and so long without a receipt for what was sent, is told
UNANSWERED_S = 60.0
#: likewise where the collector's newest word is older than a receipt kept here
SET_BACK_S = 20.0

NOT_ACCEPTED = (
    "the collector does not accept this gateway's readings: it is connected, and no receipt comes. "
    "Readings are kept. Run stackproof cloud status there and look, in this order: {causes}; then "
    "at the broker's log: it may drop what is sent on {topic}"
)
#: likely causes, the likeliest first: of a gateway that never had a receipt, and of another
NEVER = (
    "does [[plant]] gateways name this gateway's certificate; is plant, slice and root the same in "
    "both files; does the collector run"
)
NO_MORE = (
    "does the collector run; was this gateway's certificate revoked, or has it ended; was its "
    "stream forked; was the collector's evidence set back by a restore"
)
SET_BACK = (
    "the collector's evidence was set back: a receipt here is for seq {receipted}, its newest word "
    "is seq {behind}, so {lost} objects are missing there. What is new is kept here: restore the "
    "collector's newest backup or its old disk, and leave this spool as it is until receipts come"
)
CUT = (
    "the broker has ended {times} connections in a row after objects were sent on {topic}, and no "
    "receipt came: it may not let this gateway publish there (stackproof cloud broker config makes "
    "what is needed), or a second client calls itself {name}. It is tried again every {pause:.0f} s"
)


@dataclass(frozen=True)
class Send:
    """Command: hand objects `first` to `last` (inclusive) to the transport, in order."""

    first: int
    last: int


@dataclass
class Machine:
    """What has been sent, what is under receipt, and when to send again.

    Attributes:
        newest: highest seq in the spool, -1 when none was ever made.
        receipted: highest seq under receipt, -1 when none.
        online: the transport is up.
        resends: how often it went back.
        fruitless: connections in a row that took objects and ended without a receipt.
        behind: seq of the collector's newest word, while that is older than `receipted`; else None.
        jitter: source of randomness for the back-off, so that gateways do not march in step.
    """

    newest: int = -1
    receipted: int = -1
    online: bool = False
    resends: int = 0
    fruitless: int = 0
    behind: int | None = None
    jitter: random.Random = field(default_factory=random.Random)
    _next: int = 0
    _stall_s: float = field(default_factory=lambda: STALL_S)
    _stalls_at_s: float | None = None
    _repeats_from_s: float = 0.0
    _waits_from_s: float | None = None  # connected, and something sent is without a receipt
    waited_s: float = 0.0

    def __post_init__(self) -> None:
        self._next = self.receipted + 1

    def resume(self, newest: int, receipted: int) -> None:
        """Take over a spool that holds objects up to `newest` with `receipted` under receipt."""
        self.newest, self.receipted = newest, receipted
        self._next = receipted + 1

    @property
    def is_unanswered(self) -> bool:
        """True when it is connected, and for long, or again and again, no receipt has come."""
        is_long = self._stall_s >= STALL_S_MAX or self.waited_s >= UNANSWERED_S
        return self.online and is_long

    @property
    def is_set_back(self) -> bool:
        """True when the collector's word is older than a receipt kept here, and nothing follows."""
        return self.online and self.behind is not None and self.waited_s >= SET_BACK_S

    @property
    def pause_s(self) -> float:
        """How long to stay away when the connection is lost the next time, at least; seconds.

        A broker that hangs up on whoever sends what it does not allow would else be called again
        every second, for ever.
        """
        return self._stall_s if self.fruitless >= FRUITLESS_MAX else 0.0

    @property
    def outstanding(self) -> int:
        """Objects in the spool that no receipt covers."""
        return self.newest - self.receipted

    def connected(self, now_s: float) -> list[Send]:
        """The transport is up: start again right after the newest receipt.

        What an earlier connection took without a receipt counts as going back: a transport that
        comes and goes would else hide for ever that nothing is answered.
        """
        self.online = True
        if self._next > self.receipted + 1:
            self.fruitless += 1
            self._go_back()
        self._stalls_at_s = None
        return self._fill(now_s)

    def disconnected(self) -> None:
        """The transport is down."""
        self.online = False
        self._stalls_at_s = self._waits_from_s = None
        self.waited_s = 0.0

    def appended(self, seq: int, now_s: float) -> list[Send]:
        """The spool holds one more object."""
        self.newest = max(self.newest, seq)
        return self._fill(now_s)

    def refused(self, seq: int) -> None:
        """The transport did not take this object: it is sent again from here at the next tick."""
        self._next = min(self._next, max(seq, self.receipted + 1))

    def receipt(self, seq: int, now_s: float) -> list[Send]:
        """A valid receipt covers everything up to seq."""
        if seq <= self.receipted:
            self.behind = seq if seq < self.receipted else None
            return []
        self.receipted, self.behind = seq, None
        self._waits_from_s, self.waited_s = None, 0.0
        self._next = max(self._next, seq + 1)
        self._stall_s, self.fruitless = STALL_S, 0
        self._stalls_at_s = None
        return self._fill(now_s)

    def repeated(self, now_s: float) -> list[Send]:
        """The collector has just said once more what it holds, and it is no more than before.

        It says so when it has come back: what was sent since has met nobody. It is sent again at
        once, but not for every message somebody may repeat: once in `STALL_S`.
        """
        if self._next == self.receipted + 1 or now_s < self._repeats_from_s:
            return []
        self._repeats_from_s = now_s + STALL_S
        self.resends += 1
        self._next = self.receipted + 1
        self._stalls_at_s = None
        return self._fill(now_s)

    def tick(self, now_s: float) -> list[Send]:
        """Time has passed: go back when the receipt has stood still for too long."""
        if self._stalls_at_s is None or now_s < self._stalls_at_s:
            return self._fill(now_s)
        self._go_back()
        return self._fill(now_s)

    def _go_back(self) -> None:
        self.resends += 1
        self._next = self.receipted + 1
        self._stall_s = min(self._stall_s * 2, STALL_S_MAX)
        self._stalls_at_s = None

    def _fill(self, now_s: float) -> list[Send]:
        """Send up to the window, and watch the receipt while anything is outstanding."""
        if not self.online:
            return []
        window = PROBE if self._stall_s >= STALL_S_MAX else WINDOW
        last = min(self.newest, self.receipted + window)
        sends = [Send(self._next, last)] if self._next <= last else []
        self._next = max(self._next, last + 1)
        if self._next > self.receipted + 1:
            if self._stalls_at_s is None:
                spread = 1 + JITTER * self.jitter.random()
                self._stalls_at_s = now_s + self._stall_s * spread
            if self._waits_from_s is None:
                self._waits_from_s = now_s
            self.waited_s = now_s - self._waits_from_s
        else:
            self._stalls_at_s = self._waits_from_s = None
            self.waited_s = 0.0
        return sends


def unanswered(machine: Machine, topic: str, name: str) -> str:
    """Sentence for a gateway whose objects get no receipt, "" while they do. Pure.

    Args:
        machine: of the delivery.
        topic: objects are sent on.
        name: the agent's client id.
    """
    if not machine.outstanding:
        return ""
    if machine.fruitless >= FRUITLESS_MAX:
        times, pause = machine.fruitless, machine.pause_s
        return CUT.format(times=times, topic=topic, name=name, pause=pause)
    causes = NEVER if machine.receipted < 0 else NO_MORE
    return NOT_ACCEPTED.format(causes=causes, topic=topic) if machine.is_unanswered else ""


def set_back(machine: Machine) -> str:
    """Sentence for a collector that holds less than it has receipted, "" for none. Pure."""
    if not machine.is_set_back or machine.behind is None:
        return ""
    lost = machine.receipted - machine.behind
    return SET_BACK.format(receipted=machine.receipted, behind=machine.behind, lost=lost)
