"""A site without a way back: objects carried out as files, receipts carried in, nothing else."""

import asyncio
import contextlib
import json
import logging
import socket
from pathlib import Path
from typing import Any

import pytest

from edge import receipt_files
from edge.agent import Agent
from edge.cli import main
from edge.metrics import GatewayMetrics
from edge.one_way.datagram import Reassembly, parse_fragment
from evidence import cose
from evidence.archive.export import ExportReader, write_receipts
from evidence.frame import TYP_COSIGNATURE, header_of
from tests.integration.edge.conftest import Plant
from tests.integration.edge.small_collector import SmallCollector
from tests.integration.edge.streams import mistakes, told
from tests.unit.edge.sites import replaced, who, write_keys


@pytest.fixture
def one_way(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> Plant:
    """The plant without a broker; its keys as files, for the commands."""

    def no_transport(*_: object, **__: object) -> None:
        raise AssertionError("a one-way site has no transport")

    monkeypatch.setattr("edge.delivery.MqttUplink", no_transport)
    monkeypatch.setattr("edge.delivery.RECEIPT_FILES_S", 0.1)
    plant.text = replaced(plant.text, {'url = "mqtt://127.0.0.1:1883"': 'mode = "one-way"'})
    write_keys(plant.folder / "keys")
    return plant


async def edge(*args: object) -> int:
    """A command beside the agent."""
    return await asyncio.to_thread(main, [str(arg) for arg in args])


async def carried(plant: Plant, collector: SmallCollector, name: str) -> None:
    """What waits is exported and given to the collector; its receipt is imported."""
    site, out = plant.site.path, plant.folder / f"{name}.tar"
    first = collector.head.next_seq
    assert await edge("export", site, "--from", first, "--out", out) == 0
    with out.open("rb") as file:
        for _, data in ExportReader(file).objects():
            assert collector.take(data)
    receipts = plant.folder / f"{name}.receipts"
    receipts.write_bytes(write_receipts([collector.receipt()]))
    assert await edge("receipts", "import", site, receipts) == 0


def receipted(agent: Agent) -> int:
    return agent._delivery.machine.receipted


async def test_objects_out_receipts_in(
    one_way: Plant, collector: SmallCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    async with one_way.running() as agent:
        await asyncio.sleep(1.3)
        assert receipted(agent) == -1
        await carried(one_way, collector, "first")
        assert receipted(agent) == len(collector.objects) - 1
        await asyncio.sleep(1.2)
        await carried(one_way, collector, "second")
        assert receipted(agent) == len(collector.objects) - 1
        capsys.readouterr()
        assert await edge("status", one_way.site.path, "--json") == 0
        status: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert (status["mode"], status["running"]) == ("one-way", True)
        assert status["receipt"]["seq"] == len(collector.objects) - 1
        assert status["cosigned_size"] > 0
    left = one_way.kept()
    assert 0 < len(left) < 6
    everything = [*collector.objects, *left]
    assert mistakes(everything) == []
    assert told(everything).events == ["start", "stopped"]
    typs = [header_of(cose.parse(data)).typ for data in everything]
    assert typs.count(TYP_COSIGNATURE) == 1, "the witness signs here too"


async def test_receipts_brought_while_no_agent_runs_are_taken_at_the_start(
    one_way: Plant, collector: SmallCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.stream.FREED_AT_ONCE", 2)  # in pieces
    await one_way.run(1.2)
    await carried(one_way, collector, "offline")
    assert len(one_way.kept()) == len(collector.objects)
    async with one_way.running() as agent:
        await asyncio.sleep(0.4)
        assert receipted(agent) >= len(collector.objects) - 1
    assert mistakes([*collector.objects, *one_way.kept()]) == []
    assert list((one_way.folder / "state" / "receipts").iterdir()) == []


async def test_file_that_the_agent_refuses_is_kept_for_people(
    one_way: Plant, collector: SmallCollector, caplog: pytest.LogCaptureFixture
) -> None:
    folder = one_way.site.gateway.receipts
    with caplog.at_level(logging.WARNING):
        async with one_way.running() as agent:
            await asyncio.sleep(0.3)
            dropped = receipt_files.drop(folder, b"noise")
            (folder / "empty.receipts").write_bytes(b"")
            await asyncio.sleep(0.5)
            assert receipted(agent) == -1
    refused = {path.name for path in folder.iterdir()}
    assert refused == {dropped.with_suffix(".refused").name, "empty.refused"}
    assert "refused" in caplog.text
    assert mistakes(one_way.kept()) == []


async def test_folder_that_cannot_be_read_is_said_and_tried_again(
    one_way: Plant, collector: SmallCollector, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    works, failing = receipt_files.waiting, True

    def waiting(folder: Path) -> list[Path]:
        if failing:
            raise OSError("input/output error")
        return works(folder)

    monkeypatch.setattr("edge.receipt_files.waiting", waiting)
    async with one_way.running() as agent:
        await asyncio.sleep(0.6)
        failing = False
        await carried(one_way, collector, "late")
        assert receipted(agent) == len(collector.objects) - 1
    assert "receipt files: input/output error; tried again" in caplog.text


@pytest.mark.parametrize("way", ["outbox", "udp"])
async def test_an_agent_brings_its_objects_out_by_itself(
    one_way: Plant, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        far.setblocking(False)
        to = f"127.0.0.1:{far.getsockname()[1]}"
        tables = {"outbox": '[uplink.outbox]\nfolder = "out"\nfile_s = 1\n',
                  "udp": f'[uplink.udp]\nto = "{to}"\nrepeat_after_s = [1]\n'}  # fmt: skip
        one_way.text = one_way.text.replace("[[device]]", f"{tables[way]}[[device]]", 1)
        async with one_way.running():
            told: dict[str, Any] = {"left_seq": -1}
            while told["left_seq"] < 1:
                await asyncio.sleep(0.5)
                assert await edge("status", one_way.site.path, "--json") == 0
                told = json.loads(capsys.readouterr().out)["way"]
            figures = {
                family.name.removeprefix("stackproof_gateway_"): family.samples[0].value
                for family in GatewayMetrics(one_way.site, who(), one_way.clock, []).collect()
                if family.samples
            }
        assert "oldest_unsent_seconds" not in figures, "the ring keeps what has left"
        assert figures["left_seq"] >= told["left_seq"]
        assert ("outbox_files" in figures) == (way == "outbox")
        everything, left = one_way.kept(), told["left_seq"]
        assert (told["by"], left >= 1) == (way, True)
        came: list[bytes] = []
        if way == "outbox":
            for path in (one_way.folder / "out").glob("*.tar"):
                with path.open("rb") as file:
                    came += [data for _, data in ExportReader(file).objects()]
        else:
            reassembly = Reassembly()
            with contextlib.suppress(BlockingIOError):
                while True:
                    if whole := reassembly.take(parse_fragment(far.recv(2_000))):
                        came.append(whole)
    assert set(came) >= set(everything[: left + 1])
    assert set(came) <= set(everything)
