"""A year's commands, page, package and upload folder, from sealed archives."""

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]  # it has no types
import pytest

from cloud.app import create_app
from cloud.cli import main
from cloud.closing.kept import read_kept
from cloud.month.figured import figures_row
from cloud.outputs.errors import OutputError
from cloud.outputs.maker import PaperMaker
from cloud.year.platform import UploadFile, UploadFolder
from cloud.year.sealed_year import year_of
from cloud.year.tables import embedded_rows, inventory_rows, statement_rows
from edge.calc.statements.embedded import embedded
from edge.calc.statements.inventory import inventory
from evidence.archive.bag import TAG_MANIFEST, check_seal
from evidence.keys import generate, write_private
from tests.unit.cloud.app_examples import TOKEN, Months, make_app, make_client, make_services
from tests.unit.cloud.live_examples import PLANT, ManualClock
from tests.unit.cloud.outputs.months import MONTH, evidence_input, month_of
from tests.unit.cloud.outputs.naive_sum import naive_total

SECTORS = ("aluminium", "cement", "steel")
PAGE, API = f"/en/plants/{PLANT}/year", f"/api/v1/plants/{PLANT}/year"


class Kept(Months):
    """Months whose archives stand there, and which the log closed."""

    def __init__(self, archive: Path, *, is_closed: bool = True) -> None:
        super().__init__()
        kept = read_kept(archive)
        assert kept is not None
        self._row = {"plant": PLANT, "month": MONTH, "archive": str(archive), "replaced": False}
        self._figures = figures_row(archive, kept.sha256) if is_closed else None

    def archives(self, plant: str) -> Sequence[Mapping[str, Any]]:
        return [self._row]

    def month(self, plant: str, month: str) -> Mapping[str, Any] | None:
        return {"figures": self._figures} if month == MONTH else None


class Live:
    """What the live page counts: nothing, or what is given."""

    def __init__(self, **year: Any) -> None:
        self._year = year

    def of(self, plant: str) -> Mapping[str, Any]:
        if not self._year:
            return {"plant": plant, "reason": "counting"}
        return {"plant": plant, "month": MONTH, "projection": {"year": self._year}}


def told(capsys: pytest.CaptureFixture[str], *command: object) -> tuple[int, str]:
    code = main(["year", *map(str, command)])
    return code, capsys.readouterr().out


def year_of_inputs(*months: str, **more: Any) -> Any:
    read = [(Path(f"{m}.tar"), month_of(evidence_input(m), statement_sha256=m)) for m in months]
    return year_of([*read, *more.get("beside", [])])


@pytest.mark.parametrize("sector", SECTORS)
def test_every_command_tells_of_a_sealed_month(
    sector: str, archives: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = archives[sector]
    found = {}
    for name in ("statement", "footprint", "inventory", "cbam"):
        code, out = told(capsys, name, archive, "--json", "-o", tmp_path / f"{name}.xlsx")
        found[name] = json.loads(out.partition("\n")[2])  # the first line is the workbook's name
        assert code == 0
        sheet = openpyxl.load_workbook(tmp_path / f"{name}.xlsx").worksheets[0]
        assert "SIMULATED" in str(sheet["A1"].value)
        code, out = told(capsys, name, archive)
        assert (code, "SIMULATED" in out) == (0, True)
    total = found["statement"]["totals"]["total_t"]
    kept = read_kept(archive)
    assert kept is not None
    assert total == kept.statement["output"]["totals"]["total_t"]
    assert found["footprint"]["total_t"] == total
    assert naive_total(kept.statement) == Decimal(total)
    units = [Decimal(unit["emission_t"]) for unit in found["footprint"]["units"]]
    assert sum(units) == Decimal(total)
    assert len(found["statement"]["months_lacking"]) == 11
    assert found["inventory"]["sealed_total_t"] == total
    assert found["cbam"]["direct"]["state"] in ("told", "partial", "no-output")


def test_a_position_is_projected_by_days_and_changed_by_what_if(
    archives: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    archive = archives["aluminium"]
    code, out = told(capsys, "position", archive, "--benchmark", "2", "--price", "60", "--json",
                     "--what-if", "output=+5%", "price=80")  # fmt: skip
    found = json.loads(out)
    assert (code, found["projection"]["method"], found["currency"]) == (0, "by-days", "CNY")
    one = Decimal(found["what_if"]["balance_t"]) / Decimal(found["balance_t"])
    assert abs(one - Decimal("1.05")) < Decimal("0.0001")
    assert told(capsys, "position", archive, "--benchmark", "2", "--what-if", "output")[0] == 2
    assert told(capsys, "position", archive)[0] == 2  # of 2026 no source says anything


def test_difference_rates_above_their_threshold_are_an_exit_status(
    archives: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reported = tmp_path / "reported.toml"
    reported.write_text('threshold_percent = "0.5"\n[annual]\ntotal_t = "1"\n')
    code, out = told(capsys, "statement", archives["steel"], "--reported", reported)
    assert (code, "ABOVE the threshold (0.5 %)" in out) == (1, True)
    reported.write_text("threshold_percent = 0.5\n")
    assert told(capsys, "statement", archives["steel"], "--reported", reported)[0] == 2


def test_a_package_is_the_same_bytes_and_says_how_to_check_it(
    archives: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, key = archives["steel"], generate()
    write_private(tmp_path / "key.pem", key)
    made = []
    for name in ("one.tar", "two.tar"):
        trust = archive.parent / "trust.pem"
        code, out = told(capsys, "package", archive, "-o", tmp_path / name, "--with-archives",
                         "--trust", trust, "--key", tmp_path / "key.pem")  # fmt: skip
        assert code == 0
        made.append((tmp_path / name).read_bytes())
        assert out.split()[0] == hashlib.sha256(made[-1]).hexdigest()
    assert made[0] == made[1]
    with tarfile.open(fileobj=io.BytesIO(made[0])) as tar:
        files = {m.name.partition("/")[2]: tar.extractfile(m) for m in tar if m.isfile()}
        data = {name: file.read() for name, file in files.items() if file is not None}
    assert hashlib.sha256(data[f"data/archives/{archive.name}"]).hexdigest() in data[
        "data/archives.sha256"
    ].decode()  # fmt: skip
    for line in data["manifest-sha256.txt"].decode().splitlines():
        digest, path = line.split("  ")
        assert hashlib.sha256(data[path]).hexdigest() == digest
    for language in ("en", "zh"):
        readme = data[f"data/README.{language}.md"].decode()
        assert f"stackproof verify {archive.name} --trust trust.pem" in readme
        assert "{" not in readme
    check_seal(data["seal/seal.cose"], hashlib.sha256(data[TAG_MANIFEST]).digest(),
               key.public_key())  # fmt: skip


def test_a_paper_goes_over_no_other_where_the_folder_was_not_made(
    archives: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As when the recipe is followed without its folder: each took the place of the one before."""
    desk, year = tmp_path / "desk", archives["steel"]
    assert told(capsys, "statement", year, "-o", desk)[0] == 0
    first = desk.read_bytes()
    assert told(capsys, "footprint", year, "-o", desk)[0] == 2
    assert told(capsys, "package", year, "-o", desk)[0] == 2
    assert desk.read_bytes() == first
    desk.unlink()
    desk.mkdir()
    for command in ("statement", "footprint", "statement", "package"):
        assert told(capsys, command, year, "-o", desk)[0] == 0
    assert sorted(path.suffix for path in desk.iterdir()) == [".tar", ".xlsx", ".xlsx"]


def test_an_upload_folder_is_laid_out_by_month_and_never_overwritten(
    archives: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "upload"
    code, text = told(capsys, "export", archives["steel"], "-o", out, "--no-report")
    assert (code, len(text.splitlines())) == (0, 2)
    names = sorted(path.name for path in (out / MONTH).iterdir())
    assert names[1] == "材料清单.xlsx"
    assert names[0].endswith("月度存证.xlsx")
    assert told(capsys, "export", archives["steel"], "-o", out, "--no-report")[0] == 2


def test_a_platform_is_handed_files_one_by_one(tmp_path: Path) -> None:
    attached = UploadFile("附件/03-发票/inv-1-abcdef01-a.pdf", b"%PDF-")
    (written,) = UploadFolder(tmp_path).deliver("2026-10", iter([attached]))
    assert Path(written).read_bytes() == b"%PDF-"
    with pytest.raises(OutputError, match="nothing is overwritten"):
        UploadFolder(tmp_path).deliver("2026-10", iter([attached]))

    def broken() -> Iterator[UploadFile]:
        yield attached
        raise OutputError("the archive goes no further")

    with pytest.raises(OutputError, match="no further"):
        UploadFolder(tmp_path).deliver("2026-11", broken())
    assert [path.name for path in tmp_path.iterdir()] == ["2026-10"]  # no half of November


def test_of_an_amended_month_the_newest_counts() -> None:
    amended = month_of(evidence_input("2026-02"), statement_sha256="new", replaces="2026-02")
    year = year_of_inputs("2026-01", "2026-02", beside=[(Path("new.tar"), amended)])
    assert [m.statement_sha256 for m in year.months] == ["2026-01", "new"]
    assert year.as_map()["archives"][1]["replaces"] == "2026-02"
    other = month_of(evidence_input("2026-02"), statement_sha256="other")
    with pytest.raises(OutputError, match="neither replaces the other"):
        year_of_inputs("2026-02", beside=[(Path("b.tar"), other)])
    strange = month_of(evidence_input("2026-03"), plant={"id": "b", "name": "", "sector": "steel"})
    with pytest.raises(OutputError, match="different plants"):
        year_of_inputs("2026-01", beside=[(Path("b.tar"), strange)])


def test_a_published_month_twelve_times_is_its_twelvefold() -> None:
    year = year_of_inputs(*(f"2026-{n:02}" for n in range(1, 13)))
    assert year.statement["totals"]["total_t"] == str(12 * Decimal("1214057.49"))
    assert (year.statement["is_whole"], year.statement["intensity"]) == (True, "2.0395")
    rows = [" ".join(cell.text for cell in row) for row in statement_rows(year)]
    assert any("14568689.88" in row for row in rows)
    (gas,) = [row for row in rows if "coke-oven-gas 11046 " in row]  # 12 × 920.5
    assert gas.endswith("11046 10^4 Nm3 85201.32")
    for made in (
        inventory_rows(year, inventory(year.statement, year.outputs, "ar5")),
        embedded_rows(year, embedded(year.pairs)),
    ):
        assert any("14568689.88" in cell.text for row in made for cell in row)


def test_the_page_tells_the_year_in_both_languages_and_what_if(archives: dict[str, Path]) -> None:
    client = make_client(make_app(months=Kept(archives["aluminium"]), accumulated=Live()))
    data = client.get(API, params={"year": "2026"}).json()
    total = data["totals"]["total_t"]
    for language, words in (("en", "Allowance position"), ("zh", "配额盈缺")):
        asked = {"year": "2026", "benchmark": "2", "price": "60", "output": "+5%"}
        page = client.get(f"/{language}/plants/{PLANT}/year", params=asked)
        assert page.status_code == 200, page.text
        assert all(text in page.text for text in (total, words, "line.metal"))
    wrong = client.get(PAGE, params={"year": "2026", "benchmark": "two"}).text
    assert 'aria-invalid="true"' in wrong
    asked = {"year": "2026", "benchmark": "-2", "output": "5%", "currency": "yuan"}
    wrong = client.get(f"/zh/plants/{PLANT}/year", params=asked).text
    assert "：或基准值（tCO2e/t）; 币种; 产量，如 +5%" in wrong  # none of it a page of JSON
    paper = client.get(f"{API}/footprint.xlsx", params={"year": "2026"})
    assert (paper.status_code, paper.content[:2]) == (200, b"PK")
    packed = client.get(f"{API}/package.tar", params={"year": "2026"})
    assert packed.status_code == 200
    with tarfile.open(fileobj=io.BytesIO(packed.content)) as tar:
        assert any(name.endswith("data/year.json") for name in tar.getnames())
        # which unit emitted what, from which meters
        year = next(name for name in tar.getnames() if name.endswith("data/year.json"))
        footprint = json.loads((tar.extractfile(year) or io.BytesIO()).read())["footprint"]
        assert all(
            source["emission_t"] for unit in footprint["units"] for source in unit["sources"]
        )
    # what persons attached is for who reads records
    assert client.get(f"{API}/upload.zip", params={"year": "2026"}).status_code in {401, 403}
    assert "upload.zip" not in client.get(PAGE, params={"year": "2026"}).text
    client.headers["Authorization"] = f"Bearer {TOKEN}"
    uploaded = client.get(f"{API}/upload.zip", params={"year": "2026"})
    with zipfile.ZipFile(io.BytesIO(uploaded.content)) as packed_files:
        names = packed_files.namelist()
    assert names[0].startswith(f"{MONTH}/")
    assert names[1] == f"{MONTH}/材料清单.xlsx"
    assert "upload.zip" in client.get(PAGE, params={"year": "2026"}).text


def test_this_year_is_projected_as_the_live_page_does(archives: dict[str, Path]) -> None:
    live = Live(emission_t="1000.00", output_t="500.00", days="304", is_whole=True,
                benchmark_t_t="2.2000", allowance_t="1100.00")  # fmt: skip
    client = make_client(make_app(months=Kept(archives["aluminium"]), accumulated=live))
    found = client.get(API, params={"year": "2026"}).json()["position"]
    told = [found[key] for key in ("emission_t", "allowance_t", "balance_t", "state")]
    assert told == ["1000.00", "1100.00", "100.00", "surplus"]  # 500 × 2.2
    half = Live(emission_t="1000.00", days="304", is_whole=False, allowance_t="1100.00")
    client = make_client(make_app(months=Kept(archives["aluminium"]), accumulated=half))
    assert client.get(API, params={"year": "2026"}).json()["position"]["state"] == "incomplete"


def test_a_year_begins_as_the_clock_in_china_shows(archives: dict[str, Path]) -> None:
    clock = ManualClock(1_798_761_600 * 10**9 - 1)  # 2026-12-31 24:00 UTC; in China it is 2027
    services = make_services(months=Kept(archives["steel"]), accumulated=Live())
    client = make_client(create_app(replace(services, clock=clock)))
    assert client.get(API).json()["year"] == "2027"


def test_a_paper_that_cannot_be_made_tells_no_path(archives: dict[str, Path]) -> None:
    class Broken(PaperMaker):
        async def make(self, command: str, archives: Sequence[Path], *options: str) -> bytes:
            raise OutputError(f"{archives[0]}: is not what it says")

    app = make_app(months=Kept(archives["steel"]), accumulated=Live(), papers=Broken())
    answer = make_client(app).get(f"{API}/cbam.xlsx", params={"year": "2026"})
    assert answer.status_code == 409
    assert str(archives["steel"].parent) not in answer.text


def test_an_archive_that_the_log_did_not_close_is_not_shown(archives: dict[str, Path]) -> None:
    months = Kept(archives["steel"], is_closed=False)
    client = make_client(make_app(months=months, accumulated=Live()))
    data = client.get(API, params={"year": "2026"}).json()
    assert (data["not_shown"], "totals" in data) == ([MONTH], False)
    assert MONTH in client.get(PAGE, params={"year": "2026"}).text
    assert client.get(PAGE, params={"year": "2025"}).status_code == 200
    assert client.get(f"{API}/cbam.xlsx", params={"year": "2025"}).status_code == 404
    assert client.get(f"{API}/cbam.xlsx", params={"year": "2026"}).status_code == 404  # as the page
    assert client.get(PAGE, params={"year": "26"}).status_code == 422
