"""Commits that were not made, by a disk or a token: nothing of them counts, and all comes again."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import event

from cloud.collector.aside import KNOWN
from cloud.collector.intake import Intake
from cloud.collector.judge import Accepted, Aside
from cloud.collector.opening import open_plants
from evidence.errors import KeyFileError
from evidence.frame import TYP_FRAME, encode_body
from tests.unit.cloud.collector.judge_examples import SENDER
from tests.unit.cloud.collector.running import Running
from tests.unit.cloud.evidence_examples import (
    SECOND_NS,
    T0_NS,
    ExamplePlant,
    Gateway,
    ManualClock,
    body,
)
from tests.unit.cloud.kept import evidence_in, full


@pytest.fixture
def intake(plant: ExamplePlant, tmp_path: Path) -> Iterator[Intake]:
    opened = Intake(
        evidence_in(tmp_path / "00"), ManualClock(T0_NS + 100 * SECOND_NS), plant.collector
    )
    open_plants(opened, [plant.identity()])
    yield opened
    opened.store.close()


def test_a_fork_that_the_disk_did_not_take_uses_up_no_room(
    intake: Intake, gateway: Gateway
) -> None:
    """Sent again while the disk is full, more often than an hour has room for."""
    intake.take(SENDER, gateway.config(), 0.0)
    intake.take(SENDER, gateway.frame(T0_NS), 0.0)
    intake.commit()
    prev = hashlib.sha256(gateway.objects[0]).digest()
    other = gateway.sign(TYP_FRAME, encode_body(body(T0_NS, seed=9)), seq=1, prev=prev)
    with full(intake.store.database):
        for n in range(KNOWN.an_hour + 1):
            intake.take(SENDER, other, float(n))
            assert intake.commit().failed
    assert isinstance(intake.take(SENDER, other, 100.0), Aside)
    intake.commit()
    found = intake.plant("mini").reader.kept(hashlib.sha256(other).digest())
    assert found is not None
    assert found[1] == other


def test_what_the_disk_refused_is_not_sealed_and_comes_again(
    intake: Intake, gateway: Gateway
) -> None:
    data = gateway.config()
    with full(intake.store.database):
        intake.take(SENDER, data, 0.0)
        outcome = intake.commit()
    assert (outcome.sealed, outcome.configs) == (set(), {})
    assert ["disk is full" in str(error) for error in outcome.failed.values()] == [True]
    assert isinstance(intake.take(SENDER, data, 0.0), Accepted)
    assert intake.commit().sealed == {SENDER}


def test_what_the_key_did_not_sign_is_not_sealed_and_comes_again(
    intake: Intake, gateway: Gateway, plant: ExamplePlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that is away for a moment: cut back like a commit the disk refused."""
    data = gateway.config()
    with monkeypatch.context() as away:
        away.setattr(
            plant.collector, "sign", lambda _: (_ for _ in ()).throw(KeyFileError("no token"))
        )
        assert isinstance(intake.take(SENDER, data, 0.0), Accepted)
        outcome = intake.commit()
    assert {name: str(why) for name, why in outcome.failed.items()} == {"mini": "no token"}
    assert (outcome.sealed, outcome.written) == (set(), frozenset())
    assert intake.plant("mini").reader.head("edge-1").next_seq == 0
    assert isinstance(intake.take(SENDER, data, 0.0), Accepted)
    assert intake.commit().sealed == {SENDER}


async def test_a_disk_that_hangs_is_told_while_it_does(
    running: Running, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event loop goes on, and would answer that all is well."""
    released = Event()

    def hangs(*_: Any) -> None:
        assert released.wait(20)

    monkeypatch.setattr("cloud.collector.busy.HANGS_S", 0.3)
    assert (running.collector.hangs(), running.collector.amiss()) == ("", {})
    event.listen(running.store.database.engine, "commit", hangs)
    try:
        running.send(gateway.config())
        await running.until(lambda: bool(running.collector.hangs()))
        ((plant, told),) = running.collector.amiss().items()
        assert (plant, [*told]) == ("mini", ["hangs"])
        assert told["hangs"].endswith("its disk hangs")
    finally:
        released.set()
    await running.until(lambda: running.receipted() == [0])
    await running.until(lambda: not running.collector.hangs())
    assert running.collector.amiss() == {}
