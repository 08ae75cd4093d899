"""One [[register]] table of a profile to a `Register`, with every complaint about it.

Pure. What concerns two rows at once (duplicates, overlaps) is in `firmware_configs.profile`.
"""

import re
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from evidence.points import DECIMALS_MAX, KINDS, Quantity, Role
from firmware_configs.coding import Coding, check_table, read_coding, read_orders
from firmware_configs.fields import Fields, is_decimal
from firmware_configs.messages import read_identifier, read_item
from firmware_configs.model import RATIOS, Register
from firmware_configs.places import check_end, filled, read_node, read_place
from firmware_configs.rules import Ruled, read_marks, read_rules
from firmware_configs.units import UNITS, instead

#: Kinds that are amounts, so that a difference of two readings means something.
COUNTABLE = frozenset(
    {"energy", "reactive-energy", "mass", "solid-fuel-mass", "gas-volume", "liquid-volume"}
    | {"count", "duration", "emission"}
)

_POINT_DECIMALS = "is missing: decimals that are kept of a float, in its unit, such as 2"
_STAND_IN = Quantity("count", "1")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


class Head(NamedTuple):
    """What a row must know of its file.

    Attributes:
        protocol: one of `model.PROTOCOLS`.
        notation: how a Modbus file writes addresses; "" for others.
        orders: (word_order, byte_order) of the rows that do not say their own.
    """

    protocol: str
    notation: str
    orders: tuple[str, str]


#: a count that a manual has and a row does not: it follows from the type
_COUNT_KEYS = ("length", "count", "words", "registers", "quantity")


def read_register(fields: Fields, head: Head) -> Register:
    """The row as a Register; where the row is wrong a stand-in, and the problem is noted."""
    name = read_name(fields, head.protocol)
    coding = read_coding(fields, modbus=head.protocol == "modbus")
    bare = None
    if head.protocol == "dlt645":
        bare = bare_register(fields, name, head, coding)
    decimals, point_decimals = _decimals(fields, coding, bare)
    quantity = _quantity(fields)
    role = _role(fields, quantity, coding)
    range_min, range_max = read_range(fields)
    states = _states(fields, role, coding)
    marks, speaks_of = read_marks(fields, role, states)
    register = replace(
        bare or bare_register(fields, name, head, coding),
        decimals=decimals,
        point_decimals=point_decimals,
        quantity=quantity or _STAND_IN,
        role=role,
        applies=_applies(fields),
        range_min=range_min,
        range_max=range_max,
        states=states,
        rules=read_rules(fields, Ruled(head.protocol, role, point_decimals)),
        marks=marks,
        speaks_of=speaks_of,
        scale=_scale(fields),
        offset=fields.decimal("offset", default="0"),
        rolls_at=_rolls_at(fields, role, coding),
    )
    for key in _COUNT_KEYS:
        if fields.raw(key) is not None:
            takes = f"{register.words} register{'s' * (register.words > 1)}"
            reason = f"remove it: {register.type_name} always takes {takes}"
            if fields.raw(key) != register.words:
                reason += f"; if the manual says {fields.raw(key)}, the type is another one"
            fields.complain(key, reason)
    fields.finish()
    return register


def bare_register(
    fields: Fields, name: str, head: Head, coding: Coding, words: int = 0
) -> Register:
    """Where a value stands and how it is coded; what it is a number of is a stand-in.

    Args:
        fields: the row.
        name: of the value.
        head: of its file.
        coding: its type.
        words: registers it takes; 0: as many as the type does.
    """
    table, address, written, node, namespace = None, None, None, None, None
    item, identifier, column = None, None, None
    words = words or max(1, coding.holder.size // 2)
    if head.protocol == "modbus":
        place = read_place(fields, head.notation)
        table, address, written = place.table, place.address, place.written
        check_table(fields, table, coding)
        check_end(fields, place, words)
    elif head.protocol == "opcua":
        node, namespace = read_node(fields, name)
    elif head.protocol == "hj212":
        item = read_item(fields, coding.dtype)
    elif head.protocol == "dlt645":
        identifier = read_identifier(fields, coding.dtype)
    else:
        column = fields.text("column", why="of the source's rows")
    word_order, byte_order = read_orders(fields, table, words, head.orders)
    return Register(
        name=name, table=table, address=address, node=node, namespace=namespace,
        dtype=coding.dtype, decimals=0, point_decimals=0, quantity=_STAND_IN, role=Role.GAUGE,
        applies=(), invalid=_invalid(fields, coding), range_min=None, range_max=None, states=(),
        source=fields.text("source", why="the page or table of the manual this row is from"),
        word_order=word_order, byte_order=byte_order, bits=coding.bits, is_bcd=coding.is_bcd,
        written=written, item=item, identifier=identifier, column=column,
    )  # fmt: skip


def read_name(fields: Fields, protocol: str, *, default: str | None = None) -> str:
    """The row's name, which may hold {n} but in Modbus."""
    name = fields.text(
        "name", default=default, why='what the value is called, e.g. name = "energy_import"'
    )
    fields.label = name
    allowed = set() if protocol == "modbus" else {"n"}
    plain = filled(fields, "name", name, allowed)
    if plain and not _NAME.fullmatch(plain):
        fields.complain("name", f"must match {_NAME.pattern} (it becomes part of the point's id)")
    return name


def _decimals(fields: Fields, coding: Coding, bare: Register | None) -> tuple[int, int]:
    if bare is not None and bare.identifier is not None:
        if fields.raw("decimals") is not None:
            fields.complain("decimals", "comes from format; remove it")
        decimals = bare.identifier.decimals
        return decimals, fields.integer("point_decimals", 0, DECIMALS_MAX, default=decimals)
    if coding.dtype.is_float:
        if fields.raw("decimals") is not None:
            fields.complain(
                "decimals",
                "a float carries its own decimal point; remove decimals and give point_decimals",
            )
        if not fields.has("point_decimals"):
            fields.complain("point_decimals", _POINT_DECIMALS)
        return 0, fields.integer("point_decimals", 0, DECIMALS_MAX, default=0)
    decimals = fields.integer("decimals", 0, DECIMALS_MAX, default=0)
    return decimals, fields.integer("point_decimals", 0, DECIMALS_MAX, default=decimals)


def _quantity(fields: Fields) -> Quantity | None:
    """None when it cannot be built."""
    unit = fields.text("unit", why="e.g. kWh")
    given = {"kind": fields.text("kind", why=_kinds_of(unit)), "unit": unit}
    for key in ("reference", "moisture", "heating", "fuel_basis"):
        if text := fields.optional_text(key):
            given[key] = text
    if given["kind"] and given["unit"]:
        try:
            return Quantity.from_map(given)
        except ValueError as error:
            is_unit = unit not in KINDS.get(given["kind"], (unit,))[0]
            fields.complain("unit" if is_unit else "kind", str(error))
    return None


def _kinds_of(unit: str) -> str:
    """What a value with that unit may be; said where nobody said what it is."""
    kinds = [kind for kind, (units, _) in KINDS.items() if unit in units]
    if kinds:
        return f"what it measures; with the unit {unit}: {' or '.join(kinds)}"
    if unit:
        known = instead(unit) or f"known units: {' '.join(sorted(UNITS))}"
        return f"what it measures; and no kind has the unit {unit!r}; {known}"
    return "what it measures, e.g. energy"


def _role(fields: Fields, quantity: Quantity | None, coding: Coding) -> Role:
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
    if role is Role.STATE and coding.dtype.is_float:
        fields.complain("type", "a state needs an integer type, e.g. u8")
    return role


def read_range(fields: Fields) -> tuple[str | None, str | None]:
    """`range = ["0", "500"]` as least and greatest credible value; None where there is none."""
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


def _invalid(fields: Fields, coding: Coding) -> tuple[int, ...]:
    """Decoded numbers of a plain type; of bit fields and BCD the pattern of the whole value."""
    bits = 8 * coding.holder.size
    signed = coding.holder.name.startswith("I")
    low, high = coding.patterns
    found: list[int] = []
    for value in fields.sequence("invalid"):
        if isinstance(value, bool) or not isinstance(value, int):
            fields.complain("invalid", f"{value} is not a whole number")
            continue
        number = value
        if signed and 2 ** (bits - 1) <= value < 2**bits:
            number = value - 2**bits  # the file gave the bit pattern, as manuals do
        if low <= number <= high:
            found.append(number)
        else:
            name = coding.holder.name.lower()
            fields.complain("invalid", f"{value} does not fit {name} ({low}..{high})")
    return tuple(found)


def _rolls_at(fields: Fields, role: Role, coding: Coding) -> int | None:
    """The raw count at which a counter that ends before its type starts again."""
    if not fields.has("rolls_at"):
        return None
    if role is not Role.TOTALISER or coding.dtype.is_float:
        fields.raw("rolls_at")
        fields.complain("rolls_at", "is of a totaliser with an integer type only")
        return None
    return fields.integer("rolls_at", 2, coding.numbers[1] + 1)


def _states(fields: Fields, role: Role, coding: Coding) -> tuple[tuple[int, str], ...]:
    table = fields.raw("states")
    if role is not Role.STATE:
        if table is not None:
            fields.complain("states", 'only a register with role = "state" has states')
        return ()
    if not isinstance(table, dict) or not table:
        fields.complain("states", 'is missing: name the values, states = { "0" = "stopped" }')
        return ()
    low, high = coding.numbers
    found: dict[int, str] = {}
    for key, name in table.items():
        if not re.fullmatch(r"-?\d{1,20}", key) or not low <= int(key) <= high:
            fields.complain("states", f"{key!r} is no {coding.name} value ({low}..{high})")
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
