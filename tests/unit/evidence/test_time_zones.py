"""Time zones: exact names, the package's rules, whatever the machine has."""

import subprocess
import sys
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from evidence.time_zones import time_zone, zone_names

#: names that one machine takes and another does not
NAMES = {
    "localtime": "such as Asia/Shanghai",
    "posixrules": "such as",
    "Factory": "such as",
    "right/Asia/Shanghai": "write Asia/Shanghai",
    "posix/UTC": "write UTC",
    "asia/shanghai": "write Asia/Shanghai",
    "Asia/ShangHai": "write Asia/Shanghai",
    "utc": "write UTC",
    "America/New York": "write America/New_York",
    "America": "such as",
    "../etc/passwd": "such as",
    "zone.tab": "such as",
    "": "such as",
    "Asia/Shanghai\0": "such as",
    "Asia/Shanghai ": "such as",
    "+08:00": "such as",
    "A" * 300: "such as",
}


@pytest.mark.parametrize("name", NAMES)
def test_only_exact_names_are_taken_and_the_right_one_is_said(name: str) -> None:
    with pytest.raises(ValueError, match=f"no IANA time zone.*{NAMES[name]}"):
        time_zone(name)


def test_all_names_of_the_package_have_rules() -> None:
    assert len(zone_names()) > 500
    for name in zone_names():
        assert time_zone(name).key == name


def test_the_rules_are_those_of_the_package() -> None:
    """A process whose machine knows no time zones tells the same time."""
    program = (
        "from datetime import datetime\n"
        "from evidence.time_zones import time_zone\n"
        "print(datetime(2026, 6, 15, 12, tzinfo=time_zone('Asia/Shanghai')).isoformat())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(files("evidence").joinpath("..")), "PYTHONTZPATH": ""},
    )  # fmt: skip
    assert done.stdout == "2026-06-15T12:00:00+08:00\n"
    noon = datetime(2026, 6, 15, 12, tzinfo=time_zone("Asia/Shanghai"))
    assert noon.astimezone(UTC).hour == 4
