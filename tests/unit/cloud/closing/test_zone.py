"""A month is of the time zone that its own last frame names, whatever the plant became later.

The small plant stands in Shanghai (UTC+8) in June; its readings are of 2026-06-15.
"""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.api.services import MonthRefusedError
from cloud.closing.months import Months
from evidence import cbor
from evidence.archive import paths
from evidence.blocks import compress
from evidence.findings import Verdict
from evidence.frame import TYP_CONFIG, TYP_FRAME, encode_body
from evidence.log import Kind
from tests.unit.cloud.month_examples import ARCHIVE, Desk, judged, months, spans
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import MONTH

JUNE_ENDS, JULY = "2026-06-30T16:00:00Z", "2026-07"


def utc_ns(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp()) * sm.SECOND


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path / "evidence").deliver()
    yield opened
    opened.shut()


@pytest.fixture
def made(desk: Desk, tmp_path: Path) -> Months:
    return months(desk, tmp_path / "archives", utc_ns("2026-10-01T00:00:00Z"))


def moves_to(desk: Desk, zone: str) -> None:
    """The gateway signs a configuration of another time zone."""
    config = sm.configuration()
    config["plant"]["time_zone"] = zone
    desk.take(Kind.CONFIG, TYP_CONFIG, compress(cbor.encode(config)))


def reads(desk: Desk, since: str) -> None:
    """Four frames of ten seconds, and a heartbeat."""
    for body in sm.bodies(sm.configuration(), utc_ns(since)):
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)


def period(archive: Path) -> tuple[str, str]:
    """The statement's, of an archive that the verifier passes."""
    report = judged(archive)
    assert report.verdict is Verdict.PASSED, report.findings
    stated = json.loads(sm.unpack(archive.read_bytes())[paths.STATEMENT])["input"]["period"]
    return stated["from"], stated["to"]


async def test_a_zone_that_came_after_the_month_is_not_the_months(
    desk: Desk, made: Months, tmp_path: Path
) -> None:
    """Seq 6 is UTC's configuration, which stands with June's last frame; 7 to 11 are July's.

    12 is the close of June, which was signed when July had been read.
    """
    moves_to(desk, "UTC")
    reads(desk, "2026-07-01T00:00:00Z")
    await made.close(sm.PLANT, MONTH, closing="final")
    june, july = tmp_path / "archives" / ARCHIVE, tmp_path / "archives" / "test-smelter-2026-07.tar"
    assert period(june) == ("2026-06-15T04:59:40Z", JUNE_ENDS)
    facts = await made.close(sm.PLANT, JULY, closing="final")
    assert period(july) == ("2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z")
    assert spans(desk) == {MONTH: (0, 6), JULY: (7, 12)}
    assert "late" not in facts

    june.unlink()
    await made.seal(sm.PLANT, MONTH)  # its statement is made again
    assert period(june) == ("2026-06-15T04:59:40Z", JUNE_ENDS)


async def test_a_zone_in_the_east_begins_after_the_month_before(
    desk: Desk, made: Months, tmp_path: Path
) -> None:
    """Seqs 6 to 10 are of June in Shanghai; in Tokyo it is July by then, and June's they stay."""
    reads(desk, "2026-06-30T15:30:00Z")
    moves_to(desk, "Asia/Tokyo")
    reads(desk, JUNE_ENDS)
    for month in (MONTH, JULY):
        await made.close(sm.PLANT, month, closing="final")
    assert period(tmp_path / "archives" / ARCHIVE)[1] == JUNE_ENDS
    july = period(tmp_path / "archives" / "test-smelter-2026-07.tar")
    assert july == ("2026-06-30T15:00:00Z", "2026-07-31T15:00:00Z")
    assert spans(desk)[MONTH] == (0, 11)
    assert spans(desk)[JULY][0] == 12


@pytest.mark.parametrize(
    ("zone", "since", "sentence"),
    [
        ("UTC", "2026-06-20T00:00:00Z", "plant.time_zone changed within the month"),
        ("Asia/Tokyo", "2026-06-30T15:30:00Z",
         "has no one time zone: the plant was configured to Asia/Shanghai and Asia/Tokyo"),
    ],
)  # fmt: skip
async def test_a_month_of_two_zones_is_refused_before_it_is_closed(
    zone: str, since: str, sentence: str, desk: Desk, made: Months
) -> None:
    moves_to(desk, zone)
    reads(desk, since)
    for closing in ("interim", "final"):
        with pytest.raises(MonthRefusedError, match=sentence):
            await made.close(sm.PLANT, MONTH, closing=closing)
    assert spans(desk) == {}


async def test_readings_between_two_zones_months_are_told(desk: Desk, made: Months) -> None:
    """17 h UTC is July in Shanghai; in UTC, which the plant then goes to, it is still June."""
    reads(desk, "2026-06-30T17:00:00Z")
    moves_to(desk, "UTC")
    reads(desk, "2026-07-01T00:00:00Z")
    await made.close(sm.PLANT, MONTH, closing="final")
    facts = await made.close(sm.PLANT, JULY, closing="final")
    assert facts["late"] == (
        "readings of 2026-06-30T16:00:00Z to 2026-07-01T00:00:00Z (edge-1, from object 6 on) are "
        "in no archive: by its time zone 2026-06 ended before 2026-07 begins"
    )
    assert spans(desk)[MONTH] == (0, 5)
