"""docs/sample-findings.md: every code and every limit as the program has them."""

import re
from pathlib import Path

from evidence.documents.observed.limits import LIMITS
from evidence.documents.observed.observation import CODES, DAY

TEXT = (Path(__file__).resolve().parents[2] / "docs/sample-findings.md").read_text()


def test_every_code_is_explained_and_no_other() -> None:
    assert set(re.findall(r"\b[SN]-[A-Z-]+[A-Z]", TEXT)) == set(CODES)


def test_texts_have_the_same_places_in_both_languages() -> None:
    for code, texts in CODES.items():
        places = {
            lang: set(re.findall(r"\{(\w+)\}", texts["sentence"][lang])) for lang in ("zh", "en")
        }
        assert places["zh"] == places["en"], code


def test_limits_are_those_of_the_program() -> None:
    late = [LIMITS.late_ns[f"sample-{kind}"] // DAY for kind in
            ("taken", "sent", "received", "tested", "result")]  # fmt: skip
    assert f"{'; '.join(map(str, late))} days" in TEXT
    assert f"after its period | {LIMITS.made_ns // DAY} days" in TEXT
    assert f"an earlier day | {LIMITS.serial_days} days" in TEXT
    percent = f"{LIMITS.bases * 100:.1f} %; {LIMITS.closure_points} points"
    assert f"{percent}; {LIMITS.moisture_points:.0f} points; {LIMITS.weights * 100:.0f} %" in TEXT
    pdf = (
        f"{LIMITS.pdf_late_days}, {LIMITS.pdf_early_days} days; {LIMITS.pdf_changed_ns // DAY} day"
    )
    assert pdf in TEXT
