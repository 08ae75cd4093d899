"""The start of a collector: it takes its slice, or waits as a standby until nobody holds it.

While it waits it reads and writes nothing of the slice but the lock, and answers /livez and /readyz
where the pages will be.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from cloud.config_http import HttpConfig
from cloud.errors import SliceLockedError
from cloud.http_server import address_of, listen, make_server
from cloud.store.slice import SliceStore
from evidence.log_lines import Say

#: seconds between two tries
AGAIN_S = 0.5


async def take_slice(
    root: Path, http: HttpConfig, stop: asyncio.Event, say: Say, *, waits: bool
) -> SliceStore | None:
    """The slice's evidence, locked, under a new epoch; None when told to stop while waiting.

    Args:
        root: `<evidence_dir>/<slice>`.
        http: where to answer meanwhile.
        stop: ends the waiting.
        say: told whom it waits for, once.
        waits: be a standby; else a slice that is held is an error.

    Raises:
        SliceLockedError: it is held, and this is no standby.
        StoreError: the folder cannot be used.
        ServerError: the address cannot be had.
    """
    try:
        return await asyncio.to_thread(SliceStore, root)
    except SliceLockedError as error:
        if not waits:
            raise
        held = error
    async with _answering(http) as address:
        say(f"standby: {held}")
        say(f"standby: waiting; {address}/readyz says so")
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), AGAIN_S)
            with contextlib.suppress(SliceLockedError):
                return await asyncio.to_thread(SliceStore, root)
    return None


@contextlib.asynccontextmanager
async def _answering(http: HttpConfig) -> AsyncIterator[str]:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/livez")
    async def live() -> PlainTextResponse:
        return PlainTextResponse("alive\n")

    @app.get("/readyz")
    async def ready() -> PlainTextResponse:
        return PlainTextResponse("standby\n", 503)

    listener = listen(http.host, http.port)
    server = make_server(app)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield address_of(http.host, listener)
    finally:
        server.should_exit = True
        await serving
