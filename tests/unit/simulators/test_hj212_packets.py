"""What a simulated CEMS logger sends, against the standard's own packet and by hand."""

import asyncio
import math
from typing import cast

from firmware_configs.profile import load_profile
from simulators.hj212_logger import Hj212Logger, checksum, packet, segment
from simulators.manner import Manner

PROFILE = load_profile("stackproof/cems-logger")
MN = "010000A8900016F000169DC0"
#: 2026-06-01 08:00:00.223 in China is midnight UTC: 1 780 272 000 s
AT_NS = 1_780_272_000_223_000_000


def test_the_packet_printed_in_the_standard() -> None:
    """HJ 212-2017, appendix A's example."""
    text = (
        "QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"
        "CP=&&RtdInterval=30&&"
    )
    assert checksum(text.encode()) == 0x1C80
    assert packet(text) == b"##0101" + text.encode() + b"1C80\r\n"


def test_times_are_chinas() -> None:
    assert segment("a19001-Rtd=6.2,a19001-Flag=N", 2011, MN, AT_NS) == (
        f"QN=20260601080000223;ST=31;CN=2011;PW=123456;MN={MN};Flag=4;"
        "CP=&&DataTime=20260601080000;a19001-Rtd=6.2,a19001-Flag=N&&"
    )


class Wire:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def write(self, data: bytes) -> None:
        self.sent.append(data.decode())


def kinds(wire: Wire) -> list[str]:
    return [text.partition("CN=")[2][:4] for text in wire.sent]


async def test_a_clock_that_is_wrong_is_sent_and_changes_no_interval() -> None:
    """An hour behind: 07:00:00 in China."""
    logger = Hj212Logger(PROFILE, host="127.0.0.1", port=1, mn=MN, rtd_s=5)
    wire = Wire()
    logger._writer = cast("asyncio.StreamWriter", wire)
    now = {register.name: 78.0 for register in PROFILE.registers}
    await logger.publish(now, AT_NS - 5 * 10**9)
    wire.sent.clear()
    logger.behave(Manner(clock_s=-3600))
    await logger.publish(now, AT_NS)
    (text,) = wire.sent
    assert "QN=20260601070000223;" in text
    assert "DataTime=20260601070000;" in text


async def test_messages_come_at_their_intervals() -> None:
    logger = Hj212Logger(PROFILE, host="127.0.0.1", port=1, mn=MN, rtd_s=5)
    wire = Wire()
    logger._writer = cast("asyncio.StreamWriter", wire)
    now = {register.name: 1.0 for register in PROFILE.registers}
    now |= {register.name: 78.0 for register in PROFILE.registers if register.states}
    for tenth in range(6010):  # 601 s
        await logger.publish(now, AT_NS + tenth * 100_000_000)
    wanted = {register.item.command for register in PROFILE.registers if register.item}
    assert set(kinds(wire)) == {str(command) for command in wanted}
    assert kinds(wire).count("2011") == 121
    assert kinds(wire).count("2051") == 2


async def test_without_a_value_there_is_no_number_and_a_mark() -> None:
    logger = Hj212Logger(PROFILE, host="127.0.0.1", port=1, mn=MN, rtd_s=5)
    wire = Wire()
    logger._writer = cast("asyncio.StreamWriter", wire)
    now = {register.name: 1.5 for register in PROFILE.registers}
    now |= {register.name: 78.0 for register in PROFILE.registers if register.states}
    await logger.publish({**now, "o2": math.nan}, AT_NS)
    assert "a19001-Flag=F" in wire.sent[0]
    assert "a19001-Rtd" not in wire.sent[0]
    assert "a05001-Rtd=1.5000,a05001-Flag=" in wire.sent[0]


async def test_silence() -> None:
    logger = Hj212Logger(PROFILE, host="127.0.0.1", port=1, mn=MN, rtd_s=5)
    wire = Wire()
    logger._writer = cast("asyncio.StreamWriter", wire)
    logger.behave(Manner(is_silent=True))
    await logger.publish({register.name: 1.0 for register in PROFILE.registers}, AT_NS)
    assert wire.sent == []
    assert logger.immunity("drop") is None
    assert logger.immunity("late") == "a logger is not asked, it sends"
