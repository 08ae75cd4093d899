"""The ground truth: same seed, same bytes; schema as TRUTH.md says; nothing lost at the end."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulators.truth import TruthFile, line_text, write_start
from tests.unit.simulators.kilns import Burnt, half_an_hour, kiln
from tests.unit.simulators.smelters import QUICK, Played, played, smelter
from tests.unit.simulators.works import ten_minutes, works

DOCUMENT = Path(__file__).parents[3] / "simulators" / "TRUTH.md"

PROGRAM = """
import sys
from simulators.plant import Smelter
from simulators.scenario import load_scenario
from simulators.truth import line_text
plant = Smelter(load_scenario("smelter"), pots=24, seed=11,
                record=lambda line: sys.stdout.write(line_text(line)))
for _ in range(1500):
    plant.step()
plant.finish()
"""


def test_same_seed_same_bytes_in_another_process() -> None:
    def bytes_with(hash_seed: str) -> bytes:
        environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(DOCUMENT.parents[1])}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, check=True
        )
        return done.stdout

    here = played(1500, seed=11)
    here.plant.finish()
    assert bytes_with("1") == bytes_with("2") == here.text().encode()


def test_another_seed_other_bytes() -> None:
    assert played(200, seed=1).text() != played(200, seed=2).text()


def test_a_longer_run_only_has_more_lines() -> None:
    short, long = played(300), played(900)
    assert long.text().startswith(short.text())


def test_showing_the_plant_does_not_change_it() -> None:
    watched = smelter()
    for _ in range(300):
        watched.plant.step()
        watched.plant.readings()
    assert watched.text() == played(300).text()


def test_lines_come_in_order() -> None:
    times = [Decimal(str(line["t_s"])) for line in played(2000).lines if "t_s" in line]
    assert times == sorted(times)


def test_first_and_last_line() -> None:
    run = played(70, pots=5, seed=9)
    run.plant.finish()
    assert run.lines[0] == {
        "type": "scenario",
        "format": 1,
        "scenario": "smelter",
        "seed": 9,
        "pots": 5,
        "step_s": "0.1",
        "rules": {"effect_above_v": "8", "producing_state": 1},
    }
    end = dict(run.lines[-1])
    assert (end["type"], end["t_s"]) == ("end", "7.0")
    start = run.of_type("effect-start")[0]
    pot = int(start["pot"]) - 1
    first = int(start["t_s"].replace(".", ""))
    peak_v = run.voltage_v[first:, pot].max()
    assert end["running"] == [
        {
            "pot": start["pot"],
            "effect": 1,
            "start_s": start["t_s"],
            "peak_v": f"{peak_v:.3f}",
        }
    ]


def test_nothing_runs_before_the_first_effect() -> None:
    run = played(10)
    run.plant.finish()
    assert dict(run.lines[-1])["running"] == []


def test_one_state_a_pot_at_the_start() -> None:
    states = played(0, pots=6).of_type("state")
    assert [(row["pot"], row["state"]) for row in states] == [
        ("01", 1), ("02", 1), ("03", 3), ("04", 1), ("05", 5), ("06", 1)
    ]  # fmt: skip
    assert {row["t_s"] for row in states} == {"0.0"}


def test_totals_come_at_their_cadence() -> None:
    times = [row["t_s"] for row in played(1000).of_type("totals")]
    assert times == [f"{10 * n}.0" for n in range(11)]


def documented_keys(plant: str) -> dict[str, set[str]]:
    """Type -> keys, out of the plant's section of TRUTH.md."""
    text = DOCUMENT.read_text(encoding="utf-8")
    (section,) = (part for part in text.split("\n## ") if part.startswith(f"Lines of a {plant}"))
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^|]*) \|", section, flags=re.MULTILINE)
    totals = re.search(r"^Totals[^:]*: (.*?)\n\n", section, flags=re.MULTILINE | re.DOTALL)
    assert totals
    total_keys = set(re.findall(r"`(\w+)`", re.sub(r"\{.*?\}", "", totals[1], flags=re.DOTALL)))
    result = {}
    for kind, keys in rows:
        outer = re.sub(r"\{.*?\}|\[.*?\]", "", keys)
        result[kind] = set(re.findall(r"`(\w+)`", outer)) | {"type"}
        if "totals" in outer:
            result[kind] |= total_keys
    return result


def ended() -> Played:
    run = played(10_000)
    run.plant.finish()
    return run


RUNS: dict[str, Callable[[], Played | Burnt[Any]]] = {
    "smelter": ended, "kiln": lambda: half_an_hour(1), "steelworks": lambda: ten_minutes(1),
}  # fmt: skip


@pytest.mark.parametrize("plant", RUNS)
def test_every_line_has_the_documented_keys(plant: str) -> None:
    run = RUNS[plant]()
    documented = documented_keys(plant)
    assert {str(line["type"]) for line in run.lines} == set(documented)
    for line in run.lines:
        assert set(line) == documented[str(line["type"])], line["type"]


def figures(value: Any) -> list[Any]:
    """All leaves of a line."""
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in figures(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in figures(item)]
    return [value]


def test_no_binary_fraction_is_ever_written() -> None:
    run = played(500)
    run.plant.finish()
    for line in (*run.lines, *kiln(700).lines, *works(20).lines):
        assert not any(isinstance(leaf, float) for leaf in figures(dict(line)))


class TestFile:
    """The two files."""

    def test_lines_are_compact_json(self) -> None:
        assert line_text({"type": "tap", "t_s": "1.0"}) == '{"type":"tap","t_s":"1.0"}\n'

    def test_flushed_lines_are_there(self, tmp_path: Path) -> None:
        with TruthFile(tmp_path / "deep" / "er") as truth:
            truth.write({"type": "scenario"})
            truth.flush()
            assert truth.path.read_bytes() == b'{"type":"scenario"}\n'
            truth.write({"type": "end"})
        assert len(truth.path.read_text().splitlines()) == 2

    def test_a_new_run_starts_a_new_file(self, tmp_path: Path) -> None:
        for name in ("first", "second"):
            with TruthFile(tmp_path) as truth:
                truth.write({"type": name})
        assert truth.path.read_text() == '{"type":"second"}\n'

    def test_the_start_stands_beside_it(self, tmp_path: Path) -> None:
        write_start(tmp_path, started_ns=1_795_571_679_535_000_000, scenario="smelter", seed=4)
        assert json.loads((tmp_path / "truth-start.json").read_text()) == {
            "scenario": "smelter",
            "seed": 4,
            "started_ns": 1_795_571_679_535_000_000,
        }
        assert [path.name for path in tmp_path.iterdir()] == ["truth-start.json"]


@pytest.mark.parametrize("step", [0, 1, 123_456_789])
def test_times_are_whole_steps(step: int) -> None:
    """However long it runs: no rounding, no exponent."""
    plant = smelter(QUICK).plant
    plant.potline.step_number = step
    assert plant._totals()["t_s"] == f"{step // 10}.{step % 10}"
