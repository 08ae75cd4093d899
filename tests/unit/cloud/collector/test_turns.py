"""A plant's turn comes with news of it: at once among few plants, after a rest among many."""

import pytest

from cloud.collector import turns
from cloud.collector.turns import AT_ONCE, Turns


@pytest.mark.parametrize(
    ("news", "after_s", "of", "is_due"),
    [
        (1, 9_999.0, AT_ONCE, False),  # nothing new, however long ago
        (2, 0.0, AT_ONCE, True),
        (2, 9.9, AT_ONCE + 100, False),  # 100 more, 0.1 s for each
        (2, 10.1, AT_ONCE + 100, True),
        (None, 0.0, 1, True),  # it cannot be had any more: who looks learns why
    ],
)
def test_whose_turn_it_is(
    news: object, after_s: float, of: int, is_due: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1_000.0
    monkeypatch.setattr(turns.time, "monotonic", lambda: now_s)
    it = Turns(0.1)
    assert it.is_due("a", 1, of)  # not looked at yet
    it.looked("a", 1)
    now_s += after_s
    assert it.is_due("a", news, of) is is_due
    it.forget("a")
    assert it.is_due("a", 1, of)
