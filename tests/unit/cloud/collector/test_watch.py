"""Alarms that stand: clocks that cannot be right, streams that are stuck, and when they end."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.clock import JUMP_NS, SteadyClock
from cloud.collector import rejects
from cloud.collector.intake import Intake
from cloud.collector.judge import Accepted, Ahead, Aside, Refused
from cloud.collector.missing import LASTING_NS, Missed, Missing
from cloud.collector.opening import open_plants
from cloud.collector.standing import Standing
from cloud.collector.topics import Sender
from cloud.collector.watch import AHEAD_NS, LONG_NS, clock_unlikely
from cloud.errors import ClockError
from evidence.frame import TYP_FRAME, encode_body
from evidence.keys import FileSigner, generate
from tests.unit.cloud.collector.judge_examples import SENDER
from tests.unit.cloud.collector.running import Running
from tests.unit.cloud.collector.site import Site as At
from tests.unit.cloud.evidence_examples import (
    SECOND_NS,
    T0_NS,
    Gateway,
    ManualClock,
    body,
    make_plant,
)
from tests.unit.cloud.kept import evidence_in
from tests.waiting import ENOUGH_S

DAY_NS = 86_400 * SECOND_NS


class Site(At):
    """Its collector's clocks are moved by hand."""

    def __init__(self, folder: Path) -> None:
        self.wall, self.mono_ns = ManualClock(T0_NS + 9), 0
        clock = SteadyClock(self.wall, lambda: self.mono_ns)
        super().__init__(folder, clock=clock, doubt=clock.doubt)

    def alarms(self) -> list[tuple[str, str]]:
        return [(n.gateway, n.reason) for n in self.intake.standing.of("mini")]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    made.take(made.gateway.config(), made.gateway.frame(T0_NS))
    yield made
    made.intake.store.close()


def test_while_the_clock_is_in_doubt_nothing_is_logged(site: Site) -> None:
    """Six years ahead for 14 seconds: the log does not know of it."""
    size = site.intake.plant("mini").reader.size
    data, forged = site.gateway.frame(T0_NS + SECOND_NS), b"forged"
    site.wall.now_ns += 6 * 365 * DAY_NS
    assert [v.reason for v in site.take(data, forged) if isinstance(v, Refused)] == ["clock"] * 2
    for ask in (site.intake.watch.require_clock, lambda: site.intake.look_for_keys("mini")):
        with pytest.raises(ClockError, match="jumped ahead"):
            ask()
    site.intake.tell_rejects(1e9)
    assert site.intake.commit().written == frozenset()
    assert site.intake.watch.look(1.0) == {"mini"}
    assert site.alarms() == [("", "clock")]
    assert site.intake.watch.next_due_s() == 2.0
    site.wall.now_ns -= 6 * 365 * DAY_NS
    site.mono_ns += 14 * SECOND_NS
    assert site.intake.watch.look(2.0) == {"mini"}
    assert site.alarms() == []
    assert isinstance(site.take(data)[0], Accepted)
    assert site.intake.plant("mini").reader.size == size + 1
    assert site.intake.plant("mini").state.received_ns == T0_NS + 9


def test_a_start_with_a_clock_that_nothing_keeps_logs_nothing_at_its_time(
    site: Site, tmp_path: Path
) -> None:
    """Boot a year ahead, before NTP: of two plants, one has not been heard of for long."""
    site.intake.store.close()
    data, wall = site.gateway.frame(T0_NS + SECOND_NS), ManualClock(T0_NS + 9 + 365 * DAY_NS)
    clock, store = SteadyClock(wall, lambda: 0, lambda: False), evidence_in(tmp_path / "00")
    site.intake = Intake(store, clock, site.plant.collector, clock.doubt)
    other = make_plant(tmp_path / "other", plant="other")
    open_plants(site.intake, [site.plant.identity(), other.identity()], clock.start_after)
    assert site.intake.watch.look(1.0) == {"mini", "other"}
    assert site.alarms() == [("", "clock")]
    assert [v.reason for v in site.take(data) if isinstance(v, Refused)] == ["clock"]
    for plant in ("mini", "other"):
        assert site.intake.plant(plant).state.received_ns == T0_NS + 9
    wall.now_ns = T0_NS + 10
    assert isinstance(site.take(data)[0], Accepted)


def test_a_clock_behind_its_log_is_an_alarm_with_both_times(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.wall.now_ns -= 3_600 * SECOND_NS
    assert site.intake.watch.look(1.0) == {"mini"}
    (alarm,) = site.intake.standing.of("mini")
    assert "clock says 2026-09-21 13:13:20 UTC" in alarm.sentence
    assert "newest entry 2026-09-21 14:13:20 UTC" in alarm.sentence
    assert site.intake.watch.look(2.0) == set()
    assert caplog.text.count("newest entry") == 1
    site.wall.now_ns = T0_NS + 9 - JUMP_NS
    assert site.intake.watch.look(3.0) == {"mini"}
    assert site.alarms() == []


def test_a_start_long_after_the_newest_entry_is_worth_a_look() -> None:
    assert clock_unlikely(T0_NS + LONG_NS, T0_NS) == ""
    assert clock_unlikely(T0_NS, 0) == ""
    assert "Stop now if the clock is wrong" in clock_unlikely(T0_NS + LONG_NS + 1, T0_NS)
    assert "newest entry" in clock_unlikely(T0_NS - LONG_NS, T0_NS)


def test_a_plant_with_several_gateways_is_warned_of_at_the_start(tmp_path: Path) -> None:
    """Only months of exactly one can be closed yet."""
    for count, warned in ((1, 0), (2, 1)):
        names = tuple(f"edge-{n}" for n in range(count))
        made = make_plant(tmp_path / f"keys{count}", gateways=names)
        intake = Intake(evidence_in(tmp_path / f"{count}0"), ManualClock(), made.collector)
        notes = open_plants(intake, [made.identity()])
        assert sum("only months of exactly one gateway" in note for _, note in notes) == warned
        intake.store.close()


def test_a_gateway_whose_clock_is_ahead_is_told_until_it_is_not(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    gateway, received_ns = site.gateway, T0_NS + 9
    site.take(gateway.frame(received_ns + AHEAD_NS))
    assert site.alarms() == []
    assert isinstance(site.take(gateway.frame(received_ns + AHEAD_NS + 1))[0], Accepted)
    assert site.alarms() == [("edge-1", "clock-ahead")]
    assert "set the gateway's clock" in caplog.text
    site.wall.now_ns += 2 * SECOND_NS
    site.mono_ns += 2 * SECOND_NS
    site.take(gateway.frame(received_ns + AHEAD_NS + 2 * SECOND_NS))
    assert site.alarms() == []


def test_a_disk_that_cannot_be_read_is_no_defect_and_leaves_no_entry(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    data, size = site.gateway.frame(T0_NS + SECOND_NS), site.intake.plant("mini").reader.size
    with monkeypatch.context() as broken:
        error = OSError(24, "Too many open files")
        broken.setattr(
            "cloud.collector.intake.judge", lambda *_, **__: (_ for _ in ()).throw(error)
        )
        assert [v.reason for v in site.take(data) if isinstance(v, Refused)] == ["disk"]
    assert "Traceback" not in caplog.text
    assert site.intake.plant("mini").reader.size == size
    assert isinstance(site.take(data)[0], Accepted)


def test_a_refusal_that_stalls_a_stream_stands_until_it_goes_on(site: Site) -> None:
    gateway = site.gateway
    early = gateway.sign(TYP_FRAME, encode_body(body(T0_NS - SECOND_NS)))
    for _ in range(3):
        assert [v.reason for v in site.take(early) if isinstance(v, Refused)] == ["time"]
    (alarm,) = site.intake.standing.of("mini")
    assert (alarm.gateway, alarm.reason, alarm.count) == ("edge-1", "time", 3)
    site.take(gateway.frame(T0_NS + SECOND_NS))
    assert site.alarms() == []


def test_what_was_refused_when_it_came_is_no_matter_of_exporting(site: Site) -> None:
    gateway = site.gateway
    early = gateway.append(gateway.sign(TYP_FRAME, encode_body(body(T0_NS - SECOND_NS))))
    later = gateway.frame(T0_NS + SECOND_NS)
    site.take(later, early)
    missed = site.intake.missing.of(SENDER)
    assert missed is not None
    assert (missed.first, missed.last) == (2, 3)
    assert "is before the stream's" in missed.because
    assert "edge export" not in missed.sentence()
    assert "keys replace" in missed.sentence()


def test_what_was_put_aside_in_its_turn_is_named_too(site: Site) -> None:
    gateway = site.gateway
    fork = gateway.sign(TYP_FRAME, encode_body(body(T0_NS + SECOND_NS)), prev=bytes(32))
    gateway.append(fork)
    later = gateway.frame(T0_NS + 2 * SECOND_NS)
    verdicts = site.take(fork, later)
    assert isinstance(verdicts[0], Aside)
    missed = site.intake.missing.of(SENDER)
    assert missed is not None
    assert "two different objects" in missed.because


def test_a_stranger_does_not_make_a_hole_one_that_exporting_does_not_fill(site: Site) -> None:
    """Whoever reaches the broker could have a root give up readings that the spool still has."""
    gateway = site.gateway
    lost = gateway.frame(T0_NS + SECOND_NS)
    stranger = Gateway("mini", "edge-1", FileSigner(generate()))
    forged = stranger.sign(TYP_FRAME, encode_body(body(T0_NS)), seq=2, prev=bytes(32))
    verdicts = site.take(gateway.frame(T0_NS + 2 * SECOND_NS), forged)
    assert [type(verdict) for verdict in verdicts] == [Ahead, Aside]
    missed = site.intake.missing.of(SENDER)
    assert missed is not None
    assert (missed.first, missed.last, missed.because) == (2, 3, "")
    assert "edge export" in missed.sentence()
    site.take(lost)
    assert site.intake.missing.of(SENDER) == Missed(3, 3, T0_NS + 9)


def test_an_order_ends_what_was_missing() -> None:
    missing, other = Missing(), Sender("mini", "edge-2")
    for sender in (SENDER, other):
        missing.note(sender, 7, 11, 0)
        missing.block(sender, 7, "refused")
    assert missing.lasting(LASTING_NS)[SENDER] == Missed(7, 11, 0, "refused")
    missing.forget(SENDER)
    assert missing.of(SENDER) is None
    assert missing.of(other) == Missed(7, 11, 0, "refused")
    missing.settle(other, 8, 5)
    assert missing.of(other) == Missed(8, 11, 5)


def test_what_stands_keeps_its_beginning_and_what_is_counted_does_not() -> None:
    standing = Standing()
    assert standing.rise("mini", "", "clock", 1, "a")
    assert not standing.rise("mini", "", "clock", 2, "b")
    assert standing.count("mini", "edge-1", "time", 3, "c")
    assert not standing.count("mini", "edge-1", "time", 4, "d")
    found = [(n.reason, n.count, n.newest_ns, n.sentence) for n in standing.of("mini")]
    assert found == [("time", 2, 4, "d"), ("clock", 1, 1, "a")]
    assert standing.of("maxi") == []
    assert [row["since_ns"] for row in standing.rows("mini")] == [3, 1]
    assert standing.end("mini", "edge-1", ("time", "rotate"))
    assert not standing.end("mini", "edge-1", ("time", "rotate"))


async def test_the_page_is_told_when_the_clock_is_in_doubt_although_nothing_comes(
    tmp_path: Path,
) -> None:

    running = Running(make_plant(tmp_path), tmp_path / "00")
    running.clock.now_ns -= DAY_NS
    running.send(b"whatever")
    async with asyncio.timeout(ENOUGH_S):
        while not running.page.alarms or not running.page.alarms[-1][1]:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)
    (alarm,) = running.page.alarms[-1][1]
    assert (alarm["gateway"], alarm["reason"]) == ("", "clock")
    assert {p: list(why) for p, why in running.collector.amiss().items()} == {"mini": ["clock"]}
    assert running.collector.served() == ["mini"]
    await running.stop()


async def test_what_may_not_be_told_in_doubt_keeps_nobody_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time was over, so the thread looked 20,000 times a second whether it may be."""
    monkeypatch.setattr(rejects, "INTERVAL_S", 0.2)
    running, looks, due_s = Running(make_plant(tmp_path), tmp_path / "00"), 0, 0.0
    intake = running.intake

    def doubt() -> str:
        nonlocal looks, due_s
        due_s = intake.rejects.next_due_s() or 0.0
        looks += 1
        return "it jumped" if due_s else ""

    monkeypatch.setattr(intake.watch, "doubt", doubt)
    running.send(b"one", b"two")
    await running.until(lambda: 0 < due_s < time.monotonic())
    before = looks
    await asyncio.sleep(0.5)
    assert looks - before < 50
    await running.stop()
