"""Evidence from folders into a database: the same log, also where it was broken off."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cloud.database.engine import ONE_MACHINE, Database
from cloud.database.fsck import check_plant
from cloud.database.migrate import copy_plant
from cloud.database.store import EvidenceStore
from cloud.errors import StoreError
from cloud.store.fsck import Trusted
from cloud.store.reader import PlantReader
from evidence.checkpoint import verify
from tests.integration.cloud.cloud_process import run, wait
from tests.integration.cloud.database.plants import UNIT, KeptPlant, made
from tests.integration.cloud.database.test_collector import DatabaseCloud, cloud
from tests.integration.cloud.running_collector import send_readings
from tests.unit.cloud.evidence_examples import SECOND_NS, T0_NS
from tests.unit.cloud.store.whole_plant import COMMITS, PLANT, SCANS

__all__ = ["cloud"]


@pytest.fixture
def whole(tmp_path: Path) -> KeptPlant:
    return made(tmp_path / "plant")


def in_folder(whole: KeptPlant, root: Path, commits: int = COMMITS) -> PlantReader:
    """Its evidence in a folder that is closed again."""
    store, plant = whole.open(root)
    for commit in range(commits):
        whole.stage(plant, commit)
        assert store.commit() == ([plant], {})
    reader = plant.reader
    store.close()
    return reader


def opened(whole: KeptPlant, url: str) -> EvidenceStore:
    store = EvidenceStore(Database(url, ONE_MACHINE), UNIT)
    whole.again_in(store)
    return store


def is_the_same(whole: KeptPlant, url: str, reader: PlantReader) -> None:
    """Entries, objects, documents, what was put aside, keys; and nothing is amiss."""
    store = opened(whole, url)
    there, key = store.plants[PLANT].reader, whole.keys.collector.public_key
    assert list(there.entries()) == list(reader.entries())
    for stream in reader.streams():
        assert list(there.objects(stream)) == list(reader.objects(stream))
        assert there.configs(stream) == reader.configs(stream)
    assert there.key_files() == reader.key_files()
    for sha256 in reader.records:
        assert there.document(sha256) == reader.document(sha256)
        for scan in SCANS:
            file = hashlib.sha256(scan).digest()
            assert b"".join(there.attached(sha256, file)) == scan
    for sha256 in reader.state.kept:
        assert there.kept(sha256) == reader.kept(sha256)
    assert verify(there.checkpoint, key).root == verify(reader.checkpoint, key).root
    trusted = Trusted(whole.keys.root_certificate, (key,))
    assert check_plant(PLANT, store.database, trusted).findings == []
    store.close()


def test_everything_is_there_afterwards(whole: KeptPlant, url: str, tmp_path: Path) -> None:
    reader, store = in_folder(whole, tmp_path / "00"), opened(whole, url)
    told: list[tuple[int, int]] = []
    size = copy_plant(reader, store.plants[PLANT], store, lambda *done: told.append(done))
    store.close()
    assert told[-1] == (size, size) == (reader.size, reader.size)
    is_the_same(whole, url, reader)


@pytest.mark.parametrize("entries", [1, 3, 10])
def test_it_goes_on_where_it_was_broken_off(
    whole: KeptPlant, url: str, tmp_path: Path, entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each try ends with the second transaction, as by a kill."""
    reader = in_folder(whole, tmp_path / "00")
    monkeypatch.setattr("cloud.database.migrate.ENTRIES", entries)
    sizes = list[int]()
    for _ in range(40):
        store = opened(whole, url)
        sizes.append(store.plants[PLANT].state.size)
        seen: list[int] = []

        def broken(done: int, total: int, seen: list[int] = seen) -> None:
            seen.append(done)
            if len(seen) == 2 and done < total:
                raise KeyboardInterrupt

        try:
            copy_plant(reader, store.plants[PLANT], store, broken)
            break
        except KeyboardInterrupt:
            continue
        finally:
            store.close()
    assert sizes == sorted(set(sizes))
    assert len(sizes) > 1
    is_the_same(whole, url, reader)


def test_another_log_of_the_plant_is_not_mixed_in(
    whole: KeptPlant, url: str, tmp_path: Path
) -> None:
    reader = in_folder(whole, tmp_path / "00")
    other = in_folder(made(tmp_path / "other"), tmp_path / "01", commits=1)
    store = opened(whole, url)
    copy_plant(other, store.plants[PLANT], store)
    with pytest.raises(StoreError, match="has another log there than in its folder"):
        copy_plant(reader, store.plants[PLANT], store)
    store.close()


def test_a_collector_goes_on_in_the_database(cloud: DatabaseCloud) -> None:
    """By the commands: run on folders, migrate, fsck, run on the database, fsck again."""
    text = cloud.config.read_text()
    in_folders = "\n".join(
        line for line in text.splitlines() if not line.startswith(("database", "durability"))
    )
    cloud.config.write_text(
        in_folders.replace("[broker]", 'evidence_dir = "evidence"\n[broker]', 1)
    )
    ready = cloud.start()
    send_readings(cloud, ready["broker"])
    cloud.end()
    refused = run("migrate", cloud.config)
    assert (refused.returncode, "cloud.database: is missing" in refused.stderr) == (2, True)
    cloud.config.write_text(text)
    done = run("migrate", cloud.config)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "is the same" in done.stdout
    assert run("migrate", cloud.config).returncode == 0  # again: nothing is left to copy
    sound = run("fsck", cloud.config)
    assert (sound.returncode, sound.stdout.startswith("SOUND  mini: ")) == (0, True), sound
    gateway = cloud.plant.gateways["edge-1"]
    gateway.frame(T0_NS + 60 * SECOND_NS)
    publisher = cloud.publisher(cloud.start()["broker"])
    due = len(gateway.objects) - 1

    wait(lambda: publisher.receipted == due)
    publisher.stop()
    status, printed = cloud.end()
    assert (status, "Traceback" in printed) == (0, False), printed
    assert cloud.held() == gateway.objects
    assert run("fsck", cloud.config).returncode == 0
    assert "docs/database.md" in run("rebuild", cloud.config).stderr


def test_a_nights_backup_of_a_file_is_put_back(cloud: DatabaseCloud) -> None:
    """Made while the collector runs; of a server its own programs make it."""
    send_readings(cloud, cloud.start()["broker"])
    out = cloud.folder / "night"
    if cloud.url.startswith("sqlite"):
        with closing(sqlite3.connect(cloud.folder / "cloud.db")) as sql, sql:
            rows = [(kind, "1", "sun", "{}") for kind in ("Account", "Session", "Token")]
            sql.executemany("INSERT INTO account_row VALUES (?, ?, ?, ?)", rows)
    copied = run("backup-all", cloud.config, "--out", out)
    cloud.end()
    if not cloud.url.startswith("sqlite"):
        assert (copied.returncode, "back it up as its manual says" in copied.stderr) == (2, True)
        assert list(out.glob("*.db")) == []
        return
    assert (copied.returncode, copied.stderr) == (0, "")
    assert "backed up mini: " in copied.stdout
    with closing(sqlite3.connect(out / "cloud.db")) as sql:
        assert sql.execute("SELECT kind FROM account_row").fetchall() == [("Account",)]
    own = cloud.folder / "cloud.db"
    for path in cloud.folder.glob("cloud.db*"):
        path.unlink()
    (out / "cloud.db").rename(own)
    assert run("fsck", cloud.config).returncode == 0
    assert cloud.held() == cloud.plant.gateways["edge-1"].objects
    cloud.start()
    status, printed = cloud.end()
    assert (status, "NOT served" in printed) == (0, False), printed
