"""An OPC UA device, layer by layer: DNS, TCP, certificate, login, protocol, clock, nodes, values.

Values are read once, by the driver; only nodes without a good one are looked at singly.
"""

import datetime as dt

from edge.clock import Clock
from edge.commissioning.findings import Check, failed, fine, has_failed, warning
from edge.commissioning.look_driver import read_once
from edge.commissioning.look_opcua import device_error, look_at_node, node_of, session_of
from edge.commissioning.reach import reach
from edge.commissioning.value import shown
from edge.drivers.address import parse_address
from edge.drivers.base import BoundPoint, DeviceSpec
from edge.drivers.opcua.credentials import CredentialError
from edge.drivers.opcua.driver import PORT
from edge.drivers.opcua.options import NAMES
from edge.drivers.opcua.refusals import LoginRefusedError, RefusedError
from edge.drivers.opcua.session import Session, content_of, value_of

CLOCKS_APART_S = 5.0
TOLD_MAX = 8
SERVER_TIME = "i=2258"  # Server_ServerStatus_CurrentTime; Part 6, annex A
_MEND = {
    "certificate": "the sentence says what is wrong with whose certificate; trust a server's only "
    "by a thumbprint that the server itself shows",
    "login": "correct user and password, or the user's rights at the server",
    "permission": "see that the file is there and that only the agent's user may read it",
    "protocol": "check that an OPC UA server listens on this port and path (stackproof edge scan "
    "lists its endpoints), and raise timeout_s if it is slow",
}


async def examine_opcua(spec: DeviceSpec, clock: Clock) -> list[Check]:
    """Everything about one server, up to the first layer that fails."""
    address = parse_address(spec, port=PORT, options=NAMES)
    checks = await reach(spec.id, address.host, address.port, spec.timeout_s)
    if has_failed(checks):
        return checks
    try:
        async with session_of(spec) as session:
            checks += _let_in(spec)
            checks += await _clocks(spec, session, clock)
        return checks + await _nodes(spec, clock)
    except Exception as error:  # noqa: BLE001 - whatever a server makes asyncua raise is a finding
        layer = _layer(error, spec)
        return [*checks, failed(spec.id, layer, _plain(spec, error), _MEND[layer])]


def _layer(error: Exception, spec: DeviceSpec) -> str:
    if isinstance(error, CredentialError):
        return "permission"
    if isinstance(error, LoginRefusedError):
        return "login"
    is_secured = spec.security is not None and bool(spec.security.mode)
    return "certificate" if isinstance(error, RefusedError) and is_secured else "protocol"


def _plain(spec: DeviceSpec, error: Exception) -> str:
    return str(device_error(spec, error)).removeprefix(f"device {spec.id}: ")


def _let_in(spec: DeviceSpec) -> list[Check]:
    security = spec.security
    if security is None or not security.mode:
        return [fine(spec.id, "protocol", "the server gives a session, without security")]
    return [
        fine(spec.id, "certificate", "the server's certificate is trusted, and ours by it"),
        fine(spec.id, "protocol", f"the server gives a session with {security.policy}"),
    ]


async def _clocks(spec: DeviceSpec, session: Session, clock: Clock) -> list[Check]:
    """The server's clock against ours: two that agree are rarely both wrong."""
    (answer,) = await session.ask([value_of(SERVER_TIME)])
    now = content_of(answer)
    if not isinstance(now, dt.datetime):
        return []
    apart_s = clock.wall_ns() / 1e9 - now.replace(tzinfo=now.tzinfo or dt.UTC).timestamp()
    if abs(apart_s) <= CLOCKS_APART_S:
        sentence = f"the server's clock and this machine's are {abs(apart_s):.1f} s apart"
        return [fine(spec.id, "clock", sentence)]
    which = "behind" if apart_s > 0 else "ahead of"
    return [
        warning(
            spec.id,
            "clock",
            f"the server's clock is {abs(apart_s):.0f} s {which} this machine's",
            "find out which is wrong and set it; let NTP keep both",
        )
    ]


async def _nodes(spec: DeviceSpec, clock: Clock) -> list[Check]:
    """Every point, and one by one the first of those whose value may not be used."""
    samples, now_ns = await read_once(spec), clock.wall_ns()
    bad = [
        bound
        for bound, sample in zip(spec.points, samples, strict=True)
        if not shown(bound.point, sample, now_ns).quality.usable
    ]
    good = len(spec.points) - len(bad)
    told = []
    if good:
        told = [fine(spec.id, "register", f"{good} of {len(spec.points)} nodes have a good value")]
    if bad:
        async with session_of(spec) as session:
            told += [await _bad(spec, session, bound, clock) for bound in bad[:TOLD_MAX]]
    if len(bad) > TOLD_MAX:
        sentence = f"and {len(bad) - TOLD_MAX} points more"
        told.append(failed(spec.id, "register", sentence, "mend those above first"))
    return told


async def _bad(spec: DeviceSpec, session: Session, bound: BoundPoint, clock: Clock) -> Check:
    try:
        node = await node_of(session, bound)
    except LookupError as error:
        todo = "correct namespace in the profile, or the device's url"
        return failed(spec.id, "register", f"{bound.point.id}: {error}", todo)
    look = await look_at_node(session, spec, node, bound, clock.wall_ns())
    if look.trouble or look.shown is None:
        sentence = f"{bound.point.id} ({node}): {look.trouble}"
        return failed(spec.id, "register", sentence, look.advice)
    if look.shown.quality.usable:
        sentence = f"{bound.point.id} ({node}) had no good value, and has one now"
        return warning(spec.id, "value", sentence, "watch it: stackproof edge watch")
    said = f"{look.shown.text}: {look.shown.verdict}; sent as {look.said['sent as']}"
    sentence = f"{bound.point.id} ({node}) is {said}"
    todo = "check type and range of the row in the profile against the server's own display"
    return failed(spec.id, "value", sentence, todo)
