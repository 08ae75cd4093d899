"""Live rates of a kiln and a steelworks: by hand, apart where they must be, and never 0 for bad."""

import pytest

from evidence.quality import Quality
from tests.unit.edge.calc.small_works import (
    KILN,
    STEELWORKS,
    Config,
    kiln,
    live,
    steelworks,
    with_clinker,
)

NO_INPUT = (0, Quality.NO_INPUT)

# coal 12 t/h × 23.076 × 0.02618 × 0.99 × 44/12 = 26.3158888608; slag 5 × 0.480
# meal 341 ÷ 1.55 = 220 t/h of clinker × 0.535 = 117.7; 26.315889 + 117.7 - 2.4
KILN_RATES = {
    "plant.fuel-1.bituminous.co2_t_h": 26_315_889,
    "plant.substitute-1.carbide-slag.co2_t_h": 2_400_000,
    "plant.fuel_co2_t_h": 26_315_889,
    "plant.clinker_indicator_t_h": 220_000_000,
    "plant.clinker_indicator_co2_t_h": 117_700_000,
    "plant.co2_indicator_t_h": 141_615_889,
}
# coal 60 t/h × 26.344 × 0.02541 × 44/12 = 147.2682288; coke 6 × 28.435 × 0.02942 × 44/12 =
# 18.4042694; rods 0.5 × 3.663; steel 120 × 0.037. Blast-furnace gas 30 × 10^4 Nm3/h × 33.000 ×
# 0.07080 × 44/12 = 257.004; natural gas 0.5 × 389.310 × 0.01532 × 44/12 = 10.9344202
STEEL_RATES = {
    "plant.fuel-1.washed-coal.co2_t_h": 147_268_229,
    "plant.fuel-2.coke.co2_t_h": -18_404_269,
    "plant.process-1.electrode.co2_t_h": 1_831_500,
    "plant.product-1.crude-steel.co2_t_h": 4_440_000,
    "plant.fuel_co2_t_h": 128_863_960,
    "plant.burnt-1.blast-furnace-gas.co2_t_h": 257_004_000,
    "plant.burnt-2.natural-gas.co2_t_h": 10_934_420,
    "plant.now_co2_t_h": 267_938_420,
    "plant.month_co2_t_h": 126_255_460,  # 147.268229 - 18.404269 + 1.8315 - 4.44
    "plant.reconciliation_co2_t_h": 141_682_960,
}


@pytest.mark.parametrize(
    ("config", "shown", "rates"),
    [(kiln(), KILN, KILN_RATES), (steelworks(), STEELWORKS, STEEL_RATES)],
)
def test_rates_by_hand(
    config: Config, shown: dict[str, tuple[float, float]], rates: dict[str, int]
) -> None:
    assert live(config, shown) == {name: (count, Quality.GOOD) for name, count in rates.items()}


def test_a_metered_clinker_makes_the_total_and_the_indicator_stays_beside_it() -> None:
    found = live(with_clinker(kiln()), KILN)
    assert found["plant.clinker-1.portland.co2_t_h"][0] == 117_700_000  # 220 t/h × 0.535
    assert found["plant.co2e_t_h"][0] == 141_615_889
    moved = live(with_clinker(kiln()), {**KILN, "meal.feed": (400, 400)})
    assert moved["plant.co2e_t_h"] == found["plant.co2e_t_h"], "no feed is in the total"
    assert moved["plant.co2_indicator_t_h"] != found["plant.co2_indicator_t_h"]


@pytest.mark.parametrize(
    ("config", "shown", "lost", "without"),
    [
        (kiln(), KILN, "meal.feed", {
            "plant.clinker_indicator_t_h", "plant.clinker_indicator_co2_t_h",
            "plant.co2_indicator_t_h"}),
        (kiln(), KILN, "coal.flow", {
            "plant.fuel-1.bituminous.co2_t_h", "plant.fuel_co2_t_h", "plant.co2_indicator_t_h"}),
        (steelworks(), STEELWORKS, "bfg.flow", {
            "plant.burnt-1.blast-furnace-gas.co2_t_h", "plant.now_co2_t_h",
            "plant.reconciliation_co2_t_h"}),
        (steelworks(), STEELWORKS, "steel.flow", {
            "plant.product-1.crude-steel.co2_t_h", "plant.month_co2_t_h",
            "plant.reconciliation_co2_t_h"}),
    ],
)  # fmt: skip
def test_what_is_missing_is_no_input_and_takes_its_sums_with_it(
    config: Config, shown: dict[str, tuple[float, float]], lost: str, without: set[str]
) -> None:
    found = live(config, shown, {lost: [Quality.NO_ANSWER, 0]})
    assert {name for name, value in found.items() if value == NO_INPUT} == without


@pytest.mark.parametrize(
    ("config", "entry", "without"),
    [
        (kiln(), ("fuels", 0, "flow_point"), {
            "plant.fuel-1.bituminous.co2_t_h", "plant.fuel_co2_t_h", "plant.co2_indicator_t_h"}),
        (steelworks(), ("products", 0, "flow_point"), {
            "plant.product-1.crude-steel.co2_t_h", "plant.month_co2_t_h",
            "plant.reconciliation_co2_t_h"}),
    ],
)  # fmt: skip
def test_an_entry_without_a_flow_has_no_rate_and_no_sum_leaves_it_out(
    config: Config, entry: tuple[str, int, str], without: set[str]
) -> None:
    before = live(config, {})
    part, index, key = entry
    del config["statement"][part][index][key]
    assert before.keys() - live(config, {}).keys() == without
