"""Substituted hours: each rule by hand, gates as EPA's program has them, codes that never lie."""

from fractions import Fraction
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.errors import InputError
from edge.calc.methods.substitution import (
    MEASURED,
    MISSING,
    RULES,
    Hour,
    availability,
    look_back_maximum,
    mean_and_deviations,
    neighbours_mean,
    part_75_co2,
    percentile,
)
from edge.calc.registry import evaluate


def series(*parts: int | None) -> list[Fraction | None]:
    return [None if part is None else Fraction(part) for part in parts]


def gap(hours: int) -> list[None]:
    return [None] * hours


def only(made: list[Hour]) -> Hour:
    """The one value all substituted hours have."""
    (found,) = {hour for hour in made if hour.code != MEASURED}
    return found


RULE_INPUTS = {
    "hj-t-75-2007": {},
    "hj-75-2017": {"availability_percent": "92"},
    "eu-mrr-2018": {},
    "us-part-75": {"availability_percent": "96", "maximum_potential": "20"},
}


def by(rules: str, hours: str, **changes: str) -> tuple[str, str]:
    inputs = {"rules": rules, "hours": hours, **RULE_INPUTS[rules], **changes}
    found = evaluate("cems.substitute", inputs)
    return found["values"], found["codes"]


@pytest.mark.parametrize(
    ("rules", "value", "code"),
    [
        # by hand: mean 12, σ = sqrt((4 + 0 + 4) / 2) = 2; neighbours 12 and 14; greatest before 12
        ("eu-mrr-2018", "16", "mrr-45"),
        ("hj-t-75-2007", "13", "hj75-mean"),
        ("hj-75-2017", "12", "hj75-max-180"),
        ("us-part-75", "13", "modc-06"),
    ],
)
def test_the_worked_example(rules: str, value: str, code: str) -> None:
    values, codes = by(rules, "10,12,-,14")
    assert values == f"10,12,{value},14"
    assert codes == f"measured,measured,{code},measured"


def test_counts_and_confidence_are_told() -> None:
    found = evaluate("cems.substitute", {"rules": "hj-t-75-2007", "hours": "-,1,-,3"})
    assert (found["measured"], found["substituted"], found["missing"]) == ("2", "1", "1")
    assert found["parameters"]["mean.gap"]["confidence"] == "single-source"
    seen = evaluate("cems.substitute", {"rules": "hj-75-2017", "hours": "1,-",
                                            "availability_percent": "95"})  # fmt: skip
    assert {p["confidence"] for p in seen["parameters"].values()} == {"single-source"}


@pytest.mark.parametrize("rules", RULES)
@given(hours=st.lists(st.one_of(st.none(), st.integers(1, 30)), min_size=1, max_size=60))
def test_measured_hours_stay_and_no_other_is_called_measured(
    rules: str, hours: list[int | None]
) -> None:
    text = ",".join("-" if value is None else str(value) for value in hours)
    values, codes = (part.split(",") for part in by(rules, text))
    for given_one, value, code in zip(hours, values, codes, strict=True):
        assert (code == MEASURED) == (given_one is not None)
        if given_one is not None:
            assert value == str(given_one)
        assert (code == MISSING) == (value == "-")


@pytest.mark.parametrize(("hours", "code"), [(24, "hj75-mean"), (25, MISSING)])
def test_hj_2007_fills_a_day_and_no_more(hours: int, code: str) -> None:
    assert only(neighbours_mean([*series(10), *gap(hours), *series(20)])).code == code


def test_a_gap_at_an_end_has_no_mean() -> None:
    assert [hour.code for hour in neighbours_mean([*gap(1), *series(10), *gap(1)])] == [
        MISSING, MEASURED, MISSING,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("capture", "hours", "value", "code"),
    [
        # 50 stood 2,000 h before the gap, 40 stood 600 h before, 30 stood 100 h before, 10 else
        (95, 24, 30, "hj75-max-180"),
        (95, 25, 40, "hj75-max-720"),
        (90, 1, 30, "hj75-max-180"),
        (89, 1, 50, "hj75-max-2160"),
        (75, 100, 50, "hj75-max-2160"),
        (74, 1, None, MISSING),
    ],
)
def test_hj_2017_as_a_program_has_it(
    capture: int, hours: int, value: int | None, code: str
) -> None:
    before = [10] * 2200
    for back, peak in ((2000, 50), (600, 40), (100, 30)):
        before[-back] = peak
    made = look_back_maximum([*series(*before), *gap(hours)], Fraction(capture))
    assert only(made) == Hour(None if value is None else Fraction(value), code)


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=50))
def test_the_mrrs_value_is_the_mean_and_two_deviations(values: list[int]) -> None:
    made = only(mean_and_deviations([*series(*values), None]))
    assert made.value is not None
    assert abs(float(made.value) - (mean(values) + 2 * stdev(values))) < 1e-9
    assert made.code == "mrr-45"


@pytest.mark.parametrize("values", [(), (7,)])
def test_one_hour_has_no_deviation(values: tuple[int, ...]) -> None:
    assert only(mean_and_deviations([*series(*values), None])) == Hour(None, MISSING)


@pytest.mark.parametrize(
    ("percent", "hours", "value", "code"),
    [
        # 720 measured hours 1..720 in order, then a gap, then 740: neighbours' mean 730;
        # 90th percentile 648, 95th 684, greatest 720, potential 2000
        ("95", 24, 730, "modc-06"),
        ("95", 25, 730, "modc-06"),  # the mean is the greater of the two
        ("90", 8, 730, "modc-06"),
        ("94.9", 9, 730, "modc-06"),
        ("89.9", 1, 720, "modc-10"),
        ("80", 100, 720, "modc-10"),
        ("79.9", 1, 2000, "modc-12"),
    ],
)
def test_part_75_by_availability(percent: str, hours: int, value: int, code: str) -> None:
    readings = [*series(*range(1, 721)), *gap(hours), *series(740)]
    made = part_75_co2(readings, Fraction(percent), Fraction(2000))
    assert only(made) == Hour(Fraction(value), code)


@pytest.mark.parametrize(
    ("percent", "hours", "value", "code"),
    [
        # the same 720 values, but the hours around the gap read 1: the percentile is greater
        ("95", 24, 1, "modc-06"),
        ("95", 25, 648, "modc-08"),
        ("94.9", 8, 1, "modc-06"),
        ("94.9", 9, 684, "modc-09"),
    ],
)
def test_part_75_long_gaps_take_the_percentile(
    percent: str, hours: int, value: int, code: str
) -> None:
    readings = [*series(*range(2, 721), 1), *gap(hours), *series(1)]
    made = part_75_co2(readings, Fraction(percent), Fraction(2000))
    assert only(made) == Hour(Fraction(value), code)


def epa_allows(code: str, percent: Fraction) -> bool:
    """HOURDHV14 and HOURMHV9 of EPA's check engine: which MODC an availability allows."""
    return {
        "modc-06": percent >= 90,
        "modc-08": percent >= 95,
        "modc-09": 90 <= percent < 95,
        "modc-10": 80 <= percent < 90,
        "modc-12": True,
    }[code]


@given(
    st.integers(0, 1000), st.integers(1, 40), st.lists(st.integers(1, 30), min_size=2, max_size=40)
)
def test_codes_pass_epas_own_check(permille: int, hours: int, values: list[int]) -> None:
    readings = [*series(*values[:-1]), *gap(hours), *series(values[-1])]
    percent = Fraction(permille, 10)
    made = only(part_75_co2(readings, percent, Fraction(40)))
    assert epa_allows(made.code, percent)


def test_the_look_back_ends_at_720_measured_hours() -> None:
    old = [99] * 10
    made = part_75_co2([*series(*old, *range(1, 721)), None], Fraction(85), Fraction(2000))
    assert only(made) == Hour(Fraction(720), "modc-10")
    made = part_75_co2([*series(*old, *range(1, 720)), None], Fraction(85), Fraction(2000))
    assert only(made).value == 719  # 99 is among the last 720 again, and smaller


@pytest.mark.parametrize(
    ("count", "percent", "rank"), [(10, 90, 9), (25, 90, 23), (720, 90, 648), (720, 95, 684)]
)
def test_percentiles_by_rank(count: int, percent: int, rank: int) -> None:
    """ceil(percent × n): 9 of 10 and 23 of 25, as 40 CFR 141.80(c)(3) is explained for its 90th."""
    assert percentile([Fraction(i) for i in range(1, count + 1)], percent) == rank


@pytest.mark.parametrize(
    ("good", "all_hours", "percent"),
    [(8760, 8760, "100"), (7884, 8760, "90"), (1, 3, "33.3"), (2, 3, "66.7")],
)
def test_availability_by_equation_8(good: int, all_hours: int, percent: str) -> None:
    assert availability(good, all_hours) == Fraction(percent)


@pytest.mark.parametrize("hours", [(5, 4), (-1, 4), (0, 0)])
def test_availability_of_no_hours_is_refused(hours: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="are no share"):
        availability(*hours)


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no percentile"):
        percentile([], 90)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"rules": "guess", "hours": "1"}, "rules: 'guess' unknown"),
        ({"rules": "us-part-75", "hours": "1", "availability_percent": "90"},
         "maximum_potential: missing"),
        ({"rules": "hj-75-2017", "hours": "1"}, "availability_percent: missing"),
        ({"rules": "eu-mrr-2018", "hours": "1", "availability_percent": "90"},
         "availability_percent: eu-mrr-2018 takes none"),
        ({"rules": "hj-75-2017", "hours": "1", "availability_percent": "90",
          "maximum_potential": "20"}, "maximum_potential: hj-75-2017 takes none"),
        ({"rules": "eu-mrr-2018", "hours": "1,x"}, "hours: hour 2: 'x' is not a decimal number"),
        ({"rules": "eu-mrr-2018", "hours": "1,nan"}, "hours: hour 2"),
        ({"rules": "us-part-75", "hours": "1", "availability_percent": "101"}, "above 100"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(inputs: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        evaluate("cems.substitute", inputs)
