"""Assertions about a plant's evidence in a database, however its writing ended."""

from pathlib import Path

from cloud.database.reader import PlantReader
from evidence import checkpoint, merkle
from tests.unit.cloud.whole_plant import WholePlant


def made(folder: Path) -> WholePlant:
    folder.mkdir(exist_ok=True)
    return WholePlant(folder)


def holds_true(whole: WholePlant, reader: PlantReader, notes: list[str]) -> None:
    """The log is a continuation of every checkpoint ever shown, and of the objects that came."""
    leaves = [merkle.leaf_hash(data) for _, data in reader.entries()]
    for note in filter(None, [*notes, reader.checkpoint]):
        shown = checkpoint.verify(note, whole.keys.collector.public_key)
        assert shown.size <= len(leaves)
        assert merkle.root_of(leaves[: shown.size]) == shown.root
    for gateway in (whole.a, whole.b):
        held = [found.data for found in reader.objects(gateway.name)]
        assert held == gateway.objects[: len(held)]
