"""The one place that reads a clock."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from edge import clock
from edge.clock import SystemClock, boot_id
from evidence import kernel_clock


def test_clocks_run() -> None:
    system = SystemClock()
    assert abs(system.wall_ns() - time.time_ns()) < 10**9
    before = system.monotonic_ns()
    assert 0 <= time.monotonic_ns() - before < 10**9


def test_boot_id_is_the_machine_s_and_stays() -> None:
    assert len(boot_id()) == 16
    assert boot_id() == boot_id()


def test_boot_id_where_the_system_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(clock, "_BOOT_ID", tmp_path / "none")
    boot_id.cache_clear()
    try:
        own = boot_id()
        assert len(own) == 16
        assert own == boot_id()
    finally:
        boot_id.cache_clear()


@pytest.mark.parametrize(
    ("kernel", "known"),
    [
        # (status, estimated error in microseconds, what the call returns)
        ((0, 0, 0), ("ntp", 0)),
        ((0, 1, 0), ("ntp", 1)),  # rounded up: never better than it is
        ((0, 2_500, 0), ("ntp", 3)),
        ((0x2001, 16_000, 0), ("ntp", 16)),
        ((0x0040, 100, 5), ("free", None)),  # STA_UNSYNC
        ((0, 100, -1), ("free", None)),  # the call fails
    ],
)
def test_state_of_the_clock(
    monkeypatch: pytest.MonkeyPatch,
    kernel: tuple[int, int, int],
    known: tuple[str, int | None],
) -> None:
    def adjtimex(reference: Any) -> int:
        timex = reference._obj
        assert timex.modes == 0, "the clock is only read"
        timex.status, timex.esterror, result = kernel
        return result

    monkeypatch.setattr(kernel_clock, "_adjtimex", lambda: adjtimex)
    state = SystemClock().state()
    assert (state.source, state.error_ms, state.boot_id) == (*known, boot_id())


def test_system_without_adjtimex(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: SimpleNamespace())
    kernel_clock._adjtimex.cache_clear()
    try:
        assert SystemClock().state().source == "free"
    finally:
        kernel_clock._adjtimex.cache_clear()
