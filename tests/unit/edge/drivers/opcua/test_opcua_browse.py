"""Listing a server's variables: what is listed, and where it stops however large the server is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from asyncua import ua

from edge.drivers.opcua.browse import BrowseLimits, Listing, Variable, browse

URI = "urn:test:plant"
OBJECTS = ua.NodeId(ua.Int32(85))
ORGANIZES, PROPERTY, COMPONENT = 35, 46, 47  # reference types of Part 3


def node(name: str) -> ua.NodeId:
    return ua.NodeId(ua.String(name), ua.Int16(1))


def reference(
    target: ua.NodeId, name: str, kind: ua.NodeClass, by: int = ORGANIZES
) -> ua.ReferenceDescription:
    made = ua.ReferenceDescription(
        ReferenceTypeId=ua.NodeId(ua.Int32(by)),
        NodeId=ua.ExpandedNodeId(target.Identifier, target.NamespaceIndex),
        BrowseName=ua.QualifiedName(name, 1),
        DisplayName=ua.LocalizedText(name),
        NodeClass=kind,
    )
    return made


@dataclass
class Fake:
    """A server made of a dict: node id -> what is below it."""

    below: dict[str, list[ua.ReferenceDescription]]
    values: dict[tuple[str, int], Any] = field(default_factory=dict)
    limit: int = 0
    asked: list[int] = field(default_factory=list)

    def folder(self, parent: ua.NodeId, name: str) -> ua.NodeId:
        return self._add(parent, name, ua.NodeClass.Object, ORGANIZES)

    def variable(
        self, parent: ua.NodeId, name: str, type_id: int = 11, rank: int = -1
    ) -> ua.NodeId:
        made = self._add(parent, name, ua.NodeClass.Variable, COMPONENT)
        self.values[made.to_string(), 14] = ua.NodeId(ua.Int32(type_id))
        self.values[made.to_string(), 15] = rank
        return made

    def _add(self, parent: ua.NodeId, name: str, kind: ua.NodeClass, by: int) -> ua.NodeId:
        self.below.setdefault(parent.to_string(), []).append(reference(node(name), name, kind, by))
        return node(name)

    async def children(self, nodes: Sequence[Any], each_max: int) -> list[list[Any]]:
        self.asked.append(len(nodes))
        return [self.below.get(n.to_string(), [])[:each_max] for n in nodes]

    async def ask(self, nodes: Sequence[ua.ReadValueId]) -> Sequence[ua.DataValue]:
        assert len(nodes) <= (self.limit or 100)
        return [self._answer(one) for one in nodes]

    def _answer(self, one: ua.ReadValueId) -> ua.DataValue:
        text = one.NodeId.to_string()
        if text == "i=2255":  # Server_NamespaceArray
            return ua.DataValue(ua.Variant(["http://opcfoundation.org/UA/", URI]))
        if text in ("i=11705", "i=11710"):  # MaxNodesPerRead, MaxNodesPerBrowse
            return ua.DataValue(ua.Variant(ua.UInt32(self.limit), ua.VariantType.UInt32))
        value = self.values.get((text, int(one.AttributeId)))
        if value is None:
            return ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(0x80350000)))
        return ua.DataValue(ua.Variant(value))


async def test_variables_with_their_path_type_and_unit() -> None:
    fake = Fake({})
    area = fake.folder(OBJECTS, "Kiln")
    flow = fake.variable(area, "Flow")
    fake.variable(area, "Profile", type_id=10, rank=1)
    fake.below[flow.to_string()] = [
        reference(node("units"), "EngineeringUnits", ua.NodeClass.Variable, PROPERTY),
        reference(node("range"), "EURange", ua.NodeClass.Variable, PROPERTY),
    ]
    fake.values["ns=1;s=units", 13] = ua.EUInformation(DisplayName=ua.LocalizedText("m³/h"))
    assert await browse(fake, BrowseLimits()) == Listing(
        (
            Variable("ns=1;s=Flow", URI, "Kiln/Flow", "Double", "m³/h"),
            Variable("ns=1;s=Profile", URI, "Kiln/Profile", "Float array", ""),
        )
    )


async def test_a_node_is_listed_once_though_many_ways_lead_to_it_and_rings_end() -> None:
    fake = Fake({})
    one, two = fake.folder(OBJECTS, "One"), fake.folder(OBJECTS, "Two")
    for parent in (one, two):
        fake.variable(parent, "Shared")
    fake.below[node("Shared").to_string()] = [reference(one, "One", ua.NodeClass.Object)]
    found = await browse(fake, BrowseLimits(depth=50))
    assert [variable.path for variable in found.variables] == ["One/Shared"]
    assert found.left_out == ""


async def test_the_servers_own_object_and_other_servers_are_left_alone() -> None:
    fake = Fake({})
    own = reference(ua.NodeId(ua.Int32(2253)), "Server", ua.NodeClass.Object)
    other = reference(node("far"), "Far", ua.NodeClass.Variable)
    other.NodeId = ua.ExpandedNodeId(ua.String("far"), ua.Int16(1), ServerIndex=ua.UInt32(3))
    fake.below[OBJECTS.to_string()] = [own, other]
    fake.below["i=2253"] = [reference(node("x"), "Diagnostics", ua.NodeClass.Variable)]
    assert await browse(fake, BrowseLimits()) == Listing(())


async def test_what_a_server_calls_things_is_one_line_and_can_be_printed() -> None:
    # a name may forge lines of ours, command the terminal, turn the writing round, or be no UTF-8
    # (GBK, as many a server sends it: asyncua gives such bytes as lone surrogates)
    fake = Fake({})
    forged = "Flow\n  certificate SHA-256 AB:CD\x1b[2J\u202e" + b"\xc1\xf7".decode(
        errors="surrogateescape"
    )
    flow = fake.variable(OBJECTS, forged)
    fake.below[flow.to_string()] = [
        reference(node("units"), "EngineeringUnits", ua.NodeClass.Variable, PROPERTY)
    ]
    fake.values["ns=1;s=units", 13] = ua.EUInformation(DisplayName=ua.LocalizedText("m\x1b[3"))
    plain = r"Flow\n  certificate SHA-256 AB:CD\x1b[2J\u202e\udcc1\udcf7"
    assert await browse(fake, BrowseLimits()) == Listing(
        (Variable(f"ns=1;s={plain}", URI, plain, "Double", r"m\x1b[3"),)
    )


async def test_it_stops_at_a_count() -> None:
    fake = Fake({})
    for number in range(30):
        fake.variable(OBJECTS, f"v{number}")
    found = await browse(fake, BrowseLimits(count=7))
    assert [v.name for v in found.variables] == [f"v{n}" for n in range(7)]
    assert found.left_out == "stopped at 7 variables"
    assert (await browse(fake, BrowseLimits(count=30))).left_out == ""


async def test_it_stops_at_a_depth() -> None:
    fake = Fake({})
    parent = OBJECTS
    for level in range(6):
        fake.variable(parent, f"v{level}")
        parent = fake.folder(parent, f"level{level}")
    found = await browse(fake, BrowseLimits(depth=2))
    assert [v.name for v in found.variables] == ["v0", "v1", "v2"]
    assert found.left_out == "stopped 2 levels below the Objects folder"
    assert (await browse(fake, BrowseLimits(depth=7))).left_out == ""


async def test_it_stops_at_a_time() -> None:
    fake = Fake({})
    parent = OBJECTS
    for level in range(6):
        fake.variable(parent, f"v{level}")
        parent = fake.folder(parent, f"level{level}")
    clock = iter(range(100))
    found = await browse(fake, BrowseLimits(seconds=3), now_s=lambda: next(clock))
    assert [v.name for v in found.variables] == ["v0", "v1", "v2"]
    assert found.left_out == "stopped after 3 s"


@pytest.mark.parametrize("limit", [0, 1, 7])
async def test_the_servers_limits_are_kept(limit: int) -> None:
    fake = Fake({}, limit=limit)
    for number in range(250):
        fake.variable(OBJECTS, f"v{number}")
    found = await browse(fake, BrowseLimits())
    assert len(found.variables) == 250
    assert {v.type for v in found.variables} == {"Double"}
    assert max(fake.asked) == (limit or 100)


async def test_what_a_server_does_not_tell_is_empty_and_long_texts_are_cut() -> None:
    fake = Fake({})
    made = fake.variable(OBJECTS, "x" * 5000)
    del fake.values[made.to_string(), 14]
    (variable,) = (await browse(fake, BrowseLimits())).variables
    assert (variable.type, variable.unit, len(variable.name)) == ("", "", 200)


async def test_types_of_the_servers_own_are_node_ids() -> None:
    fake = Fake({})
    made = fake.variable(OBJECTS, "v")
    fake.values[made.to_string(), 14] = ua.NodeId(ua.Int32(3001), ua.Int16(1))
    duration = fake.variable(OBJECTS, "d", type_id=290)
    found = await browse(fake, BrowseLimits())
    assert duration is not None
    assert [v.type for v in found.variables] == ["ns=1;i=3001", "Duration"]
