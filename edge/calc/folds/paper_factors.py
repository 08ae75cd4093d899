"""Factors of a month from what laboratories and persons wrote of a source. Pure.

A factor is the mean of the month's samples of its source, weighted by the mass that each stands
for; where no sample gives it, what a document of kind parameter says. What contradicts itself,
mixes bases or is in no known unit makes no figure: the rule set's default stays, and the statement
says so. FIGURES.md section 7.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import parse_decimal, printed
from edge.calc.errors import InputError
from edge.calc.factors import Kind
from edge.calc.folds.papers import (
    COMPOSED,
    PAPERS_MAX,
    PARAMETER,
    RESULT,
    TAKEN,
    Paper,
    Papers,
    provenance,
)
from edge.calc.methods.coal import (
    AIR_DRIED_MAX,
    C_MAX,
    NCV_MAX,
    TOTAL_MAX,
    carbon_received,
    ncv_received,
)
from edge.calc.parameter import SAMPLES
from edge.calc.statements.factor_line import FACTOR_MAX
from edge.calc.statements.fuel_line import CARBON_MAX

NCV, CONTENT, CARBON, CARBON_AR = "ncv", "carbon_content", "carbon", "carbon_ar"
FACTOR = "factor"
#: table of the statement's input -> what documents may give, by the names they give it
NAMES = {"fuel": (NCV, CONTENT, CARBON), "anode": ("loss_percent", "sulfur_percent", "ash_percent")}
_MOISTURES = ("total-moisture", "moisture")
_BASES = {"total-moisture": "ar", "moisture": "ad"}
#: of coal: what makes it as received, and the most that is converted
_AS_RECEIVED = {NCV: (ncv_received, NCV_MAX), CARBON: (carbon_received, C_MAX)}
_ONE, _THOUSANDTH = Fraction(1), Fraction(1, 1000)
#: (name, unit of the amount) -> unit a document may have -> how many of the statement's one is
_UNITS: dict[tuple[str, str], dict[str, Fraction]] = {
    (NCV, "t"): {"GJ/t": _ONE, "MJ/kg": _ONE, "kJ/kg": _THOUSANDTH, "J/g": _THOUSANDTH},
    (NCV, "10^4 Nm3"): {
        "GJ/10^4 Nm3": _ONE, "MJ/Nm3": Fraction(10), "kJ/Nm3": Fraction(1, 100),
    },
    **{
        (CONTENT, unit): {"tC/GJ": _ONE, "kgC/GJ": _THOUSANDTH, "tC/TJ": _THOUSANDTH}
        for unit in CARBON_MAX
    },
    (CARBON, "t"): {"tC/t": _ONE, "%": Fraction(1, 100)},
    (CARBON, "10^4 Nm3"): {"tC/10^4 Nm3": _ONE},
    (FACTOR, "t"): {"tCO2/t": _ONE, "kgCO2/t": _THOUSANDTH},
    **{(name, "t"): {"%": _ONE} for name in (*NAMES["anode"], *_MOISTURES)},
}  # fmt: skip
#: above what nothing real is; carbon in a unit of fuel besides (`CARBON_MAX`)
_NCV_MAX, _IMPURITY_MAX = 10_000, 50
_LIMITS = {
    NCV: _NCV_MAX, CONTENT: 1, FACTOR: FACTOR_MAX, "loss_percent": 100,
    "sulfur_percent": _IMPURITY_MAX, "ash_percent": _IMPURITY_MAX,
}  # fmt: skip
_ABOVE_ZERO = (NCV, CONTENT, CARBON)


class _NotUsableError(Exception):
    """Documents give no figure, though there are some; whoever asks keeps the default."""


@dataclass(frozen=True)
class Factor:
    """A factor of documents.

    Attributes:
        text: exact, in the statement's unit.
        provenance: of the input.
    """

    text: str
    provenance: Mapping[str, Any]


Row = Mapping[str, Any]  # of a sample-result's values, or the body of a parameter
#: tC of a unit of the fuel, by some of its factors; the rule set's in the others' place
Carbon = Callable[[Mapping[str, Fraction]], Fraction]


def factors_of(
    papers: Papers, source: str, table: str, kind: Kind, carbon: Carbon
) -> tuple[dict[str, Factor], list[str]]:
    """Factors of an entry by their names in the input, and flags.

    Args:
        papers: of the plant.
        source: what the documents are about.
        table: of the input: "fuel", "anode", "process" and so on.
        kind: of the entry; its unit and, of a fuel, its state.
        carbon: how much of it is in a unit of a fuel.
    """
    found, flags = dict[str, Factor](), list[str]()
    for name in NAMES.get(table, (FACTOR,)):
        try:
            if (factor := _factor(papers, source, name, kind)) is not None:
                found[name] = factor
        except _NotUsableError:
            flags.append(f"not-usable:{source}.{name}")
    if CARBON in found:
        return {CARBON_AR: found[CARBON]}, flags
    own = {name: parse_decimal(f.text) for name, f in found.items() if name in (NCV, CONTENT)}
    if own and carbon(own) > CARBON_MAX[kind.unit]:
        return {}, flags + [f"not-usable:{source}.{name}" for name in own]
    return found, flags


def _factor(papers: Papers, source: str, name: str, kind: Kind) -> Factor | None:
    """One factor within its limits; None when no document gives it."""
    found = _of_samples(papers, source, name, kind) or _of_parameter(papers, source, name, kind)
    if found is None:
        return None
    value = parse_decimal(found.text)
    highest = CARBON_MAX[kind.unit] if name == CARBON else _LIMITS[name]
    if not 0 <= value <= highest or (name in _ABOVE_ZERO and not value):
        raise _NotUsableError
    return found


def _of_parameter(papers: Papers, source: str, name: str, kind: Kind) -> Factor | None:
    first, last = papers.period
    found = [
        paper
        for paper in papers.counting(PARAMETER, source)
        if paper.body["name"] == name
        and paper.body["from_ns"] <= first
        and paper.body["to_ns"] >= last
    ]
    if not found:
        return None
    if len(found) > 1 or found[0].body.get("basis") != ("ar" if _is_based(name, kind) else None):
        raise _NotUsableError
    (paper,) = found
    value = _in_unit(paper.body, name, kind)
    origin = paper.body["origin"]
    return Factor(printed(value), provenance(source, PARAMETER, found, origin=origin))


def _of_samples(papers: Papers, source: str, name: str, kind: Kind) -> Factor | None:
    given = {
        taking.about: taking
        for taking in papers.samples(source)
        if _rows(papers, taking.about, name)
    }
    composed = [taking for taking in given.values() if taking.kind == COMPOSED]
    parts = {part["sample"] for taking in composed for part in taking.body["parts"]}
    used = [taking for sample, taking in sorted(given.items()) if sample not in parts]
    if not used:
        if given:  # each is a part of another: of none can be said what it stands for
            raise _NotUsableError
        return None
    made_of: list[Paper] = []
    values, masses = [], []
    for taking in used:
        if len(papers.takings(taking.about)) != 1:
            raise _NotUsableError
        value, results = _value(papers, taking.about, name, kind)
        mass, told_by = _mass(papers, taking)
        values.append(value)
        masses.append(mass)
        made_of += [taking, *results, *told_by]
    if len({paper.sha256 for paper in made_of}) > PAPERS_MAX:
        raise _NotUsableError
    mean, weights = _mean(values, masses)
    return Factor(printed(mean), provenance(source, SAMPLES, made_of, weights=weights))


def _mean(values: Sequence[Fraction], masses: Sequence[Fraction | None]) -> tuple[Fraction, str]:
    """By the masses; of equal weights only where no sample says what it stands for."""
    known = [mass for mass in masses if mass is not None]
    if not known:
        return sum(values, Fraction(0)) / len(values), "equal"
    if len(known) != len(masses) or not sum(known):
        raise _NotUsableError
    weighted = sum((v * m for v, m in zip(values, known, strict=True)), Fraction(0))
    return weighted / sum(known), "mass"


def _mass(papers: Papers, taking: Paper) -> tuple[Fraction | None, list[Paper]]:
    """Tonnes that a sample stands for, None when that is not said; and who says it beside it."""
    if taking.kind == TAKEN:
        text = taking.body.get("stands_for_t")
        return (None if text is None else parse_decimal(text)), []
    parts = [papers.takings(part["sample"]) for part in taking.body["parts"]]
    told = [found[0] for found in parts if len(found) == 1 and "stands_for_t" in found[0].body]
    if len(told) != len(parts):
        return None, []
    return sum((parse_decimal(p.body["stands_for_t"]) for p in told), Fraction(0)), told


def _rows(papers: Papers, sample: str, name: str) -> list[tuple[Paper, Row]]:
    """Rows of this name in the results of a sample that count."""
    return [
        (paper, row)
        for paper in papers.counting(RESULT, sample)
        for row in paper.body["values"]
        if row["name"] == name
    ]


def _value(papers: Papers, sample: str, name: str, kind: Kind) -> tuple[Fraction, list[Paper]]:
    """What a sample's results give, as received, and the results."""
    found = _rows(papers, sample, name)
    if not _is_based(name, kind):
        paper, row = _only(found)
        if "basis" in row:
            raise _NotUsableError
        return _in_unit(row, name, kind), [paper]
    if received := _on(found, "ar"):
        paper, row = _only(received)
        return _in_unit(row, name, kind), [paper]
    dried = _only(_on(found, "ad"))
    waters = [_only(_rows(papers, sample, water)) for water in _MOISTURES]
    for water, (_, row) in zip(_MOISTURES, waters, strict=True):
        if row.get("basis") not in {None, _BASES[water]}:
            raise _NotUsableError
    convert, highest = _AS_RECEIVED[name]
    value = _in_unit(dried[1], name, kind)
    total, ad = (
        _in_unit(row, water, Kind("", ""))
        for water, (_, row) in zip(_MOISTURES, waters, strict=True)
    )
    if not (0 <= value <= highest and 0 <= total <= TOTAL_MAX and 0 <= ad <= AIR_DRIED_MAX):
        raise _NotUsableError
    try:
        made = convert(value, total, ad)
    except InputError as error:
        raise _NotUsableError from error
    return made, [dried[0], *(paper for paper, _ in waters)]


def _is_based(name: str, kind: Kind) -> bool:
    """How wet the fuel was moves this figure."""
    return kind.state == "solid" and name in _AS_RECEIVED


def _on(rows: Iterable[tuple[Paper, Row]], basis: str) -> list[tuple[Paper, Row]]:
    return [(paper, row) for paper, row in rows if row.get("basis") == basis]


def _only(rows: Sequence[tuple[Paper, Row]]) -> tuple[Paper, Row]:
    if len(rows) != 1:
        raise _NotUsableError
    return rows[0]


def _in_unit(row: Row, name: str, kind: Kind) -> Fraction:
    times = _UNITS[name, kind.unit].get(row["unit"])
    if times is None:
        raise _NotUsableError
    return parse_decimal(row["value"]) * times
