"""The pot controllers' table, read by the agent's driver of tables, against the plant's truth."""

import contextlib
import math
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from edge.drivers import open_driver
from edge.drivers.base import BoundPoint, DeviceSpec
from firmware_configs.profile import load_profile
from simulators.effect_table import AHEAD_S, COLLECT_S, EffectTable
from simulators.plant import Smelter
from simulators.pot_controller import EFFECT
from simulators.served import ServeError
from tests.integration.drivers.opened import opened
from tests.integration.simulators.test_drivers_read_true import point_of, value_of
from tests.integration.simulators.test_sim_run import PORTS, spawn, until_ready
from tests.unit.simulators.smelters import QUICK

pytestmark = pytest.mark.asyncio

EFFECTS = load_profile("stackproof/pot-effects")
POTS, SECONDS = 24, 120
STARTED_NS = 1_795_571_679_000_000_000
NS = 10**9


@dataclass
class Read:
    """A row as it came out of the driver; times in seconds of the scenario."""

    pot: int
    start_s: float
    duration_s: int
    max_v: Decimal
    kind: int


def points() -> list[BoundPoint]:
    return [
        BoundPoint(point_of(register, "pots", n, {}), register, n)
        for register in EFFECTS.registers
        for n in range(1, POTS + 1)
    ]


async def rows_of(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Read]:
    """All rows, in the order in which reads give them; none is there a read later."""
    now_s = [0.0]
    monkeypatch.setattr("edge.drivers.table.driver.monotonic", lambda: now_s[0])
    bound = points()
    spec = DeviceSpec("pots", f"sqlite+ro://{path}", EFFECTS, tuple(bound), 5.0)
    found: list[Read] = []
    async with opened(open_driver(spec)) as driver:
        await driver.read()  # seen for the first time: they ripen
        now_s[0] += 2
        while True:
            samples = await driver.read()
            rows: dict[int, dict[str, Any]] = {}
            for point, sample in zip(bound, samples, strict=True):
                if sample.raw is not None and sample.source_ns is not None and point.n:
                    row = rows.setdefault(point.n, {"source_ns": sample.source_ns})
                    name = point.register.name.rpartition(".")[2]
                    row[name] = value_of(sample, point.point)
            if not rows:
                return found
            for pot, row in rows.items():
                start_s = (row["source_ns"] - STARTED_NS) / NS
                found.append(Read(pot, start_s, int(row["effect_duration"]),
                                  row["effect_max_voltage"], int(row["effect_kind"])))  # fmt: skip


def played(path: Path, seconds: int) -> list[Mapping[str, Any]]:
    """The truth of a smelter beside which the table was kept."""
    truth: list[Mapping[str, Any]] = []
    plant = Smelter(QUICK, pots=POTS, seed=12, record=truth.append)
    with EffectTable(path, POTS) as table:
        table.started_ns = STARTED_NS
        for _ in range(round(seconds / float(plant.step_s))):
            plant.step()
            table.watch(plant)
    return truth


async def test_the_driver_reads_what_the_controllers_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = played(tmp_path / "pots.db", SECONDS)
    rows = await rows_of(tmp_path / "pots.db", monkeypatch)
    ended = [line for line in truth if line["type"] == "effect-end"]
    over = [line for line in ended if float(line["t_s"]) < SECONDS - COLLECT_S - 3]
    assert len(over) > 20
    assert {row.kind for row in rows} == {EFFECT}  # the pot in start-up has not ended its one
    for line in over:
        begun_s, end_s = float(line["start_s"]), float(line["t_s"])
        own = [row for row in rows if row.pot == int(line["pot"])
               and begun_s <= row.start_s - AHEAD_S <= end_s]  # fmt: skip
        assert len(own) == 1, line
        (row,) = own
        assert 2 <= row.start_s - AHEAD_S - begun_s <= 3  # third look in a row
        assert row.duration_s < end_s - begun_s + 2  # second look below
        assert row.duration_s >= math.floor(end_s - begun_s) - 2
        assert 20 < row.max_v <= Decimal(line["peak_v"]) + Decimal("0.05")
    assert len(rows) <= len(ended), "a row stands twice"


async def test_a_second_run_adds_and_keys_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played(tmp_path / "pots.db", 30)
    first = await rows_of(tmp_path / "pots.db", monkeypatch)
    played(tmp_path / "pots.db", 30)
    assert len(await rows_of(tmp_path / "pots.db", monkeypatch)) == 2 * len(first) > 0


async def test_beside_a_running_smelter(tmp_path: Path) -> None:
    table = tmp_path / "pots.db"
    process = await spawn("run", "smelter", *PORTS, "--effect-table", str(table), "--for", "0.3")
    assert f"pot-effects url=sqlite+ro://{table} profile=stackproof/pot-effects" in (
        await until_ready(process)
    )
    assert await process.wait() == 0
    with contextlib.closing(sqlite3.connect(table)) as sql:
        (columns,) = sql.execute("SELECT sql FROM sqlite_master WHERE name='effects'")
    assert "duration_s INTEGER NOT NULL" in columns[0]


async def test_a_kiln_has_no_pots(tmp_path: Path) -> None:
    process = await spawn("run", "kiln", *PORTS, "--effect-table", str(tmp_path / "pots.db"))
    assert (await process.communicate())[1].decode() == "kiln has no pots\n"
    assert process.returncode == 2


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "pots.db").write_text("PK no database at all")
    with pytest.raises(ServeError, match="is no database of effects: file is not a database"):
        EffectTable(tmp_path / "pots.db", POTS)
