"""The evidence behind a CLOUD.toml: its plants, whose checkpoints to believe, its writer."""

import contextlib
from dataclasses import dataclass, replace

from sqlalchemy import select

from cloud.config import CloudConfig
from cloud.database.engine import Database
from cloud.database.fsck import Trusted
from cloud.database.schema import plant as plant_table
from cloud.database.store import EvidenceStore
from cloud.errors import StoreError
from cloud.known import read_known


@dataclass(frozen=True)
class Target:
    """The plants of a CLOUD.toml's database.

    Attributes:
        plants: plant id -> whose checkpoints are believed, sorted.
        absent: plants of CLOUD.toml that have no evidence here.
        gone: those of them that had some at an earlier start.
        database: where they are; whoever has the target closes it.
    """

    plants: dict[str, Trusted]
    absent: tuple[str, ...]
    gone: tuple[str, ...]
    database: Database

    @property
    def is_pinned(self) -> bool:
        """All roots come from CLOUD.toml, none from the database itself."""
        return all(one.root is not None for one in self.plants.values())


def find_target(config: CloudConfig, plant: str | None) -> Target:
    """The plants behind a CLOUD.toml.

    Args:
        config: it.
        plant: only this one; None for all.

    Raises:
        StoreError: there is no such evidence, or the database cannot be used.
    """
    target = _every(config)
    if plant is None:
        return target
    if plant in target.plants:
        return replace(target, plants={plant: target.plants[plant]}, absent=(), gone=())
    target.database.close()
    if plant in target.gone:
        return replace(target, plants={}, absent=(), gone=(plant,))
    known = ", ".join(target.plants) or "none"
    raise StoreError(f"{config.where}: no evidence of plant {plant}; there is: {known}")


def _every(config: CloudConfig) -> Target:
    database, named = Database(config.database, config.durability), trusted_of(config)
    there = plants_in(database)
    plants = {name: named.get(name, Trusted()) for name in sorted(there)}
    known = frozenset[str]()
    with contextlib.suppress(PermissionError):  # of another user: as where nothing is known
        known = read_known(config.state_dir) & named.keys()
    return Target(
        plants, tuple(sorted(named.keys() - there)), tuple(sorted(known - there)), database
    )


def open_store(config: CloudConfig) -> EvidenceStore:
    """The evidence of the collector's slice, which nobody else writes from now on.

    Raises:
        SliceLockedError: another collector holds it.
        StoreError: it cannot be used.
    """
    return EvidenceStore(Database(config.database, config.durability), config.slice)


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
