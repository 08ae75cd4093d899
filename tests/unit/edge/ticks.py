"""Ticks and bodies of a small configuration, made by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edge.drivers.base import Sample
from edge.pipeline import Given, Layout, Rows, Tick
from evidence.frame import NO_SOURCE_TIME, Body, Clock, Section
from evidence.groups import Group
from evidence.points import Dtype

CLOCK = Clock("free", None, 1, bytes(16))


def body_of_ticks(*, first_ns: int, ticks: int, step_ns: int = 10**9) -> Body:
    """A frame body of two u16 points."""
    raw = np.arange(2 * ticks, dtype="<u2").reshape(2, ticks)
    group = Group(0, Dtype.U16, raw, np.zeros((2, ticks), dtype=np.uint8))
    lag = np.zeros((1, ticks), dtype=np.int32)
    return Body(
        first_ns, CLOCK, sections=(Section(0, first_ns, step_ns, ticks, (group,), lag, (0,)),)
    )


def one_read(layout: Layout, samples: Mapping[str, Sample]) -> list[Given]:
    """These samples by point id, as if one device had given them."""
    return [(layout.places(list(samples)), list(samples.values()))]


def rows(values: Sequence[float], dtype: str, quality: Sequence[int] | None = None) -> Rows:
    """One group's rows at one tick, without source times."""
    codes = [0] * len(values) if quality is None else quality
    return Rows(
        np.array(values, dtype=dtype),
        np.array(codes, dtype=np.uint8),
        np.full(len(values), NO_SOURCE_TIME, dtype=np.int32),
    )


def tick(schedule: int, tick_ns: int, groups: Mapping[int, Rows], devices: int = 1) -> Tick:
    """A tick of a schedule whose devices answered at once."""
    return Tick(schedule, tick_ns, groups, np.zeros(devices, dtype=np.int32))


def point(point_id: str, dtype: Dtype, **more: Any) -> dict[str, Any]:
    """A point as the signed configuration holds it."""
    fields = {
        "id": point_id,
        "quantity": {"kind": "count", "unit": "1"},
        "dtype": dtype.value,
        "decimals": 0,
        "role": "gauge",
        "provenance": "meter-direct",
    }
    return {**fields, **more}
