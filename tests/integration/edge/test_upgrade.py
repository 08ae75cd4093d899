"""A program takes over what an earlier release left in its spool: nothing is lost, none is twice.

`tests/vectors/spools` holds what an agent of each format left when it was killed, what its
collector had by then, and the two's keys.
"""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from evidence.keys import FileSigner
from tests.integration.edge.brokers import Broker
from tests.integration.edge.conftest import Plant
from tests.integration.edge.left_spool import Left
from tests.integration.edge.small_collector import SmallCollector
from tests.integration.edge.streams import mistakes, readings, told
from tests.older import FORMAT_4, older_program
from tests.unit.edge.sites import GATEWAY, PLANT, who

SPOOLS = Path(__file__).resolve().parents[2] / "vectors/spools"
LATER_NS = 60 * 10**9  # between the kill and today's start
PEM_END = "-----END PRIVATE KEY-----\n"


def left_by(name: str, plant: Plant) -> SmallCollector:
    """Put the spool and its keys in place; the collector, with what it had by then."""
    pems = (SPOOLS / f"{name}.pem").read_text().split(PEM_END)[:2]
    gateway, own = (load_pem_private_key(f"{pem}{PEM_END}".encode(), None) for pem in pems)
    signer = FileSigner(gateway)  # type: ignore[arg-type]  # Ed25519, as made
    plant.own = who(signer=signer, collector=own.public_key())
    plant.spool_path.parent.mkdir()
    with closing(sqlite3.connect(plant.spool_path)) as db:
        db.executescript((SPOOLS / f"{name}.sql").read_text())
    collector = SmallCollector(PLANT, GATEWAY, FileSigner(own), signer.public_key)  # type: ignore[arg-type]  # Ed25519, as made
    for line in (SPOOLS / f"{name}.collected").read_text().split():
        assert collector.take(bytes.fromhex(line))
    plant.clock.offset_ns = Left(plant.spool_path).open_ns[-1] + LATER_NS - plant.clock.wall_ns()
    return collector


#: an older program's own code on a spool: what it finds, and that it can go on
OLDER = """
import json, sys
from pathlib import Path
from edge.pipeline import Layout, decode_tick
from edge.spool import Spool, State
from edge.spool_reader import Unsigned
from evidence.cbor import decode
from evidence.frame import TYP_FRAME, decode_body

spool = Spool(Path(sys.argv[1]), bytes_max=2**30)
layout = Layout(decode(spool.get(State.CONFIG)))
ticks = [(decode_tick(layout, tick).tick_ns, tick) for tick in spool.open_ticks()]
waits = spool._rows("SELECT payload, typ FROM unsigned ORDER BY id")
for payload, typ in waits:
    if typ == TYP_FRAME:
        decode_body(payload)
objects = spool.objects(0, 1000)
spool.commit_ticks([ticks[-1][1]])
spool.keep_unsigned(Unsigned(waits[-1][0], 0, 0, b""), state={})
spool.release(objects[-1].seq, b"")
counts = {"objects": len(objects), "unsigned": len(waits), "open": len(ticks)}
print(json.dumps([counts, [at_ns for at_ns, _ in ticks]]))
"""


def of_older(program: Path, spool: Path) -> object:
    """What `OLDER` prints when an older program runs it on a spool."""
    done = subprocess.run(
        [sys.executable, "-c", OLDER, spool], cwd=program, env={}, check=True, text=True,
        capture_output=True,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.fixture
def broker(tmp_path: Path, wired_plant: Plant) -> Iterator[Broker]:
    made = Broker("mosquitto", tmp_path / "broker", port=wired_plant.port)
    made.start()
    yield made
    made.stop()


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("name", sorted(path.stem for path in SPOOLS.glob("*.sql")))
async def test_spool_of_an_earlier_release_goes_on(
    broker: Broker, wired_plant: Plant, name: str
) -> None:
    plant, collector = wired_plant, left_by(name, wired_plant)
    before, sent = Left(plant.spool_path), list(collector.objects)
    begins_ns = before.open_ns[-1] + LATER_NS
    collector.start(broker.port)
    collector.say("receipts", collector.receipt())
    try:
        async with plant.running():
            await asyncio.to_thread(
                collector.wait, lambda c: any(at > begins_ns for _, at in readings(c.objects))
            )
    finally:
        collector.stop()
    assert plant.in_spool(lambda spool: spool.receipted_seq()) >= len(sent), "receipts count"
    kept = plant.in_spool(lambda spool: spool.objects(collector.head.next_seq, 1000))
    objects = [*collector.objects, *(one.data for one in kept)]
    assert objects[: len(sent)] == sent, "what was sent is what stays"
    assert collector.dropped == collector.forks == 0
    assert mistakes(objects) == []
    # the test's collector does not receive by the gateway's clock, which is told
    events = [event for event in told(objects).events if event != "clock-doubt"]
    assert events[-3:] == ["restart", "start", "stopped"]
    assert before.not_in(readings(objects)) == [], "signed, unsigned, in no frame: all are there"


@pytest.mark.needs("git")
async def test_program_of_before_goes_on_with_what_todays_left(
    plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way back of one format, by the first release's own code for spools, on what a kill left.

    `tests/system/test_upgrade.py` runs its whole agent.
    """
    older = older_program(FORMAT_4, tmp_path / "older")
    left_by("format-4", plant)
    monkeypatch.setattr("edge.delivery.UNREACHABLE_S", 300.0)  # nothing is signed before
    killed = tmp_path / "killed.sqlite"
    async with plant.running():
        while not killed.exists() or not all(Left(killed).counts.values()):
            await asyncio.sleep(0.05)
            for end in ("", "-wal"):
                shutil.copy(f"{plant.spool_path}{end}", f"{killed}{end}")
    left = Left(killed)
    assert of_older(older, killed) == [left.counts, left.open_ns]
