"""Ingest: one collector, as it comes, with the readings of 1,500 plants over a real broker.

    ./run bench ingest [--plants N] [--rate M] [--seconds S] [--only load|growth|pair] [--json]

`stackproof cloud run` with its embedded nats-server takes frames of 5,000 measured readings that
were signed before the clock started, from gateways that are one cheap process. Counted is what is
under a receipt, verified, when the time is over. CPU seconds are user + system as Linux counts
them. "bare" is what parsing the COSE, verifying the signature and writing the bytes with one
fdatasync every half second take for the same frames, measured in the same run.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud.asking import RunningCollector
from cloud.series.bucket import MINUTE_NS
from tests.bench.evidence import Line, ended
from tests.bench.load.floor import floor_us, two_floors_us
from tests.bench.load.held import held
from tests.bench.load.ingest_gateways import FRAMES_MAX, READINGS, Made
from tests.bench.load.spent import Spent, end, machine_busy_s, spent, spent_with_helpers

#: in a warm-up each plant ends a minute, so that all that follows the log has begun with it
PLANTS, SECONDS, WARM_UP_S, SETTLE_S = 1_500, 60.0, 15.0, 300.0
#: a collector that takes less than this part of a core for so long is at rest
REST_CORE, REST_LOOK_S = 0.2, 10.0
RATE_M, OFFERED = 4.0, 1.05
RECEIPT_S, GROWN_MB, UNEVEN = 2.0, 32.0, 1.15
START_S = 180.0
#: shares of the machine, and of a core, from which on they are what limits
FULL_MACHINE, FULL_CORE = 0.95, 0.9
CLOUD = "CLOUD.toml"


class Site:
    """A collector with its broker, and its gateways; each a process of its own."""

    def __init__(self, of: Made) -> None:
        self.folder, self.plants = of.folder, of.plants
        self.folder.mkdir()
        arguments = (str(of.folder), of.slice, str(of.plants), str(of.frames), of.broker)
        self._gateways = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.load.ingest_gateways", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.made = self.heard()
        self._log = (of.folder / "log").open("wb")
        command = [sys.executable, "-m", "stackproof", "cloud", "run", str(of.folder / CLOUD)]
        self._cloud = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        self.ready = self._ready()

    def _ready(self) -> dict[str, Any]:
        path, until_s = self.folder / "state/ready.json", time.monotonic() + START_S
        while time.monotonic() < until_s and self._cloud.poll() is None:
            if path.exists():
                found: dict[str, Any] = json.loads(path.read_text())
                return found
            time.sleep(0.1)
        raise SystemExit(f"the collector did not start: {(self.folder / 'log').read_text()}")

    def connect(self) -> None:
        """All plants are configured and under receipt."""
        self.order(f"connect {self.ready['broker']}")
        self.heard()

    def order(self, line: str) -> None:
        """Tell the gateways something."""
        assert self._gateways.stdin is not None
        self._gateways.stdin.write(f"{line}\n".encode())
        self._gateways.stdin.flush()

    def heard(self) -> dict[str, Any]:
        """What they answer."""
        assert self._gateways.stdout is not None
        line = self._gateways.stdout.readline()
        if not line:
            raise SystemExit("the gateways ended")
        found: dict[str, Any] = json.loads(line)
        return found

    def spent(self) -> tuple[Spent, float, float]:
        """Of the collector with its helper; CPU seconds of it alone, and of its broker."""
        pid, broker = self.ready["pid"], self.ready["broker_pid"]
        broker_s = 0.0 if broker is None else spent(broker).cpu_s
        return spent_with_helpers(pid, but=broker), spent(pid).cpu_s, broker_s

    def behind(self) -> tuple[int, float]:
        """Plants whose series are not begun or two minutes behind, and by how many s at most."""
        told = RunningCollector(self.folder / CLOUD).get("health", START_S)["series"]["plants"]
        late_s = [one["behind_ns"] / 1e9 for one in told if one["behind_ns"] >= 2 * MINUTE_NS]
        return len(late_s) + self.plants - len(told), max(late_s, default=0.0)

    def strays(self) -> int:
        """Messages of other topics or plants than its own that came to the collector, at least."""
        told = RunningCollector(self.folder / CLOUD).get("health", START_S)["strangers_refused"]
        log = (self.folder / "log").read_text()
        return int(sum(told.values())) + log.count("on topics that are none of ours")

    def close(self) -> None:
        """End both."""
        end(self._cloud)
        end(self._gateways)
        self._log.close()


@dataclass(frozen=True)
class Load:
    """What a collector took in one run.

    Attributes:
        plants: of it.
        seconds: offered for so long.
        told: what the gateways say of it.
        before, after: the collector with its helper.
        alone_s: CPU seconds of the collector without it.
        broker_s: CPU seconds of its broker; 0 where it is another's.
        busy: cores that everybody on this machine kept busy meanwhile.
    """

    plants: int
    seconds: float
    told: dict[str, Any]
    before: Spent
    after: Spent
    alone_s: float
    broker_s: float
    busy: float

    @property
    def readings_s(self) -> float:
        """Readings under receipt at the end, a second."""
        return float(self.told["inside"] * READINGS / self.seconds)

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the collector."""
        return self.after.cpu_s - self.before.cpu_s

    @property
    def limit(self) -> str:
        """What it was that nothing more could be had of."""
        cores, collector = float(os.cpu_count() or 1), self.alone_s / self.seconds
        ours = (self.cpu_s + self.broker_s + self.told["cpu_s"]) / self.seconds
        if self.busy >= FULL_MACHINE * cores:
            others = max(0.0, self.busy - ours)
            return f"limit: the machine, all cores; {others:.2f} of them were not of this site"
        if collector >= FULL_CORE:
            return f"limit: the collector's interpreter, one lock ({collector:.2f} of a core)"
        if self.broker_s / self.seconds >= FULL_CORE:
            return "limit: the broker"
        return "limit: none; what was offered was taken, or waited for a disk"

    @property
    def frame_us(self) -> float:
        """Microseconds of CPU a frame."""
        return float(1e6 * self.cpu_s / self.told["receipted"])

    @property
    def million_s(self) -> float:
        """CPU seconds a million readings."""
        return self.frame_us / READINGS

    def text(self) -> str:
        """What limits: who had how much of the machine."""
        told, each = self.told, 1 / self.seconds
        helper_s = self.cpu_s - self.alone_s
        late_s = told["took_s"] - self.seconds
        return (
            f"{told['sent']:,} frames sent in {self.seconds:.0f} s, {told['inside']:,} under "
            f"receipt by then and {told['receipted']:,} {late_s:.1f} s later; cores: collector "
            f"{self.alone_s * each:.2f}, its helper {helper_s * each:.2f}, broker "
            f"{self.broker_s * each:.2f}, gateways {told['cpu_s'] * each:.2f}, all of the machine "
            f"{self.busy:.2f} of {os.cpu_count()}; load average {os.getloadavg()[0]:.1f}; "
            f"{self.limit}"
        )


def measure(sites: list[Site], rate: float, seconds: float) -> list[Load]:
    """Offer every site `rate` frames a second at the same time."""
    before = [site.spent() for site in sites]
    busy_s, began_s = machine_busy_s(), time.monotonic()
    for site in sites:
        site.order(f"run {rate} {seconds}")
    told = [site.heard() for site in sites]
    busy = (machine_busy_s() - busy_s) / (time.monotonic() - began_s)
    after = [site.spent() for site in sites]
    return [
        Load(
            site.plants, seconds, said, first[0], last[0],
            last[1] - first[1], last[2] - first[2], busy,
        )
        for site, said, first, last in zip(sites, told, before, after, strict=True)
    ]  # fmt: skip


def warm(sites: list[Site], rate: float) -> None:
    """Offer frames until each plant was begun with: what that costs comes once for each."""
    measure(sites, rate, WARM_UP_S)
    settle(sites)


def settle(sites: list[Site]) -> None:
    """Wait until all that comes of the frames so far is done."""
    began_s = time.monotonic()
    while any(site.behind()[0] for site in sites) and time.monotonic() < began_s + SETTLE_S:
        time.sleep(1)
    _say(f"series follow all plants {time.monotonic() - began_s:.0f} s after the last frame")
    while not all(_rest(sites)) and time.monotonic() < began_s + SETTLE_S:
        pass
    _say(f"and the collectors rest {time.monotonic() - began_s:.0f} s after it")


def _rest(sites: list[Site]) -> list[bool]:
    """Which collectors have begun with months and figures of all plants, too: they do little."""
    before = [site.spent()[0].cpu_s for site in sites]
    time.sleep(REST_LOOK_S)
    after = [site.spent()[0].cpu_s for site in sites]
    return [b - a < REST_CORE * REST_LOOK_S for a, b in zip(before, after, strict=True)]


def frames_for(plants: int, rate: float, seconds: float) -> int:
    """How many each plant needs for a run and its warm-up.

    Raises:
        ValueError: more than its gateway has.
    """
    frames = int(rate * (seconds + WARM_UP_S) / plants * 1.1) + 4
    if frames > FRAMES_MAX:
        raise ValueError(
            f"{plants} plants would have to send {frames} frames each, and a gateway has "
            f"{FRAMES_MAX}, one hour: take more plants, a lower rate or fewer seconds"
        )
    return frames


@contextlib.contextmanager
def started(of: Made) -> Iterator[Site]:
    """A site whose plants are configured and under receipt."""
    site = Site(of)
    try:
        site.connect()
        yield site
    finally:
        site.close()


def _load(folder: Path, plants: int, rate_m: float, seconds: float) -> Iterator[Line]:
    rate = rate_m * OFFERED * 1e6 / READINGS
    with started(Made(folder / "00", "00", plants, frames_for(plants, rate, seconds))) as site:
        warm([site], rate)
        (load,) = measure([site], rate, seconds)
        late, late_s = site.behind()
    _say(f"series of {late} of {plants} plants are not begun, or behind by up to {late_s:.0f} s")
    told = load.told
    yield Line(
        f"signed readings under receipt, {plants:,} plants", load.readings_s / 1e6, "M/s", rate_m,
        more=load.text(),
    )  # fmt: skip
    yield Line(
        "receipts, 99 of 100 within", told["p99_s"], "s", RECEIPT_S, at_most=True,
        more=f"half within {told['p50_s']:.2f} s, all within {told['p100_s']:.2f} s",
    )  # fmt: skip
    grown = load.after.rss_mb - load.before.rss_mb
    yield Line(
        "memory of the collector, more at the end", grown, "MB", GROWN_MB, at_most=True,
        more=f"{load.before.rss_mb:.0f} MB, then {load.after.rss_mb:.0f}",
    )  # fmt: skip
    yield Line(
        "frames without a receipt two minutes later",
        told["sent"] - told["receipted"],
        "",
        0,
        at_most=True,
    )
    bare_us = floor_us()
    yield Line(
        "CPU of the collector", load.million_s, "s/M readings", bare=load.frame_us / bare_us,
        more=f"{load.frame_us:.0f} us a frame; bare {bare_us:.0f} us",
    )  # fmt: skip


def _growth(folder: Path, plants: int, rate_m: float, seconds: float) -> Iterator[Line]:
    """The same frames a plant, for few plants and many."""
    each = rate_m * OFFERED * 1e6 / READINGS / plants
    found = []
    for n, count in enumerate((max(1, plants // 150), max(1, plants // 15), plants)):
        of = Made(folder / str(n), "00", count, frames_for(count, each * count, seconds))
        with started(of) as site:
            warm([site], each * count)
            found += measure([site], each * count, seconds)
    costs = ", ".join(
        f"{load.plants:,} plants {1e3 * load.cpu_s / load.seconds / load.plants:.2f}"
        for load in found
    )
    yield Line(
        f"CPU a frame, {found[-1].plants:,} plants ÷ {found[0].plants:,}",
        found[-1].frame_us / found[0].frame_us, "", 1.0, at_most=True,
        more=f"ms of CPU a second for each of {costs}; at {each:.2f} frames a second each "
        f"(a plant's own pace is 0.1); {found[-1].limit}",
    )  # fmt: skip


def _pair(folder: Path, plants: int, rate_m: float, seconds: float) -> Iterator[Line]:
    """Half of the plants each, at half of the rate: one alone, both at a time, the other alone.

    Alone is the mean of one before and one after: a machine is slower from one minute to the next
    by more than is looked for.
    """
    rate = rate_m * OFFERED * 1e6 / READINGS / 2
    frames = frames_for(plants // 2, rate, 2 * seconds)
    with started(Made(folder / "00", "00", plants // 2, frames)) as one:
        url = one.ready["broker"]
        external = f'mode = "external"; url = "{url}"'
        with started(Made(folder / "01", "01", plants // 2, frames, external)) as two:
            warm([one, two], rate)
            lone = measure([one], rate, seconds)
            settle([one])  # what comes of the frames of one alone is no cost of two
            both = measure([one, two], rate, seconds)
            settle([one, two])
            lone += measure([two], rate, seconds)
            shared = sorted(held(one.ready["pid"]) & held(two.ready["pid"]))
            strays = one.strays() + two.strays()
    alone_us = sum(load.frame_us for load in lone) / len(lone)
    for name, alone, load in zip(("first", "second"), lone, both, strict=True):
        yield Line(
            f"two collectors: CPU of the {name}, ÷ one alone", load.frame_us / alone_us, "",
            UNEVEN, at_most=True,
            more=f"{load.million_s:.3f} s a million readings, itself alone "
            f"{alone.million_s:.3f}; {load.text()}",
        )  # fmt: skip
    yield Line(
        "files, locks, pipes, shared memory that both hold", len(shared), "", 0, at_most=True,
        more=" ".join(shared),
    )  # fmt: skip
    yield Line("messages on topics of the other", strays, "", 0, at_most=True)
    lone_us, beside_us = floor_us(), two_floors_us()
    yield Line(
        "bare: CPU of each of two at a time, ÷ one alone", max(beside_us) / lone_us, "",
        more=f"{lone_us:.0f} us a frame alone, {beside_us[0]:.0f} and {beside_us[1]:.0f} at a "
        "time: what two busy cores of this machine take from each other, whatever runs on them",
    )  # fmt: skip


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def main(argv: list[str]) -> int:
    """Measure and print; 0 when every target is met."""
    parser = argparse.ArgumentParser(prog="./run bench ingest")
    parser.add_argument("--plants", type=int, default=PLANTS, help="at most (%(default)s)")
    parser.add_argument("--rate", type=float, default=RATE_M, help="M readings/s (%(default)s)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of a run (%(default)s)")
    parser.add_argument("--only", choices=("load", "growth", "pair"), help="one part")
    parser.add_argument("--json", action="store_true", help="one JSON array")
    args = parser.parse_args(argv)
    if args.plants < 2:
        parser.error("--plants: two at least, one for each of two collectors")
    parts = {"load": _load, "growth": _growth, "pair": _pair}
    rate = args.rate * OFFERED * 1e6 / READINGS
    try:
        if args.only != "pair":
            frames_for(args.plants, rate, args.seconds)
        if args.only in (None, "pair"):
            frames_for(args.plants // 2, rate / 2, 2 * args.seconds)
    except ValueError as error:
        parser.error(str(error))
    lines = []
    for name, part in parts.items():
        if args.only not in (None, name):
            continue
        _say(f"{name}; load of the machine before: {os.getloadavg()[0]:.2f}")
        with tempfile.TemporaryDirectory(prefix="stackproof-bench-") as folder:
            for line in part(Path(folder), args.plants, args.rate, args.seconds):
                lines.append(line)
                if not args.json:
                    print(line.text(), flush=True)
    return ended(lines, as_json=args.json)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
