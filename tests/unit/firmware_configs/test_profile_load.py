"""What a sound profile becomes: addresses resolved, defaults filled in, sentinels normalised."""

import re
from pathlib import Path

import pytest

from evidence.points import Dtype, Quantity, Role
from firmware_configs.profile import (
    ProfileError,
    ProfileUnreadableError,
    list_profiles,
    load_profile,
    unproven_types,
)
from tests.unit.firmware_configs.hostile_toml import HOSTILE_TOML, assert_plain
from tests.unit.firmware_configs.profile_texts import (
    FULL,
    MODBUS,
    OPCUA,
    loaded,
    problems_of,
    spoiled,
)


def test_a_modbus_profile(tmp_path: Path) -> None:
    profile = loaded(MODBUS, tmp_path)
    assert (profile.id, profile.revision, profile.title) == ("acme/m1", "3", "A meter")
    assert profile.path == tmp_path / "profile.toml"
    assert (profile.protocol, profile.word_order, profile.byte_order) == ("modbus", "big", "big")
    assert (profile.max_registers_per_read, profile.hole_limit, profile.pause_ms) == (125, 0, 0)
    assert (profile.reports, profile.probe, profile.firmware) == (None, None, "")
    voltage, status = profile.registers
    assert (voltage.table, voltage.address, voltage.words) == ("holding", 0x13, 2)
    assert (voltage.dtype, voltage.decimals, voltage.point_decimals) == (Dtype.U32, 1, 1)
    assert voltage.quantity == Quantity("voltage", "V")
    assert (voltage.role, voltage.applies, voltage.invalid) == (Role.GAUGE, (), ())
    assert (voltage.scale, voltage.offset, voltage.source) == ("1", "0", "p. 4")
    assert (voltage.node, voltage.namespace, voltage.states) == (None, None, ())
    assert (status.words, status.range_min, status.range_max) == (1, None, None)
    assert profile.vectors[0].words == (0, 2300)
    assert profile.caveats == ()


def test_an_opcua_profile(tmp_path: Path) -> None:
    profile = loaded(OPCUA, tmp_path)
    voltage, state = profile.registers
    assert (voltage.table, voltage.address) == (None, None)
    assert voltage.node == "ns={ns};s=Pot{n:02}.Voltage"
    assert voltage.namespace == "urn:acme:pots"
    assert (voltage.dtype, voltage.decimals, voltage.point_decimals) == (Dtype.F32, 0, 3)
    assert state.states == ((0, "unknown"), (1, "producing"))
    assert state.role is Role.STATE


def test_a_profile_with_everything(tmp_path: Path) -> None:
    profile = loaded(FULL, tmp_path)
    assert unproven_types(profile) == []
    assert [r.taken for r in profile.registers] == [
        "holding 0x0013", "holding 0x0015", "input 0x0010, bit 3 of u16",
        "input 0x0010, bits 4-13 of u16", "input 0x0020, bcd32, low word first, low byte first",
    ]  # fmt: skip
    assert [(s.name, s.words) for s in profile.settings] == [("serial", 4), ("k_factor_1", 2)]


def test_everything_optional_is_read(tmp_path: Path) -> None:
    text = spoiled(
        MODBUS,
        'word_order = "big"',
        'word_order = "little"\nbyte_order = "little"\nmax_registers_per_read = 60\n'
        'hole_limit = 4\npause_ms = 20\nreports = "primary"\nprobe = "status"\n'
        'firmware = "1.x"',
    )
    text = spoiled(
        text,
        "decimals = 1",
        'decimals = 1\npoint_decimals = 2\nscale = "2"\noffset = "-1.5"\n'
        'applies = ["vt_ratio"]\ninvalid = [0xFFFFFFFF]\nrange = ["-1.5", "400"]',
    )
    # (0x0000_08FC = 2300 read from words and bytes swapped) 230.0 × 2 − 1.5 = 458.5
    text = spoiled(text, "words = [0x0000, 0x08FC]", "words = [0xFC08, 0x0000]")
    text = spoiled(text, 'value = "230.0"', 'value = "458.5"')
    text += '\n[[caveat]]\ntext = "Resets at midnight."\nlink = "https://example.org/9"\n'
    profile = loaded(text, tmp_path)
    assert (profile.word_order, profile.byte_order) == ("little", "little")
    assert (profile.max_registers_per_read, profile.hole_limit, profile.pause_ms) == (60, 4, 20)
    assert (profile.reports, profile.probe, profile.firmware) == ("primary", "status", "1.x")
    voltage = profile.register("voltage_l1")
    assert (voltage.decimals, voltage.point_decimals) == (1, 2)
    assert (voltage.scale, voltage.offset, voltage.applies) == ("2", "-1.5", ("vt_ratio",))
    assert (voltage.range_min, voltage.range_max) == ("-1.5", "400")
    assert voltage.invalid == (0xFFFFFFFF,)
    assert [(c.text, c.link) for c in profile.caveats] == [
        ("Resets at midnight.", "https://example.org/9")
    ]


@pytest.mark.parametrize(
    ("notation", "table", "written", "resolved"),
    [
        ("0-based", "holding", "0", ("holding", 0)),
        ("0-based", "input", "0xFFFF", ("input", 65535)),
        ("1-based", "holding", "1", ("holding", 0)),
        ("1-based", "input", "65536", ("input", 65535)),
        ("40001", None, "40001", ("holding", 0)),
        ("40001", None, "49999", ("holding", 9998)),
        ("40001", None, "30010", ("input", 9)),
        ("40001", None, "400001", ("holding", 0)),
        ("40001", None, "465536", ("holding", 65535)),
        ("40001", None, "300100", ("input", 99)),
        ("40001", "holding", "40100", ("holding", 99)),
    ],
)
def test_address_notations(
    notation: str, table: str | None, written: str, resolved: tuple[str, int], tmp_path: Path
) -> None:
    where = f'table = "{table}"\naddress = {written}' if table else f"address = {written}"
    text = spoiled(MODBUS, '"0-based"', f'"{notation}"')
    text = spoiled(text, 'table = "holding"\naddress = 0x0015', where)
    other = "40101" if notation == "40001" else "100"
    text = spoiled(
        text, 'table = "holding"\naddress = 0x0013', f'table = "holding"\naddress = {other}'
    )
    status = loaded(text, tmp_path).register("status")
    assert (status.table, status.address) == resolved


@pytest.mark.parametrize(
    ("written", "resolved"), [("1", ("coil", 0)), ("10001", ("discrete", 0)), ("19", ("coil", 18))]
)
def test_bits_in_40001_notation(written: str, resolved: tuple[str, int], tmp_path: Path) -> None:
    text = spoiled(MODBUS, '"0-based"', '"40001"').replace("address = 0x0013", "address = 40020")
    text = spoiled(
        text,
        'table = "holding"\naddress = 0x0015\ntype = "i16"',
        f'address = {written}\ntype = "u8"',
    )
    status = loaded(text, tmp_path).register("status")
    assert (status.table, status.address, status.words) == (*resolved, 1)


@pytest.mark.parametrize(
    ("notation", "where", "key", "reason"),
    [
        (
            "1-based",
            'table = "holding"\naddress = 0',
            "address",
            '0 is not in 1..65536; a manual that counts from 0 is address_notation = "0-based"',
        ),
        ("1-based", 'table = "input"\naddress = 65537', "address", "65537 is not in 1..65536"),
        (
            "0-based",
            'table = "input"\naddress = 400001',
            "address",
            "400001 is not in 0..65535; in 40001 notation it is holding 0, and this row says "
            'input: write that, or address_notation = "40001" for the whole file',
        ),
        (
            "1-based",
            'table = "input"\naddress = 300100',
            "address",
            "300100 is not in 1..65536; in 40001 notation it is input 100: write that, or "
            'address_notation = "40001" for the whole file',
        ),
        (
            "40001",
            "address = 20001",
            "address",
            "20001 is no address in 40001 notation: 4xxxx holding, 3xxxx input, 1xxxx discrete, "
            "0xxxx coil",
        ),
        (
            "40001",
            "address = 40000",
            "address",
            "40000 is no address in 40001 notation: 4xxxx holding, 3xxxx input, 1xxxx discrete, "
            "0xxxx coil, each counted from 1",
        ),
        (
            "40001",
            'table = "holding"\naddress = 30001',
            "table",
            "holding contradicts address 30001, which is input 0x0000 on the wire; "
            "holding 0x0000 is written 40001",
        ),
        (
            "40001",
            'table = "input"\naddress = 400010',
            "table",
            "input contradicts address 400010, which is holding 0x0009 on the wire; "
            "input 0x0009 is written 30010",
        ),
        (
            "40001",
            'table = "holding"\naddress = 101',
            "table",
            "holding contradicts address 101, which is coil 0x0064 on the wire; "
            "holding 0x0064 is written 40101",
        ),
    ],
)
def test_wrong_addresses_by_notation(
    notation: str, where: str, key: str, reason: str, tmp_path: Path
) -> None:
    text = spoiled(MODBUS, '"0-based"', f'"{notation}"')
    text = text.replace(
        "address = 0x0013", "address = 40500" if notation == "40001" else "address = 500"
    )
    text = spoiled(text, 'table = "holding"\naddress = 0x0015', where)
    assert problems_of(text, tmp_path) == [(f"register[1].{key}", f"status: {reason}")]


def test_a_signed_pattern_becomes_the_number_it_means(tmp_path: Path) -> None:
    text = spoiled(MODBUS, 'kind = "count"', 'kind = "count"\ninvalid = [0x8000, -32768, 0x7FFF]')
    assert loaded(text, tmp_path).register("status").invalid == (-32768, -32768, 32767)


def test_a_float_sentinel_is_a_number(tmp_path: Path) -> None:
    text = spoiled(OPCUA, "point_decimals = 3", "point_decimals = 3\ninvalid = [-9999]")
    assert loaded(text, tmp_path).registers[0].invalid == (-9999,)


def test_a_float_sentinel_must_be_exact(tmp_path: Path) -> None:
    text = spoiled(OPCUA, "point_decimals = 3", "point_decimals = 3\ninvalid = [16777217]")
    assert problems_of(text, tmp_path) == [
        (
            "register[0].invalid",
            "pot-{n:02}.voltage: 16777217 does not fit f32 (-16777216..16777216)",
        )
    ]


def test_same_address_in_two_tables_is_fine(tmp_path: Path) -> None:
    text = spoiled(
        MODBUS, 'table = "holding"\naddress = 0x0015', 'table = "input"\naddress = 0x0013'
    )
    assert problems_of(text, tmp_path) == []


def test_neighbours_do_not_overlap(tmp_path: Path) -> None:
    # voltage_l1 takes 0x13 and 0x14; 0x12 before it and 0x15 behind it are free.
    assert problems_of(MODBUS, tmp_path) == []
    assert problems_of(spoiled(MODBUS, "0x0015", "0x0012"), tmp_path) == []


def test_the_second_half_of_a_register_is_taken_too(tmp_path: Path) -> None:
    text = spoiled(MODBUS, 'address = 0x0015\ntype = "i16"', 'address = 0x0012\ntype = "u32"')
    assert problems_of(text, tmp_path) == [
        (
            "register[1].address",
            "status: address 0x0012 overlaps voltage_l1 (0x0013..0x0014): look both up in the "
            "manual, one address is wrong, or a type is too long: voltage_l1 is u32",
        )
    ]


def test_register_by_name(tmp_path: Path) -> None:
    profile = loaded(MODBUS, tmp_path)
    assert profile.register("status").address == 0x15
    with pytest.raises(
        KeyError, match="acme/m1 has no register 'power'; it has: voltage_l1 status"
    ):
        profile.register("power")


class TestByName:
    """Profiles are found by "vendor/model" under a folder."""

    def put(self, folder: Path, place: str, text: str) -> None:
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def test_found(self, tmp_path: Path) -> None:
        self.put(tmp_path, "acme/m1.toml", MODBUS)
        self.put(tmp_path, "acme/g1.toml", OPCUA)
        assert list_profiles(folder=tmp_path) == ["acme/g1", "acme/m1"]
        assert load_profile("acme/m1", folder=tmp_path).id == "acme/m1"

    @pytest.mark.parametrize("name", ["acme/m2", "m1", "../acme/m1", "acme/m1/x", ""])
    def test_not_found_names_the_known_ones(self, name: str, tmp_path: Path) -> None:
        self.put(tmp_path, "acme/m1.toml", MODBUS)
        with pytest.raises(ProfileUnreadableError) as caught:
            load_profile(name, folder=tmp_path)
        (problem,) = caught.value.errors
        assert re.fullmatch(
            "there is no such profile; (known: acme/m1|did you mean 'acme/m1'[?])", problem.reason
        )

    def test_in_the_wrong_place(self, tmp_path: Path) -> None:
        self.put(tmp_path, "acme/m9.toml", MODBUS)
        with pytest.raises(ProfileError) as caught:
            load_profile("acme/m9", folder=tmp_path)
        assert [(p.key, p.reason) for p in caught.value.errors] == [
            ("model", "vendor/model 'acme/m1' does not fit the file's place 'acme/m9'")
        ]


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(ProfileUnreadableError, match=r"gone\.toml: cannot be read: No such file"):
        load_profile(str(tmp_path / "gone.toml"))


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    found = problems_of(MODBUS + "\n[[register]]\nname = \n", tmp_path)
    line = len(MODBUS.splitlines()) + 3
    assert [key for key, _ in found] == [""]
    assert found[0][1].startswith(f"is not TOML: Invalid value (at line {line},")


def test_not_even_text(tmp_path: Path) -> None:
    (tmp_path / "profile.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ProfileError, match="is not TOML"):
        load_profile(str(tmp_path / "profile.toml"))


def test_a_newer_format_is_not_judged(tmp_path: Path) -> None:
    text = spoiled(MODBUS, "format = 1", "format = 2\nshape = 3")
    path = tmp_path / "profile.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileUnreadableError) as caught:
        load_profile(str(path))
    assert [(p.key, p.reason) for p in caught.value.errors] == [
        ("format", "is newer than this program, which reads format 1")
    ]


def test_the_error_is_one_text_of_all_lines(tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    path.write_text(spoiled(spoiled(MODBUS, 'unit = "V"\n', ""), "revision", "revison"))
    with pytest.raises(ProfileError) as caught:
        load_profile(str(path))
    assert sorted(str(caught.value).splitlines()) == [
        f"{path}: register[0].unit: voltage_l1: is missing: e.g. kWh",
        f"{path}: revision: is missing: of this file; goes into the signed configuration",
        f"{path}: revison: unknown key; did you mean 'revision'?",
    ]


def test_types_without_a_vector_are_named(tmp_path: Path) -> None:
    assert unproven_types(loaded(MODBUS, tmp_path)) == []
    without = MODBUS[: MODBUS.index("[[vector]]")]
    assert unproven_types(loaded(without, tmp_path)) == ["u32"]


@pytest.mark.parametrize("text", HOSTILE_TOML)
def test_hostile_toml(text: str, tmp_path: Path) -> None:
    (found,) = problems_of(text, tmp_path)
    assert found[1].startswith("is not TOML: ")
    assert_plain(found[1])


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "x.toml").mkdir()
    with pytest.raises(ProfileError, match=r"x\.toml: cannot be read: Is a directory"):
        load_profile(str(tmp_path / "x.toml"))
