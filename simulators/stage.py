"""Puts a plant on stage: opens truth and devices, plays, and closes everything again."""

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from simulators.clock import Clock
from simulators.fault_plan import FaultPlan
from simulators.faults import Fault
from simulators.play import (
    Change,
    Play,
    changes_of,
    play,
    start_all,
    start_instant,
    steps_of,
    stop_all,
)
from simulators.played import Played, TruthLine
from simulators.served import Served
from simulators.truth import TruthFile, write_start


@dataclass(frozen=True)
class Staging:
    """What is played, and for whom.

    Attributes:
        name, seed: of the play, as the truth's start file gives them.
        make: the plant, given who takes the truth.
        devices: by device id as in the plant's readings; not yet started.
        announce: called with the UTC instant of step 0 and the truth's path, once all is shown.
        out: folder of the truth, or None.
        seconds: scenario time after which it ends by itself, or None.
        changes, faults: what befalls the devices.
        watch: called after each step of the plant.
    """

    name: str
    seed: int
    make: Callable[[Callable[[TruthLine], None]], Played]
    devices: Mapping[str, Served]
    announce: Callable[[int, Path | None], None]
    out: Path | None
    seconds: Decimal | None
    changes: Sequence[Change]
    faults: Sequence[Fault]
    watch: Callable[[Played], None] | None = None


async def stage(staging: Staging, clock: Clock) -> None:
    """Play until the end, SIGINT or SIGTERM.

    Raises:
        ServeError: a port is taken, or a change or fault cannot be.
    """
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    devices = list(staging.devices.values())
    with ExitStack() as files:
        truth = files.enter_context(TruthFile(staging.out)) if staging.out else None
        record = truth.write if truth else _forget
        plant = staging.make(record)
        changes = changes_of(staging.changes, staging.devices, plant.step_s)
        faults = FaultPlan(
            staging.faults, devices=staging.devices, step_s=plant.step_s, record=record,
            notes=[_note(change, plant.step_s) for change in staging.changes],
        )  # fmt: skip
        await start_all(devices)
        try:
            started_ns = start_instant(clock)
            if staging.out:
                write_start(
                    staging.out, started_ns=started_ns, scenario=staging.name, seed=staging.seed
                )
            show = Play(
                plant=plant,
                devices=staging.devices,
                changes=changes,
                faults=faults,
                watch=staging.watch,
                steps=steps_of(staging.seconds, plant.step_s) if staging.seconds else None,
                flush=truth.flush if truth else lambda: None,
                ready=lambda: staging.announce(started_ns, truth.path if truth else None),
            )
            await play(show, clock, stop, started_ns=started_ns)
        finally:
            await stop_all(devices)


def _note(change: Change, step_s: Decimal) -> tuple[int, TruthLine]:
    """When a meter's setting is turned, and what the truth says of it."""
    step = steps_of(change.after_s, step_s)
    return step, {
        "type": "change", "t_s": str(step * step_s), "device": change.device,
        "setting": change.setting, "value": change.value,
    }  # fmt: skip


def _forget(line: TruthLine) -> None:
    """Without --out nobody keeps the truth."""
