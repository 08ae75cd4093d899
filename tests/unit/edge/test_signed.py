"""The signed configuration: everything that turns raw counts into figures, as plain CBOR values."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from edge.errors import SiteConfigError
from edge.pipeline import Layout
from edge.signed import _without_credentials
from evidence import cbor
from evidence.blocks import compress
from evidence.configuration import decode_configuration
from evidence.points import Dtype, Point
from evidence.recompute import Recomputation
from tests.unit.edge.sites import GAS, HEAD, SITE, config_of, replaced, site_of
from tests.unit.firmware_configs.profile_texts import FULL

AC_HEAD = 'id = "ac-1"\n'


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return config_of(site_of(tmp_path_factory.mktemp("site")))


def by_id(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {point["id"]: point for point in config["points"]}


def test_heads(config: dict[str, Any]) -> None:
    assert config["format"] == 1
    assert config["software"] == "stackproof test"
    assert config["plant"] == {
        "id": "north-works", "name": "North works", "sector": "aluminium",
        "time_zone": "Asia/Shanghai", "rule_set": "cets-ag-04.01-v01-2024", "simulated": True,
    }  # fmt: skip
    assert config["gateway"] == {"id": "edge-1", "slice": "00"}
    assert config["collector"] == {"key_sha256": bytes(range(32))}
    assert config["schedules"] == [{"interval_ns": 1_000_000_000}]


def test_it_is_one_that_every_reader_takes(config: dict[str, Any]) -> None:
    assert decode_configuration(compress(cbor.encode(config))) == config


def test_devices_name_profile_and_ratios(config: dict[str, Any]) -> None:
    ac, gas, pots = config["devices"]
    assert list(ac["meter"]) == [
        "serial", "firmware", "ct_primary", "ct_secondary", "totaliser_resets",
        "parameter_changes",
    ]  # fmt: skip
    assert "meter" not in pots, "its profile names no settings"
    assert {key: value for key, value in ac.items() if key != "meter"} == {
        "id": "ac-1", "url": "modbus+tcp://127.0.0.1:15020?unit=1",
        "profile": "stackproof/ac-meter", "profile_revision": "3", "provenance": "meter-direct",
        "schedule": 0, "settings": {"ct_ratio": "800/5", "vt_ratio": "10000/100"},
    }  # fmt: skip
    assert (gas["settings"], pots["provenance"]) == ({}, "via-control-system")


@pytest.mark.parametrize(
    ("given", "signed"),
    [
        ("modbus+tcp://h:502?unit=1", "modbus+tcp://h:502?unit=1"),
        ("opc.tcp://user:secret@h:4840/x", "opc.tcp://h:4840/x"),
        ("modbus+rtu:///dev/ttyS0?unit=1&baud=9600", "modbus+rtu:///dev/ttyS0?unit=1&baud=9600"),
    ],
)
def test_a_devices_url_is_signed_as_given_but_for_secrets(given: str, signed: str) -> None:
    assert _without_credentials(given) == signed


def test_ratios_are_named_in_the_points_they_multiply(config: dict[str, Any]) -> None:
    points = by_id(config)
    assert points["ac-1.current_l1"]["scaling"]["ct_ratio"] == "800/5"
    assert "vt_ratio" not in points["ac-1.current_l1"]["scaling"]
    assert points["ac-1.voltage_l1"]["scaling"]["vt_ratio"] == "10000/100"
    assert points["ac-1.energy_import"]["scaling"] == {
        "raw_decimals": 5, "ct_ratio": "800/5", "vt_ratio": "10000/100",
    }  # fmt: skip
    assert "scaling" not in points["ac-1.frequency"] or not {"ct_ratio", "vt_ratio"} & set(
        points["ac-1.frequency"]["scaling"]
    )
    # a raw step is 0.00001 kWh of the secondary side: × 160 × 100 = 0.16 kWh
    assert Point.from_map(points["ac-1.energy_import"]).scaling.factor == Fraction(16, 100)


def test_instances_are_points_with_their_own_place(config: dict[str, Any]) -> None:
    points = by_id(config)
    voltages = [f"pot-gateway.pot-0{n}.voltage" for n in (1, 2, 3)]
    assert [i for i in points if i.endswith(".voltage")] == voltages
    assert points["pot-gateway.pot-02.voltage"]["source"] == (
        "ns=urn:stackproof:sim:potline;s=Pot02.Voltage"
    )
    assert points["ac-1.energy_import"]["source"].startswith("holding 0x")


def test_a_source_says_how_a_number_was_taken_when_it_is_not_the_usual_way(
    config: dict[str, Any],
) -> None:
    points = by_id(config)
    assert points["ac-1.energy_import"]["source"] == "holding 0x0BB8"
    assert points["gas-1.volume"]["source"] == "holding 0x00C8, low word first"
    assert points["gas-1.temperature"]["source"] == "holding 0x0066"  # one word has no word order


def test_bit_fields_and_bcd_are_signed_as_integers_with_the_way_they_were_taken(
    tmp_path: Path,
) -> None:
    (tmp_path / "full.toml").write_text(FULL)
    site = replaced(HEAD + GAS + "[statement]\n", {'"stackproof/gas-meter"': '"full.toml"'})
    config = config_of(site_of(tmp_path, site))
    assert decode_configuration(compress(cbor.encode(config))) == config
    points = by_id(config)
    valve, total = points["gas-1.valve"], points["gas-1.total"]
    assert (valve["dtype"], valve["states"]) == (Dtype.U8.value, [[0, "shut"], [1, "open"]])
    assert valve["source"] == "input 0x0010, bit 3 of u16"
    assert (total["dtype"], "scaling" in total) == (Dtype.U32.value, False)
    assert total["source"] == "input 0x0020, bcd32, low word first, low byte first"


def test_groups_hold_every_point_once_one_dtype_each(config: dict[str, Any]) -> None:
    indices = [i for group in config["groups"] for i in group["points"]]
    assert sorted(indices) == list(range(len(config["points"])))
    for group in config["groups"]:
        dtypes = {config["points"][i]["dtype"] for i in group["points"]}
        assert dtypes == {group["dtype"]}
        computed = {config["points"][i]["provenance"] == "computed" for i in group["points"]}
        assert computed == {group["computed"]}
    assert [g["computed"] for g in config["groups"]] == [False] * 8 + [True]


def test_computed_points_stand_at_the_end(config: dict[str, Any]) -> None:
    group = config["groups"][-1]
    assert (group["schedule"], group["dtype"]) == (0, Dtype.I64.value)
    names = [config["points"][i]["id"] for i in group["points"]]
    assert group["points"] == list(range(24, 41))
    assert names[0] == "line-1.producing"
    assert names[-3:] == ["plant.gas_co2_t_h", "plant.co2e_t_h", "plant.energy_day_kwh"]
    assert names[11:14] == [f"line-1.pot-0{n}.effect" for n in (1, 2, 3)]


def test_defaults_of_the_anode_effect_rule_are_signed(config: dict[str, Any]) -> None:
    (line,) = config["potlines"]
    assert line["anode_effect"] == {
        "v_start_v": "8", "t_start_s": "2", "v_end_v": "8", "t_end_s": "2", "t_merge_s": "10",
        "target_v": "4.2", "mode": "positive",
    }  # fmt: skip
    assert line["indicator"] == {"edition": "ipcc-2019", "gwp": "ar5"}
    assert line["pots"][2] == {
        "id": "03", "voltage": "pot-gateway.pot-03.voltage", "state": "pot-gateway.pot-03.state",
    }  # fmt: skip


def test_coefficients_of_the_site_are_signed_and_the_configuration_is_a_good_one(
    tmp_path: Path,
) -> None:
    own = """"94.5"
    indicator_edition = "site"
    indicator_slope = "0.0987"
    indicator_c2f6_fraction = "0.061"
    indicator_source = "measured 2026-03, report 17"
    [potline.anode_effect]
    mode = "algebraic"
    """
    config = config_of(site_of(tmp_path, replaced(SITE, {'"94.5"': own})))
    (line,) = decode_configuration(compress(cbor.encode(config)))["potlines"]
    assert line["indicator"] == {
        "edition": "site", "gwp": "ar5", "slope": "0.0987", "c2f6_fraction": "0.061",
        "source": "measured 2026-03, report 17",
    }  # fmt: skip
    assert line["anode_effect"]["mode"] == "algebraic"
    Recomputation().configure(b"cfg", config)


def test_statement(config: dict[str, Any]) -> None:
    assert config["statement"] == {
        "metal": {"point": "pot-gateway.metal_tapped", "rule": "totaliser"},
        "anode": {"gross_kg_per_t": "469", "source": "typed in a test"},
        "fuels": [
            {"kind": "natural-gas", "point": "gas-1.volume", "rule": "totaliser",
             "flow_point": "gas-1.flow"},
        ],
        "auxiliary": [
            {"kind": "electricity", "point": "ac-1.energy_import", "rule": "totaliser",
             "power_point": "ac-1.power"},
        ],
    }  # fmt: skip


def test_it_comes_back_equal_from_its_bytes(config: dict[str, Any]) -> None:
    """The agent compares the decoded one in force with a new one: tuples would always differ."""
    assert cbor.decode(cbor.encode(config)) == config


def test_agent_and_verifier_can_use_it(config: dict[str, Any]) -> None:
    layout = Layout(config)
    assert layout.points[config["groups"][1]["points"][0]].id == "ac-1.voltage_l1"
    Recomputation().configure(bytes(32), config)


def test_schedules_are_numbered_shortest_first(tmp_path: Path) -> None:
    slow = 'id = "ac-1"\ninterval_s = "60"'
    half = 'id = "pot-gateway"\ninterval_s = "0.5"'
    text = replaced(SITE, {'id = "ac-1"': slow, 'id = "pot-gateway"': half})
    config = config_of(site_of(tmp_path, text))
    assert [s["interval_ns"] for s in config["schedules"]] == [5 * 10**8, 10**9, 60 * 10**9]
    assert [d["schedule"] for d in config["devices"]] == [2, 1, 0]
    layout = Layout(config)
    assert layout.devices == ((2,), (1,), (0,))
    for g, plan in enumerate(layout.groups):
        devices = {p.device for p in plan.points} - {""}
        assert len(devices) == 1 or plan.computed, g
    assert layout.groups[-1].schedule == 0


def test_chosen_registers_only(tmp_path: Path) -> None:
    text = replaced(SITE, {'vt_ratio = "10000/100"': 'vt_ratio = "10000/100"\npoints = '
                           '["power", "energy_import"]'})  # fmt: skip
    config = config_of(site_of(tmp_path, text))
    ids = [i for i in by_id(config) if i.startswith("ac-1.")]
    assert ids == ["ac-1.power", "ac-1.energy_import"]


def test_pots_that_are_not_read_with_the_fastest_are_refused(tmp_path: Path) -> None:
    """The agent could not have been built from it; the month neither."""
    site = site_of(tmp_path, replaced(SITE, {AC_HEAD: f'{AC_HEAD}interval_s = "0.5"\n'}))
    with pytest.raises(SiteConfigError) as caught:
        config_of(site)
    (problem,) = caught.value.problems
    assert (problem.file, problem.key, problem.reason) == (
        str(site.path), "potline[0]",
        "potline line-1: pot voltages must be read on schedule 0",
    )  # fmt: skip


def test_same_site_same_bytes_changed_ratio_other_bytes(tmp_path: Path) -> None:
    first, again = (cbor.encode(config_of(site_of(tmp_path))) for _ in range(2))
    assert first == again
    other = config_of(site_of(tmp_path, replaced(SITE, {"800/5": "400/5"})))
    assert cbor.encode(other) != first
