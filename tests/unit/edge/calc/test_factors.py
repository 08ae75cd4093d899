"""Rule sets as data: every row complete, values as the sources print them."""

from fractions import Fraction

import pytest

from edge.calc.errors import UnknownRuleSetError
from edge.calc.factors import (
    CONFIDENCES,
    coefficient_rows,
    find_kind,
    gwp_row,
    gwp_sets,
    rule_set,
    rule_set_bytes,
    rule_set_files,
    rule_set_ids,
)
from edge.calc.methods.pfc import EDITIONS

ALUMINIUM = "cets-ag-04.01-v01-2024"

#: accounting-rule fuel table: kind, NCV, carbon content (tC/GJ), state
FUELS = [
    ("anthracite", "22.867", "0.02749", "solid"),
    ("bituminous", "23.076", "0.02618", "solid"),
    ("lignite", "14.759", "0.02797", "solid"),
    ("washed-coal", "26.344", "0.02541", "solid"),
    ("gangue", "8.374", "0.02541", "solid"),
    ("slime", "12.545", "0.02541", "solid"),
    ("coke", "28.435", "0.02942", "solid"),
    ("petroleum-coke", "32.500", "0.02750", "solid"),
    ("crude-oil", "41.816", "0.02008", "liquid"),
    ("fuel-oil", "41.816", "0.02110", "liquid"),
    ("gasoline", "43.070", "0.01890", "liquid"),
    ("diesel", "42.652", "0.02020", "liquid"),
    ("kerosene", "43.070", "0.01960", "liquid"),
    ("lng", "51.498", "0.01720", "liquid"),
    ("lpg", "50.179", "0.01720", "liquid"),
    ("coal-tar", "33.453", "0.02200", "liquid"),
    ("refinery-gas", "45.998", "0.01820", "liquid"),
    ("natural-gas", "389.310", "0.01532", "gas"),
    ("blast-furnace-gas", "33.000", "0.07080", "gas"),
    ("converter-gas", "84.000", "0.04960", "gas"),
    ("coke-oven-gas", "173.854", "0.01210", "gas"),
]

#: molar masses, g/mol (IUPAC abridged): an independent origin of the carbonate factors
MOLAR = {
    "Ca": "40.078", "Mg": "24.305", "Na": "22.990", "Fe": "55.845", "Mn": "54.938",
    "Ba": "137.327", "Li": "6.94", "K": "39.098", "Sr": "87.62", "H": "1.008",
    "C": "12.011", "O": "15.999",
}  # fmt: skip
CARBONATES = {
    "calcium-carbonate": ("Ca", 1, 1),
    "magnesium-carbonate": ("Mg", 1, 1),
    "sodium-carbonate": ("Na", 2, 1),
    "iron-carbonate": ("Fe", 1, 1),
    "manganese-carbonate": ("Mn", 1, 1),
    "barium-carbonate": ("Ba", 1, 1),
    "lithium-carbonate": ("Li", 2, 1),
    "potassium-carbonate": ("K", 2, 1),
    "strontium-carbonate": ("Sr", 1, 1),
}

SECTORS = (ALUMINIUM, "cets-ag-02.01-v01-2024", "cets-ag-03.01-v01-2024")


@pytest.mark.parametrize("rule_set_id", rule_set_ids())
def test_every_row_is_complete(rule_set_id: str) -> None:
    rules = rule_set(rule_set_id)
    assert rules.id == rule_set_id
    assert rules.title
    assert rules.zh
    assert rules.edition
    assert rules.rows
    for row in rules.rows.values():
        assert row.value >= 0
        assert row.unit
        assert row.basis
        assert row.source
        assert row.confidence in CONFIDENCES
        assert row.edition == rule_set(row.rule_set).edition
        assert row.rule_set in {rules.id, *rules.tables}


@pytest.mark.parametrize(("kind", "ncv", "carbon", "state"), FUELS)
def test_fuel_defaults_are_the_same_in_all_three_sectors(
    kind: str, ncv: str, carbon: str, state: str
) -> None:
    for rules in map(rule_set, SECTORS):
        assert rules.row(f"fuel.{kind}.ncv").text == ncv
        assert rules.row(f"fuel.{kind}.carbon_content").text == carbon
        assert rules.fuels[kind].state == state


@pytest.mark.parametrize("rule_set_id", SECTORS)
def test_the_table_has_no_other_fuels(rule_set_id: str) -> None:
    assert set(rule_set(rule_set_id).fuels) == {row[0] for row in FUELS}


@pytest.mark.parametrize(("state", "percent"), [("solid", "98"), ("liquid", "98"), ("gas", "99")])
def test_oxidation_of_the_aluminium_guideline(state: str, percent: str) -> None:
    assert rule_set(ALUMINIUM).row(f"fuel.{state}.oxidation_percent").text == percent


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ("anode.loss_percent", "15.18"),
        ("anode.sulfur_percent", "2"),
        ("anode.ash_percent", "0.4"),
        ("pfc.cf4_kg_t", "0.02"),
        ("pfc.c2f6_kg_t", "0.0011"),
        ("carbonate.purity_percent", "100"),
        ("carbon.co2_ratio", "44/12"),
    ],
)
def test_aluminium_defaults(row: str, value: str) -> None:
    assert rule_set(ALUMINIUM).row(row).text == value


def test_what_is_not_confirmed_is_marked() -> None:
    rules = rule_set(ALUMINIUM)
    assert rules.row("fuel.bituminous.carbon_content").confidence == "conflicting"
    assert not rules.row("pfc.cf4_kg_t").confirmed
    assert rules.row("fuel.natural-gas.ncv").confirmed


@pytest.mark.parametrize(("kind", "formula"), CARBONATES.items())
def test_carbonate_factors_are_stoichiometric(kind: str, formula: tuple[str, int, int]) -> None:
    metal, atoms, carbonates = formula
    co2 = Fraction(MOLAR["C"]) + 2 * Fraction(MOLAR["O"])
    whole = atoms * Fraction(MOLAR[metal]) + carbonates * (co2 + Fraction(MOLAR["O"]))
    printed = rule_set(ALUMINIUM).row(f"carbonate.{kind}.factor").value
    assert abs(printed - carbonates * co2 / whole) < Fraction(4, 10_000)


def test_bicarbonate_and_dolomite_are_stoichiometric() -> None:
    mass = {k: Fraction(v) for k, v in MOLAR.items()}
    co2 = mass["C"] + 2 * mass["O"]
    rules = rule_set(ALUMINIUM)
    bicarbonate = mass["Na"] + mass["H"] + co2 + mass["O"]
    dolomite = mass["Ca"] + mass["Mg"] + 2 * (co2 + mass["O"])
    found = rules.row("carbonate.sodium-bicarbonate.factor").value
    assert abs(found - co2 / bicarbonate) < Fraction(4, 10_000)
    found = rules.row("carbonate.calcium-magnesium-carbonate.factor").value
    assert abs(found - 2 * co2 / dolomite) < Fraction(4, 10_000)


@pytest.mark.parametrize(
    ("gwp", "cf4", "c2f6"),
    [
        ("sar", "6500", "9200"),
        ("ar4", "7390", "12200"),
        ("ar5", "6630", "11100"),
        ("ar6", "7380", "12400"),
    ],
)
def test_gwp100(gwp: str, cf4: str, c2f6: str) -> None:
    """Values of PyPI globalwarmingpotentials 0.13.2 (CC0)."""
    assert (gwp_row(gwp, "cf4").text, gwp_row(gwp, "c2f6").text) == (cf4, c2f6)


def test_gwp_sets() -> None:
    assert gwp_sets() == ["ar4", "ar5", "ar6", "sar"]


@pytest.mark.parametrize(
    ("edition", "technology", "slope", "fraction"),
    [
        ("ipcc-2006", "CWPB", "0.143", "0.121"),
        ("ipcc-2006", "SWPB", "0.272", "0.252"),
        ("ipcc-2006", "VSS", "0.092", "0.053"),
        ("ipcc-2006", "HSS", "0.099", "0.085"),
        ("ipcc-2019", "PFPB-L", "0.122", "0.097"),
        ("ipcc-2019", "PFPB-M", "0.104", "0.057"),
        ("ipcc-2019", "CWPB", "0.143", "0.121"),
        ("ipcc-2019", "SWPB", "0.233", "0.280"),
        ("ipcc-2019", "VSS", "0.058", "0.086"),
        ("ipcc-2019", "HSS", "0.165", "0.077"),
        ("ndrc-2013", "CWPB", "0.143", "0.1"),
        ("cets-04.01", "PFPB-M", "0.143", "0.1"),
    ],
)
def test_slope_coefficients(edition: str, technology: str, slope: str, fraction: str) -> None:
    rows = coefficient_rows(edition, "slope", technology)
    assert rows is not None
    assert (rows[0].text, rows[1].text) == (slope, fraction)


@pytest.mark.parametrize("edition", ["ipcc-2006", "ipcc-2019"])
def test_overvoltage_coefficients(edition: str) -> None:
    for technology, coefficient, fraction in (("CWPB", "1.16", "0.121"), ("SWPB", "3.65", "0.252")):
        rows = coefficient_rows(edition, "overvoltage", technology)
        assert rows is not None
        assert (rows[0].text, rows[1].text) == (coefficient, fraction)


def test_the_two_methods_disagree_on_side_worked_cells() -> None:
    """In the 2019 generation SWPB's C2F6 fraction differs between slope and overvoltage."""
    slope, over = (coefficient_rows("ipcc-2019", m, "SWPB") for m in ("slope", "overvoltage"))
    assert slope is not None
    assert over is not None
    assert slope[1].value != over[1].value


def test_a_missing_coefficient_is_none() -> None:
    assert coefficient_rows("ipcc-2006", "slope", "PFPB-M") is None
    assert coefficient_rows("ipcc-2006", "overvoltage", "VSS") is None


def test_faraday_constant_against_its_definition() -> None:
    """M(Al) 26.9815384 g/mol, z = 3, F = 96485.33212 C/mol (CODATA 2018)."""
    per_ka_day = Fraction("26.9815384") / (3 * Fraction("96485.33212")) * 86_400
    found = rule_set("physics").row("aluminium.faraday").value
    assert abs(found - per_ka_day) < Fraction(1, 10_000)


@pytest.mark.parametrize("name", ["天然气", "natural-gas"])
def test_kinds_have_chinese_names(name: str) -> None:
    kind = find_kind(rule_set(ALUMINIUM).fuels, name)
    assert kind is not None
    assert (kind.id, kind.unit) == ("natural-gas", "10^4 Nm3")


@pytest.mark.parametrize("name", ["limestone", "石灰石", "碳酸钙", "CaCO3"])
def test_carbonates_have_aliases(name: str) -> None:
    kind = find_kind(rule_set(ALUMINIUM).carbonates, name)
    assert kind is not None
    assert kind.id == "calcium-carbonate"


def test_no_name_means_two_kinds() -> None:
    for kinds in (rule_set(ALUMINIUM).fuels, rule_set(ALUMINIUM).carbonates):
        names = [n for kind in kinds.values() for n in (kind.id, kind.zh, *kind.aliases)]
        assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "name", ["cets-ag-99", "", "../secrets", "/etc/passwd", "CETS", "a" * 65, "gwp.toml"]
)
def test_an_unknown_rule_set_is_refused_and_the_known_are_named(name: str) -> None:
    with pytest.raises(UnknownRuleSetError, match=rf"made by: .*{ALUMINIUM}$"):
        rule_set_bytes(name)


def test_bytes_are_the_published_file() -> None:
    assert b'id = "cets-ag-04.01-v01-2024"' in rule_set_bytes(ALUMINIUM)


def test_a_rule_set_names_every_table_a_figure_of_it_can_be_made_by() -> None:
    everybodys = {name for name in rule_set_ids() if rule_set(name).sector == "any"}
    fitting = everybodys - {"cets-year"} | set(EDITIONS)  # no figure of a month is by that one
    assert set(rule_set(ALUMINIUM).tables) == fitting
    assert set(rule_set_files(ALUMINIUM)) == {ALUMINIUM, *fitting}
