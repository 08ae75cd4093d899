"""`stackproof cloud front` as a process over a running collector, and over one that is not there."""

import json
import signal
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.integration.cloud.cloud_process import command, wait
from tests.integration.cloud.running_collector import FRAMES, running
from tests.ports import free_port
from tests.unit.cloud.front.front_examples import READ, READER, write_front


def ask(url: str, headers: Mapping[str, str], body: Any = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    told = {**headers, "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, told), timeout=10) as answer:
        return bytes(answer.read())


def test_a_front_over_a_collector_and_one_that_is_not_there(tmp_path: Path) -> None:
    with running(tmp_path) as (address, people):
        order = {"name": "front", "scopes": list(READ), "days": 1}
        token = json.loads(ask(f"{address}/api/v1/tokens", people["operator"], order))["token"]
        gone, port = f"http://127.0.0.1:{free_port()}", free_port()
        urls, tokens = {"north": address, "gone": gone}, {"north": token}
        path = write_front(tmp_path, urls, tokens, reader=READER)
        path.write_text(f"{path.read_text()}[http]\nport = {port}\n")
        process = subprocess.Popen(
            command("front", path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert ready == f"ready: 2 collector(s) at http://127.0.0.1:{port}\n"
            base, reader = ready.split()[-1], {"Authorization": f"Bearer {READER * 8}"}

            def heard() -> Any:
                told = json.loads(ask(f"{base}/api/v1/collectors", reader))
                return told if told[0]["plants"] == ["mini"] and told[1]["amiss"] else None

            north, south = wait(heard)
            assert (north["answers"], south["amiss"]["why"]) == (True, "silent")
            for path_there in ("log/checkpoint", "documents", "months/2026-09", "streams/edge-1"):
                of = f"/api/v1/plants/mini/{path_there}"
                asked = {"Authorization": f"Bearer {token}"}
                assert ask(base + of, reader) == ask(address + of, asked), of
            row = json.loads(ask(f"{base}/api/v1/plants/mini/streams/edge-1", reader))
            assert row["next_seq"] in (row["next_seq"],)
            page = ask(f"{base}/zh/gateways", reader).decode()
            assert f'data-label="已接收至">{FRAMES}</td>' in page
            assert "无应答" in page
        finally:
            process.send_signal(signal.SIGTERM)
            printed, _ = process.communicate(timeout=20)
        assert (process.returncode, printed.splitlines()[-1]) == (0, "stopped")
        assert token not in printed
        assert READER * 8 not in printed
