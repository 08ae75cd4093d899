"""Exported spools taken in: judged like what comes over MQTT, told in full, twice is once."""

import io
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloud.collector import one_way
from cloud.collector.inbox import Message
from cloud.collector.judge import Verdict
from cloud.collector.one_way import BATCH, OneWayDesk
from cloud.collector.topics import Sender
from evidence.archive.export import Span, read_receipts, write_export
from evidence.errors import EvidenceError
from evidence.frame import TYP_FRAME, encode_body
from evidence.keys import FileSigner, certificate_from_pem, generate
from evidence.log import Kind, decode_entry
from evidence.receipt import decode_receipt
from tests.unit.cloud.collector.running import Running
from tests.unit.cloud.evidence_examples import (
    SECOND_NS,
    T0_NS,
    ExamplePlant,
    Gateway,
    body,
    make_plant,
)


def spool(plant: ExamplePlant, frames: int, signer: FileSigner | None = None) -> Gateway:
    """A gateway's stream: a configuration and frames of ten seconds."""
    gateway = Gateway("mini", "edge-1", signer or plant.gateways["edge-1"].signer)
    gateway.config()
    for n in range(frames):
        gateway.frame(T0_NS + n * 10 * SECOND_NS)
    return gateway


def exported(plant: ExamplePlant, gateway: Gateway, first: int, last: int) -> io.BytesIO:
    objects = gateway.objects[first : last + 1]
    certificate = certificate_from_pem((plant.folder / "edge-1.crt").read_bytes())
    target = io.BytesIO()
    span = Span("mini", "edge-1", first, last)
    write_export(target, span, [certificate], objects, object_bytes=sum(map(len, objects)))
    return target


def desk(running: Running, folder: Path) -> OneWayDesk:
    return OneWayDesk(running.collector, running.intake, folder)


def told(first: int, last: int, **more: Any) -> dict[str, Any]:
    fields = {"accepted": 0, "held": 0, "missing": None, "refused": None, **more}
    return {"plant": "mini", "stream": "edge-1", "first": first, "last": last, **fields}


async def test_what_is_new_is_accepted_and_what_is_held_stays_as_it_is(
    plant: ExamplePlant, running: Running, tmp_path: Path
) -> None:
    gateway, frames = spool(plant, 2 * BATCH + 3), 2 * BATCH + 3
    by = desk(running, tmp_path)
    file = exported(plant, gateway, 0, frames)
    assert await by.take(file) == told(0, frames, accepted=frames + 1, next_seq=frames + 1)
    reader = running.intake.plant("mini").reader
    assert [found.data for found in reader.objects("edge-1")] == gateway.objects
    size = reader.size
    assert await by.take(file) == told(0, frames, held=frames + 1, next_seq=frames + 1)
    gateway.frame(T0_NS + frames * 10 * SECOND_NS)
    overlapping = exported(plant, gateway, frames - 1, frames + 1)
    found = await by.take(overlapping)
    assert found == told(frames - 1, frames + 1, held=2, accepted=1, next_seq=frames + 2)
    assert reader.size == size + 1


async def test_a_file_leaves_as_much_free_as_it_has(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8 GiB of nothing from somebody's stick filled the disk that all plants' evidence is on."""
    free, by = 1_000, desk(running, tmp_path)
    usage = shutil.disk_usage(tmp_path)
    with by.incoming() as file:
        monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=free - file.tell()))
        for _ in range(5):
            by.put(file, bytes(100))
        with pytest.raises(OSError, match="No space left on device"):
            by.put(file, bytes(1))
        assert file.tell() == 500


async def test_others_have_their_turn_while_a_file_is_judged(
    plant: ExamplePlant, running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 configurations of 20,000 points held the thread of all plants' objects for 26 s."""
    monkeypatch.setattr(one_way, "TURN_S", 0.0)
    taken, seen, take = list[bytes](), list[int](), running.intake.take

    def counted(sender: Sender, data: bytes, now_s: float) -> Verdict:
        if not taken:
            running.collector.submit(lambda: seen.append(len(taken)))
        taken.append(data)
        return take(sender, data, now_s)

    monkeypatch.setattr(running.intake, "take", counted)
    found = await desk(running, tmp_path).take(exported(plant, spool(plant, 5), 0, 5))
    assert found == told(0, 5, accepted=6, next_seq=6)
    assert seen == [1]


async def test_what_must_come_first_is_named(
    plant: ExamplePlant, running: Running, tmp_path: Path
) -> None:
    gateway, by = spool(plant, 9), desk(running, tmp_path)
    await by.take(exported(plant, gateway, 0, 2))
    late = exported(plant, gateway, 6, 9)
    size = running.intake.plant("mini").reader.size
    assert await by.take(late) == told(6, 9, missing=[3, 5], next_seq=3)
    assert running.intake.plant("mini").reader.size == size
    assert (await by.take(exported(plant, gateway, 3, 5)))["accepted"] == 3
    assert await by.take(late) == told(6, 9, accepted=4, next_seq=10)


async def test_objects_over_mqtt_and_files_are_one_stream(
    plant: ExamplePlant, running: Running, tmp_path: Path
) -> None:
    gateway, by = spool(plant, 5), desk(running, tmp_path)
    running.send(*gateway.objects[:3])
    await running.until(lambda: running.intake.plant("mini").reader.head("edge-1").next_seq == 3)
    assert await by.take(exported(plant, gateway, 1, 4)) == told(
        1, 4, held=2, accepted=2, next_seq=5
    )
    running.send(gateway.objects[5])
    await running.until(lambda: running.intake.plant("mini").reader.head("edge-1").next_seq == 6)


async def test_another_history_is_refused_and_kept_as_a_fork(
    plant: ExamplePlant, running: Running, tmp_path: Path
) -> None:
    by = desk(running, tmp_path)
    await by.take(exported(plant, spool(plant, 4), 0, 4))
    other = Gateway("mini", "edge-1", plant.gateways["edge-1"].signer)
    other.config("another")
    other.frame(T0_NS)
    found = await by.take(exported(plant, other, 0, 1))
    assert (found["accepted"], found["held"], found["next_seq"]) == (0, 0, 5)
    assert (found["refused"]["seq"], found["refused"]["reason"]) == (0, "fork")
    reader = running.intake.plant("mini").reader
    entries = [decode_entry(data) for _, data in reader.entries()]
    assert [e.verdict for e in entries if e.kind is Kind.REJECT] == ["fork"]


async def test_a_key_nobody_certified_is_refused(
    plant: ExamplePlant, running: Running, tmp_path: Path
) -> None:
    stranger = spool(plant, 3, FileSigner(generate()))
    found = await desk(running, tmp_path).take(exported(plant, stranger, 0, 3))
    assert (found["refused"]["seq"], found["refused"]["reason"]) == (0, "unknown-key")
    assert found["next_seq"] == 0


async def test_what_is_no_export_of_this_collector_changes_nothing(
    plant: ExamplePlant, running: Running, tmp_path: Path
) -> None:
    by, size = desk(running, tmp_path), running.intake.plant("mini").reader.size
    data = bytearray(exported(plant, spool(plant, 3), 0, 3).getvalue())
    data[len(data) // 2] ^= 1
    for altered in (b"", b"x" * 10_240, bytes(data), bytes(data[:-512])):
        with pytest.raises(EvidenceError):
            await by.take(io.BytesIO(altered))
    foreign = make_plant(tmp_path / "elsewhere", "maxi").gateways["edge-1"]
    foreign.config()
    with pytest.raises(LookupError, match="maxi: not a plant of this collector"):
        await by.take(_of_maxi(tmp_path, foreign))
    assert running.intake.plant("mini").reader.size == size


async def test_of_a_file_that_is_damaged_further_on_is_told_what_was_taken(
    plant: ExamplePlant, running: Running, tmp_path: Path
) -> None:
    by, gateway = desk(running, tmp_path), spool(plant, last := 2 * BATCH + 5)
    whole = list(gateway.objects)
    gateway.objects[-2] = b"junk"
    found = await by.take(exported(plant, gateway, 0, last))
    assert (found["accepted"], found["next_seq"]) == (2 * BATCH, 2 * BATCH)
    assert (found["refused"]["seq"], found["refused"]["reason"]) == (2 * BATCH, "damaged-file")
    with pytest.raises(EvidenceError):
        await by.take(exported(plant, gateway, 2 * BATCH, last))
    gateway.objects[:] = whole
    found = await by.take(exported(plant, gateway, 2 * BATCH, last))
    assert found == told(2 * BATCH, last, accepted=6, next_seq=last + 1)


def _of_maxi(folder: Path, gateway: Gateway) -> io.BytesIO:
    certificate = certificate_from_pem((folder / "elsewhere/maxi/edge-1.crt").read_bytes())
    span, target = replace(Span("mini", "edge-1", 0, 0), plant="maxi"), io.BytesIO()
    size = len(gateway.objects[0])
    write_export(target, span, [certificate], gateway.objects, object_bytes=size)
    return target


async def test_receipts_go_home_as_a_file(
    plant: ExamplePlant, running: Running, tmp_path: Path
) -> None:
    by, gateway = desk(running, tmp_path), spool(plant, 3)
    assert await by.receipts("mini") == (b"", {})  # nothing is held, nothing is said
    await by.take(exported(plant, gateway, 0, 3))
    data, withheld = await by.receipts("mini")
    (signed,) = read_receipts(data)
    assert withheld == {}
    receipt = decode_receipt(signed, plant.collector.public_key)
    assert (receipt.plant, receipt.stream, receipt.seq) == ("mini", "edge-1", 3)
    assert receipt.head == gateway.head
    with pytest.raises(LookupError):
        await by.receipts("maxi")


async def test_a_receipt_that_is_withheld_keeps_no_other_gateway_from_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = make_plant(tmp_path, gateways=("edge-1", "edge-2"))
    running = Running(two, tmp_path / "00")
    store = running.intake.plant("mini")
    first, second = two.gateways.values()
    log = store.reader.size, store.reader.compact_range(store.reader.size).root()
    running.send(first.config())
    second.config()
    second.append(second.sign(TYP_FRAME, encode_body(body(T0_NS)), anchor=log))
    for data in second.objects:
        running.inbox.put(Message(Sender("mini", "edge-2"), data))
    await running.until(lambda: store.reader.streams() == ["edge-1", "edge-2"])
    monkeypatch.setattr(store, "root_at", lambda _: bytes(32))  # it was replaced meanwhile
    data, withheld = await desk(running, tmp_path).receipts("mini")
    (signed,) = read_receipts(data)
    assert decode_receipt(signed, two.collector.public_key).stream == "edge-1"
    assert withheld == {
        "edge-2": f"mini/edge-2: its object seq 1 names a log of {log[0]} entries that is not here"
    }
    await running.stop()


async def test_the_file_it_is_taken_from_leaves_nothing(running: Running, tmp_path: Path) -> None:
    before = {path.name for path in tmp_path.glob("*")}  # noqa: ASYNC240 - a test's own folder
    with desk(running, tmp_path).incoming() as file:
        file.write(b"piece")
    assert {path.name for path in tmp_path.glob("*")} == before  # noqa: ASYNC240 - a test's own folder
