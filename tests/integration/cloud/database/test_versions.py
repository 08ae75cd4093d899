"""The schema of a database: the tables are those of `schema.py`, and a newer one is refused."""

import shutil
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from cloud.database import version
from cloud.database.engine import ONE_MACHINE, Database
from cloud.database.schema_kept import EVERY_TABLE, KEPT_TABLES
from cloud.errors import StoreError


def test_the_newest_step_is_the_one_that_new_databases_say() -> None:
    assert ScriptDirectory(str(version._STEPS)).get_current_head() == version.HEAD


def test_a_database_has_the_tables_of_the_schema(database: Database) -> None:
    with database.writing() as connection:
        assert compare_metadata(MigrationContext.configure(connection), EVERY_TABLE) == []


def test_one_of_evidence_alone_gets_the_tables_of_what_is_kept_beside_it(url: str) -> None:
    """As it was at version 0001; the security log is append-only then, too."""
    database = Database(url, ONE_MACHINE)
    with database.writing() as connection:
        connection.execute(text("INSERT INTO setting VALUES ('clock', 'real')"))
        for table in KEPT_TABLES:
            table.drop(connection)
        if not database.is_sqlite:
            connection.execute(text("DROP FUNCTION security_event_is_kept"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    database.close()
    database = Database(url, ONE_MACHINE)
    with database.writing() as connection:
        assert compare_metadata(MigrationContext.configure(connection), EVERY_TABLE) == []
        assert connection.execute(text("SELECT * FROM setting")).all() == [("clock", "real")]
        connection.execute(text("INSERT INTO security_event VALUES (1, 1, 'x', '{}')"))
    with pytest.raises(StoreError, match="append-only"), database.writing() as connection:
        connection.execute(text("UPDATE security_event SET at_ns = 0"))
    database.close()


def test_a_database_of_a_newer_program_is_refused(url: str) -> None:
    database = Database(url, ONE_MACHINE)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(StoreError, match=r"version 9999, which this program does not know"):
        Database(url, ONE_MACHINE)


STEP = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = "0003", "0002"
def upgrade():
    op.add_column("setting", sa.Column("more", sa.Text))
    op.execute("UPDATE setting SET more = value || '!'")
"""


@pytest.mark.parametrize("breaks", [False, True])
def test_an_older_one_is_moved_on_as_a_whole_or_not_at_all(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, breaks: bool
) -> None:
    """By Alembic, with a step that does not exist yet."""
    database = Database(url, ONE_MACHINE)
    with database.writing() as connection:
        connection.execute(text("INSERT INTO setting VALUES ('clock', 'real')"))
    database.close()
    steps = tmp_path / "migrations"
    shutil.copytree(version._STEPS, steps)
    broken = '    op.execute("INSERT INTO nothing VALUES (1)")\n' if breaks else ""
    (steps / "versions" / "0003_more.py").write_text(STEP + broken)
    monkeypatch.setattr(version, "HEAD", "0003")
    monkeypatch.setattr(version, "_STEPS", steps)
    if breaks:
        with pytest.raises(StoreError, match="nothing"):
            Database(url, ONE_MACHINE)
        monkeypatch.setattr(version, "HEAD", "0002")
    database = Database(url, ONE_MACHINE)
    with database.reading() as connection:
        row = connection.execute(text("SELECT * FROM setting")).one()
    assert tuple(row) == (("clock", "real") if breaks else ("clock", "real", "real!"))
    database.close()


def test_two_that_start_at_once_make_one_database(url: str) -> None:
    made, failed = list[Database](), list[Exception]()

    def start() -> None:
        try:
            made.append(Database(url, ONE_MACHINE))
        except StoreError as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with made[0].reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    for database in made:
        database.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://x/y", "write sqlite:///"),
        ("postgresql://x/y", r"write sqlite:///… or postgresql\+psycopg"),
        ("nonsense", "is no database URL"),
        ("postgresql+psycopg://u:secret@127.0.0.1:1/x", r"u:\*\*\*@127.0.0.1:1/x: is away"),
    ],
)
def test_what_is_no_database(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as caught:
        Database(url)
    assert "secret" not in str(caught.value)
