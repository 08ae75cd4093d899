"""Slow devices beside quick ones: each is read for every tick of its own, and late for none.

The drivers, the bus, the agent and its spool are the real ones; time and the far end of each wire
are virtual, so every figure is exact: a serial line takes 11 bits a byte, a server what it is told.
What a device gives is the time at which it was asked: a value that stood under another tick, or
later than its lag says, would show.
"""

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge.agent import Agent
from edge.drivers.serial_line import SerialLine
from edge.site.config import Site
from edge.site.devices import asked_of
from edge.site.traffic import endpoints_of
from edge.spool import Spool
from evidence.frame import NO_LAG, CodedSection
from evidence.quality import Quality
from tests.integration.drivers.dlt645_responder import answer
from tests.integration.edge.conftest import NoUplink
from tests.integration.edge.streams import frames, mistakes, told
from tests.property.edge.virtual_loop import VirtualClock, VirtualLoop
from tests.unit.edge.sites import HEAD, config_of, problems, site_of, who

S = 10**9
START_NS = 1_780_242_600 * S  # a multiple of ten minutes

PROFILE = """\
format = 1
vendor = "test"
model = "clock"
revision = "1"
title = "Says when it was asked"
protocol = "modbus"
quality_level = "simulated"
source = "made for this test"
address_notation = "0-based"
word_order = "big"
byte_order = "big"
max_registers_per_read = 100
hole_limit = 0
pause_ms = 0
[[register]]
name = "asked_ms"
table = "holding"
address = 0
type = "u32"
unit = "1"
kind = "count"
source = "made for this test"
"""

CLOCK = """\
[[device]]
id = "{id}"
url = "modbus+tcp://192.0.2.{host}:502?unit=1"
profile = "clock.toml"
provenance = "meter-direct"
interval_s = "{every_s}"
timeout_s = "{timeout_s}"
"""
METER = """\
[[device]]
id = "meter-{n}"
url = "dlt645+serial:///dev/ttyS9?address=12345678901{n}&baud=2400"
profile = "stackproof/dlt645-meter"
provenance = "meter-direct"
interval_s = "10"
ct_ratio = "1"
vt_ratio = "1"
"""
FAST = CLOCK.format(id="fast", host=1, every_s="1", timeout_s="0.5")
ANALYSER = CLOCK.format(id="analyser", host=2, every_s="60", timeout_s="50")
METERS = "".join(METER.format(n=n) for n in range(1, 5))

#: bytes of each data item of the meter's profile, by its format
WIDTHS = {
    0x00010000: 4, 0x00020000: 4, 0x02010100: 2, 0x02010200: 2, 0x02010300: 2, 0x02020100: 3,
    0x02020200: 3, 0x02020300: 3, 0x02030000: 3, 0x02800002: 2,
}  # fmt: skip


@dataclass
class Far:
    """The far ends of all wires.

    Attributes:
        takes_s: host -> how long its answer takes now.
        questions: what was heard on the serial line: (second, frame).
        packets: host -> how many questions came.
    """

    loop: VirtualLoop
    takes_s: dict[str, float] = field(default_factory=dict)
    questions: list[tuple[float, bytes]] = field(default_factory=list)
    packets: dict[str, int] = field(default_factory=dict)

    def ms(self) -> int:
        return int(self.loop.now_s * 1000)

    async def connect(
        self, host: str, _port: int, _timeout_s: float, *, hear: Callable[[bytes], None],
        lost: Callable[[], None], gate: Callable[[bytes], bytes],
    ) -> "Server":  # fmt: skip
        assert lost is not None
        return Server(self, host, hear, gate)

    def mouth(
        self, line: SerialLine, hear: Callable[[bytes], None], _lost: object,
        gate: Callable[[bytes], bytes],
    ) -> "Line":  # fmt: skip
        return Line(self, line, hear, gate)


@dataclass
class Server:
    """A Modbus TCP server whose register says when it was asked."""

    far: Far
    host: str
    hear: Callable[[bytes], None]
    gate: Callable[[bytes], bytes]

    def send(self, packet: bytes) -> None:
        asked = self.gate(packet)
        assert asked[7:12] == bytes([3, 0, 0, 0, 2])
        self.far.packets[self.host] = self.far.packets.get(self.host, 0) + 1
        told = asked[:4] + b"\0\x07" + asked[6:8] + b"\x04" + struct.pack(">I", self.far.ms())
        self.far.loop.call_later(self.far.takes_s[self.host], self.hear, told)

    def close(self) -> None:
        self.hear = lambda _: None


@dataclass
class Line:
    """A line of 2400 baud; each meter's energy says when it was asked, and it answers in 20 ms."""

    far: Far
    line: SerialLine
    hear: Callable[[bytes], None]
    gate: Callable[[bytes], bytes]
    free_at_s: float = 0.0

    def send(self, frame: bytes) -> None:
        asked = self.gate(frame)
        assert self.far.loop.now_s >= self.free_at_s, "two spoke at a time"
        self.far.questions.append((self.far.loop.now_s, asked))
        di = int.from_bytes(bytes((b - 0x33) & 0xFF for b in asked[14:18]), "little")
        value = f"{self.far.ms() if di == 0x00010000 else 5000:08}"
        content = bytes.fromhex(value)[::-1][: WIDTHS[di]]
        told = answer(di, content, asked[5:11])
        self.free_at_s = self.far.loop.now_s + (len(asked) + len(told)) * 11 / 2400 + 0.02
        self.far.loop.call_at(self.free_at_s, self.hear, told)

    def close(self) -> None:
        self.hear = lambda _: None


@dataclass(frozen=True)
class Seen:
    """One reading: of which tick, when complete (ms after it), what it said and its quality."""

    tick_s: float
    lag_ms: int
    asked_s: float
    quality: Quality


@dataclass
class Plant:
    """A site of such devices, and what its agent has signed."""

    folder: Path
    text: str
    loop: VirtualLoop = field(default_factory=VirtualLoop)

    def __post_init__(self) -> None:
        (self.folder / "clock.toml").write_text(PROFILE, encoding="utf-8")
        self.site: Site = site_of(self.folder, self.text)
        self.far = Far(self.loop, {"192.0.2.1": 0.01, "192.0.2.2": 20.0})
        self.clock = VirtualClock(self.loop, START_NS)
        self.objects: list[bytes] = []

    def run(self, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.loop.call_later(seconds / 2, meanwhile)
        try:
            self.loop.finish(self._run(seconds))
        finally:
            self.loop.close()
        spool = Spool(self.site.gateway.spool, bytes_max=2**30)
        self.objects = [stored.data for stored in spool.objects(0, 100_000)]
        spool.close()
        assert mistakes(self.objects) == [], "every tick of every schedule is there, once"
        assert told(self.objects).gaps == []

    async def _run(self, seconds: float) -> None:
        stop = asyncio.Event()
        task = asyncio.create_task(
            Agent(self.site, config_of(self.site), who(), clock=self.clock).run(stop)
        )
        await asyncio.sleep(seconds)
        stop.set()
        await task

    def seen(self, device: str) -> list[Seen]:
        """All readings of a device's first point."""
        config = config_of(self.site)
        number = [d["id"] for d in config["devices"]].index(device)
        point = [p.get("device") for p in config["points"]].index(device)
        groups = {g: list(m["points"]) for g, m in enumerate(config["groups"])}
        sections = [s for _, body in frames(self.objects) for s in body.sections]
        return [
            reading
            for section in sections
            if number in section.devices
            for reading in self._of(section, number, point, groups)
        ]

    def _of(
        self, section: CodedSection, number: int, point: int, groups: dict[int, list[int]]
    ) -> list[Seen]:
        (group,) = (g for g in section.groups if point in groups[g.group])
        row = groups[group.group].index(point)
        lags = section.lag_ms[section.devices.index(number)].tolist()
        return [
            Seen((tick_ns - START_NS) / S, lag, float(raw) / 1000, Quality(int(quality)))
            for tick_ns, lag, raw, quality in zip(
                section.ticks_ns().tolist(), lags, group.raw[row], group.quality[row], strict=True
            )
        ]


@pytest.fixture
def plant_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Plant]:
    """A plant of the devices in a text."""

    def made(text: str) -> Plant:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        plant = Plant(folder, HEAD + text + "[statement]\n")
        monkeypatch.setattr("edge.delivery.MqttUplink", NoUplink)
        monkeypatch.setattr("edge.delivery.UNREACHABLE_S", 0.0)
        monkeypatch.setattr("edge.drivers.modbus.tcp_wire.connect", plant.far.connect)
        monkeypatch.setattr("edge.drivers.dlt645.wire.Mouth", plant.far.mouth)
        return plant

    return made


def holds(seen: list[Seen], *, round_s: float) -> None:
    """Each was asked for within a round before its answer was complete, as its lag says."""
    assert {reading.quality for reading in seen} == {Quality.GOOD}
    for reading in seen:
        done_s = reading.tick_s + reading.lag_ms / 1000
        assert 0 <= done_s - reading.asked_s <= round_s + 0.001, reading
    asked = [reading.asked_s for reading in seen]
    assert sorted(set(asked)) == asked, "one answer stood under two ticks"


def test_a_slow_line_and_an_analyser_beside_a_quick_device(
    plant_of: Callable[[str], Plant],
) -> None:
    """Four meters on one line of 2400 baud take 8 s a round, of ten; the analyser 20 s of sixty."""
    alone = plant_of(FAST)
    alone.run(60)
    plant = plant_of(FAST + METERS + ANALYSER)
    plant.run(400)
    fast = plant.seen("fast")
    assert len(fast) >= 390
    holds(fast, round_s=0.01)
    assert {r.lag_ms for r in fast} <= {r.lag_ms for r in alone.seen("fast")}, "it was held up"
    for n in range(1, 5):
        meter = plant.seen(f"meter-{n}")
        assert len(meter) >= 38
        holds(meter, round_s=8.0)
        assert all(-10_000 < reading.lag_ms <= 800 for reading in meter)
    analyser = plant.seen("analyser")
    assert [reading.tick_s for reading in analyser] == [60, 120, 180, 240, 300, 360]
    holds(analyser, round_s=20)
    # at first as early as its timeout might need; then as early as it needs, 20 s, and its slot
    assert [reading.lag_ms // 1000 for reading in analyser] == [-30, 0, 0, 0, 0, 0]


def test_what_is_sent_is_what_check_lists(plant_of: Callable[[str], Plant]) -> None:
    """Ahead of a tick or at it: every device is asked once an interval, and nothing else."""
    plant = plant_of(FAST + METERS + ANALYSER)
    endpoints = {e.first.endpoint: e for e in endpoints_of(asked_of(plant.site.devices))}
    line = endpoints["/dev/ttyS9"]
    # 20 bytes of question with four wake-ups; of the answer 16 and 4, 4, 2, 2, 2, 3, 3, 3, 3, 2
    # of 11 bits each, and 20 ms before each answer
    assert line.tick_s == pytest.approx(4 * ((10 * 36 + 28) * 11 / 2400 + 10 * 0.02))
    assert line.wait_s(line.tightest) == pytest.approx(9.8)
    plant.run(400)
    assert len(plant.far.questions) == pytest.approx(400 * line.requests_per_s) == 40 * 40
    sent = sum(len(frame) for _, frame in plant.far.questions)
    assert sent == pytest.approx(400 * line.sent_bytes_per_s)
    listed = [r.sent for asked in line.devices for r in asked.each_read]
    assert {frame for _, frame in plant.far.questions} == set(listed)
    assert plant.far.packets["192.0.2.1"] == len(plant.seen("fast"))
    # the question of tick 420, asked 20 s ahead, falls on the very end: sent, or just not
    assert plant.far.packets["192.0.2.2"] - len(plant.seen("analyser")) in (0, 1)


def test_an_answer_that_comes_later_than_ever_belongs_to_no_tick(
    plant_of: Callable[[str], Plant],
) -> None:
    """From 200 s on the analyser takes 45 s. What is asked for 240 s is there at 265 s, too late;
    then there are not 45 s left before 300 s; from then on it is known how slow it is.
    """  # noqa: D205 - one thought
    plant = plant_of(FAST + ANALYSER)
    plant.run(400, lambda: plant.far.takes_s.update({"192.0.2.2": 45.0}))
    seen = plant.seen("analyser")
    late = [reading for reading in seen if reading.quality is not Quality.GOOD]
    assert [(r.tick_s, r.quality, r.lag_ms) for r in late] == [
        (240, Quality.NO_ANSWER, NO_LAG), (300, Quality.NO_ANSWER, NO_LAG),
    ]  # fmt: skip
    good = [reading for reading in seen if reading not in late]
    assert [reading.tick_s for reading in good] == [60, 120, 180, 360]
    holds(good, round_s=45)
    holds(plant.seen("fast"), round_s=0.01)


def test_a_line_that_cannot_be_read_in_its_interval_is_refused(tmp_path: Path) -> None:
    """Five meters need 9.9 s of every ten, and the last fifth of a second is the disk's."""
    text = HEAD + FAST + "".join(METER.format(n=n) for n in range(1, 6)) + "[statement]\n"
    (tmp_path / "clock.toml").write_text(PROFILE, encoding="utf-8")
    ((key, reason),) = problems(tmp_path, text)
    assert key == "device[1].interval_s"
    assert "takes at least 9.89 s by the line's speed, and the agent waits 9.80 s for it" in reason


def test_many_silent_units_wait_for_their_turn_and_are_no_defect(
    plant_of: Callable[[str], Plant], caplog: pytest.LogCaptureFixture
) -> None:
    """A converter whose line is cut: the last of 90 units is asked after 89 timeouts."""
    unit = CLOCK.replace('id = "{id}"', 'id = "unit-{unit}"').replace("unit=1", "unit={unit}")
    units = (unit.format(unit=n, host=3, every_s="10", timeout_s="1") for n in range(1, 91))
    plant = plant_of(FAST + "".join(units))
    plant.far.takes_s["192.0.2.3"] = 10_000.0
    plant.run(700)
    lost = [r.getMessage() for r in caplog.records if "lost at" in r.getMessage()]
    assert [said for said in lost if "defect" in said] == []
    assert len(lost) == 90
