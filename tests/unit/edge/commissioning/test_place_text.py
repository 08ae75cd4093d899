"""Places as people type them, and the sentences they get."""

import pytest

from edge.commissioning.place_text import parse


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("holding:3000", ("holding", 3000)),
        ("input:0x0BB8", ("input", 3000)),
        ("COIL:0", ("coil", 0)),
        ("discrete:65535", ("discrete", 65535)),
        ("43001", ("holding", 3000)),  # 4 is holding, the rest counts from 1
        ("4:03001", ("holding", 3000)),
        ("3x0001", ("input", 0)),
        ("30001", ("input", 0)),
        ("10008", ("discrete", 7)),
        ("00001", ("coil", 0)),
        ("403001", ("holding", 3000)),
        ("465536", ("holding", 65535)),
    ],
)
def test_a_place_is_understood(text: str, place: tuple[str, int]) -> None:
    assert parse(text) == place


@pytest.mark.parametrize("text", ["3000", "23001", "holding", "holding:", "holding:-1", "x:1", ""])
def test_what_is_no_place_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="write TABLE:ADDRESS as on the wire"):
        parse(text)


@pytest.mark.parametrize("text", ["holding:65536", "40000", "465537"])
def test_a_table_ends(text: str) -> None:
    with pytest.raises(ValueError, match="65536 cells, from 0 on"):
        parse(text)
