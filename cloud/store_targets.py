"""Finds the plants whose stored evidence a command is about, and whose checkpoints to believe.

From CLOUD.toml: its slice, with the roots it names. From a folder: a slice's, or one plant's (a
backup, say), which then vouches for itself.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select

from cloud.config import CloudConfig, load_cloud
from cloud.database.engine import Database
from cloud.database.schema import plant as plant_table
from cloud.errors import StoreError
from cloud.store.fsck import Trusted
from cloud.store.known import gone, read_known
from evidence.points import NAME_ID


@dataclass(frozen=True)
class Target:
    """The plants of one slice.

    Attributes:
        root: the slice's folder; of a plant's folder the one above it.
        plants: plant id -> whose checkpoints are believed, sorted.
        absent: plants of CLOUD.toml that have no evidence here.
        gone: those of them, and of those whose log is empty, that had some at an earlier start.
        database: where they are, None of folders.
    """

    root: Path
    plants: dict[str, Trusted]
    absent: tuple[str, ...]
    gone: tuple[str, ...] = ()
    database: Database | None = None

    @property
    def where(self) -> str:
        """Where the evidence is, for people."""
        return str(self.root) if self.database is None else self.database.name

    @property
    def is_pinned(self) -> bool:
        """All roots come from CLOUD.toml, none from the folder itself."""
        return all(one.root is not None for one in self.plants.values())

    def folder(self, plant: str) -> Path:
        """A plant's folder."""
        return self.root / plant


def find_target(where: Path, plant: str | None) -> Target:
    """The plants behind a CLOUD.toml or a folder.

    Args:
        where: the file, a slice's folder or a plant's folder.
        plant: only this one; None for all.

    Raises:
        CloudConfigError: the file is wrong.
        StoreError: there is no such evidence.
    """
    target = _of_folder(where) if where.is_dir() else _of_config(where)
    if plant is None:
        return target
    if plant in target.plants:
        lost = tuple(one for one in target.gone if one == plant)
        return replace(target, plants={plant: target.plants[plant]}, absent=(), gone=lost)
    known = ", ".join(target.plants) or "none"
    raise StoreError(f"{target.where}: no evidence of plant {plant}; there is: {known}")


def _of_folder(folder: Path) -> Target:
    folder = folder.resolve()
    if _is_plant(folder):
        return Target(folder.parent, {folder.name: Trusted()}, ())
    plants = {name: Trusted() for name in _plants_in(folder)}
    if not plants:
        raise StoreError(
            f"{folder}: holds no evidence: name the folder of a slice (<evidence_dir>/<slice>), "
            "that of a plant in it, or CLOUD.toml"
        )
    return Target(folder, plants, ())


def _of_config(path: Path) -> Target:
    config = load_cloud(path)
    root = config.evidence_dir / config.slice
    if config.database:
        return _of_database(config)
    named = trusted_of(config)
    there = _plants_in(root)
    plants = {name: named.get(name, Trusted()) for name in there}
    known = frozenset[str]()
    with contextlib.suppress(PermissionError):  # of another user: as where nothing is known
        known = read_known(config.state_dir) & named.keys()
    absent = tuple(sorted(named.keys() - plants.keys()))
    return Target(root, plants, absent, gone=tuple(_gone(root, sorted(known))))


def _of_database(config: CloudConfig) -> Target:
    database = Database(config.database, config.durability)
    named = trusted_of(config)
    there = plants_in(database)
    plants = {name: named.get(name, Trusted()) for name in sorted(there)}
    lacking = tuple(sorted(named.keys() - there))
    with contextlib.suppress(PermissionError):
        known = read_known(config.state_dir) & named.keys()
        return Target(Path(), plants, lacking, tuple(sorted(known - there)), database)
    return Target(Path(), plants, lacking, (), database)


def plants_in(database: Database) -> set[str]:
    """Ids of the plants that have evidence in a database."""
    with database.reading() as connection:
        return set(connection.scalars(select(plant_table.c.name)))


def trusted_of(config: CloudConfig) -> dict[str, Trusted]:
    """Plant -> its root and the collector's key, of each that CLOUD.toml names."""
    return {
        identity.plant: Trusted(identity.root.certificate, (identity.collector.key,))
        for identity in config.plants
    }


def require_folders(where: Path, command: str) -> None:
    """StoreError where CLOUD.toml names a database, which has its own way to do it."""
    if where.is_file() and (config := load_cloud(where)).database:
        raise StoreError(
            f"{config.where}: {command} is for evidence in folders; what a database has in its "
            "place, docs/database.md says"
        )


def _gone(root: Path, known: list[str]) -> Iterator[str]:
    for plant in known:
        with contextlib.suppress(PermissionError):  # whoever reads it is told
            yield from gone(root, [plant])


def _plants_in(folder: Path) -> list[str]:
    """Without what a restore that was cut short has left: that has no plant's name."""
    try:
        there = [path for path in folder.iterdir() if NAME_ID.fullmatch(path.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}") from error
    return sorted(path.name for path in there if _is_plant(path))


def _is_plant(folder: Path) -> bool:
    try:
        return any((folder / part).is_dir() for part in ("log", "frames"))
    except PermissionError:  # what is done with it says so, and goes on with the others
        return True
