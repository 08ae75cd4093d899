"""Lists the variables of an OPC UA server, for a person who does not have its documentation.

Bounded in count, depth and time, whatever the server's address space looks like; what was left out
is said. Only Browse, BrowseNext and Read are sent (the gate is the session's). Numbers of node
classes, attributes and nodes are those of OPC UA Part 6, annex A.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol, TypeVar

from edge.drivers.opcua.bounds import LISTING_BYTES_MAX
from edge.drivers.opcua.decode import operation_limit
from edge.drivers.opcua.refusals import named
from edge.drivers.opcua.security import OpcUaSecurity
from edge.drivers.opcua.session import (
    NAMESPACES,
    NODES_PER_BROWSE,
    NODES_PER_READ,
    OBJECTS,
    Session,
    attribute_of,
    content_of,
    type_name,
)

_T = TypeVar("_T")

NODES_PER_REQUEST = 100
CHILDREN_MAX = 10_000  # of one node
NODE_MAX = 4_096  # characters of a node id (Part 3, 8.2.4)

_VARIABLE = 2  # NodeClass
_HAS_PROPERTY = 46  # ReferenceType
_SERVER = 2253  # the server's own object: hundreds of diagnostics, no measurement
_VALUE, _DATA_TYPE, _VALUE_RANK = 13, 14, 15  # AttributeId


@dataclass(frozen=True)
class BrowseLimits:
    """Where listing stops.

    Attributes:
        count: variables listed.
        depth: levels below the Objects folder.
        seconds: time it takes; a request under way is waited for.
    """

    count: int = 10_000
    depth: int = 12
    seconds: float = 60.0


@dataclass(frozen=True)
class Variable:
    """One variable.

    Attributes:
        node: its id with the server's index of the namespace, such as "ns=2;s=Analyzer.CO2".
        namespace: URI of that namespace; "" when the server does not tell it.
        path: display names from the Objects folder down, joined with "/".
        type: name of its data type, such as "Double" or "Double array"; a node id when the type
            is the server's own; "" when the server does not tell it.
        unit: display name of its EngineeringUnits (Part 8, 5.6.3); "" when there are none.
    """

    node: str
    namespace: str
    path: str
    type: str
    unit: str

    @property
    def name(self) -> str:
        """Its display name."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Listing:
    """What was found.

    Attributes:
        variables: nearer to the Objects folder first, each node once.
        left_out: why there may be more; "" when that was all.
    """

    variables: tuple[Variable, ...]
    left_out: str = ""


class Browsable(Protocol):
    """What listing asks of a connection; a `Session` is one."""

    async def children(self, nodes: Sequence[Any], each_max: int) -> list[list[Any]]:
        """For each node the references to what is below it."""

    async def ask(self, nodes: Sequence[Any]) -> Sequence[Any]:
        """Values of attributes."""


@dataclass
class _Row:
    """A variable on its way."""

    id: Any
    path: str
    units: Any = None


async def browse_server(
    endpoint: str, security: OpcUaSecurity, limits: BrowseLimits, *, timeout_s: float = 5.0
) -> Listing:
    """Connect, list, and end the connection.

    Args:
        endpoint: "opc.tcp://host:port/path".
        security: how to connect.
        limits: where to stop.
        timeout_s: how long one answer may take.

    Raises:
        Exception: as `Session.open` and whatever a broken link makes of it.
    """
    session = Session(endpoint, security, timeout_s, answer_bytes_max=LISTING_BYTES_MAX)
    try:
        await session.open()
        return await browse(session, limits)
    finally:
        await session.close()
        await session.drop()


async def browse(
    session: Browsable, limits: BrowseLimits, *, now_s: Callable[[], float] = monotonic
) -> Listing:
    """List the variables below the Objects folder, the server's own object aside.

    Args:
        session: an open connection.
        limits: where to stop.
        now_s: a clock that only goes forward.
    """
    ends_s = now_s() + limits.seconds
    per_browse = await _limit(session, NODES_PER_BROWSE)
    rows: dict[str, _Row] = {}
    seen: set[str] = {OBJECTS.to_string()}
    level: list[tuple[Any, str]] = [(OBJECTS, "")]
    left_out = ""
    for depth in range(limits.depth + 1):
        below: list[tuple[Any, str]] = []
        for part in _parts(level, per_browse):
            if now_s() > ends_s:
                left_out = f"stopped after {limits.seconds:g} s"
                break
            references = await session.children([node for node, _ in part], CHILDREN_MAX)
            for (node, path), found in zip(part, references, strict=True):
                _sort(rows, seen, below, parent=(node.to_string(), path), found=found)
        if len(rows) > limits.count:
            left_out = f"stopped at {limits.count} variables"
        if left_out or not below:
            break
        level = below
        if depth == limits.depth:
            left_out = f"stopped {limits.depth} levels below the Objects folder"
    return Listing(await _described(session, list(rows.values())[: limits.count]), left_out)


def _sort(
    rows: dict[str, _Row],
    seen: set[str],
    below: list[tuple[Any, str]],
    *,
    parent: tuple[str, str],
    found: Sequence[Any],
) -> None:
    """Take what is below one node: new variables to the rows, and all that may hold more."""
    parent_id, path = parent
    for reference in found:
        node = reference.NodeId
        if getattr(node, "ServerIndex", 0):
            continue  # another server's
        if _is(reference.ReferenceTypeId, _HAS_PROPERTY):
            if reference.BrowseName.Name == "EngineeringUnits" and parent_id in rows:
                rows[parent_id].units = node
            continue
        text = node.to_string()
        if text in seen or _is(node, _SERVER):
            continue
        seen.add(text)
        name = named(reference.DisplayName.Text or reference.BrowseName.Name)
        here = f"{path}/{name}" if path else name
        if reference.NodeClass == _VARIABLE:
            rows[text] = _Row(node, here)
        below.append((node, here))


async def _described(session: Browsable, rows: Sequence[_Row]) -> tuple[Variable, ...]:
    """The rows with type and unit."""
    (namespaces,) = await session.ask([NAMESPACES])
    uris = list(content_of(namespaces) or ())
    per_read = await _limit(session, NODES_PER_READ)
    types = await _attributes(session, [row.id for row in rows], _DATA_TYPE, per_read)
    ranks = await _attributes(session, [row.id for row in rows], _VALUE_RANK, per_read)
    with_units = [row for row in rows if row.units is not None]
    units = await _attributes(session, [row.units for row in with_units], _VALUE, per_read)
    unit_of = {id(row): _unit(unit) for row, unit in zip(with_units, units, strict=True)}
    made: list[Variable] = []
    for row, kind, rank in zip(rows, types, ranks, strict=True):
        # ValueRank -1 is a scalar, -2 "any", -3 "scalar or one dimension" (Part 3, 5.6.2)
        array = " array" if isinstance(rank, int) and rank >= 0 else ""
        index = row.id.NamespaceIndex
        made.append(
            Variable(
                node=named(row.id.to_string(), NODE_MAX),
                namespace=named(uris[index]) if index < len(uris) else "",
                path=row.path,
                type=f"{named(type_name(kind))}{array}" if kind is not None else "",
                unit=unit_of.get(id(row), ""),
            )
        )
    return tuple(made)


async def _attributes(
    session: Browsable, nodes: Sequence[Any], attribute: int, per_read: int
) -> list[Any]:
    """An attribute of each node; None where the server gives none."""
    contents: list[Any] = []
    for part in _parts(nodes, per_read):
        answers = await session.ask([attribute_of(node, attribute) for node in part])
        contents += [content_of(answer) for answer in answers]
    return contents


async def _limit(session: Browsable, node: Any) -> int:  # noqa: ANN401 - a ReadValueId
    (answer,) = await session.ask([node])
    return operation_limit(content_of(answer), NODES_PER_REQUEST)


def _unit(information: Any) -> str:  # noqa: ANN401 - EUInformation, if the server keeps to it
    name = getattr(getattr(information, "DisplayName", None), "Text", None)
    return named(name)


def _is(node: Any, number: int) -> bool:  # noqa: ANN401 - a NodeId
    return bool(node.NamespaceIndex == 0 and node.Identifier == number)


def _parts(rows: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
