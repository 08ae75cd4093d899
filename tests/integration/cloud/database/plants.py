"""A plant with everything that evidence can hold, in a database."""

from pathlib import Path
from typing import Any

from cloud.database.engine import Database
from cloud.database.reader import PlantReader
from cloud.database.store import EvidenceStore
from cloud.database.writer import PlantWriter
from evidence import checkpoint, merkle
from tests.unit.cloud.store.whole_plant import COMMITS, PLANT, WholePlant

UNIT = "00"


class KeptPlant(WholePlant):
    """What `WholePlant` stages, committed to a database instead of a folder."""

    @staticmethod
    def lay(plant: Any, files: dict[bytes, bytes]) -> Any:
        return plant.lay_files(files, lambda _: ())

    def open_in(self, database: Database) -> tuple[EvidenceStore, PlantWriter]:
        store = EvidenceStore(database)
        store.take(UNIT)
        return store, self.again_in(store)

    def again_in(self, store: EvidenceStore) -> PlantWriter:
        collector = self.keys.collector
        return store.open_plant(PLANT, collector, [collector.public_key], UNIT)

    def stage_in(self, plant: PlantWriter, commit: int) -> None:
        self.stage(plant, commit)  # type: ignore[arg-type] - both have the methods it calls

    def commit_to(self, database: Database, commits: int = COMMITS) -> None:
        store, plant = self.open_in(database)
        for commit in range(commits):
            self.stage_in(plant, commit)
            assert store.commit() == ([plant], {})
        store.close()


def made(folder: Path) -> KeptPlant:
    folder.mkdir(exist_ok=True)
    return KeptPlant(folder)


def holds_true(whole: KeptPlant, reader: PlantReader, notes: list[str]) -> None:
    """The log is a continuation of every checkpoint ever shown, and of the objects that came."""
    leaves = [merkle.leaf_hash(data) for _, data in reader.entries()]
    for note in filter(None, [*notes, reader.checkpoint]):
        shown = checkpoint.verify(note, whole.keys.collector.public_key)
        assert shown.size <= len(leaves)
        assert merkle.root_of(leaves[: shown.size]) == shown.root
    for gateway in (whole.a, whole.b):
        held = [found.data for found in reader.objects(gateway.name)]
        assert held == gateway.objects[: len(held)]
