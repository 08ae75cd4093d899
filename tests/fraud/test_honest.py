"""Honest months of three works and one laboratory: nothing is found in any of them."""

import pytest

from evidence.documents.observed.observe import may_be_measured, observe
from evidence.documents.observed.pdfs import observe_pdfs
from evidence.documents.observed.stories import stories_of
from tests.fraud.works import Works, honest, read

YEAR = [(2025 + (6 + i) // 12, (6 + i) % 12 + 1) for i in range(12)]


def test_thirty_six_honest_months_with_their_pdfs_show_nothing() -> None:
    works = [Works(f"works-{letter}") for letter in "abc"]
    results = [
        [(one.month(month := honest(*when, seed)), month.period) for when in YEAR]
        for seed, one in enumerate(works)
    ]
    standing = [one.standing() for one in works]
    for i, one in enumerate(works):
        beside = [stories_of(other) for other in standing if other is not standing[i]]
        assert observe(standing[i], beside) == []
        assert observe_pdfs(standing[i], read(one)) == []
        for result, period in results[i]:
            assert may_be_measured(standing[i], result, period) == ()


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_a_thousand_honest_months_show_nothing() -> None:
    """1,008 months without PDFs: at 95 % fewer than 0.3 % false alarms (rule of three)."""
    for seed in range(84):
        works = Works()
        for when in YEAR:
            month = honest(*when, 100 + seed)
            month.pdf = b""
            works.month(month)
        assert observe(works.standing()) == []
