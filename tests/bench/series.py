"""What it costs to follow a log into the stores of series, in CPU seconds of a million readings.

    ./run bench series [--days N] [--json]

The readings are those of `stackproof sim month`: 500 points a second, laid into a collector's
evidence as in `months`. Each store is filled from the first object on, in this process: SQLite in a
file, and influxdb-client against the tests' fake server, in a process that is not counted.
Reading the log, checking hashes, decoding and folding are in both figures.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from cloud.config_series import InfluxConfig
from cloud.series.bucket import DAY_S, HOUR_S, MINUTE_S, SECOND_NS
from cloud.series.embedded import EmbeddedSeries
from cloud.series.follow import SeriesFollower
from cloud.series.influxdb import InfluxSeries
from cloud.series.store import SeriesStore
from tests.bench.evidence_month import Shape, run, sim_month
from tests.bench.months import AFTER_NS, Desk, lay
from tests.influx_servers import BUCKET, TOKEN, Fake, serving
from tests.unit.cloud.evidence_examples import ManualClock

ASKED = 20


class Counting(Fake):
    """Takes lines without reading them."""

    def write(self, lines: str, policy: str = "") -> tuple[int, dict[str, Any]]:
        return 204, {}


def serve(told: Connection) -> None:
    """A fake InfluxDB until its parent ends it."""
    with serving(Counting()) as front:
        told.send(front.url)
        told.recv()


def follow(desk: Desk, store: SeriesStore) -> float:
    """CPU seconds until all is in the store."""
    follower, began_s = SeriesFollower(desk, store), time.process_time()
    while (wait_s := follower.step(desk.plant)) < 10 or store.state().waiting:
        if wait_s:
            time.sleep(0.01)
    if follower.trouble() or store.state().trouble:
        raise RuntimeError(f"{follower.trouble()} {store.state()}")
    return time.process_time() - began_s


def asked_ms(ask: Callable[[], object]) -> float:
    """Median milliseconds of a question."""
    taken = []
    for _ in range(ASKED):
        began_s = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began_s) * 1_000)
    return sorted(taken)[ASKED // 2]


def measure(days: int) -> dict[str, Any]:
    """Everything, of so many days of November 2026."""
    shape = Shape(days)
    with tempfile.TemporaryDirectory(prefix="stackproof-bench-") as name:
        folder = Path(name)
        made = json.loads(run(sim_month(folder / "made", shape), is_loud=True)[0])
        desk = Desk(folder / "evidence", lay(Path(made["archive"]), folder / "evidence"))
        path, clock = folder / "series.db", ManualClock(AFTER_NS)
        store = EmbeddedSeries(path, 90, clock)
        millions = shape.readings / 1e6
        found: dict[str, Any] = {"readings": shape.readings}
        found["sqlite_cpu_s"] = follow(desk, store) / millions
        day_ns = DAY_S * SECOND_NS
        first_ns = AFTER_NS - 40 * day_ns
        series = list(store.read(HOUR_S, desk.plant, first_ns, AFTER_NS))
        for step_s, what in ((MINUTE_S, "minutes"), (HOUR_S, "hours")):
            found[f"{what}_ms"] = asked_ms(
                lambda step_s=step_s: store.read(
                    step_s, desk.plant, first_ns, AFTER_NS, point=series[0].point
                )
            )
        store.close()
        found["sqlite_bytes_a_reading"] = path.stat().st_size / shape.readings
        found["influxdb_cpu_s"] = _influxdb(desk, folder) / millions
        desk.shut()
    return found


def _influxdb(desk: Desk, folder: Path) -> float:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
    server.start()
    try:
        token = folder / "token"
        token.write_text(TOKEN)
        config = InfluxConfig(ours.recv(), token, None, BUCKET, "-", BUCKET)
        store = InfluxSeries(folder / "marks.db", config)
        cpu_s = follow(desk, store)
        store.close()
        return cpu_s
    finally:
        ours.send("end")
        server.join(10)


def main(argv: list[str]) -> int:
    """Measure and print; 0 unless something fails."""
    parser = argparse.ArgumentParser(prog="./run bench series")
    parser.add_argument("--days", type=int, default=1, help="how much of a month (%(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    args = parser.parse_args(argv)
    found = measure(args.days)
    print(json.dumps(found) if args.json else _text(found))
    return 0


def _text(of: dict[str, Any]) -> str:
    return (
        f"{of['readings'] / 1e6:,.1f} M readings followed, CPU s per million: SQLite "
        f"{of['sqlite_cpu_s']:.3f}, influxdb-client {of['influxdb_cpu_s']:.3f}\n"
        f"SQLite: {of['sqlite_bytes_a_reading']:.2f} bytes a reading on disk; a point's minutes of "
        f"all that in {of['minutes_ms']:.1f} ms, its hours in {of['hours_ms']:.1f} ms"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
