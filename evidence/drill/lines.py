"""What each line of a statement was made of: points of meters, and documents. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evidence.plan.shares import entry_of_line

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """One line of the statement.

    Attributes:
        path: names it, "line/fuel/anthracite"; behind it the unit of the plant where it has one,
            and a number where it is not the first of this name.
        number: its place among the statement's lines, from 0.
        category, kind, unit: as in the statement; unit "" for the whole plant.
        quantity, emission_t: decimal strings as they were sealed.
        points: (the figure it gives, point id).
        documents: (the figure it gives, SHA-256 in hex).
    """

    path: str
    number: int
    category: str
    kind: str
    unit: str
    quantity: str
    emission_t: str
    points: Sequence[tuple[str, str]]
    documents: Sequence[tuple[str, str]]

    @property
    def item(self) -> str:
        """As a review names it: all lines of one category and kind together."""
        return f"line/{self.category}/{self.kind}"


def lines_of(statement: Mapping[str, Any], configs: Sequence[Config]) -> list[Line]:
    """The lines of a statement.json with what they were made of.

    Args:
        statement: "input" and "output".
        configs: the newest configuration of each gateway; of a pot line they name the pots' points.
    """
    found, seen = list[Line](), Counter[str]()
    lines = statement["output"]["lines"]
    for number, (line, path) in enumerate(zip(lines, paths_of(lines), strict=True)):
        category, unit = line["category"], line.get("unit", "")
        entry = entry_of_line(statement["input"], category, seen[category])
        seen[category] += 1
        told = list(_told(entry))
        found.append(
            Line(
                path, number, category, line["kind"], unit, line["quantity"], line["emission_t"],
                [(name, point) for name, by in told for point in _points(by, configs)],
                [(name, sha256) for name, by in told for sha256 in _documents(by)],
            )
        )  # fmt: skip
    return found


def paths_of(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """What names each line of a statement's output, in order; see `Line.path`."""
    found, seen = list[str](), Counter[str]()
    for line in lines:
        unit = line.get("unit", "")
        path = "/".join(["line", line["category"], line["kind"], *([unit] if unit else [])])
        seen[path] += 1
        found.append(f"{path}/{seen[path]}" if seen[path] > 1 else path)
    return found


def _told(entry: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(figure, provenance) of an entry and of what stands in it, as of a pot line's indicator."""
    if not isinstance(entry, Mapping):
        return
    provenance = entry.get("provenance", {})
    yield from ((name, by) for name, by in provenance.items() if isinstance(by, Mapping))
    for name, part in entry.items():
        if name != "provenance":
            yield from _told(part)


def _points(by: Mapping[str, Any], configs: Sequence[Config]) -> Iterator[str]:
    frames = by.get("frames", {})
    if "point" in frames:
        yield frames["point"]
    for line in (one for config in configs for one in config["potlines"]):
        if line["id"] == frames.get("potline"):
            yield line["line_current"]
            yield from (pot["voltage"] for pot in line["pots"])


def _documents(by: Mapping[str, Any]) -> Sequence[str]:
    return list(by.get("documents", {}).get("sha256", ()))
