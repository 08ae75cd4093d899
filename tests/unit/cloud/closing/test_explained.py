"""A meter's change on a month's last day is explained after it, and the month passes.

The small plant's readings are of June; its stream goes on in July. Seq 0 is June's configuration,
1 to 5 its frames; 6 to 10 are frames of July, and what follows may explain June.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cloud.closing.months import Months
from evidence import cbor
from evidence.archive import paths
from evidence.blocks import compress
from evidence.findings import Report, Verdict
from evidence.frame import TYP_CONFIG, TYP_FRAME, encode_body
from evidence.log import Kind
from tests.independent.other import compare, verify_there
from tests.unit.cloud.closing.test_zone import utc_ns
from tests.unit.cloud.month_examples import ARCHIVE, Desk, judged, months
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.settings_months import LATER, config, says, with_events

TURNED: Mapping[int, Any] = {0: [says(1, "400")], 3: [says(40, "800")]}
JULY = "2026-07-01T00:00:00Z"


def configures(desk: Desk, made: Mapping[str, Any]) -> None:
    desk.take(Kind.CONFIG, TYP_CONFIG, compress(cbor.encode(dict(made))))


def reads(desk: Desk, start_ns: int, events: Mapping[int, Any]) -> None:
    for n, body in enumerate(sm.bodies(config(), start_ns)):
        told = with_events(body, events.get(n, ()))
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(told), told)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path / "evidence")
    configures(opened, config())
    reads(opened, sm.START_NS, TURNED)
    reads(opened, utc_ns(JULY), {})
    yield opened
    opened.shut()


@pytest.fixture
def made(desk: Desk, tmp_path: Path) -> Months:
    return months(desk, tmp_path / "archives", utc_ns("2026-10-01T00:00:00Z"))


async def closed(made: Months, folder: Path, **more: Any) -> Report:
    await made.close(sm.PLANT, "2026-06", closing="final", **more)
    return judged(folder / "archives" / ARCHIVE)


def said(report: Report) -> list[tuple[str, str]]:
    return [(f.code, f.where) for f in report.findings if "METER" in f.code or f.code[0] == "E"]


def configs_in(archive: Path) -> int:
    return sum(path.startswith("data/config/") for path in sm.unpack(archive.read_bytes()))


async def test_nobody_explains(made: Months, tmp_path: Path) -> None:
    report = await closed(made, tmp_path)
    assert said(report) == [("E-METER-SETTING", "edge-1 seq 4")]
    assert configs_in(tmp_path / "archives" / ARCHIVE) == 1


async def test_explained_before_the_close(desk: Desk, made: Months, tmp_path: Path) -> None:
    configures(desk, config(*LATER))
    report = await closed(made, tmp_path)
    assert report.verdict is Verdict.PASSED, report.findings
    assert said(report) == [("N-METER-SETTING", "edge-1 seq 4")]
    assert configs_in(tmp_path / "archives" / ARCHIVE) == 2


@pytest.mark.needs("node")
@pytest.mark.needs("npm")
async def test_the_second_verifier_agrees(desk: Desk, made: Months, tmp_path: Path) -> None:
    configures(desk, config(*LATER))
    report = await closed(made, tmp_path)
    archive = tmp_path / "archives" / ARCHIVE
    (answer,) = verify_there([archive], [sm.key_sha256(sm.keys().root.public_key)])
    found = compare(report, answer)
    assert found.differences() == []
    assert found.verdicts == ("passed", "passed")
    files = sm.unpack(archive.read_bytes())
    (later,) = [
        p for p in files if p.startswith("data/config/") and sm.sha256(files[p]) != first_of(files)
    ]
    files[later] = files[later][:-1] + bytes([files[later][-1] ^ 1])
    (tmp_path / "bent.tar").write_bytes(sm.repack(files, by=sm.keys().collector))
    (answer,) = verify_there([tmp_path / "bent.tar"])
    found = compare(judged(tmp_path / "bent.tar"), answer)
    assert found.differences() == []
    assert ("E-FILE-EXTRA", later) in found.ours


def first_of(files: Mapping[str, bytes]) -> bytes:
    """SHA-256 of the first object, June's configuration."""
    segment = min(path for path in files if paths.FRAMES.fullmatch(path))
    return sm.sha256(sm.records(files[segment])[0])


async def test_explained_after_the_close_the_month_is_amended(
    desk: Desk, made: Months, tmp_path: Path
) -> None:
    assert (await closed(made, tmp_path)).verdict is Verdict.FAILED
    configures(desk, config(*LATER))
    report = await closed(
        made, tmp_path, amend=True, reason="a change of transformers is explained"
    )
    assert report.verdict is Verdict.PASSED, report.findings
    assert said(report) == [("N-METER-SETTING", "edge-1 seq 4")]


async def test_what_explains_nothing_stays_out(desk: Desk, made: Months, tmp_path: Path) -> None:
    other = config()
    other["plant"]["name"] = "Another name"
    configures(desk, other)
    report = await closed(made, tmp_path)
    assert said(report) == [("E-METER-SETTING", "edge-1 seq 4")]
    assert configs_in(tmp_path / "archives" / ARCHIVE) == 1


async def test_by_another_key_it_stays_out(desk: Desk, made: Months, tmp_path: Path) -> None:
    """The archive does not hold what would show that the stream had that key by then."""
    desk.rotate(50)
    configures(desk, config(*LATER))
    report = await closed(made, tmp_path)
    assert said(report) == [("E-METER-SETTING", "edge-1 seq 4")]


async def test_sealed_again_it_is_the_same_archive(
    desk: Desk, made: Months, tmp_path: Path
) -> None:
    """What was signed after the close was not there then."""
    configures(desk, config(*LATER))
    await closed(made, tmp_path)
    before = (tmp_path / "archives" / ARCHIVE).read_bytes()
    configures(desk, config(*LATER, ("900", "yet another")))
    await made.seal(sm.PLANT, "2026-06")
    assert configs_in(tmp_path / "archives" / ARCHIVE) == 2
    assert (
        sm.unpack(before).keys() <= sm.unpack((tmp_path / "archives" / ARCHIVE).read_bytes()).keys()
    )
