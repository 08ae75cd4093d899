"""The table driver against a PostgreSQL server of this test run."""

import asyncio
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from edge.drivers.base import DeviceError, DeviceSpec
from edge.drivers.table.driver import TableDriver
from evidence.quality import Quality
from tests.ports import free_port
from tests.recording import BEHIND_THE_GATE, note_postgresql
from tests.unit.edge.drivers.row_specs import row_spec, table

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
PASSWORD = "pass%word?"  # noqa: S105 - of a server that lives for this test
PATIENT_S = 10.0  # a password is checked in thousands of rounds, on a busy machine
T_S = 1_781_481_600  # date -u -d '2026-06-15 00:00:00' +%s

STATEMENT_PG = "SELECT id, taken_at, pot, volts, temp FROM pot_log WHERE remark NOT LIKE '%test%'"

pytestmark = pytest.mark.skipif(not PROGRAMS, reason="postgresql is not installed")


@dataclass
class Server:
    """A cluster on loopback."""

    port: int
    folder: Path

    @property
    def url(self) -> str:
        return (
            f"postgresql+ro://127.0.0.1:{self.port}/postgres"
            f"?credentials=file:{self.folder}/credentials&tls=off"
        )

    def owner(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, dbname="postgres", user="postgres",
            password=PASSWORD, autocommit=True,
        )  # fmt: skip

    def spec(self, statement: str = STATEMENT_PG, **more: Any) -> DeviceSpec:
        return row_spec(self.url, table(statement), **{"timeout_s": PATIENT_S, **more})


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="stackproof-pg-"))
    secret = folder / "password"
    secret.write_text(PASSWORD)
    credentials = folder / "credentials"
    credentials.write_text(f"postgres\n{PASSWORD}\n")
    credentials.chmod(0o600)
    user = "postgres" if os.getuid() == 0 else None
    if user:
        folder.chmod(0o755)
        shutil.chown(folder, user)
        shutil.chown(secret, user)
    made = Server(free_port(), folder)
    data = folder / "data"
    subprocess.run(
        [PROGRAMS[-1], "-D", data, "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={secret}",
         "--no-sync", "-E", "UTF8", "--locale=C"],
        check=True, capture_output=True, timeout=60, user=user, cwd=folder,
    )  # fmt: skip
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [PROGRAMS[-1].with_name("postgres"), "-D", data, "-p", str(made.port), "-c", "fsync=off",
         "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}",
         "-c", "log_statement=all", "-c", "log_line_prefix=%a|"],
        stdout=log, stderr=log, user=user, cwd=folder,
    )  # fmt: skip
    try:
        _wait(made)
        yield made
    finally:
        process.send_signal(signal.SIGINT)  # a fast end: it waits for no connection
        process.wait(30)
        log.close()
        note_postgresql((folder / "log").read_text(), "stackproof edge")
        shutil.rmtree(folder)


def _wait(server: Server) -> None:
    ends_s = time.monotonic() + 30
    while True:
        try:
            server.owner().close()
        except psycopg.OperationalError:
            assert time.monotonic() < ends_s
            time.sleep(0.1)
        else:
            return


@pytest.fixture
def owner(server: Server) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    db = server.owner()
    db.execute("DROP TABLE IF EXISTS pot_log, other")
    db.execute(
        "CREATE TABLE pot_log (id bigserial PRIMARY KEY, taken_at timestamptz, pot int, "
        "volts numeric(8, 3), temp double precision, remark text DEFAULT '')"
    )
    yield db
    db.close()


def put(db: psycopg.Connection[tuple[object, ...]], second: int, pot: int, volts: str) -> None:
    at = f"2026-06-15 08:00:{second:02}+08"
    db.execute(
        "INSERT INTO pot_log (taken_at, pot, volts, temp) VALUES (%s, %s, %s, 960.5)",
        (at, pot, volts),
    )


async def connected(spec: DeviceSpec) -> TableDriver:
    driver = TableDriver(spec)
    await driver.connect()
    return driver


async def test_numerics_and_times_come_exactly_and_once(
    server: Server, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    put(owner, 1, 1, "4.201")
    put(owner, 2, 1, "4.202")
    owner.execute(
        "INSERT INTO pot_log (taken_at, pot, volts, remark) VALUES (now(), 2, 1, 'a test')"
    )
    driver = await connected(server.spec())
    first = await driver.read()
    assert first[0].raw == struct.pack("<q", 4201)
    assert first[0].source_ns == (T_S + 1) * 10**9
    assert first[2].raw == struct.pack("<d", 960.5)
    assert first[1].quality is Quality.NOT_SAMPLED
    assert (await driver.read())[0].raw == struct.pack("<q", 4202)
    position = driver.position()
    (event,) = driver.take_events()
    assert event["kind"] == "source-schema"
    await driver.close()
    again = await connected(server.spec(position=position))
    assert {s.quality for s in await again.read()} == {Quality.NOT_SAMPLED}
    put(owner, 3, 2, "4.203")
    assert (await again.read())[1].raw == struct.pack("<q", 4203)
    await again.close()


async def test_a_column_of_another_type_is_another_schema(
    server: Server, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    put(owner, 1, 1, "4.201")
    driver = await connected(server.spec())
    await driver.read()
    owner.execute("ALTER TABLE pot_log ALTER COLUMN volts TYPE double precision")
    with pytest.raises(DeviceError, match="types of its columns are others") as caught:
        await driver.read()
    assert caught.value.retry is False


async def test_a_row_whose_transaction_ends_late_is_not_passed(
    server: Server, owner: psycopg.Connection[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number is given when a row is written, and the row seen when its transaction ends."""
    now = [100.0]
    monkeypatch.setattr("edge.drivers.table.driver.monotonic", lambda: now[0])
    slow = server.owner()
    slow.autocommit = False
    put(slow, 1, 1, "1")
    put(owner, 2, 1, "2")
    made = table(STATEMENT_PG, settle_s=10)
    driver = await connected(row_spec(server.url, made, timeout_s=PATIENT_S))
    assert (await driver.read())[0].raw is None
    slow.commit()
    slow.close()
    got = []
    for _ in range(4):
        got += [s.raw for s in (await driver.read())[:1] if s.raw is not None]
        now[0] += 10
    assert got == [struct.pack("<q", 1000), struct.pack("<q", 2000)]
    await driver.close()


async def test_the_session_cannot_write_even_without_the_gate(
    server: Server, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    driver = await connected(server.spec())
    assert driver._opened is not None
    connection = driver._opened[1]._connection
    connection.execute(BEHIND_THE_GATE)
    connection.commit()
    for statement in (
        "INSERT INTO pot_log (pot) VALUES (1)", "CREATE TABLE other (a int)", "DROP TABLE pot_log",
        "SELECT nextval('pot_log_id_seq')",
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute(statement)
        connection.rollback()
    await driver.close()


async def test_no_transaction_stays_open(
    server: Server, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    """One that does keeps old rows of the whole database from being cleared away."""
    driver = await connected(server.spec())
    await driver.read()
    found = owner.execute(
        "SELECT state FROM pg_stat_activity WHERE application_name = 'stackproof edge'"
    ).fetchall()
    assert found == [("idle",)]
    await driver.close()
    for _ in range(100):
        found = owner.execute(
            "SELECT state FROM pg_stat_activity WHERE application_name = 'stackproof edge'"
        ).fetchall()
        if not found:
            break
        await asyncio.sleep(0.02)
    assert found == []


async def test_a_locked_table_is_a_device_error_in_time_and_nothing_is_lost(
    server: Server, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    put(owner, 1, 1, "4.201")
    driver = await connected(server.spec(timeout_s=1.0))
    with owner.transaction():
        owner.execute("LOCK TABLE pot_log IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(DeviceError, match="statement timeout"):
            await asyncio.wait_for(driver.read(), PATIENT_S)
    await driver.connect()
    assert (await driver.read())[0].raw == struct.pack("<q", 4201)
    await driver.close()


async def test_a_wrong_password_is_said_without_it(server: Server) -> None:
    credentials = server.folder / "credentials"
    was = credentials.read_text()
    credentials.write_text("postgres\nwr0ng-secret\n")
    try:
        with pytest.raises(DeviceError, match="password authentication failed") as caught:
            await TableDriver(server.spec()).connect()
    finally:
        credentials.write_text(was)
    assert "wr0ng-secret" not in str(caught.value)
    assert caught.value.retry is True


async def test_a_server_without_tls_is_refused_unless_the_site_says_so(server: Server) -> None:
    spec = server.spec()
    url = spec.url.replace("&tls=off", "")
    with pytest.raises(DeviceError, match="SSL"):
        await TableDriver(row_spec(url, table(STATEMENT_PG), timeout_s=PATIENT_S)).connect()
