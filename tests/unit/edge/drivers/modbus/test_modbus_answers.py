"""An answer is believed with the function and exactly the bytes that were asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.modbus.answers import RefusedError, WrongAnswerError, cells_of, data_bytes
from edge.drivers.modbus.plan import Read


@pytest.mark.parametrize(
    ("table", "count", "due"),
    [
        ("holding", 1, 2), ("holding", 125, 250), ("input", 3, 6),
        ("coil", 1, 1), ("coil", 8, 1), ("coil", 9, 2), ("discrete", 2000, 250),
    ],
)  # fmt: skip
def test_how_much_data_a_read_is_due(table: str, count: int, due: int) -> None:
    assert data_bytes(Read(table, 0, count, ())) == due


def test_registers_as_the_standard_prints_them() -> None:
    # Application Protocol 1.1b3, 6.3: registers 108..110 are 0x022B, 0x0000, 0x0064
    pdu = bytes.fromhex("03 06 02 2b 00 00 00 64")
    assert list(cells_of(pdu, Read("holding", 107, 3, ()))) == [555, 0, 100]


def test_coils_as_the_standard_prints_them() -> None:
    # 6.1: outputs 20..38 are CD 6B 05; output 27..20 is 1100 1101, 38..36 is 101
    cells = cells_of(bytes.fromhex("01 03 cd 6b 05"), Read("coil", 19, 19, ()))
    assert list(cells[:8]) == [1, 0, 1, 1, 0, 0, 1, 1]
    assert list(cells[16:]) == [1, 0, 1]
    assert len(cells) == 19


def test_a_refusal_carries_its_code() -> None:
    with pytest.raises(RefusedError, match=r"refused: illegal data address \(2\)") as caught:
        cells_of(b"\x83\x02", Read("holding", 0, 1, ()))
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("pdu", "why"),
    [
        (b"", "answered function 0 to 3"),
        (b"\x04\x02\x00\x01", "answered function 4 to 3"),
        (b"\x84\x02", "answered function 132 to 3"),
        (b"\x83", "an exception of 1 bytes"),
        (b"\x83\x02\x00", "an exception of 3 bytes"),
        (b"\x03", "answered -1 bytes, 2 were due"),
        (b"\x03\x04\x00\x01\x00\x02", "answered 4 bytes, 2 were due"),
        (b"\x03\x02\x00\x01\x00", "answered 3 bytes, 2 were due"),
        (b"\x03\x03\x00\x01", "answered 2 bytes, 2 were due"),
    ],
)
def test_anything_else_is_a_wrong_answer(pdu: bytes, why: str) -> None:
    with pytest.raises(WrongAnswerError, match=why):
        cells_of(pdu, Read("holding", 0, 1, ()))


@given(st.sampled_from(["coil", "discrete", "holding", "input"]), st.binary(max_size=260))
def test_random_bytes_give_cells_or_a_named_trouble(table: str, pdu: bytes) -> None:
    read = Read(table, 0, 5, ())
    try:
        cells = cells_of(pdu, read)
    except (RefusedError, WrongAnswerError):
        return
    assert len(cells) == 5
    assert len(pdu) == 2 + data_bytes(read)
