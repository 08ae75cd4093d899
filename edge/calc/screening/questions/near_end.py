"""Are changes and clock steps nearer to the month's edges than chance puts them?"""

from collections.abc import Iterator, Sequence

from edge.calc.screening.chance import any_of
from edge.calc.screening.month import ScreenedMonth
from edge.calc.screening.question import Result, question

_HOUR_NS = 3600 * 10**9
_MINUTE_NS = 60 * 10**9


@question(
    "change-near-end",
    source="this program's own; changes that fall anywhere in the month with the same chance",
)
def change_near_end(month: ScreenedMonth) -> Iterator[Result]:
    """The change of configuration or settings that is nearest to either end."""
    changes = [
        change
        for change in month.changes
        if change.kind in ("configuration", "settings") and _is_within(month, change.at_ns)
    ]
    if changes:
        nearest = min(changes, key=lambda change: _distance(month, change.at_ns))
        yield _result(
            "change-near-end", month, [c.at_ns for c in changes], nearest.what or nearest.kind
        )


@question(
    "clock-near-end",
    source="this program's own; steps that fall anywhere in the month with the same chance",
)
def clock_near_end(month: ScreenedMonth) -> Iterator[Result]:
    """The step of the gateway's clock that is nearest to either end."""
    steps = [at_ns for at_ns in month.clock_steps_ns if _is_within(month, at_ns)]
    if steps:
        yield _result("clock-near-end", month, steps, "clock")


def _result(name: str, month: ScreenedMonth, at: Sequence[int], what: str) -> Result:
    distance = min(_distance(month, one) for one in at)
    # within a minute of the edge is as near as can be told apart
    each = min(1.0, 2 * max(distance, _MINUTE_NS) / (month.to_ns - month.from_ns))
    return Result(
        name, month.plant, month.month, what, f"{distance / _HOUR_NS:.1f} h", any_of(each, len(at)),
        facts={"hours": f"{distance / _HOUR_NS:.1f}", "count": str(len(at)), "what": what},
    )  # fmt: skip


def _is_within(month: ScreenedMonth, at_ns: int) -> bool:
    """An archive also holds frames from beside its month."""
    return month.from_ns <= at_ns <= month.to_ns


def _distance(month: ScreenedMonth, at_ns: int) -> int:
    return min(at_ns - month.from_ns, month.to_ns - at_ns)
