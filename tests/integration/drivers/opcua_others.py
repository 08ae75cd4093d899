"""OPC UA servers we did not write, run as programs: node-opcua (npm) and open62541 (Debian).

Both serve the same nodes in the namespace `NAMESPACE` (`opcua_servers/`).
"""

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.integration.drivers.opcua_pki import SERVER_URI, Made
from tests.npm import install_locked
from tests.ports import free_port
from tests.recorded_wires import Relay, UaTcp
from tests.recording import RECORD

FOLDER = Path(__file__).parent / "opcua_servers"
NAMESPACE = "urn:stackproof:test:types"
USER, PASSWORD = "edge", "correct horse"
START_S = 30


class Other:
    """A server program.

    Attributes:
        url: where it listens.
    """

    def __init__(self, command: list[str], port: int, path: str, log: Path) -> None:
        """Start it; what it says goes to the file `log`, since a full pipe would stop it."""
        self._relay: Relay | None = None
        self._log = log
        with log.open("wb") as said:
            self._process = subprocess.Popen(
                command, stdout=said, stderr=subprocess.STDOUT, cwd=FOLDER
            )
        ends = time.monotonic() + START_S
        while not self._said("READY"):
            if self._process.poll() is not None or time.monotonic() > ends:
                self.stop()
                raise AssertionError(f"the server did not start:\n{log.read_text()}")
            time.sleep(0.05)
        self._relay = Relay(port, UaTcp)
        self.url = f"opc.tcp://127.0.0.1:{self._relay.port}{path}"

    @property
    def seen(self) -> set[str]:
        """Kinds of requests it says it got (node-opcua tells, open62541 does not)."""
        return {line.removeprefix("SEEN ") for line in self._said("SEEN ")}

    def _said(self, beginning: str) -> list[str]:
        lines = self._log.read_text(errors="replace").splitlines()
        return [line for line in lines if line.startswith(beginning)]

    def stop(self) -> None:
        """End it."""
        if self._relay is not None:
            self._relay.stop()
        for name in self.seen:
            RECORD.note("OPC UA", name)
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def node_opcua(
    folder: Path, server: Made, client: Made, *, port: int = 0, sessions: int = 10, many: int = 0
) -> Other:
    """A node-opcua server; skips where npm or node are not installed."""
    install_locked(FOLDER)
    port = port or free_port()
    settings = {
        "port": port, "uri": SERVER_URI, "certificate": str(server.pem), "key": str(server.key),
        "trusted": str(client.pem), "pki": str(folder), "user": USER, "password": PASSWORD,
        "sessions": sessions, "many": many,
    }  # fmt: skip
    return Other(
        ["node", "node_server.mjs", json.dumps(settings)], port, "/test", folder / f"{port}.log"
    )


def open62541(
    folder: Path, server: Made, client: Made, *, port: int = 0, sessions: int = 10, many: int = 0
) -> Other:
    """An open62541 server; skips where it cannot be compiled."""
    if shutil.which("cc") is None or not Path("/usr/include/open62541/server.h").exists():
        pytest.skip("cc or libopen62541-dev is not installed")
    program = folder / "open62541_server"
    if not program.exists():
        command = ["cc", "-O1", "open62541_server.c", "-o", str(program), "-lopen62541"]
        subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, timeout=60)
    port = port or free_port()
    command = [str(program), str(port), SERVER_URI, str(server.der), str(server.key_der),
               str(client.der), USER, PASSWORD, str(sessions), str(many)]  # fmt: skip
    return Other(command, port, "", folder / f"{port}.log")


SERVERS = {"node-opcua": node_opcua, "open62541": open62541}
