"""Each question: what it finds in a bent month stands at the top, and a clean one shows nothing."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edge.calc.folds.papers import Paper
from edge.calc.screening.month import Balance, Change, ScreenedMonth
from edge.calc.screening.quarters import Quarters
from edge.calc.screening.question import questions
from edge.calc.screening.screen import Answer, screen
from evidence.quality import Quality
from evidence.screen.texts import LANGUAGES, question_text, sentence_of
from tests.unit.edge.calc.screening.quick_month import (
    DAY,
    FROM_NS,
    MINUTE_NS,
    Month,
    bent,
    peaks,
)

DAYS = 30
TO_NS = FROM_NS + DAYS * DAY * MINUTE_NS


def out(months: Sequence[ScreenedMonth]) -> list[Answer]:
    """What stands out; every sentence of every answer has its places filled."""
    answers = screen(months)
    for answer in answers:
        for language in LANGUAGES:
            assert "{" not in sentence_of(answer.result, language)
            assert question_text(answer.result.question, "causes", language)
    return [answer for answer in answers if answer.stands_out]


def stuck(month: Month) -> None:
    for at in peaks(month.raw["gas.flow"], 8):
        month.raw["gas.flow"][at : at + 75] = month.raw["gas.flow"][at]


def marked(month: Month) -> None:
    for at in peaks(month.raw["gas.flow"], 12):
        month.quality["gas.flow"][at - 20 : at + 20] = Quality.MAINTENANCE


def silent(month: Month) -> None:
    for at in peaks(month.raw["gas.flow"], 12):
        month.quality["gas.flow"][at - 20 : at + 20] = Quality.NO_ANSWER


def held_at_peaks(month: Month) -> None:
    """A meter of coarse steps: it stands still now and then by its nature."""
    tops = peaks(month.raw["gas.flow"], 10)
    month.raw["gas.flow"] = np.round(month.raw["gas.flow"] / 10) * 10
    for at in tops:
        month.raw["gas.flow"][at : at + 75] = month.raw["gas.flow"][at]


def day_copied(month: Month) -> None:
    month.raw["gas.flow"][20 * DAY : 21 * DAY] = month.raw["gas.flow"][5 * DAY : 6 * DAY]


def clipped(month: Month) -> None:
    top = np.quantile(month.raw["gas.flow"], 0.9)
    month.raw["gas.flow"] = np.minimum(month.raw["gas.flow"], top)


def typed(month: Month) -> None:
    month.raw["gas.flow"] = np.round(month.raw["gas.flow"] / 5) * 5


def ct_ratio(month: Month) -> None:
    """From the 16th on the alternating current meter's transformers are said to be smaller."""
    half = 15 * DAY
    month.raw["ac.power"][half:] *= 0.8
    energy = np.diff(month.raw["ac.energy"], prepend=month.raw["ac.energy"][0])
    energy[half:] *= 0.8
    month.raw["ac.energy"] = month.raw["ac.energy"][0] + np.cumsum(energy)


def counter_slowed(month: Month) -> None:
    first = month.raw["gas.volume"][0]
    month.raw["gas.volume"] = first + 0.9 * (month.raw["gas.volume"] - first)


def metal_short(month: Month) -> None:
    first = month.raw["line.metal"][0]
    month.raw["line.metal"] = first + 0.8 * (month.raw["line.metal"] - first)


def half_silent(month: Month) -> None:
    month.quality["gas.flow"][::2] = Quality.NO_ANSWER


BENDS = [
    (stuck, "constant-values", "gas.flow"),
    (held_at_peaks, "still-at-load", "gas.flow"),
    (marked, "marks-at-load", "gas.flow"),
    (silent, "gaps-at-load", "gas.flow"),
    (day_copied, "repeated-blocks", "gas.flow"),
    (clipped, "pinned-at-limit", "gas.flow"),
    (typed, "last-digits", "gas.flow"),
    (ct_ratio, "ratio-moved", "ac"),
    (counter_slowed, "totaliser-integral", "gas.volume / gas.flow"),
    (metal_short, "ratio-range", "line.metal / line.current"),
    (half_silent, "unusable-share", "gas.flow"),
]  # fmt: skip


@pytest.mark.parametrize(("bend", "question", "where"), BENDS)
def test_what_is_bent_stands_first(
    bend: Callable[[Month], None], question: str, where: str
) -> None:
    found = out([bent(7, bend).screened()])
    assert found[0].result.question == question
    assert found[0].result.where.startswith(where)


def test_clean_months_beside_each_other_show_nothing() -> None:
    first, second = Month(1).screened(), Month(2).screened(month="2026-07", at_ns=TO_NS)
    assert out([first, second, Month(3).screened("smelter-b")]) == []


def test_a_step_where_the_configuration_says_so() -> None:
    """It names the change; the other points that changed nothing are quiet."""
    change = Change(
        FROM_NS + 15 * DAY * MINUTE_NS, "configuration", ("ac.power", "ac.energy"),
        "ac.power: ct_ratio 800/5 → 640/5",
    )  # fmt: skip
    found = out([bent(7, ct_ratio).screened(changes=[change])])
    steps = [one.result for one in found if one.result.question == "step-at-change"]
    assert {one.where for one in steps} == {"ac.power", "ac.energy"}
    assert "ct_ratio 800/5 → 640/5" in sentence_of(steps[0], "zh")
    assert out([Month(7).screened(changes=[change])]) == []


def test_changes_and_clock_steps_at_the_very_end() -> None:
    """A minute before the end of thirty days: 2 / 43,200 of the month is as near."""
    late = TO_NS - MINUTE_NS
    month = Month(3).screened(
        changes=[Change(late, "settings", ("gas.flow",), "gas-1: k_factor")], clock_steps_ns=[late]
    )
    found = out([month])
    assert [one.result.question for one in found] == ["change-near-end", "clock-near-end"]
    assert found[0].result.chance == pytest.approx(2 / 43_200)
    beside = Month(3).screened(  # an archive also has frames of the days before and after
        changes=[Change(TO_NS + DAY * MINUTE_NS, "configuration")],
        clock_steps_ns=[FROM_NS - DAY * MINUTE_NS],
    )
    assert out([beside]) == []
    early = Month(3).screened(changes=[Change(FROM_NS + 9 * DAY * MINUTE_NS, "settings")])
    assert out([early]) == []


def test_a_ratio_moves_after_a_day_of_the_month_whichever_days_are_known() -> None:
    """From the 16th on; of the 2nd to the 4th there is no current."""
    month = bent(7, ct_ratio)
    month.quality["ac.power"][DAY : 4 * DAY] = Quality.NO_ANSWER
    month.quality["line.current"][DAY : 4 * DAY] = Quality.NO_ANSWER
    moved = [x.result for x in out([month.screened()]) if x.result.question == "ratio-moved"]
    assert {one.facts["day"] for one in moved} == {"15"}


def test_a_line_that_stands_all_month_has_no_ratio_and_shows_nothing() -> None:
    month = Month(3)
    for name, values in month.raw.items():
        values[:] = values[0] if name in ("line.metal", "gas.volume", "ac.energy") else 0
    assert out([month.screened()]) == []


def test_a_plant_that_stands_for_days_is_no_stuck_meter() -> None:
    """Its meters show what they show at rest, none of it zero; one alone would stand first."""

    def stopped(month: Month, names: Sequence[str]) -> list[str]:
        for name in names:
            month.raw[name][10 * DAY : 20 * DAY] = month.raw[name].min() / 100
        asked = [x for x in out([month.screened()]) if x.result.question == "constant-values"]
        return [one.result.where for one in asked]

    gauges = ["line.current", "gas.flow", "ac.power", "pot-001.voltage", "pot-002.voltage"]
    assert stopped(Month(3), gauges) == []
    assert stopped(Month(3), gauges[1:2]) == ["gas.flow"]


def test_a_meter_that_came_or_went_with_a_configuration_owes_no_more() -> None:
    """gas.flow until the 11th, ac.power from then on: both have all that was due."""
    month = Month(3)
    ids, quarters = [point["id"] for point in month.config["points"]], Quarters(FROM_NS, TO_NS)
    for left_out, first, last in (("ac.power", 0, 10), ("gas.flow", 10, DAYS)):
        groups = [
            {**group, "points": [i for i in group["points"] if ids[i] != left_out]}
            for group in month.config["groups"]
        ]
        config = {**month.config, "groups": [group for group in groups if group["points"]]}
        quarters.configure(config, [])
        quarters.feed([month.block(config, FROM_NS, first, last)])
    whole = replace(month.screened(), quarters=quarters)
    asked = [one.result for one in screen([whole]) if one.result.question == "unusable-share"]
    assert {one.where: one.statistic for one in asked if one.where in ("ac.power", "gas.flow")} == {
        "ac.power": "0.0 %", "gas.flow": "0.0 %"
    }  # fmt: skip


def test_one_month_unlike_the_others() -> None:
    def smoothed(month: Month) -> None:
        flow = month.raw["gas.flow"]
        month.raw["gas.flow"] = flow.mean() + (flow - flow.mean()) / 10

    def less_metal(month: Month) -> None:
        first = month.raw["line.metal"][0]
        month.raw["line.metal"] = first + 0.95 * (month.raw["line.metal"] - first)

    others = [Month(1).screened(month="2026-06"), Month(2).screened(month="2026-07", at_ns=TO_NS)]
    for bend, question in ((smoothed, "noise-of-months"), (less_metal, "ratio-of-months")):
        found = out([*others, bent(4, bend).screened(month="2026-09", at_ns=FROM_NS + 90 * DAY)])
        top = max(found, key=lambda one: one.strength).result
        assert (top.question, top.month) == (question, "2026-09")


def test_two_plants_with_the_same_readings() -> None:
    one, other = Month(1), Month(2)
    other.raw["gas.flow"][9 * DAY : 12 * DAY] = one.raw["gas.flow"][3 * DAY : 6 * DAY]
    found = out([one.screened(), other.screened("smelter-b")])
    assert [x.result.question for x in found] == ["same-in-two"]
    assert found[0].result.where == "gas.flow = smelter-b/gas.flow"


def test_a_network_that_a_reviewer_names() -> None:
    """Of 2 × gas.flow that enter, gas.flow leaves: half is not found again."""
    balance = Balance("gas", ("gas.flow", "gas.flow"), ("gas.flow",))
    found = out([Month(3).screened(balances=[balance])])
    assert [(x.result.question, x.result.statistic) for x in found] == [("ratio-range", "50 %")]
    closed = Balance("gas", ("gas.flow",), ("gas.flow",))
    assert out([Month(3).screened(balances=[closed])]) == []


def _paper(kind: str, body: dict[str, Any], number: int) -> Paper:
    return Paper(f"{number:064}", kind, "natural-gas", {"unit": "10^4 Nm3", **body}, True)


def _papers(opening: str, closing: str, from_ns: int, to_ns: int) -> list[Paper]:
    span = {"from_ns": from_ns, "to_ns": to_ns}
    return [
        _paper("invoice", {"part": "purchased", "value": "60", **span}, 1),
        _paper("stock-take", {"at_ns": from_ns, "value": opening}, 2),
        _paper("stock-take", {"at_ns": to_ns, "value": closing}, 3),
    ]


def _billed(closing: str, month: str = "2026-06", opening: str = "10", at_ns: int = FROM_NS) -> Any:
    """60 bought, the stock from 10 on; the meter counted 65 (x 10^4 Nm3)."""
    made = Month(5)
    made.config["statement"]["fuels"][0]["source"] = "natural-gas"
    quantity = {
        "value": "65", "unit": "10^4 Nm3", "provenance": {"frames": {"point": "gas.volume"}},
    }  # fmt: skip
    line = {"category": "fuel", "kind": "natural-gas", "parameters": {"quantity": quantity}}
    to_ns = at_ns + DAYS * DAY * MINUTE_NS
    return made.screened(
        month=month, at_ns=at_ns, statement={"input": {}, "output": {"lines": [line]}},
        papers=_papers(opening, closing, at_ns, to_ns),
    )  # fmt: skip


def test_a_shifted_stock_stands_first() -> None:
    """60 + 10 - 5 = 65, as the meter says; with 15 more in store 50, which is 23 % less."""
    assert out([_billed("5")]) == []
    (shifted,) = out([_billed("20")])
    assert (shifted.result.question, shifted.result.statistic) == ("documents-meter", "-23.1 %")
    assert shifted.result.beyond == pytest.approx(15 / 65 / 0.05)
    later = _billed("5", "2026-07", "10", TO_NS)  # the month before closed with 5
    chain = [x.result for x in out([_billed("5"), later]) if x.result.question == "stock-chain"]
    assert [(one.month, one.statistic) for one in chain] == [("2026-07", "+5.00")]
    unbilled = _billed("20")
    unbilled = replace(unbilled, papers=[one for one in unbilled.papers if one.kind != "invoice"])
    assert out([unbilled]) == [], "stocks alone do not say what was used"


def test_every_question_has_its_texts() -> None:
    for name, asked in questions().items():
        assert asked.source
        assert (asked.of_month is None) is (asked.of_months is not None)
        for part in ("name", "asks", "chance", "sentence", "causes"):
            for language in LANGUAGES:
                assert question_text(name, part, language)
