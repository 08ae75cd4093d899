"""`stackproof cloud` as processes: run, check, month; ended, killed, started twice."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from evidence.keys import (
    FileSigner,
    certificate_to_der,
    generate,
    key_sha256,
    load_certificate,
)
from evidence.orders import Replace, Revoke, encode_order
from tests.integration.cloud.cloud_process import Cloud, run, wait
from tests.integration.cloud.flood import flood
from tests.json_lines import lines_about
from tests.notified import manager
from tests.ports import free_port
from tests.unit.cloud.evidence_examples import (
    SECOND_NS,
    T0_NS,
)
from tests.unit.cloud.kept import FILE
from tests.unit.cloud.read_plant import read_plant


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.needs("systemd-analyze")
def test_it_runs_until_sigterm_and_leaves_everything_in_order(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.unit = "stackproof-cloud"
    with manager(cloud.folder) as hearing:
        monkeypatch.setenv("NOTIFY_SOCKET", hearing.environment["NOTIFY_SOCKET"])
        ready = cloud.start()
        stands = "STATUS=1 plants served, in trouble: none"
        assert hearing.heard(20) == ["READY=1", stands]
        assert hearing.heard(20) == ["WATCHDOG=1", stands]
    assert ready["broker"].startswith("mqtt://127.0.0.1:")
    assert alive(ready["broker_pid"])
    assert (cloud.folder / "state/broker.url").read_text().strip() == ready["broker"]
    token = cloud.folder / "state/api.token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert stat.S_IMODE(token.parent.stat().st_mode) == 0o700
    gateway = cloud.plant.gateways["edge-1"]
    gateway.config()
    gateway.frame(T0_NS)
    publisher = cloud.publisher(ready["broker"])
    wait(lambda: publisher.receipted == 1)
    (row,) = get(f"{ready['http']}/api/v1/streams")
    assert (row["gateway"], row["next_seq"], row["frames"]) == ("edge-1", 2, 1)
    told = subprocess.run(
        [sys.executable, "-m", "stackproof", "cloud", "status", "CLOUD.toml"],
        cwd=cloud.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.stdout.splitlines()[1:3] == ["plants: 1 served; 0 amiss", "broker: there"], told
    for n in range(200):
        gateway.frame(T0_NS + (n + 1) * SECOND_NS)
    wait(lambda: publisher.receipted > 1)
    began_s = time.monotonic()
    status, printed = cloud.end()
    assert time.monotonic() - began_s < 5
    publisher.stop()
    assert status == 0, printed
    # the month of these readings is over: it may be looked at before the end, or not
    overdue = " ERROR stackproof.cloud.months: plant mini: not closed in time: "
    others = (" INFO ", overdue)
    lines = [line for line in printed.splitlines() if not any(one in line for one in others)]
    words = [line.split(":")[0] for line in lines]
    assert words == [
        "evidence", "broker", "collector", "accounts = false", "series", "ready", "stopping",
        "stopped",
    ], printed  # fmt: skip
    assert lines[5] == f"ready: dashboard at {ready['http']}"
    assert not alive(ready["broker_pid"])
    assert not (cloud.folder / "state/ready.json").exists()
    held = read_plant(cloud.folder / FILE, cloud.plant.collector.public_key)
    assert held["edge-1"] == gateway.objects[: len(held["edge-1"])]
    assert len(held["edge-1"]) > publisher.receipted


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_a_flood_from_somebody_with_a_login_is_outlived(cloud: Cloud) -> None:
    """160 MB of it; the collector's inbox holds 64 MiB at most, and the gateway is served."""
    ready, gateway = cloud.start("--log-format", "json"), cloud.plant.gateways["edge-1"]
    before_kib = resident_kib(ready["pid"])
    flood(ready["broker"], gateway.config())
    publisher = cloud.publisher(ready["broker"])
    for n in range(20):
        gateway.frame(T0_NS + n * SECOND_NS)
    wait(lambda: publisher.receipted == 20)
    publisher.stop()
    refused = get(f"{ready['http']}/api/v1/plants/mini/quarantine")
    assert {"malformed"} <= {row["reason"] for row in refused["reasons"]}
    assert refused["kept"] == []
    assert resident_kib(ready["pid"]) - before_kib < 192 * 1024
    status, printed = cloud.end()
    assert (status, "Traceback" in printed) == (0, False)
    assert len(printed) < 100_000
    lines = lines_about(printed, plants=("mini",), gateways=("edge-1",))
    assert any("refused" in line["message"] and line.get("plant") == "mini" for line in lines)


def resident_kib(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0])


def test_it_is_killed_again_and_again_and_loses_nothing(cloud: Cloud) -> None:
    ready = cloud.start()
    gateway = cloud.plant.gateways["edge-1"]
    gateway.config()
    for n in range(90):
        gateway.frame(T0_NS + n * SECOND_NS)
    publisher = cloud.publisher(ready["broker"])
    for _ in range(2):
        seen = publisher.receipted
        wait(lambda seen=seen: publisher.receipted > seen)
        assert cloud.end(signal.SIGKILL)[0] == -signal.SIGKILL
        again = cloud.start()
        assert again["broker"] == ready["broker"]
        assert not alive(ready["broker_pid"])  # what the killed one left behind was ended
        ready = again
    wait(lambda: publisher.receipted == 90)
    publisher.stop()
    assert cloud.end()[0] == 0
    held = read_plant(cloud.folder / FILE, cloud.plant.collector.public_key)
    assert held["edge-1"] == gateway.objects


def test_the_ready_file_follows_the_broker(cloud: Cloud) -> None:
    before = cloud.start()
    os.kill(before["broker_pid"], signal.SIGKILL)
    after = wait(lambda: (r := cloud.ready()) and r["broker_pid"] != before["broker_pid"] and r)
    assert {**after, "broker_pid": 0} == {**before, "broker_pid": 0}
    assert alive(after["broker_pid"])


def test_a_second_collector_of_the_slice_is_refused(cloud: Cloud) -> None:
    cloud.start()
    other = cloud.folder / "other.toml"
    text = cloud.config.read_text().replace('"state"', '"state-2"')
    other.write_text(text.replace("[broker]\nport = ", "[broker]\nport = 0 # "))
    done = run("run", other)
    assert done.returncode == 2
    assert "another collector writes this database: stop that one first" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_page_address_is_refused(cloud: Cloud) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = cloud.config.read_text()
        cloud.config.write_text(text.replace("[http]\nport = 0", f"[http]\nport = {port}"))
        done = run("run", cloud.config)
    assert done.returncode == 2
    assert f"[http] 127.0.0.1:{port} cannot be listened on (Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_tells_all_mistakes_and_runs_nothing(cloud: Cloud) -> None:
    done = run("check", cloud.config)
    assert (done.returncode, done.stdout) == (
        0,
        f"{cloud.config}: fine; 1 plant(s), 1 gateway(s)\n",
    )
    text = cloud.config.read_text().replace('"00"', '"0"').replace("id =", "name =")
    cloud.config.write_text(text)
    for order in ("check", "run"):
        done = run(order, cloud.config)
        assert done.returncode == 2
        assert done.stdout == ""
        assert f"{cloud.config}: cloud.slice: '0' is not two hex digits" in done.stderr
        assert f"{cloud.config}: plant[0].id: is missing" in done.stderr
        assert done.stderr.endswith("3 problems; nothing was started\n")
    listed = json.loads(run("check", cloud.config, "--json").stdout)["problems"]
    assert [row["key"] for row in listed] == ["cloud.slice", "plant[0].id", "plant[0].name"]
    assert not (cloud.folder / "state").exists()


def test_months_are_asked_of_the_running_collector(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # has no business here
    order = ("month", "close", cloud.config, "--plant", "mini", "--month", "2026-09")
    done = run(*order)
    assert done.returncode == 2
    assert f"start it with: stackproof cloud run {cloud.config}" in done.stderr
    ready = cloud.start()
    done = run("month", "list", cloud.config)
    assert (done.returncode, done.stdout) == (0, "")
    done = run(*order, "--interim")
    assert done.returncode == 1
    assert done.stderr == "stackproof cloud: no plant 'mini' has sent its configuration\n"
    done = run("month", "close", cloud.config, "--plant", "mini", "--month", "2026-13")
    assert done.returncode == 2
    assert "argument --month: '2026-13' is no month" in done.stderr
    request = urllib.request.Request(
        f"{ready['http']}/api/v1/months/mini/2026-09/close",
        data=b'{"closing": "interim"}',
        headers={"Content-Type": "application/json", "Authorization": "Bearer guessed-token-0000"},
    )
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5)


def test_a_gateway_is_enrolled_by_a_file_and_a_signal(cloud: Cloud) -> None:
    (cloud.folder / "more").mkdir()
    text = cloud.config.read_text()
    cloud.config.write_text(
        text.replace('gateways = ["file:mini/edge-1.crt"]', 'keys = "file:more"')
    )
    ready = cloud.start("--log-format", "json")
    assert get(ready["http"] + "/api/v1/streams") == []
    certificate = (cloud.folder / "mini/edge-1.crt").read_bytes()
    (cloud.folder / "more/edge-1.crt").write_bytes(certificate)
    (cloud.folder / "more/junk.cose").write_bytes(b"junk")
    assert cloud.process is not None
    cloud.process.send_signal(signal.SIGHUP)
    wait(lambda: get(ready["http"] + "/api/v1/streams"))
    again = run("keys", cloud.config)
    assert (again.returncode, "NOT taken: " in again.stdout) == (1, True)
    code, printed = cloud.end()
    assert code == 0
    assert "keys: plant mini: edge-1.crt: certificate of edge-1, key " in printed
    assert "junk.cose: " in printed
    lines_about(printed, plants=("mini",))


def test_a_stolen_gateway_is_revoked_and_another_device_goes_on(cloud: Cloud) -> None:
    """Orders of the root, from the operator's folder to the page, over a real broker."""
    keys, plant = cloud.folder / "more", cloud.plant
    keys.mkdir()
    text = cloud.config.read_text()
    cloud.config.write_text(text.replace("gateways =", 'keys = "file:more"\ngateways ='))
    ready, gateway = cloud.start(), plant.gateways["edge-1"]
    api, root = f"{ready['http']}/api/v1", FileSigner(plant.root_key)
    gateway.config()
    gateway.frame(T0_NS)
    publisher = cloud.publisher(ready["broker"])
    wait(lambda: publisher.receipted == 1)
    stolen, other = gateway.signer, FileSigner(generate())
    revoke = Revoke("mini", "edge-1", key_sha256(stolen.public_key), 1, "stolen")
    (keys / "1.cose").write_bytes(encode_order(revoke, root))
    assert run("keys", cloud.config).returncode == 0
    gateway.frame(T0_NS + SECOND_NS)
    (kept,) = wait(lambda: get(f"{api}/plants/mini/quarantine")["kept"])
    assert (kept["reason"], kept["gateway"], kept["seq"]) == ("revoked", "edge-1", 2)
    (alarm,) = wait(  # its readings are old, so that its month is late
        lambda: [
            one for one in get(f"{api}/live/snapshot?plant=mini")["alarms"]
            if one["reason"] != "month-late"
        ]
    )  # fmt: skip
    assert (alarm["reason"], alarm["gateway"]) == ("revoked", "edge-1")
    assert run("quarantine", cloud.config).returncode == 1
    publisher.stop()
    del gateway.objects[2]  # the thief's; the other device goes on from what is receipted
    gateway.signer = other
    plant.certify("gateway", "edge-1", other.public_key, "other.crt")
    certificate = load_certificate(plant.folder / "other.crt")
    now = get(f"{api}/plants/mini/streams/edge-1")
    replace = Replace(
        "mini", "edge-1", bytes.fromhex(now["key"]), certificate_to_der(certificate),
        now["seq"], bytes.fromhex(now["head"]), now["through_ns"], "stolen",
    )  # fmt: skip
    (keys / "2.cose").write_bytes(encode_order(replace, root))
    assert "goes on after seq 1 with key" in run("keys", cloud.config).stdout
    gateway.frame(T0_NS + SECOND_NS)
    publisher = cloud.publisher(ready["broker"])
    wait(lambda: publisher.receipted == 2)
    publisher.stop()
    assert cloud.end()[0] == 0
    held = read_plant(cloud.folder / FILE, plant.collector.public_key)
    assert held["edge-1"] == gateway.objects


def test_an_external_broker_that_is_away_is_waited_for(cloud: Cloud) -> None:
    port = free_port()
    text = cloud.config.read_text()
    external = f'mode = "external"\nurl = "mqtt://127.0.0.1:{port}"\n'
    cloud.config.write_text(text[: text.index("port =")] + external + text[text.index("[http]") :])
    ready = cloud.start()
    assert ready["broker_pid"] is None
    assert get(f"{ready['http']}/api/v1/health")["status"] == "ok"
    status, printed = cloud.end()
    assert status == 0
    assert f"mqtt://127.0.0.1:{port} does not answer yet; it is tried for ever" in printed
