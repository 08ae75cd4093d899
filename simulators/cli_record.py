"""`stackproof sim record URL` and `sim replay FILE`: a real device's answers become a simulator."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from firmware_configs.model import Profile
from firmware_configs.profile import load_profile
from simulators import option_types as types
from simulators.cli_serve import METER_PORT, OPCUA_PORT
from simulators.clock import Clock
from simulators.recorded import questions
from simulators.recorded import record_opcua as opcua
from simulators.recorded.address import OPC_TCP, Place, place_of
from simulators.recorded.asking import Asker
from simulators.recorded.record_modbus import record_modbus
from simulators.recorded.recording import MODBUS, OPCUA, Answer, Ask, Head, RecordingError, Rounds
from simulators.recorded.replayed_modbus import ReplayedModbus
from simulators.recorded.replayed_opcua import ReplayedOpcUa
from simulators.recorded.text import answer_line, head_line, read_recording, value_line

_BLOCK = 60


def add_record(record: argparse.ArgumentParser) -> None:
    """Its options."""
    record.add_argument(
        "url", help="as in a site file: modbus+tcp://, modbus+rtu-tcp://, modbus+rtu:///dev/..., "
        "opc.tcp://",
    )  # fmt: skip
    record.add_argument("--out", required=True, type=Path, metavar="FILE", help="a new one")
    what = record.add_mutually_exclusive_group()
    what.add_argument(
        "--profile", metavar="NAME", help="ask what this profile names, in blocks as a driver does"
    )
    what.add_argument(
        "--ranges", type=_range, nargs="+", metavar="TABLE:FIRST-LAST",
        help="Modbus: ask these cells, such as holding:0-99 (addresses as on the wire); a refused "
        "block is asked in halves down to single cells",
    )  # fmt: skip
    record.add_argument(
        "--block", type=types.block, default=_BLOCK, metavar="N",
        help="with --ranges: registers a question (%(default)s)",
    )  # fmt: skip
    record.add_argument(
        "--each", type=types.each, default=1, metavar="N",
        help="how many of what the profile has many of, such as pots (%(default)s)",
    )  # fmt: skip
    record.add_argument(
        "--rounds", type=types.rounds, default=10, metavar="N", help="how often (%(default)s)"
    )
    record.add_argument(
        "--every", type=types.every, default=1, metavar="SECONDS",
        help="between the beginnings of two rounds (%(default)s)",
    )  # fmt: skip
    record.add_argument(
        "--wait", type=types.every, default=3, metavar="SECONDS",
        help="for an answer (%(default)s)",
    )  # fmt: skip


def add_replay(replay: argparse.ArgumentParser) -> None:
    """Its options."""
    replay.add_argument("file", type=Path, help="a recording")
    replay.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    replay.add_argument(
        "--modbus-port", type=types.port, default=METER_PORT, metavar="P",
        help="0 = any free port (%(default)s)",
    )  # fmt: skip
    replay.add_argument(
        "--opcua-port", type=types.port, default=OPCUA_PORT, metavar="P",
        help="0 = any free port (%(default)s)",
    )  # fmt: skip
    replay.add_argument("--pty", action="store_true", help="Modbus on a serial line, a pty")
    replay.add_argument(
        "--speed", type=types.speed, default=1, metavar="N",
        help="go through the rounds N times as fast (%(default)s)",
    )  # fmt: skip
    replay.add_argument(
        "--loop", action="store_true", help="begin again after the last round; else it stays"
    )
    replay.add_argument(
        "--slow", action="store_true", help="Modbus: each answer takes as long as the recorded ones"
    )
    replay.add_argument(
        "--for", dest="seconds", type=types.duration, metavar="SECONDS",
        help="end by itself; otherwise at SIGINT or SIGTERM",
    )  # fmt: skip
    replay.add_argument("--json", action="store_true", help="say what is served as one JSON line")


async def record(options: argparse.Namespace, clock: Clock) -> None:
    """Record, and say how much.

    Raises:
        RecordingError: the device cannot be reached, or not asked so.
    """
    place = place_of(options.url)
    profile = load_profile(options.profile) if options.profile else None
    protocol = OPCUA if place.scheme == OPC_TCP else MODBUS
    if profile is not None and profile.protocol != protocol:
        raise RecordingError(f"{profile.id} is a profile of {profile.protocol}, not of {protocol}")
    if options.ranges and protocol == OPCUA:
        raise RecordingError("--ranges are of Modbus; without --profile every variable is read")
    if profile is None and not options.ranges and protocol == MODBUS:
        raise RecordingError("say what is asked: --profile NAME or --ranges holding:0-99")
    with options.out.open("x", buffering=1, encoding="ascii", newline="\n") as file:
        recorded = _modbus if protocol == MODBUS else _opcua
        try:
            said = await recorded(options, place, profile, clock, file)
        except BaseException:
            if file.tell() == 0:
                options.out.unlink()  # nothing was recorded, so nothing stands there
            raise
    print(f"{options.out}: {said}")


async def _modbus(
    options: argparse.Namespace, place: Place, profile: Profile | None, clock: Clock, file: TextIO
) -> str:
    if profile is None:
        plan = questions.of_ranges(options.ranges, block=options.block)
    else:
        plan = questions.of_profile(profile)
    counts = {"answers": 0, "exceptions": 0, "silences": 0}

    def tell(answer: Answer) -> None:
        file.write(answer_line(answer))
        is_answer = answer.cells is not None
        kind = "answers" if is_answer else "silences" if answer.exception is None else "exceptions"
        counts[kind] += 1

    asker = Asker(place, wait_s=options.wait)
    await asker.open()
    try:
        file.write(head_line(_head(options, MODBUS, place.unit, clock)))
        pause_s = profile.pause_ms / 1000 if profile is not None else 0.0
        await record_modbus(
            asker, plan, rounds=options.rounds, every_s=options.every, pause_s=pause_s,
            clock=clock, tell=tell,
        )  # fmt: skip
    finally:
        await asker.close()
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


async def _opcua(
    options: argparse.Namespace, place: Place, profile: Profile | None, clock: Clock, file: TextIO
) -> str:
    async with opcua.opened(place.url, options.wait) as client:
        namespaces = await opcua.namespaces_of(client)
        if profile is None:
            nodes = await opcua.browsed(client)
        else:
            nodes = opcua.nodes_of(profile, namespaces, options.each)
        if not nodes:
            raise RecordingError(f"{place.url}: there is no variable below Objects")
        file.write(head_line(_head(options, OPCUA, None, clock, namespaces)))
        left_out = await opcua.record_opcua(
            client, nodes, rounds=options.rounds, every_s=options.every, clock=clock,
            tell=lambda value: print(value_line(value), end="", file=file),
        )  # fmt: skip
    for node in left_out:
        print(f"left out, no single number, truth or text: {node}", file=sys.stderr)
    return f"{len(nodes) - len(left_out)} nodes, {options.rounds} rounds"


def _head(
    options: argparse.Namespace, protocol: str, unit: int | None, clock: Clock,
    namespaces: tuple[str, ...] = (),
) -> Head:  # fmt: skip
    began = datetime.fromtimestamp(clock.now_ns() // 10**9, UTC)
    return Head(
        protocol=protocol, device=options.url, unit=unit, profile=options.profile or "",
        began=began.strftime("%Y-%m-%dT%H:%M:%SZ"), every_ms=options.every * 1000,
        namespaces=namespaces,
    )  # fmt: skip


async def replay(options: argparse.Namespace, clock: Clock) -> None:
    """Serve until the end.

    Raises:
        RecordingError: the file is no recording.
        ServeError: the port cannot be had.
    """
    try:
        recording = read_recording(options.file.read_bytes())
    except RecordingError as error:
        raise RecordingError(f"{options.file}: {error}") from None
    rounds = Rounds(recording, speed=options.speed, is_looped=options.loop)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    ends_s = None if options.seconds is None else float(options.seconds)

    def announce(url: str) -> None:
        head = recording.head
        told = {"url": url, "profile": head.profile, "recorded": head.device, "began": head.began,
                "rounds": rounds.count}  # fmt: skip
        if options.json:
            print(json.dumps(told))
        else:
            print("\n".join(f"{key} = {json.dumps(value)}" for key, value in told.items()))
        print("ready", flush=True)

    if recording.head.protocol == MODBUS:
        meter = ReplayedModbus(
            recording, rounds, host=options.host, port=options.modbus_port, on_pty=options.pty,
            as_slow=options.slow, clock=clock,
        )  # fmt: skip
        await meter.start()
        announce(meter.url)
        await _until([stop.wait()], ends_s, clock)
        await meter.stop()
        return
    server = ReplayedOpcUa(
        recording, rounds, host=options.host, port=options.opcua_port, clock=clock
    )
    await server.start()
    announce(server.url)
    try:
        await _until([stop.wait(), server.run()], ends_s, clock)
    finally:
        await server.stop()


async def _until(
    ends: Sequence[Coroutine[object, object, object]], ends_s: float | None, clock: Clock
) -> None:
    """Until the first of these ends, or this time is over; an error of one is raised."""
    tasks = [asyncio.ensure_future(end) for end in ends]
    tasks += [] if ends_s is None else [asyncio.ensure_future(clock.sleep(ends_s))]
    done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    for task in done:
        task.result()


def _range(text: str) -> Ask:
    try:
        return questions.range_of(text)
    except RecordingError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
