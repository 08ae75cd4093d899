"""Cells to numbers and times: exact or not at all. Instants computed by hand and by `date`."""

import datetime as dt
import struct
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.source_rows import (
    RowError,
    RowReader,
    instant_ns,
    plain_number,
    raw_of,
    shown,
    text_number,
    whole,
)
from evidence.points import Dtype
from evidence.quality import Quality
from tests.unit.edge.drivers.row_specs import column, form, row_spec, table

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
# date -u -d '2026-06-15 00:00:00' +%s
JUNE_S = 1_781_481_600


def i64(number: int) -> bytes:
    return struct.pack("<q", number)


# -- numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "decimals", "count"),
    [
        (4273, 0, 4273),
        (Decimal("4.273"), 3, 4273),
        (Decimal("-4.27"), 3, -4270),
        (4.273, 3, 4273),  # a float is the shortest decimal number that gives it
        (0.1, 1, 1),
        (Decimal("1E+3"), 0, 1000),
        (True, 0, 1),
    ],
)
def test_an_integer_type_holds_every_place(number: float, decimals: int, count: int) -> None:
    assert raw_of(number, column("x", "volts", decimals=decimals)) == i64(count)


@pytest.mark.parametrize(
    ("number", "decimals"),
    [
        (Decimal("4.2735"), 3),
        (4.5, 0),
        (float("nan"), 3),
        (float("inf"), 0),
        (Decimal("NaN"), 0),
        (Decimal("Infinity"), 0),
        (Decimal("1E+999999"), 0),
        (2**63, 0),
        (2**62, 3),
    ],
)
def test_what_it_does_not_hold_is_nothing_rather_than_rounded(number: float, decimals: int) -> None:
    assert raw_of(number, column("x", "volts", decimals=decimals)) is None


def test_a_float_type_holds_a_float_exactly_and_of_a_decimal_the_nearest() -> None:
    f64, f32 = column("x", "volts", Dtype.F64), column("x", "volts", Dtype.F32)
    assert raw_of(4.273, f64) == struct.pack("<d", 4.273)
    assert raw_of(Decimal("4.273"), f64) == struct.pack("<d", 4.273)
    assert raw_of(Decimal("4.273"), f32) == struct.pack("<f", 4.273)
    assert raw_of(4.25, f32) == struct.pack("<f", 4.25)
    assert raw_of(4.273, f32) is None  # a double that no float32 is
    assert raw_of(7, f64) == struct.pack("<d", 7.0)
    assert raw_of(10**400, f64) is None
    nan = raw_of(float("nan"), f64)
    assert nan is not None
    assert struct.unpack("<d", nan)[0] != struct.unpack("<d", nan)[0]


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=3, min_value=-(10**15), max_value=10**15
    )
)
def test_three_places_come_back_as_they_were(number: Decimal) -> None:
    raw = raw_of(number, column("x", "volts", decimals=3))
    assert raw is not None
    assert Decimal(struct.unpack("<q", raw)[0]) / 1000 == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4.273", Decimal("4.273")),
        (" 5 ", Decimal(5)),
        ("-1e3", Decimal(-1000)),
        ("+0.5", Decimal("0.5")),
        ("1,5", None),
        ("1 000", None),
        ("1'000", None),
        ("0x10", None),
        ("", None),
        (".5", None),
        ("5.", None),
        ("nan", None),
        ("１２", None),  # full-width digits are not what a machine writes
        ("1e9999", None),
        ("1" * 31, None),
        ("4.2 V", None),
        ("<0.01", None),  # below the detection limit: no number
    ],
)
def test_numbers_in_text_are_plain(text: str, number: Decimal | None) -> None:
    assert text_number(".")(text) == number


def test_the_declared_decimal_sign_and_no_other() -> None:
    comma = text_number(",")
    assert comma("4,273") == Decimal("4.273")
    assert comma("4.273") is None
    assert comma("1.000,5") is None
    assert comma(4.5) is None


def test_text_in_a_database_is_no_number() -> None:
    assert plain_number("4.273") is None
    assert plain_number(Decimal(1).scaleb(-99)) == Decimal("1e-99")
    for long in (Decimal("1." + "3" * 100), Decimal("9" * 101), Decimal("1e401")):
        assert plain_number(long) is None
    assert plain_number(b"4") is None
    assert plain_number(4) == 4
    assert plain_number(Decimal("4.2")) == Decimal("4.2")


# -- times ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "zone", "after_s", "ns"),
    [
        ("2026-06-15 00:00:00", dt.UTC, 0, 0),
        ("2026-06-15T00:00:01Z", SHANGHAI, 1, 0),
        ("2026-06-15 08:00:00", SHANGHAI, 0, 0),
        ("2026/6/15 8:00", SHANGHAI, 0, 0),
        ("2026-06-15 08:00:00+08:00", dt.UTC, 0, 0),
        ("2026-06-15 02:00:00.5", BERLIN, 0, 500_000_000),
        ("2026-06-15 00:00:00,123456789", dt.UTC, 0, 123_456_789),
        (" 2026-06-15 05:30:00+0530 ", dt.UTC, 0, 0),
    ],
)
def test_written_times(text: str, zone: dt.tzinfo, after_s: int, ns: int) -> None:
    assert instant_ns(text, "text", zone) == (JUNE_S + after_s) * 10**9 + ns


def test_a_databases_own_times() -> None:
    naive = dt.datetime(2026, 6, 15, 8)  # noqa: DTZ001 - as drivers give them
    assert instant_ns(naive, "text", SHANGHAI) == JUNE_S * 10**9
    aware = dt.datetime(2026, 6, 15, 0, 0, 0, 7, dt.UTC)
    assert instant_ns(aware, "text", SHANGHAI) == JUNE_S * 10**9 + 7_000


@pytest.mark.parametrize(
    ("cell", "unit", "ns"),
    [
        (JUNE_S, "s", JUNE_S * 10**9),
        (JUNE_S * 1000 + 5, "ms", JUNE_S * 10**9 + 5_000_000),
        (Decimal(f"{JUNE_S}.25"), "s", JUNE_S * 10**9 + 250_000_000),
        (f"{JUNE_S}.25", "s", JUNE_S * 10**9 + 250_000_000),
        (float(JUNE_S), "s", JUNE_S * 10**9),
        (0, "ns", 0),
    ],
)
def test_counted_times(cell: object, unit: str, ns: int) -> None:
    assert instant_ns(cell, unit, dt.UTC) == ns


@pytest.mark.parametrize(
    ("cell", "unit"),
    [
        *((cell, "text") for cell in (
            None, "", 5, "2026-06-15", "15.06.2026 08:00", "2026-02-30 08:00:00",
            "2026-06-15 25:00:00", "2026/06-15 08:00", "1969-12-31 23:59:59",
            "2300-01-01 00:00:00", "0001-01-01 00:00:00+08:00", "2026-06-15 08:00:00+99:99",
            dt.date(2026, 6, 15),
        )),
        *((cell, "s") for cell in (
            -1, 10**30, float("nan"), Decimal("1e30"), "x", True, None, Decimal("1e-30"),
        )),
        (2**63, "ns"),
    ],
)  # fmt: skip
def test_what_is_no_instant_is_refused(cell: object, unit: str) -> None:
    with pytest.raises(RowError, match="time"):
        instant_ns(cell, unit, SHANGHAI)


@pytest.mark.parametrize("text", ["2026-10-25 02:30:00", "2026-03-29 02:30:00"])
def test_an_hour_that_is_twice_or_never_has_no_instant(text: str) -> None:
    with pytest.raises(RowError, match="twice or never"):
        instant_ns(text, "text", BERLIN)
    assert instant_ns(f"{text}+02:00", "text", BERLIN) > 0


@given(
    st.text(max_size=30) | st.integers() | st.floats() | st.decimals() | st.none(),
    st.sampled_from(["text", "s", "ns"]),
)
def test_any_cell_is_an_instant_or_refused(cell: object, unit: str) -> None:
    try:
        at_ns = instant_ns(cell, unit, BERLIN)
    except RowError:
        return
    assert 0 <= at_ns < 2**63


# -- rows -----------------------------------------------------------------------------------------

T = "2026-06-15 00:00:00"


def reader(**of_rows: object) -> RowReader:
    source = table(**of_rows)
    return RowReader(row_spec("sqlite+ro:///x", source), source.rows, plain_number)


def test_a_row_is_of_the_points_its_name_says() -> None:
    """Points are volts of pot 1 and 2, then temp of 1 and 2."""
    row = reader().row((1, T, 2, 4.273, 960.5))
    assert set(row.samples) == {1, 3}
    assert row.samples[1].raw == i64(4273)
    assert row.samples[3].raw == struct.pack("<d", 960.5)
    assert {s.source_ns for s in row.samples.values()} == {JUNE_S * 10**9}
    assert {s.quality for s in row.samples.values()} == {Quality.GOOD}
    assert row.reason == ""


@pytest.mark.parametrize("name", [2, "2", 2.0, Decimal(2), Decimal("2.0")])
def test_names_are_text_or_whole_numbers(name: object) -> None:
    assert set(reader().row((1, T, name, 4.273, None)).samples) == {1}


def test_names_in_the_plants_own_form() -> None:
    rows = reader(name_form="槽{n:03}")
    assert set(rows.row((1, T, "槽002", 4.273, None)).samples) == {1}
    assert rows.row((1, T, "2", 4.273, None)).is_foreign


def test_another_pots_row_says_nothing_and_is_not_even_looked_at() -> None:
    assert reader().row((1, "no time", 77, "x", "y")).is_foreign


def test_an_empty_cell_says_nothing_about_its_point() -> None:
    assert set(reader().row((1, T, 1, None, 960.0)).samples) == {2}
    assert reader().row((1, T, 1, None, None)).is_foreign


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ((1, T, 1, 4.2), "has 4 cells, not 5"),
        ((1, "soon", 1, 4.2, 1), "time 'soon'"),
        ((1, T, None, 4.2, 1), "no name"),
        ((1, T, True, 4.2, 1), "no name"),
        ((1, T, b"1", 4.2, 1), "no name"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(cells: tuple[object, ...], reason: str) -> None:
    row = reader().row(cells)
    assert reason in row.reason
    assert not row.samples
    assert not row.is_foreign


def test_a_cell_that_is_no_number_costs_its_point_only() -> None:
    row = reader().row((1, T, 1, "4.2735", 960.0))
    assert row.samples[0].quality is Quality.WRONG_ANSWER
    assert row.samples[0].raw is None
    assert row.samples[2].quality is Quality.GOOD
    assert row.doubts == ("volts '4.2735' is no i64 exactly",)


def test_nan_keeps_its_bits_where_there_is_room_and_is_no_number() -> None:
    row = reader().row((1, T, 1, float("nan"), float("nan")))
    assert [row.samples[i].quality for i in (0, 2)] == [Quality.NOT_A_NUMBER] * 2
    assert row.samples[0].raw is None
    assert row.samples[2].raw is not None


def test_without_a_name_every_row_is_of_all_points() -> None:
    source = table(
        "SELECT id, taken_at, sum_t FROM w", columns=("id", "taken_at", "sum_t"), name=""
    )
    spec = row_spec("sqlite+ro:///x", source, column("tapped", "sum_t"))
    row = RowReader(spec, source.rows, plain_number).row((1, T, Decimal("12.345")))
    assert row.samples[0].raw == i64(12345)


def test_what_is_shown_of_a_cell_is_bounded() -> None:
    assert len(shown("x" * 10_000)) <= 41
    assert "\n" not in shown("a\nb")
    assert form().columns_sha256 == form().columns_sha256


@pytest.mark.parametrize(
    ("cell", "worth"),
    [
        (Decimal("7.000"), 7), (Decimal("7.5"), Decimal("7.5")), ("7", "7"),
        (Decimal("Infinity"), Decimal("Infinity")), (Decimal("9" * 5_000), Decimal("9" * 5_000)),
    ],
)  # fmt: skip
def test_a_decimal_number_without_places_is_a_whole_one(cell: object, worth: object) -> None:
    """Unless it has more digits than Python makes a text of."""
    assert whole(cell) == worth
    assert type(whole(cell)) is type(worth)


@pytest.mark.parametrize("name", [Decimal("9" * 5_000), Decimal("Infinity"), Decimal("sNaN")])
def test_a_name_that_is_none_costs_its_row(name: Decimal) -> None:
    reader = RowReader(row_spec("sqlite+ro:///x", table()), form(), plain_number)
    assert reader.row([1, "2026-06-15 00:00:00", name, 1, 1]).reason.startswith("is of no name")
