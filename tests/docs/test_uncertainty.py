"""docs/uncertainty.md: its file is computed as it stands there, by arithmetic of another kind."""

import re
import tomllib
from decimal import Decimal
from math import sqrt
from pathlib import Path

import pytest

from edge.calc.cli import main
from edge.calc.statements.accuracy import read_accuracy

TEXT = (Path(__file__).resolve().parents[2] / "docs/uncertainty.md").read_text(encoding="utf-8")
MONTH, ACCURACY = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


def test_the_file_and_what_a_person_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coal, steel = 34000 * 25 * 0.0275 * 44 / 12, 90000 * 0.037
    scale = 0.005 / sqrt(3) * (coal - steel)
    u = sqrt(scale**2 + (coal * (0.006 + 0.008)) ** 2 + (coal * 0.001) ** 2)
    path = tmp_path / "month.toml"
    path.write_text(MONTH, encoding="utf-8")
    assert main(["statement", str(path)]) == 0
    said = capsys.readouterr().out.partition("total_t")[2].split()
    assert said[0] == f"{coal - steel:.2f}"
    assert 0 <= Decimal(said[2].strip("±")) - Decimal(2 * u) < Decimal("0.01")
    assert 0 <= Decimal(said[4].strip("±")) - Decimal(200 * u / (coal - steel)) < Decimal("0.01")
    assert "assessed 100.00 %, in part 0.00 %, not 0.00 %" in " ".join(said)


def test_the_file_of_meters_and_factors_is_one() -> None:
    meters, factors = read_accuracy(tomllib.loads(ACCURACY))
    assert (list(meters), list(factors)) == (["coal-kiln.total"], ["fuel.bituminous.ncv"])


def test_every_key_of_its_table_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = {key for entry in tomllib.loads(MONTH)["fuel"][0]["uncertainty"] for key in entry}
    table = "\n".join(line for line in TEXT.splitlines() if line.startswith("| `"))
    assert all(f"`{key}`" in table for key in keys)
    path = tmp_path / "month.toml"
    path.write_text(MONTH.replace('parameter = "ncv"', 'parameter = "heat"'), encoding="utf-8")
    assert main(["statement", str(path)]) == 2
    assert "the line has no 'heat'; it has: quantity ncv" in capsys.readouterr().err
