"""A one-way site with a stream to bring out, its agent's disk at hand."""

from pathlib import Path
from typing import Any

from edge.disk import Disk
from edge.site.config import Site
from edge.site.way import OutboxWay
from edge.spool import Spool
from edge.spool_reader import State
from evidence import cbor
from tests.unit.edge.sites import (
    GATEWAY,
    METERS,
    PLANT,
    replaced,
    site_of,
    write_keys,
)

DAY_NS = 86_400 * 10**9
OWNER = (PLANT, GATEWAY)


def left(spool: Spool, *cursors: int) -> None:
    spool.put({State.LEFT: cbor.encode(list(cursors))})


def one_way(folder: Path, way: str) -> Site:
    text = replaced(METERS, {'url = "mqtt://127.0.0.1:1883"': 'mode = "one-way"'})
    write_keys(folder / "keys")
    return site_of(folder, text.replace("[[device]]", f"{way}[[device]]", 1))


def by_outbox(folder: Path, text: str) -> tuple[Site, OutboxWay]:
    site = one_way(folder, f"[uplink.outbox]\n{text}")
    way = site.uplink.way
    assert isinstance(way, OutboxWay)
    return site, way


class Here(Disk):
    """Work at once: the tests' spool is this thread's."""

    async def run(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        return work(*args, **kwargs)
