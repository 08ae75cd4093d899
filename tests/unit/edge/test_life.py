"""What /livez and /readyz answer, by a clock that a test turns."""

from types import SimpleNamespace
from typing import Any

import pytest

from edge.life import Life
from edge.pollers import work_of

S = 10**9


class Turned:
    """A life whose work is as `work` says, on a clock of its own."""

    def __init__(self) -> None:
        self.now_s = 1000
        self.work = "", ""
        self.life = Life(lambda: self.now_s * S, lambda: self.work)


@pytest.fixture
def turned() -> Turned:
    return Turned()


def test_a_start_may_take_as_long_as_a_unit_waits(turned: Turned) -> None:
    turned.now_s += 180  # WatchdogSec=3min
    assert turned.life.live() == (True, "alive")
    assert turned.life.ready() == (False, "starting")
    turned.now_s += 1
    assert turned.life.live() == turned.life.ready() == (False, "hangs for 181 s")


@pytest.mark.parametrize(("turn_s", "silent_s"), [(2.0, 180), (60.0, 180), (900.0, 2700)])
def test_a_loop_that_hangs_is_neither_alive_nor_ready(
    turned: Turned, turn_s: float, silent_s: int
) -> None:
    """Three turns, as `evidence.service` asks the manager for; 3 min at least, as the units."""
    turned.now_s += 100
    turned.life.begin(turn_s)
    turned.now_s += silent_s
    assert turned.life.live() == (True, "alive")
    assert turned.life.ready() == (True, "ready")
    turned.now_s += 1
    assert turned.life.live() == turned.life.ready() == (False, f"hangs for {silent_s + 1} s")
    turned.life.go_on()
    assert turned.life.ready() == (True, "ready")


def test_work_that_is_not_done_is_told_and_lives(turned: Turned) -> None:
    turned.life.begin(1.0)
    turned.work = "", "no answer of gas-1"
    assert turned.life.ready() == (True, "ready\nno answer of gas-1")
    turned.work = "no readings are kept: spool-full", "no answer of gas-1"
    said = "no readings are kept: spool-full\nno answer of gas-1"
    assert turned.life.ready() == (False, said)
    assert turned.life.live() == (True, "alive")


@pytest.mark.parametrize(
    ("answering", "refusal", "work"),
    [
        ((True, True), "", ("", "")),
        ((True, False), "", ("", "no answer of b")),
        ((False, False), "", ("no device answers", "no answer of a, b")),
        ((True, True), "spool-full", ("no readings are kept: spool-full", "")),
        ((False, False), "spool-full", ("no readings are kept: spool-full", "no answer of a, b")),
    ],
)
def test_work_of_an_agent(
    answering: tuple[bool, bool], refusal: str, work: tuple[str, str]
) -> None:
    pollers: Any = [
        SimpleNamespace(spec=SimpleNamespace(id=name), is_answering=is_so)
        for name, is_so in zip("ab", answering, strict=True)
    ]
    assert work_of(pollers, refusal) == work
