"""The demo as a new user runs it: one command, an archive, and nothing in it that can be bent."""

import io
import json
import random
import shlex
import tarfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evidence.findings import Verdict
from evidence.verifier.run import verify as verified
from simulators.demo_files import PLANTS
from tests.independent.other import compare, verify_there
from tests.system.playing import (
    SAMPLE_NS,
    SECOND_NS,
    SOUND,
    archive_frames,
    effect_mistakes,
    stackproof,
    start,
    statement_of,
    tick_mistakes,
    true_effects,
    true_rise,
    true_taps,
    verify,
)
from tests.system.watching import Seen, secrets, watching
from tests.untar import untar

SECONDS = 20


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Seen]:
    """(output folder, what was printed, what others could see) of a demo of every plant."""
    out = tmp_path_factory.mktemp("demo of all")
    process = start("demo", "--for", str(SECONDS), "--out", str(out), "--port", "0")
    with process, watching(process.pid) as seen:
        printed, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    (out / "said.log").write_text(printed + said)
    return out, printed, seen


@pytest.fixture(scope="module")
def demo(watched: tuple[Path, str, Seen]) -> tuple[Path, Path]:
    """(output folder, the smelter's archive) of it."""
    out, printed, _ = watched
    archives = [Path(line) for line in printed.splitlines()]
    assert [archive.name[:-12] for archive in archives] == [p.id for p in PLANTS.values()]
    assert {archive.parent for archive in archives} == {out}
    return out, archives[0]


def test_what_it_says_to_try_is_found_by_any_shell(demo: tuple[Path, Path]) -> None:
    """Its program is in the path of `./run`, which ends with it; folders may have spaces."""
    out, archive = demo
    said = (out / "said.log").read_text().partition("Try it yourself: ")[2]
    program, *rest = shlex.split(said.partition("\n")[0])
    assert (Path(program).is_absolute(), Path(program).is_file()) == (True, True)
    assert rest == ["verify", str(archive), "--trust", str(out / "trust.pem")]


def test_nothing_listens_beyond_loopback(watched: tuple[Path, str, Seen]) -> None:
    """Simulators, agents, collector and broker, with their defaults."""
    _, _, seen = watched
    programs = " ".join(name for names in seen.bound.values() for name in names)
    assert all(part in programs for part in ("sim run", "cloud run", "nats-server")), programs
    assert seen.beyond_loopback == {}


def test_no_secret_is_in_what_others_see(watched: tuple[Path, str, Seen]) -> None:
    """Arguments and environments, and every file but its own: logs, evidence, archives, support."""
    out, _, seen = watched
    hidden = secrets(out)
    (site,) = out.glob("work-*/smelter/site.toml")
    packed = out / "support.tar.gz"
    assert stackproof("edge", "support", str(site), "--out", str(packed)).returncode == 0
    with tarfile.open(packed) as archive:
        untar(archive, out / "support")
    assert {path.suffix for path in hidden} == {".pem", ".token"}
    files = [path for path in out.rglob("*") if path.is_file() and path not in hidden]
    assert len([path for path in files if path.suffix == ".log"]) >= 3
    told = {"ps": b"\n".join(seen.shown), **{str(path): path.read_bytes() for path in files}}
    found = {
        (str(path), where)
        for path, forms in hidden.items()
        for where, data in told.items()
        if any(form in data for form in forms)
    }
    assert found == set()


@pytest.mark.parametrize("plant", PLANTS)
def test_archive_passes_with_the_demos_trust(demo: tuple[Path, Path], plant: str) -> None:
    out, _ = demo
    (archive,) = out.glob(f"{PLANTS[plant].id}-*.tar")
    status, report = verify(archive, "--trust", str(out / "trust.pem"))
    assert status in SOUND, report
    said = (out / "said.log").read_text()
    assert f"{report['headline']}  {archive}" in said
    assert report["identity"].endswith("is trusted")
    assert report["counts"]["frames"] >= 2
    assert report["counts"]["signatures"] >= report["counts"]["frames"]
    assert {"N-INTERIM", "N-SIMULATED"} <= {f["code"] for f in report["findings"]}
    assert "W-NO-PLANT-SIGNATURE" not in {f["code"] for f in report["findings"]}


#: plant -> its counters: point, where the simulator has the same, how many of its units are one
TRUE = {
    "smelter": {"gas-1.volume": (("gas_volume_nm3",), 1)},
    "kiln": {
        "coal-kiln.total": (("kiln_coal_kg",), 1000),
        "coal-calciner.total": (("calciner_coal_kg",), 1000),
    },
    "steelworks": {
        "coking-coal.total": (("mass_kg", "in", "coking_coal"), 1000),
        "bf-coal.total": (("mass_kg", "in", "coal"), 1000),
    },
}


@pytest.mark.parametrize("plant", TRUE)
def test_a_month_is_the_simulators_truth_within_what_its_counters_can_tell(
    demo: tuple[Path, Path], plant: str
) -> None:
    """Between first and last reading: by two steps of the counter, and a second of its flow.

    Each line's emission is that quantity times the factors it shows, likewise; the total is theirs.
    """
    out, _ = demo
    (archive,) = out.glob(f"{PLANTS[plant].id}-*.tar")
    (truth,) = out.glob(f"work-*/{plant}/truth")
    statement = statement_of(archive)
    read = {row["point"]: row for row in statement["input"]["totalisers"]}
    lines = {
        given["provenance"]["frames"]["point"]: line
        for line in statement["output"]["lines"]
        for name, given in line["parameters"].items()
        if name in {"quantity", "purchased"} and "provenance" in given
    }
    for point, (names, units) in TRUE[plant].items():
        row = read[point]
        from_ns, to_ns = row["first"]["tick_ns"], row["last"]["tick_ns"]
        assert to_ns - from_ns >= 10 * SECOND_NS
        due = true_rise(truth, names, from_ns, to_ns) / units
        step = Decimal(1).scaleb(Decimal(row["difference"]).as_tuple().exponent)  # type: ignore[arg-type] # a finite number's
        slack = 2 * step + due * SAMPLE_NS / (to_ns - from_ns)
        assert abs(Decimal(row["difference"]) - due) <= slack, (point, due)
        line = lines[point]
        amount = due / (10_000 if row["unit"] == "Nm3" else 1)
        moved = slack / (10_000 if row["unit"] == "Nm3" else 1)
        factor = _factor(line)
        assert abs(Decimal(line["emission_t"]) - amount * factor) <= moved * factor + CENT, point


def test_metal_of_a_month_is_what_the_simulator_tapped(demo: tuple[Path, Path]) -> None:
    """Between first and last reading; taps within a second of either may be in it or not."""
    out, archive = demo
    (truth,) = out.glob("work-*/smelter/truth")
    given = statement_of(archive)["input"]
    row = next(r for r in given["totalisers"] if r["point"] == "pot-gateway.metal_tapped")
    first_ns, last_ns = row["first"]["tick_ns"], row["last"]["tick_ns"]
    surely = true_taps(truth, first_ns + SAMPLE_NS, last_ns - SAMPLE_NS)
    at_most = true_taps(truth, first_ns - SAMPLE_NS, last_ns + SAMPLE_NS)
    assert surely <= Decimal(given["pfc"]["metal_t"]) * 1000 <= at_most
    assert at_most > 0


CENT = Decimal("0.01")


def _factor(line: dict[str, Any]) -> Decimal:
    """tCO2 of one unit of a fuel, from what its line shows: NCV × carbon × oxidation × 44/12."""
    shown = {name: Decimal(given["value"]) for name, given in line["parameters"].items()}
    burnt = shown.get("oxidation_percent", Decimal(100)) / 100
    return shown["ncv"] * shown["carbon_content"] * burnt * 44 / 12


@pytest.mark.needs("node")
@pytest.mark.needs("npm")
def test_a_second_verifier_says_the_same(demo: tuple[Path, Path]) -> None:
    """All findings and, as the archive passes with both, all figures (tests/independent)."""
    _, archive = demo
    (answer,) = verify_there([archive])
    found = compare(verified(io.BytesIO(archive.read_bytes())), answer)
    assert found.differences() == []
    assert found.verdicts == ("passed", "passed")


def test_identity_is_open_without_trust_and_fails_with_another_root(
    demo: tuple[Path, Path], tmp_path: Path
) -> None:
    _, archive = demo
    status, report = verify(archive)
    assert status == 3
    assert "NOT IDENTIFIED: no --trust" in report["headline"]
    assert report["identity"].startswith("not checked")
    assert (
        stackproof("keys", "new", "--out", str(tmp_path), "--plant", "demo-smelter").returncode == 0
    )
    status, report = verify(archive, "--trust", str(tmp_path / "root.crt"))
    assert status == 1
    assert "E-TRUST" in {f["code"] for f in report["findings"]}


def test_effects_are_the_simulators(demo: tuple[Path, Path]) -> None:
    out, archive = demo
    assert tick_mistakes(archive) == []
    ticks = [t for _, body in archive_frames(archive) for s in body.sections for t in s.ticks_ns()]
    (truth,) = out.glob("work-*/smelter/truth")
    (line,) = statement_of(archive)["input"]["potlines"]
    true = true_effects(truth)
    assert len(line["effects"]) >= 3
    assert effect_mistakes(line["effects"], true, int(min(ticks)), int(max(ticks))) == []


def test_cf4_is_the_slope_formula_on_the_effects(demo: tuple[Path, Path]) -> None:
    """PFPB-M slope 0.104 (kg CF4/t)/(AE-min/cell-day): CBAM IR (EU) 2025/2547 Annex II Table 2."""
    _, archive = demo
    statement = statement_of(archive)
    (line,) = statement["input"]["potlines"]
    minutes = Decimal(line["polarised_s"]) / 60
    cell_days = Decimal(line["producing_pot_s"]) / 86400
    indicator = statement["output"]["pfc"]["indicator"]
    metal_t = Decimal(statement["input"]["pfc"]["metal_t"])
    aem = Decimal(statement["input"]["pfc"]["indicator"]["aem_min_per_cell_day"])
    assert abs(aem - minutes / cell_days) <= Decimal("1e-12")
    assert Decimal(indicator["cf4_kg"]) == Decimal("0.104") * aem * metal_t
    by_hand = stackproof(
        "calc", "eval", "pfc.slope", f"metal_t={metal_t}", f"aem_min_per_cell_day={aem}",
        "technology=PFPB-M", "edition=ipcc-2019", "gwp=ar5", "--json",
    )  # fmt: skip
    assert json.loads(by_hand.stdout)["cf4_kg"] == indicator["cf4_kg"]


def test_three_pfc_figures_never_added(demo: tuple[Path, Path]) -> None:
    """Figure of record: metal × (0.02 × 6630 + 0.0011 × 11100)/1000 = 0.14481 tCO2e/t Al."""
    _, archive = demo
    output = statement_of(archive)["output"]
    metal_t = Decimal(output["pfc"]["record"]["metal_t"])
    record = (metal_t * Decimal("0.14481")).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
    assert Decimal(output["totals"]["pfc_co2e_t"]) == record
    lines = sum(Decimal(line["emission_t"]) for line in output["lines"])
    assert Decimal(output["totals"]["total_t"]) == lines
    assert len(output["pfc"]["not_covered"]) == 2


def test_flipped_bits_are_found_and_named(demo: tuple[Path, Path]) -> None:
    _, archive = demo
    data = archive.read_bytes()
    chance = random.Random(20261125)
    for _ in range(40):
        bent = bytearray(data)
        at = chance.randrange(len(bent))
        bent[at] ^= 1 << chance.randrange(8)
        report = verified(io.BytesIO(bent), recompute=False)
        assert report.verdict is Verdict.FAILED, f"bit at byte {at} was not found"
        assert any(f.code.startswith("E-") and f.where for f in report.findings)


def test_cut_archive_fails_and_missing_one_cannot_run(
    demo: tuple[Path, Path], tmp_path: Path
) -> None:
    _, archive = demo
    cut = tmp_path / archive.name
    cut.write_bytes(archive.read_bytes()[:-700])
    status, report = verify(cut)
    assert (status, report["findings"][0]["code"]) == (1, "E-CONTAINER")
    assert stackproof("verify", str(tmp_path / "nothing.tar")).returncode == 2
