"""Pot controllers: what they note, worked out by hand from their rules, and against the truth."""

from collections.abc import Sequence

import pytest

from simulators.pot_controller import EFFECT, OF_START_UP, Noted, PotControllers

PRODUCING, START_UP = 1, 3


def noted(volts: Sequence[float], state: int = PRODUCING) -> list[Noted]:
    """Of one pot, a look a second from second 0 on."""
    controllers = PotControllers(1)
    return [n for at, v in enumerate(volts) for n in controllers.scan(at, [v], [state])]


@pytest.mark.parametrize(
    ("volts", "wanted"),
    [
        # above 10 V at 1, 2, 3: declared at 3; below 6 V at 6, 7: over at 7
        ([4, 12, 30, 25, 20, 20, 5, 4], [Noted(1, 3, 4, 30, EFFECT)]),
        ([4, 12, 30, 4, 4, 4, 4, 4], []),  # two looks are no effect
        ([4, 12, 30, 25, 20, 5, 20, 5, 4], [Noted(1, 3, 5, 30, EFFECT)]),  # flickers, and is one
        ([4, 12, 8, 12, 8, 12, 8, 4, 4], []),  # never three in a row
        ([11, 11, 11, 4, 4, 50, 11, 11, 4, 4], [Noted(1, 2, 2, 11, EFFECT),
                                                Noted(1, 7, 2, 50, EFFECT)]),
        ([10] * 9 + [4, 4], []),  # not above
        ([30] * 9, []),  # not over yet
    ],
)  # fmt: skip
def test_by_hand(volts: Sequence[float], wanted: list[Noted]) -> None:
    assert noted(volts) == wanted


def test_a_pot_in_start_up() -> None:
    assert noted([20, 20, 20, 4, 4], START_UP) == [Noted(1, 2, 2, 20, OF_START_UP)]


def test_pots_do_not_mix() -> None:
    controllers = PotControllers(2)
    rows = [[30, 4], [30, 30], [30, 30], [4, 30], [4, 4], [4, 4]]
    found = [n for at, row in enumerate(rows) for n in controllers.scan(at, row, [1, 1])]
    assert found == [Noted(1, 2, 2, 30, EFFECT), Noted(2, 3, 2, 30, EFFECT)]
