"""Months of all plants: the newest of each, and of the older ones what needs somebody."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cloud.month.newest import newest_months
from tests.unit.cloud.app_examples import Months, make_app, make_client
from tests.unit.cloud.live_examples import PLANT


def test_months_of_all_plants_are_the_newest_and_not_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of ten years of 1,500 plants all of them are 160 MB, which one question made."""
    years = [f"20{year}-{month:02}" for year in (26, 25) for month in range(12, 0, -1)]

    class Years(Months):
        def rows(self, plant: str) -> Sequence[Mapping[str, Any]]:
            (row,) = super().rows(plant)
            late = ("2025-03", "2025-10")
            return [
                {**row, "month": of, "level": "alarm" if of in late else "none"} for of in years
            ]

    client = make_client(make_app(months=Years()))

    def months(**params: Any) -> list[str]:
        return [row["month"] for row in client.get("/api/v1/months", params=params).json()]

    assert months() == months(plant=PLANT) == months(newest=24) == years
    assert months(newest=3) == ["2026-12", "2026-11", "2026-10", "2025-03"]
    assert months(newest=20, plant=PLANT) == [*years[:20], "2025-03"]
    for newest in ("0", "121", "x"):
        assert client.get("/api/v1/months", params={"newest": newest}).status_code == 422
    monkeypatch.setattr("cloud.api.routes.MONTHS_WHOLE_MAX", 23)
    answer = client.get("/api/v1/months")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("24 months are not given at once: ask for those of")
    assert months(newest=13) == [*years[:13], "2025-03"]


def test_a_month_that_is_due_for_ever_hides_none_whose_archive_failed() -> None:
    def row(month: str, level: str, verdict: str) -> Mapping[str, Any]:
        archives = [
            {"newest": False, "verified": {"verdict": "failed"}},
            {"newest": True, "verified": {"verdict": verdict} if verdict else None},
        ]
        return {"month": month, "level": level, "archives": archives}

    rows = [
        row("2026-05", "none", "passed"), row("2026-04", "none", "failed"),
        row("2026-03", "none", "cannot-decide"), row("2026-02", "alarm", ""),
        row("2026-01", "alarm", "passed"), row("2025-12", "notice", ""),
    ]  # fmt: skip
    assert [one["month"] for one in newest_months(rows, 1)] == ["2026-05", "2026-03", "2026-01"]
    assert newest_months(rows, None) == rows
