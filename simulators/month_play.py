"""Plays a month: readings, computed points, frames' payloads, and the statement at the end. Pure.

Computed points are made by the calculation the agent runs (`edge.calc.live`), an hour a call; it
gives the same counts as a tick a call.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edge.calc.live import PlantCalc
from evidence.frame import FLAG_SIMULATED, Body, Clock, Section, encode_body
from evidence.groups import Group
from evidence.points import Dtype
from evidence.recompute import Recomputation, blocks_of, statement_bytes
from simulators.month_config import DEVICES, INTERVAL_NS, Mix
from simulators.month_signals import HOUR_S, Signals
from simulators.scenario import Scenario

DAY_NS = 86_400 * 10**9
_BOOT_ID = bytes(range(16))


@dataclass(frozen=True)
class Order:
    """What is to be played.

    Attributes:
        scenario, mix, seed: readings.
        config: the signed configuration's map.
        first_ns: first tick, a full hour UTC.
        days: how many.
        frame_s: seconds a frame; divides a quarter hour.
        final: close the whole month; else up to the last tick.
    """

    scenario: Scenario
    mix: Mix
    seed: int
    config: Mapping[str, Any]
    first_ns: int
    days: int
    frame_s: int
    final: bool


@dataclass(frozen=True)
class Encoded:
    """A frame's payload, with its first and last tick."""

    first_ns: int
    last_ns: int
    payload: bytes


def produce(order: Order) -> Iterator[list[Encoded] | bytes]:
    """Every hour's frames in order, then the statement."""
    month = Recomputation()
    month.configure(b"config", order.config)
    for hour in hours(order):
        for sentence in month.feed(hour):
            raise RuntimeError(f"the calculation contradicts itself: {sentence}")
        cuts = range(0, HOUR_S, order.frame_s)
        yield [_encoded(frame_of(hour, at, order.frame_s)) for at in cuts]
    end_ns = order.first_ns + order.days * DAY_NS
    closing = "final" if order.final else "interim"
    yield statement_bytes(month.statement(order.first_ns, end_ns, closing))


def hours(order: Order) -> Iterator[Body]:
    """Every hour as one body, computed points included."""
    signals = Signals(order.scenario, order.mix, order.seed)
    calc = PlantCalc(order.config)
    end_ns = order.first_ns + order.days * DAY_NS
    for first_ns in range(order.first_ns, end_ns, HOUR_S * INTERVAL_NS):
        yield _hour_body(signals, calc, order.config, first_ns)


def _hour_body(signals: Signals, calc: PlantCalc, config: Mapping[str, Any], first_ns: int) -> Body:
    """An hour as one body, computed points included."""
    hour = signals.hour()
    groups = tuple(
        Group(g, Dtype(config["groups"][g]["dtype"]), raw, quality)
        for g, (raw, quality) in enumerate(zip(hour.raw, hour.quality, strict=True))
    )
    devices = tuple(range(DEVICES))
    section = Section(0, first_ns, INTERVAL_NS, HOUR_S, groups, hour.lag_ms, devices)
    clock = Clock("simulated", 1, first_ns, _BOOT_ID)
    measured = Body(first_ns, clock, FLAG_SIMULATED, (section,))
    made = calc.feed(blocks_of(measured))
    computed = Group(len(groups), Dtype.I64, made.counts.astype("<i8"), made.quality)
    return replace(measured, sections=(replace(section, groups=(*groups, computed)),))


def frame_of(hour: Body, at: int, ticks: int) -> Body:
    """The frame of the ticks number `at` to `at` + ticks - 1 of an hour."""
    whole, part = hour.sections[0], slice(at, at + ticks)
    groups = tuple(
        Group(
            g.group, g.dtype,
            np.ascontiguousarray(g.raw[:, part]), np.ascontiguousarray(g.quality[:, part]),
        )
        for g in whole.groups
    )  # fmt: skip
    first_ns = whole.first_ns + at * INTERVAL_NS
    lag_ms = np.ascontiguousarray(whole.lag_ms[:, part])
    section = Section(0, first_ns, INTERVAL_NS, ticks, groups, lag_ms, whole.devices)
    clock = replace(hour.clock, monotonic_ns=section.last_ns)
    return replace(hour, t0_ns=first_ns, clock=clock, sections=(section,))


def _encoded(frame: Body) -> Encoded:
    return Encoded(frame.t0_ns, frame.sections[0].last_ns, encode_body(frame))
