"""One [[register]] table of a profile to a `Register`, with every complaint about it.

Pure. What concerns two rows at once (duplicates, overlaps) is in `firmware_configs.profile`.
"""

import re
import string
from decimal import Decimal

from evidence.points import DECIMALS_MAX, Dtype, Quantity, Role
from firmware_configs.fields import Fields, is_decimal
from firmware_configs.model import BIT_TABLES, RATIOS, REGISTER_TABLES, Register

ADDRESS_NOTATIONS = ("0-based", "1-based", "40001")

#: Kinds that are amounts, so that a difference of two readings means something.
COUNTABLE = frozenset(
    {"energy", "mass", "solid-fuel-mass", "gas-volume", "count", "duration", "emission"}
)

_STAND_IN = Quantity("count", "1")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_NODE = re.compile(r"(ns=(\d+|\{ns\});)?[isgb]=.+")
_PAD = re.compile(r"(0\d)?")

#: What the leading digit of the 5- and 6-digit notation means.
_NUMBERED_TABLES = {0: "coil", 1: "discrete", 3: "input", 4: "holding"}


def read_register(fields: Fields, *, protocol: str, notation: str) -> Register:
    """The row as a Register; where the row is wrong a stand-in, and the problem is noted."""
    name = _name(fields, protocol)
    dtype = _dtype(fields)
    decimals, point_decimals = _decimals(fields, dtype)
    quantity = _quantity(fields)
    role = _role(fields, quantity, dtype)
    modbus = protocol == "modbus"
    table, address = _place(fields, notation, dtype) if modbus else (None, None)
    node, namespace = (None, None) if modbus else _node(fields, name)
    range_min, range_max = _range(fields)
    register = Register(
        name=name,
        table=table,
        address=address,
        node=node,
        namespace=namespace,
        dtype=dtype,
        decimals=decimals,
        point_decimals=point_decimals,
        quantity=quantity or _STAND_IN,
        role=role,
        applies=_applies(fields),
        invalid=_invalid(fields, dtype),
        range_min=range_min,
        range_max=range_max,
        states=_states(fields, role, dtype),
        source=fields.text("source", why="the page or table of the manual this row is from"),
        scale=_scale(fields),
        offset=fields.decimal("offset", default="0"),
    )
    fields.finish()
    return register


def _name(fields: Fields, protocol: str) -> str:
    name = fields.text("name", why='what the value is called, e.g. name = "energy_import"')
    fields.label = name
    allowed = {"n"} if protocol == "opcua" else set()
    filled = _filled(fields, "name", name, allowed)
    if filled and not _NAME.fullmatch(filled):
        fields.complain("name", f"must match {_NAME.pattern} (it becomes part of the point's id)")
    return name


def _filled(fields: Fields, key: str, template: str, allowed: set[str]) -> str:
    """The template with n = 1 and ns = 2; "" when it is no valid template."""
    marks = " and ".join("{" + mark + "}" for mark in sorted(allowed)) or "no braces"
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:
        fields.complain(key, f"the braces of {template!r} do not match; allowed here: {marks}")
        return ""
    for _, mark, pad, conversion in parts:
        if mark is None:
            continue
        if mark not in allowed or conversion or not _PAD.fullmatch(pad or ""):
            shown = "{" + mark + (f":{pad}" if pad else "") + "}"
            fields.complain(key, f"{template!r} holds {shown}; allowed here: {marks}")
            return ""
    return template.format(n=1, ns=2)


def _dtype(fields: Fields) -> Dtype:
    text = fields.text("type", why="number type, e.g. u16 i32 f32")
    if text:
        try:
            return Dtype.named(text)
        except ValueError as error:
            fields.complain("type", str(error))
    return Dtype.I64  # the stand-in that causes the fewest complaints further on


def _decimals(fields: Fields, dtype: Dtype) -> tuple[int, int]:
    if dtype.is_float:
        if fields.raw("decimals") is not None:
            fields.complain(
                "decimals",
                "a float carries its own decimal point; remove decimals and give point_decimals",
            )
        return 0, fields.integer("point_decimals", 0, DECIMALS_MAX)
    decimals = fields.integer("decimals", 0, DECIMALS_MAX, default=0)
    return decimals, fields.integer("point_decimals", 0, DECIMALS_MAX, default=decimals)


def _quantity(fields: Fields) -> Quantity | None:
    """None when it cannot be built."""
    given = {"kind": fields.text("kind", why="what it measures, e.g. energy"),
             "unit": fields.text("unit", why="e.g. kWh")}  # fmt: skip
    for key in ("reference", "moisture", "heating", "fuel_basis"):
        if text := fields.optional_text(key):
            given[key] = text
    if given["kind"] and given["unit"]:
        try:
            return Quantity.from_map(given)
        except ValueError as error:
            fields.complain("kind", str(error))
    return None


def _role(fields: Fields, quantity: Quantity | None, dtype: Dtype) -> Role:
    role = Role(fields.choice("role", [r.value for r in Role], default="gauge"))
    if quantity is None:
        return role
    if role is Role.TOTALISER and quantity.kind not in COUNTABLE:
        fields.complain(
            "role",
            f"a totaliser counts an amount ({' '.join(sorted(COUNTABLE))}), not {quantity.kind}",
        )
    if (role is Role.STATE) != (quantity.kind == "state"):
        fields.complain("role", 'a state needs both role = "state" and kind = "state"')
    if role is Role.STATE and dtype.is_float:
        fields.complain("type", "a state needs an integer type, e.g. u8")
    return role


def _place(fields: Fields, notation: str, dtype: Dtype) -> tuple[str, int]:
    if notation == "40001":
        table, address = _numbered(fields)
    else:
        table = fields.choice("table", REGISTER_TABLES + BIT_TABLES)
        first = 1 if notation == "1-based" else 0
        address = fields.integer("address", first, first + 0xFFFF) - first
    if table in BIT_TABLES and dtype is not Dtype.U8:
        fields.complain("type", f"{dtype.name.lower()} cannot be in table {table}: a bit is u8")
    if table in REGISTER_TABLES and dtype.size < 2:
        fields.complain(
            "type",
            f"{dtype.name.lower()} cannot be in table {table}: a register has 16 bits, use u16",
        )
    last = address + max(1, dtype.size // 2) - 1
    if last > 0xFFFF:
        fields.complain("address", f"ends at {last:#06x}, beyond the last address 0xffff")
    return table, address


def _numbered(fields: Fields) -> tuple[str, int]:
    """40001 notation: the leading digit is the table, the rest counts from 1."""
    number = fields.integer("address", 1, 465_536)
    span = 100_000 if number > 99_999 else 10_000
    digit, rest = divmod(number, span)
    table = _NUMBERED_TABLES.get(digit)
    if table is None or not 1 <= rest <= 0x10000:
        fields.complain(
            "address",
            f"{number} is no address in 40001 notation: 4xxxx holding, 3xxxx input, "
            "1xxxx discrete, 0xxxx coil",
        )
        return "holding", 0
    if fields.has("table"):
        given = fields.choice("table", REGISTER_TABLES + BIT_TABLES)
        if given != table:
            fields.complain("table", f"{given} contradicts address {number}, which is {table}")
    return table, rest - 1


def _node(fields: Fields, name: str) -> tuple[str, str | None]:
    node = fields.text("node", why='node id, e.g. "ns={ns};s=Line.Current"')
    namespace = fields.optional_text("namespace")
    filled = _filled(fields, "node", node, {"n", "ns"})
    if filled and not _NODE.fullmatch(node):
        fields.complain("node", f"{node!r} is no node id such as ns={{ns}};s=Line.Current")
    if filled and ("{ns}" in node) != (namespace is not None):
        fields.complain("namespace", "give the URI that {ns} in node stands for, or leave out both")
    if filled and ("{n" in name) != (re.search(r"\{n[}:]", node) is not None):
        fields.complain("node", "{n} must stand in both name and node, or in neither")
    return node, namespace


def _range(fields: Fields) -> tuple[str | None, str | None]:
    values = fields.sequence("range")
    if not fields.has("range"):
        return None, None
    if len(values) != 2:
        fields.complain("range", 'give two decimal numbers as text: range = ["0", "500"]')
        return None, None
    if not all([is_decimal(value, "range", fields) for value in values]):
        return None, None
    low, high = values
    if Decimal(low) >= Decimal(high):
        fields.complain("range", f"{low} is not less than {high}")
    return low, high


def _applies(fields: Fields) -> tuple[str, ...]:
    named: list[str] = []
    for value in fields.sequence("applies"):
        if value not in RATIOS:
            fields.complain("applies", f"{value!r} is not one of {' | '.join(RATIOS)}")
        elif value in named:
            fields.complain("applies", f"{value!r} stands there twice")
        else:
            named.append(value)
    return tuple(named)


def _invalid(fields: Fields, dtype: Dtype) -> tuple[int, ...]:
    bits = 8 * dtype.size
    signed = dtype.name.startswith("I")
    found: list[int] = []
    for value in fields.sequence("invalid"):
        if isinstance(value, bool) or not isinstance(value, int):
            fields.complain("invalid", f"{value} is not a whole number")
            continue
        number = value
        if signed and 2 ** (bits - 1) <= value < 2**bits:
            number = value - 2**bits  # the file gave the bit pattern, as manuals do
        low, high = _limits(dtype)
        if low <= number <= high:
            found.append(number)
        else:
            fields.complain("invalid", f"{value} does not fit {dtype.name.lower()} ({low}..{high})")
    return tuple(found)


def _limits(dtype: Dtype) -> tuple[int, int]:
    """Least and greatest raw whole number the type holds exactly."""
    if dtype.is_float:
        most = 2**24 if dtype is Dtype.F32 else 2**53
        return -most, most
    bits = 8 * dtype.size
    if dtype.name.startswith("I"):
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return 0, 2**bits - 1


def _states(fields: Fields, role: Role, dtype: Dtype) -> tuple[tuple[int, str], ...]:
    table = fields.raw("states")
    if role is not Role.STATE:
        if table is not None:
            fields.complain("states", 'only a register with role = "state" has states')
        return ()
    if not isinstance(table, dict) or not table:
        fields.complain("states", 'is missing: name the values, states = { "0" = "stopped" }')
        return ()
    low, high = _limits(dtype)
    found: dict[int, str] = {}
    for key, name in table.items():
        if not re.fullmatch(r"-?\d{1,20}", key) or not low <= int(key) <= high:
            fields.complain("states", f"{key!r} is no {dtype.name.lower()} value ({low}..{high})")
        elif not isinstance(name, str) or not name.strip():
            fields.complain("states", f"state {key} needs a name as text")
        elif int(key) in found:
            fields.complain("states", f"{key!r} names state {int(key)} a second time")
        else:
            found[int(key)] = name
    return tuple(sorted(found.items()))


def _scale(fields: Fields) -> str:
    scale = fields.decimal("scale", default="1")
    if scale and Decimal(scale) <= 0:
        fields.complain("scale", f"{scale} must be greater than zero")
    return scale
