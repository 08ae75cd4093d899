"""/metrics, /livez and /readyz of a running agent, asked over HTTP."""

import asyncio
import contextlib
import socket
import sqlite3
import threading
from collections.abc import Callable
from typing import Any
from urllib.error import URLError

import pytest

from edge import pollers, seats
from edge.errors import SpoolError
from edge.seats import AT_ONCE_MAX
from edge.spool_reader import SpoolReader
from edge.status import status_of
from tests.exposition import series
from tests.integration.edge.conftest import Plant
from tests.listened import answer
from tests.ports import free_port
from tests.unit.edge.sites import GATEWAY, PLANT, who
from tests.waiting import until

OF = f'gateway="{GATEWAY}",plant="{PLANT}"'


def ask(port: int) -> str:
    status, page = answer(f"http://127.0.0.1:{port}/metrics")
    assert status == 200
    return page


def with_metrics(plant: Plant, port: int) -> None:
    plant.text += f'\n[metrics]\nlisten = "127.0.0.1:{port}"\n'


def raising(error: Exception) -> Callable[..., Any]:
    def fails(*_: object, **__: object) -> Any:
        raise error

    return fails


def told_beside(plant: Plant) -> dict[str, Any]:
    """What `edge status` says beside the agent."""
    spool, own = SpoolReader(plant.spool_path), who()
    try:
        return status_of(
            plant.site, spool, plant.clock, certificate=own.certificate, collector=own.collector
        )
    finally:
        spool.close()


def silent(plant: Plant) -> list[str]:
    """Devices that do not answer, as `edge status` has it."""
    return [row["id"] for row in told_beside(plant)["devices"]["silent"]]


async def test_what_is_told(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pollers, "SILENT_AFTER_NS", 0)
    port = free_port()
    with_metrics(plant, port)
    plant.devices["gas-1"].connects = False
    async with plant.running():
        await asyncio.sleep(0.7)  # ten ticks a second, frames of half a second
        told = series(await asyncio.to_thread(ask, port))
        assert silent(plant) == ["gas-1"]
        said = {
            (path, method): await asyncio.to_thread(
                answer, f"http://127.0.0.1:{port}/{path}", method
            )
            for method, paths in (("GET", ("livez", "readyz", "", "live")), ("HEAD", ("livez",)))
            for path in paths
        }
        plant.devices["ac-1"].answers = False
        await asyncio.sleep(0.5)
        nobody = await asyncio.to_thread(answer, f"http://127.0.0.1:{port}/readyz")
        alive = await asyncio.to_thread(answer, f"http://127.0.0.1:{port}/livez")
        assert silent(plant) == ["ac-1", "gas-1"]
        plant.devices["ac-1"].answers = True
        await until(lambda: silent(plant) == ["gas-1"])
    none = (404, "there are /metrics, /livez, /readyz\n")
    assert said == {
        ("livez", "GET"): (200, "alive\n"),
        ("livez", "HEAD"): (200, ""),
        ("readyz", "GET"): (200, "ready\nno answer of gas-1\n"),  # and no broker is there
        ("", "GET"): none, ("live", "GET"): none,
    }  # fmt: skip
    assert nobody == (503, "no device answers\nno answer of ac-1, gas-1\n")
    assert alive == (200, "alive\n")
    assert told[f'stackproof_device_connected{{device="ac-1",{OF}}}'] == 1
    assert told[f'stackproof_device_connected{{device="gas-1",{OF}}}'] == 0
    asked = told[f'stackproof_device_polls_total{{device="ac-1",{OF}}}']
    assert 0 < told[f'stackproof_device_answers_total{{device="ac-1",{OF}}}'] <= asked
    assert told[f'stackproof_device_answers_total{{device="gas-1",{OF}}}'] == 0
    assert told[f"stackproof_gateway_receipted_seq{{{OF}}}"] == -1  # no collector is there
    assert told[f"stackproof_gateway_spool_objects{{{OF}}}"] >= 1
    assert told[f"stackproof_gateway_spool_max_bytes{{{OF}}}"] == 8192 * 2**20
    assert told[f"stackproof_gateway_oldest_unsent_seconds{{{OF}}}"] > 0
    with pytest.raises(URLError):
        ask(port)  # it ends with the agent


async def test_who_asks_nothing_takes_no_thread_beyond_the_seats(plant: Plant) -> None:
    port = free_port()
    with_metrics(plant, port)
    async with plant.running():
        before = threading.active_count()
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(3 * AT_ONCE_MAX)]
        last = held[-1]
        last.settimeout(10)
        assert await asyncio.to_thread(last.recv, 1) == b"", "hung up on"
        assert threading.active_count() <= before + AT_ONCE_MAX + 1  # and who waits for the answer
        for one in held:
            one.close()
        await until(lambda: threading.active_count() <= before + 1)
        assert "stackproof_gateway_build" in await asyncio.to_thread(ask, port)


async def test_a_spool_that_cannot_be_read_takes_no_other_figure_away(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As with a disk that fails: the alarm is heard, and the log is not filled by each question."""
    port, last = free_port(), OSError("what nobody thought of")
    with_metrics(plant, port)
    async with plant.running():
        await until(lambda: "stackproof_gateway_head_seq" in ask(port))
        for error in (sqlite3.OperationalError("disk I/O error"), SpoolError("damaged")):
            monkeypatch.setattr("edge.metrics.status_of", raising(error))
            told = series(await asyncio.to_thread(ask, port))
            assert told[f'stackproof_gateway_alarm{{alarm="spool-error",{OF}}}'] == 1
            assert f'stackproof_device_connected{{device="ac-1",{OF}}}' in told
            assert "process_resident_memory_bytes" in told
        monkeypatch.setattr("edge.metrics.GatewayMetrics.collect", raising(last))
        for _ in range(2):
            said = await asyncio.to_thread(answer, f"http://127.0.0.1:{port}/metrics")
            assert said == (500, "the log says why\n")
    (told_once,) = [one for one in caplog.records if one.name == "stackproof.metrics"]
    assert told_once.exc_info
    assert told_once.exc_info[1] is last


async def test_who_asks_in_drips_gives_up_the_seat(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a byte before each time-out sixteen kept out who watches, for good."""
    monkeypatch.setattr(seats, "ASKED_S", 0.5)
    port = free_port()
    with_metrics(plant, port)
    asked = f"http://127.0.0.1:{port}/livez"
    async with plant.running():
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(AT_ONCE_MAX)]
        for drip in (b"GET /livez HTTP/1.1\r\nX: ", *[b"a"] * 7):
            for one in held:
                one.send(drip)
            await asyncio.sleep(0.1)
        assert await asyncio.to_thread(answer, asked) == (200, "alive\n")
        for one in held:
            one.close()


@pytest.mark.parametrize("has_port", [True, False], ids=["not this machine's", "taken"])
async def test_readings_do_not_wait_for_an_address(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, has_port: bool
) -> None:
    """A gateway whose cable is out, or that waits for DHCP, has no address at boot."""
    monkeypatch.setattr("edge.metrics_listener.AGAIN_S", 0.05)
    port, host = free_port(), "192.0.2.1" if has_port else "127.0.0.1"  # RFC 5737: nobody's
    plant.text += f'\n[metrics]\nlisten = "{host}:{port}"\nallow_remote = {str(has_port).lower()}\n'
    why = "assign requested address" if has_port else "Address already in use"
    async with contextlib.AsyncExitStack() as taken:
        if not has_port:
            server = await asyncio.start_server(lambda *_: None, "127.0.0.1", port)
            await taken.enter_async_context(server)
        async with plant.running() as agent:
            await until(lambda: agent.answering == {"ac-1", "gas-1"})
            await until(lambda: "metrics-away" in agent._alarms.names)
            alarms = {row["name"]: row["sentence"] for row in told_beside(plant)["alarms"]}
            assert f"{host}:{port} of [metrics] cannot be had: " in alarms["metrics-away"]
            assert why in alarms["metrics-away"]
            if not has_port:
                await taken.aclose()
                await until(lambda: "metrics-away" not in agent._alarms.names)
                assert "stackproof_gateway_build" in await asyncio.to_thread(ask, port)
                assert "metrics-away" not in {row["name"] for row in told_beside(plant)["alarms"]}
    assert "metrics-away" not in {row["name"] for row in told_beside(plant)["alarms"]}, "it ended"


async def test_without_the_table_nothing_listens(plant: Plant) -> None:
    assert plant.site.metrics is None
