"""Lists of the front's API by parts: nothing twice, nothing left out, whatever comes or goes."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cloud.front.turning import WHOLE_MAX
from tests.unit.cloud.fake_collector import FakeCollector
from tests.unit.cloud.front.front_examples import Fronted, Slice, over, serve
from tests.unit.cloud.front.test_front import MONTH
from tests.unit.cloud.front.test_front_rows import alarm

#: each list of the API, and the key of its rows
LISTS = [("plants", ""), ("streams", ""), ("months", ""), ("overview", "plants"),
         ("live/rates", "rates")]  # fmt: skip


def parts(
    fronted: Fronted, path: str, key: str, count: int, between: Callable[[], None] = lambda: None
) -> Iterator[Sequence[dict[str, Any]]]:
    """The rows of each part, by the Link header of the one before."""
    at = f"/api/v1/{path}?count={count}"
    while at:
        answer = fronted.client.get(at)
        assert answer.status_code == 200, answer.text
        link, told = answer.links.get("next", {}).get("url", ""), answer.json()
        if key:
            after = parse_qs(urlsplit(link).query).get("after", [None])
            assert [told["next"]] == after
            assert (told["more"] > 0) == bool(link)
        yield told[key] if key else told
        at = link
        between()


@pytest.fixture
def slices() -> Iterator[dict[str, Slice]]:
    made = {"north": Slice("a", "d", "e"), "south": Slice("b", "c")}
    yield made
    for one in made.values():
        one.kill()


def test_every_row_is_in_one_part_by_plants_not_by_slices(
    tmp_path: Path, slices: dict[str, Slice]
) -> None:
    fronted = Fronted(tmp_path, slices)
    fronted.look()
    order = ["north", "south", "south", "north", "north"]
    for path, key in LISTS:
        whole = fronted.get(path)
        rows = whole[key] if key else whole
        found = list(parts(fronted, path, key, 2))
        assert [len(one) for one in found] == [2, 2, 1], path
        assert [row["collector"] for one in found for row in one] == order, path
        assert sorted(map(str, rows)) == sorted(str(row) for one in found for row in one)
        for query in ("count=0", "count=1001", "count=x", f"after={'x' * 201}",
                      "after=nowhere&count=2", "after=a/b/c/d"):  # fmt: skip
            assert fronted.client.get(f"/api/v1/{path}?{query}").status_code == 422, (path, query)


def test_a_plant_that_moves_or_comes_meanwhile_moves_no_other(
    tmp_path: Path, slices: dict[str, Slice]
) -> None:
    """After the first part c goes from south to north, a plant before it comes, south falls."""
    fronted = Fronted(tmp_path, slices)
    fronted.look()

    def move() -> None:
        if "c" in slices["south"].plants:
            slices["south"].give_up("c")
            slices["north"].take("c")
            slices["north"].take("aa")
            fronted.look()
            fronted.look()
            slices["south"].kill()
            fronted.look()

    found = [row for one in parts(fronted, "plants", "", 2, move) for row in one]
    assert [(row["id"], row["collector"], row["collector_answers"]) for row in found] == [
        ("a", "north", True), ("b", "south", True), ("c", "north", True), ("d", "north", True),
        ("e", "north", True),
    ]  # fmt: skip
    whole = [row["id"] for row in fronted.get("plants?count=1000")]
    assert whole == ["a", "aa", "b", "c", "d", "e"], "of one that is silent they stay"


def numbers(told: Any) -> list[list[int]]:
    return [[row["number"] for row in told[name]] for name in ("standing", "cleared")]


def test_months_and_alarms_of_1500_plants(tmp_path: Path, strange: FakeCollector) -> None:
    plants, months = [f"works-{n:04}" for n in range(1_500)], ("2026-08", "2026-09")
    rows = [{**MONTH, "plant": plant, "month": month} for plant in plants for month in months[::-1]]
    serve(strange, plants)
    strange.answer("months", rows)
    standing, cleared = ([alarm(n, "works-0001", 1, n) for n in of]
                         for of in ((2, 10, 9), (100, 1)))  # fmt: skip
    told = {"standing": standing, "cleared": cleared, "unacknowledged": 3, "new_in_last_hour": 5}
    strange.answer("alarms", told)
    fronted = over(tmp_path, strange)
    found = list(parts(fronted, "months", "", 1_000))
    assert [len(one) for one in found] == [1_000, 1_000, 1_000]
    assert [(row["plant"], row["month"]) for one in found for row in one] == [
        (plant, month) for plant in plants for month in months
    ]
    assert fronted.get("months") == [
        {**row, "collector": "north", "collector_answers": True,
         "collector_heard_ns": fronted.clock.now_ns} for row in rows
    ], "whole, as they came"  # fmt: skip
    first = fronted.get("alarms?count=2")
    assert [[row["number"] for row in first[name]] for name in ("standing", "cleared")] == [
        [2],
        [1],
    ]
    assert (first["unacknowledged"], first["more"]) == (3, 3)
    rest = fronted.get(f"alarms?count=9&after={first['next']}")
    assert [[row["number"] for row in rest[name]] for name in ("standing", "cleared")] == [
        [9, 10], [100],
    ]  # fmt: skip
    assert (rest["next"], rest["more"]) == (None, 0)


def test_a_list_that_is_too_long_is_not_cut_but_refused(
    tmp_path: Path, strange: FakeCollector
) -> None:
    plants = [f"works-{n:04}" for n in range(1_539)]
    year = [f"{n // 12}-{n % 12 + 1:02}" for n in range(2026 * 12 + 8, 2025 * 12 + 7, -1)]
    months = [{**MONTH, "plant": plant, "month": month} for plant in plants for month in year]
    del months[WHOLE_MAX + 1 :]  # of the last plant seven are left, to 2026-03
    serve(strange, plants)
    strange.answer("months", months)
    fronted = over(tmp_path, strange)
    assert "20001 rows are not given at once" in fronted.get("months", 422)["detail"]
    assert len(fronted.get("months?count=1000")) == 1_000
    assert len(fronted.get("months?after=works-1537/2026-09/north")) == 7
    strange.answer("months", months[1:])
    fronted.look()
    assert len(fronted.get("months")) == WHOLE_MAX
