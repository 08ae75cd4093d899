"""The [table] or [folder] section of a profile whose source is no meter: rows of named columns.

Pure. Which column gives which point stands in the registers (`column`); here stands what a row is:
its columns, its time, the name that tells whose row it is, and how a source of rows is asked.
"""

import hashlib
import re
from dataclasses import dataclass

from firmware_configs.fields import Fields

#: protocols whose devices give rows
ROW_PROTOCOLS = ("table", "folder")
TIME_FORMS = ("text", "s", "ms", "us", "ns")
ENCODINGS = ("utf-8", "gbk")
DELIMITERS = (",", ";", "\t", "|")
COLUMNS_MAX = 500
STATEMENT_MAX = 8_000
SETTLE_S_MAX = 3_600
_COLUMN_MAX = 100
_NAME_FORM = re.compile(r"[^{}]*\{n(:0\d)?\}[^{}]*")
_SHEET_MAX = 31  # characters, as the format has it


@dataclass(frozen=True)
class RowForm:
    """What a row is.

    Attributes:
        columns: all names, in the order of the source; another order is another schema.
        time: column with the instant of the row's values.
        time_zone: IANA zone of times that give no offset themselves.
        time_form: "text" (ISO 8601, or the database's own type), or a number of s, ms, us, ns
            since 1970-01-01 UTC.
        name: column that says whose row it is, "" where every row is of all points.
        name_form: what that column holds for {n}, such as "P{n:03}".
        settle_s: seconds a row or file must have been there unchanged before it is taken.
    """

    columns: tuple[str, ...]
    time: str
    time_zone: str
    time_form: str
    name: str
    name_form: str
    settle_s: int

    @property
    def columns_sha256(self) -> str:
        """Of the names, one a line, hex."""
        return hashlib.sha256("".join(f"{name}\n" for name in self.columns).encode()).hexdigest()


@dataclass(frozen=True)
class TableSource:
    """A database asked with one statement.

    Attributes:
        rows: what it gives.
        statement: one SELECT without key condition, order and limit; the driver adds them.
        key: column by which rows are told apart; unique, and later rows have greater ones.
    """

    rows: RowForm
    statement: str
    key: str

    @property
    def statement_sha256(self) -> str:
        """Of the statement as it stands in the profile, UTF-8, hex."""
        return hashlib.sha256(self.statement.encode()).hexdigest()


@dataclass(frozen=True)
class FolderSource:
    """A folder that files are dropped into.

    Attributes:
        rows: what they hold.
        pattern: of names, with * and ?.
        form: "csv" or "xlsx".
        encoding, delimiter, decimal: of CSV.
        sheet: of XLSX.
        reuses_names: a name that was read may come again with other content.
    """

    rows: RowForm
    pattern: str
    form: str
    encoding: str
    delimiter: str
    decimal: str
    sheet: str
    reuses_names: bool


def row_form(source: TableSource | FolderSource | None) -> RowForm | None:
    """What its rows are; None for a meter."""
    return None if source is None else source.rows


def source_settings(source: TableSource | FolderSource | None) -> dict[str, str]:
    """What of it goes into the signed configuration, as settings of the device.

    Beside the hashes of statement and columns all that decides which number is taken for which
    instant; {} for a meter.
    """
    if source is None:
        return {}
    rows = source.rows
    settings = {
        "columns_sha256": rows.columns_sha256,
        "time": rows.time,
        "time_form": rows.time_form,
        "time_zone": rows.time_zone,
    }
    if rows.name:
        settings |= {"name": rows.name, "name_form": rows.name_form}
    if isinstance(source, TableSource):
        return settings | {"statement_sha256": source.statement_sha256, "key": source.key}
    settings |= {"pattern": source.pattern, "form": source.form}
    if source.form == "xlsx":
        return settings | {"sheet": source.sheet}
    return settings | {
        "encoding": source.encoding, "delimiter": source.delimiter, "decimal": source.decimal,
    }  # fmt: skip


def read_source(fields: Fields, protocol: str) -> TableSource | FolderSource:
    """The section named as the protocol; every problem in it is noted."""
    section = fields.child(protocol)
    rows = _rows(section)
    source = _table(section, rows) if protocol == "table" else _folder(section, rows)
    section.finish()
    return source


def _rows(fields: Fields) -> RowForm:
    columns = _columns(fields)
    rows = RowForm(
        columns=columns,
        time=fields.text("time", why="the column with the row's instant"),
        time_zone=_zone(fields),
        time_form=fields.choice("time_form", TIME_FORMS, default="text"),
        name=fields.text("name", default=""),
        name_form=fields.text("name_form", default="{n}"),
        settle_s=fields.integer("settle_s", 0, SETTLE_S_MAX, default=10),
    )
    for key in ("time", "name"):
        value = getattr(rows, key)
        if value and columns and value not in columns:
            fields.complain(key, f"{value!r} is no column: {' '.join(columns)}")
    if not _NAME_FORM.fullmatch(rows.name_form):
        fields.complain("name_form", f'{rows.name_form!r} must hold {{n}} once: "P{{n:03}}"')
    if fields.has("name_form") and not rows.name:
        fields.complain("name_form", "has no effect without name: the column it describes")
    return rows


def _columns(fields: Fields) -> tuple[str, ...]:
    named = fields.sequence("columns")
    if not named:
        fields.complain("columns", "is missing: every column the source gives, in its order")
    if len(named) > COLUMNS_MAX:
        fields.complain("columns", f"{len(named)} are too many; {COLUMNS_MAX} at most")
        return ()
    columns: list[str] = []
    for name in named:
        fits = isinstance(name, str) and name.isprintable() and name == name.strip()
        if not fits or not 0 < len(name) <= _COLUMN_MAX:
            fields.complain("columns", f"{name!r} is no name of a column")
        elif name in columns:
            fields.complain("columns", f"{name!r} stands there twice")
        else:
            columns.append(name)
    return tuple(columns)


def _zone(fields: Fields) -> str:
    zone = fields.text("time_zone", why='of times without an offset: "UTC", "Asia/Shanghai"')
    if zone:
        import zoneinfo  # here: it loads the interpreter's build settings, and few profiles need it

        try:
            zoneinfo.ZoneInfo(zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones
            fields.complain("time_zone", f"{zone!r} is no IANA time zone, such as Asia/Shanghai")
            return "UTC"
    return zone or "UTC"


def _table(fields: Fields, rows: RowForm) -> TableSource:
    statement = fields.text("statement", why="one SELECT that gives the columns")
    if len(statement) > STATEMENT_MAX:
        fields.complain("statement", f"has more than {STATEMENT_MAX} characters")
    key = fields.text("key", why="the column that is unique and greater in later rows")
    if key and rows.columns and key not in rows.columns:
        fields.complain("key", f"{key!r} is no column: {' '.join(rows.columns)}")
    elif key and not key.isidentifier():
        fields.complain("key", f"{key!r} is no plain name; rename it in the statement (AS row_key)")
    return TableSource(rows, statement, key)


def _folder(fields: Fields, rows: RowForm) -> FolderSource:
    pattern = fields.text("pattern", why='names of the files, such as "lab-*.csv"')
    if "/" in pattern or "\0" in pattern or pattern.startswith("."):
        fields.complain("pattern", f"{pattern!r} must be names only, none with a dot first")
    form = fields.choice("form", ("csv", "xlsx"))
    is_csv = form == "csv"
    reuses = fields.raw("reuses_names")
    if not isinstance(reuses, bool | None):
        fields.complain("reuses_names", "must be true or false")
    source = FolderSource(
        rows=rows,
        pattern=pattern,
        form=form,
        encoding=fields.choice("encoding", ENCODINGS) if is_csv else "",
        delimiter=fields.choice("delimiter", DELIMITERS, default=",") if is_csv else "",
        decimal=fields.choice("decimal", (".", ","), default=".") if is_csv else "",
        sheet="" if is_csv else fields.text("sheet", why="the sheet that is read"),
        reuses_names=reuses is True,
    )
    if is_csv and source.delimiter == source.decimal:
        fields.complain("decimal", f"{source.decimal!r} is the delimiter too")
    if len(source.sheet) > _SHEET_MAX:
        fields.complain("sheet", f"has more than {_SHEET_MAX} characters")
    return source


def check_column(fields: Fields, name: str, column: str, rows: RowForm) -> None:
    """A register's column is one of the source's that holds values.

    Args:
        fields: the [[register]] table.
        name: of the register.
        column: of the register; "" where it was complained about already.
        rows: of the source.
    """
    if not column or not rows.columns:
        return
    if column not in rows.columns:
        fields.complain("column", f"{column!r} is no column of the source")
    elif column in (rows.time, rows.name):
        fields.complain("column", f"{column!r} is the column of the row's time or name")
    if ("{n" in name) != bool(rows.name):
        fields.complain(
            "name", "{n} stands in it where rows have a name (the section's name = column), and "
            "only there",
        )  # fmt: skip
