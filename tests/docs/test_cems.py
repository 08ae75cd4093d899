"""docs/cems.md: its tables are read as they stand there."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from edge.calc.cli import main

TEXT = (Path(__file__).resolve().parents[2] / "docs/cems.md").read_text(encoding="utf-8")
HOURS, CALIBRATIONS = re.findall(r"```csv\n(.*?)```", TEXT, re.DOTALL)
DECLARED = ["--stacks", "1", "--gas-of", "process", "--basis", "dry", "--flow-basis", "wet"]


def test_hours_and_calibrations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("hours.csv", HOURS), ("tests.csv", CALIBRATIONS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    more = ["--rule-set", "us-part-75", "--maximum-potential", "25", "--share-percent", "79"]
    files = [str(tmp_path / "hours.csv"), "--calibrations", str(tmp_path / "tests.csv")]
    assert main(["cems", *files, *more, *DECLARED, "--interim", "--json"]) == 0
    hours = json.loads(capsys.readouterr().out)["hours"]
    assert [hour["code"] for hour in hours] == ["measured", "modc-12"]
    # 311250 × 0.9088 × 273.15 ÷ 391.35 × 99860 ÷ 101325 × 0.1984 × 44.009 ÷ 22.413969545 ÷ 1000
    mass = Decimal("0.9088") * 311250 * Decimal("273.15") / Decimal("391.35") * 99860 / 101325
    mass *= Decimal("0.1984") * Decimal("44.009") / Decimal("22.413969545") / 1000
    assert abs(Decimal(hours[0]["emission_t"]) - mass) <= Decimal("0.00005")
