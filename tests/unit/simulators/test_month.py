"""`stackproof sim month`: an archive that verifies, with the figures that its signals show."""

import io
import json
from contextlib import redirect_stdout
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.pipeline import FRAME_NS_MAX
from evidence.findings import Report, Verdict
from evidence.keys import load_trust
from evidence.recompute import month_bounds
from evidence.verifier.run import verify
from simulators.cli import FRAME_S, main
from simulators.month_config import TIME_ZONE
from simulators.month_plant import Hour
from simulators.month_plants import month_plant
from simulators.month_play import Order, hours, produce
from simulators.month_signals import Signals
from simulators.month_smelter import Mix
from simulators.plants import load_any
from simulators.scenario import load_scenario
from tests.unit.evidence import sealed_month as sm

NAME, MONTH, SEED, POINTS = "smelter-normal", "2026-11", 7, 100
DAY_S, START_V, GAS_ROW = 86_400, 8, 1


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A day of 100 points in frames of a minute: what `--json` says of it."""
    out, said = tmp_path_factory.mktemp("month"), io.StringIO()
    arguments = ["--days", "1", "--points", str(POINTS), "--frame-s", "60", "--seed", str(SEED)]
    with redirect_stdout(said):
        code = main(["month", NAME, "--month", MONTH, "--out", str(out), *arguments, "--json"])
    assert code == 0
    value: dict[str, Any] = json.loads(said.getvalue())
    return value


@pytest.fixture(scope="module")
def made(told: dict[str, Any]) -> Path:
    """Where it is."""
    return Path(told["archive"]).parent


@pytest.fixture(scope="module")
def report(made: Path) -> Report:
    data = (made / f"{NAME}-{MONTH}.tar").read_bytes()
    return verify(io.BytesIO(data), trust=load_trust(made / "trust.pem"))


def order(seed: int = SEED, frame_s: int = 60, name: str = NAME) -> Order:
    """A day; of a kiln a reading a minute."""
    is_smelter = name == NAME
    plant = month_plant(
        load_any(name), points=POINTS if is_smelter else None, pots=None, seed=seed,
        interval_s=1 if is_smelter else 60,
    )  # fmt: skip
    first_ns, _ = month_bounds(TIME_ZONE, MONTH)
    return Order(plant, plant.configuration(bytes(32)), first_ns, 1, frame_s, final=False)


def statement(frame_s: int) -> bytes:
    *_, last = produce(order(frame_s=frame_s))
    assert isinstance(last, bytes)
    return last


@pytest.fixture(scope="module")
def stated() -> bytes:
    """The day's statement."""
    return statement(60)


@pytest.fixture(scope="module")
def given(stated: bytes) -> dict[str, Any]:
    """What it starts from."""
    value: dict[str, Any] = json.loads(stated)["input"]
    return value


@pytest.fixture(scope="module")
def shown() -> list[Hour]:
    """What the meters showed, hour by hour."""
    signals = Signals(load_scenario(NAME), Mix.fit(POINTS, 24), SEED)
    return [signals.hour() for _ in range(24)]


def test_what_was_made_is_told(told: dict[str, Any], made: Path) -> None:
    archive = made / f"{NAME}-{MONTH}.tar"
    assert told == {
        "archive": str(archive), "trust": str(made / "trust.pem"),
        "truth": str(made / f"{NAME}-{MONTH}.truth.jsonl"), "bytes": archive.stat().st_size,
        "month": MONTH, "closing": "interim", "interval_s": 1, "frame_s": 60,
    }  # fmt: skip


def test_frames_are_as_long_as_the_agent_makes_them() -> None:
    assert FRAME_S[0] * 10**9 == FRAME_NS_MAX


def test_only_archive_trust_and_truth_are_left(made: Path) -> None:
    name = f"{NAME}-{MONTH}"
    assert {p.name for p in made.iterdir()} == {f"{name}.tar", f"{name}.truth.jsonl", "trust.pem"}


def test_it_passes_and_says_that_it_is_simulated(report: Report) -> None:
    assert report.verdict is Verdict.PASSED
    codes = {finding.code for finding in report.findings}
    assert codes == {"N-INTERIM", "N-SIMULATED", "W-TYPED", "W-UNCONFIRMED"}
    assert not any("figures" in sentence for sentence in report.not_checked)


def test_every_reading_is_in_it(report: Report) -> None:
    computed = sum(len(g["points"]) for g in order().config["groups"] if g["computed"])
    assert report.counts["frames"] == DAY_S // 60
    assert report.counts["readings"] == (POINTS + computed) * DAY_S


def test_totals_are_last_minus_first_of_the_counters(
    given: dict[str, Any], shown: list[Hour]
) -> None:
    first, last = shown[0].raw[3][GAS_ROW, 0], shown[-1].raw[3][GAS_ROW, -1]
    (gas,) = [row for row in given["totalisers"] if row["point"] == "gas.volume"]
    assert gas["difference"] == str(int(last) - int(first))
    assert int(last) > int(first)


def test_anode_effects_are_the_runs_at_or_above_the_start_voltage(
    given: dict[str, Any], shown: list[Hour]
) -> None:
    volts = np.concatenate([hour.raw[2][:24] for hour in shown], axis=1)
    runs = [
        len(list(run)) for row in volts for high, run in groupby((row >= START_V).tolist()) if high
    ]
    assert min(runs) >= 40  # as played: no crossing is too short, and none is to be merged
    (line,) = given["potlines"]
    assert line["effect_count"] == len(runs) > 0
    assert line["polarised_s"] == str(sum(runs))


def test_silences_are_missing_from_completeness_and_nothing_else_is(
    given: dict[str, Any], shown: list[Hour]
) -> None:
    silent = sum(int((hour.quality[0][3] != 0).sum()) for hour in shown)
    rows = given["completeness"]
    assert rows["temperature-0003"] == {
        "usable": DAY_S - silent, "expected": DAY_S,
        "percent": rows["temperature-0003"]["percent"],
    }  # fmt: skip
    assert rows["line.current"]["usable"] == DAY_S


def test_the_statement_does_not_depend_on_the_length_of_frames(stated: bytes) -> None:
    assert statement(10) == stated


def test_one_seed_gives_one_month() -> None:
    orders = [order(seed) for seed in (SEED, SEED, SEED + 1)]
    one, again, other = (next(hours(o, o.plant.begin(o.first_ns))) for o in orders)
    for mine, same, different in zip(
        *(body.sections[0].groups for body, _ in (one, again, other)), strict=True
    ):
        assert mine.raw.tobytes() == same.raw.tobytes()
        assert mine.quality.tobytes() == same.quality.tobytes()
        if mine.dtype.is_float:
            assert mine.raw.tobytes() != different.raw.tobytes()


def test_the_mix_of_500_points() -> None:
    mix = Mix.fit(500, 24)
    assert (mix.narrow, mix.wide, mix.floats, mix.counters, mix.states) == (275, 125, 50, 25, 25)
    assert Mix.fit(500, 300).points == 500
    assert (Mix.fit(50, 24).points, Mix.fit(50, 24).other_floats) == (50, 18)


def test_a_smelters_truth_is_what_its_meters_saw(made: Path, given: dict[str, Any]) -> None:
    lines = truth_of(made / f"{NAME}-{MONTH}.truth.jsonl")
    effects = [line for line in lines if line["type"] == "effect"]
    assert (lines[0]["type"], lines[0]["started_ns"]) == ("month", order().first_ns)
    (line,) = given["potlines"]
    assert line["effect_count"] == len(effects) == lines[-1]["effects"]
    assert line["polarised_s"] == str(sum(int(effect["duration_s"]) for effect in effects))
    (gas,) = [row for row in given["totalisers"] if row["point"] == "gas.volume"]
    # the counter shows whole Nm3, and the first reading is a second after the start
    assert float(lines[-1]["gas_volume_nm3"]) - int(gas["difference"]) == pytest.approx(0, abs=2)


def truth_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_who_reads_once_a_minute_sees_every_sixtieth_of_the_same_values() -> None:
    mix = Mix.fit(POINTS, 24)
    each, few = (Signals(load_scenario(NAME), mix, SEED, step).hour() for step in (1, 60))
    for mine, theirs in zip(each.raw, few.raw, strict=True):
        assert (mine[:, ::60] == theirs).all()
    assert each.truth == few.truth


def test_a_kilns_month_verifies_and_its_counters_are_the_truths_masses(tmp_path: Path) -> None:
    """A day. Carbon is balanced in every step of a minute as in one of a fifth of a second.

    Another month in the same folder has other keys, and trust.pem has both roots.
    """
    arguments = ["kiln-normal", "--out", str(tmp_path), "--days", "1", "--seed", str(SEED)]
    with redirect_stdout(io.StringIO()):
        assert main(["month", *arguments, "--month", MONTH]) == 0
        assert main(["month", *arguments, "--month", "2026-12", "--frame-s", "900"]) == 0
    second = io.BytesIO((tmp_path / "kiln-normal-2026-12.tar").read_bytes())
    assert verify(second, trust=load_trust(tmp_path / "trust.pem")).verdict is Verdict.PASSED
    archive = tmp_path / f"kiln-normal-{MONTH}.tar"
    report = verify(io.BytesIO(archive.read_bytes()), trust=load_trust(tmp_path / "trust.pem"))
    assert report.verdict is Verdict.PASSED, report.findings
    codes = {finding.code for finding in report.findings}
    assert codes == {"N-INTERIM", "N-SIMULATED", "W-INCOMPLETE", "W-UNCONFIRMED"}
    lines = truth_of(tmp_path / f"kiln-normal-{MONTH}.truth.jsonl")
    output = json.loads(sm.unpack(archive.read_bytes())["data/statement.json"])["output"]
    # what the feeders burnt between the first and the last reading: a minute less than the truth
    burnt_t = [float(lines[-1][f"{name}_coal_kg"]) / 1000 for name in ("kiln", "calciner")]
    assert [float(line["quantity"]) for line in output["lines"]] == pytest.approx(burnt_t, rel=1e-3)
    assert "no-clinker" in output["flags"]
    end, carbon = lines[-1], lines[-1]["carbon_mol"]
    assert (end["t_s"], end["local"]) == (str(DAY_S - 60), "2026-11-01T23:59:00")
    burnt = sum(float(carbon[name]) for name in ("meal", "coal", "alternative"))
    assert burnt == pytest.approx(float(end["stack_mol"]["co2"]), abs=0.01)
    of = order(name="kiln-normal")
    names = [point["id"] for point in of.config["points"]]
    shown = [body for body, _ in hours(of, of.plant.begin(of.first_ns))]
    rows = {name: row for g in of.config["groups"] for row, name in
            enumerate(names[i] for i in g["points"])}  # fmt: skip
    group = next(
        g for g, made in enumerate(of.config["groups"])
        if names.index("coal-kiln.total") in made["points"]
    )  # fmt: skip
    last = shown[-1].sections[0].groups[group].raw[rows["coal-kiln.total"], -1]
    assert int(last) == int(float(end["kiln_coal_kg"]) / 10)  # the feeder counts in 0.01 t


def test_a_steelworks_month_verifies_and_its_balances_close(tmp_path: Path) -> None:
    """A day, by the minute, behind transformers too."""
    arguments = ["steelworks-normal", "--out", str(tmp_path), "--days", "1", "--month", MONTH]
    with redirect_stdout(io.StringIO()):
        assert main(["month", *arguments, "--interval", "60"]) == 0
    archive = tmp_path / f"steelworks-normal-{MONTH}.tar"
    report = verify(io.BytesIO(archive.read_bytes()), trust=load_trust(tmp_path / "trust.pem"))
    assert report.verdict is Verdict.PASSED, report.findings
    end = truth_of(tmp_path / f"steelworks-normal-{MONTH}.truth.jsonl")[-1]
    output = json.loads(sm.unpack(archive.read_bytes())["data/statement.json"])["output"]
    came, went = ({name: float(kg) / 1000 for name, kg in end["mass_kg"][side].items()}
                  for side in ("in", "out"))  # fmt: skip
    counted: dict[str, float] = {}
    for line in output["lines"]:
        counted[line["kind"]] = counted.get(line["kind"], 0) + float(line["quantity"])
    # by the scenario both shops charge as the month begins, before the counters' first reading
    first_charges_t = 24 + 101
    assert counted == pytest.approx(
        {"washed-coal": came["coking_coal"], "bituminous": came["coal"],
         "scrap": came["scrap"] - first_charges_t, "crude-steel": went["steel"]}, rel=1e-3
    )  # fmt: skip
    assert set(output["units"]) == {"converter", "arc-furnace"}
    for what in ("mass_kg", "carbon_mol", "energy_mj"):
        came, went, held = (
            sum(map(Decimal, end[what][side].values())) for side in ("in", "out", "held")
        )
        assert came == went + held
    assert end["heats"]["converter"] > 40


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([NAME, "--days", "31"], "2026-11 has 30 days, not 31"),
        (
            [NAME, "--interval", "60", "--frame-s", "10"],
            "a frame of 10 s holds no whole readings of 60 s",
        ),
        (
            ["kiln-normal", "--points", "60"],
            "kiln-normal has the points of its devices, and no pots",
        ),
        ([NAME, "--pots", "500"], "500 pots do not fit into 500 points: give more points"),
    ],
)
def test_what_cannot_be_made_is_said(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["month", *arguments, "--month", MONTH, "--out", str(tmp_path / "out")])
    assert (code, capsys.readouterr().err.strip()) == (2, sentence)


def test_a_month_is_written_like_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["month", NAME, "--month", "2026-13", "--out", str(tmp_path)])
    assert caught.value.code == 2
    assert "'2026-13' is no month like 2026-10" in capsys.readouterr().err
