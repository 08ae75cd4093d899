"""`stackproof screen` on sealed archives: exit status, languages, JSON, plots, refusals."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import stackproof
from evidence.cli_screen import read_balances
from evidence.documents.document import Document
from evidence.documents.standing import Logged, Standing
from evidence.errors import KeyFileError
from evidence.frame import Body, Clock, Gap
from evidence.screen.reader import MonthReader, differing
from evidence.verifier.frames import Checked
from simulators.month import Made, make_month
from simulators.month_plants import month_plant
from simulators.plants import load_any
from tests.fraud.bent_months import BentPlant, hold_peaks


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Six days of a smelter whose gas meter stands still at high load."""
    plant = month_plant(load_any("smelter-normal"), points=50, pots=12, seed=3, interval_s=60)
    return make_month(
        BentPlant(plant, "gas.flow", hold_peaks), month="2026-06",
        out=tmp_path_factory.mktemp("months"), frame_s=900, days=6, say=lambda _: None,
    )  # fmt: skip


def test_told_and_drawn(made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["screen", str(made.archive), "--out", str(tmp_path / "plots")]
    assert stackproof.main([*arguments, "--trust", str(made.trust)]) == 1
    told = capsys.readouterr().out
    assert "  1. Constant values · smelter-normal 2026-06 · gas.flow" in told
    assert "innocent causes: a transmitter that hangs" in told
    assert "Signatures, chain, log and seal were verified" in told
    assert "nothing here says that anybody cheated" in told
    plot = ET.parse(tmp_path / "plots" / "001-constant-values.svg").getroot()  # noqa: S314 - ours
    assert plot.tag == "{http://www.w3.org/2000/svg}svg"
    said = f"  {made.archive}: PASSED, WITH QUESTIONS: pot voltages of line-1 were read seldom; "
    assert f"{said}NOT RECOMPUTED\n" in told
    assert stackproof.main(["screen", str(made.archive), "--lang", "zh"]) == 1
    told = capsys.readouterr().out
    assert "  1. 数值长时间不变 · smelter-normal 2026-06 · gas.flow" in told
    said = f"  {made.archive}: 通过，有待说明：line-1 槽电压采样过疏；"
    assert f"{said}未核对身份：没有 --trust；未重算\n" in told


def test_json(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    assert stackproof.main(["screen", "--json", str(made.archive)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["verified"], told["months"]) == (True, ["smelter-normal 2026-06"])
    (state,) = told["states"]
    question = "pot voltages of line-1 were read seldom"
    unknown = "NOT IDENTIFIED: no --trust; NOT RECOMPUTED"
    assert state["headline"] == f"PASSED, WITH QUESTIONS: {question}; {unknown}"
    first, last = told["answers"][0], told["answers"][-1]
    assert (first["rank"], first["question"], first["stands_out"]) == (1, "constant-values", True)
    assert len(first["plot"]["values"]) == 6 * 96
    assert first["innocent_causes"]
    assert not last["stands_out"]
    assert "plot" not in last


def test_one_month_twice_is_screened_once(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of it would be the same in both."""
    other = tmp_path / "again.tar"
    other.write_bytes(made.archive.read_bytes())
    assert stackproof.main(["screen", "--json", str(made.archive), str(other)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["months"] == ["smelter-normal 2026-06"]
    assert [key for key, _ in told["notes"]] == ["twin"]
    assert stackproof.main(["screen", "--lang", "zh", str(made.archive), str(other)]) == 1
    assert f"{other}：未筛查" in capsys.readouterr().out


def test_what_does_not_verify_is_refused(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(made.archive.read_bytes())
    at = data.index(b"/frames/edge-1/2026-06-03/") + 2048
    data[at] ^= 1
    bad = tmp_path / "bad.tar"
    bad.write_bytes(data)
    assert stackproof.main(["screen", str(bad)]) == 2
    assert "not screened, as it does not verify (failed)" in capsys.readouterr().out
    assert stackproof.main(["screen", "--unverified", str(bad)]) == 1
    assert "NOT VERIFIED" in capsys.readouterr().out
    assert stackproof.main(["screen", str(tmp_path / "none.tar")]) == 2


def test_balances_of_a_file() -> None:
    text = '[[balance]]\nplant = "a"\nname = "gas"\nenters = ["x"]\nleaves = ["y", "z"]\n'
    (found,) = read_balances(text.encode())["a"]
    assert (found.name, found.enters, found.leaves) == ("gas", ("x",), ("y", "z"))
    bad = [text.replace('["x"]', "[]"), text.replace('["x"]', "[1]"), text.replace('"gas"', "2")]
    for wrong in (b"\xff", b"a = 1", b"[[balance]]\nplant = 1", *(one.encode() for one in bad)):
        with pytest.raises(KeyFileError, match="balances"):
            read_balances(wrong)


@dataclass
class Frames:
    """Frames of one gateway without readings, as a verification shows them."""

    config: Mapping[str, Any]
    cfg: bytes = bytes(32)
    made: list[Checked] = field(default_factory=list)

    def frame(self, t0_ns: int, *, events: tuple[Any, ...] = (), gap: Gap | None = None) -> Checked:
        body = Body(t0_ns, Clock("ntp", 1, 0, bytes(16)), events=events, gap=gap)
        return Checked("edge-1", None, body, self.cfg, self.config, 0)  # type: ignore[arg-type] # no header is looked at


def test_what_changed_within_the_month() -> None:
    """A ratio in the configuration, a meter's own setting, and a clock that was set."""
    plant = month_plant(load_any("smelter-normal"), points=50, pots=12, seed=3, interval_s=60)
    before = plant.configuration(bytes(32))
    power = next(p for p in before["points"] if p["id"] == "ac.power")
    power["device"] = "meter-1"
    changed = {**power, "scaling": {"ct_ratio": "640/5"}}
    after = {**before, "points": [changed if p is power else p for p in before["points"]]}
    assert differing(before, after) == (("ac.power",), "ac.power: ct_ratio None → 640/5")
    assert differing(before, {**before, "software": "newer"}) == ((), "")

    def settings(at_ns: int, k_factor: str) -> dict[str, Any]:
        return {"kind": "meter-settings", "at_ns": at_ns, "device": "meter-1",
                "read": {"k_factor": k_factor}, "unread": {}}  # fmt: skip

    reader = MonthReader()
    given = {"input": {"plant": "a", "month": "2026-06"}, "output": {}}
    standing = Standing()
    work = {"event": "calibration", "reason": "due", "from_ns": 2, "to_ns": 4}
    said = Document("a", "zhao", 0, "meter-event", "meter-1", work)
    standing.take(Logged(0, 5, bytes(32), said, None))
    reader.begin(given, (0, 30 * 86_400 * 10**9), standing)
    first, second = Frames(before), Frames(after, b"1" * 32)
    reader.see(first.frame(1, events=(settings(1, "45"),)))
    reader.see(second.frame(2, gap=Gap(1, 2, "clock-step")))
    reader.see(second.frame(3, events=(settings(3, "44"), {"kind": "clock-step", "at_ns": 3})))
    month = reader.month()
    told = [(c.at_ns, c.kind, c.what) for c in month.changes]
    assert told == [
        (2, "configuration", "ac.power: ct_ratio None → 640/5"),
        (3, "settings", "meter-1: k_factor"),
        (4, "calibration", "meter-1"),
    ]
    assert month.changes[2].points == month.changes[1].points == ("ac.power",)
    assert month.clock_steps_ns == (2, 3)
