"""The month fold: the whole input of a statement, from raw blocks."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from edge.calc.blocks import Block
from edge.calc.folds.live import PlantCalc
from edge.calc.folds.month import MonthFold
from edge.calc.instants import utc_text
from edge.calc.registry import evaluate
from edge.calc.statements.statement import compute
from evidence.quality import Quality
from tests.unit.edge.calc.plain import is_plain

S = 10**9
NOON = 1_781_496_000 * S  # 2026-06-15 12:00:00 +08:00
MONTH_START = NOON - (14 * 86_400 + 12 * 3600) * S
MONTH_END = MONTH_START + 30 * 86_400 * S
POTS = ("01", "02", "03")
Config = dict[str, Any]
MakeBlock = Callable[..., Block]


class Plant:
    """A day in a small smelter: one second a tick, slow points every ten seconds."""

    def __init__(self, config: Config, make_block: MakeBlock, start_ns: int = NOON) -> None:
        self.config, self._make_block, self.start_ns = config, make_block, start_ns
        self.fold = MonthFold()
        self.fold.configure(config)
        self.second = 0

    def blocks(
        self,
        second: int,
        high: Sequence[str] = (),
        bad: Mapping[str, Sequence[int]] | None = None,
        **changes: float,
    ) -> list[Block]:
        values: dict[str, Sequence[float]] = {
            f"pg.pot-{n}.voltage": [25.0 if n in high else 4.2] for n in POTS
        }
        values |= {f"pg.pot-{n}.state": [1] for n in POTS}
        values |= {"pg.line_current": [460.0], "pg.metal_tapped": [100 + second / 100]}
        slow: dict[str, Sequence[float]] = {
            "gas.volume": [5000 + second], "gas.flow": [3600.0],
            "ac.energy_import": [70_000 + 4 * second], "ac.power": [14_400.0],
        }  # fmt: skip
        for name, value in changes.items():
            point_id = name.replace("__", ".")
            values[point_id] = slow[point_id] = [value]
        at = [self.start_ns + second * S]
        made = [self._make_block(self.config, 0, at, values, bad)]
        if second % 10 == 0:
            made.append(self._make_block(self.config, 1, at, slow, bad))
        return made

    def run(self, seconds: int, high: Mapping[str, tuple[int, int]] | None = None) -> "Plant":
        for second in range(self.second, self.second + seconds):
            on = [n for n, (a, b) in (high or {}).items() if a <= second < b]
            self.fold.feed(self.blocks(second, on))
        self.second += seconds
        return self

    def result(self, closing: str = "interim") -> dict[str, Any]:
        return self.fold.result(self.start_ns, self.start_ns + self.second * S, closing)


@pytest.fixture
def plant(config: Config, make_block: MakeBlock) -> Plant:
    return Plant(config, make_block)


def test_head_and_period(plant: Plant) -> None:
    found = plant.run(20).result()
    assert found["rule_set"] == "cets-ag-04.01-v01-2024"
    assert (found["month"], found["plant"], found["closing"]) == ("2026-06", "p1", "interim")
    assert found["period"] == {"from": "2026-06-15T04:00:00Z", "to": "2026-06-15T04:00:20Z"}


def test_quantities_are_totaliser_differences_with_provenance(plant: Plant) -> None:
    found = plant.run(101).result()
    # metal 100.00 → 101.00 t; gas 5000 → 5100 Nm3; energy 70000 → 70400 kWh
    assert found["pfc"]["metal_t"] == "1"
    assert found["output"]["aluminium_t"] == "1"
    assert found["anode"]["gross_t"] == "0.469"
    assert found["fuel"] == [{
        "kind": "natural-gas", "quantity": "0.01",
        "provenance": {"quantity": {"frames": {
            "point": "gas.volume", "rule": "totaliser", "class": "meter-direct",
        }}},
    }]  # fmt: skip
    (energy,) = found["auxiliary"]
    assert (energy["kind"], energy["quantity"]) == ("electricity", "0.4")


def test_typed_anode_consumption_says_it_is_typed(plant: Plant) -> None:
    found = plant.run(11).result()
    provenance = found["anode"]["provenance"]["gross_t"]
    assert provenance["typed"] == {"gross_kg_per_t": "469", "source": "typed in the site file"}
    assert provenance["frames"]["point"] == "pg.metal_tapped"
    assert "typed:anode.gross_t" in compute(found)["flags"]


def test_effects_and_rates_of_a_potline(plant: Plant) -> None:
    plant.run(120, {"01": (10, 40), "03": (20, 35)})
    (line,) = plant.result()["potlines"]
    assert line["effect_count"] == 2
    assert [(e["pot"], e["start_ns"], e["end_ns"]) for e in line["effects"]] == [
        ("01", NOON + 10 * S, NOON + 40 * S), ("03", NOON + 20 * S, NOON + 35 * S),
    ]  # fmt: skip
    assert (line["polarised_s"], line["producing_pot_s"]) == ("45", "357")  # 3 × 119
    assert line["over_target_v_s"] == "936"  # 45 s × 20.8 V
    days = Fraction(357, 86_400)
    for name, value in (
        ("aef_per_cell_day", 2 / days),
        ("aed_min", Fraction(45, 120)),
        ("aem_min_per_cell_day", Fraction(45, 60) / days),
        ("aeo_mv", Fraction(936_000, 357)),
    ):
        assert abs(Fraction(line[name]) - value) < Fraction(1, 10**12)
    assert [(p["id"], p["effects"], p["polarised_s"]) for p in line["pots"]] == [
        ("01", 1, "30"), ("02", 0, "0"), ("03", 1, "15"),
    ]  # fmt: skip


def test_the_rules_stand_beside_the_effects(plant: Plant) -> None:
    (line,) = plant.run(5).result()["potlines"]
    assert line["anode_effect_rules"]["v_start_v"] == "8"
    assert line["technology"] == "PFPB-M"


def test_a_running_effect_is_flagged_interim_and_cut_at_the_months_end(
    config: Config, make_block: MakeBlock
) -> None:
    plant = Plant(config, make_block, MONTH_END - 30 * S).run(30, {"02": (5, 99)})
    (effect,) = plant.fold.result(MONTH_START, MONTH_END - S, "interim")["potlines"][0]["effects"]
    assert "end_ns" not in effect
    assert effect["flags"] == ["running"]
    (effect,) = plant.fold.result(MONTH_START, MONTH_END, "final")["potlines"][0]["effects"]
    assert (effect["end_ns"], effect["flags"]) == (MONTH_END - S, ["month-cut"])


def test_the_month_alone_equals_what_the_stream_saw(config: Config, make_block: MakeBlock) -> None:
    """The live calculation runs through midnight; the fold sees only its own month."""
    plant = Plant(config, make_block, MONTH_END - 40 * S)
    live = PlantCalc(config)
    for second in range(40):
        blocks = plant.blocks(second, ["02"] if second >= 10 else [])
        live.feed(blocks)
        plant.fold.feed(blocks)
    live.feed(plant.blocks(40, ["02"]))
    (streamed,) = [e.as_map() for e in live.effects() if e.effect.start_ns < MONTH_END]
    (folded,) = plant.fold.result(MONTH_START, MONTH_END, "final")["potlines"][0]["effects"]
    assert folded == {k: v for k, v in streamed.items() if k != "potline"}


def test_result_disturbs_nothing(plant: Plant) -> None:
    plant.run(30, {"01": (10, 60)})
    first = plant.result()
    assert plant.result() == first
    plant.run(60, {"01": (10, 60)})
    (line,) = plant.result()["potlines"]
    assert line["polarised_s"] == "50"


def test_the_indicator_is_the_slope_formula_on_the_printed_numbers(plant: Plant) -> None:
    source = plant.run(120, {"01": (10, 40)}).result()
    indicator = compute(source)["pfc"]["indicator"]
    again = evaluate("pfc.slope", {
        "metal_t": source["pfc"]["metal_t"], "technology": "PFPB-M", "edition": "ipcc-2019",
        "gwp": "ar5",
        "aem_min_per_cell_day": source["potlines"][0]["aem_min_per_cell_day"],
    })  # fmt: skip
    assert indicator["cf4_kg"] == again["cf4_kg"]
    by_hand = Fraction("0.104") * Fraction(30, 60) / Fraction(357, 86_400) * Fraction("1.19")
    assert abs(Fraction(indicator["cf4_kg"]) - by_hand) < Fraction(1, 10**9)


@pytest.mark.parametrize(
    ("point", "given", "basis"),
    [
        ("pg.pot-02.voltage", "typed", "calculated"), ("pg.pot-03.state", "typed", "calculated"),
        ("pg.pot-02.voltage", "file", "measured"), ("pg.line_current", "typed", "measured"),
    ],
)  # fmt: skip
def test_an_indicator_of_typed_readings_is_not_called_measured(
    config: Config, make_block: MakeBlock, point: str, given: str, basis: str
) -> None:
    """What the line current gives is no figure of the month."""
    next(p for p in config["points"] if p["id"] == point)["provenance"] = given
    found = compute(Plant(config, make_block).run(120, {"01": (10, 40)}).result())
    parameter = found["pfc"]["indicator"]["parameters"]["aem_min_per_cell_day"]
    assert parameter["basis"] == basis
    kind = "typed" if basis == "calculated" else "meter-direct"
    frames = {"potline": "line-1", "rule": "anode-effect", "class": kind}
    assert parameter["provenance"] == {"frames": frames}
    flagged = "typed:indicator.aem_min_per_cell_day" in found["flags"]
    assert flagged == (basis == "calculated")


def test_the_statement_of_a_fold(plant: Plant) -> None:
    found = compute(plant.run(1001).result())
    # gas 1000 Nm3 = 0.1 × 10^4 Nm3: 0.1 × 21.650152 = 2.17; metal 10 t: anode 14.24, PFC 1.45
    assert found["totals"] == {
        "fuel_t": "2.17", "anode_t": "14.24", "pfc_co2e_t": "1.45", "total_t": "17.86",
    }  # fmt: skip
    assert found["intensity"] == "1.7860"
    assert found["closing"] == "interim"
    (electricity,) = found["auxiliary"]
    assert electricity["quantity"]["value"] == "4"


def test_readings_carry_their_ages(plant: Plant) -> None:
    plant.run(25)
    found = plant.fold.result(NOON - 100 * S, NOON + 60 * S, "interim")
    gas = next(t for t in found["totalisers"] if t["point"] == "gas.volume")
    assert (gas["first"]["after_start_s"], gas["last"]["before_end_s"]) == ("100", "40")
    assert (gas["first"]["value"], gas["last"]["value"], gas["difference"]) == (
        "5000", "5020", "20",
    )  # fmt: skip


def test_checks_stand_beside_and_are_not_the_figure(plant: Plant) -> None:
    found = plant.run(101).result()
    checks = {c["point"]: c for c in found["checks"]}
    assert set(checks) == {"gas.volume", "ac.energy_import"}
    assert checks["gas.volume"]["integral"] == "0.010000"
    assert checks["ac.energy_import"]["integral"] == "0.400000"
    assert checks["gas.volume"]["difference_percent"] == "0.00"


def test_an_outage_costs_the_integral_and_not_the_figure(plant: Plant) -> None:
    plant.run(101)
    plant.second = 3600
    plant.run(1)
    found = plant.result()
    assert found["fuel"][0]["quantity"] == "0.36"
    check = next(c for c in found["checks"] if c["point"] == "gas.volume")
    assert check["integral"] == "0.010000"
    assert check["covered_s"] == "100"


def test_a_totaliser_that_drops_is_summed_by_pieces_and_flagged(plant: Plant) -> None:
    plant.run(21)  # 5000 → 5020
    plant.fold.feed(plant.blocks(30, gas__volume=3))
    plant.fold.feed(plant.blocks(40, gas__volume=8))
    plant.second = 41
    found = plant.result()
    assert found["fuel"][0]["quantity"] == "0.0025"  # 20 + 5 Nm3
    # beside it flowed 1 Nm3 a second: 20 + 10 in the compared time, the drop left out
    assert found["flags"] == ["check:flow-totaliser:gas.volume", "totaliser-drop:gas.volume"]
    (check,) = (c for c in found["checks"] if c["point"] == "gas.volume")
    assert (check["totaliser"], check["integral"]) == ("0.0025", "0.003000")
    assert (check["difference_percent"], check["covered_s"]) == ("20.00", "30")
    gas = next(t for t in found["totalisers"] if t["point"] == "gas.volume")
    (drop,) = gas["drops"]
    assert (drop["since_ns"], drop["before"]) == (NOON + 20 * S, "5020")
    assert (drop["tick_ns"], drop["after"]) == (NOON + 30 * S, "3")


def test_a_meter_without_readings_leaves_its_line_out_and_says_so(
    config: Config, make_block: MakeBlock
) -> None:
    plant = Plant(config, make_block)
    bad = {"gas.volume": [int(Quality.NOT_CONNECTED)], "pg.metal_tapped": [int(Quality.NO_ANSWER)]}
    for second in range(20):
        plant.fold.feed(plant.blocks(second, bad=bad))
    plant.second = 20
    found = plant.result()
    assert found["fuel"] == []
    assert "pfc" not in found
    assert "output" not in found
    assert found["flags"] == ["no-reading:gas.volume", "no-reading:pg.metal_tapped"]
    statement = compute(found)
    assert statement["lines"] == []
    assert "no-reading:pg.metal_tapped" in statement["flags"]


def test_completeness_counts_usable_ticks_of_the_period(plant: Plant) -> None:
    for second in range(50):
        bad = {"pg.pot-02.voltage": [int(Quality.NO_ANSWER)]} if second >= 40 else None
        plant.fold.feed(plant.blocks(second, bad=bad))
    found = plant.fold.result(NOON, NOON + 100 * S, "interim")["completeness"]
    assert found["pg.pot-01.voltage"] == {"usable": 50, "expected": 100, "percent": "50.00"}
    assert found["pg.pot-02.voltage"] == {"usable": 40, "expected": 100, "percent": "40.00"}
    assert found["gas.flow"] == {"usable": 5, "expected": 10, "percent": "50.00"}
    assert not any(key.startswith("line-1.") for key in found)


def test_expected_ticks_are_those_of_the_grid(plant: Plant) -> None:
    plant.run(1)
    found = plant.fold.result(NOON + 1, NOON + 10 * S, "interim")["completeness"]
    assert found["pg.line_current"]["expected"] == 9  # 1 s to 9 s
    assert found["gas.flow"]["expected"] == 0
    assert "percent" not in found["gas.flow"]


def test_ticks_of_another_month_are_not_used(config: Config, make_block: MakeBlock) -> None:
    plant = Plant(config, make_block, MONTH_END - 20 * S)
    plant.run(40, {"01": (10, 99)})
    found = plant.fold.result(MONTH_START, MONTH_END, "final")
    short = ["not-checked:flow-totaliser:ac.energy_import", "not-checked:flow-totaliser:gas.volume"]
    assert found["flags"] == [*short, "ticks-outside-month"]
    (line,) = found["potlines"]
    assert line["producing_pot_s"] == "57"  # 3 × 19
    assert line["effects"][0]["end_ns"] == MONTH_END - S


def test_pots_that_never_produced_make_no_rates(config: Config, make_block: MakeBlock) -> None:
    plant = Plant(config, make_block)
    states = {f"pg__pot-{n}__state": 3.0 for n in POTS}
    for second in range(20):
        plant.fold.feed(plant.blocks(second, POTS, **states))
    plant.second = 20
    found = plant.result()
    assert found["flags"] == ["no-producing-time"]
    assert "indicator" not in found["pfc"]
    assert "aem_min_per_cell_day" not in found["potlines"][0]
    assert found["potlines"][0]["effects"] == []


def second_line(config: Config, technology: str) -> Config:
    line = config["potlines"][0]
    config["potlines"] = [
        {**line, "pots": line["pots"][:1]},
        {**line, "id": "line-2", "pots": line["pots"][1:], "technology": technology},
    ]
    return config


def test_two_potlines_of_one_technology_pool_their_minutes(
    config: Config, make_block: MakeBlock
) -> None:
    plant = Plant(second_line(config, "PFPB-M"), make_block)
    source = plant.run(120, {"01": (10, 40), "03": (20, 35)}).result()
    assert [line["effect_count"] for line in source["potlines"]] == [1, 1]
    pooled = Fraction(source["pfc"]["indicator"]["aem_min_per_cell_day"])
    assert abs(pooled - Fraction(45, 60) / Fraction(357, 86_400)) < Fraction(1, 10**12)


def test_two_technologies_need_metal_by_potline(config: Config, make_block: MakeBlock) -> None:
    plant = Plant(second_line(config, "CWPB"), make_block)
    source = plant.run(60).result()
    assert "indicator" not in source["pfc"]
    assert source["flags"] == ["indicator-needs-metal-by-potline"]


def test_nothing_fed_is_nothing_found(plant: Plant) -> None:
    found = plant.fold.result(NOON, NOON + S, "interim")
    assert set(found["flags"]) == {
        "no-producing-time", "no-reading:ac.energy_import", "no-reading:gas.volume",
        "no-reading:pg.metal_tapped",
    }  # fmt: skip
    assert compute(found)["totals"] == {"total_t": "0.00"}


def test_metal_in_kilograms(config: Config, make_block: MakeBlock) -> None:
    for fields in config["points"]:
        if fields["id"] == "pg.metal_tapped":
            fields["quantity"] = {"kind": "mass", "unit": "kg"}
    found = Plant(config, make_block).run(101).result()
    assert found["pfc"]["metal_t"] == "0.001"


def test_everything_is_plain(plant: Plant) -> None:
    found = plant.run(60, {"01": (10, 99)}).result()
    assert is_plain(found)


@pytest.mark.parametrize(
    ("instant_ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (NOON, "2026-06-15T04:00:00Z"),
        (NOON + 500_000_000, "2026-06-15T04:00:00.5Z"),
        (NOON + 1, "2026-06-15T04:00:00.000000001Z"),
    ],
)
def test_instants_are_exact_text(instant_ns: int, text: str) -> None:
    assert utc_text(instant_ns) == text


def test_figures_are_decimal_strings_without_binary_noise(plant: Plant) -> None:
    found = plant.run(32).result()
    assert found["pfc"]["metal_t"] == "0.31"
    assert Decimal(found["anode"]["gross_t"]) == Decimal("0.14539")
