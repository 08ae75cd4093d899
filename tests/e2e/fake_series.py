"""A store of series with a year of some points of the fake plant, and a hole in each."""

import atexit
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

from cloud.clock import Clock
from cloud.series.bucket import DAY_S, HOUR_S, MINUTE_S, SECOND_NS, Bucket, Series
from cloud.series.columns import Columns
from cloud.series.desk import SeriesDesk
from cloud.series.embedded import EmbeddedSeries
from cloud.series.store import Batch, Mark
from tests.e2e.fake_plant import GATEWAY, PLANT
from tests.unit.cloud.app_examples import NoSeries

#: how far back each step goes, and where its hole lies, in steps before now
REACH = {MINUTE_S: (3 * DAY_S, range(20, 30)), HOUR_S: (31 * DAY_S, range(100, 130)),
         DAY_S: (366 * DAY_S, range(50, 60))}  # fmt: skip
#: Beijing's midnights are at 16:00 UTC
SHIFT_S = {MINUTE_S: 0, HOUR_S: 0, DAY_S: 16 * 3600}
CENTRES = {"pot-gateway.pot-07.voltage": ("voltage", "V", 3, 4200),
           "plant.co2e_t_h": ("emission-flow", "tCO2e/h", 6, 5_800_000)}  # fmt: skip


def series_desk(clock: Clock) -> SeriesDesk:
    """Of two points: minutes of three days, hours of a month, days of a year."""
    folder = Path(mkdtemp())
    atexit.register(shutil.rmtree, folder)
    store = EmbeddedSeries(folder / "series.db", 90, clock)
    now_s = clock.wall_ns() // SECOND_NS // MINUTE_S * MINUTE_S
    rows = {
        step_s: [
            Columns.of(bucket.from_ns, [(series(point), bucket)])
            for point in CENTRES
            for bucket in buckets(point, step_s, now_s)
        ]
        for step_s in REACH
    }
    store.put(Batch(PLANT, GATEWAY, rows, Mark(9, b"", now_s * SECOND_NS)))
    return SeriesDesk(store, NoSeries())


def series(point: str) -> Series:
    kind, unit, decimals, _ = CENTRES[point]
    quantity = f'{{"kind":"{kind}","unit":"{unit}"}}'
    return Series(PLANT, GATEWAY, point, quantity, decimals)


def buckets(point: str, step_s: int, now_s: int) -> Iterator[Bucket]:
    """A wave about the centre; each 200th minute of the pot has an effect; ten steps are missing.

    One more has readings, but no usable one.
    """
    reach_s, hole = REACH[step_s]
    centre = CENTRES[point][3]
    end_s = (now_s - SHIFT_S[step_s]) // step_s * step_s + SHIFT_S[step_s]
    for back in range(reach_s // step_s, 0, -1):
        from_ns = (end_s - back * step_s) * SECOND_NS
        if back in hole:
            continue
        if back == 10:
            yield Bucket(from_ns, 0, 0, 0, 0, 0, 134)
            continue
        mean = centre + int(centre * 0.02 * math.sin(back / 9))
        high = 8 * centre if "pot" in point and back % 200 == 7 else mean + centre // 50
        yield Bucket(from_ns, 60, mean - centre // 50, high, mean, 60 * mean, 0)
