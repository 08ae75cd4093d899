"""Looks at one node of an OPC UA server: value, type, status code and source time.

Two Read calls in a session of its own, through the driver's gate (`edge.drivers.opcua.session`).
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

from edge.commissioning.look import Look
from edge.commissioning.value import shown
from edge.drivers.address import parse_address, wrong
from edge.drivers.base import BoundPoint, DeviceError, DeviceSpec
from edge.drivers.opcua.bounds import LISTING_BYTES_MAX
from edge.drivers.opcua.credentials import CredentialError
from edge.drivers.opcua.decode import Value, decode_value
from edge.drivers.opcua.driver import PORT
from edge.drivers.opcua.options import NAMES
from edge.drivers.opcua.refusals import RefusedError, named
from edge.drivers.opcua.security import OpcUaSecurity
from edge.drivers.opcua.session import (
    NAMESPACES,
    Session,
    attribute_of,
    content_of,
    type_name,
    value_of,
)

SCHEME = "opc.tcp"
_DATA_TYPE, _DISPLAY_NAME = 14, 4  # AttributeId; Part 6, annex A


@contextlib.asynccontextmanager
async def session_of(spec: DeviceSpec) -> AsyncIterator[Session]:
    """A session with the device's server; whatever goes wrong while it is made is raised."""
    security = spec.security or OpcUaSecurity()
    session = Session(endpoint_of(spec), security, spec.timeout_s, LISTING_BYTES_MAX)
    try:
        await session.open()
        yield session
    finally:
        await session.close()
        await session.drop()


def endpoint_of(spec: DeviceSpec) -> str:
    """The server's address, without what the query says to us."""
    address = parse_address(spec, port=PORT, options=NAMES)
    return f"{SCHEME}://{address}{address.path}"


async def look_at_node(
    session: Session, spec: DeviceSpec, node: str, bound: BoundPoint | None, now_ns: int
) -> Look:
    """Everything about one node.

    Args:
        session: open.
        spec: the device.
        node: "ns=2;s=name", with the index the server has for the namespace.
        bound: the point that stands there; None when no site file names one.
        now_ns: UTC nanoseconds.

    Raises:
        DeviceError: the node cannot be asked for.
    """
    try:
        asked = value_of(node)
    except ValueError as error:
        raise wrong(spec, f"node {node!r}: {error}; write ns=2;s=name or ns=2;i=1001") from None
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    (answer,) = await session.ask([asked])
    took_ms = 1000 * (loop.time() - began_s)
    others = [attribute_of(asked.NodeId, number) for number in (_DATA_TYPE, _DISPLAY_NAME)]
    kind, name = [content_of(other) for other in await session.ask(others)]
    status = answer.StatusCode
    said = {
        "status": "Good" if status is None else str(status.name),
        "source time": _time(answer.SourceTimestamp, now_ns),
        "data type": "not told" if kind is None else named(type_name(kind)),
        "sent as": _sent_as(answer),
        "display name": named(getattr(name, "Text", name)),
    }
    value, raw, trouble, advice = None, b"", "", ""
    if bound is not None:
        sample = decode_value(
            content_of(answer),
            Value.of(bound.register),
            status=0 if status is None else status.value,
            source_time=answer.SourceTimestamp,
        )
        value, raw = shown(bound.point, sample, now_ns), sample.raw or b""
    elif status is None or status.is_good():
        said["value"] = repr(content_of(answer))[:200]
    if status is not None and not status.is_good():
        trouble, advice = f"the server says {status.name}", _advice(str(status.name))
    return Look(
        point="" if bound is None else bound.point.id,
        device=spec.url if bound is None else spec.id,
        place=node,
        asked=f"{endpoint_of(spec)}: Read; answered in {took_ms:.0f} ms",
        raw=raw,
        shown=value,
        said=said,
        trouble=trouble,
        advice=advice,
    )


async def node_of(session: Session, bound: BoundPoint) -> str:
    """The node of a point, with the index the server has for its namespace today.

    Raises:
        LookupError: the server has no such namespace.
    """
    register = bound.register
    index = 0
    if register.namespace is not None:
        (answer,) = await session.ask([NAMESPACES])
        uris = list(content_of(answer) or ())
        if register.namespace not in uris:
            known = ", ".join(repr(named(uri)) for uri in uris[:20])
            raise LookupError(
                f"the server has no namespace {register.namespace!r}; it has {known}: check the "
                "profile, and that this is the right server"
            )
        index = uris.index(register.namespace)
    return (register.node or "").format(n=bound.n, ns=index)


def device_error(spec: DeviceSpec, error: Exception) -> DeviceError:
    """Whatever came of an attempt, as a sentence that says what to do."""
    name = f"device {spec.id}: {endpoint_of(spec)}"
    if isinstance(error, RefusedError | CredentialError | LookupError):
        return DeviceError(f"{name}: {error}")
    reason = str(error) or type(error).__name__
    if isinstance(error, TimeoutError):
        reason = f"no answer within {spec.timeout_s:g} s"
    return DeviceError(
        f"{name}: {reason}; check that the server runs and that the address is right"
    )


def _sent_as(answer: Any) -> str:  # noqa: ANN401 - a DataValue
    variant = answer.Value
    if variant is None:
        return "nothing"
    return str(variant.VariantType.name) + (" array" if variant.is_array else "")


def _time(source: dt.datetime | None, now_ns: int) -> str:
    if source is None:
        return "none"
    age_s = now_ns / 1e9 - source.replace(tzinfo=source.tzinfo or dt.UTC).timestamp()
    told = f"{age_s:.1f} s ago" if age_s >= 0 else f"{-age_s:.1f} s ahead of this machine's clock"
    return f"{source:%Y-%m-%d %H:%M:%S.%f} UTC, {told}"


def _advice(status: str) -> str:
    if status in ("BadNodeIdUnknown", "BadNodeIdInvalid"):
        return "there is no such node: stackproof edge scan lists those there are"
    if status in ("BadNotReadable", "BadUserAccessDenied"):
        return "this user may not read it: give the user the right, or another user"
    return "look at the server's own display of this value"
