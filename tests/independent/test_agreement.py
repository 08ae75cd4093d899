"""Two verifiers that share nothing say the same: the other was written from the text alone."""

import io
from collections.abc import Set
from pathlib import Path

import pytest

from evidence import cose
from evidence.findings import Verdict
from evidence.keys import Trusted
from evidence.verifier.run import verify
from tests.attacks.corpus import KINDS, archive, kept, report
from tests.attacks.forging import ROOT_SHA256, SEG_4, TRUST, WITNESSES, Kind
from tests.independent.other import Comparison, compare, verify_there
from tests.unit.cloud.closing.test_zone import moves_to, reads, utc_ns
from tests.unit.cloud.month_examples import Desk, months
from tests.unit.evidence import gap_months, settings_months
from tests.unit.evidence import sealed_month as sm

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("npm")]


def both(
    folder: Path, archives: list[bytes], trust: Set[Trusted] = frozenset({ROOT_SHA256})
) -> list[Comparison]:
    files = [folder / f"{i:03}.tar" for i in range(len(archives))]
    for file, data in zip(files, archives, strict=True):
        file.write_bytes(data)
    answers = verify_there(files, trust)
    here = [sm.check(data, trust=trust) for data in archives]
    return [compare(ours, theirs) for ours, theirs in zip(here, answers, strict=True)]


def read(path: str) -> bytes:
    return Path(path).read_bytes()


@pytest.fixture(scope="module")
def corpus() -> dict[str, Comparison]:
    """Every kind of tampering, by both."""
    assert all(kind.trust == TRUST for kind in KINDS)
    alone = [kind for kind in KINDS if not kind.kept]
    told = verify_there([archive(k) for k in alone], TRUST, witnesses=WITNESSES)
    answers = dict(zip(alone, told, strict=True))
    for kind in KINDS:
        if kind.kept:
            (answers[kind],) = verify_there([archive(kind)], TRUST, kept(kind), WITNESSES)
    return {kind.name: compare(report(kind), answer) for kind, answer in answers.items()}


@pytest.mark.timeout(600)  # the first one builds and judges all of them
@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_the_corpus(kind: Kind, corpus: dict[str, Comparison]) -> None:
    found = corpus[kind.name]
    assert found.differences(spoilt=kind.more) == []
    assert kind.codes <= {code for code, _ in found.theirs}


def test_the_honest_archive_passes_with_both(tmp_path: Path) -> None:
    (found,) = both(tmp_path, [sm.honest()])
    assert found.differences() == []
    assert found.verdicts == ("passed", "passed")
    assert ("W-GAP", "edge-1 seq 3") in found.theirs


def test_time_without_readings_is_told_by_both(tmp_path: Path) -> None:
    made = [make() for make, _ in gap_months.CASES.values()]
    for name, found in zip(gap_months.CASES, both(tmp_path, made), strict=True):
        ours, theirs = (
            {where for code, where in told if code == "W-GAP"}
            for told in (found.ours, found.theirs)
        )
        assert theirs == ours, name
        _, wanted = gap_months.CASES[name]
        assert {line.partition(": ")[0] for line in wanted} <= theirs, name


def test_settings_are_judged_alike(tmp_path: Path) -> None:
    made = [make() for make, _ in settings_months.CASES.values()]
    for name, found in zip(settings_months.CASES, both(tmp_path, made), strict=True):
        _, wanted = settings_months.CASES[name]
        for told in (found.ours, found.theirs):
            ours = {(code, at) for code, at in told if "METER" in code or code == "E-GROUPS"}
            assert ours == set(wanted), name
        assert found.differences() == [], name


async def test_neighbours_of_two_time_zones_pass_with_both(tmp_path: Path) -> None:
    """What the second is configured to was signed before it begins; both say what it changed."""
    desk = Desk(tmp_path / "evidence").deliver()
    moves_to(desk, "UTC")
    reads(desk, "2026-07-01T00:00:00Z")
    made = months(desk, tmp_path / "archives", utc_ns("2026-10-01T00:00:00Z"))
    facts = [await made.close(sm.PLANT, f"2026-{n:02}", closing="final") for n in (6, 7)]
    june, july = both(tmp_path, [read(fact["archive"]) for fact in facts])
    assert (june.differences(), july.differences()) == ([], [])
    assert june.verdicts == july.verdicts == ("passed", "passed")
    assert ("N-CONFIG", "edge-1 seq 6") in july.theirs
    desk.shut()


def test_a_p256_plant_passes_with_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root, gateway and collector with ECDSA: certificates, objects, checkpoint, seal and close."""
    who = sm.keys(p256=True)
    monkeypatch.setattr(sm, "keys", lambda: who)
    archive = sm.build(
        sm.contents(sm.make_month(sm.items(sm.configuration(who.collector)), who=who))
    )
    assert {cose.parse(o).alg for o in sm.records(sm.unpack(archive)[SEG_4])} == {-9}
    (tmp_path / "p256.tar").write_bytes(archive)
    trust = sm.key_sha256(who.root.public_key)
    (answer,) = verify_there([tmp_path / "p256.tar"], [trust])
    found = compare(verify(io.BytesIO(archive), trust=frozenset({trust})), answer)
    assert found.differences() == []
    assert found.verdicts[0] == Verdict.PASSED.value


def test_flipped_bits_fail_with_both(tmp_path: Path, times: int) -> None:
    archive = sm.honest()
    spoilt = []
    for at in range(0, len(archive), 1_801 // times):
        data = bytearray(archive)
        data[at] ^= 1 << at % 8
        spoilt.append(bytes(data))
    found = both(tmp_path, spoilt)
    assert [item.differences(spoilt=True) for item in found] == [[]] * len(spoilt)
    assert {item.verdicts for item in found} == {("failed", "failed")}


def test_an_object_stands_in_the_file_of_the_frame_before(tmp_path: Path) -> None:
    again = sm.config_item(sm.configuration(), sm.START_NS + 25 * sm.SECOND)
    stream = sm.items()
    stream.insert(3, again)  # after the last frame of 04, in the file of 05
    of = sm.make_month(stream)
    named = {sm.sha256(of.objects[i]): of.objects[i] for i in (0, 3)}
    (found,) = both(tmp_path, [sm.build(sm.contents(of, configs=named))])
    assert ("E-FRAME-PLACE", "edge-1 seq 3") in found.theirs
    assert found.differences() == []
