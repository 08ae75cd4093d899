"""One signed thing of a month says something else: both verifiers say the same of it, whatever."""

from pathlib import Path

import pytest

from evidence.archive import paths
from tests.attacks.forging import TRUST
from tests.independent.other import compare, verify_there
from tests.independent.random_months import HOW, month
from tests.unit.evidence import sealed_month as sm

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("npm")]

EACH, EACH_LONG = 6, 300


def disagreements(seeds: range, folder: Path) -> list[tuple[int, str, list[str]]]:
    made = {seed: found for seed in seeds if (found := month(seed)) is not None}
    assert len(made) > 0.8 * len(seeds)
    files = {seed: folder / f"{seed}.tar" for seed in made}
    for seed, file in files.items():
        file.write_bytes(made[seed][1])
    told = zip(made.items(), verify_there(list(files.values()), TRUST), strict=True)
    return [
        (seed, name, differences)
        for (seed, (name, data)), answer in told
        if (differences := compare(sm.check(data, trust=TRUST), answer).differences())
    ]


def test_both_say_the_same_whatever_is_said(tmp_path: Path) -> None:
    assert disagreements(range(EACH * len(HOW)), tmp_path) == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("start", range(10))
def test_both_say_the_same_of_many(start: int, tmp_path: Path) -> None:
    count = EACH_LONG // 10 * len(HOW)
    first = 100_000 + start * count
    assert disagreements(range(first, first + count), tmp_path) == []


def test_what_is_changed_is_signed_again() -> None:
    """Nothing of a frame is told but its one change."""
    of = {name: seed for seed, name in enumerate(HOW)}
    for name, path in (("frame", paths.STATEMENT), ("entry", paths.STATEMENT)):
        found = month(of[name])
        assert found is not None
        assert found[0] == name
        assert sm.unpack(found[1])[path] == sm.unpack(sm.honest())[path]
        assert "E-SIG-BAD" not in sm.codes(sm.check(found[1], trust=TRUST))
