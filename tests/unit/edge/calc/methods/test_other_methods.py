"""Methods of other frameworks against tables; each expected value is multiplied out by hand.

The tables are the Guidelines' own, as two public programs have them (sources of the rule sets):
GHG Protocol's stationary combustion tool and bonsai-ipcc, read again for this file.
"""

import pytest

from edge.calc.registry import evaluate

#: Vol. 2 Tables 1.2 and 2.2: kind -> GJ/t × t CO2/TJ = kg CO2/t
IPCC_FUELS = {
    "anthracite": "2624.61",  # 26.7 × 98.3
    "coking-coal": "2667.72",  # 28.2 × 94.6
    "bituminous": "2440.68",  # 25.8 × 94.6
    "subbituminous": "1816.29",  # 18.9 × 96.1
    "lignite": "1201.9",  # 11.9 × 101
    "patent-fuel": "2018.25",  # 20.7 × 97.5
    "coke": "3017.4",  # 28.2 × 107
    "petroleum-coke": "3168.75",  # 32.5 × 97.5
    "coal-tar": "2259.6",  # 28.0 × 80.7
    "crude-oil": "3100.59",  # 42.3 × 73.3
    "fuel-oil": "3126.96",  # 40.4 × 77.4
    "gasoline": "3069.99",  # 44.3 × 69.3
    "diesel": "3186.3",  # 43.0 × 74.1
    "kerosene": "3149.22",  # 43.8 × 71.9
    "lpg": "2984.63",  # 47.3 × 63.1
    "refinery-gas": "2851.2",  # 49.5 × 57.6
}
#: t CO2/TJ of what has no heating value: of gases at the IPCC, of everything at the EU
NO_HEAT = {
    "ipcc-2006-defaults": {"natural-gas": "56.1", "blast-furnace-gas": "260",
                           "converter-gas": "182", "coke-oven-gas": "44.4"},
    "eu-cbam-defaults": {"natural-gas": "56.1", "bituminous": "94.6", "coke": "107",
                         "petroleum-coke": "97.5", "fuel-oil": "77.4", "diesel": "74.1",
                         "coke-oven-gas": "44.4"},
}  # fmt: skip
#: Vol. 3 Table 4.1: kind -> t CO2 of 1000 t, of 2006 and of the Refinement
TABLE_4_1 = {
    "sinter": ("200", "210"), "coke": ("560", "510"), "pellets": ("30", "190"),
    "pig-iron": ("1350", "1430"), "dri": ("700", "700"), "bof-steel": ("1460", "1580"),
    "eaf-steel": ("80", "180"), "ohf-steel": ("1720", "1720"),
}  # fmt: skip
#: Vol. 3 Table 2.1, of 100 t
TABLE_2_1 = {"calcite": "43.971", "magnesite": "52.197", "dolomite": "47.732",
             "siderite": "37.987", "rhodochrosite": "38.286", "纯碱": "41.492"}  # fmt: skip


@pytest.mark.parametrize("kind", IPCC_FUELS)
def test_fuels_of_the_ipcc(kind: str) -> None:
    given = {"rule_set": "ipcc-2006-defaults", "kind": kind, "quantity": "1000"}
    assert evaluate("combustion.net_energy", given)["emission_t"] == IPCC_FUELS[kind]


def test_what_has_no_heating_value_is_counted_by_its_own() -> None:
    """1000 GJ are a TJ: 100 units of 10 GJ."""
    for rules, factors in NO_HEAT.items():
        for kind, factor in factors.items():
            given = {"rule_set": rules, "kind": kind, "quantity": "100", "ncv": "10"}
            assert evaluate("combustion.net_energy", given)["emission_t"] == factor


@pytest.mark.parametrize("kind", TABLE_4_1)
def test_steel_by_what_is_made(kind: str) -> None:
    for year, emission in zip(("2006", "2019"), TABLE_4_1[kind], strict=True):
        given = {"rule_set": f"ipcc-{year}-steel", "kind": kind, "produced_t": "1000"}
        assert evaluate("steel.ipcc_tier1", given)["emission_t"] == emission


def test_carbonates() -> None:
    for kind, emission in TABLE_2_1.items():
        given = {"kind": kind, "quantity_t": "100"}
        assert evaluate("carbonate.ipcc", given)["emission_t"] == emission


#: method -> inputs, tCO2
BY_HAND = [
    # (2500 × 0.8 - 100 + 300) × 0.52; all of it imported and more: (50 - 80) × 0.52
    ("cement.ipcc_cement", {"cement_t": "2500", "clinker_percent": "80",
                            "clinker_imported_t": "100", "clinker_exported_t": "300"}, "1144"),
    ("cement.ipcc_cement", {"cement_t": "100", "clinker_percent": "50",
                            "clinker_imported_t": "80"}, "-15.6"),
    # 1000 × (66 - 1.5) % × 0.785 × 1.03
    ("cement.ipcc_clinker", {"clinker_t": "1000", "cao_percent": "66", "dust_factor": "1.03",
                             "cao_noncarbonate_percent": "1.5"}, "521.51475"),
    # 100 × 0.9 × 0.52197 × 0.95
    ("carbonate.ipcc", {"kind": "MgCO3", "quantity_t": "100", "purity_percent": "90",
                        "calcined_percent": "95"}, "44.628435"),
    # 2205 short tons are 2000 t: × (64.2 % × 0.785 + 1.3 % × 1.092) = 0.518166
    ("cement.part98_clinker", {"clinker_short_ton": "2205", "cao_percent": "65.1",
                               "mgo_percent": "1.5", "cao_noncarbonate_percent": "0.9",
                               "mgo_noncarbonate_percent": "0.2"}, "1036.332"),
    # 2000 × (42 % × 0.785 + 2 % × 1.092) = 2000 × 0.35154
    ("cement.part98_dust", {"dust_short_ton": "2205", "cao_percent": "42", "mgo_percent": "2"},
     "703.08"),
    # 3 × 2000 × 0.2 % × 44/12
    ("cement.part98_organic", {"raw_material_short_ton": "6615"}, "44"),
    # 44/12 × (1000 × 0.006 + 300 × 0.001 - 900 × 0.001 - 10 × 0.03) = 44/12 × 5.1
    ("steel.part98_taconite", {"greenball_t": "1000", "greenball_carbon": "0.006",
                               "solid_fuel_t": "300", "solid_fuel_carbon": "0.001",
                               "pellets_t": "900", "pellets_carbon": "0.001",
                               "residue_t": "10", "residue_carbon": "0.03"}, "18.7"),
    # 44/12 × (900 × 0.045 + 30 × 0.12 - 1000 × 0.0006 - 90 × 0.005) = 44/12 × 43.05
    ("steel.part98_bof", {"iron_t": "900", "iron_carbon": "0.045", "flux_t": "30",
                          "flux_carbon": "0.12", "steel_t": "1000", "steel_carbon": "0.0006",
                          "slag_t": "90", "slag_carbon": "0.005"}, "157.85"),
    # 44/12 × (1200 × 0.8 - 870 × 0.9 - 3 × 0.5) = 44/12 × 175.5
    ("steel.part98_coke", {"coal_t": "1200", "coal_carbon": "0.8", "coke_t": "870",
                           "coke_carbon": "0.9", "residue_t": "3", "residue_carbon": "0.5"},
     "643.5"),
    # 44/12 × (1000 × 0.05 + 6 × 0.75 - 900 × 0.001 - 1 × 0.05 + 0) = 44/12 × 53.55
    ("steel.part98_sinter", {"feed_t": "1000", "feed_carbon": "0.05", "gas_t": "6",
                             "gas_carbon": "0.75", "sinter_t": "900", "sinter_carbon": "0.001",
                             "residue_t": "1", "residue_carbon": "0.05"}, "196.35"),
    # 44/12 × (1000 × 0.004 + 3 × 1 + 10 × 0.9 - 950 × 0.002 - 20 × 0.01) = 44/12 × 13.9
    ("steel.part98_eaf", {"scrap_t": "1000", "scrap_carbon": "0.004", "electrode_t": "3",
                          "electrode_carbon": "1", "carbonaceous_t": "10",
                          "carbonaceous_carbon": "0.9", "steel_t": "950",
                          "steel_carbon": "0.002", "other_out_t": "20",
                          "other_out_carbon": "0.01"}, "50.966666666666667"),
    # 44/12 × (600 × 0.01 - 600 × 0.0005)
    ("steel.part98_decarburization", {"steel_charged_t": "600", "steel_charged_carbon": "0.01",
                                      "steel_t": "600", "steel_carbon": "0.0005"}, "20.9"),
    # 44/12 × (200 × 0.75 + 3 × 0.8 - 1000 × 0.021)
    ("steel.part98_dri", {"ore_t": "1400", "ore_carbon": "0", "gas_t": "200",
                          "gas_carbon": "0.75", "carbonaceous_t": "3",
                          "carbonaceous_carbon": "0.8", "iron_t": "1000",
                          "iron_carbon": "0.021"}, "481.8"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "given", "emission"), BY_HAND)
def test_by_hand(method: str, given: dict[str, str], emission: str) -> None:
    assert evaluate(method, given)["emission_t"] == emission


def test_gas_at_either_temperature() -> None:
    """8495 scf at 68 °F, 8366 at 60 °F, are 10 kmol of 28 kg each."""
    for scf, at in (("8495", "68F"), ("8366", "60F")):
        given = {"gas_scf": scf, "molar_mass_kg_kmol": "28", "standard_temperature": at}
        assert evaluate("steel.part98_gas", given)["gas_t"] == "0.28"
