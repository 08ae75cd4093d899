"""A whole month by each other rule set: every line multiplied out by hand, and what it is without.

Amounts are round, so that a factor can be read in the emission.
"""

from typing import Any

import pytest

from edge.calc.statements.other_rules import by_other_rules
from edge.calc.statements.statement import compute

OXIDES = {"cao_percent": "65.1", "mgo_percent": "1.5", "cao_noncarbonate_percent": "0.9",
          "mgo_noncarbonate_percent": "0.2"}  # fmt: skip
DUST = {"cao_percent": "42", "mgo_percent": "2", "cao_noncarbonate_percent": "10",
        "mgo_noncarbonate_percent": "0"}  # fmt: skip
TONS = {"counted_in": "short ton"}
PFC = {"metal_t": "1000", "technology": "CWPB", "aem_min_per_cell_day": "0.1", "gwp": "ar5"}
ANODE = {"net_t": "1000", "sulfur_percent": "2", "ash_percent": "0"}
#: rule set -> tables, emission of each line in order, total
MONTHS: dict[str, tuple[dict[str, Any], list[str], str]] = {
    # 100 × 28.2 × 107; 10 × 390 × 56.1; 10000 × (66 - 1) % × 0.785 × 1.02
    "ipcc-2006-cement": (
        {"fuel": [{"kind": "coke", "quantity": "100"},
                  {"kind": "natural-gas", "quantity": "10", "ncv": "390"}],
         "clinker": {"quantity": "10000", "cao_percent": "66", "cao_noncarbonate_percent": "1"}},
        ["301.74", "218.79", "5204.55"], "5725.08"),
    # 100 × 32 × 97.5; 10 × 40 × 77.4 × 98 %; 10000 × (64.2 × 0.785 + 1.3 × 1.092) %;
    # 200 × (32 × 0.785 + 2 × 1.092) %; 16000 × 0.15 % × 3.664
    "eu-cbam-2025-cement": (
        {"fuel": [{"kind": "petroleum-coke", "quantity": "100", "ncv": "32"},
                  {"kind": "fuel-oil", "quantity": "10", "ncv": "40", "oxidation_percent": "98"}],
         "clinker": {"quantity": "10000", **OXIDES}, "dust": [{"quantity": "200", **DUST}],
         "organic": [{"quantity": "16000", "carbon_percent": "0.15"}]},
        ["312.00", "30.34", "5181.66", "54.61", "87.94"], "5666.55"),
    # short tons 10 × 30.00 × 102.41; 1000 gal × 0.138 × 73.96; 10^6 scf × 0.001026 × 53.06;
    # 2205 short tons are 2000 t: × 0.518166, 2000 × 0.27304, 3 × 2000 × 0.2 % × 44/12
    "us-40cfr98-h": (
        {"fuel": [{"kind": "petroleum-coke", "quantity": "10", **TONS},
                  {"kind": "distillate-2", "quantity": "1000"},
                  {"kind": "natural-gas", "quantity": "1000000"}],
         "clinker": {"quantity": "2205", **TONS, **OXIDES},
         "dust": [{"quantity": "2205", **TONS, **DUST}],
         "organic": [{"quantity": "6615", **TONS}]},
        ["30.72", "10.21", "54.44", "1036.33", "546.08", "44.00"], "1721.78"),
    # 100 × 25.8 × 94.6; 1000 × 1.35, 1000 × 0.20
    "ipcc-2006-steel": (
        {"fuel": [{"kind": "bituminous", "quantity": "100"}],
         "process": [{"material": "pig-iron", "quantity": "1000"},
                     {"material": "sinter", "quantity": "1000"}]},
        ["244.07", "1350.00", "200.00"], "1794.07"),
    # 1000 × 1.58, 1000 × 0.51
    "ipcc-2019-steel": (
        {"process": [{"material": "bof-steel", "quantity": "1000"},
                     {"material": "coke", "quantity": "1000"}]},
        ["1580.00", "510.00"], "2090.00"),
    # 10 × 390 × 56.1; × 3.664: 1000 × 0.0191, 1000 × 0.0409, 100 × 0.8297, 10 × 0.8188; 100 × 0.44;
    # less 1000 × 0.0109, 100 × 0.0409
    "eu-cbam-2025-steel": (
        {"fuel": [{"kind": "natural-gas", "quantity": "10", "ncv": "390"}],
         "process": [{"material": name, "quantity": amount} for name, amount in (
             ("dri", "1000"), ("pig-iron", "1000"), ("charge-carbon", "100"),
             ("electrode", "10"), ("limestone", "100"))],
         "product": [{"product": "crude-steel", "quantity": "1000"},
                     {"product": "pig-iron", "quantity": "100"}]},
        ["218.79", "69.98", "149.86", "304.00", "30.00", "44.00", "39.94", "14.99"], "761.70"),
    # 44/12 × 900 × 0.045, 1000 × 0.008; less 44/12 × 1000 × 0.0006
    "us-40cfr98-q": (
        {"process": [{"material": "molten-iron", "quantity": "900", "carbon": "0.045"},
                     {"material": "coal-charged", "quantity": "1000"}],
         "product": [{"product": "steel", "quantity": "1000", "carbon": "0.0006"}]},
        ["148.50", "8.00", "2.20"], "154.30"),
    # 10 × 43 × 74.1; 1000 × 98 % × 44/12; 1000 × 0.143 × 0.1 × (6.63 + 0.121 × 11.1); 10 × 0.41492
    "ipcc-2006-aluminium": (
        {"fuel": [{"kind": "diesel", "quantity": "10"}], "anode": ANODE, "pfc": PFC,
         "carbonate": [{"kind": "sodium-carbonate", "quantity": "10"}]},
        ["31.86", "3593.33", "114.02", "4.15"], "3743.36"),
    # 1000 × 0.122 × 0.1 × (6.63 + 0.097 × 11.1)
    "ipcc-2019-aluminium": ({"anode": ANODE, "pfc": PFC | {"technology": "PFPB-L"}},
                            ["3593.33", "94.02"], "3687.35"),
    # 1000 × 98 % × 3.664; 10 × 0.44
    "eu-cbam-2025-aluminium": (
        {"anode": ANODE, "pfc": PFC, "carbonate": [{"kind": "limestone", "quantity": "10"}]},
        ["3590.72", "114.02", "4.40"], "3709.14"),
    # 2 short tons × 24.80 × 113.67
    "us-40cfr98-f": ({"fuel": [{"kind": "coke", "quantity": "2", **TONS}], "anode": ANODE,
                      "pfc": PFC}, ["5.64", "3593.33", "114.02"], "3712.99"),
}  # fmt: skip


def made_by(rules: str, **tables: Any) -> dict[str, Any]:
    return compute({"rule_set": rules, "month": "2026-06", **tables})


@pytest.mark.parametrize("rules", MONTHS)
def test_a_month_by_hand(rules: str) -> None:
    tables, emissions, total = MONTHS[rules]
    made = made_by(rules, **tables)
    assert [line["emission_t"] for line in made["lines"]] == emissions
    assert made["totals"]["total_t"] == total
    assert not [flag for flag in made["flags"] if flag.startswith("no-") and flag != "no-fuel"]


@pytest.mark.parametrize(
    ("rules", "tables", "flags"),
    [
        ("us-40cfr98-h", {}, {"no-fuel", "no-clinker", "no-organic"}),
        ("eu-cbam-2025-cement", {"clinker": {"quantity": "1", **OXIDES}},
         {"no-fuel", "no-organic"}),
        ("ipcc-2006-cement", {}, {"no-fuel", "no-clinker"}),
        ("ipcc-2006-cement", {"carbonate": [{"kind": "calcite", "quantity": "1"}]}, {"no-fuel"}),
        ("us-40cfr98-q", {}, {"no-process"}),
    ],
)  # fmt: skip
def test_a_total_without_what_every_works_has_says_so(
    rules: str, tables: dict[str, Any], flags: set[str]
) -> None:
    made = made_by(rules, **tables)
    assert {flag for flag in made["flags"] if flag.startswith("no-")} == flags


def test_the_plants_own_oxidation_goes_over() -> None:
    """1000 × 22.345 × 94.6 ÷ 1000 × 97 %: what was measured of ash stays, no default of 100 %."""
    fuel = {"kind": "bituminous", "quantity": "1000", "ncv": "22.345", "use": "kiln",
            "oxidation_percent": "97"}  # fmt: skip
    month = {"rule_set": "cets-ag-02.01-v01-2024", "month": "2026-06", "fuel": [fuel],
             "clinker": {"kind": "portland", "quantity": "1"}}  # fmt: skip
    other = compute(by_other_rules(month, "ipcc-2006-cement"))
    assert other["totals"]["fuel_t"] == "2050.42"
