"""The HJ 212 checksum by hand: the two packets the standards print, and what is refused."""

import json

import pytest

from edge.calc.cli import main
from edge.calc.errors import InputError
from edge.calc.registry import evaluate

#: HJ 212-2017, appendix A, and HJ 212-2025, A.1 (page 32 of its PDF): segment, checksum.
PUBLISHED = [
    (
        "QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"
        "CP=&&RtdInterval=30&&",
        "1C80",
    ),
    (
        "QN=20240601085857223;ST=32;CN=1011;PW=123456;MN=010000A8900016F000169DC0;Flag=9;CP=&&&&",
        "2200",
    ),
]


@pytest.mark.parametrize(("segment", "crc"), PUBLISHED)
def test_the_published_packets(segment: str, crc: str) -> None:
    assert evaluate("hj212.crc", {"segment": segment}) == {"crc": crc}


def test_it_is_not_the_modbus_checksum() -> None:
    # which gives 0759 for the first packet: a known mock platform computes that
    assert evaluate("hj212.crc", {"segment": PUBLISHED[0][0]})["crc"] != "0759"


def test_one_byte_by_hand() -> None:
    # register FFFF: FF xor 41 = BE; eight shifts of BE with A001: 5F, A02E, 5017, 880A, 4405,
    # 8203, E100, 7080 (bits shifted out 0 1 0 1 0 1 1 0)
    assert evaluate("hj212.crc", {"segment": "A"}) == {"crc": "7080"}


def test_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    segment, crc = PUBLISHED[0]
    assert main(["eval", "hj212.crc", f"segment={segment}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"crc": crc}


@pytest.mark.parametrize("wrong", ["", "流量", "x" * 10_000])
def test_what_is_no_segment_is_refused_by_its_key(wrong: str) -> None:
    with pytest.raises(InputError) as caught:
        evaluate("hj212.crc", {"segment": wrong})
    assert [p.partition(":")[0] for p in caught.value.problems] == ["segment"]


def test_9999_characters_are_taken() -> None:
    assert len(evaluate("hj212.crc", {"segment": "x" * 9999})["crc"]) == 4
