"""A month's archive, its building ended at any call: never half there, and then the same bytes.

Killed, or without power (the disk here forgets what was not synced), at each write, sync and
rename in turn.
"""

import asyncio
import itertools
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.findings import Verdict
from tests.unit.cloud.forgetful import EndOfPower, ForgetfulDisk
from tests.unit.cloud.month_examples import ARCHIVE, Desk, judged, months
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import MONTH

WHY = "late frames"


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the disk made here forgets."""
    monkeypatch.setattr(os, "fsync", lambda _file: None)


@pytest.fixture
def step(request: pytest.FixtureRequest) -> int:
    """Every call in turn in the long mode, otherwise some of them."""
    return 1 if request.config.getoption("--long") else 9


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path / "evidence")
    yield opened.deliver()
    opened.shut()


def seal(desk: Desk, folder: Path, reason: str = "") -> None:
    asyncio.run(months(desk, folder).seal(sm.PLANT, MONTH, reason=reason))


def close(desk: Desk, folder: Path, **more: str | bool) -> None:
    asyncio.run(months(desk, folder).close(sm.PLANT, MONTH, closing="final", **more))


def ended(
    disk: ForgetfulDisk, desk: Desk, monkeypatch: pytest.MonkeyPatch, reason: str = ""
) -> bool:
    """Seal until the disk ends it; False when it was done before."""
    try:
        with disk.watching(monkeypatch):
            seal(desk, disk.root, reason)
    except EndOfPower:
        return True
    return False


def archives(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.tar")}


@pytest.mark.parametrize("power", ["stays", "goes"])
def test_a_first_archive(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, power: str
) -> None:
    close(desk, tmp_path / "whole")
    whole = archives(tmp_path / "whole")
    dice, seen = random.Random(1), set()
    for calls in itertools.count(step=step):
        disk = ForgetfulDisk(tmp_path / "r", calls)
        broken_off = ended(disk, desk, monkeypatch)
        if power == "goes":
            disk.cut_power(dice)
        left = archives(disk.root)
        assert left in ({}, whole)
        seen.add(len(left))
        if not broken_off:
            break
        seal(desk, disk.root)
        assert archives(disk.root) == whole
        assert [path.name for path in disk.root.iterdir()] == [ARCHIVE]
        shutil.rmtree(disk.root)
    assert calls > 60
    assert seen == {0, 1}
    assert left == whole, "sealed, and then without power: it is not there"


@pytest.mark.parametrize("power", ["stays", "goes"])
def test_an_archive_that_replaces_one(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, power: str
) -> None:
    """The replaced one is there throughout, under one name or the other, and never a third."""
    before, after = tmp_path / "before", tmp_path / "after"
    close(desk, before)
    old = archives(before)[ARCHIVE]
    shutil.copytree(before, after)
    close(desk, after, amend=True, reason=WHY)
    whole = archives(after)
    assert len(whole) == 2
    dice = random.Random(2)
    for calls in itertools.count(step=step):
        shutil.copytree(before, tmp_path / "r")
        disk = ForgetfulDisk(tmp_path / "r", calls)
        broken_off = ended(disk, desk, monkeypatch, WHY)
        if power == "goes":
            disk.cut_power(dice)
        left = archives(disk.root)
        assert old in left.values()
        assert set(left.values()) <= set(whole.values())
        seal(desk, disk.root, WHY)
        assert archives(disk.root) == whole
        shutil.rmtree(disk.root)
        if not broken_off:
            break
    assert calls > 60
    assert judged(after / ARCHIVE).verdict is Verdict.PASSED
