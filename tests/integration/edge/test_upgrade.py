"""A program takes over what an earlier release left in its spool: nothing is lost, none is twice.

`tests/vectors/spools` holds what an agent of each format left when it was killed, what its
collector had by then, and the two's keys.
"""

import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from edge.pipeline import Layout, decode_tick
from evidence import cbor
from evidence.keys import FileSigner
from tests.integration.edge.conftest import Plant
from tests.integration.edge.streams import mistakes, readings, told
from tests.unit.edge.sites import who

SPOOLS = Path(__file__).resolve().parents[2] / "vectors/spools"
PEM_END = "-----END PRIVATE KEY-----\n"


def left_by(name: str, plant: Plant) -> list[bytes]:
    """Put the spool and its keys in place; the objects that were sent before."""
    pems = (SPOOLS / f"{name}.pem").read_text().split(PEM_END)[:2]
    gateway, collector = (load_pem_private_key(f"{pem}{PEM_END}".encode(), None) for pem in pems)
    plant.own = who(signer=FileSigner(gateway), collector=collector.public_key())  # type: ignore[arg-type]  # Ed25519, as made
    plant.spool_path.parent.mkdir()
    db = sqlite3.connect(plant.spool_path)
    db.executescript((SPOOLS / f"{name}.sql").read_text())
    db.close()
    return [bytes.fromhex(line) for line in (SPOOLS / f"{name}.collected").read_text().split()]


def newest_open_ns(plant: Plant) -> tuple[int, int]:
    """(newest, count) of the ticks that stand in no frame yet."""
    db = sqlite3.connect(plant.spool_path)
    config = db.execute("SELECT value FROM state WHERE key = 'config'").fetchone()[0]
    ticks = [row[0] for row in db.execute("SELECT tick FROM open")]
    db.close()
    layout = Layout(cbor.decode(config))
    return max(decode_tick(layout, tick).tick_ns for tick in ticks), len(ticks)


@pytest.mark.parametrize("name", sorted(path.stem for path in SPOOLS.glob("*.sql")))
async def test_spool_of_an_earlier_release_goes_on(plant: Plant, name: str) -> None:
    collected = left_by(name, plant)
    newest_ns, waiting = newest_open_ns(plant)
    plant.clock.offset_ns = newest_ns + 60 * 10**9 - plant.clock.wall_ns()
    await plant.run(0.45)
    kept = plant.kept()
    first = plant.in_spool(lambda spool: spool.oldest_seq())
    objects = [*collected[:first], *kept]
    assert collected == objects[: len(collected)], "what was sent is what stays"
    assert mistakes(objects) == []
    assert told(objects).events[-3:] == ["restart", "start", "stopped"]
    ticks = sorted(tick_ns for _, tick_ns in readings(objects))
    assert waiting > 0
    assert newest_ns in ticks, "the ticks of no frame yet became one"
    assert ticks[-1] > newest_ns + 60 * 10**9, "and it reads on"
