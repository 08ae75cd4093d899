"""TOML from outside: a table, or one sentence, whatever the bytes are."""

import pytest

from firmware_configs.toml import NotTomlError, parse_toml
from tests.unit.firmware_configs.hostile_toml import (
    DEEP_LIST,
    DEEP_TABLE,
    HOSTILE_TOML,
    LONG_HEX,
    LONG_NUMBER,
    OPEN_LIST,
    assert_plain,
)


def reason(content: bytes) -> str:
    with pytest.raises(NotTomlError) as caught:
        parse_toml(content)
    return str(caught.value)


def test_a_file_is_a_table() -> None:
    content = b'a = 1\r\n[b]\nc = [1.5, "x", true]\n[[d]]\ne = 1979-05-27\n'
    table = parse_toml(content)
    assert (table["a"], table["b"]) == (1, {"c": [1.5, "x", True]})
    assert table["d"][0]["e"].isoformat() == "1979-05-27"
    assert parse_toml(b"") == {}


@pytest.mark.parametrize("text", [DEEP_LIST, OPEN_LIST, DEEP_TABLE])
def test_too_deep(text: str) -> None:
    assert reason(text.encode()) == "lists and tables are nested deeper than 64"


@pytest.mark.parametrize("text", [LONG_NUMBER, LONG_HEX, "a = [[-9223372036854775809]]"])
def test_too_long_a_number(text: str) -> None:
    assert reason(text.encode()) == "a number in it has more than 64 bits"


@pytest.mark.parametrize("text", HOSTILE_TOML)
def test_no_sentence_speaks_python(text: str) -> None:
    assert_plain(reason(text.encode()))


def test_the_limits_themselves_are_fine() -> None:
    # the file's own table is the first level, 63 lists are the other ones
    assert parse_toml(b"a = " + b"[" * 63 + b"]" * 63)
    assert "deeper" in reason(b"a = " + b"[" * 64 + b"]" * 64)
    ends = parse_toml(b"low = -9223372036854775808\nhigh = 18446744073709551615")
    assert (ends["low"], ends["high"]) == (-9223372036854775808, 18446744073709551615)
    assert "64 bits" in reason(b"a = 18446744073709551616")


def test_what_is_not_text_is_told_with_its_place() -> None:
    assert reason(b"a = '\xff'") == "byte 5 of it is not UTF-8 text"


def test_a_mistake_is_told_with_its_line() -> None:
    assert "line 2" in reason(b"a = 1\nb = \n")
