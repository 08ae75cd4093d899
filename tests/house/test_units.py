"""The unit files, by systemd's own judgement; the services' tests run their programs under them.

`tests/integration/edge/test_watchdog.py` and `tests/integration/cloud/test_process.py` do that.
"""

import re
import shlex
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from cloud.brought import desk as brought
from cloud.front.config import COLLECTORS_MAX
from cloud.front.passing import AT_ONCE
from cloud.records.pdf import child as paper
from edge.relay.config import STREAMS_MAX
from tests.confined import UNITS, command, settings

#: carried to the broker's machine
ELSEWHERE = UNITS.parents[1] / "docs/broker"
NAMES = sorted(path.stem for path in UNITS.glob("*.service"))

#: What is left above 0 is what the work takes: Internet and local sockets (0.4), no network of its
#: own (0.5), the host's root and users (0.3), and of the agent serial lines and reading the
#: clock's error (0.9). systemd calls 2.0 and above "medium" from 5.0 on; its own services have 2.
EXPOSURE_MAX = 2.0

pytestmark = pytest.mark.needs("systemd-analyze")


def analyze(*arguments: str) -> str:
    done = subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_all_are_looked_at() -> None:
    """And by whoever installs, restarts or stops them, and makes their users."""
    names = ["cloud", "cloud@", "edge", "front", "relay"]
    assert [f"stackproof-{name}" for name in names] == NAMES
    users = (UNITS / "stackproof.sysusers").read_text()
    made = re.findall(r"^u (\S+) ", users, re.MULTILINE)
    assert {user for name in NAMES for user in settings(name)["User"]} == set(made)
    for script in ("postinst", "prerm"):
        (line,) = re.findall(
            r"systemctl (?:--no-block try-restart|stop) ((?:.|\\\n)*?[^\\])\n",
            (UNITS.parent / "debian" / script).read_text(),
        )
        told = {word.rstrip("*") for word in shlex.split(line.replace("\\\n", ""))}
        assert told == set(NAMES), script


def test_further_collectors_run_as_the_first() -> None:
    """All but the file; systemd has no way to say so in one unit."""
    first, further = ((UNITS / f"stackproof-cloud{at}.service").read_text() for at in ("", "@"))
    first = first.replace("/etc/stackproof/cloud.toml", "/etc/stackproof/cloud-%i.toml")
    first = first.replace("Description=Stackproof collector", "Description=Stackproof collector %i")
    assert first.split("\n")[1:] == further.split("\n")[1:]


def test_a_front_of_as_many_collectors_as_it_may_have_gets_its_threads() -> None:
    """One that listens and those that pass on, each; asyncio's and the pages' pools: 32 and 40."""
    (tasks,) = settings("stackproof-front")["TasksMax"]
    assert int(tasks) >= COLLECTORS_MAX * (1 + AT_ONCE) + 32 + 40 + 10


def test_systemd_understands_them(tmp_path: Path) -> None:
    """With a program where they expect it: it is checked for, too."""
    found = []
    for name in NAMES:
        text = (UNITS / f"{name}.service").read_text()
        unit = tmp_path / f"{name}{'west' * name.endswith('@')}.service"
        unit.write_text(text.replace("/opt/stackproof/current/bin/stackproof", "/bin/true"))
        found.append(str(unit))
    for path in sorted(ELSEWHERE.glob("*.service")) + sorted(ELSEWHERE.glob("*.timer")):
        unit = tmp_path / path.name
        unit.write_text(path.read_text().replace("/usr/local/bin/stackproof-revoked", "/bin/true"))
        found.append(str(unit))
    assert len(found) == len(NAMES) + 2
    assert analyze("verify", "--man=no", *found) == ""


@pytest.mark.parametrize(
    "path", sorted([*UNITS.glob("*.service"), *ELSEWHERE.glob("*.service")]), ids=lambda p: p.stem
)
def test_little_is_exposed(path: Path) -> None:
    name, said = path.stem, analyze("security", "--offline=true", "--no-pager", str(path))
    (level,) = re.findall(r"Overall exposure level for \S+: ([0-9.]+)", said)
    print(f"{name}: exposure {level}")  # noqa: T201 - shown with -s
    assert float(level) < EXPOSURE_MAX, said


@pytest.mark.parametrize("name", NAMES)
def test_bounds_are_set_and_a_hung_service_is_started_again(name: str) -> None:
    told = settings(name)
    assert told.keys() >= {"MemoryMax", "TasksMax", "LimitNOFILE", "LogRateLimitBurst", "User"}
    assert (told["Restart"], told["StartLimitIntervalSec"]) == (["always"], ["0"])
    assert told["Type"] == ["notify"]
    assert "WatchdogSec" in told


def test_a_relay_of_as_many_streams_as_it_may_have_gets_its_threads() -> None:
    """One each, and those of asyncio's pool: 32 at most, by the library's own rule."""
    (tasks,) = settings("stackproof-relay")["TasksMax"]
    assert int(tasks) >= STREAMS_MAX + 32 + 10


#: what drivers call their lines in /proc/devices, which is what systemd compares: majors 4, 166,
#: 188, 204 of the kernel's Documentation/admin-guide/devices.txt; `dev_name` of its other drivers
LINES = [
    "ttyS", "ttyACM", "ttyUSB", "ttyAMA", "ttyAT", "ttyMAX", "ttyPSC", "ttySC", "ttyUL",
    "ttymxc", "ttyLP", "ttyMSM", "ttyO", "ttyPS", "ttySAC", "ttySTM", "ttyTHS",
]  # fmt: skip
NO_LINES = ["tty", "/dev/tty", "/dev/console", "/dev/ptmx", "ttyprintk", "mem", "hidraw", "i2c"]


def test_the_agent_opens_every_kind_of_serial_line_and_nothing_else() -> None:
    """Of a device that is not allowed the answer is EPERM, whatever groups the agent is in."""
    told = settings("stackproof-edge")
    rules = [rule.removesuffix(" rw").removeprefix("char-") for rule in told["DeviceAllow"]]
    opened = {name for name in (*LINES, *NO_LINES) for rule in rules if fnmatchcase(name, rule)}
    assert opened == set(LINES)
    assert told["DevicePolicy"] == ["closed"]
    # an adapter that is plugged in after the start has its major only where its module is there
    assert told["Wants"] == ["modprobe@usbserial.service modprobe@cdc_acm.service"]
    assert told["Wants"][0] in told["After"]


def test_a_reader_of_what_people_bring_does_not_take_the_collectors_memory() -> None:
    """An archive and a paper, beside 1.2 GB for 1,500 plants (docs/cluster.md)."""
    told = settings("stackproof-cloud")
    (memory,) = told["MemoryMax"]
    gib = int(memory.removesuffix("G"))
    assert gib - 0.5 >= (brought.MEMORY_BYTES + paper.MEMORY_BYTES) / 2**30 + 1.2
    assert told["OOMPolicy"] == ["continue"], "else a reader's end ends the collector too"


def test_agent_and_collector_may_ask_how_far_off_the_clock_is() -> None:
    """Refused, no clock would count as kept: the usual set of system calls refuses it."""
    asks = (
        "import ctypes\n"
        "raise SystemExit(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)) < 0)"
    )
    for unit, refused in (("stackproof-edge", 0), ("stackproof-cloud", 0), ("stackproof-relay", 1)):
        done = subprocess.run(command(unit, sys.executable, "-c", asks), check=False)
        assert done.returncode == refused, unit
