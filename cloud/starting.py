"""The start of a collector: it takes its slice, or waits as a standby until nobody holds it.

While it waits it reads and writes nothing of the slice but the lock, and answers /livez, /readyz
and /metrics where the pages will be. What it then serves is what CLOUD.toml says then: the plants,
keys and certificates of the day it began to wait may be another collector's by now, or stolen.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from cloud.config import CloudConfig, load_cloud
from cloud.config_http import HttpConfig
from cloud.database.folders import plants_in
from cloud.database.lease import LAPSES_S
from cloud.database.migrate import not_copied
from cloud.database.store import EvidenceStore
from cloud.database.urls import file_of
from cloud.errors import CloudError, DatabaseAwayError, SliceLockedError
from cloud.http_server import address_of, listen, make_server
from cloud.known import read_known
from cloud.lock import take_lock
from cloud.store_targets import open_store
from evidence.log_lines import Say

log = logging.getLogger("stackproof.cloud")

#: seconds between two tries; for how long a lease may be one that nobody gives back
AGAIN_S, LEASE_S = 0.5, LAPSES_S + 5.0
#: what to say to a command, and of the slice's folder
_STANDBY = (
    "a standby answers here, and another process holds the slice: give this order on the machine "
    "where that one runs"
)
_AWAY = (
    "is away: nothing is made in its place, and it is taken once it is back. To serve what was put "
    "there instead, start this standby again"
)

#: of a start: where evidence is that belongs into the database, and of a database that is gone
_NOT_COPIED = (
    "{config.path}: cloud.evidence_dir: {root} has {what} that {config.where} has not: run "
    "stackproof cloud migrate {config.path} first"
)
_GONE = (
    "{config.path}: cloud.database: there was evidence at an earlier start of this collector, and "
    "{file} is not there now: mount its volume, or restore a backup (docs/operations.md, "
    "“Restore”). To begin another log all the same, remove evidence.known from state_dir"
)


def prepare(config: CloudConfig, *, standby: bool) -> None:
    """Look at the folders that are to be written, now and not at the end of a month; make them.

    Raises:
        CloudError: one cannot be made, or this cannot be a standby; or all evidence is gone.
    """
    if standby and config.broker.embedded:
        raise CloudError(
            f'{config.path}: a standby needs [broker] mode = "external": the embedded broker ends '
            "with the collector that it is to replace"
        )
    _require_known(config)  # before anything is made where it was
    for key, folder, mode in (
        ("state_dir", config.state_dir, 0o700),  # databases: see `keep_own`
        ("archive_dir", config.archive_dir, 0o777),
        *([("database", config.folders["evidence"], 0o700)] if _is_file(config) else []),
    ):
        with folder_of(config, key, folder):
            folder.mkdir(mode, parents=True, exist_ok=True)
    register = config.broker.register
    if register is not None and (sentence := register.barred()):  # gateways have days left
        log.error("%s: broker.register: %s", config.path, sentence)


def _require_known(config: CloudConfig) -> None:
    """No database is begun where there was one: below a mount point without its volume, say."""
    file = file_of(config.database)
    with folder_of(config, "state_dir", config.state_dir):
        known = read_known(config.state_dir) & {one.plant for one in config.plants}
    if file is None or not known:
        return
    with folder_of(config, "database", file.parent):
        if file.exists():
            return
    root = config.evidence_dir / config.slice
    with folder_of(config, "evidence_dir", root):
        if plants_in(root):
            raise CloudError(_NOT_COPIED.format(config=config, root=root, what="evidence"))
    raise CloudError(_GONE.format(config=config, file=file))


@contextlib.contextmanager
def folder_of(config: CloudConfig, key: str, folder: Path) -> Iterator[None]:
    """What the disk refuses in a folder of CLOUD.toml is a CloudError with the file and the key."""
    try:
        yield
    except OSError as error:
        raise CloudError(
            f"{config.path}: cloud.{key}: {folder} cannot be used ({error.strerror}): name a "
            "folder that the collector may make or write in"
        ) from error


@contextlib.contextmanager
def held(state: Path) -> Iterator[None]:
    """Keep a collector of another slice out of this one's `state_dir`, by a copied CLOUD.toml, say.

    Raises:
        SliceLockedError: such a one runs with it.
        OSError: the folder cannot be used.
    """
    lock = take_lock(
        state / "lock",
        "a state_dir is of one collector: name another one for this slice, or stop that one first",
    )
    try:
        yield
    finally:
        os.close(lock)


def require_copied(config: CloudConfig, store: EvidenceStore) -> None:
    """Receipts go on in the database only where it has all that was receipted before.

    Raises:
        CloudError: the folders of before have more of a plant than the database.
    """
    root = config.evidence_dir / config.slice
    with folder_of(config, "evidence_dir", root):
        named = {one.plant for one in config.plants}
        if missing := [one for one in not_copied(root, store.database) if one in named]:
            what = f"evidence of {', '.join(missing)}"
            raise CloudError(_NOT_COPIED.format(config=config, root=root, what=what))


def read_again(waited_with: CloudConfig) -> CloudConfig:
    """CLOUD.toml as it stands once the slice is held.

    Args:
        waited_with: what it said when the waiting began.

    Raises:
        CloudConfigError: it has mistakes by now; the slice is given back.
        CloudError: it names another slice, or what a standby cannot be.
    """
    config, before = load_cloud(waited_with.path), waited_with
    if (config.where, config.slice) != (before.where, before.slice):
        raise CloudError(
            f"{config.path}: names another slice or place of evidence than the one that this "
            f"standby waited for, {before.where}: start it again"
        )
    prepare(config, standby=True)
    return config


async def take_slice(
    config: CloudConfig, stop: asyncio.Event, say: Say, *, waits: bool
) -> EvidenceStore | None:
    """The slice's evidence, under a new epoch; None when told to stop while waiting.

    A lease in a database lapses some seconds after a collector was killed: that is waited for.

    Args:
        config: which slice, and where to answer meanwhile.
        stop: ends the waiting.
        say: told whom it waits for, once.
        waits: be a standby; else a slice that is held is an error.

    Raises:
        SliceLockedError: it is held, and this is no standby.
        StoreError: it cannot be used.
        ServerError: the address cannot be had.
    """
    until_s = time.monotonic() + (0.0 if _is_file(config) else LEASE_S)
    try:
        return await asyncio.to_thread(open_store, config)
    except SliceLockedError as error:
        if not waits and time.monotonic() >= until_s:
            raise
        held = error
    async with _answering(config.http) as address:
        say(f"standby: {held}" if waits else f"waiting: {held}")
        say(f"standby: waiting; {address}/readyz says so")
        was_there = True
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), AGAIN_S)
            is_there = await asyncio.to_thread(_is_there, config)
            if was_there and not is_there:
                say(f"standby: {config.where}: {_AWAY}")
            was_there = is_there
            try:
                if is_there:
                    return await asyncio.to_thread(open_store, config)
            except (SliceLockedError, DatabaseAwayError):
                if not waits and time.monotonic() >= until_s:
                    raise
    return None


def _is_file(config: CloudConfig) -> bool:
    """Evidence is in an SQLite file."""
    return file_of(config.database) is not None


def _is_there(config: CloudConfig) -> bool:
    """What was waited for: whoever took the slice would make it anew, below a mount point say."""
    file = file_of(config.database)
    try:
        return file is None or file.exists()  # a server answers, or says that it is away
    except OSError:
        return False


@contextlib.asynccontextmanager
async def _answering(http: HttpConfig) -> AsyncIterator[str]:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    registry = CollectorRegistry()  # who watches would else take it for a program that is away
    Gauge("stackproof_standby", "1: waits for the slice.", registry=registry).set(1)

    @app.get("/livez")
    async def live() -> PlainTextResponse:
        return PlainTextResponse("alive\n")

    @app.get("/readyz")
    async def ready() -> PlainTextResponse:
        return PlainTextResponse("standby\n", 503)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    @app.exception_handler(404)
    async def elsewhere(*_: object) -> JSONResponse:  # commands find who serves by its address
        return JSONResponse({"detail": _STANDBY}, 503)

    listener = listen(http.host, http.port)
    server = make_server(app)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield address_of(http.host, listener)
    finally:
        server.should_exit = True
        await serving
