"""PostgreSQL with a synchronous standby: a receipt only for what both machines have."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from cloud.database.engine import ONE_MACHINE, Database
from cloud.errors import (
    NotReplicatedError,
    SliceLockedError,
    SliceLostError,
    StoreError,
)
from tests.databases import PROGRAMS, PostgreSQL, servers
from tests.integration.cloud.database.plants import WholePlant, holds_true, made
from tests.unit.cloud.whole_plant import COMMITS, PLANT

pytestmark = pytest.mark.skipif(not PROGRAMS, reason="postgresql is not installed")


@pytest.fixture
def whole(tmp_path: Path) -> WholePlant:
    return made(tmp_path / "plant")


@pytest.fixture
def pair() -> Iterator[tuple[PostgreSQL, PostgreSQL]]:
    """A primary that waits for a standby, and the standby."""
    primary_options = ["fsync=off", "synchronous_standby_names=one"]
    with servers(primary_options, ["fsync=off"]) as (primary, standby):
        primary.make()
        primary.start()
        standby.copy_of(primary, "one")
        standby.start()
        yield primary, standby


def cancel_waits(primary: PostgreSQL) -> None:
    """As an administrator does who wants the commits to end: each succeeds, with a warning."""
    with primary.owner() as owner:
        ends_s = time.monotonic() + 20
        while time.monotonic() < ends_s:
            done = owner.execute(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
            ).fetchall()
            if done:
                return
            time.sleep(0.05)
        raise AssertionError("nobody waited for the standby")


def test_a_server_without_a_standby_is_refused(postgresql: PostgreSQL) -> None:
    url = postgresql.fresh()
    with pytest.raises(StoreError, match=r"synchronous_standby_names is ''.*one machine is enough"):
        Database(url)
    with pytest.raises(StoreError, match="durability is 'yes'"):
        Database(url, "yes")
    Database(url, ONE_MACHINE).close()


def test_no_receipt_for_what_one_machine_has(
    pair: tuple[PostgreSQL, PostgreSQL], whole: WholePlant
) -> None:
    """The standby stands still, and an administrator cancels the wait: success, and a warning."""
    primary, standby = pair
    database = Database(primary.fresh())
    store, plant = whole.open(database)
    for commit in range(2):
        whole.stage(plant, commit)
        assert store.commit() == ([plant], {})
    before = plant.reader.committed
    standby.stop()
    for tries in range(2):  # the second has nothing staged: a repeated object asks for a receipt
        if not tries:
            whole.stage(plant, 2)
        canceller = threading.Thread(target=cancel_waits, args=[primary])
        canceller.start()
        done, failed = store.commit()
        canceller.join()
        assert done == []
        assert isinstance(failed[PLANT], NotReplicatedError)
        assert plant.reader.committed == before
    standby.start()
    store.commit()
    assert plant.reader.head("edge-a").next_seq == 3  # it was there, and now it is on both
    for commit in range(2, COMMITS):
        whole.stage(plant, commit)
        assert store.commit()[1] == {}
    holds_true(whole, plant.reader, [before.checkpoint])
    store.close()
    database.close()


def test_the_standby_that_takes_over_has_all_that_was_receipted(
    pair: tuple[PostgreSQL, PostgreSQL], whole: WholePlant
) -> None:
    """The primary loses power in the midst of commits; its data are never seen again."""
    primary, standby = pair
    url = primary.fresh()
    name = url.rpartition("/")[2]
    hosts = f"host=127.0.0.1:{primary.port}&host=127.0.0.1:{standby.port}"
    both = f"postgresql+psycopg://postgres@/{name}?{hosts}&target_session_attrs=read-write"
    database, shown = Database(both), list[str]()
    store, plant = whole.open(database)
    for commit in range(4):
        whole.stage(plant, commit)
        assert store.commit() == ([plant], {})
        shown.append(plant.reader.checkpoint)
    primary.stop(signal.SIGQUIT)
    whole.stage(plant, 4)
    done, failed = store.commit()
    assert (done, list(failed)) == ([], [PLANT])
    with standby.owner() as owner:
        owner.execute("SELECT pg_promote()")
        # it waits for nobody yet; here that is known
        owner.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
    for commit in range(4, COMMITS):
        whole.stage(plant, commit)
        done, failed = store.commit()
        assert (done, failed) == ([plant], {})
    holds_true(whole, plant.reader, shown)
    assert plant.reader.head("edge-b").next_seq == len(whole.b.objects)
    store.close()
    database.close()


# -- two collectors -------------------------------------------------------------------------------


def test_a_second_collector_takes_over_when_the_first_says_nothing(
    postgresql: PostgreSQL, whole: WholePlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.fresh()
    first, second = Database(url, ONE_MACHINE), Database(url, ONE_MACHINE)
    store, plant = whole.open(first)
    whole.stage(plant, 0)
    store.commit()
    with pytest.raises(SliceLockedError, match="held by"):
        whole.open(second)
    monkeypatch.setattr("cloud.database.lease.LAPSES_S", 0.2)
    time.sleep(0.3)  # paused: by the database's clock it is long gone
    other, same = whole.open(second)
    whole.stage(same, 1)
    assert other.commit() == ([same], {})
    whole.stage(plant, 1)  # the first goes on, and knows of nothing
    with pytest.raises(SliceLostError, match="this collector writes nothing more"):
        store.commit()
    whole.stage(same, 2)
    assert other.commit() == ([same], {})
    holds_true(whole, same.reader, [plant.reader.checkpoint])
    store.close()  # its lease is another's: nothing is given back
    assert other.renew() is None
    other.close()
    third, again = whole.open(first)  # given back: at once
    assert again.reader.size == same.reader.size
    third.close()
    first.close()
    second.close()


def test_a_commit_under_way_keeps_others_from_the_lease(
    postgresql: PostgreSQL, whole: WholePlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is locked until the transaction ends, and by then it was renewed."""
    url = postgresql.fresh()
    first, second = Database(url, ONE_MACHINE), Database(url, ONE_MACHINE)
    store, _ = whole.open(first)
    lease = store.leases["00"]
    refused = list[str]()

    def take() -> None:
        try:
            whole.open(second)
        except SliceLockedError as error:
            refused.append(str(error))

    with first.writing() as connection:
        connection.execute(text("UPDATE lease SET renewed_s = 0"))
    with first.writing() as connection:
        lease.renew(first, connection)
        taker = threading.Thread(target=take)
        taker.start()
        time.sleep(0.3)
        assert taker.is_alive()
    taker.join()
    assert len(refused) == 1
    store.close()
    first.close()
    second.close()
