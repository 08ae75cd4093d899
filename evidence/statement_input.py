"""The shape of a statement's input, as far as its output is made from it. FIGURES.md §4. Pure.

The calculation library takes more than a sealed month may hold (factors of one's own, a fuel by its
Chinese name); what has another shape than this is no input, whatever the library makes of it.
"""

import re
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

from evidence.errors import MalformedError
from evidence.points import NAME_ID

#: of one list: as many as a month has meters
ENTRIES_MAX = 1_000
#: signs of a word beside a cross-check
WORD_MAX = 64

_EXACT = re.compile(r"(0|[1-9][0-9]{0,29})(\.[0-9]{0,14}[1-9])?")
#: minutes of a day, with 12 places
_RATE = re.compile(r"((0|[1-9][0-9]{0,2}|1[0-3][0-9]{2}|14[0-3][0-9])\.[0-9]{12}|1440\.0{12})")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
#: what only the readings can tell: it is compared, and no figure is made of it
_CARRIED = frozenset({"rule_set", "month", "plant", "closing", "period", "flags"}) | {
    "potlines", "totalisers", "checks", "completeness", "reservations", "bridges",
}  # fmt: skip

_TECHNOLOGIES = ("CWPB", "SWPB", "VSS", "HSS", "PFPB-L", "PFPB-M", "PFPB-MW")
#: coefficients that an indicator of edition "site" brings itself
_OWN = ("slope", "c2f6_fraction")
ALUMINIUM = "aluminium_t"

Check = Callable[[Any], bool]


def check_input(given: Mapping[str, Any], kinds: Mapping[str, Set[str]], output: str) -> None:
    """MalformedError when no output can be made of it.

    Args:
        given: the input.
        kinds: of each list of the rule set's statement, "auxiliary" besides: ids of its kinds.
        output: what its [output] is called; of aluminium's, anode and PFC stand there too.
    """
    _expect(_matches(_MONTH)(given.get("month")), "month")
    flags = given.get("flags")
    _expect(isinstance(flags, list) and all(map(_is_text, flags)), "flags")
    for key, allowed in kinds.items():
        entries = given.get(key, [])
        _expect(isinstance(entries, list) and len(entries) <= ENTRIES_MAX, key)
        for entry in entries:
            _entry(entry, key, allowed)
    checks = given.get("cross_check", [])
    _expect(isinstance(checks, list) and len(checks) <= ENTRIES_MAX, "cross_check")
    for check in checks:
        _cross_check(check)
    known = {*_CARRIED, *kinds, "output", "cross_check"}
    if "output" in given:
        _figures(given["output"], "output", (output,), _EXACT)
    if output == ALUMINIUM:
        known |= {"anode", "pfc"}
        _aluminium(given)
    unknown = given.keys() - known
    _expect(not unknown, f"no field {min(unknown, default='')!r}")


def _entry(entry: Any, key: str, allowed: Set[str]) -> None:
    """A row of a list: its kind, its quantity or what came and left, its use and unit."""
    _expect(isinstance(entry, dict), key)
    name = _KIND_OF.get(key, "kind")
    kind = entry.get(name)
    _expect(isinstance(kind, str) and kind in allowed, f"{key}.{name}")
    parts = [part for part in _PARTS.get(key, ()) if part in entry] or ["quantity"]
    parts += [name for name in _FACTORS.get(key, ()) if name in entry]
    words = [word for word in _WORDS.get(key, {}) if word in entry]
    for word in words:
        _expect(_WORDS[key][word](entry[word]), f"{key}.{word}")
    _figures(entry, key, parts, _EXACT, name, *words)


#: check -> (its figures, words it has, words it may have)
_CHECKS: Mapping[str, tuple[Sequence[str], Sequence[str], Sequence[str]]] = {
    "second-source": (("first", "second"), ("what", "unit"), ()),
    "carbon": (("measured_co2_t",), ("stacks",), ("unit",)),
    "energy": (("used_gj",), (), ("unit",)),
}


_UNITS = ("t", "10^4 Nm3", "MWh")


def _cross_check(check: Any) -> None:
    """What stands beside the figures: its amounts, and what they are of."""
    _expect(isinstance(check, dict) and check.get("check") in _CHECKS, "cross_check.check")
    figures, words, may = _CHECKS[check["check"]]
    there = [*words, *(word for word in may if word in check)]
    _figures(check, "cross_check", figures, _EXACT, "check", *there)
    for word in there:
        value = check[word]
        _expect(_is_text(value) and 0 < len(value) <= WORD_MAX, f"cross_check.{word}")
    if "unit" in there:
        is_amount = check["check"] == "second-source"
        is_unit = check["unit"] in _UNITS if is_amount else NAME_ID.fullmatch(check["unit"])
        _expect(bool(is_unit), "cross_check.unit")


def _aluminium(given: Mapping[str, Any]) -> None:
    if "anode" in given:
        anode = given["anode"]
        analysed = [key for key in _ANALYSED if isinstance(anode, dict) and key in anode]
        _figures(anode, "anode", ("gross_t", *analysed), _EXACT)
    if "pfc" not in given:
        return
    pfc = given["pfc"]
    more = [key for key in ("indicator",) if isinstance(pfc, dict) and key in pfc]
    _figures(pfc, "pfc", ("metal_t",), _EXACT, *more)
    if more:
        _check_indicator(pfc["indicator"])


def _check_indicator(fields: Any) -> None:
    """Coefficients of the site's own are typed and stand beside the minutes."""
    rest = fields
    if isinstance(fields, dict) and fields.get("edition") == "site":
        given = fields.get("provenance")
        told: dict[str, Any] = given if isinstance(given, dict) else {}
        for key in _OWN:
            _expect(_matches(_EXACT)(fields.get(key)), f"indicator.{key}")
            _expect(_is_typed(told.get(key)), f"indicator.provenance.{key}")
        _expect(fields.get("technology") in _TECHNOLOGIES, "indicator.technology")
        rest = {key: value for key, value in fields.items() if key not in _OWN}
        rest["provenance"] = {key: value for key, value in told.items() if key not in _OWN}
    words = ("technology", "edition", "gwp")
    _figures(rest, "indicator", ("aem_min_per_cell_day",), _RATE, *words)
    _expect(all(_is_text(rest[word]) for word in words), "indicator")


def _is_typed(told: Any) -> bool:
    typed = told.get("typed") if isinstance(told, dict) and told.keys() == {"typed"} else None
    return isinstance(typed, dict) and typed.keys() == {"source"} and _is_text(typed["source"])


def _figures(
    fields: Any, where: str, names: Sequence[str], number: re.Pattern[str], *more: str
) -> None:
    """Figures with their provenances, beside them the fields named and no others."""
    _expect(isinstance(fields, dict) and fields.keys() == {*names, "provenance", *more}, where)
    told = fields["provenance"]
    _expect(isinstance(told, dict) and told.keys() == set(names), f"{where}.provenance")
    for name in names:
        _expect(_matches(number)(fields[name]), f"{where}.{name}")
        _expect(_is_provenance(told[name]), f"{where}.provenance.{name}")


def _is_provenance(told: Any) -> bool:
    if isinstance(told, dict) and told.keys() == {"documents"}:
        return _is_of_documents(told["documents"])
    if not isinstance(told, dict) or told.keys() - {"typed"} != {"frames"}:
        return False
    frames, typed = told["frames"], told.get("typed", {"gross_kg_per_t": "", "source": ""})
    tables = isinstance(frames, dict) and isinstance(typed, dict)
    if not tables or typed.keys() != {"gross_kg_per_t", "source"}:
        return False
    whole = frames.keys() in ({"class", "rule", "point"}, {"class", "rule", "potline"})
    return whole and all(map(_is_text, (*frames.values(), *typed.values())))


def _is_of_documents(told: Any) -> bool:
    if not isinstance(told, dict):
        return False
    hashes, rest = told.get("sha256"), {key: told[key] for key in told.keys() - {"sha256"}}
    known = rest.keys() - {"weights", "origin"} == {"about", "rule"}
    return known and isinstance(hashes, list) and all(map(_is_text, (*hashes, *rest.values())))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _matches(pattern: re.Pattern[str]) -> Check:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _expect(is_so: bool, what: str) -> None:
    if not is_so:
        raise MalformedError(f"the input is not as FIGURES.md section 4 has it: {what}")


_UNIT: dict[str, Check] = {"unit": _matches(NAME_ID)}
#: words beside the figures of a list's rows, and parts that may stand for their quantity
_WORDS: dict[str, dict[str, Check]] = {
    "fuel": {"use": _is_text, **_UNIT},
    **dict.fromkeys(("process", "product", "clinker", "substitute"), _UNIT),
}
_PARTS = dict.fromkeys(
    ("fuel", "process", "substitute"), ("opening", "purchased", "closing", "output")
)
#: of documents, in place of the rule set's rows
_FACTORS = {
    "fuel": ("ncv", "carbon_content", "carbon_ar"),
    **dict.fromkeys(("process", "product", "clinker", "substitute"), ("factor",)),
}
_ANALYSED = ("loss_percent", "sulfur_percent", "ash_percent")
_KIND_OF = {"process": "material", "product": "product"}
