"""The units under systemd as PID 1, on this machine's own root: docs/agent-at-boot.md as it stands.

Not the package: its program is this tree's, where the units look for it. `tests.system.box` says
what such a machine lacks.
"""

import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.confined import settings
from tests.docs.reader import blocks
from tests.system.box import Box, booted, why_not

ROOT = Path(__file__).resolve().parents[2]
EDGE = "stackproof-edge"
HOME = "/opt/stackproof/current"
STATUS = ("stackproof", "edge", "status", "/etc/stackproof/site.toml")
FAKED = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(300),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]

PROGRAM = f"""#!/bin/sh
PATH=$PATH:{HOME}/venv PYTHONPATH={HOME}/tree:{HOME}/site PYTHONDONTWRITEBYTECODE=1
LD_LIBRARY_PATH={HOME}/python/lib # a Python that was built with a shared library, and moved
export PATH PYTHONPATH LD_LIBRARY_PATH
exec {HOME}/python/bin/python3 -P -m stackproof "$@"
"""


#: two collectors of one slice, on one machine
UNITS_OF_ONE = ("stackproof-cloud@b", "stackproof-cloud@c")
FRONT = """\
format = 1
[http]
port = 8700
[[collector]]
name = "first"
url = "http://127.0.0.1:8600"
token = "file:token"
"""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """One with program, units and users, before anybody did anything; and a meter."""
    folder = tmp_path_factory.mktemp("box")
    folder.chmod(0o755)
    up = folder / "up"
    for name in ("usr/local/bin", "etc/systemd/system", "etc/sysusers.d", "etc/stackproof"):
        (up / name).mkdir(parents=True)
    program = up / f"{HOME[1:]}/bin/stackproof"
    program.parent.mkdir(parents=True)
    program.write_text(PROGRAM)
    program.chmod(0o755)
    (up / "usr/local/bin/stackproof").symlink_to(f"{HOME}/bin/stackproof")
    for unit in (ROOT / "packaging/systemd").glob("*.service"):
        shutil.copy(unit, up / "etc/systemd/system")
    shutil.copy(ROOT / "packaging/systemd/stackproof.sysusers", up / "etc/sysusers.d/sp.conf")
    binds = {
        Path(sys.base_prefix): f"{HOME}/python",
        Path(sys.executable).parent: f"{HOME}/venv",
        Path(pytest.__file__).parents[1]: f"{HOME}/site",
        ROOT: f"{HOME}/tree",
    }
    with booted(Path("/"), folder, binds={k: v[1:] for k, v in binds.items()}) as made:
        made.run("systemd-sysusers")
        made.run("systemd-run", "--unit=meter", "stackproof", "sim", "run", "smelter")
        yield made


def until(condition: Callable[[], bool], box: Box, unit: str, within_s: float = 60) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        journal = box.run("journalctl", "-n", "50", "-u", unit)
        assert time.monotonic() < end_s, journal
        time.sleep(0.2)


def frames(box: Box) -> int:
    """How many frames the spool holds, signed or not."""
    said = box.run(*STATUS, check=False)
    (newest, unsigned) = re.findall(r"newest seq (-?\d+),.* (\d+) frames not signed", said)[0]
    return int(newest) + int(unsigned)


def test_agent_by_the_page_then_stopped_and_started(box: Box) -> None:
    (keys,) = blocks("agent-at-boot", "The key")
    said = box.run("sh", "-euc", keys)
    hex_ = re.findall(r"key SHA-256: ([0-9a-f]{64})", said)[0]
    box.run(
        "sh",
        "-euc",
        f"""
        cd /root; stackproof keys new --out root --plant smelter
        stackproof keys enrol --csr /etc/stackproof/edge-1.csr --key-sha256 {hex_} --name edge-1 \
          --root file:root/root.pem --root-certificate root/root.crt --out edge-1.crt
        cp edge-1.crt root/collector.crt /etc/stackproof""",
    )
    site = blocks("deploy", "The gateway", "toml")[0]
    (state,) = blocks("agent-at-boot", "The site file", "toml")
    site = re.sub(r"state_dir = .*\n", state, site)
    box.write("/etc/stackproof/site.toml", site)
    (check,) = blocks("agent-at-boot", "The site file")
    assert box.run("sh", "-euc", check).count("fine. smelter/edge-1") == 2
    (start,) = blocks("agent-at-boot", "At boot")
    assert "active" in box.run("sh", "-euc", start)

    until(lambda: "newest tick 20" in box.show(EDGE, "StatusText")[0], box, EDGE)
    pid, core = box.show(EDGE, "MainPID", "LimitCORE")
    status = box.run("cat", f"/proc/{pid}/status")
    assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
    assert re.search(r"^CapBnd:\t0+$", status, re.MULTILINE)
    assert core == "0"
    owner = box.run("stat", "-c", "%U %a", "/var/lib/stackproof-edge")
    assert owner == "stackproof-edge 700\n"

    until(lambda: frames(box) >= 1, box, EDGE)
    box.run("systemctl", "stop", EDGE)
    kept = frames(box)
    box.run("systemctl", "start", EDGE)
    until(lambda: frames(box) > kept, box, EDGE)


def test_collector_is_ready_and_takes_what_waited(box: Box) -> None:
    """Type=notify: systemctl start comes back when they said so, and fails otherwise."""
    cloud = blocks("deploy", "The collector", "toml")[0]
    cloud = cloud.replace("sqlite:///evidence.db", "sqlite:////var/lib/stackproof/evidence.db")
    for name in ("state", "archives"):
        cloud = cloud.replace(f'_dir = "{name}"', f'_dir = "/var/lib/stackproof/{name}"')
    box.write("/etc/stackproof/cloud.toml", cloud.replace("file:keys", "file:."))
    box.run(
        "sh",
        "-euc",
        """
        cp /root/root/collector.pem /root/root/root.crt /etc/stackproof
        chown stackproof: /etc/stackproof/collector.pem
        systemctl start stackproof-cloud""",
    )
    assert "1 plants served" in box.show("stackproof-cloud", "StatusText")[0]
    under_receipt = re.compile(r"under receipt up to [1-9]")
    until(lambda: bool(under_receipt.search(box.run(*STATUS, check=False))), box, EDGE)


def test_what_root_makes_beside_a_service_the_service_can_use(box: Box) -> None:
    """A key rotated and a plant restored by root, as docs/operations.md has it."""
    rotate = """
        cd /etc/stackproof; cp /root/root/root.crt .
        stackproof keys rotate --key file:edge-1-b.pem --previous file:edge-1.pem \
          --plant smelter --name edge-1 --out edge-1-b.csr"""
    hex_ = re.findall(r"key SHA-256: ([0-9a-f]{64})", box.run("sh", "-euc", rotate))[0]
    box.run(
        "sh",
        "-euc",
        f"""
        cd /root
        stackproof keys enrol --csr /etc/stackproof/edge-1-b.csr --key-sha256 {hex_} --name edge-1 \
          --root file:root/root.pem --root-certificate root/root.crt \
          --out /etc/stackproof/edge-1-b.crt""",
    )
    site = box.run("cat", "/etc/stackproof/site.toml").replace("edge-1.crt", "edge-1-b.crt")
    new = 'key = "file:edge-1-b.pem"\nprevious_key = "file:edge-1.pem"\nroot = "file:root.crt"'
    box.write("/etc/stackproof/site.toml", site.replace('key = "file:edge-1.pem"', new))
    check = "stackproof edge check /etc/stackproof/site.toml"
    assert "fine" in box.run("runuser", "-u", EDGE, "--", *check.split())
    box.run("systemctl", "restart", EDGE)
    until(lambda: f"key: {hex_[:16]}" in box.run(*STATUS, check=False), box, EDGE)
    assert box.show(EDGE, "NRestarts") == ["0"]
    cloud = "/var/lib/stackproof"
    box.run(
        "sh",
        "-euc",
        f"""
        systemctl stop stackproof-cloud
        stackproof cloud backup /etc/stackproof/cloud.toml --out /root/backup
        rm {cloud}/evidence.db*
        install -o stackproof -g stackproof -m 600 /root/backup/evidence.db {cloud}/evidence.db
        runuser -u stackproof -- stackproof cloud fsck /etc/stackproof/cloud.toml
        systemctl start stackproof-cloud""",
    )
    assert box.run("find", cloud, "!", "-user", "stackproof") == ""
    newest = int(re.findall(r"newest seq (\d+)", box.run(*STATUS, check=False))[0])

    def receipted() -> int:
        return int(re.findall(r"receipt up to (-?\d+)", box.run(*STATUS, check=False))[0])

    until(lambda: receipted() > newest, box, EDGE)


def test_the_agents_unit_opens_serial_lines_and_no_memory(box: Box) -> None:
    """By systemd's own reading of the unit's rules; behind the line is nothing (ENXIO)."""
    rules = [f"-pDeviceAllow={rule}" for rule in settings(EDGE)["DeviceAllow"]]
    box.run("sh", "-euc", "mknod /dev/ttyS99 c 4 163; mknod /dev/memory c 1 1")

    def opened(path: str) -> str:
        call = ("systemd-run", "--pipe", "--wait", "-q", "-pDevicePolicy=closed", *rules)
        return box.run(*call, "sh", "-c", f": <{path}", check=False)

    assert "No such device or address" in opened("/dev/ttyS99")
    assert "Operation not permitted" in opened("/dev/memory")


def test_frozen_agent_is_started_again(box: Box) -> None:
    """After the unit's own three minutes; the spool goes on."""
    (pid,) = box.show(EDGE, "MainPID")
    kept = frames(box)
    box.run("kill", "-STOP", pid)
    until(lambda: box.show(EDGE, "NRestarts") == ["1"], box, EDGE, within_s=240)
    assert "Watchdog timeout (limit 3min)" in box.run("journalctl", "-u", EDGE)
    until(lambda: frames(box) > kept, box, EDGE)


@pytest.mark.skipif(FAKED is None, reason="libfaketime is not installed")
@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ("1970-01-01 00:00:30", ["is not valid yet", "days ahead of this machine's clock"]),
        (
            "2036-02-29 23:59:00",
            ["is no longer valid", "no readings are taken until"],
        ),
    ],
    ids=["never set", "far ahead"],
)
def test_agent_at_a_boot_with_a_wrong_clock(box: Box, shown: str, said: list[str]) -> None:
    """It starts, says so, and spoils nothing: with the right clock its stream goes on as before.

    The kernel's clock is nobody's to set here: the agent's own is, as if it were the machine's.
    """
    folder, since = f"/etc/systemd/system/{EDGE}.service.d", box.run("date", "+@%s").strip()
    box.run("mkdir", "-p", folder)
    box.write(
        f"{folder}/clock.conf",
        f"[Service]\nEnvironment=LD_PRELOAD={FAKED} FAKETIME_DONT_FAKE_MONOTONIC=1\n"
        f'Environment="FAKETIME=@{shown}"\n',
    )
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "restart", EDGE)  # Type=notify: it comes back when the agent said so

    def journal() -> str:
        return box.run("journalctl", "-u", EDGE, "--since", since)

    until(lambda: all(words in journal() for words in said), box, EDGE)
    state, restarts, status = box.show(EDGE, "ActiveState", "NRestarts", "StatusText")
    assert (state, restarts) == ("active", "0")
    assert f"newest tick {shown[:4]}" not in status
    box.run("rm", f"{folder}/clock.conf")
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "restart", EDGE)
    kept = frames(box)
    until(lambda: frames(box) > kept, box, EDGE)
    until(lambda: "alarms: none" in box.show(EDGE, "StatusText")[0], box, EDGE)


def test_a_further_collector_a_standby_of_it_and_a_front(box: Box) -> None:
    """By the table of docs/install.md; then all stop by the package's own line."""
    first = blocks("deploy", "The collector", "toml")[0].replace("file:keys", "file:.")
    (drop_in,) = blocks("install", "Services", "ini")
    for unit, port in zip(UNITS_OF_ONE, (8601, 8602), strict=True):
        told = re.sub(r'_dir = "(\w+)"', r'_dir = "/var/lib/stackproof/b/\1"', first)
        told = re.sub(
            r"\[broker\][^\[]*", '[broker]\nmode = "external"\nurl = "mqtt://127.0.0.1:9"\n', told
        )
        told = told.replace("8600", f"{port}").replace('slice = "00"', 'slice = "01"')
        box.write(
            f"/etc/stackproof/{unit.removeprefix('stackproof-').replace('@', '-')}.toml", told
        )
        box.run("mkdir", "-p", f"/etc/systemd/system/{unit}.service.d")
        box.write(f"/etc/systemd/system/{unit}.service.d/standby.conf", drop_in)
        box.run("systemctl", "daemon-reload")
        box.run("systemctl", "start", unit)  # a standby too is ready
    serves, (one, other) = "1 plants served, in trouble: none", UNITS_OF_ONE
    until(lambda: box.show(one, "StatusText") == [serves], box, one)
    until(lambda: box.show(other, "StatusText") == ["standby"], box, other)
    box.run("systemctl", "kill", "--signal=KILL", one)
    until(lambda: box.show(other, "StatusText") == [serves], box, other)
    until(lambda: box.show(one, "StatusText") == ["standby"], box, one)

    box.write("/etc/stackproof/front.toml", FRONT)
    box.write("/etc/stackproof/token", "x" * 40)
    box.run("chown", "stackproof-front:", "/etc/stackproof/token")
    box.run("chmod", "600", "/etc/stackproof/token")
    box.run("systemctl", "start", "stackproof-front")
    assert "of 1 collector(s) answer" in box.show("stackproof-front", "StatusText")[0]

    prerm = (ROOT / "packaging/debian/prerm").read_text()
    (stop,) = re.findall(r"systemctl stop (?:.|\\\n)*?[^\\]\n", prerm)
    box.run("sh", "-euc", stop)
    assert box.run("systemctl", "list-units", "--no-legend", "--state=running", "stackproof*") == ""
