"""MQTT brokers for tests: nats-server from its wheel, and Debian's mosquitto."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.waiting import ENOUGH_S

NAMES = ("nats", "mosquitto")

_NATS = """\
server_name = test
listen = "127.0.0.1:-1"
jetstream {{ store_dir = "{folder}/js", max_memory_store = 64MB, max_file_store = 256MB }}
mqtt {{ listen = "127.0.0.1:{port}" }}
websocket {{ listen = "127.0.0.1:{websocket}", no_tls = true }}
"""

_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
user root
listener {websocket} 127.0.0.1
protocol websockets
"""


def _program(name: str) -> Path:
    if name == "nats":
        return Path(sys.executable).with_name("nats-server")
    found = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        pytest.skip("mosquitto is not installed")
    return Path(found)


@dataclass
class Broker:
    """One broker on ports it keeps through restarts; `config` in place of one of our own."""

    name: str
    folder: Path
    port: int = field(default_factory=free_port)
    websocket: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    config: Path | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until it accepts connections."""
        program = _program(self.name)
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.config or self.folder / "broker.conf"
        if self.config is None:
            text = _NATS if self.name == "nats" else _MOSQUITTO
            config.write_text(text.format(**vars(self)))
        time.sleep(0.02)  # a start is known to 10 ms: one before its files would be told of them
        with (self.folder / "broker.log").open("ab") as log:
            self.process = subprocess.Popen([program, "-c", config], stdout=log, stderr=log)
        ports = [self.port] if self.config else [self.port, self.websocket]
        deadline_s = time.monotonic() + ENOUGH_S
        while ports and time.monotonic() < deadline_s:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", ports[-1])) == 0:
                    ports.pop()
                    continue
            time.sleep(0.02)
        if not ports:
            return
        pytest.fail(f"{self.name} did not start: {(self.folder / 'broker.log').read_text()}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it (SIGKILL loses what it had in memory)."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(10)
            self.process = None
