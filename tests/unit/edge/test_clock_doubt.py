"""From 2 s of disagreement between clocks on, the time of readings is in doubt."""

import random
from dataclasses import dataclass

from edge.clock_doubt import Bound, Doubt, ReceiptTimes, WatchedTime
from evidence.frame import Clock as ClockState

S = 10**9
NOON = 1_795_000_000 * S


@dataclass
class Hand:
    """Clocks that are moved by hand."""

    offset_ns: int = NOON
    monotonic: int = 5 * S
    source: str = "free"

    def wall_ns(self) -> int:
        return self.monotonic + self.offset_ns

    def monotonic_ns(self) -> int:
        return self.monotonic

    def state(self) -> ClockState:
        return ClockState(self.source, None, self.monotonic, bytes(16))


def watched(clock: Hand) -> WatchedTime:
    time = WatchedTime(clock.wall_ns(), clock.monotonic_ns())
    time.look(clock, None)
    return time


def doubt_after(
    time: WatchedTime, clock: Hand, seconds: float, bound: Bound | None = None
) -> Doubt | None:
    """After a look each second, with ticks used as the agent does."""
    for _ in range(int(seconds)):
        clock.monotonic += S
        time.look(clock, bound)
        if not time.is_unsure:
            time.use(time.now_ns // S * S)
    return time.doubt


def test_ten_minutes_ahead_for_40_s_and_back_is_in_doubt_until_the_stream_is_caught_up() -> None:
    clock = Hand()
    time = watched(clock)
    assert doubt_after(time, clock, 10) is None
    clock.offset_ns += 600 * S
    found = doubt_after(time, clock, 1)
    assert found == Doubt("step", 600 * S)
    assert "600 s ahead of where it would be" in found.sentence
    assert doubt_after(time, clock, 39) == found
    clock.offset_ns -= 600 * S
    found = doubt_after(time, clock, 1)
    assert found is not None
    assert (found.reason, round(found.by_ns / S)) == ("stream", 600)
    # 600 s at 5 ms a second; in doubt until 2 s are left: (600 - 2) * 200 s
    assert doubt_after(time, clock, 119_500) is not None
    assert doubt_after(time, clock, 200) is None


def test_less_than_two_seconds_and_a_slew_are_no_doubt() -> None:
    """A slew moves both clocks; steps of NTP under 128 ms are slews."""
    clock = Hand()
    time = watched(clock)
    clock.offset_ns += 2 * S - 1
    assert doubt_after(time, clock, 5) is None
    clock.offset_ns += 1
    assert doubt_after(time, clock, 1) == Doubt("step", 2 * S)


def test_small_steps_add_up() -> None:
    clock = Hand()
    time = watched(clock)
    for _ in range(4):
        clock.offset_ns += S // 2
        found = doubt_after(time, clock, 1)
    assert found == Doubt("step", 2 * S)


def test_a_step_that_receipts_confirm_is_none() -> None:
    """The clock was 30 s behind, and NTP has set it: the collector has said so all along."""
    clock = Hand()
    time = watched(clock)
    bound = Bound(NOON + 30 * S - S // 2, NOON + 30 * S + S // 2)
    found = doubt_after(time, clock, 2, bound)
    assert found == Doubt("collector", -30 * S + S // 2)
    assert "30 s behind the collector's" in found.sentence
    clock.offset_ns += 30 * S
    assert doubt_after(time, clock, 1, bound) is None
    assert doubt_after(time, clock, 5, None) is None, "it is the clock that is believed from here"


def test_a_step_without_a_collector_is_believed_after_five_minutes_under_ntp() -> None:
    clock = Hand()
    time = watched(clock)
    clock.offset_ns += 5 * S
    assert doubt_after(time, clock, 600) is not None, "nobody says that it is right"
    clock.source = "ntp"
    assert doubt_after(time, clock, 1) is None
    clock.offset_ns += 5 * S
    assert doubt_after(time, clock, 299) is not None
    assert doubt_after(time, clock, 2) is None


def test_a_slow_receipt_accuses_nobody() -> None:
    """It came a minute later: the collector's clock may be anything within that minute."""
    clock = Hand()
    time = watched(clock)
    assert doubt_after(time, clock, 2, Bound(NOON - 60 * S, NOON + S)) is None
    assert doubt_after(time, clock, 2, Bound(NOON - 60 * S, None)) is None
    assert doubt_after(time, clock, 1, Bound(NOON + 2 * S, None)) == Doubt("collector", -2 * S)
    assert doubt_after(time, clock, 1) is None
    assert doubt_after(time, clock, 1, Bound(NOON - 9 * S, NOON - 3 * S)) == Doubt(
        "collector", 3 * S
    )


def test_receipts_bound_the_collectors_clock_by_the_round_trip() -> None:
    times = ReceiptTimes()
    assert times.newest is None
    times.receipted(3, 1_000 * S, 100 * S)
    assert times.newest == Bound(900 * S, None), "of an object that an earlier process made"
    times.made(4, 101 * S)
    times.made(5, 102 * S)
    times.receipted(5, 1_003 * S, 104 * S)
    assert times.newest == Bound(899 * S, 901 * S)
    for seq in range(6, 3_000):
        times.made(seq, seq * S)
    assert len(times._made) <= 1_000, "bounded while no receipt comes"


def test_thirty_honest_days_raise_nothing() -> None:
    """NTP within 50 ms, receipts after 0 to 3 s, an outage of 10 minutes a day. A look a minute."""
    dice = random.Random(27)
    clock, times = Hand(source="ntp"), ReceiptTimes()
    time = watched(clock)
    raised = 0
    for minute in range(30 * 24 * 60):
        clock.offset_ns = NOON + int(dice.uniform(-0.05, 0.05) * S)
        if minute % 1_440 >= 10:
            times.made(minute, clock.monotonic)
            taken = int(dice.uniform(0, 1.5) * S)
            received_ns = NOON + clock.monotonic + taken + int(dice.uniform(-0.05, 0.05) * S)
            arrived = clock.monotonic + taken + int(dice.uniform(0, 1.5) * S)
            times.receipted(minute, received_ns, arrived)
        clock.monotonic += 60 * S
        time.look(clock, times.newest)
        time.use(time.now_ns // S * S)
        raised += time.doubt is not None
    assert raised == 0, "of 43,200 looks"
