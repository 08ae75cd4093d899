"""An OPC UA server played from a recording: the same nodes, values and states. Read-only.

Namespaces stand where they stood, so node ids are the recorded ones. A value's source time is as
old as it was when it was read. A value whose status is bad is played without its content, as the
standard wants it (part 4, 7.7.1). Written for asyncua 2.1.
"""

import struct
from datetime import UTC, timedelta

from asyncua import ua
from asyncua.server.server import Server
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaerrors import UaError

from simulators.clock import Clock
from simulators.opcua_gateway import port_of
from simulators.recorded.recording import NodeValue, Recording, RecordingError, Rounds
from simulators.served import ServeError

_EPOCH = ua.DateTime(1970, 1, 1, tzinfo=UTC)
_LOOK_S = 0.1

_BITS = {"Byte": 8, "UInt16": 16, "UInt32": 32, "UInt64": 64}
_SIGNED_BITS = {"SByte": 8, "Int16": 16, "Int32": 32, "Int64": 64}


class ReplayedOpcUa:
    """One server, one port."""

    def __init__(
        self, recording: Recording, rounds: Rounds, *, host: str, port: int, clock: Clock
    ) -> None:
        """Nothing is opened yet; RecordingError for a value that is none of its type."""
        self._namespaces = recording.head.namespaces
        self._rounds, self._host, self._port, self._clock = rounds, host, port, clock
        self._values: dict[int, list[tuple[ua.NodeId, NodeValue, ua.Variant | None]]] = {}
        for value in recording.values:
            self._values.setdefault(value.round, []).append(_decoded(value))
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """As a site file writes it; the port is the real one once started."""
        return f"opc.tcp://{self._host}:{self._port}/"

    async def start(self) -> None:
        """Build the address space, listen, show the first round; ServeError without the port."""
        server = Server()
        await server.init()
        server.set_endpoint(self.url)
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        if len(self._namespaces) > 1:
            await server.set_application_uri(self._namespaces[1])
        for uri in self._namespaces[2:]:
            await server.register_namespace(uri)
        await self._add_nodes(server)
        try:
            await server.start()
        except OSError as error:
            raise ServeError(f"cannot listen on {self.url}: {error.strerror}") from None
        self._server, self._port = server, port_of(server)
        await self._show(self._rounds.at(0))

    async def run(self) -> None:
        """Show round after round, until cancelled."""
        began_s, shown = self._clock.elapsed_s(), self._rounds.at(0)
        while True:
            await self._clock.sleep(_LOOK_S)
            number = self._rounds.at(self._clock.elapsed_s() - began_s)
            if number != shown:
                await self._show(number)
                shown = number

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            await self._server.stop()
            self._server = None

    async def _add_nodes(self, server: Server) -> None:
        kinds: dict[ua.NodeId, str] = {}
        for rows in self._values.values():
            for node, value, _ in rows:
                kind = kinds.get(node) or value.type
                if value.type not in {"", kind}:
                    raise RecordingError(
                        f"{value.node}: is {kind} and {value.type} in one recording"
                    )
                kinds[node] = kind
        waiting = ua.DataValue(
            StatusCode=ua.StatusCode(ua.UInt32(StatusCodes.BadWaitingForInitialData))
        )
        for node, kind in kinds.items():
            if node.NamespaceIndex >= max(2, len(self._namespaces)):
                raise RecordingError(f"{node.to_string()}: there is no such namespace")
            variable = await server.nodes.objects.add_variable(
                node, ua.QualifiedName(str(node.Identifier), node.NamespaceIndex), 0,
                ua.VariantType[kind or "Double"],
            )  # fmt: skip
            await variable.write_value(waiting)

    async def _show(self, number: int) -> None:
        if self._server is None:
            return
        now_ms = self._clock.now_ns() // 1_000_000
        space = self._server.iserver.aspace
        for node, value, variant in self._values[number]:
            at = None
            if value.source_ms is not None:
                at = _EPOCH + timedelta(milliseconds=now_ms + value.source_ms - value.t_ms)
            shown = ua.DataValue(
                Value=variant, StatusCode=ua.StatusCode(ua.UInt32(value.status)),
                SourceTimestamp=at, ServerTimestamp=_EPOCH + timedelta(milliseconds=now_ms),
            )  # fmt: skip
            await space.write_attribute_value(node, AttributeIds.Value, shown)


def _decoded(value: NodeValue) -> tuple[ua.NodeId, NodeValue, ua.Variant | None]:
    try:
        node = ua.NodeId.from_string(value.node)
        variant = None
        if value.type:
            variant = ua.Variant(_content(value.type, value.value), ua.VariantType[value.type])
    except (UaError, KeyError, ValueError, OverflowError) as error:
        raise RecordingError(
            f"{value.node[:200]}: {value.type[:60]} {value.value[:60]!r} cannot be: {error}"
        ) from None
    return node, value, variant


def _content(kind: str, text: str) -> object:
    """The value of a text; an error for what its type cannot hold."""
    if kind == "String":
        return text
    if kind == "Boolean":
        return {"True": True, "False": False}[text]
    if kind in {"Float", "Double"}:
        struct.pack(">f" if kind == "Float" else ">d", float(text))
        return float(text)
    is_signed = kind in _SIGNED_BITS
    bits = _SIGNED_BITS[kind] if is_signed else _BITS[kind]
    int(text).to_bytes(bits // 8, "big", signed=is_signed)
    return int(text)
