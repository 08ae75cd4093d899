"""Commits that were not made, by a disk or a token: nothing of them counts, and all comes again."""

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from cloud.collector.aside import KNOWN
from cloud.collector.intake import Intake
from cloud.collector.judge import Accepted, Aside, Refused
from cloud.collector.opening import open_plants
from cloud.store.disk import Disk
from cloud.store.slice import SliceStore
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
    make_plant,
)


@pytest.fixture
def intake(plant: ExamplePlant, tmp_path: Path) -> Iterator[Intake]:
    opened = Intake(
        SliceStore(tmp_path / "00"), ManualClock(T0_NS + 100 * SECOND_NS), plant.collector
    )
    open_plants(opened, [plant.identity()])
    yield opened
    opened.store.close()


def test_a_fork_that_the_disk_did_not_take_uses_up_no_room(
    intake: Intake, gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent again while the disk is full, more often than an hour has room for."""
    intake.take(SENDER, gateway.config(), 0.0)
    intake.take(SENDER, gateway.frame(T0_NS), 0.0)
    intake.commit()
    prev = hashlib.sha256(gateway.objects[0]).digest()
    other = gateway.sign(TYP_FRAME, encode_body(body(T0_NS, seed=9)), seq=1, prev=prev)
    with monkeypatch.context() as full:
        full.setattr("os.pwrite", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        for n in range(KNOWN.an_hour + 1):
            intake.take(SENDER, other, float(n))
            assert intake.commit().failed
    assert isinstance(intake.take(SENDER, other, 100.0), Aside)
    intake.commit()
    assert [path.read_bytes() for path in (tmp_path / "00/mini/quarantine").iterdir()] == [other]


def test_a_damaged_index_is_no_defect_of_this_program(
    intake: Intake, gateway: Gateway, tmp_path: Path
) -> None:
    """What it would be compared with cannot be read; the stream's head is known without."""
    first, second = gateway.config(), gateway.frame(T0_NS)
    for data in (first, second):
        intake.take(SENDER, data, 0.0)
        intake.commit()
    intake.store.plants["mini"]._hashes.clear()  # as after a start
    index = tmp_path / "00/mini/index/edge-1.idx"
    index.write_bytes(b"\xff" * 88 + index.read_bytes()[88:])
    verdict = intake.take(SENDER, first, 1.0)
    assert isinstance(verdict, Refused)
    assert (verdict.reason, "stackproof cloud rebuild" in verdict.sentence) == ("disk", True)
    assert isinstance(intake.take(SENDER, gateway.frame(T0_NS + SECOND_NS), 1.0), Accepted)


def test_what_the_disk_refused_is_not_sealed_and_comes_again(
    intake: Intake, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = gateway.config()
    with monkeypatch.context() as patched:
        patched.setattr("os.pwrite", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        intake.take(SENDER, data, 0.0)
        outcome = intake.commit()
    assert (outcome.sealed, outcome.configs) == (set(), {})
    assert [str(error) for error in outcome.failed.values()] == ["[Errno 28] full"]
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
    write, released = os.pwrite, Event()

    def hangs(*written: Any) -> int:
        assert released.wait(20)
        return write(*written)

    monkeypatch.setattr("cloud.collector.busy.HANGS_S", 0.3)
    assert (running.collector.hangs(), running.collector.amiss()) == ("", {})
    monkeypatch.setattr(os, "pwrite", hangs)
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


def test_a_plant_whose_files_may_not_be_written_holds_up_no_start_of_others(
    plant: ExamplePlant, gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of another user, say, as after a restore; a disk that takes nothing still ends the start."""
    other = make_plant(tmp_path / "k", "maxi", collector=plant.collector)
    intake, write = Intake(SliceStore(tmp_path / "00"), ManualClock(), plant.collector), Disk.write

    def refuse(disk: Disk, path: Path, *args: Any, **named: Any) -> None:
        if "mini" in path.parts:
            raise PermissionError(errno.EACCES, "Permission denied")
        write(disk, path, *args, **named)

    with monkeypatch.context() as refusing:
        refusing.setattr(Disk, "write", refuse)
        (of, note), *_ = open_plants(intake, [plant.identity(), other.identity()])
        assert (of, note) == (
            "mini", "plant mini: evidence cannot be written: [Errno 13] Permission denied"
        )  # fmt: skip
        assert (intake.plant("mini").reader.size, intake.plant("maxi").reader.size) == (0, 3)
        first = gateway.config()
        verdict = intake.take(SENDER, first, 0.0)
        assert isinstance(verdict, Refused)
        assert verdict.reason == "disk", "its certificates are to come before it"
        assert set(intake.commit().failed) == {"mini"}
    assert not intake.commit().failed
    assert intake.plant("mini").reader.size == 4, "root, collector and two gateways"
    assert isinstance(intake.take(SENDER, first, 0.0), Accepted)
    intake.store.close()
