"""A front over a running collector, one that is not there and one that is slow; its accounts."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cloud import cli
from cloud.accounts.desks import open_accounts
from cloud.accounts.roles import Profile
from cloud.accounts.store import AccountStore
from cloud.accounts.totp import code_of
from cloud.clock import SystemClock
from cloud.config import load_cloud
from tests.confined import command as confined
from tests.integration.cloud.cloud_process import Cloud, command, wait
from tests.integration.cloud.running_collector import FRAMES, send_readings
from tests.notified import Manager, manager
from tests.ports import free_port
from tests.unit.cloud.accounts.people_examples import PASSWORD, SECURITY
from tests.unit.cloud.front.front_examples import READ, READER, rows_of, write_front
from tests.unit.cloud.kept import kept_in


def ask(url: str, headers: Mapping[str, str]) -> bytes:
    request = urllib.request.Request(url, headers=dict(headers))
    with urllib.request.urlopen(request, timeout=10) as answer:
        return bytes(answer.read())


@pytest.fixture(scope="module")
def north(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, str]]:
    """Folder, address and an operator's token of a running collector with readings."""
    folder = tmp_path_factory.mktemp("north")
    cloud = Cloud(folder)
    cloud.config.write_text(cloud.config.read_text().replace("accounts = false\n", ""))
    store = AccountStore(kept_in(folder))
    accounts = open_accounts(store, SystemClock(), {"mini": ""})
    of = Profile("operator", plants=("*",))
    secret = accounts.people.invite(SECURITY, "front", "Front", "Province", of)
    code = code_of(accounts.people.invited(secret).second_factor, int(time.time()) // 30)
    who = accounts.people.accept(secret, PASSWORD, code).principal
    token = accounts.tokens.make(who, "front", READ, 1)
    ready = cloud.start()
    try:
        send_readings(cloud, ready["broker"])
        yield folder, ready["http"], token
    finally:
        cloud.end()


@pytest.fixture
def slow() -> Iterator[str]:
    """Address of one that takes every question, and answers none."""
    with socket.create_server(("127.0.0.1", 0)) as taking:
        yield f"http://127.0.0.1:{taking.getsockname()[1]}"


@pytest.fixture
def hearing(tmp_path: Path) -> Iterator[Manager]:
    """The manager of a machine's services."""
    with manager(tmp_path) as found:
        yield found


@pytest.mark.needs("systemd-analyze")
def test_a_front_over_a_collector_one_that_is_not_there_and_one_that_is_slow(
    tmp_path: Path, north: tuple[Path, str, str], slow: str, hearing: Manager
) -> None:
    """As its unit has systemd start it: ready at once, whoever answers."""
    _, address, token = north
    gone, port = f"http://127.0.0.1:{free_port()}", free_port()
    urls, tokens = {"north": address, "gone": gone, "slow": slow}, {"north": token}
    path = write_front(tmp_path, urls, tokens, reader=READER)
    path.write_text(f"{path.read_text()}[http]\nport = {port}\n")
    process = subprocess.Popen(
        confined("stackproof-front", *command("front", path)), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env={**os.environ, **hearing.environment},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        ready = next(line for line in process.stdout if line.startswith("ready"))
        assert ready == f"ready: 3 collector(s) at http://127.0.0.1:{port}\n"
        for told in ("READY=1", "WATCHDOG=1"):
            stands = [f"STATUS={n} of 3 collector(s) answer" for n in (0, 1)]
            assert hearing.heard(20) in [[told, one] for one in stands]
        base, reader = ready.split()[-1], {"Authorization": f"Bearer {READER * 8}"}

        def heard() -> Any:
            told = json.loads(ask(f"{base}/api/v1/collectors", reader))
            is_whole = told[0]["plants"] == ["mini"] and told[0]["parts"]["reviews"]["heard_ns"]
            return told if is_whole and told[1]["amiss"] else None

        told, silent, waiting = wait(heard)
        assert (told["answers"], silent["amiss"]["why"]) == (True, "silent")
        assert waiting["amiss"]["why"] in ("unasked", "silent")  # it is given ten seconds
        rows = rows_of(ask(f"{base}/en/live", reader).decode())
        (mini,) = (cells for name, cells in rows.items() if "mini" in name)
        assert (mini[0], mini[1][0]) == ("north", "–")  # it sent frames, and no live message
        assert rows["gone"][0].startswith("does not answer since")
        assert not rows["slow"][0].startswith("answers")
        with pytest.raises(urllib.error.HTTPError, match="503"):  # whole, or none
            ask(f"{base}/api/v1/live/rates", reader)
        for path_there in ("log/checkpoint", "documents", "effects.csv", "streams/edge-1"):
            of = f"/api/v1/plants/mini/{path_there}"
            asked = {"Authorization": f"Bearer {token}"}
            assert ask(base + of, reader) == ask(address + of, asked), of
        row = json.loads(ask(f"{base}/api/v1/plants/mini/streams/edge-1", reader))
        assert row["seq"] == FRAMES
        page = ask(f"{base}/zh/gateways", reader).decode()
        assert f'data-label="已接收至">{FRAMES}</td>' in page
        assert "无应答" in page
    finally:
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=20)
    assert (process.returncode, printed.splitlines()[-1]) == (0, "stopped")
    assert token not in printed
    assert READER * 8 not in printed


def test_accounts_are_copied_while_it_runs_and_serve_a_collector_without_plants(
    tmp_path: Path, north: tuple[Path, str, str]
) -> None:
    folder, address, token = north
    out, moved = tmp_path / "out", Cloud(tmp_path / "moved")
    text = moved.config.read_text().replace("accounts = false\n", "")
    moved.config.write_text(text[: text.index("[[plant]]")])
    assert cli.main(["backup", str(folder / "CLOUD.toml"), "--out", str(out)]) == 0
    (out / "evidence.db").rename(tmp_path / "moved/evidence.db")
    assert load_cloud(moved.config).plants == ()
    try:
        other = moved.start()["http"]
        for base, state, plants in (
            (address, folder / "state", ["mini"]), (other, tmp_path / "moved/state", []),
        ):  # fmt: skip
            asked = {"Authorization": f"Bearer {(state / 'api.token').read_text().strip()}"}
            (row,) = json.loads(ask(f"{base}/api/v1/accounts", asked))
            assert (row["account"], row["state"]) == ("front", "active")
            assert json.loads(ask(f"{base}/api/v1/health", asked))["served"] == plants
        with pytest.raises(urllib.error.HTTPError, match="401"):  # tokens are made anew
            ask(f"{other}/api/v1/rights", {"Authorization": f"Bearer {token}"})
    finally:
        _, printed = moved.end()
    assert "names no [[plant]]: nothing is accepted of any" in printed
