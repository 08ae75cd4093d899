"""Routes for certificates of the broker: who asks, approve, revoke. A system administrator's.

The list of the revoked is anybody's. Plain functions: they read and write the disk, so they run in
a worker thread.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from cloud.api.guard import Given, GuardedRoute, Who, address
from cloud.api.routes import Base64, PlantPath
from cloud.errors import NoRegisterError
from evidence.errors import EvidenceError
from evidence.points import NAME_ID

router = APIRouter(prefix="/api/v1", route_class=GuardedRoute)

RULES = ConfigDict(extra="forbid")


class CarriedRequest(BaseModel):
    """What `stackproof edge enrol` wrote, base64."""

    model_config = RULES
    request: Base64


class KeyOrder(BaseModel):
    """A gateway, and the SHA-256 (hex) of its TLS key."""

    model_config = RULES
    gateway: Annotated[str, Field(pattern=f"^{NAME_ID.pattern}$")]
    key: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line of printable characters: it stands in the security log")
    return text


class RevokeOrder(KeyOrder):
    """The same, and why."""

    reason: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except NoRegisterError as error:
        raise HTTPException(409, str(error)) from error
    except EvidenceError as error:
        raise HTTPException(422, str(error)) from error
    except LookupError as error:
        raise HTTPException(404, str(error)) from error


@router.get("/broker")
def certificates(given: Given) -> Mapping[str, Sequence[Mapping[str, str]]]:
    """Requests that wait for a person, and approved keys with the end of their certificate."""
    with _said():
        return given.transport.standing()


@router.get("/broker/revoked")
def revoked(given: Given) -> Response:
    """The CA's list of revoked certificates, PEM, for brokers on other machines.

    Anybody's: it is signed, and names serial numbers alone.
    """
    with _said():
        return Response(given.transport.revoked(), media_type="application/x-pem-file")


@router.post("/broker/requests")
def take(given: Given, order: CarriedRequest) -> Mapping[str, str]:
    """Take in a request that was carried here; `certificate` is "" while it waits."""
    with _said():
        return given.transport.take(order.request)


@router.post("/plants/{plant}/broker/approve")
def approve(
    given: Given, who: Who, request: Request, plant: PlantPath, order: KeyOrder
) -> Mapping[str, str]:
    """Approve a key that was compared at both ends; `certificate` is "" where the CA is away."""
    with _said():
        return given.transport.approve(
            who, {"plant": plant, **order.model_dump()}, address(request)
        )


@router.post("/plants/{plant}/broker/revoke")
def revoke(
    given: Given, who: Who, request: Request, plant: PlantPath, order: RevokeOrder
) -> Mapping[str, str]:
    """Let a key in no more; the broker needs its new list or configuration for that."""
    row = {"plant": plant, "gateway": order.gateway, "key": order.key}
    with _said():
        return given.transport.revoke(who, row, order.reason, address(request))
