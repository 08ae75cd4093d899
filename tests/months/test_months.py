"""No bare PASSED for a month that lacks anything; a plain one for a month that lacks nothing.

By the command that a reviewer types, in both languages, and by the verifier in Node.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from evidence import cli
from evidence.keys import certificate_to_pem
from tests.independent.other import agreed
from tests.months.drafts import SECTORS, honest
from tests.months.spoilt import SPOILT, Spoilt
from tests.unit.evidence import sealed_month as sm

PLAIN = {"en": "PASSED", "zh": "通过"}
#: of the line that tells the total: what stands before it, and what follows when nothing is missing
TOTAL = {"en": re.compile(r"total emission (-?[0-9.]+) tCO2e(.*)"),
         "zh": re.compile(r"排放总量 (-?[0-9.]+) tCO2e(.*)")}  # fmt: skip


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trust") / "root.pem"
    path.write_bytes(certificate_to_pem(sm.keys().certificates["root"]))
    return path


@pytest.fixture(scope="module")
def honest_seeds(request: pytest.FixtureRequest) -> range:
    """A hundred with --long, else a part of them."""
    return range(100 if request.config.getoption("--long") else 30)


def told(
    archive: Path, trust: Path, capsys: pytest.CaptureFixture[str], *options: str
) -> tuple[int, list[str]]:
    """Exit status and lines of `stackproof verify`."""
    status = cli.main(["verify", str(archive), "--trust", str(trust), *options])
    return status, capsys.readouterr().out.splitlines()


def beside(lines: Sequence[str], language: str) -> str:
    """What stands behind the total."""
    (found,) = filter(None, map(TOTAL[language].search, lines))
    return found[2]


def test_the_corpus_is_of_every_sector_and_every_name_is_one() -> None:
    assert len(SPOILT) >= 40
    assert {one.sector for one in SPOILT} == set(SECTORS)
    assert len({one.name for one in SPOILT}) == len(SPOILT)


@pytest.mark.parametrize("one", SPOILT, ids=lambda one: one.name)
def test_a_month_that_lacks_something_says_so_beside_its_total(
    one: Spoilt, trust: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "month.tar"
    archive.write_bytes(one.archive())
    status, lines = told(archive, trust, capsys)
    assert status == 3
    assert lines[0].startswith("PASSED, ")
    assert one.words in lines[0]
    assert one.words in beside(lines, "en")
    status, lines = told(archive, trust, capsys, "--lang", "zh")
    assert (status, lines[0][:3]) == (3, "通过，")
    assert beside(lines, "zh").startswith("——")
    assert told(archive, trust, capsys, "--json")[0] == 3


def test_complete_months_pass_plainly_in_both_languages(
    honest_seeds: range, trust: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of all sectors, with lost answers, restarts, and ends of months among them."""
    archive = tmp_path / "month.tar"
    for seed in honest_seeds:
        archive.write_bytes(honest(seed).archive())
        for language, word in PLAIN.items():
            status, lines = told(archive, trust, capsys, "--lang", language)
            assert (status, lines[0]) == (0, f"{word}  {archive}"), (seed, lines[:30])
            assert beside(lines, language) == "", seed


def test_a_complete_month_is_not_plain_for_who_did_not_look_at_all_of_it(
    trust: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "month.tar"
    archive.write_bytes(honest(0).archive())
    assert cli.main(["verify", str(archive)]) == 3
    first = capsys.readouterr().out.splitlines()[0]
    assert first == f"PASSED, NOT IDENTIFIED: no --trust  {archive}"
    status, lines = told(archive, trust, capsys, "--no-recompute")
    assert (status, lines[0]) == (3, f"PASSED, NOT RECOMPUTED  {archive}")
    status, lines = told(archive, trust, capsys, "--json", "--lang", "zh")
    report = json.loads("\n".join(lines))
    assert (status, report["headline"], report["state"]["complete"]) == (0, "通过", True)


@pytest.mark.needs("node")
@pytest.mark.needs("npm")
def test_the_other_verifier_finds_the_same(honest_seeds: range, tmp_path: Path) -> None:
    months = [one.archive() for one in SPOILT] + [honest(seed).archive() for seed in honest_seeds]
    found = agreed(months, tmp_path)
    assert {one.verdicts for one in found} == {("passed", "passed")}
    for one, spoilt in zip(found, SPOILT, strict=False):
        assert spoilt.code in {code for code, _ in one.theirs}, spoilt.name
