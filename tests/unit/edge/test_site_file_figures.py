"""What a site file may not say about figures: bounds, templates, meters that would count twice."""

from pathlib import Path

import pytest

from tests.unit.edge.sites import AC, POTLINE, SITE, changed, problems, replaced, site_of

RULE = '"94.5"\n[potline.anode_effect]\n'


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ('"469"', '"0.999"', "statement.anode.gross_kg_per_t", "'0.999' is not in 1..2000 kg/t"),
        ('"469"', '"2000.1"', "statement.anode.gross_kg_per_t", "'2000.1' is not in 1..2000 kg/t"),
        (
            '"94.5"', RULE + 'v_start_v = "1000.1"', "potline[0].anode_effect.v_start_v",
            "'1000.1' must be greater than zero and at most 1000 V",
        ),
        (
            '"94.5"', RULE + 't_end_s = "3600.001"', "potline[0].anode_effect.t_end_s",
            "'3600.001' must be greater than zero and at most 3600 s",
        ),
        (
            '"94.5"', RULE + 't_start_s = "0"', "potline[0].anode_effect.t_start_s",
            "'0' must be greater than zero and at most 3600 s",
        ),
        (
            '"94.5"', RULE + 't_start_s = "0.0001"', "potline[0].anode_effect.t_start_s",
            "'0.0001' has more than 3 decimals of a second",
        ),
        ("North works", "N" * 201, "plant.name", "201 characters are too many; 200 at most"),
        ("North works", r"North\u0007", "plant.name", "holds characters that cannot be printed"),
        ("800/5", "1000001/5", "device[0].ct_ratio", "'1000001/5' holds or makes a number above"),
        ("800/5", "5/1000001", "device[0].ct_ratio", "'5/1000001' holds or makes a number above"),
        ("800/5", "-1e9/-1e9", "device[0].ct_ratio", "-1e9/-1e9' holds or makes a number"),
        ("800/5", "800/0.0005", "device[0].ct_ratio", "'800/0.0005' holds or makes a number above"),
        ("10000/100", "1e7", "device[0].vt_ratio", "'1e7' holds or makes a number above 1000000"),
    ],
)  # fmt: skip
def test_out_of_bounds(tmp_path: Path, old: str, new: str, key: str, says: str) -> None:
    found, reason = changed(tmp_path, old, new)
    assert found == key
    assert says in reason


def test_at_the_bounds(tmp_path: Path) -> None:
    text = replaced(
        SITE,
        {
            '"469"': '"2000"',
            '"94.5"': f'{RULE}v_start_v = "1000"\nt_end_s = "3600"\nt_start_s = "0.001"',
            "North works": "北" * 200,
            "800/5": "1000000/1",
        },
    )
    site = site_of(tmp_path, text)
    assert site.plant.name == "北" * 200
    assert site.potlines[0]["anode_effect"]["t_start_s"] == "0.001"
    site_of(tmp_path, replaced(SITE, {'"469"': '"1"'}))


# -- what stands in a template is never a format string ---------------------------------------


@pytest.mark.parametrize(
    "mark",
    [
        "{n:0999999999}", "{n:2}", "{n:00}", "{n:02d}", "{n!r}", "{n.__class__}", "{}", "{{n}}",
        "{n:{n}}", "{n", "n}", "{m}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("part", ["voltage", "state"])
def test_template(tmp_path: Path, mark: str, part: str) -> None:
    found = changed(tmp_path, f"{{n:02}}.{part}", f"{mark}.{part}")
    text = f"pot-gateway.pot-{mark}.{part}"
    assert found == (
        f"potline[0].pot_{part}",
        f"line-1: {text!r} may only hold {{n}} or {{n:02}}, with one digit after 0",
    )


def test_templates_fill_as_they_say(tmp_path: Path) -> None:
    text = replaced(SITE, {"{n:02}.voltage": "0{n}.voltage"})
    pots = site_of(tmp_path, text).potlines[0]["pots"]
    assert [pot["voltage"] for pot in pots] == [f"pot-gateway.pot-0{n}.voltage" for n in (1, 2, 3)]
    assert pots[2]["state"] == "pot-gateway.pot-03.state"


# -- one meter counts once --------------------------------------------------------------------

GAS_ENTRY = SITE[SITE.index("[[statement.fuel]]") : SITE.index("[[statement.auxiliary]]")]
AC_ENTRY = SITE[SITE.index("[[statement.auxiliary]]") :]


@pytest.mark.parametrize(
    ("entry", "place", "points"),
    [
        (GAS_ENTRY, "statement.fuel", {"point": "gas-1.volume", "flow_point": "gas-1.flow"}),
        (
            AC_ENTRY, "statement.auxiliary",
            {"point": "ac-1.energy_import", "power_point": "ac-1.power"},
        ),
    ],
)  # fmt: skip
def test_meter_in_two_entries(
    tmp_path: Path, entry: str, place: str, points: dict[str, str]
) -> None:
    assert problems(tmp_path, replaced(SITE, {entry: entry + entry})) == [
        (
            f"{place}[1].{key}",
            f"{point!r} is used by {place}[0].{key} and by {place}[1].{key}; it would count twice",
        )
        for key, point in points.items()
    ]


def test_metal_that_is_a_fuel_too(tmp_path: Path) -> None:
    fuel = '[[statement.fuel]]\nkind = "coke"\npoint = "pot-gateway.metal_tapped"\n'
    assert problems(tmp_path, SITE + fuel) == [
        (
            "statement.fuel[1].point",
            "'pot-gateway.metal_tapped' is used by statement.metal.point and by "
            "statement.fuel[1].point; it would count twice",
        )
    ]


def test_two_meters_of_one_kind_are_fine(tmp_path: Path) -> None:
    second = AC.replace("ac-1", "ac-2").replace("unit=1", "unit=2")
    text = replaced(SITE, {AC: AC + second}) + AC_ENTRY.replace("ac-1", "ac-2")
    assert len(site_of(tmp_path, text).statement["auxiliary"]) == 2


def test_pots_and_current_of_two_potlines(tmp_path: Path) -> None:
    second = POTLINE.replace("line-1", "line-2").replace('"1-3"', '"2-3"')
    found = problems(tmp_path, replaced(SITE, {POTLINE: POTLINE + second}))
    assert [(key, reason.partition(" is used by ")[2]) for key, reason in found] == [
        (
            "potline[1].line_current",
            "potline[0].line_current and by potline[1].line_current; it would count twice",
        ),
        ("potline[1].pot_voltage", "potline[0] pot 02 and by potline[1] pot 02; it would count "
         "twice"),
    ]  # fmt: skip


def test_pots_of_a_section_share_its_state(tmp_path: Path) -> None:
    pots = site_of(tmp_path, replaced(SITE, {"{n:02}.state": "01.state"})).potlines[0]["pots"]
    assert {pot["state"] for pot in pots} == {"pot-gateway.pot-01.state"}


def test_template_without_a_number_makes_all_pots_one(tmp_path: Path) -> None:
    found, reason = changed(tmp_path, "{n:02}.voltage", "01.voltage")
    assert found == "potline[0].pot_voltage"
    assert "is used by potline[0] pot 01 and by potline[0] pot 02" in reason


# -- what this version has --------------------------------------------------------------------


def test_auxiliary_is_electricity(tmp_path: Path) -> None:
    assert changed(tmp_path, 'kind = "electricity"', 'kind = "steam"') == (
        "statement.auxiliary[0].kind", "'steam' is not one of electricity",
    )  # fmt: skip


@pytest.mark.parametrize("sector", ["cement", "steel"])
def test_sector_of_another_rule_set(tmp_path: Path, sector: str) -> None:
    assert changed(tmp_path, '"aluminium"', f'"{sector}"') == (
        "plant.rule_set",
        f"cets-ag-04.01-v01-2024 is for aluminium, and the sector is {sector}",
    )


@pytest.mark.parametrize("name", ["cets-99", "gwp", "physics", "ipcc-2019"])
def test_rule_set_that_is_none(tmp_path: Path, name: str) -> None:
    """Tables of coefficients are neither taken nor offered."""
    text = replaced(SITE, {"cets-ag-04.01-v01-2024": name, '"94.5"': '"945"'})
    first, second = problems(tmp_path, text)
    known = " | ".join(f"cets-ag-0{n}.01-v01-2024" for n in (2, 3, 4))
    assert first == ("plant.rule_set", f"{name!r} is not one of {known}")
    assert second[0] == "potline[0].current_efficiency_percent"


BESIDE = """
[[statement.beside]]
check = "second-meter"
of = "gas-1.volume"
point = "%s"
"""


def test_a_second_meter_is_no_figure_and_its_point_is_used_once(tmp_path: Path) -> None:
    text = BESIDE % "gas-1.volume" + "[[statement.fuel]]"
    found, reason = changed(tmp_path, "[[statement.fuel]]", text)
    assert (found, "it would count twice" in reason) == ("statement.beside[0].point", True)
