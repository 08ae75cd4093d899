"""Plays a month: readings, computed points, frames' payloads, truth; then the statement. Pure.

Computed points are made by the calculation the agent runs (`edge.calc.folds.live`), an hour a call;
it gives the same counts as a tick a call.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edge.calc.folds.live import PlantCalc
from evidence.frame import FLAG_SIMULATED, Body, Clock, Section, encode_body
from evidence.groups import Group
from evidence.points import Dtype
from evidence.recompute import Recomputation, blocks_of, statement_bytes
from simulators.month_plant import HOUR_S, Hour, MonthPlant, MonthSource
from simulators.played import TruthLine

DAY_NS = 86_400 * 10**9
_SECOND_NS = 10**9
_BOOT_ID = bytes(range(16))


@dataclass(frozen=True)
class Order:
    """What is to be played.

    Attributes:
        plant: whose month.
        config: the signed configuration's map.
        first_ns: first tick, a full hour UTC.
        days: how many.
        frame_s: seconds a frame; divides a quarter hour, and the plant's interval divides it.
        final: close the whole month; else up to the last tick.
    """

    plant: MonthPlant
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


@dataclass(frozen=True)
class Part:
    """An hour's frames, and the truth of it."""

    frames: Sequence[Encoded]
    truth: Sequence[TruthLine]


def produce(order: Order) -> Iterator[Part | bytes]:
    """Every hour in order, then the statement; the last part has the end of the truth alone."""
    month = Recomputation()
    month.configure(b"config", order.config)
    interval_s = order.plant.interval_s
    source = order.plant.begin(order.first_ns)
    for body, truth in hours(order, source):
        for sentence in month.feed(body):
            raise RuntimeError(f"the calculation contradicts itself: {sentence}")
        cuts = range(0, HOUR_S // interval_s, order.frame_s // interval_s)
        ticks = order.frame_s // interval_s
        yield Part([_encoded(frame_of(body, at, ticks)) for at in cuts], truth)
    yield Part((), source.finish())
    end_ns = order.first_ns + order.days * DAY_NS
    closing = "final" if order.final else "interim"
    yield statement_bytes(month.statement(order.first_ns, end_ns, closing))


def hours(order: Order, source: MonthSource) -> Iterator[tuple[Body, Sequence[TruthLine]]]:
    """Every hour as one body, computed points included, and the truth of it."""
    calc = PlantCalc(order.config)
    end_ns = order.first_ns + order.days * DAY_NS
    for first_ns in range(order.first_ns, end_ns, HOUR_S * _SECOND_NS):
        hour = source.hour()
        yield hour_body(hour, calc, order.config, first_ns), hour.truth


def hour_body(hour: Hour, calc: PlantCalc, config: Mapping[str, Any], first_ns: int) -> Body:
    """An hour as one body, computed points included."""
    groups = tuple(
        Group(g, Dtype(config["groups"][g]["dtype"]), raw, quality)
        for g, (raw, quality) in enumerate(zip(hour.raw, hour.quality, strict=True))
    )
    devices = tuple(range(len(config["devices"])))
    step_ns = config["schedules"][0]["interval_ns"]
    section = Section(
        0, first_ns, step_ns, HOUR_S * _SECOND_NS // step_ns, groups, hour.lag_ms, devices
    )
    clock = Clock("simulated", 1, first_ns, _BOOT_ID)
    measured = Body(first_ns, clock, FLAG_SIMULATED, (section,))
    if len(groups) == len(config["groups"]):
        return measured  # nothing is computed
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
    first_ns = whole.first_ns + at * whole.step_ns
    lag_ms = np.ascontiguousarray(whole.lag_ms[:, part])
    section = Section(0, first_ns, whole.step_ns, ticks, groups, lag_ms, whole.devices)
    clock = replace(hour.clock, monotonic_ns=section.last_ns)
    return replace(hour, t0_ns=first_ns, clock=clock, sections=(section,))


def _encoded(frame: Body) -> Encoded:
    return Encoded(frame.t0_ns, frame.sections[0].last_ns, encode_body(frame))
