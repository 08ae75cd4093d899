"""Many nodes of which some are long: each found alone, the others read, and few questions asked."""

from collections.abc import Sequence
from typing import cast

import pytest
from asyncua import ua
from asyncua.ua.uaerrors import BadNodeIdUnknown, BadTooManyOperations

from edge.drivers.opcua.asking import AGAIN_S, REFUSALS_MAX, Asking
from edge.drivers.opcua.bounds import AnswerError, TooLongError
from edge.drivers.opcua.session import DataValue, ReadValueId, Session, value_of_id

ROOM = 1_000  # what an answer holds; a node is of length 1 where nothing else is said

NODES = {index: value_of_id(ua.NodeId(ua.Int32(index))) for index in range(1_000)}


class Server:
    """Answers with a value a node, or not at all; a session, as far as `Asking` sees one."""

    def __init__(self, lengths: dict[int, int] | None = None) -> None:
        self.lengths = lengths or {}
        self.asked: list[list[int]] = []
        self.refusal: Exception = TooLongError("too long")
        self.late_at = -1
        self.passing = False
        self.drops = 0
        self.asking = Asking(lambda: cast("Session", self), self.drop, 1_000)

    async def ask(self, nodes: Sequence[ReadValueId]) -> list[DataValue]:
        indices = [cast("int", node.NodeId.Identifier) for node in nodes]
        self.asked.append(indices)
        if len(self.asked) - 1 == self.late_at:
            raise TimeoutError
        if sum(self.lengths.get(index, 1) for index in indices) > ROOM:
            raise self.refusal
        return [DataValue(ua.Variant(index)) for index in indices]

    async def drop(self) -> None:
        self.drops += 1

    def is_passing(self) -> bool:
        return self.passing

    async def read(self, most: int = 1_000) -> set[int]:
        """Which nodes have a value; each has its own."""
        self.asked.clear()
        answers = await self.asking.answers(NODES, most)
        for index, answer in answers.items():
            assert answer.Value is not None
            assert answer.Value.Value == index
        return set(answers)


@pytest.mark.parametrize("place", [0, 499, 500, 900, 999])
async def test_one_long_node_of_a_thousand_is_found_and_the_others_are_read(place: int) -> None:
    server = Server({place: 5_000})
    assert await server.read() == set(NODES) - {place}
    assert list(server.asking.refused) == [place]
    assert server.asking.refused[place].endswith("too long")
    assert len(server.asked) <= 2 * 10 + 2  # 2**10 > 1000: two halves each time, and the rest
    assert await server.read() == set(NODES) - {place}
    assert [len(part) for part in server.asked] == [999]


async def test_one_that_stays_too_long_keeps_no_other_from_being_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where reads are so far apart that all of them are due at each."""
    now_s = [0.0]
    monkeypatch.setattr("edge.drivers.opcua.asking.monotonic", lambda: now_s[0])
    server = Server({1: 5_000, 2: 5_000, 3: 5_000})
    assert await server.read() == set(NODES) - {1, 2, 3}
    del server.lengths[3]
    reads = 0
    while 3 in server.asking.refused:
        now_s[0] += AGAIN_S
        await server.read()
        reads += 1
        assert reads <= 3, "one a read, and each in its turn"


async def test_what_is_asked_again_and_times_out_ends_the_session_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = [0.0]
    monkeypatch.setattr("edge.drivers.opcua.asking.monotonic", lambda: now_s[0])
    server = Server({1: 5_000})
    await server.read()
    now_s[0], server.late_at = AGAIN_S, 1
    await server.read()
    await server.read()
    assert server.drops == 1
    assert [len(part) for part in server.asked] == [999]


async def test_nodes_that_are_too_long_together_are_asked_for_in_parts() -> None:
    server = Server(dict.fromkeys(NODES, 7))  # 142 have room; 1000, 500, 250, 125
    assert await server.read() == set(NODES)
    assert await server.read() == set(NODES)
    assert [len(part) for part in server.asked] == [125] * 8
    assert await server.read(100) == set(NODES)
    assert [len(part) for part in server.asked] == [100] * 10
    assert not server.asking.refused


async def test_refusals_of_a_read_have_a_bound_and_the_next_goes_on() -> None:
    long = set(range(100, 1_000, 100))
    server = Server(dict.fromkeys(long, 5_000))
    found = 0
    for _ in range(len(long)):
        got = await server.read()
        assert len(server.asked) <= REFUSALS_MAX + 3 * 20
        assert got >= set(range(100))
        assert not got & long
        if found == len(server.asking.refused) == len(long):
            break
        assert found < len(server.asking.refused)
        found = len(server.asking.refused)
    assert got == set(NODES) - long


async def test_what_was_too_long_is_asked_for_again_last_and_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = 100.0
    monkeypatch.setattr("edge.drivers.opcua.asking.monotonic", lambda: now_s)
    server = Server({3: 5_000, 5: 5_000})
    await server.read()
    now_s += AGAIN_S - 0.1
    assert await server.read() == set(NODES) - {3, 5}
    assert len(server.asked) == 1
    now_s += 0.1
    server.lengths = {5: 5_000}
    for first in (998, 999):  # one a read: each may take as long as all the others
        assert await server.read() == set(NODES) - {5}
        assert [len(part) for part in server.asked] == [first, 1]
    assert await server.read() == set(NODES) - {5}
    assert [len(part) for part in server.asked] == [999]


async def test_an_answer_that_does_not_come_ends_the_session_unless_it_is_the_first() -> None:
    server = Server()
    server.late_at = 3
    assert await server.read(100) == set(range(300))
    assert server.drops == 1
    server.late_at = 0
    with pytest.raises(TimeoutError):
        await server.read(100)
    server.passing = True
    with pytest.raises(AnswerError, match="does not end in time"):
        await server.read(100)


async def test_a_server_that_cannot_answer_that_much_is_asked_for_less() -> None:
    server = Server(dict.fromkeys(NODES, 100))  # ten have room
    server.refusal = BadTooManyOperations()
    assert await server.read() == set(NODES)
    assert [len(part) for part in server.asked][:8] == [1_000, 500, 250, 125, 62, 31, 15, 7]
    server.asking = Asking(lambda: cast("Session", server), server.drop, 1_000)
    server.lengths = {7: 5_000}
    await server.read()
    assert server.asking.refused[7].endswith("does not answer that much: BadTooManyOperations")
    server.refusal = BadNodeIdUnknown()
    server.lengths = {8: 5_000}
    with pytest.raises(BadNodeIdUnknown):
        await server.read()
