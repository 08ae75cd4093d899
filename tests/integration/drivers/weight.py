"""What a process holds: tasks, open files, threads, memory; for tests that look for leaks."""

import asyncio
import gc
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ONCE = 200  # objects that are made once, by whatever is rare


@dataclass(frozen=True)
class Weight:
    """At one moment, after a collection of garbage.

    Attributes:
        tasks: of the running loop.
        files: open file descriptors.
        threads: alive.
        objects: that the garbage collector knows.
        kib: resident memory.
    """

    tasks: int
    files: int
    threads: int
    objects: int
    kib: int

    @classmethod
    def now(cls) -> "Weight":
        """Of this process."""
        gc.collect()
        status = Path("/proc/self/status").read_text()
        return cls(
            len(asyncio.all_tasks()),
            len(list(Path("/proc/self/fd").iterdir())),
            threading.active_count(),
            len(gc.get_objects()),
            int(status.split("VmRSS:")[1].split()[0]),
        )

    @classmethod
    async def settled(cls, before: Sequence["Weight"]) -> "Weight":
        """Of this process once what was closed is gone, or what there is after 10 s.

        The system, too, takes its time to tell the other end: on a busy machine more than any
        moment one would like to give it. Left is the task that asks, and no file more than before.
        """
        for _ in range(200):
            weight = cls.now()
            if weight.tasks == 1 and (not before or weight.files <= before[0].files):
                break
            await asyncio.sleep(0.05)
        return weight


def check_flat(weights: list[Weight], *, per_part: int) -> None:
    """Weights taken after equal parts of the work; the first is of a process that is warm.

    Args:
        weights: at least three.
        per_part: disturbances in a part. A leak of one small object (100 bytes) each is seen when
            there are thousands; a leak of one client with its buffers (10 KiB) at once.
    """
    first, last = weights[0], weights[-1]
    parts = len(weights) - 1
    assert last.tasks <= first.tasks, weights
    assert last.files <= first.files, weights
    assert last.threads <= first.threads, weights
    # what grows in every part is a leak, a step is not: a cache is filled by what is rare, and
    # memory comes in pages and arenas
    pairs = list(pairwise(weights))
    assert min(after.objects - before.objects for before, after in pairs) < per_part, weights
    assert last.objects - first.objects < parts * per_part + ONCE, weights
    assert min(after.kib - before.kib for before, after in pairs) <= per_part * 2, weights
    assert last.kib - first.kib <= 2048 + parts * per_part * 2, weights
