"""Every sentence a wrong [[register]] row can draw; each case spoils one thing of a sound row."""

from pathlib import Path

import pytest

from tests.unit.firmware_configs.profile_texts import MODBUS, OPCUA, problems_of, spoiled

#: a line of each of the two rows, behind which another can stand
VOLTAGE, STATUS = 'kind = "voltage"', 'kind = "count"'

ADDED = [
    (VOLTAGE, 'moisture = "dry"', "register[0].kind", "voltage_l1: voltage takes no moisture"),
    (VOLTAGE, 'role = "totaliser"', "register[0].role",
     "voltage_l1: a totaliser counts an amount (count duration emission energy gas-volume "
     "liquid-volume mass reactive-energy solid-fuel-mass), not voltage"),
    (STATUS, 'states = { "0" = "off" }', "register[1].states",
     'status: only a register with role = "state" has states'),
    (VOLTAGE, 'applies = ["ct"]', "register[0].applies",
     "voltage_l1: 'ct' is not one of ct_ratio | vt_ratio | pulse_weight"),
    (STATUS, 'applies = ["pulse_weight", "pulse_weight"]', "register[1].applies",
     "status: 'pulse_weight' stands there twice"),
    (VOLTAGE, 'applies = "vt_ratio"', "register[0].applies",
     "voltage_l1: 'vt_ratio' is not a list; write applies = [...]"),
    (VOLTAGE, 'applies = ["vt_ratio"]', "reports",
     'is missing: voltage_l1 applies transformer ratios; say whether the meter reports = '
     '"primary" (already applied) or "secondary"'),
    (STATUS, "invalid = [65536]", "register[1].invalid",
     "status: 65536 does not fit i16 (-32768..32767)"),
    (STATUS, "invalid = [-32769]", "register[1].invalid",
     "status: -32769 does not fit i16 (-32768..32767)"),
    (VOLTAGE, "invalid = [-1]", "register[0].invalid",
     "voltage_l1: -1 does not fit u32 (0..4294967295)"),
    (VOLTAGE, 'invalid = ["none"]', "register[0].invalid",
     "voltage_l1: none is not a whole number"),
    (VOLTAGE, 'range = ["0"]', "register[0].range",
     'voltage_l1: give two decimal numbers as text: range = ["0", "500"]'),
    (VOLTAGE, 'range = ["500", "0"]', "register[0].range", "voltage_l1: 500 is not less than 0"),
    (VOLTAGE, 'range = ["0", 500]', "register[0].range",
     'voltage_l1: 500 is not text; write the number as "500"'),
    (VOLTAGE, 'range = ["0", "lots"]', "register[0].range",
     "voltage_l1: 'lots' is not a decimal number or a ratio like 800/5"),
    (VOLTAGE, "adress = 3", "register[0].adress",
     "voltage_l1: unknown key; did you mean 'address'?"),
    (VOLTAGE, 'node = "i=85"', "register[0].node", "voltage_l1: unknown key"),
    (VOLTAGE, 'scale = "0"', "register[0].scale", "voltage_l1: 0 must be greater than zero"),
    (VOLTAGE, "scale = 0.1", "register[0].scale",
     'voltage_l1: 0.1 is not text; write scale = "0.1"'),
    (VOLTAGE, 'offset = "1/2"', "register[0].offset",
     "voltage_l1: '1/2' is a ratio; write a decimal number"),
    (VOLTAGE, 'offset = "warm"', "register[0].offset",
     "voltage_l1: 'warm' is not a decimal number or a ratio like 800/5"),
]  # fmt: skip

CHANGED = [
    ('name = "voltage_l1"\ntable', "table", "register[0].name",
     'is missing: what the value is called, e.g. name = "energy_import"'),
    ('name = "status"', 'name = "Status"', "register[1].name",
     "Status: must match [a-z0-9][a-z0-9._-]{0,62} (it becomes part of the point's id)"),
    ('name = "status"', 'name = "status-{n}"', "register[1].name",
     "status-{n}: 'status-{n}' holds {n}; allowed here: no braces"),
    ('name = "status"', 'name = "voltage_l1"', "register[1].name",
     "voltage_l1: is also the name of register[0]"),
    ('type = "i16"', 'type = "i17"', "register[1].type",
     "status: unknown number type 'i17'; known: u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 bcd16 "
     "bcd32 bcd64"),
    ('type = "i16"\n', "", "register[1].type", "status: is missing: number type, e.g. u16 i32 f32"),
    ('type = "i16"', 'type = "i8"', "register[1].type",
     "status: i8 cannot be in table holding: a register has 16 bits, use u16"),
    ('table = "holding"\naddress = 0x0015', 'table = "coil"\naddress = 0x0015', "register[1].type",
     "status: i16 cannot be in table coil: a bit is u8"),
    ('table = "holding"\naddress = 0x0015', 'table = "holdings"\naddress = 0x0015',
     "register[1].table",
     "status: 'holdings' is not one of holding | input | coil | discrete; did you mean 'holding'?"),
    ("address = 0x0015", "address = 0x0014", "register[1].address",
     "status: address 0x0014 overlaps voltage_l1 (0x0013..0x0014): look both up in the manual, one "
     "address is wrong, or a type is too long: voltage_l1 is u32"),
    ("address = 0x0015", "address = 65536", "register[1].address",
     "status: 65536 is not in 0..65535"),
    ("address = 0x0013", "address = 0xFFFF", "register[0].address",
     "voltage_l1: ends at 0x10000, beyond the last address 0xffff"),
    ("decimals = 1", "decimals = 0.1", "register[0].decimals",
     "voltage_l1: 0.1 is not a whole number in 0..9"),
    ("decimals = 1", "decimals = 10", "register[0].decimals", "voltage_l1: 10 is not in 0..9"),
    ('unit = "V"', 'unit = "A"', "register[0].unit",
     "voltage_l1: 'A' is no unit of kind 'voltage', which has V mV; it is of kind current"),
    ('unit = "V"\n', "", "register[0].unit", "voltage_l1: is missing: e.g. kWh"),
    ('kind = "count"', 'kind = "gas-volume"\nmoisture = "dry"\nreference = "0C-101.325kPa"',
     "register[1].unit",
     "status: '1' is no unit of kind 'gas-volume', which has 10^4 Nm3 Nm3 m3; it is of kind count "
     "ratio state"),
    ('source = "p. 4"\n', "", "register[0].source",
     "voltage_l1: is missing: the page or table of the manual this row is from"),
    ('kind = "count"', 'kind = "state"', "register[1].role",
     'status: a state needs both role = "state" and kind = "state"'),
]  # fmt: skip

OPCUA_CHANGED = [
    ('node = "ns={ns};s=Pot{n:02}.Voltage"\n', "", "register[0].node",
     'pot-{n:02}.voltage: is missing: node id, e.g. "ns={ns};s=Line.Current"'),
    ("s=Pot{n:02}.Voltage", "s=Pot{number}.Voltage", "register[0].node",
     "pot-{n:02}.voltage: 'ns={ns};s=Pot{number}.Voltage' holds {number}; allowed here: {n} and "
     "{ns}"),
    ("s=Pot{n:02}.Voltage", "s=Pot{n:x}.Voltage", "register[0].node",
     "pot-{n:02}.voltage: 'ns={ns};s=Pot{n:x}.Voltage' holds {n:x}; allowed here: {n} and {ns}"),
    ("s=Pot{n:02}.Voltage", "s=Pot{n:02.Voltage", "register[0].node",
     "pot-{n:02}.voltage: the braces of 'ns={ns};s=Pot{n:02.Voltage' do not match; allowed here: "
     "{n} and {ns}"),
    ('"ns={ns};s=Pot{n:02}.Voltage"', '"{ns}:Pot{n:02}.Voltage"', "register[0].node",
     "pot-{n:02}.voltage: '{ns}:Pot{n:02}.Voltage' is no node id such as ns={ns};s=Line.Current"),
    ('"ns={ns};s=Pot{n:02}.Voltage"', '"ns={ns};s=Pot.Voltage"', "register[0].node",
     "pot-{n:02}.voltage: {n} must stand in both name and node, or in neither"),
    ('namespace = "urn:acme:pots"\ntype = "f32"', 'type = "f32"', "register[0].namespace",
     "pot-{n:02}.voltage: give the URI that {ns} in node stands for, or leave out both"),
    ("s=Pot{n:02}.State", "s=Pot{n:02}.Voltage", "register[1].node",
     "pot-{n:02}.state: node ns={ns};s=Pot{n:02}.Voltage is also the node of pot-{n:02}.voltage"),
    ("point_decimals = 3\n", "", "register[0].point_decimals",
     "pot-{n:02}.voltage: is missing: decimals that are kept of a float, in its unit, such as 2"),
    ("point_decimals = 3", "point_decimals = 3\ndecimals = 1", "register[0].decimals",
     "pot-{n:02}.voltage: a float carries its own decimal point; remove decimals and give "
     "point_decimals"),
    ('states = { "0" = "unknown", "1" = "producing" }\n', "", "register[1].states",
     'pot-{n:02}.state: is missing: name the values, states = { "0" = "stopped" }'),
    ('"1" = "producing"', '"256" = "producing"', "register[1].states",
     "pot-{n:02}.state: '256' is no u8 value (0..255)"),
    ('"1" = "producing"', '"one" = "producing"', "register[1].states",
     "pot-{n:02}.state: 'one' is no u8 value (0..255)"),
    ('"1" = "producing"', '"00" = "producing"', "register[1].states",
     "pot-{n:02}.state: '00' names state 0 a second time"),
    ('"1" = "producing"', '"1" = 1', "register[1].states",
     "pot-{n:02}.state: state 1 needs a name as text"),
    ('source = "address space export"', 'source = "address space export"\nword_order = "big"',
     "word_order", "is for protocol modbus only"),
    ('source = "address space export"', 'source = "address space export"\nhole_limit = 4',
     "hole_limit", "is for protocol modbus only"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [*CHANGED, *((row, f"{row}\n{line}", *rest) for row, line, *rest in ADDED)],
)
def test_modbus_row(old: str, new: str, key: str, reason: str, tmp_path: Path) -> None:
    found = problems_of(spoiled(MODBUS, old, new), tmp_path)
    # A row spoiled by its name also loses the vector that names it.
    about_row = [problem for problem in found if not problem[0].startswith("vector")]
    assert [(k, r.split("; known here")[0]) for k, r in about_row] == [(key, reason)]


@pytest.mark.parametrize(("old", "new", "key", "reason"), OPCUA_CHANGED)
def test_opcua_row(old: str, new: str, key: str, reason: str, tmp_path: Path) -> None:
    assert problems_of(spoiled(OPCUA, old, new), tmp_path) == [(key, reason)]


def test_a_state_must_not_be_a_float(tmp_path: Path) -> None:
    text = spoiled(OPCUA, 'type = "u8"', 'type = "f32"\npoint_decimals = 0')
    assert problems_of(text, tmp_path) == [
        ("register[1].type", "pot-{n:02}.state: a state needs an integer type, e.g. u8")
    ]
