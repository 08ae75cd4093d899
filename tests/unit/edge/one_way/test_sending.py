"""Datagrams: what is sent when, how fast, and again."""

import asyncio
import socket
from typing import Any

import pytest

from edge.errors import AlteredError, ExportError
from edge.one_way import leaving
from edge.one_way.datagram import Reassembly, parse_fragment
from edge.one_way.leaving import (
    UdpLeaving,
    cursors_of,
    left_seq,
    turn_ring,
)
from edge.site.way import UdpWay
from tests.unit.edge.fakes import ShiftedClock
from tests.unit.edge.one_way.kit import DAY_NS, Here, left
from tests.unit.edge.stream_rig import BODY, NOW_NS, Rig
from tests.waiting import ENOUGH_S


async def test_new_objects_go_first_and_each_again_at_its_age(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []

    class Sender:
        def __init__(self, *_: object) -> None: ...

        async def send(self, data: bytes) -> None:
            sent.append(data)

    monkeypatch.setattr(leaving, "Sender", Sender)
    clock = ShiftedClock()
    way = UdpWay("127.0.0.1", 9, 10**6, (10, 600))
    udp = UdpLeaving(way, rig.spool, clock, Here())
    objects = [stored.data for stored in rig.spool.objects(0, 9)]

    async def all_due(at_ns: int) -> list[bytes]:
        monkeypatch.setattr(clock, "wall_ns", lambda: at_ns)
        sent.clear()
        while await udp.step():
            pass
        return sent[:]

    assert await all_due(NOW_NS) == objects
    assert await all_due(NOW_NS + 9 * 10**9) == []
    assert await all_due(NOW_NS + 10 * 10**9) == objects
    rig.stream.append_frame(BODY, b"calc", NOW_NS)
    (newest,) = (stored.data for stored in rig.spool.objects(6, 1))
    assert await all_due(NOW_NS + 600 * 10**9) == [newest, newest, *objects, newest]
    assert cursors_of(rig.spool, 3) == [7, 7, 7]
    left(rig.spool, 0, 0, 0)
    behind_ns = NOW_NS - DAY_NS  # a clock that was set back: the stream's time goes on ahead of it
    assert await all_due(behind_ns) == [*objects, newest]
    udp.close()


async def test_an_object_that_the_disk_alters_after_it_has_left_stops_no_other(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nothing would be sent again, the ring would not turn, and the spool fill."""
    sent = list[bytes]()

    async def send(_: object, data: bytes) -> None:
        sent.append(data)

    monkeypatch.setattr(leaving.Sender, "send", send)
    udp = UdpLeaving(UdpWay("127.0.0.1", 9, 10**6, (10,)), rig.spool, ShiftedClock(), Here())
    left(rig.spool, 6, 0)
    objects = [stored.data for stored in rig.spool.objects(0, 9)]
    rig.spool._db.execute("UPDATE objects SET bytes = zeroblob(9) WHERE seq = 2")
    while await udp.step():
        pass
    assert sent == objects[:2] + objects[3:]
    assert (left_seq(rig.spool), turn_ring(rig.spool, NOW_NS + 2 * DAY_NS, DAY_NS)) == (5, 2)
    left(rig.spool, 2, 0)
    with pytest.raises(AlteredError):  # it has not left
        await udp.step()
    udp.close()


async def test_rate_is_never_exceeded() -> None:
    clock = ShiftedClock()
    with socket.socket(type=socket.SOCK_DGRAM) as out:
        sender = leaving.Sender(UdpWay("127.0.0.1", 9, 200_000, (1,)), out, clock)
        begins_s = asyncio.get_running_loop().time()
        await sender.send(b"x" * 40_000)  # with its 30 heads 41.6 kB: 0.2 s
        assert asyncio.get_running_loop().time() - begins_s >= 0.19


class _Line(socket.socket):
    """A datagram socket that has one reader, and little room before it."""

    def sendto(self, data: Any, *_: Any) -> int:
        return self.send(data)


async def test_a_line_that_is_slower_than_its_rate_gets_an_object_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Begun anew at each full buffer, a configuration of a few hundred kB would never leave."""
    far, near = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    data = bytes(range(256)) * 1_600  # 304 datagrams; Linux holds ten or so (max_dgram_qlen)
    far.settimeout(ENOUGH_S)
    with far, _Line(fileno=near.detach()) as line:
        line.setblocking(False)
        sender = leaving.Sender(UdpWay("192.0.2.1", 9, 10**9, (1,)), line, ShiftedClock())
        sending = asyncio.create_task(sender.send(data))
        whole, reassembly = None, Reassembly()
        while whole is None:
            piece = await asyncio.to_thread(far.recv, 2_000)
            whole = reassembly.take(parse_fragment(piece))
        await sending
        assert whole == data
        monkeypatch.setattr(leaving, "BLOCKED_S", 0.05)
        with pytest.raises(ExportError, match=r"the line to 192\.0\.2\.1:9 takes nothing more"):
            await sender.send(data)
