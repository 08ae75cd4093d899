"""The drill into an archive: lines, one reading with its proof, a sample, one frame by command.

The readings are those of `small_plant`: second n counts from 04:59:40 UTC; the energy register
holds 900,000 + 20 n kWh each ten seconds, pot 2 reads 4.125 V and does not answer at second 25.
"""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from evidence.cli_month import main
from evidence.drill.archive import ArchiveSource
from evidence.drill.lines import lines_of
from evidence.drill.readings import HOUR_NS, MINUTE_NS, PointReader, minutes
from evidence.drill.samples import story_of
from evidence.errors import EvidenceError
from evidence.keys import certificate_to_pem
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp
from tests.unit.evidence.small_plant import SECOND, START_NS, configuration, keys

SAMPLE = {"source": "coal", "place": "belt", "taken_ns": pp.MAY, "mass_kg": "2", "seal": "A1",
          **pp.PERIOD}  # fmt: skip
COMPOSED = {"source": "coal", "composed_ns": pp.JUNE, **pp.PERIOD,
            "parts": [{"sample": "S-1", "weight": "1"}]}  # fmt: skip
PAPERS = [
    *pp.papers(), pp.paper("zhao", "sample-taken", "S-1", SAMPLE, files=[pp.file_of(pp.SCAN)]),
    pp.paper("chen", "sample-composed", "S-2", COMPOSED),
]  # fmt: skip


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drill") / "month.tar"
    path.write_bytes(pp.archive(PAPERS))
    return path


@pytest.fixture
def source(archive: Path) -> ArchiveSource:
    return ArchiveSource(io.BytesIO(archive.read_bytes()))


def told(capsys: pytest.CaptureFixture[str], *args: Any) -> dict[str, Any]:
    assert main([*map(str, args), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_lines_name_what_they_were_made_of(source: ArchiveSource) -> None:
    lines = lines_of(source.statement(), [configuration()])
    assert [(line.path, line.emission_t) for line in lines] == [
        ("line/fuel/natural-gas", "0.26"), ("line/anode/prebaked-anode", "7.83"),
        ("line/pfc/anode-effect-pfc", "0.80"),
    ]  # fmt: skip
    assert lines[0].points == [("quantity", "gas.volume")]
    assert lines[2].points[1:] == [
        ("aem_min_per_cell_day", point)
        for point in ("line.current", "pot-01.voltage", "pot-02.voltage")
    ]


def test_two_lines_of_one_name_have_two_paths() -> None:
    line = {"category": "fuel", "kind": "coke", "quantity": "1", "emission_t": "3", "unit": "kiln"}
    by = {"sha256": ["ab"], "about": "coke", "rule": "records"}
    entry = {"provenance": {"quantity": {"documents": by}}}
    statement = {"input": {"fuel": [entry, {}]}, "output": {"lines": [line, line]}}
    made = lines_of(statement, [])
    assert [one.path for one in made] == ["line/fuel/coke/kiln", "line/fuel/coke/kiln/2"]
    assert [one.documents for one in made] == [[("quantity", "ab")], []]


#: point, first second and after the last -> values, None where there is none
SECONDS = [
    ("ac.energy", 0, 40, ["900000", "900200", "900600"]),  # the seconds 20..24 are a gap
    ("pot-02.voltage", 24, 27, [None, "4.125"]),
    ("pot-01.voltage", 11, 13, ["4.250", "31.500"]),
    ("line.metal", 8, 10, ["1001.000", "1001.125"]),
]


@pytest.mark.parametrize(("point", "first", "stop", "values"), SECONDS)
def test_readings_of_a_time(
    source: ArchiveSource, point: str, first: int, stop: int, values: list[str | None]
) -> None:
    reader = PointReader(source, "edge-1", point)
    found = reader.readings(START_NS + first * SECOND, START_NS + stop * SECOND)
    assert [one.value for one in found] == values


def test_minutes_and_the_hour_that_is_read_at_most(source: ArchiveSource) -> None:
    reader = PointReader(source, "edge-1", "pot-02.voltage")
    hour = START_NS // HOUR_NS * HOUR_NS
    before, after = (minutes(reader.readings(at, at + HOUR_NS)) for at in (hour, hour + HOUR_NS))
    # 20 s before the full hour; of 25 in the minute after it the first five are a gap
    assert [(m.from_ns, m.readings, m.bad, m.worst) for m in (*before, *after)] == [
        (hour + 59 * MINUTE_NS, 20, 0, 0), (hour + HOUR_NS, 20, 1, 128),
    ]  # fmt: skip
    with pytest.raises(EvidenceError, match="by the hour at most"):
        reader.readings(hour, hour + HOUR_NS + 1)


def test_a_reading_with_all_that_proves_it(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = tmp_path / "frame.cose"
    at = "2026-06-15T13:00:05+08:00"  # second 25
    made = told(capsys, "drill", archive, "--point", "pot-02.voltage", "--at", at, "--frame", frame)
    assert (made["gateway"], made["seq"], made["value"], made["unit"]) == ("edge-1", 3, None, "V")
    assert (made["quality"]["code"], made["quality"]["en"]) == (
        128, "device did not answer in time",
    )  # fmt: skip
    assert made["source_ns"] == START_NS + 25 * SECOND - 40_000_000
    assert made["proof"]["is_signed"]
    assert made["proof"]["is_issued_by_root"]
    assert made["log"]["is_same"]
    assert made["frame"]["sha256"] == sm.sha256(frame.read_bytes()).hex()
    assert made["entry"]["quantity"] == {"kind": "voltage", "unit": "V"}
    keys_of = {}
    for role in ("gateway", "root", "collector"):
        keys_of[role] = tmp_path / f"{role}.crt"
        keys_of[role].write_bytes(certificate_to_pem(keys().certificates[role]))
    check = ["frame", frame, "--certificate"]
    assert told(capsys, *check, keys_of["gateway"], "--root", keys_of["root"])["is_signed"]
    assert main([*map(str, check), str(keys_of["collector"])]) == 1
    bent = bytearray(frame.read_bytes())
    bent[-1] ^= 1
    frame.write_bytes(bent)
    assert main([*map(str, check), str(keys_of["gateway"])]) == 1


def test_from_a_document_to_its_sample_and_the_attachment(source: ArchiveSource) -> None:
    sha256 = sm.sha256(PAPERS[-1])
    found = story_of(source.standing(), sha256)
    assert found is not None
    assert [(row["kind"], row["about"]) for row in found] == [
        ("sample-taken", "S-1"), ("sample-composed", "S-2"),
    ]  # fmt: skip
    assert found[0]["files"][0]["sha256"] == sm.sha256(pp.SCAN).hex()
    assert story_of(source.standing(), bytes(32)) is None


CANNOT = [
    (["--point", "nothing", "--at", "2026-06-15T05:00:00Z"], "none has"),
    (["--point", "ac.energy", "--at", "2026-06-16T05:00:00Z"], "no reading within a minute"),
    (["--point", "ac.energy", "--at", "today"], "instant with its zone"),
    (["--point", "ac.energy"], "needs --at"),
    (["--at", "2026-06-15T05:00:00Z"], "needs --point"),
    (["--document", "00" * 32], "holds no document"),
    (["--document", "x"], "no SHA-256"),
]


@pytest.mark.parametrize(("args", "said"), CANNOT)
def test_what_cannot_be_told_is_said(
    archive: Path, capsys: pytest.CaptureFixture[str], args: list[str], said: str
) -> None:
    assert main(["drill", str(archive), *args]) == 2
    assert said in capsys.readouterr().err


def test_an_archive_that_was_changed_is_not_drilled(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = archive.read_bytes()
    changed = tmp_path / "changed.tar"
    changed.write_bytes(data.replace(b'"0.26"', b'"0.27"'))
    assert main(["drill", str(changed)]) == 1
    assert "E-FILE-HASH" in capsys.readouterr().err
