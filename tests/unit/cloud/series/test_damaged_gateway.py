"""Evidence of one gateway that cannot be read: the other gateways of its plant go on."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from cloud.database.reader import PlantReader
from cloud.database.schema import stored
from cloud.database.schema import stream as stream_table
from cloud.series import follow
from cloud.series.bucket import MINUTE_NS, MINUTE_S, SECOND_NS
from cloud.series.embedded import EmbeddedSeries
from cloud.series.follow import POLL_S, SeriesFollower
from evidence.keys import FileSigner, generate
from evidence.log import Kind
from tests.unit.cloud.evidence_examples import T0_NS, Gateway, ManualClock, object_entry
from tests.unit.cloud.kept import enrolled, evidence_in

PLANT, BAD, GOOD = "mini", "edge-a", "edge-b"  # the bad one has its turn first
START_NS = T0_NS // MINUTE_NS * MINUTE_NS
#: damages a row, or mends it again; says which row an error is to name
Damage = Callable[["Evidence"], str]


class Evidence:
    """Two gateways of a plant that send a frame each minute, one reading a second."""

    def __init__(self, root: Path) -> None:
        signer = FileSigner(generate())
        self._slice = evidence_in(root)
        self._plant = enrolled(self._slice, PLANT, signer)
        self.gateways = [Gateway(PLANT, name, FileSigner(generate())) for name in (BAD, GOOD)]
        for gateway in self.gateways:
            gateway.config()
            self._plant.stage_object(object_entry(gateway, 0, Kind.CONFIG), gateway.objects[0])
        self._frames = 0

    def deliver(self, frames: int) -> None:
        for _ in range(frames):
            t0_ns = START_NS + self._frames * MINUTE_NS
            for gateway in self.gateways:
                data, seq = gateway.frame(t0_ns, points=1, ticks=60), len(gateway.objects) - 1
                entry = object_entry(gateway, seq, Kind.FRAME)
                newest_ns = t0_ns + 59 * SECOND_NS
                self._plant.stage_object(entry, data, t0_ns=t0_ns, newest_ns=newest_ns)
            self._frames += 1
        self._slice.commit()

    def plants(self) -> list[str]:
        return [PLANT]

    def evidence(self, _: str) -> PlantReader:
        return self._plant.reader

    def close(self) -> None:
        self._slice.close()

    def flip(self, seq: int, column: str) -> str:
        """Damage a byte of an object's row, or mend it again; the row's name."""
        of_bad = select(stream_table.c.id).where(stream_table.c.name == BAD).scalar_subquery()
        row, cell = (stored.c.stream_id == of_bad) & (stored.c.seq == seq), stored.c[column]
        with self._slice.database.writing() as connection:
            data = bytearray(connection.scalars(select(cell).where(row)).one())
            data[20] ^= 1
            connection.execute(update(stored).where(row).values({column: bytes(data)}))
        return f"{BAD}/{seq}"


def of_an_object(evidence: Evidence) -> str:
    """The seventh frame."""
    return evidence.flip(7, "data")


def of_a_hash(evidence: Evidence) -> str:
    """The one that a mark is held against: object 5 is the last that is done with."""
    return evidence.flip(5, "sha256")


@pytest.fixture
def evidence(tmp_path: Path) -> Iterator[Evidence]:
    made = Evidence(tmp_path / "00")
    yield made
    made.close()


def run(follower: SeriesFollower) -> dict[str, tuple[int, int]]:
    """Gateway -> whole minutes that are in the store, seconds that are owed."""
    while follower.step(PLANT) != POLL_S:
        pass
    told = follower.followed()
    return {
        one.gateway: ((one.through_ns - START_NS) // MINUTE_NS, one.behind_ns // SECOND_NS)
        for one in told
    }


@pytest.mark.parametrize("damage", [of_an_object, of_a_hash])
def test_damage_of_one_gateway_holds_up_itself_alone(
    evidence: Evidence, tmp_path: Path, damage: Damage,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr(follow, "STEP_OBJECTS", 4)
    monkeypatch.setattr(follow, "UNREAD_S", 0.0)
    store = EmbeddedSeries(tmp_path / "series.db", 3_653, ManualClock(START_NS))
    evidence.deliver(6)
    # the newest reading is of second 359: five minutes are over, and 59 seconds of the sixth
    assert run(SeriesFollower(evidence, store)) == {BAD: (5, 59), GOOD: (5, 59)}
    evidence.deliver(6)
    row = damage(evidence)
    follower = SeriesFollower(evidence, store)  # the collector was started again
    # of 719 seconds the bad one has 300: what is owed is told, though it never went on since
    assert run(follower) == {BAD: (5, 419), GOOD: (11, 59)}
    evidence.deliver(3)
    assert run(follower) == {BAD: (5, 599), GOOD: (14, 59)}
    ((whose, why),) = follower.trouble().items()
    assert whose == (PLANT, BAD)
    assert row in why
    (warned,) = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert (warned.__dict__["plant"], warned.__dict__["gateway"]) == (PLANT, BAD)
    assert row in warned.getMessage()
    damage(evidence)
    assert run(follower) == {BAD: (14, 59), GOOD: (14, 59)}
    assert follower.trouble() == {}
    found = store.read(MINUTE_S, PLANT, 0, 2**62)
    assert {one.gateway: [bucket.count for bucket in found[one]] for one in found} == {
        BAD: [60] * 14, GOOD: [60] * 14
    }  # fmt: skip
    follower.close()


def test_it_is_not_tried_at_every_step_of_the_others(
    evidence: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading up to the damage costs what reading costs; others may have a year to catch up."""
    monkeypatch.setattr(follow, "STEP_OBJECTS", 4)
    evidence.deliver(12)
    of_an_object(evidence)
    store = EmbeddedSeries(tmp_path / "series.db", 3_653, ManualClock(START_NS))
    follower, asked = SeriesFollower(evidence, store), list[str]()
    plainly = PlantReader.objects

    def objects(self: PlantReader, stream: str, *span: int) -> object:
        asked.append(stream)
        return plainly(self, stream, *span)

    monkeypatch.setattr(PlantReader, "objects", objects)
    run(follower)
    tried = asked.count(BAD)
    evidence.deliver(12)
    assert run(follower)[GOOD] == (23, 59)
    assert asked.count(BAD) == tried
    assert follower.trouble().keys() == {(PLANT, BAD)}  # it still stands
    follower.close()
