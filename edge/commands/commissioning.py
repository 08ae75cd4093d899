"""`stackproof edge read`, `scan`, `watch` and `doctor`: commissioning. I/O: prints.

Nothing here writes to a device: whatever is sent goes through the drivers and their gates.
"""

import argparse
import asyncio
import json
import logging
import shutil
import signal
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from edge.clock import SystemClock
from edge.commissioning import doctor_text, look_text
from edge.commissioning.bare import bare_spec, plain
from edge.commissioning.findings import has_failed
from edge.commissioning.look import Look
from edge.commissioning.site_part import read_part
from edge.commissioning.target import device_of, devices_of, point_of
from edge.drivers.base import DeviceError, DeviceSpec
from edge.site.config import Site
from edge.site.devices import DeviceConfig
from evidence.printed import printable

EXIT_FINE, EXIT_FOUND, EXIT_CANNOT = 0, 1, 2
TIMEOUT_S = 2.0
PATIENCE_S = 30.0
UNIT_TIMEOUT_S, PAUSE_S = 0.5, 0.02  # of a scan: most units are not there
NODES, NODES_MAX = 500, 10_000

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
        "as ns=2;s=Flow; URL PLACE TYPE looks at a register as u16, i16, u32, i32, f32, u64, i64, "
        f"f64 or bcd32 alone, and at the addresses beside it. {_BESIDE_AGENT} Exit status: 0 a "
        "value that may be used, 1 none, 2 cannot run.",
    )
    read.add_argument("target", metavar="SITE.toml|URL", help="the site file, or a device's URL")
    read.add_argument("name", metavar="DEVICE|PLACE", help="device or point id, or a place")
    read.add_argument(
        "point", metavar="POINT|TYPE", nargs="?", help="point id, without the device's; or a type"
    )
    read.add_argument(
        "--timeout", type=_seconds, default=TIMEOUT_S, metavar="S",
        help=f"of one answer at a URL; default {TIMEOUT_S:g}. A site file has its own",
    )  # fmt: skip
    add_wait(read)
    read.add_argument("--json", action="store_true", help="one JSON object on stdout")
    read.set_defaults(run=_read)
    _add_scan(commands)
    _add_watch(commands)
    doctor = commands.add_parser(
        "doctor",
        help="names the layer that fails, from the machine to the values, and what to do",
        epilog="Layers: permission, clock, dns, tcp, certificate, login, protocol, unit, register, "
        f"value. {_BESIDE_AGENT} A file is made in the state folder and removed; the broker is "
        "asked under a client id of its own. A site file with nothing but devices in it will do; "
        "what was not looked at is said. Exit status: 0 nothing that was looked at fails, 1 "
        "something does, 2 cannot run.",
    )
    doctor.add_argument("site", type=Path, metavar="SITE.toml", help="the site file")
    doctor.add_argument("devices", nargs="*", metavar="DEVICE", help="default: all of them")
    doctor.add_argument(
        "--laptop", action="store_true",
        help="this machine is not the gateway: leave its state folder, keys and broker alone",
    )  # fmt: skip
    add_wait(doctor)
    doctor.add_argument("--json", action="store_true", help="one JSON object on stdout")
    doctor.set_defaults(run=_doctor)


def _add_scan(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    scan = commands.add_parser(
        "scan",
        help="who answers: units on a bus, services of given hosts, nodes of an OPC UA server",
        epilog="modbus+tcp://…, modbus+rtu-tcp://… or modbus+rtu:///dev/…?baud=9600&parity=E: each "
        "unit is asked for one holding register (FC 3). opc.tcp://…: endpoints, and variables as "
        "far as the bounds go. HOST…: known ports are connected to, nothing is sent; networks are "
        "not swept. SITE.toml DEVICE: the device's endpoint, with its security. "
        f"{_BESIDE_AGENT} Exit status: 0 something answers, 1 nothing does, 2 cannot run.",
    )
    scan.add_argument(
        "target", nargs="+", metavar="TARGET", help="URL, HOST…, or SITE.toml DEVICE: see below"
    )
    scan.add_argument(
        "--units", type=_units, metavar="1-32,100",
        help="Modbus: which to ask; default all: 1-247, and 255 and 0 over Modbus TCP",
    )  # fmt: skip
    scan.add_argument(
        "--timeout", type=_seconds, metavar="S",
        help=f"of one answer; default {UNIT_TIMEOUT_S:g} for a unit, {TIMEOUT_S:g} otherwise",
    )  # fmt: skip
    scan.add_argument(
        "--pause", type=_seconds, default=PAUSE_S, metavar="S",
        help=f"between two units; default {PAUSE_S:g}",
    )  # fmt: skip
    scan.add_argument(
        "--nodes", type=_count, default=NODES, metavar="N",
        help=f"OPC UA: variables listed at most, up to {NODES_MAX}; default {NODES}",
    )  # fmt: skip
    scan.add_argument("--json", action="store_true", help="one JSON object on stdout")
    scan.set_defaults(run=_scan)


def _add_watch(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    watch = commands.add_parser(
        "watch",
        help="live table: value, unit, age, quality, and how each device stands",
        epilog="Reads as the agent does, at each device's own interval. Ends with Ctrl-C. Into a "
        f"file or a pipe it writes plain lines, a line a point. {_BESIDE_AGENT}",
    )
    watch.add_argument("site", type=Path, metavar="SITE.toml", help="the site file")
    watch.add_argument("devices", nargs="*", metavar="DEVICE", help="default: all of them")
    watch.add_argument(
        "--every", type=_seconds, default=1.0, metavar="S", help="between two pictures; default 1"
    )
    watch.add_argument("--for", dest="seconds", type=_seconds, metavar="S", help="end by itself")
    watch.add_argument("--json", action="store_true", help="one JSON object a line")
    watch.set_defaults(run=_watch)


def _units(text: str) -> list[int]:
    from edge.commissioning.scan_modbus import parse_units

    try:
        return parse_units(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= NODES_MAX):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {NODES_MAX}")
    return int(text)


def add_wait(parser: argparse.ArgumentParser) -> None:
    """How long to listen for devices that are heard, not asked."""
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
        print("\n".join(map(printable, text)))
    return EXIT_FINE if all(look.is_fine for look in looks) else EXIT_FOUND


async def _looks(args: argparse.Namespace) -> tuple[Sequence[Look], bool]:
    """What is there, and whether a whole device was asked for."""
    from edge.commissioning.read import read_device, read_place, read_point  # loads protocols

    clock = SystemClock()
    if "://" in args.target:
        return [await read_place(args.target, args.name, args.timeout, clock, args.point)], False
    device, bound = point_of(_site_of_devices(Path(args.target), args.name), args.name, args.point)
    if bound is None:
        return await read_device(device.spec, clock, args.wait), True
    return [await read_point(device.spec, bound, clock, args.wait)], False


def _doctor(args: argparse.Namespace) -> int:
    from edge.commissioning.doctor import examine

    quiet()
    only = args.devices[0] if len(args.devices) == 1 else ""
    part = read_part(args.site, only, is_rest_right=True)
    devices = devices_of(part.site, args.devices)
    unlooked = "--laptop was said" if args.laptop else ""
    checks = asyncio.run(
        examine(part, devices, SystemClock(), patience_s=args.wait, progress=_progress,
                unlooked=unlooked)
    )  # fmt: skip
    _print(args, doctor_text.as_map(checks), doctor_text.lines(checks))
    return EXIT_FOUND if has_failed(checks) else EXIT_FINE


def _scan(args: argparse.Namespace) -> int:
    quiet()
    first = args.target[0]
    try:
        if "://" in first:
            if len(args.target) > 1:
                return _usage("scan one URL at a time")
            spec = bare_spec(first, args.timeout or TIMEOUT_S)
        elif first.endswith(".toml"):
            if len(args.target) != 2:
                return _usage("with a site file name one of its devices: SITE.toml DEVICE")
            spec = device_of(_site_of_devices(Path(first), args.target[1]), args.target[1]).spec
        else:
            return _scan_hosts(args)
        return _scan_endpoint(args, spec)
    except DeviceError as error:
        return _failed(error, as_json=args.json)


def _scan_endpoint(args: argparse.Namespace, spec: DeviceSpec) -> int:
    scheme = spec.url.partition("://")[0]
    if scheme == "opc.tcp":
        from edge.commissioning import scan_opcua, scan_opcua_text
        from edge.drivers.opcua.browse import BrowseLimits

        limits = BrowseLimits(count=args.nodes)
        found = asyncio.run(scan_opcua.scan_server(spec, limits, _progress))
        _print(args, scan_opcua_text.as_map(found), scan_opcua_text.lines(found))
        return EXIT_FINE
    if not scheme.startswith("modbus+"):
        return _usage(f"{scheme}:// has no scan: read a device of it (stackproof edge read)")
    from edge.commissioning import scan_modbus, scan_text

    scanning = scan_modbus.scan_units(
        spec.url, args.units, timeout_s=args.timeout or UNIT_TIMEOUT_S, pause_s=args.pause,
        progress=_progress,
    )  # fmt: skip
    units = asyncio.run(scanning)
    _print(args, scan_text.unit_map(units), scan_text.unit_lines(units, spec.url))
    return EXIT_FINE if units else EXIT_FOUND


def _scan_hosts(args: argparse.Namespace) -> int:
    from edge.commissioning import scan_hosts, scan_text

    try:
        scan_hosts.check_hosts(args.target)
    except ValueError as error:
        return _usage(str(error))
    scanning = scan_hosts.scan_hosts(
        args.target, timeout_s=args.timeout or TIMEOUT_S, progress=_progress
    )
    services = asyncio.run(scanning)
    _print(args, scan_text.host_map(services), scan_text.host_lines(services))
    return EXIT_FINE if any(service.knock.is_open for service in services) else EXIT_FOUND


def _watch(args: argparse.Namespace) -> int:
    quiet()
    site = _site_of_devices(args.site, args.devices[0] if len(args.devices) == 1 else "")
    asyncio.run(_watching(args, site, devices_of(site, args.devices)))
    return EXIT_FINE


async def _watching(args: argparse.Namespace, site: Site, devices: Sequence[DeviceConfig]) -> None:
    from edge.commissioning import watch, watch_text

    is_screen = sys.stdout.isatty() and not args.json

    def show(picture: watch.Picture) -> None:
        if is_screen:
            print(watch_text.screen(picture, *shutil.get_terminal_size()), end="", flush=True)
        elif args.json:
            print(watch_text.as_line(picture), flush=True)
        else:
            print("\n".join(watch_text.plain(picture)), flush=True)

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
    if args.seconds is not None:
        loop.call_later(args.seconds, stop.set)
    print(watch_text.OTHER_SCREEN if is_screen else "", end="", flush=True)
    try:
        await watch.watch(site, devices, SystemClock(), every_s=args.every, stop=stop, show=show)
    finally:
        print(watch_text.OWN_SCREEN if is_screen else "", end="", flush=True)


def _print(args: argparse.Namespace, told: object, lines: Iterable[str]) -> None:
    _progress("")
    if args.json:
        _print_json(told)
    else:
        print("\n".join(map(printable, lines)))


def _usage(sentence: str) -> int:
    print(f"stackproof edge: {sentence}", file=sys.stderr)
    return EXIT_CANNOT


def _progress(line: str) -> None:
    """For a person who waits, in place of the line before; a script's stderr stays empty."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{line[:width]}\x1b[K", end="", file=sys.stderr, flush=True)


def _site_of_devices(path: Path, only: str = "") -> Site:
    """The site of `read_part`; that more is to be written is told."""
    part = read_part(path, only)
    if part.problems:
        count = f"{part.problems} problem{'s' if part.problems > 1 else ''}"
        print(f"{path}: {count} elsewhere in it: stackproof edge check", file=sys.stderr)
    return part.site


def quiet() -> None:
    """What drivers log of troubles is told by what is printed here; once is enough."""
    logging.getLogger().addHandler(logging.NullHandler())


def _failed(error: DeviceError, *, as_json: bool) -> int:
    """The device is out of reach (1), or what was asked for cannot be asked (2)."""
    sentence = printable(plain(error))
    _progress("")
    if as_json:
        _print_json({"trouble": sentence})
    else:
        print(f"stackproof edge: {sentence}", file=sys.stderr)
    return EXIT_FOUND if error.retry else EXIT_CANNOT


def _print_json(told: object) -> None:
    print(json.dumps(told, ensure_ascii=False, allow_nan=False))
