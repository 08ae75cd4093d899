"""The one reader of a configuration object's payload. FORMAT.md "Configuration", FIGURES.md §1.

What passes here has every field the text asks for and no other, each of its type, and indices that
point at something. Whether it can be calculated with is the calculation library's to say. Pure.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from evidence import cbor
from evidence.blocks import PAYLOAD_BYTES_MAX, content, decompress
from evidence.documents.document import ABOUT
from evidence.errors import LimitError, MalformedError, UnsupportedError
from evidence.groups import is_uint
from evidence.meter_settings import check_rows
from evidence.points import DECIMALS_MAX, NO_RULES, Dtype, Point, Role
from evidence.time_zones import time_zone

CONFIG_FORMAT = 1

#: of all that an archive holds: ten of 20,000 points, a hundred of a large works
TOGETHER_ITEMS_MAX, TOGETHER_BYTES_MAX = 6 * cbor.ITEMS_MAX, 16 * PAYLOAD_BYTES_MAX
#: each may be held against every gap that was told
SCHEDULES_MAX = 100
_DTYPES = frozenset(dtype.value for dtype in Dtype)

Rule = Callable[[Any, str], None]
Fields = Mapping[str, Rule]


def decode_configuration(payload: bytes) -> dict[str, Any]:
    """The configuration of a configuration object's payload.

    Raises:
        MalformedError, LimitError: it is none.
        UnsupportedError: a newer format, compression or number type.
    """
    config = content(payload)
    check_configuration(config)
    return dict(config)


class Together:
    """How much the configurations of one archive may still be, all of them together."""

    def __init__(self) -> None:
        """Begin with none."""
        self._items, self._bytes = TOGETHER_ITEMS_MAX, TOGETHER_BYTES_MAX

    def decode(self, payload: bytes) -> dict[str, Any]:
        """As `decode_configuration`, of one more; LimitError also when there is no room for it."""
        self.take(payload)
        return decode_configuration(payload)

    def take(self, payload: bytes) -> None:
        """One more; LimitError when there is no room for it, and for each one after it."""
        data = decompress(payload)
        self._bytes -= len(data)
        if min(self._items, self._bytes) >= 0:
            self._items -= cbor.items_up_to(data, self._items + 1)
        if min(self._items, self._bytes) < 0:
            raise LimitError(
                f"the configurations of this month are together more than {TOGETHER_ITEMS_MAX} "
                f"items of CBOR or {TOGETHER_BYTES_MAX} bytes"
            )


def check_configuration(config: Any) -> None:
    """Refuse what is no configuration; errors as of `decode_configuration`."""
    if not isinstance(config, dict):
        raise MalformedError("a configuration is a map")
    if not is_uint(config.get("format")):
        raise MalformedError("this configuration has no format number")
    if config["format"] != CONFIG_FORMAT:
        raise UnsupportedError(f"configuration format {config['format']} is unknown")
    _CONFIGURATION(config, "configuration")
    _check_places(config)
    _check_uses(config)


def _check_places(config: Mapping[str, Any]) -> None:
    """Indices point at something; a point has its own id and stands in one group, once."""
    schedules, points = len(config["schedules"]), len(config["points"])
    for part in ("devices", "groups"):
        for i, item in enumerate(config[part]):
            if item["schedule"] >= schedules:
                raise MalformedError(f"{part}[{i}].schedule: there is no such schedule")
    _check_schedules(config)
    for part in ("devices", "points"):
        if len({item["id"] for item in config[part]}) != len(config[part]):
            raise MalformedError(f"{part}: two have one id")
    rows = sorted(row for group in config["groups"] for row in group["points"])
    if rows != list(range(points)):
        raise MalformedError("groups: each point must stand in exactly one, once")
    for i, group in enumerate(config["groups"]):
        if any(config["points"][row]["dtype"] != group["dtype"] for row in group["points"]):
            raise MalformedError(f"groups[{i}]: a point is of another number type")
    _check_marks(config["points"])


def _check_schedules(config: Mapping[str, Any]) -> None:
    """They are few, and on each of them something is read."""
    count = len(config["schedules"])
    if count > SCHEDULES_MAX:
        raise LimitError(f"{count} schedules; the limit is {SCHEDULES_MAX}")
    if idle := set(range(count)) - {group["schedule"] for group in config["groups"]}:
        raise MalformedError(f"schedules[{min(idle)}]: there is no group on it")


def _check_marks(points: Sequence[Mapping[str, Any]]) -> None:
    """A state speaks of points of its own device: they are read at the same ticks as it is."""
    by_id = {point["id"]: point for point in points}
    for point in points:
        for name in point.get("speaks_of", ()):
            of = by_id.get(name, {"role": Role.STATE.value})
            if of["role"] == Role.STATE.value or of.get("device") != point.get("device"):
                raise MalformedError(
                    f"points: {point['id']} speaks of {name}, which is no value of its device"
                )


def _check_uses(config: Mapping[str, Any]) -> None:
    """Totals are of totalisers, and nothing is counted twice."""
    statement, roles = config["statement"], {p["id"]: p["role"] for p in config["points"]}
    metal = [statement["metal"]] if "metal" in statement else []
    counted = [*metal, *(entry for key in _LISTS for entry in statement.get(key, ()))]
    output = [statement["output"]] if "output" in statement else []  # divides, and adds nothing
    for entry in [*counted, *output]:
        for key in _TOTALISERS & entry.keys():
            if roles.get(entry[key]) != Role.TOTALISER.value:
                raise MalformedError(f"statement: {entry[key]} is no totaliser")
    keys = [*sorted(_TOTALISERS | _FLOWS), "power_point"]
    _check_once("statement", (entry[key] for entry in counted for key in keys if key in entry))
    recorded = [entry for entry in counted if entry["rule"] == _RECORDS]
    _check_once("statement", (f"source {entry['source']}" for entry in recorded))
    _check_once("statement.burnt", (entry["flow_point"] for entry in statement.get("burnt", ())))
    pots = [pot for line in config["potlines"] for pot in line["pots"]]
    _check_once("potlines", (pot["voltage"] for pot in pots))


def _check_once(where: str, used: Iterable[str]) -> None:
    for point, times in Counter(used).items():
        if times > 1:
            raise MalformedError(f"{where}: {point} would count twice")


# -- rules: each takes a value and where it stands, and raises MalformedError ----------------------


def _of(kind: type) -> Rule:
    def check(value: Any, where: str) -> None:
        if type(value) is not kind:  # True is no number
            raise MalformedError(f"{where}: {kind.__name__} is due")

    return check


def _one_of(*allowed: str) -> Rule:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, str) or value not in allowed:
            raise MalformedError(f"{where}: must be {' or '.join(allowed)}")

    return check


def _map(required: Fields, optional: Fields | None = None) -> Rule:
    rules = {**required, **(optional or {})}

    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise MalformedError(f"{where}: a map is due")
        for key in value.keys() - rules.keys() or required.keys() - value.keys():
            raise MalformedError(f"{where}: field {key!r} is unknown or missing")
        for key, item in value.items():
            rules[key](item, f"{where}.{key}")

    return check


def _list(rule: Rule, least: int = 0) -> Rule:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, list) or len(value) < least:
            raise MalformedError(f"{where}: a list of at least {least} is due")
        for i, item in enumerate(value):
            rule(item, f"{where}[{i}]")

    return check


def _uint(value: Any, where: str) -> None:
    if not is_uint(value):
        raise MalformedError(f"{where}: a whole number from 0 on is due")


def _interval(value: Any, where: str) -> None:
    if not is_uint(value) or not 0 < value < 2**63:
        raise MalformedError(f"{where}: must be above 0 and below 2^63")


def _decimals(value: Any, where: str) -> None:
    if not is_uint(value) or value > DECIMALS_MAX:
        raise MalformedError(f"{where}: must be 0 to {DECIMALS_MAX}")


def _time_zone(value: Any, where: str) -> None:
    _text(value, where)
    try:
        time_zone(value)
    except ValueError as error:
        raise MalformedError(f"{where}: {error}") from error


def _dtype(value: Any, where: str) -> None:
    _uint(value, where)
    if value not in _DTYPES:
        raise UnsupportedError(f"{where}: number type {value} unknown to this program")


def _key_hash(value: Any, where: str) -> None:
    if not isinstance(value, bytes) or len(value) != 32:
        raise MalformedError(f"{where}: a hash of 32 bytes is due")


def _texts(value: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise MalformedError(f"{where}: a map is due")
    for item in (*value.keys(), *value.values()):
        _text(item, where)


def _state(value: Any, where: str) -> None:
    if not isinstance(value, list) or len(value) != 2:
        raise MalformedError(f"{where}: a number and its name are due")
    _int(value[0], where)
    _text(value[1], where)


def _mark(value: Any, where: str) -> None:
    if not isinstance(value, list) or [type(item) for item in value] != [int, int]:
        raise MalformedError(f"{where}: a number and a quality code are due")


def _point(value: Any, where: str) -> None:
    _POINT(value, where)
    try:
        Point.from_map(value)
    except ValueError as error:
        raise MalformedError(f"{where}: {error}") from error


_text, _bool, _int = _of(str), _of(bool), _of(int)


def _all(rule: Rule, names: str) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


_POINT = _map(
    {
        **_all(_text, "id provenance"),
        "quantity": _map(
            _all(_text, "kind unit"), _all(_text, "reference moisture heating fuel_basis")
        ),
        "dtype": _dtype,
        "decimals": _decimals,
        "role": _one_of(*(role.value for role in Role)),
    },
    {
        **_all(_text, "device source range_min range_max"),
        "scaling": _map(
            {},
            {"raw_decimals": _decimals, **_all(_text, "scale offset ct_ratio vt_ratio")}
            | {"pulse_weight": _text},
        ),
        "states": _list(_state, 1),
        "rules": _map({}, _all(_text, " ".join(vars(NO_RULES)))),
        "marks": _list(_mark, 1),
        "speaks_of": _list(_text, 1),
    },
)
_RULES = _map(
    {"mode": _one_of("positive", "algebraic")}
    | _all(_text, "v_start_v t_start_s v_end_v t_end_s t_merge_s target_v")
)
_POTLINE = _map(
    {
        **_all(_text, "id line_current technology current_efficiency_percent"),
        "pots": _list(_map(_all(_text, "id voltage state")), 1),
        "anode_effect": _RULES,
        "indicator": _map(_all(_text, "edition gwp"), _all(_text, "slope c2f6_fraction source")),
    }
)
_RULE: dict[str, Rule] = {"rule": _one_of("totaliser")}
_TOTALISER: dict[str, Rule] = {"point": _text, **_RULE}
#: lists of the statement section; the totalisers an entry may have, and the flows beside them
_LISTS = ("fuels", "process", "products", "clinker", "substitutes", "auxiliary", "beside")
_TOTALISERS = frozenset({"point", "purchased", "output", "bridge"})
_FLOWS = frozenset({"flow_point", "purchased_flow", "output_flow"})
#: rule of an entry whose amount documents about its source tell
_RECORDS = "records"


def _entry(required: str, optional: str, *, may_be_parts: bool = True) -> Rule:
    """An entry of one totaliser, of one for what came and one for what left or either, or none.

    One without a totaliser is of documents about its source.
    """
    whole = _map(
        _all(_text, required) | _TOTALISER, _all(_text, f"{optional} flow_point") | _SOURCE
    )
    words = f"{optional} purchased purchased_flow output output_flow"
    parts = _map(_all(_text, required) | _RULE, _all(_text, words) | _SOURCE)
    recorded = _map(
        {**_all(_text, required), **_SOURCE, "rule": _one_of(_RECORDS)},
        _all(_text, f"{optional} bridge"),
    )

    def check(value: Any, where: str) -> None:
        if isinstance(value, dict) and value.get("rule") == _RECORDS:
            return recorded(value, where)
        if not isinstance(value, dict) or "point" in value or not may_be_parts:
            return whole(value, where)
        parts(value, where)
        named = {key for key in ("purchased", "output") if key in value}
        flows = {key.removesuffix("_flow") for key in _FLOWS & value.keys()}
        if not named or not flows <= named:
            raise MalformedError(f"{where}: a totaliser is due, and beside each flow its own")
        return None

    return check


_SECOND = _map({"check": _one_of("second-meter"), "of": _text, **_TOTALISER})
_BALANCE = _map({"check": _one_of("stack-co2", "heat-used"), **_TOTALISER}, {"unit": _text})


def _beside(value: Any, where: str) -> None:
    """A totaliser that makes no figure: it is held against one, or against what they come to."""
    is_second = isinstance(value, dict) and value.get("check") == "second-meter"
    (_SECOND if is_second else _BALANCE)(value, where)


def _source(value: Any, where: str) -> None:
    if not isinstance(value, str) or not ABOUT.fullmatch(value):
        raise MalformedError(f"{where}: must be an id as documents are about")


_SOURCE: dict[str, Rule] = {"source": _source}
_STATEMENT = _map(
    {},
    {
        "metal": _map(_TOTALISER),
        "anode": _map(_all(_text, "gross_kg_per_t source"), {"about": _source}),
        "fuels": _list(_entry("kind", "use unit")),
        "process": _list(_entry("material", "unit")),
        "products": _list(_entry("product", "unit", may_be_parts=False)),
        "clinker": _list(_entry("kind", "unit", may_be_parts=False)),
        "substitutes": _list(_entry("kind", "unit")),
        "output": _map(_TOTALISER),
        "burnt": _list(_map(_all(_text, "kind flow_point"))),
        "kiln_feed": _map(_all(_text, "kind flow_point meal_per_clinker source")),
        "auxiliary": _list(
            _map({"kind": _one_of("electricity"), **_TOTALISER}, {"power_point": _text})
        ),
        "beside": _list(_beside),
    },
)
_CONFIGURATION = _map(
    {
        "format": _uint,
        "software": _text,
        "plant": _map(
            _all(_text, "id name sector rule_set") | {"time_zone": _time_zone, "simulated": _bool}
        ),
        "gateway": _map(_all(_text, "id slice")),
        "collector": _map({"key_sha256": _key_hash}),
        "schedules": _list(_map({"interval_ns": _interval}), 1),
        "devices": _list(
            _map(
                _all(_text, "id url profile profile_revision provenance")
                | {"schedule": _uint, "settings": _texts},
                {"meter": check_rows},
            )
        ),
        "points": _list(_point, 1),
        "groups": _list(
            _map(
                {"schedule": _uint, "dtype": _dtype, "computed": _bool}
                | {"points": _list(_uint, 1)}
            )
        ),
        "potlines": _list(_POTLINE),
        "statement": _STATEMENT,
    }
)
