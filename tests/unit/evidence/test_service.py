"""What a program tells the manager of services, and that it never suffers from telling."""

import os
from pathlib import Path

import pytest

from evidence.service import ServiceManager
from tests.notified import manager

# sd_notify(3): READY=1, STATUS=, WATCHDOG=1, WATCHDOG_USEC= in microseconds; sd_watchdog_enabled(3)
PATIENCE = [
    ({}, 60.0, []),  # nobody watches
    ({"WATCHDOG_USEC": "180000000"}, 60.0, []),  # three turns of a minute: as the unit says
    ({"WATCHDOG_USEC": "180000000"}, 3600.0, ["WATCHDOG_USEC=10800000000"]),
]


@pytest.mark.parametrize(("more", "turn_s", "asked"), PATIENCE)
def test_ready_and_how_much_patience_is_asked(
    tmp_path: Path, more: dict[str, str], turn_s: float, asked: list[str]
) -> None:
    with manager(tmp_path, **more) as hearing:
        ServiceManager(hearing.environment).ready("edge-1: running", turn_s)
        assert hearing.heard() == ["READY=1", "STATUS=edge-1: running", *asked]


@pytest.mark.parametrize("name", ["", f"stackproof-test-{os.getpid()}"])
def test_alive_by_path_and_by_abstract_name(tmp_path: Path, name: str) -> None:
    with manager(tmp_path, name) as hearing:
        ServiceManager(hearing.environment).alive("alarms: none")
        assert hearing.heard() == ["WATCHDOG=1", "STATUS=alarms: none"]


def test_nobody_to_tell_and_a_manager_that_is_away_or_deaf_cost_nothing(tmp_path: Path) -> None:
    ServiceManager({}).alive("")
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "away")}).alive("")
    with manager(tmp_path) as deaf:
        told = ServiceManager(deaf.environment)
        for _ in range(10_000):  # its queue is full long before
            told.alive("x" * 100)
