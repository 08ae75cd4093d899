"""Plays a plant in real time: steps the physics to where the clock is, then shows the values.

Physics never skips a step: after a pause all missed steps are made, and what is shown is always
the newest. Thin shell: time comes from the clock, values go to the served devices.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from simulators.clock import Clock
from simulators.fault_plan import FaultPlan
from simulators.modbus_meter import ModbusMeter
from simulators.played import Played
from simulators.served import CanFail, Served, ServeError

_NS = 10**9

#: Steps made in one go while catching up, before other tasks get their turn.
_BURST_STEPS = 200


@dataclass(frozen=True)
class Change:
    """A fault: from an instant on a meter says something else of itself.

    Attributes:
        after_s: seconds after the start.
        device, setting: which, by id and by the profile's name.
        value: what it then says.
    """

    after_s: Decimal
    device: str
    setting: str
    value: str


@dataclass(frozen=True)
class Play:
    """A plant, the devices that show it, and how long.

    Attributes:
        plant: at step 0.
        devices: by device id as in the plant's readings; already started.
        steps: after so many steps the play ends by itself; None plays until stopped.
        changes: (step, what happens then), in order.
        faults: what befalls the devices; None: nothing.
        watch: called after each step.
        flush: called after each round, e.g. to flush the truth.
        ready: called once, when the devices show the values of step 0.
    """

    plant: Played
    devices: Mapping[str, Served]
    steps: int | None
    flush: Callable[[], None]
    ready: Callable[[], None]
    changes: Sequence[tuple[int, Callable[[], None]]] = ()
    faults: FaultPlan | None = None
    watch: Callable[[Played], None] | None = None


def start_instant(clock: Clock) -> int:
    """UTC nanoseconds now, cut to whole milliseconds so that every step is a round instant."""
    return clock.now_ns() // 1_000_000 * 1_000_000


async def play(show: Play, clock: Clock, stop: asyncio.Event, *, started_ns: int) -> None:
    """Runs until `stop` is set or the steps are done; then records the truth's last line.

    Args:
        show: what is played.
        clock: paces it; its monotonic side only.
        stop: set by a signal handler.
        started_ns: UTC instant of step 0, as told to the reader of the truth.
    """
    plant = show.plant
    round_steps = plant.publish_steps
    round_s = float(plant.step_s * round_steps)
    step_ns = int(plant.step_s * _NS)
    begin_s = clock.elapsed_s()
    await _publish(show, started_ns)
    show.ready()
    while not stop.is_set() and (show.steps is None or plant.step_number < show.steps):
        next_round = plant.step_number // round_steps + 1
        await clock.sleep(begin_s + next_round * round_s - clock.elapsed_s())
        now_round = int((clock.elapsed_s() - begin_s) / round_s)  # a timer may ring a bit early
        due = max(next_round, now_round) * round_steps
        await _step_to(show, due if show.steps is None else min(due, show.steps), clock)
        await _publish(show, started_ns + plant.step_number * step_ns)
        show.flush()
    plant.finish()
    show.flush()


async def _step_to(show: Play, step: int, clock: Clock) -> None:
    plant = show.plant
    while plant.step_number < step:
        for _ in range(min(_BURST_STEPS, step - plant.step_number)):
            plant.step()
            if show.faults:
                show.faults.at(plant.step_number, plant.readings)
            if show.watch:
                show.watch(plant)
        await clock.sleep(0)


def changes_of(
    changes: Sequence[Change], devices: Mapping[str, Served], step_s: Decimal
) -> list[tuple[int, Callable[[], None]]]:
    """The faults as `Play.changes`.

    Raises:
        ServeError: of no meter, of no setting it has, or to what that cannot be.
    """
    found: list[tuple[int, Callable[[], None]]] = []
    for change in sorted(changes, key=lambda change: change.after_s):
        meter = devices.get(change.device)
        if not isinstance(meter, ModbusMeter):
            raise ServeError(f"{change.device!r} is no Modbus meter of this scenario")
        meter.check_setting(change.setting, change.value)
        step = steps_of(change.after_s, step_s)
        found.append((step, partial(meter.set_setting, change.setting, change.value)))
    return found


async def _publish(show: Play, source_ns: int) -> None:
    step = show.plant.step_number
    for _, happen in (c for c in show.changes if c[0] <= step):
        happen()  # again and again: it stays so
    readings = show.plant.readings()
    for device_id, device in show.devices.items():
        shown = readings[device_id]
        if show.faults and isinstance(device, CanFail):
            device.behave(show.faults.manner(device_id, step))
            shown = show.faults.show(device_id, shown, step)
        await device.publish(shown, source_ns)


async def start_all(devices: Sequence[Served]) -> None:
    """Open every device, or none: what was opened is closed again when one fails."""
    opened: list[Served] = []
    try:
        for device in devices:
            await device.start()
            opened.append(device)
    except BaseException:
        await stop_all(opened)
        raise


async def stop_all(devices: Sequence[Served]) -> None:
    """Close every device."""
    for device in devices:
        await device.stop()


def steps_of(seconds: Decimal, step_s: Decimal) -> int:
    """Whole steps in this many seconds, at least one."""
    return max(1, int(seconds / step_s))
