"""`stackproof edge check`: exit status, sentences, JSON; what `edge run` refuses to start with."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.cli import main
from evidence.keys import generate, write_private
from tests.unit.edge.sites import GAS, SITE, replaced, write_keys, write_site

Check = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Check a site text in a folder with good keys; (exit status, lines on stderr or stdout)."""
    write_keys(tmp_path / "keys")

    def run(text: str, *options: str) -> tuple[int, list[str]]:
        path = write_site(tmp_path, text)
        status = main(["check", str(path), *options])
        out, err = capsys.readouterr()
        lines = (out if status == 0 or "--json" in options else err).splitlines()
        return status, [line.replace(str(path), "SITE") for line in lines]

    return run


def test_good_site(check: Check) -> None:
    assert check(SITE) == (
        0, ["SITE: fine. north-works/edge-1: 3 devices, 24 points read, 17 computed."],
    )  # fmt: skip


def test_good_site_as_json(check: Check) -> None:
    status, lines = check(SITE, "--json")
    assert status == 0
    assert json.loads("\n".join(lines)) == {
        "problems": [], "warnings": [], "points": 24, "computed": 17,
    }  # fmt: skip


def test_an_unsecured_opc_ua_server_beyond_this_machine_is_warned_of(
    check: Check, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    far = replaced(SITE, {"opc.tcp://127.0.0.1:14840": "opc.tcp://192.0.2.7:4840"})
    status, lines = check(far, "--json")
    (warning,) = json.loads("\n".join(lines))["warnings"]
    assert status == 0
    assert warning.startswith("pot-gateway: opc.tcp://192.0.2.7:4840/potline is read without")
    assert main(["check", str(write_site(tmp_path, far))]) == 0
    out, err = capsys.readouterr()
    assert ": fine. north-works/edge-1" in out
    assert err == f"warning: device {warning}\n"


def test_pot_voltages_that_are_read_seldom_are_warned_of(
    check: Check, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = SITE.replace("provenance =", 'interval_s = "6"\nprovenance =')
    rule = '[potline.anode_effect]\nt_start_s = "7"\n'
    slow = replaced(slow, {"[statement.metal]": f"{rule}[statement.metal]"})
    status, lines = check(slow, "--json")
    assert status == 0
    (warning,) = json.loads("\n".join(lines))["warnings"]
    assert warning == (
        "line-1: pot voltages are read every 6 s: the duration of an anode effect is known to ±6 s "
        "only, one of up to 12 s is never seen, and only one of 18 s or more is always seen; read "
        "them at least every 5 s"
    )
    assert main(["check", str(write_site(tmp_path, slow))]) == 0
    assert capsys.readouterr().err == f"warning: potline {warning}\n"
    assert json.loads("\n".join(check(slow.replace('"6"', '"5"'), "--json")[1]))["warnings"] == []


def test_every_problem_of_the_file(check: Check) -> None:
    status, lines = check(replaced(SITE, {'"800/5"': '"x"', '"94.5"': '"945"'}))
    assert status == 2
    assert lines == [
        "SITE: device[0].ct_ratio: ac-1: 'x' is not a decimal number or a ratio like 800/5",
        "SITE: potline[0].current_efficiency_percent: line-1: is percent: 50 to 100, such as 94.5",
        "2 problems; nothing was started",
    ]


def test_problems_as_json(check: Check) -> None:
    status, lines = check(replaced(SITE, {"format = 1": "format = 3"}), "--json")
    assert status == 2
    (problem,) = json.loads("\n".join(lines))["problems"]
    assert problem["key"] == "format"
    assert problem["reason"].startswith("must be 1")
    assert problem["file"] == "SITE"


METER = """\
[[device]]
id = "ac-2"
url = "modbus+tcp://127.0.0.1:15020?unit=2&requests_per_s={rate}"
profile = "stackproof/ac-meter"
provenance = "meter-direct"
ct_ratio = "800/5"
vt_ratio = "10000/100"
points = ["power", "energy_import"]
"""


def test_traffic_lists_every_request_with_its_bytes(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something was opened")

    monkeypatch.setattr("socket.socket.connect", refuse)
    status, lines = check(replaced(SITE, {GAS: METER.format(rate=10) + GAS}), "--traffic")
    assert status == 0
    assert lines[0].startswith("SITE: fine.")
    text = "\n".join(lines)
    assert "Modbus TCP, 127.0.0.1:15020, 1 connection\n  ac-1, read every 1 s\n" in text
    (power,) = [line for line in lines if line.endswith("; ac-2.power")]
    # MBAP: number, protocol 0, 6 bytes behind, unit 2; FC 3 from 0x0018, 2 registers (an i32)
    assert "FC 3 unit 2 holding 0x0018 (24 in 0-based notation) x 2" in power
    assert "sends 12 bytes ....00000006020300180002; answer 13 bytes" in power
    assert "requests_per_s 10: kept, " in text
    assert "  nothing is written: function codes 1 to 4 only" in lines
    assert "OPC UA, opc.tcp://127.0.0.1:14840/potline, none, 1 connection" in text
    assert "each read: Read attribute Value of 9 nodes" in text
    assert "      nsu=urn:stackproof:sim:potline;s=" in text


def test_traffic_as_json(check: Check) -> None:
    status, lines = check(SITE, "--traffic", "--json")
    assert status == 0
    found = json.loads("\n".join(lines))
    first = found["traffic"][0]
    assert (first["protocol"], first["endpoint"], first["connections"]) == (
        "Modbus TCP", "127.0.0.1:15020", 1,
    )  # fmt: skip
    (device,) = first["devices"]
    assert device["id"] == "ac-1"
    points = {point for request in device["requests"] for point in request["points"]}
    assert {"ac-1.power", "ac-1.energy_import"} <= points
    assert first["sent_bytes_per_s"] == 12 * len(device["requests"])


def test_a_cap_that_cannot_be_kept_is_a_problem_with_its_way_out(check: Check) -> None:
    status, lines = check(replaced(SITE, {GAS: METER.format(rate=1) + GAS}))
    assert status == 2
    assert lines[0].startswith(
        "SITE: device[1].url: ac-2: requests_per_s 1 cannot be kept: what is read on "
        "127.0.0.1:15020 is "
    )
    assert "allow " in lines[0]
    assert lines[-1] == "1 problem; nothing was started"


def test_no_such_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "none.toml")]) == 2
    assert "none.toml: cannot be read: No such file" in capsys.readouterr().err


def test_all_keys_missing_at_once_each_under_its_own_key(check: Check, tmp_path: Path) -> None:
    for path in (tmp_path / "keys").iterdir():
        path.unlink()
    status, lines = check(SITE)
    assert status == 2
    assert [line.split(": ")[1] for line in lines[:-1]] == [
        "gateway.key", "gateway.certificate", "uplink.collector",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"keys/edge-1.crt": "keys/collector.crt"},
            ["gateway.certificate: the certificate is for collector north-works/collector; needed",
             "gateway.certificate: ", ],
        ),
        ({'id = "edge-1"': 'id = "edge-2"'}, ["gateway.certificate: the certificate is for "]),
        (
            {'id = "north-works"': 'id = "south-works"'},
            ["gateway.certificate: the certificate is for gateway north-works/edge-1; needed",
             "uplink.collector: the certificate is for collector north-works/collector; n"],
        ),
        ({"keys/collector.crt": "keys/edge-1.crt"}, ["uplink.collector: the certificate is for "]),
        ({"keys/edge-1.pem": "site.toml"}, ["gateway.key: "]),
        ({"keys/edge-1.crt": "site.toml"}, ["gateway.certificate: "]),
    ],
)  # fmt: skip
def test_keys_that_do_not_belong(check: Check, changes: dict[str, str], says: list[str]) -> None:
    status, lines = check(replaced(SITE, changes))
    assert status == 2
    assert len(lines) == len(says) + 1
    for line, start in zip(lines, says, strict=False):
        assert line.startswith(f"SITE: {start}")


def test_key_of_another_gateway(check: Check, tmp_path: Path) -> None:
    (tmp_path / "keys/edge-1.pem").unlink()
    write_private(tmp_path / "keys/edge-1.pem", generate())
    status, lines = check(SITE)
    assert status == 2
    assert "does not belong to" in lines[0]


def test_key_that_others_can_read(check: Check, tmp_path: Path) -> None:
    (tmp_path / "keys/edge-1.pem").chmod(0o644)
    status, lines = check(SITE)
    assert status == 2
    assert lines[0].startswith("SITE: gateway.key: ")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {'kind = "natural-gas"': 'kind = "hydrogen"'},
            "statement.fuel[0]: statement.fuels: cets-ag-04.01-v01-2024 has no fuel 'hydrogen'",
        ),
        (
            {'"94.5"': '"94.5"\nindicator_edition = "ipcc-2006"'},
            "potline[0]: potline line-1: ipcc-2006 has no slope for 'PFPB-M'",
        ),
        (
            {'"94.5"': '"94.5"\n[potline.anode_effect]\nt_merge_s = "1"'},
            "potline[0]: anode_effect: times must not be negative, t_merge_s >= 1.5 samples",
        ),
        (
            {'"94.5"': '"94.5"\n[potline.anode_effect]\nt_merge_s = "0.0000000001"'},
            "potline[0].anode_effect.t_merge_s: '0.0000000001' has more than 3 decimals",
        ),
    ],
)
def test_what_the_calculation_refuses(check: Check, changes: dict[str, str], says: str) -> None:
    status, lines = check(replaced(SITE, changes))
    assert status == 2
    assert lines[0].startswith(f"SITE: {says}")
    assert lines[-1] == "1 problem; nothing was started"


def test_every_part_the_calculation_refuses_has_its_own_sentence(check: Check) -> None:
    edition = '"94.5"\nindicator_edition = "ipcc-2006"'
    text = replaced(SITE, {'"94.5"': edition, '"natural-gas"': '"hydrogen"'})
    status, lines = check(text)
    assert status == 2
    assert [line.split(": ")[1] for line in lines[:-1]] == ["potline[0]", "statement.fuel[0]"]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"cets-ag-04.01-v01-2024": "cets-99"}, "plant.rule_set"),
        ({'"94.5"': '"945"'}, "potline[0].current_efficiency_percent"),
        ({'kind = "natural-gas"': 'kind = "hydrogen"'}, "statement.fuel[0]"),
    ],
)
def test_keys_are_complained_about_in_the_same_pass(
    check: Check, tmp_path: Path, changes: dict[str, str], key: str
) -> None:
    (tmp_path / "keys/collector.crt").unlink()
    status, lines = check(replaced(SITE, changes))
    assert status == 2
    assert {line.split(": ")[1] for line in lines[:-1]} == {key, "uplink.collector"}
    assert lines[-1] == "2 problems; nothing was started"


def test_keys_of_a_plant_without_a_name_are_not_guessed_at(check: Check) -> None:
    status, lines = check(replaced(SITE, {'id = "north-works"\n': ""}))
    assert status == 2
    assert [line.split(": ")[1] for line in lines[:-1]] == ["plant.id"]


def test_configuration_too_large_to_be_signed(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evidence.cbor.BYTES_MAX", 5000)
    status, lines = check(SITE)
    assert status == 2
    assert "5000 can be signed: read fewer points (points = [...] of a device" in lines[0]
    assert lines[1] == "1 problem; nothing was started"


def test_configuration_that_no_reader_takes(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evidence.cbor.ITEMS_MAX", 500)
    status, lines = check(SITE)
    assert status == 2
    assert "that no reader takes (CBOR of more than 500 items): read fewer points" in lines[0]


def test_more_points_than_a_frame_holds(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    """24 points read and 17 computed, all with the fastest schedule."""
    monkeypatch.setattr("edge.signed.POINTS_MAX", 40)
    status, lines = check(SITE)
    assert status == 2
    assert "has 41 points every 1 s, computed ones included; a frame holds 40: read" in lines[0]
    monkeypatch.setattr("edge.signed.POINTS_MAX", 41)
    assert check(SITE)[0] == 0


def test_run_starts_nothing_on_a_bad_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_site(tmp_path, replaced(SITE, {"format = 1": "format = 9"}))
    assert main(["run", str(path)]) == 2
    assert "nothing was started" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


def test_run_says_when_the_spool_cannot_be_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_keys(tmp_path / "keys")
    (tmp_path / "state").write_text("a file where the folder should be")
    assert main(["run", str(write_site(tmp_path))]) == 2
    out, err = capsys.readouterr()
    assert "spool.sqlite: cannot be opened as a spool" in err
    assert out == ""


def test_wrong_usage_is_argparse_s_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["chek"])
    assert caught.value.code == 2
    assert "check" in capsys.readouterr().err
