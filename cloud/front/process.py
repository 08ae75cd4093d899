"""The front's process: listens to the collectors, serves pages and API. Composition root."""

import asyncio
from collections.abc import Callable

from cloud.alive import goes_on
from cloud.beside import beside
from cloud.clock import SystemClock
from cloud.errors import ServerError
from cloud.front.app import create_front, front_of
from cloud.front.config import FrontConfig
from cloud.front.routes import Front
from cloud.http_server import address_of, listen, make_server
from cloud.settled import settled


async def run_front(config: FrontConfig, stop: asyncio.Event, say: Callable[[str], None]) -> None:
    """Run until `stop` is set.

    Args:
        config: what to run.
        stop: ends it.
        say: told one line for each step.

    Raises:
        ServerError: the address cannot be had, or the server ended by itself.
    """
    front = front_of(config, SystemClock())
    listener = listen(config.http.host, config.http.port)
    server = make_server(create_front(config, front))
    for one in front.listeners:
        one.start()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    if not config.readers and config.sign_in is None:
        say("readers: none is named; whoever reaches this machine's loopback reads all of it")
    address = address_of(config.http.host, listener)
    say(f"ready: {len(front.listeners)} collector(s) at {address}")
    stopping = asyncio.create_task(stop.wait())
    # what collectors say is kept until they say it again: nothing of it is a cycle to be found
    with settled():
        async with beside(goes_on(lambda: _stands(front))):
            await asyncio.wait([stopping, serving], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if serving.done() and not stop.is_set():
        raise ServerError("the web server ended by itself; see the log")
    server.should_exit = True
    await serving
    for door in front.doors.values():
        door.end()
    say("stopped")


def _stands(front: Front) -> str:
    answer = sum(one.heard.amiss is None for one in front.listeners)
    return f"{answer} of {len(front.listeners)} collector(s) answer"
