"""A wall clock that jumps ahead is not believed at once."""

from cloud.clock import AWAY_NS, JUMP_NS, STAND_NS, SimulatedClock, SteadyClock
from tests.unit.cloud.evidence_examples import SECOND_NS, T0_NS, ManualClock

YEAR_NS = 365 * 86_400 * SECOND_NS
YEARS_6_NS = 6 * 365 * 86_400 * SECOND_NS


class Time:
    """A wall clock and a monotonic one, moved apart by hand."""

    def __init__(self) -> None:
        self.wall, self.mono_ns = ManualClock(T0_NS), 0
        self.steady = SteadyClock(self.wall, lambda: self.mono_ns)

    def passes(self, ns: int) -> None:
        self.mono_ns += ns
        self.wall.now_ns += ns


def test_time_that_passes_is_believed() -> None:
    time = Time()
    time.passes(YEARS_6_NS)
    assert (time.steady.wall_ns(), time.steady.doubt()) == (T0_NS + YEARS_6_NS, "")
    time.wall.now_ns += JUMP_NS
    assert (time.steady.wall_ns(), time.steady.doubt()) == (T0_NS + YEARS_6_NS + JUMP_NS, "")
    for set_ns in (-3_600 * SECOND_NS, 3_600 * SECOND_NS):  # back, and forward again
        time.wall.now_ns += set_ns
        assert (time.steady.wall_ns(), time.steady.doubt()) == (time.wall.now_ns, "")


def test_a_jump_for_a_moment_leaves_no_trace() -> None:
    time = Time()
    time.wall.now_ns += YEARS_6_NS
    time.passes(14 * SECOND_NS)
    assert time.steady.wall_ns() == T0_NS + 14 * SECOND_NS
    doubt = time.steady.doubt()
    assert "says 2032-" in doubt
    assert "2026-" in doubt
    assert "10 minutes" in doubt
    time.wall.now_ns -= YEARS_6_NS
    assert (time.steady.wall_ns(), time.steady.doubt()) == (T0_NS + 14 * SECOND_NS, "")


def test_a_clock_that_has_stood_is_believed() -> None:
    time = Time()
    time.wall.now_ns += YEARS_6_NS
    assert time.steady.doubt()
    time.passes(STAND_NS - 1)
    assert time.steady.wall_ns() == T0_NS + STAND_NS - 1
    time.passes(1)
    assert (time.steady.wall_ns(), time.steady.doubt()) == (T0_NS + YEARS_6_NS + STAND_NS, "")


def test_a_clock_that_jumps_again_has_not_stood() -> None:
    time = Time()
    time.wall.now_ns += YEARS_6_NS
    assert time.steady.doubt()
    time.passes(STAND_NS - 1)
    time.wall.now_ns += 3_600 * SECOND_NS
    assert time.steady.doubt()
    time.passes(STAND_NS - 1)
    assert time.steady.doubt()
    time.passes(1)
    assert not time.steady.doubt()


def test_a_new_process_believes_what_it_finds() -> None:
    time = Time()
    time.wall.now_ns += YEARS_6_NS
    assert SteadyClock(time.wall, lambda: time.mono_ns).doubt() == ""


class Start(Time):
    """A machine that boots a year ahead, and the log of a collector that stopped then."""

    def __init__(
        self, *, is_kept: bool = False, newest_ns: int = T0_NS, ahead_ns: int = YEAR_NS
    ) -> None:
        super().__init__()
        self.is_kept, self.wall.now_ns = is_kept, T0_NS + ahead_ns
        self.steady = SteadyClock(self.wall, lambda: self.mono_ns, lambda: self.is_kept)
        self.steady.start_after(newest_ns)

    @property
    def said(self) -> tuple[int, str]:
        return self.steady.wall_ns(), self.steady.doubt()


def test_a_clock_that_nothing_keeps_is_doubted_at_the_start_until_it_is_set_back() -> None:
    time = Start()
    time.passes(14 * SECOND_NS)
    believed, doubt = time.said
    assert believed == T0_NS + 14 * SECOND_NS
    assert "at the start the collector's clock says 2027-" in doubt
    assert "newest entry is of 2026-09-21 14:13:20 UTC, and nothing keeps the clock" in doubt
    time.wall.now_ns -= YEAR_NS
    assert time.said == (T0_NS + 14 * SECOND_NS, "")
    time.wall.now_ns += YEAR_NS
    assert "jumped ahead" in time.said[1]


def test_the_doubt_of_the_start_ends_when_something_keeps_the_clock() -> None:
    """NTP has set it, two hours after the power went."""
    time = Start()
    time.wall.now_ns, time.is_kept = T0_NS + 7_200 * SECOND_NS, True
    assert time.said == (T0_NS + 7_200 * SECOND_NS, "")
    time.wall.now_ns += YEAR_NS
    assert "jumped ahead" in time.said[1], "while it runs, NTP is believed no more than before"


def test_the_doubt_of_the_start_ends_when_the_clock_has_stood() -> None:
    time = Start()
    assert time.said[1]
    time.passes(STAND_NS - 1)
    assert time.said[1]
    time.passes(1)
    assert time.said == (T0_NS + YEAR_NS + STAND_NS, "")


def test_a_start_that_is_believed() -> None:
    """Kept in time; soon after the newest entry; before it; without any."""
    assert Start(is_kept=True).said == (T0_NS + YEAR_NS, "")
    assert Start(ahead_ns=AWAY_NS).said == (T0_NS + AWAY_NS, "")
    assert Start(ahead_ns=AWAY_NS + 1).said[0] == T0_NS
    assert Start(ahead_ns=-YEAR_NS).said == (T0_NS - YEAR_NS, "")
    assert Start(newest_ns=0).said == (T0_NS + YEAR_NS, "")


def test_a_simulated_clock_goes_at_its_speed_from_its_instant() -> None:
    now_ns = 5 * SECOND_NS
    clock = SimulatedClock(T0_NS, 3_600, lambda: now_ns)
    assert clock.wall_ns() == T0_NS
    now_ns += SECOND_NS
    assert (clock.wall_ns(), clock.doubt()) == (T0_NS + 3_600 * SECOND_NS, "")
