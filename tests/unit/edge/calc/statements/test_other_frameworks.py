"""Cement and steel by other frameworks: lines, refusals, and a sealed month read by them."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.errors import InputError, StatementError
from edge.calc.factors import other_statement_rule_sets, rule_set
from edge.calc.statements.line import COUNTS
from edge.calc.statements.other_rules import by_other_rules
from edge.calc.statements.statement import compute

ANALYSIS = {"cao_percent": "65.1", "mgo_percent": "1.5", "cao_noncarbonate_percent": "0.9",
            "mgo_noncarbonate_percent": "0.2"}  # fmt: skip
CEMENT: dict[str, Any] = {
    "rule_set": "cets-ag-02.01-v01-2024", "month": "2026-06",
    "fuel": [
        {"kind": "bituminous", "quantity": "1000", "ncv": "22.345", "use": "kiln"},
        {"kind": "natural-gas", "quantity": "2"},
    ],
    "clinker": {"kind": "portland", "quantity": "10000"},
    "substitute": [{"kind": "carbide-slag", "quantity": "100"}],
}  # fmt: skip
STEEL: dict[str, Any] = {
    "rule_set": "cets-ag-03.01-v01-2024", "month": "2026-06",
    "fuel": [{"kind": "washed-coal", "quantity": "100"}, {"kind": "coke", "quantity": "50"}],
    "process": [{"material": "electrode", "quantity": "10"},
                {"material": "limestone", "quantity": "100", "factor": "0.43"}],
    "product": [{"product": "crude-steel", "quantity": "1000"}],
}  # fmt: skip


def month(rules: str, **tables: Any) -> dict[str, Any]:
    return compute({"rule_set": rules, "month": "2026-06", **tables})


def refused(rules: str, **tables: Any) -> Sequence[str]:
    with pytest.raises(StatementError) as caught:
        month(rules, **tables)
    return caught.value.problems


def emissions(statement: dict[str, Any]) -> dict[str, str]:
    return {f"{line['category']}.{line['kind']}": line["emission_t"] for line in statement["lines"]}


def test_a_kiln_by_subpart_h() -> None:
    """By hand: EF = (65.1 - 0.9) % × 0.785 + (1.5 - 0.2) % × 1.092 = 0.518166.

    10000 short tons × EF × 2000/2205 = 4699.92; dust 200 × (0.42 × 0.785 + 0.02 × 1.092) × …
    = 63.77; 16000 × 0.2 % × 44/12 × … = 106.42; coal 1000 short tons × 24.93 × 93.28 ÷ 1000.
    """
    short = {"counted_in": "short ton"}
    made = month(
        "us-40cfr98-h",
        fuel=[{"kind": "bituminous", "quantity": "1000", **short}],
        clinker={"quantity": "10000", **short, **ANALYSIS},
        dust=[{"quantity": "200", "cao_percent": "42", "mgo_percent": "2", **short}],
        organic=[{"quantity": "16000", **short}],
    )
    assert emissions(made) == {
        "fuel.bituminous": "2325.47", "clinker.clinker": "4699.92", "dust.dust": "63.77",
        "organic.organic": "106.42",
    }  # fmt: skip
    assert made["totals"]["clinker_t"] == "4870.11"
    assert {"unconfirmed:organic.carbon_percent", "unconfirmed:dust.cao_noncarbonate_percent"} <= {
        *made["flags"]
    }
    assert made["lines"][1]["parameters"]["quantity"]["unit"] == "short ton"


def test_the_same_kiln_in_tonnes() -> None:
    """10000 t × 0.518166; coal: 1000 t are 1102.3113 short tons."""
    tonnes = {"counted_in": "t"}
    made = month(
        "us-40cfr98-h",
        fuel=[{"kind": "bituminous", "quantity": "1000", **tonnes}],
        clinker={"quantity": "10000", **tonnes, **ANALYSIS},
    )
    assert emissions(made) == {"fuel.bituminous": "2563.39", "clinker.clinker": "5181.66"}


def test_clinker_by_the_ipccs_tiers() -> None:
    """Tier 2: 10000 × 0.65 × 0.785 × 1.02; Tier 3: 15000 t of limestone, 95 % pure, × 0.43971."""
    two = month("ipcc-2006-cement", fuel=[], clinker={"quantity": "10000"})
    assert emissions(two) == {"clinker.clinker": "5204.55"}
    limestone = {"kind": "calcite", "quantity": "15000", "purity_percent": "95"}
    three = month("ipcc-2006-cement", carbonate=[limestone])
    assert emissions(three) == {"carbonate.calcium-carbonate": "6265.87"}
    both = refused("ipcc-2006-cement", clinker={"quantity": "1"}, carbonate=[limestone])
    assert list(both) == ["carbonate: of the same clinker (Tier 3); give it or clinker (Tier 2)"]
    magnesia = refused("ipcc-2006-cement", clinker={"quantity": "1", "mgo_percent": "2"})
    assert list(magnesia) == ["clinker.mgo_percent: ipcc-2006-cement counts no mgo"]


def test_steel_by_what_is_made_and_by_carbon() -> None:
    """1000 × 1.46, 200 × 0.08; a furnace: 44/12 × (5 + 2.997) less 950 × 0.002 × 44/12."""
    tier_1 = month(
        "ipcc-2006-steel",
        process=[{"material": "bof-steel", "quantity": "1000"},
                 {"material": "电炉钢", "quantity": "200"}],
    )  # fmt: skip
    assert emissions(tier_1) == {"process.bof-steel": "1460.00", "process.eaf-steel": "16.00"}
    furnace = month(
        "us-40cfr98-q",
        process=[{"material": "scrap", "quantity": "1000", "carbon": "0.005", "unit": "eaf-1"},
                 {"material": "electrode", "quantity": "3", "carbon": "0.999", "unit": "eaf-1"},
                 {"material": "coal-charged", "quantity": "1000"}],
        product=[{"product": "steel", "quantity": "950", "carbon": "0.002", "unit": "eaf-1"}],
    )  # fmt: skip
    assert emissions(furnace) == {
        "process.scrap": "18.33", "process.electrode": "10.99", "process.coal-charged": "8.00",
        "product.steel": "6.97",
    }  # fmt: skip
    assert furnace["totals"]["total_t"] == "30.35"
    assert furnace["units"]["eaf-1"]["total_t"] == "22.35"


@pytest.mark.parametrize(
    ("rules", "tables", "said"),
    [
        ("us-40cfr98-h", {"clinker": {"quantity": "1", **ANALYSIS}},
         'clinker.counted_in: missing: "t" or "short ton"'),
        ("us-40cfr98-h", {"clinker": {"quantity": "1", "counted_in": "t"}},
         "clinker.cao_percent: missing: us-40cfr98-h has no default"),
        ("us-40cfr98-h", {"fuel": [{"kind": "coke", "quantity": "1", "counted_in": "t",
                                    "ncv": "28"}]}, "fuel[0].ncv: us-40cfr98-h counts gross heat"),
        ("us-40cfr98-h", {"fuel": [{"kind": "coke", "quantity": "1", "counted_in": "kg"}]},
         "fuel[0].counted_in: 'kg' unknown"),
        ("us-40cfr98-q", {"process": [{"material": "scrap", "quantity": "1"}]},
         "process[0].carbon: missing: us-40cfr98-q has no default for scrap"),
        ("us-40cfr98-q", {"process": [{"material": "scrap", "quantity": "1", "carbon": "5"}]},
         "process[0].carbon: 5 is above 1 tC/t"),
        ("ipcc-2006-steel", {"process": [{"material": "dri", "quantity": "1", "carbon": "0.1"}]},
         "process[0].carbon: ipcc-2006-steel counts what is made by factor"),
        ("ipcc-2006-cement", {"fuel": [{"kind": "natural-gas", "quantity": "1"}]},
         "fuel[0].ncv: missing: ipcc-2006-cement has none by volume"),
        ("ipcc-2006-cement", {"fuel": [{"kind": "coke", "quantity": "1", "heat": "gross"}]},
         "fuel[0].heat: a gross heating value (HHV)"),
        ("ipcc-2006-cement", {"fuel": [{"kind": "coke", "quantity": "1", "factor_t_tj": "107000"}]},
         "fuel[0].factor_t_tj: 107000 is above 700 tCO2/TJ"),
        ("eu-cbam-2025-cement", {"fuel": [{"kind": "coke", "quantity": "1"}]},
         "fuel[0].ncv: missing: eu-cbam-2025-cement has no default for coke"),
        ("eu-cbam-2025-cement",
         {"clinker": {"quantity": "1", **ANALYSIS, "cao_noncarbonate_percent": "70"}},
         "clinker.cao_noncarbonate_percent: more than cao_percent itself"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(rules: str, tables: dict[str, Any], said: str) -> None:
    assert any(said in problem for problem in refused(rules, **tables))


def test_a_sealed_month_of_cement_by_others() -> None:
    ipcc = compute(by_other_rules(CEMENT, "ipcc-2006-cement"))
    # 1000 × 22.345 × 94.6 ÷ 1000; 2 × 389.310 × 56.1 ÷ 1000; 10000 × 0.520455
    assert emissions(ipcc) == {
        "fuel.bituminous": "2113.84", "fuel.natural-gas": "43.68", "clinker.clinker": "5204.55",
    }  # fmt: skip
    assert {"left-out:substitute", "typed:fuel.ncv"} <= {*ipcc["flags"]}
    with pytest.raises(StatementError) as caught:
        compute(by_other_rules(CEMENT, "us-40cfr98-h"))
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        f"clinker.{name}" for name in ANALYSIS
    ]
    added = {f"clinker.{name}": value for name, value in ANALYSIS.items()}
    us = compute(by_other_rules(CEMENT, "us-40cfr98-h", "", added))
    assert emissions(us) == {"fuel.bituminous": "2563.39", "clinker.clinker": "5181.66"}
    assert {"left-out:fuel.natural-gas", "typed:clinker.cao_percent"} <= {*us["flags"]}
    assert "provenance" not in CEMENT["clinker"]  # the first input stays as it was
    with pytest.raises(InputError, match="the input has no table dust"):
        by_other_rules(CEMENT, "us-40cfr98-h", "", {"dust[0].cao_percent": "1"})


def test_a_sealed_month_of_steel_by_others() -> None:
    eu = compute(by_other_rules(STEEL, "eu-cbam-2025-steel"))
    # 50 × 28.435 × 107 ÷ 1000; 10 × 0.8188 × 3.664; the plant's own 0.43; 1000 × 0.0109 × 3.664
    assert emissions(eu) == {
        "fuel.coke": "152.13", "process.electrode": "30.00", "process.limestone": "43.00",
        "product.crude-steel": "39.94",
    }  # fmt: skip
    assert "left-out:fuel.washed-coal" in eu["flags"]
    with pytest.raises(StatementError, match="what each furnace produced"):
        by_other_rules(STEEL, "ipcc-2019-steel")
    with pytest.raises(StatementError, match="is of cement, the month of steel"):
        by_other_rules(STEEL, "ipcc-2006-cement")


QUANTITY = st.integers(1, 10**8).map(lambda n: f"{Decimal(n).scaleb(-2):f}")


@given(st.lists(QUANTITY, min_size=1, max_size=4), st.lists(QUANTITY, max_size=4))
def test_every_total_recomputes_from_its_own_lines(ins: list[str], outs: list[str]) -> None:
    given_ = {
        "us-40cfr98-q": {
            "process": [{"material": "scrap", "quantity": q, "carbon": "0.0123"} for q in ins],
            "product": [{"product": "steel", "quantity": q, "carbon": "0.0021"} for q in outs],
        },
        "us-40cfr98-h": {
            "clinker": [{"quantity": q, "counted_in": "short ton", **ANALYSIS} for q in ins],
            "organic": [{"quantity": q, "counted_in": "t"} for q in outs],
        },
        "ipcc-2006-cement": {
            "fuel": [{"kind": "lignite", "quantity": q} for q in outs],
            "clinker": [{"quantity": q} for q in ins],
        },
    }
    for rules, tables in given_.items():
        made, back = (
            month(rules, **{key: step(each) for key, each in tables.items()})
            for step in (list, lambda each: list(reversed(each)))
        )
        signed = (
            COUNTS[line["category"]][2] * Fraction(line["emission_t"]) for line in made["lines"]
        )
        assert Fraction(made["totals"]["total_t"]) == sum(signed)
        assert made["totals"] == back["totals"]


def test_none_of_them_seals_and_each_says_its_doubts() -> None:
    for name in other_statement_rule_sets():
        assert rule_set(name).sector in {"aluminium", "cement", "steel"}
    assert not rule_set("us-40cfr98-h").row("organic.carbon_percent").confirmed
