"""`stackproof cloud month uncertainty` over a real archive: figures as sealed, nothing moved."""

import json
from pathlib import Path
from typing import Any

import pytest

from cloud.cli import main
from tests.unit.cloud.month_examples import ARCHIVE, Desk, months
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import MONTH


@pytest.fixture
async def archive(desk: Desk, folder: Path) -> Path:
    await months(desk.deliver(), folder).close(sm.PLANT, MONTH, closing="interim")
    return folder / ARCHIVE


def asked(archive: Path, folder: Path, said: str, *more: str) -> int:
    (folder / "sure.toml").write_text(said)
    return main(
        ["month", "uncertainty", str(archive), "--accuracy", str(folder / "sure.toml"), *more]
    )


def test_lines_and_totals_with_what_a_file_says(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sealed = json.loads(sm.unpack(archive.read_bytes())["data/statement.json"])
    line = next(row for row in sealed["output"]["lines"] if row["category"] == "pfc")
    point = line["parameters"]["metal_t"]["provenance"]["frames"]["point"]
    said = f'[[meter]]\npoint = "{point}"\npercent = "1"\nmeans = "standard"\ncommon = "scale"\n'
    assert asked(archive, tmp_path, said, "--json") == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert told["totals"] == sealed["output"]["totals"]
    sure = {row["category"]: row["uncertainty"].get("u_percent") for row in told["lines"]}
    assert (sure["anode"], sure["pfc"], sure.get("fuel")) == ("1.00", "1.00", None)
    # one scale: both lines err together, by 1 % of their sum
    total = told["uncertainty"]["totals"]["total_t"]
    assert (total["u_percent"], total["random_t"]) == ("1.00", "0.00")
    assert asked(archive, tmp_path, said) == 0
    printed = capsys.readouterr().out
    assert "common by scale" in printed
    assert "not assessed: quantity ncv" in printed


def test_a_wrong_file_or_archive_is_a_sentence(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for said, where in (("[[meter", archive), ("[x]\n", archive), ("", tmp_path / "none.tar")):
        assert asked(where, tmp_path, said) == 2
    told = capsys.readouterr().err
    for words in ("is not TOML", "x: unknown key", "no archive that can be read"):
        assert words in told
