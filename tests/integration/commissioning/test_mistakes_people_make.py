"""Each mistake of a profile or site file that people make, and the sentence they get, in full.

One row a mistake, in the order in which they are asked for: duplicate address, overlap, unknown
unit, impossible type and count, wrong function code, unreachable host, wrong unit id, swapped
words, one address off, a certificate that is not trusted, a transformer's ratio inside the scale.
What only a device can tell is told by the doctor; how it finds it is in the tests beside this one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.commissioning.doctor_opcua import examine_opcua
from edge.drivers.opcua.security import ENCRYPT, OpcUaSecurity
from firmware_configs.cli import main as profile
from tests.integration.commissioning.field import Said, edge, with_url
from tests.integration.drivers.modbus_responder import Pdu, Question, Responder, Silence
from tests.integration.drivers.opcua_others import free_port
from tests.integration.drivers.opcua_pki import CLIENT_URI, SERVER_URI, make
from tests.integration.drivers.test_opcua_security import VOLT, serving
from tests.unit.edge.drivers.specs import secured
from tests.unit.edge.sites import AC, GAS, HEAD, replaced, write_keys, write_site

PROFILE = """\
format = 1
vendor = "test"
model = "meter"
revision = "1"
title = "The meter of the mistakes"
protocol = "modbus"
quality_level = "simulated"
source = "made up for this test"
address_notation = "0-based"
word_order = "big"
reports = "secondary"
[[register]]
name = "current"
table = "holding"
address = 0x10
type = "u32"
decimals = 3
unit = "A"
kind = "current"
applies = ["ct_ratio"]
range = ["1", "1000"]
source = "p. 1"
[[register]]
name = "frequency"
table = "holding"
address = 0x12
type = "u16"
decimals = 1
unit = "Hz"
kind = "frequency"
source = "p. 1"
[[vector]]
register = "current"
words = [0x0000, 0x0BB8]
value = "3.000"
"""
RATIO = 'applies = ["ct_ratio"]'
TABLE = 'table = "holding"\naddress = 0x12'

#: the mistake -> what is written for what, key, the sentence
TYPED = {
    "duplicate address": (
        "address = 0x12", "address = 0x10", "register[1].address",
        "frequency: address 0x0010 overlaps current (0x0010..0x0011): look both up in the manual, "
        "one address is wrong, or a type is too long: current is u32",
    ),
    "overlap": (
        "address = 0x12", "address = 0x11", "register[1].address",
        "frequency: address 0x0011 overlaps current (0x0010..0x0011): look both up in the manual, "
        "one address is wrong, or a type is too long: current is u32",
    ),
    "unknown unit": (
        '"Hz"', '"hz"', "register[1].unit",
        "frequency: 'hz' is no unit of kind 'frequency', which has Hz",
    ),
    "a unit of another kind": (
        '"Hz"', '"kW"', "register[1].unit",
        "frequency: 'kW' is no unit of kind 'frequency', which has Hz; it is of kind power",
    ),
    "impossible type and count": (
        'type = "u32"', 'type = "u32"\nlength = 1', "register[0].length",
        "current: remove it: u32 always takes 2 registers; if the manual says 1, the type is "
        "another one",
    ),
    "impossible type of a bit": (
        TABLE, 'table = "coil"\naddress = 0x12', "register[1].type",
        "frequency: u16 cannot be in table coil: a bit is u8",
    ),
    "impossible count of a vector": (
        "[0x0000, 0x0BB8]", "[0x0BB8]", "vector[0].words",
        "current: there are 1, but u32 takes 2",
    ),
    "a value beyond the last address": (
        "address = 0x10", "address = 0xFFFF", "register[0].address",
        "current: ends at 0x10000, beyond the last address 0xffff",
    ),
    "function code in place of a table": (
        TABLE, "table = 3\naddress = 0x12", "register[1].table",
        'frequency: 3 is no table\'s name: table = "coil" is read with FC 1, "discrete" with 2, '
        '"holding" with 3, "input" with 4',
    ),
    "function code by its name": (
        TABLE, "function_code = 4\naddress = 0x12", "register[1].function_code",
        'frequency: is written as the table: table = "coil" is read with FC 1, "discrete" with 2, '
        '"holding" with 3, "input" with 4',
    ),
    "swapped words": (
        'word_order = "big"', 'word_order = "little"', "vector[0].value",
        "current: the words are raw 196608000 (word_order little, byte_order big), "
        "which is not 3.000; it is with word_order big, byte_order big",
    ),
    "CT ratio inside the scale": (
        RATIO, 'scale = "160"', "register[0].applies",
        'current: lacks ct_ratio, and the head says reports = "secondary": write '
        'applies = ["ct_ratio"] here and the ratio in the site file, never in scale',
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", TYPED)
def test_profile_check_says(
    mistake: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, key, sentence = TYPED[mistake]
    file = tmp_path / "meter.toml"
    file.write_text(replaced(PROFILE, {old: new}))
    assert profile(["check", str(file)]) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"{file}: {key}: {sentence}"
    assert len(told) == 1


def test_a_ratio_in_the_scale_of_a_meter_of_which_nothing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No mistake for certain, hence a note."""
    file = tmp_path / "meter.toml"
    file.write_text(replaced(PROFILE, {RATIO: 'scale = "160"', 'reports = "secondary"\n': "",
                                       '"3.000"': '"480"'}))  # fmt: skip
    assert profile(["check", str(file)]) == 0
    assert capsys.readouterr().err == (
        f"{file}: note: current: scale 160 of a current reads as a transformer's ratio; that "
        'belongs into the site file: reports = "secondary", applies = ["ct_ratio"] or '
        '["vt_ratio"], and ct_ratio = "primary/secondary" of the device\n'
    )


#: likewise in a site file of an AC meter and a gas meter; the key is the device's
IN_SITE = {
    "the same meter twice": (
        ("gas-1", "stackproof/gas-meter", ':15021?unit=1"'),
        ("ac-2", "stackproof/ac-meter", ':15020?unit=1"\nct_ratio = "1"\nvt_ratio = "1"'), "url",
        "ac-2: asks 127.0.0.1:15020 what ac-1 asks already (FC 3 unit 1 holding 0x0000 (0 in "
        "0-based notation) x 2): one meter would be counted twice; correct unit or address, or "
        "remove one of the two devices",
    ),
    "one id twice": (
        ('id = "gas-1"',), ('id = "ac-1"',), "id",
        "ac-1: 'ac-1' is an earlier device's: name this one otherwise",
    ),
    "no protocol": (
        ("modbus+tcp://127.0.0.1:15021?unit=1",), ("127.0.0.1:15021",), "url",
        "gas-1: '127.0.0.1:15021' names no protocol: write modbus+tcp://127.0.0.1:15021 or one of",
    ),
    "a protocol by another name": (
        ("modbus+tcp://127.0.0.1:15021?unit=1",), ("modbus://127.0.0.1:15021",), "url",
        "gas-1: modbus:// is no protocol here; did you mean modbus+tcp://127.0.0.1:15021?",
    ),
    "a profile that there is not": (
        ("stackproof/gas-meter",), ("stackproof/gasmeter",), "profile",
        "gas-1: stackproof/gasmeter: there is no such profile; did you mean "
        "'stackproof/gas-meter'?",
    ),
    "a profile of another protocol": (
        ("stackproof/gas-meter",), ("stackproof/pot-gateway",), "profile",
        "gas-1: stackproof/pot-gateway is of a device that speaks opcua, and modbus+tcp:// is "
        "modbus: correct the profile, or the url",
    ),
    "a unit id that is none": (
        ("15021?unit=1",), ("15021?unit=300",), "url", "gas-1: unit '300' is not in 0..255",
    ),
    "a point that the profile has not": (
        ('id = "gas-1"',), ('id = "gas-1"\npoints = ["flw"]',), "points",
        "gas-1: 'flw' is no register of stackproof/gas-meter; did you mean 'flow'?",
    ),
    "a ratio of which nothing depends": (
        ('id = "gas-1"',), ('id = "gas-1"\nct_ratio = "800/5"',), "ct_ratio",
        "gas-1: has no effect: no register of stackproof/gas-meter takes it (the meter reports no "
        "ratio-dependent values); remove it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", IN_SITE)
async def test_edge_check_says(mistake: str, tmp_path: Path, said: Said) -> None:
    old, new, key, sentence = IN_SITE[mistake]
    write_keys(tmp_path / "keys")
    text = replaced(HEAD + AC + GAS, dict(zip(old, new, strict=True))) + "[statement]\n"
    site = write_site(tmp_path, text)
    assert await edge("check", site) == 2
    told = said.both()[1].splitlines()
    assert told[0].startswith(f"{site}: device[1].{key}: {sentence}")
    assert told[1] == "1 problem; nothing was started"


@dataclass
class Live:
    """A mistake that only the device tells.

    Attributes:
        layer: what the doctor calls it.
        sentence: what it says first; {port} is the device's.
        todo: what to do first.
        site: changes to the site's text; {port} likewise.
        profile: changes to the profile's.
        words: the device's registers.
        twist: what it answers otherwise.
    """

    layer: str
    sentence: str
    todo: str
    site: Mapping[str, str] = field(default_factory=dict)
    profile: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[int, int] = field(default_factory=lambda: {0x10: 0, 0x11: 3000, 0x12: 500})
    twist: Callable[[Question], Pdu | Silence | None] = lambda asked: None


def _only_input(asked: Question) -> Pdu | None:
    return None if asked.code == 4 else Pdu(bytes([asked.code | 0x80, 1]))


LIVE = {
    "unreachable host: a name": Live(
        "dns", "the name 'meter.invalid' is not known here: ",
        "write the device's IP address, or correct the name, or this machine's DNS server",
        site={"127.0.0.1:{port}": "meter.invalid:{port}"},
    ),
    "unreachable host: a port": Live(
        "tcp", "127.0.0.1 port 1: refused: the host is there, nobody listens on that port",
        "check the port and that the service is switched on there", site={":{port}": ":1"},
    ),
    "wrong unit id": Live(
        "unit", "unit 7 does not answer, unit 1 does", "write ?unit=1 in the device's url",
        site={"unit=1": "unit=7"}, twist=lambda asked: None if asked.unit == 1 else Silence(),
    ),
    "wrong function code": Live(
        "register", "ac-1.current (holding 0x0010 x 2): refused: illegal function (1)",
        "in table input the device does answer", twist=_only_input,
    ),
    "swapped words": Live(
        "value", "ac-1.current is 31457280.000 A (0x0BB8 0x0000, range 1 to 1000)",
        'it would be 480.000 A with word_order = "little"', words={0x10: 3000, 0x11: 0, 0x12: 500},
    ),
    "one address off": Live(
        "value", "ac-1.current is 31457288.000 A (0x0BB8 0x0032, range 1 to 1000)",
        "it would be 480.000 A with the address one lower (0x000f on the wire)",
        words={0x0F: 0, 0x10: 3000, 0x11: 50, 0x12: 500},
    ),
    "CT ratio inside the scale": Live(
        "value", "ac-1.current is 76800.000 A (0x0000 0x0BB8, range 1 to 1000)",
        'it would be 480.000 A with ct_ratio = "1" instead of "800/5": the meter may report '
        "primary values, or the ratio stand in the row's scale as well",
        profile={RATIO: RATIO + '\nscale = "160"', '"3.000"': '"480"'},
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", LIVE)
async def test_the_doctor_says(mistake: str, tmp_path: Path, said: Said) -> None:
    case = LIVE[mistake]
    (tmp_path / "meter.toml").write_text(replaced(PROFILE, case.profile))
    write_keys(tmp_path / "keys")
    async with Responder(words=dict.fromkeys(range(64), 0) | dict(case.words)) as device:
        device.twist = case.twist
        text = replaced(with_url(AC, device.port), {'"stackproof/ac-meter"': '"meter.toml"',
                                                    'vt_ratio = "10000/100"\n': ""})  # fmt: skip
        port = str(device.port)
        text = replaced(text, {k.format(port=port): v.format(port=port)
                               for k, v in case.site.items()})  # fmt: skip
        site = write_site(tmp_path, HEAD + text + "[statement]\n")
        assert await edge("doctor", site, "ac-1", "--json") == 1
    failed = [c for c in said.json()["checks"]
              if c["subject"] == "ac-1" and c["state"] == "failed"]  # fmt: skip
    assert failed, "the doctor found nothing"
    assert failed[0]["layer"] == case.layer
    assert failed[0]["sentence"].startswith(case.sentence), failed[0]["sentence"]
    assert failed[0]["todo"].startswith(case.todo) or case.todo in failed[0]["todo"]


async def test_a_ratio_with_its_secondary_side_first(tmp_path: Path, said: Said) -> None:
    """A warning: 3.000 A × 5/800 is credible, and such transformers may exist."""
    (tmp_path / "meter.toml").write_text(replaced(PROFILE, {'["1", "1000"]': '["0", "1000"]'}))
    write_keys(tmp_path / "keys")
    async with Responder(words=dict.fromkeys(range(64), 0) | {0x11: 3000, 0x12: 500}) as device:
        text = replaced(with_url(AC, device.port), {
            '"stackproof/ac-meter"': '"meter.toml"', 'vt_ratio = "10000/100"\n': "",
            '"800/5"': '"5/800"',
        })  # fmt: skip
        await edge("doctor", write_site(tmp_path, HEAD + text + "[statement]\n"), "ac-1", "--json")
    (told,) = (c for c in said.json()["checks"]
               if c["subject"] == "ac-1" and c["state"] == "warning")  # fmt: skip
    assert told["sentence"] == 'ct_ratio = "5/800" makes values smaller than the meter has them'
    assert told["todo"].startswith("a transformer's plate names the primary side first: ")


async def test_a_certificate_that_is_not_trusted(tmp_path: Path) -> None:
    server = make(tmp_path, "server", SERVER_URI, number=1)
    stranger = make(tmp_path, "stranger", SERVER_URI, number=3)
    client = make(tmp_path, "client", CLIENT_URI, number=2)
    async with serving(server, free_port()) as url:
        security = OpcUaSecurity(ENCRYPT, client.pem, client.key, stranger.der)
        checks = await examine_opcua(secured(url, security, VOLT, timeout_s=5.0), SystemClock())
    last = checks[-1]
    grouped = ":".join(server.thumbprint[i : i + 2] for i in range(0, 64, 2)).upper()
    assert last.layer == "certificate"
    assert f"the server's certificate is not trusted: SHA-256 thumbprint {grouped}" in last.sentence
    assert last.todo.endswith("only by a thumbprint that the server itself shows")
