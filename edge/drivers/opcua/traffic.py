"""An OPC UA device's service calls as they will be made. Pure: nothing is opened.

Bytes are not told: they depend on the session's token and on what the server puts into a value.
"""

from collections.abc import Sequence

from edge.drivers.opcua.options import Options
from edge.drivers.opcua.security import OpcUaSecurity
from edge.drivers.traffic import EACH_READ, Request, Traffic

PROMISE = (
    "nothing is written: no Write, Call, HistoryUpdate or node management; reading, browsing and "
    "subscribing services only"
)
_NOTES = (
    "The server may take fewer nodes a request (OperationLimits); they are then asked in more.",
    "OpenSecureChannel renews the channel's keys after three quarters of its life (1 hour asked).",
    "Bytes are not counted: they depend on the session and on the values.",
)

Parts = Sequence[Sequence[tuple[str, str]]]


def traffic_of(
    endpoint: str,
    security: OpcUaSecurity,
    options: Options,
    nodes: Sequence[tuple[str, str]],
    *,
    per_request: int,
    keep_session_s: float,
    compare: tuple[float, int],
) -> Traffic:
    """What a device's driver sends.

    Args:
        endpoint: "opc.tcp://host:port/path".
        security: how it connects.
        options: of the URL.
        nodes: (point id, node id) of each point; "nsu=URI;…" where the index is asked for.
        per_request: nodes a request holds at most.
        keep_session_s: how often the server's state is read so that an idle session lives.
        compare: seconds after which what is pushed is held against what is read, and nodes of one
            request of that.
    """
    parts = _parts(nodes, per_request)
    requests = [Request(what, None) for what in _opening(security)]
    if options.is_subscribing:
        requests += _subscribing(options, parts, _parts(nodes, compare[1]), compare[0])
    else:
        requests += [_about("Read attribute Value", part, EACH_READ) for part in parts]
    state = "Read attribute Value of i=2259 (Server.ServerStatus.State)"
    return Traffic(
        protocol="OPC UA",
        endpoint=endpoint,
        settings=security.policy,
        promise=PROMISE,
        requests=[*requests, Request(state, keep_session_s)],
        notes=_NOTES,
    )


def _parts(nodes: Sequence[tuple[str, str]], most: int) -> Parts:
    return [nodes[start : start + most] for start in range(0, len(nodes), most)]


def _opening(security: OpcUaSecurity) -> list[str]:
    offers = "OpenSecureChannel, GetEndpoints, CloseSecureChannel (a connection of its own, before)"
    return [
        *([offers] if security.mode else []),
        f"OpenSecureChannel ({security.policy}), CreateSession, ActivateSession",
        "Read attribute Value of i=2255 (Server.NamespaceArray)",
        "Read attribute Value of i=11705 (OperationLimits.MaxNodesPerRead)",
        "Read attribute Value of i=11714 (OperationLimits.MaxMonitoredItemsPerCall)",
    ]


def _subscribing(
    options: Options, parts: Parts, compared: Parts, compare_s: float
) -> list[Request]:
    create = (
        f"CreateSubscription: publishing interval {options.publishing_ms:g} ms, keep-alive after "
        f"{options.keepalives} and lifetime {options.lifetimes} of them"
    )
    watch = (
        f"CreateMonitoredItems: attribute Value, sampling interval {options.sampling_ms:g} ms, "
        f"queue {options.queue}"
    )
    return [
        *(_about("Read attribute Value", part, None) for part in parts),
        *(_about("Read attribute Value", part, compare_s) for part in compared),
        Request(create, None),
        *(_about(watch, part, None) for part in parts),
        Request("Publish (at most so often; without changes a keep-alive)", options.publishing_s),
        Request("Read attribute Value of i=2258 (Server.ServerStatus.CurrentTime)"),
    ]


def _about(what: str, part: Sequence[tuple[str, str]], every_s: float | None) -> Request:
    points, nodes = zip(*part, strict=True)
    return Request(f"{what} of {len(part)} nodes", every_s, points=points, items=nodes)
