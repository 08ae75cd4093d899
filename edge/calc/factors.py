"""Rule sets: every factor as a row with value, unit, basis, source, edition and confidence.

The files in `rule_sets/` are this module's only I/O: read once, from the package itself. A
published file never changes; a corrected value is a new edition under a new name.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Any

from edge.calc.errors import UnknownRuleSetError
from evidence.points import exact

CONFIDENCES = ("confirmed", "single-source", "conflicting", "unverified")
DEFAULT_FACTORS, ANODE_EFFECTS = "default-factors", "anode-effects"
#: records of the rule sets that a plant's months are made and sealed by
SEALED_BY = (DEFAULT_FACTORS, "mass-balance", "clinker-factor")
#: records of others: by oxides of clinker, by the IPCC's tiers of it, by carbon in less carbon out
OXIDES, TIERS, CARBON_BALANCE = "clinker-oxides", "clinker-tiers", "carbon-balance"
#: how fuels are counted: net heat × carbon; net heat × t CO2/TJ; gross heat × kg CO2/mmBtu
BY_CARBON, NET_ENERGY, GROSS_HEAT = "carbon", "net-energy", "gross-heat"
TABLE_C_1 = "us-40cfr98-c"
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")


@dataclass(frozen=True)
class Row:
    """One factor.

    Attributes:
        id: within its rule set.
        text: the value as the file has it, decimal or ratio.
        unit: of the value.
        basis: what it refers to (lhv, ar, reference state, technology).
        confidence: one of `CONFIDENCES`.
        source: where it was seen, with locator.
        seen_in: the sources' keys in its rule set's `sources`.
        locator: where in them.
        note: what a reader must know of it, or "".
        zh: its own Chinese name, "" where its kind's name says it.
        rule_set: the rule set's id.
        edition: of the document.
    """

    id: str
    text: str
    unit: str
    basis: str
    confidence: str
    source: str
    rule_set: str
    edition: str
    seen_in: tuple[str, ...] = ()
    locator: str = ""
    note: str = ""
    zh: str = ""

    @property
    def value(self) -> Fraction:
        """The exact value."""
        return exact(self.text)

    @property
    def confirmed(self) -> bool:
        """Seen in two independent sources that agree."""
        return self.confidence == "confirmed"


@dataclass(frozen=True)
class Kind:
    """A fuel, carbonate, material or product of a rule set.

    Attributes:
        id: English kebab-case.
        zh: Chinese name, an alias of the id.
        unit: unit its quantity is counted in ("t", "10^4 Nm3").
        state: fuels: "solid", "liquid", "gas"; else "".
        aliases: other accepted names.
    """

    id: str
    zh: str
    unit: str = "t"
    state: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All that it is called."""
        return (self.id, self.zh, *self.aliases)


@dataclass(frozen=True)
class RuleSet:
    """One edition of one document with its rows.

    Attributes:
        id, title, zh, edition, sector: what it is.
        gwp: name of the GWP set it prescribes, "" when it has CO2 only.
        record: how its figure of record is made ("default-factors": PFC by metal × factors;
            "anode-effects": by measured anode effects; `SEALED_BY` and those after it), "" for
            coefficient tables.
        fuel_basis: how its fuels are counted: `BY_CARBON`, `NET_ENERGY`, `GROSS_HEAT`.
        coefficients: of "anode-effects": the table its slopes and overvoltages stand in.
        tables: names of the tables its figures may take rows from besides.
        sources: titles of the documents its own rows were seen in, by key.
        extends: names of the rule sets whose rows it takes over.
        rows: by row id.
        fuels, carbonates, materials, products, clinkers, substitutes: kinds by id.
    """

    id: str
    title: str
    zh: str
    edition: str
    sector: str
    gwp: str
    record: str
    fuel_basis: str
    coefficients: str
    tables: tuple[str, ...]
    sources: Mapping[str, str]
    extends: tuple[str, ...]
    rows: Mapping[str, Row]
    fuels: Mapping[str, Kind]
    carbonates: Mapping[str, Kind]
    materials: Mapping[str, Kind]
    products: Mapping[str, Kind]
    clinkers: Mapping[str, Kind]
    substitutes: Mapping[str, Kind]

    def row(self, row_id: str) -> Row:
        """One row; KeyError when the rule set has none of this id."""
        return self.rows[row_id]

    def kinds(self, table: str) -> Mapping[str, Kind]:
        """What a table of a statement's input may be about: "fuel", "process", …; or nothing."""
        return {
            "fuel": self.fuels, "process": self.materials, "product": self.products,
            "clinker": self.clinkers, "substitute": self.substitutes,
        }.get(table, {})  # fmt: skip


def find_kind(kinds: Mapping[str, Kind], name: str) -> Kind | None:
    """A kind by id, Chinese name or alias."""
    for kind in kinds.values():
        if name in kind.names:
            return kind
    return None


def kind_words(rules: RuleSet) -> dict[str, str]:
    """Every name of every kind that a statement may have an entry of -> the kind's id."""
    tables = ("fuel", "process", "product", "clinker", "substitute")
    kinds = (kind for table in tables for kind in rules.kinds(table).values())
    return {name: kind.id for kind in kinds for name in kind.names}


def near_kinds(kinds: Mapping[str, Kind], name: str) -> str:
    """What may have been meant by a name that no kind has, with both its names; or ""."""
    wanted = name.strip().lower().replace(" ", "-").replace("_", "-")
    names = {text.lower(): kind for kind in kinds.values() for text in kind.names}
    found = difflib.get_close_matches(wanted, names, n=1)
    return f"; did you mean {names[found[0]].id} ({names[found[0]].zh})?" if found else ""


@cache
def rule_set_ids() -> tuple[str, ...]:
    """Names of all rule sets and coefficient tables in this program, sorted."""
    folder = resources.files("edge.calc") / "rule_sets"
    names = (entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return tuple(sorted(name.removesuffix(".toml") for name in names))


def statement_rule_sets() -> list[str]:
    """Those of them that a plant's months are made and sealed by."""
    return [name for name in rule_set_ids() if rule_set(name).record in SEALED_BY]


def other_statement_rule_sets() -> list[str]:
    """Those that a month can be stated by besides: by hand, and again when sealed."""
    return [name for name in rule_set_ids() if rule_set(name).record not in ("", *SEALED_BY)]


def rule_set_bytes(rule_set_id: str) -> bytes:
    """One rule set's or table's file as published.

    Raises:
        UnknownRuleSetError: this program has none of that name.
    """
    if _NAME.fullmatch(rule_set_id):
        entry = resources.files("edge.calc") / "rule_sets" / f"{rule_set_id}.toml"
        if entry.is_file():
            return entry.read_bytes()
    raise UnknownRuleSetError(
        f"rule set {rule_set_id!r} is not in this program; its statements are made by: "
        f"{' '.join((*other_statement_rule_sets(), *statement_rule_sets()))}"
    )


def rule_set_files(rule_set_id: str) -> dict[str, bytes]:
    """Name -> file as published, of a rule set and of every table its figures may use.

    Raises:
        UnknownRuleSetError: this program has none of that name.
    """
    names = (rule_set_id, *rule_set(rule_set_id).tables)
    return {name: rule_set_bytes(name) for name in names}


@cache
def rule_set(rule_set_id: str) -> RuleSet:
    """A rule set by id.

    Raises:
        UnknownRuleSetError: this program has none of that name.
    """
    fields = tomllib.loads(rule_set_bytes(rule_set_id).decode())
    extended = [rule_set(name) for name in fields.get("extends", ())]
    sources = {key: entry["title"] for key, entry in fields["source"].items()}
    own = {
        row_id: Row(
            id=row_id,
            text=row["value"],
            unit=row["unit"],
            basis=row["basis"],
            confidence=row["confidence"],
            source=f"{'; '.join(sources[s] for s in row['source'])}: {row['locator']}",
            rule_set=fields["id"],
            edition=fields["edition"],
            seen_in=tuple(row["source"]),
            locator=row["locator"],
            note=row.get("note", ""),
            zh=row.get("zh", ""),
        )
        for row_id, row in fields["rows"].items()
    }
    return RuleSet(
        **{key: fields[key] for key in ("id", "title", "zh", "edition", "sector")},
        gwp=fields.get("gwp", ""),
        record=fields.get("record", ""),
        fuel_basis=fields.get("fuel_basis")
        or next((x.fuel_basis for x in extended if x.fuels), BY_CARBON),
        coefficients=fields.get("coefficients", ""),
        tables=(*fields.get("extends", ()), *fields.get("tables", ())),
        sources=sources,
        extends=tuple(fields.get("extends", ())),
        rows={**{row.id: row for base in extended for row in base.rows.values()}, **own},
        fuels=_fuels(fields, extended),
        carbonates=_kinds(fields.get("carbonate", {}))
        | {k: v for x in extended for k, v in x.carbonates.items()},
        materials=_kinds(fields.get("material", {})),
        products=_kinds(fields.get("product", {})),
        clinkers=_kinds(fields.get("clinker", {})),
        substitutes=_kinds(fields.get("substitute", {})),
    )


def _fuels(fields: Mapping[str, Any], extended: Sequence[RuleSet]) -> dict[str, Kind]:
    """Its own and those it takes over; by gross heat those of Table C-1, from their heat rows."""
    if fields.get("fuel_basis") == GROSS_HEAT:
        heats = (row for row in rule_set(TABLE_C_1).rows.values() if row.id.endswith(".heat"))
        made = {row.id.removesuffix(".heat"): row for row in heats}
        return {
            name: Kind(name, row.zh.partition("，")[0], row.unit.removeprefix("mmBtu/"))
            for name, row in made.items()
        }
    return _kinds(fields.get("fuel", {})) | {k: v for x in extended for k, v in x.fuels.items()}


def _kinds(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Kind]:
    return {
        kind_id: Kind(
            kind_id,
            fields["zh"],
            fields.get("unit", "t"),
            fields.get("state", ""),
            tuple(fields.get("aliases", ())),
        )
        for kind_id, fields in table.items()
    }


def gwp_row(gwp: str, gas: str) -> Row:
    """The 100-year global warming potential of "cf4" or "c2f6" in a set ("sar" … "ar6")."""
    return rule_set("gwp").row(f"{gwp}.{gas}")


def gwp_sets() -> list[str]:
    """Names of the GWP sets."""
    return sorted({row_id.partition(".")[0] for row_id in rule_set("gwp").rows})


def coefficient_rows(edition: str, method: str, technology: str) -> tuple[Row, Row] | None:
    """(CF4 coefficient, C2F6 fraction) of a method ("slope", "overvoltage"), or None."""
    rows = rule_set(edition).rows
    pair = [rows.get(f"{method}.{technology}.{what}") for what in ("cf4", "c2f6_fraction")]
    return (pair[0], pair[1]) if pair[0] is not None and pair[1] is not None else None
