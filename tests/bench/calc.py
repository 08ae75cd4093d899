"""Calculation: anode effects of a large potline's month, and the live calculation of a plant.

    ./run bench calc [--quick] [--json]

Each part is a process of its own on one core; counted are its CPU seconds (user + system) of the
calculation alone, not of making the readings. "bare" is one numpy comparison of the same samples
with the start voltage, measured in the same run: no detection can do with less.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from tests.bench.evidence import Line, ended
from tests.bench.load.spent import end, on_core, two_cores

POTS, DAYS, QUICK_DAYS = 400, 30, 3
#: what a call is given: pieces as the month's fold gets them, and single frames
CALLS_S = (600, 10)
MONTH_CPU_S, MONTH_MB, MORE_MB = 90, 128, 8
POINTS, FEW_POTS, MANY_POTS, LIVE_S, LIVE_PERCENT = 500, 24, 300, 3_600, 2


def main(argv: list[str]) -> int:
    """Measure and print; 0 when every target is met."""
    parser = argparse.ArgumentParser(prog="./run bench calc")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_DAYS} days and 10 minutes")
    parser.add_argument("--json", action="store_true", help="one JSON array")
    args = parser.parse_args(argv)
    print(f"load of the machine before: {os.getloadavg()[0]:.2f}", file=sys.stderr)
    lines = []
    for line in _everything(is_quick=args.quick):
        lines.append(line)
        if not args.json:
            print(line.text(), flush=True)
    return ended(lines, as_json=args.json)


def _everything(*, is_quick: bool) -> Iterator[Line]:
    days = QUICK_DAYS if is_quick else DAYS
    for seconds in CALLS_S:
        yield from _month(days, seconds)
    for pots in (FEW_POTS, MANY_POTS):
        yield _live(pots, LIVE_S // 6 if is_quick else LIVE_S)
    yield _accumulated(FEW_POTS, LIVE_S // 6 if is_quick else LIVE_S)


def _month(days: int, seconds: int) -> Iterator[Line]:
    found = _apart("pot_month", POTS, days, seconds)
    samples, cpu_s, floor_s = found["samples"], found["cpu_s"], found["floor_s"]
    yield Line(
        f"{POTS} pots, 1 Hz, {days} days, {seconds} s a call", cpu_s, "s of CPU",
        MONTH_CPU_S * days / DAYS, at_most=True, bare=cpu_s / floor_s,
        more=f"{samples / 1e6:,.0f} M samples, {cpu_s / samples * 1e9:.1f} ns each; "
        f"one comparison of them {floor_s:.2f} s",
    )  # fmt: skip
    exact = found["found"] == found["laid"] and found["found_s"] == found["laid_s"]
    yield Line(
        "its effects, as they were laid", 100.0 if exact else 0.0, "%", 100,
        more=f"{found['found']:,} of {found['laid']:,} effects, "
        f"{found['found_s']:,} of {found['laid_s']:,} s",
    )  # fmt: skip
    yield Line("its memory, at most", found["peak_mb"], "MB", MONTH_MB, at_most=True)
    more_mb = found["peak_mb"] - found["first_day_mb"]
    yield Line("more than for its first day", more_mb, "MB", MORE_MB, at_most=True)


def _live(pots: int, seconds: int) -> Line:
    found = _apart("live_plant", POINTS, pots, seconds)
    each_s = found["cpu_s"] / found["seconds"]
    return Line(
        f"live: {POINTS} points, {pots} of them pot voltages", 100 * each_s, "% of a core",
        LIVE_PERCENT, at_most=True,
        more=f"{each_s * 1e6:,.0f} us a second's readings, over {seconds} s with "
        f"{found['effects']} effects",
    )  # fmt: skip


def _accumulated(pots: int, seconds: int) -> Line:
    found = _apart("accumulated", POINTS, pots, seconds)
    each_s = found["cpu_s"] / found["seconds"]
    return Line(
        f"so far: {POINTS} points, hour, day and month", 100 * each_s, "% of a core",
        LIVE_PERCENT, at_most=True,
        more=f"{each_s * 1e6:,.0f} us a second's readings at the collector, over {seconds} s, "
        f"{found['total_t']} t",
    )  # fmt: skip


def _apart(module: str, *arguments: int) -> dict[str, Any]:
    """Run a part on one core to its end; what it printed."""
    process = on_core(
        two_cores()[0], "-m", f"tests.bench.load.{module}", *map(str, arguments),
        out=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        done: dict[str, Any] = json.loads(process.stdout.read() or b"{}")
        assert process.wait() == 0, module
    finally:
        end(process)
    return done


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
