"""Real proxies for tests: Debian's tinyproxy (HTTP) and microsocks (SOCKS5)."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.waiting import ENOUGH_S

NAMES = {"http": "tinyproxy", "socks5": "microsocks"}

_TINYPROXY = """\
Port {port}
Listen 127.0.0.1
Timeout 60
MaxClients 20
Allow 127.0.0.1
"""


@dataclass
class RealProxy:
    """One proxy on a port it keeps.

    Attributes:
        login: it wants "user:password"; "": nothing.
        only_port: the one port it leads to (tinyproxy); 0: any.
    """

    scheme: str
    folder: Path
    login: str = ""
    only_port: int = 0
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until it accepts connections."""
        program = shutil.which(NAMES[self.scheme])
        if program is None:
            pytest.skip(f"{NAMES[self.scheme]} is not installed")
        user, _, password = self.login.partition(":")
        if self.scheme == "http":
            text = _TINYPROXY.format(port=self.port)
            text += f"BasicAuth {user} {password}\n" if user else ""
            text += f"ConnectPort {self.only_port}\n" if self.only_port else ""
            config = self.folder / "tinyproxy.conf"
            config.write_text(text)
            command = [program, "-d", "-c", str(config)]
        else:
            command = [program, "-i", "127.0.0.1", "-p", str(self.port)]
            command += ["-u", user, "-P", password] if user else []
        with (self.folder / "proxy.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        ends_s = time.monotonic() + ENOUGH_S
        while time.monotonic() < ends_s:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        pytest.fail(f"no {program}: {(self.folder / 'proxy.log').read_text()}")

    def kill(self) -> None:
        """End it at once, and every connection through it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


@contextlib.contextmanager
def proxying(scheme: str, folder: Path, login: str = "", only_port: int = 0) -> Iterator[RealProxy]:
    """A proxy that runs."""
    folder.mkdir(exist_ok=True)
    made = RealProxy(scheme, folder, login, only_port)
    made.start()
    try:
        yield made
    finally:
        made.kill()
