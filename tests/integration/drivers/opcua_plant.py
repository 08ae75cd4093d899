"""A small OPC UA server for driver tests: values with any status, recorded requests, cuts, silence.

The server is asyncua's; starting one costs more than a second, so a module shares one.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from asyncua import Server, ua
from asyncua.common.node import Node
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.object_ids import ObjectIdNames

from tests.recording import RECORD

NAMESPACE = "urn:stackproof:test:plant"


class Plant:
    """`await start()` first; `url` is where it listens."""

    def __init__(self) -> None:
        self.server = Server()
        self.index = 0
        self.requests: list[str] = []
        self.is_silent = False
        self.deaf_to = ""
        self._nodes: dict[str, Node] = {}

    async def start(self, *, port: int = 0, before: tuple[str, ...] = ()) -> None:
        """Listen on 127.0.0.1; `before` are namespaces registered ahead of ours."""
        await self.server.init()
        self.server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/plant")
        self.server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        for uri in before:
            await self.server.register_namespace(uri)
        self.index = await self.server.register_namespace(NAMESPACE)
        await self.server.start()
        assert self.server.bserver is not None
        self.port = self.server.bserver.port
        self._unhear = _listen_in(self)

    async def stop(self) -> None:
        self._unhear()
        await self.server.stop()

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}/plant"

    @property
    def open_connections(self) -> int:
        assert self.server.bserver is not None
        return len(self.server.bserver.clients)

    async def settled(self) -> int:
        """Open connections once the loop has had a moment to notice what was closed."""
        for _ in range(100):
            if not self.open_connections:
                break
            await asyncio.sleep(0.005)
        return self.open_connections

    async def put(
        self,
        name: str,
        value: object,
        kind: ua.VariantType = ua.VariantType.Float,
        *,
        status: int = ua.StatusCodes.Good,
        when: datetime | None = None,
    ) -> None:
        """Set a node's value, status and source time; made when it is not there."""
        variant = ua.Variant() if value is None else ua.Variant(value, kind)
        answer = ua.DataValue(variant, ua.StatusCode(ua.UInt32(status)), SourceTimestamp=when)
        if name not in self._nodes:
            node_id = ua.NodeId(ua.String(name), ua.Int16(self.index))
            self._nodes[name] = await self.server.nodes.objects.add_variable(
                node_id,
                ua.QualifiedName(name, self.index),
                ua.Variant(0.0, kind) if value is None and status else variant,
            )
        # straight into the address space: a client's write would be judged and stamped
        done = await self.server.iserver.aspace.write_attribute_value(
            self._nodes[name].nodeid, ua.AttributeIds.Value, answer
        )
        assert done.is_good(), f"{name} = {value!r}: {done.name}"

    def forget(self, name: str) -> None:
        """Tell nobody of changes of a node any more, without a word."""
        node = self.server.iserver.aspace._nodes[self._nodes[name].nodeid]
        node.attributes[ua.AttributeIds.Value].datachange_callbacks.clear()

    async def cut(self) -> None:
        """Close the port and every connection, as a crash does."""
        assert self.server.bserver is not None
        for client in list(self.server.bserver.clients):
            if client.transport is not None:
                client.transport.abort()
        await self.server.bserver.stop()

    async def listen(self) -> None:
        """Listen again, on the same port."""
        assert self.server.bserver is not None
        await self.server.bserver.start()


def _listen_in(plant: Plant) -> Callable[[], None]:
    """Have the server's connections write down what they are asked; returns how to stop that."""
    process = UaProcessor._process_message

    async def processing(self: Any, typeid: ua.NodeId, *rest: Any) -> Any:
        if self.iserver is plant.server.iserver:
            name = ObjectIdNames[typeid.Identifier].split("_")[0]
            plant.requests.append(name)
            RECORD.note("OPC UA", name)
            if plant.is_silent or plant.deaf_to == name:
                return True
        return await process(self, typeid, *rest)

    def undo() -> None:
        UaProcessor._process_message = process  # type: ignore[method-assign] # a test's ear

    UaProcessor._process_message = processing  # type: ignore[method-assign] # a test's ear taken off
    return undo
