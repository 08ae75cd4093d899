"""Makes a new database's tables, and moves one of an earlier version on with Alembic."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from cloud.database.schema_kept import EVERY_TABLE
from cloud.database.turns import Turn, take_turn
from cloud.errors import StoreError

#: the newest step in migrations/versions
HEAD = "0002"
_STEPS = Path(__file__).parent / "migrations"


def bring_up_to_date(connection: Connection) -> None:
    """In the transaction of the connection, so that two who start at once make one database.

    Raises:
        StoreError: a newer version of the program has made it.
    """
    take_turn(connection, Turn.VERSION)
    found = _version(connection)
    if found == HEAD:
        return
    if found is None:
        EVERY_TABLE.create_all(connection, checkfirst=False)
        connection.execute(
            text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        )
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
        return
    _upgrade(connection, found)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


def _upgrade(connection: Connection, found: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_STEPS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            f"the database is of version {found}, which this program does not know "
            f"(it knows {HEAD}): run the program that made it, or a newer one"
        ) from error
