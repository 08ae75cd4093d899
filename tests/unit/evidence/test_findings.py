"""Findings: codes, verdicts, and text that is fit to print."""

import pytest

from evidence.findings import CODES, TEXT_MAX, Report, Verdict, shown, utc


def test_codes_are_of_four_kinds_and_say_what_they_mean() -> None:
    for code, sentence in CODES.items():
        assert code[:2] in {"E-", "C-", "W-", "N-"}
        assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("codes", "verdict", "status"),
    [
        ([], Verdict.PASSED, 0), (["W-GAP", "N-INTERIM"], Verdict.PASSED, 0),
        (["W-CLOCK"], Verdict.PASSED, 3), (["W-INCOMPLETE"], Verdict.PASSED, 3),
        (["C-SUITE", "W-GAP"], Verdict.CANNOT_DECIDE, 2),
        (["C-SUITE", "E-SEAL"], Verdict.FAILED, 1), (["E-SEAL"], Verdict.FAILED, 1),
    ],
)  # fmt: skip
def test_what_findings_add_up_to(codes: list[str], verdict: Verdict, status: int) -> None:
    """Of an archive whose root is trusted and whose figures were made again."""
    report = Report(trusted=True, recomputed=True)
    for code in codes:
        report.add(code, "x", "y.")
    assert report.verdict is verdict
    assert report.state.exit_status == status
    assert report.as_map()["verdict"] == verdict.value


@pytest.mark.parametrize(
    "left", [{"trusted": True}, {"recomputed": True}, {"trusted": False, "recomputed": True}]
)
def test_what_nobody_identified_or_made_again_is_not_all(left: dict[str, bool]) -> None:
    assert Report(**left).state.exit_status == 3


def test_a_code_nobody_published_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="E-NEW"):
        Report().add("E-NEW", "x", "y.")


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("plain é 中文 —", "plain é 中文 —"), ("a\nb", "a\\nb"), ("\x1b[31m", "\\x1b[31m"),
        ("\u202eevil", "\\u202eevil"), ("\x00", "\\x00"), ("\x9b", "\\x9b"), ("\u2028", "\\u2028"),
        ("\U000e0001", "\\U000e0001"),
    ],
)  # fmt: skip
def test_text_of_an_archive_cannot_steer_a_terminal(text: str, printed: str) -> None:
    assert shown(text) == printed
    report = Report()
    report.add("E-SEAL", text, text)
    (finding,) = report.findings
    assert (finding.where, finding.sentence) == (printed, printed)


def test_text_of_an_archive_cannot_fill_a_screen() -> None:
    assert len(shown("x" * 10**6)) == TEXT_MAX + 1
    assert shown("x" * TEXT_MAX) == "x" * TEXT_MAX


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"), (1_781_499_580 * 10**9, "2026-06-15T04:59:40Z"),
        (1_500_000_000, "1970-01-01T00:00:01.500000000Z"), (-1, "1969-12-31T23:59:59.999999999Z"),
        (2**64 * 10**9, f"{2**64 * 10**9} ns"), (10**30, f"{10**30} ns"),
    ],
)  # fmt: skip
def test_instants_are_told_in_utc(ns: int, text: str) -> None:
    assert utc(ns) == text
