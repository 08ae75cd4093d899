"""What a reviewer reads: worst first, each kind with its meaning, nothing repeated without end."""

import copy
import re
from typing import Any

import pytest

from evidence.findings import CODES, EACH_MAX, IDLE, SAME_CODE_MAX, Report, said
from evidence.report_text import LISTED_MAX, report_lines
from tests.unit.evidence import sealed_month as sm


def text(report: Report) -> str:
    return "\n".join(report_lines("x.tar", report))


def test_what_fails_stands_first_and_every_kind_says_what_it_means() -> None:
    report = Report()
    for code in ("N-INTERIM", "W-GAP", "C-SUITE", "E-SEAL", "E-BAG"):
        report.add(code, f"where of {code}", f"Sentence of {code}.")
    shown = text(report)
    assert shown.startswith("FAILED  x.tar\n  Do not rely on this archive")
    places = [shown.index(f"\n  {c}  {CODES[c]}\n    where of {c}: Sentence of {c}.") for c in (
        "E-BAG", "E-SEAL", "C-SUITE", "W-GAP", "N-INTERIM"
    )]  # fmt: skip
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("code", "word"), [("N-INTERIM", "PASSED"), ("C-RULES", "CANNOT DECIDE"), ("E-LOG", "FAILED")]
)
def test_the_verdict_is_the_first_word(code: str, word: str) -> None:
    report = Report(trusted=True, recomputed=True)
    report.add(code, "x", "y.")
    assert text(report).startswith(f"{word}  x.tar\n")


def test_many_alike_are_counted_not_listed() -> None:
    report = Report()
    for i in range(SAME_CODE_MAX + 1905):
        report.add("W-CLOCK", f"seq {i}", "x.")
    assert len(report.findings) == SAME_CODE_MAX
    last = report.as_map()["findings"][-1]
    assert (last["code"], last["where"]) == ("W-CLOCK", "archive")
    assert last["sentence"] == "1905 more like these."
    shown = text(report)
    assert shown.count("    seq ") == LISTED_MAX
    assert f"    and {2005 - LISTED_MAX:,} more like these" in shown


def test_what_a_changed_configuration_moves_figures_by_is_told_before_what_is_idle() -> None:
    report = Report()
    for i in range(EACH_MAX):
        report.add("N-CONFIG", f"seq {i}", "idle.", rank=IDLE)
    for i in range(30):
        report.add("N-CONFIG", f"seq {i}", "scale.")
    shown = text(report)
    assert (shown.count(": scale."), shown.count(": idle.")) == (30, 0)
    assert f"    and at least {EACH_MAX:,} more like these" in shown
    told = [f["sentence"] for f in report.as_map()["findings"]]
    assert told[:30] == ["scale."] * 30
    listed = EACH_MAX // 4
    assert told[30:] == ["idle."] * listed + [f"At least {EACH_MAX - listed} more like these."]


def test_what_fails_is_listed_one_by_one_and_all_of_it_is_bounded() -> None:
    report = Report()
    for i in range(EACH_MAX + 7):
        report.add("E-CHAIN", f"seq {i}", "x.")
    for i in range(SAME_CODE_MAX + 5):
        report.add("E-TOTAL", f"figure {i}", "y.")
    assert len(report.findings) == EACH_MAX + SAME_CODE_MAX
    assert dict(report.suppressed()) == {"E-CHAIN": 7, "E-TOTAL": 5}


def test_an_archive_that_cannot_be_opened_is_told_too() -> None:
    report = sm.check(b"not an archive")
    assert "looked at: nothing" in text(report)
    assert "\n  E-CONTAINER  " in text(report)


def test_missing_objects_are_named_and_many_ranges_are_cut() -> None:
    report = sm.check(sm.honest())
    told = report.completeness[sm.STREAM]
    told["missing"], told["missing_objects"] = [[2, 2], [5, 9]], 6
    assert "objects 0 to 5; 6 MISSING (2, 5 to 9); 256 of 320" in text(report)
    told["missing"] = [[i, i] for i in range(0, 40, 2)]
    assert "(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, …)" in text(report)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("no such key", "No such key."), ("seal/a.cose is missing", "seal/a.cose is missing."),
        ("edge-1 is no id", "edge-1 is no id."), ("", "."), ("1.5 is a float", "1.5 is a float."),
    ],
)  # fmt: skip
def test_an_error_becomes_a_sentence_and_an_id_stays_as_it_is(error: str, sentence: str) -> None:
    assert said(ValueError(error)) == sentence


# -- in Chinese --------------------------------------------------------------------------------


def chinese(report: Report) -> str:
    return "\n".join(report_lines("x.tar", report, "zh"))


@pytest.mark.parametrize(
    ("code", "words"),
    [("N-INTERIM", "通过"), ("C-RULES", "无法判定"), ("E-LOG", "不通过")],
)
def test_the_verdict_is_the_first_word_in_chinese_too(code: str, words: str) -> None:
    report = Report(trusted=True, recomputed=True)
    report.add(code, "x", "y.")
    assert chinese(report).startswith(f"{words}  x.tar\n")


def test_the_meaning_is_chinese_and_a_detail_nobody_translated_stands_as_it_is() -> None:
    report = Report()
    report.add("E-CHAIN-GAP", "stream edge-1", "Something particular.")
    assert (
        "\n  E-CHAIN-GAP  数据流中缺失签名对象。\n    数据流 edge-1：Something particular.\n"
    ) in chinese(report)


def test_all_that_stands_in_every_report_is_chinese() -> None:
    """Of English there are reasons that signed objects hold, and a flag as its finding's place."""
    text = chinese(sm.check(sm.honest()))
    assert all(re.search("[\u4e00-\u9fff]", line) for line in text.splitlines() if line)
    words = set(re.findall(r"(?<![\w.-])[A-Za-z]{4,}(?![\w.-])", text))
    assert words == {"malformed", "restart", "sparse"}
    assert (
        "签名对象 0 至 5；无缺失；应有实测读数 320 个，实有 256 个（80.00 %，含无数值的）" in text
    )
    assert "、6 个签名对象、" in text


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        ({"statement": {"metal": {"rule": "mean"}}}, "configuration.statement"),
        ({"potlines": []}, "其计算测点与计算所得的测点不同。"),
        ({"plant": {"time_zone": "Nowhere"}}, "configuration.plant.time_zone"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_said_in_chinese(
    fault: dict[str, Any], detail: str
) -> None:
    """The detail behind it may be in the words of the format."""
    config = copy.deepcopy(sm.configuration())
    for key, value in fault.items():
        config[key] = {**config[key], **value} if isinstance(value, dict) else value
    stream = [sm.config_item(config), *sm.items()[1:]]
    told = chinese(sm.check(sm.build(sm.contents(sm.make_month(stream)))))
    assert f"：无法使用：{detail}" in told


def test_missing_objects_are_named_in_chinese() -> None:
    report = sm.check(sm.honest())
    told = report.completeness[sm.STREAM]
    told["missing"], told["missing_objects"] = [[2, 2], [5, 9]], 6
    assert "；缺失 6 个（2、5 至 9）；" in chinese(report)


def test_machines_read_the_meaning_in_the_same_language_and_all_else_as_ever() -> None:
    report = sm.check(b"not an archive")
    english, other = report.as_map(), report.as_map("zh")
    (finding,) = other["findings"]
    assert finding["meaning"] == "文件不是按本格式写成的存证档案：被截断或被改动。"
    finding["meaning"] = CODES["E-CONTAINER"]
    assert other.pop("headline") == "不通过"
    assert english.pop("headline") == "FAILED"
    assert other == english
