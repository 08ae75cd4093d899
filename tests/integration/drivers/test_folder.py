"""The folder driver against files that are dropped, renamed, changed and dropped again."""

import hashlib
import logging
import os
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from edge.drivers.base import Sample
from evidence.quality import Quality
from tests.integration.drivers.dropped import NOTHING, T_S, Drop, rows
from tests.unit.edge.drivers.folder.test_sheet import AT, book
from tests.unit.edge.drivers.folder.test_sheet import HEAD as SHEET_HEAD
from tests.unit.edge.drivers.row_specs import files, sheets


@pytest_asyncio.fixture
async def drop(tmp_path: Path) -> AsyncIterator[Drop]:
    made = Drop(tmp_path / "drop")
    made.path.mkdir()
    yield made
    await made.kill()


async def test_a_file_is_read_once_and_its_hash_is_told(drop: Drop) -> None:
    text = rows((1, "1", "4.201"), (2, "2", "4.202"), (3, "1", "4.203"))
    drop.put("a.csv", text)
    assert await drop.volts() == [4201, 4202]
    assert await drop.volts() == [4203, None]
    for _ in range(3):
        assert await drop.volts() == NOTHING
    assert drop.events == [
        {
            "kind": "source-file", "device": "dev", "name": "a.csv",
            "sha256": hashlib.sha256(text.encode()).digest(), "bytes": len(text), "rows": 3,
            "refused": 0, "bad_cells": 0, "lines": [],
        }
    ]  # fmt: skip
    assert (drop.path / "a.csv").read_text() == text, "it is not ours to change"


async def test_samples_have_the_rows_own_times(drop: Drop) -> None:
    drop.put("a.csv", rows((7, "2", "4")))
    samples = await drop.read()
    assert samples[1].source_ns == (T_S + 7) * 10**9
    assert samples[0] == Sample(None, Quality.NOT_SAMPLED)


async def test_never_again_by_another_name_by_a_new_drop_or_after_a_restart(drop: Drop) -> None:
    path = drop.put("a.csv", rows((1, "1", "1")))
    assert await drop.volts() == [1000, None]
    path.rename(drop.path / "b.csv")
    assert await drop.volts() == NOTHING
    drop.put("c.csv", rows((1, "1", "1")))
    assert await drop.volts() == NOTHING
    await drop.kill()
    drop.put("d.csv", rows((1, "1", "1")))
    for _ in range(4):
        assert await drop.volts() == NOTHING
    assert drop.told("name") == [
        ("source-file", "a.csv"), ("source-file-again", "b.csv"),
        ("source-file-again", "c.csv"), ("source-file-again", "d.csv"),
    ]  # fmt: skip
    await drop.kill()
    for _ in range(4):
        assert await drop.volts() == NOTHING
    assert len(drop.events) == 4, "what was told is told again"


async def test_many_files_are_remembered(drop: Drop) -> None:
    """More than any position could name."""
    for number in range(600):
        drop.put(f"{number:03}.csv", rows((number % 60, "1", str(number))), at_s=1000 + number)
    got = [(await drop.volts())[0] for _ in range(600)]
    assert got == [n * 1000 for n in range(600)]
    assert len(drop.marks) == 600
    await drop.kill()
    for number in range(0, 600, 7):
        (drop.path / f"{number:03}.csv").rename(drop.path / f"again-{number}.csv")
    for _ in range(100):
        assert await drop.volts() == NOTHING


async def test_killed_after_every_read_committed_or_not(drop: Drop) -> None:
    """What was committed comes no second time, what was not comes again."""
    drop.put("a.csv", rows(*[(n, "1", str(n)) for n in range(1, 6)], (9, "2", "9")), at_s=1000)
    drop.put("b.csv", rows((8, "1", "8")), at_s=2000)
    got = []
    for _ in range(7):
        lost = await drop.volts(commits=False)
        await drop.kill()
        assert await drop.volts() == lost
        got.append(lost)
        await drop.kill()
    assert got == [
        [1000, 9000],
        [2000, None],
        [3000, None],
        [4000, None],
        [5000, None],
        [8000, None],
        NOTHING,
    ]
    assert drop.told("name") == [("source-file", "a.csv"), ("source-file", "b.csv")]


async def test_a_half_read_file_is_found_under_its_new_name(drop: Drop) -> None:
    path = drop.put("a.csv", rows((1, "1", "1"), (2, "1", "2"), (3, "1", "3")))
    drop.put("0.csv", rows((4, "1", "4")), at_s=4_000_000_000)
    assert await drop.volts() == [1000, None]
    await drop.kill()
    path.rename(drop.path / "moved.csv")
    assert [(await drop.volts())[0] for _ in range(4)] == [2000, 3000, 4000, None]
    assert ("source-file-lost", "a.csv") not in drop.told("name")


async def test_a_half_read_file_is_waited_for_while_nothing_else_is_there(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share that is not mounted yet, as after a start without a network, is an empty folder."""
    now = [100.0]
    monkeypatch.setattr("edge.drivers.folder.driver.monotonic", lambda: now[0])
    drop.source = files(settle_s=10)
    path = drop.put("a.csv", rows((1, "1", "1"), (2, "1", "2")))
    await drop.volts()
    now[0] += 11
    assert await drop.volts() == [1000, None]
    await drop.kill()
    path.rename(path.parent.with_name("away.csv"))
    for _ in range(3):
        assert await drop.volts() == NOTHING
        now[0] += 100
    path.parent.with_name("away.csv").rename(path)
    drop.put("b.csv", rows((3, "1", "3")), at_s=4_000_000_000)
    assert await drop.volts() == NOTHING
    now[0] += 11
    assert [(await drop.volts())[0] for _ in range(3)] == [2000, 3000, None]
    assert drop.told("name") == [("source-file", "a.csv"), ("source-file", "b.csv")]


@pytest.mark.parametrize("what", ["gone", "changed"])
async def test_a_half_read_file_that_is_gone_or_changed_is_told(drop: Drop, what: str) -> None:
    path = drop.put("a.csv", rows((1, "1", "1"), (2, "1", "2")))
    assert await drop.volts() == [1000, None]
    await drop.kill()
    if what == "gone":
        path.unlink()
    else:
        drop.put("a.csv", rows((1, "1", "1"), (2, "1", "7")))
    drop.put("b.csv", rows((3, "1", "3")), at_s=4_000_000_000)
    got = [(await drop.volts())[0] for _ in range(5)]
    assert [g for g in got if g is not None] == [3000]
    told = [("source-file", "a.csv"), ("source-file-lost", "a.csv")]
    told += [("source-file-changed", "a.csv")] if what == "changed" else []
    assert drop.told("name") == [*told, ("source-file", "b.csv")]
    drop.put("back.csv", rows((1, "1", "1"), (2, "1", "2")))
    assert await drop.volts() == NOTHING


async def test_a_file_that_changed_after_it_was_read_is_told_and_not_read(
    drop: Drop, caplog: pytest.LogCaptureFixture
) -> None:
    before = rows((1, "1", "1"))
    drop.put("a.csv", before)
    await drop.volts()
    after = before + "2026-06-15 00:00:02,1,2,\n"
    drop.put("a.csv", after)
    with caplog.at_level(logging.WARNING):
        for _ in range(4):
            assert await drop.volts() == NOTHING
        await drop.kill()
        for _ in range(4):
            assert await drop.volts() == NOTHING
    event = drop.events[-1]
    assert (event["kind"], event["name"]) == ("source-file-changed", "a.csv")
    assert event["was"] == hashlib.sha256(before.encode()).digest()
    assert event["sha256"] == hashlib.sha256(after.encode()).digest()
    assert len(drop.events) == 2
    assert len(caplog.records) == 1
    drop.put("corrected.csv", after)
    assert (await drop.volts())[0] == 1000, "under its own name it is a file of its own"


async def test_names_that_are_used_again_where_the_profile_says_so(drop: Drop) -> None:
    drop.source = files(reuses_names=True)
    drop.put("export.csv", rows((1, "1", "1")))
    assert await drop.volts() == [1000, None]
    drop.put("export.csv", rows((2, "1", "2")))
    assert await drop.volts() == [2000, None]
    drop.put("export.csv", rows((1, "1", "1")))
    assert await drop.volts() == NOTHING


async def test_a_file_is_taken_when_it_stands_still(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("edge.drivers.folder.driver.monotonic", lambda: now[0])
    drop.source = files(settle_s=10)
    path = drop.put("a.csv", rows((1, "1", "1")))
    assert await drop.volts() == NOTHING
    now[0] = 109.0
    with path.open("a") as file:
        file.write("2026-06-15 00:00:02,2,2,\n")
    assert await drop.volts() == NOTHING
    now[0] = 118.0
    assert await drop.volts() == NOTHING
    now[0] = 119.5
    assert await drop.volts() == [1000, 2000]


async def test_a_file_that_changes_while_it_is_read_is_left_for_later(
    drop: Drop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = drop.put("a.csv", rows((1, "1", "1")))
    real = os.read
    written = []

    def read(handle: int, size: int) -> bytes:
        if not written:
            written.append(1)
            with path.open("a") as file:
                file.write("2026-06-15 00:00:02,2,2,\n")
        return real(handle, size)

    monkeypatch.setattr("edge.drivers.folder.files.os.read", read)
    assert await drop.volts() == NOTHING
    assert "changed while it was read" in caplog.text
    assert await drop.volts() == [1000, 2000]


async def test_spreadsheets(drop: Drop) -> None:
    drop.source = sheets(time_zone="Asia/Shanghai")
    drop.put("lab.xlsx", book(SHEET_HEAD, [AT, 1, 4.273, 960], [AT, 2, 4.2735, None]))
    first = await drop.read()
    assert first[0].raw == struct.pack("<q", 4273)
    assert first[0].source_ns == T_S * 10**9  # 08:00 in Shanghai is midnight UTC
    assert first[1].quality is Quality.WRONG_ANSWER, "a place more than the point has"
    assert first[2].raw == struct.pack("<d", 960.0)
    assert drop.told("rows", "bad_cells") == [("source-file", 2, 1)]


async def test_a_backlog_of_files_is_said_once_and_its_end_once(drop: Drop) -> None:
    for number in range(3):
        many = [(n % 60, "1", str(n)) for n in range(40)]
        drop.put(f"{number}.csv", rows(*many, (number, "2", "1")), at_s=1000 + number)
    drop.put("big.csv", rows(*[(n % 60, "1", str(n)) for n in range(70)]), at_s=1)
    for _ in range(200):
        await drop.volts()
    kinds = [kind for (kind,) in drop.told() if "backlog" in kind]
    assert kinds == ["source-backlog", "source-backlog-over"]
