"""Appendix F of 40 CFR 75 against EPA's own program, transcribed."""

import math
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.errors import InputError
from edge.calc.registry import evaluate

# EPA's check engine (HourlyCalculatedDataChecks.cs, commit fd028c25) computes in decimals of 28
# digits and rounds with MidpointRounding.AwayFromZero, which for amounts >= 0 is ROUND_HALF_UP.


def rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.1"), ROUND_HALF_UP)


def epa_co2_mass(equation: str, co2: Decimal, flow: Decimal, h2o: Decimal) -> Decimal:
    k = Decimal("0.00000057")
    return rounded(k * co2 * flow if equation == "F-11" else k * co2 * flow * (100 - h2o) / 100)


def epa_co2(equation: str, o2: Decimal, fc: Decimal, fd: Decimal, h2o: Decimal) -> Decimal:
    air = Decimal("20.9")
    if equation == "F-14A":
        value = 100 * (fc / fd) * ((air - o2) / air)
    else:
        value = (100 / air) * (fc / fd) * ((air * (100 - h2o) / 100) - o2)
    return Decimal(0) if value < 0 else rounded(value)


def epa_heat(
    equation: str, flow: Decimal, diluent: Decimal, factor: Decimal, h2o: Decimal
) -> Decimal:
    if equation == "F-15":
        value = flow * diluent / (factor * 100)
    elif equation == "F-16":
        value = flow * (100 - h2o) * diluent / (factor * 10000)
    elif equation == "F-17":
        value = flow * (1 / factor) * (Decimal("0.209") * (100 - h2o) - diluent) / Decimal("20.9")
    else:
        value = flow * (100 - h2o) * (Decimal("20.9") - diluent) / (2090 * factor)
    return max(rounded(value), Decimal(1))


percents = st.decimals(0, "20.8", places=1)
moistures = st.decimals(0, 60, places=1)
flows = st.integers(0, 90_000).map(lambda thousands: Decimal(thousands) * 1000)


@given(st.sampled_from(["F-11", "F-2"]), percents, flows, moistures)
def test_co2_mass_as_epa_has_it(equation: str, co2: Decimal, flow: Decimal, h2o: Decimal) -> None:
    inputs = {"equation": equation, "co2_percent": co2, "flow_scfh": flow}
    if equation == "F-2":
        inputs["moisture_percent"] = h2o
    found = evaluate("part75.co2_mass", inputs)
    with localcontext(prec=28):
        assert Decimal(found["reported_short_ton_h"]) == epa_co2_mass(equation, co2, flow, h2o)


@given(
    st.sampled_from(["F-14A", "F-14B"]), percents, st.integers(900, 3000),
    st.integers(8000, 12000), moistures,
)  # fmt: skip
def test_co2_by_oxygen_as_epa_has_it(
    equation: str, o2: Decimal, fc: int, fd: int, h2o: Decimal
) -> None:
    inputs = {"equation": equation, "gas_of": "fuel", "o2_percent": o2, "fc": fc, "fd": fd}
    if equation == "F-14B":
        inputs["moisture_percent"] = h2o
    found = evaluate("part75.co2_by_oxygen", inputs)
    with localcontext(prec=28):
        theirs = epa_co2(equation, o2, Decimal(fc), Decimal(fd), h2o)
    # 100 / 20.9 has no end, so that 28 digits put an exact half (25.95) just below it (25.9)
    dry = 100 if equation == "F-14A" else 100 - Fraction(h2o)
    exact = Fraction(fc, fd) * (dry - 100 * Fraction(o2) / Fraction("20.9"))
    if exact * 10 % 1 == Fraction(1, 2):
        theirs = Decimal(math.floor(exact * 10 + Fraction(1, 2))) / 10
    assert Decimal(found["reported_percent"]) == theirs


def test_an_exact_half_is_rounded_up() -> None:
    inputs = {"equation": "F-14B", "gas_of": "fuel", "o2_percent": 0, "fc": 2076, "fd": 8000,
              "moisture_percent": 0}  # fmt: skip
    assert evaluate("part75.co2_by_oxygen", inputs)["reported_percent"] == "26.0"  # of 25.95


factors = st.tuples(st.integers(900, 3000), st.integers(8000, 12000))


@given(st.sampled_from(["F-15", "F-16", "F-17", "F-18"]), flows, percents, factors, moistures)
def test_heat_input_as_epa_has_it(
    equation: str, flow: Decimal, diluent: Decimal, fc_fd: tuple[int, int], h2o: Decimal
) -> None:
    fc, fd = fc_fd
    carbon = equation in ("F-15", "F-16")
    inputs = {"equation": equation, "gas_of": "fuel", "flow_scfh": flow}
    inputs |= {"co2_percent": diluent, "fc": fc} if carbon else {"o2_percent": diluent, "fd": fd}
    if equation != "F-15":
        inputs["moisture_percent"] = h2o
    found = evaluate("part75.heat_input", inputs)
    with localcontext(prec=28):
        theirs = epa_heat(equation, flow, diluent, Decimal(fc if carbon else fd), h2o)
    assert Decimal(found["reported_mmbtu_h"]) == theirs


@pytest.mark.parametrize(
    ("name", "inputs", "key", "value"),
    [
        # by hand
        ("co2_mass", {"equation": "F-11", "co2_percent": "12", "flow_scfh": "40000000"},
         "reported_short_ton_h", "273.6"),
        ("co2_mass", {"equation": "F-11", "co2_percent": "12", "flow_scfh": "40000000"},
         "co2_t_h", "248.205744864"),
        ("co2_mass", {"equation": "F-2", "co2_percent": "13.2", "flow_scfh": "40000000",
                      "moisture_percent": "9"}, "reported_short_ton_h", "273.9"),
        ("co2_by_oxygen", {"equation": "F-14A", "gas_of": "fuel", "o2_percent": "3", "fc": "1040",
                           "fd": "8710"}, "reported_percent", "10.2"),
        ("co2_by_oxygen", {"equation": "F-14B", "gas_of": "fuel", "o2_percent": "20.5",
                           "fc": "1040", "fd": "8710", "moisture_percent": "15"},
         "reported_percent", "0.0"),
        ("heat_input", {"equation": "F-15", "gas_of": "fuel", "flow_scfh": "40000000",
                        "co2_percent": "12", "fc": "1800"}, "reported_mmbtu_h", "2666.7"),
        ("heat_input", {"equation": "F-18", "gas_of": "fuel", "flow_scfh": "10",
                        "o2_percent": "20.9", "fd": "9780", "moisture_percent": "10"},
         "reported_mmbtu_h", "1.0"),
    ],
)  # fmt: skip
def test_by_hand(name: str, inputs: dict[str, str], key: str, value: str) -> None:
    assert evaluate(f"part75.{name}", inputs)[key] == value


def test_halves_go_away_from_zero() -> None:
    """5.7e-7 × 5 × 5,000,000 = 14.25, which half to even would make 14.2."""
    found = evaluate("part75.co2_mass", {"equation": "F-11", "co2_percent": "5",
                                         "flow_scfh": "5000000"})  # fmt: skip
    assert (found["co2_short_ton_h"], found["reported_short_ton_h"]) == ("14.25", "14.3")


def test_part_98_differs_by_its_own_constant() -> None:
    """Eq. C-6 prints 5.18e-7 t/scf per %; 5.7e-7 short ton is 5.171e-7 t: 0.17 % less."""
    found = evaluate("part75.co2_mass", {"equation": "F-11", "co2_percent": "10",
                                         "flow_scfh": "1000000"})  # fmt: skip
    ours, theirs = Decimal(found["co2_t_h"]), Decimal("5.18")
    assert round((theirs / ours - 1) * 100, 2) == Decimal("0.17")
    # 44.01 lb/lb-mol ÷ 385.35 scf/lb-mol ÷ 2000 ÷ 100 × 0.90718 = 5.180e-7: 98's is the nearer
    pure = Decimal("44.01") / Decimal("385.35") / 2000 / 100 * Decimal("0.90718474")
    assert round(pure * 10**7, 2) == Decimal("5.18")


def test_natural_gas_by_carbon_and_by_oxygen_is_one_heat() -> None:
    """F-14A's CO2 put into F-16 gives F-18's heat: the same F-factors on both ways."""
    co2 = evaluate(
        "part75.co2_by_oxygen",
        {"equation": "F-14A", "gas_of": "fuel", "o2_percent": "4.2", "fc": "1040", "fd": "8710"},
    )
    common = {"gas_of": "fuel", "flow_scfh": "9000000", "moisture_percent": "17"}
    by_carbon = evaluate(
        "part75.heat_input",
        {"equation": "F-16", "fc": "1040", **common, "co2_percent": co2["co2_percent"]},
    )
    by_oxygen = evaluate("part75.heat_input", {"equation": "F-18", "fd": "8710", **common,
                                               "o2_percent": "4.2"})  # fmt: skip
    assert by_carbon["reported_mmbtu_h"] == by_oxygen["reported_mmbtu_h"]


F14 = {"equation": "F-14A", "o2_percent": "3", "fc": "1040", "fd": "8710"}
F15 = {"equation": "F-15", "flow_scfh": "1", "co2_percent": "3", "fc": "1040"}


@pytest.mark.parametrize(("method", "inputs"), [("co2_by_oxygen", F14), ("heat_input", F15)])
@pytest.mark.parametrize(
    ("gas_of", "said"),
    [
        ("process", "has no heat"),
        ("by-product", "no F-factor in Appendix F"),
        ("waste", "'waste' unknown; known: fuel process by-product"),
    ],
)
def test_f_factors_of_gas_they_do_not_know_are_refused(
    method: str, inputs: dict[str, str], gas_of: str, said: str
) -> None:
    with pytest.raises(InputError, match=f"gas_of: .*{said}"):
        evaluate(f"part75.{method}", {**inputs, "gas_of": gas_of})


def test_a_kilns_measured_co2_is_still_a_mass() -> None:
    """Nothing of a fuel is in F-11: it takes no word about where the gas comes from."""
    with pytest.raises(InputError, match="gas_of: not an input"):
        evaluate("part75.co2_mass", {"equation": "F-11", "co2_percent": "20", "flow_scfh": "1",
                                     "gas_of": "process"})  # fmt: skip


@pytest.mark.parametrize(
    ("method", "inputs", "said"),
    [
        ("co2_mass", {"equation": "F-1", "co2_percent": "1", "flow_scfh": "1"},
         "equation: 'F-1' unknown here; known: F-11 F-2"),
        ("co2_mass", {"equation": "F-2", "co2_percent": "1", "flow_scfh": "1"},
         "moisture_percent: missing, F-2 needs it"),
        ("co2_mass", {"equation": "F-11", "co2_percent": "1", "flow_scfh": "1",
                      "moisture_percent": "5"}, "moisture_percent: F-11 takes none"),
        ("co2_by_oxygen", {**F14, "gas_of": "fuel", "fc": "104"}, "fc: 104 is below 900"),
        ("co2_by_oxygen", {**F14, "gas_of": "fuel", "fd": "871"}, "fd: 871 is below 8000"),
        ("co2_by_oxygen", {**F14, "gas_of": "fuel", "o2_percent": "21"}, "o2_percent: 21 is above"),
        ("heat_input", {**F15, "gas_of": "fuel", "fd": "8710"}, "fd: F-15 takes none"),
        ("heat_input", {"equation": "F-15", "gas_of": "fuel", "flow_scfh": "1"},
         "co2_percent: missing, F-15 needs it; fc: missing, F-15 needs it"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_equation_is_refused(
    method: str, inputs: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        evaluate(f"part75.{method}", inputs)
