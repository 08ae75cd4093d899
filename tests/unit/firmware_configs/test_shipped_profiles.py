"""The profiles that come with the product: sound, proven by vectors, and what the plant expects."""

import struct
from decimal import Decimal
from typing import Literal

import pytest

from evidence.points import Dtype, Point, Role
from firmware_configs.profile import (
    Profile,
    Register,
    list_profiles,
    load_profile,
    unproven_types,
)

SHIPPED = list_profiles()


def test_there_are_the_three_of_the_first_issue() -> None:
    assert set(SHIPPED) >= {
        "stackproof/ac-meter",
        "stackproof/gas-meter",
        "stackproof/pot-gateway",
    }


@pytest.fixture(params=SHIPPED)
def profile(request: pytest.FixtureRequest) -> Profile:
    return load_profile(request.param)


def test_every_long_type_is_proven(profile: Profile) -> None:
    assert unproven_types(profile) == []


def test_what_was_never_on_a_device_says_so(profile: Profile) -> None:
    if profile.vendor == "stackproof":
        assert profile.quality_level == "simulated"
        assert "simulated" in profile.source or "simulator" in profile.source


def test_every_register_makes_a_point(profile: Profile) -> None:
    for register in profile.registers:
        point = Point(
            id=f"device-1.{register.name.format(n=24)}",
            quantity=register.quantity,
            dtype=register.dtype,
            decimals=register.point_decimals,
            role=register.role,
            range_min=register.range_min,
            range_max=register.range_max,
            states=register.states,
        )
        assert point.id.startswith("device-1.")


def test_the_installation_multiplies_only_what_transformers_stand_before(profile: Profile) -> None:
    powers = ("power", "energy", "reactive-power", "reactive-energy", "apparent-power")
    wanted = {"voltage": {"vt_ratio"}, "current": {"ct_ratio"}}
    wanted |= {kind: {"ct_ratio", "vt_ratio"} for kind in powers}
    if profile.reports != "secondary":
        return
    for register in profile.registers:
        assert set(register.applies) == wanted.get(register.quantity.kind, set()), register.name


CODES = {Dtype.U16: "H", Dtype.I16: "h", Dtype.U32: "I", Dtype.I32: "i", Dtype.U64: "Q",
         Dtype.I64: "q", Dtype.F32: "f", Dtype.F64: "d"}  # fmt: skip


def by_struct(words: tuple[int, ...], register: Register) -> Decimal:
    """Another way from words to a number: through struct's own byte orders."""
    ordered = words[::-1] if register.word_order == "little" else words
    pair = "<H" if register.byte_order == "little" else ">H"
    data = b"".join(struct.pack(pair, word) for word in ordered)
    number = struct.unpack(f">{CODES[register.holder]}", data)[0]
    if register.is_bcd:
        number = int(data.hex())
    if register.bits is not None:
        number = number // 2**register.bits.low % 2 ** (register.bits.high - register.bits.low + 1)
    return Decimal(number)


def test_vectors_decode_by_another_way_too(profile: Profile) -> None:
    for vector in (v for v in profile.vectors if v.register):
        register = profile.register(vector.register)
        raw = by_struct(vector.words, register).scaleb(-register.decimals)
        value = raw * Decimal(register.scale) + Decimal(register.offset)
        assert value == Decimal(vector.value), vector


def test_settings_vectors_decode_by_another_way_too(profile: Profile) -> None:
    settings = {setting.name: setting for setting in profile.settings}
    for vector in (v for v in profile.vectors if v.setting):
        setting = settings[vector.setting]
        if setting.is_text:
            order: Literal["big", "little"] = "big"
            if setting.register.byte_order == "little":
                order = "little"
            text = b"".join(word.to_bytes(2, order) for word in vector.words)
            assert text.rstrip(b"\0 ").decode() == vector.value, vector
        else:
            raw = by_struct(vector.words, setting.register)
            assert raw.scaleb(-setting.register.decimals) == Decimal(vector.value), vector


def test_both_word_orders_are_used() -> None:
    orders = {load_profile(name).word_order for name in SHIPPED if load_profile(name).vectors}
    assert orders == {"big", "little"}


@pytest.mark.parametrize(
    ("profile_id", "register", "quantity", "role", "dtype"),
    [
        ("ac-meter", "energy_import", ("energy", "kWh"), Role.TOTALISER, Dtype.U32),
        ("ac-meter", "power", ("power", "kW"), Role.GAUGE, Dtype.I32),
        ("ac-meter", "voltage_l1", ("voltage", "V"), Role.GAUGE, Dtype.U16),
        ("ac-meter", "current_l3", ("current", "A"), Role.GAUGE, Dtype.U16),
        ("ac-meter", "frequency", ("frequency", "Hz"), Role.GAUGE, Dtype.U16),
        ("gas-meter", "volume", ("gas-volume", "Nm3"), Role.TOTALISER, Dtype.U64),
        ("gas-meter", "flow", ("gas-flow", "Nm3/h"), Role.GAUGE, Dtype.F32),
        ("pot-gateway", "line_current", ("current", "kA"), Role.GAUGE, Dtype.F64),
        ("pot-gateway", "line_voltage", ("voltage", "V"), Role.GAUGE, Dtype.F64),
        ("pot-gateway", "metal_tapped", ("mass", "t"), Role.TOTALISER, Dtype.U32),
        ("pot-gateway", "pot-{n:02}.voltage", ("voltage", "V"), Role.GAUGE, Dtype.F32),
        ("pot-gateway", "pot-{n:02}.state", ("state", "1"), Role.STATE, Dtype.U8),
    ],
)
def test_the_points_the_plant_is_built_on(
    profile_id: str, register: str, quantity: tuple[str, str], role: Role, dtype: Dtype
) -> None:
    found = load_profile(f"stackproof/{profile_id}").register(register)
    assert (found.quantity.kind, found.quantity.unit) == quantity
    assert (found.role, found.dtype) == (role, dtype)


def test_gas_is_dry_at_normal_conditions() -> None:
    profile = load_profile("stackproof/gas-meter")
    for name in ("volume", "flow"):
        quantity = profile.register(name).quantity
        assert (quantity.reference, quantity.moisture) == ("0C-101.325kPa", "dry")


def test_pot_states_are_those_of_the_signed_configuration() -> None:
    register = load_profile("stackproof/pot-gateway").register("pot-{n:02}.state")
    assert register.states == (
        (0, "unknown"), (1, "producing"), (2, "baking"), (3, "start-up"), (4, "abnormal"),
        (5, "bridged"), (6, "stopped"),
    )  # fmt: skip


def test_counters_of_the_ac_meter_keep_every_count() -> None:
    """With 800/5 and 10000/100 one count is 0.16 kWh, which two decimals hold exactly."""
    for name in ("energy_import", "power"):
        register = load_profile("stackproof/ac-meter").register(name)
        step = Decimal(1).scaleb(-register.decimals) * 160 * 100
        assert step == Decimal("0.16")
        assert step.scaleb(register.point_decimals) % 1 == 0
