"""What the table driver refuses, and what never reaches a database."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import cbor2
import pytest

from edge.drivers.base import DeviceError
from edge.drivers.table import database
from edge.drivers.table.driver import TableDriver, _source_name
from tests.integration.drivers.pot_log import Plant, connected, volts
from tests.recording import RECORD
from tests.unit.edge.drivers.row_specs import STATEMENT, column, table, table_spec
from tests.waiting import ENOUGH_S


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    made = Plant(tmp_path / "pots.db")
    yield made
    made.db.close()


async def test_nothing_can_be_written_whatever_reaches_the_connection(plant: Plant) -> None:
    """Behind the gate stand the file's mode, query_only and the authorizer; each is tried."""
    plant.put((1, 1, 1, None))
    plant.db.execute("CREATE INDEX of_pot ON pot_log (pot)")
    opened = database.SqliteDatabase(plant.path, 1.0)
    opened.open()
    for statement in (
        "DELETE FROM pot_log", "INSERT INTO pot_log VALUES (9, 'x', 1, 1, 1)", "DROP TABLE pot_log",
        "CREATE TABLE t (a)", "ATTACH ':memory:' AS m", "PRAGMA query_only=OFF", "VACUUM", "BEGIN",
        "SELECT load_extension('x')", "SELECT randomblob(9)", "PRAGMA journal_mode=DELETE",
        "CREATE TEMP TABLE t (a)", "REINDEX", "ANALYZE",
    ):  # fmt: skip
        with RECORD.on_purpose(), pytest.raises(sqlite3.Error):
            opened._connection.execute(statement)
    opened.close()
    bare = sqlite3.connect(f"file:{plant.path}?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        bare.execute("DELETE FROM pot_log")
    bare.close()


async def test_every_statement_sent_is_the_one_question(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    connect = sqlite3.connect

    def recorded(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        made: sqlite3.Connection = connect(*args, **kwargs)
        made.set_trace_callback(sent.append)
        return made

    monkeypatch.setattr("edge.drivers.table.database.sqlite3.connect", recorded)
    plant.put((1, 1, 1, None), (2, 1, 2, None))
    driver = await connected(plant.spec())
    for _ in range(3):
        await driver.read()
    await driver.close()
    asked = f"SELECT * FROM ({STATEMENT}) AS source_rows"  # noqa: S608 - as it is sent
    assert sent[:3] == [
        "PRAGMA query_only=ON",
        "PRAGMA trusted_schema=OFF",
        "PRAGMA schema_version",
    ]
    assert sent[3:] == [
        f"{asked} ORDER BY id LIMIT 1000",
        f"{asked} WHERE id > 1 ORDER BY id LIMIT 1000",
        f"{asked} WHERE id > 2 ORDER BY id LIMIT 1000",
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM pot_log",
        "SELECT 1; DROP TABLE pot_log",
        "SELECT load_extension('x') AS id",
        "WITH x AS (SELECT 1) DELETE FROM pot_log",
    ],
)
def test_another_statement_makes_no_driver(plant: Plant, statement: str) -> None:
    with pytest.raises(DeviceError, match="statement of test/device") as caught:
        TableDriver(plant.spec(source=table(statement)))
    assert caught.value.retry is False


async def test_a_changed_schema_is_refused_until_a_person_changes_the_profile(
    plant: Plant,
) -> None:
    """The plant's software is updated and gives its columns in another order."""
    plant.put((1, 1, 1, 2))
    source = table("SELECT * FROM pot_log")
    driver = await connected(plant.spec(source=source))
    assert volts(await driver.read()) == [1000, None]
    position = driver.position()
    plant.db.execute("ALTER TABLE pot_log RENAME COLUMN temp TO bath_temp")
    plant.put((2, 1, 3, 4))
    for one in (driver, await connected(plant.spec(source=source, position=position))):
        with pytest.raises(DeviceError, match=r"bath_temp, not .* temp: nothing is read") as caught:
            await one.read()
        assert caught.value.retry is False
        assert "changed profile test/device" in str(caught.value)
    columns = ("id", "taken_at", "pot", "volts", "bath_temp")
    changed = table("SELECT * FROM pot_log", columns=columns)
    registers = (column("pot-{n}.volts", "volts"), column("pot-{n}.temp", "bath_temp"))
    spec = table_spec(plant.path, changed, revision="2", position=position)
    spec = replace(
        spec,
        points=tuple(replace(b, register=registers[i // 2]) for i, b in enumerate(spec.points)),
    )
    driver = await connected(spec)
    assert volts(await driver.read()) == [3000, None]
    (event,) = driver.take_events()
    assert event["kind"] == "source-schema"
    await driver.close()


async def test_types_that_change_are_a_changed_schema_too(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite tells no types; other databases do."""
    kinds = ["int8"]
    real = database._answer

    def typed(cursor: object) -> database.Answer:
        made = real(cursor)
        return replace(made, types=(kinds[0], *made.types[1:]))

    monkeypatch.setattr("edge.drivers.table.database._answer", typed)
    plant.put((1, 1, 1, 2))
    driver = await connected(plant.spec())
    await driver.read()
    position = driver.position()
    kinds[0] = "text"
    await driver.close()
    again = await connected(plant.spec(position=position))
    with pytest.raises(DeviceError, match="types of its columns") as caught:
        await again.read()
    assert caught.value.retry is False
    by_hand = await connected(plant.spec(position=position, revision="2"))
    assert volts(await by_hand.read()) == [None, None]
    await by_hand.close()


async def test_the_schema_is_told_at_the_first_read_and_not_again(plant: Plant) -> None:
    """Hash computed with sha256sum over the five names, each with a tab and no type."""
    driver = await connected(plant.spec())
    await driver.read()
    (event,) = driver.take_events()
    assert event["sha256"].hex() == SCHEMA_SHA256
    assert event["statement_sha256"].hex() == STATEMENT_SHA256
    assert event["device"] == "dev"
    position = driver.position()
    assert position is not None, "it is kept, though no row was there"
    await driver.read()
    assert driver.take_events() == []
    await driver.close()
    again = await connected(plant.spec(position=position))
    await again.read()
    assert again.take_events() == []
    await again.close()


# printf 'id\t\ntaken_at\t\npot\t\nvolts\t\ntemp\t\n' | sha256sum
SCHEMA_SHA256 = "4a243df0c98ca7ed5b2d01b882da2adb3279514a97cd554a59600d300af732ba"
# printf 'SELECT id, taken_at, pot, volts, temp FROM pot_log' | sha256sum
STATEMENT_SHA256 = "821be99a395b8cc1b826075c5d06ea5539a45a9fb8eb319c7b50d89e645d7a31"


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("SELECT 7 AS id, taken_at, pot, volts, temp FROM pot_log", "in more rows than one"),
        ("SELECT NULL AS id, taken_at, pot, volts, temp FROM pot_log", "never empty"),
        ("SELECT id + 0.5 AS id, taken_at, pot, volts, temp FROM pot_log", "whole numbers"),
        ("SELECT no_such FROM pot_log", "no such column"),
        ("SELECT id, taken_at, pot, volts, temp FROM gone", "no such table"),
    ],
)
async def test_a_source_that_cannot_be_read_once_is_a_device_error(
    plant: Plant, statement: str, reason: str
) -> None:
    plant.put((1, 1, 1, None), (2, 1, 1, None))
    driver = await connected(plant.spec(source=table(statement)))
    with pytest.raises(DeviceError, match=reason):
        await driver.read()
    assert driver.position() is None


async def test_a_locked_database_is_a_device_error_in_time_and_nothing_is_lost(
    plant: Plant,
) -> None:
    plant.put((1, 1, 1, None))
    driver = await connected(plant.spec(timeout_s=0.2))
    plant.db.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DeviceError, match="locked"):
        await asyncio.wait_for(driver.read(), ENOUGH_S)
    plant.db.execute("COMMIT")
    await driver.connect()
    assert volts(await driver.read()) == [1000, None]
    await driver.close()


async def test_a_statement_without_end_is_ended(plant: Plant) -> None:
    plant.put(*[(i, 1, i, None) for i in range(1, 300)])
    endless = (
        "SELECT count(*) AS id, max(a.taken_at) AS taken_at, 1 AS pot, 1 AS volts, 1 AS temp "
        "FROM pot_log a, pot_log b, pot_log c, pot_log d"
    )
    driver = await connected(plant.spec(source=table(endless), timeout_s=0.2))
    with pytest.raises(DeviceError, match="interrupted"):
        await asyncio.wait_for(driver.read(), ENOUGH_S)


async def test_a_file_that_was_put_aside_is_not_read_on(plant: Plant) -> None:
    """An open connection would go on with the old file for ever."""
    plant.put((1, 1, 1, None))
    driver = await connected(plant.spec())
    await driver.read()
    plant.path.rename(plant.path.with_name("old.db"))
    other = Plant(plant.path)
    other.put((1, 1, 1, None), (2, 1, 2, None))
    with pytest.raises(DeviceError, match="replaced"):
        await driver.read()
    await driver.connect()
    assert volts(await driver.read()) == [2000, None]
    other.db.close()
    await driver.close()


async def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with pytest.raises(DeviceError, match="No such file") as caught:
        await TableDriver(table_spec(path)).connect()
    assert caught.value.retry is True
    assert not path.exists(), "it was created"
    path.write_bytes(b"not a database, but long enough to be looked at as one" * 20)
    with pytest.raises(DeviceError, match="not a database"):
        await TableDriver(table_spec(path)).connect()


async def read_all(driver: TableDriver) -> list[int | None]:
    """Volts of pot 1 until there is none; closes."""
    got = []
    while (value := volts(list(await driver.read()))[0]) is not None:
        got.append(value)
    await driver.close()
    return got


async def test_rows_of_another_database_are_not_passed_under_the_same_id(
    plant: Plant, tmp_path: Path
) -> None:
    """Once: of b rows 1 to 3, and back at a rows 4 and 5, which nobody had read."""
    other = Plant(tmp_path / "of two.db")
    plant.put((1, 1, 1, None), (2, 1, 2, None), (3, 1, 3, None))
    other.put(*[(i, 1, 10 * i, None) for i in range(1, 6)])
    driver = await connected(plant.spec())
    assert await read_all(driver) == [1000, 2000, 3000]
    position = driver.position()
    name = f"test/device@{plant.path}"
    with pytest.raises(DeviceError, match=f"up to row 3 was read of {re.escape(name)}") as caught:
        TableDriver(other.spec(position=position))
    assert caught.value.retry is False
    said = re.search(r"write (was=\S+) into the url", str(caught.value))
    assert said is not None
    plant.put((4, 1, 4, None), (5, 1, 5, None))
    driver = await connected(plant.spec(position=position))
    assert await read_all(driver) == [4000, 5000]
    # the same rows at another place: it goes on, and the way back is no other
    other.put(*[(6, 1, 6, None)])
    moved = replace(other.spec(), url=f"sqlite+ro://{tmp_path}/of%20two.db?{said[1]}")
    driver = await connected(replace(moved, position=driver.position()))
    assert await read_all(driver) == [6000]
    with pytest.raises(DeviceError, match=r"was=test/device@.*/of%20two.db into"):
        TableDriver(plant.spec(position=driver.position()))
    other.db.close()


async def test_another_profile_is_another_source_and_an_empty_one_is_none(plant: Plant) -> None:
    driver = await connected(plant.spec())
    assert await read_all(driver) == []
    spec = plant.spec(position=driver.position())
    named = replace(spec, profile=replace(spec.profile, id="test/other"))
    driver = await connected(named)  # no row was delivered: none can be passed
    plant.put((1, 1, 1, None))
    assert await read_all(driver) == [1000]
    with pytest.raises(DeviceError, match="read of test/other@"):
        TableDriver(replace(spec, position=driver.position()))


async def test_a_position_of_an_older_program_goes_on_and_the_other_way_round(
    plant: Plant,
) -> None:
    plant.put((1, 1, 1, None), (2, 1, 2, None))
    driver = await connected(plant.spec())
    assert await read_all(driver) == [1000, 2000]
    kept = cbor2.loads(driver.position() or b"")
    # an older program takes any bytes for what was asked, and keeps its hash alone
    assert kept[:3] == [1, 2, []]
    assert isinstance(kept[3], bytes)
    kept[3] = kept[3][:32]
    plant.put((3, 1, 3, None))
    driver = await connected(plant.spec(position=cbor2.dumps(kept)))
    assert await read_all(driver) == [3000]
    assert not driver.take_events()  # nor is it another statement
    assert f"test/device@{plant.path}".encode() in (driver.position() or b"")


def test_a_source_has_a_name_that_has_room_in_its_position() -> None:
    long = "test/device@" + "ü" * 244  # 12 and 488 bytes
    assert _source_name(long) == long
    assert _source_name(long + "x") == sha256((long + "x").encode()).hexdigest()


@pytest.mark.parametrize("position", [b"", b"\x01", b"\xff" * 9, b"\x85\x02\xf6\x80\x40\x40"])
def test_a_position_of_another_kind_is_refused(plant: Plant, position: bytes) -> None:
    with pytest.raises(DeviceError, match="another id to begin anew") as caught:
        TableDriver(plant.spec(position=position))
    assert caught.value.retry is False
