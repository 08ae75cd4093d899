"""Devices that give rows, for tests: a database of pots, a folder of results, made in code."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge.drivers.base import BoundPoint, DeviceSpec
from evidence.points import Dtype
from firmware_configs.profile import Register
from firmware_configs.row_source import FolderSource, RowForm, TableSource
from tests.unit.edge.drivers.specs import bound, profile, register

COLUMNS = ("id", "taken_at", "pot", "volts", "temp")
STATEMENT = "SELECT id, taken_at, pot, volts, temp FROM pot_log"


def form(**changes: Any) -> RowForm:
    """Rows of one pot each, in UTC, ripe at once."""
    fields: dict[str, object] = {
        "columns": COLUMNS, "time": "taken_at", "time_zone": "UTC", "time_form": "text",
        "name": "pot", "name_form": "{n}", "settle_s": 0,
    }  # fmt: skip
    return RowForm(**{**fields, **changes})


def column(name: str, of: str, dtype: Dtype = Dtype.I64, decimals: int = 3) -> Register:
    """A register that is a column."""
    made = register(name, dtype, address=None, table=None)
    decimals = 0 if dtype.is_float else decimals
    return replace(made, column=of, decimals=decimals, point_decimals=decimals)


POTS = (column("pot-{n}.volts", "volts"), column("pot-{n}.temp", "temp", Dtype.F64))


def row_spec(
    url: str,
    source: TableSource | FolderSource,
    *registers: Register,
    numbers: tuple[int, ...] = (1, 2),
    position: bytes | None = None,
    marks: Mapping[bytes, bytes] | None = None,
    timeout_s: float = 1.0,
    revision: str = "1",
) -> DeviceSpec:
    """A device whose source gives rows; without registers volts and temp of each pot."""
    rows = registers or POTS
    points: list[BoundPoint] = []
    for row in rows:
        if "{n" in row.name:
            points += [bound(row, n=n) for n in numbers]
        else:
            points.append(bound(row))
    protocol = "table" if isinstance(source, TableSource) else "folder"
    made = replace(profile(rows), protocol=protocol, rows=source, revision=revision)
    return DeviceSpec(
        "dev", url, made, tuple(points), timeout_s, position=position, marks=dict(marks or {})
    )


def table(statement: str = STATEMENT, key: str = "id", **of_rows: object) -> TableSource:
    """The database's table."""
    return TableSource(form(**of_rows), statement, key)


def table_spec(path: Path | str, source: TableSource | None = None, **more: Any) -> DeviceSpec:
    """A device of an SQLite file."""
    return row_spec(f"sqlite+ro://{path}", source or table(), **more)


FILE_COLUMNS = ("taken_at", "pot", "volts", "temp")


def files(**changes: Any) -> FolderSource:
    """A folder of CSV files."""
    of_rows = {k: changes.pop(k) for k in list(changes) if k in RowForm.__dataclass_fields__}
    fields: dict[str, object] = {
        "rows": form(**{"columns": FILE_COLUMNS, **of_rows}), "pattern": "*.csv", "form": "csv",
        "encoding": "utf-8", "delimiter": ",", "decimal": ".", "sheet": "", "reuses_names": False,
    }  # fmt: skip
    return FolderSource(**{**fields, **changes})


def sheets(**changes: object) -> FolderSource:
    """A folder of spreadsheets."""
    return files(
        pattern="*.xlsx", form="xlsx", encoding="", delimiter="", decimal="", sheet="Results",
        **changes,
    )  # fmt: skip


def folder_spec(path: Path, source: FolderSource | None = None, **more: Any) -> DeviceSpec:
    """A device of a folder."""
    return row_spec(f"folder://{path}", source or files(), **more)
