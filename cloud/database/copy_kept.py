"""Copy accounts, openings, alarms, shifts and month facts into a database without any."""

from sqlalchemy import Connection, Table, select

from cloud.database.engine import Database
from cloud.database.put import put_once, put_over
from cloud.database.schema import ALARM_NUMBER, setting
from cloud.database.schema_kept import KEPT_TABLES

#: rows at once
_MANY = 10_000


def copy_kept(source: Database, target: Database, mark: tuple[str, str] | None = None) -> bool:
    """Copy accounts, openings, alarms, shifts and month facts, in one transaction.

    Args:
        source: the database to read.
        target: the database to write.
        mark: name and value of a setting to write with the rows. A target that has this mark
            already received these rows.

    Returns:
        False, without a copy, if the target has other rows of these tables: accounts and security
        logs of two collectors cannot be mixed.

    Raises:
        StoreError: one of them refuses.
    """
    with source.reading() as there, target.writing() as connection:
        if mark is not None:
            known = select(setting.c.value).where(setting.c.name == mark[0])
            if connection.scalar(known) == mark[1]:
                return True
        if any(_has_rows(connection, table) for table in KEPT_TABLES):
            return False
        for table in KEPT_TABLES:
            # numbers that a database gives are given anew, in the same order
            columns = [one for one in table.c if one.autoincrement is not True]
            rows = there.execute(select(*columns).order_by(*table.primary_key)).mappings()
            for many in rows.partitions(_MANY):
                put_once(connection, table, [dict(row) for row in many])
        number = there.scalar(select(setting.c.value).where(setting.c.name == ALARM_NUMBER))
        if number is not None:
            put_over(connection, setting, [{"name": ALARM_NUMBER, "value": number}])
        if mark is not None:
            put_over(connection, setting, [{"name": mark[0], "value": mark[1]}])
    return True


def _has_rows(connection: Connection, table: Table) -> bool:
    return connection.execute(select(table).limit(1)).first() is not None
