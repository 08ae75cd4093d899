"""Every sentence a wrong profile can draw: the key it names and the way out it gives.

Each case spoils one thing of a sound file and expects exactly that one complaint, so that a
mistake is neither missed nor drowned in follow-ups.
"""

from pathlib import Path

import pytest

from tests.unit.firmware_configs.profile_texts import MODBUS, problems_of, spoiled

ADDED = [
    ('word_oder = "big"', "word_oder", "unknown key; did you mean 'word_order'?"),
    ("max_registers_per_read = 126", "max_registers_per_read", "126 is not in 1..125"),
    ("hole_limit = -1", "hole_limit", "-1 is not in 0..124"),
    ('reports = "tertiary"', "reports", "'tertiary' is not one of primary | secondary"),
    ('probe = "serial"', "probe", "'serial' is no register of this profile"),
    ('caveat = "none"', "caveat", "must be written as tables: [[caveat]]"),
]  # fmt: skip

HEAD = [
    ('vendor = "acme"\n', "", "vendor", "is missing: must match [a-z0-9-]{1,40}"),
    ('vendor = "acme"', 'vendor = "ACME"', "vendor", "'ACME' must match [a-z0-9-]{1,40}"),
    ("format = 1\n", "", "format", "is missing: a whole number in 1..2147483648"),
    ("format = 1", "format = true", "format", "True is not a whole number in 1..2147483648"),
    ("format = 1", "format = 0", "format", "0 is not in 1..2147483648"),
    ('revision = "3"', "revision = 3", "revision", '3 is not text; write revision = "3"'),
    ('title = "A meter"', 'title = " "', "title", "is empty: one line for people"),
    ('quality_level = "simulated"', 'quality_level = "feild"', "quality_level",
     "'feild' is not one of simulated | bench | field | metrology; did you mean 'field'?"),
    ('source = "manual, revision 7"\n', "", "source",
     "is missing: manual and revision the map comes from"),
    ('address_notation = "0-based"\n', "", "address_notation",
     "is missing: one of 0-based | 1-based | 40001"),
    ('word_order = "big"\n', "", "word_order", "is missing: one of big | little"),
    ('word_order = "big"', 'word_order = "mid"', "word_order", "'mid' is not one of big | little"),
]  # fmt: skip

VECTOR = [
    ('register = "voltage_l1"', 'register = "voltage"', "vector[0].register",
     "voltage: is no register of this profile"),
    ("words = [0x0000, 0x08FC]", "words = [0x08FC]", "vector[0].words",
     "voltage_l1: there are 1, but u32 takes 2"),
    ("words = [0x0000, 0x08FC]", "words = [0x0000, 0x108FC]", "vector[0].words",
     "voltage_l1: 67836 is not a 16-bit word (0..0xffff)"),
    ("words = [0x0000, 0x08FC]\n", "", "vector[0].words",
     "voltage_l1: is missing: the 16-bit words in address order"),
    ("words = [0x0000, 0x08FC]", "words = [0x08FC, 0x0000]", "vector[0].value",
     "voltage_l1: the words are raw 150732800 (word_order big, byte_order big), which is not "
     "230.0; it is with word_order little, byte_order big"),
    ('value = "230.0"', 'value = "230.1"', "vector[0].value",
     "voltage_l1: the words are raw 2300 (word_order big, byte_order big), which is not 230.1"),
    ('value = "230.0"', "value = 230.0", "vector[0].value",
     'voltage_l1: 230.0 is not text; write value = "230.0"'),
    ('value = "230.0"\n', "", "vector[0].value",
     "voltage_l1: is missing: decimal text, what the words mean"),
    ('value = "230.0"', 'value = "230.0"\npage = 4', "vector[0].page",
     "voltage_l1: unknown key; known here: register setting value words"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "key", "reason"), HEAD)
def test_head_of_the_file(old: str, new: str, key: str, reason: str, tmp_path: Path) -> None:
    assert problems_of(spoiled(MODBUS, old, new), tmp_path) == [(key, reason)]


@pytest.mark.parametrize(("line", "key", "reason"), ADDED)
def test_one_line_more(line: str, key: str, reason: str, tmp_path: Path) -> None:
    place = 'word_order = "big"'
    assert problems_of(spoiled(MODBUS, place, f"{place}\n{line}"), tmp_path) == [(key, reason)]


@pytest.mark.parametrize(("old", "new", "key", "reason"), VECTOR)
def test_vector(old: str, new: str, key: str, reason: str, tmp_path: Path) -> None:
    assert problems_of(spoiled(MODBUS, old, new), tmp_path) == [(key, reason)]


def test_all_errors_come_at_once(tmp_path: Path) -> None:
    text = MODBUS
    for old, new in [
        ('title = "A meter"\n', ""),
        ('type = "u32"', 'type = "u33"'),
        ("address = 0x0015", 'address = "15"'),
        ('kind = "count"', 'kind = "counts"'),
        ('value = "230.0"', 'val = "230.0"'),
    ]:
        text = spoiled(text, old, new)
    keys = [key for key, _ in problems_of(text, tmp_path)]
    assert sorted(keys) == [
        "register[0].type",
        "register[1].address",
        "register[1].kind",
        "title",
        "vector[0].val",
        "vector[0].value",
    ]


def test_a_wrong_row_accuses_no_other(tmp_path: Path) -> None:
    # The stand-in address of the second row would lie inside the first one's.
    text = spoiled(MODBUS, "address = 0x0013", "address = 0")
    text = spoiled(text, "address = 0x0015", 'address = "twenty-one"')
    assert [key for key, _ in problems_of(text, tmp_path)] == ["register[1].address"]


def test_no_registers_at_all(tmp_path: Path) -> None:
    text = MODBUS[: MODBUS.index("[[register]]")]
    assert problems_of(text, tmp_path) == [
        ("register", "is missing: a profile needs at least one [[register]]")
    ]


def test_a_vector_of_a_bit_is_refused(tmp_path: Path) -> None:
    text = spoiled(MODBUS, 'table = "holding"\naddress = 0x0013\ntype = "u32"\ndecimals = 1',
                   'table = "coil"\naddress = 0x0013\ntype = "u8"')  # fmt: skip
    assert problems_of(text, tmp_path) == [
        ("vector[0].register", "voltage_l1: is in table coil; vectors are for 16-bit registers")
    ]
