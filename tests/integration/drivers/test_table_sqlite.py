"""The table driver against SQLite files that another connection writes, as plant software does."""

import logging
import sqlite3
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.drivers.base import Sample
from edge.drivers.table import database
from evidence.quality import Quality
from tests.integration.drivers.pot_log import T_S, Plant, T, connected, volts
from tests.unit.edge.drivers.row_specs import column, table, table_spec


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    made = Plant(tmp_path / "pots.db")
    yield made
    made.db.close()


async def test_each_row_once_with_its_own_time_and_then_nothing(plant: Plant) -> None:
    plant.put((1, 1, 4.201, 960.5), (2, 2, 4.202, None))
    driver = await connected(plant.spec())
    first = await driver.read()
    assert volts(first) == [4201, 4202]
    assert [s.source_ns for s in first] == [
        (T_S + 1) * 10**9, (T_S + 2) * 10**9, (T_S + 1) * 10**9, None,
    ]  # fmt: skip
    assert first[2].raw == struct.pack("<d", 960.5)
    assert first[3] == Sample(None, Quality.NOT_SAMPLED)
    for _ in range(3):
        assert volts(await driver.read()) == [None, None], "a value was said twice"
    plant.put((3, 1, 4.203, None))
    assert volts(await driver.read()) == [4203, None]
    await driver.close()


async def test_where_rows_wait_each_read_gives_the_oldest_of_each_point(plant: Plant) -> None:
    plant.put((1, 1, 1, None), (2, 1, 2, None), (3, 1, 3, None), (4, 2, 4, None))
    driver = await connected(plant.spec())
    got = [volts(await driver.read()) for _ in range(4)]
    assert got == [[1000, 4000], [2000, None], [3000, None], [None, None]]
    await driver.close()


async def test_a_new_driver_goes_on_behind_the_position_at_every_read(plant: Plant) -> None:
    """Killed after each read: what was committed is not read again, all else is."""
    plant.put(*[(i, 1 + (i > 5), i, None) for i in range(1, 8)])
    seen: list[list[int | None]] = []
    position = None
    for _ in range(6):
        driver = await connected(plant.spec(position=position))
        lost = volts(await driver.read())  # not committed: read again by the next
        await driver.close()
        driver = await connected(plant.spec(position=position))
        seen.append(volts(await driver.read()))
        assert seen[-1] == lost
        position = driver.position()
        assert position is not None
        assert len(position) <= 4096
        await driver.close()
    assert seen == [
        [1000, 6000],
        [2000, 7000],
        [3000, None],
        [4000, None],
        [5000, None],
        [None, None],
    ]


async def test_after_begins_behind_a_key_only_where_nothing_was_delivered(plant: Plant) -> None:
    plant.put((1, 1, 1, None), (2, 1, 2, None), (3, 1, 3, None))
    spec = plant.spec()
    driver = await connected(replace(spec, url=f"{spec.url}?after=2"))
    assert volts(await driver.read()) == [3000, None]
    position = driver.position()
    await driver.close()
    plant.put((4, 1, 4, None))
    driver = await connected(replace(spec, url=f"{spec.url}?after=1", position=position))
    assert volts(await driver.read()) == [4000, None]
    await driver.close()


async def test_rows_ripen_so_that_a_late_transaction_is_not_passed(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("edge.drivers.table.driver.monotonic", lambda: now[0])
    plant.put((1, 1, 1, None), (3, 1, 3, None))
    driver = await connected(plant.spec(source=table(settle_s=10)))
    assert volts(await driver.read()) == [None, None]
    now[0] = 109.9
    plant.put((2, 1, 2, None))
    assert volts(await driver.read()) == [None, None]
    now[0] = 110.1
    assert volts(await driver.read()) == [1000, None]
    assert volts(await driver.read()) == [None, None], "row 3 would pass row 2"
    now[0] = 120.0
    assert [volts(await driver.read())[0] for _ in range(3)] == [2000, 3000, None]
    await driver.close()


async def test_rows_that_cannot_be_used_cost_themselves_and_are_told(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    plant.put((1, 1, 1, None), (3, 1, 3, "hot"))
    plant.db.execute("INSERT INTO pot_log VALUES (2, 'soon', 1, 2, NULL)")
    driver = await connected(plant.spec())
    with caplog.at_level(logging.WARNING):
        first = await driver.read()
        assert volts(first) == [1000, None]
        second = await driver.read()
        assert volts(second[:2]) == [3000, None]
        assert second[2].quality is Quality.WRONG_ANSWER
        await driver.read()
    events = [e for e in driver.take_events() if e["kind"] == "source-row-refused"]
    assert [(e["key"], e["reason"]) for e in events] == [
        ("2", "time 'soon' is none such as 2026-06-15 08:00:00")
    ]
    assert [r.getMessage() for r in caplog.records] == [
        "device dev: row 2: time 'soon' is none such as 2026-06-15 08:00:00; it is left out",
        "device dev: row 3: temp 'hot' is no f64 exactly",
    ]
    await driver.close()


async def test_a_backlog_is_said_once_and_its_end_once(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    plant.put(*[(i, 1, i, None) for i in range(1, 81)])
    driver = await connected(plant.spec())
    events: list[object] = []
    with caplog.at_level(logging.INFO):
        for _ in range(82):
            await driver.read()
            events += [e for e in driver.take_events() if e["kind"] != "source-schema"]
    assert events == [
        {"kind": "source-backlog", "device": "dev", "rows": 79},
        {"kind": "source-backlog-over", "device": "dev"},
    ]
    assert [r.getMessage() for r in caplog.records] == [
        "device dev: backlog: at least 79 rows wait; each read gives one of each point",
        "device dev: backlog: is fine again",
    ]
    await driver.close()


async def test_more_rows_than_one_question_gives_come_all(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.drivers.table.database.ROWS_MAX", 7)
    monkeypatch.setattr("edge.drivers.table.driver.ROWS_MAX", 7)
    monkeypatch.setattr(
        "edge.drivers.table.database.SqliteDatabase.dialect",
        replace(database.SqliteDatabase.dialect, limit=" LIMIT 7"),
    )
    plant.put(*[(i, 1 + i % 2, i, None) for i in range(1, 51)])
    driver = await connected(plant.spec())
    got = [volts(await driver.read()) for _ in range(26)]
    assert [pair[1] for pair in got[:25]] == [i * 1000 for i in range(1, 51, 2)]
    assert [pair[0] for pair in got[:25]] == [i * 1000 for i in range(2, 51, 2)]
    assert got[25] == [None, None]
    await driver.close()


async def test_a_weighbridge_as_a_totaliser(tmp_path: Path) -> None:
    """What the README tells to write: the running sum of all weighings, in whole kilograms."""
    db = sqlite3.connect(tmp_path / "w.db", isolation_level=None)
    db.execute("CREATE TABLE weighings (id INTEGER PRIMARY KEY, at TEXT, net_kg, void)")
    db.executemany(
        "INSERT INTO weighings VALUES (?, ?, ?, ?)",
        [(1, T.format(1), 31_240, 0), (2, T.format(2), 28_760, 0), (3, T.format(3), 99_999, 1)],
    )
    source = table(
        "SELECT max(id) AS id, max(at) AS at, sum(net_kg) AS net_kg FROM weighings WHERE void = 0",
        columns=("id", "at", "net_kg"), time="at", name="",
    )  # fmt: skip
    spec = table_spec(tmp_path / "w.db", source)
    register = column("limestone", "net_kg", decimals=0)
    spec = replace(spec, points=(replace(spec.points[0], register=register, n=None),))
    driver = await connected(spec)
    (first,) = await driver.read()
    assert first.raw == struct.pack("<q", 60_000)
    assert first.source_ns == (T_S + 2) * 10**9
    (again,) = await driver.read()
    assert again == Sample(None, Quality.NOT_SAMPLED)
    db.execute("INSERT INTO weighings VALUES (4, ?, 30000, 0)", (T.format(4),))
    (third,) = await driver.read()
    assert third.raw == struct.pack("<q", 90_000)
    await driver.close()
    db.close()
