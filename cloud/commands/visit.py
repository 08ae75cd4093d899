"""`stackproof record visit|face`: an on-site sheet of an archive, and a meter's face against it.

Offline: they read an archive, whoever's collector sealed it, and print.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cloud.clock import SystemClock
from cloud.errors import CloudError
from cloud.records.written import local_text
from cloud.visits.held import hold
from cloud.visits.sheet import Known, decoded, meters, older, retained, to_visit, told
from evidence.documents.fields import DECIMAL
from evidence.documents.observed.stories import RETAINED
from evidence.documents.plainly import ns_of
from evidence.documents.standing import Logged
from evidence.drill.archive import ArchiveSource
from evidence.drill.readings import MINUTE_NS
from evidence.errors import KeyFileError, MalformedError
from evidence.findings import shown, utc
from evidence.screen.texts import LANGUAGES

Configs = Mapping[str, Sequence[Mapping[str, Any]]]

EXIT_FINE = 0


def add_visit_commands(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `visit` and `face` to the commands of `stackproof record`."""
    visit = commands.add_parser(
        "visit",
        help="an on-site sheet of an archive: meters to visit and why, retained samples",
        epilog="Verifies and screens the archive. A reason is no verdict.",
    )
    visit.add_argument("--lang", choices=LANGUAGES, default="en", help="语言，默认 en")
    visit.set_defaults(run=_visit)
    face = commands.add_parser(
        "face",
        help="compare a meter's face with the signed readings of its minute, in an archive",
        epilog="Prints a [[meters]] row of a site-visit, for `record sign --kind site-visit`. "
        "Signatures are `stackproof verify`'s.",
    )
    face.add_argument("--point", required=True, help="id of the register that was read off")
    face.add_argument("--gateway", help="where several gateways have a point of this id")
    face.add_argument("--face", required=True, help="as it stood there, in the point's unit")
    face.add_argument("--at", required=True, metavar="INSTANT", help="2026-10-01T08:30:00+08:00")
    face.set_defaults(run=_face)
    for command in (visit, face):
        command.add_argument("archive", type=Path, metavar="ARCHIVE.tar")


def _visit(args: argparse.Namespace) -> int:
    # imported on use: the table of texts, and what asks questions of readings
    from cloud.api.rendering import STRINGS
    from evidence.screen.screened import screen_archives

    with _opened(args.archive) as source, args.archive.open("rb") as file:
        screened = screen_archives([(str(args.archive), file)])
        if screened.refused:
            raise MalformedError(f"{args.archive}: {screened.refused[0].why}")
        configs = decoded(source)
        out = [answer.result for answer in screened.standing_out]
        found = to_visit(meters(Known(configs, source.statement(), None, (), out)))
        samples = _retained(source, configs)
    texts = STRINGS[args.lang]
    print(f"{texts['visit.title']} · {source.plant} {source.month}")
    if count := older(configs):
        print(texts["visit.older"].replace("{count}", str(count)))
    for meter in found:
        whys = "; ".join(told(meter, texts, args.lang))
        print()
        print(shown(f"{meter.gateway}/{meter.device}: {whys}"))
        for point in meter.points:
            print(shown(f"    {point.id} ({point.quantity.unit}) {point.source}".rstrip()))
    print(f"\n{texts['visit.samples']}: {'' if samples else texts['visit.samples.none']}")
    for one in samples:
        body = one.document.body
        print(shown(f"    {one.document.about}: {body['place']}, {body['seal']}, {body['until']}"))
    return EXIT_FINE


def _retained(source: ArchiveSource, configs: Configs) -> list[Logged]:
    """Retained samples of its documents that must be there today, by the plant's clock."""
    zone = ZoneInfo(next(iter(configs.values()))[-1]["plant"]["time_zone"])
    standing = source.standing()
    kept = [
        one for one in standing.all()
        if one.document.kind == RETAINED and standing.ended_by(one.sha256) is None
    ]  # fmt: skip
    return retained(kept, local_text(SystemClock().wall_ns(), zone)[: len("2026-10-01")])


def _face(args: argparse.Namespace) -> int:
    if not DECIMAL.fullmatch(args.face):
        raise CloudError(f"--face {args.face!r} is no decimal number")
    minute_ns = ns_of(args.at) // MINUTE_NS * MINUTE_NS
    with _opened(args.archive) as source:
        gateway = args.gateway or _gateway(decoded(source), args.point)
        try:
            held = hold(source, gateway, args.point, args.face, minute_ns)
        except LookupError as error:
            raise CloudError(str(error)) from error
    print(f"[[meters]]\npoint = {json.dumps(args.point)}\nat_ns = {utc(minute_ns)}")
    for name, value in {"face": args.face, **held.row}.items():
        print(f"{name} = {json.dumps(value)}")
    return EXIT_FINE


def _gateway(configs: Configs, point: str) -> str:
    """The one gateway that has a point."""
    found = [
        gateway for gateway, known in configs.items()
        if any(one["id"] == point for config in known for one in config["points"])
    ]  # fmt: skip
    if len(found) != 1:
        raise CloudError(f"{len(found)} gateways have a point {point}: {', '.join(found)}")
    return found[0]


@contextmanager
def _opened(path: Path) -> Iterator[ArchiveSource]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read: {error.strerror}") from error
    with file:
        yield ArchiveSource(file)
