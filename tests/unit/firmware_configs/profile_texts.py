"""Profile files for tests: one small sound one of each protocol, and how to spoil it."""

from pathlib import Path

from firmware_configs.profile import ProfileError, load_profile

MODBUS = """\
format = 1
vendor = "acme"
model = "m1"
revision = "3"
title = "A meter"
protocol = "modbus"
quality_level = "simulated"
source = "manual, revision 7"
address_notation = "0-based"
word_order = "big"

[[register]]
name = "voltage_l1"
table = "holding"
address = 0x0013
type = "u32"
decimals = 1
unit = "V"
kind = "voltage"
source = "p. 4"

[[register]]
name = "status"
table = "holding"
address = 0x0015
type = "i16"
unit = "1"
kind = "count"
source = "p. 5"

[[vector]]
register = "voltage_l1"
words = [0x0000, 0x08FC]
value = "230.0"
"""

OPCUA = """\
format = 1
vendor = "acme"
model = "g1"
revision = "1"
title = "A gateway"
protocol = "opcua"
quality_level = "simulated"
source = "address space export"

[[register]]
name = "pot-{n:02}.voltage"
node = "ns={ns};s=Pot{n:02}.Voltage"
namespace = "urn:acme:pots"
type = "f32"
point_decimals = 3
unit = "V"
kind = "voltage"
source = "folder Pot"

[[register]]
name = "pot-{n:02}.state"
node = "ns={ns};s=Pot{n:02}.State"
namespace = "urn:acme:pots"
type = "u8"
unit = "1"
kind = "state"
role = "state"
states = { "0" = "unknown", "1" = "producing" }
source = "folder Pot"
"""


def spoiled(text: str, old: str, new: str) -> str:
    """The text with one piece replaced; the piece must be there, or the test tests nothing."""
    assert old in text, old
    return text.replace(old, new, 1)


def problems_of(text: str, folder: Path) -> list[tuple[str, str]]:
    """(key, reason) of all that is wrong with a profile text; empty when it is sound."""
    path = folder / "profile.toml"
    path.write_text(text, encoding="utf-8")
    try:
        load_profile(str(path))
    except ProfileError as error:
        problems = error.errors
    else:
        problems = ()
    assert {problem.file for problem in problems} <= {str(path)}
    return [(problem.key, problem.reason) for problem in problems]
