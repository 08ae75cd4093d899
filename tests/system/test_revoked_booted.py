"""The units of docs/broker under systemd as PID 1, beside Debian's mosquitto: docs/deploy.md.

What mosquitto then does is in `tests/integration/tls/test_revoked_elsewhere.py`.
"""

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from evidence.broker_revocations import revocation_list
from tests.docs.reader import blocks
from tests.integration.tls.bench import Bench, now
from tests.integration.tls.test_revoked_elsewhere import SCRIPT, carried
from tests.system.box import Box, booted, why_not

PYTHON, BROKER, UNIT = "/opt/python", "/etc/mosquitto/stackproof", "stackproof-revoked"
DEBIANS = Path("/usr/lib/systemd/system/mosquitto.service")

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(300),
    pytest.mark.needs("curl"),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
    pytest.mark.skipif(not DEBIANS.exists(), reason="Debian's mosquitto is not installed"),
]


def until(condition: Callable[[], bool], box: Box) -> None:
    """Within a turn of the timer, and the half of one."""
    ends_s = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < ends_s, box.run("journalctl", "-n", "50", "-u", UNIT)
        time.sleep(0.2)


def ends(box: Box) -> None:
    """Have the broker end as it does at its bound of memory: with a status that is a failure."""
    before = box.show("mosquitto", "MainPID")
    box.run("systemctl", "kill", "--signal=KILL", "mosquitto")
    until(lambda: box.show("mosquitto", "MainPID") != before, box)
    until(lambda: box.show("mosquitto", "ActiveState") in (["active"], ["failed"]), box)


def stays_up_only_as_the_page_says(box: Box) -> None:
    """Debian's unit gives up; with the drop-in of docs/deploy.md it is started however often."""
    for _ in range(6):
        ends(box)
        if (given_up := box.show("mosquitto", "ActiveState")) == ["failed"]:
            break
    assert given_up == ["failed"]
    (words,) = blocks("deploy", "TLS with the broker", "ini")
    box.run("mkdir", "-p", "/etc/systemd/system/mosquitto.service.d")
    box.write("/etc/systemd/system/mosquitto.service.d/override.conf", words)
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "reset-failed", "mosquitto")
    box.run("systemctl", "start", "mosquitto")
    for _ in range(8):
        ends(box)
    assert box.show("mosquitto", "ActiveState", "Result") == ["active", "success"]


def test_the_timer_brings_a_newer_list_and_restarts_mosquitto_for_it_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench, up = Bench(tmp_path / "bench", "mosquitto", capsys), tmp_path / "up"
    there = shutil.copytree(carried(bench, Path(BROKER)), up / BROKER[1:])
    shutil.copy(there / "mosquitto.conf", there.parent)
    shutil.copytree(SCRIPT.parent, up / "root/broker")
    first = (there / "crl.pem").read_bytes()
    second = revocation_list(bench.ca, [7], now(), first)
    told = up / "srv/api/v1/broker/revoked"
    told.parent.mkdir(parents=True)
    told.write_bytes(first)
    (script,) = blocks("deploy", "mosquitto on another machine")
    script = script.replace("https://collector.example", "http://127.0.0.1:8600")
    with booted(Path("/"), tmp_path, binds={Path(sys.base_prefix): PYTHON[1:]}) as box:

        def tell(listed: bytes) -> None:
            box.write("/srv/api/v1/broker/revoked", listed.decode())

        def mosquitto() -> str:
            until(lambda: box.show("mosquitto", "ActiveState") == ["active"], box)
            return box.show("mosquitto", "MainPID")[0]

        box.run("systemctl", "start", "mosquitto")
        box.run("systemd-run", "-E", f"LD_LIBRARY_PATH={PYTHON}/lib", f"{PYTHON}/bin/python3",
                "-m", "http.server", "8600", "--bind", "127.0.0.1", "-d", "/srv")  # fmt: skip
        box.run("sh", "-euc", f"cd /root/broker\n{script}")
        before = mosquitto()
        box.run("systemctl", "start", UNIT)
        assert (mosquitto(), box.show(UNIT, "ActiveState")) == (before, ["inactive"])
        tell(second)
        until(lambda: box.show("mosquitto", "MainPID") not in ([before], ["0"]), box)
        after = mosquitto()
        assert box.run("cat", f"{BROKER}/crl.pem") == second.decode()
        box.run("systemctl", "start", UNIT)
        tell(first)
        box.run("systemctl", "start", UNIT, check=False)
        assert box.show(UNIT, "ActiveState") == ["failed"]
        assert "an older list" in box.run("journalctl", "-u", UNIT)
        assert box.run("cat", f"{BROKER}/crl.pem") == second.decode()
        tell(second)
        box.run("systemctl", "start", UNIT)
        assert (mosquitto(), box.show(UNIT, "ActiveState")) == (after, ["inactive"])
        stays_up_only_as_the_page_says(box)
