"""Flow computers, analysers and scales that are sold: what is on the wire, written down twice."""

import pytest

from evidence.points import Dtype, Role
from firmware_configs.profile import load_profile
from firmware_configs.words import raw_of_words

BIG, SWAPPED, LITTLE = ("big", "big"), ("little", "big"), ("little", "little")


@pytest.mark.parametrize(
    ("place", "wire", "how", "unit"),
    [
        # each a second time from the source that the profile names
        ("flonidan/uniflo-1200 volume_converted", ("holding", 56), (Dtype.U32, LITTLE), "Nm3"),
        ("flonidan/uniflo-1200 pressure", ("holding", 64), (Dtype.F32, LITTLE), "bar"),
        ("emco/fp-93b mass_flow", ("holding", 2), (Dtype.F32, SWAPPED), "kg/h"),
        ("emco/fp-93b mass_grand_total", ("holding", 32), (Dtype.F32, SWAPPED), "kg"),
        ("spirax-sarco/vlm20 mass_flow", ("input", 8), (Dtype.F32, BIG), "kg/h"),
        ("spirax-sarco/vlm20 total", ("input", 524), (Dtype.U32, BIG), "kg"),
        ("fuxin/gas-flow flow_standard", ("holding", 16), (Dtype.F32, BIG), "m3/h"),
        ("fuxin/gas-flow pressure", ("holding", 28), (Dtype.F32, BIG), "kPa"),
        ("micro-motion/transmitter mass_flow", ("holding", 246), (Dtype.F32, SWAPPED), "kg/h"),
        ("tactical-flow-meter/coriolis mass_total", ("holding", 1002), (Dtype.F32, BIG), "t"),
        ("sdl/model-4000 co", ("holding", 28), (Dtype.F32, BIG), "mg/Nm3"),
        ("fpi/cems-2000d-so2 so2", ("holding", 0), (Dtype.F32, SWAPPED), "mg/Nm3"),
        ("fpi/cems-2000d-nox no2", ("holding", 4), (Dtype.F32, SWAPPED), "mg/Nm3"),
        ("fpi/synspec-pm dust", ("holding", 2), (Dtype.F32, SWAPPED), "mg/Nm3"),
        ("anrongxin/aga1000 o2", ("input", 4), (Dtype.F32, BIG), "vol%"),
        ("anrongxin/arx5100 o2", ("input", 2), (Dtype.F32, BIG), "vol%"),
        ("thermo-fisher/42i nox", ("holding", 4), (Dtype.F32, SWAPPED), "ppm"),
        ("thermo-fisher/43i so2", ("holding", 0), (Dtype.F32, SWAPPED), "ppm"),
        ("hbm/wtx120 gross", ("holding", 2), (Dtype.I32, BIG), "kg"),
        ("hardy/hi6200 net", ("holding", 6), (Dtype.F32, SWAPPED), "kg"),
        ("siemens/sitrans-mass6000 mass_flow", ("holding", 3000), (Dtype.F32, BIG), "kg/h"),
        ("siemens/sitrans-mass6000 mass_total", ("holding", 3014), (Dtype.F64, BIG), "kg"),
        ("siemens/sitrans-mag6000 volume_flow", ("holding", 3002), (Dtype.F32, BIG), "m3/h"),
        ("siemens/sitrans-fc410 temperature", ("holding", 3010), (Dtype.F32, BIG), "degC"),
        ("siemens/sitrans-fst030 mass_flow", ("holding", 3004), (Dtype.F32, BIG), "kg/h"),
        ("krohne/mfc300 density", ("input", 30008), (Dtype.F32, BIG), "kg/m3"),
        ("endress-hauser/promag-800 volume_total", ("holding", 2609), (Dtype.F32, SWAPPED), "m3"),
        ("siemens/bw500 rate", ("holding", 1009), (Dtype.U32, BIG), "t/h"),
        ("siemens/bw500 total_1", ("holding", 1015), (Dtype.U32, BIG), "t"),
    ],
)
def test_where_it_stands_on_the_wire(
    place: str, wire: tuple[str, int], how: tuple[Dtype, tuple[str, str]], unit: str
) -> None:
    profile_id, name = place.split()
    row = load_profile(profile_id).register(name)
    assert (row.table, row.address) == wire
    assert (row.dtype, (row.word_order, row.byte_order)) == how
    assert row.quantity.unit == unit


def test_what_the_maker_prints_as_an_example_is_what_is_taken() -> None:
    """SFIDK.PS.023.D2.02 p. 35: 40,C3,52,93 is "Absolute massflow = 6.10383 kg/s"."""
    row = load_profile("siemens/sitrans-mass6000").register("mass_flow")
    raw = raw_of_words((0x40C3, 0x5293), row)
    assert raw == pytest.approx(6.10383, abs=5e-6)
    assert row.scale == "3600"  # s in an hour


@pytest.mark.parametrize(
    ("profile_id", "state", "value", "marked"),
    [
        ("sdl/model-4000", "analyser", 3, "calibration"),
        ("fpi/synspec-pm", "meter", 6, "fault"),
        ("anrongxin/arx5100", "analyser", 1, "fault"),
        ("thermo-fisher/42i", "general_alarm", 1, "fault"),
        ("emco/fp-93b", "flow_loop_broken", 1, "fault"),
        ("hbm/wtx120", "weight_error", 1, "fault"),
    ],
)
def test_what_a_status_word_marks(profile_id: str, state: str, value: int, marked: str) -> None:
    row = load_profile(profile_id).register(state)
    codes = {"fault": 134, "maintenance": 139, "calibration": 140}  # decision 0016
    assert dict(row.marks)[value] == codes[marked]
    assert row.speaks_of


def test_a_normal_status_marks_nothing() -> None:
    for profile_id in ("sdl/model-4000", "fpi/synspec-pm", "emco/fp-93b", "thermo-fisher/43i"):
        for row in load_profile(profile_id).registers:
            assert 0 not in dict(row.marks), f"{profile_id} {row.name}"


def test_a_unit_that_is_set_in_the_meter_is_read_as_a_setting_or_told() -> None:
    """A menu's choice of unit is a factor nobody signs for."""
    for profile_id in ("emco/fp-93b", "spirax-sarco/vlm20", "micro-motion/transmitter",
                       "tactical-flow-meter/coriolis", "hardy/hi6200", "siemens/bw500",
                       "endress-hauser/promag-800", "siemens/sitrans-fst030"):  # fmt: skip
        profile = load_profile(profile_id)
        assert any("unit" in caveat.text for caveat in profile.caveats), profile_id
    units = [s.name for s in load_profile("spirax-sarco/vlm20").settings]
    assert "mass_flow_unit" in units
    assert "totaliser_unit" in units


def test_the_kiln_has_no_clinker_meter() -> None:
    kiln = load_profile("stackproof/kiln-dcs")
    assert not [row.name for row in kiln.registers if "clinker" in row.name]
    assert {r.quantity.fuel_basis for r in kiln.registers if r.role is Role.TOTALISER} == {
        None,
        "ar",
    }
