"""`stackproof edge read`, `scan`, `watch`, `doctor` and `record`: commissioning. I/O: prints.

Nothing here writes to a device: whatever is sent goes through the drivers and their gates.
"""

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from edge.clock import SystemClock
from edge.commissioning import doctor_text, look_text
from edge.commissioning.bare import plain
from edge.commissioning.findings import has_failed
from edge.commissioning.look import Look
from edge.commissioning.target import devices_of, point_of
from edge.config import load_site
from edge.drivers.base import DeviceError

EXIT_FINE, EXIT_FOUND, EXIT_CANNOT = 0, 1, 2
TIMEOUT_S = 2.0
PATIENCE_S = 30.0

_BESIDE_AGENT = (
    "Reads only, whatever it is given. Beside a running agent it is one client more: a serial "
    "line is taken by one program at a time, and some devices allow one connection: stop the "
    "agent there."
)


def add_commissioning_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add them to `stackproof edge`."""
    read = commands.add_parser(
        "read",
        help="one point: raw words, every type and order side by side, value, unit",
        epilog="SITE.toml DEVICE POINT (or DEVICE.POINT): one point; SITE.toml DEVICE: all points "
        "of a device. Without a site file: URL PLACE, where PLACE is holding:3000, input:0x0BB8, "
        "coil:0, discrete:7 (as on the wire, from 0 on), a manual's 43001, or an OPC UA node such "
        f"as ns=2;s=Flow. {_BESIDE_AGENT} Exit status: 0 a value that may be used, 1 none, "
        "2 cannot run.",
    )
    read.add_argument("target", metavar="SITE.toml|URL", help="the site file, or a device's URL")
    read.add_argument("name", metavar="DEVICE|PLACE", help="device or point id, or a place")
    read.add_argument("point", metavar="POINT", nargs="?", help="point id, without the device's")
    read.add_argument(
        "--timeout", type=_seconds, default=TIMEOUT_S, metavar="S",
        help=f"of one answer at a URL; default {TIMEOUT_S:g}. A site file has its own",
    )  # fmt: skip
    _add_wait(read)
    read.add_argument("--json", action="store_true", help="one JSON object on stdout")
    read.set_defaults(run=_read)
    doctor = commands.add_parser(
        "doctor",
        help="names the layer that fails, from the machine to the values, and what to do",
        epilog="Layers: permission, clock, dns, tcp, certificate, login, protocol, unit, register, "
        f"value. {_BESIDE_AGENT} A file is made in the state folder and removed; the broker is "
        "asked under a client id of its own. Exit status: 0 nothing fails, 1 something does, 2 "
        "cannot run.",
    )
    doctor.add_argument("site", type=Path, metavar="SITE.toml", help="the site file")
    doctor.add_argument("devices", nargs="*", metavar="DEVICE", help="default: all of them")
    _add_wait(doctor)
    doctor.add_argument("--json", action="store_true", help="one JSON object on stdout")
    doctor.set_defaults(run=_doctor)


def _add_wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait", type=_seconds, default=PATIENCE_S, metavar="S",
        help=f"for a device that is heard, not asked (HJ 212, listening); default {PATIENCE_S:g}",
    )  # fmt: skip


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: seconds, more than 0, up to 3600")
    return seconds


def _read(args: argparse.Namespace) -> int:
    quiet()
    try:
        looks, is_whole = asyncio.run(_looks(args))
    except DeviceError as error:
        return _failed(error, as_json=args.json)
    if args.json:
        told = [look_text.as_map(look) for look in looks]
        _print_json({"points": told} if is_whole else told[0])
    else:
        text = look_text.summary(looks) if is_whole else look_text.lines(looks[0])
        print("\n".join(text))
    return EXIT_FINE if all(look.is_fine for look in looks) else EXIT_FOUND


async def _looks(args: argparse.Namespace) -> tuple[Sequence[Look], bool]:
    """What is there, and whether a whole device was asked for."""
    from edge.commissioning.read import read_device, read_place, read_point  # loads protocols

    clock = SystemClock()
    if "://" in args.target:
        return [await read_place(args.target, args.name, args.timeout, clock)], False
    device, bound = point_of(load_site(Path(args.target)), args.name, args.point)
    if bound is None:
        return await read_device(device.spec, clock, args.wait), True
    return [await read_point(device.spec, bound, clock, args.wait)], False


def _doctor(args: argparse.Namespace) -> int:
    from edge.commissioning.doctor import examine

    quiet()
    site = load_site(args.site)
    devices = devices_of(site, args.devices)
    checks = asyncio.run(
        examine(site, devices, SystemClock(), patience_s=args.wait, progress=_progress)
    )
    if args.json:
        _print_json(doctor_text.as_map(checks))
    else:
        print("\n".join(doctor_text.lines(checks)))
    return EXIT_FOUND if has_failed(checks) else EXIT_FINE


def _progress(line: str) -> None:
    """For a person who waits; a script's stderr stays empty."""
    if sys.stderr.isatty():
        print(line, file=sys.stderr)


def quiet() -> None:
    """What drivers log of troubles is told by what is printed here; once is enough."""
    logging.getLogger().addHandler(logging.NullHandler())


def _failed(error: DeviceError, *, as_json: bool) -> int:
    """The device is out of reach (1), or what was asked for cannot be asked (2)."""
    sentence = plain(error)
    if as_json:
        _print_json({"trouble": sentence})
    else:
        print(f"stackproof edge: {sentence}", file=sys.stderr)
    return EXIT_FOUND if error.retry else EXIT_CANNOT


def _print_json(told: object) -> None:
    print(json.dumps(told, ensure_ascii=False, allow_nan=False))
