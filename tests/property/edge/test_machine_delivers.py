"""The uplink's state machine against a broker that loses, repeats and reorders as it likes.

The world below is the worst that decisions allow: each object handed over may be lost, come
twice, come late or out of order; receipts too; the connection drops; the transport refuses; the
collector takes only the next seq. Whatever happens before, once the world behaves everything must
be delivered in order and freed.
"""

import random
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.uplink.machine import STALL_S_MAX, WINDOW, Machine, Send

TICK_S = 0.5


@dataclass
class World:
    """Broker and collector."""

    chance: random.Random
    loss: float
    refusal: float
    machine: Machine
    now_s: float = 0.0
    underway: list[tuple[float, int]] = field(default_factory=list)
    receipts: list[tuple[float, int]] = field(default_factory=list)
    taken: int = -1
    handed: list[int] = field(default_factory=list)
    made: int = 0

    def send(self, sends: list[Send]) -> None:
        """What the shell does with commands."""
        for send in sends:
            assert send.first <= send.last < self.made
            assert send.first > self.machine.receipted
            assert send.last <= self.machine.receipted + WINDOW
            for seq in range(send.first, send.last + 1):
                if self.chance.random() < self.refusal:
                    self.machine.refused(seq)
                    break
                self.handed.append(seq)
                for _ in range(1 + (self.chance.random() < self.loss)):
                    if self.chance.random() >= self.loss:
                        delay_s = self.chance.uniform(0, 2) if self.loss else 0.01
                        self.underway.append((self.now_s + delay_s, seq))

    def step(self) -> None:
        """Half a second passes."""
        self.now_s += TICK_S
        arrived = sorted(x for x in self.underway if x[0] <= self.now_s)
        self.underway = [x for x in self.underway if x[0] > self.now_s]
        for _, seq in arrived:
            if seq == self.taken + 1:
                self.taken += 1
        if arrived and self.taken >= 0:
            self.receipts.append((self.now_s + self.chance.uniform(0, 2 * self.loss), self.taken))
        due = [x for x in self.receipts if x[0] <= self.now_s]
        self.receipts = [x for x in self.receipts if x[0] > self.now_s]
        self.chance.shuffle(due)
        for _, seq in due:
            if self.chance.random() >= self.loss:
                before = self.machine.receipted
                self.send(self.machine.receipt(seq, self.now_s))
                assert self.machine.receipted == max(before, seq)
                if seq == before:
                    self.send(self.machine.repeated(self.now_s))
        self.send(self.machine.tick(self.now_s))

    def append(self) -> None:
        """The gateway signs one more object."""
        self.made += 1
        self.send(self.machine.appended(self.made - 1, self.now_s))


def world(seed: int, loss: float, refusal: float = 0.0) -> World:
    chance = random.Random(seed)
    return World(chance, loss, refusal, Machine(jitter=chance))


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    loss=st.sampled_from([0.0, 0.1, 0.5, 0.9]),
    events=st.lists(st.sampled_from("aaaaattttbcdr"), max_size=120),
)
def test_everything_is_delivered_once_the_world_behaves(
    seed: int, loss: float, events: list[str]
) -> None:
    w = world(seed, loss, loss / 4)
    for event in events:
        if event == "a":
            w.append()
        elif event == "b":
            for _ in range(WINDOW + 50):
                w.append()
        elif event == "t":
            w.step()
        elif event == "c":
            w.send(w.machine.connected(w.now_s))
        elif event == "d":
            w.machine.disconnected()
        else:  # the process restarts and knows only what the spool knows
            receipted = w.machine.receipted
            w.machine = Machine(jitter=w.chance)
            w.machine.resume(w.made - 1, receipted)
    w.loss = w.refusal = 0
    if not w.machine.online:
        w.send(w.machine.connected(w.now_s))
    steps = int((3 * STALL_S_MAX + 10 * (1 + w.made / WINDOW)) / TICK_S)
    for _ in range(steps):
        w.step()
    assert w.taken == w.made - 1, "not everything arrived"
    assert w.machine.receipted == w.made - 1, "not everything was freed"
    assert w.machine.outstanding == 0


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 800))
def test_a_world_that_behaves_gets_everything_exactly_once(seed: int, count: int) -> None:
    w = world(seed, 0)
    w.send(w.machine.connected(0))
    for _ in range(count):
        w.append()
        if w.chance.random() < 0.2:
            w.step()
    for _ in range(4 + 4 * count // WINDOW):
        w.step()
    assert w.handed == list(range(count))
    assert w.machine.resends == 0


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 400))
def test_refusing_transport_costs_no_stall(seed: int, count: int) -> None:
    w = world(seed, 0, refusal=0.05)
    w.send(w.machine.connected(0))
    for _ in range(count):
        w.append()
    w.refusal = 0
    for _ in range(8):
        w.step()
    assert w.taken == count - 1
    assert w.machine.resends == 0


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32), silence_s=st.integers(60, 3600))
def test_a_silent_collector_is_not_pestered(seed: int, silence_s: int) -> None:
    """With back-off to 60 s an hour of silence costs at most 3600/60 windows and the first few."""
    w = world(seed, 1.0)
    w.made = 10
    w.machine.resume(9, -1)
    w.loss = 1.0
    w.machine.connected(0)
    resent = 0
    for tick in range(int(silence_s / TICK_S)):
        resent += len(w.machine.tick(tick * TICK_S))
    assert resent <= 4 + silence_s / STALL_S_MAX
    assert resent >= silence_s / (STALL_S_MAX * 1.2 + 1)
