"""A year for its page and the API: of archives that stand and that the log closed. File I/O."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from cloud.closing.kept import KeptArchive, read_kept
from cloud.month.sealed import worded
from edge.calc.errors import InputError
from edge.calc.statements.annual import annual_statement
from edge.calc.statements.footprint import footprint
from edge.calc.statements.position import Year, position, whole_year
from evidence.month_state import FAILED, issues_of, state_of

#: state of a month's archive as a row tells it
Sealed = Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """A year's archives.

    Attributes:
        shown: month -> its archive, in order, which holds what the log closed.
        files: month -> where it stands.
        not_shown: months whose archive cannot be read or is not what the log closed.
        failed: months whose archive failed its check: their tonnes are in no sum.
    """

    shown: Mapping[str, KeptArchive]
    files: Mapping[str, Path]
    not_shown: Sequence[str]
    failed: Sequence[str] = ()


def standing(
    year: str,
    rows: Sequence[Mapping[str, Any]],
    closed: Callable[[str], str | None],
    states: Mapping[str, Sealed],
) -> Standing:
    """The archives that a year's page and its papers are made of; arguments as `year_shown`."""
    kept, files, not_shown = dict[str, KeptArchive](), dict[str, Path](), list[str]()
    failed = [month for month, one in sorted(states.items())
              if month[:4] == year and one["verdict"] == FAILED]  # fmt: skip
    for row in sorted(rows, key=lambda row: str(row["month"])):
        month, path = str(row["month"]), Path(str(row["archive"]))
        if row.get("replaced") or month[:4] != year or month in failed:
            continue
        archive = read_kept(path)
        is_it = archive is not None and archive.statement["output"].get("month") == month
        if archive is None or not is_it or archive.sha256.hex() != closed(month):
            not_shown.append(month)
        else:
            kept[month], files[month] = archive, path
    return Standing(kept, files, not_shown, failed)


def year_shown(
    year: str,
    rows: Sequence[Mapping[str, Any]],
    closed: Callable[[str], str | None],
    states: Mapping[str, Sealed],
    *,
    projection: Mapping[str, Any] | None = None,
    asked: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """JSON-ready: statement, footprint and position of a year's sealed months.

    Args:
        year: "YYYY".
        rows: archives of the plant, as the archive folder lists them.
        closed: month -> hex SHA-256 of the statement that its figures may be shown of.
        states: month -> what its row tells of its archive (`cloud.month.sealed`), of those known.
        projection: of the live count, for this year (`accumulated`), None for another year.
        asked: numbers by "allowance", "benchmark", "held", "price"; "currency", and "what_if"
            (name -> change).

    Returns:
        "archives", each with its `state`; "not_shown" (months whose archive cannot be read or is
        not what the log closed); "failed" (months that no sum has, each with its `state`); and
        where any is shown what `annual_statement` gives, "footprint" and "position".
    """
    found = standing(year, rows, closed, states)
    kept = found.shown
    simulated = any(archive.statement["simulated"] for archive in kept.values())
    result: dict[str, Any] = {
        "year": year, "simulated": simulated, "archives": [], "not_shown": list(found.not_shown),
        "failed": [{"month": month, "state": states[month]} for month in found.failed],
    }  # fmt: skip
    if not kept:
        return {**result, "months_lacking": [f"{year}-{n:02}" for n in range(1, 13)]}
    months = [archive.statement for archive in kept.values()]
    pairs = [(month["input"], month["output"]) for month in months]
    statement = annual_statement(pairs)
    result["archives"] = [
        {
            "month": month["output"]["month"], "closing": month["input"]["closing"],
            "is_amended": "replaces" in month, "total_t": month["output"]["totals"]["total_t"],
            "statement_sha256": kept[month["output"]["month"]].sha256.hex(),
            "state": states.get(month["output"]["month"]) or _unverified(month),
        }
        for month in months
    ]  # fmt: skip
    return {
        **result,
        **statement,
        "footprint": footprint([made for _, made in pairs]),
        "position": _position(statement, [given for given, _ in pairs], projection, asked or {}),
    }


def _unverified(month: Mapping[str, Any]) -> Sealed:
    """State of an archive that was not verified yet: its statement alone says what it lacks."""
    issues = issues_of(month["input"], month["output"])
    return worded(state_of(issues, closing=month["input"]["closing"]))


def _position(
    statement: Mapping[str, Any],
    sources: Sequence[Mapping[str, Any]],
    projection: Mapping[str, Any] | None,
    asked: Mapping[str, Any],
) -> dict[str, Any]:
    """By the live count's projection where there is one; else by the sealed months alone."""
    try:
        year = whole_year(statement, sources)
        if projection is not None and "emission_t" in projection:
            year = _live(year, projection)
        if asked.get("allowance") is not None or asked.get("benchmark") is not None:
            year = replace(
                year, allowance_t=asked.get("allowance"), benchmark_t_t=asked.get("benchmark")
            )
        year = replace(
            year, held_t=asked.get("held"), price=asked.get("price"),
            currency=asked.get("currency") or year.currency,
        )  # fmt: skip
        return position(year, asked.get("what_if"))
    except InputError as error:
        return {"reason": "; ".join(error.problems), "emission_t": statement["totals"]["total_t"]}


def _live(year: Year, projection: Mapping[str, Any]) -> Year:
    """What the live page projects, with the allowance that CLOUD.toml gives."""
    benchmark, fixed = projection.get("benchmark_t_t"), projection.get("allowance_t")
    output = projection.get("output_t")
    return replace(
        year,
        emission_t=Fraction(projection["emission_t"]),
        output_t=None if output is None else Fraction(output),
        days=Fraction(projection["days"]),
        benchmark_t_t=None if benchmark is None else Fraction(benchmark),
        allowance_t=None if benchmark is not None or fixed is None else Fraction(fixed),
        lacks=year.lacks if projection["is_whole"] else (*year.lacks, "this-month"),
    )
