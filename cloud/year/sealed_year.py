"""A year read from the archives of its months: of each month the newest. File I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud.outputs.errors import OutputError
from cloud.outputs.sealed import SealedMonth, read_sealed
from edge.calc.errors import InputError
from edge.calc.statements.annual import annual_statement
from evidence.month_state import MonthState, issue_of, state_of

#: (input, output) of a month's statement
Pair = tuple[Mapping[str, Any], Mapping[str, Any]]


@dataclass(frozen=True)
class SealedYear:
    """Months of one plant's year.

    Attributes:
        months: in order, each once: where an archive replaces another, the one that does.
        files: month -> its archive.
        statement: of the year (`annual_statement`).
    """

    months: tuple[SealedMonth, ...]
    files: Mapping[str, Path]
    statement: Mapping[str, Any]

    @property
    def newest(self) -> SealedMonth:
        """The last month."""
        return self.months[-1]

    @property
    def pairs(self) -> list[Pair]:
        """Input and output of each month's statement."""
        return [(month.given, month.output) for month in self.months]

    @property
    def outputs(self) -> list[Mapping[str, Any]]:
        """Output of each month's statement."""
        return [month.output for month in self.months]

    @property
    def simulated(self) -> bool:
        """Some month of it is of a simulated plant."""
        return any(month.simulated for month in self.months)

    @property
    def state(self) -> MonthState:
        """Everything that belongs beside the year's total, as the archives alone say."""
        own = [issue_of(str(flag)) for flag in self.statement["flags"]]
        return state_of([*(issue for m in self.months for issue in m.state.issues), *own])

    @property
    def name(self) -> str:
        """How files of it begin: plant and year."""
        return f"{self.newest.plant['id']}-{self.statement['year']}"

    def as_map(self) -> dict[str, Any]:
        """JSON-ready: the statement with what it is made of."""
        plant = self.newest.plant
        return {
            "plant": {key: plant[key] for key in ("id", "name", "sector")},
            "simulated": self.simulated,
            "state": self.state.as_map(),
            "archives": [
                {
                    "month": month.month, "closing": month.closing, "sha256": month.sha256,
                    "statement_sha256": month.statement_sha256,
                    **({"replaces": month.replaces} if month.replaces else {}),
                }
                for month in self.months
            ],
            **self.statement,
        }  # fmt: skip


def read_year(archives: Sequence[Path], reported: Mapping[str, Any] | None = None) -> SealedYear:
    """The year of some archives.

    Args:
        archives: in any order; of an amended month, its earlier archives may be among them.
        reported: what the annual report and its verification say (`annual_statement`).

    Raises:
        OutputError: one cannot be used, or they are not of one plant's year.
    """
    return year_of([(path, read_sealed(path)) for path in archives], reported)


def year_of(
    read: Sequence[tuple[Path, SealedMonth]], reported: Mapping[str, Any] | None = None
) -> SealedYear:
    """The year of months that were read; OutputError as `read_year`."""
    standing = _standing(read)
    months = tuple(month for _, month in standing)
    if len({str(month.plant["id"]) for month in months}) > 1:
        raise OutputError("the archives are of different plants")
    try:
        statement = annual_statement([(m.given, m.output) for m in months], reported)
    except InputError as error:
        raise OutputError("; ".join(error.problems)) from error
    return SealedYear(months, {month.month: path for path, month in standing}, statement)


def _standing(read: Sequence[tuple[Path, SealedMonth]]) -> list[tuple[Path, SealedMonth]]:
    """One archive a month, in order: those that another one given replaces are passed over."""
    replaced = {month.replaces for _, month in read}
    kept: dict[str, tuple[Path, SealedMonth]] = {}
    for path, month in sorted(read, key=lambda one: one[1].month):
        if month.statement_sha256 in replaced:
            continue
        if month.month in kept:
            raise OutputError(
                f"{month.month}: {kept[month.month][0].name} and {path.name} are both of it, and "
                "neither replaces the other; which one counts?"
            )
        kept[month.month] = path, month
    return list(kept.values())
