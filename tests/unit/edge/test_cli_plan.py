"""`stackproof plan`: a template of each sector is right once it is filled in, and the check."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.commands.plan import main
from tests.docs.test_site_statement import KILN, STEELWORKS, site
from tests.unit.edge import sites
from tests.unit.evidence.documents import papers as pp

SITES = {
    "aluminium": sites.SITE,
    "cement": site("cement", "cets-ag-02.01-v01-2024", KILN),
    "steel": site("steel", "cets-ag-03.01-v01-2024", STEELWORKS),
}
FILLED = {
    "day": "2025-12-20", "check": "own-check", "limit_percent": "1", "missing": "estimate",
    "responsible": "wang",
}  # fmt: skip
CERTIFICATE = {
    "scope": "own-check", "issuer": "Works", "number": "1", "day": "2026-01-01",
    "due": "2026-12-31", "fit": True,
}  # fmt: skip

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    sites.write_keys(tmp_path / "keys")

    def ran(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return ran


def filled(text: str) -> str:
    """As a person fills it in."""
    text = re.sub(r'^(\w+) = "\?"', lambda m: f'{m[1]} = "{FILLED.get(m[1], "7")}"', text, flags=8)
    return text.replace('"?"', '"文字"')


@pytest.mark.parametrize("sector", SITES)
def test_a_plan_from_a_site(sector: str, tmp_path: Path, run: Run) -> None:
    path, plan = sites.write_site(tmp_path, SITES[sector]), tmp_path / "PLAN.toml"
    new = ("new", sector, "--site", path, "--year", 2026, "--out", plan)
    assert run(*new)[0] == 0
    assert run(*new)[0] == 2  # nothing is overwritten
    status, _, told = run("check", plan, "--site", path)
    left = [line for line in told.splitlines() if "still to be filled in" in line]
    assert (status, told.splitlines()) == (2, left)
    plan.write_text(filled(plan.read_text()))
    status, out, told = run("check", plan, "--site", path, "--month", "2026-06")
    meters = plan.read_text().count("[[meter]]")
    assert (status, told, out.count("no-certificate")) == (1, "", meters)
    devices = re.findall(r'^\[\[meter\]\]\nid = "([\w-]+)"', plan.read_text(), re.MULTILINE)
    papers = []
    for device in devices:
        papers.append(tmp_path / f"{device}.cose")
        papers[-1].write_bytes(pp.paper("zhao", "meter-certificate", device, CERTIFICATE))
    checked = ("check", plan, "--site", path, "--month", "2026-06", "--certificates", *papers)
    status, out, told = run(*checked)
    assert (status, told) == (0, "")
    assert "0 departures in 2026-06" in out
    status, out, _ = run(*checked[:5], "2027-02", *checked[6:], "--language", "zh")
    assert status == 1
    assert "计划年度为 2026，月份为 2027-02" in out
    assert out.count("并非法定失效") == meters


def test_what_is_no_plan_is_said(tmp_path: Path, run: Run) -> None:
    path, plan = sites.write_site(tmp_path, sites.SITE), tmp_path / "PLAN.toml"
    assert "is of sector aluminium" in run("new", "steel", "--site", path)[2]
    assert "cannot be read" in run("check", plan, "--site", path)[2]
    plan.write_bytes(b"\xff")
    assert "not UTF-8" in run("check", plan, "--site", path)[2]
    run("new", "aluminium", "--site", path, "--year", 2026, "--out", tmp_path / "a.toml")
    plan.write_text(filled((tmp_path / "a.toml").read_text()))
    invoice = tmp_path / "invoice.cose"
    invoice.write_bytes(pp.papers()[-3])
    answer = run("check", plan, "--site", path, "--certificates", invoice)
    assert (answer[0], "no meter-certificate" in answer[2]) == (2, True)
    statement = tmp_path / "statement.json"
    for text in ("[]", "{"):
        statement.write_text(text)
        assert run("check", plan, "--site", path, "--statement", statement)[0] == 2
