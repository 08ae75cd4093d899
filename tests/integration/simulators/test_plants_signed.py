"""`sim run` and `edge run` as their users run them: what is signed of kiln and steelworks is true.

The plant is played again from its seed. A reading is held against what the device showed: by OPC UA
at the very step that the source time names, by Modbus at a step just before the answer came.
"""

import asyncio
import json
import math
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge.pipeline import Layout
from edge.spool_reader import SpoolReader
from evidence import cbor, cose
from evidence.blocks import decompress
from evidence.counts import count_to_text, to_counts
from evidence.frame import NO_LAG, NO_SOURCE_TIME, TYP_CONFIG, header_of
from evidence.points import Point
from evidence.quality import Quality
from simulators.demo_files import PLANTS, write_site_file
from simulators.plants import load_any, make
from simulators.served import Readings
from tests.integration.edge.streams import frames, mistakes
from tests.integration.simulators.test_drivers_read_true import resolution
from tests.integration.simulators.test_sim_run import ended, running, truth
from tests.unit.edge.sites import replaced, write_keys

pytestmark = pytest.mark.asyncio

MS = 10**6
#: how long before its answer came a Modbus value may have been shown: the simulator shows five
#: times a second when the machine lets it
SHOWN_NS = 3_000 * MS
SEED = 7
#: each has a tick or more
FRAMES = 4


@dataclass(frozen=True)
class Signed:
    """One reading: where, what, when the answer was complete, and the source time or None."""

    point: Point
    value: float
    answered_ns: int
    source_ns: int | None


def signed_readings(objects: list[bytes]) -> Iterator[Signed]:
    """All that was measured and signed; no reading may be bad."""
    (config,) = (
        cbor.decode(decompress(envelope.payload))
        for envelope in map(cose.parse, objects)
        if header_of(envelope).typ == TYP_CONFIG
    )
    layout = Layout(config)
    for _, body in frames(objects):
        for section in body.sections:
            for group in section.groups:
                plan = layout.groups[group.group]
                for row, point in enumerate(() if plan.computed else plan.points):
                    device = section.devices.index(layout.device_index[str(point.device)])
                    counts, valid = to_counts(group.raw[row], point)
                    assert valid.all(), point.id
                    assert set(group.quality[row].tolist()) == {Quality.GOOD}, point.id
                    for tick, count in enumerate(counts):
                        at_ns = section.first_ns + tick * section.step_ns
                        lag = int(section.lag_ms[device][tick])
                        assert lag != NO_LAG
                        early = NO_SOURCE_TIME
                        if group.source_ms is not None:
                            early = int(group.source_ms[row][tick])
                        yield Signed(
                            point,
                            float(count_to_text(int(count), point.decimals)),
                            at_ns + lag * MS,
                            None if early == NO_SOURCE_TIME else at_ns - early * MS,
                        )


async def collected(name: str, folder: Path, said: dict[str, Any]) -> list[bytes]:
    """The objects of an agent without a way back that has read these devices for some frames."""
    write_keys(folder / "keys", plant=PLANTS[name].id)
    spool = folder / "edge" / "spool.sqlite"
    site = write_site_file(folder, said["devices"], broker="nobody", plant=name)
    site.write_text(replaced(site.read_text(), {'url = "nobody"': 'mode = "one-way"'}))
    with (folder / "edge.log").open("wb") as log:
        edge = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "stackproof", "edge", "run", str(site),
            stdout=asyncio.subprocess.PIPE, stderr=log,
        )  # fmt: skip
    try:
        assert edge.stdout is not None
        line = await asyncio.wait_for(edge.stdout.readline(), 30)
        assert line.endswith(b"running\n"), (folder / "edge.log").read_text()
        async with asyncio.timeout(60):
            while len(list(frames(stored(spool)))) < FRAMES:
                edge.send_signal(signal.SIGUSR1)  # a frame is closed with the next tick
                await asyncio.sleep(0.5)
        edge.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(edge.wait(), 30) == 0
    finally:
        if edge.returncode is None:
            edge.kill()
            await edge.wait()
    return stored(spool)


def stored(path: Path) -> list[bytes]:
    """What stands in the spool; an agent may be running."""
    spool = SpoolReader(path)
    try:
        return [found.data for found in spool.objects(0, 1000)]
    finally:
        spool.close()


def played_again(name: str, steps: int) -> list[dict[str, Readings]]:
    """What every device showed at every step."""
    plant = make(load_any(name), pots=None, seed=SEED, record=lambda _: None)
    shown = [plant.readings()]
    for _ in range(steps):
        plant.step()
        shown.append(plant.readings())
    return shown


@pytest.mark.parametrize("name", ["kiln", "steelworks"])
async def test_what_is_signed_is_what_the_plant_showed(name: str, tmp_path: Path) -> None:
    out = tmp_path / "truth"
    async with running("--json", "--out", str(out), "--seed", str(SEED), scenario=name) as run:
        objects = await collected(name, tmp_path, run.said)
        run.process.send_signal(signal.SIGTERM)
        assert await ended(run.process) == (0, "")
        started_ns, devices = run.said["started_ns"], run.said["devices"]
    assert mistakes(objects) == []
    scenario = load_any(name)
    step_ns = int(scenario.step_s * 10**9)
    last = round(float(truth(out)[-1]["t_s"]) / float(scenario.step_s))
    shown = played_again(name, last)
    read: dict[str, int] = {}
    for signed in signed_readings(objects):
        device, register = str(signed.point.device), signed.point.id.partition(".")[2]
        if signed.source_ns is None:
            steps = range(
                max(0, (signed.answered_ns - SHOWN_NS - started_ns) // step_ns),
                min(last, (signed.answered_ns - started_ns) // step_ns) + 1,
            )
        else:
            step, off_ns = divmod(signed.source_ns - started_ns, step_ns)
            assert off_ns == 0, signed
            steps = range(step, step + 1)
        slack = resolution(signed.point)
        assert any(
            math.isclose(signed.value, float(shown[step][device][register]), rel_tol=1e-6,
                         abs_tol=slack)
            for step in steps
        ), (signed, [shown[step][device][register] for step in steps])  # fmt: skip
        read[signed.point.id] = read.get(signed.point.id, 0) + 1
    rows = sum(len(readings) for readings in shown[0].values())
    assert len(read) == rows
    assert len({point.partition(".")[0] for point in read}) == len(devices)
    assert min(read.values()) >= FRAMES
    assert json.loads((out / "truth-start.json").read_text())["seed"] == SEED
