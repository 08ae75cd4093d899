"""docs/published-cases.md: each test that it names is there, and its counts are true."""

import re
from collections import Counter
from pathlib import Path

from tests.unit.edge.calc.methods import test_published

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/published-cases.md").read_text(encoding="utf-8")
NAMED = re.findall(r"^\| `(test_\w+\.py)::(\w+)` \| (\d+) \|", TEXT, re.MULTILINE)
BY_METHOD = re.findall(
    r"^\| (`[a-z].*`) \| (\d+) \|", TEXT.partition(" of the first row:")[2], re.MULTILINE
)


def test_each_test_that_is_named_is_there() -> None:
    assert len(NAMED) >= 15
    for file, name, _ in NAMED:
        paths = list((ROOT / "tests/unit/edge/calc").rglob(file))
        assert len(paths) == 1, file
        code = paths[0].read_text(encoding="utf-8")
        assert re.search(rf"^(def|class) {name}\b", code, re.MULTILINE), name


def test_the_counts_are_true() -> None:
    cases, wrong = test_published.CASES, test_published.TestSourcesThatAreWrong
    counts = {name: int(count) for _, name, count in NAMED}
    assert counts["test_it_is_reproduced_to_the_last_digit_printed"] == len(cases) >= 25
    traps = [name for name in vars(wrong) if name.startswith("test_")]
    assert counts["TestSourcesThatAreWrong"] == len(traps)
    told = Counter[str]()
    for methods, count in BY_METHOD:
        told[methods.split("`")[1].partition(".")[0]] += int(count)
    assert told == Counter(case.method.partition(".")[0] for case in cases)
