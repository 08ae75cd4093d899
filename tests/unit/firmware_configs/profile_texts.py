"""Profile files for tests: one small sound one of each protocol, and how to spoil it."""

from pathlib import Path

from firmware_configs.profile import Profile, ProfileError, load_profile

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

#: A meter with everything a Modbus profile can hold: bit fields, BCD, mixed orders, settings.
FULL = f"""\
{MODBUS}
[[register]]
name = "valve"
table = "input"
address = 0x0010
type = "u16"
bits = "3"
unit = "1"
kind = "state"
role = "state"
states = {{ "0" = "shut", "1" = "open" }}
invalid = [0xFFFF]
source = "p. 1"

[[register]]
name = "step"
table = "input"
address = 0x0010
type = "u16"
bits = "4-13"
unit = "1"
kind = "count"
source = "p. 1"

[[register]]
name = "total"
table = "input"
address = 0x0020
type = "bcd32"
word_order = "little"
byte_order = "little"
unit = "1"
kind = "count"
role = "totaliser"
rolls_at = 10000000
source = "p. 2"

[[setting]]
means = "serial"
table = "input"
address = 0x0030
type = "text"
length = 4
source = "p. 3"

[[setting]]
name = "k_factor_1"
means = "k_factor"
table = "holding"
address = 0x0040
type = "f32"
unit = "pulses/m3"
source = "p. 4"

[[vector]]
register = "total"
words = [0x7856, 0x3412]
value = "12345678"

[[vector]]
setting = "serial"
words = [0x534E, 0x3432, 0x0000, 0x0000]
value = "SN42"

[[vector]]
setting = "k_factor_1"
words = [0x47F1, 0x2000]
value = "123456"
"""


def spoiled(text: str, old: str, new: str) -> str:
    """The text with one piece replaced; the piece must be there, or the test tests nothing."""
    assert old in text, old
    return text.replace(old, new, 1)


def written(text: str, folder: Path) -> str:
    """The path of a profile file with this text."""
    path = folder / "profile.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def loaded(text: str, folder: Path) -> Profile:
    """The profile of a sound text."""
    return load_profile(written(text, folder))


def problems_of(text: str, folder: Path) -> list[tuple[str, str]]:
    """(key, reason) of all that is wrong with a profile text; empty when it is sound."""
    path = written(text, folder)
    try:
        load_profile(path)
    except ProfileError as error:
        problems = error.errors
    else:
        problems = ()
    assert {problem.file for problem in problems} <= {path}
    return [(problem.key, problem.reason) for problem in problems]
