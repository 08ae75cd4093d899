"""One month of many plants side by side: figures far from their peers', and what they share. Pure.

Peers are plants whose month was made by the same rule set. What is shown is to be looked at: there
are good reasons for each of it, and nothing here is a finding.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any

from cloud.review.limits import Limits
from evidence.documents.observed.numbers import as_written
from evidence.documents.observed.reports import sure_values

#: of the normal distribution: MAD times this is as wide as its deviation (NIST, as `limits.toml`)
_NORMAL = Decimal("0.6745")
_HUNDRED = Decimal(100)
_PLACES = Decimal("0.0001")
INTENSITY, DEFAULTS, UNUSABLE = "intensity", "default_percent", "unusable_percent"
RESULT, TAKEN, REVIEWER = "sample-result", "sample-taken", "reviewer"
#: what plants have in common, what is rarest by itself first: number of a laboratory's report,
#: attached file, values of an analysis, seal, author of PDFs, key and name of who may sign,
#: laboratory, program that made PDFs
SHARED = (
    "report", "file", "values", "seal", "author", "signer", "person", "laboratory", "producer",
)  # fmt: skip

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Figures:
    """What is compared of a plant's month.

    Attributes:
        plant: plant id.
        rule_set: id.
        values: "intensity" (t/t), "default_percent" (of emissions by lines with a default value),
            "unusable_percent" (readings without a usable value, of the worst point), and
            "factor/CATEGORY/KIND" (t of emission a unit of quantity).
    """

    plant: str
    rule_set: str
    values: Mapping[str, Decimal]


@dataclass(frozen=True)
class Compared:
    """A figure beside its peers'.

    Attributes:
        plant, rule_set, figure: which.
        value: of the plant.
        peers: how many other plants have the figure.
        median, mad: of all that have it, this one too; None with too few peers.
        score: modified z-score; None with too few peers, or where all but a few are alike.
        is_far: it is to be looked at.
    """

    plant: str
    rule_set: str
    figure: str
    value: Decimal
    peers: int
    median: Decimal | None = None
    mad: Decimal | None = None
    score: Decimal | None = None
    is_far: bool = False


@dataclass(frozen=True)
class Shared:
    """Something that several plants have.

    Attributes:
        what: one of `SHARED`.
        name: which.
        plants: ids, sorted; two or more.
    """

    what: str
    name: str
    plants: Sequence[str]


def figures_of(plant: str, statement: Mapping[str, Any]) -> Figures:
    """What is compared of a sealed statement; what it does not say is not there."""
    given, output = statement["input"], statement["output"]
    values = dict[str, Decimal]()
    if "intensity" in output:
        values[INTENSITY] = Decimal(output["intensity"])
    usable = [Decimal(of["percent"]) for of in given.get("completeness", {}).values()]
    if usable:
        values[UNUSABLE] = _HUNDRED - min(usable)
    lines = output["lines"]
    whole = sum((abs(Decimal(line["emission_t"])) for line in lines), Decimal(0))
    if whole:
        part = sum((abs(Decimal(line["emission_t"])) for line in lines if _has_default(line)),
                   Decimal(0))  # fmt: skip
        values[DEFAULTS] = _rounded(part / whole * _HUNDRED)
    values |= _factors(lines)
    return Figures(plant, str(output["rule_set"]), values)


def compared(many: Iterable[Figures], limits: Limits) -> list[Compared]:
    """Every figure beside its peers', those to be looked at first, the farthest of them first."""
    groups: dict[tuple[str, str], list[tuple[str, Decimal]]] = defaultdict(list)
    for one in many:
        for figure, value in one.values.items():
            groups[one.rule_set, figure].append((one.plant, value))
    rows = [row for key, held in groups.items() for row in _compared(key, held, limits)]
    return sorted(
        rows,
        key=lambda row: (
            not row.is_far, -abs(row.score or Decimal(0)), row.rule_set, row.figure, row.plant,
        ),
    )  # fmt: skip


def shareable(documents: Iterable[Row]) -> frozenset[tuple[str, str]]:
    """(what, which) of a plant's documents that another's may have too.

    Args:
        documents: rows of the time that is looked at; what stands no more is left out.
    """
    found = set[tuple[str, str]]()
    for row in documents:
        if row["ended_by"] is not None:
            continue
        found |= {("file", file["sha256"]) for file in row["files"]}
        if row["kind"] == RESULT:
            laboratory, report = (as_written(row["body"][k]) for k in ("laboratory", "report"))
            found |= {("report", f"{laboratory}: {report}"), ("laboratory", laboratory)}
            if values := sure_values(row["body"]["values"]):
                found.add(("values", values))
        elif row["kind"] == TAKEN:
            found.add(("seal", as_written(row["body"]["seal"])))
    return frozenset(found)


def shared(
    documents: Mapping[str, Iterable[tuple[str, str]]], people: Mapping[str, Iterable[Row]]
) -> list[Shared]:
    """What several plants have in common.

    Args:
        documents: plant -> what its documents have, as `shareable` finds it, and who and what made
            its PDFs, ("author" or "producer", name).
        people: plant -> rows of the keys that may sign there. Reviewers sign at many, and are left
            out.
    """
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for plant, held in documents.items():
        for one in held:
            found[one].add(plant)
    for plant, persons in people.items():
        for person in persons:
            if person["role"] != REVIEWER:
                found["signer", person["key"]].add(plant)
                found["person", f"{person['name']}, {person['organisation']}"].add(plant)
    return sorted(
        (Shared(what, name, sorted(of)) for (what, name), of in found.items() if len(of) > 1),
        key=lambda one: (SHARED.index(one.what), -len(one.plants), one.name),
    )


def _compared(
    key: tuple[str, str], held: Sequence[tuple[str, Decimal]], limits: Limits
) -> Iterator[Compared]:
    rule_set, figure = key
    peers = len(held) - 1
    if peers < limits.peers_min:
        yield from (Compared(plant, rule_set, figure, value, peers) for plant, value in held)
        return
    middle = median([value for _, value in held])
    mad = median([abs(value - middle) for _, value in held])
    for plant, value in held:
        score = _rounded(_NORMAL * (value - middle) / mad) if mad else None
        is_far = value != middle if score is None else abs(score) > limits.score
        yield Compared(plant, rule_set, figure, value, peers, middle, mad, score, is_far)


def _has_default(line: Row) -> bool:
    return any(of.get("basis") == "default" for of in line["parameters"].values())


def _factors(lines: Iterable[Row]) -> Iterator[tuple[str, Decimal]]:
    """Emission a unit of quantity, of all lines of a kind together."""
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for line in lines:
        if "quantity" in line:
            of = sums[f"factor/{line['category']}/{line['kind']}"]
            of[0] += Decimal(line["emission_t"])
            of[1] += Decimal(line["quantity"])
    for name, (emission, quantity) in sums.items():
        if quantity:
            yield name, _rounded(emission / quantity)


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(_PLACES)
