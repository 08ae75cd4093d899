"""`stackproof cloud month effects`: a month's anode effects against its controllers'. Prints.

Both out of the archive alone: the effects that the voltages gave, from its statement, and the rows
of the controllers' table that came in its frames. It verifies nothing: `stackproof verify` does.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cloud.errors import CloudError
from edge.calc.blocks import GroupBlock
from edge.calc.effects.controller_effects import match_effects
from edge.calc.effects.controller_frames import ControllerTable, reported
from edge.calc.effects.controller_rows import effects_of, line_of, period_of, tolerance_of
from edge.calc.errors import InputError
from evidence import cose
from evidence.archive import paths
from evidence.configuration import decode_configuration
from evidence.errors import EvidenceError
from evidence.findings import Report
from evidence.frame import NO_SOURCE_TIME, TYP_FRAME, decode_body, header_of
from evidence.frame_form import FrameForm
from evidence.records import read_records
from evidence.verifier.opened import Opened, open_archive

EXIT_AGREE, EXIT_FOUND = 0, 1
#: what it tells, in order
COUNTS = ("matched", "only_controller", "only_voltage", "outside_period", "of_other_kinds")


def add_effects_command(month: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `effects` to the commands of `stackproof cloud month`."""
    command = month.add_parser(
        "effects",
        help="a sealed month's anode effects against the controllers' table in its frames",
        epilog="Exit status: 0 all agree, 1 findings, 2 cannot run.",
    )
    command.add_argument("archive", type=Path, metavar="ARCHIVE.tar", help="a sealed month")
    command.add_argument("--time-s", required=True, help="what starts and durations may differ by")
    command.add_argument("--volts", required=True, help="what the highest voltages may differ by")
    command.add_argument("--potline", help="its id; needed where there are several")
    command.add_argument("--device", default="", help="the table; needed where there are several")
    command.add_argument("--json", action="store_true", help="one JSON object on stdout")
    command.set_defaults(run=_effects)


def _effects(args: argparse.Namespace) -> int:
    try:
        found = matched(
            args.archive, tolerance=(args.time_s, args.volts), potline=args.potline,
            device=args.device,
        )  # fmt: skip
    except InputError as error:
        raise CloudError(f"{args.archive}: {'; '.join(error.problems)}") from error
    except (EvidenceError, OSError, KeyError, ValueError) as error:
        raise CloudError(f"{args.archive} cannot be read: {error}") from error
    if args.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        for name in COUNTS:
            print(f"{name.replace('_', ' '):20}{found[name]:>8}")
        if "controller_clock_ahead_s" in found:
            print(f"{'controller ahead, s':20}{found['controller_clock_ahead_s']:>8}")
        for row in found["findings"]:
            print(f"{row['at']}  pot {row['pot']}  {row['code']}: {row['sentence']}")
    return EXIT_FOUND if found["findings"] else EXIT_AGREE


def matched(
    archive: Path, *, tolerance: tuple[str, str], potline: str | None = None, device: str = ""
) -> dict[str, Any]:
    """Both tables of an archive held against each other, as `Matching.as_map` has it.

    Args:
        archive: a sealed month.
        tolerance: seconds and volts that may differ.
        potline: its id, where there are several.
        device: id of the table, where there are several.

    Raises:
        InputError: it has no such table or potline.
        CloudError: its container is damaged.
        EvidenceError, OSError, KeyError, ValueError: something in it cannot be read.
    """
    with archive.open("rb") as file:
        report = Report()
        opened = open_archive(file, report)
        if opened is None:
            raise CloudError(f"{archive}: {report.findings[0].sentence}")
        given = json.loads(opened.read(paths.STATEMENT))["input"]
        told = _rows(opened, device)
    line, period = line_of(given, potline), period_of(given)
    pieces = [row for row in given["potlines"] if row["id"] == line["id"]]
    pots = {pot["id"] for piece in pieces for pot in piece["pots"]}
    rows, others = reported({key: row for key, row in told.items() if key[0] in pots})
    allowed = tolerance_of(*tolerance)
    found = match_effects(rows, effects_of(line), allowed, period).as_map(allowed)
    return {**found, "of_other_kinds": others, "potline": line["id"]}


def _rows(opened: Opened, device: str) -> Mapping[tuple[str, int], dict[str, Any]]:
    """(pot, start) -> what its row tells, of all frames."""
    tables: dict[bytes, tuple[ControllerTable, FrameForm]] = {}
    told: dict[tuple[str, int], dict[str, Any]] = {}
    for cfg, body in _frames(opened):
        if cfg not in tables:
            data = opened.read(paths.config(cfg))
            config = decode_configuration(cose.parse(data).payload)
            tables[cfg] = ControllerTable(config, device), FrameForm(config)
        table, form = tables[cfg]
        for section in body.sections if form.fits(body) else ():
            ticks_ns = section.ticks_ns()
            for group in section.groups:
                if group.source_ms is None:
                    continue
                block = GroupBlock(group.group, group.raw, group.quality)
                lag = group.source_ms.astype(np.int64)
                is_told = lag != NO_SOURCE_TIME
                for key, what, value in table.effects(ticks_ns, block, lag, is_told):
                    told.setdefault(key, {})[what] = value
    if not any(table.devices for table, _ in tables.values()):
        raise InputError(["device: no table of a pot controller's effects was read in this month"])
    return told


def _frames(opened: Opened) -> Iterator[tuple[bytes, Any]]:
    """(configuration, body) of every frame, in order."""
    for path in opened.paths():
        if paths.FRAMES.fullmatch(path):
            for data in read_records(opened.read(path)):
                envelope = cose.parse(data)
                header = header_of(envelope)
                if header.typ == TYP_FRAME:
                    yield header.cfg or b"", decode_body(envelope.payload)
