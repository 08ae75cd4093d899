"""A wall clock that jumps ahead is not believed at once."""

from cloud.clock import JUMP_NS, STAND_NS, SimulatedClock, SteadyClock
from tests.unit.cloud.evidence_examples import SECOND_NS, T0_NS, ManualClock

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


def test_a_simulated_clock_goes_at_its_speed_from_its_instant() -> None:
    now_ns = 5 * SECOND_NS
    clock = SimulatedClock(T0_NS, 3_600, lambda: now_ns)
    assert clock.wall_ns() == T0_NS
    now_ns += SECOND_NS
    assert (clock.wall_ns(), clock.doubt()) == (T0_NS + 3_600 * SECOND_NS, "")
