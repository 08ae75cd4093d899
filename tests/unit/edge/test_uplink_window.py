"""The window on links that are reckoned: each carries so many bytes a second, so long each way."""

from dataclasses import dataclass, field

import pytest

from edge.uplink.window import FIRST, HOLD_S, Window

FRAME = 8_000  # bytes; 1,000 points for ten seconds (docs/deploy.md)


@dataclass
class Link:
    """A queue that drains at `bytes_s`, and `away_s` to the broker and back."""

    bytes_s: float
    away_s: float
    window: Window = field(default_factory=Window)
    now_s: float = 0.0
    number: int = 0
    free_s: float = 0.0  # when the queue is empty
    acks: list[tuple[float, int]] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)  # what a value would have waited

    def run(self, seconds: float, *, every_s: float = 0.0) -> float:
        """Send as much as the window allows, or one object each so often; objects a second."""
        ends_s, begun = self.now_s + seconds, self.number
        next_s = self.now_s
        while self.now_s < ends_s:
            while self.window.has_room and self.now_s >= next_s:
                self.number += 1
                self.window.sent(self.number, self.now_s)
                self.free_s = max(self.free_s, self.now_s) + FRAME / self.bytes_s
                self.acks.append((self.free_s + self.away_s, self.number))
                next_s = self.now_s + every_s
            self.waits_s.append(max(0.0, self.free_s - self.now_s))
            idle = not self.acks or (every_s and self.acks[0][0] > next_s)
            self.now_s, number = (next_s, 0) if idle else self.acks.pop(0)
            if number:
                self.window.acknowledged(number, self.now_s)
        return (self.number - begun) / seconds


@pytest.mark.parametrize(
    ("bytes_s", "away_s", "least_s"),
    [
        (4e6, 0.3, 50),  # far: what four under way carried was 4 / 0.3 s = 13
        (125e3, 0.3, 14),  # far and slow, 1 Mbit/s: 125,000 / 8,000 = 15.6
        (125e3, 0.002, 15),
        (16e3, 0.3, 1.2),  # 128 kbit/s: 2 at most; one under way leaves it idle on the way back
        (500e3, 0.6, 50),  # a satellite
    ],
)
def test_a_link_is_used_and_nothing_queues(bytes_s: float, away_s: float, least_s: float) -> None:
    link = Link(bytes_s, away_s)
    link.run(20)
    assert max(link.waits_s) <= max(2 * HOLD_S, FIRST * FRAME / bytes_s) + 2 * FRAME / bytes_s
    link.waits_s.clear()
    assert link.run(20) >= least_s
    assert max(link.waits_s) <= HOLD_S + 2 * FRAME / bytes_s


def test_a_way_that_becomes_longer_or_narrower_while_it_drains() -> None:
    link = Link(4e6, 0.02)
    assert link.run(5) > 100
    link.away_s = 0.4  # every object seems to queue, until one that is alone shows that none does
    link.run(60)
    assert link.run(10) >= 50
    link.bytes_s = 125e3
    link.run(25)
    link.waits_s.clear()
    assert link.run(30) >= 15
    assert max(link.waits_s) <= HOLD_S + 2 * FRAME / link.bytes_s


def test_frames_now_and_then_leave_it_as_it_is() -> None:
    link = Link(125e3, 0.3)
    link.run(300, every_s=10)
    assert link.window.size == 4
    link.window.sent(-1, link.now_s)
    link.window.cut()
    link.window.acknowledged(-1, link.now_s + 9)  # of a connection before
    assert link.window.size == 4
