"""`stackproof sim` without sockets: listing, usage, and what ends it before it starts."""

import json

import pytest

from simulators.cli import main
from simulators.faults import KINDS
from simulators.plants import load_any

NAMES = ["kiln", "kiln-normal", "smelter", "smelter-normal", "steelworks", "steelworks-normal"]


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=1) for line in lines] == [
        [name, load_any(name).description] for name in NAMES
    ]


def test_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in listed] == NAMES
    assert all(len(row["description"]) > 20 for row in listed)


def test_unknown_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "kilm"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (f"kilm: there is no such scenario; known: {', '.join(NAMES)}\n")


def test_a_kiln_has_no_pots(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "kiln", "--pots", "5"]) == 2
    assert capsys.readouterr().err == "kiln has no pots\n"


def test_list_of_faults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--faults"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(KINDS)
    assert lines[0] == "drop            questions are heard and not answered"
    assert lines[1].endswith("each answer takes BY seconds, one after another (BY: 0.3)")


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["stackproof/gas-meter", "--set", "flo=1"], "has no register 'flo'"),
        (["stackproof/gas-meter", "--ratio", "ct_ratio=5"], "has nothing that ct_ratio applies to"),
        (["stackproof/cems-logger"], "a logger calls; say whom: --to HOST:PORT"),
        (["stackproof/cems-logger", "--pty"], "speaks hj212 has no serial line"),
        (["stackproof/pot-gateway", "--pty"], "speaks opcua has no serial line"),
        (["stackproof/gas-metre"], "gas-metre"),
        (["stackproof/gas-meter", "--fault", "kind=drop on=gas-1"], "'gas-1' is no device"),
    ],
)
def test_what_cannot_be_served(
    argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *argv, "--port", "0"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert sentence in captured.err


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ([], "the following arguments are required: command"),
        (["run"], "the following arguments are required: scenario"),
        (["run", "smelter", "--pots", "2"], "'2' is not a whole number in 3..2000"),
        (["run", "smelter", "--pots", "many"], "'many' is not a whole number in 3..2000"),
        (["run", "smelter", "--pots", "²"], "'²' is not a whole number in 3..2000"),
        (
            ["run", "smelter", "--seed", "-1"],
            "'-1' is not a whole number in 0..9223372036854775807",
        ),
        (["run", "smelter", "--modbus-port", "65536"], "'65536' is not a whole number in 0..65535"),
        (["run", "smelter", "--opcua-port", "x"], "'x' is not a whole number in 0..65535"),
        (["run", "smelter", "--for", "0"], "'0' is not a number of seconds above zero"),
        (["run", "smelter", "--for", "inf"], "'inf' is not a number of seconds above zero"),
        (["run", "smelter", "--for", "soon"], "'soon' is not a number of seconds above zero"),
        (["serve", "x", "--unit", "248"], "'248' is not a whole number in 1..247"),
        (["serve", "x", "--to", "9999"], "'9999' is not HOST:PORT"),
        (["serve", "x", "--to", "a:0"], "'0' is not a whole number in 1..65535"),
        (["serve", "x", "--mn", "12"], "'12' is not 24 hexadecimal digits"),
        (["serve", "x", "--every", "0"], "'0' is not a whole number in 1..3600"),
        (["serve", "x", "--address", "12"], "'12' is not twelve digits"),
        (["serve", "x", "--set", "power"], "'power' is not NAME=VALUE"),
        (["serve", "x", "--ratio", "ct_ratio=0"], "0 must be greater than zero"),
        (["serve", "x", "--fault", "kind=stuk on=a"], "kind: 'stuk' is none of drop delay"),
        (["run", "smelter", "--fast"], "unrecognized arguments: --fast"),
    ],
)
def test_usage(argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2
    assert sentence in capsys.readouterr().err
