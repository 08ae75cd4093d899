"""Servers and files that answer without end, not at all, or with what takes long."""

import socket
import socketserver
import sqlite3
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import thread_time
from types import SimpleNamespace
from typing import Any

import pytest

from edge.drivers.base import DeviceError
from edge.drivers.table.driver import TableDriver
from tests.integration.drivers.opcua_pki import secret_file
from tests.integration.drivers.pot_log import Plant, connected
from tests.unit.edge.drivers.row_specs import POTS, row_spec, table
from tests.waiting import ENOUGH_S, until

NUMERIC, INT8, TIMESTAMP = 1700, 20, 1114  # pg_type.dat
COLUMNS = (("id", INT8), ("taken_at", TIMESTAMP), ("pot", INT8), ("volts", NUMERIC),
           ("temp", NUMERIC))  # fmt: skip


def _said(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">I", len(body) + 4) + body


def _row(*cells: bytes) -> bytes:
    told = b"".join(struct.pack(">i", len(cell)) + cell for cell in cells)
    return _said(b"D", struct.pack(">H", len(cells)) + told)


#: "Message Formats" of PostgreSQL's manual: parse complete, bind complete, row description
BEGINNING = (
    _said(b"1", b"") + _said(b"2", b"") + _said(b"T", struct.pack(">H", len(COLUMNS)) + b"".join(
        name.encode() + b"\0" + struct.pack(">IHIhiH", 0, 0, kind, -1, -1, 0)
        for name, kind in COLUMNS
    ))
)  # fmt: skip


class _Session(socketserver.BaseRequestHandler):
    """Lets everybody in, answers BEGIN, and the question with what its server says."""

    def handle(self) -> None:
        server: Any = self.server
        self.request.recv(4096)
        self.request.sendall(_said(b"R", bytes(4)) + _said(b"Z", b"I"))
        while data := self.request.recv(65536):
            if b"source_rows" in data:
                try:
                    server.answer(self.request)
                    while self.request.recv(65536):
                        pass
                except OSError:  # it hung up
                    pass
                server.hung_up += 1
                return
            self.request.sendall(_said(b"C", b"BEGIN\0") + _said(b"Z", b"T"))


@contextmanager
def served(answer: Any, tmp_path: Path) -> Iterator[tuple[Any, str]]:
    """A server with this answer, and its URL."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Session) as server:
        server.daemon_threads = True
        given: Any = server
        given.answer, given.hung_up = answer, 0
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        credentials = secret_file(tmp_path / "credentials", "reader\nx\n")
        at = f"127.0.0.1:{server.server_address[1]}"
        yield given, f"postgresql+ro://{at}/lims?credentials=file:{credentials}&tls=off"
        server.shutdown()
        thread.join()


def workers() -> int:
    return sum(thread.name.startswith("table-dev") for thread in threading.enumerate())


async def test_a_server_that_never_answers_leaves_no_thread_behind(tmp_path: Path) -> None:
    with served(lambda _: None, tmp_path) as (server, url):
        driver = TableDriver(row_spec(url, table(), timeout_s=0.1))
        for _ in range(2):
            await driver.connect()
            with pytest.raises(DeviceError, match="no answer within"):
                await driver.read()
        await until(lambda: server.hung_up == 2 and not workers())


def serve_endless() -> None:
    """For a process of its own: a thread here would hold up whoever reads it."""

    def endless(to: Any) -> None:
        rows = _row(b"1", b"", b"", b"", b"") * 4_000
        to.sendall(BEGINNING)
        while True:
            to.sendall(rows)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Session) as server:
        given: Any = server
        given.daemon_threads, given.answer, given.hung_up = True, endless, 0
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


class _PyMySql:
    """As much of pymysql as a question needs, over the server above: it keeps all that comes."""

    Error = ValueError

    def __init__(self, is_greeted: bool) -> None:
        self.is_greeted, self.kept = is_greeted, list[bytes]()

    def connect(self, *, defer_connect: bool, **_: object) -> Any:
        assert defer_connect
        return SimpleNamespace(
            connect=self.begin, cursor=lambda: self, rollback=self.close, close=self.close
        )

    def begin(self, end: socket.socket) -> None:
        self.end = end
        end.sendall(b"x")
        end.recv(4096)
        if not self.is_greeted:
            with end:
                self.execute("source_rows")

    def execute(self, statement: str, *_: object) -> None:
        if "source_rows" in statement:
            self.end.sendall(b"source_rows")
            while got := self.end.recv(1 << 20):
                self.kept.append(got)
            raise IndexError  # a library's way to say that it came to no end

    def close(self) -> None:
        self.end.close()


@pytest.fixture(scope="module")
def endless() -> Iterator[int]:
    """The port of a server that does not end."""
    code = f"from {__name__} import serve_endless; serve_endless()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as made:
        assert made.stdout is not None
        try:
            yield int(made.stdout.readline())
        finally:
            made.kill()


@pytest.mark.parametrize("kind", ["postgresql", "mysql", "mysql's greeting"])
async def test_a_server_that_answers_without_end_is_left(
    tmp_path: Path, endless: int, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The question says LIMIT 1000; the library keeps all that comes."""
    module = _PyMySql(is_greeted=kind == "mysql")
    monkeypatch.setitem(sys.modules, "pymysql", module)  # type: ignore[arg-type] # stands for it
    credentials, scheme = (
        secret_file(tmp_path / "credentials", "reader\nx\n"),
        kind.partition("'")[0],
    )
    url = f"{scheme}+ro://127.0.0.1:{endless}/lims?credentials=file:{credentials}&tls=off"
    driver = TableDriver(row_spec(url, table(), timeout_s=ENOUGH_S))
    if module.is_greeted or scheme == "postgresql":
        await driver.connect()
    with pytest.raises(DeviceError, match="an answer of more than 16 MiB"):
        await (driver.read() if driver._opened else driver.connect())
    await until(lambda: not workers())


async def test_numbers_of_ten_thousand_digits_take_no_time(tmp_path: Path) -> None:
    """16,383 decimal places are the most that PostgreSQL has; so many cost 5 ms each."""
    long, at = b"1." + b"3" * 16_383, b"2026-06-15 00:00:00"

    def digits(to: Any) -> None:
        rows = b"".join(_row(b"%d" % (i + 1), at, b"1", long, b"1") for i in range(500))
        to.sendall(BEGINNING + rows + _said(b"C", b"SELECT 500\0") + _said(b"Z", b"T"))
        to.recv(4096)
        to.sendall(_said(b"C", b"ROLLBACK\0") + _said(b"Z", b"I"))

    with served(digits, tmp_path) as (_, url):
        driver = TableDriver(row_spec(url, table(), POTS[0], timeout_s=ENOUGH_S))
        await driver.connect()
        began_s = thread_time()
        (first, _) = await driver.read()
        assert thread_time() - began_s < 0.5
        assert first.raw is None
        await driver.close()


async def test_a_file_whose_rows_are_long_is_left_before_they_are_all_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = Plant(tmp_path / "pots.db")
    plant.put(*((i, 1, "x" * 90_000, None) for i in range(200)))
    plant.db.close()
    rows = []
    connect = sqlite3.connect

    def counted(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        made: sqlite3.Connection = connect(*args, **kwargs)
        made.row_factory = lambda _, row: rows.append(1) or row
        return made

    monkeypatch.setattr("edge.drivers.table.database.sqlite3.connect", counted)
    driver = await connected(plant.spec(timeout_s=ENOUGH_S))
    with pytest.raises(DeviceError, match="rows of more than 8 MiB"):
        await driver.read()
    assert len(rows) < 100  # 8 MiB are 93 of them
