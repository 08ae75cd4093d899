"""The live WebSocket: one per open page; snapshot first, then deltas as the hub sends them."""

import asyncio
import contextlib
import json
import logging

from fastapi import APIRouter, HTTPException, WebSocket, WebSocketDisconnect

from cloud.api.access import ACCESS
from cloud.api.guard import identify
from cloud.api.security import same_origin
from cloud.api.services import Services
from cloud.errors import StoreError
from cloud.live.hub import LiveHub, Subscription, UnknownPlantError
from evidence.log_lines import about

router = APIRouter()

#: RFC 6455 close codes
POLICY_VIOLATION = 1008
GOING_AWAY = 1001
REQUEST_BYTES_MAX = 256
#: a viewer that asks for snapshots faster than this is only answered at this pace
SNAPSHOT_PAUSE_S = 1.0
#: how often an open page is looked at: may its viewer still see this?
LOOK_AGAIN_S = 15.0

_log = logging.getLogger(__name__)


@router.websocket("/api/v1/live")
async def live(socket: WebSocket, plant: str = "") -> None:
    """Snapshot and deltas of one plant.

    The page may send {"type":"snapshot"} when it saw a gap in `seq`; anything else ends the
    connection. A page of another origin, an unknown plant, and whoever may not see it, are refused
    before acceptance; an open page ends with its session.
    """
    given: Services = socket.app.state.services
    if not (same_origin(socket.headers) and await _may_see(socket, plant)):
        await socket.close(POLICY_VIOLATION)
        return
    try:
        viewer = given.hub.subscribe(plant)
    except UnknownPlantError:
        await socket.close(POLICY_VIOLATION)
        return
    await socket.accept()
    looking = asyncio.create_task(_look_again(socket, plant, viewer))
    try:
        await _serve(socket, given.hub, viewer)
    finally:
        looking.cancel()
        given.hub.unsubscribe(viewer)


async def _may_see(socket: WebSocket, plant: str) -> bool:
    try:
        who, _ = await identify(socket)
    except HTTPException:
        return False
    socket.state.who = who
    given: Services = socket.app.state.services
    needed = ACCESS["WEBSOCKET", "/api/v1/live"]
    return needed in who.rights and given.accounts.sees(who, plant)


async def _look_again(socket: WebSocket, plant: str, viewer: Subscription) -> None:
    """End the viewer when it may no longer see the plant."""
    given: Services = socket.app.state.services
    session, still = socket.state.who.session, True
    try:
        while still:
            await asyncio.sleep(LOOK_AGAIN_S)
            if session:  # watching is no use of it: it may be idle for as long as it stands
                still = await asyncio.to_thread(given.accounts.sign_in.is_open, session)
            else:
                still = await _may_see(socket, plant)
    except StoreError as error:
        _log.error("%s", error, extra=about(plant))
    finally:
        viewer.close()


async def _serve(socket: WebSocket, hub: LiveHub, viewer: Subscription) -> None:
    """Send until the hub closes or the page leaves."""
    listener = asyncio.create_task(_listen(socket, hub, viewer))
    try:
        async for text in viewer:
            await socket.send_text(text)
        if not listener.done():
            await socket.close(GOING_AWAY)
    except WebSocketDisconnect:
        pass  # left while we were sending: nothing to do but tidy up
    finally:
        listener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listener


async def _listen(socket: WebSocket, hub: LiveHub, viewer: Subscription) -> None:
    """Take the page's requests; on anything unexpected, or when it leaves, end the viewer."""
    try:
        while await _is_snapshot_request(socket):
            hub.resend(viewer)
            await asyncio.sleep(SNAPSHOT_PAUSE_S)
        await socket.close(POLICY_VIOLATION)
    except WebSocketDisconnect:
        pass  # the page is gone
    finally:
        viewer.close()


async def _is_snapshot_request(socket: WebSocket) -> bool:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", GOING_AWAY))
    text = message.get("text")  # absent or None when bytes were sent
    if text is None or len(text) > REQUEST_BYTES_MAX:
        return False
    try:
        request = json.loads(text)
    except ValueError:
        return False
    return isinstance(request, dict) and request.get("type") == "snapshot"
