"""Routes for sites without a way back: an exported spool comes in, a receipt file goes out."""

import asyncio
import base64
from collections.abc import Mapping
from typing import Any, BinaryIO

from fastapi import APIRouter, HTTPException, Request

from cloud.api.guard import Given, GuardedRoute
from cloud.api.routes import PlantPath, found
from cloud.api.services import Services
from evidence.archive.export import OBJECTS_BYTES_MAX
from evidence.errors import EvidenceError

#: objects, and room for the container's headers and certificates
FILE_BYTES_MAX = OBJECTS_BYTES_MAX + 16 * 1024 * 1024
_PIECE = 1024 * 1024

router = APIRouter(prefix="/api/v1", route_class=GuardedRoute)


@router.post("/imports")
async def take_export(given: Given, request: Request) -> Mapping[str, Any]:
    """Take in an exported spool (the body, as it is)."""
    try:
        with given.one_way.incoming() as file:
            await _receive(given, request, file)
            return await given.one_way.take(file)
    except EvidenceError as error:
        raise HTTPException(422, f"this is no exported spool as it was written: {error}") from error
    except LookupError as error:
        raise HTTPException(404, str(error)) from error
    except OSError as error:
        sentence = f"state_dir cannot take the file ({error.strerror}): make room for it twice, "
        sentence += "as what is in it becomes evidence, or take fewer objects; then import again"
        raise HTTPException(503, sentence) from error


async def _receive(given: Services, request: Request, file: BinaryIO) -> None:
    """Put the request's body into a file, a piece at a time."""
    size, piece = 0, bytearray()
    async for chunk in request.stream():
        size += len(chunk)
        if size > FILE_BYTES_MAX:
            raise HTTPException(413, f"an exported spool has at most {FILE_BYTES_MAX} bytes")
        piece += chunk
        if len(piece) >= _PIECE:
            await asyncio.to_thread(given.one_way.put, file, bytes(piece))
            piece.clear()
    await asyncio.to_thread(given.one_way.put, file, bytes(piece))


@router.get("/plants/{plant}/receipts")
async def receipt_file(given: Given, plant: PlantPath) -> Mapping[str, Any]:
    """The newest receipt of every stream of a plant.

    `file` is the receipt file, base64; `withheld` says of a gateway why there is none of it there.
    """
    with found():
        data, withheld = await given.one_way.receipts(plant)
    return {"file": base64.b64encode(data).decode(), "withheld": withheld}
