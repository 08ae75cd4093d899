"""Computed points signed tick by tick are those a verifier computes from whole frames.

However ticks are cut into frames, whatever is missing, and wherever a process dies and the next
one rolls its snapshot forward over the open ticks.
"""

import random
import struct
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.calc.folds.live import PlantCalc
from edge.drivers.base import Sample
from edge.pipeline import (
    Batch,
    Layout,
    Tick,
    assemble,
    calculate,
    decode_tick,
    without_computed,
)
from edge.schedule import due
from evidence import cbor
from evidence.frame import decode_body, encode_body
from evidence.points import Dtype, Point, Role
from evidence.quality import Quality
from evidence.recompute import Recomputation
from tests.unit.edge.sites import SITE, config_of, site_of
from tests.unit.edge.ticks import CLOCK, one_read

S = 10**9
#: 30 s before midnight, and the end of a month, in Shanghai
START_NS = 1_780_243_170 * S
SLOW = 'profile = "stackproof/gas-meter"\ninterval_s = "5"'


@cache
def config() -> Mapping[str, Any]:
    """Three pots and two meters; the gas meter every 5 s."""
    with TemporaryDirectory() as folder:
        text = SITE.replace('profile = "stackproof/gas-meter"', SLOW)
        return config_of(site_of(Path(folder), text))


class Process:
    """What one agent process does between its devices and its spool, without either."""

    def __init__(self, snapshot: bytes, open_ticks: list[bytes]) -> None:
        """Start on what a spool holds."""
        self.layout = Layout(config())
        self.calc = PlantCalc(config())
        self.batch = Batch(self.layout)
        self.snapshot, self.open = snapshot, list(open_ticks)
        if snapshot:
            self.calc.restore(cbor.decode(snapshot))
        ticks = [without_computed(self.layout, decode_tick(self.layout, t)) for t in open_ticks]
        for tick_ns in sorted({t.tick_ns for t in ticks}):
            self._take([t for t in ticks if t.tick_ns == tick_ns])

    def _take(self, ticks: list[Tick]) -> list[Tick]:
        computed = calculate(self.layout, self.calc, ticks)
        for tick in computed:
            self.batch.add(tick)
        return computed

    def commit(self, ticks: list[Tick]) -> list[bytes]:
        """Take an instant; the frames it closes, encoded."""
        frames = []
        if self.batch.is_due(ticks[0].tick_ns) or not self.batch.takes(ticks):
            frames.append(self.close())
        self.open += [tick.encode() for tick in self._take(ticks)]
        return frames

    def close(self) -> bytes:
        """Close the open frame."""
        body = self.batch.body(now_ns=0, clock=CLOCK, gap=None, events=[])
        self.snapshot, self.open = cbor.encode(self.calc.snapshot()), []
        return encode_body(body)


def instant(layout: Layout, chance: random.Random, tick_ns: int, burning: list[int]) -> list[Tick]:
    """Ticks of an instant with plausible values, some bad, some missing."""
    samples: dict[str, Sample] = {}
    for point in layout.points:
        if point.device and chance.random() > 0.03:
            raw = _raw(point, chance, tick_ns, burning)
            bad = chance.random() < 0.02
            samples[point.id] = Sample(raw, Quality.SENTINEL if bad else Quality.GOOD)
    return [
        assemble(layout, s, tick_ns, one_read(layout, samples), {})
        for s in due(tick_ns, layout.intervals_ns)
    ]


def _raw(point: Point, chance: random.Random, tick_ns: int, burning: list[int]) -> bytes:
    if point.role is Role.STATE:
        return bytes([1 if chance.random() < 0.97 else 5])
    if ".voltage" in point.id and "pot-" in point.id:
        pot = int(point.id[-10:-8]) - 1
        burning[pot] = max(0, burning[pot] - 1) or (chance.random() < 0.02) * chance.randrange(25)
        return struct.pack("<f", chance.uniform(15, 40) if burning[pot] else 4.2)
    if point.role is Role.TOTALISER:
        value: float = tick_ns // S % 10**6 * 7 + chance.randrange(2)
    else:
        value = chance.randrange(100, 5000)
    dtype = np.dtype(point.dtype.numpy_name)
    return np.array(value if point.dtype is not Dtype.F64 else 400.25, dtype=dtype).tobytes()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), missing=st.sampled_from([0.0, 0.02, 0.3]))
def test_any_cut_and_any_crash(seed: int, missing: float) -> None:
    chance, burning = random.Random(seed), [0, 0, 0]
    process, frames = Process(b"", []), []
    for second in range(90):
        if chance.random() < missing:
            continue
        frames += process.commit(instant(process.layout, chance, START_NS + second * S, burning))
        if chance.random() < 0.05:
            frames.append(process.close())
        if chance.random() < 0.05:
            process = Process(process.snapshot, process.open)  # killed and started again
    if process.batch.ticks:
        frames.append(process.close())
    recomputation = Recomputation()
    recomputation.configure(bytes(32), config())
    differences = [s for frame in frames for s in recomputation.feed(decode_body(frame))]
    assert differences == []


def test_a_wrong_computed_point_would_be_found() -> None:
    """The comparison above can fail: one count more in one computed point is named."""
    chance, burning = random.Random(1), [0, 0, 0]
    process = Process(b"", [])
    process.commit(instant(process.layout, chance, START_NS, burning))
    group = process.layout.of_schedule(0, computed=True)[0]
    process.batch.ticks[0].rows[group].raw[0] += 1
    recomputation = Recomputation()
    recomputation.configure(bytes(32), config())
    (sentence,) = recomputation.feed(decode_body(process.close()))
    assert sentence.startswith("line-1.producing at ")
