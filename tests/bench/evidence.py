"""Evidence: making, size and verifying of frames and of whole months, beside the bare primitives.

    ./run bench evidence [--quick] [--frames-only] [--json]

Everything runs on one core and is counted in CPU seconds of that core (user + system), because a
machine does other things too; the wall clock of a month stands beside it. Readings come from
`stackproof sim month`; counted are the measured ones only, although frames carry the computed
points as well. "bare" is what the cryptography, Zstandard and numpy alone take for the same bytes,
measured in the same run: the rest is ours.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence import cbor, cose
from evidence.blocks import FILTER_XOR, ZSTD_LEVEL, decompress, encode_block
from evidence.chain import Head, follow
from evidence.frame import (
    TYP_FRAME,
    Body,
    Header,
    decode_body,
    encode_body,
    place_of,
    sign_object,
)
from evidence.keys import FileSigner, generate
from evidence.points import Dtype
from evidence.recompute import Recomputation, month_bounds
from evidence.waiting import Common, Waiting
from simulators.month_config import GATEWAY, TIME_ZONE
from simulators.month_plants import SmelterMonth
from simulators.month_play import Order, frame_of, hours
from simulators.month_signals import HOUR_S
from simulators.month_smelter import Mix
from simulators.scenario import load_scenario
from tests.bench.evidence_month import DAYS, MONTH, POINTS, SCENARIO, SEED, Shape, measure_apart

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FEW_POTS, MANY_POTS = 24, 300
REPEATS = 5
EXPECT = (
    "Frames first, then months of up to {days} days, made and verified, one after another; a whole "
    "month takes a quarter of an hour and 5 GB of the temporary folder."
)
#: of the month's targets
MONTH_CPU_S, MONTH_MB, MONTH_UNEVEN = 150, 512, 1.15
#: more for a month than for a quarter of it: names and hashes of a file an hour
MONTH_MORE_MB = 8


@dataclass(frozen=True)
class Line:
    """One measured target.

    Attributes:
        what: in a few words.
        value, unit: measured.
        target: the bound, and `at_most` which side of it is good; None where there is none.
        bare: our time ÷ the bare primitives' time; None where there is none.
        more: what else there is to know.
    """

    what: str
    value: float
    unit: str
    target: float | None = None
    at_most: bool = False
    bare: float | None = None
    more: str = ""

    @property
    def met(self) -> bool:
        """True where the target is held, or there is none."""
        if self.target is None:
            return True
        return self.value <= self.target if self.at_most else self.value >= self.target

    def text(self) -> str:
        """For people."""
        verdict, target = "", ""
        if self.target is not None:
            verdict = "met" if self.met else "MISSED"
            target = f"target {'<=' if self.at_most else '>='} {self.target:,.6g}"
        bare = f"{self.bare:.2f} × bare" if self.bare is not None else ""
        line = f"{verdict:<8}{self.what:<46}{self.value:>12,.5g} {self.unit:<14}{target:<18}{bare}"
        return f"{line.rstrip()}\n{'':8}{self.more}" if self.more else line.rstrip()


def main(argv: list[str]) -> int:
    """Measure and print; 0 when every target is met."""
    parser = argparse.ArgumentParser(prog="./run bench evidence")
    parser.add_argument("--quick", action="store_true", help="months of 1, 2 and 4 days")
    parser.add_argument("--frames-only", action="store_true", help="no months at all")
    parser.add_argument("--json", action="store_true", help="one JSON array")
    args = parser.parse_args(argv)
    days = 4 if args.quick else DAYS
    if not args.frames_only:
        print(EXPECT.format(days=days), file=sys.stderr)
    lines = []
    for line in _everything(0 if args.frames_only else days):
        lines.append(line)
        if not args.json:
            print(line.text(), flush=True)
    return ended(lines, as_json=args.json)


def ended(lines: list[Line], *, as_json: bool) -> int:
    """Print what was missed, or all as JSON; the exit status."""
    missed = [line.what for line in lines if not line.met]
    if as_json:
        print(json.dumps([{**vars(line), "met": line.met} for line in lines]))
    else:
        print(f"missed: {'; '.join(missed)}" if missed else "all targets met")
    return 1 if missed else 0


def _everything(days: int) -> Iterator[Line]:
    """All lines; months up to so many days, none when 0."""
    few, minutes, many = _plant(FEW_POTS, 10), _plant(FEW_POTS, 60), _plant(MANY_POTS, 10)
    yield _encoding(few)
    line, cost = _verifying(few, "verify + chain + decode + totals, 10 s frames", 15)
    yield line
    yield _verifying(minutes, "the same, 60 s frames", 30)[0]
    yield _verifying(many, "the same, 10 s, 300 of them pot voltages", None)[0]
    yield from _size(few, many)
    if days:
        yield from _months(days, cost.bare_s_a_frame)


# ---------------------------------------------------------------- frames


@dataclass(frozen=True)
class Cost:
    """CPU seconds of so many frames: ours, and of each bare primitive."""

    frames: int
    seconds: float
    bare: Mapping[str, float]

    @property
    def ratio(self) -> float:
        """Ours ÷ the bare primitives together."""
        return self.seconds / sum(self.bare.values())

    @property
    def bare_s_a_frame(self) -> float:
        """CPU seconds of the bare primitives together for one frame."""
        return sum(self.bare.values()) / self.frames

    def text(self) -> str:
        """Microseconds a frame."""
        each = 1e6 / self.frames
        parts = ", ".join(f"{name} {seconds * each:.0f}" for name, seconds in self.bare.items())
        return f"{self.seconds * each:.0f} us a frame; bare: {parts}"


@dataclass(frozen=True)
class Plant:
    """An hour of a plant, as frames of `frame_s` seconds."""

    key: Ed25519PrivateKey
    config: dict[str, Any]
    frames: list[Body]
    readings: int  # measured ones a frame


def played_hour(points: int, pots: int, frame_s: int) -> tuple[dict[str, Any], Body]:
    """A smelter's configuration, and the first hour of its month."""
    smelter = SmelterMonth(load_scenario(SCENARIO), Mix.fit(points, pots), SEED, 1)
    config = smelter.configuration(bytes(32))
    first_ns, _ = month_bounds(TIME_ZONE, MONTH)
    order = Order(smelter, config, first_ns, 1, frame_s, final=False)
    hour, _ = next(hours(order, smelter.begin(first_ns)))
    return config, hour


def _plant(pots: int, frame_s: int) -> Plant:
    config, hour = played_hour(POINTS, pots, frame_s)
    frames = [frame_of(hour, at, frame_s) for at in range(0, HOUR_S, frame_s)]
    key = generate()
    assert isinstance(key, Ed25519PrivateKey)
    return Plant(key, config, frames, POINTS * frame_s)


def _encoding(plant: Plant) -> Line:
    objects = _signed(plant)
    seconds = _best(lambda: _signed(plant))
    texts = [decompress(encode_body(body)) for body in plant.frames]
    bare = {
        "sign": _best(lambda: [plant.key.sign(data) for data in objects]),
        "sha256": _best(lambda: [hashlib.sha256(data).digest() for data in objects]),
        "zstd": _best(lambda: [zstd.compress(text, ZSTD_LEVEL) for text in texts]),
    }
    cost, rate = Cost(len(objects), seconds, bare), len(objects) / seconds
    what = "encode + sign, 5,000 readings a frame"
    return Line(what, rate, "frames/s", 4000, bare=cost.ratio, more=cost.text())


def _signed(plant: Plant) -> list[bytes]:
    """Every frame of the hour, chained."""
    signer, head, objects = FileSigner(plant.key), bytes(32), []
    for seq, body in enumerate(plant.frames):
        header = Header(TYP_FRAME, SCENARIO, GATEWAY, 0, seq, head, (seq, head), head)
        data = sign_object(signer, header, encode_body(body))
        head = hashlib.sha256(data).digest()
        objects.append(data)
    return objects


def _verifying(plant: Plant, name: str, target: float | None) -> tuple[Line, Cost]:
    objects, public = _signed(plant), plant.key.public_key()
    months = [Recomputation() for _ in range(REPEATS)]
    for month in months:
        month.configure(b"config", plant.config)  # once a month, as the statement: not in here
    seconds = _best(lambda: _verified(plant, months.pop(), objects))
    parts = [cose.parse(data) for data in objects]
    signed = [
        (part.signature, cbor.encode(["Signature1", part.protected, b"", part.payload]))
        for part in parts
    ]
    packed = [part.payload[1:] for part in parts]
    arrays = [np.ascontiguousarray(g.raw) for f in plant.frames for g in f.sections[0].groups]
    bare = {
        "verify": _best(lambda: [public.verify(*pair) for pair in signed]),
        "sha256": _best(lambda: [hashlib.sha256(data).digest() for data in objects]),
        "zstd": _best(lambda: [zstd.decompress(data) for data in packed]),
        "sum": _best(lambda: [array.sum() for array in arrays]),
    }
    cost, rate = Cost(len(objects), seconds, bare), len(objects) * plant.readings / seconds / 1e6
    line = Line(name, rate, "M readings/s", target, bare=cost.ratio, more=cost.text())
    return line, cost


def _verified(plant: Plant, month: Recomputation, objects: list[bytes]) -> None:
    """What the verifier does with an hour's frames."""
    public, head, waiting = plant.key.public_key(), Head(), Waiting()
    common = Common(GATEWAY, b"config")
    for data in objects:
        envelope = cose.parse(data)
        head = follow(head, place_of(envelope), hashlib.sha256(data).digest())
        cose.verify(envelope, public)
        body = decode_body(envelope.payload)
        month.check(body)
        if not waiting.takes(common, body):
            assert not list(waiting.calculate(month))
            waiting = Waiting()
        waiting.add(common, body, "")
    assert not list(waiting.calculate(month))


def _size(few: Plant, many: Plant) -> Iterator[Line]:
    sizes = []
    for plant in (few, many):
        objects = _signed(plant)
        sizes.append(sum(map(len, objects)) / (len(objects) * plant.readings))
    month = MANY_POTS * DAYS * 86_400
    volts = [f.sections[0].groups[2].raw[:MANY_POTS] for f in many.frames]
    cost = _volt_bytes(volts) / (len(volts) * MANY_POTS * 10)
    yield Line("size, 10 s frames, the mix", sizes[0], "B/reading", 1.5, at_most=True)
    yield Line(
        "size, 10 s frames, 300 pot voltages in 500", sizes[1], "B/reading",
        more=f"a voltage costs {cost:.2f} B, 300 of them {cost * month / 1e9:.2f} GB a month",
    )  # fmt: skip


def _volt_bytes(volts: list[Any]) -> int:
    """What only the voltages take, filtered and compressed frame by frame."""
    blocks = (encode_block(rows, Dtype.F32, FILTER_XOR) for rows in volts)
    return sum(len(zstd.compress(block, ZSTD_LEVEL)) for block in blocks)


def _best(work: Callable[[], Any]) -> float:
    """CPU seconds of the fastest of a few runs: the one least disturbed."""
    times = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


# ---------------------------------------------------------------- months


def _months(days: int, bare_s_a_frame: float) -> Iterator[Line]:
    """The month, and a half and a quarter of it."""
    found = []
    for days_of_it in (days // 4, days // 2, days):
        found.append(measure_apart(Shape(days_of_it, FEW_POTS)))
        print(found[-1].text(), file=sys.stderr)
    quarter, _, month = found
    bare_s = bare_s_a_frame * month.shape.frames
    yield Line(
        f"{days} days, {month.shape.readings / 1e6:,.0f} M readings, verified whole", month.cpu_s,
        "s of CPU", MONTH_CPU_S * days / DAYS, at_most=True, bare=month.cpu_s / bare_s,
        more=f"{month.wall_s:.0f} s by the clock; bare: {bare_s:.0f} s of CPU for as many frames",
    )  # fmt: skip
    yield Line("its memory, at most", month.peak_mb, "MB", MONTH_MB, at_most=True)
    yield Line(
        f"its memory beyond that of {quarter.shape.days} days", month.peak_mb - quarter.peak_mb,
        "MB", MONTH_MORE_MB, at_most=True,
    )  # fmt: skip
    growth = month.ns_a_reading / quarter.ns_a_reading
    yield Line(
        f"time a reading, {days} days ÷ {days // 4}", growth, "", MONTH_UNEVEN, at_most=True,
        more=", ".join(f"{v.shape.days} days {v.ns_a_reading:.1f} ns" for v in found),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
