"""A server's bytes cost the agent no more than an answer: chunks and values built by hand.

The forms are those of OPC UA Part 6: 6.7.2 (chunks: type, F or C or A, size), 5.2.2.16 (variants:
0x80 an array, 0x40 with dimensions, the low bits its type).
"""

import asyncio
import struct
import tracemalloc
from collections.abc import Iterator

import pytest
from asyncua import ua
from asyncua.client import ua_session
from asyncua.client.ua_client import UaClient
from asyncua.common.utils import Buffer
from asyncua.ua import ua_binary
from asyncua.ua.uaerrors import UaStructParsingError

from edge.drivers.base import DeviceError
from edge.drivers.opcua.bounds import AnswerError, Chunks, TooLongError, bind
from edge.drivers.opcua.driver import OpcUaDriver
from edge.drivers.opcua.security import OpcUaSecurity
from evidence.points import Dtype
from tests.tcp_server import TcpServer
from tests.unit.edge.drivers.specs import register, secured


def chunk(part: bytes, size: int, kind: bytes = b"MSG") -> bytes:
    return kind + part + size.to_bytes(4, "little") + bytes(size - 8)


def test_chunks_are_cut_wherever_the_network_cuts() -> None:
    sent = [chunk(b"C", 40), chunk(b"C", 24), chunk(b"F", 16), chunk(b"F", 64), chunk(b"C", 24)]
    sent += [chunk(b"A", 24)]  # the message before it is broken off: the next begins anew
    sent += [chunk(b"F", 100)]
    for step in (1, 7, 23, 1_000):
        chunks, data = Chunks(100), b"".join(sent)
        got = [c for at in range(0, len(data), step) for c in chunks.take(data[at : at + step])]
        assert got == sent


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"MSGF" + b"\xff\xff\xff\xff", "more than 100 bytes"),
        (b"MSGF" + (101).to_bytes(4, "little"), "more than 100 bytes"),
        (chunk(b"C", 60) + chunk(b"C", 24) + chunk(b"F", 17)[:8], "more than 100 bytes"),
        (chunk(b"A", 24, b"OPN"), "does not keep"),
        (chunk(b"X", 24), "does not keep"),
        (chunk(b"F", 24, b"HEL"), "does not keep"),
        (b"MSGF" + (11).to_bytes(4, "little"), "does not keep"),
        (b"HTTP/1.1 400 Bad", "does not keep"),
    ],
)
def test_what_is_too_long_or_no_answer_is_known_by_its_head(data: bytes, why: str) -> None:
    with pytest.raises(AnswerError, match=why):
        Chunks(100).take(data)


def test_an_answer_comes_in_few_pieces() -> None:
    chunks = Chunks(1_000_000)
    assert len(chunks.take(chunk(b"C", 16) * 1_024)) == 1_024
    with pytest.raises(AnswerError, match="more than 1024 pieces"):
        chunks.take(chunk(b"F", 16))


def test_a_reason_of_a_server_has_the_length_that_it_may_have() -> None:
    Chunks(1_000_000).take(chunk(b"F", 16 + 4_096, b"ERR"))
    with pytest.raises(AnswerError):
        Chunks(1_000_000).take(b"ERRF" + (16 + 4_097).to_bytes(4, "little"))


@pytest.fixture
def _little_memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000, f"{peak} bytes"


@pytest.mark.usefixtures("_little_memory")
@pytest.mark.parametrize(
    "data",
    [
        b"\x80" + struct.pack("<i", 3_000_000),  # three million nothings
        b"\xc6" + struct.pack("<iii", 0, 1, 1_000_000),  # an Int32 matrix: no values, a dimension
    ],
)
def test_an_array_is_as_long_as_its_bytes(data: bytes) -> None:
    rest = Buffer(data + b"\x0b" + struct.pack("<d", 4.25))  # a Double behind it
    assert ua_binary.variant_from_binary(rest).Value == []
    assert ua_binary.variant_from_binary(rest).Value == 4.25


def test_an_answer_whose_bytes_are_dear_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    # 0.2 s and a second for each million bytes: of 20 kB 0.22 s
    answer = ua.ReadResponse(Results=[ua.DataValue(ua.Variant(b"x" * 19_900))])
    whole = ua_binary.struct_to_binary(answer)
    assert 19_900 < len(whole) < 20_000

    def decoded(kind: type, data: bytes, took_s: float) -> object:
        clock = iter([5.0, 5.0 + took_s])
        monkeypatch.setattr("edge.drivers.opcua.bounds.thread_time", lambda: next(clock))
        return vars(ua_session)["struct_from_binary"](kind, Buffer(data))

    assert decoded(ua.ReadResponse, whole, 0.2).Results == answer.Results  # type: ignore[attr-defined] # of that kind
    with pytest.raises(AnswerError, match=r"takes 0\.3 s to understand"):
        decoded(ua.ReadResponse, whole, 0.3)
    listing = ua_binary.struct_to_binary(ua.BrowseResponse())
    decoded(ua.BrowseResponse, listing, 9.0)  # a person waits for it


async def test_a_notification_that_is_not_understood_ends_the_subscription() -> None:
    client, told = UaClient(), list[str]()

    async def publish(acks: list[object]) -> None:
        raise UaStructParsingError from AnswerError("too dear")

    client.session.publish = publish  # type: ignore[method-assign,assignment] # a server's part
    bind(client, 100, told.append)
    with pytest.raises(UaStructParsingError):
        await client.session.publish([])
    assert told == ["a notification could not be understood: AnswerError('too dear')"]


def message(part: bytes, number: int, asked: int, body: bytes) -> bytes:
    """A chunk without security: channel and token 0, the chunk's number, the request's."""
    rest = struct.pack("<4I", 0, 0, number, asked) + body
    return b"MSG" + part + struct.pack("<I", 8 + len(rest)) + rest


async def test_what_is_too_long_or_broken_off_loses_its_question_alone() -> None:
    client, told = UaClient(), list[str]()
    bind(client, 100, told.append)
    protocol = client._make_protocol()
    asked = [asyncio.get_running_loop().create_future() for _ in range(5)]
    protocol._callbackmap.update(enumerate(asked))
    protocol.data_received(
        b"".join(
            [
                message(b"C", 1, 1, b"a" * 60) + message(b"C", 2, 1, b"a" * 41),
                message(b"C", 3, 1, b"a" * 2_000) + message(b"F", 4, 1, b"a"),
                message(b"F", 5, 2, b"b" * 101),
                message(b"C", 6, 3, b"c" * 50),
                # 0x80B90000 is BadResponseTooLarge (Part 6, annex A); the reason is no text
                message(b"A", 7, 3, struct.pack("<Ii", 0x80B90000, -1)),
                message(b"C", 8, 4, b"d" * 60) + message(b"F", 9, 4, b"d" * 40),
            ]
        )
    )
    for lost in asked[1:3]:
        with pytest.raises(TooLongError, match="more than 100 bytes"):
            lost.result()
    with pytest.raises(TooLongError, match="broke an answer off: BadResponseTooLarge"):
        asked[3].result()
    assert bytes(asked[4].result()) == b"d" * 100
    assert not asked[0].done()
    assert not told


@pytest.mark.parametrize(("takes", "is_taken"), [(8_192, True), (8_191, False)])
async def test_what_a_server_takes_is_no_bound_of_what_it_sends(takes: int, is_taken: bool) -> None:
    client, told = UaClient(), list[str]()
    bind(client, 1_000, told.append)
    protocol = client._make_protocol()
    acknowledged, answered = (asyncio.get_running_loop().create_future() for _ in range(2))
    protocol._callbackmap.update({0: acknowledged, 1: answered})
    # it takes messages of 64 bytes, in one chunk (Part 6, 7.1.2.4)
    protocol.data_received(b"ACKF" + struct.pack("<6I", 28, 0, takes, 65_535, 64, 1))
    if is_taken:
        protocol.data_received(message(b"C", 1, 1, b"a" * 500) + message(b"F", 2, 1, b"a" * 500))
        assert len(answered.result()) == 1_000
    else:
        assert told == ["the server takes no chunks of 8192 bytes"]
        with pytest.raises(AnswerError):
            acknowledged.result()
        with pytest.raises(AnswerError):
            answered.result()


class Pours(TcpServer):
    """Acknowledges, then sends pieces of one message until it is hung up on."""

    poured = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(b"ACKF" + struct.pack("<6I", 28, 0, 65_535, 65_535, 0, 0))
        await reader.read(1_000)
        number = 0
        while not writer.is_closing():
            number += 1
            writer.write(message(b"C", number, 1, bytes(60_000)))
            self.poured += 60_000
            await writer.drain()


async def test_a_server_that_does_not_end_is_hung_up_on_at_once() -> None:
    async with Pours() as server:
        point = register("volt", Dtype.F32, node="ns=2;s=volt")
        url = f"opc.tcp://127.0.0.1:{server.port}/x"
        driver = OpcUaDriver(secured(url, OpcUaSecurity(), point, timeout_s=30.0))
        with pytest.raises(DeviceError, match="an answer of more than 16777216 bytes"):
            await asyncio.wait_for(driver.connect(), 20.0)
        await driver.close()
        assert await server.settled() == 0
    assert server.poured < 70_000_000  # 16 MiB and what sockets hold
