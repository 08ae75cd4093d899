"""Each test on both kinds of database, the PostgreSQL in a server of this run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.database.engine import ONE_MACHINE, Database
from tests.databases import PROGRAMS, PostgreSQL, servers


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    if not PROGRAMS:
        pytest.skip("postgresql is not installed")
    with servers(["fsync=off"]) as (server,):
        server.make()
        server.start()
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/cloud.db"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.fresh()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url, ONE_MACHINE)
    yield opened
    opened.close()
