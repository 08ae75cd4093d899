"""`stackproof month …`: a sealed month from its lines down to one reading, offline. Prints."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evidence import cose
from evidence.documents.plainly import ns_of
from evidence.drill.archive import ArchiveSource
from evidence.drill.facts import documents_of, facts, is_signed, newest_configuration
from evidence.drill.lines import lines_of
from evidence.drill.readings import MINUTE_NS, PointReader, Reading
from evidence.drill.samples import story_of
from evidence.errors import EvidenceError, KeyFileError, MalformedError, UnsupportedError
from evidence.findings import shown, utc
from evidence.frame import header_of
from evidence.key_files import must_not_exist, read_small
from evidence.keys import identity, is_issued_by, load_certificate

EXIT_FINE, EXIT_FAILED, EXIT_CANNOT = 0, 1, 2


class _NotThereError(EvidenceError):
    """What is asked for is not in the archive, or is not asked for as it must be."""


def main(argv: list[str]) -> int:
    """Run one subcommand; the exit status."""
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except (EvidenceError, OSError) as error:
        print(f"stackproof month: {shown(str(error))}", file=sys.stderr)
        cannot = (_NotThereError, KeyFileError, UnsupportedError, OSError)
        return EXIT_CANNOT if isinstance(error, cannot) else EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stackproof month", description="A sealed month, read offline."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    drill = commands.add_parser(
        "drill",
        help="from the statement's lines to one reading, or from a document to its sample",
        description="Without --point: the lines with what they were made of. The archive's hashes "
        "and arithmetic are checked; `stackproof verify` checks all of it.",
        epilog="Exit status: 0 told, 1 the archive does not hold, 2 what is asked for is not there "
        "or it cannot run.",
    )
    drill.add_argument("archive", type=Path, metavar="ARCHIVE.tar", help="a sealed month")
    drill.add_argument("--point", help="id of a point; with --at its reading and what proves it")
    drill.add_argument(
        "--at", metavar="INSTANT", help="such as 2026-09-01T08:30:00+08:00: the reading then"
    )
    drill.add_argument("--gateway", help="where several gateways have a point of this id")
    drill.add_argument("--document", metavar="SHA256", help="a document, with all of its sample")
    drill.add_argument("--frame", type=Path, metavar="FILE", help="write the signed frame there")
    drill.set_defaults(run=_drill)
    frame = commands.add_parser("frame", help="check one signed frame by its certificate")
    frame.add_argument("frame", type=Path, metavar="FRAME.cose", help="as it was downloaded")
    frame.add_argument("--certificate", type=Path, required=True, help="the gateway's, PEM")
    frame.add_argument("--root", type=Path, help="the plant's root certificate, PEM")
    frame.set_defaults(run=_frame)
    for command in (drill, frame):
        command.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser


def _drill(args: argparse.Namespace) -> int:
    if args.at is not None and args.point is None:
        raise _NotThereError("--at needs --point: whose reading")
    try:
        file = args.archive.open("rb")
    except OSError as error:
        raise KeyFileError(f"{args.archive}: cannot be read: {error.strerror}") from error
    with file:
        source = ArchiveSource(file)
        if args.document is not None:
            told: Any = {"documents": _documents(source, args.document)}
        elif args.point is None:
            told = _lines(source)
        else:
            told = _reading(source, args)
    _print(told, as_json=args.json)
    return EXIT_FINE


def _documents(source: ArchiveSource, sha256: str) -> list[dict[str, Any]]:
    try:
        found = story_of(source.standing(), bytes.fromhex(sha256))
    except ValueError as error:
        raise _NotThereError(f"{sha256!r} is no SHA-256 in hex") from error
    if found is None:
        raise _NotThereError(f"the archive holds no document {sha256}")
    return found


def _lines(source: ArchiveSource) -> dict[str, Any]:
    """The lines, and the points that there are."""
    configs = {one: newest_configuration(source, one) for one in source.streams()}
    known = [config for config in configs.values() if config is not None]
    if not known:
        raise MalformedError("the archive holds no configuration")
    return {
        "plant": source.plant, "month": source.month,
        "lines": [vars(line) for line in lines_of(source.statement(), known)],
        "points": {
            stream: [point["id"] for point in config["points"]]
            for stream, config in configs.items() if config is not None
        },
    }  # fmt: skip


def _reading(source: ArchiveSource, args: argparse.Namespace) -> dict[str, Any]:
    reader = PointReader(source, _gateway(source, args), args.point)
    if args.at is None:
        raise _NotThereError("--point needs --at INSTANT: which of its readings")
    try:
        at_ns = ns_of(args.at)
    except MalformedError as error:
        raise _NotThereError(f"--at {args.at}: {error}") from error
    reading = _nearest(reader.readings(at_ns - MINUTE_NS, at_ns + MINUTE_NS), at_ns)
    around = reader.frames(reading.tick_ns, reading.tick_ns + 1)
    frame = next(one for one in around if one.header.seq == reading.seq)
    told = facts(reader, reading, frame)
    device = told["device"]["id"] if told["device"] else ""
    told["documents"] = documents_of(source, device, reading.tick_ns) if device else []
    if args.frame is not None:
        must_not_exist(args.frame)
        args.frame.write_bytes(frame.data)
    return told


def _gateway(source: ArchiveSource, args: argparse.Namespace) -> str:
    """The one gateway that has the point."""
    found = []
    for stream in source.streams():
        config = newest_configuration(source, stream)
        if config is not None and any(one["id"] == args.point for one in config["points"]):
            found.append(stream)
    if args.gateway in found:
        return str(args.gateway)
    if len(found) != 1 or args.gateway:
        has = f"gateways {', '.join(found)} have it: name one by --gateway" if found else "none has"
        raise _NotThereError(f"point {args.point!r}: {has}")
    return found[0]


def _nearest(readings: Sequence[Reading], at_ns: int) -> Reading:
    """The reading nearest to an instant; of two the earlier."""
    if not readings:
        raise _NotThereError(f"there is no reading within a minute of {utc(at_ns)}")
    return min(readings, key=lambda one: (abs(one.tick_ns - at_ns), one.tick_ns))


def _frame(args: argparse.Namespace) -> int:
    """Exit 0 when the certificate's key signed it and the root, if given, issued that."""
    data, certificate = read_small(args.frame), load_certificate(args.certificate)
    envelope = cose.parse(data)
    header, (role, plant, name) = header_of(envelope), identity(certificate)
    is_its = (role, plant, name) == ("gateway", header.plant, header.stream)
    told: dict[str, Any] = {
        "plant": header.plant, "gateway": header.stream, "seq": header.seq,
        "certificate": f"{role} {plant}/{name}",
        "is_signed": is_its and is_signed(envelope, certificate), "is_issued_by_root": None,
    }  # fmt: skip
    if args.root is not None:
        told["is_issued_by_root"] = is_issued_by(certificate, load_certificate(args.root))
    _print(told, as_json=args.json)
    is_fine = told["is_signed"] and told["is_issued_by_root"] is not False
    return EXIT_FINE if is_fine else EXIT_FAILED


def _print(told: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(told, ensure_ascii=False, indent=1))
        return
    for line in _rows(told, ""):
        print(shown(line))


def _rows(value: Any, path: str) -> Iterator[str]:
    """One fact a line; instants also as people read them."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _rows(one, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
        for number, one in enumerate(value, 1):
            yield from _rows(one, f"{path}[{number}]")
    elif path.endswith("_ns") and isinstance(value, int) and not path.endswith("interval_ns"):
        yield f"{path}: {value} ({utc(value)})"
    else:
        yield f"{path}: {'-' if value is None else value}"
