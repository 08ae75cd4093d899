"""Evidence from folders of before into a database: the same log, also where it was broken off.

`folders.tar.gz` was written by the last version that kept evidence in folders: the plant of
`tests/unit/cloud/whole_plant.py`, with objects of every kind, a fork kept aside and a document.
"""

import hashlib
import os
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from cloud import cli
from cloud.accounts.security_log import Event
from cloud.accounts.store import AccountStore
from cloud.collector.identity import read_issued, read_root
from cloud.config import load_cloud
from cloud.database.engine import ONE_MACHINE, Database
from cloud.database.folders import SIMULATED, PlantFolder
from cloud.database.fsck import Trusted, check_plant
from cloud.database.migrate import copy_plant, not_copied
from cloud.database.schema_kept import opened, security_event
from cloud.database.store import EvidenceStore
from cloud.errors import CloudError, DamagedLogError, StoreError
from cloud.lock import take_lock
from cloud.review.openings import Openings
from cloud.starting import require_copied
from cloud.store_targets import open_store
from evidence.checkpoint import verify
from evidence.keys import FileSigner, generate
from evidence.log import decode_entry
from evidence.records import encode_record, read_records
from evidence.suites import PublicKey
from tests.unit.cloud.evidence_examples import CLOUD_HEAD, CLOUD_PLANT
from tests.unit.cloud.whole_plant import PLANT, SCANS, UNIT

OF_BEFORE = Path(__file__).with_name("folders.tar.gz")
#: what was signed of it; counted by hand in `WholePlant`: 12 objects, 6 certificates, a gap, an
#: order, a fork and a document
ENTRIES, OBJECTS = 22, {"edge-a": 7, "edge-b": 5}


class Before:
    """The folders, and keys of their collector and of the one that goes on."""

    def __init__(self, home: Path) -> None:
        with tarfile.open(OF_BEFORE) as tar:
            tar.extractall(home, filter="data")
        self.home, self.root = home, home / "evidence" / UNIT
        self.folder = self.root / PLANT
        certificates = home / "keys" / PLANT
        self.trusted_root = read_root(certificates / "root.crt", PLANT)
        self.key: PublicKey = read_issued(
            certificates / "collector.crt", certificates / "root.crt", "collector", PLANT
        ).key
        self.signer = FileSigner(generate())

    def read(self) -> PlantFolder:
        return PlantFolder(PLANT, self.folder, [self.key])

    def opened(self, url: str) -> EvidenceStore:
        store = EvidenceStore(Database(url, ONE_MACHINE), UNIT)
        store.open_plant(PLANT, self.signer, [self.signer.public_key, self.key])
        return store

    def entries(self) -> list[bytes]:
        return list(read_records((self.folder / "log/entries.seg").read_bytes()))

    def objects(self, stream: str) -> list[bytes]:
        files = sorted((self.folder / "frames" / stream).glob("*/*.seg"))
        return [data for path in files for data in read_records(path.read_bytes())]


@pytest.fixture
def before(tmp_path: Path) -> Before:
    return Before(tmp_path / "before")


def is_the_same(before: Before, url: str) -> None:
    """Entries, objects, documents, what was put aside, keys; and nothing is amiss."""
    store = before.opened(url)
    there = store.plants[PLANT].reader
    assert [data for _, data in there.entries()] == before.entries()
    assert {s: len(list(there.objects(s))) for s in there.streams()} == OBJECTS
    for stream in OBJECTS:
        assert [one.data for one in there.objects(stream)] == before.objects(stream)
    keys = {path.name: path.read_bytes() for path in (before.folder / "keys").iterdir()}
    assert there.key_files() == keys
    (document,) = there.records
    assert (
        there.document(document)
        == (before.folder / "records" / f"{document.hex()}.cose").read_bytes()
    )
    for scan in SCANS:
        assert b"".join(there.attached(document, hashlib.sha256(scan).digest())) == scan
    (aside,) = (before.folder / "quarantine").iterdir()
    fork = there.kept(hashlib.sha256(aside.read_bytes()).digest())
    assert fork is not None
    assert fork[1] == aside.read_bytes()
    note = verify((before.folder / "log/checkpoint").read_text(), before.key)
    assert verify(there.checkpoint, before.signer.public_key).root == note.root
    trusted = Trusted(before.trusted_root.certificate, (before.signer.public_key,))
    assert check_plant(PLANT, store.database, trusted).findings == []
    store.close()


def test_everything_is_there_afterwards(before: Before, url: str) -> None:
    database = Database(url, ONE_MACHINE)
    assert not_copied(before.root, database) == [PLANT]
    store, told = before.opened(url), list[tuple[int, int]]()
    size = copy_plant(before.read(), store.plants[PLANT], store, lambda *done: told.append(done))
    store.close()
    assert told[-1] == (size, size) == (ENTRIES, ENTRIES)
    assert not_copied(before.root, database) == []
    assert not_copied(before.root / "nowhere", database) == []
    database.close()
    is_the_same(before, url)


@pytest.mark.parametrize("entries", [1, 3, 10])
def test_it_goes_on_where_it_was_broken_off(
    before: Before, url: str, entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each try ends with the second transaction, as by a kill."""
    monkeypatch.setattr("cloud.database.migrate.ENTRIES", entries)
    sizes = list[int]()
    for _ in range(40):
        store, seen = before.opened(url), list[int]()
        sizes.append(store.plants[PLANT].state.size)

        def broken(done: int, total: int, seen: list[int] = seen) -> None:
            seen.append(done)
            if len(seen) == 2 and done < total:
                raise KeyboardInterrupt

        try:
            copy_plant(before.read(), store.plants[PLANT], store, broken)
            break
        except KeyboardInterrupt:
            assert not_copied(before.root, store.database) == [PLANT]
        finally:
            store.close()
    assert sizes == sorted(set(sizes))
    assert len(sizes) > 1
    is_the_same(before, url)


def test_what_a_crash_left_behind_the_checkpoint_stays_behind(before: Before, url: str) -> None:
    """Entries and objects without a signed checkpoint have no receipt; torn ones, too."""
    entries, segment = before.entries(), before.folder / "frames/edge-a/2026-09-21/17.seg"
    store = before.opened(url)
    with (before.folder / "log/entries.seg").open("ab") as log, segment.open("ab") as frames:
        log.write(encode_record(entries[-1]) + b"SPR1\x09")
        frames.write(encode_record(b"an object that was never logged") + b"SPR1\x09")
    assert copy_plant(before.read(), store.plants[PLANT], store) == ENTRIES
    assert [data for _, data in store.plants[PLANT].reader.entries()] == entries
    store.close()


def of_another(before: Before) -> None:
    before.key = FileSigner(generate()).public_key


def log_cut(before: Before) -> None:
    path = before.folder / "log/entries.seg"
    path.write_bytes(path.read_bytes()[:-9])


def log_altered(before: Before) -> None:
    path = before.folder / "log/entries.seg"
    entries = before.entries()
    path.write_bytes(b"".join(map(encode_record, [entries[1], entries[0], *entries[2:]])))


def log_gone(before: Before) -> None:
    (before.folder / "log/entries.seg").unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (of_another, "not signed by a collector of this plant"), (log_cut, "entry 21"),
        (log_altered, "does not give the root that was signed"), (log_gone, "No such file"),
    ],
)  # fmt: skip
def test_a_log_that_is_not_the_signed_one_is_not_read(
    before: Before, spoil: Callable[[Before], None], words: str
) -> None:
    spoil(before)
    with pytest.raises((DamagedLogError, OSError), match=words):
        before.read()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("frames/edge-a/2026-09-21/15.seg", "edge-a seq [34]: another object is there"),
        ("frames/edge-b/1970-01-01/00.seg", "edge-b seq 0: another object is there"),
        ("quarantine/*", "altered: put it back"), ("records/*.cose", "altered: put it back"),
        ("records/*-*", "altered: put it back"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_gone", [False, True])
def test_damage_is_named_and_not_copied(
    before: Before, url: str, name: str, words: str, *, is_gone: bool
) -> None:
    for path in before.folder.glob(name):
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        if is_gone:
            path.unlink()
            words = words if "seq" in words else "No such file"
    store = before.opened(url)
    with pytest.raises(StoreError, match=words):
        copy_plant(before.read(), store.plants[PLANT], store)
    seen = [decode_entry(data) for _, data in store.plants[PLANT].reader.entries()]
    assert len(seen) < ENTRIES
    store.close()


def test_another_log_of_the_plant_is_not_mixed_in(before: Before, url: str) -> None:
    store = before.opened(url)
    plant = store.plants[PLANT]
    plant.stage(decode_entry(before.entries()[1]))
    store.commit()
    with pytest.raises(StoreError, match="has another log there than where it was"):
        copy_plant(before.read(), plant, store)
    store.close()


def test_the_command_copies_what_a_start_asks_for(
    before: Before, capsys: pytest.CaptureFixture[str]
) -> None:
    """A collector that would go on without it says what to do; afterwards it goes on."""
    path = before.home / "keys/CLOUD.toml"
    path.write_text(
        f'{CLOUD_HEAD}evidence_dir = "../evidence"\n'
        f"{CLOUD_PLANT.replace('edge-1.crt', 'edge-a.crt')}"
    )
    config = load_cloud(path)
    with (
        closing(open_store(config)) as store,
        pytest.raises(CloudError, match=r"has evidence of mini that .* has not: run stackproo"),
    ):
        require_copied(config, store)
    for _ in range(2):  # the second finds nothing left to do
        assert cli.main(["migrate", str(path)]) == 0
        assert f"mini: {ENTRIES} log entries are in sqlite:" in capsys.readouterr().out
    assert cli.main(["fsck", str(path)]) == 0
    assert f"SOUND  mini: {ENTRIES} log entries, 12 objects" in capsys.readouterr().out
    with closing(open_store(config)) as store:
        require_copied(config, store)
        assert cli.main(["migrate", str(path)]) == 2
        assert "another collector writes this database" in capsys.readouterr().err
    lock = take_lock(before.root / "lock", "")
    assert cli.main(["migrate", str(path)]) == 2
    assert "a collector of before writes these folders" in capsys.readouterr().err
    os.close(lock)
    before.folder.rename(before.root / "other")
    assert cli.main(["migrate", str(path)]) == 0
    printed = capsys.readouterr().out
    assert f"/{UNIT}: {path} has no [[plant]] of that id" in printed
    assert printed.startswith("mini: has no evidence in ")


def test_a_plant_goes_from_one_database_to_another(
    before: Before, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file grows into a server, or a plant moves to another collector."""
    plant = CLOUD_PLANT.replace("edge-1.crt", "edge-a.crt")
    old, new = before.home / "keys/CLOUD.toml", before.home / "keys/new.toml"
    old.write_text(
        f'{CLOUD_HEAD}evidence_dir = "../evidence"\ndatabase = "sqlite:///evidence.db"\n{plant}'
    )
    new.write_text(f'{CLOUD_HEAD}database = "{url}"\ndurability = "{ONE_MACHINE}"\n{plant}')
    assert cli.main(["migrate", str(old)]) == 0
    config = load_cloud(old)
    monkeypatch.chdir(old.parent)
    with closing(Database(config.database)) as database:
        with AccountStore(database).begin() as transaction:
            transaction.log(1, Event("sign-in", "wang"))
        Openings(database).note("wang", PLANT, "2026-09", "month", 5)
    from_old = ("migrate", str(new), "--from", "sqlite:///evidence.db")
    with closing(open_store(config)):
        assert cli.main(from_old) == 2
    assert "evidence.db: another collector writes this database" in capsys.readouterr().err
    for more, says in (
        (("--plant", PLANT), ""),
        ((), "accounts, openings, alarms, shifts: are in "),
        ((), "accounts, openings, alarms, shifts: not copied, there are some in "),
    ):
        assert cli.main([*from_old, *more]) == 0
        printed = capsys.readouterr().out
        assert f"mini: {ENTRIES} log entries are in " in printed
        assert ("accounts" in printed, says in printed) == (bool(says), True)
    with closing(Database(url, ONE_MACHINE)) as database, database.reading() as connection:
        assert connection.scalars(select(security_event.c.event)).all() == ["sign-in"]
        assert connection.scalars(select(opened.c.account)).all() == ["wang"]
    before.signer = config.signer  # the collector's key is the same
    is_the_same(before, url)
    is_the_same(before, config.database)
    for wrong, says in (
        (("--from", "sqlite:///nowhere.db"), "nowhere.db is not there"),
        (("--from", "mysql://here/there"), "mysql is not supported"),
        (("--from", "sqlite:///evidence.db", "--plant", "maxi"), "has no [[plant]] maxi"),
    ):
        assert cli.main(["migrate", str(new), *wrong]) == 2
        assert says in capsys.readouterr().err


def test_what_a_simulated_clock_stamped_stays_so(before: Before) -> None:
    path = before.home / "keys/CLOUD.toml"
    path.write_text(f'{CLOUD_HEAD}evidence_dir = "../evidence"\n{CLOUD_PLANT}'.replace(
        "edge-1.crt", "edge-a.crt"))  # fmt: skip
    (before.root / SIMULATED).touch()
    assert cli.main(["migrate", str(path)]) == 0
    with closing(open_store(load_cloud(path))) as store:
        with pytest.raises(StoreError, match="was stamped by a simulated clock"):
            store.check_clock(is_simulated=False)
        store.check_clock(is_simulated=True)
