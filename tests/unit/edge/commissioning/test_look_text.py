"""A look at a place as lines and as values; the words are 1234.5 as IEEE 754, low word first.

In the other order they are 0x5000449A: 2^33 × (1 + 17562 / 2^23) = 8,607,918,080.
"""

from collections.abc import Mapping
from dataclasses import replace

from edge.commissioning.look import Look, Neighbour
from edge.commissioning.look_text import as_map, lines, summary
from edge.commissioning.orders import is_taken, takings, takings_as
from edge.commissioning.value import Shown
from evidence.points import Dtype
from evidence.quality import Quality
from tests.unit.edge.drivers.specs import register

WORDS = (0x5000, 0x449A)
ROW = register("flow", Dtype.F32, address=100, orders=("little", "big"))
EVERY = tuple(takings(WORDS))
LOOK = Look(
    point="m.flow",
    device="m",
    place="holding 0x0064, low word first; f32",
    asked="10.0.0.7:502: FC 3 unit 1 holding 0x0064 x 2; answered in 3 ms",
    table="holding",
    address=100,
    words=WORDS,
    raw=bytes.fromhex("00509a44"),
    shown=Shown("1234.5", "t/h", Quality.GOOD),
    takings=EVERY,
    taken=[is_taken(taking, ROW) for taking in EVERY].index(True),
    neighbours=(
        Neighbour(99, (0, 0x5000), "0.0 t/h", tuple(takings_as((0, 0x5000), ["f32"]))),
        Neighbour(101, (), "refused"),
    ),
)


def test_a_point() -> None:
    text = list(lines(LOOK))
    assert text[:4] == [
        "m.flow: holding 0x0064, low word first; f32",
        "  asked   10.0.0.7:502: FC 3 unit 1 holding 0x0064 x 2; answered in 3 ms",
        "  words   0x5000 0x449A",
        "  value   1234.5 t/h   good",
    ]
    assert text[6].split() == ["ABCD", "CDAB", "BADC", "DCBA"]
    floats = next(line for line in text if line.startswith("  f32"))
    assert floats.split()[1:3] == ["8.60791808e+09", ">1234.5<"]
    # 0x5000 is 20480: 20480, 80 and 0x500000 × 2^-149, and 2^33
    assert text[-3].split() == ["f32", "2.86985925e-41", "8.58993459e+09", "1.12103877e-43",
                                "7.34683969e-39"]  # fmt: skip
    assert [text[-5], *text[-2:]] == [
        "  holding 0x0063  0x0000 0x5000        0.0 t/h",
        "  holding 0x0064  0x5000 0x449A        1234.5 t/h   < this one",
        "  holding 0x0065                       refused",
    ]


def test_columns_stand_below_each_other() -> None:
    rows = [line for line in lines(LOOK) if line.startswith("  f32") or "CDAB" in line]
    assert rows[0].index("CDAB") + 4 == rows[1].index("<") + 1


def test_no_line_is_wider_than_a_terminal_of_a_hundred_columns() -> None:
    long = Look("", "u", "holding 0x0000", table="holding", address=0, words=(0xFFFF,) * 4,
                takings=tuple(takings((0xFFFF,) * 4)))  # fmt: skip
    assert max(len(line) for line in lines(long)) <= 100


def test_without_a_value_it_says_why_and_what_to_do() -> None:
    bad = Look("m.flow", "m", "holding 0x0064", trouble="refused", advice="mend",
               shown=Shown(None, "t/h", Quality.DEVICE_REFUSED))  # fmt: skip
    assert list(lines(bad))[1:] == [
        "  value   -   device refused to give a value",
        "  trouble refused",
        "  do      mend",
    ]
    assert not bad.is_fine


def test_a_number_that_may_not_be_used_is_not_fine() -> None:
    assert LOOK.is_fine
    assert not replace(LOOK, shown=Shown("9999", "t/h", Quality.OUT_OF_RANGE)).is_fine


def test_for_programs() -> None:
    told: Mapping[str, object] = as_map(LOOK)
    assert told["words"] == ["5000", "449a"]
    assert (told["value"], told["unit"], told["quality"]) == ("1234.5", "t/h", 0)
    takings_told = told["takings"]
    assert isinstance(takings_told, list)
    assert [t for t in takings_told if t["profile"]] == [
        {"type": "f32", "order": "CDAB", "value": 1234.5, "profile": True}
    ]


def test_a_device_in_one_line_a_point() -> None:
    gone = replace(LOOK, point="m.t", shown=None, trouble="no connection")
    assert list(summary([LOOK, gone])) == [
        "m.flow  1234.5 t/h               good",
        "m.t     -                        no connection",
    ]
