"""Processes on a core of their own, and what they spend there, as Linux counts it."""

import os
import subprocess
import sys
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import IO

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Spent:
    """What a process has spent so far.

    Attributes:
        cpu_s: CPU seconds, user + system, of all its threads.
        rss_mb, peak_mb: memory it holds, and the most it held, MB (10^6 bytes).
    """

    cpu_s: float
    rss_mb: float
    peak_mb: float


def spent(pid: int) -> Spent:
    """What a running process has spent."""
    counted = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    held = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    megabytes = [int(held[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM")]
    return Spent((int(counted[11]) + int(counted[12])) / _TICKS_A_SECOND, *megabytes)


def spent_with_helpers(pid: int, but: int | None = None) -> Spent:
    """Of a process and of those it has started that run; memory added up.

    Args:
        pid: its.
        but: one of them that is counted by itself.
    """
    tasks = Path(f"/proc/{pid}/task")
    children = {int(c) for t in tasks.iterdir() for c in (t / "children").read_text().split()}
    each = [spent(one) for one in (pid, *(children - {but}))]
    return Spent(*(sum(values) for values in zip(*map(astuple, each), strict=True)))


def machine_busy_s() -> float:
    """CPU seconds that everybody on this machine has spent since it started."""
    user, nice, system, _, _, irq, soft, *_ = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + soft) / _TICKS_A_SECOND


def two_cores() -> tuple[int, int]:
    """One for what is measured and one for all that is around it; the same when there is one."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


def on_core(
    core: int, *arguments: str, out: IO[bytes] | int, is_python: bool = True
) -> subprocess.Popen[bytes]:
    """Start a program (arguments of Python, else a command) on one core; stderr goes with `out`."""
    command = [sys.executable, *arguments] if is_python else list(arguments)
    return subprocess.Popen(
        ["taskset", "-c", str(core), *command],
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=None if out == subprocess.PIPE else subprocess.STDOUT,
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """End it, if it has not ended by itself."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
