"""A checkpoint a day is stamped by an authority that openssl plays, and openssl verifies it."""

import subprocess
from pathlib import Path

import pytest

from cloud.closing.daily_stamps import AGAIN_S, DailyStamps
from cloud.closing.stamp import make_request
from cloud.errors import StoreError, TimeStampError
from evidence.kept import kept_in
from tests.attacks.by_rewriting import rewritten
from tests.unit.cloud.evidence_examples import ManualClock
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.time_authority import TimeAuthority

pytestmark = pytest.mark.needs("openssl")

#: 2026-12-03T10:00Z and a day
NOW_NS, DAY_NS = 1_796_292_000_000_000_000, 86_400 * 10**9


def note(size: int = 9) -> str:
    return sm.log_note(sm.month().entries[:size])


class Authority:
    """Answers, or does not; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked, self.is_away = 0, False

    def __call__(self, data: bytes) -> bytes:
        self.asked += 1
        if self.is_away:
            raise TimeStampError("it is away")
        return b"stamp of " + data


@pytest.fixture
def clock() -> ManualClock:
    made = ManualClock()
    made.now_ns = NOW_NS
    return made


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))


def test_each_plant_is_stamped_once_a_day(tmp_path: Path, clock: ManualClock) -> None:
    authority = Authority()
    stamps = DailyStamps(tmp_path, authority, clock)
    assert [stamps.look(plant, lambda _: note()) for plant in ("a", "b", "a")] == [
        True,
        True,
        False,
    ]
    clock.now_ns += DAY_NS
    assert DailyStamps(tmp_path, authority, clock).look("a", lambda _: note(10))
    assert not DailyStamps(tmp_path, authority, clock).look("a", lambda _: note(10))  # a restart
    assert authority.asked == 3
    assert files(tmp_path) == [
        "stamps/a/2026-12-03.note", "stamps/a/2026-12-03.tsr", "stamps/a/2026-12-04.note",
        "stamps/a/2026-12-04.tsr", "stamps/b/2026-12-03.note", "stamps/b/2026-12-03.tsr",
    ]  # fmt: skip


def test_an_authority_that_is_away_is_asked_again_in_an_hour(
    tmp_path: Path, clock: ManualClock
) -> None:
    authority = Authority()
    authority.is_away = True
    stamps = DailyStamps(tmp_path, authority, clock)
    assert stamps.look("a", lambda _: note())
    assert not stamps.look("a", lambda _: note())
    authority.is_away = False
    clock.now_ns += int(AGAIN_S * 1e9)
    assert stamps.look("a", lambda _: note())
    assert files(tmp_path) == ["stamps/a/2026-12-03.note", "stamps/a/2026-12-03.tsr"]


def test_a_plant_that_is_not_served_stops_nobody(tmp_path: Path, clock: ManualClock) -> None:
    def none(plant: str) -> str:
        raise StoreError(f"{plant} is not served")

    stamps = DailyStamps(tmp_path, Authority(), clock)
    assert stamps.look("a", none)
    assert stamps.look("b", lambda _: note())
    assert [name for name in files(tmp_path) if name.endswith("note")] == [
        "stamps/b/2026-12-03.note"
    ]


def test_openssl_verifies_it_and_verify_compares_the_note(
    tmp_path: Path, clock: ManualClock
) -> None:
    """As docs/witness.md has it: the stamp dates the note, the note contradicts the archive."""
    authority = TimeAuthority(tmp_path / "tsa")
    stamps = DailyStamps(tmp_path, lambda data: authority.answer(make_request(data)), clock)
    assert stamps.look(sm.PLANT, lambda _: note())
    of = tmp_path / "stamps" / sm.PLANT / "2026-12-03.note"
    given = ["-data", str(of), "-in", str(of.with_suffix(".tsr")), "-CAfile", str(authority.root)]
    command = ["openssl", "ts", "-verify", *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Verification: OK" in done.stdout, done.stderr
    report = sm.check(rewritten(), kept=kept_in({"n": of.read_bytes()}))
    assert "E-KEPT" in sm.codes(report)
