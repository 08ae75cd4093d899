"""A steelworks' balances, from nothing but its truth: mass, carbon, energy, gases, water, power.

What must close is compared exactly, digit by digit. What is worked out another way, from published
factors, is compared as far as those factors have digits.
"""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.fuels import fuel_of
from simulators.gas import COMPONENTS, Gas
from simulators.steelworks.blast_furnace import BlastFurnace
from simulators.steelworks.coke import CokeOvens
from simulators.steelworks.load import GASES
from simulators.steelworks.matter import Matter, of_gas, solid
from simulators.steelworks.network import Network
from simulators.steelworks.sinter import SinterStrand
from tests.unit.simulators.works import WORKS, ten_minutes

SEEDS = (1, 2, 3)

#: t CO2 a t of calcite, IPCC 2006, vol. 3, table 2.1; kg/mol of CO2 and carbon, IUPAC 2021
CALCITE, CO2, C = Decimal("0.43971"), Decimal("0.044009"), Decimal("0.012011")

#: lower heating value at 25 degC, kJ/mol, ISO 6976:1995 table 3 (methane) and its CO and H2
NCV = {"co": Decimal("282.98"), "h2": Decimal("241.81"), "ch4": Decimal("802.60")}

#: GJ/10^4 Nm3 and tC/GJ, the guideline's defaults (rule set cets-ag-03.01-v01-2024)
DEFAULTS = {
    "blast_furnace_gas": ("33.000", "0.07080"), "coke_oven_gas": ("173.854", "0.01210"),
    "converter_gas": ("84.000", "0.04960"),
}  # fmt: skip


def total(side: dict[str, str]) -> Decimal:
    return sum((Decimal(text) for text in side.values()), Decimal())


def dry(gas: dict[str, str]) -> Decimal:
    return total(gas) - Decimal(gas["h2o"])


def ncv_mj(gas: dict[str, str]) -> Decimal:
    return sum((Decimal(gas[name]) * each for name, each in NCV.items()), Decimal()) / 1000


@pytest.fixture(params=SEEDS)
def end(request: pytest.FixtureRequest) -> dict[str, Any]:
    return ten_minutes(request.param).end


@pytest.mark.parametrize("what", ["mass_kg", "carbon_mol", "energy_mj"])
def test_in_is_out_and_held(end: dict[str, Any], what: str) -> None:
    balance = end[what]
    assert total(balance["in"]) == total(balance["out"]) + total(balance["held"])
    assert all(Decimal(each) >= 0 for each in balance["in"].values())
    assert all(Decimal(each) >= 0 for each in balance["out"].values())


@pytest.mark.parametrize("gas", GASES)
def test_gas_made_is_used_flared_and_held(end: dict[str, Any], gas: str) -> None:
    told = end["gas_mol"][gas]
    for name in COMPONENTS:
        made, used, flared, held = (
            Decimal(told[side][name]) for side in ("made", "used", "flared", "held")
        )
        condensate = Decimal(told["condensate"]) if name == "h2o" else 0
        assert made == used + flared + held + condensate, name
        assert min(made, used, flared, Decimal(condensate)) >= 0


@pytest.mark.parametrize("gas", GASES)
def test_gas_is_what_the_guideline_takes_it_for(end: dict[str, Any], gas: str) -> None:
    """Heating value and carbon within a tenth of the defaults, by ISO 6976's heats."""
    made = end["gas_mol"][gas]["made"]
    used = end["gas_mol"][gas]["used"]
    ncv, content = (Decimal(text) for text in DEFAULTS[gas])
    mj_nm3 = ncv_mj(made) / (dry(made) * Decimal("0.022414"))
    assert mj_nm3 * 10 == pytest.approx(ncv, rel=Decimal("0.1"))
    carbon_t = sum(Decimal(made[name]) for name in ("co", "co2", "ch4")) * C / 1000
    assert carbon_t / (ncv_mj(made) / 1000) == pytest.approx(content, rel=Decimal("0.1"))
    assert total(end["used_mj"][gas]) == pytest.approx(ncv_mj(used), rel=Decimal("5e-4"))


def test_carbon_in_by_published_factors(end: dict[str, Any]) -> None:
    """All CO2 of the works, as an inventory reckons it: bought less sold less put by."""
    mass = {name: Decimal(text) for name, text in end["mass_kg"]["in"].items()}
    shares = {
        "coking_coal": Decimal("0.705"), "coal": Decimal("0.78"), "charge_coal": Decimal("0.88"),
        "electrodes": Decimal("0.995"), "limestone": CALCITE * C / CO2,
    }  # fmt: skip
    bought = sum((mass[name] * share for name, share in shares.items()), Decimal())
    tonnes = {"converter": Decimal("4500"), "arc_furnace": Decimal("11000")}
    charged = {shop: heats + 1 for shop, heats in end["heats"].items()}  # and what is in the vessel
    bought += tonnes["converter"] * charged["converter"] * Decimal("0.0015")
    bought += tonnes["arc_furnace"] * charged["arc_furnace"] * Decimal("0.002")
    carbon = end["carbon_mol"]
    sold = sum((Decimal(carbon["out"][name]) for name in ("steel", "pig_iron", "tar", "benzol")),
               Decimal()) + total(carbon["held"])  # fmt: skip
    burnt = total(carbon["out"]) - sold + total(carbon["held"])
    assert bought - sold * C == pytest.approx(burnt * C, rel=Decimal("2e-5"))


@pytest.mark.parametrize("seed", SEEDS)
def test_slag_is_of_the_right_size(seed: int) -> None:
    """An ordinary furnace has 250 to 400 kg a t of hot metal, and all its iron is in that."""
    run = ten_minutes(seed)
    burden_kg = Decimal(run.plant.shown.belts["bf-burden"].total_ug).scaleb(-9)
    metal_kg = burden_kg * Decimal("0.585") / Decimal("0.947")
    steel_shops = sum((Decimal(row["slag_kg"]) for row in run.of_type("heat")), Decimal())
    slag_kg = Decimal(run.end["mass_kg"]["out"]["slag"]) - steel_shops
    assert Decimal("0.25") < slag_kg / metal_kg < Decimal("0.40")


def test_power_made_and_imported_is_used(end: dict[str, Any]) -> None:
    power = {name: Decimal(text) for name, text in end["electricity_mj"].items()}
    assert power["imported"] + power["made"] == power["arc_furnace"] + power["other"]
    assert power["imported"] == Decimal(end["energy_mj"]["in"]["electricity"])
    burnt = sum((Decimal(used["power"]) for used in end["used_mj"].values()), Decimal())
    assert power["made"] == pytest.approx(burnt * Decimal("0.36"), rel=Decimal("1e-9"))


def test_a_heat_loses_nothing() -> None:
    """Charge and oxygen are steel, slag and the gas; the gas by its carbon and oxygen."""
    rows = ten_minutes(1).of_type("heat")
    assert {row["shop"] for row in rows} == {"converter", "arc-furnace"}
    for row in rows:
        charge, oxygen, steel, slag, metal = (
            Decimal(row[f"{name}_kg"]) for name in ("charge", "oxygen", "steel", "slag", "metal")
        )
        lost = charge + oxygen - steel - slag
        assert 0 < lost < oxygen + metal * Decimal("0.05")
        assert Decimal("0.9") < steel / metal < Decimal("0.95")


# -- the shops alone ---------------------------------------------------------------------------

MASSES = st.integers(0, 10**14)


@given(coal=MASSES)
def test_coke_ovens_lose_nothing(coal: int) -> None:
    done = CokeOvens(WORKS.coke).step(coal)
    out = done.coke + of_gas(done.gas) + done.tar + done.benzol + done.liquor + done.lost
    assert out == done.coal
    assert min(done.coke.mass_ug, done.coke.carbon_mmol, done.lost.energy_nj) >= 0
    if coal > 10**9:
        assert 0.84 < done.coke.carbon_mmol * 12_011 / done.coke.mass_ug < 0.91


@given(ore=MASSES, breeze_percent=st.integers(1, 9))
def test_the_strand_loses_nothing(ore: int, breeze_percent: int) -> None:
    breeze = solid(ore * breeze_percent // 100, 87)
    done = SinterStrand(WORKS.sinter).step(ore, breeze)
    came = done.ore + done.limestone + breeze + done.air
    assert came == done.sinter + of_gas(done.stack) + done.lost
    assert min(done.sinter.mass_ug, *done.stack.amounts().values()) >= 0


@given(burden=st.integers(10**9, 10**14), coke=st.integers(30, 60), coal=st.integers(0, 25))
def test_the_blast_furnace_loses_nothing(burden: int, coke: int, coal: int) -> None:
    furnace = BlastFurnace(WORKS.blast_furnace, coal=fuel_of(WORKS.coal))
    metal = furnace.metal_ug(burden)
    charged = solid(metal * coke // 100, 87)
    done = furnace.step(burden, charged, metal * coal // 100, 0)
    came = Matter(burden) + charged + done.coal + done.air + done.oxygen
    went = of_gas(done.gas) + done.metal + done.slag + done.iron + done.lost
    assert came == went
    assert min(done.slag.mass_ug, *done.gas.amounts().values()) >= 0
    assert done.gas.o2 == 0


EVEN = st.integers(0, 10**9).map(lambda amount: 2 * amount)


@given(amounts=st.tuples(*[EVEN] * 7), excess=st.integers(0, 50))
def test_what_burns_takes_its_oxygen(amounts: tuple[int, ...], excess: int) -> None:
    gas = Gas(*amounts)
    stack, fresh = gas.burnt(excess)
    assert stack.mass_ug == gas.mass_ug + fresh.mass_ug
    assert stack.carbon_mmol == gas.carbon_mmol == stack.co2
    assert stack.burning_nj == 0
    assert min(stack.amounts().values()) >= 0


def test_half_a_millimole_of_oxygen_is_refused() -> None:
    with pytest.raises(ValueError, match="half a mmol"):
        Gas(co=1).burnt(0)


@given(steps=st.lists(st.tuples(st.integers(0, 10**8), st.integers(0, 10**18)), max_size=40))
def test_a_holder_stays_within_its_limits(steps: list[tuple[int, int]]) -> None:
    line = Network(WORKS.converter_gas, start=Gas(co=66_000, co2=19_000, n2=15_000))
    for made, wanted in steps:
        line.put(Gas(co=made, co2=made // 3, n2=made // 4), 58.0)
        before = line.filled_percent
        line.draw("mill", wanted)
        assert line.filled_percent >= min(before, WORKS.converter_gas.least_percent) - 1e-6
        line.let_off()
        assert 0 <= line.filled_percent <= 100
        assert min(line.held.amounts().values()) >= 0
        out = line.used + line.flared + line.gained + Gas(h2o=line.condensate_mmol)
        assert out == line.made
