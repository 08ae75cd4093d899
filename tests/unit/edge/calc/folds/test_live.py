"""Live computed points of a small smelter, value by value against plain formulas."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import cbor2
import pytest

from edge.calc.blocks import Block
from edge.calc.folds.live import RECENT_EFFECTS, Computed, PlantCalc, computed_points
from evidence.counts import round_half_away
from evidence.points import Dtype, Provenance, Role
from evidence.quality import Quality

S = 10**9
NOON = 1_781_496_000 * S  # 2026-06-15 12:00:00 +08:00
MIDNIGHT = NOON + 12 * 3600 * S
MONTH_END = MIDNIGHT + 15 * 86_400 * S  # 2026-07-01 00:00:00 +08:00
POTS = ("01", "02", "03")
Config = dict[str, Any]
MakeBlock = Callable[..., Block]

#: metal of one producing pot, t/h per kA: Faraday × current efficiency
METAL = Fraction("8.0537") * Fraction("94.5") / 100 / 24 / 1000
ANODE = Fraction(469, 1000) * (1 - Fraction("0.1518")) * (1 - Fraction("0.024")) * 44 / 12
RECORD = (Fraction("0.02") * 6630 + Fraction("0.0011") * 11_100) / 1000
GAS = Fraction("389.310") * Fraction("0.01532") * Fraction("0.99") * 44 / 12 / 10_000


def quiet() -> dict[str, Sequence[float]]:
    values: dict[str, Sequence[float]] = {f"pg.pot-{n}.voltage": [4.2] for n in POTS}
    values |= {f"pg.pot-{n}.state": [1] for n in POTS}
    return {**values, "pg.line_current": [460.0]}


class Run:
    """Feeds ticks of one second, slow points every tenth."""

    def __init__(self, config: Config, make_block: MakeBlock, start_ns: int = NOON) -> None:
        self.calc = PlantCalc(config)
        self.ids = [point.id for point in self.calc.points]
        self._config, self._block, self._at_ns = config, make_block, start_ns
        self.energy = 1000

    def tick(
        self,
        changes: Mapping[str, Sequence[float]] | None = None,
        bad: Mapping[str, Sequence[int]] | None = None,
        *,
        slow: bool | None = None,
    ) -> dict[str, int | None]:
        values = {**quiet(), **(changes or {})}
        blocks = [self._block(self._config, 0, [self._at_ns], values, bad)]
        if slow if slow is not None else self._at_ns % (10 * S) == 0:
            slow_values = {"gas.flow": [3600.0], "ac.energy_import": [self.energy]}
            slow_values |= {k: list(v) for k, v in (changes or {}).items()}
            blocks.append(self._block(self._config, 1, [self._at_ns], slow_values, bad))
        self._at_ns += S
        return self.read(self.calc.feed(blocks))

    def read(self, computed: Computed) -> dict[str, int | None]:
        return {
            point_id: int(count) if quality == Quality.GOOD else None
            for point_id, count, quality in zip(
                self.ids, computed.counts[:, -1], computed.quality[:, -1], strict=True
            )
        }

    def skip_to(self, instant_ns: int) -> None:
        self._at_ns = instant_ns


@pytest.fixture
def run(config: Config, make_block: MakeBlock) -> Run:
    return Run(config, make_block)


def test_the_points_and_their_order(config: Config) -> None:
    points = computed_points(config)
    assert [p.id for p in points] == [
        "line-1.producing", "line-1.effects_running", "line-1.aef_day", "line-1.aed_day",
        "line-1.aem_day", "line-1.metal_t_h", "line-1.cf4_now_kg_h", "line-1.c2f6_now_kg_h",
        "line-1.pfc_indicator_tco2e_h", "line-1.pfc_record_tco2e_h", "line-1.anode_co2_t_h",
        "line-1.pot-01.effect", "line-1.pot-02.effect", "line-1.pot-03.effect",
        "plant.gas_co2_t_h", "plant.co2e_t_h", "plant.energy_day_kwh",
    ]  # fmt: skip
    assert {p.provenance for p in points} == {Provenance.COMPUTED}
    assert {p.dtype for p in points} == {Dtype.I64}
    assert points[11].role is Role.STATE


def test_the_full_configuration_gives_the_same_points(config: Config) -> None:
    points = computed_points(config)
    first = len(config["points"])
    config["points"] += [p.as_map() for p in points]
    config["groups"].append({
        "schedule": 0, "dtype": Dtype.I64.value, "computed": True,
        "points": list(range(first, first + len(points))),
    })  # fmt: skip
    assert computed_points(config) == points
    assert PlantCalc(config).points == points


def test_a_quiet_line(run: Run) -> None:
    found = run.tick()
    assert found["line-1.producing"] == 3
    assert found["line-1.effects_running"] == 0
    assert found["line-1.metal_t_h"] == round_half_away(METAL * 460 * 3 * 10**6)
    assert found["line-1.cf4_now_kg_h"] == 0
    assert found["line-1.pfc_record_tco2e_h"] == round_half_away(METAL * 460 * 3 * RECORD * 10**6)
    assert found["line-1.anode_co2_t_h"] == round_half_away(METAL * 460 * 3 * ANODE * 10**6)
    assert found["plant.gas_co2_t_h"] == round_half_away(3600 * GAS * 10**6)
    assert found["line-1.pot-01.effect"] == 0


def test_metal_rate_against_a_published_pot_line(config: Config, make_block: MakeBlock) -> None:
    """Course T863: a 175 kA pot at 93 % makes 1312 kg a day (tolerance 0.2 %)."""
    config["potlines"][0]["current_efficiency_percent"] = "93"
    run = Run(config, make_block)
    states = {"pg.pot-02.state": [6], "pg.pot-03.state": [6]}  # one pot producing
    found = run.tick({"pg.line_current": [175.0], **states})
    metal = found["line-1.metal_t_h"]
    assert metal is not None
    assert abs(metal * 24 / 1000 / 1312 - 1) < 0.002


def test_plant_total_is_the_sum_of_what_is_shown_and_never_the_indicator(run: Run) -> None:
    for _ in range(5):
        found = run.tick({"pg.pot-01.voltage": [25.0]})
    parts = [
        found[k] for k in ("line-1.anode_co2_t_h", "line-1.pfc_record_tco2e_h", "plant.gas_co2_t_h")
    ]
    assert None not in parts
    assert found["plant.co2e_t_h"] == sum(p for p in parts if p is not None)
    assert found["line-1.pfc_indicator_tco2e_h"] != 0


def test_the_indicator_is_the_slope_method_on_what_runs_now(run: Run) -> None:
    for _ in range(4):
        found = run.tick({"pg.pot-01.voltage": [25.0]})
    assert found["line-1.effects_running"] == 1
    # slope 0.104 × (1 running × 1440 ÷ 3 producing) × metal rate of 3 pots
    cf4 = Fraction("0.104") * Fraction(1440, 3) * METAL * 460 * 3
    assert found["line-1.cf4_now_kg_h"] == round_half_away(cf4 * 10**6)
    c2f6 = cf4 * Fraction("0.057")
    assert found["line-1.c2f6_now_kg_h"] == round_half_away(c2f6 * 10**6)
    co2e = (cf4 * 6630 + c2f6 * 11_100) / 1000
    assert found["line-1.pfc_indicator_tco2e_h"] == round_half_away(co2e * 10**6)


def test_the_indicator_over_an_effect_integrates_to_the_slope_formula(run: Run) -> None:
    """60 s of one effect in 3 pots: Σ cf4_now × 1 s = slope × AEM × metal."""
    total = Fraction(0)
    for _ in range(60):
        found = run.tick({"pg.pot-01.voltage": [25.0]})
        total += Fraction(found["line-1.cf4_now_kg_h"] or 0, 10**6) / 3600
    running_s = 58  # confirmed 2 s after its start, so 58 ticks show it running
    aem = Fraction(running_s, 60) / (Fraction(3 * 60, 86_400))
    metal_t = METAL * 460 * 3 * 60 / 3600
    assert abs(total / (Fraction("0.104") * aem * metal_t) - 1) < Fraction(1, 10**6)


def test_day_figures(run: Run) -> None:
    for second in range(40):
        found = run.tick({"pg.pot-01.voltage": [25.0 if 5 <= second < 15 else 4.2]})
    producing_days = Fraction(3 * 39, 86_400)
    assert found["line-1.aef_day"] == round_half_away(1 / producing_days * 10**4)
    assert found["line-1.aed_day"] == round_half_away(Fraction(10, 60) * 10**4)
    assert found["line-1.aem_day"] == round_half_away(Fraction(10, 60) / producing_days * 10**4)


def test_day_figures_need_producing_time_and_effects(run: Run) -> None:
    found = run.tick()
    assert found["line-1.aef_day"] is None
    assert found["line-1.aem_day"] is None
    found = run.tick()
    assert (found["line-1.aef_day"], found["line-1.aem_day"]) == (0, 0)
    assert found["line-1.aed_day"] is None


def test_day_figures_start_anew_at_local_midnight(run: Run) -> None:
    run.skip_to(MIDNIGHT - 30 * S)
    for _ in range(20):
        found = run.tick({"pg.pot-01.voltage": [25.0]})
    assert found["line-1.aef_day"] != 0
    for _ in range(11):
        found = run.tick()
    assert found["line-1.aef_day"] == 0
    assert found["line-1.aed_day"] is None


def test_an_effect_over_midnight_runs_on(run: Run) -> None:
    run.skip_to(MIDNIGHT - 10 * S)
    for _ in range(20):
        found = run.tick({"pg.pot-01.voltage": [25.0]})
    assert found["line-1.effects_running"] == 1
    assert found["line-1.aem_day"] != 0  # its minutes since midnight
    (effect,) = run.calc.effects()
    assert effect.effect.start_ns == MIDNIGHT - 10 * S


def test_a_new_month_starts_from_nothing(run: Run) -> None:
    run.skip_to(MONTH_END - 10 * S)
    for _ in range(12):
        found = run.tick({"pg.pot-01.voltage": [25.0]})
    assert found["line-1.effects_running"] == 0  # 2 s into the month: a candidate only
    found = run.tick({"pg.pot-01.voltage": [25.0]})
    assert found["line-1.effects_running"] == 1
    old, new = run.calc.effects()
    assert (old.effect.end_ns, old.effect.flags) == (MONTH_END - S, ("month-cut",))
    assert (new.effect.start_ns, new.effect.end_ns) == (MONTH_END, None)


def test_held_readings_do_not_cross_the_month(run: Run) -> None:
    run.skip_to(MONTH_END - 5 * S)
    run.tick(slow=True)
    assert run.tick(slow=False)["plant.gas_co2_t_h"] is not None
    run.skip_to(MONTH_END)
    assert run.tick(slow=False)["plant.gas_co2_t_h"] is None


def test_energy_counts_from_the_days_first_reading(run: Run) -> None:
    assert run.tick()["plant.energy_day_kwh"] == 0
    run.energy = 1500
    run.skip_to(NOON + 10 * S)
    assert run.tick()["plant.energy_day_kwh"] == 500_000
    assert run.tick()["plant.energy_day_kwh"] == 500_000  # held between readings
    run.skip_to(MIDNIGHT)
    run.energy = 9000
    assert run.tick()["plant.energy_day_kwh"] == 0


@pytest.mark.parametrize(
    ("point", "lost"),
    [
        ("pg.line_current", {
            "line-1.metal_t_h", "line-1.cf4_now_kg_h", "line-1.c2f6_now_kg_h",
            "line-1.pfc_indicator_tco2e_h", "line-1.pfc_record_tco2e_h",
            "line-1.anode_co2_t_h", "plant.co2e_t_h",
        }),
        ("pg.pot-02.voltage", {
            "line-1.effects_running", "line-1.cf4_now_kg_h", "line-1.c2f6_now_kg_h",
            "line-1.pfc_indicator_tco2e_h", "line-1.pot-02.effect",
        }),
        ("pg.pot-02.state", {
            "line-1.producing", "line-1.effects_running", "line-1.metal_t_h",
            "line-1.cf4_now_kg_h", "line-1.c2f6_now_kg_h", "line-1.pfc_indicator_tco2e_h",
            "line-1.pfc_record_tco2e_h", "line-1.anode_co2_t_h", "plant.co2e_t_h",
            "line-1.pot-02.effect",
        }),
        ("gas.flow", {"plant.gas_co2_t_h", "plant.co2e_t_h"}),
        ("ac.energy_import", {"plant.energy_day_kwh"}),
    ],
)  # fmt: skip
def test_a_missing_input_touches_exactly_what_needs_it(
    run: Run, point: str, lost: set[str]
) -> None:
    for _ in range(3):
        run.tick({"pg.pot-01.voltage": [25.0]})
    full = run.tick({"pg.pot-01.voltage": [25.0]}, slow=True)
    assert None not in full.values()
    found = run.tick(
        {"pg.pot-01.voltage": [25.0]}, bad={point: [int(Quality.NO_ANSWER)]}, slow=True
    )
    assert {k for k, v in found.items() if v is None} == lost


def test_a_value_not_given_has_the_count_zero_and_a_bad_quality(run: Run) -> None:
    run.tick()
    bad = {"pg.line_current": [int(Quality.NO_ANSWER)]}
    run.tick(bad=bad)
    config, block = run._config, run._block  # the raw arrays behind `tick`
    computed = run.calc.feed([block(config, 0, [NOON + 2 * S], quiet(), bad)])
    row = run.ids.index("line-1.metal_t_h")
    assert computed.counts[row].tolist() == [0]
    assert computed.quality[row].tolist() == [int(Quality.NO_INPUT)]


@pytest.mark.parametrize("state", [0, 2, 3, 4, 5, 6])
def test_pots_outside_production_count_for_nothing(run: Run, state: int) -> None:
    for _ in range(30):
        found = run.tick({"pg.pot-03.state": [state], "pg.pot-03.voltage": [35.0]})
    assert found["line-1.producing"] == 2
    assert found["line-1.effects_running"] == 0
    assert found["line-1.metal_t_h"] == round_half_away(METAL * 460 * 2 * 10**6)
    assert run.calc.effects() == []


def test_an_effect_as_the_page_gets_it(run: Run) -> None:
    for second in range(40):
        run.tick({"pg.pot-02.voltage": [25.0 if 5 <= second < 15 else 4.2]})
    (effect,) = run.calc.effects()
    assert effect.as_map() == {
        "potline": "line-1", "pot": "02", "start_ns": NOON + 5 * S, "end_ns": NOON + 15 * S,
        "polarised_ns": 10 * S, "integral_v_s": "208.000000000000", "v_max": "25.000",
        "crossings": 1, "flags": [],
    }  # fmt: skip


def test_a_running_effect_has_no_end(run: Run) -> None:
    for _ in range(5):
        run.tick({"pg.pot-02.voltage": [25.0]})
    (effect,) = run.calc.effects()
    assert effect.as_map()["end_ns"] is None
    assert effect.as_map()["flags"] == ["running"]


def test_finished_effects_are_kept_in_bounded_number(run: Run) -> None:
    for second in range(20 * (RECENT_EFFECTS + 6)):
        run.tick({"pg.pot-02.voltage": [25.0 if second % 20 < 5 else 4.2]})
    effects = run.calc.effects()
    assert len(effects) == RECENT_EFFECTS
    assert effects[0].effect.start_ns == NOON + 6 * 20 * S  # the six oldest are gone


def test_a_snapshot_is_plain_and_goes_on_exactly(config: Config, make_block: MakeBlock) -> None:
    whole, first = Run(config, make_block), Run(config, make_block)
    volts = [25.0 if 5 <= s < 25 else 4.2 for s in range(60)]
    for second in range(17):  # in the middle of an effect, between slow readings
        whole.tick({"pg.pot-02.voltage": [volts[second]]})
        first.tick({"pg.pot-02.voltage": [volts[second]]})
    second_run = Run(config, make_block, NOON + 17 * S)
    second_run.calc.restore(cbor2.loads(cbor2.dumps(first.calc.snapshot(), canonical=True)))
    for second in range(17, 60):
        values = {"pg.pot-02.voltage": [volts[second]]}
        assert second_run.tick(values) == whole.tick(values)
    assert second_run.calc.snapshot() == whole.calc.snapshot()
    assert second_run.calc.effects() == whole.calc.effects()


def test_a_fresh_calculation_snapshots_and_restores(config: Config) -> None:
    state = PlantCalc(config).snapshot()
    other = PlantCalc(config)
    other.restore(state)
    assert other.snapshot() == state


def test_a_restart_without_state_after_a_gap_gives_no_double_count(run: Run) -> None:
    for second in range(20):
        run.tick({"pg.pot-02.voltage": [25.0 if second >= 5 else 4.2]})
    run.skip_to(NOON + 200 * S)
    for _ in range(20):
        run.tick({"pg.pot-02.voltage": [25.0]})
    first, second_effect = run.calc.effects()
    assert (first.effect.end_ns, first.effect.flags) == (NOON + 19 * S, ("gap",))
    assert second_effect.effect.start_ns == NOON + 200 * S


def test_no_blocks_and_slow_blocks_alone_give_no_ticks(
    config: Config, make_block: MakeBlock
) -> None:
    calc = PlantCalc(config)
    assert calc.feed([]).counts.shape == (17, 0)
    computed = calc.feed([make_block(config, 1, [NOON], {"gas.flow": [3600.0]})])
    assert computed.counts.shape == (17, 0)
    values = calc.feed([make_block(config, 0, [NOON + S], quiet())])
    row = [p.id for p in calc.points].index("plant.gas_co2_t_h")
    assert values.quality[row, 0] == Quality.GOOD


def without(config: Config, *path: str) -> Config:
    table = config
    for key in path[:-1]:
        table = table[key]
    del table[path[-1]]
    return config


def test_a_plant_without_fuels_anodes_and_electricity(config: Config) -> None:
    for key in ("anode", "fuels", "auxiliary"):
        without(config, "statement", key)
    ids = [p.id for p in PlantCalc(config).points]
    assert "line-1.anode_co2_t_h" not in ids
    assert not any(i.startswith("plant.") for i in ids)


def test_a_fuel_without_a_flow_meter_leaves_no_plant_total(config: Config) -> None:
    del config["statement"]["fuels"][0]["flow_point"]
    ids = [p.id for p in PlantCalc(config).points]
    assert "plant.gas_co2_t_h" not in ids
    assert "plant.co2e_t_h" not in ids  # a total that leaves a fuel out is no total


def test_a_plant_without_potlines(config: Config, make_block: MakeBlock) -> None:
    config["potlines"] = []
    run = Run(config, make_block)
    assert run.ids == ["plant.gas_co2_t_h", "plant.energy_day_kwh"]
    assert run.tick()["plant.gas_co2_t_h"] == round_half_away(3600 * GAS * 10**6)


def test_a_profile_may_number_its_states_differently(config: Config, make_block: MakeBlock) -> None:
    for fields in config["points"]:
        if fields["id"].endswith(".state"):
            fields["states"] = [[7, "producing"], [9, "producing"], [1, "stopped"]]
    run = Run(config, make_block)
    states = {"pg.pot-01.state": [7], "pg.pot-02.state": [9], "pg.pot-03.state": [1]}
    assert run.tick(states)["line-1.producing"] == 2
