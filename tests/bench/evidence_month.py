"""Whole months, made by `stackproof sim month` and verified by `stackproof verify`, as people do.

    ./run bench evidence_month [--days N] [--pots N] [--frame-s S] [--json]

Each verification is a process of its own: its CPU seconds (user + system), its wall clock and the
most memory it held are what the operating system says of it when it has ended.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from resource import struct_rusage

SCENARIO, MONTH, SEED = "smelter-normal", "2026-11", 7
POINTS, DAYS, SECONDS_A_DAY = 500, 30, 86_400
_STACKPROOF = (sys.executable, "-c", "import stackproof; raise SystemExit(stackproof.main())")


@dataclass(frozen=True)
class Shape:
    """What a month is made of: days of it, pot voltages among its points, seconds a frame."""

    days: int = DAYS
    pots: int = 24
    frame_s: int = 10

    @property
    def readings(self) -> int:
        """Measured readings."""
        return POINTS * self.days * SECONDS_A_DAY

    @property
    def frames(self) -> int:
        """Frames they come in."""
        return self.days * SECONDS_A_DAY // self.frame_s


@dataclass(frozen=True)
class Verified:
    """One archive's verification.

    Attributes:
        shape: what it holds.
        archive_bytes: of the file.
        made_s: wall seconds it took to make.
        cpu_s, wall_s: of the verification.
        peak_mb: most memory held, MB (10^6 bytes).
    """

    shape: Shape
    archive_bytes: int
    made_s: float
    cpu_s: float
    wall_s: float
    peak_mb: float

    @property
    def ns_a_reading(self) -> float:
        """CPU nanoseconds for each measured reading."""
        return self.cpu_s * 1e9 / self.shape.readings

    def text(self) -> str:
        """One line for people."""
        of = self.shape
        return (
            f"{of.days} days, {of.pots} pots, {of.frame_s} s frames: "
            f"{of.readings / 1e6:,.1f} M readings, {self.archive_bytes / 1e6:,.0f} MB "
            f"(made in {self.made_s:.0f} s); verified in {self.cpu_s:.1f} s of CPU, "
            f"{self.wall_s:.1f} s by the clock, {self.ns_a_reading:.1f} ns a reading, "
            f"peak {self.peak_mb:.0f} MB"
        )


def main(argv: list[str]) -> int:
    """Measure one month and print; 0 unless its verification fails."""
    parser = argparse.ArgumentParser(prog="./run bench evidence_month")
    parser.add_argument("--days", type=int, default=DAYS, help="how much of it (%(default)s)")
    parser.add_argument("--pots", type=int, default=24, help="pot voltages in it (%(default)s)")
    parser.add_argument("--frame-s", type=int, default=10, help="seconds a frame (%(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    args = parser.parse_args(argv)
    found = measure(Shape(args.days, args.pots, args.frame_s))
    print(json.dumps(asdict(found)) if args.json else found.text())
    return 0


def measure_apart(shape: Shape) -> Verified:
    """As `measure`, asked of a small process.

    What the system says of the most memory a process held begins with what its parent holds.
    """
    command = [
        sys.executable, "-m", __name__, "--json", "--days", str(shape.days),
        "--pots", str(shape.pots), "--frame-s", str(shape.frame_s),
    ]  # fmt: skip
    found = json.loads(run(command)[0])
    return Verified(shape, **{name: found[name] for name in found if name != "shape"})


def measure(shape: Shape) -> Verified:
    """Make an archive, verify it and remove it again.

    Raises:
        RuntimeError: a command failed, or the verification did not pass.
    """
    with tempfile.TemporaryDirectory(prefix="stackproof-bench-") as folder:
        started = time.monotonic()
        made = json.loads(run(sim_month(Path(folder), shape))[0])
        made_s = time.monotonic() - started
        return replace(verify(Path(made["archive"]), Path(made["trust"]), shape), made_s=made_s)


def verify(archive: Path, trust: Path, shape: Shape) -> Verified:
    """Verify an archive in a process of its own; RuntimeError unless it passes with figures."""
    started = time.monotonic()
    command = [*_STACKPROOF, "verify", "--json", "--trust", str(trust), str(archive)]
    out, usage = run(command, fine=(0, 3))
    wall_s = time.monotonic() - started
    report = json.loads(out)
    if report["verdict"] != "passed" or any("figures" in said for said in report["not_checked"]):
        raise RuntimeError(f"{archive} does not pass: {out[:2000]}")
    return Verified(
        shape, archive.stat().st_size, 0.0, usage.ru_utime + usage.ru_stime, wall_s,
        usage.ru_maxrss * 1024 / 1e6,
    )  # fmt: skip


def sim_month(folder: Path, shape: Shape) -> list[str]:
    """The command that makes a month."""
    command = [
        *_STACKPROOF, "sim", "month", SCENARIO, "--month", MONTH, "--out", str(folder), "--json",
        "--points", str(POINTS), "--pots", str(shape.pots), "--frame-s", str(shape.frame_s),
        "--seed", str(SEED),
    ]  # fmt: skip
    return command if shape.days == DAYS else [*command, "--days", str(shape.days)]


def run(
    command: list[str], *, is_loud: bool = False, fine: Collection[int] = (0,)
) -> tuple[str, struct_rusage]:
    """A command's output and what it used; RuntimeError when it fails.

    Where it is loud, what it says on standard error is said at once, and not in the error.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=out, stderr=None if is_loud else said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said.seek(0)
        text, words = out.read(), said.read()
    if process.returncode not in fine:
        told = f"{text[:2000]} {words[-2000:]}"
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {told}")
    return text, usage


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
