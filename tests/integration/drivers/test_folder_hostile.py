"""The folder driver against files that are wrong, too large, or no files at all."""

import asyncio
import logging
import os
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import pytest_asyncio

from edge.drivers.base import DeviceError
from edge.drivers.folder.driver import FolderDriver
from evidence.quality import Quality
from tests.integration.drivers.dropped import HEAD, NOTHING, Drop, rows
from tests.unit.edge.drivers.row_specs import files, folder_spec
from tests.waiting import ENOUGH_S


@pytest_asyncio.fixture
async def drop(tmp_path: Path) -> AsyncIterator[Drop]:
    made = Drop(tmp_path / "drop")
    made.path.mkdir()
    yield made
    await made.kill()


async def test_bad_rows_cost_themselves_and_are_told_with_their_lines(
    drop: Drop, caplog: pytest.LogCaptureFixture
) -> None:
    drop.put(
        "a.csv",
        HEAD + "2026-06-15 00:00:01,1,1,\nsoon,1,2,\n2026-06-15 00:00:03,1\n"
        "2026-06-15 00:00:04,2,<0.01,5\n2026-06-15 00:00:05,1,5,\n",
    )
    with caplog.at_level(logging.WARNING):
        first = await drop.read()
        assert first[0].raw == struct.pack("<q", 1000)
        assert first[1].quality is Quality.WRONG_ANSWER
        assert first[3].raw == struct.pack("<d", 5.0)
        assert await drop.volts() == [5000, None]
    (event,) = drop.events
    assert (event["rows"], event["refused"], event["bad_cells"]) == (3, 2, 1)
    assert event["lines"] == [3, 4, 5]
    assert [r.getMessage().partition("a.csv, ")[2] for r in caplog.records] == [
        "line 3: time 'soon' is none such as 2026-06-15 08:00:00",
        "line 4: has 2 cells, not 4",
        "line 5: volts '<0.01' is no i64 exactly",
    ]


async def test_a_file_of_another_form_is_told_once_and_looked_at_again_with_a_new_profile(
    drop: Drop,
) -> None:
    drop.put("a.csv", "槽;V\n1;2\n".encode("gbk"))
    for _ in range(3):
        assert await drop.volts() == NOTHING
    await drop.kill()
    for _ in range(3):
        await drop.volts()
    assert drop.told("name", "reason") == [("source-file-refused", "a.csv", "byte 0 is not utf-8")]
    await drop.kill()
    drop.source = files(encoding="gbk")
    await drop.volts()
    assert len(drop.events) == 2
    assert "its header is" in drop.events[1]["reason"]


async def test_links_pipes_folders_and_hidden_names_are_never_opened(
    drop: Drop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(rows((1, "1", "1")))
    (drop.path / "link.csv").symlink_to(secret)
    (drop.path / "up.csv").symlink_to("../secret.csv")
    os.mkfifo(drop.path / "pipe.csv")
    (drop.path / "folder.csv").mkdir()
    drop.put(".hidden.csv", rows((1, "1", "1")))
    drop.put("other.txt", rows((1, "1", "1")))
    drop.put("bell\a.csv", rows((1, "1", "1")))
    (drop.path / "two\nlines.csv").symlink_to(secret)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert await drop.volts() == NOTHING
    assert sorted(r.getMessage() for r in caplog.records) == [
        *(
            rf"device dev: file '{name}.csv': its name holds characters that cannot be printed: "
            "not read"
            for name in (r"bell\x07", r"two\nlines")
        ),
        *(
            f"device dev: file {name}: is no regular file (links are not followed): not read"
            for name in ("folder.csv", "link.csv", "pipe.csv", "up.csv")
        ),
    ]
    assert drop.events == []


async def test_a_link_put_in_the_place_of_a_file_is_not_followed(
    drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the folder and the opening of the file."""
    secret = tmp_path / "secret.csv"
    secret.write_text(rows((1, "1", "1")))
    path = drop.put("a.csv", rows((1, "1", "1")))
    real = os.open

    def swapped(name: Any, *args: Any, **kwargs: Any) -> int:
        if name == "a.csv" and not path.is_symlink():
            path.unlink()
            path.symlink_to(secret)
        return real(name, *args, **kwargs)

    monkeypatch.setattr("edge.drivers.folder.files.os.open", swapped)
    for _ in range(3):
        assert await drop.volts() == NOTHING


async def test_a_file_that_may_not_be_read_keeps_no_other_from_being_read(
    drop: Drop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Said once, also where it is the oldest."""
    drop.put("a.csv", rows((1, "1", "1")), at_s=1)
    drop.put("b.csv", rows((2, "1", "2")), at_s=2)
    real = os.open

    def guarded(name: Any, *args: Any, **kwargs: Any) -> int:
        if name == "a.csv":
            raise PermissionError(13, "Permission denied")
        return real(name, *args, **kwargs)

    monkeypatch.setattr("edge.drivers.folder.files.os.open", guarded)
    drop.source = files(settle_s=1)
    with caplog.at_level(logging.WARNING):
        until_s = monotonic() + ENOUGH_S
        while await drop.volts() != [2000, None]:
            assert monotonic() < until_s
            await asyncio.sleep(0.05)
    assert [r.getMessage() for r in caplog.records] == [
        "device dev: file a.csv: cannot be read: Permission denied"
    ]


async def test_names_that_come_and_go_are_not_kept(drop: Drop) -> None:
    for number in range(3):
        (drop.path / f"{number}.csv").mkdir()
        await drop.volts()
        (drop.path / f"{number}.csv").rmdir()
    assert drop.driver is not None
    assert set(drop.driver._complaints._standing) == {"file 2.csv"}


async def test_a_file_of_more_values_than_there_is_room_for_is_refused(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of this device's points; each takes two hundred bytes of memory till it is delivered."""
    monkeypatch.setattr("edge.drivers.folder.driver.CELLS_MAX", 2)
    drop.put("a.csv", rows((1, "1", "1"), (2, "2", "2"), (3, "9", "3")), at_s=1)
    assert await drop.volts() == [1000, 2000]
    drop.put("b.csv", rows((1, "1", "1"), (2, "2", "2"), (3, "1", "3")), at_s=2)
    assert await drop.volts() == NOTHING
    assert drop.events[-1]["reason"] == "it holds more than 2 values: split it"


async def test_a_file_that_is_too_large_is_not_opened(
    drop: Drop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("edge.drivers.folder.files.FILE_BYTES_MAX", 1000)
    drop.put("a.csv", bytes(1001))
    assert await drop.volts() == NOTHING
    assert "has more than" in caplog.text


async def test_too_many_names_and_a_folder_that_is_replaced_are_device_errors(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await drop.volts()
    monkeypatch.setattr("edge.drivers.folder.files.ENTRIES_MAX", 2)
    for name in "abc":
        drop.put(f"{name}.csv", HEAD)
    with pytest.raises(DeviceError, match="more than 2 names") as caught:
        await drop.volts()
    assert caught.value.retry is True
    monkeypatch.setattr("edge.drivers.folder.files.ENTRIES_MAX", 100)
    assert drop.driver is not None
    await drop.driver.connect()
    drop.path.rename(drop.path.with_name("old"))
    drop.path.mkdir()
    with pytest.raises(DeviceError, match="replaced"):
        await drop.volts()


async def test_a_folder_that_is_a_link_or_is_not_there(drop: Drop, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(drop.path)
    for name in ("link", "none"):
        with pytest.raises(DeviceError, match="cannot be opened") as caught:
            await FolderDriver(folder_spec(tmp_path / name)).connect()
        assert caught.value.retry is True


@pytest.mark.parametrize(
    "url",
    ["folder://", "folder://host/x", "folder:x", "folder:///a/../etc", "folder:///a?b=1",
     "folder:///a#b", "folder:///a%00b", "folder:///a/%2e%2e/b", "folder:///a%ff"],
)  # fmt: skip
def test_urls_that_name_no_folder(url: str) -> None:
    with pytest.raises(DeviceError, match="folder") as caught:
        FolderDriver(folder_spec(Path("/x")).__class__(
            "dev", url, folder_spec(Path("/x")).profile, folder_spec(Path("/x")).points
        ))  # fmt: skip
    assert caught.value.retry is False


@pytest.mark.parametrize("position", [b"", b"\x01", b"\x85\x02\x60\x40\xf6\x80"])
def test_a_position_of_another_kind_is_refused(tmp_path: Path, position: bytes) -> None:
    with pytest.raises(DeviceError, match="another id to begin anew") as caught:
        FolderDriver(folder_spec(tmp_path, position=position))
    assert caught.value.retry is False


def test_marks_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="a mark"):
        FolderDriver(folder_spec(tmp_path, marks={bytes(32): b"\x01"}))


async def test_no_more_files_than_can_be_remembered(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.drivers.folder.history.FILES_MAX", 1)
    drop.put("a.csv", rows((1, "1", "1")))
    await drop.volts()
    with pytest.raises(DeviceError, match="another id") as caught:
        await drop.volts()
    assert caught.value.retry is False
