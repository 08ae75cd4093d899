"""Records an OPC UA server: reads the same nodes round after round. Browses and reads, never more.

Anonymous and without security, as a plant's server is asked on the bench. Written for asyncua 2.1.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.uaerrors import UaError

from firmware_configs.model import Profile
from simulators.clock import Clock
from simulators.recorded.recording import CHARACTERS_MAX, NodeValue, RecordingError
from simulators.recorded.text import LINE_BYTES_MAX, value_line

NODES_MAX = 5000
_DEPTH_MAX = 12
_BATCH = 200
#: variant types whose values are kept, as text: numbers, truth, texts
KEPT = frozenset(
    {
        "Boolean", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64",
        "Float", "Double", "String",
    }
)  # fmt: skip

Tell = Callable[[NodeValue], None]


@asynccontextmanager
async def opened(url: str, wait_s: float) -> AsyncIterator[Client]:
    """A session; RecordingError when there is none to be had."""
    client = Client(url, timeout=wait_s)
    try:
        await client.connect()
    except (OSError, TimeoutError, UaError) as error:
        raise RecordingError(f"{url} cannot be opened: {str(error) or repr(error)}") from None
    try:
        yield client
    finally:
        with suppress(OSError, TimeoutError, UaError):  # it may be gone: what was read is written
            await client.disconnect()


async def namespaces_of(client: Client) -> tuple[str, ...]:
    """The server's namespace array."""
    return tuple(str(uri) for uri in await client.get_namespace_array())


def nodes_of(profile: Profile, namespaces: Sequence[str], each: int) -> list[str]:
    """Node ids of a profile's rows, "{n}" from 1 on; RecordingError for a namespace not there."""
    found = []
    for register in profile.registers:
        uri = register.namespace
        if uri is not None and uri not in namespaces:
            raise RecordingError(f"the server has no namespace {uri}: {' '.join(namespaces)}")
        index = namespaces.index(uri) if uri is not None else 0
        numbers = range(1, each + 1) if "{n" in register.name else [0]
        found += [str(register.node).format(ns=index, n=n) for n in numbers]
    return found


async def browsed(client: Client) -> list[str]:
    """Node ids of all variables below Objects that are not of the OPC UA namespace itself."""
    found: dict[str, None] = {}
    level, seen = [client.nodes.objects], set[str]()
    for _ in range(_DEPTH_MAX):
        below: list[Node] = []
        for node in level:
            for reference in await node.get_references(
                refs=ObjectIds.HierarchicalReferences, direction=ua.BrowseDirection.Forward
            ):
                name = reference.NodeId.to_string()
                if reference.NodeId.NamespaceIndex == 0 or name in seen:
                    continue
                seen.add(name)
                below.append(client.get_node(reference.NodeId))
                if reference.NodeClass == ua.NodeClass.Variable:
                    found[name] = None
                if len(seen) > NODES_MAX:
                    raise RecordingError(f"more than {NODES_MAX} nodes: record by a --profile")
        level = below
    return list(found)


async def record_opcua(
    client: Client, nodes: Sequence[str], *, rounds: int, every_s: float, clock: Clock, tell: Tell
) -> list[str]:
    """Read the nodes.

    Args:
        client: connected.
        nodes: node ids.
        rounds: how often.
        every_s: between the beginnings of two rounds, or as long as one takes.
        clock: of times between.
        tell: takes each value at once.

    Returns:
        Node ids whose values are arrays, structures or too long: they are left out.

    Raises:
        RecordingError: the connection was lost.
    """
    began_s, began_ns = clock.elapsed_s(), clock.now_ns()
    batches = [nodes[at : at + _BATCH] for at in range(0, len(nodes), _BATCH)]
    left_out: dict[str, None] = {}
    for number in range(rounds):
        await clock.sleep(began_s + number * every_s - clock.elapsed_s())
        for batch in batches:
            asked_s = clock.elapsed_s()
            try:
                values = await client.read_attributes([client.get_node(n) for n in batch])
            except (OSError, TimeoutError, UaError) as error:
                raise RecordingError(f"the server answers no more: {error!r}") from None
            took_s = clock.elapsed_s() - asked_s
            for node, value in zip(batch, values, strict=True):
                place = number, _ms(asked_s - began_s), _ms(took_s)
                if (found := _value(place, node, value, began_ns)) is not None:
                    tell(found)
                else:
                    left_out[node] = None
    return list(left_out)


def _value(
    place: tuple[int, int, int], node: str, value: ua.DataValue, began_ns: int
) -> NodeValue | None:
    status = value.StatusCode.value if value.StatusCode is not None else 0
    variant, kind, text = value.Value, "", ""
    if variant is not None and variant.Value is not None:
        kind, content = variant.VariantType.name, variant.Value
        if kind not in KEPT or isinstance(content, list):
            return None
        text = repr(content) if isinstance(content, float) else str(content)
        if len(text) > CHARACTERS_MAX or not text.isprintable():
            return None
    source_ms = None
    if value.SourceTimestamp is not None:
        at_s = value.SourceTimestamp.replace(tzinfo=UTC).timestamp()
        source_ms = round(at_s * 1000) - began_ns // 1_000_000
    found = NodeValue(*place, node, kind, text, status, source_ms)
    return found if len(value_line(found)) <= LINE_BYTES_MAX else None


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))
