"""A simulated year of each plant, a reading a minute: twelve archives verified, one statement."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from decimal import Decimal
from pathlib import Path

import pytest

from cloud.cli import main
from cloud.closing.kept import read_kept
from evidence.findings import Verdict
from evidence.keys import load_trust
from evidence.verifier.run import verify
from simulators.cli import main as simulate
from tests.unit.cloud.outputs.naive_sum import naive_total

SMELTER = ("--points", "50", "--pots", "4")


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    ("scenario", "more"),
    [("smelter-normal", SMELTER), ("kiln-normal", ()), ("steelworks-normal", ())],
)
def test_a_year_is_the_sum_of_its_months_and_of_a_pocket_calculator(
    scenario: str, more: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archives, printed, naive = [], Decimal(0), Decimal(0)
    for number in range(1, 13):
        month = f"2025-{number:02}"
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            assert simulate(["month", scenario, "--month", month, "--out", str(tmp_path),
                             "--interval", "60", "--frame-s", "900", "--seed", str(number), *more]
                            ) == 0  # fmt: skip
        archives.append(str(tmp_path / f"{scenario}-{month}.tar"))
        with Path(archives[-1]).open("rb") as file:
            report = verify(file, trust=load_trust(tmp_path / "trust.pem"))
        assert report.verdict is Verdict.PASSED, report.findings
        kept = read_kept(Path(archives[-1]))
        assert kept is not None
        printed += Decimal(kept.statement["output"]["totals"]["total_t"])
        naive += naive_total(kept.statement)
    assert main(["year", "statement", *archives, "--json"]) == 0
    year = json.loads(capsys.readouterr().out)
    assert Decimal(year["totals"]["total_t"]) == printed == naive
    assert (year["months_lacking"], year["is_whole"]) == ([], True)
    assert sum(Decimal(line["emission_t"]) * _sign(line) for line in year["lines"]) == printed
    packed = tmp_path / "package.tar"
    assert main(["year", "package", *archives, "-o", str(packed)]) == 0
    assert packed.stat().st_size > 10_000


def _sign(line: dict[str, str]) -> int:
    return -1 if line["category"] in ("product", "substitute") else 1
