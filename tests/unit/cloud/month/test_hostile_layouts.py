"""A gateway whose key was stolen signs configurations without end: what is held of them is not."""

from pathlib import Path

import numpy as np
import pytest

from cloud.month import reader
from cloud.month.facts import Facts
from cloud.month.reader import FactsReader
from evidence import cbor
from evidence.blocks import compress
from evidence.frame import TYP_CONFIG, TYP_FRAME, Body, Clock, Section, encode_body
from evidence.groups import Group
from evidence.log import Kind
from evidence.points import Dtype
from tests.unit.cloud.kept import kept_in
from tests.unit.cloud.month_examples import Desk
from tests.unit.evidence import sealed_month as sm

DAY_NS = 86_400 * 10**9


def sign(desk: Desk, number: int) -> None:
    """A configuration of three devices that no other one has, and two frames that name it."""
    config = dict(sm.configuration())
    quantity = {"kind": "voltage", "unit": "V"}
    rest = {"dtype": Dtype.U32.value, "decimals": 0, "role": "gauge", "quantity": quantity}
    config["schedules"], config["devices"] = [{"interval_ns": 10**9}], []
    config["potlines"], config["statement"] = [], {}
    config["points"] = [
        {"id": f"p{n}", "provenance": "meter-direct", "device": f"d{number}-{n}", **rest}
        for n in range(3)
    ]
    row = {"schedule": 0, "dtype": Dtype.U32.value, "computed": False, "points": [0, 1, 2]}
    desk.take(Kind.CONFIG, TYP_CONFIG, compress(cbor.encode({**config, "groups": [row]})))
    for at_ns in (sm.START_NS + 2 * number * 10**9, sm.START_NS + (2 * number + 1) * 10**9):
        frame(desk, at_ns)


def frame(desk: Desk, at_ns: int, ticks: int = 1, step_ns: int = 10**9) -> None:
    """Of the three devices."""
    group = Group(0, Dtype.U32, np.zeros((3, ticks), np.uint32), np.zeros((3, ticks), np.uint8))
    section = Section(0, at_ns, step_ns, ticks, (group,), np.zeros((0, ticks), np.int32), ())
    body = Body(at_ns, Clock("simulated", 1, 0, bytes(16)), 8, (section,))
    desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)


@pytest.mark.parametrize(("name", "most"), [("LAYOUTS_MAX", 400), ("DEVICES_MAX", 8)])
@pytest.mark.parametrize("piece", [1, 64])
def test_configurations_without_end_are_held_as_far_as_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, most: int, piece: int
) -> None:
    """125 of 20,000 points filled a collector's 4 GiB, and did so again at each start."""
    monkeypatch.setattr(reader, name, most)  # of 400 characters and of 8 devices there are two
    desk = Desk(tmp_path / "evidence")
    for number in range(4):
        sign(desk, number)
    is_done = False
    while not is_done:  # it is the same after each start
        facts = Facts(kept_in(tmp_path))
        is_done = FactsReader(facts).follow(desk.evidence(sm.PLANT), piece)
        devices = (
            [one.layout.devices for one in facts.segments(sm.PLANT)[sm.STREAM]] if is_done else []
        )
        counted = facts.counted(sm.PLANT, "2026-06").readings
    assert [len(of) for of in devices] == [3, 3, 0, 0]
    assert counted == 2 * 2 * 3
    desk.shut()


def test_days_without_end_are_counted_as_far_as_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two frames (8.6 kB) of 4,096 days of 500 devices took 600 MB, and 195 MB of the file."""
    monkeypatch.setattr(reader, "FIGURES_A_PIECE", 10)
    monkeypatch.setattr(reader, "FIGURES_MAX", 30)
    desk = Desk(tmp_path / "evidence")
    sign(desk, 0)
    frame(desk, sm.START_NS + DAY_NS, 5, DAY_NS)  # it does not fit: no day of it is counted
    for day in range(6, 18):
        frame(desk, sm.START_NS + day * DAY_NS)
    facts, calls = Facts(kept_in(tmp_path)), 1
    while not FactsReader(facts).follow(desk.evidence(sm.PLANT), 64):
        calls += 1
    # the first day, 15 June, has two ticks. With 11 days before, 3 devices are 33 figures: 30 June,
    # day 15, is the last of which they are counted
    assert facts.counted(sm.PLANT, "2026-06").readings == 2 * 3 + 10 * 3
    assert facts.counted(sm.PLANT, "2026-07").readings == 0
    assert facts.days_of(sm.PLANT, sm.STREAM) == 13
    # a day of three devices is four figures, one of none is one: three times 4 + 4 + 4, then
    # 4 + 4 + 1 + 1
    assert calls == 4
    desk.shut()
