"""What each collector is asked for, how often, and what the answer must look like. Pure."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from cloud.accounts.roles import Right
from cloud.front import own, shapes
from cloud.month.newest import NEWEST

Read = Callable[[Any], Any]
Keep = Callable[[Sequence[own.Row], Set[str]], Sequence[own.Row]]
#: seconds between two looks at a collector, and between two at what changes slowly
LOOK_S, SLOW_S = 5.0, 60.0


@dataclass(frozen=True)
class Asked:
    """One thing that is asked for.

    Attributes:
        path: below /api/v1.
        right: that it needs; None for none.
        every_s: seconds between two answers.
        read: makes its shape of JSON; ValueError where it is something else.
        keep: which rows of a list are kept, of those and the collector's plants; ValueError where
            one is not its own. None for all, whatever they are of.
        rows: name of that list in the answer, "" where it is the answer.
    """

    path: str
    right: Right | None
    every_s: float
    read: Read
    keep: Keep | None = None
    rows: str = ""


#: `rights` comes first: with a token that may do more nothing is asked
PARTS: Mapping[str, Asked] = {
    "rights": Asked("rights", None, LOOK_S, shapes.Rights.model_validate),
    "health": Asked("health", Right.EVIDENCE, LOOK_S, shapes.Health.model_validate),
    "streams": Asked("streams", Right.EVIDENCE, LOOK_S, shapes.STREAMS.validate_python),
    "overview": Asked("overview", Right.SEE, LOOK_S, shapes.Overview.model_validate),
    "alarms": Asked("alarms", Right.SEE, LOOK_S, shapes.Alarms.model_validate),
    "plants": Asked("plants", Right.SEE, SLOW_S, shapes.PLANTS.validate_python),
    "months": Asked(
        f"months?newest={NEWEST}", Right.SEE, SLOW_S, shapes.MONTHS.validate_python,
        own.months_kept,
    ),
    "reviews": Asked(
        f"reviews?newest={NEWEST}", Right.RECORDS, SLOW_S, shapes.Reviews.model_validate,
        own.reviews_kept, "reviews",
    ),
}  # fmt: skip
