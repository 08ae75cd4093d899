"""Copies what is kept beside evidence from one database into another that has none of it yet."""

from sqlalchemy import Connection, Table, select

from cloud.database.engine import Database
from cloud.database.put import put_once, put_over
from cloud.database.schema import ALARM_NUMBER, setting
from cloud.database.schema_kept import KEPT_TABLES

#: rows at once
_MANY = 10_000


def copy_kept(source: Database, target: Database) -> bool:
    """Copy accounts, openings, alarms, shifts and facts of months, in one transaction.

    Returns:
        False, and nothing is copied, where the target has any of it: two collectors' accounts and
        security logs cannot be mixed.

    Raises:
        StoreError: one of them refuses.
    """
    with source.reading() as there, target.writing() as connection:
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
    return True


def _has_rows(connection: Connection, table: Table) -> bool:
    return connection.execute(select(table).limit(1)).first() is not None
