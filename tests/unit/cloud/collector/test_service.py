"""The running collector: its rhythm, its receipts, what the page and months are told."""

import asyncio
import hashlib
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import update

from cloud.collector import judge, service
from cloud.collector.desk import EvidenceDesk
from cloud.collector.inbox import Inbox, Message
from cloud.collector.missing import LASTING_NS
from cloud.collector.service import Collector
from cloud.collector.topics import Sender
from cloud.database.schema import stored
from cloud.errors import CloudError, StoreError
from evidence import cbor, checkpoint
from evidence.blocks import compress
from evidence.frame import TYP_CONFIG
from evidence.log import Entry, Kind, decode_entry
from evidence.receipt import CloseRequest, decode_close_request
from tests.unit.cloud.collector.running import CONFIG, RECEIPTS, SENDER, Running
from tests.unit.cloud.evidence_examples import SECOND_NS, T0_NS, ExamplePlant, Gateway, make_plant
from tests.unit.cloud.kept import full, kept_in
from tests.waiting import ENOUGH_S


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> ExamplePlant:
    """With one gateway only."""
    return make_plant(tmp_path_factory.mktemp("keys"))


async def test_after_a_quiet_time_the_receipt_comes_at_once(
    running: Running, gateway: Gateway
) -> None:
    began_s = time.monotonic()
    running.send(gateway.config())
    await running.until(lambda: running.receipted() == [0])
    assert running.link.published[0][0] - began_s < service.COMMIT_INTERVAL_S


async def test_the_page_is_told_what_is_in_force_and_sealed(
    running: Running, gateway: Gateway
) -> None:
    running.send(gateway.config("A"), gateway.frame(T0_NS, ticks=4))
    await running.until(lambda: bool(running.page.sealed) and running.page.sealed[-1][2] == 1)
    assert running.page.configs[0][:2] == ("mini", "edge-1")
    assert running.page.configs[0][2]["software"] == "A"
    assert running.page.sealed[-1] == ("mini", "edge-1", 1, T0_NS + 3 * SECOND_NS, T0_NS)


async def test_commits_are_grouped_and_receipts_at_most_one_a_second(
    running: Running, gateway: Gateway
) -> None:
    gateway.config()
    for n in range(30):
        gateway.frame(T0_NS + n * SECOND_NS, ticks=1)
    began_s = time.monotonic()
    for data in gateway.objects:
        running.send(data)
        await asyncio.sleep(0.05)
    await running.until(lambda: running.receipted()[-1:] == [30])
    spent_s = time.monotonic() - began_s
    assert len(running.receipted()) <= spent_s + 1
    committed = running.intake.plant("mini").reader
    assert committed.size == 34
    assert running.receipted() == sorted(running.receipted())


async def test_a_broker_that_is_away_gets_the_newest_receipt_when_it_is_back(
    running: Running, gateway: Gateway
) -> None:
    running.link.up = False
    running.send(gateway.config(), gateway.frame(T0_NS))
    await running.until(lambda: bool(running.page.sealed) and running.page.sealed[-1][2] == 1)
    assert running.link.published == []
    assert running.collector.status()[0]["receipted_seq"] == -1
    running.link.up = True
    running.collector.resend()
    await running.until(lambda: running.receipted()[-1:] == [1])
    await running.until(lambda: running.collector.status()[0]["receipted_seq"] == 1)


async def test_a_start_sends_the_receipts_of_what_is_held(
    running: Running, gateway: Gateway, plant: ExamplePlant, tmp_path: Path
) -> None:
    running.send(gateway.config("old"), gateway.config("new"), gateway.frame(T0_NS))
    await running.until(lambda: running.receipted()[-1:] == [2])
    await running.stop()
    again = Running(plant, tmp_path / "00")
    await again.until(lambda: again.receipted() == [2] and bool(again.page.sealed))
    assert [config["software"] for _, _, config in again.page.configs] == ["new"]
    assert again.page.sealed[0][:3] == ("mini", "edge-1", 2)
    await again.stop()


async def test_a_damaged_configuration_does_not_stop_the_plant(
    running: Running,
    gateway: Gateway,
    plant: ExamplePlant,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    running.send(gateway.config(), gateway.frame(T0_NS))
    await running.until(lambda: running.receipted()[-1:] == [1])
    await running.stop()
    with kept_in(tmp_path / "00").writing() as connection:
        connection.execute(update(stored).where(stored.c.seq == 0).values(data=b"altered"))
    again = Running(plant, tmp_path / "00")
    await again.until(lambda: again.receipted() == [1])
    again.send(gateway.frame(T0_NS + SECOND_NS))
    await again.until(lambda: again.receipted()[-1:] == [2])
    assert again.page.configs == []
    assert "mini/edge-1: " in caplog.text
    assert "the object is not the one indexed" in caplog.text
    await again.stop()


async def test_a_configuration_that_an_earlier_version_took_does_not_stop_the_collector(
    running: Running, gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    lax = {"plant": {"id": "mini"}, "gateway": {"id": "edge-1"}}
    with monkeypatch.context() as earlier:
        earlier.setattr(judge, "decode_configuration", lambda _: lax)
        data = gateway.append(gateway.sign(TYP_CONFIG, compress(cbor.encode(lax))))
        gateway.cfg = hashlib.sha256(data).digest()
        running.send(data)
        await running.until(lambda: running.receipted() == [0])
        await running.stop()
    again = Running(running.plant, tmp_path / "00")
    again.send(gateway.frame(T0_NS))
    await again.until(lambda: again.receipted()[-1:] == [1])
    assert again.page.configs == []
    assert "mini/edge-1: " in caplog.text
    await again.stop()


async def test_a_stop_commits_what_had_arrived_and_sends_its_receipt(
    running: Running, gateway: Gateway
) -> None:
    running.send(gateway.config())
    await running.until(lambda: running.receipted() == [0])
    running.send(*(gateway.frame(T0_NS + n * SECOND_NS) for n in range(40)))
    await running.stop()
    assert running.receipted()[-1] == 40
    assert not running.inbox.put(Message(SENDER, b"late"))
    with pytest.raises(StoreError, match="the collector is stopping"):
        await running.desk.append_entry("mini", record())


async def test_a_stop_tells_what_was_refused_since_the_last_digest(
    running: Running, gateway: Gateway, plant: ExamplePlant, tmp_path: Path
) -> None:
    running.send(*[b"junk"] * 7, gateway.config())
    await running.until(lambda: running.receipted() == [0])
    await running.stop()
    again = Running(plant, tmp_path / "00")
    entries = [decode_entry(data) for _, data in again.desk.evidence("mini").entries()]
    told = [e.detail["count"] for e in entries if e.kind is Kind.REJECT]
    assert told == [1, 6]
    await again.stop()


async def test_what_came_for_unknown_plants_is_counted(running: Running, gateway: Gateway) -> None:
    running.inbox.put(Message(Sender("maxi", "edge-1"), b"junk"))
    running.send(gateway.config())
    await running.until(lambda: running.receipted() == [0])
    assert running.collector.strangers() == {"unknown-plant": 1}
    assert running.collector.status()[0]["refused"] == {}


async def test_status_counts_what_happened(running: Running, gateway: Gateway) -> None:
    forged = bytearray(gateway.config())
    forged[-1] ^= 1
    running.send(gateway.objects[0], bytes(forged), gateway.frame(T0_NS, points=2, ticks=3))
    await running.until(lambda: running.receipted()[-1:] == [1])
    assert running.collector.status() == [
        {
            "plant": "mini", "gateway": "edge-1", "next_seq": 2, "receipted_seq": 1,
            "frames": 1, "readings": 6, "refused": {"signature": 1}, "missing": None,
            "confirmed_size": 0, "alarms": [],
        }
    ]  # fmt: skip


async def test_what_is_missing_is_named_until_it_comes(running: Running, gateway: Gateway) -> None:
    first, lost, late = gateway.config(), gateway.frame(T0_NS), gateway.frame(T0_NS + SECOND_NS)
    running.send(first, late)
    await running.until(lambda: running.collector.status()[0]["missing"] is not None)
    assert running.collector.status()[0]["missing"] == {
        "first": 1, "last": 2, "since_ns": T0_NS, "because": "", "is_receipted": False,
    }  # fmt: skip
    assert running.collector.status()[0]["alarms"] == []
    running.clock.now_ns += LASTING_NS
    running.send(late)  # whatever comes next
    await running.until(lambda: any(alarms for _, alarms in running.page.alarms))
    (alarm,) = running.page.alarms[-1][1]
    assert (alarm["gateway"], alarm["reason"], alarm["count"]) == ("edge-1", "missing", 2)
    assert "--from 1 --to 2" in alarm["sentence"]
    running.send(lost, late)
    await running.until(lambda: running.page.alarms[-1] == ("mini", []))
    assert running.collector.status()[0]["missing"] is None


async def test_a_disk_that_refuses_is_told_once_and_again_when_it_is_over(
    running: Running, gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    data = gateway.config()
    with full(running.store.database):
        for _ in range(3):
            running.send(data)
            await asyncio.sleep(service.COMMIT_INTERVAL_S)
    assert running.receipted() == []
    assert "cannot be written" in running.collector.amiss()["mini"]["not-written"]
    running.send(data)
    await running.until(lambda: running.receipted() == [0])
    assert running.collector.amiss() == {}
    told = [m for m in caplog.messages if "plant mini" in m]
    assert len(told) == 2
    assert "gateways keep their readings, send again" in told[0]
    assert told[1] == "plant mini: evidence is written again"


async def test_a_defect_ends_the_collector_and_says_so(
    running: Running, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(running.intake, "commit", broken)
    running.send(gateway.config())
    async with asyncio.timeout(ENOUGH_S):
        await running.collector.ended.wait()
    assert isinstance(running.collector.defect, ZeroDivisionError)
    assert running.inbox.is_closed
    running.store.close()


async def test_a_receipt_that_cannot_be_made_costs_nobody_else_anything(
    running: Running, gateway: Gateway, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """One plant's disk cannot be read just then; its gateway repeats, and then it can."""
    data = gateway.config()
    with monkeypatch.context() as broken:
        broken.setattr(
            running.intake, "receipt", lambda _: (_ for _ in ()).throw(OSError(5, "broken"))
        )
        running.send(data)
        await running.until(lambda: "no receipt: [Errno 5] broken" in caplog.text)
    running.send(data)
    await running.until(lambda: running.receipted() == [0])
    assert running.collector.defect is None


async def test_what_is_asked_while_the_thread_ends_is_refused_and_not_forgotten(
    running: Running,
) -> None:
    """The thread closes the box and fails what it had promised; then nobody is left to do it."""
    running.inbox.close()
    with pytest.raises(StoreError, match="stopping"):
        running.collector.submit(lambda: None)
    assert not running.collector._promised
    async with asyncio.timeout(ENOUGH_S):
        await running.collector.ended.wait()


async def test_a_disk_that_hangs_does_not_hang_the_stop(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "STOP_S", 0.1)
    hangs, goes_on = threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        goes_on.wait(ENOUGH_S)

    running.collector.submit(hang)
    assert await asyncio.to_thread(hangs.wait, ENOUGH_S)
    with pytest.raises(CloudError, match="did not end within"):
        await running.collector.stop()
    goes_on.set()
    await running.collector.ended.wait()


# -- months ---------------------------------------------------------------------------------------


def record() -> Entry:
    return Entry(
        Kind.MONTH_CLOSE, 5, 99, "", None, bytes([9]) * 32, 100, detail={"month": "2026-09"}
    )


def request(gateway: Gateway, statement: bytes) -> CloseRequest:
    return CloseRequest(
        plant="mini", stream="edge-1", month="2026-09", closing="final",
        statement_sha256=statement, seq=1, head=gateway.head, log_size=5, log_root=bytes(32),
    )  # fmt: skip


async def test_what_is_made_of_evidence_waits_for_evidence_and_not_for_ever(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a collector whose thread was not started: an object waits for as long as we like."""
    inbox = Inbox()
    collector = Collector("00", running.intake, inbox, running.link, running.page)
    await asyncio.wait_for(collector.quiet(), ENOUGH_S)
    inbox.put(Message(SENDER, b""))
    waiting = asyncio.create_task(collector.quiet())
    await asyncio.sleep(5 * service.PASS_LOOK_S)
    assert not waiting.done()
    monkeypatch.setattr(service, "PASS_S", 0.0)
    await collector.quiet()
    assert inbox.take(1, 0)
    await waiting


async def test_an_entry_of_months_is_the_last_of_its_checkpoint(
    running: Running, gateway: Gateway, plant: ExamplePlant
) -> None:
    desk: EvidenceDesk = running.desk  # mypy holds the shape
    running.send(gateway.config(), gateway.frame(T0_NS))
    appended = await desk.append_entry("mini", record())
    note = checkpoint.verify(appended.checkpoint, plant.collector.public_key)
    evidence = desk.evidence("mini")
    assert (note.size, note.root) == (appended.index + 1, appended.root)
    assert evidence.compact_range(note.size).root() == appended.root
    ((_, data),) = evidence.entries(appended.index, appended.index + 1)
    entry = decode_entry(data)
    assert (entry.kind, entry.detail) == (Kind.MONTH_CLOSE, {"month": "2026-09"})
    assert (entry.epoch, entry.received_ns) == (1, T0_NS)  # the collector's, not the caller's
    assert evidence.head("edge-1").next_seq == 2  # what came before it is in the same commit
    with pytest.raises(LookupError, match="plant maxi"):
        await desk.append_entry("maxi", record())


async def test_an_entry_the_disk_refuses_was_never_logged(running: Running) -> None:
    size = running.desk.evidence("mini").size
    refused = pytest.raises(StoreError, match=r"plant mini: evidence cannot be written: .*full")
    with full(running.store.database), refused:
        await running.desk.append_entry("mini", record())
    assert running.desk.evidence("mini").size == size
    assert (await running.desk.append_entry("mini", record())).index == size


async def test_a_close_request_stands_signed_on_the_config_topic(
    running: Running, gateway: Gateway, plant: ExamplePlant
) -> None:
    gateway.config()
    wanted = request(gateway, bytes([7]) * 32)
    await running.desk.request_close("mini", "edge-1", wanted)
    running.collector.resend()  # a broker that lost it gets it again
    await running.until(lambda: len(running.link.on(CONFIG)) == 2)
    for payload in running.link.on(CONFIG):
        assert decode_close_request(payload, plant.collector.public_key) == wanted


async def test_a_plants_close_is_waited_for_and_found_again(
    running: Running, gateway: Gateway
) -> None:
    """That which was asked for: of an interim month the statement may be the same as before."""
    running.send(gateway.config(), gateway.frame(T0_NS))
    wanted = request(gateway, statement := bytes([7]) * 32)
    assert await running.desk.plant_close(wanted, 0.05) is None
    waiting = asyncio.create_task(running.desk.plant_close(wanted, ENOUGH_S))
    running.send(gateway.close(statement, log_size=4))
    await running.until(lambda: running.receipted()[-1:] == [2])
    assert not waiting.done()
    running.send(close := gateway.close(statement, seq=wanted.seq, head=wanted.head))
    assert await waiting == close
    assert await running.desk.plant_close(wanted, 0.05) == close


async def test_the_desk_gives_keys_receipts_and_plants(
    running: Running, gateway: Gateway, plant: ExamplePlant
) -> None:
    desk, identity = running.desk, plant.identity()
    assert desk.plants() == ["mini"]
    assert desk.signer is plant.collector
    keys = desk.keys("mini")
    assert (keys.root, keys.collector) == (identity.root.pem, identity.collector.pem)
    (certified,) = identity.gateways
    assert dict(keys.gateways) == {("edge-1", certified.certificate_sha256): certified.pem}
    assert desk.receipt("mini", "edge-1") is None
    running.send(gateway.config())
    await running.until(lambda: running.receipted() == [0])
    receipt = desk.receipt("mini", "edge-1")
    assert receipt == running.link.on(RECEIPTS)[0]
