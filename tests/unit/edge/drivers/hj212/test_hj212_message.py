"""HJ 212 segments: header, Flag, times, items, parts; each refusal by its sentence."""

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.hj212.message import PARTS_MAX, UNFINISHED_MAX, Assembler, Message, parse_segment
from edge.drivers.hj212.packet import Hj212Error
from tests.unit.edge.drivers.hj212.test_hj212_packet import PRINTED_2017, PRINTED_2025
from tests.unit.edge.drivers.hj212_packets import MN, rtd, segment

GOOD = rtd("a05001-Rtd=12.5,a05001-Flag=N;a00000-Rtd=3600.0,a00000-Flag=N")


def parsed(text: str) -> Message:
    return parse_segment(text.encode("ascii"))


def ns(*at: int) -> int:
    return int(datetime(*at, tzinfo=UTC).timestamp()) * 1_000_000_000  # type: ignore[misc, arg-type] # six numbers


def test_the_published_packet_of_2017() -> None:
    message = parse_segment(PRINTED_2017[6:-6])
    assert (message.st, message.cn, message.mn) == ("32", 1062, MN)
    assert (message.version, message.wants_answer, message.count) == (1, True, 1)
    assert message.items == {"RtdInterval": "30"}
    assert message.data_ns is None


def test_the_published_packet_of_2025() -> None:
    message = parse_segment(PRINTED_2025[6:-6])
    assert (message.cn, message.version, message.wants_answer) == (1011, 2, True)
    assert message.items == {}


def test_times_are_china_standard_time() -> None:
    # 08:58:57.223 at +08:00 is 00:58:57.223 UTC
    assert parse_segment(PRINTED_2017[6:-6]).qn_ns == ns(2016, 8, 1, 0, 58, 57) + 223_000_000
    assert parsed(GOOD).data_ns == ns(2026, 6, 1, 0, 0, 0)


def test_items_of_several_factors() -> None:
    assert parsed(GOOD).items == {
        "a05001-Rtd": "12.5", "a05001-Flag": "N", "a00000-Rtd": "3600.0", "a00000-Flag": "N",
    }  # fmt: skip


def test_a_trailing_semicolon_and_empty_values_are_usual() -> None:
    assert parsed(rtd("a05001-Rtd=,a05001-Flag=D;")).items == {
        "a05001-Rtd": "", "a05001-Flag": "D",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("flag", "version", "wants_answer"), [(4, 1, False), (5, 1, True), (8, 2, False), (9, 2, True)]
)
def test_flag(flag: int, version: int, wants_answer: bool) -> None:
    message = parsed(rtd("a05001-Rtd=1", flag=flag))
    assert (message.version, message.wants_answer) == (version, wants_answer)


def test_a_resend_says_so() -> None:
    assert parsed(rtd("a05001-Rtd=1", extra="RF=1;")).is_resend
    assert not parsed(GOOD).is_resend


def test_chinese_in_a_value_does_no_harm() -> None:
    # 烟气 in GBK: D1 CC C6 F8; its second bytes are never separators
    text = rtd("Info=@;a05001-Rtd=12.5").encode().replace(b"@", "烟气排放".encode("gbk"))
    assert parse_segment(text).items["a05001-Rtd"] == "12.5"


def test_a_small_letter_mn_is_the_same_logger() -> None:
    assert parsed(rtd("a05001-Rtd=1", mn=MN.lower())).mn == MN


def test_the_password_is_not_shown() -> None:
    assert "hunter2" not in repr(parsed(rtd("a05001-Rtd=1", pw="hunter2")))


WRONG = [
    ("", "no content of the form"),
    ("QN=1", "no content of the form"),
    (GOOD[:-2], "no content of the form"),
    (GOOD.replace("CP=&&", "CP=&"), "no content of the form"),
    (GOOD.replace("a00000-Rtd", "&&a00000-Rtd"), "&& inside its content"),
    (GOOD + "&&", "&& inside its content"),
    (GOOD.replace("ST=31;", ""), "has no ST"),
    (GOOD.replace("ST=31;", "ST=31;ST=31;"), "has ST twice"),
    (GOOD.replace("ST=31;", "ST=31;Key=1;"), "something unknown in its header"),
    (GOOD.replace("ST=31;", "ST=31;;"), "something unknown in its header"),
    (GOOD.replace("QN=2026", "QN=026"), "a QN that is not of the form"),
    (GOOD.replace("QN=20260601", "QN=20260631"), "a QN that is no time"),
    (GOOD.replace("QN=2026", "QN=0000"), "a QN that is no time"),
    (GOOD.replace(MN, MN[:-1]), "a MN that is not of the form"),
    (GOOD.replace("CN=2011", "CN=20110"), "a CN that is not of the form"),
    (GOOD.replace("Flag=4", "Flag=0"), "says version 0"),
    (GOOD.replace("Flag=4", "Flag=12"), "says version 3"),
    (GOOD.replace("Flag=4", "Flag=999"), "says version 249"),
    (GOOD.replace("Flag=4", "Flag=x"), "a Flag that is not of the form"),
    (GOOD.replace("Flag=4", "Flag=6"), "does not say which (PNUM, PNO)"),
    (GOOD.replace("Flag=4;", "Flag=6;PNUM=2;PNO=3;"), "part 3 of 2"),
    (GOOD.replace("Flag=4;", "Flag=6;PNUM=2;PNO=0;"), "part 0 of 2"),
    (GOOD.replace("Flag=4;", "Flag=6;PNUM=65;PNO=1;"), "at most 64"),
    (GOOD.replace("Flag=4;", "Flag=4;PNUM=2;PNO=1;"), "by its Flag that it is not split"),
    (GOOD.replace("Flag=4;", "Flag=4;RF=0;"), "a RF that is not of the form"),
    (GOOD.replace("a05001-Rtd=12.5", "a05001-Rtd"), "not name=value"),
    (GOOD.replace("a05001-Rtd=12.5", "=12.5"), "not name=value"),
    (GOOD.replace("a00000-Rtd", "a05001-Rtd"), "the same item twice"),
    (GOOD.replace("DataTime=20260601", "DataTime=20260229"), "a DataTime that is no time"),
    (GOOD.replace("DataTime=2026", "DataTime="), "not YYYYMMDDhhmmss"),
    (GOOD.replace("DataTime=2026", "DataTime=２０２６"), "not YYYYMMDDhhmmss"),
]


@pytest.mark.parametrize(("text", "sentence"), WRONG)
def test_what_is_wrong_is_named(text: str, sentence: str) -> None:
    with pytest.raises(Hj212Error) as caught:
        parse_segment(text.encode("utf-8"))
    assert sentence in str(caught.value)
    assert "123456" not in str(caught.value)


def test_one_part_of_one_is_no_split_message() -> None:
    assert parsed(GOOD.replace("Flag=4;", "Flag=4;PNUM=1;PNO=1;")).count == 1


def part(number: int, values: str, *, count: int = 3, second: int = 0, cn: int = 2011) -> Message:
    return parsed(
        segment(values, second=second, flag=7, extra=f"PNUM={count};PNO={number};", cn=cn)
    )


PARTS = [
    part(1, "DataTime=20260601080000;a05001-Rtd=12.5"),
    part(2, "a19001-Rtd=8.1;"),
    part(3, "a01012-Rtd=51.0"),
]
WHOLE = {"a05001-Rtd": "12.5", "a19001-Rtd": "8.1", "a01012-Rtd": "51.0"}


@pytest.mark.parametrize("seed", range(6))
def test_parts_in_any_order_make_one_message(seed: int) -> None:
    parts = list(PARTS)
    Random(seed).shuffle(parts)
    assembler = Assembler()
    assert [assembler.take(p) for p in parts[:2]] == [None, None]
    whole = assembler.take(parts[2])
    assert whole is not None
    assert (whole.items, whole.count) == (WHOLE, 1)
    assert whole.data_ns == ns(2026, 6, 1, 0, 0, 0)
    assert whole.wants_answer


def test_a_part_that_comes_twice_counts_once() -> None:
    assembler = Assembler()
    assert assembler.take(PARTS[0]) is None
    assert assembler.take(PARTS[0]) is None
    assert assembler.take(PARTS[1]) is None
    assert assembler.take(PARTS[2]) is not None


def test_a_part_that_differs_ends_the_message() -> None:
    assembler = Assembler()
    assembler.take(PARTS[0])
    with pytest.raises(Hj212Error, match="differs from the part 1"):
        assembler.take(part(1, "DataTime=20260601080000;a05001-Rtd=99.9"))
    assert [assembler.take(p) for p in PARTS[1:]] == [None, None]  # part 1 is missing again


def test_a_new_message_throws_the_unfinished_one_away() -> None:
    assembler = Assembler()
    assembler.take(PARTS[0])
    for number in (1, 2, 3):
        whole = assembler.take(part(number, f"a{number}-Rtd={number}", second=30))
    assert whole is not None
    assert whole.items == {"a1-Rtd": "1", "a2-Rtd": "2", "a3-Rtd": "3"}


@pytest.mark.parametrize(
    ("second", "sentence"),
    [("a05001-Rtd=1", "same item in two"), ("DataTime=20260601080030", "different DataTimes")],
)
def test_parts_that_contradict_each_other(second: str, sentence: str) -> None:
    assembler = Assembler()
    assembler.take(part(1, "DataTime=20260601080000;a05001-Rtd=1", count=2))
    with pytest.raises(Hj212Error, match=sentence):
        assembler.take(part(2, second, count=2))


def test_the_same_data_time_in_each_part_is_fine() -> None:
    assembler = Assembler()
    assembler.take(part(1, "DataTime=20260601080000;a05001-Rtd=1", count=2))
    whole = assembler.take(part(2, "DataTime=20260601080000;a19001-Rtd=2", count=2))
    assert whole is not None
    assert whole.data_ns == ns(2026, 6, 1, 0, 0, 0)


def test_unfinished_messages_are_bounded() -> None:
    assembler = Assembler()
    for cn in range(2000, 2000 + UNFINISHED_MAX):
        assembler.take(part(1, "a=1", cn=cn))
    with pytest.raises(Hj212Error, match="one more split message than are kept"):
        assembler.take(part(1, "a=1", cn=2999))
    assert assembler.take(part(2, "b=1", cn=2000)) is None


def test_items_of_unfinished_messages_are_bounded() -> None:
    """Each takes some 200 bytes of memory: those of four commands and 63 parts were 50 MB."""
    assembler = Assembler()
    items = ";".join(f"a{number}=" for number in range(1_000))
    for number in range(1, 21):
        assembler.take(part(number, items, count=PARTS_MAX))
    with pytest.raises(Hj212Error, match="more than 20000 items"):
        assembler.take(part(1, "a=1", cn=2051))
    assert assembler.take(part(21, "a=1", count=PARTS_MAX)) is None


def test_the_most_parts() -> None:
    assembler = Assembler()
    for number in range(1, PARTS_MAX + 1):
        whole = assembler.take(part(number, f"a{number}=1", count=PARTS_MAX))
    assert whole is not None
    assert len(whole.items) == PARTS_MAX


@given(st.data())
def test_a_segment_bent_anywhere_gives_a_message_or_our_error(data: st.DataObject) -> None:
    text = bytearray(GOOD.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        said = repr(parse_segment(bytes(text)))
    except Hj212Error as error:
        said = str(error)
    assert 0 < len(said) < 1000
