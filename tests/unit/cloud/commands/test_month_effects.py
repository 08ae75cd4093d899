"""The pot controller's rows in a month's frames against the voltage's effects of the same month.

The small plant has one effect: pot 01 stands at 31.5 V from second 12 to second 18.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloud.cli import main
from evidence import cbor
from evidence.blocks import compress
from evidence.findings import Verdict
from evidence.frame import TYP_CONFIG, TYP_FRAME, Section, encode_body
from evidence.groups import Group
from evidence.log import Kind
from evidence.points import Dtype, Point, Quantity, Role
from evidence.quality import Quality
from tests.unit.cloud.month_examples import ARCHIVE, Desk, judged, months
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import MONTH

Row = tuple[str, int, int, int, int]  # pot; read at, start, duration in s; kind
KINDS = ((1, "effect"), (2, "effect of a pot in start-up"))


def with_table(config: Any, device: str = "ctrl") -> Any:
    """The small plant with a table of two pots: duration in s, voltage in 0.1 V, kind."""
    first = len(config["points"])
    points = []
    for pot in ("01", "02"):
        at = f"{device}.pot-{pot}.effect"
        points += [
            Point(f"{at}_duration", Quantity("duration", "s"), Dtype.U32, 0),
            Point(f"{at}_max_voltage", Quantity("voltage", "mV"), Dtype.U32, 0),
            Point(f"{at}_kind", Quantity("state", "1"), Dtype.U32, 0, Role.STATE, states=KINDS),
        ]
    rows = list(range(first, first + len(points)))
    config["points"] += [point.as_map() for point in points]
    group = {"schedule": 0, "dtype": Dtype.U32.value, "computed": False, "points": rows}
    config["groups"].append(group)
    return config


def section_with(section: Section, number: int, rows: Sequence[Row]) -> Section:
    """A section with the rows that were read at its ticks."""
    raw = np.zeros((6, section.ticks), "<u4")
    quality = np.full(raw.shape, Quality.NOT_SAMPLED, np.uint8)
    source = np.zeros(raw.shape, "<i4")
    for pot, read_s, start_s, duration_s, kind in rows:
        at = read_s - (section.first_ns - sm.START_NS) // sm.SECOND
        if 0 <= at < section.ticks:
            of = slice(0, 3) if pot == "01" else slice(3, 6)
            raw[of, at] = duration_s, 31_500, kind
            quality[of, at], source[of, at] = 0, (read_s - start_s) * 1000
    group = Group(number, Dtype.U32, raw, quality, source)
    return replace(section, groups=(*section.groups, group))


async def archived(desk: Desk, folder: Path, rows: Sequence[Row]) -> Path:
    plain = sm.configuration()
    config = with_table(sm.configuration())
    desk.take(Kind.CONFIG, TYP_CONFIG, compress(cbor.encode(config)))
    for body in sm.bodies(plain):
        if body.sections:
            fast = section_with(body.sections[0], len(plain["groups"]), rows)  # type: ignore[arg-type] # made here, not read
            body = replace(body, sections=(fast, *body.sections[1:]))
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)
    await months(desk, folder).close(sm.PLANT, MONTH, closing="interim")
    return folder / ARCHIVE


def asked(archive: Path, *more: str) -> int:
    return main(["month", "effects", str(archive), "--time-s", "3", "--volts", "1", *more])


async def test_both_tell_the_same_effect(
    desk: Desk, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Declared two seconds late, told six seconds after its end; a start-up's row is no effect."""
    archive = await archived(desk, folder, [("01", 25, 14, 5, 1), ("02", 26, 3, 9, 2)])
    assert judged(archive).verdict is Verdict.PASSED
    assert asked(archive, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    counts = ("matched", "only_controller", "only_voltage", "of_other_kinds")
    assert [found[name] for name in counts] == [1, 0, 0, 1]
    assert (found["potline"], found["controller_clock_ahead_s"]) == ("line-1", "2")


async def test_what_only_one_of_them_has_is_a_finding(
    desk: Desk, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = await archived(desk, folder, [("02", 36, 30, 4, 1)])
    assert asked(archive) == 1
    printed = capsys.readouterr().out
    assert "pot 02  effect-only-controller" in printed
    assert "pot 01  effect-only-voltage" in printed


async def test_without_a_table_or_an_archive_there_is_a_sentence(
    desk: Desk, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await months(desk.deliver(), folder).close(sm.PLANT, MONTH, closing="interim")
    damaged = tmp_path / ARCHIVE
    damaged.write_bytes(b"no archive")
    for archive in (folder / ARCHIVE, damaged, tmp_path / "none.tar"):
        assert asked(archive) == 2
    told = capsys.readouterr().err
    for words in ("no table of a pot controller's effects", "none.tar cannot be read"):
        assert words in told
