"""What a meter tells about itself: rows that are no points, and the vectors of their texts."""

import json
import re
from pathlib import Path

import pytest

import firmware_configs
from evidence.points import Dtype
from firmware_configs.cli import main
from firmware_configs.model import SETTINGS
from firmware_configs.profile import unproven_types
from tests.unit.firmware_configs.profile_texts import MODBUS, OPCUA, loaded, problems_of
from tests.unit.firmware_configs.test_messages import DLT645 as METER

SERIAL = """
[[setting]]
means = "serial"
table = "holding"
address = 0x0100
type = "text"
length = 4
source = "p. 9"
"""

K_FACTOR = """
[[setting]]
name = "k_factor_1"
means = "k_factor"
table = "input"
address = 0x0200
type = "u32"
decimals = 3
unit = "pulses/m3"
word_order = "little"
invalid = [0xFFFFFFFF]
source = "p. 10"
"""

NODE = """
[[setting]]
name = "controller.firmware"
means = "firmware"
node = "ns={ns};s=Controller.Firmware"
namespace = "urn:acme:pots"
type = "text"
source = "folder Pot"
"""


def test_a_text(tmp_path: Path) -> None:
    (serial,) = loaded(MODBUS + SERIAL, tmp_path).settings
    assert (serial.name, serial.means, serial.is_text) == ("serial", "serial", True)
    assert (serial.words, serial.unit) == (4, "")
    row = serial.register
    assert (row.table, row.address, row.byte_order, row.source) == ("holding", 256, "big", "p. 9")


def test_a_number(tmp_path: Path) -> None:
    (factor,) = loaded(MODBUS + K_FACTOR, tmp_path).settings
    assert (factor.name, factor.means, factor.unit) == ("k_factor_1", "k_factor", "pulses/m3")
    assert (factor.is_text, factor.words) == (False, 2)
    row = factor.register
    assert (row.dtype, row.decimals, row.word_order) == (Dtype.U32, 3, "little")
    assert row.invalid == (0xFFFFFFFF,)


def test_a_node(tmp_path: Path) -> None:
    (firmware,) = loaded(OPCUA + NODE, tmp_path).settings
    assert firmware.name == "controller.firmware"
    assert (firmware.is_text, firmware.text_words) == (True, 0)
    assert firmware.register.node == "ns={ns};s=Controller.Firmware"
    assert firmware.register.namespace == "urn:acme:pots"


def test_a_setting_is_of_the_device_and_of_no_part_of_it(tmp_path: Path) -> None:
    parts = NODE.replace("controller.", "pot-{n:02}.").replace("Controller.", "Pot{n:02}.")
    ((key, reason),) = problems_of(OPCUA + parts, tmp_path)
    assert key == "setting[0].name"
    assert "{n} is for registers" in reason


def test_a_setting_is_no_point(tmp_path: Path) -> None:
    profile = loaded(MODBUS + SERIAL, tmp_path)
    assert [r.name for r in profile.registers] == ["voltage_l1", "status"]


def test_the_issues_own_list_can_be_said() -> None:
    wanted = {"serial", "firmware", "ct_ratio", "vt_ratio", "k_factor", "span_low", "span_high",
              "low_flow_cutoff", "totaliser_resets", "parameter_changes"}  # fmt: skip
    assert wanted <= set(SETTINGS)


def test_the_readme_names_all_of_them_and_its_example_is_one(tmp_path: Path) -> None:
    text = (Path(firmware_configs.__file__).parent / "README.md").read_text(encoding="utf-8")
    listed = text[text.index("`means` is one of:") :].partition(". In a text")[0]
    assert re.findall(r"`(\w+)`", listed) == ["means", *SETTINGS]
    (example,) = re.findall(r"```toml\n(\[\[setting.*?)```", text, flags=re.DOTALL)
    (setting,) = loaded(MODBUS + "\n" + example, tmp_path).settings
    assert (setting.name, setting.unit) == ("k_factor_1", "pulses/m3")


def test_a_setting_may_stand_where_a_point_does(tmp_path: Path) -> None:
    text = SERIAL.replace("0x0100", "0x0015").replace('type = "text"\nlength = 4', 'type = "i16"')
    assert problems_of(MODBUS + text, tmp_path) == []


WRONG = [
    (SERIAL, 'means = "serial"', 'means = "serail"', "means",
     "'serail' is not one of " + " | ".join(SETTINGS) + "; did you mean 'serial'?"),
    (SERIAL, "length = 4\n", "", "length", "serial: is missing: a whole number in 1..64"),
    (SERIAL, "length = 4", "length = 65", "length", "serial: 65 is not in 1..64"),
    (SERIAL, "address = 0x0100", "address = 0xFFFD", "address",
     "serial: ends at 0x10000, beyond the last address 0xffff"),
    (SERIAL, 'table = "holding"', 'table = "coil"', "type",
     "serial: text cannot be in table coil: a bit is u8"),
    (SERIAL, "length = 4", "length = 4\ninvalid = [0]", "invalid",
     "serial: is of numbers; this is a text"),
    (SERIAL, "length = 4", 'length = 4\nword_order = "little"', "word_order",
     "serial: is of numbers; this is a text"),
    (SERIAL, 'source = "p. 9"\n', "", "source",
     "serial: is missing: the page or table of the manual this row is from"),
    (K_FACTOR, 'name = "k_factor_1"', 'name = "K 1"', "name",
     "K 1: must match [a-z0-9][a-z0-9._-]{0,62} (it becomes part of the point's id)"),
    (K_FACTOR, 'type = "u32"', 'type = "u33"', "type",
     "k_factor_1: unknown number type 'u33'; known: u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 "
     "bcd16 bcd32 bcd64"),
    (K_FACTOR, "invalid = [0xFFFFFFFF]", "invalid = [0x100000000]", "invalid",
     "k_factor_1: 4294967296 does not fit u32 (0..4294967295)"),
]  # fmt: skip


@pytest.mark.parametrize(("setting", "old", "new", "key", "reason"), WRONG)
def test_wrong(*, setting: str, old: str, new: str, key: str, reason: str, tmp_path: Path) -> None:
    assert old in setting
    found = problems_of(MODBUS + setting.replace(old, new), tmp_path)
    assert found == [(f"setting[0].{key}", reason)]


def test_a_text_has_no_decimals(tmp_path: Path) -> None:
    text = MODBUS + SERIAL.replace("length = 4", "length = 4\ndecimals = 1")
    ((key, reason),) = problems_of(text, tmp_path)
    assert (key, reason.partition(";")[0]) == ("setting[0].decimals", "serial: unknown key")


def test_a_name_is_there_once(tmp_path: Path) -> None:
    other = SERIAL.replace("0x0100", "0x0200")
    assert problems_of(MODBUS + SERIAL + other, tmp_path) == [
        ("setting[1].name", "serial: 'serial' is also the name of setting[0]")
    ]


class TestVectorsOfSettings:
    """A text proves its byte order, a number its word order."""

    # S 0x53, N 0x4E, 4 0x34, 2 0x32
    TRUE = '\n[[vector]]\nsetting = "serial"\nwords = [0x534E, 0x3432, 0, 0]\nvalue = "SN42"\n'

    def test_true(self, tmp_path: Path) -> None:
        assert problems_of(MODBUS + SERIAL + self.TRUE, tmp_path) == []
        # 1234.567 pulses/m3 = 1234567 counts = 0x0012D687, low word first
        number = '\n[[vector]]\nsetting = "k_factor_1"\nwords = [0xD687, 0x0012]\n'
        assert problems_of(f'{MODBUS}{K_FACTOR}{number}value = "1234.567"\n', tmp_path) == []

    @pytest.mark.parametrize(
        ("old", "new", "key", "reason"),
        [
            ('"SN42"', '"SN43"', "value",
             "serial: the words are 'SN42' (byte_order big), which is not 'SN43'"),
            ("0x534E, 0x3432, 0, 0", "0x534E, 0x3432", "words",
             "serial: there are 2, but text takes 4"),
            ("0x534E", "0x53FF", "words",
             "serial: are no ASCII text (byte_order big): 'ascii' codec can't decode byte 0xff "
             "in position 1: ordinal not in range(128)"),
            ('setting = "serial"', 'setting = "model"', "setting",
             "model: is no setting of this profile"),
            ('setting = "serial"', 'setting = "serial"\nregister = "status"', "register",
             "serial: is one thing too many beside setting"),
        ],
    )  # fmt: skip
    def test_untrue(self, old: str, new: str, key: str, reason: str, tmp_path: Path) -> None:
        assert old in self.TRUE
        text = MODBUS + SERIAL + self.TRUE.replace(old, new)
        assert problems_of(text, tmp_path) == [(f"vector[1].{key}", reason)]

    def test_a_number_of_a_setting_is_a_decimal(self, tmp_path: Path) -> None:
        row = '\n[[vector]]\nsetting = "k_factor_1"\nwords = [0, 0]\nvalue = "none"\n'
        assert problems_of(MODBUS + K_FACTOR + row, tmp_path) == [
            ("vector[1].value",
             "k_factor_1: 'none' is not a decimal number or a ratio like 800/5")
        ]  # fmt: skip

    def test_without_one_the_order_is_only_claimed(self, tmp_path: Path) -> None:
        assert unproven_types(loaded(MODBUS + SERIAL, tmp_path)) == ["text"]
        assert unproven_types(loaded(MODBUS + SERIAL + self.TRUE, tmp_path)) == []
        assert unproven_types(loaded(MODBUS + K_FACTOR, tmp_path)) == ["u32 with word_order little"]

    def test_nodes_prove_nothing_about_words(self, tmp_path: Path) -> None:
        assert unproven_types(loaded(OPCUA + NODE, tmp_path)) == []


def test_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.toml"
    path.write_text(MODBUS.replace('"0-based"', '"1-based"') + SERIAL + K_FACTOR)
    assert main(["show", str(path)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["serial", "holding", "256", "0x00ff", "text", "setting:", "serial"] in lines
    assert ["k_factor_1", "input", "512", "0x01ff", "u32", "pulses/m3", "setting:",
            "k_factor"] in lines  # fmt: skip


def test_show_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.toml"
    path.write_text(MODBUS + SERIAL + K_FACTOR)
    assert main(["show", str(path), "--json"]) == 0
    serial, factor = json.loads(capsys.readouterr().out)["settings"]
    assert serial == {
        "name": "serial", "means": "serial", "table": "holding", "address": 256, "written": 256,
        "type": "text", "length": 4, "word_order": "big", "byte_order": "big", "source": "p. 9",
    }  # fmt: skip
    assert (factor["decimals"], factor["unit"]) == (3, "pulses/m3")
    assert factor["invalid"] == [0xFFFFFFFF]


ITEM = """
[[setting]]
means = "constant"
di = "04000409"
type = "u32"
format = "XXXX.XX"
source = "DL/T 645-2007, appendix A"
"""


def test_the_decimals_of_a_dlt645_item_are_those_of_its_format(tmp_path: Path) -> None:
    (setting,) = loaded(METER + ITEM, tmp_path).settings
    assert setting.register.decimals == 2
    given = ITEM + "decimals = 2\n"
    assert [key for key, _ in problems_of(METER + given, tmp_path)] == ["setting[0].decimals"]
    text = ITEM.replace('"u32"', '"text"')
    assert "setting[0].type" in dict(problems_of(METER + text, tmp_path))


def test_more_settings_than_one_event_holds(tmp_path: Path) -> None:
    rows = "".join(SERIAL.replace("[[setting]]", f'[[setting]]\nname = "s{i}"') for i in range(65))
    ((key, reason),) = problems_of(MODBUS + rows, tmp_path)
    assert key == "setting[64]"
    assert "more than 64 settings" in reason
