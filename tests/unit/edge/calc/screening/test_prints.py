"""Fingerprints that months have in common, against every two months compared one by one."""

from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from edge.calc.screening import prints as prints_module
from edge.calc.screening.prints import BESIDE, PRINT, Alike, Prints, alike, thinned
from edge.calc.screening.questions.repeated import _longest

DAYS = 2_976


def made(rows: list[tuple[int, int, int]], points: int = 50) -> Prints:
    """Prints of (print, row, quarter), in any order."""
    of = np.sort(np.array(rows, PRINT), order="print")
    return Prints(tuple(f"p{n}" for n in range(points)), DAYS, 8, of)


def drawn(seed: int, count: int, alphabet: int) -> list[tuple[int, int, int]]:
    rng = np.random.default_rng(seed)
    shift = np.uint64(64 - alphabet.bit_length())  # they lie in all parts
    some = rng.choice(alphabet, count, replace=False).astype(np.uint64) << shift
    return [(int(one), int(rng.integers(50)), int(rng.integers(DAYS))) for one in some]


def by_hand(one: Prints, two: Prints) -> Counter[tuple[str, str, int]]:
    """(point, point, distance) -> fingerprints that two months have in common there."""
    held = {int(p["print"]): p for p in two.of}
    return Counter(
        (one.points[p["row"]], two.points[q["row"]], int(q["quarter"]) - int(p["quarter"]))
        for p in one.of if (q := held.get(int(p["print"]))) is not None
    )  # fmt: skip


def test_months_by_the_thousand_are_what_each_two_are_by_hand() -> None:
    months = [made(drawn(seed, 300, 4_000)) for seed in range(12)]
    copied = [(int(p["print"]), 7, (int(p["quarter"]) + 5) % DAYS) for p in months[2].of[:120]]
    own = {p for p, _, _ in copied}
    months[9] = made(copied + [row for row in drawn(9, 300, 4_000) if row[0] not in own])
    found = {(one.first, one.other): one for one in alike(months)}
    for i, j in combinations(range(len(months)), 2):
        lags = by_hand(months[i], months[j])
        one = found.get((i, j))
        assert (one is None) == (not lags)
        if one is not None:
            assert one.hours == max(lags.values()) * 8 / 4
    loud = min(found.values(), key=lambda one: one.chance)
    assert (loud.first, loud.other, loud.there) == (2, 9, "p7")
    assert sum(one.chance < 1e-3 for one in found.values()) == 1  # of 66 pairs


def test_what_all_have_is_linear_work_and_still_seen() -> None:
    same = drawn(1, 500, 4_000)
    months = [made(same) for _ in range(2 * BESIDE)]
    found = {(one.first, one.other) for one in alike(months)}
    assert found == {
        (i, j) for i, j in combinations(range(2 * BESIDE), 2) if j - i <= BESIDE
    }  # fmt: skip


def test_half_of_them_are_the_same_half_everywhere() -> None:
    rows = [(8 * n, n % 50, n % DAYS) for n in range(1_000)]
    less = thinned(made(rows), 300)
    assert (less.one_in, len(less.of)) == (32, 250)
    assert all(int(one) % 32 == 0 for one in less.of["print"])
    (one,) = alike([made([(p, 3, q) for p, _, q in rows]), less])
    assert one.hours == 250 / 25 * 32 / 4  # of 25 points ten each, counted as the thinner share


NOTHING: list[tuple[str, Any]] = [
    ("no share", {"one_in": 4}), ("no share", {"quarters": 0}), ("no point", {"points": ()}),
    ("in order", {"of": np.array([(8, 0, 0), (8, 0, 1)], PRINT)}),
    ("in order", {"of": np.array([(8, 0, 60_000)], PRINT)}),
]  # fmt: skip


@pytest.mark.parametrize(("words", "field"), NOTHING)
def test_what_is_no_fingerprints_is_refused(words: str, field: dict[str, Any]) -> None:
    fine = made([(8, 0, 0)])
    fine.check()
    with pytest.raises(ValueError, match=words):
        Prints(**{**vars(fine), **field}).check()


def test_nothing_and_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    assert alike([]) == []
    assert alike([made([]), made([(8, 0, 0)])]) == []
    monkeypatch.setattr(prints_module, "MONTHS_MAX", 1)
    with pytest.raises(ValueError, match="at most 1"):
        alike([made([]), made([])])


def test_a_few_alike_are_chance() -> None:
    (one,) = alike([made([(8 * n, 1, n) for n in range(3)])] * 2)
    assert one == Alike(0, 1, "p1", "p1", 6.0, 1.0)


def test_the_longest_stretch_is_measured() -> None:
    """Quarters 0 and 1 come again at 3 and 4, quarter 5 at 7; 0 is no print."""
    prints = np.array([1, 2, 9, 1, 2, 5, 0, 5, 0], dtype=np.uint64)
    assert _longest(prints) == (2, 0, 3, 2, 1), "length, both places, stretches, those over 1"
