"""What plants of all slices emit now: real collectors, one that falls silent, one that is late."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.cloud.fake_collector import FakeCollector
from tests.unit.cloud.front.front_examples import Fronted, Slice, StrangeSlice, over, rows_of
from tests.unit.cloud.live_examples import GATEWAY, NS, T0, payload

PARTIAL, NO_INPUT = 18, 138


@pytest.fixture
def slices() -> Iterator[dict[str, Slice]]:
    made = {"north": Slice("mini", "works-b"), "south": Slice("kiln", "works-c")}
    made["north"].send("works-b", [None, NO_INPUT, None])
    made["south"].send("kiln", ["1214.057491", PARTIAL, None])
    yield made
    for one in made.values():
        one.kill()


def told(point: str, **more: Any) -> dict[str, Any]:
    rate = {"point": point, "unit": "t/h", "value": "7.5", "quality": 0, "age_ns": 0}
    return {**rate, "grade": "good", **more}


#: of a plant, as a collector tells it
LINE: dict[str, Any] = {
    "headline": told("plant.now_co2_t_h"), "trusted": None,
    "gateways": {"all": 1, "offline": 0, "silent": 0},
}  # fmt: skip


def told_of(fronted: Fronted) -> dict[str, Any]:
    return {row["plant"]: row for row in fronted.get("live/rates")["rates"]}


def test_every_plant_with_value_unit_quality_age_and_slice(fronted: Fronted) -> None:
    """Their messages were sent 5 ns after their ticks, and came at once."""
    rows = rows_of(fronted.page("/en/live"))
    assert rows["Mini mini"] == ["north", "5.86 t CO₂e/h (of record)", "good", "0 s"]
    partial = "some inputs missing; covers the others"
    assert rows["Mini kiln"] == ["south", "1,214.06 t CO₂e/h (of record)", partial, "0 s"]
    why = "an input of the calculation is missing"
    assert rows["Mini works-b"] == ["north", "– (of record)", why, "0 s"]  # bad is never 0
    none = ["south", "– (of record)", "no value received yet", "none"]
    assert rows["Mini works-c"] == none
    chinese = rows_of(fronted.page("/zh/live?only=1&q=works-b"))
    assert chinese["Mini works-b"][2] == "计算输入缺失"
    assert "Mini mini" not in chinese
    assert [name for name in rows_of(fronted.page("/en/live?only=1")) if name[:4] == "Mini"] == [
        "Mini kiln", "Mini works-b", "Mini works-c",
    ]  # fmt: skip

    found = told_of(fronted)
    assert found["mini"] == {
        "plant": "mini", "name": "Mini", "simulated": False, "point": "plant.co2e_t_h",
        "unit": "tCO2e/h", "value": "5.861", "quality": 0, "grade": "good", "why": {}, "age_ns": 5,
        "collector": "north", "collector_answers": True, "collector_heard_ns": T0,
    }  # fmt: skip
    bad = found["works-b"]
    assert (bad["value"], bad["quality"], bad["grade"]) == (None, NO_INPUT, "bad")
    assert bad["why"] == {"en": why, "zh": "计算输入缺失"}
    reserved = found["kiln"]
    assert (reserved["value"], reserved["grade"]) == ("1214.057491", "reserved")
    assert (found["works-c"]["value"], found["works-c"]["grade"]) == (None, "none")


def test_of_one_that_falls_silent_nothing_is_shown_as_now_and_it_is_named(
    fronted: Fronted, slices: dict[str, Slice]
) -> None:
    slices["north"].kill()
    fronted.clock.now_ns = T0 + 10 * NS
    slices["south"].hub._clock.now_ns = T0 + 10 * NS  # type: ignore[attr-defined]  # a ManualClock
    fronted.look()
    rows = rows_of(fronted.page("/en/live"))
    said = "stale, not shown: as of 2026-09-21 22:13:20 (UTC+8); does not answer since 2026-09-21"
    for name in ("Mini mini", "Mini works-b"):
        where, value, quality, age = rows[name]
        assert (where, value, age) == ("north", "– (of record)", "10 s"), name
        assert quality.startswith(said), name
    assert rows["Mini kiln"][2] == "stale: nothing newer came"  # at its own collector
    assert rows["north"][0].startswith("does not answer since 2026-09-21 22:13:30")
    assert "已过时，不显示：2026-09-21 22:13:20" in fronted.page("/zh/live")
    found = told_of(fronted)
    for plant in ("mini", "works-b"):
        row = found[plant]
        known = [row[name] for name in ("value", "quality", "why", "grade", "collector_answers")]
        assert known == [None, None, {}, "stale", False]
    assert (found["kiln"]["value"], found["kiln"]["grade"]) == ("1214.057491", "stale")
    slices["north"].start()
    slices["north"].hub._clock.now_ns = T0 + 10 * NS  # type: ignore[attr-defined]  # a ManualClock
    slices["north"].hub.on_live("mini", GATEWAY, payload(10))
    fronted.look()
    assert rows_of(fronted.page("/en/live"))["Mini mini"][1:3] == [
        "5.86 t CO₂e/h (of record)", "good",
    ]  # fmt: skip


def test_what_a_slow_collector_told_grows_old_here(fronted: Fronted) -> None:
    """Three times 5 s between two looks it is as it was told; from 35 s on it is not of now."""
    fronted.clock.now_ns = T0 + 15 * NS
    assert rows_of(fronted.page("/en/live"))["Mini mini"][2:] == ["good", "15 s"]
    fronted.clock.now_ns += 1
    assert rows_of(fronted.page("/en/live"))["Mini mini"][1:] == [
        "5.86 t CO₂e/h (of record)", "stale: nothing newer came", "15 s",
    ]  # fmt: skip
    assert (told_of(fronted)["mini"]["grade"], told_of(fronted)["mini"]["value"]) == (
        "stale", "5.861",
    )  # fmt: skip
    assert told_of(fronted)["works-b"]["grade"] == "bad"
    assert 'class="dq-text"><span>5.86 t' in fronted.page("/en/"), "on the page of plants too"
    fronted.clock.now_ns = T0 + 35 * NS + 1
    assert rows_of(fronted.page("/en/live"))["Mini mini"][1] == "– (of record)"
    assert told_of(fronted)["mini"]["value"] is None


def test_of_a_slow_collector_each_answer_is_shown_when_it_comes(
    tmp_path: Path, strange: FakeCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the list of plants is asked for, what they emit is shown; it is not ready before."""
    fronted, shown = Fronted(tmp_path, {"north": StrangeSlice(strange)}), list[Any]()
    listener = fronted.front.listeners[0]
    ask = listener.asked.ask

    def slow(path: str) -> bytes:
        if path == "plants":
            shown.append((told_of(fronted), fronted.client.get("/readyz").status_code))
        return ask(path)

    monkeypatch.setattr(listener, "asked", SimpleNamespace(ask=slow, parsed=listener.asked.parsed))
    strange.answer("overview", {"plants": [LINE | {"plant": {"id": "steel-1"}}]})
    fronted.look()
    ((rates, status),) = shown
    assert (rates["steel-1"]["value"], status) == ("7.5", 503)
    assert fronted.client.get("/readyz").status_code == 200


def test_rates_of_all_are_none_while_one_was_never_heard(
    tmp_path: Path, slices: dict[str, Slice]
) -> None:
    slices["south"].kill()
    fronted = Fronted(tmp_path, slices)
    fronted.look()
    assert "overview of south are not known" in fronted.get("live/rates", 503)["detail"]
    rows = rows_of(fronted.page("/en/live"))
    assert rows["Mini mini"][2] == "good"
    assert rows["south"][0].startswith("does not answer since")


def test_views_that_are_never_added_stand_in_rows_of_their_own(
    tmp_path: Path, strange: FakeCollector
) -> None:
    """Steel's: by the stacks, and as its month counts. A quality that is bad has no value."""
    month = told("plant.month_co2_t_h", value="7.25")
    lying = told("plant.now_co2_t_h", value="0", quality=NO_INPUT)
    strange.answer("overview", {"plants": [
        {**LINE, "plant": {"id": "steel-1"}, "beside": [month]},
        {**LINE, "plant": {"id": "steel-2"}, "headline": lying},
        {**LINE, "plant": {"id": "tower"}, "headline": None},
    ]})  # fmt: skip
    fronted = over(tmp_path, strange)
    page = fronted.page("/en/live")
    assert "7.50 t/h" in page
    assert "7.25 t/h" in page
    assert page.count("(as the month counts it)") == 1
    rows = rows_of(page)
    assert rows["steel-2"][1:3] == ["– (by the stacks)", "an input of the calculation is missing"]
    assert rows["tower"][1:3] == ["–", "no computed emission"]
    assert rows["mini"][2] == "no value received yet"  # it is served, and no line told of it
    points = [(row["plant"], row["point"], row["value"]) for row in
              fronted.get("live/rates")["rates"]]  # fmt: skip
    assert points == [
        ("mini", "", None), ("steel-1", "plant.now_co2_t_h", "7.5"),
        ("steel-1", "plant.month_co2_t_h", "7.25"), ("steel-2", "plant.now_co2_t_h", None),
        ("tower", "", None),
    ]  # fmt: skip
    only = rows_of(fronted.page("/en/live?only=1"))
    assert {"mini", "steel-2"} <= set(only)
    assert not {"tower", "steel-1"} & set(only)
