"""`stackproof edge record`: a printable commissioning record. I/O: prints, writes one file."""

import argparse
import asyncio
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from edge.clock import SystemClock
from edge.commands.commissioning import add_wait, quiet
from edge.commissioning.record import Ask, Read, Record, file_name, person, take_device
from edge.commissioning.recorded import record_of
from edge.commissioning.site_part import SitePart, read_part
from edge.commissioning.target import devices_of
from edge.drivers.base import DeviceSpec, Sample
from edge.errors import EdgeError
from edge.site.devices import DeviceConfig

EXIT_FINE, EXIT_FOUND = 0, 1


def add_record_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it to `stackproof edge`."""
    record = commands.add_parser(
        "record",
        help="a printable commissioning record: value read, face value, difference, who, when",
        epilog="An HTML file, to be printed or kept; open it in a browser for a PDF. With --ask "
        "you type what the meter's own display shows, point by point, and each is read again at "
        "that moment; without, the columns are left to be filled in by hand. Its SHA-256 is "
        "printed: whoever signs the paper writes it down. A file that is there is not overwritten. "
        "Keys are not needed; a site file with nothing but devices in it will do, and the record "
        "says that it names no plant. Exit status: 0 every point has a value, 1 some have none, 2 "
        "cannot run.",
    )
    record.add_argument("site", type=Path, metavar="SITE.toml", help="the site file")
    record.add_argument("devices", nargs="*", metavar="DEVICE", help="default: all of them")
    record.add_argument("--by", required=True, type=_name, metavar="NAME", help="who makes it")
    record.add_argument("--ask", action="store_true", help="ask for face values")
    record.add_argument(
        "--out", type=Path, metavar="FILE", help="default: here, named for plant, gateway and time"
    )
    add_wait(record)
    record.add_argument("--json", action="store_true", help="one JSON object on stdout")
    record.set_defaults(run=_record)


def _name(text: str) -> str:
    try:
        return person(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _record(args: argparse.Namespace) -> int:
    from edge.commissioning.record_html import page  # the agent does without `html`

    quiet()
    part = read_part(args.site, is_rest_right=True)
    devices = devices_of(part.site, args.devices)
    if args.out is not None and args.out.exists():
        raise EdgeError(f"{args.out} is there already; name another file")
    record = _taken(part, devices, args.by, _reader(args.wait), _ask if args.ask else None)
    text = page(record).encode()
    path = args.out or Path(f"{file_name(record)}.html")
    try:
        with path.open("xb") as file:
            file.write(text)
    except OSError as error:
        raise EdgeError(f"{path}: cannot be written: {error.strerror}") from error
    digest = hashlib.sha256(text).hexdigest()
    if args.json:
        told = {"file": str(path), "sha256": digest, "record": record.as_map()}
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(f"{path}: SHA-256 {digest}")
        for sentence in _missing(record):
            print(sentence, file=sys.stderr)
    return EXIT_FINE if record.is_whole else EXIT_FOUND


def _taken(
    part: SitePart, devices: Sequence[DeviceConfig], by: str, read: Read, ask: Ask | None
) -> Record:
    clock = SystemClock()
    made = tuple(take_device(device, read, clock.wall_ns, ask) for device in devices)
    return record_of(part, made, by, clock)


def _reader(patience_s: float) -> Read:
    """Reads a device once, over a connection of its own: a person takes minutes in between."""
    from edge.commissioning.look_driver import read_once

    def read(spec: DeviceSpec) -> Sequence[Sample]:
        return asyncio.run(read_once(spec, patience_s))

    return read


def _ask(prompt: str) -> str:
    print(prompt, end="", file=sys.stderr, flush=True)  # stdout is the result's
    return sys.stdin.readline()


def _missing(record: Record) -> list[str]:
    found = [f"{device.id}: {device.trouble}" for device in record.devices if device.trouble]
    return found + [
        f"{entry.point}: {entry.shown.verdict}"
        for device in record.devices
        if not device.trouble
        for entry in device.entries
        if not entry.shown.quality.usable
    ]
