"""Configurations in a month: refused ones, changes within it, and the order of calls."""

import copy
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import pytest

from edge.calc.blocks import Block
from edge.calc.errors import PlantError, UnknownRuleSetError
from edge.calc.folds.month import MonthFold
from edge.calc.statements.statement import compute

S = 10**9
NOON = 1_781_496_000 * S
POTS = ("01", "02", "03")
Config = dict[str, Any]
MakeBlock = Callable[..., Block]


def feed(
    fold: MonthFold,
    make_block: MakeBlock,
    config: Config,
    seconds: range,
    high: Mapping[str, tuple[int, int]] | None = None,
) -> None:
    """Ticks of one second: metal 0.01 t, gas 1 Nm3 and energy 4 kWh a second."""
    for second in seconds:
        on = [n for n, (a, b) in (high or {}).items() if a <= second < b]
        values: dict[str, list[float]] = {
            f"pg.pot-{n}.voltage": [25.0 if n in on else 4.2] for n in POTS
        }
        values |= {f"pg.pot-{n}.state": [1] for n in POTS}
        values |= {"pg.line_current": [460.0], "pg.metal_tapped": [100 + second / 100]}
        at = [NOON + second * S]
        blocks = [make_block(config, 0, at, values)]
        if second % 10 == 0:
            slow = {
                "gas.volume": [5000 + second], "gas.flow": [3600.0], "gas-2.volume": [70 + second],
                "ac.energy_import": [4 * second], "ac.power": [14_400.0],
            }  # fmt: skip
            blocks.append(make_block(config, 1, at, slow))
        fold.feed(blocks)


def result(fold: MonthFold, seconds: int) -> dict[str, Any]:
    return fold.result(NOON, NOON + seconds * S, "interim")


def test_feeding_before_configuring_is_refused(config: Config, make_block: MakeBlock) -> None:
    with pytest.raises(PlantError, match="configure first"):
        MonthFold().feed([make_block(config, 0, [NOON], {})])
    with pytest.raises(PlantError, match="configure first"):
        MonthFold().result(NOON, NOON, "interim")


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("statement", "metal", "point"), "pg.line_current", "does not fit metal, counted in t"),
        (("statement", "metal", "point"), "pg.nothing", r"pg\.nothing"),
        (("potlines", 0, "pots", 0, "voltage"), "pg.nothing", r"pg\.nothing"),
        (("plant", "id"), None, "changed within"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(
    config: Config, path: tuple[str | int, ...], value: object, said: str
) -> None:
    fold = MonthFold()
    if said == "changed within":
        fold.configure(copy.deepcopy(config))
    table: Any = config
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    with pytest.raises(PlantError, match=said):
        fold.configure(config)


def test_an_unknown_rule_set_cannot_be_decided(config: Config) -> None:
    config["plant"]["rule_set"] = "cets-ag-04.01-v02-2027"
    with pytest.raises(UnknownRuleSetError):
        MonthFold().configure(config)


def test_what_the_fold_does_not_read_may_change(config: Config, make_block: MakeBlock) -> None:
    fold = MonthFold()
    fold.configure(config)
    feed(fold, make_block, config, range(30))
    fold.configure({**config, "software": "stackproof 9", "devices": []})
    feed(fold, make_block, config, range(30, 60))
    found = result(fold, 60)
    assert found["potlines"][0]["producing_pot_s"] == "177"
    assert found["flags"] == []


def test_a_change_of_typed_figures_keeps_every_sum(config: Config, make_block: MakeBlock) -> None:
    fold = MonthFold()
    fold.configure(config)
    feed(fold, make_block, config, range(51), {"01": (40, 70)})
    changed = copy.deepcopy(config)
    changed["statement"]["anode"]["gross_kg_per_t"] = "500"
    fold.configure(changed)
    feed(fold, make_block, changed, range(51, 101), {"01": (40, 70)})
    found = result(fold, 101)
    (line,) = found["potlines"]
    assert [(e["start_ns"], e["end_ns"]) for e in line["effects"]] == [
        (NOON + 40 * S, NOON + 70 * S)
    ]
    assert line["producing_pot_s"] == "300"
    assert (found["pfc"]["metal_t"], found["fuel"][0]["quantity"]) == ("1", "0.01")
    assert found["anode"]["gross_t"] == "0.5"
    assert found["flags"] == ["configuration-changed"]
    assert found["completeness"]["pg.line_current"]["usable"] == 101
    assert "configuration-changed" in compute(found)["flags"]


def test_what_is_spelled_otherwise_is_another(config: Config, make_block: MakeBlock) -> None:
    """Nobody has to know which spellings of a point mean the same."""
    fold = MonthFold()
    fold.configure(config)
    feed(fold, make_block, config, range(51))
    changed = copy.deepcopy(config)
    for point in changed["points"]:
        if point["id"] in {"pg.metal_tapped", "pg.pot-01.voltage"}:
            assert "scaling" not in point
            point["scaling"] = {"scale": "1"}
    fold.configure(changed)
    feed(fold, make_block, changed, range(51, 101))
    found = result(fold, 101)
    assert len(found["potlines"]) == 2
    assert found["pfc"]["metal_t"] == "0.99"


def at_other_intervals(config: Config, fast_s: int, slow_s: int) -> Config:
    changed = copy.deepcopy(config)
    changed["schedules"] = [{"interval_ns": fast_s * S}, {"interval_ns": slow_s * S}]
    return changed


def test_what_is_read_at_another_interval_goes_on(config: Config, make_block: MakeBlock) -> None:
    """An effect that runs is one, and a meter's reading is the next one of the same meter."""
    fold = MonthFold()
    fold.configure(config)
    feed(fold, make_block, config, range(51), {"01": (40, 70)})
    changed = at_other_intervals(config, 2, 20)
    fold.configure(changed)
    feed(fold, make_block, changed, range(52, 101, 2), {"01": (40, 70)})
    found = result(fold, 101)
    (line,) = found["potlines"]
    assert [(e["start_ns"], e["end_ns"], e["flags"]) for e in line["effects"]] == [
        (NOON + 40 * S, NOON + 70 * S, [])
    ]
    assert line["producing_pot_s"] == "300"
    assert [f["quantity"] for f in found["fuel"]] == ["0.01"]
    assert found["pfc"]["metal_t"] == "1"
    assert len(found["totalisers"]) == 3
    # every second until 51 s, then every second one of 52 s to 100 s; every 10 s until 50 s, then
    # 60 s, 80 s and 100 s, and what was read at 70 s and 90 s was read beside the schedule
    fast = {"usable": 51 + 25, "expected": 52 + 25, "percent": "98.70"}
    assert found["completeness"]["pg.metal_tapped"] == fast
    slow = {"usable": 11, "expected": 6 + 3, "percent": "122.22"}
    assert found["completeness"]["gas.volume"] == slow
    # 0 s to 100 s in steps of 10 s: at most two intervals, of either schedule
    assert [check["covered_s"] for check in found["checks"]] == ["100", "100"]
    assert found["flags"] == ["configuration-changed"]


def test_what_is_due_is_due_by_the_configuration_in_force(
    config: Config, make_block: MakeBlock
) -> None:
    """A reading a second, one in two, one in five, and one a second again; nothing is missing."""
    fold = MonthFold()
    for fast_s, seconds in (
        (1, range(20)), (2, range(20, 40, 2)), (5, range(40, 60, 5)), (1, range(60, 80)),
    ):  # fmt: skip
        changed = at_other_intervals(config, fast_s, 10)
        fold.configure(changed)
        feed(fold, make_block, changed, seconds)
    found = result(fold, 80)["completeness"]
    for point, due in (("pg.metal_tapped", 20 + 10 + 4 + 20), ("gas.volume", 8)):
        assert found[point] == {"usable": due, "expected": due, "percent": "100.00"}
    later = fold.result(NOON - 10 * S, NOON + 90 * S, "interim")["completeness"]
    assert later["pg.metal_tapped"]["expected"] == 10 + 54 + 10


@pytest.mark.parametrize(
    ("intervals", "is_hole", "covered_s"), [((2, 20), False, "70"), ((1, 10), True, "30")]
)
def test_what_is_too_far_apart_is_said_by_the_interval_in_force(
    config: Config, make_block: MakeBlock, intervals: tuple[int, int], is_hole: bool, covered_s: str
) -> None:
    """Over the change, samples of an effect are 3 s apart and readings of a flow 40 s."""
    fold = MonthFold()
    before = at_other_intervals(config, 1, 20)
    fold.configure(before)
    feed(fold, make_block, before, range(11), {"01": (5, 60)})
    changed = at_other_intervals(config, *intervals)
    fold.configure(changed)
    feed(fold, make_block, changed, range(13, 20), {"01": (5, 60)})
    feed(fold, make_block, changed, range(50, 71, 10))
    found = result(fold, 71)
    (effect,) = found["potlines"][0]["effects"]
    assert ("hole" in effect["flags"]) == is_hole
    assert found["checks"][0]["covered_s"] == covered_s


def test_changed_rules_begin_a_new_piece_of_the_potline(
    config: Config, make_block: MakeBlock
) -> None:
    fold = MonthFold()
    fold.configure(config)
    feed(fold, make_block, config, range(51), {"01": (40, 70)})
    changed = copy.deepcopy(config)
    changed["potlines"][0]["anode_effect"]["v_start_v"] = "9"
    fold.configure(changed)
    feed(fold, make_block, changed, range(51, 101), {"01": (40, 70)})
    found = result(fold, 101)
    old, new = found["potlines"]
    assert [line["anode_effect_rules"]["v_start_v"] for line in (old, new)] == ["8", "9"]
    (first,), (second,) = old["effects"], new["effects"]
    assert (first["start_ns"], first["end_ns"]) == (NOON + 40 * S, NOON + 50 * S)
    assert first["flags"] == ["configuration-change"]
    assert (second["start_ns"], second["end_ns"]) == (NOON + 51 * S, NOON + 70 * S)
    assert (old["producing_pot_s"], new["producing_pot_s"]) == ("150", "147")  # 3 × 50, 3 × 49
    pooled = Fraction(found["pfc"]["indicator"]["aem_min_per_cell_day"])
    expected = Fraction(10 + 19, 60) / Fraction(297, 86_400)
    assert abs(pooled - expected) < Fraction(1, 10**12)
    assert found["pfc"]["metal_t"] == "1"  # the totaliser is the same and goes on


def second_gas_meter(config: Config) -> Config:
    """The gas meter is replaced by one of another id."""
    changed = copy.deepcopy(config)
    for fields in changed["points"]:
        if fields["id"] == "gas.volume":
            fields["id"] = "gas-2.volume"
    changed["statement"]["fuels"][0]["point"] = "gas-2.volume"
    return changed


def test_a_replaced_meter_is_a_second_line_of_the_same_fuel(
    config: Config, make_block: MakeBlock
) -> None:
    fold = MonthFold()
    fold.configure(config)
    feed(fold, make_block, config, range(51))
    changed = second_gas_meter(config)
    fold.configure(changed)
    feed(fold, make_block, changed, range(60, 101))
    found = result(fold, 101)
    assert [(f["kind"], f["quantity"]) for f in found["fuel"]] == [
        ("natural-gas", "0.005"), ("natural-gas", "0.004"),
    ]  # fmt: skip
    points = [f["provenance"]["quantity"]["frames"]["point"] for f in found["fuel"]]
    assert points == ["gas.volume", "gas-2.volume"]
    assert len(compute(found)["lines"]) == 4


def test_a_meter_that_comes_back_begins_anew(config: Config, make_block: MakeBlock) -> None:
    fold = MonthFold()
    for number, used in enumerate((config, second_gas_meter(config), config)):
        fold.configure(used)
        feed(fold, make_block, used, range(number * 20, number * 20 + 11))
    found = result(fold, 51)
    # the first meter read 5000 to 5010 and 5040 to 5050, the second one 10 between; what the first
    # rose meanwhile may be what the second counted, and nothing is counted twice
    assert [f["quantity"] for f in found["fuel"]] == ["0.001", "0.001", "0.001"]


def test_changed_decimals_of_the_metal_meter_are_added(
    config: Config, make_block: MakeBlock
) -> None:
    fold = MonthFold()
    fold.configure(config)
    feed(fold, make_block, config, range(51))
    changed = copy.deepcopy(config)
    for fields in changed["points"]:
        if fields["id"] == "pg.metal_tapped":
            fields["decimals"] = 2
    fold.configure(changed)
    feed(fold, make_block, changed, range(51, 101))
    found = result(fold, 101)
    assert found["pfc"]["metal_t"] == "0.99"  # 100.00–100.50 and 100.51–101.00
    assert found["pfc"]["provenance"]["metal_t"]["frames"]["point"] == (
        "pg.metal_tapped pg.metal_tapped"
    )


@pytest.mark.parametrize(("key", "value"), [("time_zone", "Asia/Urumqi"), ("id", "another")])
def test_a_month_stays_one_plants_in_one_zone(config: Config, key: str, value: str) -> None:
    fold = MonthFold()
    fold.configure(config)
    with pytest.raises(PlantError, match=rf"plant\.{key} changed within the month"):
        fold.configure({**config, "plant": {**config["plant"], key: value}})


def test_a_refused_change_leaves_the_fold_as_it_was(config: Config, make_block: MakeBlock) -> None:
    fold = MonthFold()
    fold.configure(config)
    feed(fold, make_block, config, range(30))
    broken = copy.deepcopy(config)
    broken["potlines"][0]["line_current"] = "nothing"
    with pytest.raises(PlantError):
        fold.configure(broken)
    feed(fold, make_block, config, range(30, 61))
    found = result(fold, 61)
    assert found["flags"] == []
    assert found["pfc"]["metal_t"] == "0.6"


def test_a_reused_name_of_a_potline_that_went_is_a_new_piece(
    config: Config, make_block: MakeBlock
) -> None:
    fold = MonthFold()
    fold.configure(config)
    feed(fold, make_block, config, range(30))
    without = copy.deepcopy(config)
    without["potlines"] = []
    fold.configure(without)
    feed(fold, make_block, without, range(30, 40))
    fold.configure(config)
    feed(fold, make_block, config, range(40, 61))
    first, second = result(fold, 61)["potlines"]
    assert (first["producing_pot_s"], second["producing_pot_s"]) == ("87", "60")


def test_the_first_effects_are_listed_and_all_are_counted(
    config: Config, make_block: MakeBlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By start and then by pot; the one that starts second ends last."""
    monkeypatch.setattr("edge.calc.folds.month.EFFECTS_LISTED", 2)
    fold = MonthFold()
    fold.configure(config)
    feed(fold, make_block, config, range(150), {"03": (10, 40), "01": (12, 120), "02": (12, 40)})
    (line,) = result(fold, 150)["potlines"]
    assert [(e["pot"], e["start_ns"]) for e in line["effects"]] == [
        ("03", NOON + 10 * S), ("01", NOON + 12 * S),
    ]  # fmt: skip
    assert (line["effect_count"], line["polarised_s"]) == (3, "166")  # 30 + 108 + 28
    assert [pot["effects"] for pot in line["pots"]] == [1, 1, 1]


def test_a_month_has_a_bounded_number_of_effects(
    config: Config, make_block: MakeBlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.calc.folds.month.EFFECTS_MAX", 2)
    fold = MonthFold()
    fold.configure(config)
    feed(fold, make_block, config, range(60), {"01": (10, 20), "02": (10, 20)})
    assert result(fold, 60)["potlines"][0]["effect_count"] == 2
    feed(fold, make_block, config, range(60, 77), {"03": (62, 66)})
    with pytest.raises(PlantError, match="more than 2 anode effects"):
        feed(fold, make_block, config, range(77, 85))


@pytest.mark.parametrize(
    ("limit", "most", "said"),
    [
        ("METERS_MAX", 5, "meters"), ("LINES_MAX", 1, "potlines"), ("POTS_MAX", 5, "pots"),
        ("POINTS_MAX", 10, "points"),
    ],
)  # fmt: skip
def test_a_month_has_a_bounded_number_of_parts(
    config: Config, monkeypatch: pytest.MonkeyPatch, limit: str, most: int, said: str
) -> None:
    """What changes counts again; the fold that refuses is as before."""
    fold = MonthFold()
    fold.configure(config)
    changed = copy.deepcopy(config)
    for point in changed["points"]:
        point["source"] = "another register"
    monkeypatch.setattr(f"edge.calc.folds.month.{limit}", most)
    with pytest.raises(PlantError, match=f"more than .*{said}"):
        fold.configure(changed)
    assert len(result(fold, 1)["potlines"]) == 1
