"""Frames calculated with in one go give what they give one after another."""

import copy
import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from evidence import waiting
from evidence.frame import Body, Gap, decode_body, encode_body
from evidence.recompute import Recomputation, statement_bytes
from evidence.waiting import Common, Waiting
from tests.unit.evidence import sealed_month as sm

CONFIG = sm.configuration()
COMMON = Common(sm.STREAM, b"config")
FROM_NS, TO_NS = sm.START_NS, sm.START_NS + 60 * sm.SECOND


def fold() -> Recomputation:
    made = Recomputation()
    made.configure(b"config", CONFIG)
    return made


def with_one_more(body: Body) -> Body:
    """The frame with every count of its computed points one higher."""
    section = body.sections[0]
    group = section.groups[-1]
    other = dataclasses.replace(group, raw=group.raw.astype(np.int64) + 1)
    sections = (dataclasses.replace(section, groups=(*section.groups[:-1], other)),)
    return dataclasses.replace(body, sections=(*sections, *body.sections[1:]))


def batches(bodies: list[Body]) -> Iterator[Waiting]:
    held = Waiting()
    for seq, body in enumerate(bodies):
        if not held.takes(COMMON, body):
            yield held
            held = Waiting()
        held.add(COMMON, body, f"seq {seq}")
    yield held


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_the_statement_is_that_of_one_after_another(
    frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "FRAMES", frames)
    bodies = sm.bodies(CONFIG)
    alone, together = fold(), fold()
    assert [list(alone.feed(body)) for body in bodies] == [[]] * 5
    found = [list(held.calculate(together)) for held in batches(bodies)]
    assert found == [[]] * -(-5 // frames)
    one, other = (
        statement_bytes(made.statement(FROM_NS, TO_NS, "interim")) for made in (alone, together)
    )
    assert one == other


def test_a_heartbeat_can_say_alone_that_it_is_simulated() -> None:
    """Among frames of a real plant, before them, and where nothing else is."""
    config = copy.deepcopy(CONFIG)
    config["plant"]["simulated"] = False
    clock = dataclasses.replace(sm.bodies(CONFIG)[0].clock, source="ntp")
    real = [dataclasses.replace(body, flags=0, clock=clock) for body in sm.bodies(CONFIG)]
    beat = dataclasses.replace(real[-1], flags=8)
    for bodies, simulated in ((real, False), ([*real[:4], beat], True), ([beat, *real[:4]], True)):
        made = Recomputation()
        made.configure(b"config", config)
        found = [list(held.calculate(made)) for held in batches(bodies)]
        assert found == [[]]
        assert made.statement(FROM_NS, TO_NS, "interim")["simulated"] is simulated


def test_what_differs_is_told_at_its_own_frame() -> None:
    bodies = sm.bodies(CONFIG)
    bodies[2] = with_one_more(bodies[2])
    (held,) = batches(bodies)
    points = len(CONFIG["groups"][-1]["points"])
    assert [where for where, _ in held.calculate(fold())] == ["seq 2"] * points


def test_what_is_not_to_be_compared_is_not_told() -> None:
    held = Waiting()
    held.add(COMMON._replace(compared=False), with_one_more(sm.bodies(CONFIG)[0]), "seq 0")
    assert list(held.calculate(fold())) == []


@pytest.mark.parametrize(
    "other",
    [
        COMMON._replace(stream="edge-2"),
        COMMON._replace(cfg=b"new"),
        COMMON._replace(compared=False),
    ],
)
def test_a_heartbeat_of_another_configuration_ends_the_batch_too(other: Common) -> None:
    """It is the next frame that the new configuration is used for; those that wait go first."""
    first, second, *_ = sm.bodies(CONFIG)
    heartbeat = dataclasses.replace(second, sections=())
    held = Waiting()
    held.add(COMMON, first, "seq 0")
    assert held.takes(COMMON, heartbeat)
    assert held.takes(COMMON, second)
    assert not held.takes(other, heartbeat)
    assert not held.takes(other, second)
    assert not held.takes(COMMON, first)  # its ticks are not after those that wait


def test_events_do_not_wait() -> None:
    held, (body, *_) = Waiting(), sm.bodies(CONFIG)
    event = {"kind": "x", "at_ns": body.t0_ns, "maps": [{}] * 500_000}
    held.add(COMMON, dataclasses.replace(body, events=(event,)), "edge-1 seq 1")
    assert held.bodies == [dataclasses.replace(body, events=())]


def test_what_is_not_calculated_with_does_not_wait() -> None:
    """Lags of 20,000 devices and a gap's long reason, of a frame of any size, are let go."""
    body = sm.bodies(CONFIG)[0]
    read = decode_body(encode_body(body))
    gap = Gap(0, read.t0_ns, "x" * 10**6)
    held = Waiting()
    held.add(COMMON, dataclasses.replace(read, gap=gap), "seq 0")
    (kept,) = held.bodies
    assert kept.gap is None
    assert held.readings == body.readings
    assert [(s.lag, s.devices) for s in kept.sections] == [(b"", ())] * len(body.sections)  # type: ignore[union-attr] # decoded
