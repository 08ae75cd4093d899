"""What a start set aside comes back by `stackproof cloud import`, through the door for all else."""

import asyncio
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from cloud import cli
from cloud.collector.intake import Intake
from cloud.collector.one_way import OneWayDesk
from cloud.collector.opening import open_plants
from cloud.commands import one_way as cli_one_way
from cloud.store.fsck import Checked, Trusted, check_plant
from cloud.store.fsck_findings import Fault
from cloud.store.slice import SliceStore
from evidence import checkpoint
from evidence.frame import TYP_FRAME, encode_body
from tests.unit.cloud.collector.running import SENDER, Running
from tests.unit.cloud.evidence_examples import (
    SECOND_NS,
    T0_NS,
    ExamplePlant,
    Gateway,
    ManualClock,
    body,
)

CHECKPOINT = "mini/log/checkpoint"


class Asked:
    """In place of HTTP: what the command sends is taken in by a collector that runs."""

    def __init__(self, running: Running, folder: Path) -> None:
        self._desk = OneWayDesk(running.collector, running.intake, folder)
        self._loop = asyncio.get_running_loop()

    def __call__(self, config: Path) -> "Asked":
        return self

    def send(self, _path: str, chunks: Iterable[bytes], _timeout_s: float) -> Any:
        with self._desk.incoming() as file:
            file.writelines(chunks)
            return asyncio.run_coroutine_threadsafe(self._desk.take(file), self._loop).result()


async def sent(running: Running, gateway: Gateway, first: int) -> None:
    """Objects over MQTT, until they are committed."""
    running.send(*gateway.objects[first:])
    reader, count = running.intake.plant("mini").reader, len(gateway.objects)
    await running.until(lambda: reader.head("edge-1").next_seq == count)


def killed(root: Path, to: Path, before: bytes) -> Path:
    """As SIGKILL leaves it, where somebody put back the checkpoint of some objects before."""
    shutil.copytree(root, to)
    (to / CHECKPOINT).write_bytes(before)
    for name in ("checkpoint.new", "state"):
        (to / CHECKPOINT).with_name(name).unlink(missing_ok=True)
    return to


def checked(plant: ExamplePlant, root: Path) -> Checked:
    trusted = Trusted(plant.root_certificate, (plant.collector.public_key,))
    return check_plant("mini", root / "mini", trusted, is_quiet=lambda: True)


async def test_what_had_receipts_and_was_cut_is_brought_back_by_cloud_import(
    plant: ExamplePlant, gateway: Gateway, running: Running, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Its gateway has freed it, and goes on behind it: a hole that is named, and filled."""
    gateway.config()
    for n in range(3):
        gateway.frame(T0_NS + n * 10 * SECOND_NS)
    await sent(running, gateway, 0)
    before = (tmp_path / "00" / CHECKPOINT).read_bytes()
    for n in range(3, 3 + 70):  # more than one step of the import
        gateway.frame(T0_NS + n * 10 * SECOND_NS)
    await sent(running, gateway, 4)
    await running.until(lambda: 73 in running.receipted())
    root = killed(tmp_path / "00", tmp_path / "killed", before)
    again = Running(plant, root)
    stream = again.intake.plant("mini").reader
    assert stream.head("edge-1").next_seq == 4
    gateway.frame(T0_NS + 80 * 10 * SECOND_NS)
    again.send(gateway.objects[-1])
    await again.until(lambda: again.intake.missing.of(SENDER))
    monkeypatch.setattr(cli_one_way, "RunningCollector", Asked(again, tmp_path))
    files = sorted((root / "mini/aside").glob("*.tar"))
    assert await asyncio.to_thread(cli.main, ["import", "CLOUD.toml", *map(str, files)]) == 0
    await sent(again, gateway, len(gateway.objects) - 1)
    assert [found.data for found in stream.objects("edge-1")] == gateway.objects
    await again.stop()
    found = checked(plant, root)
    assert (found.findings, found.waiting.signed, found.objects) == ([], 0, 75)
    assert start(plant, root)[0] == 75
    assert not (root / "mini/aside").exists()


async def test_nothing_is_cut_where_an_object_names_more_of_the_log_than_the_checkpoint(
    plant: ExamplePlant, gateway: Gateway, running: Running, tmp_path: Path
) -> None:
    """The door would refuse it later: the log that its gateway was shown is not there any more."""
    gateway.config()
    await sent(running, gateway, 0)
    before = (tmp_path / "00" / CHECKPOINT).read_bytes()
    gateway.frame(T0_NS)
    await sent(running, gateway, 1)
    note = checkpoint.parse((tmp_path / "00" / CHECKPOINT).read_text())[0]
    payload = encode_body(body(T0_NS + 10 * SECOND_NS))
    gateway.append(gateway.sign(TYP_FRAME, payload, anchor=(note.size, note.root)))
    await sent(running, gateway, 2)
    newest = (tmp_path / "00" / CHECKPOINT).read_bytes()
    root = killed(tmp_path / "00", tmp_path / "killed", before)
    as_it_was = files(root / "mini")
    next_seq, why = start(plant, root)
    assert next_seq is None
    assert f"seq 2 of edge-1 behind it names a log of {note.size} entries" in why
    assert "Nothing was cut; put the newest checkpoint back" in why
    assert files(root / "mini") == as_it_was
    found = checked(plant, root)
    assert found.findings[0].fault is Fault.CHECKPOINT_OLDER
    (root / CHECKPOINT).write_bytes(newest)
    assert start(plant, root)[0] == 3


def start(plant: ExamplePlant, root: Path) -> tuple[int | None, str]:
    """A start and a stop; the stream's next seq, None where the plant is not served, and why."""
    store = SliceStore(root)
    intake = Intake(store, ManualClock(), plant.collector)
    open_plants(intake, [plant.identity()])
    served = store.plants.get("mini")
    store.close()
    return (served.stream("edge-1").next_seq, "") if served else (None, store.damaged["mini"])


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
