"""A decision about an archive of another collector, made and held against it offline; draws."""

import re
import tomllib
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from cloud import cli
from cloud.commands import beside
from cloud.commands import records as cli_records
from cloud.review.across import Figures
from evidence.key_files import write_new
from evidence.keys import write_private
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

SIGN = ["sign", "--plant", "test-smelter", "--kind", "review-decision", "--about", "2026-06",
        "body.toml"]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    persons = [*pp.persons(), *pp.reviewers(pp.persons()[-1])]
    papers = [*persons, *pp.papers()[len(pp.persons()) :]]
    (tmp_path / "month.tar").write_bytes(pp.archive(papers))
    for name in ("qin", "stranger"):
        write_private(tmp_path / f"{name}.pem", pp.key_of(name)._key)
    return tmp_path


def run(*words: str) -> int:
    return cli_records.main(list(words))


def test_an_archive_from_elsewhere_is_decided_about_offline(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("draft", "month.tar", "--level", "province") == 0
    body = capsys.readouterr().out
    scan, archive = sm.sha256(pp.SCAN).hex(), sm.sha256((folder / "month.tar").read_bytes()).hex()
    items = re.findall(r'^item = "(.*)"$', body, re.MULTILINE)
    assert (items[0], f"file/{scan}" in items) == (f"archive/{archive}", True)
    assert all(not item.startswith("document/") or len(item) == 73 for item in items)
    opened = f'[[not_opened]]\nitem = "{items[0]}"'
    looked = f'[[opened]]\nitem = "{items[0]}"\nfirst_ns = 2026-07-02T09:00:00+08:00'
    body = body.replace('decision = ""', 'decision = "approve"').replace(
        'reason = ""', 'reason = "ok"'
    )
    (folder / "body.toml").write_text(body.replace(opened, looked))
    assert run(*SIGN, "--person", "qin", "--key", "qin.pem", "-o", "d.cose") == 0
    assert run("check", "d.cose", "--archive", "month.tar") == 0
    assert "signed by qin (reviewer)" in capsys.readouterr().out

    # of another archive; by a key that is not in the list; by one that is given
    (folder / "other.tar").write_bytes(pp.archive(pp.reviews()))
    assert run("check", "d.cose", "--archive", "other.tar") == 2
    assert "another archive" in capsys.readouterr().err
    assert run(*SIGN, "--person", "qin", "--key", "stranger.pem", "-o", "s.cose") == 0
    assert run("check", "s.cose", "--archive", "month.tar") == 2
    assert "no such key" in capsys.readouterr().err
    assert run("check", "s.cose", "--archive", "month.tar", "--key", "stranger.pem") == 0
    assert "whose it is was not checked" in capsys.readouterr().out
    assert run("check", "d.cose", "--archive", "nowhere.tar") == 2
    assert run("check", "d.cose", "qin.pem", "--archive", "month.tar") == 2
    assert "it names 0 files" in capsys.readouterr().err


def test_a_level_that_is_not_ones_own_does_not_fit(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_new(folder / "d.cose", pp.paper("qin", "review-decision", "2026-06",
                                          pp.DECISION | {"level": "nation"}))  # fmt: skip
    assert run("check", "d.cose", "--archive", "month.tar") == 2
    assert "not for the nation" in capsys.readouterr().err


def test_a_draw_by_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The hash is that of `printf '%s' 7-12-31/kiln-a/2026-09 | sha256sum`."""
    words = ["draw", "--seed", "7-12-31", "--count", "1", "kiln-b/2026-09", "kiln-a/2026-09"]
    assert cli.main(words) == 0
    told = "0b3dc30a64b8d4a4b9f9366870f83a9adbd9a2945040e3ed11e0e55921ebb2d3  kiln-a/2026-09\n"
    assert capsys.readouterr().out == told
    assert cli.main([*words[:3], "--count", "0", "a/2026-09"]) == 2


#: 05:00 UTC is second 20; the register holds 900,000 + 20 n kWh at second n, 30 and 40 of it are in
#: that minute and 10 just before: nearest to its middle 900800, lowest 900200, steps of 1 and 1
FACES = [("900802", "agrees", "2"), ("900803", "differs", "2"), ("900198", "agrees", "602")]


@pytest.mark.parametrize(("face", "result", "allowed"), FACES)
def test_a_meter_is_visited_with_an_archive_alone(
    folder: Path, capsys: pytest.CaptureFixture[str], face: str, result: str, allowed: str
) -> None:
    look = ["face", "month.tar", "--point", "ac.energy", "--at", "2026-06-15T13:00:30+08:00"]
    assert run(*look, "--face", face) == 0
    row = capsys.readouterr().out
    told = tomllib.loads(row)["meters"][0]
    assert (told["result"], told["reading"], told["allowed"]) == (result, "900800", allowed)
    period = "from_ns = 2026-07-02T09:00:00+08:00\nto_ns = 2026-07-02T11:00:00+08:00\n"
    sign = [*SIGN, "--person", "qin", "--key", "qin.pem", "-o"]
    sign[sign.index("review-decision")] = "site-visit"
    (folder / "body.toml").write_text(period + row)
    assert run(*sign, "v.cose") == 0
    assert run("check", "v.cose", "--archive", "month.tar") == 0
    (folder / "body.toml").write_text(period + row.replace("900800", "900801"))
    if face == FACES[0][0]:  # what it says agrees with itself, and not with the archive
        assert run(*sign, "other.cose") == 0
        assert run("check", "other.cose", "--archive", "month.tar") == 2
        assert "the log gives reading 900800" in capsys.readouterr().err


def test_a_sheet_of_an_archive(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines 0.26 (gas), 7.83 and 0.80 (metal) of 8.89 t; of 50 s ten are a gap, one is bad."""
    assert run("visit", "month.tar", "--lang", "zh") == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("edge-1/")]
    odd = "的读数缺失、无值或存疑"
    assert told[:2] == [
        f"edge-1/line.metal: 占排放量 97.1 %; 20.0 % {odd}",
        f"edge-1/gas.volume: 占排放量 2.9 %; 20.0 % {odd}",
    ]
    assert told[-1] == f"edge-1/pot-02.voltage: 22.0 % {odd}"
    for wrong in (["--face", "1e3"], ["--point", "none"], ["--gateway", "edge-9"], ["--at", "now"]):
        words = ["--point", "ac.energy", "--face", "1", "--at", "2026-06-15T13:00:30+08:00"]
        assert run("face", "month.tar", *words, *wrong) == 2


def test_archives_side_by_side(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One archive as that of seven plants, the last with another intensity."""
    assert cli.main(["beside", "month.tar", "month.tar"]) == 2
    assert "another archive of test-smelter" in capsys.readouterr().err
    month, plants = beside._read(Path("month.tar")), [f"{name}.tar" for name in "abcdefg"]

    def read(path: Path) -> beside._Month:
        values = {"intensity": Decimal(2 if path.stem == "g" else 1)}
        return replace(month, figures=Figures(path.stem, "cets-ag-04.01-v01-2024", values))

    monkeypatch.setattr(beside, "_read", read)
    assert cli.main(["beside", *plants, "--lang", "zh"]) == 0
    told = capsys.readouterr().out
    assert "  ! g: 排放强度，t/t = 2; 中位数 1, MAD 0, 修正 Z 值 多数厂区数值相同\n" in told
    assert "  a: 排放强度，t/t = 1; 中位数 1, MAD 0, 修正 Z 值 –\n" in told
    assert f"{sm.sha256(pp.SCAN).hex()} · a, b, c, d, e, f, g\n" in told
    assert "Li, Test smelter · a," in told
    assert "qin" not in told.lower()  # a reviewer signs at many
