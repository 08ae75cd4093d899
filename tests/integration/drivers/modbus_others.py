"""Modbus servers we did not write, run as programs: libmodbus (Debian) and modbus-serial (npm).

Both are given what to hold as lines of text (`modbus_servers/libmodbus_server.c` says how) and
write it into their registers in C and in JavaScript; nothing of ours has a part in it.
"""

import os
import selectors
import shutil
import subprocess
import threading
import time
import tty
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.npm import install_locked
from tests.ports import free_port
from tests.recorded_wires import Mbap, Relay, Rtu

FOLDER = Path(__file__).parent / "modbus_servers"
HEADER = Path("/usr/include/modbus/modbus.h")
SLAVE = 3  # of the serial line
COMPILE_S, START_S = 60, 30


class Program:
    """A server program; `port` is where it says it listens."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=FOLDER
        )
        try:
            self.port = self._await_ready()
        except BaseException:
            self.stop()
            raise

    def _await_ready(self) -> int:
        assert self._process.stdout is not None
        said: list[str] = []
        ends = time.monotonic() + START_S
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while time.monotonic() < ends:
                if not selector.select(timeout=0.2):
                    continue
                line = self._process.stdout.readline().decode()
                said.append(line)
                if line.startswith("READY "):
                    return int(line.split()[1])
                if not line:
                    break
        raise AssertionError("the server did not start:\n" + "".join(said))

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def compiled(folder: Path) -> Path:
    """The libmodbus server, compiled once a folder; skips where that cannot be done."""
    if shutil.which("cc") is None or not HEADER.exists():
        pytest.skip("cc or libmodbus-dev is not installed")
    program = folder / "libmodbus_server"
    if not program.exists():
        command = ["cc", "-O1", "libmodbus_server.c", "-o", str(program), "-lmodbus"]
        subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, timeout=COMPILE_S)
    return program


def _held(folder: Path, lines: Iterable[str]) -> str:
    path = folder / "held.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    return str(path)


@contextmanager
def libmodbus_tcp(programs: Path, folder: Path, lines: Iterable[str]) -> Iterator[str]:
    """The device's URL at a libmodbus server that holds these lines."""
    with _recorded(Program([str(compiled(programs)), "tcp", _held(folder, lines)])) as url:
        yield url


@contextmanager
def modbus_serial_tcp(programs: Path, folder: Path, lines: Iterable[str]) -> Iterator[str]:
    """The device's URL at a modbus-serial server that holds these lines."""
    del programs
    install_locked(FOLDER, "--omit=optional")
    port = free_port()  # of its own it would take 502
    command = ["node", "modbus_serial_server.cjs", _held(folder, lines), str(port)]
    with _recorded(Program(command)) as url:
        yield url


@contextmanager
def _recorded(server: Program) -> Iterator[str]:
    """The device's URL at a relay in front of the server, which it ends."""
    try:
        relay = Relay(server.port, Mbap)
        try:
            yield f"modbus+tcp://127.0.0.1:{relay.port}?unit=1"
        finally:
            relay.stop()
    finally:
        server.stop()


@contextmanager
def libmodbus_rtu(programs: Path, folder: Path, lines: Iterable[str]) -> Iterator[str]:
    """The same server as slave `SLAVE` of a serial line: two terminals, joined."""
    program = compiled(programs)
    with _line() as (ours, theirs):
        server = Program([str(program), "rtu", _held(folder, lines), theirs])
        try:
            # a pseudo terminal knows no parity
            yield f"modbus+rtu://{ours}?unit={SLAVE}&baud=9600&parity=N"
        finally:
            server.stop()


@contextmanager
def _line() -> Iterator[tuple[str, str]]:
    """Names of two terminals; what is written into one comes out of the other."""
    pairs = [os.openpty(), os.openpty()]
    for handle in (handle for pair in pairs for handle in pair):
        tty.setraw(handle)
    over = threading.Event()
    record = Rtu()
    joined = {pairs[0][0]: pairs[1][0], pairs[1][0]: pairs[0][0]}

    def carry() -> None:
        with selectors.DefaultSelector() as selector:
            for handle in joined:
                selector.register(handle, selectors.EVENT_READ)
            while not over.is_set():
                for key, _ in selector.select(timeout=0.05):
                    data = os.read(key.fd, 1024)
                    if key.fd == pairs[0][0]:  # what comes out of our end
                        record.feed(data)
                    os.write(joined[key.fd], data)

    carrier = threading.Thread(target=carry)
    carrier.start()
    try:
        yield os.ttyname(pairs[0][1]), os.ttyname(pairs[1][1])
    finally:
        over.set()
        carrier.join()
        for handle in (handle for pair in pairs for handle in pair):
            os.close(handle)
