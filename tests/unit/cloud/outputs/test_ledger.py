"""Ledgers: sums of the meters, and a stamped scan that is known again, or is not."""

import json
from pathlib import Path
from typing import Any

import pytest
import typst

from cloud.cli import main
from cloud.commands.records import main as record
from cloud.outputs.checked import read_ledgers
from cloud.outputs.errors import OutputError
from cloud.outputs.ledger import Ledger, Sheet, check_scan, parse_code
from cloud.outputs.scan import codes_on
from evidence.keys import generate, write_private
from tests.unit.cloud.outputs.months import needs_font

POINT = "coking-coal.total"


@pytest.fixture(scope="module")
def printed(archives: dict[str, Path], tmp_path_factory: Any) -> Path:
    folder: Path = tmp_path_factory.mktemp("ledgers")
    assert main(["month", "ledger", str(archives["steel"]), "-o", str(folder)]) == 0
    return next(folder.glob(f"*{POINT}*.pdf"))


def test_a_month_s_total_is_the_statement_s_and_hours_make_the_day(
    archives: dict[str, Path],
) -> None:
    month, ledgers = read_ledgers(archives["steel"])
    (ledger,) = (one for one in ledgers if one.point == POINT)
    counted = {row["point"]: row["difference"] for row in month.given["totalisers"]}
    assert ledger.sheets[0].total == counted[POINT]
    day = ledger.sheets[1]
    assert (day.period, len(day.lines)) == (f"{month.month}-01", 24)
    assert day.total == counted[POINT]  # the archive holds this day alone
    assert sum(round(float(line[2]) * 100) for line in day.lines) == round(float(day.total) * 100)


@needs_font
def test_a_scan_is_recognised_and_becomes_a_document(
    printed: Path, archives: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body, signed = tmp_path / "body.toml", tmp_path / "ledger.cose"
    scan = ["month", "ledger-scan", str(printed), "--archive", str(archives["steel"])]
    assert main([*scan, "-o", str(body)]) == 0
    assert "--kind ledger" in capsys.readouterr().out
    write_private(tmp_path / "li.pem", generate())
    about = f"ledger-{POINT}-2026-10"
    order = ["sign", "--key", str(tmp_path / "li.pem"), "--plant", "steelworks-normal", "--person",
             "li", "--kind", "ledger", "--about", about, "-o", str(signed)]  # fmt: skip
    assert record([*order, str(body), str(printed)]) == 0
    capsys.readouterr()
    assert record(["show", str(signed)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["body"]["pages"], told["files"][0][1]) == (2, "application/pdf")
    assert main([*scan[:-1], str(archives["aluminium"]), "-o", str(body)]) == 1


@needs_font
def test_a_picture_of_one_sheet_lacks_the_others(printed: Path, archives: dict[str, Path]) -> None:
    ledgers = read_ledgers(archives["steel"])[1]
    picture = typst.compile(
        b'#set page(width: auto, height: auto)\n#image("/a.pdf", width: 595pt)',
        root=_as(printed, "a.pdf"), format="png", ppi=150,
    )  # fmt: skip
    assert isinstance(picture, bytes)
    ledger, problems = check_scan(codes_on(picture), ledgers)
    assert ledger is not None
    assert problems == ["sheets 2 of 2 are missing"]


def _as(path: Path, name: str) -> str:
    (path.parent / name).write_bytes(path.read_bytes())
    return str(path.parent)


LEDGER = Ledger("mini", "coal.total", "t", "2026-10", 0, 10**9,
                (Sheet("2026-10", (("2026-10-01", "5.0", "1.0"),), "1.0"),
                 Sheet("2026-10-01", (("00:00", "5.0", "1.0"),), "1.0")))  # fmt: skip
ONE, TWO = LEDGER.code(1), LEDGER.code(2)
OTHER = ONE.replace(LEDGER.sha256, "0" * 64)


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        ([[ONE], ["https://example.org", TWO]], ""),
        ([[TWO]], "sheets 1 of 2 are missing"),
        ([[ONE], [], [TWO]], "page 2 of the scan"),
        ([[], []], "no sheet of a ledger"),
        ([[ONE], [OTHER]], "different ledgers"),
        ([[OTHER]], "other contents"),
        ([[ONE.replace("mini", "maxi")]], "other contents"),
    ],
)
def test_what_is_wrong_with_a_scan_is_said(codes: list[list[str]], told: str) -> None:
    problems = check_scan(codes, [LEDGER])[1]
    assert [told in problem for problem in problems] == ([True] if told else [])


@pytest.mark.parametrize(
    "words", ["", "stackproof:ledger:1:x", ONE + "0", ONE.replace("1/2", "0/2")]
)
def test_other_codes_are_not_a_ledger_s(words: str) -> None:
    assert parse_code(words) is None


@pytest.mark.parametrize("scan", [b"hello", b"%PDF-1.7 cut", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"])
def test_what_is_no_scan_is_refused(scan: bytes) -> None:
    with pytest.raises(OutputError):
        codes_on(scan)
