"""`stackproof profile`: what it prints and with which code it ends."""

import json
from pathlib import Path

import pytest

from firmware_configs.cli import main
from firmware_configs.profile import list_profiles
from tests.unit.firmware_configs.profile_texts import MODBUS, spoiled


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list_profiles()
    assert "modbus" in lines[0]
    assert "simulated" in lines[0]


def test_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in listed] == list_profiles()
    assert {"title", "protocol", "quality_level", "revision", "source"} <= set(listed[0])


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "stackproof/gas-meter"]) == 0
    out = capsys.readouterr().out
    assert "word_order              little" in out
    volume = next(line for line in out.splitlines() if line.startswith("volume"))
    assert volume.split() == ["volume", "holding", "40201", "0x00c8", "u64", "Nm3", "totaliser"]


def test_show_an_address_space_and_its_caveat(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "stackproof/pot-gateway"]) == 0
    out = capsys.readouterr().out
    assert "ns={ns};s=Pot{n:02}.Voltage" in out
    assert "caveat: Real pot controllers are seldom on OPC UA" in out
    assert "word_order" not in out


def test_show_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "stackproof/ac-meter", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    energy = next(r for r in shown["registers"] if r["name"] == "energy_import")
    assert energy["table"] == "holding"
    assert energy["address"] == 0x0BB8
    assert energy["applies"] == ["ct_ratio", "vt_ratio"]
    assert (energy["kind"], energy["unit"], energy["role"]) == ("energy", "kWh", "totaliser")
    assert shown["probe"] == "serial"
    assert shown["caveats"][0]["link"] == ""


def test_show_what_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "acme/none"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    first = list_profiles()[0]
    assert captured.err.startswith(f"acme/none: there is no such profile; known: {first}")


def test_show_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.toml"
    path.write_text(spoiled(MODBUS, 'unit = "V"\n', ""))
    assert main(["show", str(path)]) == 1
    assert "register[0].unit" in capsys.readouterr().err


def test_check_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [f"{name}: fine" for name in list_profiles()]
    assert captured.err == ""


def test_check_prints_all_that_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.toml"
    path.write_text(spoiled(spoiled(MODBUS, 'unit = "V"\n', ""), "0x0015", "0x0014"))
    assert main(["check", "stackproof/ac-meter", str(path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == "stackproof/ac-meter: fine\n"
    assert captured.err == f"{path}: register[0].unit: voltage_l1: is missing: e.g. kWh\n"
    path.write_text(spoiled(MODBUS, "0x0015", "0x0014"))
    assert main(["check", str(path)]) == 1
    assert "address 0x0014 overlaps voltage_l1 (0x0013..0x0014)" in capsys.readouterr().err


def test_check_wants_a_vector(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.toml"
    path.write_text(MODBUS[: MODBUS.index("[[vector]]")])
    assert main(["check", str(path)]) == 1
    reason = "vector: nothing proves the word order of u32; add a [[vector]]"
    assert capsys.readouterr().err == f"{path}: {reason}\n"


def test_check_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.toml"
    path.write_text(spoiled(MODBUS, 'title = "A meter"\n', ""))
    gone = str(tmp_path / "gone.toml")
    assert main(["check", "--json", str(path), gone, "stackproof/ac-meter"]) == 2
    assert json.loads(capsys.readouterr().out) == [
        {
            "profile": str(path),
            "errors": [
                {"file": str(path), "key": "title", "reason": "is missing: one line for people"}
            ],
            "notes": [],
        },
        {
            "profile": gone,
            "errors": [
                {
                    "file": gone,
                    "key": "",
                    "reason": "cannot be read: No such file or directory; give vendor/model or "
                    "the path of a .toml file",
                }
            ],
            "notes": [],
        },
        {"profile": "stackproof/ac-meter", "errors": [], "notes": []},
    ]


@pytest.mark.parametrize("argv", [[], ["show"], ["burn"], ["list", "extra"]])
def test_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2
    assert "usage: stackproof profile" in capsys.readouterr().err


def test_show_gives_addresses_as_written_and_as_on_the_wire(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.toml"
    path.write_text(spoiled(MODBUS, '"0-based"', '"1-based"'))
    assert main(["show", str(path)]) == 0
    out = capsys.readouterr().out
    assert "address_notation        1-based" in out
    status = next(line for line in out.splitlines() if line.startswith("status"))
    assert status.split() == ["status", "holding", "21", "0x0014", "i16", "1", "gauge"]
    assert main(["show", "stackproof/gas-meter", "--json"]) == 0
    flow = json.loads(capsys.readouterr().out)["registers"][1]
    assert (flow["written"], flow["address"], flow["word_order"]) == (40101, 100, "little")


def test_show_bits_and_bcd(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.toml"
    path.write_text(spoiled(MODBUS, 'type = "i16"', 'type = "u16"\nbits = "4-7"'))
    main(["show", str(path)])
    assert " u16 bits 4-7  " in capsys.readouterr().out
    path.write_text(spoiled(MODBUS, 'type = "i16"', 'type = "bcd16"'))
    main(["show", str(path), "--json"])
    status = json.loads(capsys.readouterr().out)["registers"][1]
    assert (status["type"], "bits" in status) == ("bcd16", False)


def test_check_doubts_what_reads_as_another_notation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A doubt is no mistake: makers put holding registers at 30000 and on (0-based) as well."""
    path = tmp_path / "m.toml"
    text = spoiled(MODBUS, "address = 0x0013", "address = 30020").replace("0x0015", "30022")
    path.write_text(text)
    assert main(["check", str(path)]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{path}: fine\n"
    assert captured.err == (
        f"{path}: note: voltage_l1: address 30020 stands in table holding as 0-based; if the "
        "manual means 40001 notation, it is input 0x0013 (and 1 more)\n"
    )
    path.write_text(text.replace("300", "400"))
    assert main(["check", str(path)]) == 0
    assert capsys.readouterr().err == ""
