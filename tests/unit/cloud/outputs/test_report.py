"""The report's words: both languages whole, months with everything in them, hours and days."""

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pypdfium2  # type: ignore[import-untyped]  # it has no types
import pytest

from cloud.cli import main
from cloud.errors import CloudError
from cloud.outputs import typeset
from cloud.outputs.blocks import Paper
from cloud.outputs.book import book_of
from cloud.outputs.checked import read_checked
from cloud.outputs.errors import OutputError
from cloud.outputs.hourly import HourFold, Meter, month_days
from cloud.outputs.layout import sector_layout
from cloud.outputs.materials import materials_of
from cloud.outputs.plots import shares
from cloud.outputs.report import report_paper
from cloud.outputs.reported import Checked
from cloud.outputs.sealed import read_sealed
from edge.calc.flags import Flag
from edge.calc.local_time import Day
from evidence.documents.document import Document
from evidence.findings import Report
from evidence.frame import Body
from tests.unit.cloud.outputs.months import evidence_input, month_of, needs_font
from tests.unit.evidence import sealed_month
from tests.unit.evidence import small_plant as sp

HOUR, MINUTE = 3_600 * 10**9, 60 * 10**9


def test_every_text_is_there_in_both_languages_with_the_same_places() -> None:
    table = json.loads(Path("cloud/outputs/words.json").read_text())
    for key, texts in table.items():
        assert set(texts) == {"en", "zh"}, key
        assert all(texts.values()), key
        assert texts["en"].count("{") == texts["zh"].count("{"), key


def checked(given: dict[str, object]) -> Checked:
    month = month_of(given | {"period": {"from": "2026-05-31T16:00:00Z",
                                         "to": "2026-06-30T16:00:00Z"}})  # fmt: skip
    report = Report()
    report.add("W-GAP", "stream edge-1", "A gap of 3 s.")
    book = book_of([month], sector_layout("steel"))
    hours = HourFold([], month_days("Asia/Shanghai", "2026-06"))
    return Checked(month, book, hours, report, "works-2026-06.tar")


def test_a_statement_that_no_report_can_be_made_of_is_refused_unless_it_passed() -> None:
    """What only readings tell is compared by the verifier: unverified it may be anything."""
    bent = checked(evidence_input() | {"bridges": [1]})
    with pytest.raises(TypeError):
        report_paper(bent, "en")  # it passed: a defect of ours
    bent.report.add("E-INPUT", "statement.json", "The input is another.")
    with pytest.raises(OutputError, match="see stackproof verify"):
        report_paper(bent, "en")


def test_an_archive_without_a_configuration_is_refused(tmp_path: Path) -> None:
    files = sealed_month.unpack(sealed_month.honest())
    kept = {path: data for path, data in files.items() if not path.startswith("data/config/")}
    archive = tmp_path / "a.tar"
    archive.write_bytes(sealed_month.repack(kept))
    with pytest.raises(OutputError, match="no configuration is in the archive"):
        read_sealed(archive)


def test_a_hostile_name_is_one_line_in_one_direction(tmp_path: Path) -> None:
    """Whoever verifies reads it beside what he is to do; the agent refuses such, a forger not."""
    config = sp.configuration()
    config["plant"]["name"] = "Te\u202e\nmelter"
    archive = tmp_path / "a.tar"
    archive.write_bytes(
        sealed_month.build(
            sealed_month.contents(sealed_month.make_month(sealed_month.items(config)))
        )
    )
    assert read_sealed(archive).plant["name"] == r"Te\u202e\nmelter"


def quarter_hours(days: list[Day], group: int) -> Iterator[Body]:
    """Frames of a counter that rises by one a minute: its reading is the minute."""
    for first in range(0, (days[-1].end_ns - days[0].start_ns) // MINUTE, 15):
        raw = np.arange(first, first + 15, dtype=np.int64)
        rows = SimpleNamespace(group=group, raw=[raw, raw], quality=np.zeros((2, 15), np.uint8))
        at_ns = days[0].start_ns + first * MINUTE
        section = SimpleNamespace(first_ns=at_ns, groups=[rows])
        yield cast("Body", SimpleNamespace(sections=[section]))


def test_hours_begin_with_the_plants_day_where_zones_are_half_hours_apart() -> None:
    """Kolkata is 5:30 before UTC: each whole day but the first counts 1440 minutes."""
    days, config = month_days("Asia/Kolkata", "2026-06")[:3], sp.configuration()
    fold = HourFold(["gas.volume"], days)
    (group,) = [g for g, of in enumerate(config["groups"]) if 6 in of["points"]]
    for body in quarter_hours(days, group):
        fold.feed(config, body)
    meter = fold.meters["gas.volume"]
    assert len(meter.hours) == 3 * 24
    per_day = [meter.counted(day.start_ns, day.end_ns) or 0 for day in days]
    minutes = per_day[1] // 1440  # counts of a minute: the point has decimals
    assert (minutes > 0, per_day) == (True, [1439 * minutes, 1440 * minutes, 1440 * minutes])


def words_of(of: Checked, language: str) -> str:
    return json.dumps(report_paper(of, language).as_map(), ensure_ascii=False)


def test_uncertainty_checks_and_substitutions_are_told() -> None:
    given = evidence_input()
    given["fuel"][0] |= {"uncertainty": [{"parameter": "quantity", "percent": "1",
                                          "means": "expanded", "k": "2"}]}  # fmt: skip
    given["fuel"].append({"kind": "anthracite", "quantity": "10", "missing": ["ncv"]})
    given["cross_check"] = [{"check": "second-source", "what": "coal", "first": "100",
                             "second": "150", "unit": "t"}]  # fmt: skip
    told = {language: words_of(checked(given), language) for language in ("en", "zh")}
    assert "SUBSTITUTED: fuel.ncv" in told["en"]
    assert "已替代：fuel.ncv" in told["zh"]
    assert "第二来源" in told["zh"]
    assert "Expanded, %" in told["en"]
    assert "W-GAP" in told["en"]


def test_bridges_and_leaps_are_told() -> None:
    given = evidence_input()
    ends = {"from_ns": 0, "to_ns": 8 * HOUR}
    given["bridges"] = [{
        "source": "coal-1", "point": "feeder.total", "unit": "t", **ends, "quantity": "748.5",
        "period_quantity": "750", "parts": {"opening": "500"}, "bridged_percent": "2.07",
        "start": {**ends, "added": "-8.5", "documents": {"sha256": ["ab" * 32]}},
        "end": {**ends, "added": "7", "first": {"tick_ns": 0, "value": "812.0"},
                "last": {"tick_ns": HOUR, "value": "819.0"}},
    }]  # fmt: skip
    leap = {"since_ns": 0, "tick_ns": HOUR, "before": "1.0", "after": "900.0", "replacements": []}
    given["totalisers"] = [{"point": "gas.total", "unit": "Nm3", "leaps": [leap]}]
    told = words_of(checked(given), "en")
    assert '["At the start", "1970-01-01T00:00:00Z", "1970-01-01T08:00:00Z", "-8.5"' in told
    assert "readings 812.0 (1970-01-01T00:00:00Z) → 819.0 (1970-01-01T01:00:00Z)" in told
    assert '"748.5", "2.07 % of it by the meter"' in told
    assert "gas.total: 1.0 Nm3 at 1970-01-01T00:00:00Z, 900.0 Nm3 at 1970-01-01T01:00:00Z." in told
    assert "期间衔接" in words_of(checked(given), "zh")


def test_no_uncertainty_is_not_an_uncertainty_of_zero() -> None:
    assert "not an uncertainty of zero" in words_of(checked(evidence_input()), "en")


def test_a_flag_that_nobody_has_words_for_stays_as_it_is() -> None:
    assert Flag("brand-new:thing").sentence("zh") == "brand-new:thing"


def test_supporting_material_is_counted_by_the_documents_that_stand() -> None:
    body = {"number": "1"}
    documents = [Document("works", "li", 0, "invoice", "coal", body)] * 2
    found = {m.id: m for m in materials_of(month_of(evidence_input(), documents=documents))}
    assert (found["purchases"].state, found["purchases"].count) == ("here", 2)
    assert (found["stock-take"].state, found["licence"].state) == ("missing", "elsewhere")
    assert "anode-effects" not in found


def test_what_a_meter_counted_is_none_without_a_reading_or_when_it_went_back() -> None:
    meter = Meter("a", "t", 1, {0: (100, 110), HOUR: (111, 125), 3 * HOUR: (7, 9)})
    # by hand: 110 - 100; 125 - 110; nothing read; 9 is below 125
    assert [meter.counted(n * HOUR, (n + 1) * HOUR) for n in range(4)] == [10, 15, None, None]
    assert meter.text(meter.counted(0, 2 * HOUR)) == "2.5"


def test_without_a_chinese_font_the_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class NoFonts:
        def families(self) -> list[str]:
            return ["DejaVu Sans"]

    monkeypatch.setattr(typeset, "_fonts", NoFonts)
    with pytest.raises(OutputError, match="apt-get install fonts-noto-cjk"):
        typeset.pdf_bytes(Paper("t", "en", "", ""))


@needs_font
def test_an_archive_that_does_not_pass_is_reported_so_on_every_page(
    archives: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    end = "-----END CERTIFICATE-----\n"
    others = (archives["steel"].parent / "trust.pem").read_text().split(end)
    trust, out = tmp_path / "other.pem", tmp_path / "report.pdf"
    trust.write_text(others[0] + end)  # the smelter's root: made first, and no steelworks'
    order = ["month", "report", str(archives["steel"]), "--lang", "en", "--trust", str(trust)]
    assert main([*order, "-o", str(out)]) == 1
    assert "stackproof cloud: FAILED" in capsys.readouterr().err
    with pypdfium2.PdfDocument(out) as pdf:
        for page in pdf:
            assert "FAILED" in page.get_textpage().get_text_range()


def test_a_drawing_holds_any_name_of_a_process_unit() -> None:
    """It has 1 to 64 characters, whichever; what XML cannot hold ended the whole report."""
    drawing = shares([("bf\x01<b>\uffff", "1", Fraction(1))], "t")
    assert ">bf�&lt;b&gt;�</text>" in drawing


def test_a_long_name_loses_its_beginning_and_zero_has_no_sign() -> None:
    drawing = shares([("焦" * 40 + "bf-coal.total", "0.00", Fraction(0))], "t")
    assert "…焦" in drawing
    assert "焦bf-coal.total<" in drawing
    given = evidence_input()
    given["product"] = [{"product": "粗钢", "quantity": "0"}]
    assert "-0.00" not in words_of(checked(given), "en")


def test_how_sure_meters_are_is_shown_beside_the_figures(
    archives: dict[str, Path], tmp_path: Path
) -> None:
    accuracy = tmp_path / "accuracy.toml"
    said = '[[meter]]\npoint = "coking-coal.total"\npercent = "0.5"\nmeans = "limits"\n'
    accuracy.write_text(said)
    told = words_of(read_checked(archives["steel"], None, None, accuracy), "en")
    assert "Expanded, %" in told
    assert "k = 2" in told
    accuracy.write_text("[[meter")
    with pytest.raises(CloudError):
        read_checked(archives["steel"], None, None, accuracy)
